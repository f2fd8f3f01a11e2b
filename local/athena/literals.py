"""Arguments that must be literals: patterns, paths, formats and zones, checked and translated."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from local.athena.errors import QueryError, refuse
from local.athena.json_functions import json_path, sql_json_path
from local.athena.types import text

_HALF_AN_HOUR = ("Australia/LHI", "Australia/Lord_Howe")
"""Zones whose clocks move by half an hour: DuckDB and Java differ on the times in it."""


def _invalid(message: str) -> QueryError:
    return QueryError("INVALID_FUNCTION_ARGUMENT", message)


_SAFE_REGEXP = re.compile(
    r"(?:\\[dDwWsSb.\\\-/+*?()\[\]{}|^$]|\(\?:|\(\?i\)|[^\\(\[{]|\((?!\?)"
    r"|\[\^?\]?(?:[^\[\]\\&]|\\[dwsDWS.\\\-\]\[/])+\]|\{\d+(?:,\d*)?\})*"
)


def _pattern(pattern: str, _: str) -> str:
    """A regular expression that means the same in Java (Joni) and Python."""
    if not _SAFE_REGEXP.fullmatch(pattern) or re.search(r"[*+?}]\+", pattern):
        raise refuse(f"the regular expression {pattern}")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"(?=\n?\Z)"
    try:
        re.compile(pattern)
    except re.error as error:
        raise _invalid(f"{pattern}: {error}") from None
    return text(pattern)


def _replacement(new: str, name: str) -> str:
    """Groups as Python writes them: ``$1`` is ``\\g<1>``."""
    if re.search(r"\\|\$(?!\d)", new):
        raise refuse(f"{name} with the replacement {new}")
    return text(re.sub(r"\$(\d)", r"\\g<\1>", new))


def _path(path: str, _: str) -> str:
    try:
        json_path(path)
    except ValueError:
        raise _invalid(f"Invalid JSON path: '{path}'") from None
    return text(path)


def _sql_path(path: str, name: str) -> str:
    try:
        sql_json_path(path)
    except ValueError:
        raise refuse(f"{name} with the path {path}") from None
    return text(path)


_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I",
    "I": "%I", "i": "%M", "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p",
    "r": "%I:%M:%S %p", "S": "%S", "s": "%S", "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G",
    "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip


def _mysql(pattern: str, _: str) -> str:
    if not pattern:
        raise _invalid("Both printing and parsing not supported")
    unknown = re.search(r"%([DUuVwX])", pattern)
    if unknown:
        raise _invalid(f"%{unknown[1]} not supported in date format string")
    return text(re.sub(r"%(.)", lambda m: _MYSQL.get(m[1], m[1]), pattern))


def _mysql_read(pattern: str, name: str) -> str:
    """A format that parses."""
    made = _mysql(pattern, name).replace("%-", "%")
    if re.search(r"%[GVjaA]", made):
        raise refuse(f"{name} with this pattern")
    return made


def read_zone(name: str, error: str = "INVALID_FUNCTION_ARGUMENT") -> str:
    """A zone's name as Trino shows it."""
    if name in ("UTC", "Z", "GMT"):
        return "UTC"
    if name in _HALF_AN_HOUR:
        raise refuse(f"the zone {name}")
    offset = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d\d))?", name)
    if offset:
        shown = f"{offset[1]}{offset[2]:0>2}:{offset[3] or '00'}"
        return "UTC" if shown[1:] == "00:00" else shown
    try:
        if "/" in name:
            return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        pass
    raise QueryError(error, f"'{name}' is not a valid time zone")


def _share(value: Any, _: str) -> str:
    if not 0 <= float(value) <= 1:
        raise _invalid("Percentile must be between 0 and 1")
    return str(float(value))


LITERALS: dict[str, Callable[[Any, str], str]] = {
    "pattern": _pattern,
    "replacement": _replacement,
    "path": _path,
    "sqlpath": _sql_path,
    "mysql": _mysql,
    "mysqlread": _mysql_read,
    "share": _share,
}
"""By the word that stands for it in `function_table`: takes the literal and the function's name."""
