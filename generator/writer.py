"""Write operations to DynamoDB in concurrent batches, with each order's changes in order.

All writes use BatchWriteItem; updates are puts of the whole item. The stream shows MODIFY for them
as for UpdateItem, the capacity cost is the same, and one call carries 25 changes instead of one:
against the emulator that is some 15 times the items a second. Puts are also idempotent, so a batch
repeated after a lost response changes nothing twice. The drawback: attributes that others add to
our orders during a run are overwritten.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from generator.orders import Operation, lasting_columns
from generator.pacer import Pacer
from schema import ORDERS

BATCH: Final = 25
"""BatchWriteItem's limit."""
ATTEMPTS: Final = 10
"""Consecutive tries without any write before a batch fails: about 10 s."""
_BACKOFF_BASE: Final = 0.05
_BACKOFF_CAP: Final = 5.0
_PARKED: Final = 2_000
"""Maximum number of operations that wait for an earlier one of their order."""
_THROTTLED: Final = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
)
_SERVER_ERROR: Final = 500
_WATCH: Final = 0.1
"""Seconds after which a waiting thread checks `stop`."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a run.

    Attributes
    ----------
    inserted, updated, deleted:
        Operations that were written.
    failed:
        Operations that failed after all retries, and later ones of the same orders, which were
        skipped.
    throttled:
        How often an operation was throttled and retried.
    seconds:
        Duration.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    failed: int = 0
    throttled: int = 0
    seconds: float = 0.0

    @property
    def written(self) -> int:
        """All changes written."""
        return self.inserted + self.updated + self.deleted

    def to_json(self) -> str:
        """The counts as one JSON object."""
        return json.dumps(asdict(self))


class WriteError(Exception):
    """Writing stopped because a retry would not help. `report` has the counts so far."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def write(
    client: Any,
    table_name: str,
    operations: Iterable[Operation],
    *,
    concurrency: int = 8,
    rate: float | None = None,
    duration: float | None = None,
    on_progress: Callable[[Report], None] | None = None,
    stop: threading.Event | None = None,
    journal: Callable[[Operation], None] | None = None,
) -> Report:
    """Write ``operations`` to the table, at ``rate`` or as fast as possible.

    Parameters
    ----------
    client:
        A boto3 DynamoDB client. It needs DescribeTable and BatchWriteItem only. Ours turns off
        botocore's retries and parameter validation, which saves half of the time.
    concurrency:
        Concurrent batches.
    rate:
        Inserts a second; updates and deletes go with the inserts before them.
    duration:
        Seconds after which no new batch starts.
    on_progress:
        Called with the counts so far after each batch, by one thread at a time.
    stop:
        Set it to end early: current batches are finished, nothing is retried.
    journal:
        Called with each written operation, by one thread at a time and in order per order.

    Raises
    ------
    WriteError
        The table is missing or unusable, access is denied, or credentials have expired.
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        The table could not be described; nothing was written.
    """
    keys = _key_names(client, table_name)
    stop = stop or threading.Event()
    feed = _Feed(operations, Pacer(rate) if rate else None, stop, duration)
    run = _Run(client, table_name, keys, feed, stop=stop, on_progress=on_progress, journal=journal)
    threads = [threading.Thread(target=run.work, name=f"writer-{n}") for n in range(concurrency)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:  # Ctrl-C without a handler: stop all threads
        stop.set()
        for thread in threads:
            thread.join()
        raise
    return run.result()


def _key_names(client: Any, table_name: str) -> tuple[str, ...]:
    table = client.describe_table(TableName=table_name)["Table"]
    keys = tuple(key["AttributeName"] for key in table["KeySchema"])
    problem = ""
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        problem = f"it is {table['TableStatus']}; wait until it is ACTIVE"
    elif keys[0] != ORDERS.key:
        problem = f"its partition key is {keys[0]!r}, that of an order is {ORDERS.key!r}"
    elif unfit := [key for key in keys if key not in lasting_columns(ORDERS)]:
        problem = f"its sort key {unfit[0]!r} is not a column that an order keeps for life"
    if problem:
        raise WriteError(f"table {table_name!r} cannot be written: {problem}", Report())
    return keys


class _Feed:
    """Gives batches to several threads, never two operations of one order at the same time.

    An operation whose order is in progress is parked until the earlier one is done. So an update
    never overtakes its insert or an earlier update.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        pacer: Pacer | None,
        stop: threading.Event,
        duration: float | None,
    ) -> None:
        self._operations = iter(operations)
        self._pacer = pacer
        self._stop = stop
        self._deadline = time.monotonic() + duration if duration else math.inf
        self._changed = threading.Condition()
        self._busy: dict[str, deque[Operation]] = {}  # order in progress: its parked operations
        self._parked = 0
        self._ready: deque[Operation] = deque()  # were parked, ready now; their orders stay busy
        self._lost: set[str] = set()  # orders with a failed operation
        self._ended = False
        self._watched = False  # one waiting thread watches the clock for all
        self.skipped = 0

    def take(self) -> list[Operation]:
        """Wait for the next batch; empty at the end."""
        with self._changed:
            while True:
                batch = self._fill()
                if batch:
                    self._changed.notify()
                    return batch
                if self._over():
                    self._changed.notify_all()
                    return []
                self._wait()

    def release(self, operations: Iterable[Operation], *, lost: bool = False) -> None:
        """Mark these as written or ``lost``; release or skip operations parked behind them."""
        with self._changed:
            for operation in operations:
                waiting = self._busy[operation.orderid]
                if lost:
                    self._lost.add(operation.orderid)
                    self.skipped += len(waiting)
                    self._parked -= len(waiting)
                elif waiting:
                    self._ready.append(waiting.popleft())
                    self._parked -= 1
                    continue
                del self._busy[operation.orderid]
            self._changed.notify()

    def abort(self) -> None:
        """Give out no more batches."""
        with self._changed:
            self._ended = True
            self._ready.clear()
            self._parked = 0
            self._changed.notify_all()

    def _fill(self) -> list[Operation]:
        if self._stop.is_set():
            return []
        batch = [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]
        while len(batch) < BATCH and self._parked < _PARKED and self._due():
            operation = next(self._operations, None)
            if operation is None:
                self._ended = True
                break
            if self._pacer and operation.kind == "insert":
                self._pacer.placed()
            order = operation.orderid
            if order in self._lost:
                self.skipped += 1
            elif order in self._busy:
                self._busy[order].append(operation)
                self._parked += 1
            else:
                self._busy[order] = deque()
                batch.append(operation)
        return batch

    def _due(self) -> bool:
        return not self._closed() and (self._pacer is None or self._pacer.wait() <= 0)

    def _closed(self) -> bool:
        return self._ended or time.monotonic() >= self._deadline

    def _over(self) -> bool:
        return self._stop.is_set() or (self._closed() and not self._parked and not self._ready)

    def _wait(self) -> None:
        if self._watched:
            self._changed.wait()
            return
        self._watched = True
        due = self._pacer.wait() if self._pacer and not self._closed() else _WATCH
        self._changed.wait(min(max(due, 0), _WATCH))
        self._watched = False


class _Run:
    """The threads' work and counts."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        keys: tuple[str, ...],
        feed: _Feed,
        *,
        stop: threading.Event,
        on_progress: Callable[[Report], None] | None,
        journal: Callable[[Operation], None] | None,
    ) -> None:
        self._client = client
        self._table = table_name
        self._keys = keys
        self._feed = feed
        self._stop = stop
        self._on_progress = on_progress
        self._journal = journal
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._error: Exception | None = None

    def work(self) -> None:
        """Write batches until there are no more or an error stops it."""
        try:
            while batch := self._feed.take():
                self._write(batch)
        except Exception as error:  # raised in the caller's thread by `result`
            self._error = self._error or error
            self._feed.abort()

    def result(self) -> Report:
        """The report; raises the error that stopped the run."""
        report = self._report()
        if isinstance(self._error, ClientError | BotoCoreError | OSError):
            raise WriteError(str(self._error), report) from self._error
        if self._error:
            raise self._error
        return report

    def _write(self, batch: list[Operation]) -> None:
        tries = 0
        while batch:
            back = self._send(batch)
            done = [operation for operation in batch if operation not in back] if back else batch
            self._record(done)
            self._feed.release(done)
            batch = back
            tries = tries + 1 if not done else 1
            # Full jitter: threads that retry together are throttled together.
            pause = random.uniform(0, min(_BACKOFF_CAP, _BACKOFF_BASE * 2**tries))  # noqa: S311
            if batch and (tries >= ATTEMPTS or self._stop.wait(pause)):
                self._record((), failed=len(batch))
                self._feed.release(batch, lost=True)
                return

    def _send(self, batch: list[Operation]) -> list[Operation]:
        """Try once; return the unprocessed operations."""
        try:
            answer = self._client.batch_write_item(
                RequestItems={self._table: [self._request(operation) for operation in batch]}
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _THROTTLED:
                self._counts_throttled(len(batch))
            elif status < _SERVER_ERROR:
                raise
            return batch
        except (NoConnection, HTTPClientError):
            return batch  # may have been written; writing it again changes nothing
        unprocessed = answer.get("UnprocessedItems", {}).get(self._table, ())
        if not unprocessed:
            return []
        self._counts_throttled(len(unprocessed))
        names = {
            self._name(r["PutRequest"]["Item"] if "PutRequest" in r else r["DeleteRequest"]["Key"])
            for r in unprocessed
        }
        return [operation for operation in batch if self._name(operation.item) in names]

    def _request(self, operation: Operation) -> dict[str, Any]:
        if operation.kind == "delete":
            return {"DeleteRequest": {"Key": {key: operation.item[key] for key in self._keys}}}
        return {"PutRequest": {"Item": operation.item}}

    def _name(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(item[key]) for key in self._keys)

    def _counts_throttled(self, number: int) -> None:
        with self._lock:
            self._counts["throttled"] += number

    def _record(self, done: Sequence[Operation], *, failed: int = 0) -> None:
        with self._lock:
            self._counts["failed"] += failed
            for operation in done:
                self._counts[operation.kind] += 1
                if self._journal:
                    self._journal(operation)
            if self._on_progress:
                self._on_progress(self._report())

    def _report(self) -> Report:
        counts = self._counts
        return Report(
            inserted=counts["insert"],
            updated=counts["update"],
            deleted=counts["delete"],
            failed=counts["failed"] + self._feed.skipped,
            throttled=counts["throttled"],
            seconds=round(time.monotonic() - self._started, 3),
        )
