"""Query results as a text table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import IO, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.athena import Answer, Column

_NUMBERS = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "real", "float", "double", "decimal"}
)


class Format(StrEnum):
    """The format of a result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def write(
    answer: Answer, form: Format, stream: IO[bytes], *, console: Console | None = None
) -> None:
    """Write ``answer`` to ``stream``; a text table goes to ``console`` if there is one."""
    if form is Format.PARQUET:
        _write_parquet(answer, stream)
        return
    if form is Format.TABLE and console:
        console.print(_table(answer))
        return
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    try:
        _TEXTS[form](answer, text)
    finally:
        text.detach()


def plain(value: Any) -> str:
    """``value`` as in Athena's CSV results; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=plain)
    return value.hex(" ") if isinstance(value, bytes) else str(value)


def _shown(value: Any) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    # Data must not control the terminal, so control characters are escaped.
    return Text("".join(c if c.isprintable() else repr(c)[1:-1] for c in plain(value)))


def _table(answer: Answer) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in answer.columns:
        number = column.type in _NUMBERS
        table.add_column(Text(column.name), justify="right" if number else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*map(_shown, row))
    return table


def _write_table(answer: Answer, stream: IO[str]) -> None:
    # Not a terminal: full width, so that no line is wrapped.
    Console(file=stream, width=100_000, color_system=None).print(_table(answer))


def _write_csv(answer: Answer, stream: IO[str]) -> None:
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(column.name for column in answer.columns)
    rows.writerows(map(plain, row) for row in answer.rows)


def _write_json(answer: Answer, stream: IO[str]) -> None:
    """A JSON array, one object a line; decimals are numbers with all digits."""
    names = [json.dumps(column.name, ensure_ascii=False) for column in answer.columns]
    objects = (
        "{" + ", ".join(f"{n}: {_json(v)}" for n, v in zip(names, row, strict=True)) + "}"
        for row in answer.rows
    )
    stream.write("[" + ",\n".join(objects) + "]\n")


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(str(value))  # not a JSON number
    return json.dumps(value, ensure_ascii=False, default=plain)


_TEXTS: dict[Format, Callable[[Answer, IO[str]], None]] = {
    Format.TABLE: _write_table,
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
}


def _write_parquet(answer: Answer, stream: IO[bytes]) -> None:
    # Imported late: it is large and only this format needs it.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    simple = {
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", tz="UTC"),
        "varbinary": pa.binary(),
    }

    def array(place: int, column: Column) -> Any:
        values = [row[place] for row in answer.rows]
        if column.type == "decimal":
            return pa.array(values, pa.decimal128(column.precision, column.scale))
        if type_ := simple.get(column.type):
            return pa.array(values, type_)
        return pa.array([None if v is None else plain(v) for v in values], pa.string())

    arrays = [array(place, column) for place, column in enumerate(answer.columns)]
    names = [column.name for column in answer.columns]
    parquet.write_table(pa.Table.from_arrays(arrays, names=names), stream)
