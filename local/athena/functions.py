"""Trino's functions in DuckDB: the macros of ``functions.sql``, and four written in Python."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from local.athena.results import java_double

_STEP = re.compile(r"""\.?([^.\[\]"']+)(?![^\[]*\])|\.?"([^"]*)"|\[["']([^"']*)["']\]|\[(\d+)\]""")


class _Number(str):
    """A number's own text; JSON's strings are plain ``str``."""

    __slots__ = ()


def json_scalar(document: str, path: str) -> str | None:
    """``json_extract_scalar``, with every digit of a number: ``1.50`` stays ``1.50``."""
    try:
        value = json.loads(document, parse_float=_Number, parse_int=_Number)
    except ValueError:
        return None
    for *names, index in _STEP.findall(path.removeprefix("$")):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif not index and isinstance(value, dict) and "".join(names) in value:
            value = value["".join(names)]
        else:
            return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str) else None


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)


def quoted_numbers(line: str) -> str:
    """JSON with strings for all numbers, which keeps their digits."""
    return _JSON_TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else f'"{m[0]}"', line)


_JSON_SPACE = re.compile(r'"(?:[^"\\]|\\.)*"|\s+', re.DOTALL)


def compact(document: str) -> str:
    """``json_format``: JSON without spaces, its numbers as they are."""
    return _JSON_SPACE.sub(lambda m: m[0] if m[0][0] == '"' else "", document)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the functions in this database."""
    connection.create_function("trino_json_exact", json_scalar, ["VARCHAR", "VARCHAR"], "VARCHAR")
    connection.create_function("trino_json_compact", compact, ["VARCHAR"], "VARCHAR")
    connection.create_function("quoted_numbers", quoted_numbers, ["VARCHAR"], "VARCHAR")
    connection.create_function("trino_double_text", java_double, ["DOUBLE"], "VARCHAR")
    connection.execute(Path(__file__).with_name("functions.sql").read_text(encoding="utf-8"))
