"""What a schema refuses, and that it says all of it at once."""

from __future__ import annotations

import json

import pytest

from schema import ORDERS, Column, Schema, SchemaError, types
from schema.model import Privacy, UnknownAttributes

KEY = Column(name="id", type="string")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("event_type", "the event row uses that name"),
        ("day", "the event row uses that name"),
        ("arrived", "the table of current orders uses that name"),
        ("previous_event_type", "the table of current orders uses that name"),
    ],
)
def test_a_name_that_is_taken_is_refused(name: str, problem: str) -> None:
    with pytest.raises(SchemaError, match=f"column '{name}': {problem}"):
        Schema(key="id", columns=(KEY, Column(name=name, type="string")))


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SchemaError) as refused:
        Schema(key="no", sort_key="none", columns=(KEY, KEY, Column(name="hour", type="int")))
    assert str(refused.value).split("; ") == [
        "column 'id': declared twice",
        "column 'hour': the event row uses that name",
        "key 'no': not among the columns",
        "key 'none': not among the columns",
    ]


@pytest.mark.parametrize("name", ["Orders", "1st", "projection", "changes", "crawled_x", "failed"])
def test_a_table_name_that_the_lake_cannot_use_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match=f"name '{name}'"):
        Schema(name=name, key="id", columns=(KEY,))


@pytest.mark.parametrize("kind", ["boolean", "json", "array<string>", "struct<a:int>"])
def test_a_key_is_of_a_type_that_dynamodb_has_as_a_key(kind: str) -> None:
    with pytest.raises(SchemaError, match=f"key 'id': DynamoDB has no key of type {kind}"):
        Schema(key="id", columns=(Column(name="id", type=kind),))


def test_an_attribute_is_read_by_one_column() -> None:
    columns = (KEY, Column(name="a", type="int"), Column(name="b", type="int", attribute="a"))
    with pytest.raises(SchemaError, match="attribute 'a': read by two columns"):
        Schema(key="id", columns=columns)


@pytest.mark.parametrize(
    ("text", "hive", "trino"),
    [
        ("int", "int", "integer"),
        ("json", "string", "varchar"),
        ("binary", "string", "varchar"),
        ("decimal( 10 , 2 )", "decimal(10,2)", "decimal(10,2)"),
        ("array<timestamp>", "array<timestamp>", "array(timestamp(3))"),
        ("map<string,array<json>>", "map<string,array<string>>", "map(varchar, array(varchar))"),
        (
            "array<struct<sku:string,unitPrice:decimal(10,2)>>",
            "array<struct<sku:string,unitprice:decimal(10,2)>>",
            'array(row("sku" varchar, "unitprice" decimal(10,2)))',
        ),
    ],
)
def test_a_type_has_a_name_in_glue_and_one_in_athena(text: str, hive: str, trino: str) -> None:
    parsed = types.parse(text)
    assert types.parse(types.text(parsed)) == parsed
    assert types.hive(parsed) == hive
    assert types.trino(parsed) == trino


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("text", "unknown type 'text'"),
        ("", "unknown type ''"),
        ("INT", "unknown type 'INT'"),
        ("array<int", "expected '>', found 'the end'"),
        ("array<int>>", "'>' after the type"),
        ("map<int,int>", "the keys of a map are strings"),
        ("struct<a:int,A:int>", "field 'A': declared twice"),
        ("struct<first-name:string>", "expected ':', found '-'"),
        ("struct<>", "field '>'"),
        ("decimal(39,2)", "1 <= precision <= 38"),
        ("decimal(2,3)", "scale <= precision"),
        ("decimal(a,b)", "decimal(precision,scale)"),
        ("array<" * 40 + "int" + ">" * 40, "more than 32 levels"),
    ],
)
def test_a_text_that_is_no_type_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(types.TypeTextError) as refused:
        types.parse(text)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (
            Column(name="a", type="string", privacy="mask"),
            "privacy is keep, hash, drop, not 'mask'",
        ),  # type: ignore[arg-type]
        (Column(name="a", type="int", privacy="hash"), "only a string can be hashed, not int"),
        (
            Column(name="a", type="struct<name:string>", privacy="hash"),
            "only a string can be hashed, not struct<name:string>; drop it, or keep it",
        ),
        (Column(name="a", type="json", privacy="drop", required=True), "dropped, so it cannot be"),
    ],
)
def test_a_treatment_that_a_column_cannot_have_is_refused(column: Column, problem: str) -> None:
    with pytest.raises(SchemaError, match=f"column 'a': {problem}"):
        Schema(key="id", columns=(KEY, column))


@pytest.mark.parametrize("privacy", ["hash", "drop"])
def test_a_key_is_kept(privacy: Privacy) -> None:
    key = Column(name="id", type="string", privacy=privacy)
    line = Column(name="line", type="string", privacy=privacy)
    with pytest.raises(SchemaError, match="column 'id': a key identifies the item"):
        Schema(key="id", columns=(key, Column(name="line", type="string")))
    with pytest.raises(SchemaError, match="column 'line': a key identifies the item"):
        Schema(key="id", sort_key="line", columns=(KEY, line))


def test_any_column_but_a_key_can_be_dropped_and_a_text_hashed() -> None:
    for kind in ("int", "json", "binary", "array<struct<a:int>>", "timestamp"):
        Schema(key="id", columns=(KEY, Column(name="a", type=kind, privacy="drop")))
    hashed = Column(name="a", type="string", privacy="hash", required=True)
    assert Schema(key="id", columns=(KEY, hashed)).hashed == (hashed,)


def test_the_orders_name_who_ordered_and_keep_it() -> None:
    assert [one.name for one in ORDERS.columns if one.personal] == ["customer"]
    assert {one.privacy for one in ORDERS.columns} == {"keep"}


def test_a_schema_survives_its_json() -> None:
    nested = Column(name="lines", attribute="Lines", type="array<struct<sku:string>>", comment="x")
    personal = Column(name="mail", type="string", personal=True, privacy="hash")
    unknown: UnknownAttributes
    for unknown in ("keep", "drop"):
        columns = (KEY, nested, personal)
        carts = Schema(name="carts", key="id", columns=columns, unknown_attributes=unknown)
        for schema in (ORDERS, carts):
            assert Schema.from_json(schema.to_json()) == schema


def test_the_json_of_a_version_before_keeps_everything() -> None:
    document = json.loads(ORDERS.to_json())
    del document["unknown_attributes"]
    for column in document["columns"]:
        del column["personal"], column["privacy"]
    before = Schema.from_json(json.dumps(document))
    assert before.unknown_attributes == "keep"
    assert not before.hashed
