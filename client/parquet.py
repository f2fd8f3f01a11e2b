"""Firehose's record format conversion: JSON rows to Parquet, with a Glue table's columns."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from schema import types

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?|T\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)"
)
_Convert: TypeAlias = Callable[[Any], Any]


class ConversionError(ValueError):
    """A row that does not fit the table's columns; the message names the value's path and type."""


class _MisfitError(Exception):
    """A value that does not fit its type."""

    def __init__(self, hive: str, value: Any) -> None:
        super().__init__(hive)
        self.hive, self.value, self.path = hive, value, ""


class RowConverter:
    """Converts rows (one JSON object each) to the bytes of a Snappy Parquet file.

    Parameters
    ----------
    columns:
        Names and Hive types. What a row or a struct has beyond them is left out.
    lower_keys:
        Whether each key of the JSON is put in lower case first, also those of maps: what the OpenX
        deserializer does unless it is told ``CaseInsensitive`` false.
    """

    def __init__(self, columns: Sequence[tuple[str, str]], *, lower_keys: bool = False) -> None:
        self._columns = [(name, *_compile(types.parse(hive))) for name, hive in columns]
        self._schema = pa.schema([(name, arrow) for name, arrow, _ in self._columns])
        self._object = _lower_object if lower_keys else _object

    @classmethod
    def from_glue(
        cls, glue: Any, configuration: Mapping[str, str], *, lower_keys: bool = True
    ) -> RowConverter:
        """A converter for the table in a delivery stream's schema configuration."""
        table = glue.get_table(
            DatabaseName=configuration["DatabaseName"], Name=configuration["TableName"]
        )["Table"]
        columns = table["StorageDescriptor"]["Columns"]
        return cls([(one["Name"], one["Type"]) for one in columns], lower_keys=lower_keys)

    def parquet(self, rows: Sequence[bytes]) -> bytes:
        """Convert rows to the bytes of one file.

        Raises
        ------
        ConversionError
            For the first row that does not fit.
        """
        parsed = [
            json.loads(row, parse_float=Decimal, object_pairs_hook=self._object) for row in rows
        ]
        arrays = []
        for name, arrow, convert in self._columns:
            values = []
            for row in parsed:
                value = row.get(name)
                try:
                    values.append(None if value is None else convert(value))
                except _MisfitError as error:
                    raise ConversionError(
                        f"column {name}{error.path} is {error.hive}, the row has {error.value!r}"
                    ) from None
            arrays.append(pa.array(values, arrow))
        out = io.BytesIO()
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        # Firehose writes timestamps as INT96, as Hive does.
        pq.write_table(table, out, compression="snappy", use_deprecated_int96_timestamps=True)
        return out.getvalue()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ConversionError(f"an object has a key twice: {', '.join(key for key, _ in pairs)}")
    return found


def _lower_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return _object([(key.lower(), value) for key, value in pairs])


def _compile(type_: types.Type) -> tuple[pa.DataType, _Convert]:
    """The Arrow type, and what makes its values of JSON's, none of them null."""
    match type_:
        case types.Array(of):
            return _array(type_, *_compile(of))
        case types.Map(of):
            return _map(type_, *_compile(of))
        case types.Struct(fields):
            return _struct(type_, {name.lower(): _compile(of) for name, of in fields})
        case types.Decimal(precision, scale):
            return pa.decimal128(precision, scale), _checked(type_, _decimal(precision, scale))
        case types.Scalar(name) if name in _SCALARS:
            arrow, convert = _SCALARS[name]
            return arrow, _checked(type_, convert)
    raise ValueError(f"no Hive type: {type_}")


def _checked(type_: types.Type, convert: _Convert) -> _Convert:
    hive = types.hive(type_)

    def checked(value: Any) -> Any:
        try:
            return convert(value)
        except (TypeError, ValueError, ArithmeticError):
            raise _MisfitError(hive, value) from None

    return checked


def _array(type_: types.Array, arrow: pa.DataType, convert: _Convert) -> tuple[Any, _Convert]:
    hive = types.hive(type_)

    def array(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _MisfitError(hive, value)
        made = []
        for index, one in enumerate(value):
            try:
                made.append(None if one is None else convert(one))
            except _MisfitError as error:
                error.path = f"[{index}]{error.path}"
                raise
        return made

    return pa.list_(arrow), array


def _map(type_: types.Map, arrow: pa.DataType, convert: _Convert) -> tuple[Any, _Convert]:
    hive = types.hive(type_)

    def pairs(value: Any) -> list[tuple[str, Any]]:
        if type(value) is not dict:
            raise _MisfitError(hive, value)
        made = []
        for key, one in value.items():
            try:
                made.append((key, None if one is None else convert(one)))
            except _MisfitError as error:
                error.path = f".{key}{error.path}"
                raise
        return made

    return pa.map_(pa.string(), arrow), pairs


def _struct(
    type_: types.Struct, fields: Mapping[str, tuple[pa.DataType, _Convert]]
) -> tuple[Any, _Convert]:
    hive = types.hive(type_)

    def struct(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _MisfitError(hive, value)
        made = {}
        for name, (_, convert) in fields.items():
            one = value.get(name)
            try:
                made[name] = None if one is None else convert(one)
            except _MisfitError as error:
                error.path = f".{name}{error.path}"
                raise
        return made

    return pa.struct([(name, arrow) for name, (arrow, _) in fields.items()]), struct


def _exact(python: type) -> _Convert:
    def convert(value: Any) -> Any:
        if type(value) is not python:
            raise TypeError
        return value

    return convert


def _whole(bits: int) -> _Convert:
    limit = 2 ** (bits - 1)

    def whole(value: Any) -> int:
        if type(value) is not int or not -limit <= value < limit:
            raise ValueError
        return value

    return whole


def _decimal(precision: int, scale: int) -> _Convert:
    context = Context(prec=precision, traps=[Inexact, InvalidOperation])
    step = Decimal((0, (1,), -scale))

    def decimal(value: Any) -> Decimal:
        if type(value) is not int and type(value) is not Decimal:
            raise TypeError
        return Decimal(value).quantize(step, context=context)

    return decimal


def _double(value: Any) -> float:
    if type(value) is not int and type(value) is not Decimal:
        raise TypeError
    return float(value)


def _timestamp(text: Any) -> datetime:
    """Of a text in one of the formats that the deserializer reads; the others are refused."""
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text.removesuffix("Z"))


_SCALARS: Mapping[str, tuple[pa.DataType, _Convert]] = {
    "string": (pa.string(), _exact(str)),
    "int": (pa.int32(), _whole(32)),
    "bigint": (pa.int64(), _whole(64)),
    "double": (pa.float64(), _double),
    "boolean": (pa.bool_(), _exact(bool)),
    "date": (pa.date32(), date.fromisoformat),
    "timestamp": (pa.timestamp("us"), _timestamp),
}
