"""What a schema refuses, and that it says all of it at once."""

from __future__ import annotations

import pytest

from schema import ORDERS, Column, Schema, SchemaError, types

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


def test_a_schema_survives_its_json() -> None:
    nested = Column(name="lines", attribute="Lines", type="array<struct<sku:string>>", comment="x")
    for schema in (ORDERS, Schema(name="carts", key="id", columns=(KEY, nested))):
        assert Schema.from_json(schema.to_json()) == schema
