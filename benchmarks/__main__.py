"""Run the benchmarks: ``python -m benchmarks [--json] [NAME ...]``."""

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


def available() -> dict[str, Callable[[], Result]]:
    """Every benchmark by name: what the modules of this package list in ``BENCHMARKS``."""
    modules = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    found: dict[str, Callable[[], Result]] = {}
    for module in modules:
        if module != "__main__":
            found |= getattr(import_module(f"benchmarks.{module}"), "BENCHMARKS", {})
    return found


@app.command(
    epilog="Exit codes: 0 all ran (met or not), 1 a benchmark could not run, 2 wrong usage."
)
def main(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which; default: all.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, as each ends.")
    ] = False,
) -> None:
    """Measure this project against the usual ways to do the same, and against limits.

    Both sides of a pair run in turn in the same process on the same input, and the median of the
    rounds counts. Read a row as: **ours** and **peer** in its unit, **ratio** how many times
    better ours is (of `*_vs_limit`: the share of the limit; of `*_scaling`: the growth itself,
    where less is better), **goal** what was aimed for.

    Examples:

    - `python -m benchmarks transform_vs_limit` prints a table of one row

    - `python -m benchmarks --json > results.jsonl` runs all, one JSON object a line
    """
    benchmarks_by_name = available()
    if unknown := sorted(set(names or ()) - benchmarks_by_name.keys()):
        known = ", ".join(benchmarks_by_name)
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}; there are: {known}")
    notes = Console(stderr=True)
    results, failed = [], False
    for name in names or benchmarks_by_name:
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
    """The results for people."""
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
