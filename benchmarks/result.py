"""What a benchmark says, and how two candidates are timed fairly."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Result:
    """One benchmark's outcome.

    Parameters
    ----------
    name:
        As ``python -m benchmarks NAME`` takes it.
    ours, peer:
        Measured in ``unit``; ``peer`` is None where there is nobody to compare with.
    ratio:
        How many times better ours is. Of ``*_vs_limit`` ours/limit, of ``*_scaling`` the growth.
    goal:
        What ``ratio`` should reach, or for ``*_scaling`` stay within. None: no goal was set.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: float | None
    unit: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None or self.ratio is None:
            return None
        return (
            self.ratio <= self.goal if self.name.endswith("_scaling") else self.ratio >= self.goal
        )

    def to_json(self) -> str:
        """One JSON object on one line."""
        return json.dumps(asdict(self))


def rates(*candidates: Callable[[], int], rounds: int) -> list[float]:
    """What each candidate does a second: the median of rounds in which all take turns.

    Taking turns lets whatever else the machine does hit all of them alike. Each candidate returns
    how many things it did; a first, uncounted round warms it up.
    """
    for candidate in candidates:
        candidate()
    measured: list[list[float]] = [[] for _ in candidates]
    for _ in range(rounds):
        for candidate, of_one in zip(candidates, measured, strict=True):
            start = time.perf_counter()
            done = candidate()
            of_one.append(done / (time.perf_counter() - start))
    return [median(of_one) for of_one in measured]


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
