"""No content of the bucket, the queue, an outputs file or an option causes a crash or a hang."""

from __future__ import annotations

import base64
import contextlib
import json
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from analytics import ParameterError, load_queries
from client import stack_outputs
from operate import changes, failed, values
from operate.account import ReplayError
from operate.dlq import Pointer
from operate.failed import Window
from operate.ledger import Ledger
from operate.reasons import judge
from operate.replaying import Choice
from operate.sending import Outgoing, Receipt, waves
from schema import EXTRAS, ORDERS, Column, Schema

JUDGE = judge(ORDERS)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
bodies = st.binary() | any_json.map(lambda one: json.dumps(one).encode())


def mixed(members: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with these members: right, wrong or missing."""
    either = {name: st.just(value) | any_json for name, value in members.items()}
    return st.fixed_dictionaries({}, optional=either)


FAILED_LINE = {
    "attemptsMade": 1,
    "arrivalTimestamp": 1_795_000_000_000,
    "errorCode": "Lambda.ProcessingFailedStatus",
    "errorMessage": "ProcessingFailed status set for record",
    "rawData": base64.b64encode(b"{}").decode(),
}
BATCH = {
    "shardId": "shardId-00000000000000000000-00000000",
    "startSequenceNumber": "000000017952309014380000000003",
    "endSequenceNumber": "000000017952309014380000000005",
    "batchSize": 3,
    "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026",
}


@given(bodies | mixed(FAILED_LINE).map(lambda one: json.dumps(one).encode()))
def test_any_object_of_failed_records_gives_a_record_a_line(body: bytes) -> None:
    found = list(failed.records(body, JUDGE, ORDERS))
    assert len(found) == sum(bool(line.strip()) for line in body.split(b"\n"))
    for one in found:
        assert one.reason
        assert 1 <= len(one.partition_key) <= 256
        Choice(window=Window(since=datetime(2026, 1, 1, tzinfo=UTC)), reason="x").takes(one)


@given(st.binary())
def test_any_data_is_judged_and_put_somewhere(data: bytes) -> None:
    line = json.dumps(FAILED_LINE | {"rawData": base64.b64encode(data).decode()}).encode()
    (one,) = failed.records(line, JUDGE, ORDERS)
    assert one.data == data
    assert one.passes == (JUDGE(data) is None)


ROW = dict.fromkeys([column.name for column in ORDERS.columns]) | {
    "orderid": "o",
    "price": 19.99,
    "created_at": "2026-11-21 02:00:00.123",
    "extras": '{"gift":true}',
    "event_type": "INSERT",
    "creation_time": "2026-11-21 02:00:00.000",
    "event_id": "e",
    "sequence_number": "7".zfill(40),
}


@given(bodies | mixed(ROW).map(lambda one: json.dumps(one).encode()))
def test_any_data_is_a_row_or_not(data: bytes) -> None:
    change = changes.from_row(data, ORDERS)
    assert change is None or "dynamodb" in json.loads(change)


@pytest.mark.parametrize("raw", ["the change record", "its row"])
def test_a_conversion_that_failed_is_replayed_whatever_of_it_was_kept(raw: str) -> None:
    row = json.dumps(ROW).encode()
    change = changes.from_row(row, ORDERS)
    assert change is not None
    line = {
        "lastErrorCode": "DataFormatConversion.ParseError",
        "lastErrorMessage": "price: no decimal",
        "arrivalTimestamp": 1_795_000_000_000,
        "rawData": base64.b64encode(row if raw == "its row" else change).decode(),
    }
    (found,) = failed.records(json.dumps(line).encode(), JUDGE, ORDERS)
    assert found.data == change
    assert found.order == found.partition_key == "o"
    assert found.reason == "DataFormatConversion.ParseError: price: no decimal"
    assert found.passes


@given(
    any_json
    | mixed({"DDBStreamBatchInfo": BATCH})
    | mixed(BATCH).map(lambda batch: {"DDBStreamBatchInfo": batch})
)
def test_any_message_is_a_pointer_or_named(body: Any) -> None:
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body)}
    try:
        pointer = Pointer.parse(message)
    except ReplayError as error:
        assert "message m" in str(error)
    else:
        assert int(pointer.start) and pointer.stream_arn.startswith("arn:")


@given(
    bodies
    | mixed({"replayed": {"0": ["s", "1"]}, "pending": [1], "since": 1}).map(
        lambda one: json.dumps(one).encode()
    )
)
def test_any_ledger_is_read_or_rejected(body: bytes) -> None:
    try:
        ledger = Ledger.parse("failed/x", body, "etag")
    except ReplayError as error:
        assert "replayed/failed/x.json" in str(error)
    else:
        assert Ledger.parse("failed/x", ledger.to_json(), "etag") == ledger


@given(
    st.dictionaries(st.integers(0, 99), st.tuples(st.text(), st.text()).map(lambda p: Receipt(*p))),
    st.lists(st.integers(0, 99)),
)
def test_a_ledger_returns_what_was_written(
    replayed: dict[int, Receipt], pending: list[int]
) -> None:
    ledger = Ledger("failed/x", replayed, pending, 5, etag="etag")
    assert Ledger.parse("failed/x", ledger.to_json(), "etag") == ledger


@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=40)), max_size=60))
def test_waves_hold_each_key_once_in_order_and_lose_none(records: list[tuple[int, bytes]]) -> None:
    outgoing = [Outgoing(n, data, f"k{key}") for n, (key, data) in enumerate(records)]
    cut = list(waves(outgoing))
    assert sorted(one for wave in cut for one in wave) == outgoing
    for wave in cut:
        assert wave and len({one.partition_key for one in wave}) == len(wave) <= 500
    for key in {one.partition_key for one in outgoing}:
        sent = [one.id for wave in cut for one in wave if one.partition_key == key]
        assert sent == sorted(sent)


def test_waves_keep_to_what_a_call_takes() -> None:
    large = [Outgoing(n, b"x" * 1_000_000, str(n)) for n in range(10)]
    assert [len(wave) for wave in waves(large)] == [4, 4, 2]
    many = [Outgoing(n, b"x", str(n)) for n in range(1001)]
    assert [len(wave) for wave in waves(many)] == [500, 500, 1]


attributes = st.recursive(
    st.text()
    | st.booleans()
    | st.none()
    | st.integers(-(10**37), 10**37).map(Decimal)
    | st.binary(min_size=1)
    | st.sets(st.text(min_size=1), min_size=1)
    | st.sets(st.integers(-999, 999).map(Decimal), min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=8,
)
orders = st.fixed_dictionaries(
    {"orderid": st.text(min_size=1)},
    optional={
        "product_name": st.text() | st.none(),
        "quantity": st.integers(-(2**31), 2**31 - 1).map(Decimal),
        "price": st.decimals(-(10**7), 10**7, places=2),
        "customer": st.text(),
        "created_at": st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1)).map(
            lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000).isoformat() + "Z"
        ),
        "other": attributes,
        "further": attributes,
    },
)


@given(orders)
def test_an_order_equals_the_row_that_the_transform_makes_of_it(order: dict[str, Any]) -> None:
    """The two sides of `verify`, and of `dlq --repair`, for any item."""
    item = {name: TypeSerializer().serialize(value) for name, value in order.items()}
    record = orjson.loads(
        changes.repair(
            keys={"orderid": item["orderid"]},
            item=item,
            known=None,
            stream_arn="arn",
            region="eu-west-1",
        )
    )
    assert JUDGE(orjson.dumps(record)) is None
    row = transformed(record)
    texts = {name: None if value is None else str(value) for name, value in row.items()}
    assert values.of_row(ORDERS, texts) == values.of_item(ORDERS, item)
    assert values.key_of_row(ORDERS, texts) == values.key_of(ORDERS, item)


def transformed(record: Any) -> dict[str, Any]:
    import rows  # the transform's, by pytest's pythonpath

    row = rows.compile_schema(json.loads(ORDERS.to_json()))(record)
    parsed: dict[str, Any] = json.loads(orjson.dumps(row), parse_float=Decimal, parse_int=Decimal)
    assert set(parsed) == {column.name for column in ORDERS.event_row}
    return parsed


@given(orders, st.text() | any_json.map(json.dumps))
def test_any_row_of_the_lake_can_be_compared(order: dict[str, Any], text: str) -> None:
    row = dict.fromkeys(order, text) | {EXTRAS.name: text}
    assert len(values.of_row(ORDERS, row)) == len(ORDERS.columns) + 1


@given(st.dictionaries(st.sampled_from([c.name for c in ORDERS.columns]), attributes))
def test_any_item_can_be_compared(order: dict[str, Any]) -> None:
    item = {name: TypeSerializer().serialize(value) for name, value in order.items()}
    assert len(values.of_item(ORDERS, item)) == len(ORDERS.columns) + 1


def test_a_repair_made_twice_is_one_change() -> None:
    given_ = {"keys": {"orderid": {"S": "a"}}, "known": "41", "stream_arn": "arn", "region": "r"}
    one, two = (orjson.loads(changes.repair(item=None, **given_)) for _ in range(2))
    assert one["eventID"] == two["eventID"]
    assert one["eventName"] == "REMOVE"
    assert one["dynamodb"]["SequenceNumber"].lstrip("0") == "42"
    other = orjson.loads(changes.repair(item={"orderid": {"S": "a"}}, **given_))
    assert other["eventID"] != one["eventID"] and other["eventName"] == "MODIFY"


@given(st.binary() | st.text().map(str.encode) | any_json.map(lambda o: json.dumps(o).encode()))
def test_any_outputs_file_is_read_or_rejected(body: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(body)
        with contextlib.suppress(stack_outputs.StackOutputsError):
            found = stack_outputs.load(None, Path(file.name), keys=())
            assert all(isinstance(value, str) for value in found.values())


@given(st.data())
def test_any_query_parameter_is_bound_as_one_literal_or_rejected(
    data: st.DataObject,
) -> None:
    query = data.draw(st.sampled_from([q for q in load_queries() if q.parameters]))
    given_ = {p.name: data.draw(st.text()) for p in query.parameters}
    try:
        literals = query.bind(given_)
    except ParameterError:
        return
    for literal in literals:
        if literal.startswith("'"):
            assert "'" not in literal[1:-1].replace("''", ""), "it ends where the value ends"
        else:
            assert not set(literal) & set("'\";()"), literal


@pytest.mark.parametrize("zone", ["Z", "+00:00", ""])
def test_times_are_compared_as_instants(zone: str) -> None:
    item = {"orderid": {"S": "a"}, "created_at": {"S": f"2026-11-21T02:18:00.5{zone}"}}
    row = {"orderid": "a", "created_at": "2026-11-21 02:18:00.500"}
    assert values.of_item(ORDERS, item) == values.of_row(ORDERS, row)


@pytest.mark.parametrize(("kind", "text"), [("S", "a"), ("N", "7"), ("B", "AA==")])
def test_a_changes_key_is_read_from_its_attribute(kind: str, text: str) -> None:
    """As the pipe's partition key: a number's digits, a binary's base64."""
    schema = Schema(
        key="id",
        columns=(
            Column(
                name="id", attribute="Id", type={"S": "string", "N": "int", "B": "binary"}[kind]
            ),
        ),
    )
    change = orjson.dumps({"dynamodb": {"Keys": {"Id": {kind: text}}}})
    assert failed.order_of(change, schema) == text
    assert failed.order_of(change.replace(b'"Id"', b'"id"'), schema) is None


def test_numbers_of_38_digits_are_compared_exactly() -> None:
    one, other = ({"orderid": {"S": "a"}, "n": {"N": "1" * 37 + last}} for last in "12")
    assert values.of_item(ORDERS, one) != values.of_item(ORDERS, other)
