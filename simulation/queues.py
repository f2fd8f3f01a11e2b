"""What waits between two hops: portions of changes, in order, with the time they were made."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOTHING = 1e-6
"""Portions are split into fractions, so that a sum may miss zero by a little."""


@dataclass
class Portion:
    """Changes that were made at one time; ``hot``: all of the hot key."""

    made: float
    count: float
    hot: bool = False


class Queue:
    """Portions in the order in which they came."""

    def __init__(self) -> None:
        self.total = 0.0
        self._portions: deque[Portion] = deque()

    def put(self, portions: Iterable[Portion]) -> None:
        """Add at the end."""
        for one in portions:
            if one.count > NOTHING:
                self._portions.append(one)
                self.total += one.count

    def take(self, count: float) -> list[Portion]:
        """Take that many changes from the front, or all if there are fewer."""
        taken, left = [], count
        while self._portions and left > NOTHING:
            first = self._portions[0]
            part = min(first.count, left)
            taken.append(Portion(first.made, part, first.hot))
            left -= part
            first.count -= part
            self.total -= part
            if first.count <= NOTHING:
                self._portions.popleft()
        if not self._portions:
            self.total = 0.0
        return taken

    def expire(self, made_before: float) -> float:
        """Drop what is older; returns how much it was."""
        lost = 0.0
        while self._portions and self._portions[0].made < made_before:
            lost += self._portions.popleft().count
        self.total = max(0.0, self.total - lost)
        return lost

    @property
    def oldest(self) -> float:
        """When the first waiting change was made; infinite if none waits."""
        return self._portions[0].made if self._portions else math.inf


@dataclass
class Lane:
    """``width`` equal shards whose load is equal too, so that one queue stands for all."""

    width: float
    queue: Queue


class Lanes:
    """The shards of a stream; with a hot key, its shard is a lane apart.

    Changes of other keys spread evenly over all shards, so some share the hot one.
    """

    def __init__(self, shards: float, *, hot: bool) -> None:
        self.shards = shards
        apart = hot and shards > 1
        self.lanes = [Lane(1, Queue())] if apart else []
        self.lanes.append(Lane(shards - 1 if apart else shards, Queue()))

    def split(self, portions: Sequence[Portion]) -> list[list[Portion]]:
        """The portions by lane."""
        if len(self.lanes) == 1:
            return [list(portions)]
        hot, rest = [], []
        for one in portions:
            if one.hot:
                hot.append(one)
            else:
                share = one.count / self.shards
                hot.append(Portion(one.made, share))
                rest.append(Portion(one.made, one.count - share))
        return [hot, rest]

    def put(self, portions: Sequence[Portion]) -> None:
        """Add each portion to its lanes."""
        for lane, part in zip(self.lanes, self.split(portions), strict=True):
            lane.queue.put(part)

    @property
    def total(self) -> float:
        """How many changes wait."""
        return sum(lane.queue.total for lane in self.lanes)

    @property
    def oldest(self) -> float:
        """When the oldest waiting change was made."""
        return min(lane.queue.oldest for lane in self.lanes)

    def expire(self, made_before: float) -> float:
        """Drop what is older; returns how much it was."""
        return sum(lane.queue.expire(made_before) for lane in self.lanes)


def amount(portions: Iterable[Portion]) -> float:
    """How many changes the portions hold."""
    return sum(one.count for one in portions)
