"""How a backlog grows while more comes in than a hop takes, and how it drains afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Throughput:
    """What a hop takes in changes a second.

    Attributes
    ----------
    at_once:
        From the first second.
    at_most:
        After it has scaled.
    doubles_seconds:
        Seconds after which it takes twice as much, if it scales by itself.
    """

    at_once: float
    at_most: float
    doubles_seconds: float = math.inf

    def after(self, seconds: float) -> float:
        """What it takes when it has been busy for so long."""
        if math.isinf(self.doubles_seconds):
            return self.at_most
        doubled = min(math.floor(seconds / self.doubles_seconds), 64)
        return min(self.at_most, self.at_once * 2.0**doubled)

    def next_change(self, seconds: float) -> float:
        """When it next takes more."""
        if self.after(seconds) >= self.at_most:
            return math.inf
        return (math.floor(seconds / self.doubles_seconds) + 1) * self.doubles_seconds


@dataclass(frozen=True)
class Phase:
    """``rate`` changes a second for ``seconds``."""

    rate: float
    seconds: float


@dataclass(frozen=True)
class Backlog:
    """What piles up, and how long after the last phase it is gone (None: never)."""

    most: float
    drained_after: float | None


def backlog(phases: Sequence[Phase], hops: Sequence[Throughput], held: float = 0.0) -> Backlog:
    """Follow a backlog through phases of different rates; the last rate then lasts for ever.

    Parameters
    ----------
    hops:
        The slowest decides at every moment.
    held:
        What waits at the beginning, which is when the hops begin to be busy.

    Examples
    --------
    An outage of 30 minutes at 1,000 changes a second, then 4,000 a second:
    1,800,000 changes drain at 3,000 a second, in 600 seconds.

    >>> backlog([Phase(1000, 0)], [Throughput(4000, 4000)], held=1_800_000)
    Backlog(most=1800000.0, drained_after=600.0)
    """
    now, most = 0.0, float(held)
    amount = float(held)
    ends, end = [], 0.0
    for phase in phases:
        end += phase.seconds
        ends.append((end, phase.rate))
    last_rate = phases[-1].rate
    while True:
        rate = next((rate for until, rate in ends if until > now), last_rate)
        phase_ends = next((until for until, _ in ends if until > now), math.inf)
        until = min(phase_ends, *(hop.next_change(now) for hop in hops))
        spare = min(hop.after(now) for hop in hops) - rate
        if now >= end and amount <= 0 <= spare:
            return Backlog(most, now - end)
        if spare > 0 and amount > 0 and now + amount / spare <= until:
            now += amount / spare
            amount = 0.0
            if now >= end:
                return Backlog(most, now - end)
            continue
        if math.isinf(until):
            return Backlog(most if spare >= 0 else math.inf, None)
        amount = max(0.0, amount - spare * (until - now))
        most = max(most, amount)
        now = until


def seconds_until_lost(
    rate: float, takes: float, keeps: float, outage: float = 0.0
) -> float | None:
    """When the oldest waiting change is as old as the store keeps it, from the outage's end.

    A hop that takes less than comes in falls behind by ``1 - takes / rate`` seconds a second.
    None: it keeps up, so nothing is lost.

    >>> seconds_until_lost(rate=2000, takes=1000, keeps=86_400)
    172800.0
    """
    if takes >= rate:
        return None
    return (keeps - outage) / (1 - takes / rate)
