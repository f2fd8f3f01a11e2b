"""Defines in DuckDB what it lacks of Trino's functions: in Python, and as macros."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import duckdb

from local.athena import json_functions as js
from local.athena import text_functions as tx
from local.athena.results import java_double

_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    java_double, tx.double_text, tx.cast_integer, tx.cast_double, tx.cast_decimal,
    tx.round_decimal, tx.divide, tx.cast_boolean, tx.cast_date, tx.cast_timestamp, tx.iso_utc,
    tx.iso_date, tx.parse_time, tx.upper, tx.lower, tx.reverse, tx.split, tx.split_part,
    tx.pad, tx.replace, tx.translate, tx.regexp_extract, tx.regexp_extract_all, tx.regexp_replace,
    tx.regexp_split, tx.regexp_count, tx.regexp_like, tx.url_encode, tx.url_decode, tx.from_hex,
    tx.from_utf8, js.json_parse, js.json_extract, js.json_extract_scalar, js.json_size,
    js.json_array_length, js.json_string, js.cast_json, js.json_value, js.json_exists,
    js.json_query, js.quoted_numbers,
)  # fmt: skip
_TYPES = {
    str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", bytes: "BLOB", date: "DATE",
    datetime: "TIMESTAMP", list: "VARCHAR[]",
}  # fmt: skip


def _duckdb_type(hint: Any) -> str:
    kinds = [one for one in (get_args(hint) or (hint,)) if one is not type(None)]
    return _TYPES[
        get_origin(hint) if get_origin(hint) is list else get_origin(kinds[0]) or kinds[0]
    ]


def _null_in_null_out(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*given: Any) -> Any:
        return None if any(one is None for one in given) else function(*given)

    return wrapped


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Define ``trino_NAME`` for each function, and the macros."""
    for function in _FUNCTIONS:
        *parameters, result = map(_duckdb_type, get_type_hints(function).values())
        connection.create_function(
            f"trino_{function.__name__}",
            _null_in_null_out(function),
            parameters,
            result,
            null_handling="special",
        )  # type: ignore[call-overload]
    connection.execute(Path(__file__).with_name("macros.sql").read_text(encoding="utf-8"))
