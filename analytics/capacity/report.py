"""The answer of ``python -m analytics capacity``: for people as a table, for programs as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table

from analytics.capacity import limits
from analytics.capacity.chain import Chain
from analytics.capacity.hops import (
    Change,
    Constraint,
    Hop,
    Load,
    Plan,
    batch_records,
    batch_seconds,
    first_to_break,
    hops,
    partitions,
    plan,
    shard_changes,
    shards,
)
from analytics.capacity.outage import Backlog, Phase, Throughput, backlog, seconds_until_lost
from analytics.cost import DAYS, DEV, PROD, monthly

OUTAGE_SECONDS = 1_800.0
_DAY = 86_400


@dataclass(frozen=True)
class Outage:
    """What an outage of one hop does.

    Attributes
    ----------
    waits_in:
        Where changes wait meanwhile; empty if nothing waits.
    keeps_seconds:
        How long they wait there at most; None without a limit.
    backlog:
        Changes that wait when it ends.
    catch_up_seconds:
        From its end until nothing waits any more; None: never by itself.
    expires_after_seconds:
        From its end until the first changes are too old to be passed on, if it never catches up.
    then:
        What happens to those that are too old, or what to do.
    """

    waits_in: str
    keeps_seconds: float | None
    backlog: float
    catch_up_seconds: float | None
    expires_after_seconds: float | None = None
    then: str = ""


def outage(hop: str, load: Load, chain: Chain, seconds: float = OUTAGE_SECONDS) -> Outage:
    """What happens if a hop does not work for a while."""
    rate = load.changes_per_second
    held = rate * seconds
    takes = {one.name: one.takes for one in hops(load, chain)}
    if hop in ("catalog", "queries"):
        return Outage("", None, 0, 0, then="no answers meanwhile")
    if hop == "transform":
        days = chain.retention_days * _DAY
        then = "`python -m operate replay failed` brings them back"
        return Outage("failed/ in the lake", days, held, None, None, then)
    delivery = ("delivery", "transform", "lake")
    rest: tuple[str, ...] = ("pipe", "stream", *delivery)
    kept = limits.STREAM_SECONDS.value
    where, then = "table stream", "then they are lost"
    limit: float = kept
    if 0 < chain.maximum_record_age_seconds < kept:
        limit = chain.maximum_record_age_seconds
        then = (
            "then they are dead letters, for `python -m operate replay dlq` until they are "
            f"{span_text(kept)} old"
        )
    if hop == "table":
        rest, where, limit, then = ("table", *rest), "the writers", math.inf, "if those retry"
    elif hop in ("delivery", "lake"):
        rest, where, limit = delivery, "stream", chain.stream_retention_hours * 3_600
        then = "then they are lost"
    elif hop == "batch job":
        return _missed_runs(load, chain, seconds)
    found = backlog([Phase(rate, 0)], [takes[name] for name in rest], held)
    expires = None
    if found.drained_after is None and math.isfinite(limit):
        slowest = min(takes[name].at_most for name in rest)
        expires = seconds_until_lost(rate, slowest, limit, seconds)
    keeps = limit if math.isfinite(limit) else None
    return Outage(where, keeps, held, found.drained_after, expires, then)


def _missed_runs(load: Load, chain: Chain, seconds: float) -> Outage:
    """An outage of the batch job that begins just before a scheduled run, the worst time.

    The run after it merges what the missed ones would have, if its time is enough.
    """
    rate, period = load.changes_per_second, chain.batch_period_seconds or math.inf
    missed = math.floor(seconds / period) + 1
    run = batch_seconds((missed + 1) * rate * period, chain)
    enough = run <= min(period, chain.batch_timeout_minutes * 60)
    return Outage(
        "the log",
        chain.retention_days * _DAY,
        rate * (period + seconds),
        missed * period - seconds + run if enough else None,
        then="its next run merges them, or fails if its time is not enough",
    )


def hot_key(load: Load, chain: Chain, share: float, seconds: float) -> tuple[str, Backlog]:
    """What one key with a share of all changes does: the hop whose shard it fills, the backlog.

    The shard has that key's changes and its part of all others. The backlog is at least this:
    batches that hold other keys' changes too wait with it.
    """
    rate = load.changes_per_second
    parts = partitions(load, chain)
    lanes = {
        "table": (parts, limits.PARTITION_WRITES.value / load.write_units),
        "pipe": (
            parts * chain.parallelization_factor,
            batch_records(load, chain) / limits.PIPE_BATCH_SECONDS.value,
        ),
        "stream": (shards(load, chain), shard_changes(load)),
    }
    arrives = {name: rate * (share + (1 - share) / count) for name, (count, _) in lanes.items()}
    fullest = max(lanes, key=lambda name: arrives[name] / lanes[name][1])
    count, most = lanes[fullest]
    phases = [Phase(arrives[fullest], seconds), Phase(rate / count, 0)]
    return fullest, backlog(phases, [Throughput(most, most)])


def spike(load: Load, chain: Chain, factor: float, seconds: float) -> Backlog:
    """What ``factor`` times the rate for a while does to the whole chain."""
    rate = load.changes_per_second
    carry = [one.takes for one in hops(load, chain) if one.carries and one.name != "batch job"]
    return backlog([Phase(factor * rate, seconds), Phase(rate, 0)], carry)


def monthly_usd(load: Load, chain: Chain) -> float:
    """The cost of a month at the rate, by `analytics.cost`."""
    base = DEV if chain.name == "dev" else PROD
    shared = {one.name for one in dataclasses.fields(base)} & {
        one.name for one in dataclasses.fields(chain)
    }
    settings = {name: getattr(chain, name) for name in shared}
    period = chain.batch_period_seconds
    settings["batch_checks"] = DAYS * _DAY / period if period else 0
    if period:
        settings["pack_runs"] = 0  # the batch job packs
    stack = dataclasses.replace(base, **settings)
    return sum(monthly(stack, load.changes_per_second, order_bytes=load.item_bytes).values())


@dataclass(frozen=True)
class Report:
    """What a stack can carry at a load."""

    load: Load
    chain: Chain
    hops: Sequence[Hop]
    plan: Plan

    @classmethod
    def of(cls, load: Load, chain: Chain) -> Report:
        """The report for a load."""
        return cls(load, chain, hops(load, chain), plan(load, chain))

    @property
    def first(self) -> Hop:
        """The first hop on the changes' way that breaks."""
        return first_to_break(self.hops)

    @property
    def usd(self) -> float:
        """The cost of a month, after the changes."""
        return monthly_usd(self.load, self.plan.chain)

    def outages(self, hop: str) -> tuple[Outage, Outage]:
        """An outage of 30 minutes, before and after the changes."""
        return outage(hop, self.load, self.chain), outage(hop, self.load, self.plan.chain)

    def changes_of(self, hop: str) -> list[Change]:
        """The settings and quotas that a hop needs."""
        return [one for name, one in self.plan.changes if name == hop]

    def to_json(self) -> str:
        """The report for programs; null stands for what is not limited, or never ends."""
        first = self.first
        document = {
            "changes_per_second": self.load.changes_per_second,
            "item_bytes": self.load.item_bytes,
            "record_bytes": self.load.record_bytes,
            "stack": self.chain.name,
            "limits_checked": limits.CHECKED,
            "hops": [self._hop(hop) for hop in self.hops],
            "first_to_break": {
                "hop": first.name,
                "what": first.tightest.what,
                "used": first.tightest.used,
                "breaks": first.breaks,
            },
            "usd_a_month": self.usd,
            "assumptions": {name: asdict(one) for name, one in limits.assumptions().items()},
        }
        return json.dumps(_finite(document), indent=2)

    def _hop(self, hop: Hop) -> dict[str, Any]:
        before, after = self.outages(hop.name)
        return {
            "hop": hop.name,
            "constraints": [asdict(one) | {"used": one.used} for one in hop.constraints],
            "takes_at_once": hop.takes.at_once,
            "takes_at_most": hop.takes.at_most,
            "breaks": hop.breaks,
            "changes": [asdict(one) for one in self.changes_of(hop.name)],
            "outage_of_30_minutes": asdict(before),
            "outage_after_changes": asdict(after),
            "note": hop.note,
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A row a hop: what it needs and has, what to change, an outage before and after that."""
        return [
            (
                hop.name,
                _needs(hop.tightest),
                share_text(hop.tightest.used),
                ", ".join(change_text(one) for one in self.changes_of(hop.name)) or "-",
                *(outage_text(one) for one in self.outages(hop.name)),
            )
            for hop in self.hops
        ]

    def table(self) -> Table:
        """The report as a table; hops that break are marked."""
        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in HEADINGS:
            shown.add_column(heading, overflow="fold")
        for hop, row in zip(self.hops, self.rows(), strict=True):
            shown.add_row(*row, style="red" if hop.breaks else None)
        return shown

    def lines(self) -> list[str]:
        """What follows the table."""
        first = self.first
        reached = f"; all of it at {_number(first.tightest.at_most)} changes/s"
        lines = [
            f"first to break: {first.name} ({first.tightest.what}), "
            f"{share_text(first.tightest.used)} used{reached if first.tightest.rated else ''}",
            f"cost: ${self.usd:,.0f} a month, after the changes",
        ]
        lines += [f"{hop.name}: {hop.note}" for hop in self.hops if hop.note]
        for hop in self.hops:
            waits = outage(hop.name, self.load, self.chain)
            if waits.waits_in:
                kept = (
                    "" if waits.keeps_seconds is None else f" for {span_text(waits.keeps_seconds)}"
                )
                lines.append(
                    f"outage of {hop.name}: changes wait in {waits.waits_in}{kept}; {waits.then}"
                )
        lines.append(
            f"Limits of us-east-1, read on {limits.CHECKED}; --json has each with its source, and "
            "the figures that AWS does not publish."
        )
        return lines


HEADINGS = ("hop", "needs", "used", "change", "30 min outage: caught up in", "after the changes")


def _needs(one: Constraint) -> str:
    unit = f" {one.unit}" if one.unit and one.unit[0] != "/" else one.unit
    return f"{_number(one.needed)} of {_number(one.available)}{unit}: {one.what}"


def change_text(one: Change) -> str:
    """A change in words."""
    name = one.name if one.ours else f"quota, {one.name}"
    now, to = (f"{v:,}" if isinstance(v, int) else str(v) for v in (one.now, one.to))
    return f"{name}: {now} → {to}"


def outage_text(one: Outage) -> str:
    """How long it takes to catch up, in words."""
    if not one.waits_in:
        return "-"
    if one.catch_up_seconds is not None:
        return span_text(one.catch_up_seconds)
    if one.expires_after_seconds is not None:
        return f"never; too old from {span_text(one.expires_after_seconds)} on"
    return "by replay" if one.waits_in.startswith("failed") else "never"


def span_text(seconds: float) -> str:
    """A time in its natural unit."""
    for size, unit in ((_DAY, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{_number(round(seconds / size, 1))} {unit}"
    return f"{seconds:.0f} s"


def share_text(used: float) -> str:
    """A share in percent."""
    return "<1 %" if used < 0.01 else f"{used:,.0%}".replace("%", " %")


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _finite(value: Any) -> Any:
    """JSON knows no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
