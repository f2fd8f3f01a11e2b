"""Canonical texts of values: values equal in DynamoDB and Athena are equal as text."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from operate import paths
from operate.reasons import Pseudonym
from schema import EXTRAS, Column, Schema, types

Values = tuple[str | None, ...]
"""The schema's columns in order, then attributes that are not in the schema (`EXTRAS`)."""

_ODD = "?"  # prefix for a value that its column cannot hold: equal to nothing in the lake


def select_list(schema: Schema) -> str:
    """What to select from the view or the log for `of_row`.

    Athena's API shows a nested value as ``{a=x, b=[1, 2]}``, which is ambiguous; as JSON it is
    exact. A row becomes an object with its fields' names, a decimal keeps its digits, dates and
    timestamps are texts: https://trino.io/docs/current/functions/json.html#cast-to-json
    """
    texts = [
        f'json_format(CAST("{column.name}" AS JSON)) AS "{column.name}"'
        if types.is_nested(column.parsed)
        else f'"{column.name}"'
        for column in schema.columns
    ]
    return ", ".join([*texts, f'"{EXTRAS.name}"'])


def of_item(schema: Schema, item: Mapping[str, Any], pseudonym: Pseudonym | None = None) -> Values:
    """The texts of an item from DynamoDB's API: ``{"price": {"N": "19.9"}}``.

    As the lake holds them: NULL for a dropped column, and a pseudonym for a hashed one.
    """
    columns = {column.attribute: column for column in schema.columns}
    known = [_in_the_lake(c, item.get(c.attribute), pseudonym) for c in schema.columns]
    unknown = {}
    for name, value in item.items() if schema.unknown_attributes == "keep" else ():
        if name not in columns:
            unknown[paths.top_name(name, schema)] = _plain(value)
        elif columns[name].privacy == "keep":
            head = paths.step(name, first=True)
            unknown.update(_unknown_members(columns[name].parsed, value, head))
    return (*known, _canonical_json(unknown) if unknown else None)


def of_row(schema: Schema, row: Mapping[str, str | None]) -> Values:
    """The texts of a row from Athena's API, selected by `select_list`; None for NULL."""
    known = [_from_athena(column, row.get(column.name)) for column in schema.columns]
    extras = row.get(EXTRAS.name)
    if extras is None:
        return (*known, None)
    try:
        return (*known, _json_again(extras))
    except ValueError:
        return (*known, _ODD + extras)


def key_of(schema: Schema, item: Mapping[str, Any]) -> tuple[str, ...]:
    """An item's key, as Athena's texts."""
    columns = [schema[name] for name in schema.keys]
    return tuple(_text(_from_dynamodb(c.parsed, item.get(c.attribute))) or "" for c in columns)


def key_of_row(schema: Schema, row: Mapping[str, str | None]) -> tuple[str, ...]:
    """A row's key."""
    return tuple(_from_athena(schema[name], row.get(name)) or "" for name in schema.keys)


def _in_the_lake(
    column: Column, value: Mapping[str, Any] | None, pseudonym: Pseudonym | None
) -> str | None:
    if column.privacy == "drop":
        return None
    text = _text(_from_dynamodb(column.parsed, value))
    if column.privacy == "keep" or text is None:
        return text
    assert pseudonym, "a schema with hashed columns needs the key"
    return pseudonym(text) if value and "S" in value else _ODD


def _text(value: Any) -> str | None:
    """A scalar's text as it is; a nested value as JSON, with texts for the scalars inside."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def _from_dynamodb(type_: types.Type, value: Mapping[str, Any] | None) -> Any:  # noqa: PLR0911 - one a type
    """A scalar's text, or dicts and lists of them."""
    if not value or value.get("NULL"):
        return None
    ((kind, content),) = value.items()
    match type_, kind:
        case types.Struct(fields), "M":
            return {name.lower(): _from_dynamodb(of, content.get(name)) for name, of in fields}
        case types.Map(of), "M":
            return {name: _from_dynamodb(of, inner) for name, inner in content.items()}
        case types.Array(of), "L":
            return [_from_dynamodb(of, inner) for inner in content]
        case types.Array(of), "SS" | "NS" | "BS":
            orders: Mapping[str, Callable[[Any], Any]] = {"NS": Decimal, "BS": _base64, "SS": str}
            return [_from_dynamodb(of, {kind[0]: one}) for one in sorted(content, key=orders[kind])]
    try:
        return _scalar(type_, kind, content)
    except (ValueError, OverflowError, InvalidOperation, OSError):
        return f"{_ODD}{value}"


def _scalar(type_: types.Type, kind: str, content: Any) -> str:  # noqa: PLR0911 - one a type
    name = type_.name if isinstance(type_, types.Scalar) else ""
    match name, kind:
        case "json", _:
            return _canonical_json(_plain({kind: content}))
        case ("string", "S" | "N") | ("date", "S"):
            return str(content)
        case "binary", "B":
            return _base64(content)
        case "boolean", "BOOL":
            return str(content).lower()
        case "timestamp", "S":
            return _instant(datetime.fromisoformat(content))
        case "timestamp", "N":
            return _instant(datetime.fromtimestamp(float(content), UTC))
        case (("int" | "bigint" | "double"), "N"):
            return _number(name, content)
        case "", "N" if isinstance(type_, types.Decimal):
            return _number(name, content)
    raise ValueError


def _from_athena(column: Column, text: str | None) -> str | None:
    type_ = column.parsed
    if text is None:
        return None
    if not types.is_nested(type_):
        return _shown(type_, text)
    try:
        return _text(_from_json(type_, json.loads(text, parse_int=str, parse_float=str)))
    except (AttributeError, TypeError, ValueError):
        return _ODD + text


def _from_json(type_: types.Type, value: Any) -> Any:
    """A value inside a nested column, its numbers still as text."""
    if value is None:
        return None
    match type_:
        case types.Struct(fields):
            return {name.lower(): _from_json(of, value.get(name.lower())) for name, of in fields}
        case types.Map(of):
            return {name: _from_json(of, inner) for name, inner in value.items()}
        case types.Array(of):
            return [_from_json(of, inner) for inner in value]
    return _shown(type_, str(value).lower() if isinstance(value, bool) else str(value))


def _shown(type_: types.Type, text: str) -> str:
    """A scalar's text from the text that Athena shows."""
    name = type_.name if isinstance(type_, types.Scalar) else ""
    if name in ("string", "date", "boolean", "binary"):
        return text
    try:
        if name == "json":
            return _json_again(text)
        if name == "timestamp":
            return _instant(datetime.fromisoformat(text))
        return _number(name, text)
    except (ValueError, InvalidOperation):
        return _ODD + text


def _number(type_: str, text: str) -> str:
    if type_ == "double":
        return repr(float(text))
    return _digits(Decimal(text))


def _digits(number: Decimal) -> str:
    text = f"{number:f}"  # normalize() would round to 28 digits
    return (text.rstrip("0").rstrip(".") if "." in text else text) if number else "0"


def _instant(moment: datetime) -> str:
    """A timestamp in milliseconds, Athena's precision; UTC if it has no offset."""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds")


def _unknown_members(
    type_: types.Type, value: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Any]]:
    """What the structs in a value hold beyond their fields, by path."""
    ((kind, content),) = value.items()
    match type_, kind:
        case types.Struct(fields), "M":
            declared = dict(fields)
            for name, inner in content.items():
                there = path + paths.step(name)
                if name in declared:
                    yield from _unknown_members(declared[name], inner, there)
                else:
                    yield there, _plain(inner)
        case types.Map(of), "M":
            for name, inner in content.items():
                yield from _unknown_members(of, inner, path + paths.step(name))
        case types.Array(of), "L":
            for index, inner in enumerate(content):
                yield from _unknown_members(of, inner, f"{path}[{index}]")


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


def _json_again(text: str) -> str:
    return _canonical_json(json.loads(text, parse_int=Decimal, parse_float=Decimal))


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
