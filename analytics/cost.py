"""The pipeline's monthly cost by service, for the settings in the stack files.

An estimate from list prices, to show the main costs. See AWS's calculator and bill for real costs.
"""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from rich import box
from rich.table import Table

from client.prices import DATED, GB, KB, PRICES, REGION

HOURS, DAYS = 730, 30.4
NOT_COUNTED = (
    "reads of the table's stream by the pipe, KMS requests, the writer's and readers' own compute, "
    "data leaving AWS, support, taxes; the free tier of new accounts"
)

_RECORDS_A_SECOND = 10_000
"""The transform at 256 MB, a seventh of a core; docs/benchmarks.jsonl is for a whole core."""
_CALL_SECONDS = 0.02
_CRAWLER_DPUS, _CRAWLER_HOURS = 2, 10 / 60
"""AWS bills at least ten minutes."""
_JOB_HOURS = 3 / 60
"""A run on a table that is nearly up to date; most of it is Spark's startup."""
_LOG_BYTES = 600
"""The log line of one transform invocation."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """The load of the pipeline.

    Parameters
    ----------
    orders:
        Orders placed a day.
    order_bytes:
        Size of one order in the table.
    changes:
        Changes per order, including its creation and deletion.
    queries, query_gb:
        Queries a day, and GB scanned by each.
    """

    orders: float
    order_bytes: int = 250
    changes: float = 2.0
    queries: int = 20
    query_gb: float = 0.05

    @property
    def monthly(self) -> float:
        """Changes a month."""
        return self.orders * self.changes * DAYS

    @property
    def record_bytes(self) -> float:
        """Bytes of a change record: both images in DynamoDB JSON, and the envelope."""
        return 350 + 2 * self.order_bytes

    @property
    def row_bytes(self) -> float:
        """Bytes of an event row as JSON."""
        return 200 + 1.3 * self.order_bytes


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The settings that affect cost; a test compares them with ``Pulumi.<name>.yaml``."""

    name: str
    stream_mode: Literal["provisioned", "on-demand"]
    shards: int = 1
    stream_retention_hours: int = 24
    point_in_time_recovery: bool
    delivery_format: Literal["json", "parquet"]
    buffer_size_mb: int
    buffer_interval_seconds: int
    retention_days: int
    transform_memory_mb: int = 256
    alarm_metrics: int
    crawls: float = 0.0
    batch_runs: float = 0.0
    batch_workers: int = 2
    always: Mapping[str, float] = field(default_factory=lambda: {"dashboards": 1.0})

    def lines(self, load: Load) -> Iterator[tuple[str, float]]:
        """Monthly usage, by price."""
        changes, days = load.monthly, DAYS
        gb = changes * load.record_bytes / GB
        yield "table writes", changes * math.ceil(load.order_bytes / KB)
        held = load.orders * days * load.order_bytes / GB
        yield "table storage", held
        if self.point_in_time_recovery:
            yield "table restore points", held
        yield "pipe", changes * math.ceil(load.record_bytes / (64 * KB))
        if self.stream_mode == "provisioned":
            yield "stream shards", self.shards * HOURS
            yield "stream puts", changes * math.ceil(load.record_bytes / (25 * KB))
        else:
            yield "stream on demand", HOURS
            rounded = changes * math.ceil(load.record_bytes / KB) * KB / GB
            yield "stream data in", rounded
            yield "stream data out", gb
            yield "stream retention", gb * max(0, self.stream_retention_hours - 24) / HOURS
        billed = changes * math.ceil(load.record_bytes / (5 * KB)) * 5 * KB / GB
        yield "firehose", billed
        if self.delivery_format == "parquet":
            yield "firehose to parquet", billed
        calls = _batches(changes, load.record_bytes, 1, 60)
        seconds = calls * _CALL_SECONDS + changes / _RECORDS_A_SECOND
        yield "transform time", seconds * self.transform_memory_mb / 1024
        yield "transform calls", calls
        kept = changes / days * self.retention_days
        yield "lake storage", kept * load.row_bytes * 0.2 / GB
        size, interval = self.buffer_size_mb, self.buffer_interval_seconds
        yield "lake puts", _batches(changes, load.row_bytes, size, interval)
        job = self.batch_runs * self.batch_workers * _JOB_HOURS
        yield "glue", self.crawls * _CRAWLER_DPUS * _CRAWLER_HOURS + job
        yield "athena", load.queries * days * max(load.query_gb, 0.01) / 1000
        yield "logs", calls * _LOG_BYTES / GB
        yield "metrics", len(custom_metrics()) if changes else 0
        yield "alarms", self.alarm_metrics
        yield from self.always.items()

    def cost(self, load: Load, *, free_tier: bool = False) -> dict[str, float]:
        """USD a month by line."""
        costs = {}
        for name, amount in self.lines(load):
            price = PRICES[name]
            paid = max(0.0, amount - price.always_free) if free_tier else amount
            costs[name] = paid * price.usd
        return costs


DEV = Stack(
    name="dev",
    stream_mode="provisioned",
    point_in_time_recovery=False,
    delivery_format="json",
    buffer_size_mb=5,
    buffer_interval_seconds=60,
    retention_days=7,
    alarm_metrics=19,
)
PROD = Stack(
    name="prod",
    stream_mode="on-demand",
    stream_retention_hours=48,
    point_in_time_recovery=True,
    delivery_format="parquet",
    buffer_size_mb=128,
    buffer_interval_seconds=300,
    retention_days=365,
    alarm_metrics=20,
    crawls=DAYS,
    batch_runs=24 * DAYS,
)


def custom_metrics() -> Sequence[str]:
    """The custom metrics that the transform declares."""
    root = Path(__file__).resolve().parent.parent
    sources = ("lambda", "components/functions")  # in the project; in its wheel
    (declared,) = (
        root / one / "transform" / "metrics.py" for one in sources if (root / one).is_dir()
    )
    metrics: Sequence[str] = runpy.run_path(str(declared))["METRICS"]
    return metrics


def _batches(changes: float, size: float, megabytes: float, seconds: float) -> float:
    """Batches a month, by size or time, whichever comes first; no empty ones."""
    by_clock = DAYS * 24 * 3600 / seconds
    return min(changes, max(changes * size / (megabytes * KB * KB), by_clock))


@dataclass(frozen=True)
class Estimate:
    """Dev and prod side by side: USD a month by line, idle, and with the free tier taken off."""

    load: Load
    month: Mapping[str, Mapping[str, float]]
    idle: Mapping[str, float]
    free_tier: Mapping[str, float]

    @classmethod
    def of(cls, load: Load) -> Estimate:
        """The estimate for a load."""
        nothing = replace(load, orders=0, queries=0)
        stacks = (DEV, PROD)
        return cls(
            load,
            {stack.name: stack.cost(load) for stack in stacks},
            {stack.name: sum(stack.cost(nothing).values()) for stack in stacks},
            {stack.name: sum(stack.cost(load, free_tier=True).values()) for stack in stacks},
        )

    def total(self, stack: str) -> float:
        """USD a month."""
        return sum(self.month[stack].values())

    def to_json(self) -> str:
        """The estimate for JSON output."""
        totals = {stack: self.total(stack) for stack in self.month}
        return json.dumps(
            {"region": REGION, "prices": DATED, **asdict(self), "total": totals}, indent=2
        )

    def table(self) -> Table:
        """The estimate as a table, highest cost first."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
        table.add_column("USD a month", no_wrap=True)
        for stack in self.month:
            table.add_column(stack, justify="right")
        table.add_column("price")
        names = {name for costs in self.month.values() for name in costs}
        most = {name: max(costs.get(name, 0.0) for costs in self.month.values()) for name in names}
        for name in sorted(names, key=lambda one: (-most[one], one)):
            amounts = [_money(costs.get(name)) for costs in self.month.values()]
            price = PRICES[name]
            table.add_row(name, *amounts, f"{_rate(price.usd)} per {price.per}")
        table.add_section()
        for label, totals in (
            ("total", {stack: self.total(stack) for stack in self.month}),
            ("of it when idle", self.idle),
            ("total, free tier off", self.free_tier),
        ):
            table.add_row(label, *(_money(totals[stack]) for stack in self.month), "")
        return table


def _money(usd: float | None) -> str:
    if usd is None:
        return ""
    return f"{usd:,.2f}" if usd >= 0.005 or usd == 0 else "<0.01"


def _rate(usd: float) -> str:
    return f"${usd:g}" if usd >= 0.001 else f"${usd * 1e6:g} / 1,000,000"
