"""Trino's JSON functions and SQL/JSON, in Python; none gets a NULL."""

from __future__ import annotations

import json
import re
from typing import Any

from local.athena import text_functions as tx
from local.athena.errors import QueryError, refuse
from local.athena.results import java_double


class _Number(str):
    """A number as it is written; JSON's strings are plain ``str``."""

    __slots__ = ()

    @property
    def whole(self) -> bool:
        return re.fullmatch(r"-?\d+", self) is not None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise refuse("JSON with a key twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
)


def _read(document: str) -> Any:
    text = document.strip(" \t\n\r")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError(document)
    return value


def _written(value: Any, *, ordered: bool = False) -> str:
    """JSON as Trino writes it: no spaces, numbers with a fraction as Java's doubles."""
    if isinstance(value, _Number):
        return value if value.whole else java_double(float(value))
    if isinstance(value, dict):
        items = sorted(value.items()) if ordered else value.items()
        parts = (f"{json_string(k)}:{_written(v, ordered=ordered)}" for k, v in items)
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(one, ordered=ordered) for one in value) + "]"
    return json_string(value)


def json_string(value: str) -> str:
    """A text as JSON."""
    return json.dumps(value, ensure_ascii=False)


# -- paths -----------------------------------------------------------------------------------------

_STEP = re.compile(r'\.(?!\$)([\w$]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')
_SQL_STEP = re.compile(r'\.(\w+)|\."([^"\\]*)"|\[(\d+)\]')
_NOTHING = object()


def json_path(path: str, step: re.Pattern[str] = _STEP) -> list[str | int]:
    """The steps of a path: keys and indices; ValueError if it is none, or more than that."""
    matches = list(step.finditer(path, 1))
    if path != "$" + "".join(match[0] for match in matches):
        raise ValueError(path)
    return [
        int(match[3]) if match[3] else match[2] if match[1] is None else match[1]
        for match in matches
    ]


def sql_json_path(path: str) -> list[str | int]:
    """The steps of ``lax $.a.b[0]``; ValueError if it is more than that."""
    lax = re.fullmatch(r"\s*lax\s+(\$.*?)\s*", path, re.DOTALL)
    return json_path(lax[1] if lax else "", _SQL_STEP)


def _at(document: str, path: str) -> Any:
    """What a path of ``json_extract`` names."""
    try:
        value, _ = _decoder.raw_decode(document.lstrip(" \t\n\r"))
    except ValueError:
        if document.lstrip()[:1] in ("{", "["):  # Trino answers from what comes before the error
            raise refuse("broken JSON") from None
        return _NOTHING
    for step in json_path(path):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and str(step).isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def json_extract(document: str, path: str) -> str | None:
    """``json_extract``."""
    value = _at(document, path)
    return None if value is _NOTHING else _written(value)


def _scalar(value: Any) -> str | None:
    if value is _NOTHING or value is None or isinstance(value, (dict, list)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_extract_scalar(document: str, path: str) -> str | None:
    """``json_extract_scalar``, with every digit of a number."""
    return _scalar(_at(document, path))


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
    """``json_parse``: keys sorted."""
    try:
        return _written(_read(document), ordered=True)
    except ValueError:
        message = f"Cannot convert value to JSON: '{document}'"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", message) from None


# -- SQL/JSON --------------------------------------------------------------------------------------


def _selected(document: str, path: str) -> list[Any]:
    """What a SQL/JSON path selects; nothing from what is no JSON."""
    try:
        items = [_read(document)]
    except ValueError:
        return []
    for step in sql_json_path(path):
        found: list[Any] = []
        for item in items:
            inner = item if isinstance(item, list) else [item]
            if isinstance(step, int):
                found += inner[step : step + 1]
            else:
                found += [one[step] for one in inner if isinstance(one, dict) and step in one]
        items = found
    return items


def json_value(document: str, path: str) -> str | None:
    """``json_value``: the text of the one scalar that the path selects."""
    items = _selected(document, path)
    if len(items) != 1:
        return None
    if isinstance(items[0], _Number) and not items[0].whole:
        return tx.double_text(float(items[0]))
    return _scalar(items[0])


def json_exists(document: str, path: str) -> bool:
    """``json_exists``."""
    return bool(_selected(document, path))


def json_query(document: str, path: str) -> str | None:
    """``json_query``: the one item as JSON."""
    items = _selected(document, path)
    return _written(items[0]) if len(items) == 1 else None


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)


def quoted_numbers(line: str) -> str:
    """JSON with strings for all numbers, which keeps their digits."""
    return _JSON_TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else f'"{m[0]}"', line)
