"""Values as Athena writes them, and the two files of a result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import csv

from local.athena.types import decimal, quote

TEXT_MACROS = {
    "DOUBLE": "trino_double_text",
    "FLOAT": "trino_float_text",
    "TIMESTAMP": "trino_timestamp_text",
    "TIMESTAMP WITH TIME ZONE": "trino_zoned_text",
    "TIME": "trino_time_text",
    "BLOB": "trino_binary_text",
}
"""The macro that shows a type as Trino does, where DuckDB's own text differs."""


def select_text(sql: str, types: Sequence[str]) -> str:
    """``sql`` with every scalar column as Athena's text; nested ones are left to `render`."""
    columns = [f"c{i}" for i in range(len(types))]
    shown = ", ".join(_text(column, kind) for column, kind in zip(columns, types, strict=True))
    return f"SELECT {shown} FROM ({sql}) AS r({', '.join(columns)})"  # noqa: S608


def _text(column: str, kind: str) -> str:
    if kind == "VARCHAR" or _nested(kind):
        return column
    if kind in TEXT_MACROS:
        return f"{TEXT_MACROS[kind]}({column}) AS {quote(column)}"
    found = decimal(kind)
    if found and found[0] == found[1]:
        return f"trino_fraction_text({column}) AS {quote(column)}"
    return f"CAST({column} AS VARCHAR) AS {quote(column)}"


def _nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "TUPLE", "MAP")) or kind == "INTERVAL"


def render(value: Any) -> str | None:  # noqa: PLR0911  (one a type)
    """A nested value: ``[a, b]``, ``{k=v}``, ``{name=x}``."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_inner(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inner(k)}={_inner(v)}" for k, v in value.items()) + "}"
    if isinstance(value, datetime):
        zone = " UTC" if value.tzinfo else ""
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"
    if isinstance(value, pa.MonthDayNano):
        if value.months:
            sign = "-" if value.months < 0 else ""
            return f"{sign}{abs(value.months) // 12}-{abs(value.months) % 12}"
        total = value.days * 86_400_000 + value.nanoseconds // 1_000_000
        sign, total = ("-" if total < 0 else ""), abs(total)
        return (
            f"{sign}{total // 86_400_000} {total // 3_600_000 % 24:02d}:"
            f"{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}.{total % 1000:03d}"
        )
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, (int, Decimal, date, time)):
        return str(value)
    return str(value)


def _inner(value: Any) -> str:
    text = render(value)
    return "null" if text is None else text


def java_double(value: float) -> str:
    """A double as Java prints it: ``1.0E10``."""
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return f"{value:f}" if "e" in text else text
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        digits = format(Decimal(mantissa), "E")
        mantissa, _, exponent = digits.partition("E")
        mantissa = mantissa.rstrip("0") if "." in mantissa else mantissa
    mantissa = mantissa.rstrip(".")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def write_csv(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    labels: Sequence[str],
    types: Sequence[str],
    file: Path,
) -> int:
    """Run ``sql`` into a CSV file; the number of rows.

    Every value is in quotes and a null is nothing at all, as in Athena's own files.
    """
    schema = pa.schema([pa.field(str(i), pa.string()) for i in range(len(labels))])
    nested = {i for i, kind in enumerate(types) if _nested(kind)}
    rows = 0
    with file.open("wb") as out:
        out.write((",".join('"' + one.replace('"', '""') + '"' for one in labels) + "\n").encode())
        options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
        with csv.CSVWriter(out, schema, write_options=options) as writer:
            reader = cursor.sql(select_text(sql, types)).to_arrow_reader(100_000)
            for batch in reader:
                arrays = [
                    pa.array([render(one) for one in _python(column)], pa.string())
                    if i in nested
                    else column.cast(pa.string())
                    for i, column in enumerate(batch.columns)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                rows += batch.num_rows
    return rows


def _python(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    return values


_BLOCK_BYTES = 16 * 1024 * 1024  # a row has to fit: the lake's longest has 4.5 MB, quotes twice


def read_csv(data: bytes) -> tuple[list[str], list[list[str | None]]]:
    """Header and columns of a result file; unquoted empty is null, quoted empty is ``''``."""
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
    columns: list[list[str | None]] = [column.to_pylist() for column in table.columns]
    return [str(column[0]) for column in columns], [column[1:] for column in columns]


def metadata_file(query_id: str, columns: Sequence[dict[str, Any]]) -> bytes:
    """The ``.metadata`` file beside a result: the columns, as protocol-buffer messages.

    AWS does not document it; readers of it (the Athena JDBC drivers) know field 4 as the columns
    with catalog, schema, table, name, label, type, precision, scale, nullable, case-sensitive.
    """
    out = _field(1, query_id.encode())
    nullable = {"NOT_NULL": 1, "NULLABLE": 2, "UNKNOWN": 3}
    for column in columns:
        message = b"".join(
            _field(number, str(column[key]).encode())
            for number, key in enumerate(
                ("CatalogName", "SchemaName", "TableName", "Name", "Label", "Type"), 1
            )
        )
        for number, value in (
            (7, column["Precision"]),
            (8, column["Scale"]),
            (9, nullable[column["Nullable"]]),
            (10, int(column["CaseSensitive"])),
        ):
            message += _varint(number << 3) + _varint(value)
        out += _field(4, message)
    return out


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
