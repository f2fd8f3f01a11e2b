"""``python -m simulation``: simulate disturbances of the chain and compare with the formulas."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from analytics.capacity.chain import Chain, ChainError
from analytics.capacity.hops import Load
from analytics.capacity.limits import ITEM_BYTES
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, fail, new_command
from simulation import plots
from simulation.chain import Run
from simulation.scenarios import LOAD, SCENARIOS, SEED, STACK, Result, scenarios
from simulation.scenarios import run as simulate

PLACE = Path(__file__).resolve().parent.parent / "docs" / "scaling"
RESULTS = PLACE / "results.jsonl"

app = new_command()

_EPILOG = """[bold]Examples[/bold]

python -m simulation

python -m simulation spike hot-key --changes-per-second 5000 --bytes 400

python -m simulation outage-pipe --stack dev --plots /tmp/plots

python -m simulation --record

[bold]Exit codes[/bold]: 0 all agree with the formulas, 1 one does not, 2 wrong usage, 130 Ctrl-C.
"""


@app.command(epilog=_EPILOG)
def main(  # noqa: PLR0917 - the command line's
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO", help=f"Some of: {', '.join(SCENARIOS)}. Default: all of them."
        ),
    ] = None,
    changes_per_second: Annotated[
        float, typer.Option(min=0.1, max=1e7, help="Changes of the table a second.")
    ] = LOAD.changes_per_second,
    item_bytes: Annotated[
        int, typer.Option("--bytes", min=1, max=int(ITEM_BYTES.value), help="Size of an item.")
    ] = LOAD.item_bytes,
    stack: Annotated[
        str, typer.Option("--stack", metavar="NAME", help="Stack whose Pulumi.NAME.yaml is read.")
    ] = STACK,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = SEED,
    folder: Annotated[
        Path | None,
        typer.Option("--plots", metavar="DIR", help="Write a plot of each scenario there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Write the plots and figures of docs/scaling.md.")
    ] = False,
) -> None:
    """Simulate a spike, an outage of each hop and a hot key, with AWS's limits and random delays.

    For each scenario: the largest backlog, and the time until it is gone after the disturbance
    ends, by the formulas of `python -m analytics capacity` and as simulated.
    """
    if unknown := sorted(set(names or ()) - SCENARIOS.keys()):
        fail(f"no scenario {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}", WRONG_USAGE)
    load = Load(changes_per_second=changes_per_second, item_bytes=item_bytes)
    if record and (names or (load, stack, seed) != (LOAD, STACK, SEED)):
        fail("--record takes no scenarios and no other load, stack or seed", WRONG_USAGE)
    folder = PLACE if record else folder
    try:
        chain = Chain.of_stack(stack)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        possible = scenarios(chain)
        if impossible := sorted(set(names or ()) - set(possible)):
            fail(f"{', '.join(impossible)}: the stack {stack} has no batchSchedule", WRONG_USAGE)
        results = _run(list(names or possible), load, chain, seed, folder)
        if record:
            RESULTS.write_text("".join(f"{one.to_json()}\n" for one in results))
    except ChainError as error:
        fail(str(error), WRONG_USAGE)
    except OSError as error:
        fail(f"cannot write {error.filename}: {error.strerror}", FAILED)
    except KeyboardInterrupt:
        fail("stopped", INTERRUPTED)
    if as_json:
        typer.echo("\n".join(one.to_json() for one in results))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=120)
        console.print(_table(results))
    raise typer.Exit(0 if all(one.agrees for one in results) else FAILED)


def _run(
    names: list[str], load: Load, chain: Chain, seed: int, folder: Path | None
) -> list[Result]:
    notes, results = Console(stderr=True), []
    for name in names:
        with notes.status(f"simulating {name} ..."):
            run, result = simulate(SCENARIOS[name], load, chain, seed)
            if folder:
                _draw(folder, name, run)
        results.append(result)
    return results


def _draw(folder: Path, name: str, run: Run) -> None:
    try:
        drawing = plots.draw(SCENARIOS[name], run)
    except ImportError as error:
        fail(f"{error}: pip install 'sales-cdc[simulation]'", FAILED)
    (folder / f"{name}.svg").write_text(drawing)


def _table(results: list[Result]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("scenario", no_wrap=True)
    for heading in ("backlog", "simulated", "gone after, s", "simulated", "longest lag, s"):
        shown.add_column(heading, justify="right")
    shown.add_column("agrees")
    for one in results:
        shown.add_row(
            one.scenario,
            f"{one.paper_backlog:,}",
            f"{one.simulated_backlog:,}",
            _seconds(one.paper_seconds),
            _seconds(one.simulated_seconds),
            _seconds(one.longest_lag_seconds),
            "yes" if one.agrees else "no",
            style=None if one.agrees else "red",
        )
    return shown


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}"


if __name__ == "__main__":
    app(prog_name="python -m simulation")
