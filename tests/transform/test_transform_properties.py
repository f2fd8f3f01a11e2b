"""Properties of the transform for any item and any bytes."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
import rows
from boto3.dynamodb.types import Binary, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st
from records import transform

from operate import changes
from operate import values as canonical
from schema import ORDERS, Schema
from schema.model import Privacy
from tests.events import decode, encode, firehose, load
from tests.transform.nested import CARTS, carts

KEY = "5f" * 32
PSEUDONYM = rows.pseudonyms(KEY.encode())


@cache
def compiled(schema: Schema) -> Any:
    return rows.compile_schema(json.loads(schema.to_json()), PSEUDONYM)


def with_privacy(schema: Schema, **privacy: Privacy) -> Schema:
    columns = (replace(one, privacy=privacy.get(one.name, "keep")) for one in schema.columns)
    return replace(schema, columns=tuple(columns))


PRIVATE = with_privacy(ORDERS, customer="hash", price="drop")
NARROW = replace(PRIVATE, unknown_attributes="drop")
TO_ROW = compiled(ORDERS)
KNOWN = [column.name for column in ORDERS.columns]

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.builds(
    lambda negative, digits, adjusted: Decimal(
        (negative, tuple(map(int, digits)), adjusted - len(digits) + 1)
    ),
    st.booleans(),
    st.integers(0, 10**38 - 1).map(str),
    st.integers(-130 + 37, 125),
)
scalars = st.one_of(
    texts,
    numbers,
    st.booleans(),
    st.none(),
    st.binary().map(Binary),
    st.integers(-(10**37), 10**37),
)
sets = st.one_of(
    st.sets(texts, min_size=1),
    st.sets(numbers, min_size=1),
    st.sets(st.binary().map(Binary), min_size=1),
)
values = st.recursive(
    scalars | sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
known_values = {
    "product_name": texts,
    "quantity": st.integers(-(2**31), 2**31 - 1),
    "price": st.decimals(
        min_value="-99999999.99", max_value="99999999.99", places=2, allow_nan=False
    ),
    "customer": texts,
    "status": texts,
    "created_at": st.datetimes(timezones=st.just(UTC)),
}
items = st.builds(
    lambda key, known, others: {"orderid": key} | others | known,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.fixed_dictionaries(
        {},
        optional={name: st.none() | values for name, values in known_values.items()},
    ),
    st.dictionaries(texts.filter(lambda name: name not in KNOWN), values, max_size=4),
)


def change_of(
    item: dict[str, Any], event_type: str = "INSERT", schema: Schema = ORDERS
) -> dict[str, Any]:
    """The change record of an item as boto3 would write it to DynamoDB."""
    change: dict[str, Any] = load("remove" if event_type == "REMOVE" else "insert")
    image = {}
    for name, value in item.items():
        written = value
        if isinstance(value, datetime):
            written = value.isoformat().replace("+00:00", "Z")
        image[name] = _in_json(TypeSerializer().serialize(written))
    stream = change["dynamodb"]
    stream["OldImage" if event_type == "REMOVE" else "NewImage"] = image
    stream["Keys"] = {name: image[name] for name in schema.key_attributes}
    change["eventName"] = event_type
    return change


def _in_json(value: Any) -> Any:
    """Binary as base64 text, as the stream's JSON carries it."""
    if isinstance(value, bytes | Binary):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dict):
        return {name: _in_json(inner) for name, inner in value.items()}
    return [_in_json(inner) for inner in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """What an extras value should read as."""
    if isinstance(value, Binary):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, set):
        return sorted(map(plain, value))
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read(text: str | bytes) -> Any:
    """JSON with every number as an exact Decimal."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@given(items, st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))
def test_a_row_equals_the_item_that_boto3_wrote(item: dict[str, Any], event_type: str) -> None:
    records = firehose(change_of(item, event_type))["records"]
    (answer,), tally = transform(records, TO_ROW)
    assert tally.failures == {}
    row = read(decode(answer))
    for name in KNOWN:
        value = item.get(name)
        if isinstance(value, datetime):
            found = datetime.fromisoformat(row[name]).replace(tzinfo=UTC)
            assert found == value
        else:
            assert row[name] == value
    others = {name: plain(value) for name, value in item.items() if name not in KNOWN}
    assert (read(row["extras"]) if row["extras"] else {}) == others
    assert row["event_type"] == event_type


@given(items, st.sampled_from(["INSERT", "MODIFY", "REMOVE"]), st.booleans(), st.booleans())
def test_a_row_can_be_made_a_change_again_that_gives_the_same_row(
    item: dict[str, Any], event_type: str, has_image: bool, by_ttl: bool
) -> None:
    change = change_of(item, event_type)
    if by_ttl:
        change["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    if not has_image:
        change["dynamodb"].pop("OldImage", None)
        change["dynamodb"].pop("NewImage", None)
    (answer,), _ = transform(firehose(change)["records"], TO_ROW)
    again = changes.from_row(decode(answer), ORDERS)
    assert again is not None
    (repeated,), tally = transform(firehose(json.loads(again))["records"], TO_ROW)
    assert tally.failures == {}
    assert read(decode(repeated)) == read(decode(answer))


@given(numbers)
def test_a_number_beyond_the_schema_keeps_its_digits(number: Decimal) -> None:
    extras = TO_ROW(change_of({"orderid": "a", "n": number}))["extras"]
    assert read(extras) == {"n": number}
    assert "e" not in extras.lower()


@given(st.lists(st.one_of(st.binary(), st.text()), max_size=8), st.integers(400, 2000))
def test_any_bytes_give_one_answer_each_within_the_limit(payloads: list[Any], limit: int) -> None:
    records = firehose(load("insert"), *payloads)["records"]
    answers, tally = transform(records, TO_ROW)
    assert [answer["recordId"] for answer in answers] == [r["recordId"] for r in records]
    assert [answer["result"] for answer in answers] == ["Ok"] + ["ProcessingFailed"] * len(payloads)
    assert [a["data"] for a in answers[1:]] == [record["data"] for record in records[1:]]
    assert tally.failed == len(payloads)

    bare = len(json.dumps({"records": [_without_data(answer) for answer in answers]})) + 20
    answers, _ = transform(records, TO_ROW, max_answer=bare + limit)
    assert [answer["recordId"] for answer in answers] == [r["recordId"] for r in records]
    assert len(json.dumps({"records": answers})) <= bare + limit


def _without_data(answer: dict[str, str]) -> dict[str, str]:
    return {"recordId": answer["recordId"], "result": "ProcessingFailed"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["S", "N", "B", "BOOL", "NULL", "M", "L", "NS"]), inner)
    ),
    max_leaves=5,
)


@st.composite
def damaged_changes(draw: st.DrawFn) -> Any:
    """A change record with a part moved, removed, or replaced by any JSON."""
    change = load(draw(st.sampled_from(["insert", "every_type", "remove", "keys_only_modify"])))
    for _ in range(draw(st.integers(1, 3))):
        place, name = {"": change}, ""
        while isinstance(place[name], dict) and place[name] and draw(st.integers(0, 5)):
            place = place[name]
            name = draw(st.sampled_from(sorted(place)))
        match draw(st.integers(0, 2)):
            case 0 if name:
                del place[name]
            case 1 if name:
                place[draw(st.sampled_from(["orderid", "price", "x", "S", "N"]))] = copy.deepcopy(
                    place[name]
                )
            case _ if name:
                place[name] = draw(json_values)
    return change


@settings(max_examples=max(400, settings.default.max_examples))
@given(damaged_changes())
def test_a_damaged_change_record_gives_one_answer(change: Any) -> None:
    try:
        data = encode(change)
    except ValueError:
        return
    records = firehose(data, load("insert"))["records"]
    answers, tally = transform(records, TO_ROW)
    assert [answer["recordId"] for answer in answers] == [r["recordId"] for r in records]
    assert answers[1]["result"] == "Ok"
    assert not any("unexpected error" in reason for reason in tally.failures)
    if answers[0]["result"] == "Ok":
        assert list(json.loads(decode(answers[0]))) == [c.name for c in ORDERS.event_row]


@settings(max_examples=max(400, settings.default.max_examples))
@given(st.one_of(damaged_changes(), st.builds(change_of, items)))
def test_the_straight_code_makes_the_rows_that_the_careful_code_makes(change: Any) -> None:
    for schema in (ORDERS, PRIVATE, NARROW):
        assert_paths_agree(change, schema)


CART_ROW = compiled(CARTS)


@given(carts(), st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))
def test_the_straight_code_agrees_on_nested_columns(item: dict[str, Any], event_type: str) -> None:
    assert_paths_agree(change_of(item, event_type, CARTS), CARTS)


@given(carts(extra=False))
def test_a_whole_cart_takes_the_straight_code(item: dict[str, Any]) -> None:
    """Nulls and missing members inside nested columns, and sets, do not slow a record down."""
    for column in CARTS.columns:
        if item.get(column.attribute) is None:
            item[column.attribute] = {"string": "", "json": [], "binary": b""}.get(
                column.type, [] if column.type.startswith("array") else {}
            )
    straight, _ = paths(CARTS)
    assert straight(change_of(item, "INSERT", CARTS))["extras"] is None


@given(carts(), st.sampled_from(["INSERT", "REMOVE"]))
def test_a_nested_row_equals_the_item_that_boto3_wrote(
    item: dict[str, Any], event_type: str
) -> None:
    """The two sides of `verify`, written apart from each other."""
    row = CART_ROW(change_of(item, event_type, CARTS))
    texts = {
        name: value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in row.items()
    }
    typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert canonical.of_row(CARTS, texts) == canonical.of_item(CARTS, typed)
    assert list(row) == [column.name for column in CARTS.event_row]


@given(carts(), st.sampled_from(["INSERT", "REMOVE"]))
def test_a_nested_row_can_be_made_a_change_again_that_gives_the_same_row(
    item: dict[str, Any], event_type: str
) -> None:
    row = orjson.dumps(CART_ROW(change_of(item, event_type, CARTS)))
    again = changes.from_row(row, CARTS)
    assert again is not None
    assert read(orjson.dumps(CART_ROW(json.loads(again)))) == read(row)


@cache
def paths(schema: Schema) -> tuple[Any, Any]:
    """The straight and the careful code for a schema."""
    document = json.loads(schema.to_json())
    keys = [document["key"]]
    keep = document["unknown_attributes"] == "keep"
    columns = [rows._Column(one, one["name"] in keys, PSEUDONYM) for one in document["columns"]]
    return rows._usual_row(columns, keep), rows._any_row(columns, keys, keep)


def assert_paths_agree(change: Any, schema: Schema) -> None:
    straight, careful = paths(schema)
    try:
        row = straight(change)
    except (AttributeError, KeyError, TypeError, ValueError):
        return
    assert orjson.dumps(row) == orjson.dumps(careful(change))
