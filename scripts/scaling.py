"""The rows of the tables in docs/scaling.md, from `analytics.capacity` and the simulation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics.capacity import limits
from analytics.capacity.chain import Chain
from analytics.capacity.hops import (
    Load,
    batch_records,
    hops,
    shard_changes,
    shards,
)
from analytics.capacity.report import Report, change_text, outage_text, share_text, span_text

RATES = (10, 1_000, 10_000, 100_000)
STACKS = ("dev", "prod")
SIZES = (250, 1_024, 10_240, 102_400, 256_000, 409_600)
_RESULTS = Path(__file__).resolve().parent.parent / "docs" / "scaling" / "results.jsonl"
_SERVICES = {
    "/amazondynamodb/": "DynamoDB",
    "/eventbridge/": "EventBridge Pipes",
    "/streams/": "Kinesis",
    "/kinesis/": "Kinesis",
    "/firehose/": "Firehose",
    "/lambda/": "Lambda",
    "/AmazonS3/": "S3",
    "/athena/": "Athena",
    "/gr/glue": "Glue",
}
"""By what the addresses of their pages hold."""
Rows = Sequence[Sequence[str]]


def _reports(stack: str) -> list[Report]:
    chain = Chain.of_stack(stack)
    return [Report.of(Load(changes_per_second=rate), chain) for rate in RATES]


def used() -> Rows:
    """The share of each hop's tightest limit, by stack and rate."""
    rows = [("hop", *(f"{stack}, {rate:,}/s" for stack in STACKS for rate in RATES))]
    found: dict[str, dict[tuple[str, int], str]] = {}
    for stack in STACKS:
        for rate, report in zip(RATES, _reports(stack), strict=True):
            for hop in report.hops:
                text = share_text(hop.tightest.used if hop.tightest.rated or hop.breaks else 0)
                if hop.breaks:
                    text = f"**{text}**"
                found.setdefault(hop.name, {})[stack, rate] = text
    for name in (hop.name for hop in hops(Load(changes_per_second=1), Chain.of_stack("prod"))):
        cells = [found[name].get((stack, rate), "") for stack in STACKS for rate in RATES]
        rows.append((name, *cells))
    return rows


def plans() -> Rows:
    """What breaks first, what to change, and the cost after it, by stack and rate."""
    rows = [("stack", "changes/s", "first to break", "change", "USD a month")]
    for stack in STACKS:
        for rate, report in zip(RATES, _reports(stack), strict=True):
            first = report.first
            changes = "; ".join(change_text(one) for _, one in report.plan.changes)
            rows.append(
                (
                    stack,
                    f"{rate:,}",
                    f"{first.name}, {share_text(first.tightest.used)} used",
                    changes or "nothing",
                    f"{report.usd:,.0f}",
                )
            )
    return rows


def outages() -> Rows:
    """How long 30 minutes take to catch up with, before and after the changes: prod."""
    rows: list[tuple[str, ...]] = [
        ("outage of", "changes wait in", *(f"{rate:,}/s" for rate in RATES))
    ]
    reports = _reports("prod")
    for place, hop in enumerate(reports[0].hops):
        if not hop.carries or hop.name == "table stream":
            continue
        cells = []
        for report in reports:
            before, after = report.outages(report.hops[place].name)
            now, then = outage_text(before), outage_text(after)
            cells.append(now if now == then else f"{now} → {then}")
        waits, _ = reports[0].outages(hop.name)
        kept = "" if waits.keeps_seconds is None else f", {span_text(waits.keeps_seconds)}"
        rows.append((hop.name, f"{waits.waits_in}{kept}", *cells))
    return rows


def hot_keys() -> Rows:
    """The most changes of one key a second, by the size of its item: prod."""
    rows: list[tuple[str, ...]] = [
        ("item", "partition", "pipe", "shard of the stream", "so at most")
    ]
    chain = Chain.of_stack("prod")
    for size in SIZES:
        load = Load(changes_per_second=1, item_bytes=size)
        partition = limits.PARTITION_WRITES.value / load.write_units
        lane = batch_records(load, chain) / limits.PIPE_BATCH_SECONDS.value
        every = (partition, lane, shard_changes(load))
        rows.append(
            (
                _size(size),
                *(f"{value:,.{0 if value >= 100 else 1}f}" for value in (*every, min(every))),
            )
        )
    return rows


def large_items() -> Rows:
    """What an item of a size becomes on its way, as text and as binary."""
    rows = [
        (
            "item",
            "write units",
            "change record",
            "of binary attributes",
            "Kinesis takes it",
            "Firehose takes it",
            "batch of the pipe",
            "changes/s of a shard",
        )
    ]
    chain = Chain.of_stack("prod")
    for size in SIZES:
        load = Load(changes_per_second=1, item_bytes=size)
        binary = 350 + 2 * size * 4 / 3
        rows.append(
            (
                _size(size),
                f"{load.write_units:,}",
                _size(load.record_bytes),
                _size(binary),
                _fits(load.record_bytes, binary, limits.KINESIS_RECORD_BYTES.value),
                _fits(load.record_bytes, binary, limits.FIREHOSE_RECORD_BYTES.value),
                f"{batch_records(load, chain):,}",
                f"{shard_changes(load):,.{0 if load.item_bytes < 10_000 else 1}f}",
            )
        )
    return rows


def _fits(text: float, binary: float, most: float) -> str:
    if binary <= most:
        return "yes"
    return "as text only" if text <= most else "no"


def many_tables() -> Rows:
    """How many stacks fit the default quotas of an account and region."""
    rate = 100
    chain, load = Chain.of_stack("prod"), Load(changes_per_second=rate)
    pipe = rate / batch_records(load, chain) * limits.PIPE_BATCH_SECONDS.value
    needs = (
        ("DynamoDB tables", 1.0, limits.TABLES),
        ("pipes", 1.0, limits.PIPES),
        ("pipe executions at once", max(1.0, pipe), limits.PIPE_EXECUTIONS),
        ("on-demand Kinesis streams (prod)", 1.0, limits.ON_DEMAND_STREAMS),
        ("provisioned shards (dev)", 1.0, limits.SHARDS),
        ("delivery streams", 1.0, limits.FIREHOSE_STREAMS),
        (
            "transform invocations at once, at most",
            limits.FIREHOSE_INVOCATIONS.value * shards(load, chain),
            limits.LAMBDA_CONCURRENCY,
        ),
        ("Glue jobs", 1.0, limits.GLUE_JOBS),
        ("DPUs while all jobs run", float(chain.batch_workers), limits.GLUE_DPUS),
    )
    rows = [("what", "a stack uses", "quota", "stacks")]
    for what, each, limit in needs:
        quota = f"[{limit.value:,.0f}]({limit.source}){', can be raised' * limit.adjustable}"
        rows.append((what, f"{each:,.3g}", quota, f"{limit.value // each:,.0f}"))
    return rows


def sources() -> Rows:
    """Every limit with its page."""
    rows = [("service", "limit", "value", "")]
    for one in limits.limits().values():
        service = next(name for part, name in _SERVICES.items() if part in one.source)
        raised = "can be raised" if one.adjustable else ""
        rows.append((service, f"[{one.unit}]({one.source})", f"{one.value:,.0f}", raised))
    return rows


def assumptions() -> Rows:
    """What AWS does not publish."""
    rows = [("figure", "value", "why")]
    rows += [(one.unit, f"{one.value:,.5g}", one.reason) for one in limits.assumptions().values()]
    return rows


def simulation() -> Rows:
    """The recorded results of `python -m simulation --record`."""
    rows = [("scenario", "backlog", "simulated", "gone after", "simulated", "longest lag")]
    for line in _RESULTS.read_text().splitlines():
        one: dict[str, Any] = json.loads(line)
        name = one["scenario"]
        rows.append(
            (
                f"[{name}](scaling/{name}.svg)",
                f"{one['paper_backlog']:,}",
                f"{one['simulated_backlog']:,}",
                _seconds(one["paper_seconds"]),
                _seconds(one["simulated_seconds"]),
                _seconds(one["longest_lag_seconds"]),
            )
        )
    return rows


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f} s"


def _size(value: float) -> str:
    return f"{value:,.0f} bytes" if value < 1_024 else f"{value / 1_024:,.4g} KB"
