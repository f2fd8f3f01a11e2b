"""Nested columns as JSON: what `verify` reads is what the item holds."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest
import rows

from operate import values
from schema import Column, Schema
from tests.athena.conftest import Lab
from tests.events import load

CARTS = Schema(
    name="carts",
    key="cartid",
    columns=(
        Column(name="cartid", attribute="cartId", type="string"),
        Column(
            name="items",
            attribute="Items",
            type="array<struct<sku:string,unitPrice:decimal(38,10),count:bigint,note:json>>",
        ),
        Column(
            name="shipto",
            attribute="shipTo",
            type="struct<city:string,at:timestamp,day:date,lat:double,gift:boolean>",
        ),
        Column(name="prices", type="map<string,decimal(38,2)>"),
        Column(name="sizes", type="array<decimal(38,3)>"),
        Column(name="flags", type="map<string,struct<since:date>>"),
        Column(name="tags", type="array<string>"),
        Column(name="photo", type="binary"),
        Column(name="other", type="json"),
    ),
)
NULL = {"NULL": True}
ITEMS: list[dict[str, Any]] = [
    {"cartId": {"S": "empty"}},
    {
        "cartId": {"S": "nulls"},
        "Items": {"L": [NULL, {"M": {}}, {"M": {"sku": NULL}}]},
        "shipTo": {"M": {}},
        "prices": {"M": {}},
        "tags": {"L": []},
        "other": NULL,
    },
    {
        "cartId": {"S": "full"},
        "Items": {
            "L": [
                {
                    "M": {
                        "sku": {"S": 'a "b", {c=d}\n\\ ü 😀'},
                        "unitPrice": {"N": "1234567890123456789012345678.0123456789"},
                        "count": {"N": "9007199254740993"},
                        "note": {"M": {"b": {"N": "1.50"}, "a": {"SS": ["y", "x"]}}},
                        "color": {"S": "red"},
                    }
                }
            ]
        },
        "shipTo": {
            "M": {
                "city": {"S": "null"},
                "at": {"S": "2026-11-21T02:18:00.120Z"},
                "day": {"S": "2026-11-21"},
                "lat": {"N": "0.0000001"},
                "gift": {"BOOL": True},
            }
        },
        "prices": {"M": {"EUR": {"N": "0.1"}, "usd": {"N": "-" + "9" * 36 + ".99"}, "a.b": NULL}},
        "flags": {"M": {"Big": {"M": {"since": {"S": "2026-01-01"}}}, "none": NULL}},
        "sizes": {"NS": ["1234567890123456789012345678901234.567", "-0.001"]},
        "tags": {"SS": ["b", "a, c", ": 1.50,"]},
        "photo": {"B": b"\x00\xff"},
        "other": {"L": [{"N": "1E+3"}, {"BOOL": False}, NULL]},
    },
]


def in_json(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def row_of(item: dict[str, Any]) -> dict[str, Any]:
    change = load("insert")
    image = json.loads(json.dumps(item, default=in_json))
    change["dynamodb"] |= {"Keys": {"cartId": image["cartId"]}, "NewImage": image}
    made: dict[str, Any] = rows.compile_schema(json.loads(CARTS.to_json()))(change)
    return made


@pytest.fixture(scope="module")
def carts(lab: Lab) -> Lab:
    lab.put("carts/1.json", [orjson.dumps(row_of(item)).decode() for item in ITEMS])
    lab.table("carts", {column.name: column.hive for column in CARTS.event_row})
    return lab


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item["cartId"]["S"]))
def test_a_nested_row_reads_as_its_item(carts: Lab, item: dict[str, Any]) -> None:
    answer = carts.ask(
        f"SELECT {values.select_list(CARTS)} FROM carts WHERE cartid = '{item['cartId']['S']}'"
    )
    assert answer.state == "SUCCEEDED", answer.reason
    (row,) = answer.rows
    found = dict(zip(answer.header, row, strict=True))
    assert values.of_row(CARTS, found) == values.of_item(CARTS, item)
