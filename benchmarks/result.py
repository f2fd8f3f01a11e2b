"""A benchmark's result, and fair timing of two candidates."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median

LESS_IS_BETTER = ("_scaling", "_vs_key_scan")
"""Ends of the names of benchmarks whose goal is a maximum."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One benchmark's outcome.

    Parameters
    ----------
    name:
        As ``python -m benchmarks NAME`` takes it.
    ours, peer:
        In ``unit``; ``peer`` is None if there is nothing to compare with.
    ratio:
        How many times better ours is; for ``*_vs_limit`` ours/limit, for ``*_scaling`` the growth,
        for ``*_vs_key_scan`` ours/peer.
    goal:
        The minimum ``ratio``, or the maximum where less is better (`LESS_IS_BETTER`); of ``ours``
        if there is no ratio. None if no goal is set.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: float | None
    unit: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        if self.goal is None:
            return None
        reached = self.ours if self.ratio is None else self.ratio
        return reached <= self.goal if self.name.endswith(LESS_IS_BETTER) else reached >= self.goal

    def to_json(self) -> str:
        """One JSON object on one line."""
        return json.dumps(asdict(self))


def rates(*candidates: Callable[[], int], rounds: int) -> list[float]:
    """Each candidate's rate per second: the median of rounds in which all take turns.

    Taking turns spreads other load on the machine evenly. Each candidate returns its count of
    items; a first round is a warm-up and does not count.
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
    """Pin this thread to one core, if the system supports it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
