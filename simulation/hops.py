"""The hops as simpy processes. Each knows its limits and nothing of the hops around it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import simpy

from analytics.capacity.outage import Throughput
from simulation.queues import NOTHING, Lane, Lanes, Portion, Queue, amount

Process = Generator[simpy.Event, Any, None]
Down = Callable[[], bool]

_RETRY_FIRST, _RETRY_MOST = 0.1, 1.0
"""Seconds between retries; AWS does not publish them."""
_LAKE_RETRY = 5.0
_TRANSFORM_RETRIES = 3
_JITTER = 0.3
"""A call takes its mean time plus or minus this share."""


def never() -> bool:
    """For a hop that does not fail."""
    return False


class Elastic:
    """What an on-demand table or stream takes: twice the peak of all but the last minutes."""

    def __init__(self, takes: Throughput) -> None:
        self._takes = takes
        self._peak = 0.0
        self._known = 0
        """The minute before which the peak is known."""
        self._minutes: dict[int, float] = {}

    def accepted(self, now: float, count: float) -> None:
        """Count what was taken."""
        minute = int(now // 60)
        self._minutes[minute] = self._minutes.get(minute, 0.0) + count

    def rate(self, now: float) -> float:
        """Changes a second that it takes now."""
        if math.isinf(self._takes.doubles_seconds):
            return self._takes.at_most
        until = int((now - self._takes.doubles_seconds) // 60)
        while self._known < until:
            self._peak = max(self._peak, self._minutes.pop(self._known, 0.0) / 60)
            self._known += 1
        return min(self._takes.at_most, max(self._takes.at_once, 2 * self._peak))


class Table:
    """Takes what the writers have, up to its throughput and that of the hot partition.

    Burst capacity (five minutes of what was not used) is left out: AWS does not promise it.
    """

    def __init__(
        self,
        writers: Lanes,
        takes: Throughput,
        partition: float,
        to: Callable[[Sequence[Portion]], None],
        down: Down = never,
    ) -> None:
        self.writers = writers
        self._elastic = Elastic(takes)
        self._partition = partition
        self._to = to
        self._down = down

    def step(self, now: float, seconds: float) -> None:
        """Take what is allowed in ``seconds``."""
        if self._down():
            return
        left = self._elastic.rate(now) * seconds
        for lane in self.writers.lanes:
            apart = len(self.writers.lanes) > 1 and lane.width == 1
            allowed = min(left, self._partition * seconds) if apart else left
            taken = lane.queue.take(allowed)
            left -= amount(taken)
            self._elastic.accepted(now, amount(taken))
            self._to(taken)


class Stream:
    """Kinesis: what its shards do not take is throttled, and the caller keeps it.

    Parameters
    ----------
    shard:
        Changes a second into one shard.
    """

    def __init__(
        self,
        env: simpy.Environment,
        lanes: Lanes,
        takes: Throughput,
        shard: float,
        down: Down = never,
    ) -> None:
        self.lanes = lanes
        self.throttled = 0.0
        self._env = env
        self._elastic = Elastic(takes)
        self._shard = shard
        self._down = down
        self._tokens = [self._rate(lane) for lane in lanes.lanes]
        self._filled = [env.now for _ in lanes.lanes]

    def _rate(self, lane: Lane) -> float:
        total = self._elastic.rate(self._env.now)
        if len(self.lanes.lanes) == 1:
            return total
        return self._shard if lane.width == 1 else total - self._shard

    def put(self, parts: list[list[Portion]]) -> list[list[Portion]]:
        """Take the portions of each lane as far as its shards allow; returns the rest."""
        if self._down():
            return parts
        left = []
        for place, (lane, portions) in enumerate(zip(self.lanes.lanes, parts, strict=True)):
            rate, now = self._rate(lane), self._env.now
            fresh = (now - self._filled[place]) * rate
            self._tokens[place] = min(rate, self._tokens[place] + fresh)
            self._filled[place] = now
            taken, rest = _cut(portions, self._tokens[place])
            self._tokens[place] -= amount(taken)
            self._elastic.accepted(now, amount(taken))
            lane.queue.put(taken)
            self.throttled += amount(rest)
            left.append(rest)
        return left


@dataclass(frozen=True, kw_only=True)
class PipeSettings:
    """A pipe's settings (records, seconds)."""

    batch: int
    window: float
    batch_seconds: float
    poll: float = 0.25
    """AWS polls an idle shard four times a second."""
    max_age: float = math.inf


class Pipe:
    """Reads each lane, waits for a full batch or its window, and puts it; retries the remainder.

    Parameters
    ----------
    lanes:
        A shard with a parallelization factor of n is n lanes: the changes of a key stay in one.
    """

    def __init__(
        self,
        env: simpy.Environment,
        lanes: Lanes,
        settings: PipeSettings,
        stream: Stream,
        random: Random,
        *,
        down: Down = never,
        on_batch: Callable[[float, Sequence[Portion]], None] | None = None,
    ) -> None:
        self.lanes = lanes
        self.dead_letters = 0.0
        self._env = env
        self._settings = settings
        self._stream = stream
        self._random = random
        self._down = down
        self._on_batch = on_batch
        self._flying: dict[int, Sequence[Portion]] = {}
        for place, lane in enumerate(lanes.lanes):
            env.process(self._run(place, lane))

    @property
    def oldest(self) -> float:
        """When the oldest change was made that was read and not yet put."""
        return min((one.made for part in self._flying.values() for one in part), default=math.inf)

    @property
    def held(self) -> float:
        """Changes that were read and not yet put."""
        return sum(amount(part) for part in self._flying.values())

    def _run(self, place: int, lane: Lane) -> Process:
        env, settings = self._env, self._settings
        full = settings.batch * lane.width
        while True:
            if self._down() or lane.queue.total <= NOTHING:
                yield env.timeout(settings.poll)
                continue
            due = env.now + settings.window
            while lane.queue.total < full - NOTHING and env.now < due - NOTHING:
                yield env.timeout(min(settings.poll, due - env.now))
            yield from self._carry(place, lane.queue.take(full))

    def _carry(self, place: int, batch: list[Portion]) -> Process:
        env, attempts = self._env, 0
        if self._on_batch:
            self._on_batch(env.now, batch)
        parts = self._stream.lanes.split(batch)
        while True:
            left = [one for part in parts for one in part]
            if amount(left) <= NOTHING:
                break
            if env.now - left[0].made > self._settings.max_age:
                self.dead_letters += amount(left)
                break
            self._flying[place] = left
            if attempts:
                most = min(_RETRY_MOST, _RETRY_FIRST * 2 ** min(attempts, 10))
                yield env.timeout(self._random.uniform(most / 2, most))
            yield env.timeout(_about(self._random, self._settings.batch_seconds))
            parts = self._stream.put(parts)
            attempts += 1
        self._flying.pop(place, None)


@dataclass(frozen=True, kw_only=True)
class FirehoseSettings:
    """A delivery stream's settings (changes, seconds); ``transform_seconds``: of a full batch."""

    transform_batch: int
    transform_interval: float
    transform_seconds: float
    at_once: int
    rows: float
    interval: float
    put_seconds: float
    shard_read: float
    read_interval: float = 1.0
    poll: float = 0.5


class Firehose:
    """Reads the stream, calls the transform by size or time, writes objects by size or time.

    What it cannot pass on stays in the stream: it reads nothing while an object cannot be written.
    The buffers' times count from the first record.
    """

    def __init__(
        self,
        env: simpy.Environment,
        stream: Lanes,
        settings: FirehoseSettings,
        random: Random,
        *,
        down: Callable[[str], bool] = lambda _hop: False,
        on_call: Callable[[float, Sequence[Portion]], None] | None = None,
        on_object: Callable[[float, Sequence[Portion]], None] | None = None,
    ) -> None:
        self.delivered = self.failed = 0.0
        self._env = env
        self._stream = stream
        self._settings = settings
        self._random = random
        self._down = down
        self._on_call = on_call
        self._on_object = on_object
        self._incoming, self._rows = Queue(), Queue()
        self._incoming_since = self._rows_since = 0.0
        self._busy = 0
        self._stuck = False
        self._calls: dict[int, Sequence[Portion]] = {}
        self._numbers = 0
        self._writing: Sequence[Portion] = ()
        for process in (self._read(), self._dispatch(), self._write()):
            env.process(process)

    @property
    def oldest(self) -> float:
        """When the oldest change was made that was read and is not in the lake."""
        flying = [one.made for part in (*self._calls.values(), self._writing) for one in part]
        return min([self._incoming.oldest, self._rows.oldest, *flying])

    @property
    def held(self) -> float:
        """Changes that were read and are not in the lake."""
        calls = sum(amount(part) for part in self._calls.values())
        return self._incoming.total + calls + self._rows.total + amount(self._writing)

    def _read(self) -> Process:
        env, settings = self._env, self._settings
        room = settings.transform_batch * settings.at_once
        while True:
            for lane in self._stream.lanes:
                if self._down("delivery") or self._stuck:
                    break
                most = lane.width * settings.shard_read * settings.read_interval
                free = max(0.0, room - self._incoming.total)
                taken = lane.queue.take(min(most, free))
                if taken and self._incoming.total <= NOTHING:
                    self._incoming_since = env.now
                self._incoming.put(taken)
            yield env.timeout(settings.read_interval)

    def _dispatch(self) -> Process:
        env, settings = self._env, self._settings
        while True:
            waiting = self._incoming.total
            due = env.now - self._incoming_since >= settings.transform_interval - NOTHING
            full = waiting >= settings.transform_batch - NOTHING
            ready = 0
            if full or (due and waiting > NOTHING):
                ready = math.ceil(waiting / settings.transform_batch - NOTHING)
            free = settings.at_once - self._busy
            blocked = self._stuck or self._rows.total >= 2 * settings.rows
            if not ready or not free or blocked:
                yield env.timeout(settings.poll)
                continue
            calls = min(ready, free)
            taken = self._incoming.take(calls * settings.transform_batch)
            self._incoming_since = env.now
            env.process(self._transform(calls, taken))

    def _transform(self, calls: int, batch: list[Portion]) -> Process:
        env, settings = self._env, self._settings
        self._numbers += 1
        number = self._numbers
        self._busy += calls
        self._calls[number] = batch
        if self._on_call:
            self._on_call(env.now, batch)
        failed = True
        for attempt in range(1 + _TRANSFORM_RETRIES):
            yield env.timeout(_about(self._random, settings.transform_seconds))
            failed = self._down("transform")
            if not failed:
                break
            yield env.timeout(min(_RETRY_MOST, _RETRY_FIRST * 2**attempt))
        if failed:
            self.failed += amount(batch)
        else:
            if self._rows.total <= NOTHING:
                self._rows_since = env.now
            self._rows.put(batch)
        self._busy -= calls
        del self._calls[number]

    def _write(self) -> Process:
        env, settings = self._env, self._settings
        while True:
            due = env.now - self._rows_since >= settings.interval - NOTHING
            full = self._rows.total >= settings.rows - NOTHING
            ready = full or (due and self._rows.total > NOTHING)
            self._stuck = ready and self._down("lake")
            if self._stuck or not ready:
                yield env.timeout(settings.poll)
                continue
            self._writing = self._rows.take(math.inf)
            yield env.timeout(_about(self._random, settings.put_seconds))
            while self._down("lake"):
                self._stuck = True
                yield env.timeout(_LAKE_RETRY)
            self._stuck = False
            self.delivered += amount(self._writing)
            if self._on_object:
                self._on_object(env.now, self._writing)
            self._writing = ()


def _cut(portions: list[Portion], count: float) -> tuple[list[Portion], list[Portion]]:
    """The first ``count`` changes, and the rest."""
    if amount(portions) <= count:
        return portions, []
    queue = Queue()
    queue.put(portions)
    return queue.take(count), queue.take(math.inf)


def _about(random: Random, mean: float) -> float:
    return mean * random.uniform(1 - _JITTER, 1 + _JITTER)
