"""Even pacing at a given rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pacer:
    """Computes when orders are due, on a schedule that starts with the first call.

    The n-th order (from 0) is due n/rate seconds after the start, whatever happened to earlier
    ones: delays are caught up, and errors do not add up.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._start: float | None = None
        self._placed = 0

    def placed(self) -> None:
        """Count a placed order."""
        self._placed += 1

    def wait(self) -> float:
        """Seconds until the next order is due; 0 or less when one is."""
        now = self._clock()
        if self._start is None:
            self._start = now
        return self._start + self._placed / self._rate - now
