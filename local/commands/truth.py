"""Compare Athena's results with the DynamoDB table, value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from schema import Column, Schema

Texts = Mapping[str, str | None]
"""A row as GetQueryResults returns it: every value as text."""


def table_items(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    """Every item of the table, as Python values."""
    read = TypeDeserializer().deserialize
    return [
        {name: read(value) for name, value in item.items()}
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        for item in page["Items"]
    ]


def differences(
    schema: Schema, items: Iterable[Mapping[str, Any]], rows: Iterable[Texts]
) -> list[str]:
    """One line per difference between the current orders and the table's items."""
    wanted = {_key(schema, item): item for item in items}
    found: dict[tuple[str, ...], Texts] = {}
    told = []
    for row in rows:
        key = tuple(str(row[name]) for name in schema.keys)
        if key in found:
            told.append(f"{'/'.join(key)}: more than one row")
        found[key] = row
    told += [f"{'/'.join(key)}: only in the table" for key in wanted.keys() - found.keys()]
    told += [f"{'/'.join(key)}: only in the lake" for key in found.keys() - wanted.keys()]
    for key in wanted.keys() & found.keys():
        for column in schema.columns:
            expected = as_text(column, wanted[key].get(column.name))
            if found[key][column.name] != expected:
                told.append(
                    f"{'/'.join(key)}: {column.name} is {expected!r} in the table, "
                    f"{found[key][column.name]!r} in the lake"
                )
    return told


def as_text(column: Column, value: Any) -> str | None:
    """A DynamoDB value as Athena prints the column."""
    if value is None:
        return None
    if column.decimal:
        return f"{Decimal(value):.{column.decimal[1]}f}"
    if column.type == "timestamp":
        moment = (
            datetime.fromisoformat(value)
            if isinstance(value, str)
            else datetime.fromtimestamp(float(value), UTC)
        )
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _key(schema: Schema, item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(item[name]) for name in schema.keys)
