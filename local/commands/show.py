"""Terminal output: steps and counts during the run, tables at the end."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from client.query import Row
from local.chain import Hops
from local.commands.demo import Summary
from local.commands.own_table import OwnTableSummary
from schema import ORDERS
from schema.commands.cli import columns_table
from schema.commands.infer import Proposal

_PLAIN_WIDTH = 120
_TOP = 10
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_HOPS = ("changes written", "captured", "bridged", "rows delivered", "failed", "objects")


class Screen:
    """Steps and live counts on stderr; live counts on a terminal only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def say(self, step: str) -> None:
        """Print one step on its own line."""
        self._console.print(Text(f"· {step}", style="dim"))

    def columns(self, proposals: Sequence[Proposal], items: int) -> None:
        """Print the columns that were inferred from so many items."""
        self._console.print(columns_table(proposals, items))

    def tick(self, written: int, hops: Hops) -> None:
        """Update the live counts."""
        if self._live:
            self._live.update(_counts(written, hops))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the counts passed to `tick`, if this is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=8, transient=True) as self._live:
            yield
        self._live = None


def console(*, stderr: bool = False) -> Console:
    """A console; if it is not a terminal, lines are wide enough for the tables."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PLAIN_WIDTH)


def hops_line(hops: Hops) -> str:
    """The counts in one line."""
    text = (
        f"{hops.captured} changes captured, {hops.bridged} bridged, {hops.delivered} rows "
        f"delivered, {hops.failed} failed, {hops.objects} objects"
    )
    if hops.dead_lettered:
        text += f", {hops.dead_lettered} in the dead-letter queue"
    return text


def summary(console: Console, result: Summary) -> None:
    """Print the result tables and the verdict."""
    console.print(_rows(f"Revenue by product (top {_TOP})", result.revenue[:_TOP]))
    if result.life:
        console.print(_rows(f"History of order {result.life_of}", result.life))
        console.print(_rows("Its current state", _orders(result.now)))
    facts = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="The chain", title_justify="left")
    for heading in (*_HOPS, "lost"):
        facts.add_column(heading, justify="right")
    facts.add_row(
        str(sum(result.written.values())),
        str(result.captured),
        str(result.bridged),
        str(result.delivered),
        str(result.failed),
        str(result.objects),
        str(result.lost),
    )
    console.print(facts)
    console.print(
        f"From write to queryable: p50 {result.latency_ms['p50']:.0f} ms, "
        f"p99 {result.latency_ms['p99']:.0f} ms. The crawler found: "
        f"{', '.join(result.crawled_tables) or 'nothing'}. Total time: {result.seconds} s."
    )
    if result.batch is not None:
        told = ("inserted", "updated", "deleted", "skipped", "superseded", "duplicates", "rejected")
        counts = ", ".join(f"{result.batch[name]} {name}" for name in told if result.batch[name])
        console.print(
            f"The batch read {result.batch['rows_read']} rows in {result.batch['seconds']} s: "
            f"{counts or 'nothing new'}."
        )
    for problem in result.problems:
        console.print(Text(problem, style="red"))
    verdict = (
        Text(
            f"Nothing lost; the {result.current_orders} current orders in the lake match the "
            "table, value by value.",
            style="green",
        )
        if result.good
        else Text(
            f"{result.lost} records lost; {result.current_orders} current orders in the lake, "
            f"{result.table_items} in the table.",
            style="bold red",
        )
    )
    console.print(verdict)


def own_table(console: Console, result: OwnTableSummary) -> None:
    """Print the history of one item, the counts and the verdict."""
    if result.life:
        console.print(_rows(f"History of order {result.life_of}", result.life))
    changes = ", ".join(f"{count:,} {kind}" for kind, count in result.changes.items())
    made = sum(result.changes.values())
    facts = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="What arrived", title_justify="left")
    for heading in ("items before", "snapshot rows", "changes made", "captured", "rows", "failed"):
        facts.add_column(heading, justify="right")
    facts.add_column("lost", justify="right")
    numbers = (result.items_before, result.snapshot, made, result.captured, result.delivered)
    facts.add_row(*map("{:,}".format, (*numbers, result.failed, result.lost)))
    console.print(facts)
    console.print(
        f"Changes: {changes} ({result.changes_during_snapshot:,} during the snapshot). "
        f"{result.extras:,} items have attributes that the schema does not know, in extras. "
        f"Total time: {result.seconds} s."
    )
    for problem in result.problems:
        console.print(Text(problem, style="red"))
    console.print(
        Text(
            f"Nothing lost; all {result.table_items:,} items of the table equal {result.view} in "
            "the lake, value by value.",
            style="green",
        )
        if result.good
        else Text(
            f"{result.lost} lost; {result.view} in the lake "
            f"{'equals' if result.matches_table else 'differs from'} the table.",
            style="bold red",
        )
    )


def _counts(written: int, hops: Hops) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in _HOPS:
        table.add_column(heading, justify="right")
    table.add_row(
        str(written),
        str(hops.captured),
        str(hops.bridged),
        str(hops.delivered),
        str(hops.failed),
        str(hops.objects),
    )
    return Group(table)


def _orders(rows: list[Row]) -> list[Row]:
    """The order's own columns, without the CDC metadata."""
    return [{column.name: row[column.name] for column in ORDERS.columns} for row in rows]


def _rows(title: str, rows: list[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for name in rows[0] if rows else ():
        number = all(_NUMBER.fullmatch(row[name] or "0") for row in rows)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else value) for value in row.values()))
    return table
