"""Run the benchmarks: ``python -m benchmarks [--json] [--large] [NAME ...]``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.result import Result

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


def available(group: str = "BENCHMARKS") -> dict[str, Callable[[], Result]]:
    """Benchmarks by name, collected from ``BENCHMARKS`` or ``LARGE`` in this package's modules."""
    modules = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    found: dict[str, Callable[[], Result]] = {}
    for module in modules:
        if module != "__main__":
            found |= getattr(import_module(f"benchmarks.{module}"), group, {})
    return found


@app.command(
    epilog="Exit codes: 0 all ran (met or not), 1 a benchmark could not run, 2 wrong usage."
)
def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Benchmarks to run; default: all but the large ones."),
    ] = None,
    large: Annotated[
        bool,
        typer.Option("--large", help="Run the large ones: half an hour, and 10 GB of disk."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each result as one JSON object per line.")
    ] = False,
) -> None:
    """Compare this project with common alternatives and with theoretical limits.

    Both sides of a pair take turns in the same process on the same input; the result is the median
    of the rounds. **ours** and **peer** are in the row's unit. **ratio** is how many times better
    ours is; for `*_vs_limit` it is the share of the limit, for `*_scaling` the growth, where lower
    is better. **goal** is the target ratio.

    Examples:

    - `python -m benchmarks transform_vs_limit` prints a table of one row

    - `python -m benchmarks --json > results.jsonl` runs all, one JSON object a line

    - `python -m benchmarks merge_rate` runs a large one by name
    """
    usual, large_ones = available(), available("LARGE")
    benchmarks_by_name = usual | large_ones
    if unknown := sorted(set(names or ()) - benchmarks_by_name.keys()):
        known = ", ".join(benchmarks_by_name)
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}; there are: {known}")
    notes = Console(stderr=True)
    results, failed = [], False
    for name in names or (large_ones if large else usual):
        try:
            with notes.status(f"measuring {name} ..."):
                result = benchmarks_by_name[name]()
        except Exception as error:
            notes.print(f"{name} could not run: {type(error).__name__}: {error}", markup=False)
            failed = True
            continue
        results.append(result)
        if as_json:
            typer.echo(result.to_json())
    if results and not as_json:
        Console().print(table(results))
    raise typer.Exit(int(failed))


def table(results: list[Result]) -> Table:
    """The results as a table."""
    shown = Table("what")
    for heading in ("ours", "peer", "ratio", "goal"):
        shown.add_column(heading, justify="right")
    shown.add_column("unit")
    for result in results:
        colour = {True: "green", False: "red", None: "default"}[result.met]
        shown.add_row(
            result.name,
            _figure(result.ours),
            _figure(result.peer),
            f"[{colour}]{_figure(result.ratio)}[/]",
            _figure(result.goal),
            result.unit,
        )
    return shown


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
