"""EventBridge Pipes from a DynamoDB stream to a Kinesis stream, acting as the pipe's own role.

Follows the EventBridge User Guide on stream sources: batches in order per shard, filtering,
enrichment, retries of failed records only, automatic bisecting, and a pointer in the dead-letter
queue for records that it gives up on. A batch goes to the enrichment and to Kinesis in one request.
The guide does not say that a pipe splits a request that is too large, so it fails and is bisected.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from client.event_pattern import matches
from local.account.authorize import Authorizer
from local.account.aws import Aws
from local.account.wire import JsonClient, boto_errors
from local.errors import AwsError
from local.standins.worker import FINISH_SECONDS, Worker

Record = dict[str, Any]
_UNLIMITED = -1
_PUT_RECORDS_MOST = 500


@dataclass(frozen=True, kw_only=True)
class PipeDefinition:
    """A pipe as the program declared it (seconds, counts; -1 is unlimited)."""

    name: str
    arn: str
    role_arn: str
    source_arn: str
    target_arn: str
    partition_key_path: str
    batch_size: int
    window_seconds: int
    max_age_seconds: int
    max_retries: int
    bisect: bool
    dead_letter_arn: str | None
    enrichment_arn: str | None
    patterns: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_api(cls, pipe: Mapping[str, Any]) -> PipeDefinition:
        """From the parameters of the CreatePipe call."""
        source = pipe["SourceParameters"]
        stream = source["DynamoDBStreamParameters"]
        if stream["StartingPosition"] != "TRIM_HORIZON":
            raise ValueError("the local pipe supports only TRIM_HORIZON")
        filters = source.get("FilterCriteria", {}).get("Filters", [])
        return cls(
            name=pipe["Name"],
            arn=pipe["Arn"],
            role_arn=pipe["RoleArn"],
            source_arn=pipe["Source"],
            target_arn=pipe["Target"],
            partition_key_path=pipe["TargetParameters"]["KinesisStreamParameters"]["PartitionKey"],
            batch_size=min(stream.get("BatchSize", 100), _PUT_RECORDS_MOST),
            window_seconds=stream.get("MaximumBatchingWindowInSeconds", 0),
            max_age_seconds=stream.get("MaximumRecordAgeInSeconds", _UNLIMITED),
            max_retries=stream.get("MaximumRetryAttempts", _UNLIMITED),
            bisect=stream.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
            dead_letter_arn=stream.get("DeadLetterConfig", {}).get("Arn"),
            enrichment_arn=pipe.get("Enrichment") or None,
            patterns=tuple(json.loads(one["Pattern"]) for one in filters),
        )


@dataclass
class PipeCounts:
    """The change record counts so far."""

    captured: int = 0
    filtered: int = 0
    bridged: int = 0
    dead_lettered: int = 0


@dataclass
class _Shard:
    id: str
    iterator: str | None = None
    held: list[Record] = field(default_factory=list)
    held_since: float = 0.0


class Pipe(Worker):
    """Forwards change records until stopped.

    Parameters
    ----------
    positions:
        Per shard, the last sequence number processed. Kept up to date: a new pipe with the same
        mapping continues where this one stopped.
    """

    def __init__(
        self, aws: Aws, definition: PipeDefinition, positions: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"pipe {definition.name}", definition.role_arn, aws.arrivals())
        self.definition = definition
        self.counts = PipeCounts()
        self.positions = {} if positions is None else positions
        self.paused = False
        self._aws = aws
        self._authorizer = Authorizer(aws)
        self._shards: dict[str, _Shard] = {}

    def open(self) -> None:
        """Assume the role and list the stream's shards."""
        credentials = self._credentials = self._aws.assume(self.role_arn, "pipe")
        # The emulator authorizes stream reads on `*`. So each call is authorized here on the
        # stream's ARN first, and then made as root.
        self._streams = JsonClient(self._aws, "dynamodb", self._aws.root)
        self._kinesis = JsonClient(self._aws, "kinesis", credentials)
        self._lambda = self._aws.client("lambda", credentials)
        self._sqs = self._aws.client("sqs", credentials)
        self._discover()

    def due_in(self) -> float:
        """Seconds until the first batch's window ends."""
        held = [shard.held_since for shard in self._shards.values() if shard.held]
        return min(held, default=math.inf) + self.definition.window_seconds - time.monotonic()

    def step(self) -> bool:
        """Read each shard once and deliver the batches that are due."""
        return self._pass_on(force=False)

    def pause(self) -> None:
        """Read no more, and return at once; `running` tells when the current step is done."""
        self.paused = True
        self.halt()

    def resume(self) -> None:
        """Continue after the last change that was delivered."""
        self.stop()
        # What was read but not delivered is read again.
        self.counts.captured -= sum(len(shard.held) for shard in self._shards.values())
        self._shards.clear()
        self.paused = False
        self.stopping.clear()
        self.start()

    def finish(self) -> None:
        """Read the rest of the stream and deliver everything that is buffered."""
        if self.paused:
            return
        deadline = time.monotonic() + FINISH_SECONDS
        while self._pass_on(force=True) and time.monotonic() < deadline:
            pass

    def _pass_on(self, *, force: bool) -> bool:
        """Read each shard once and deliver what is due (``force``: all); False if none read."""
        worked = False
        for shard in list(self._shards.values()):
            worked |= self._read(shard)
            due = force or time.monotonic() - shard.held_since >= self.definition.window_seconds
            while len(shard.held) >= self.definition.batch_size or (shard.held and due):
                batch = shard.held[: self.definition.batch_size]
                if not self._carry(shard, batch):
                    return False
                del shard.held[: len(batch)]
                self.positions[shard.id] = batch[-1]["dynamodb"]["SequenceNumber"]
        return worked

    def _read(self, shard: _Shard) -> bool:
        if shard.iterator is None or len(shard.held) >= self.definition.batch_size:
            return False
        try:
            answer = self._stream_call("GetRecords", ShardIterator=shard.iterator, Limit=1000)
        except AwsError as error:
            if not error.expired:
                raise
            self._open(shard)
            return True
        shard.iterator = answer.get("NextShardIterator")
        records: list[Record] = answer["Records"]
        if shard.iterator is None:
            self._discover()
        if not records:
            return False
        if not shard.held:
            shard.held_since = time.monotonic()
        for record in records:
            record["eventSourceARN"] = self.definition.source_arn
        shard.held += records
        self.counts.captured += len(records)
        return True

    def _discover(self) -> None:
        stream = self._stream_call("DescribeStream")["StreamDescription"]
        for one in stream["Shards"]:
            if one["ShardId"] in self._shards:
                continue
            shard = self._shards[one["ShardId"]] = _Shard(one["ShardId"])
            self._open(shard)

    def _open(self, shard: _Shard) -> None:
        """Continue after the last buffered record, or else after the last processed one."""
        last = self.positions.get(shard.id)
        if shard.held:
            last = shard.held[-1]["dynamodb"]["SequenceNumber"]
        start: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if last:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
        answer = self._stream_call("GetShardIterator", ShardId=shard.id, **start)
        shard.iterator = answer["ShardIterator"]

    def _stream_call(self, action: str, **body: Any) -> Any:
        source = self.definition.source_arn
        self._authorizer.check(self._credentials, f"dynamodb:{action}", [source])
        if action != "GetRecords":
            body["StreamArn"] = source
        return self._streams.call(action, body)

    def _carry(self, shard: _Shard, batch: Sequence[Record]) -> bool:
        """Filter, enrich and put one batch; give up only on the records that cannot be put.

        False if stopped before the batch was done; the batch is then read again.
        """
        wanted = [record for record in batch if self._wanted(record)]
        self.counts.filtered += len(batch) - len(wanted)
        # Each part has its own attempts, so that a bad part does not use up those of the others.
        pending = [(wanted, 0)] if wanted else []
        while pending:
            (part, attempts), error = pending.pop(0), None
            try:
                if self.definition.enrichment_arn is None:
                    left = self._put(part)
                else:  # an enriched event cannot be traced back to its records
                    left = [*part] if self._put(self._enrich(part)) else []
            except AwsError as failure:
                if failure.denied:
                    raise
                left, error = part, failure
            if not left:
                continue
            attempts += 1
            if self._exhausted(wanted, attempts):
                self._give_up(shard, left)
            elif error and not error.retryable and self.definition.bisect and len(left) > 1:
                middle = len(left) // 2
                pending[:0] = [(left[:middle], 0), (left[middle:], 0)]
            else:
                pending.insert(0, (left, attempts))
                self.backoff(attempts)
                if self.stopping.is_set():
                    return False
        return True

    def _wanted(self, record: Record) -> bool:
        patterns = self.definition.patterns
        return not patterns or any(matches(pattern, record) for pattern in patterns)

    def _put(self, events: Sequence[Record]) -> list[Record]:
        """Put the events into the target; returns those that failed."""
        entries = [
            {
                "Data": base64.b64encode(orjson.dumps(event)).decode(),
                "PartitionKey": self._partition_key(event),
            }
            for event in events
        ]
        if not entries:
            return []
        answer = self._kinesis.call(
            "PutRecords", {"StreamARN": self.definition.target_arn, "Records": entries}
        )
        results = zip(events, answer["Records"], strict=True)
        failed = [event for event, result in results if result.get("ErrorCode")]
        self.counts.bridged += len(entries) - len(failed)
        return failed

    def _partition_key(self, event: Record) -> str:
        value: Any = event
        for step in self.definition.partition_key_path.removeprefix("$.").split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            path = self.definition.partition_key_path
            raise AwsError("ValidationException", f"the event has no partition key at {path}")
        return str(value)

    def _enrich(self, records: Sequence[Record]) -> list[Record]:
        with boto_errors():
            answer = self._lambda.invoke(
                FunctionName=self.definition.enrichment_arn, Payload=orjson.dumps(records)
            )
            payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise AwsError("EnrichmentFailure", payload[:500].decode(errors="replace"), 500)
        events = orjson.loads(payload)
        return events if isinstance(events, list) else [events]

    def _exhausted(self, records: Sequence[Record], attempts: int) -> bool:
        retries, age = self.definition.max_retries, self.definition.max_age_seconds
        if retries != _UNLIMITED and attempts > retries:
            return True
        oldest = float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
        return age != _UNLIMITED and time.time() - oldest > age

    def _give_up(self, shard: _Shard, records: Sequence[Record]) -> None:
        if self.definition.dead_letter_arn is not None:
            self._point_to(self.definition.dead_letter_arn, shard, records)
        self.counts.dead_lettered += len(records)

    def _point_to(self, queue_arn: str, shard: _Shard, records: Sequence[Record]) -> None:
        changes = [record["dynamodb"] for record in records]
        first, last = (
            _iso(datetime.fromtimestamp(float(one["ApproximateCreationDateTime"]), UTC))
            for one in (changes[0], changes[-1])
        )
        message = {
            "context": {
                "partnerResourceArn": self.definition.arn,
                "condition": "RetryAttemptsExhausted",
            },
            "version": "1.0",
            "timestamp": _iso(datetime.now(UTC)),
            "DDBStreamBatchInfo": {
                "shardId": shard.id,
                "startSequenceNumber": changes[0]["SequenceNumber"],
                "endSequenceNumber": changes[-1]["SequenceNumber"],
                "approximateArrivalOfFirstRecord": first,
                "approximateArrivalOfLastRecord": last,
                "batchSize": len(records),
                "streamArn": self.definition.source_arn,
            },
        }
        queue = queue_arn.rpartition(":")[2]
        with boto_errors():
            self._sqs.send_message(
                QueueUrl=f"{self._aws.emulator_url}/{self._aws.account_id}/{queue}",
                MessageBody=json.dumps(message),
            )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
