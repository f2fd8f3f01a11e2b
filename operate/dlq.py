"""Redrive the pipe's dead-letter queue: its messages point to changes missing in Kinesis."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from botocore.exceptions import ClientError

from operate import changes, values
from operate.account import Account, ReplayError
from operate.failed import order_of
from operate.sending import Outgoing, Sender, waves
from operate.verify import OUTPUTS as VERIFY_OUTPUTS
from operate.verify import Verifier

OUTPUTS = ("dlqUrl", "kinesisStreamName", "tableName", "region", "pipeName", "streamArn")
REPAIR_OUTPUTS = (*OUTPUTS, *VERIFY_OUTPUTS, "projectionTable")
_HIDDEN_SECONDS = 600  # visibility timeout of a message in work
_RECEIVE_MOST = 10
_GONE = {"TrimmedDataAccessException", "ResourceNotFoundException"}
# Formats of the DynamoDB Streams API.
_SEQUENCE = re.compile(r"[0-9]{21,40}")
_SHARD = re.compile(r"[A-Za-z0-9-]{28,65}")
_STREAM = re.compile(r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table/[^/]+/stream/.+")
_REQUEST_BYTES = 3_000_000  # of Lambda's 6 MB for request and response: an enrichment may add data
_EMPTY_READS = 25  # in a row from an open shard: then no more records follow


@dataclass(frozen=True)
class Pointer:
    """A message, which points to changes the pipe gave up on.

    Attributes
    ----------
    first_at, last_at:
        The times of the first and last change, as given in the message.
    """

    message_id: str
    receipt: str = field(repr=False)
    stream_arn: str
    shard: str
    start: str
    end: str
    size: int
    condition: str
    first_at: str
    last_at: str

    @classmethod
    def parse(cls, message: Mapping[str, Any]) -> Pointer:
        """Read an SQS message.

        Raises
        ------
        ReplayError
            The message is not from a pipe.
        """
        try:
            body = orjson.loads(message["Body"])
            batch = body["DDBStreamBatchInfo"]
            pointer = cls(
                message["MessageId"],
                message["ReceiptHandle"],
                str(batch["streamArn"]),
                str(batch["shardId"]),
                str(batch["startSequenceNumber"]),
                str(batch["endSequenceNumber"]),
                int(batch["batchSize"]),
                str((body.get("context") or {}).get("condition", "")),
                str(batch.get("approximateArrivalOfFirstRecord", "")),
                str(batch.get("approximateArrivalOfLastRecord", "")),
            )
            if not all(_SEQUENCE.fullmatch(one) for one in (pointer.start, pointer.end)):
                raise ValueError
            if not (_SHARD.fullmatch(pointer.shard) and _STREAM.fullmatch(pointer.stream_arn)):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            identity = message.get("MessageId", "?")
            raise ReplayError(
                f"message {identity}: not a pointer to changes of a DynamoDB stream; left there"
            ) from None
        return pointer


@dataclass(frozen=True)
class Gone:
    """Changes that a message points to but that have expired from the stream.

    Attributes
    ----------
    orders:
        Orders of the message's remaining changes. The lost changes may belong to them.
    """

    message_id: str
    shard: str
    start: str
    end: str
    first_at: str
    last_at: str
    missing: int
    orders: Sequence[str]

    def __str__(self) -> str:
        orders = f"; still there: changes of {', '.join(self.orders)}" if self.orders else ""
        return (
            f"message {self.message_id}: about {self.missing} changes of {self.first_at} to "
            f"{self.last_at} ({self.shard}, {self.start} to {self.end}) are gone from the "
            f"table's stream{orders}"
        )


@dataclass
class Outcome:
    """The result of a run, as counts.

    Attributes
    ----------
    messages:
        deleted + kept.
    changes:
        Changes that the stream still has.
    sent:
        Records put into Kinesis. An enrichment may return more or fewer events than changes.
    shortened, compressed:
        Sent and repaired records that were too large for Firehose (`changes.fit`).
    repaired:
        Orders whose current state was sent.
    """

    messages: int = 0
    deleted: int = 0
    kept: int = 0
    changes: int = 0
    sent: int = 0
    shortened: int = 0
    compressed: int = 0
    filtered: int = 0
    repaired: int = 0
    gone: list[Gone] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


@dataclass(frozen=True)
class _Pipe:
    """The parts of a pipe's definition that affect its changes."""

    patterns: Sequence[Any]
    enrichment: str | None
    batch_size: int

    def carries(self, change: Mapping[str, Any]) -> bool:
        """Whether a change passes the filters."""
        # Imported late: few runs need it.
        from client.event_pattern import matches  # noqa: PLC0415

        return not self.patterns or any(matches(one, change) for one in self.patterns)


class DeadLetters:
    """A stack's dead-letter queue.

    Parameters
    ----------
    on_progress:
        Called with the number of messages done and the total.
    stop:
        When set, no further message is started.
    """

    def __init__(
        self,
        account: Account,
        *,
        on_progress: Callable[[int, int], None] = lambda *_: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._account = account
        self._sqs = account.client("sqs")
        self._streams = account.client("dynamodbstreams")
        self._queue = account["dlqUrl"]
        self._sender = Sender(account.client("kinesis"), account["kinesisStreamName"])
        self._schema = account.schema()
        self._progress = on_progress
        self._stop = stop or threading.Event()

    def run(self, *, dry_run: bool = False, repair: bool = False, settle: float = 0) -> Outcome:
        """Send the changes that the messages point to, oldest first; delete finished messages.

        Raises
        ------
        ReplayError
            Kinesis keeps rejecting records, or the pipe's enrichment fails.
        """
        pipe = self._pipe()
        outcome = Outcome()
        messages = self._receive()
        outcome.messages = len(messages)
        pointers = []
        for message in messages:
            try:
                pointers.append(Pointer.parse(message))
            except ReplayError as error:
                outcome.problems.append(str(error))
        receipts = {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        lost: list[Pointer] = []
        try:
            for done, pointer in enumerate(sorted(pointers, key=lambda one: int(one.start))):
                self._progress(done, len(pointers))
                if self._stop.is_set():
                    break
                if self._pass_on(pointer, pipe, outcome, dry_run=dry_run):
                    self._delete(pointer, receipts, outcome)
                elif outcome.gone and outcome.gone[-1].message_id == pointer.message_id:
                    lost.append(pointer)
            if lost and repair and not dry_run and not self._stop.is_set():
                outcome.repaired = self._repair(settle, outcome)
                for pointer in lost:
                    self._delete(pointer, receipts, outcome)
        finally:
            outcome.kept = len(receipts)
            for receipt in receipts.values():  # so that the next run sees them at once
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=0
                )
        return outcome

    def _repair(self, settle: float, outcome: Outcome) -> int:
        """Send the current state of each order that differs between table and lake."""
        verifier = Verifier(self._account)
        verdict = verifier.settle(settle, stop=self._stop)
        known = self._highest_numbers(verifier, [one.key for one in verdict.differences])
        made = []
        for one in verdict.differences:
            item = verifier.item(one.key)
            stored = verifier.stored_key(one.key)
            keys = {name: (item or stored)[name] for name in self._schema.key_attributes}
            data = changes.repair(
                keys=keys,
                item=item,
                known=known.get(one.key),
                stream_arn=self._account["streamArn"],
                region=self._account["region"],
            )
            made.append(data)
        return self._send(made, outcome)

    def _pipe(self) -> _Pipe:
        """The pipe's filters and enrichment."""
        pipe = self._account.client("pipes").describe_pipe(Name=self._account["pipeName"])
        source = pipe.get("SourceParameters", {})
        filters = source.get("FilterCriteria", {}).get("Filters", [])
        return _Pipe(
            patterns=[orjson.loads(one["Pattern"]) for one in filters],
            enrichment=pipe.get("Enrichment"),
            batch_size=source.get("DynamoDBStreamParameters", {}).get("BatchSize", 100),
        )

    def _enriched(self, events: Sequence[Any], pipe: _Pipe) -> list[Any]:
        """The response of the pipe's enrichment function: any number of events of any form.

        Raises
        ------
        ReplayError
            The function failed.
        """
        if not pipe.enrichment:
            return [*events]
        made: list[Any] = []
        function = self._account.client("lambda")
        for payload in _payloads(events, pipe.batch_size):
            answer = function.invoke(FunctionName=pipe.enrichment, Payload=payload)
            body = answer["Payload"].read()
            if answer.get("FunctionError"):
                raise ReplayError(
                    f"the pipe's enrichment failed, its messages stay: {pipe.enrichment}: "
                    f"{body[:300].decode(errors='replace')}"
                )
            part = orjson.loads(body)
            made += part if isinstance(part, list) else [part]
        return made

    def _receive(self) -> list[dict[str, Any]]:
        """Every visible message, each once."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=_RECEIVE_MOST,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,  # long polling queries all SQS servers
            )
            messages = answer.get("Messages", [])
            if not messages:
                return list(found.values())
            for message in messages:
                found[message["MessageId"]] = message

    def _pass_on(
        self,
        pointer: Pointer,
        pipe: _Pipe,
        outcome: Outcome,
        *,
        dry_run: bool,
    ) -> bool:
        """Send the changes that a message points to; True when all of them arrived."""
        records, whole = self._read(pointer)
        outcome.changes += len(records)
        events = [orjson.loads(changes.from_stream(one, pointer.stream_arn)) for one in records]
        carried = [event for event in events if pipe.carries(event)]
        outcome.filtered += len(events) - len(carried)
        orders = {order_of(orjson.dumps(one), self._schema) or one["eventID"] for one in carried}
        if not whole:
            missing = max(1, pointer.size - len(records))
            outcome.gone.append(
                Gone(
                    pointer.message_id,
                    pointer.shard,
                    pointer.start,
                    pointer.end,
                    pointer.first_at,
                    pointer.last_at,
                    missing,
                    sorted(orders),
                )
            )
        if dry_run:
            return False
        made = [orjson.dumps(event) for event in self._enriched(carried, pipe)]
        sent = self._send(made, outcome)
        outcome.sent += sent
        return whole and sent == len(made)

    def _send(self, records: Sequence[bytes], outcome: Outcome) -> int:
        """Send those that fit into Firehose, made smaller if necessary; return how many."""
        outgoing = []
        for number, data in enumerate(records):
            key = order_of(data, self._schema) or hashlib.sha256(data).hexdigest()
            fitted = changes.fit(data)
            if fitted is None:
                outcome.problems.append(
                    f"order {key}: {len(data):,} bytes are too large for a record, even "
                    "compressed; its message stays. Let the enrichment add less"
                )
                continue
            outcome.shortened += fitted.form == "shortened"
            outcome.compressed += fitted.form == "compressed"
            outgoing.append(Outgoing(number, fitted.data, key))
        for wave in waves(outgoing):
            self._sender.put(wave)
        return len(outgoing)

    def _read(self, pointer: Pointer) -> tuple[list[dict[str, Any]], bool]:
        """The changes from the pointer's start to its end, and whether they are complete."""
        try:
            iterator, whole = self._iterator(pointer)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return [], False
        found: list[dict[str, Any]] = []
        empty = 0
        while iterator and empty < _EMPTY_READS:
            try:
                answer = self._streams.get_records(ShardIterator=iterator)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _GONE:
                    raise
                return found, False
            for record in answer["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number > int(pointer.end):
                    return found, whole
                if number >= int(pointer.start):
                    found.append(record)
                if number == int(pointer.end):
                    return found, whole
            empty = 0 if answer["Records"] else empty + 1
            iterator = answer.get("NextShardIterator")
        return found, False

    def _iterator(self, pointer: Pointer) -> tuple[str, bool]:
        where = {"StreamArn": pointer.stream_arn, "ShardId": pointer.shard}
        try:
            answer = self._streams.get_shard_iterator(
                **where,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=pointer.start,
            )
            return answer["ShardIterator"], True
        except ClientError as error:
            if error.response["Error"]["Code"] != "TrimmedDataAccessException":
                raise
        # The first changes have expired; later ones may still be there.
        answer = self._streams.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON")
        return answer["ShardIterator"], False

    def _delete(self, pointer: Pointer, receipts: dict[str, str], outcome: Outcome) -> None:
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=pointer.receipt)
        del receipts[pointer.message_id]
        outcome.deleted += 1

    def _highest_numbers(
        self, verifier: Verifier, keys: Sequence[tuple[str, ...]]
    ) -> dict[tuple[str, ...], str]:
        """The highest sequence number of each of these orders in the lake."""
        found: dict[tuple[str, ...], str] = {}
        names = ", ".join(f'"{name}"' for name in self._schema.keys)
        for start in range(0, len(keys), 100):
            some = " OR ".join(f"({verifier.where(key)})" for key in keys[start : start + 100])
            rows = self._account.rows(
                f"SELECT {names}, max(sequence_number) AS highest "  # noqa: S608 - quoted by where
                f"FROM {self._account['projectionTable']} WHERE {some} GROUP BY {names}"
            )
            for row in rows:
                found[values.key_of_row(self._schema, row)] = row["highest"] or "0"
        return found


def _payloads(events: Sequence[Any], most: int) -> Iterator[bytes]:
    """Split events into requests to a function: JSON arrays within Lambda's limits."""
    batch: list[bytes] = []
    size = 0
    for event in map(orjson.dumps, events):
        if batch and (len(batch) == most or size + len(event) > _REQUEST_BYTES):
            yield b"[" + b",".join(batch) + b"]"
            batch, size = [], 0
        batch.append(event)
        size += len(event)
    if batch:
        yield b"[" + b",".join(batch) + b"]"
