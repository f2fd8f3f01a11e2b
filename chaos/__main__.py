"""`python -m chaos`: run a long round of faults and print a table."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from chaos import round as rounds
from chaos.faults import FAULTS
from chaos.rig import Rig

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def chaos(
    faults: Annotated[int, typer.Option(min=1, help="Number of faults.")] = 210,
    seed: Annotated[int | None, typer.Option(help="Repeat the faults and orders of a run.")] = None,
    rate: Annotated[float, typer.Option(min=1, help="Orders placed per second.")] = 40,
    only: Annotated[list[str] | None, typer.Option(help="Only this fault; repeatable.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the faults.")] = False,
) -> None:
    """Inject faults into the running local chain, recover as an operator would, and verify.

    Compares the lake with the DynamoDB table and the writers' journal. Exits with 0 only if every
    change is in the lake and current orders equal the table, value by value.
    """
    if list_:
        typer.echo("\n".join(FAULTS))
        return
    if unknown := [name for name in only or [] if name not in FAULTS]:
        raise typer.BadParameter(f"no such fault: {', '.join(unknown)} (see --list)")
    seed = secrets.randbits(32) if seed is None else seed
    console = Console(highlight=False)
    console.print(f"seed {seed}")
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as directory,
        Rig(Path(directory)) as rig,
        console.status("starting") as status,
    ):
        report = rounds.run(
            rig, faults=faults, seed=seed, rate=rate, say=status.update, only=only or ()
        )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    for heading in ("times", "back after s, median", "longest"):
        table.add_column(heading, justify="right")
    for row in rounds.rows(report):
        table.add_row(*row)
    console.print(table)
    counts = Table(box=None, show_header=False, pad_edge=False)
    counts.add_column()
    counts.add_column(justify="right")
    for fact in rounds.facts(report):
        counts.add_row(*fact)
    console.print(counts)
    for line in report.wrong:
        console.print(f"WRONG: {line}", style="red")
    if report.wrong:
        raise typer.Exit(1)
    console.print("nothing is lost, and current orders equal the table")


if __name__ == "__main__":
    app(prog_name="python -m chaos")
