"""The whole chain: the hops wired together, a load with disturbances, and what is measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

from analytics.capacity import hops as paper
from analytics.capacity import limits
from analytics.capacity.chain import Chain
from analytics.capacity.hops import Load
from simulation.hops import (
    Firehose,
    FirehoseSettings,
    Pipe,
    PipeSettings,
    Stream,
    Table,
)
from simulation.queues import Lanes, Portion

TICK = 1.0
"""Seconds between two portions of the writers."""
PLACES = ("writers", "table stream", "stream", "Firehose")
"""Where changes wait, in the order of the flow."""
_FIREHOSE = ("delivery", "transform", "lake")


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """What differs from the steady load, from ``begin`` for ``seconds``.

    Parameters
    ----------
    down:
        A hop that does not work.
    factor:
        Times the rate.
    hot_share:
        The share of all changes that are of one key.
    """

    begin: float = 300.0
    seconds: float = 1_800.0
    down: str = ""
    factor: float = 1.0
    hot_share: float = 0.0

    def active(self, now: float) -> bool:
        """Whether it is on."""
        return self.begin <= now < self.begin + self.seconds

    @property
    def end(self) -> float:
        """When it is over."""
        return self.begin + self.seconds


STEADY = Disturbance(seconds=0)


@dataclass(frozen=True)
class Sample:
    """The state at one time: ``lag`` is the age of the oldest change that is not in the lake."""

    time: float
    lag: float
    waiting: Mapping[str, float]
    delivered: float
    failed: float
    lost: float


@dataclass
class Run:
    """What a simulation measured, a sample a second."""

    load: Load
    disturbance: Disturbance
    samples: list[Sample] = field(default_factory=list)
    made: float = 0.0
    throttled: float = 0.0
    dead_letters: float = 0.0

    def caught_up_after(self) -> float | None:
        """Seconds from the end of the disturbance until nothing waits any more.

        What is on its way does not count: as much as comes in within three seconds.
        """
        moving = 3 * self.load.changes_per_second
        behind = [one.time for one in self.samples if self._waiting(one) > moving]
        last = max(behind, default=0.0)
        if last >= self.samples[-1].time:
            return None
        return max(0.0, last - self.disturbance.end)

    def most_waiting(self) -> float:
        """The largest backlog."""
        return max(self._waiting(one) for one in self.samples)

    def _waiting(self, sample: Sample) -> float:
        """What waits from the place before the hop that is down, up to Firehose."""
        down = self.disturbance.down
        first = 1 if down in ("pipe", "stream") else 2 if down in _FIREHOSE else 0
        places = PLACES[first:-1]
        return sum(sample.waiting[place] for place in places)

    def longest_lag(self) -> float:
        """The largest age of a change that was not in the lake yet."""
        return max(one.lag for one in self.samples)

    def broken(self) -> str | None:
        """The hop before which changes pile up at the end; None if none does."""
        waiting = self.samples[-1].waiting
        place = max(PLACES[:-1], key=lambda name: waiting[name])
        if waiting[place] < 10 * self.load.changes_per_second:
            return None
        if place == "table stream":  # both hops after it may be too slow
            return "stream" if self.throttled > 0.01 * self.made else "pipe"
        return {"writers": "table", "stream": "delivery"}[place]


def simulate(
    load: Load,
    chain: Chain,
    disturbance: Disturbance = STEADY,
    *,
    seconds: float,
    seed: int = 1,
    peak: float | None = None,
) -> Run:
    """Run the chain for ``seconds`` of simulated time.

    Parameters
    ----------
    peak:
        The highest rate of the last month, for which on-demand tables and streams are prepared.
        Default: the load's rate.
    """
    return _Simulation(load, chain, disturbance, seed, peak).run(seconds)


class _Simulation:
    def __init__(
        self, load: Load, chain: Chain, disturbance: Disturbance, seed: int, peak: float | None
    ) -> None:
        self._env = env = simpy.Environment()
        self._random = random = Random(seed)  # noqa: S311 - not a secret
        self._run = Run(load, disturbance)
        known = load
        if peak is not None:
            known = dataclasses.replace(load, changes_per_second=peak)
        takes = {hop.name: hop.takes for hop in paper.hops(known, chain)}
        hot = disturbance.hot_share > 0
        partitions = paper.partitions(known, chain)
        shards = paper.shards(known, chain)
        lanes = Lanes(shards, hot=hot)
        self._stream = Stream(
            env, lanes, takes["stream"], paper.shard_changes(load), self._down("stream")
        )
        lost_after = limits.STREAM_SECONDS.value, chain.stream_retention_hours * 3_600
        self._keeps: Sequence[tuple[Lanes, float]]
        self._pipe = Pipe(
            env,
            Lanes(partitions * chain.parallelization_factor, hot=hot),
            PipeSettings(
                batch=paper.batch_records(load, chain),
                window=chain.batch_window_seconds,
                batch_seconds=limits.PIPE_BATCH_SECONDS.value,
                max_age=chain.maximum_record_age_seconds
                if chain.maximum_record_age_seconds > 0
                else math.inf,
            ),
            self._stream,
            random,
            down=self._down("pipe", "table stream"),
        )
        self._keeps = list(zip((self._pipe.lanes, lanes), lost_after, strict=True))
        self._table = Table(
            Lanes(partitions, hot=hot),
            takes["table"],
            limits.PARTITION_WRITES.value / load.write_units,
            self._pipe.lanes.put,
            self._down("table"),
        )
        records = paper.transform_records(load, chain)
        concurrency = limits.FIREHOSE_INVOCATIONS.value * shards
        self._firehose = Firehose(
            env,
            lanes,
            FirehoseSettings(
                transform_batch=records,
                transform_interval=chain.transform_buffer_interval_seconds,
                transform_seconds=paper.transform_seconds(records, chain),
                at_once=int(min(concurrency, limits.LAMBDA_CONCURRENCY.value)),
                rows=paper.object_rows(load, chain),
                interval=chain.buffer_interval_seconds,
                put_seconds=limits.PUT_SECONDS.value,
                shard_read=min(
                    limits.READ_RECORDS.value, limits.SHARD_READ_BYTES.value / load.record_bytes
                ),
            ),
            random,
            down=self._is_down,
        )
        self._lost = 0.0
        env.process(self._write())
        env.process(self._measure())

    def run(self, seconds: float) -> Run:
        self._env.run(until=seconds)
        self._run.dead_letters = self._pipe.dead_letters
        self._run.throttled = self._stream.throttled
        return self._run

    def _is_down(self, hop: str) -> bool:
        disturbance = self._run.disturbance
        return disturbance.down == hop and disturbance.active(self._env.now)

    def _down(self, *hops: str) -> Any:
        return lambda: any(self._is_down(hop) for hop in hops)

    def _write(self) -> Generator[simpy.Event, Any, None]:
        disturbance, rate = self._run.disturbance, self._run.load.changes_per_second
        while True:
            now = self._env.now
            factor = disturbance.factor if disturbance.active(now) else 1.0
            share = disturbance.hot_share if disturbance.active(now) else 0.0
            mean = rate * factor * TICK
            portions = [
                Portion(now, self._some(mean * (1 - share))),
                Portion(now, self._some(mean * share), hot=True),
            ]
            self._run.made += sum(one.count for one in portions)
            self._table.writers.put(portions)
            self._table.step(now, TICK)
            yield self._env.timeout(TICK)

    def _some(self, mean: float) -> float:
        """A random number of changes around a mean, as independent writers make them."""
        if mean <= 0:
            return 0.0
        if mean > 50:
            return max(0.0, float(round(self._random.gauss(mean, math.sqrt(mean)))))
        most, count, product = math.exp(-mean), 0, self._random.random()
        while product > most:
            count += 1
            product *= self._random.random()
        return float(count)

    def _measure(self) -> Generator[simpy.Event, Any, None]:
        while True:
            yield self._env.timeout(1.0)
            now = self._env.now
            self._lost += sum(lanes.expire(now - seconds) for lanes, seconds in self._keeps)
            firehose, pipe = self._firehose, self._pipe
            oldest = min(
                self._table.writers.oldest,
                pipe.lanes.oldest,
                pipe.oldest,
                self._stream.lanes.oldest,
                firehose.oldest,
            )
            waiting = (
                self._table.writers.total,
                pipe.lanes.total + pipe.held,
                self._stream.lanes.total,
                firehose.held,
            )
            self._run.samples.append(
                Sample(
                    now,
                    max(0.0, now - oldest) if math.isfinite(oldest) else 0.0,
                    dict(zip(PLACES, waiting, strict=True)),
                    firehose.delivered,
                    firehose.failed,
                    self._lost,
                )
            )
