"""Type names: Hive's (in Glue), DuckDB's (internal) and Athena's (in results)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_HIVE_TO_DUCKDB = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "binary": "BLOB",
    "varbinary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "json": "JSON",
    "timestamp(3)": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "timestamp(3) with time zone": "TIMESTAMP WITH TIME ZONE",
    "time": "TIME",
    "interval day to second": "INTERVAL",
}


def split_top(text: str, separator: str = ",") -> list[str]:
    """Split at the separators outside of any brackets or quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter in "<([") - (letter in ">)]")
            if letter == separator and depth == 0:
                parts.append(text[start:i].strip())
                start = i + 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else []


def quote(name: str) -> str:
    """An identifier of DuckDB or Trino."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def hive_to_duckdb(hive: str) -> str:  # noqa: PLR0911  (one a kind of type)
    """DuckDB's name of a Hive (or Presto) type.

    Raises
    ------
    ValueError
        An unknown type.
    """
    hive = hive.strip().lower()
    if hive in _HIVE_TO_DUCKDB:
        return _HIVE_TO_DUCKDB[hive]
    if hive == "decimal":
        return "DECIMAL(10,0)"
    match = re.fullmatch(r"(\w+)\s*([<(])(.*)[>)]", hive, re.DOTALL)
    if not match:
        raise ValueError(f"unknown type {hive!r}")
    kind, bracket, inner = match.groups()
    if kind == "decimal":
        precision, _, scale = inner.partition(",")
        return f"DECIMAL({int(precision)},{int(scale or 0)})"
    if kind in ("varchar", "char", "timestamp"):
        return _HIVE_TO_DUCKDB[kind]
    if kind == "array":
        return hive_to_duckdb(inner) + "[]"
    if kind == "map":
        key, value = split_top(inner)
        return f"MAP({hive_to_duckdb(key)}, {hive_to_duckdb(value)})"
    if kind in ("struct", "row", "uniontype"):
        fields = []
        for part in split_top(inner):
            name, _, kind = part.partition(":" if bracket == "<" else " ")
            fields.append(f"{quote(name.strip().strip(chr(34)))} {hive_to_duckdb(kind)}")
        return f"STRUCT({', '.join(fields)})"
    raise ValueError(f"unknown type {hive!r}")


_ATHENA_NAMES = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "bigint",
    "HUGEINT": "bigint",
    "UHUGEINT": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "varchar",
    "BLOB": "varbinary",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTERVAL": "interval day to second",
    "JSON": "json",
    '"NULL"': "unknown",
    "NULL": "unknown",
}


def fields(duckdb: str) -> list[tuple[str, str]]:
    """Names and types of a STRUCT's or TUPLE's fields; a TUPLE's are called as by Athena."""
    parts = split_top(duckdb.partition("(")[2][:-1])
    if duckdb.startswith("TUPLE"):
        return [(f"field{i}", part) for i, part in enumerate(parts)]
    named = (re.fullmatch(r'("(?:[^"]|"")*"|\w+)\s+(.*)', part, re.DOTALL) for part in parts)
    return [(match[1].strip('"'), match[2]) for match in named if match]


def _compound(
    duckdb: str, translate: Callable[[str], str], brackets: str, row: str, between: str
) -> str | None:
    """An array, map or row in another system's words; None if it is none of these."""
    opened, closed = brackets[0], brackets[1]
    if duckdb.endswith("[]"):
        return f"array{opened}{translate(duckdb[:-2])}{closed}"
    if duckdb.startswith("MAP("):
        parts = (translate(part) for part in split_top(duckdb[4:-1]))
        return f"map{opened}{','.join(parts)}{closed}"
    if duckdb.startswith(("STRUCT(", "TUPLE(")):
        parts = (f"{name}{between}{translate(kind)}" for name, kind in fields(duckdb))
        return f"{row}{opened}{','.join(parts)}{closed}"
    return None


def trino_type(duckdb: str) -> str:
    """Trino's full name of a DuckDB type: ``array(varchar)``, ``row(a integer)``."""
    compound = _compound(duckdb, trino_type, "()", "row", " ")
    if compound or duckdb.startswith("DECIMAL"):
        return compound or duckdb.lower()
    full = {
        "FLOAT": "real",
        "TIMESTAMP": "timestamp(3)",
        "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    }
    return full.get(duckdb) or _ATHENA_NAMES.get(duckdb, "varchar")


def hive_type(duckdb: str) -> str:
    """The Hive type of a column that CTAS or CREATE VIEW makes."""
    compound = _compound(duckdb, hive_type, "<>", "struct", ":")
    name = compound or _ATHENA_NAMES.get(duckdb, duckdb.lower())
    hive = {"integer": "int", "varchar": "string", "varbinary": "binary", "json": "string"}
    return hive.get(name, name)


_SIZES = {
    "varchar": 2147483647,
    "varbinary": 1073741824,
    "integer": 10,
    "bigint": 19,
    "smallint": 5,
    "tinyint": 3,
    "double": 17,
    "float": 17,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "time": 3,
}


def column_info(name: str, duckdb: str) -> dict[str, Any]:
    """A ColumnInfo of ResultSetMetadata."""
    if duckdb.startswith("DECIMAL"):
        precision, scale = decimal(duckdb) or (38, 0)
        kind = "decimal"
    else:
        kind = trino_type(duckdb).partition("(")[0]
        kind = _ATHENA_NAMES.get(duckdb, kind)
        precision, scale = _SIZES.get(kind, 0), 0
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }


def decimal(duckdb: str) -> tuple[int, int] | None:
    """Precision and scale of a DuckDB DECIMAL, else None."""
    match = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb)
    return (int(match[1]), int(match[2])) if match else None


def as_decimal(duckdb: str) -> tuple[int, int] | None:
    """What a number becomes when Trino meets it with a decimal; None if it is not exact."""
    digits = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 19}
    return (digits[duckdb], 0) if duckdb in digits else decimal(duckdb)
