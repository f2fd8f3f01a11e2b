"""Values as Athena writes them, and the two files of a result."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import csv

from local.athena.errors import QueryError
from local.athena.types import DATE, Type


def render(value: Any, kind: Type) -> str | None:  # noqa: PLR0911  (one a type)
    """A value as Athena writes it: ``[a, b]``, ``{k=v}``, ``{name=x}``."""
    if value is None:
        return None
    if kind.name == "array":
        return f"[{', '.join(_inner(one, kind.args[0]) for one in value)}]"
    if kind.name == "map":
        pairs = (f"{_inner(k, kind.args[0])}={_inner(v, kind.args[1])}" for k, v in value)
        return "{" + ", ".join(pairs) + "}"
    if kind.name == "row":
        parts = (
            f"{name}={_inner(one, of)}"
            for (name, of), one in zip(kind.fields, value.values(), strict=True)
        )
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        zone = ""
        if kind.name == "zoned":
            named = kind.args[1]
            value, zone = _shifted(value, named), f" {named}"
        return f"{value.year:04d}{value:-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"
    if kind.name == "real":
        return java_double(np.float32(value))
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int) and kind.name.startswith("interval"):
        return _interval(value, kind)
    return str(value)


def _interval(value: int, kind: Type) -> str:
    sign, total = ("-" if value < 0 else ""), abs(value)
    if kind.name.endswith("month"):
        return f"{sign}{total // 12}-{total % 12}"
    return (
        f"{sign}{total // 86_400_000} {total // 3_600_000 % 24:02d}:"
        f"{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}.{total % 1000:03d}"
    )


def _shifted(value: datetime, zone: str) -> datetime:
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if offset:
        return value + int(f"{offset[1]}1") * timedelta(
            hours=int(offset[2]), minutes=int(offset[3])
        )
    if not zone:
        raise QueryError(
            "NOT_SUPPORTED",
            "This local Athena does not support times of several zones in one column",
        )
    return value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _inner(value: Any, kind: Type) -> str:
    text = render(value, kind)
    return "null" if text is None else text


def java_double(value: float | np.float32) -> str:
    """A double, or NumPy's float for a real, as Java prints it: ``1.0E10``."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(float(value))]
    if value == 0 or 1e-3 <= abs(float(value)) < 1e7:
        return np.format_float_positional(value, trim="0")
    mantissa, _, exponent = np.format_float_scientific(value, trim="0").partition("e")
    return f"{mantissa}E{int(exponent)}"


def write_csv(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    labels: Sequence[str],
    types: Sequence[Type],
    file: Path,
) -> None:
    """Run ``sql`` into a CSV file.

    Every value is in quotes and a null is nothing at all, as in Athena's own files.
    """
    schema = pa.schema([pa.field(str(i), pa.string()) for i in range(len(labels))])
    with file.open("wb") as out:
        out.write((",".join('"' + one.replace('"', '""') + '"' for one in labels) + "\n").encode())
        options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
        with csv.CSVWriter(out, schema, write_options=options) as writer:
            names = [f"c{i}" for i in range(len(types))]
            shown = ", ".join(
                f"{'trino_date' if kind == DATE else ''}(CAST({name} AS {kind.duckdb})) AS {name}"
                for name, kind in zip(names, types, strict=True)
            )
            query = f"SELECT {shown} FROM ({sql}) AS r({', '.join(names)})"  # noqa: S608
            for batch in cursor.sql(query).to_arrow_reader(100_000):
                arrays = [
                    column.cast(pa.string())
                    if kind.name in _PLAIN
                    else pa.array([render(one, kind) for one in column.to_pylist()], pa.string())
                    for kind, column in zip(types, batch.columns, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


_PLAIN = {
    "varchar", "json", "tinyint", "smallint", "integer", "bigint", "date", "boolean", "unknown"
}  # fmt: skip
"""Types that Arrow writes as Athena does."""
_BLOCK_BYTES = 16 * 1024 * 1024  # a row has to fit: the lake's longest has 4.5 MB, quotes twice


def read_csv(data: bytes) -> list[tuple[str | None, ...]]:
    """Header and rows of a result file; unquoted empty is null, quoted empty is ``''``."""
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            default_column_type=pa.string(),
        ),
    )
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
