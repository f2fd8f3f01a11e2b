"""The batch job beside the chain: runs by schedule on what is in the log by then."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from random import Random
from typing import Any

import simpy

from analytics.capacity.chain import Chain
from analytics.capacity.hops import Load, batch_seconds
from simulation.chain import Disturbance, Run, Sample

LOG = "the log"
_TICK = 10.0
_JITTER = 0.1
"""A run takes its mean time plus or minus this share."""


@dataclass
class BatchRun(Run):
    """The same figures for the batch job: what is in the log and not in its table waits."""

    def caught_up_after(self) -> float | None:
        """Seconds from the outage's end until a run has merged what came up to its start."""
        before = [one for one in self.samples if one.time <= self.disturbance.end]
        merged = before[-1].delivered if before else 0.0
        done = [
            one.time
            for one in self.samples
            if one.time > self.disturbance.end and one.delivered > merged
        ]
        return min(done) - self.disturbance.end if done else None

    def most_waiting(self) -> float:
        """What waits when the outage ends: it grows until the next run, as it always does."""
        return max(one.waiting[LOG] for one in self.samples if one.time <= self.disturbance.end)


def simulate_batch(
    load: Load, chain: Chain, disturbance: Disturbance, *, seconds: float, seed: int = 1
) -> BatchRun:
    """Run the batch job for ``seconds`` of simulated time, with changes that come evenly.

    A run that finds the job down, or that would take longer than its timeout, merges nothing. One
    run at a time: a start during a run is left out, as Glue does with one run at once.
    """
    env, random = simpy.Environment(), Random(seed)  # noqa: S311 - not a secret
    run = BatchRun(load, disturbance)
    period = chain.batch_period_seconds
    if period is None:
        raise ValueError(f"the stack {chain.name} has no batchSchedule")
    merged = 0.0

    def job() -> Generator[simpy.Event, Any, None]:
        nonlocal merged
        starts = 0
        while True:
            starts = max(starts + 1, int(env.now // period) + 1)
            yield env.timeout(starts * period - env.now)
            if disturbance.down and disturbance.active(env.now):
                continue
            there = load.changes_per_second * env.now
            mean = batch_seconds(there - merged, chain)
            takes = mean * random.uniform(1 - _JITTER, 1 + _JITTER)
            yield env.timeout(min(takes, chain.batch_timeout_minutes * 60))
            if takes <= chain.batch_timeout_minutes * 60:
                merged = there

    def measure() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(_TICK)
            there = load.changes_per_second * env.now
            lag = (there - merged) / load.changes_per_second
            run.samples.append(Sample(env.now, lag, {LOG: there - merged}, merged, 0.0, 0.0))

    env.process(job())
    env.process(measure())
    env.run(until=seconds)
    run.made = load.changes_per_second * seconds
    return run
