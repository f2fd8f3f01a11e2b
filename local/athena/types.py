"""Trino's types: their names in Hive (Glue), DuckDB and Athena's results, and how they combine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from local.athena.errors import refuse


@dataclass(frozen=True)
class Type:
    """A type of Trino.

    Parameters
    ----------
    name:
        ``decimal``, ``array``, ...; ``zoned`` is a timestamp with time zone.
    args:
        Of decimal: precision and scale. Of timestamp: precision. Of zoned: precision and the zone,
        which all of its values have. Of array, map: types. Of row: (name or None, type) pairs.
    """

    name: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if self.name == "zoned":
            return f"timestamp({self.args[0]}) with time zone"
        if self.name == "row":
            parts = (f"{_shown(name)} {kind}" if name else str(kind) for name, kind in self.args)
            return f"row({', '.join(parts)})"
        separator = "," if self.name == "decimal" else ", "
        return f"{self.name}({separator.join(map(str, self.args))})" if self.args else self.name

    @property
    def duckdb(self) -> str:
        """The type that holds it in DuckDB."""
        if self.name == "decimal":
            return f"DECIMAL({self.args[0]},{self.args[1]})"
        if self.name == "array":
            return f"{self.args[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.args[0].duckdb}, {self.args[1].duckdb})"
        if self.name == "row":
            inner = (f"{quote(name)} {kind.duckdb}" for name, kind in self.fields)
            return f"STRUCT({', '.join(inner)})"
        return _DUCKDB[self.name]

    @property
    def fields(self) -> list[tuple[str, Type]]:
        """Of a row: names as Athena shows them, and types."""
        return [(name or f"field{i}", kind) for i, (name, kind) in enumerate(self.args)]

    @property
    def hive(self) -> str:
        """The type of a column that CTAS or CREATE VIEW makes."""
        if self.name == "row":
            inner = ",".join(f"{name}:{kind.hive}" for name, kind in self.fields)
            return f"struct<{inner}>"
        if self.name in ("array", "map"):
            return f"{self.name}<{','.join(one.hive for one in self.args)}>"
        if self.name == "decimal":
            return f"decimal({self.args[0]},{self.args[1]})"
        return _HIVE.get(self.name, self.name)


_DUCKDB = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER",
    "bigint": "BIGINT", "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR",
    "varbinary": "BLOB", "date": "DATE", "timestamp": "TIMESTAMP", "zoned": "TIMESTAMP",
    "json": "VARCHAR", "unknown": "INTEGER", "interval day to second": "BIGINT",
    "interval year to month": "BIGINT",
}  # fmt: skip
"""JSON is its text, a zoned time its instant in UTC, an interval its milliseconds or months."""
_HIVE = {
    "integer": "int", "varchar": "string", "varbinary": "binary", "json": "string", "real": "float",
    "zoned": "timestamp",
}  # fmt: skip

BOOLEAN, INTEGER, BIGINT = Type("boolean"), Type("integer"), Type("bigint")
TINYINT, SMALLINT = Type("tinyint"), Type("smallint")
REAL, DOUBLE, VARCHAR, VARBINARY = Type("real"), Type("double"), Type("varchar"), Type("varbinary")
DATE, JSON, UNKNOWN = Type("date"), Type("json"), Type("unknown")
DAYS, MONTHS = Type("interval day to second"), Type("interval year to month")
TIMES = ("date", "timestamp", "zoned")
INTEGERS = (TINYINT, SMALLINT, INTEGER, BIGINT)


def timestamp(precision: int = 3) -> Type:
    """``timestamp(p)``."""
    return Type("timestamp", (precision,))


def zoned(zone: str, precision: int = 3) -> Type:
    """``timestamp(p) with time zone``, of values of this zone."""
    return Type("zoned", (precision, zone))


def array(of: Type) -> Type:
    """``array(T)``."""
    return Type("array", (of,))


def row(*fields: tuple[str | None, Type]) -> Type:
    """``row(name T, ...)``."""
    return Type("row", fields)


def decimal(precision: int, scale: int) -> Type:
    """``decimal(p, s)``, no wider than 38."""
    return Type("decimal", (min(precision, 38), scale))


def as_decimal(kind: Type) -> tuple[int, int] | None:
    """Precision and scale of an exact number."""
    digits = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
    return (digits[kind.name], 0) if kind.name in digits else kind.args or None


def is_number(kind: Type) -> bool:
    """Is it one of the numeric types?"""
    return kind in (*INTEGERS, DOUBLE) or kind.name == "decimal"


def common(a: Type, b: Type) -> Type | None:  # noqa: PLR0911  (one a pair)
    """The type that both become when they meet; None if they do not."""
    if b in (a, UNKNOWN):
        return a
    if a == UNKNOWN:
        return b
    if REAL in (a, b):
        raise refuse("a real beside another type; cast it to double")
    if is_number(a) and is_number(b):
        if DOUBLE in (a, b):
            return DOUBLE
        if a in INTEGERS and b in INTEGERS:
            return max(a, b, key=INTEGERS.index)
        (p1, s1), (p2, s2) = as_decimal(a) or (0, 0), as_decimal(b) or (0, 0)
        scale = max(s1, s2)
        return decimal(max(p1 - s1, p2 - s2) + scale, scale)
    if a.name in TIMES and b.name in TIMES:
        wider = max(a, b, key=lambda kind: TIMES.index(kind.name))
        precision = max([one.args[0] for one in (a, b) if one.args])
        if wider.name == "zoned":
            zones = {one.args[1] for one in (a, b) if one.name == "zoned"}
            zones |= {"UTC"} if DATE in (a, b) or "timestamp" in (a.name, b.name) else set()
            return zoned(zones.pop() if len(zones) == 1 else "", precision)
        return timestamp(precision)
    if a.name == b.name and a.name in ("array", "map"):
        parts = [common(x, y) for x, y in zip(a.args, b.args, strict=True)]
        return Type(a.name, tuple(parts)) if all(parts) else None
    if a.name == b.name == "row" and len(a.args) == len(b.args):
        kinds = [common(x[1], y[1]) for x, y in zip(a.args, b.args, strict=True)]
        if all(kinds):
            names = [x[0] if x[0] == y[0] else None for x, y in zip(a.args, b.args, strict=True)]
            return Type("row", tuple(zip(names, kinds, strict=True)))
    return None


def finest(kind: Type) -> Type:
    """The type with its times to the microsecond, as files hold them."""
    if kind.name == "timestamp":
        return timestamp(6)
    if kind.name == "row":
        return row(*((name, finest(of)) for name, of in kind.args))
    if kind.name in ("array", "map"):
        return Type(kind.name, tuple(map(finest, kind.args)))
    return kind


# -- reading type names ----------------------------------------------------------------------------

_NAMES = {
    "boolean": BOOLEAN, "tinyint": TINYINT, "smallint": SMALLINT, "int": INTEGER,
    "integer": INTEGER, "bigint": BIGINT, "double": DOUBLE, "double precision": DOUBLE,
    "real": REAL, "varchar": VARCHAR, "varbinary": VARBINARY, "date": DATE, "json": JSON,
    "timestamp": timestamp(), "timestamp with time zone": zoned("UTC"), str(DAYS): DAYS,
    str(MONTHS): MONTHS, "decimal": decimal(38, 0),
}  # fmt: skip
_HIVE_NAMES = {
    "string": VARCHAR, "char": VARCHAR, "binary": VARBINARY, "float": REAL,
    "decimal": decimal(10, 0),
}  # fmt: skip


def read_type(text: str, *, hive: bool = False) -> Type:
    """The type that a name means, Trino's (or, with ``hive``, Hive's or Trino's).

    Raises
    ------
    ValueError
        An unknown type.
    """
    text = " ".join(text.split())
    known = {**_NAMES, **_HIVE_NAMES} if hive else _NAMES
    if text.lower() in known:
        return known[text.lower()]
    match = re.fullmatch(r"(\w+)\s*[<(](.*)[>)]( with time zone)?", text, re.IGNORECASE)
    word, inner, zone = match.groups() if match else ("", "", None)
    kind, parts = word.lower(), split_top(inner)
    if kind == "timestamp" and inner in ("0", "1", "2", "3"):
        return zoned("UTC", int(inner)) if zone else timestamp(int(inner))
    if kind == "decimal":
        return decimal(int(parts[0]), int(parts[1]) if parts[1:] else 0)
    if kind == "varchar" or (hive and kind == "char"):
        return VARCHAR
    if kind in ("array", "map"):
        return Type(kind, tuple(read_type(one, hive=hive) for one in parts))
    if kind == "row" or (hive and kind == "struct"):
        return row(*(_field(one, hive) for one in parts))
    raise ValueError(f"unknown type {text!r}")


def _field(text: str, hive: bool) -> tuple[str | None, Type]:
    named = re.fullmatch(r'("(?:[^"]|"")*"|\w+)\s*[: ]\s*(.*)', text, re.DOTALL)
    try:
        if named:
            return named[1].strip('"'), read_type(named[2], hive=hive)
    except ValueError:  # ``timestamp with time zone`` is no field of that name
        pass
    return None, read_type(text, hive=hive)


def split_top(text: str, separator: str = ",") -> list[str]:
    """Split at the separators outside of any brackets or quotes."""
    parts, depth, quoted, start = [], 0, "", 0
    for i, letter in enumerate(text):
        if quoted:
            quoted = "" if letter == quoted else quoted
        elif letter in "\"'":
            quoted = letter
        else:
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


def _shown(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else quote(name)


_SIZES = {
    "varchar": 2147483647, "varbinary": 1073741824, "integer": 10, "bigint": 19, "smallint": 5,
    "tinyint": 3, "double": 17, "float": 17, "timestamp": 3, "timestamp with time zone": 3,
}  # fmt: skip
_ATHENA = {"zoned": "timestamp with time zone", "real": "float"}


def column_info(name: str, kind: Type) -> dict[str, Any]:
    """A ColumnInfo of ResultSetMetadata."""
    shown = _ATHENA.get(kind.name, kind.name)
    precision, scale = kind.args if kind.name == "decimal" else (_SIZES.get(shown, 0), 0)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": shown,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": shown == "varchar",
    }
