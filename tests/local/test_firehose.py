"""The delivery stream with the emulator's Kinesis stream, function and S3."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import re
import time
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from client.parquet import ConversionError, RowConverter
from local.account import limits
from local.account.aws import Aws
from local.errors import WorkerDiedError
from local.standins.firehose import Firehose, FirehoseDefinition
from tests.local import chain_parts as parts

# Answers by what the data says; "boom" fails the whole invocation.
FUNCTION = """
import base64, os
def handler(event, _):
    answers = []
    for record in event["records"]:
        text = base64.b64decode(record["data"]).decode()
        if text == "boom":
            raise RuntimeError("boom")
        if text == "short":
            continue
        result = {"bad": "ProcessingFailed", "drop": "Dropped"}.get(text, "Ok")
        data = base64.b64encode(text.encode() + b"\\n").decode()
        answers.append({"recordId": record["recordId"], "result": result, "data": data})
    return {"records": answers}
"""
PREFIX = "data/day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
ERROR_PREFIX = "failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/"


class Delivery:
    """A stream, a function and a bucket."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name = aws, name
        self.source = parts.stream(aws, name)
        self.function = parts.function(aws, name, FUNCTION)
        where = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
        self.role = parts.role(aws, f"{name}-firehose", *self.permissions())

    def permissions(self) -> list[tuple[list[str], str]]:
        reads = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        return [
            (reads, self.source),
            (["lambda:InvokeFunction"], self.function),
            (["s3:PutObject"], f"arn:aws:s3:::{self.name}/*"),
        ]

    def firehose(self, positions: dict[str, str] | None = None, **given: Any) -> Firehose:
        values: dict[str, Any] = {
            "prefix": PREFIX,
            "error_prefix": ERROR_PREFIX,
            "buffer_bytes": 1024 * 1024,
            "buffer_seconds": 0.2,
            "compression": "GZIP",
            "lambda_buffer_bytes": 1024 * 1024,
            "lambda_buffer_seconds": 0,
            "lambda_retries": 1,
            "schema_table": None,
        }
        definition = FirehoseDefinition(
            name=self.name,
            role_arn=self.role,
            source_arn=self.source,
            bucket=self.name,
            lambda_arn=self.function,
            **values | given,
        )
        return Firehose(self.aws, definition, positions)

    def put(self, *texts: str) -> None:
        for text in texts:
            self.aws.client("kinesis").put_record(
                StreamARN=self.source, Data=text.encode(), PartitionKey="x"
            )

    def objects(self, prefix: str) -> dict[str, bytes]:
        s3 = self.aws.client("s3")
        listed = s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        return {
            one["Key"]: s3.get_object(Bucket=self.name, Key=one["Key"])["Body"].read()
            for one in listed
        }

    def lines(self, prefix: str) -> list[str]:
        bodies = (gzip.decompress(body) for body in self.objects(prefix).values())
        return [line for body in bodies for line in body.decode().splitlines()]


@pytest.fixture
def delivery(aws: Aws, request: pytest.FixtureRequest) -> Delivery:
    return Delivery(aws, request.node.name.replace("test_", "")[:50].replace("_", "-").strip("-"))


def run(firehose: Firehose, records: int) -> None:
    try:
        parts.until(
            lambda: (
                firehose.error
                or firehose.counts.delivered + firehose.counts.failed + firehose.counts.dropped
                >= records
            )
        )
    finally:
        firehose.stop()
    if firehose.error:
        raise firehose.error


def test_rows_end_in_one_compressed_object_under_their_arrival_hour(delivery: Delivery) -> None:
    firehose = delivery.firehose(buffer_seconds=1)
    firehose.start()
    delivery.put("a", "b", "c")
    run(firehose, 3)
    ((key, body),) = delivery.objects("data/").items()
    assert gzip.decompress(body) == b"a\nb\nc\n"
    name = (
        rf"data/day=\d{{4}}-\d\d-\d\d/hour=\d\d/{delivery.name}-1-[\d-]{{19}}-[0-9a-f-]{{36}}\.gz"
    )
    assert re.fullmatch(name, key)


def test_a_size_that_is_reached_does_not_wait_for_the_time(delivery: Delivery) -> None:
    firehose = delivery.firehose(buffer_bytes=10, buffer_seconds=900)
    firehose.start()
    delivery.put("x" * 20)
    run(firehose, 1)
    assert delivery.lines("data/") == ["x" * 20]


def test_what_was_there_before_the_delivery_stream_is_not_read(delivery: Delivery) -> None:
    delivery.put("before")
    firehose = delivery.firehose()
    firehose.start()
    delivery.put("after")
    run(firehose, 1)
    assert delivery.lines("data/") == ["after"]


def test_failed_records_are_kept_apart_as_firehose_writes_them(delivery: Delivery) -> None:
    firehose = delivery.firehose()
    firehose.start()
    delivery.put("good", "bad", "drop")
    run(firehose, 3)
    assert delivery.lines("data/") == ["good"]
    (line,) = delivery.lines("failed/processing-failed/")
    failed = json.loads(line)
    assert base64.b64decode(failed["rawData"]) == b"bad"
    assert failed["lambdaArn"] == delivery.function
    assert failed["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert failed["attemptsMade"] == 1
    assert failed["attemptEndingTimestamp"] >= failed["arrivalTimestamp"]
    assert firehose.counts.dropped == 1


@pytest.mark.parametrize(
    ("text", "code"), [("boom", "FunctionError"), ("short", "MissingRecordId")]
)
def test_a_function_that_cannot_do_a_batch_fails_all_of_it_and_loses_none(
    aws: Aws, text: str, code: str
) -> None:
    delivery = Delivery(aws, f"cannot-do-{text}")
    firehose = delivery.firehose()
    delivery.put("old")
    firehose.start()
    delivery.aws.client("kinesis").put_records(
        StreamARN=delivery.source,
        Records=[{"Data": one, "PartitionKey": "x"} for one in (b"fine", text.encode())],
    )
    run(firehose, 2)
    failed = [json.loads(line) for line in delivery.lines("failed/processing-failed/")]
    assert sorted(base64.b64decode(one["rawData"]).decode() for one in failed) == sorted(
        ["fine", text]
    )
    assert {one["errorCode"] for one in failed} == {f"Lambda.{code}"}
    attempts = 2 if text == "boom" else 1
    assert {one["attemptsMade"] for one in failed} == {attempts}


def test_a_record_over_the_limit_stops_it_and_one_at_the_limit_does_not(
    delivery: Delivery,
) -> None:
    firehose = delivery.firehose()
    firehose.start()
    delivery.put("x" * limits.FIREHOSE_RECORD)
    parts.until(lambda: firehose.error or firehose.counts.delivered == 1)
    assert firehose.error is None
    delivery.put("x" * (limits.FIREHOSE_RECORD + 1))
    with pytest.raises(WorkerDiedError, match=r"has 1,024,001 bytes.*names 1,024,000 as"):
        run(firehose, 2)


def test_a_batch_that_is_too_large_for_the_function_is_kept_as_failed_records(
    delivery: Delivery,
) -> None:
    """The buffer's size counts only the data; small records have more overhead."""
    firehose = delivery.firehose(lambda_buffer_bytes=3 * 1024 * 1024, lambda_buffer_seconds=2)
    firehose.start()
    kinesis, count = delivery.aws.client("kinesis"), 16_000
    for _ in range(count // 500):
        batch = [{"Data": b"x" * 100, "PartitionKey": "x"}] * 500
        kinesis.put_records(StreamARN=delivery.source, Records=batch)
    run(firehose, count)
    failed = [json.loads(line) for line in delivery.lines("failed/processing-failed/")]
    assert firehose.counts.delivered + len(failed) == count
    assert {one["errorCode"] for one in failed} == {"RequestTooLargeException"}


def test_an_interval_of_zero_waits_for_nothing(delivery: Delivery) -> None:
    firehose = delivery.firehose(buffer_seconds=0, lambda_buffer_seconds=0)
    firehose.start()
    began = time.monotonic()
    delivery.put("a")
    parts.until(lambda: firehose.counts.delivered == 1, 5)
    assert time.monotonic() - began < 2
    delivery.put("b")
    run(firehose, 2)
    assert len(delivery.objects("data/")) == 2


def test_at_zero_seconds_each_batch_of_the_function_is_an_object(delivery: Delivery) -> None:
    firehose = delivery.firehose(
        buffer_seconds=0, lambda_buffer_seconds=1, lambda_buffer_bytes=30, lambda_retries=0
    )
    firehose.start()
    delivery.put(*"abc")
    delivery.put("d" * 30, "e" * 30)
    run(firehose, 5)
    assert firehose.counts.objects == firehose.counts.invocations > 1
    assert sorted(delivery.lines("data/")) == ["a", "b", "c", "d" * 30, "e" * 30]


def test_both_intervals_add_up(delivery: Delivery) -> None:
    firehose = delivery.firehose(buffer_seconds=1, lambda_buffer_seconds=1)
    assert firehose.definition.longest_wait == 2
    firehose.start()
    began = time.monotonic()
    delivery.put("a")
    parts.until(lambda: firehose.counts.delivered == 1, 10)
    assert 2 <= time.monotonic() - began < 4
    run(firehose, 1)


def test_held_records_are_not_polled_for(delivery: Delivery) -> None:
    """The next step is due when a buffer is, or when a record arrives."""
    firehose = delivery.firehose(buffer_seconds=60)
    assert firehose.due_in() == math.inf
    firehose.start()
    delivery.put("a")
    parts.until(lambda: 50 < firehose.due_in() <= 60, 5)
    firehose.stop()
    assert firehose.error is None


def test_a_stop_delivers_what_the_buffers_hold(delivery: Delivery) -> None:
    firehose = delivery.firehose(buffer_seconds=900)
    firehose.start()
    delivery.put("held")
    parts.until(lambda: firehose.counts.received == 1)
    assert delivery.objects("data/") == {}
    firehose.stop()
    assert delivery.lines("data/") == ["held"]


def test_one_that_was_killed_is_followed_by_one_that_reads_again_what_was_not_delivered(
    delivery: Delivery,
) -> None:
    positions: dict[str, str] = {}
    killed = delivery.firehose(positions, buffer_seconds=0.2)
    killed.start()
    delivery.put("delivered")
    parts.until(lambda: killed.counts.delivered == 1)
    killed.stopping.set()
    killed.finish = lambda: None  # type: ignore[method-assign]
    killed.stop()
    delivery.put("meanwhile")
    lost = delivery.firehose(positions, buffer_seconds=900)
    lost.start()
    parts.until(lambda: lost.counts.received == 1)
    lost.finish = lambda: None  # type: ignore[method-assign]
    lost.stop()
    assert delivery.lines("data/") == ["delivered"]
    after = delivery.firehose(positions)
    after.start()
    run(after, 1)
    assert sorted(delivery.lines("data/")) == ["delivered", "meanwhile"]


def test_rows_become_parquet_by_the_columns_of_a_glue_table(delivery: Delivery) -> None:
    glue = delivery.aws.client("glue")
    database = delivery.name.replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    columns = [("orderid", "string"), ("price", "decimal(10,2)"), ("at", "timestamp")]
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": "event_row",
            "StorageDescriptor": {"Columns": [{"Name": n, "Type": t} for n, t in columns]},
        },
    )
    any_table = [(["glue:GetTable"], "*")]
    parts.allow(delivery.aws, f"{delivery.name}-firehose", *delivery.permissions(), *any_table)
    table = {"DatabaseName": database, "TableName": "event_row"}
    firehose = delivery.firehose(schema_table=table, compression="UNCOMPRESSED")
    firehose.start()
    delivery.put(
        '{"orderid":"a","price":19.90,"at":"2026-11-21 02:00:00.123"}',
        '{"orderid":"b","price":null,"at":null}',
        '{"orderid":"c","price":"many"}',
    )
    run(firehose, 3)
    ((key, body),) = delivery.objects("data/").items()
    assert key.endswith(".parquet")
    rows = pq.read_table(io.BytesIO(body)).to_pylist()
    assert [(row["orderid"], row["price"]) for row in rows] == [
        ("a", Decimal("19.90")),
        ("b", None),
    ]
    assert str(rows[0]["at"]).startswith("2026-11-21 02:00:00.123")
    ((key, body),) = delivery.objects("failed/format-conversion-failed/").items()
    failed = json.loads(body)
    assert json.loads(base64.b64decode(failed["rawData"]))["price"] == "many"
    assert "price" in failed["lastErrorMessage"]


@pytest.mark.parametrize(
    "missing",
    [
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "lambda:InvokeFunction",
        "s3:PutObject",
    ],
)
def test_a_missing_permission_stops_the_firehose_naming_role_and_action(
    aws: Aws, missing: str
) -> None:
    delivery = Delivery(aws, f"denied-{missing.replace(':', '-').lower()}")
    left = [
        ([one for one in actions if one != missing] or ["sts:GetCallerIdentity"], resource)
        for actions, resource in delivery.permissions()
    ]
    parts.allow(aws, f"{delivery.name}-firehose", *left)
    firehose = delivery.firehose()
    with pytest.raises(WorkerDiedError) as caught:
        firehose.start()
        delivery.put("a")
        run(firehose, 1)
    assert missing in str(caught.value)
    assert delivery.role in str(caught.value)


@pytest.mark.parametrize(
    ("column", "row"),
    [
        (("quantity", "int"), b'{"quantity": 2147483648}'),
        (("quantity", "int"), b'{"quantity": "2"}'),
        (("price", "decimal(10,2)"), b'{"price": 1.999}'),
        (("at", "timestamp"), b'{"at": "yesterday"}'),
        (("paid", "boolean"), b'{"paid": 1}'),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_naming_column_and_type(
    column: tuple[str, str], row: bytes
) -> None:
    with pytest.raises(ConversionError, match=f"column {column[0]} is {re.escape(column[1])}"):
        RowConverter([column]).parquet([row])


LINES = "array<struct<sku:string,price:decimal(10,2),at:timestamp,codes:map<string,bigint>>>"


def converted(columns: list[tuple[str, str]], *rows: Any, **how: bool) -> list[dict[str, Any]]:
    data = RowConverter(columns, **how).parquet([json.dumps(row).encode() for row in rows])
    found: list[dict[str, Any]] = pq.read_table(io.BytesIO(data)).to_pylist()
    return found


def test_nested_values_keep_their_digits_and_have_null_where_the_row_has_nothing() -> None:
    line = {
        "sku": "x",
        "price": 19.9,
        "at": "2026-11-21 02:00:00.123",
        "codes": {"EAN": 2**63 - 1, "none": None},
        "unknown": 1,
    }
    rows = converted([("items", LINES)], {"items": [line, None, {}]}, {"items": []}, {})
    first, second, third = rows[0]["items"]
    assert first["price"] == Decimal("19.90")
    assert str(first["at"]).startswith("2026-11-21 02:00:00.123")
    assert first["codes"] == [("EAN", 2**63 - 1), ("none", None)]
    assert second is None
    assert third == dict.fromkeys(("sku", "price", "at", "codes"))
    assert [rows[1]["items"], rows[2]["items"]] == [[], None]


def test_timestamps_inside_nested_types_are_int96_too() -> None:
    data = RowConverter([("items", LINES)]).parquet([b"{}"])
    assert "int96 field_id=-1 at" in str(pq.ParquetFile(io.BytesIO(data)).schema)


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ('[{}, {"price": 1.999}]', "items[1].price is decimal(10,2)"),
        ('[{"codes": {"EAN": 9223372036854775808}}]', "items[0].codes.EAN is bigint"),
        ('[{"codes": []}]', "items[0].codes is map<string,bigint>"),
        ('[{"at": "2026-11-21T02:00:00+01:00"}]', "items[0].at is timestamp"),
        ('["x"]', "items[0] is struct<"),
        ("{}", "items is array<"),
    ],
)
def test_a_nested_value_that_does_not_fit_is_named_by_its_path(items: str, path: str) -> None:
    with pytest.raises(ConversionError, match=re.escape(f"column {path}")):
        RowConverter([("items", LINES)]).parquet([f'{{"items": {items}}}'.encode()])


def test_keys_of_a_map_become_lower_case_unless_the_deserializer_is_told_otherwise() -> None:
    columns, row = [("codes", "map<string,int>")], {"codes": {"Ean": 1}}
    assert converted(columns, row, lower_keys=True) == [{"codes": [("ean", 1)]}]
    assert converted(columns, row, lower_keys=False) == [{"codes": [("Ean", 1)]}]
    with pytest.raises(ConversionError, match="a key twice"):
        converted(columns, {"codes": {"Ean": 1, "EAN": 2}}, lower_keys=True)


@pytest.mark.parametrize("told", [None, False])
def test_the_delivery_stream_says_whether_keys_become_lower_case(told: bool | None) -> None:
    openx = {} if told is None else {"CaseInsensitive": told}
    s3: dict[str, Any] = {
        "RoleARN": "role",
        "BucketARN": "arn:aws:s3:::bucket",
        "Prefix": PREFIX,
        "ErrorOutputPrefix": ERROR_PREFIX,
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "ProcessingConfiguration": {
            "Processors": [
                {"Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": "function"}]}
            ]
        },
        "DataFormatConversionConfiguration": {
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": openx}},
            "SchemaConfiguration": {"DatabaseName": "d", "TableName": "t"},
        },
    }
    definition = FirehoseDefinition.from_api(
        {
            "DeliveryStreamName": "one",
            "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "stream"},
            "ExtendedS3DestinationConfiguration": s3,
        }
    )
    assert definition.lower_keys is (told is None)
