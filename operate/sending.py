"""Send records to the Kinesis stream, in order per order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from operate.account import ReplayError

_MOST_RECORDS = 500
_MOST_BYTES = 4_500_000  # of the 10 MiB limit of a call, keys included
_ATTEMPTS = 12
_FIRST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 0.1, 5.0


class Outgoing(NamedTuple):
    """A record to send; ``id`` is the caller's ID for it."""

    id: int
    data: bytes
    partition_key: str


class Receipt(NamedTuple):
    """A record's place in Kinesis."""

    shard: str
    sequence_number: str


def waves(records: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Split into PutRecords calls that hold each partition key once.

    PutRecords does not keep order within a call that fails in part, so an order's next change waits
    for the next call.
    """
    rest = list(records)
    while rest:
        wave: list[Outgoing] = []
        later: list[Outgoing] = []
        keys: set[str] = set()
        size = 0
        for one in rest:
            weight = len(one.data) + len(one.partition_key.encode())
            full = len(wave) == _MOST_RECORDS or (wave and size + weight > _MOST_BYTES)
            if full or one.partition_key in keys:
                later.append(one)
            else:
                wave.append(one)
                size += weight
            keys.add(one.partition_key)  # also for a waiting record: later ones of its key wait too
        yield wave
        rest = later


class Sender:
    """Puts waves into a stream.

    Attributes
    ----------
    in_doubt:
        A call is in progress or was interrupted, so it is unknown whether its records arrived.
    """

    def __init__(
        self, kinesis: Any, stream: str, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._sleep = sleep
        self.in_doubt = False

    def put(self, wave: Sequence[Outgoing]) -> dict[int, Receipt]:
        """Put one wave, retrying throttled records; return the receipts by ID.

        Raises
        ------
        NotSentError
            Some were still rejected at the end; it carries the receipts of the others.
        """
        receipts: dict[int, Receipt] = {}
        left = list(wave)
        code = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                most = min(_MOST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
                self._sleep(random.uniform(most / 2, most))  # noqa: S311 - jitter
            self.in_doubt = True
            answer = self._kinesis.put_records(
                StreamName=self._stream,
                Records=[{"Data": r.data, "PartitionKey": r.partition_key} for r in left],
            )
            refused = []
            for one, result in zip(left, answer["Records"], strict=True):
                if result.get("ErrorCode"):
                    refused.append(one)
                    code = f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}"
                else:
                    receipts[one.id] = Receipt(result["ShardId"], result["SequenceNumber"])
            self.in_doubt = False
            left = refused
            if not left:
                return receipts
        raise NotSentError(
            f"Kinesis still rejects {len(left)} records after {_ATTEMPTS} attempts ({code}): "
            "wait, or add shards, and run this again",
            receipts,
        )


class NotSentError(ReplayError):
    """Kinesis did not accept all records; ``receipts`` are those of the accepted ones."""

    def __init__(self, message: str, receipts: dict[int, Receipt]) -> None:
        super().__init__(message)
        self.receipts = receipts
