"""Defines in DuckDB what it lacks of Trino's functions: in Python, and as macros."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from local.athena import json_functions as js
from local.athena import text_functions as tx
from local.athena.results import java_double

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "java_double(DOUBLE) VARCHAR": java_double,
    "double_text(DOUBLE) VARCHAR": tx.double_text,
    "cast_integer(VARCHAR, VARCHAR) BIGINT": tx.cast_integer,
    "cast_double(VARCHAR) VARCHAR": tx.cast_double,
    "cast_decimal(VARCHAR, BIGINT, BIGINT) VARCHAR": tx.cast_decimal,
    "round_decimal(VARCHAR, BIGINT, BIGINT) VARCHAR": tx.round_decimal,
    "divide(VARCHAR, VARCHAR, BIGINT, BIGINT) VARCHAR": tx.divide,
    "cast_boolean(VARCHAR) BOOLEAN": tx.cast_boolean,
    "cast_date(VARCHAR) DATE": tx.cast_date,
    "cast_timestamp(VARCHAR, BIGINT) TIMESTAMP": tx.cast_timestamp,
    "iso_utc(VARCHAR) TIMESTAMP": tx.iso_utc,
    "parse_time(VARCHAR, VARCHAR) TIMESTAMP": tx.parse_time,
    "upper(VARCHAR) VARCHAR": tx.upper,
    "split(VARCHAR, VARCHAR) VARCHAR[]": lambda s, by: s.split(by),
    "split_part(VARCHAR, VARCHAR, BIGINT) VARCHAR": tx.split_part,
    "pad(VARCHAR, BIGINT, VARCHAR, BOOLEAN) VARCHAR": tx.pad,
    "replace(VARCHAR, VARCHAR, VARCHAR) VARCHAR": lambda s, old, new: s.replace(old, new),
    "regexp_like(VARCHAR, VARCHAR) BOOLEAN": lambda s, p: bool(re.search(p, s, re.ASCII)),
    "regexp_extract(VARCHAR, VARCHAR, BIGINT) VARCHAR": tx.regexp_extract,
    "regexp_replace(VARCHAR, VARCHAR, VARCHAR) VARCHAR": lambda s, p, new: re.sub(
        p, new, s, flags=re.ASCII
    ),
    "json_parse(VARCHAR) VARCHAR": js.json_parse,
    "json_extract(VARCHAR, VARCHAR) VARCHAR": js.json_extract,
    "json_extract_scalar(VARCHAR, VARCHAR) VARCHAR": js.json_extract_scalar,
    "json_size(VARCHAR, VARCHAR) BIGINT": js.json_size,
    "json_array_length(VARCHAR) BIGINT": js.json_array_length,
    "json_string(VARCHAR) VARCHAR": js.json_string,
    "json_value(VARCHAR, VARCHAR) VARCHAR": js.json_value,
    "json_exists(VARCHAR, VARCHAR) BOOLEAN": js.json_exists,
    "json_query(VARCHAR, VARCHAR) VARCHAR": js.json_query,
    "quoted_numbers(VARCHAR) VARCHAR": js.quoted_numbers,
}


def _null_in_null_out(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)  # DuckDB counts the parameters
    def called(*given: Any) -> Any:
        return None if None in given else function(*given)

    return called


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Define ``trino_NAME`` for each function, which gets no NULL, and the macros."""
    for head, function in _FUNCTIONS.items():
        name, parameters, result = re.split(r"\(|\) ", head)
        connection.create_function(
            f"trino_{name}",
            _null_in_null_out(function),
            parameters.split(", "),
            result,
            null_handling="special",
        )  # type: ignore[call-overload]
    connection.execute(Path(__file__).with_name("macros.sql").read_text(encoding="utf-8"))
