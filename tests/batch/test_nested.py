"""Columns of structs, arrays and maps, from JSON and from Parquet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from client.parquet import RowConverter
from schema import ORDERS, Column, Schema
from tests.batch.batch_support import Lake, change, columns_of, lines

LINES = "array<struct<sku:string,price:decimal(10,2),at:timestamp,from:map<string,bigint>>>"


def with_columns(**kinds: str) -> Schema:
    added = tuple(Column(name=name, type=kind) for name, kind in kinds.items())
    return replace(ORDERS, columns=ORDERS.columns + added)


NESTED = with_columns(items=LINES, prices="map<string,decimal(10,2)>", note="json", seal="binary")
VALUES: dict[str, Any] = {
    "items": [
        {"sku": "x", "price": 19.9, "at": "2026-03-20 09:00:00.123456", "from": {"Stock": 2**40}},
        None,
        {"sku": None, "price": None, "at": None, "from": None},
    ],
    "prices": {"EUR": 1.5, "USD": None},
    "note": '{"a":[1.10]}',
    "seal": "AAE=",
}
READ = {
    "items": [
        {
            "sku": "x",
            "price": Decimal("19.90"),
            "at": datetime(2026, 3, 20, 9, 0, 0, 123456),
            "from": {"Stock": 2**40},
        },
        None,
        {"sku": None, "price": None, "at": None, "from": None},
    ],
    "prices": {"EUR": Decimal("1.50"), "USD": None},
    "note": '{"a":[1.10]}',
    "seal": "AAE=",
}


def nested_of(lake: Lake, key: str) -> dict[str, Any]:
    (row,) = lake.spark.table(lake.name).where(f"orderid = '{key}'").collect()
    values: dict[str, Any] = row.asDict(recursive=True)
    return {name: values[name] for name in READ}


def test_nested_values_are_the_same_from_json_and_from_parquet_and_are_merged(lake: Lake) -> None:
    columns = columns_of(NESTED)
    convert = RowConverter([(column.name, column.hive) for column in NESTED.event_row])
    lake.add(change("json", 1, **VALUES), change("old", 2, prices={"EUR": 1}, items=[]))
    data = convert.parquet(lines([change("parquet", 3, **VALUES)]).splitlines())
    lake.add(name="rows.parquet").write_bytes(data)
    assert lake.run(columns=columns).inserted == 3
    assert nested_of(lake, "json") == nested_of(lake, "parquet") == READ
    # A copy, a newer change, and a delete of rows with maps.
    lake.add(
        change("json", 1, **VALUES),
        change("old", 4, "MODIFY", **VALUES),
        change("parquet", 5, "REMOVE", **VALUES),
        hour="2026-03-20-11",
    )
    figures = lake.run(columns=columns)
    assert (figures.updated, figures.deleted, figures.skipped) == (1, 1, 1)
    assert nested_of(lake, "old") == READ
    assert nested_of(lake, "parquet") == dict.fromkeys(READ)


def test_a_nested_value_that_does_not_fit_rejects_its_row_alone(lake: Lake) -> None:
    def one(**fields: Any) -> dict[str, Any]:
        return {"items": [{"sku": "x"}, fields]}

    bad = [
        one(price=1.999),
        one(price=123456789),
        one(at="yesterday"),
        {"items": [{"from": {"a": 1.5}}]},
        {"items": [{"from": {"a": 2**63}}]},
        {"items": [["x"]]},
        {"items": {"sku": "x"}},
        {"prices": {"EUR": 1, "USD": 0.001}},
        {"prices": [1]},
    ]
    rows = (change(f"bad-{number}", 1, **values) for number, values in enumerate(bad))
    lake.add(change("good", 1, **VALUES), *rows)
    figures = lake.run(columns=columns_of(NESTED))
    assert set(lake.rows()) == {"good"}
    assert (figures.rejected, figures.inserted) == (len(bad), 1)


def test_what_spark_reads_without_notice_is_as_the_guide_says(lake: Lake) -> None:
    """docs/batch.md, "Nested columns": the transform writes none of this."""
    lake.add(change("a", 1, items=[{"sku": 5, "unknown": 1}], note=True))
    assert lake.run(columns=columns_of(NESTED)).rejected == 0
    found = nested_of(lake, "a")
    assert found["items"] == [{"sku": "5", "price": None, "at": None, "from": None}]
    assert found["note"] == "true"


def test_new_fields_are_added_at_any_depth_and_old_rows_have_none_of_them(lake: Lake) -> None:
    def schema(inner: str) -> Any:
        kinds = {"address": f"struct<city:string,{inner}>", "items": f"array<struct<{inner}>>"}
        return columns_of(with_columns(**kinds, by=f"map<string,struct<{inner}>>"))

    def row(key: str, number: int, kind: str = "INSERT", **inner: Any) -> Any:
        nested = {"address": {"city": "Bonn"} | inner, "items": [inner], "by": {"K": inner}}
        return change(key, number, kind, **nested)

    lake.add(row("a", 1, n=1), row("b", 2, n=2))
    lake.run(columns=schema("n:int"))
    lake.add(row("b", 3, new="x", n=2**40), row("c", 4, new="y", n=5), hour="2026-03-20-12")
    # In front of the field that is there, and that one is wider.
    lake.run(columns=schema("new:string,n:bigint"))
    read = {key: row.asDict(recursive=True) for key, row in _rows(lake).items()}
    for key, n, new in (("a", 1, None), ("b", 2**40, "x"), ("c", 5, "y")):
        assert read[key]["address"] == {"city": "Bonn", "n": n, "new": new}
        assert read[key]["items"] == [{"n": n, "new": new}]
        assert read[key]["by"] == {"K": {"n": n, "new": new}}
    # Athena casts rows by position: the table has the schema's order.
    types = {field.name: field.dataType for field in lake.spark.table(lake.name).schema}
    assert types["items"].simpleString() == "array<struct<new:string,n:bigint>>"
    lake.add(row("a", 5, "MODIFY", n=7, new="z"), hour="2026-03-20-13")
    lake.run(columns=schema("n:bigint,new:string"))  # in another order
    assert _rows(lake)["a"].asDict(recursive=True)["items"] == [{"n": 7, "new": "z"}]
    assert read["b"] == _rows(lake)["b"].asDict(recursive=True)
    for inner, found in {
        "n:string,new:string": r"\.n is bigint",
        "n:bigint": " is struct<",
    }.items():
        with pytest.raises(lake.job.JobError, match=rf"column address{found}.* in the schema"):
            lake.run(columns=schema(inner))


def _rows(lake: Lake) -> dict[str, Any]:
    return {row["orderid"]: row for row in lake.spark.table(lake.name).collect()}


def test_a_log_in_parquet_has_fields_more_and_less_than_the_schema(lake: Lake) -> None:
    def delivered(kind: str, name: str, *rows: Any) -> None:
        columns = with_columns(items=kind).event_row
        convert = RowConverter([(column.name, column.hive) for column in columns])
        lake.add(name=name).write_bytes(convert.parquet(lines(rows).splitlines()))

    items = [{"a": 1, "price": 1.5, "gone": True}]
    delivered(
        "array<struct<a:int,price:decimal(10,2)>>", "old.parquet", change("old", 1, items=items)
    )
    delivered(
        "array<struct<gone:boolean,price:decimal(10,2),a:int>>",
        "other.parquet",
        change("other", 2, items=items),
    )
    wanted = columns_of(
        with_columns(items="array<struct<new:string,price:decimal(10,1),a:bigint>>")
    )
    lake.run(columns=wanted)
    for key in ("old", "other"):
        found = _rows(lake)[key].asDict(recursive=True)["items"]
        assert found == [{"new": None, "price": Decimal("1.5"), "a": 1}]
    delivered(
        "array<struct<price:decimal(10,2)>>",
        "lost.parquet",
        change("lost", 3, items=[{"price": 1.25}]),
    )
    assert lake.run(columns=wanted).rejected_by_reason == {
        "a value that does not fit its column": 1
    }, json.dumps(items)
