"""What AWS offers instead of this pipeline, or of its pipe, at the same load and list prices.

Where AWS does not publish a figure, the lowest possible one is taken: these are minimum costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from analytics.cost import (
    DAYS,
    DEV,
    MERGED_A_SECOND,
    MONTH_SECONDS,
    PROD,
    Load,
    Stack,
    money,
    table_lines,
    usd,
)
from client.prices import GB, KB

_GUIDE = "https://docs.aws.amazon.com"
_KINESIS_GUIDE = f"{_GUIDE}/amazondynamodb/latest/developerguide/kds.html"
_EXPORT_GUIDE = f"{_GUIDE}/amazondynamodb/latest/developerguide/S3DataExport.HowItWorks.html"
_GLUE_GUIDE = f"{_GUIDE}/glue/latest/dg/zero-etl-configuring-integration.html"
_RPU_GUIDE = f"{_GUIDE}/redshift/latest/mgmt/serverless-capacity.html"

_REFRESH_SECONDS = 15 * 60
"""The shortest interval of a zero-ETL integration of DynamoDB."""
_EXPORT_GB = 10 * KB * KB / GB
"""An incremental export is billed as 10 MB at least."""
_GLUE_DPUS, _REDSHIFT_RPUS = 2, 4
"""The least that a Spark job on Glue, and a Redshift Serverless workgroup, has."""
_LEAST_HOURS = 1 / 60
"""Both are billed by the second, a minute at least."""
_REFRESH_PUTS = 10
"""Objects that a commit to an Iceberg table writes, about."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way from the table to queries, with its cost a month in USD.

    Parameters
    ----------
    fresh:
        The time from a change to a query's answer.
    lacks:
        What it does not do, compared with this pipeline.
    sources:
        AWS's pages behind the figures, besides the prices'.
    """

    name: str
    idle_usd: float
    usd: float
    fresh: str
    lacks: str
    sources: Sequence[str] = ()


def ways(load: Load) -> list[Way]:
    """Both stacks as deployed, and the alternatives, under the same load."""
    found = []
    for stack in (DEV, PROD):
        found += [_deployed(stack, load), _direct(stack, load)]
    return [*found, _lakehouse(load), _redshift(load)]


def beside(load: Load) -> Table:
    """The ways as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("USD a month", no_wrap=True)
    for heading in ("idle", "at this load"):
        table.add_column(heading, justify="right")
    for heading in ("fresh within", "lacks"):
        table.add_column(heading)
    for way in ways(load):
        table.add_row(way.name, money(way.idle_usd), money(way.usd), way.fresh, way.lacks)
    return table


_Lines = Callable[[Load], Iterator[tuple[str, float]]]
"""A way's usage a month under a load, by price."""


def _way(
    name: str,
    lines: _Lines,
    load: Load,
    *,
    fresh: str,
    lacks: str = "",
    sources: Sequence[str] = (),
) -> Way:
    idle, used = (sum(usd(lines(one)).values()) for one in (load.idle, load))
    return Way(name=name, idle_usd=idle, usd=used, fresh=fresh, lacks=lacks, sources=sources)


def _deployed(stack: Stack, load: Load) -> Way:
    return _way(stack.name, stack.lines, load, fresh=_buffered(stack))


def _direct(stack: Stack, load: Load) -> Way:
    """DynamoDB writes its changes into the Kinesis stream itself; the rest is the same."""

    def lines(load: Load) -> Iterator[tuple[str, float]]:
        yield from ((name, amount) for name, amount in stack.lines(load) if name != "pipe")
        yield "table to Kinesis", load.monthly * math.ceil(load.order_bytes / KB)

    return _way(
        f"{stack.name} with DynamoDB's Kinesis integration",
        lines,
        load,
        fresh=_buffered(stack),
        lacks="an item's order, filters, dead letters",
        sources=[_KINESIS_GUIDE],
    )


def _lakehouse(load: Load) -> Way:
    """Glue's zero-ETL integration with an Iceberg table on S3, in a SageMaker lakehouse."""

    def lines(load: Load) -> Iterator[tuple[str, float]]:
        yield from _exported(load)
        merge = load.monthly / MERGED_A_SECOND / 3600
        yield "glue", _GLUE_DPUS * (_refreshes(load) * _LEAST_HOURS + merge)
        yield "lake puts", _refreshes(load) * _REFRESH_PUTS
        yield "lake storage", load.orders * DAYS * load.order_bytes / GB
        yield "athena", load.queries * DAYS * max(load.query_gb, 0.01) / 1000

    return _way(
        "zero-ETL to a SageMaker lakehouse",
        lines,
        load,
        fresh="15 min or more",
        lacks="history, checks, alarms",
        sources=[_GLUE_GUIDE, _EXPORT_GUIDE],
    )


def _redshift(load: Load) -> Way:
    """The zero-ETL integration with Redshift Serverless."""

    def lines(load: Load) -> Iterator[tuple[str, float]]:
        yield from _exported(load)
        busy = (_refreshes(load) + load.queries * DAYS) * _LEAST_HOURS
        yield "redshift", _REDSHIFT_RPUS * busy
        yield "redshift storage", load.orders * DAYS * load.order_bytes / GB

    return _way(
        "zero-ETL to Redshift Serverless",
        lines,
        load,
        fresh="15 min or more",
        lacks="history, checks, alarms, open files",
        sources=[_GLUE_GUIDE, _EXPORT_GUIDE, _RPU_GUIDE],
    )


def _exported(load: Load) -> Iterator[tuple[str, float]]:
    """The table with point-in-time recovery, which zero-ETL needs, and its incremental exports."""
    yield from table_lines(load, restorable=True)
    changed = load.monthly * load.record_bytes / GB
    yield "table export", max(changed, _refreshes(load) * _EXPORT_GB)


def _refreshes(load: Load) -> float:
    """Refreshes a month. AWS does not say what one without changes costs: those are not counted."""
    return min(load.monthly, MONTH_SECONDS / _REFRESH_SECONDS)


def _buffered(stack: Stack) -> str:
    seconds = stack.transform_buffer_interval_seconds + stack.buffer_interval_seconds
    return f"up to {seconds:.0f} s" if seconds < 120 else f"up to {seconds / 60:.0f} min"
