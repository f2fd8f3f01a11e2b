"""What every hop needs at a rate of changes, beside what AWS and the stack's settings allow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.capacity import limits
from analytics.capacity.chain import Chain, key_of
from analytics.capacity.outage import Throughput
from analytics.cost import Load as Orders

HEADROOM = 2.0
"""A setting is recommended for twice the rate: a backlog then drains as fast as it grew."""
MOST_SHARDS, MOST_WORKERS = 10_000, 299
"""What the settings `shards` and `batchWorkers` allow."""
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Load:
    """What comes in.

    Parameters
    ----------
    changes_per_second:
        Changes of the table a second.
    item_bytes:
        Size of an item.
    """

    changes_per_second: float
    item_bytes: int = 250

    @property
    def write_units(self) -> int:
        """Write units of one change."""
        return math.ceil(self.item_bytes / limits.WRITE_UNIT_BYTES.value)

    @property
    def record_bytes(self) -> float:
        """Bytes of a change record, with both images; the estimate of `analytics.cost`."""
        return Orders(orders=0, order_bytes=self.item_bytes).record_bytes

    @property
    def row_bytes(self) -> float:
        """Bytes of an event row as JSON; the estimate of `analytics.cost`."""
        return Orders(orders=0, order_bytes=self.item_bytes).row_bytes


@dataclass(frozen=True)
class Constraint:
    """One thing of which a hop has only so much.

    Attributes
    ----------
    at_most:
        The changes a second that use all of it; infinite if it does not depend on the rate.
    source:
        The AWS page, or the setting, that decides what is available.
    """

    what: str
    needed: float
    available: float
    unit: str
    source: str
    at_most: float

    @property
    def used(self) -> float:
        """The share of it that is needed."""
        return self.needed / self.available

    @property
    def rated(self) -> bool:
        """Whether more changes need more of it."""
        return math.isfinite(self.at_most)


@dataclass(frozen=True)
class Change:
    """A setting to change, or (``ours`` is false) a quota to ask AWS for."""

    name: str
    now: Any
    to: Any
    ours: bool = True


@dataclass(frozen=True)
class Hop:
    """A hop of the chain at a load.

    Attributes
    ----------
    carries:
        Changes flow through it. If not, it only answers questions about them.
    takes:
        What it takes in changes a second; infinite where no limit depends on the rate.
    """

    name: str
    carries: bool
    constraints: Sequence[Constraint]
    takes: Throughput
    changes: Sequence[Change] = ()
    note: str = ""

    @property
    def tightest(self) -> Constraint:
        """The constraint that is reached first as the rate grows, or that is already broken."""
        return max(self.constraints, key=_urgency)

    @property
    def breaks(self) -> bool:
        """Whether it needs more than there is."""
        return self.tightest.used > 1


def hops(load: Load, chain: Chain) -> tuple[Hop, ...]:
    """Every hop, in the order in which changes pass."""
    found = [make(load, chain) for make in _HOPS]
    return tuple(hop for hop in found if hop is not None)


def first_to_break(found: Sequence[Hop]) -> Hop:
    """The hop on the changes' way that is closest to a limit, or furthest over it."""
    return max((hop for hop in found if hop.carries), key=lambda hop: _urgency(hop.tightest))


def _urgency(constraint: Constraint) -> float:
    """The used share; what does not depend on the rate counts only once it is broken."""
    counts = constraint.rated or constraint.used > 1
    return constraint.used if counts else constraint.used - 1


@dataclass(frozen=True)
class Plan:
    """The chain with what a load needs, and what changed for which hop."""

    chain: Chain
    changes: Sequence[tuple[str, Change]]


def plan(load: Load, chain: Chain) -> Plan:
    """Change settings and quotas hop by hop, in the order of the flow.

    A change for one hop may serve those after it.
    """
    now, last = chain, dict[str, tuple[str, Change]]()
    while True:
        hop = next((hop for hop in hops(load, now) if hop.changes), None)
        if hop is None:
            return Plan(now, list(last.values()))
        for change in hop.changes:
            owner, first = last.get(change.name, (hop.name, change))
            last[change.name] = owner, dataclasses.replace(change, now=first.now)
            now = _with(now, change)


def _with(chain: Chain, change: Change) -> Chain:
    if not change.ours:
        return dataclasses.replace(chain, quotas={**chain.quotas, change.name: change.to})
    (name,) = (one for one in Chain.settings() if key_of(one) == change.name)
    if getattr(chain, name) == change.to:
        raise RuntimeError(f"a hop asks for what it has: {change}")
    return dataclasses.replace(chain, **{name: change.to})


# -- what several hops share -----------------------------------------------------------------


def partitions(load: Load, chain: Chain) -> int:
    """The table's partitions, which are also the shards of its stream.

    AWS does not tell their number. This is the least that the write units need; a table that is
    large or was busier has more.
    """
    if chain.on_demand_table:
        needed = load.changes_per_second * load.write_units
        fresh = limits.NEW_TABLE_WRITES.value / limits.PARTITION_WRITES.value
        return max(int(fresh), math.ceil(needed / limits.PARTITION_WRITES.value))
    return max(
        1,
        math.ceil(
            chain.write_capacity / limits.PARTITION_WRITES.value
            + chain.read_capacity / limits.PARTITION_READS.value
        ),
    )


def batch_records(load: Load, chain: Chain) -> int:
    """Records of a full batch of the pipe."""
    fit = int(limits.PUT_RECORDS_BYTES.value // load.record_bytes)
    return max(1, min(chain.batch_size, int(limits.PIPE_BATCH.value), fit))


def shard_changes(load: Load) -> float:
    """Changes a second into one Kinesis shard."""
    return min(limits.SHARD_RECORDS.value, limits.SHARD_BYTES.value / load.record_bytes)


def shards(load: Load, chain: Chain) -> int:
    """Shards of the Kinesis stream; on demand, enough for twice the rate."""
    if not chain.on_demand_stream:
        return chain.shards
    needed = math.ceil(2 * load.changes_per_second / shard_changes(load))
    return int(min(max(limits.NEW_STREAM_SHARDS.value, needed), limits.ON_DEMAND_SHARDS.value))


def transform_records(load: Load, chain: Chain) -> int:
    """Records of a full batch of the transform."""
    return max(1, int(chain.transform_buffer_size_mb * limits.MIB // load.record_bytes))


def transform_seconds(records: float, chain: Chain) -> float:
    """How long the transform takes for a batch."""
    vcpus = min(1.0, chain.transform_memory_mb / limits.LAMBDA_MB_A_VCPU.value)
    return limits.TRANSFORM_CALL_SECONDS.value + records / (limits.TRANSFORM_RECORDS.value * vcpus)


def object_rows(load: Load, chain: Chain) -> float:
    """Rows of a full object in the lake."""
    return max(1.0, chain.buffer_size_mb * limits.MIB / load.row_bytes)


def batch_seconds(changes: float, chain: Chain) -> float:
    """How long a run of the batch job takes to merge changes."""
    per_second = chain.batch_cores * limits.MERGED_CHANGES.value
    return limits.JOB_START_SECONDS.value + changes / per_second


def _rated(  # noqa: PLR0917 - in the order of the sentence
    rate: float, what: str, needed: float, available: float, unit: str, source: str
) -> Constraint:
    """A constraint of which every change needs the same amount."""
    return Constraint(what, needed, available, unit, source, rate * available / needed)


def _fixed(what: str, needed: float, available: float, unit: str, source: str) -> Constraint:
    """A constraint that does not depend on the rate."""
    return Constraint(what, needed, available, unit, source, math.inf)


def _steady(constraints: Sequence[Constraint]) -> Throughput:
    most = min(one.at_most for one in constraints)
    return Throughput(most, most)


@dataclass(frozen=True)
class _Quota:
    """An account's quota: AWS's default, or what was granted."""

    name: str
    limit: limits.Limit
    value: float

    def ask(self, needed: float) -> list[Change]:
        """Ask for headroom, if there is none."""
        wanted = math.ceil(needed * HEADROOM)
        if wanted <= self.value:
            return []
        return [Change(self.name, int(self.value), wanted, ours=False)]


def _quota(chain: Chain, name: str, limit: limits.Limit) -> _Quota:
    return _Quota(name, limit, chain.quotas.get(name, limit.value))


def _up(value: float, step: int) -> int:
    return math.ceil(value / step - 1e-9) * step


# -- the hops --------------------------------------------------------------------------------


def _table(load: Load, chain: Chain) -> Hop:
    rate, units = load.changes_per_second, load.write_units
    needed = rate * units
    quota = _quota(chain, "DynamoDB: write units of a table", limits.TABLE_WRITES)
    constraints = [
        _rated(rate, "write units of the table", needed, quota.value, "/s", quota.limit.source)
    ]
    changes = quota.ask(needed)
    if chain.on_demand_table:
        at_once = max(limits.NEW_TABLE_WRITES.value, 2 * needed) / units
        most = constraints[0].at_most
        takes = Throughput(min(at_once, most), most, limits.TABLE_DOUBLES_SECONDS.value)
    else:
        capacity = chain.write_capacity
        constraints.append(
            _rated(rate, "write capacity", needed, capacity, "units/s", "writeCapacity")
        )
        wanted = math.ceil(needed * HEADROOM)
        if wanted > capacity:
            if wanted <= quota.value:
                changes.append(Change("writeCapacity", capacity, wanted))
            else:
                changes.append(Change("billingMode", "provisioned", "on-demand"))
        takes = _steady(constraints)
    one = _fixed(
        "largest item",
        load.item_bytes,
        limits.ITEM_BYTES.value,
        "bytes",
        limits.ITEM_BYTES.source,
    )
    return Hop("table", True, [*constraints, one], takes, changes)


def _table_stream(load: Load, chain: Chain) -> Hop:
    readers = limits.STREAM_READERS
    return Hop(
        "table stream",
        True,
        [_fixed("readers of a shard", 1, readers.value, "", readers.source)],
        Throughput(math.inf, math.inf),
        note=f"{partitions(load, chain):,} shards, one a partition; they scale with the table",
    )


def _pipe(load: Load, chain: Chain) -> Hop:
    rate, batch = load.changes_per_second, batch_records(load, chain)
    seconds = limits.PIPE_BATCH_SECONDS.value
    busy = rate / batch * seconds
    lanes = partitions(load, chain) * chain.parallelization_factor
    quota = _quota(chain, "EventBridge: concurrent pipe executions", limits.PIPE_EXECUTIONS)
    request = limits.PUT_RECORDS_BYTES
    constraints = [
        _rated(
            rate,
            "batches at once: shards x parallelizationFactor",
            busy,
            lanes,
            "",
            "parallelizationFactor, batchSize",
        ),
        _rated(
            rate, "executions of the account's pipes", busy, quota.value, "", quota.limit.source
        ),
        _fixed(
            "bytes of a full batch",
            min(chain.batch_size, limits.PIPE_BATCH.value) * load.record_bytes,
            request.value,
            "bytes",
            request.source,
        ),
    ]
    changes = quota.ask(busy)
    fit = int(min(limits.PIPE_BATCH.value, max(1, request.value // load.record_bytes)))
    size, factor = min(chain.batch_size, fit), chain.parallelization_factor
    # What each shard has to pass on at once, in records.
    wanted = HEADROOM * rate * seconds / partitions(load, chain)
    if wanted > size * factor:
        size = min(fit, max(size, _up(wanted / factor, 100)))
        factor = min(
            int(limits.PIPE_PARALLELIZATION.value), max(factor, math.ceil(wanted / size - 1e-9))
        )
    if size != chain.batch_size:
        changes.append(Change("batchSize", chain.batch_size, size))
    if factor != chain.parallelization_factor:
        changes.append(Change("parallelizationFactor", chain.parallelization_factor, factor))
    return Hop("pipe", True, constraints, _steady(constraints), changes)


def _stream(load: Load, chain: Chain) -> Hop:
    rate, size = load.changes_per_second, load.record_bytes
    one, record = shard_changes(load), limits.KINESIS_RECORD_BYTES
    fits = _fixed("largest record", size, record.value, "bytes", record.source)
    if chain.on_demand_stream:
        most = limits.ON_DEMAND_SHARDS
        constraints = [
            _rated(rate, "MB/s or 1,000 records/s", rate / one, most.value, "", most.source),
            fits,
        ]
        at_once = max(limits.NEW_STREAM_SHARDS.value * one, 2 * rate)
        at_most = constraints[0].at_most
        takes = Throughput(min(at_once, at_most), at_most, limits.STREAM_DOUBLES_SECONDS.value)
        note = "" if at_most >= rate else "no setting is enough: several tables, each its stack"
        return Hop("stream", True, constraints, takes, note=note)
    constraints = [
        _rated(rate, "shards: 1,000 records/s, 1 MiB/s", rate / one, chain.shards, "", "shards"),
        fits,
    ]
    wanted = math.ceil(HEADROOM * rate / one)
    changes = []
    if wanted > MOST_SHARDS:
        changes.append(Change("streamMode", "provisioned", "on-demand"))
    elif wanted > chain.shards:
        changes.append(Change("shards", chain.shards, wanted))
    return Hop("stream", True, constraints, _steady(constraints[:1]), changes)


def _delivery(load: Load, chain: Chain) -> Hop:
    rate, size, count = load.changes_per_second, load.record_bytes, shards(load, chain)
    read, reads, record = (
        limits.SHARD_READ_BYTES,
        limits.READ_RECORDS,
        limits.FIREHOSE_RECORD_BYTES,
    )
    constraints = [
        _rated(
            rate, "bytes read from the shards", rate * size, count * read.value, "/s", read.source
        ),
        _rated(
            rate,
            "records read from the shards, once a second",
            rate,
            count * reads.value * limits.FIREHOSE_READS.value,
            "/s",
            limits.FIREHOSE_READS.source,
        ),
        _fixed("largest record", size, record.value, "bytes", record.source),
    ]
    note = "scales with the shards; AWS states no limit besides"
    return Hop("delivery", True, constraints, _steady(constraints), note=note)


def _transform(load: Load, chain: Chain) -> Hop:
    rate, records = load.changes_per_second, transform_records(load, chain)
    busy = rate / records * transform_seconds(records, chain)
    quota = _quota(chain, "Lambda: concurrent executions", limits.LAMBDA_CONCURRENCY)
    each, payload = limits.FIREHOSE_INVOCATIONS, limits.LAMBDA_BYTES
    count = shards(load, chain)
    larger = max(load.record_bytes, load.row_bytes)
    constraints = [
        _rated(rate, "invocations at once: 5 a shard", busy, count * each.value, "", each.source),
        _rated(rate, "invocations of the account", busy, quota.value, "", quota.limit.source),
        # Firehose sends records in base64, and the transform answers in it.
        _fixed(
            "bytes of a request or response",
            records * (larger * 4 / 3 + 300),
            payload.value,
            "bytes",
            payload.source,
        ),
    ]
    changes = quota.ask(busy)
    if HEADROOM * busy > count * each.value:
        vcpu = int(limits.LAMBDA_MB_A_VCPU.value)
        wanted = chain.transform_memory_mb * HEADROOM * busy / (count * each.value)
        memory = min(vcpu, _up(wanted, 64))
        if memory > chain.transform_memory_mb:
            changes.append(Change("transformMemoryMb", chain.transform_memory_mb, memory))
        elif not chain.on_demand_stream:
            more = math.ceil(HEADROOM * busy / each.value)
            changes.append(Change("shards", chain.shards, more))
    return Hop("transform", True, constraints, _steady(constraints), changes)


def _lake(load: Load, chain: Chain) -> Hop:
    rate, puts = load.changes_per_second, limits.PREFIX_PUTS
    by_size = rate / object_rows(load, chain)
    # Rows come when the transform has run, and Firehose reads once a second.
    interval = max(1, chain.buffer_interval_seconds, chain.transform_buffer_interval_seconds)
    needed = max(by_size, 1 / interval)
    constraint = Constraint(
        "objects written into an hour's prefix",
        needed,
        puts.value,
        "/s",
        puts.source,
        puts.value * object_rows(load, chain),
    )
    return Hop("lake", True, [constraint], _steady([constraint]))


def _batch(load: Load, chain: Chain) -> Hop | None:
    period = chain.batch_period_seconds
    if period is None:
        return None
    rate = load.changes_per_second
    per_second = chain.batch_cores * limits.MERGED_CHANGES.value
    free = min(period, chain.batch_timeout_minutes * 60) - limits.JOB_START_SECONDS.value
    constraint = _rated(
        rate,
        "seconds of a run",
        rate * period / per_second,
        free,
        "s",
        "batchWorkers, batchSchedule, batchTimeoutMinutes",
    )
    dpus = chain.batch_workers * limits.GLUE_WORKER_DPUS[chain.batch_worker_type]
    account = _fixed(
        "DPUs of the account", dpus, limits.GLUE_DPUS.value, "", limits.GLUE_DPUS.source
    )
    return Hop(
        "batch job",
        True,
        [constraint, account],
        _steady([constraint]),
        _batch_changes(load, chain, period),
    )


def _batch_changes(load: Load, chain: Chain, period: float) -> list[Change]:
    """More time for a run, up to the next one; then more workers; then larger ones."""
    start = limits.JOB_START_SECONDS.value
    core_seconds = HEADROOM * load.changes_per_second * period / limits.MERGED_CHANGES.value
    minutes = chain.batch_timeout_minutes
    if core_seconds / chain.batch_cores + start <= min(period, minutes * 60):
        return []
    wanted = _up((core_seconds / chain.batch_cores + start) / 60, 10)
    minutes = max(minutes, min(wanted, int(period // 60)))
    cores = core_seconds / (min(period, minutes * 60) - start)
    workers, kind = chain.batch_workers, chain.batch_worker_type
    if cores > chain.batch_cores:  # one worker is the driver's
        kind = next(
            (
                name
                for name, each in limits.GLUE_CORES.items()
                if each >= limits.GLUE_CORES[kind] and cores <= (MOST_WORKERS - 1) * each
            ),
            list(limits.GLUE_CORES)[-1],
        )
        workers = min(MOST_WORKERS, 1 + math.ceil(cores / limits.GLUE_CORES[kind]))
    asked = (
        Change("batchTimeoutMinutes", chain.batch_timeout_minutes, minutes),
        Change("batchWorkerType", chain.batch_worker_type, kind),
        Change("batchWorkers", chain.batch_workers, workers),
    )
    return [one for one in asked if one.now != one.to]


def _catalog(load: Load, chain: Chain) -> Hop:  # noqa: ARG001 - the hops' signature
    most = limits.SCANNED_PARTITIONS
    held = chain.retention_days * 24
    return Hop(
        "catalog",
        False,
        [_fixed("hours that a query may read", held, most.value, "partitions", most.source)],
        Throughput(math.inf, math.inf),
        note="projected partitions: none is stored in Glue",
    )


def _queries(load: Load, chain: Chain) -> Hop:
    rate = load.changes_per_second
    day = rate * _DAY * load.row_bytes * limits.COMPRESSED.value / limits.MIB
    constraint = _rated(
        rate, "MB that a query over a day's log scans", day, chain.scan_limit_mb, "", "scanLimitMb"
    )
    changes = []
    wanted, most = _up(day, 1_024), int(limits.SCAN_LIMIT_MB.value)
    if day > chain.scan_limit_mb and chain.scan_limit_mb < most:
        changes.append(Change("scanLimitMb", chain.scan_limit_mb, min(most, wanted)))
    note = "" if wanted <= most else "no scan limit covers a day: ask for hours, or current orders"
    return Hop("queries", False, [constraint], _steady([constraint]), changes, note)


_HOPS: Sequence[Callable[[Load, Chain], Hop | None]] = (
    _table,
    _table_stream,
    _pipe,
    _stream,
    _delivery,
    _transform,
    _lake,
    _batch,
    _catalog,
    _queries,
)
