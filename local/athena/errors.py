"""Athena's two kinds of error: a rejected request, and a failed query."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.errors import AwsError


def invalid_request(message: str, code: str = "INVALID_INPUT") -> AwsError:
    """Athena's InvalidRequestException."""
    return AwsError("InvalidRequestException", message, AthenaErrorCode=code)


# AthenaError.ErrorType, from "Athena error catalog" in Athena's user guide.
_USER_ERROR, _DATA_ERROR, _SYNTAX_ERROR = 1000, 1001, 1006
_ERROR_TYPES = {
    "": _USER_ERROR,
    "DIVISION_BY_ZERO": _USER_ERROR,
    "NUMERIC_VALUE_OUT_OF_RANGE": _USER_ERROR,
    "INVALID_CAST_ARGUMENT": _USER_ERROR,
    "INVALID_FUNCTION_ARGUMENT": _USER_ERROR,
    "CONSTRAINT_VIOLATION": _USER_ERROR,
    "HIVE_BAD_DATA": _DATA_ERROR,
    "HIVE_CURSOR_ERROR": _DATA_ERROR,
}


def internal_error(message: str) -> dict[str, Any]:
    """The AthenaError structure of a failure that is not the user's."""
    return _athena_error(1, 100, message)


def _athena_error(category: int, kind: int, message: str) -> dict[str, Any]:
    return {
        "ErrorCategory": category,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": message,
    }


class QueryError(Exception):
    """Why a query ended in the state FAILED.

    Parameters
    ----------
    name:
        Trino's error name (``COLUMN_NOT_FOUND``); empty for messages that carry none.
    position:
        ``(line, column)``, 1-based, where Trino would point to.
    """

    def __init__(self, name: str, message: str, position: tuple[int, int] | None = None) -> None:
        where = f"line {position[0]}:{position[1]}: " if position else ""
        super().__init__(f"{name}: {where}{message}" if name else f"{where}{message}")
        self.name = name
        self.message = message

    def to_api(self) -> dict[str, Any]:
        """The AthenaError structure of GetQueryExecution; every QueryError is the user's (2)."""
        return _athena_error(2, _ERROR_TYPES.get(self.name, _SYNTAX_ERROR), str(self))


class QueryCancelledError(Exception):
    """The query was stopped; the message is the StateChangeReason."""


def refuse(what: str) -> QueryError:
    """NOT_SUPPORTED, for what Trino knows and this does not."""
    return QueryError("NOT_SUPPORTED", f"This local Athena does not support {what}")


def position(node: exp.Expr | None) -> tuple[int, int] | None:
    """Line and column, from 1, of where a node begins."""
    starts = []
    for part in node.walk() if node is not None else ():
        line, end = part.meta.get("line"), part.meta.get("col")
        if line and end:
            length = (part.meta.get("end") or 0) - (part.meta.get("start") or 0)
            starts.append((line, max(end - length, 1)))
    return min(starts) if starts else None


def unresolved(node: exp.Expr) -> QueryError:
    """COLUMN_NOT_FOUND, where the column stands."""
    if node.name in ("current_schema", "current_catalog", "current_user", "localtime"):
        return refuse(node.name)
    if node.name == "$file_modified_time":
        return refuse(f"{node.name} of a table that has no such times")
    parts = node.parts if isinstance(node, exp.Column) else [node]
    name = ".".join(part.name for part in parts)
    place = position(node) or (1, 1)
    return QueryError("COLUMN_NOT_FOUND", f"Column '{name}' cannot be resolved", place)


def mismatch(message: str, node: exp.Expr | None = None) -> QueryError:
    """TYPE_MISMATCH, where the node stands."""
    return QueryError("TYPE_MISMATCH", message, position(node))
