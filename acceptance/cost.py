"""Estimate the cost of a run on AWS from the list prices of ``analytics cost``."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analytics.cost import HOURS
from client.prices import PRICES

RUN_HOURS = 1.5
"""Lifetime of the stack: a little more than the hour between two changes of the TTL."""
_CHANGES = 3.0
"""Changes per order, including those of later checks."""
_QUERIES = 700
"""Checks query Athena repeatedly until a change has arrived; each query is billed as 10 MB."""
_CRAWLS = 4
"""One successful crawl, and up to three until one fails; each is billed as ten minutes."""
_ALARMS, _METRICS = 20, 20
"""Billed by the hour, as a share of the monthly price."""
_DPUS, _CRAWL_HOURS, _FAILED_JOB_HOURS, _JOB_HOURS = 2, 10 / 60, 2 / 60, 5 / 60


def lines(orders: int, *, batch: bool = False) -> Iterator[tuple[str, float]]:
    """The usage, by the name of its price."""
    changes = orders * _CHANGES
    month = RUN_HOURS / HOURS
    yield "table writes", changes
    yield "pipe", changes
    yield "stream shards", 2 * math.ceil(RUN_HOURS)
    yield "stream puts", changes
    yield "firehose", changes * 5 * 1024 / 1e9
    yield "lake puts", 500
    yield "athena", _QUERIES * 0.01 / 1000
    yield "glue", _CRAWLS * _DPUS * _CRAWL_HOURS + _DPUS * _FAILED_JOB_HOURS
    if batch:
        yield "glue", _DPUS * _JOB_HOURS
    yield "alarms", _ALARMS * month
    yield "metrics", _METRICS * month
    yield "dashboards", month


def estimate(orders: int, *, batch: bool = False) -> float:
    """Cost of a run in USD."""
    return sum(PRICES[name].usd * amount for name, amount in lines(orders, batch=batch))
