"""Values of Trino in DuckDB's SQL: how one type becomes another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import mismatch, refuse
from local.athena.types import Type, common, quote, text


@dataclass(frozen=True)
class Value:
    """An expression in DuckDB's SQL, and its type in Trino.

    Parameters
    ----------
    literal:
        The text or the number of a literal.
    """

    sql: str
    type: Type
    literal: str | int | float | None = None


def unified(values: Sequence[Value], what: str, node: exp.Expr | None = None) -> list[Value]:
    """The values, all of their common type."""
    kind = values[0].type
    for other in values[1:]:
        found = common(kind, other.type)
        if found is None:
            raise mismatch(f"All {what} must be the same type: {kind} vs {other.type}", node)
        kind = found
    return [coerce(one, kind) for one in values]


# -- coercion and casts ----------------------------------------------------------------------------


def coerce(value: Value, to: Type) -> Value:
    """The value as a wider type (`common`)."""
    if value.type == to:
        return value
    return Value(_converted(value.sql, value.type, to), to)


def _converted(sql: str, of: Type, to: Type) -> str:
    if of == to or (of.name in ("timestamp", "zoned") and to.name in ("timestamp", "zoned")):
        return sql  # the session's zone is UTC
    if to.name in ("array", "row") and of.name == to.name:
        return _rebuilt(sql, of, to, _converted)
    return f"CAST({sql} AS {to.duckdb})"


def _rebuilt(sql: str, of: Type, to: Type, change: Callable[[str, Type, Type], str]) -> str:
    """An array or row of other types, changed part by part."""
    if of.name == "array":
        return f"list_transform({sql}, lambda x_: {change('x_', of.args[0], to.args[0])})"
    if of.name == "map" or len(of.args) != len(to.args):
        raise refuse(f"CAST from {of} to {to}")
    parts = (
        f"{quote(name)} := {change(f'struct_extract_at({sql}, {i})', kind, new)}"
        for i, ((_, kind), (name, new)) in enumerate(zip(of.fields, to.fields, strict=True), 1)
    )
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"


def local_time(value: Value) -> str:
    """The wall clock time of a date, timestamp or zoned time."""
    if value.type.name != "zoned":
        return value.sql if value.type.name == "timestamp" else f"CAST({value.sql} AS TIMESTAMP)"
    return shifted(value.sql, zone_of(value.type), 1)


def zone_of(kind: Type) -> str:
    """The one zone of a zoned type."""
    if not kind.args[1]:
        raise refuse("times of several zones in one column")
    return str(kind.args[1])


def shifted(sql: str, zone: str, sign: int) -> str:
    """From UTC to the zone's local time (1), or back (-1): of two such times to the first."""
    if zone == "UTC":
        return sql
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if offset:
        minutes = int(f"{offset[1]}1") * (int(offset[2]) * 60 + int(offset[3])) * sign
        return f"({sql} + to_minutes({minutes}))"
    if sign > 0:
        return f"timezone({text(zone)}, timezone('UTC', {sql}))"
    last = f"timezone('UTC', timezone({text(zone)}, {sql}))"
    before = f"timezone('UTC', timezone({text(zone)}, {sql} - to_hours(1)))"
    return f"least({last}, {before} + to_hours(1))"


def moved(value: Value, local: str) -> Value:
    """The time that is ``local`` in its zone: with the same offset, if the zone has it then."""
    if value.type.name != "zoned":
        return Value(f"CAST({local} AS {value.type.duckdb})", value.type)
    zone = zone_of(value.type)
    same = f"({value.sql} + ({local} - {local_time(value)}))"
    if "/" not in zone:
        return Value(same, value.type)
    other = f"WHEN {shifted(same, zone, 1)} = {local} THEN {same} ELSE {shifted(local, zone, -1)}"
    return Value(f"CASE {other} END", value.type)


def as_text(value: Value) -> str:
    """``CAST(x AS varchar)``."""
    kind, sql = value.type, value.sql
    name = kind.name
    if name in ("varchar", "unknown"):
        return sql if name == "varchar" else f"CAST({sql} AS VARCHAR)"
    if name == "double":
        return f"trino_double_text({sql})"
    if name == "timestamp":
        return f"trino_timestamp_text({sql}, {kind.args[0]})"
    if name == "zoned":
        zone = zone_of(kind)
        return f"(trino_timestamp_text({local_time(value)}, {kind.args[0]}) || {text(' ' + zone)})"
    if name in ("array", "map", "row", "varbinary"):
        raise mismatch(f"Cannot cast {kind} to varchar")
    if name == "decimal" and kind.args[0] == kind.args[1]:
        return f"regexp_replace(CAST({sql} AS VARCHAR), '^(-?)\\.', '\\10.')"
    if kind in (t.DAYS, t.MONTHS):
        raise refuse("an interval as text")
    return f"CAST({sql} AS VARCHAR)"


def _as_json(sql: str, of: Type) -> str:
    """The JSON text of a value; ``null`` for NULL."""
    if of.name == "json":
        shown = sql
    elif of.name in ("boolean", "decimal") or of in t.INTEGERS:
        shown = as_text(Value(sql, of))
    elif of.name == "double":
        shown = f"trino_java_double({sql})"
    elif of.name in ("varchar", "date", "timestamp"):
        shown = f"trino_json_string({as_text(Value(sql, of))})"
    elif of.name == "array":
        inner = _as_json("x_", of.args[0])
        shown = f"('[' || array_to_string(list_transform({sql}, lambda x_: {inner}), ',') || ']')"
    elif of.name == "map" and (of.args[0].name == "varchar" or of.args[0] in t.INTEGERS):
        key = f"trino_json_string({as_text(Value('x_.key', of.args[0]))})"
        entry = f"{key} || ':' || {_as_json('x_.value', of.args[1])}"
        entries = f"list_sort(list_transform(map_entries({sql}), lambda x_: {entry}))"
        shown = f"('{{' || array_to_string({entries}, ',') || '}}')"
    elif of.name == "row":
        parts = [
            f"{text(_json_key(name) + ':')} || {_as_json(f'struct_extract_at({sql}, {i})', kind)}"
            for i, (name, kind) in enumerate(of.args, 1)
        ]
        shown = "('{' || " + " || ',' || ".join(parts) + " || '}')"
    elif of.name == "unknown":
        return "'null'"
    else:
        raise refuse(f"CAST from {of} to JSON")
    return f"CASE WHEN {sql} IS NULL THEN 'null' ELSE {shown} END"


def _json_key(name: str | None) -> str:
    return '"' + (name or "").replace('"', '\\"') + '"'


def cast(value: Value, to: Type) -> Value:
    """``CAST(value AS to)``."""
    return Value(_cast(value.sql, value.type, to), to)


def _cast(sql: str, of: Type, to: Type) -> str:  # noqa: PLR0911  (one a pair)
    a, b = of.name, to.name
    if a == "unknown" or of == to:
        return sql if of == to else f"CAST({sql} AS {to.duckdb})"
    if a == "json" or ("real" in (a, b) and to != t.DOUBLE):
        raise refuse(f"CAST from {of} to {to}")
    if b == "json":
        return f"CASE WHEN {sql} IS NOT NULL THEN {_as_json(sql, of)} END"
    if b == "varchar":
        return as_text(Value(sql, of))
    if a == b and a in ("array", "map", "row"):
        return _rebuilt(sql, of, to, _cast)
    if a == "varchar":
        return _from_text(sql, to)
    if b == "boolean" and t.is_number(of):
        return f"({sql} <> 0)"
    if t.is_number(to) and (t.is_number(of) or a in ("boolean", "real")):
        return _number(sql, of, to)
    if a in t.TIMES and b in t.TIMES:
        return _time(Value(sql, of), to)
    raise mismatch(f"Cannot cast {of} to {to}")


def _from_text(sql: str, to: Type) -> str:
    if to in t.INTEGERS:
        return f"CAST(trino_cast_integer({sql}, '{to}') AS {to.duckdb})"
    if to.name == "double":
        return f"CAST(trino_cast_double({sql}) AS DOUBLE)"
    if to.name in ("decimal", "timestamp"):
        sizes = ", ".join(map(str, to.args))
        return f"CAST(trino_cast_{to.name}({sql}, {sizes}) AS {to.duckdb})"
    if to.name in ("boolean", "date"):
        return f"trino_cast_{to.name}({sql})"
    if to.name == "varbinary":
        return f"encode({sql})"
    if to.name == "zoned":
        raise refuse("CAST of a text to a timestamp with time zone (only of a literal)")
    raise mismatch(f"Cannot cast varchar to {to}")


def _number(sql: str, of: Type, to: Type) -> str:
    if to in t.INTEGERS and of == t.DOUBLE:
        wrong = f"trino_error('INVALID_CAST_ARGUMENT: Cannot cast ' || {sql} || ' to {to}')"
        rounded = f"CAST(round({sql}) AS {to.duckdb})"
        return f"CASE WHEN isfinite({sql}) OR {sql} IS NULL THEN {rounded} ELSE {wrong} END"
    if to in t.INTEGERS and of.name == "decimal":
        exact = f"trino_round_decimal(CAST({sql} AS VARCHAR), 38, 0)"
        return f"CAST(trino_cast_integer({exact}, '{to}') AS {to.duckdb})"
    if to.name == "decimal" and of != t.BOOLEAN and t.common(of, to) != to:
        digits, scale = to.args
        exact = f"trino_round_decimal(CAST({sql} AS VARCHAR), {digits}, {scale})"
        return f"CAST({exact} AS {to.duckdb})"
    return f"CAST({sql} AS {to.duckdb})"


def _time(value: Value, to: Type) -> str:
    if to.name == "date":
        return f"CAST({local_time(value)} AS DATE)"
    if value.type.name == "date":
        return f"CAST({value.sql} AS TIMESTAMP)"
    sql = local_time(value) if to.name == "timestamp" else value.sql
    if to.args[0] < value.type.args[0]:
        return f"trino_round_ms({sql}, {10 ** (6 - to.args[0])})"
    return sql
