"""Amazon Data Firehose from a Kinesis stream through a Lambda function to S3, acting as its role.

Follows the Firehose Developer Guide: buffers records by size and time, for the function and again
for S3; retries a batch on which the function fails, then stores it as failed records; takes the
time in object keys from the arrival of the object's oldest record. A record over the size limit
stops it. With an interval of 0 s it waits for nothing. Below 60 s Firehose uploads an object in
parts, which shows only on the bill; here it is one request.
"""

from __future__ import annotations

import base64
import gzip
import math
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from client.parquet import ConversionError, RowConverter
from local.account import limits
from local.account.aws import Aws
from local.account.wire import JsonClient, boto_errors
from local.errors import AwsError
from local.standins.worker import FINISH_SECONDS, Worker

_MB = 1024 * 1024
_READ_MOST = 10_000
_EXPRESSION = re.compile(r"!\{(timestamp|firehose):([^}]*)\}")
_ATTEMPTS_AT_SHUTDOWN = 5
# Java date pattern letters in prefixes -> strftime directives.
_JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


@dataclass(frozen=True, kw_only=True)
class FirehoseDefinition:
    """A delivery stream as the program declared it (bytes, seconds)."""

    name: str
    role_arn: str
    source_arn: str
    bucket: str
    prefix: str
    error_prefix: str
    buffer_bytes: int
    buffer_seconds: float
    compression: str
    lambda_arn: str
    lambda_buffer_bytes: float
    lambda_buffer_seconds: float
    lambda_retries: int
    schema_table: Mapping[str, str] | None
    lower_keys: bool = True

    @property
    def longest_wait(self) -> float:
        """The seconds for which a record may be held for both buffers."""
        return self.lambda_buffer_seconds + self.buffer_seconds

    @classmethod
    def from_api(cls, stream: Mapping[str, Any]) -> FirehoseDefinition:
        """From the parameters of the CreateDeliveryStream call."""
        source = stream["KinesisStreamSourceConfiguration"]
        s3 = stream["ExtendedS3DestinationConfiguration"]
        hints = s3["BufferingHints"]
        (processor,) = s3["ProcessingConfiguration"]["Processors"]
        parameters = {p["ParameterName"]: p["ParameterValue"] for p in processor["Parameters"]}
        conversion = s3.get("DataFormatConversionConfiguration") or {}
        deserializer = conversion.get("InputFormatConfiguration", {}).get("Deserializer", {})
        return cls(
            name=stream["DeliveryStreamName"],
            role_arn=s3["RoleARN"],
            source_arn=source["KinesisStreamARN"],
            bucket=s3["BucketARN"].rpartition(":")[2],
            prefix=s3["Prefix"],
            error_prefix=s3["ErrorOutputPrefix"],
            buffer_bytes=hints["SizeInMBs"] * _MB,
            buffer_seconds=hints["IntervalInSeconds"],
            compression=s3.get("CompressionFormat", "UNCOMPRESSED"),
            lambda_arn=parameters["LambdaArn"],
            lambda_buffer_bytes=float(parameters.get("BufferSizeInMBs", 1)) * _MB,
            lambda_buffer_seconds=float(parameters.get("BufferIntervalInSeconds", 60)),
            lambda_retries=int(parameters.get("NumberOfRetries", 3)),
            schema_table=conversion.get("SchemaConfiguration")
            if conversion.get("Enabled", True)
            else None,
            lower_keys=deserializer.get("OpenXJsonSerDe", {}).get("CaseInsensitive", True),
        )


@dataclass
class FirehoseCounts:
    """The record counts so far."""

    received: int = 0
    delivered: int = 0
    dropped: int = 0
    failed: int = 0
    objects: int = 0
    invocations: int = 0


@dataclass(frozen=True)
class _Received:
    """A record from Kinesis; ``data`` stays base64-encoded for the function."""

    shard: str
    sequence_number: str
    arrived: float
    data: str
    partition_key: str


class _Failure(NamedTuple):
    """Why the function failed on a record or on a whole batch."""

    code: str
    message: str
    attempts: int


_MARKED_FAILED = _Failure(
    "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record", 1
)


@dataclass
class _Buffer:
    """Items held until a size or time threshold is reached."""

    items: list[Any] = field(default_factory=list)
    bytes: int = 0
    since: float = 0.0  # monotonic time of the first item
    oldest: float = 0.0  # arrival of the first item, epoch seconds

    def add(self, item: Any, size: int, arrived: float) -> None:
        if not self.items:
            self.since, self.oldest = time.monotonic(), arrived
        self.items.append(item)
        self.bytes += size

    def due(self, most_bytes: float, most_seconds: float) -> bool:
        return self.bytes >= most_bytes or self.due_in(most_seconds) <= 0

    def due_in(self, most_seconds: float) -> float:
        return self.since + most_seconds - time.monotonic() if self.items else math.inf


Delivered = Callable[[float, Sequence[bytes]], None]


class Firehose(Worker):
    """Delivers until stopped, then flushes its buffers.

    Parameters
    ----------
    positions:
        Per shard, the sequence number up to which every record is in S3. Kept up to date: a new
        firehose with the same mapping loses nothing, and may deliver some records twice.
    on_delivered:
        Called with the time and the rows of each object written under the data prefix.
    """

    def __init__(
        self,
        aws: Aws,
        definition: FirehoseDefinition,
        positions: dict[str, str] | None = None,
        on_delivered: Delivered | None = None,
    ) -> None:
        super().__init__(f"firehose {definition.name}", definition.role_arn, aws.arrivals())
        self.definition = definition
        self.counts = FirehoseCounts()
        self.positions = {} if positions is None else positions
        self._on_delivered = on_delivered
        self._aws = aws
        self._iterators: dict[str, str | None] = {}
        self._read_up_to: dict[str, str] = {}
        self._incoming = _Buffer()
        self._rows = _Buffer()
        self._failures: dict[str, _Buffer] = {}
        self._settled: set[tuple[str, str]] = set()
        self._held: dict[str, dict[str, None]] = {}
        self._converter: RowConverter | None = None

    def open(self) -> None:
        """Assume the role and open every shard at LATEST, or after its known position."""
        with boto_errors():
            credentials = self._aws.assume(self.role_arn, "firehose")
        self._kinesis = JsonClient(self._aws, "kinesis", credentials)
        self._lambda = self._aws.client("lambda", credentials, max_attempts=1)
        self._s3 = self._aws.client("s3", credentials)
        if self.definition.schema_table:
            glue = self._aws.client("glue", credentials)
            self._converter = RowConverter.from_glue(
                glue, self.definition.schema_table, lower_keys=self.definition.lower_keys
            )
        arn = self.definition.source_arn
        for shard in self._kinesis.call("ListShards", {"StreamARN": arn})["Shards"]:
            self._open_shard(shard["ShardId"], "LATEST")

    def due_in(self) -> float:
        """Seconds until the first buffer's interval ends."""
        to_s3 = min(one.due_in(self.definition.buffer_seconds) for one in self._to_s3())
        return min(to_s3, self._incoming.due_in(self.definition.lambda_buffer_seconds))

    def step(self) -> bool:
        """Read every shard once, then process the buffers that are due."""
        worked = self._read_shards()
        self._pass_on(force=False)
        return worked

    def finish(self) -> None:
        """Read the rest of the stream and flush the buffers."""
        deadline = time.monotonic() + FINISH_SECONDS
        while self._read_shards() and time.monotonic() < deadline:
            self._pass_on(force=False)
        self._pass_on(force=True)

    # -- reading -----------------------------------------------------------------------------

    def _read_shards(self) -> bool:
        """Read every shard once; False if there were no records."""
        worked = False
        for shard, iterator in list(self._iterators.items()):
            if iterator is not None:
                worked |= self._read(shard, iterator)
        return worked

    def _open_shard(self, shard: str, otherwise: str) -> None:
        done = self._read_up_to.get(shard) or self.positions.get(shard)
        start = {"ShardIteratorType": otherwise}
        if done:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": done}
        answer = self._kinesis.call(
            "GetShardIterator",
            {"StreamARN": self.definition.source_arn, "ShardId": shard, **start},
        )
        self._iterators[shard] = answer["ShardIterator"]

    def _read(self, shard: str, iterator: str) -> bool:
        if self._incoming.bytes >= self.definition.lambda_buffer_bytes:
            return True
        arn = self.definition.source_arn
        try:
            answer = self._kinesis.call(
                "GetRecords", {"StreamARN": arn, "ShardIterator": iterator, "Limit": _READ_MOST}
            )
        except AwsError as error:
            if not error.expired:
                raise
            self._open_shard(shard, "LATEST")
            return True
        self._iterators[shard] = answer.get("NextShardIterator")
        for child in answer.get("ChildShards", []):
            if child["ShardId"] not in self._iterators:
                self._open_shard(child["ShardId"], "TRIM_HORIZON")
        for record in answer["Records"]:
            arrived = float(record["ApproximateArrivalTimestamp"])
            number, data = record["SequenceNumber"], record["Data"]
            size = len(data) // 4 * 3 - data.count("=", -2)
            if size > limits.FIREHOSE_RECORD:
                raise _too_large(shard, number, size)
            received = _Received(shard, number, arrived, data, record["PartitionKey"])
            self._incoming.add(received, size, arrived)
            self._held.setdefault(shard, {})[number] = None
            self._read_up_to[shard] = number
        self.counts.received += len(answer["Records"])
        return bool(answer["Records"])

    def _settle(self, records: Iterable[_Received]) -> None:
        """Mark records as done, and move each shard's position up to its first open record."""
        settled = self._settled
        for one in records:
            settled.add((one.shard, one.sequence_number))
        for shard, held in self._held.items():
            while held and (shard, first := next(iter(held))) in settled:
                settled.remove((shard, first))
                del held[first]
                self.positions[shard] = first

    # -- transforming ------------------------------------------------------------------------

    def _pass_on(self, *, force: bool) -> None:
        definition = self.definition
        most_seconds = 0 if force else definition.lambda_buffer_seconds
        if self._incoming.due(definition.lambda_buffer_bytes, most_seconds):
            incoming, self._incoming = self._incoming, _Buffer()
            for batch in _batches(incoming.items, definition.lambda_buffer_bytes):
                self._transform(batch)
                self._deliver_due(definition.buffer_seconds)
        self._deliver_due(0 if force else definition.buffer_seconds)

    def _to_s3(self) -> Iterable[_Buffer]:
        return (self._rows, *self._failures.values())

    def _deliver_due(self, most_seconds: float) -> None:
        """Write the objects that have reached their size or time; at 0 s, one for each batch."""
        most_bytes = self.definition.buffer_bytes
        if self._rows.due(most_bytes, most_seconds):
            self._deliver_rows()
        for kind in list(self._failures):
            if self._failures[kind].due(most_bytes, most_seconds):
                self._deliver_failures(kind)

    def _transform(self, batch: Sequence[_Received]) -> None:
        event: dict[str, Any] = {
            "invocationId": str(uuid.uuid4()),
            "deliveryStreamArn": f"arn:aws:firehose:{self._aws.region}:{self._aws.account_id}"
            f":deliverystream/{self.definition.name}",
            "sourceKinesisStreamArn": self.definition.source_arn,
            "region": self._aws.region,
            "records": [_lambda_record(index, one) for index, one in enumerate(batch)],
        }
        answers, error = self._invoke(
            orjson.dumps(event), [r["recordId"] for r in event["records"]]
        )
        for one, answer in zip(batch, answers, strict=True):
            result = answer.get("result")
            if result == "Ok":
                row = base64.b64decode(answer["data"])
                self._rows.add((row, one), len(row), one.arrived)
            elif result == "Dropped":
                self.counts.dropped += 1
                self._settle([one])
            else:
                line = _failed_record(one, error or _MARKED_FAILED, self.definition.lambda_arn)
                self._fail("processing-failed", one, line)

    def _invoke(
        self, payload: bytes, ids: Sequence[str]
    ) -> tuple[Sequence[Mapping[str, Any]], _Failure | None]:
        """One result per record, and a failure if the function's response is unusable."""
        failure = _Failure("Lambda.InvocationFailed", "not invoked", 0)
        for attempts in range(1, self.definition.lambda_retries + 2):
            self.counts.invocations += 1
            try:
                with boto_errors():
                    answer = self._lambda.invoke(
                        FunctionName=self.definition.lambda_arn, Payload=payload
                    )
                    body = answer["Payload"].read()
            except AwsError as error:
                if error.denied:
                    raise
                failure = _Failure(error.code, error.message, attempts)
            else:
                if not answer.get("FunctionError"):
                    problem, answers = _read_answer(body, ids)
                    return answers, problem and _Failure(*problem, attempts)
                text = body[:500].decode(errors="replace")
                failure = _Failure("Lambda.FunctionError", text, attempts)
            self.backoff(attempts)
        return [{}] * len(ids), failure

    # -- delivering --------------------------------------------------------------------------

    def _deliver_rows(self) -> None:
        buffer, self._rows = self._rows, _Buffer()
        rows = [row for row, _ in buffer.items]
        if self._converter:
            try:
                body, suffix = self._converter.parquet(rows), ".parquet"
            except ConversionError:
                self._set_bad_rows_apart(self._converter, buffer)
                return
        else:
            body, suffix = self._compressed(rows)
        self._put(self.definition.prefix, buffer.oldest, body, suffix)
        self._settle(one for _, one in buffer.items)
        self.counts.delivered += len(rows)
        if self._on_delivered:
            self._on_delivered(time.time(), rows)

    def _set_bad_rows_apart(self, converter: RowConverter, buffer: _Buffer) -> None:
        for row, one in buffer.items:
            try:
                converter.parquet([row])
            except ConversionError as error:
                failure = _Failure("DataFormatConversion.ParseError", str(error), 1)
                line = _failed_conversion(one, row, failure)
                self._fail("format-conversion-failed", one, line)
            else:
                self._rows.add((row, one), len(row), one.arrived)
        if self._rows.items:
            self._deliver_rows()

    def _compressed(self, lines: Sequence[bytes]) -> tuple[bytes, str]:
        body = b"".join(lines)
        if self.definition.compression == "GZIP":
            return gzip.compress(body, compresslevel=6), ".gz"
        return body, ""

    def _fail(self, kind: str, one: _Received, line: bytes) -> None:
        self._failures.setdefault(kind, _Buffer()).add((line, one), len(line), one.arrived)

    def _deliver_failures(self, kind: str) -> None:
        buffer = self._failures.pop(kind)
        body, suffix = self._compressed([line for line, _ in buffer.items])
        self._put(self.definition.error_prefix, buffer.oldest, body, suffix, error_type=kind)
        self._settle(one for _, one in buffer.items)
        self.counts.failed += len(buffer.items)

    def _put(
        self, prefix: str, oldest: float, body: bytes, suffix: str, error_type: str = ""
    ) -> None:
        arrival = datetime.fromtimestamp(oldest, UTC)
        key = (
            f"{_evaluate(prefix, arrival, error_type)}{self.definition.name}-1-"
            f"{arrival:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{suffix}"
        )
        attempts = 0
        while True:
            attempts += 1
            try:
                with boto_errors():
                    self._s3.put_object(Bucket=self.definition.bucket, Key=key, Body=body)
            except AwsError as error:
                if not error.retryable:
                    raise
                if self.stopping.is_set() and attempts > _ATTEMPTS_AT_SHUTDOWN:
                    raise
                time.sleep(min(5.0, 0.1 * 2**attempts))
            else:
                self.counts.objects += 1
                return


def _too_large(shard: str, number: str, size: int) -> AwsError:
    return AwsError(
        "RecordTooLarge",
        f"record {number} of {shard} has {size:,} bytes, and Firehose's guide names "
        f"{limits.FIREHOSE_RECORD:,} as the maximum. It does not document what happens to a "
        "larger record from a Kinesis stream, so this stand-in stops",
    )


def _batches(records: Sequence[_Received], most_bytes: float) -> Iterator[list[_Received]]:
    batch: list[_Received] = []
    size = 0
    for one in records:
        if batch and size + len(one.data) > most_bytes * 4 / 3:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.data)
    if batch:
        yield batch


def _lambda_record(index: int, one: _Received) -> dict[str, Any]:
    arrived = int(one.arrived * 1000)
    return {
        "recordId": f"{one.sequence_number}{index:06d}",
        "approximateArrivalTimestamp": arrived,
        "data": one.data,
        "kinesisRecordMetadata": {
            "sequenceNumber": one.sequence_number,
            "subsequenceNumber": 0,
            "partitionKey": one.partition_key,
            "shardId": one.shard,
            "approximateArrivalTimestamp": arrived,
        },
    }


def _read_answer(
    body: bytes, ids: Sequence[str]
) -> tuple[tuple[str, str] | None, Sequence[Mapping[str, Any]]]:
    """The function's results in the order of ``ids``, or the failure of the whole response."""
    nothing: Sequence[Mapping[str, Any]] = [{}] * len(ids)
    if len(body) > limits.LAMBDA_ANSWER:
        return ("Lambda.ResponseTooLarge", f"the response has {len(body)} bytes"), nothing
    try:
        answers = {one["recordId"]: one for one in orjson.loads(body)["records"]}
        for one in answers.values():
            if one["result"] == "Ok":
                base64.b64decode(one["data"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        return ("Lambda.JsonProcessingException", f"{type(error).__name__}: {error}"), nothing
    if missing := [one for one in ids if one not in answers]:
        return ("Lambda.MissingRecordId", f"{len(missing)} records were not returned"), nothing
    return None, [answers[one] for one in ids]


def _failed_record(one: _Received, failure: _Failure, lambda_arn: str | None) -> bytes:
    """The JSON line that Firehose stores for a record that it could not process."""
    document = {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": int(one.arrived * 1000),
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": one.data,
    }
    if lambda_arn:
        document["lambdaArn"] = lambda_arn
    return orjson.dumps(document) + b"\n"


def _failed_conversion(one: _Received, row: bytes, failure: _Failure) -> bytes:
    """The same for a row that could not be converted; its members have other names."""
    document = {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": int(one.arrived * 1000),
        "lastErrorCode": failure.code,
        "lastErrorMessage": failure.message,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(row).decode(),
        "sequenceNumber": one.sequence_number,
        "subSequenceNumber": 0,
    }
    return orjson.dumps(document) + b"\n"


def _evaluate(prefix: str, arrival: datetime, error_type: str) -> str:
    """Evaluate the prefix's expressions; ``timestamp`` is UTC."""

    def value(match: re.Match[str]) -> str:
        namespace, expression = match[1], match[2]
        if namespace == "timestamp":
            pattern = expression.strip("'")
            for java, python in _JAVA_DATE.items():
                pattern = pattern.replace(java, python)
            return arrival.strftime(pattern)
        if expression == "error-output-type":
            return error_type
        return uuid.uuid4().hex[:11]  # random-string

    return _EXPRESSION.sub(value, prefix)
