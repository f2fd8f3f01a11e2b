"""The comparison that the demo's verdict rests on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from local.commands.truth import differences
from schema import Column, Schema

SCHEMA = Schema(
    key="id",
    columns=(
        Column(name="id", type="string"),
        Column(name="price", type="decimal(10,2)"),
        Column(name="count", type="int"),
        Column(name="paid", type="boolean"),
        Column(name="at", type="timestamp"),
    ),
)
ITEM: dict[str, Any] = {
    "id": "a",
    "price": Decimal("19.9"),
    "count": Decimal(2),
    "paid": True,
    "at": "2026-11-21T03:00:00.5+01:00",
}
ROW: dict[str, str | None] = {
    "id": "a",
    "price": "19.90",
    "count": "2",
    "paid": "true",
    "at": "2026-11-21 02:00:00.500",
}


def test_the_same_values_in_both_forms_are_no_difference() -> None:
    assert differences(SCHEMA, [ITEM], [ROW]) == []
    bare = {"id": "a"}
    assert differences(SCHEMA, [bare], [dict.fromkeys(ROW) | bare]) == []


@pytest.mark.parametrize(
    ("items", "rows", "told"),
    [
        ([ITEM], [], "a: only in the table"),
        ([], [ROW], "a: only in the lake"),
        ([ITEM], [ROW, ROW], "a: more than one row"),
        ([ITEM], [ROW | {"price": "19.91"}], "a: price is '19.90' in the table, '19.91' in the"),
        ([ITEM], [ROW | {"count": None}], "a: count is '2' in the table, None in the lake"),
        ([ITEM | {"at": None}], [ROW], "a: at is None in the table"),
    ],
)
def test_every_kind_of_difference_is_reported(items: Any, rows: Any, told: str) -> None:
    (line,) = differences(SCHEMA, items, rows)
    assert line.startswith(told)
