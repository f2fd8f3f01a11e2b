"""Translates DuckDB's error messages to Trino's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from local.athena.errors import QueryCancelledError, QueryError

_Words = Callable[[re.Match[str]], tuple[str, str]]


def _cast(match: re.Match[str]) -> tuple[str, str]:
    kind = match[2].strip()
    kind = {"INT32": "INT", "INT64": "BIGINT", "INT16": "SMALLINT", "INT8": "TINYINT"}.get(
        kind, kind
    )
    return "INVALID_CAST_ARGUMENT", f"Cannot cast '{match[1]}' to {kind}"


_TRANSLATIONS: list[tuple[str, _Words]] = [
    # What trino_error() of our macros says comes first: it is in Trino's words already.
    (r"Could not convert string '([A-Z_]+): (.*)' to INT32", lambda m: (m[1], m[2])),
    (r"Python exception .*?: \w+: ([A-Z_]+): (.*)", lambda m: (m[1], m[2].split("\n")[0])),
    (r"[Dd]ivision by zero", lambda _: ("DIVISION_BY_ZERO", "Division by zero")),
    (r"[Cc]ould not convert string ['\"](.*)['\"] to ([\w() ,]+?)(?: when casting.*)?$", _cast),
    (
        r'column "([^"]+)" must appear in the GROUP BY',
        lambda m: (
            "EXPRESSION_NOT_AGGREGATE",
            f"'{m[1]}' must be an aggregate expression or appear in GROUP BY clause",
        ),
    ),
    (
        r"cast because the value is out of range",
        lambda _: ("NUMERIC_VALUE_OUT_OF_RANGE", "Value is out of range"),
    ),
    (
        r"window functions are not allowed in window definitions",
        lambda _: ("NESTED_WINDOW", "Cannot nest window functions"),
    ),
    (
        r"[Mm]ore than one row",
        lambda _: ("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows"),
    ),
]
_BY_CLASS = {
    "Out of Range Error": "NUMERIC_VALUE_OUT_OF_RANGE",
    "Conversion Error": "INVALID_CAST_ARGUMENT",
    "Binder Error": "TYPE_MISMATCH",
    "Invalid Input Error": "INVALID_FUNCTION_ARGUMENT",
}


@contextmanager
def trino_errors() -> Iterator[None]:
    """Raise what DuckDB raises as Athena would tell it.

    Raises
    ------
    QueryError
        The query is wrong.
    QueryCancelledError
        It was interrupted.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:  # Arrow passes on DuckDB's errors as OSError
        raise _translated(str(error)) from None


def _translated(error: str) -> Exception:
    # DuckDB begins with the error's class and ends with the line of the rewritten query.
    kind, _, message = error.split("\n\nLINE", maxsplit=1)[0].partition(": ")
    if kind == "INTERRUPT Error":
        return QueryCancelledError("Query cancelled by user")
    for pattern, words in _TRANSLATIONS:
        match = re.search(pattern, message or error, re.DOTALL)
        if match:
            return QueryError(*words(match))
    name = _BY_CLASS.get(kind, "GENERIC_INTERNAL_ERROR")
    return QueryError(name, (message or error).split("\n")[0])
