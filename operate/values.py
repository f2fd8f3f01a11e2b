"""Canonical texts of values: values equal in DynamoDB and Athena are equal as text."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schema import EXTRAS, Column, Schema

Values = tuple[str | None, ...]
"""The schema's columns in order, then attributes that are not in the schema (`EXTRAS`)."""

_ODD = "?"  # prefix for a value that its column cannot hold: equal to nothing in the lake


def of_item(schema: Schema, item: Mapping[str, Any]) -> Values:
    """The texts of an item from DynamoDB's API: ``{"price": {"N": "19.9"}}``."""
    known = [_from_dynamodb(column, item.get(column.name)) for column in schema.columns]
    names = {column.name for column in schema.columns}
    unknown = {name: _plain(value) for name, value in item.items() if name not in names}
    return (*known, _canonical_json(unknown) if unknown else None)


def of_row(schema: Schema, row: Mapping[str, str | None]) -> Values:
    """The texts of a row of ``current_orders`` from Athena's API; None for NULL."""
    known = [_from_athena(column, row.get(column.name)) for column in schema.columns]
    extras = row.get(EXTRAS.name)
    if extras is None:
        return (*known, None)
    try:
        return (*known, _canonical_json(json.loads(extras, parse_int=Decimal, parse_float=Decimal)))
    except ValueError:
        return (*known, _ODD + extras)


def key_of(schema: Schema, item: Mapping[str, Any]) -> tuple[str, ...]:
    """An item's key, as Athena's texts."""
    return tuple(_from_dynamodb(schema[name], item.get(name)) or "" for name in schema.keys)


def key_of_row(schema: Schema, row: Mapping[str, str | None]) -> tuple[str, ...]:
    """A row's key."""
    return tuple(_from_athena(schema[name], row.get(name)) or "" for name in schema.keys)


def _from_dynamodb(column: Column, value: Mapping[str, Any] | None) -> str | None:
    if not value or value.get("NULL"):
        return None
    ((kind, content),) = value.items()
    try:
        match column.type, kind:
            case ("string", "S" | "N") | ("date", "S"):
                text = str(content)
            case "boolean", "BOOL":
                text = str(content).lower()
            case "timestamp", "S":
                text = _instant(datetime.fromisoformat(content))
            case "timestamp", "N":
                text = _instant(datetime.fromtimestamp(float(content), UTC))
            case _, "N":
                text = _number(column, content)
            case _:
                text = f"{_ODD}{value}"
    except (ValueError, OverflowError, InvalidOperation, OSError):
        text = f"{_ODD}{value}"
    return text


def _from_athena(column: Column, text: str | None) -> str | None:
    if text is None or column.type in ("string", "date", "boolean"):
        return text
    try:
        if column.type == "timestamp":
            return _instant(datetime.fromisoformat(text))
        return _number(column, text)
    except (ValueError, InvalidOperation):
        return _ODD + text


def _number(column: Column, text: str) -> str:
    if column.type == "double":
        return repr(float(text))
    return _digits(Decimal(text))


def _digits(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


def _instant(moment: datetime) -> str:
    """A timestamp in milliseconds, Athena's precision; UTC if it has no offset."""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds")


def _plain(value: Mapping[str, Any]) -> Any:
    """The transform's value of an attribute that is not in the schema."""
    ((kind, content),) = value.items()
    return _PLAIN.get(kind, lambda text: text)(content)


def _base64(content: Any) -> str:
    return base64.b64encode(bytes(content)).decode()


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "N": Decimal,
    "B": _base64,
    "M": lambda members: {name: _plain(inner) for name, inner in members.items()},
    "L": lambda members: [_plain(inner) for inner in members],
    "NS": lambda members: sorted(map(Decimal, members)),
    "BS": lambda members: sorted(map(_base64, members)),
    "SS": sorted,
}


def _canonical_json(value: Any) -> str:
    def number(one: Any) -> Any:
        match one:
            case Decimal():
                return {"number": _digits(one)}
            case dict():
                return {name: number(inner) for name, inner in one.items()}
            case list():
                return [number(inner) for inner in one]
        return one

    return json.dumps(number(value), sort_keys=True)
