"""A generator run: how many orders, how fast, and how much they change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


class PlanError(ValueError):
    """An invalid plan; the message lists every problem."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run of the generator.

    Parameters
    ----------
    count:
        Orders to place; None for no limit.
    duration:
        Seconds after which to stop; None for no limit. With both, whichever comes first.
    rate:
        Orders placed a second; None for no limit.
    updates, deletes:
        Shares of all changes that are updates and deletes; the rest are new orders. An order is
        deleted at most once, so `deletes` is at most the share of new orders.
    seed:
        The same seed gives the same orders and changes, at any concurrency; None for new ones.
    start:
        The time of the first order; the others follow in simulated time. None: each is placed now.
        A seed fixes everything but the times; with a start it fixes these too.

    Raises
    ------
    PlanError
        With every problem at once.
    """

    count: int | None = None
    duration: float | None = None
    rate: float | None = None
    updates: float = 0.3
    deletes: float = 0.1
    seed: int | None = None
    start: datetime | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.count is not None and self.count < 1:
            problems.append(f"count {self.count}: must be at least 1")
        for name in ("duration", "rate"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                problems.append(f"{name} {value:g}: must be above 0")
        shares = [name for name in ("updates", "deletes") if not 0 <= getattr(self, name) < 1]
        problems += [
            f"{name} {getattr(self, name):g}: a share of the changes is from 0 to below 1"
            for name in shares
        ]
        # Tolerance: 1 - 0.4 - 0.3 is 0.29999999999999993 in binary.
        if not shares and self.inserts < 1e-9:
            problems.append(
                f"updates {self.updates:g} + deletes {self.deletes:g} = "
                f"{self.updates + self.deletes:g}: must be below 1, the rest are new orders"
            )
        elif not shares and self.deletes > self.inserts + 1e-9:
            problems.append(
                f"deletes {self.deletes:g}: more than the share of new orders, {self.inserts:g}, "
                f"and an order is deleted only once; with updates {self.updates:g} use at most "
                f"{(1 - self.updates) / 2:g}"
            )
        if problems:
            raise PlanError("; ".join(problems))

    @property
    def inserts(self) -> float:
        """Share of all changes that are new orders."""
        return 1 - self.updates - self.deletes
