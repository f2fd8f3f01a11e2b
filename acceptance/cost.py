"""What a run costs on AWS, roughly, from the list prices that ``analytics cost`` uses."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analytics.cost import HOURS, PRICES

RUN_HOURS = 1.5
"""How long the stack is up: a little over the hour that a second change of the TTL has to wait."""
_CHANGES = 3.0
"""Written for each order, with what the later checks write."""
_QUERIES = 700
"""Athena is asked again and again until a change has arrived; each is billed as 10 MB."""
_CRAWLS = 4
"""One that finds its tables, and up to three until one fails; billed as ten minutes each."""
_ALARMS, _METRICS = 20, 20
"""Of a month's price only these hours are paid."""
_DPUS, _CRAWL_HOURS, _FAILED_JOB_HOURS, _JOB_HOURS = 2, 10 / 60, 2 / 60, 5 / 60


def lines(orders: int, *, batch: bool = False) -> Iterator[tuple[str, float]]:
    """What is used, by the name of its price."""
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
    """USD for a run."""
    return sum(PRICES[name].usd * amount for name, amount in lines(orders, batch=batch))
