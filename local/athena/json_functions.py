"""Trino's JSON functions and SQL/JSON, in Python; none gets a NULL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from local.athena.errors import QueryError
from local.athena.results import java_double
from local.athena.text_functions import (
    cast_boolean,
    cast_decimal,
    cast_double,
    cast_integer,
    double_text,
    round_decimal,
)
from local.athena.types import Type, read_type


class _Number(str):
    """A number as it is written; JSON's strings are plain ``str``."""

    __slots__ = ()


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decoder_first = json.JSONDecoder(
    object_pairs_hook=_first, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
)
_decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_no_constant)


def _written(value: Any, *, ordered: bool = False) -> str:
    """JSON as Trino writes it: no spaces, numbers with a fraction as Java's doubles."""
    if isinstance(value, _Number):
        return value if re.fullmatch(r"-?\d+", value) else java_double(float(value))
    if isinstance(value, dict):
        items = sorted(value.items()) if ordered else value.items()
        return (
            "{"
            + ",".join(f"{json_string(k)}:{_written(v, ordered=ordered)}" for k, v in items)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(_written(one, ordered=ordered) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def json_string(value: str) -> str:
    """A text as JSON."""
    return json.dumps(value, ensure_ascii=False)


_STEP = re.compile(r'\.([\w$]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')


def json_path(path: str) -> list[str | int]:
    """The steps of a path of ``json_extract``: keys and indices.

    Raises
    ------
    ValueError
        It is none, or more than that.
    """
    if not path.startswith("$"):
        raise ValueError(path)
    steps: list[str | int] = []
    place = 1
    while place < len(path):
        match = _STEP.match(path, place)
        if not match or (match[1] and match[1].startswith("$")):
            raise ValueError(path)
        key = match[1] if match[1] is not None else match[2]
        steps.append(int(match[3]) if key is None else key)
        place = match.end()
    return steps


_NOTHING = object()


def _at(document: str, path: str) -> Any:
    try:
        value, _ = _decoder_first.raw_decode(document.lstrip(" \t\n\r"))
    except ValueError:
        if document.lstrip()[:1] in ("{", "["):  # Trino answers from what comes before the error
            raise QueryError(
                "NOT_SUPPORTED", "This local Athena does not support broken JSON"
            ) from None
        return _NOTHING
    for step in json_path(path):
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return _NOTHING
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def json_extract(document: str, path: str) -> str | None:
    """``json_extract``."""
    value = _at(document, path)
    return None if value is _NOTHING else _written(value)


def json_extract_scalar(document: str, path: str) -> str | None:
    """``json_extract_scalar``, with every digit of a number."""
    value = _at(document, path)
    if value is _NOTHING or value is None or isinstance(value, (dict, list)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_size(document: str, path: str) -> int | None:
    """``json_size``."""
    value = _at(document, path)
    if value is _NOTHING:
        return None
    return len(value) if isinstance(value, (dict, list)) else 0


def json_array_length(document: str) -> int | None:
    """``json_array_length``."""
    value = _at(document, "$")
    return len(value) if isinstance(value, list) else None


def json_parse(document: str) -> str:
    """``json_parse``: keys sorted, the last of repeated keys."""
    try:
        return _written(_whole(document), ordered=True)
    except ValueError:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"Cannot convert value to JSON: '{document}'"
        ) from None


def _whole(document: str) -> Any:
    text = document.strip(" \t\n\r")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError(document)
    return value


def cast_json(document: str, kind: str) -> str | None:
    """``CAST(json AS T)`` as text of JSON that DuckDB's reader takes for T; None is NULL."""
    made = _of_json(_whole(document), read_type(kind), document, kind)
    if made is None or isinstance(made, str):
        return made
    return json.dumps(made, ensure_ascii=False)


def _of_json(value: Any, kind: Type, document: str, whole: str) -> Any:
    def wrong() -> QueryError:
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast to {whole}. {document}")

    if kind.name == "json":
        return _written(value, ordered=True)
    if value is None:
        return None
    if kind.name == "array":
        if not isinstance(value, list):
            raise wrong()
        return [_of_json(one, kind.args[0], document, whole) for one in value]
    if kind.name == "map":
        if not isinstance(value, dict) or kind.args[0].name != "varchar":
            raise wrong()
        return {k: _of_json(v, kind.args[1], document, whole) for k, v in value.items()}
    if kind.name == "row":
        if isinstance(value, list) and len(value) == len(kind.args):
            parts = value
        elif isinstance(value, dict):
            folded = {key.lower(): one for key, one in value.items()}
            parts = [folded.get(name.lower()) for name, _ in kind.fields]
        else:
            raise wrong()
        return {
            name: _of_json(one, of, document, whole)
            for (name, of), one in zip(kind.fields, parts, strict=True)
        }
    if isinstance(value, (dict, list)):
        raise wrong()
    return _scalar_of_json(value, kind, wrong)


def _scalar_of_json(value: Any, kind: Type, wrong: Callable[[], QueryError]) -> Any:  # noqa: PLR0911
    number = isinstance(value, _Number)
    whole = number and re.fullmatch(r"-?\d+", value)
    if kind.name == "varchar":
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if not number or whole else double_text(float(value))
    try:
        if kind.name in ("tinyint", "smallint", "integer", "bigint"):
            if isinstance(value, bool):
                return int(value)
            name = {"integer": "INT"}.get(kind.name, kind.name.upper())
            shown = value if whole or not number else round_decimal(str(float(value)), 38, 0)
            return cast_integer(shown, name)
        if kind.name in ("double", "real"):
            return float(value) if isinstance(value, bool) else float(cast_double(value))
        if kind.name == "decimal":
            return cast_decimal(str(int(value)) if isinstance(value, bool) else value, *kind.args)
        if kind.name == "boolean":
            if isinstance(value, bool):
                return value
            return float(value) != 0 if number else cast_boolean(value)
    except QueryError:
        raise wrong() from None
    raise wrong()


# -- SQL/JSON --------------------------------------------------------------------------------------

_SQL_STEP = re.compile(r'\.(\w+|"(?:[^"\\]|\\.)*")|\[(\d+|\*)\]')


def sql_json_path(path: str) -> tuple[bool, list[str | int]]:
    """Is it strict, and its steps; ``*`` is -1. ValueError: a path that is more than that."""
    match = re.fullmatch(r"\s*(lax|strict)\s+\$(.*?)\s*", path, re.DOTALL)
    if not match:
        raise ValueError(path)
    steps: list[str | int] = []
    place, rest = 0, match[2]
    while place < len(rest):
        step = _SQL_STEP.match(rest, place)
        if not step:
            raise ValueError(path)
        if step[1]:
            steps.append(json.loads(step[1]) if step[1][0] == '"' else step[1])
        else:
            steps.append(-1 if step[2] == "*" else int(step[2]))
        place = step.end()
    return match[1] == "strict", steps


class _PathError(ValueError):
    """The document is no JSON, or has not what a strict path names."""


def _selected(document: str, path: str) -> list[Any]:
    """What a SQL/JSON path selects."""
    if not document.strip():
        return []
    try:
        items = [_whole(document)]
    except ValueError:
        raise _PathError from None
    strict, steps = sql_json_path(path)
    for step in steps:
        items = [found for one in items for found in _step(one, step, strict)]
    return items


def _step(item: Any, step: str | int, strict: bool) -> list[Any]:
    many = isinstance(item, list)
    if isinstance(step, str):
        inner = item if many and not strict else [item]
        found = [one[step] for one in inner if isinstance(one, dict) and step in one]
        if strict and not found:
            raise _PathError
        return found
    if strict and not many:
        raise _PathError
    values = item if many else [item]
    if step < 0:
        return list(values)
    if strict and step >= len(values):
        raise _PathError
    return values[step : step + 1]


def json_value(document: str, path: str) -> str | None:
    """``json_value``: the text of the one scalar that the path selects."""
    try:
        items = _selected(document, path)
    except _PathError:
        return None
    if len(items) != 1 or items[0] is None or isinstance(items[0], (dict, list)):
        return None
    value = items[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, _Number) and not re.fullmatch(r"-?\d+", value):
        return double_text(float(value))
    return str(value)


def json_exists(document: str, path: str) -> bool:
    """``json_exists``."""
    try:
        return bool(_selected(document, path))
    except _PathError:
        return False


def json_query(document: str, path: str, wrapper: str) -> str | None:
    """``json_query``: the one item as JSON, or all in an array."""
    try:
        items = _selected(document, path)
    except _PathError:
        return None
    if items and (wrapper == "all" or (wrapper == "conditional" and len(items) != 1)):
        return _written(items)
    if len(items) != 1:
        return None
    if wrapper == "unquoted" and type(items[0]) is str:
        return items[0]
    return _written(items[0])


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)


def quoted_numbers(line: str) -> str:
    """JSON with strings for all numbers, which keeps their digits."""
    return _JSON_TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else f'"{m[0]}"', line)
