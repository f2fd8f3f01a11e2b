"""Change records become event rows, exactly."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from rows import NotAChangeRecord, RecordError, SchemaMismatch, compile_schema

from schema import ORDERS, Column, Schema
from tests.events import load

ROW = {
    "orderid": "ord-0001",
    "product_name": "Mechanical Keyboard",
    "quantity": 2,
    "price": 129.99,
    "customer": "Zoë O'Brien",
    "status": "placed",
    "created_at": "2026-11-21 02:18:00.123",
    "extras": None,
    "event_type": "INSERT",
    "creation_time": "2026-11-21 02:18:00.000",
    "event_id": "c9e9c616612e7696a6cecc1b78e51061",
    "sequence_number": "0000000000000000111000000000000000000001",
    "deleted_by": None,
}
KEYS_ALONE = dict.fromkeys(list(ROW)[1:8]) | {"orderid": "ord-0001"}


def written(row: dict[str, Any]) -> Any:
    return json.loads(orjson.dumps(row))


def row_of(type_: str, value: object, *, required: bool = False) -> Any:
    """The text that a column of this type gets in the row of an item with this one value."""
    schema = Schema(
        key="id",
        columns=(
            Column(name="id", type="string", required=True),
            Column(name="it", type=type_, required=required),
        ),
    )
    change = load("insert")
    change["dynamodb"]["Keys"] = {"id": {"S": "a"}}
    change["dynamodb"]["NewImage"] = {"id": {"S": "a"}, "it": value}
    row = compile_schema(json.loads(schema.to_json()))(change)
    return orjson.dumps(row["it"]).decode()


@pytest.mark.parametrize(
    ("event", "differs"),
    [
        ("insert", {}),
        ("modify", {"event_type": "MODIFY", "status": "paid"}),
        ("remove", {"event_type": "REMOVE", "status": "paid"}),
        ("ttl_delete", {"event_type": "REMOVE", "status": "paid", "deleted_by": "ttl"}),
        (
            "ttl_delete_capitalised",
            {"event_type": "REMOVE", "status": "paid", "deleted_by": "ttl"},
        ),
        ("new_image_only_remove", {"event_type": "REMOVE", **KEYS_ALONE}),
        ("keys_only_modify", {"event_type": "MODIFY", **KEYS_ALONE}),
        ("number_key", {"orderid": "42", "creation_time": "2026-11-21 02:18:00.123"}),
    ],
)
def test_each_kind_of_change_gives_its_row(
    to_row: Any, event: str, differs: dict[str, Any]
) -> None:
    assert written(to_row(load(event))) == ROW | differs


@pytest.mark.parametrize(
    "identity",
    [
        None,
        {},
        "dynamodb.amazonaws.com",
        {"type": "Service"},
        {"type": "Service", "principalId": "replication.dynamodb.amazonaws.com"},
        {"type": "AssumedRole", "principalId": "dynamodb.amazonaws.com"},
        {"principalId": "dynamodb.amazonaws.com"},
    ],
)
def test_only_a_delete_by_dynamodb_itself_is_a_ttl_delete(to_row: Any, identity: object) -> None:
    change = load("remove") | {"userIdentity": identity}
    assert to_row(change)["deleted_by"] is None


@pytest.mark.parametrize("extra", [{}, {"colour": {"S": "red"}}])  # the fast path, the other one
@pytest.mark.parametrize("event_type", ["INSERT", "MODIFY", "REMOVE"])
def test_only_a_remove_is_deleted_by_anyone(
    to_row: Any, event_type: str, extra: dict[str, Any]
) -> None:
    change = load("ttl_delete")
    stream = change["dynamodb"]
    stream["NewImage"] = stream["OldImage"] = stream["OldImage"] | extra
    change["eventName"] = event_type
    assert to_row(change)["deleted_by"] == ("ttl" if event_type == "REMOVE" else None)


def test_a_row_has_the_columns_of_the_schema_in_order(to_row: Any) -> None:
    names = [column.name for column in ORDERS.event_row]
    for event in ("insert", "every_type", "keys_only_modify"):
        assert list(to_row(load(event))) == names


def test_what_the_schema_does_not_know_is_kept_in_extras(to_row: Any) -> None:
    extras = to_row(load("every_type"))["extras"]
    assert extras == (
        '{"address":{"city":"Berlin","geo":{"lat":52.5200},"zip":"10115"},"coupon":null,'
        '"empty":"","gift":true,"gift_note":"für \\"dich\\"\\nline two 😀",'
        '"hashes":["/w==","AA=="],'
        '"lines":["a",1.50,[],null],"photo":"AAEC/w==","sizes":[9,10,100],'
        '"tags":["apple","zebra"],"tiny":0.' + "0" * 129 + "1,"
        '"weight":12345678901234567890123456789012345678}'
    )


def test_extras_do_not_depend_on_the_order_in_which_an_item_lists_them(to_row: Any) -> None:
    change = load("every_type")
    image = change["dynamodb"]["NewImage"]
    image["tags"]["SS"].reverse()
    image["sizes"]["NS"].reverse()
    change["dynamodb"]["NewImage"] = dict(reversed(image.items()))
    assert to_row(change)["extras"] == to_row(load("every_type"))["extras"]


def test_an_attribute_named_like_a_column_of_the_event_row_stays_in_extras(to_row: Any) -> None:
    change = load("insert")
    change["dynamodb"]["NewImage"]["event_type"] = {"S": "forged"}
    row = to_row(change)
    assert (row["event_type"], row["extras"]) == ("INSERT", '{"event_type":"forged"}')


def test_a_missing_attribute_and_a_null_are_null(to_row: Any) -> None:
    change = load("insert")
    del change["dynamodb"]["NewImage"]["customer"]
    change["dynamodb"]["NewImage"]["price"] = {"NULL": True}
    assert written(to_row(change)) == ROW | {"customer": None, "price": None}


def test_an_image_without_its_key_gets_it_from_the_keys(to_row: Any) -> None:
    change = load("insert")
    image = change["dynamodb"]["NewImage"]
    image["colour"] = image.pop("orderid")
    assert written(to_row(change)) == ROW | {"extras": '{"colour":"ord-0001"}'}


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("string", {"S": ""}, '""'),
        ("string", {"S": 'a "b"\n\u2028\x00'}, '"a \\"b\\"\\n\u2028\\u0000"'),
        ("int", {"N": "-2147483648"}, "-2147483648"),
        ("int", {"N": "2147483647"}, "2147483647"),
        ("int", {"N": "5.00"}, "5"),
        ("int", {"N": "1.2E+3"}, "1200"),
        ("int", {"N": "0.0"}, "0"),
        ("bigint", {"N": "9223372036854775807"}, "9223372036854775807"),
        ("double", {"N": "0.1"}, "0.1"),
        ("double", {"N": "1E-5"}, "0.00001"),
        ("decimal(10,2)", {"N": "99999999.99"}, "99999999.99"),
        ("decimal(10,2)", {"N": "19.9"}, "19.9"),
        ("decimal(10,2)", {"N": "-0.01"}, "-0.01"),
        ("decimal(10,2)", {"N": "19.990"}, "19.99"),
        ("decimal(10,2)", {"N": "1E+2"}, "100"),
        ("decimal(10,2)", {"N": "+007.5"}, "7.5"),
        ("decimal(2,2)", {"N": "0.99"}, "0.99"),
        ("decimal(3,0)", {"N": "999"}, "999"),
        ("decimal(38,0)", {"N": "9" * 38}, "9" * 38),
        ("decimal(38,38)", {"N": "0." + "1" * 38}, "0." + "1" * 38),
        ("boolean", {"BOOL": False}, "false"),
        ("date", {"S": "2028-02-29"}, '"2028-02-29"'),
        ("timestamp", {"S": "2026-11-21T02:18:00Z"}, '"2026-11-21 02:18:00.000"'),
        ("timestamp", {"S": "2026-11-21T02:18:00.5+05:30"}, '"2026-11-20 20:48:00.500"'),
        ("timestamp", {"S": "2026-11-21 02:18:00"}, '"2026-11-21 02:18:00.000"'),
        ("timestamp", {"S": "2026-11-21T02:18:00.123456Z"}, '"2026-11-21 02:18:00.123456"'),
        ("timestamp", {"S": "2026-11-21T02:18:00.123000000Z"}, '"2026-11-21 02:18:00.123"'),
        ("timestamp", {"S": "2026-W47-6T02:18:00.123Z"}, '"2026-11-21 02:18:00.123"'),
        ("timestamp", {"N": "1795227480"}, '"2026-11-21 02:18:00.000"'),
        ("timestamp", {"N": "1795227480.123"}, '"2026-11-21 02:18:00.123"'),
        ("timestamp", {"N": "-0.001"}, '"1969-12-31 23:59:59.999"'),
        ("int", {"NULL": True}, "null"),
    ],
)
def test_a_value_that_fits_its_column_is_written(type_: str, value: object, text: str) -> None:
    assert row_of(type_, value) == text


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("string", {"N": "5"}),
        ("int", {"N": "2147483648"}),
        ("int", {"N": "-2147483649"}),
        ("int", {"N": "0.5"}),
        ("int", {"S": "5"}),
        ("bigint", {"N": "9223372036854775808"}),
        ("double", {"N": "1E+126"}),
        ("double", {"N": "1E-131"}),
        ("double", {"N": "1" * 39}),
        ("double", {"N": "Infinity"}),
        ("double", {"N": "1_000"}),
        ("double", {"N": " 1"}),
        ("double", {"N": "\u0661"}),
        ("double", {"N": "1E999999999"}),
        ("double", {"N": ""}),
        ("decimal(10,2)", {"N": "19.999"}),
        ("decimal(10,2)", {"N": "100000000"}),
        ("decimal(10,2)", {"N": "1E+8"}),
        ("decimal(2,2)", {"N": "1"}),
        ("decimal(3,0)", {"N": "0.1"}),
        ("boolean", {"S": "true"}),
        ("date", {"S": "2026-11-31"}),
        ("date", {"S": "20261121"}),
        ("timestamp", {"S": "2026-11-21"}),
        ("timestamp", {"S": "2026-11-21T02:18:00.1234567Z"}),
        ("timestamp", {"S": "2026-11-21T25:18:00.123Z"}),
        ("timestamp", {"S": "2026-11-21T02:18:00,12ZZ"}),
        ("timestamp", {"S": "0001-01-01T00:00:00+05:00"}),
        ("timestamp", {"N": "1795227480123"}),
        ("timestamp", {"N": "0.1234567"}),
        ("timestamp", {"S": "yesterday"}),
    ],
)
def test_a_value_that_does_not_fit_its_column_breaks_the_schema(type_: str, value: object) -> None:
    with pytest.raises(SchemaMismatch, match="column it") as caught:
        row_of(type_, value)
    assert all(str(content) not in str(caught.value) for content in value.values() if content)  # type: ignore[attr-defined]


def test_a_required_column_needs_a_value_wherever_there_is_an_image() -> None:
    with pytest.raises(SchemaMismatch, match="column it: required"):
        row_of("int", {"NULL": True}, required=True)


def test_a_sort_key_is_read_from_the_keys() -> None:
    columns = (Column(name="id", type="string"), Column(name="at", type="bigint"))
    to_row = compile_schema(json.loads(Schema(key="id", sort_key="at", columns=columns).to_json()))
    change = load("new_image_only_remove")
    change["dynamodb"]["Keys"] = {"id": {"S": "a"}, "at": {"N": "7"}}
    assert {name: written(to_row(change))[name] for name in ("id", "at")} == {"id": "a", "at": 7}


def test_a_number_keeps_every_digit(to_row: Any) -> None:
    digits = "1234567890.1234567890123456789012345678"
    change = load("insert")
    change["dynamodb"]["NewImage"]["weight"] = {"N": digits}
    assert json.loads(to_row(change)["extras"], parse_float=Decimal) == {"weight": Decimal(digits)}


@pytest.mark.parametrize("levels", [32, 33, 200])
def test_an_item_nests_as_deep_as_dynamodb_lets_it(to_row: Any, levels: int) -> None:
    value: dict[str, Any] = {"S": "core"}
    for _ in range(levels):
        value = {"L": [value]}
    change = load("insert")
    change["dynamodb"]["NewImage"]["nested"] = value
    if levels == 32:
        assert json.loads(to_row(change)["extras"])["nested"]
    else:
        with pytest.raises(NotAChangeRecord):
            to_row(change)


@pytest.mark.parametrize("seconds", [True, "1795227480", None, 1e300, -(10**12)])
def test_an_invalid_creation_time_is_rejected(to_row: Any, seconds: object) -> None:
    change = load("insert")
    change["dynamodb"]["ApproximateCreationDateTime"] = 1.0
    assert to_row(change)["creation_time"] == "1970-01-01 00:00:01.000"
    change["dynamodb"]["ApproximateCreationDateTime"] = seconds
    with pytest.raises(RecordError):
        to_row(change)


# --- Nested columns, json, binary ---

LINES = "array<struct<sku:string,unitPrice:decimal(10,2),gifts:array<int>>>"


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("binary", {"B": "AAEC/w=="}, '"AAEC/w=="'),
        ("json", {"S": "a"}, '"\\"a\\""'),
        ("json", {"M": {"b": {"N": "1.50"}, "a": {"NULL": True}}}, r'"{\"a\":null,\"b\":1.50}"'),
        ("json", {"NS": ["10", "9"]}, '"[9,10]"'),
        ("json", {"NULL": True}, "null"),
        ("array<string>", {"L": []}, "[]"),
        ("array<string>", {"L": [{"S": "b"}, {"NULL": True}, {"S": "a"}]}, '["b",null,"a"]'),
        ("array<string>", {"SS": ["b", "B", "a"]}, '["B","a","b"]'),
        ("array<int>", {"NS": ["10", "9", "-1"]}, "[-1,9,10]"),
        ("array<binary>", {"BS": ["/w==", "AA=="]}, '["/w==","AA=="]'),
        ("array<json>", {"SS": ["b", "a"]}, r'["\"a\"","\"b\""]'),
        ("array<array<int>>", {"L": [{"L": [{"N": "1"}]}, {"NS": ["2"]}]}, "[[1],[2]]"),
        ("map<string,int>", {"M": {"Zoë": {"N": "1E+2"}, "a b": {"NULL": True}}}, None),
        ("struct<zipCode:string,at:date>", {"M": {}}, '{"zipcode":null,"at":null}'),
        ("struct<zipCode:string>", {"NULL": True}, "null"),
        ("struct<zipCode:string>", {"M": {"zipCode": {"S": "1"}}}, '{"zipcode":"1"}'),
        ("struct<a:struct<b:bigint>>", {"M": {"a": {"M": {"b": {"N": "7"}}}}}, '{"a":{"b":7}}'),
        ("array<decimal( 38 , 2)>", {"L": [{"N": "9" * 36 + ".99"}]}, f"[{'9' * 36}.99]"),
        (
            LINES,
            {"L": [{"M": {"unitPrice": {"N": "0.10"}, "gifts": {"L": [{"N": "1"}]}}}]},
            '[{"sku":null,"unitprice":0.10,"gifts":[1]}]',
        ),
    ],
)
def test_a_nested_value_is_written_with_every_digit(
    type_: str, value: object, text: str | None
) -> None:
    assert row_of(type_, value) == (text or '{"Zoë":100,"a b":null}')


@pytest.mark.parametrize(
    ("type_", "value", "reason"),
    [
        (
            LINES,
            {"L": [{"M": {}}] * 3 + [{"M": {"unitPrice": {"N": "0.123"}}}]},
            "it[3].unitPrice: decimal(10,2) cannot hold this value exactly",
        ),
        (
            LINES,
            {"L": [{"M": {"gifts": {"L": [{"N": "1"}, {"S": "x"}]}}}]},
            "it[0].gifts[1]: int is read only from N",
        ),
        (LINES, {"L": [{"S": "x"}]}, "it[0]: struct is read only from M"),
        (LINES, {"M": {}}, "it: array is read only from L or SS or NS or BS"),
        ("array<int>", {"NS": ["1", "0.5"]}, "it[0]: int cannot hold this value exactly"),
        (
            "map<string,struct<a:date>>",
            {"M": {"anna@example.com": {"M": {"a": {"S": "today"}}}}},
            "it.*.a: date cannot hold this value exactly",
        ),
        ("struct<a:string>", {"S": "x"}, "it: struct is read only from M"),
        ("json", {"N": "x"}, "it: not a valid DynamoDB value"),
        ("binary", {"S": "x"}, "it: binary is read only from B"),
    ],
)
def test_a_nested_value_that_does_not_fit_is_named_by_its_path(
    type_: str, value: object, reason: str
) -> None:
    with pytest.raises(SchemaMismatch) as refused:
        row_of(type_, value)
    assert str(refused.value) == f"column {reason}"


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("struct<a:string>", {"M": []}),
        ("struct<a:string>", {"M": {"a": None}}),
        ("array<int>", {"L": {}}),
        ("array<int>", {"L": [None]}),
        ("map<string,int>", {"M": [{"N": "1"}]}),
        ("json", {"X": 1}),
        ("json", None),
        ("array<string>", {"SS": [1]}),
    ],
)
def test_what_dynamodb_would_not_write_is_no_change_record(type_: str, value: object) -> None:
    with pytest.raises(NotAChangeRecord):
        row_of(type_, value)


CART = Schema(
    name="carts",
    key="id",
    sort_key="place",
    columns=(
        Column(name="id", attribute="Id", type="binary", required=True),
        Column(name="place", attribute="line-no", type="int"),
        Column(name="items", attribute="Items", type="array<struct<sku:string>>"),
        Column(name="shipto", attribute="ship-to", type="map<string,struct<city:string>>"),
    ),
)


def cart_row(**image: object) -> Any:
    change = load("insert")
    keys = {"Id": {"B": "AA=="}, "line-no": {"N": "7"}}
    change["dynamodb"] |= {"Keys": keys, "NewImage": keys | image}
    return compile_schema(json.loads(CART.to_json()))(change)


def test_a_column_is_read_from_its_attribute_and_a_key_may_be_binary() -> None:
    row = cart_row(Items={"L": [{"M": {"sku": {"S": "a"}}}]}, items={"S": "other"})
    assert {name: written(row)[name] for name in ("id", "place", "items", "extras")} == {
        "id": "AA==",
        "place": 7,
        "items": [{"sku": "a"}],
        "extras": '{"items":"other"}',
    }


def test_unknown_members_of_structs_are_kept_in_extras_by_their_path() -> None:
    row = cart_row(
        Items={"L": [{"M": {}}, {"M": {"SKU": {"N": "1.50"}, "a b": {"SS": ["y", "x"]}}}]},
        **{
            "ship-to": {"M": {"x.y": {"M": {"geo": {"M": {"lat": {"N": "1"}}}}}}},
            "Items[0].sku": {"S": "an attribute, not a path"},
            "ship.to": {"S": "plain"},
        },
    )
    assert json.loads(row["extras"]) == {
        "Items[1].SKU": 1.5,
        'Items[1]["a b"]': ["x", "y"],
        '["ship-to"]["x.y"].geo': {"lat": 1},
        '["Items[0].sku"]': "an attribute, not a path",
        "ship.to": "plain",
    }
    assert written(row)["items"] == [{"sku": None}, {"sku": None}]
