"""The simulation's pipe and Firehose against the local ones, on the same arrivals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import simpy

from analytics.capacity.outage import Throughput
from local.account.aws import Aws
from local.standins.firehose import Firehose as LocalFirehose
from local.standins.pipe import Pipe as LocalPipe
from local.standins.worker import Worker
from simulation.hops import Firehose, FirehoseSettings, Pipe, PipeSettings, Stream
from simulation.queues import Lanes, Portion, amount
from tests.local import chain_parts as parts
from tests.local.test_firehose import Delivery
from tests.local.test_pipe import Bridge

POLL = Worker.poll_seconds
UNLIMITED = Throughput(1e9, 1e9)


@dataclass
class Sizes:
    """When batches were formed, and of how many records; seconds since the first arrival."""

    times: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def clear(self) -> None:
        """Forget them."""
        for one in (self.times, self.sizes, self.seconds):
            one.clear()

    def mean_wait(self, arrivals: Sequence[float]) -> float:
        """Mean seconds from a record's arrival to its batch, both in order."""
        left = [
            when
            for when, size in zip(self.times, self.sizes, strict=True)
            for _ in range(round(size))
        ]
        assert len(left) == len(arrivals)
        return sum(out - came for out, came in zip(left, arrivals, strict=True)) / len(arrivals)


def watch(monkeypatch: pytest.MonkeyPatch, hop: type, method: str, size: Callable[..., int]) -> Any:
    """Record each call of a method: when, of how many records, how long."""
    seen, real = Sizes(), getattr(hop, method)

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        began, count = time.monotonic(), size(self, *arguments)
        answer = real(self, *arguments, **named)
        if count:
            seen.times.append(began)
            seen.sizes.append(count)
            seen.seconds.append(time.monotonic() - began)
        return answer

    monkeypatch.setattr(hop, method, watched)
    return seen


def feed(put: Callable[[str], None], burst: int, later: int, every: float) -> list[float]:
    """A burst, then a trickle; returns when each record arrived."""
    arrivals = []
    for number in range(burst + later):
        if number >= burst:
            time.sleep(every)
        put(f"record-{number:04}" + "x" * 88)  # 99 bytes, 132 in base64
        arrivals.append(time.monotonic())
    return arrivals


def arrive(env: simpy.Environment, lanes: Lanes, arrivals: Sequence[float]) -> Any:
    for when in arrivals:
        yield env.timeout(max(0.0, when - env.now))
        lanes.put([Portion(env.now, 1)])


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_the_simulated_pipe_makes_the_batches_of_the_local_one(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = Bridge(aws, "simulated-pipe")
    seen = watch(monkeypatch, LocalPipe, "_put", lambda _self, events: len(events))
    pipe = bridge.pipe(batch_size=10, window_seconds=1)
    pipe.start()
    try:
        arrivals = feed(bridge.put, burst=25, later=20, every=0.15)
        parts.until(lambda: pipe.error or pipe.counts.bridged == len(arrivals))
    finally:
        pipe.stop()
    start = arrivals[0]
    seen.times = [one - start for one in seen.times]
    arrivals = [one - start for one in arrivals]

    env, model = simpy.Environment(), Sizes()

    def formed(when: float, batch: Sequence[Portion]) -> None:
        model.times.append(when)
        model.sizes.append(amount(batch))

    settings = PipeSettings(batch=10, window=1, batch_seconds=mean(seen.seconds), poll=POLL)
    lanes = Lanes(1, hot=False)
    stream = Stream(env, Lanes(1, hot=False), UNLIMITED, 1e9)
    Pipe(env, lanes, settings, stream, Random(1), on_batch=formed)
    env.process(arrive(env, lanes, arrivals))
    env.run(until=arrivals[-1] + 3)

    assert sum(model.sizes) == sum(seen.sizes) == len(arrivals)
    assert max(model.sizes) == max(seen.sizes) == 10
    assert abs(len(model.sizes) - len(seen.sizes)) <= 1
    assert model.mean_wait(arrivals) == pytest.approx(seen.mean_wait(arrivals), abs=0.2)


def test_the_simulated_firehose_makes_the_calls_and_objects_of_the_local_one(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = Delivery(aws, "simulated-firehose")
    calls = watch(monkeypatch, LocalFirehose, "_invoke", lambda _self, _payload, ids: len(ids))
    objects = watch(monkeypatch, LocalFirehose, "_deliver_rows", lambda self: len(self._rows.items))
    firehose = delivery.firehose(
        lambda_buffer_bytes=1_980, lambda_buffer_seconds=0.8, buffer_seconds=1.5
    )
    firehose.start()
    try:
        delivery.put("the first starts the function")
        parts.until(lambda: firehose.error or firehose.counts.delivered == 1)
        for one in (calls, objects):
            one.clear()
        arrivals = feed(delivery.put, burst=50, later=30, every=0.1)
        parts.until(lambda: firehose.error or firehose.counts.delivered == 1 + len(arrivals))
    finally:
        firehose.stop()
    start = arrivals[0]
    for one in (calls, objects):
        one.times = [when - start for when in one.times]
    arrivals = [one - start for one in arrivals]

    env = simpy.Environment()
    called, written = Sizes(), Sizes()

    def note(into: Sizes) -> Callable[[float, Sequence[Portion]], None]:
        def noted(when: float, batch: Sequence[Portion]) -> None:
            into.times.append(when)
            into.sizes.append(amount(batch))

        return noted

    settings = FirehoseSettings(
        transform_batch=20,
        transform_interval=0.8,
        transform_seconds=mean(calls.seconds),
        at_once=1,
        rows=1e9,
        interval=1.5,
        put_seconds=mean(objects.seconds),
        shard_read=1e9,
        read_interval=POLL,
        poll=POLL,
    )
    lanes = Lanes(1, hot=False)
    Firehose(env, lanes, settings, Random(1), on_call=note(called), on_object=note(written))
    env.process(arrive(env, lanes, arrivals))
    env.run(until=arrivals[-1] + 4)

    assert sum(written.sizes) == sum(objects.sizes) == len(arrivals)
    assert max(called.sizes) == max(calls.sizes) == 20
    assert abs(len(called.sizes) - len(calls.sizes)) <= 2
    assert abs(len(written.sizes) - len(objects.sizes)) <= 1
    simulated, measured = (one.mean_wait(arrivals) for one in (written, objects))
    assert simulated == pytest.approx(measured, abs=0.4)
