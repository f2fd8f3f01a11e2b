"""The pipeline's monthly cost by service, for the settings in the stack files.

An estimate from list prices, to show the main costs. See AWS's calculator and bill for real costs.
`analytics.billing` says which line holds the cost of each resource that the program makes.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.table import Table

from client.prices import DATED, GB, KB, PRICES, REGION

HOURS, DAYS = 730, 30.4
DAY_SECONDS = 86_400
MONTH_SECONDS = DAYS * DAY_SECONDS
POLLS_A_SECOND = 4
"""How often Lambda's event source mappings poll a shard of a table's stream; Pipes may as well."""
POLLS_USD = POLLS_A_SECOND * MONTH_SECONDS * PRICES["table stream reads"].usd
NOT_COUNTED = (
    "the pipe's polls of the table's stream (AWS says that Lambda's and global tables' are free, "
    f"and nothing about Pipes; if billed, ${POLLS_USD:.2f} a month per shard of that stream), "
    "the writer's and readers' own compute, data leaving AWS, support, taxes; the free tier of new "
    "accounts"
)

_RECORDS_A_SECOND = 10_000
"""The transform at 256 MB, a seventh of a core; docs/benchmarks.jsonl is for a whole core."""
_CALL_SECONDS = 0.02
_TRANSFORM_MB = 256
_CRAWLER_DPUS, _CRAWLER_HOURS = 2, 10 / 60
"""Ten minutes, which AWS used to bill at least."""
_JOB_HOURS = 3 / 60
"""A run on a table that is nearly up to date; most of it is Spark's startup."""
MERGED_A_SECOND = 50_000
"""Changes that one worker merges in a second, besides."""
_JOB_LOG_BYTES = 1e6
"""Spark's log of one run."""
_CHECK_SECONDS, _CHECK_MB, _CHECK_LISTS, _CHECK_LOG_BYTES = 1.0, 128, 5, 500
"""One look for new objects: a function's time and memory, its LIST requests, and its log line."""
_PACK_SECONDS, _PACK_MB, _PACK_PUTS, _PACK_LOG_BYTES = 1.5, 512, 2, 800
"""A run of the packing function that finds nothing: its time and memory, its requests besides
listing the log, and its log lines."""
_PACK_OBJECT_SECONDS = 0.01
"""To read an object and pack it: 3 ms of a core, of which 512 MB are 0.29."""
_LOG_BYTES = 600
"""The log line of one transform invocation."""
_UPLOAD_PUTS = 3
"""Requests for an object that Firehose uploads in parts: begin, one part, complete."""
_PARTS_BELOW_SECONDS = 60
_KEY_SECONDS = 300
"""Kinesis calls KMS for a new data key this often, and for each principal that writes or reads."""
_KEY_USERS = 2
_ROWS_SHARE = 0.2
"""Bytes of rows in the lake, compressed."""
_QUERY_DAYS = 7
"""Days of the log that a query reads."""
_MAILS = 20
"""Alarms that fire or end, a month."""
Monitoring = Literal["full", "basic", "off"]


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

    @classmethod
    def at(cls, changes_per_second: float, *, order_bytes: int = 250, changes: float = 2.0) -> Load:
        """A constant load."""
        orders = changes_per_second * DAY_SECONDS / changes
        return cls(orders=orders, order_bytes=order_bytes, changes=changes)

    @property
    def monthly(self) -> float:
        """Changes a month."""
        return self.orders * self.changes * DAYS

    @property
    def changes_per_second(self) -> float:
        """Changes a second, on average."""
        return self.orders * self.changes / DAY_SECONDS

    @property
    def record_bytes(self) -> float:
        """Bytes of a change record: both images in DynamoDB JSON, and the envelope."""
        return 350 + 2 * self.order_bytes

    @property
    def row_bytes(self) -> float:
        """Bytes of an event row as JSON."""
        return 200 + 1.3 * self.order_bytes

    @property
    def idle(self) -> Load:
        """The same without orders and queries."""
        return replace(self, orders=0, queries=0)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The settings that affect cost; a test compares them with ``Pulumi.<name>.yaml``.

    Parameters
    ----------
    alarm_metrics, dashboards:
        What `monitoring` creates: metrics that alarms watch, and dashboards.
    metrics:
        The transform's metrics.
    secrets:
        One if a column is hashed.
    crawls, batch_checks:
        Runs of the crawler, and of the batch's schedule, a month. The schedule starts the batch
        job only if something new is in the log.
    pack_runs:
        Runs of the packing function, a month.
    unpacked_days:
        The days whose objects are not packed yet: the look-back, and two runs of the batch job; or
        the look-back, an hour, and two hourly runs of the packing function. None if nothing packs.
    """

    name: str
    stream_mode: Literal["provisioned", "on-demand"]
    shards: int = 1
    stream_retention_hours: int = 24
    point_in_time_recovery: bool
    delivery_format: Literal["json", "parquet"]
    buffer_size_mb: int
    buffer_interval_seconds: int
    transform_buffer_size_mb: float = 1.0
    transform_buffer_interval_seconds: int = 60
    retention_days: int
    transform_memory_mb: int = _TRANSFORM_MB
    monitoring: Monitoring
    alarm_metrics: int
    dashboards: int
    metrics: int
    secrets: int = 0
    crawls: float = 0.0
    batch_checks: float = 0.0
    pack_runs: float = 0.0
    unpacked_days: float | None = None
    batch_workers: int = 2
    batch_execution_class: Literal["standard", "flex"] = "standard"

    def lines(self, load: Load) -> Iterator[tuple[str, float]]:
        """Monthly usage, by price. A price may occur more than once."""
        yield from table_lines(load, restorable=self.point_in_time_recovery)
        changes = load.monthly
        yield "pipe", changes * math.ceil(load.record_bytes / (64 * KB))
        yield from self._stream(load)
        yield from self._delivery(load)
        yield from self._batch(load)
        yield from self._packing(load)
        yield "glue", self.crawls * _CRAWLER_DPUS * _CRAWLER_HOURS
        yield "athena", load.queries * DAYS * max(load.query_gb, 0.01) / 1000
        yield "metrics", self.metrics if changes else 0
        yield "alarms", self.alarm_metrics
        yield "dashboards", self.dashboards
        yield "secrets", self.secrets
        yield "notifications", _MAILS if changes and self.monitoring != "off" else 0

    def _stream(self, load: Load) -> Iterator[tuple[str, float]]:
        """The Kinesis stream, encrypted with the AWS-managed key."""
        changes, gb = load.monthly, load.monthly * load.record_bytes / GB
        longer = max(0, self.stream_retention_hours - 24)
        if self.stream_mode == "provisioned":
            shards = max(self.shards, _shards(load))
            yield "stream shards", shards * HOURS
            yield "stream puts", changes * math.ceil(load.record_bytes / (25 * KB))
            if longer:
                yield "shards retention", shards * HOURS
        else:
            yield "stream on demand", HOURS
            yield "stream data in", changes * math.ceil(load.record_bytes / KB) * KB / GB
            yield "stream data out", gb
            yield "stream retention", gb * longer / HOURS
        users = 1 + (_KEY_USERS if changes else 0)
        yield "key requests", users * HOURS * 3600 / _KEY_SECONDS

    def _delivery(self, load: Load) -> Iterator[tuple[str, float]]:
        """Firehose, the transform, the objects in the lake, and queries' reads of them."""
        changes = load.monthly
        billed = changes * math.ceil(load.record_bytes / (5 * KB)) * 5 * KB / GB
        yield "firehose", billed
        if self.delivery_format == "parquet":
            yield "firehose to parquet", billed
        calls, objects = self._calls_and_objects(load)
        seconds = calls * _CALL_SECONDS + changes / _RECORDS_A_SECOND
        yield "function time", seconds * self.transform_memory_mb / 1024
        yield "function calls", calls
        yield "logs", calls * _LOG_BYTES / GB
        parts = self.buffer_interval_seconds < _PARTS_BELOW_SECONDS
        yield "lake puts", objects * (_UPLOAD_PUTS if parts else 1)
        kept = changes / DAYS * self.retention_days
        yield "lake storage", kept * load.row_bytes * _ROWS_SHARE / GB
        read = self._objects_of(min(_QUERY_DAYS, self.retention_days), objects)
        # Of a Parquet file Athena reads the footer first.
        gets = 2 if self.delivery_format == "parquet" else 1
        yield "lake gets", load.queries * DAYS * read * gets

    def _calls_and_objects(self, load: Load) -> tuple[float, float]:
        """A month's calls of the transform, and the objects that Firehose writes."""
        changes = load.monthly
        size, apart = self.transform_buffer_size_mb, self.transform_buffer_interval_seconds
        calls = _batches(changes, changes * load.record_bytes, size, apart)
        size, interval = self.buffer_size_mb, self.buffer_interval_seconds
        return calls, _batches(calls, changes * load.row_bytes, size, interval, apart=apart)

    def _objects_of(self, days: float, objects: float) -> float:
        """The objects in the log's last days, if Firehose writes so many a month."""
        loose = days if self.unpacked_days is None else min(days, self.unpacked_days)
        return objects / DAYS * loose + min(24, objects / DAYS) * (days - loose)

    def _packing(self, load: Load) -> Iterator[tuple[str, float]]:
        """The packing function, which lists the whole log, and reads each object once."""
        runs = self.pack_runs
        objects = self._calls_and_objects(load)[1] if runs else 0
        seconds = runs * _PACK_SECONDS + objects * _PACK_OBJECT_SECONDS
        yield "schedule", runs
        yield "function calls", runs
        yield "function time", seconds * _PACK_MB / 1024
        yield "logs", runs * _PACK_LOG_BYTES / GB
        pages = math.ceil(max(1, self._objects_of(self.retention_days, objects)) / 1000)
        yield "lake puts", runs * (_PACK_PUTS + pages) + min(objects, 24 * DAYS)
        yield "lake gets", objects

    def _batch(self, load: Load) -> Iterator[tuple[str, float]]:
        """The checks for something new, and the runs that they start."""
        checks = self.batch_checks
        yield "schedule", checks
        yield "function time", checks * _CHECK_SECONDS * _CHECK_MB / 1024
        yield "function calls", checks
        yield "lake puts", checks * _CHECK_LISTS
        runs = min(checks, load.monthly)
        workers = max(1, self.batch_workers - 1)  # one is Spark's driver
        merge = (load.monthly if runs else 0) / (MERGED_A_SECOND * workers) / 3600
        price = "glue flex" if self.batch_execution_class == "flex" else "glue"
        yield price, self.batch_workers * (runs * _JOB_HOURS + merge)
        yield "logs", (checks * _CHECK_LOG_BYTES + runs * _JOB_LOG_BYTES) / GB

    def cost(self, load: Load, *, free_tier: bool = False) -> dict[str, float]:
        """USD a month by line; see `usd`."""
        return usd(self.lines(load), free_tier=free_tier)


def monthly(stack: Stack, changes_per_second: float, *, order_bytes: int = 250) -> dict[str, float]:
    """USD a month by line, of a stack under a constant load.

    A provisioned stream has the shards that the load needs, or the stack's if those are more.

    Examples
    --------
    >>> round(monthly(DEV, 1_500)["stream shards"], 2)  # two shards
    21.9
    """
    return stack.cost(Load.at(changes_per_second, order_bytes=order_bytes))


def usd(lines: Iterator[tuple[str, float]], *, free_tier: bool = False) -> dict[str, float]:
    """USD a month by price, of the usage in ``lines``.

    Parameters
    ----------
    free_tier:
        Take off what is always free, as if the account had nothing else.
    """
    used: dict[str, float] = {}
    for name, amount in lines:
        used[name] = used.get(name, 0.0) + amount
    free = {name: PRICES[name].always_free if free_tier else 0.0 for name in used}
    return {name: max(0.0, used[name] - free[name]) * PRICES[name].usd for name in used}


DEV = Stack(
    name="dev",
    stream_mode="provisioned",
    point_in_time_recovery=False,
    delivery_format="json",
    buffer_size_mb=5,
    buffer_interval_seconds=0,
    transform_buffer_interval_seconds=13,
    retention_days=7,
    monitoring="basic",
    alarm_metrics=5,
    dashboards=0,
    metrics=1,
    pack_runs=24 * DAYS,
    unpacked_days=1.2,
)
PROD = Stack(
    name="prod",
    stream_mode="on-demand",
    stream_retention_hours=48,
    point_in_time_recovery=True,
    delivery_format="parquet",
    buffer_size_mb=128,
    buffer_interval_seconds=60,
    transform_buffer_interval_seconds=10,
    retention_days=365,
    monitoring="full",
    alarm_metrics=21,
    dashboards=1,
    metrics=3,
    crawls=DAYS / 7,
    batch_checks=4 * DAYS,
    unpacked_days=2.5,
    batch_execution_class="flex",
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


def table_lines(load: Load, *, restorable: bool) -> Iterator[tuple[str, float]]:
    """The table: a month of orders in it, each written as often as it changes."""
    yield "table writes", load.monthly * math.ceil(load.order_bytes / KB)
    held = load.orders * DAYS * load.order_bytes / GB
    yield "table storage", held
    if restorable:
        yield "table restore points", held


def _shards(load: Load) -> int:
    """Shards that accept the load, if it is even: 1,000 records and 1 MB a second each."""
    rate = load.changes_per_second
    return math.ceil(max(rate / 1000, rate * load.record_bytes / KB**2))


def _batches(
    items: float, size: float, megabytes: float, seconds: float, *, apart: float = 0.0
) -> float:
    """Batches a month, by size or time, whichever comes first.

    The time begins with a batch's first item. How many more come until it has passed is what a
    renewal process has on average: with items at random times, as many as the time holds.

    Parameters
    ----------
    items, size:
        Items a month, and their bytes.
    apart:
        Seconds between two items at least; besides, their times are random.
    """
    if not items:
        return 0.0
    gap = MONTH_SECONDS / items
    random_share = max(0.0, 1 - apart / gap)
    held = 1.0 if seconds <= min(apart, gap) else seconds / gap + (1 + random_share**2) / 2
    return max(items / max(1.0, held), size / (megabytes * KB * KB))


@dataclass(frozen=True)
class Estimate:
    """Dev and prod side by side: USD a month by line, idle, and with the free tier taken off."""

    load: Load
    month: Mapping[str, Mapping[str, float]]
    idle_usd: Mapping[str, float]
    free_tier: Mapping[str, float]

    @classmethod
    def of(cls, load: Load) -> Estimate:
        """The estimate for a load."""
        stacks = (DEV, PROD)
        return cls(
            load,
            {stack.name: stack.cost(load) for stack in stacks},
            {stack.name: sum(stack.cost(load.idle).values()) for stack in stacks},
            {stack.name: sum(stack.cost(load, free_tier=True).values()) for stack in stacks},
        )

    def total(self, stack: str) -> float:
        """USD a month."""
        return sum(self.month[stack].values())

    def facts(self) -> dict[str, Any]:
        """The estimate for JSON output."""
        totals = {stack: self.total(stack) for stack in self.month}
        return {"region": REGION, "prices": DATED, **asdict(self), "total": totals}

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
            amounts = [money(costs.get(name)) for costs in self.month.values()]
            price = PRICES[name]
            table.add_row(name, *amounts, f"{_rate(price.usd)} per {price.per}")
        table.add_section()
        for label, totals in (
            ("total", {stack: self.total(stack) for stack in self.month}),
            ("of it when idle", self.idle_usd),
            ("total, free tier off", self.free_tier),
        ):
            table.add_row(label, *(money(totals[stack]) for stack in self.month), "")
        return table


def money(usd: float | None) -> str:
    """An amount for a table."""
    if usd is None:
        return ""
    return f"{usd:,.2f}" if usd >= 0.005 or usd == 0 else "<0.01"


def _rate(usd: float) -> str:
    return f"${usd:g}" if usd >= 0.001 else f"${usd * 1e6:g} / 1,000,000"
