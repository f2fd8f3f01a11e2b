"""Scan a table in segments, strongly consistent and within a rate."""

from __future__ import annotations

import email.utils
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_FIRST_PAGE = 100  # items; the next pages are sized by what this one cost


class Pace:
    """A rate limit, in units a second, shared by threads."""

    def __init__(self, a_second: float) -> None:
        self.a_second = a_second
        self._free_at = time.monotonic()
        self._lock = threading.Lock()

    def spend(self, units: float, stop: threading.Event) -> None:
        """Wait to stay within the rate after using these units; ``stop`` ends the wait."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + units / self.a_second
            wait = self._free_at - now
        stop.wait(wait)


@dataclass(frozen=True)
class Page:
    """Items of one response.

    Attributes
    ----------
    read_at:
        When they were read, by AWS's clock, to the second.
    last:
        The key after which the segment continues; None if this was its last page.
    """

    items: list[dict[str, Any]]
    read_at: datetime
    last: dict[str, Any] | None


def pages(
    dynamodb: Any,
    table: str,
    *,
    segment: int,
    segments: int,
    pace: Pace,
    stop: threading.Event,
    after: Mapping[str, Any] | None = None,
    **asked: Any,
) -> Iterator[Page]:
    """A segment's pages, from the start or from ``after`` a key, until ``stop``.

    A page is as large as the segment's share of the rate allows for a second.
    """
    limit = _FIRST_PAGE
    while not stop.is_set():
        answer = dynamodb.scan(
            TableName=table,
            ConsistentRead=True,
            Segment=segment,
            TotalSegments=segments,
            Limit=limit,
            ReturnConsumedCapacity="TOTAL",
            **asked,
            **({"ExclusiveStartKey": after} if after else {}),
        )
        after = last = answer.get("LastEvaluatedKey")
        yield Page(answer["Items"], aws_time(answer), last)
        if not after:
            return
        units = answer["ConsumedCapacity"]["CapacityUnits"]
        limit = max(1, int(answer["ScannedCount"] * pace.a_second / segments / max(units, 0.5)))
        pace.spend(units, stop)


def parallel(
    dynamodb: Any, table: str, *, segments: int, pace: Pace, **asked: Any
) -> Iterator[list[dict[str, Any]]]:
    """The items of all segments' pages, as they arrive; the scan ends with the iterator."""
    arrived: queue.Queue[list[dict[str, Any]] | Exception | None] = queue.Queue(segments)
    over = threading.Event()

    def work(segment: int) -> None:
        try:
            read = pages(
                dynamodb,
                table,
                segment=segment,
                segments=segments,
                pace=pace,
                stop=over,
                **asked,
            )
            for page in read:
                arrived.put(page.items)
            arrived.put(None)
        except Exception as error:  # raised again where the pages are read
            arrived.put(error)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(segments)]
    for thread in threads:
        thread.start()
    running = segments
    try:
        while running:
            page = arrived.get()
            if isinstance(page, Exception):
                raise page
            if page is None:
                running -= 1
            else:
                yield page
    finally:
        over.set()
        while any(thread.is_alive() for thread in threads):
            with suppress(queue.Empty):  # nobody waits at a full queue
                arrived.get(timeout=0.05)


def aws_time(answer: Mapping[str, Any]) -> datetime:
    """The time of a response, by AWS's clock."""
    return email.utils.parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
