"""Firehose's record format conversion: JSON rows to Parquet, with a Glue table's columns."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


class ConversionError(ValueError):
    """A row that does not fit the table's columns; the message names column and type."""


def _exact(python: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if type(value) is not python:
            raise TypeError
        return value

    return convert


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    return Decimal(value)


_TYPES: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "string": (pa.string(), _exact(str)),
    "int": (pa.int32(), _exact(int)),
    "bigint": (pa.int64(), _exact(int)),
    "double": (pa.float64(), float),
    "boolean": (pa.bool_(), _exact(bool)),
    "date": (pa.date32(), date.fromisoformat),
    "timestamp": (pa.timestamp("us"), datetime.fromisoformat),
}


def _type_of(hive: str) -> tuple[pa.DataType, Callable[[Any], Any]]:
    match = _DECIMAL.fullmatch(hive)
    if match:
        return pa.decimal128(int(match[1]), int(match[2])), _decimal
    return _TYPES[hive]


class RowConverter:
    """Converts rows (one JSON object each) to the bytes of a Snappy Parquet file."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._columns = [(name, hive, *_type_of(hive)) for name, hive in columns]
        self._schema = pa.schema([(name, arrow) for name, _, arrow, _ in self._columns])

    @classmethod
    def from_glue(cls, glue: Any, configuration: Mapping[str, str]) -> RowConverter:
        """A converter for the table in a delivery stream's schema configuration."""
        table = glue.get_table(
            DatabaseName=configuration["DatabaseName"], Name=configuration["TableName"]
        )["Table"]
        columns = table["StorageDescriptor"]["Columns"]
        return cls([(column["Name"], column["Type"]) for column in columns])

    def parquet(self, rows: Sequence[bytes]) -> bytes:
        """Convert rows to the bytes of one file.

        Raises
        ------
        ConversionError
            For the first row that does not fit.
        """
        parsed = [json.loads(row, parse_float=Decimal) for row in rows]
        arrays = []
        for name, hive, arrow, convert in self._columns:
            values = [self._value(row.get(name), name, hive, convert) for row in parsed]
            try:
                arrays.append(pa.array(values, arrow))
            except (pa.ArrowInvalid, OverflowError) as error:
                raise ConversionError(f"column {name} is {hive}: {error}") from None
        out = io.BytesIO()
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        # Firehose writes timestamps as INT96, as Hive does.
        pq.write_table(table, out, compression="snappy", use_deprecated_int96_timestamps=True)
        return out.getvalue()

    @staticmethod
    def _value(value: Any, name: str, hive: str, convert: Callable[[Any], Any]) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise ConversionError(f"column {name} is {hive}, the row has {value!r}") from None
