"""Compiles Trino's expressions to DuckDB's, knowing the Trino type of each.

Only what is written here is passed on; all else is refused with NOT_SUPPORTED. The functions are in
`function_table`. Each is held against Trino by the golden statements of ``tests/athena/golden``.
"""

# ruff: noqa: E501  (messages)

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError
from local.athena.functions import Wrong, cast_date, moment
from local.athena.types import Type, common, quote, text


@dataclass(frozen=True)
class Value:
    """An expression in DuckDB's SQL, and its type in Trino.

    Parameters
    ----------
    literal:
        The text of a string literal.
    """

    sql: str
    type: Type
    literal: str | None = None


@dataclass
class Scope:
    """What names mean in one SELECT: columns by source, in and around it; parameters of lambdas."""

    sources: dict[str, dict[str, Value]] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    parent: Scope | None = None

    def column(self, table: str, name: str) -> Value | None:
        """The column of this name."""
        if not table and name in self.parameters:
            return self.parameters[name]
        found = self.sources.get(table, {}).get(name) if table else None
        if not table:  # HAVING, or a condition on one table
            homes = [one[name] for one in self.sources.values() if name in one]
            if len(homes) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", (1, 1))
            found = homes[0] if homes else None
        return found or (self.parent.column(table, name) if self.parent else None)


def failed(error: Wrong) -> QueryError:
    """The error that a function of `functions` raised."""
    name, _, message = str(error).partition(": ")
    return QueryError(name, message)


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


def unresolved(column: exp.Column) -> QueryError:
    """COLUMN_NOT_FOUND, where the column stands."""
    if column.name in ("current_schema", "current_catalog", "current_user", "localtime"):
        return QueryError("NOT_SUPPORTED", f"This local Athena does not support {column.name}")
    name = f"{column.table}.{column.name}" if column.table else column.name
    return QueryError(
        "COLUMN_NOT_FOUND",
        f"Column '{name}' cannot be resolved",
        position(column) or (1, 1),
    )


def mismatch(message: str, node: exp.Expr | None = None) -> QueryError:
    """TYPE_MISMATCH, where the node stands."""

    return QueryError("TYPE_MISMATCH", message, position(node))


# -- coercion and casts ----------------------------------------------------------------------------


def coerce(value: Value, to: Type) -> Value:
    """The value as a wider type (`common`)."""
    if value.type == to:
        return value
    return Value(_converted(value.sql, value.type, to), to)


def _converted(sql: str, of: Type, to: Type) -> str:
    if of == to:
        return sql
    if of.name == "unknown":
        return f"CAST({sql} AS {to.duckdb})"
    if to.name in ("array", "map", "row") and of.name == to.name:
        return _rebuilt(sql, of, to, _converted)
    if of.name in ("timestamp", "zoned") and to.name in ("timestamp", "zoned"):
        return sql  # the session's zone is UTC
    return f"CAST({sql} AS {to.duckdb})"


def _rebuilt(sql: str, of: Type, to: Type, change: Callable[[str, Type, Type], str]) -> str:
    """An array, map or row of other types, changed part by part."""
    if of.name == "array":
        return f"list_transform({sql}, lambda x_: {change('x_', of.args[0], to.args[0])})"
    if of.name == "map":
        keys = f"list_transform(map_keys({sql}), lambda x_: {change('x_', of.args[0], to.args[0])})"
        values = (
            f"list_transform(map_values({sql}), lambda x_: {change('x_', of.args[1], to.args[1])})"
        )
        return f"CASE WHEN {sql} IS NOT NULL THEN map({keys}, {values}) END"
    if len(of.args) != len(to.args):
        raise mismatch(f"Cannot cast {of} to {to}")
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
    """From UTC to the zone's local time (1), or back (-1)."""
    if zone == "UTC":
        return sql
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if offset:
        minutes = int(f"{offset[1]}1") * (int(offset[2]) * 60 + int(offset[3])) * sign
        return f"({sql} + to_minutes({minutes}))"
    inner, outer = ("UTC", zone) if sign > 0 else (zone, "UTC")
    return f"timezone({text(outer)}, timezone({text(inner)}, {sql}))"


def read_zone(name: str, error: str = "INVALID_FUNCTION_ARGUMENT") -> str:
    """A zone's name as Trino shows it."""
    if name in ("UTC", "Z", "GMT"):
        return "UTC"
    offset = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d\d))?", name)
    if offset:
        shown = f"{offset[1]}{offset[2]:0>2}:{offset[3] or '00'}"
        return "UTC" if shown[1:] == "00:00" else shown
    try:
        if "/" in name:
            ZoneInfo(name)
            return name
    except (KeyError, ValueError, OSError):
        pass
    raise QueryError(error, f"'{name}' is not a valid time zone")


def as_text(value: Value) -> str:  # noqa: PLR0911  (one a type)
    """``CAST(x AS varchar)``."""
    kind, sql = value.type, value.sql
    name = kind.name
    if name in ("varchar", "unknown"):
        return sql if name == "varchar" else f"CAST({sql} AS VARCHAR)"
    if name == "double":
        return f"trino_double_text({sql})"
    if name == "real":
        raise refuse("a real as text")
    if name == "timestamp":
        return f"trino_timestamp_text({sql}, {kind.args[0]})"
    if name == "zoned":
        zone = zone_of(kind)
        return f"(trino_timestamp_text({local_time(value)}, {kind.args[0]}) || {text(' ' + zone)})"
    if name == "json":
        return _from_json(sql, t.VARCHAR)
    if name in ("array", "map", "row", "varbinary"):
        raise mismatch(f"Cannot cast {kind} to varchar")
    if name == "decimal" and kind.args[0] == kind.args[1]:
        return f"regexp_replace(CAST({sql} AS VARCHAR), '^(-?)\\.', '\\10.')"
    if kind == t.DAYS:
        return f"trino_interval_text({sql})"
    if kind == t.MONTHS:
        return f"trino_months_text({sql})"
    return f"CAST({sql} AS VARCHAR)"


def _from_json(sql: str, to: Type) -> str:
    made = f"trino_cast_json({sql}, {text(str(to))})"
    if to.name not in ("array", "map", "row"):
        return f"CAST({made} AS {to.duckdb})"
    plain = f"CAST(CAST({made} AS JSON) AS {_reading(to)})"
    return _unread(plain, to)


def _reading(kind: Type) -> str:
    """DuckDB's type that its JSON reader takes; maps are lists of entries there."""
    if kind.name == "array":
        return f"{_reading(kind.args[0])}[]"
    if kind.name == "map":
        return f"STRUCT(key VARCHAR, value {_reading(kind.args[1])})[]"
    if kind.name == "row":
        inner = ", ".join(f"{quote(name)} {_reading(one)}" for name, one in kind.fields)
        return f"STRUCT({inner})"
    return kind.duckdb


def _unread(sql: str, kind: Type) -> str:
    if kind.name == "map":
        value = _unread("x_.value", kind.args[1])
        return (
            f"CASE WHEN {sql} IS NOT NULL THEN map(list_transform({sql}, lambda x_: x_.key), "
            f"list_transform({sql}, lambda x_: {value})) END"
        )
    if kind.name == "array" and _holds_map(kind):
        return f"list_transform({sql}, lambda x_: {_unread('x_', kind.args[0])})"
    if kind.name == "row" and _holds_map(kind):
        raise refuse("CAST of JSON to a row that holds a map")
    return sql


def _holds_map(kind: Type) -> bool:
    inner = [one[1] if kind.name == "row" else one for one in kind.args] if kind.name in (
        "array", "row"
    ) else []  # fmt: skip
    return kind.name == "map" or any(_holds_map(one) for one in inner)


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


_CHECKED = {"tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INT", "bigint": "BIGINT"}


def cast(value: Value, to: Type) -> Value:
    """``CAST(value AS to)``."""
    return Value(_cast(value.sql, value.type, to), to)


def _cast(sql: str, of: Type, to: Type) -> str:  # noqa: PLR0911  (one a pair)
    a, b = of.name, to.name
    if a == "unknown" or of == to:
        return sql if of == to else f"CAST({sql} AS {to.duckdb})"
    if a == "json" and b != "json":
        if b in ("date", "timestamp", "zoned", "varbinary"):
            raise mismatch(f"Cannot cast {of} to {to}")
        return _from_json(sql, to)
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
    if t.is_number(to) and (t.is_number(of) or a == "boolean"):
        return _number(sql, of, to)
    if a in ("date", "timestamp", "zoned") and b in ("date", "timestamp", "zoned"):
        return _time(Value(sql, of), to)
    raise mismatch(f"Cannot cast {of} to {to}")


def _from_text(sql: str, to: Type) -> str:
    if to.name in _CHECKED:
        return f"CAST(trino_cast_integer({sql}, '{_CHECKED[to.name]}') AS {to.duckdb})"
    if to.name in ("double", "real"):
        return f"CAST(trino_cast_double({sql}) AS {to.duckdb})"
    if to.name == "decimal":
        return f"CAST(trino_cast_decimal({sql}, {to.args[0]}, {to.args[1]}) AS {to.duckdb})"
    if to.name in ("boolean", "date"):
        return f"trino_cast_{to.name}({sql})"
    if to.name == "timestamp":
        return f"trino_cast_timestamp({sql}, {to.args[0]})"
    if to.name == "varbinary":
        return f"encode({sql})"
    if to.name == "zoned":
        raise refuse("CAST of a text to a timestamp with time zone (only of a literal)")
    raise mismatch(f"Cannot cast varchar to {to}")


def _number(sql: str, of: Type, to: Type) -> str:  # noqa: PLR0911  (one a type)
    if of.name in ("double", "real") and to in t.INTEGERS:
        wrong = f"trino_error('INVALID_CAST_ARGUMENT: Cannot cast ' || {sql} || ' to {to}')"
        rounded = f"CAST(round({sql}) AS {to.duckdb})"
        return f"CASE WHEN isfinite({sql}) OR {sql} IS NULL THEN {rounded} ELSE {wrong} END"
    if to.name == "decimal" and of.name in ("double", "real"):
        return (
            f"CAST(trino_round_decimal(CAST({sql} AS VARCHAR), {to.args[0]}, {to.args[1]}) "
            f"AS {to.duckdb})"
        )
    if of.name == "decimal" and (to in t.INTEGERS or to.name == "decimal"):
        digits, scale = to.args if to.name == "decimal" else (38, 0)
        (p, s) = of.args
        if to.name == "decimal" and digits - scale >= p - s and scale >= s:
            return f"CAST({sql} AS {to.duckdb})"
        exact = f"trino_round_decimal(CAST({sql} AS VARCHAR), {digits}, {scale})"
        if to in t.INTEGERS:
            return f"CAST(trino_cast_integer({exact}, '{_CHECKED[to.name]}') AS {to.duckdb})"
        return f"CAST({exact} AS {to.duckdb})"
    if to.name == "decimal" and of in t.INTEGERS:
        return _from_text(f"CAST({sql} AS VARCHAR)", to)
    if of.name == "boolean":
        return f"CAST(CAST({sql} AS INTEGER) AS {to.duckdb})"
    return f"CAST({sql} AS {to.duckdb})"


def _time(value: Value, to: Type) -> str:
    of = value.type
    if to.name == "date":
        return f"CAST({local_time(value)} AS DATE)"
    if of.name == "date":
        return f"CAST({value.sql} AS TIMESTAMP)"
    sql = value.sql
    if to.name == "timestamp":
        sql = local_time(value)
    if to.args[0] < of.args[0]:
        return f"trino_round_ms({sql}, {10 ** (6 - to.args[0])})"
    return sql


# -- operators -------------------------------------------------------------------------------------

_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


def compare(a: Value, b: Value, operator: str, node: exp.Expr | None = None) -> str:
    """``a = b`` and the like."""
    kind = common(a.type, b.type)
    if kind is None or kind.name == "map":
        if kind is not None and operator in ("=", "<>"):
            raise refuse("comparing maps")
        raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)
    if kind.name == "json" and operator not in ("=", "<>"):
        raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)
    x, y = coerce(a, kind).sql, coerce(b, kind).sql
    if kind.name in ("double", "real"):
        nans = [
            f"isnan({one})" for one in (x, y) if not re.fullmatch(r"CAST\(-?[\d.]+ AS \w+\)", one)
        ]
        if nans:
            answer = "true" if operator == "<>" else "false"
            return (
                f"CASE WHEN {x} IS NULL OR {y} IS NULL THEN NULL WHEN {' OR '.join(nans)} "
                f"THEN {answer} ELSE {x} {operator} {y} END"
            )
    if kind.name == "row":
        return _compare_rows(coerce(a, kind), coerce(b, kind), operator)
    if kind.name == "array":
        if operator not in ("=", "<>") or kind.args[0].name in (
            "double",
            "real",
            "array",
            "row",
            "map",
        ):
            raise refuse(f"comparing arrays with {operator} or of {kind.args[0]}")
        equal = f"trino_list_equal({x}, {y})"
        return equal if operator == "=" else f"(NOT {equal})"
    return f"({x} {operator} {y})"


def _compare_rows(a: Value, b: Value, operator: str) -> str:
    if operator not in ("=", "<>"):
        raise refuse(f"comparing rows with {operator}")
    parts = [
        compare(
            Value(f"struct_extract_at({a.sql}, {i})", kind),
            Value(f"struct_extract_at({b.sql}, {i})", kind),
            "=",
        )
        for i, (_, kind) in enumerate(a.type.args, 1)
    ]
    equal = f"({' AND '.join(parts)})"
    return equal if operator == "=" else f"(NOT {equal})"


def distinct_from(a: Value, b: Value, node: exp.Expr) -> str:
    """``a IS DISTINCT FROM b``."""
    kind = common(a.type, b.type)
    if kind is None:
        raise mismatch(f"Cannot apply operator: {a.type} IS DISTINCT FROM {b.type}", node)
    return f"({coerce(a, kind).sql} IS DISTINCT FROM {coerce(b, kind).sql})"


def arithmetic(a: Value, b: Value, operator: str, node: exp.Expr | None = None) -> Value:
    """``a + b`` and the like."""
    times = {a.type.name, b.type.name} & {"date", "timestamp", "zoned"}
    if times or {a.type, b.type} & {t.DAYS, t.MONTHS}:
        return _time_arithmetic(a, b, operator, node)
    if a.type == b.type == t.UNKNOWN:
        raise QueryError(
            "AMBIGUOUS_FUNCTION_CALL", f"Could not choose a best candidate operator {operator}"
        )
    kind = common(a.type, b.type)
    if kind is None or not t.is_number(kind):
        raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)
    a, b = (coerce(one, kind) if one.type == t.UNKNOWN else one for one in (a, b))
    if kind.name == "decimal":
        return _decimal_arithmetic(a, b, operator)
    x, y = coerce(a, kind).sql, coerce(b, kind).sql
    if kind in t.INTEGERS and operator == "/":
        return Value(f"CAST({x} // {y} AS {kind.duckdb})", kind)
    sql = f"({x} {operator} {y})"
    if kind in t.INTEGERS and kind not in (t.INTEGER, t.BIGINT):
        sql = f"CAST({sql} AS {kind.duckdb})"
    return Value(f"CAST({sql} AS FLOAT)" if kind == t.REAL else sql, kind)


def _decimal_arithmetic(a: Value, b: Value, operator: str) -> Value:
    """The exact result, of the type that Trino's manual gives ("Decimal operators")."""
    (p1, s1), (p2, s2) = t.as_decimal(a.type) or (0, 0), t.as_decimal(b.type) or (0, 0)
    x = coerce(a, t.decimal(p1, s1)).sql
    y = coerce(b, t.decimal(p2, s2)).sql
    scale = max(s1, s2)
    if operator == "*":
        if s1 + s2 > 38:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", f"DECIMAL scale must be in range [0, 38]: {s1 + s2}"
            )
        kind = t.decimal(p1 + p2, s1 + s2)
        if p1 + p2 > 18:
            x = f"CAST({x} AS DECIMAL(38,{s1}))"
        return Value(f"CAST({x} * {y} AS {kind.duckdb})", kind)
    if operator == "/":
        kind = t.decimal(p1 + s2 + max(s2 - s1, 0), scale)
        quotient = f"trino_divide({_digits(x)}, {_digits(y)}, {scale - s1 + s2}, {scale})"
        return Value(f"CAST({quotient} AS {kind.duckdb})", kind)
    if operator == "%":
        kind = t.decimal(min(p2 - s2, p1 - s1) + scale, scale)
        wide = f"DECIMAL(38,{scale})"
        return Value(f"CAST(CAST({x} AS {wide}) % CAST({y} AS {wide}) AS {kind.duckdb})", kind)
    kind = t.decimal(max(p1 - s1, p2 - s2) + scale + 1, scale)
    return Value(
        f"CAST(CAST({x} AS {kind.duckdb}) {operator} CAST({y} AS {kind.duckdb}) AS {kind.duckdb})",
        kind,
    )


def _digits(sql: str) -> str:
    """A decimal's digits without the point, as text."""
    return f"replace(CAST({sql} AS VARCHAR), '.', '')"


def average(total: str, count: str, kind: Type) -> str:
    """The average of decimals: of their type, rounded half up; NULL of none."""
    number = f"CAST(nullif({count}, 0) AS VARCHAR)"
    return f"CAST(trino_divide({_digits(total)}, {number}, 0, {kind.args[1]}) AS {kind.duckdb})"


def _time_arithmetic(a: Value, b: Value, operator: str, node: exp.Expr | None) -> Value:
    if b.type.name in ("date", "timestamp", "zoned") and operator == "+":
        a, b = b, a
    spans = (t.DAYS, t.MONTHS)
    if operator in "+-" and a.type.name in ("date", "timestamp", "zoned"):
        if b.type in spans:
            return add_span(a, b, -1 if operator == "-" else 1)
        kind = common(a.type, b.type)
        if operator == "-" and kind is not None and b.type != t.UNKNOWN:
            x, y = coerce(a, kind).sql, coerce(b, kind).sql
            if kind == t.DATE:
                return Value(f"(CAST({x} - {y} AS BIGINT) * 86400000)", t.DAYS)
            return Value(f"((epoch_us({x}) - epoch_us({y})) // 1000)", t.DAYS)
    if operator in "+-" and a.type == b.type and a.type in spans:
        return Value(f"({a.sql} {operator} {b.sql})", a.type)
    if operator == "*" and b.type in spans:
        a, b = b, a
    if operator in "*/" and a.type in spans and b.type in t.INTEGERS:
        return Value(f"({a.sql} {'//' if operator == '/' else '*'} {b.sql})", a.type)
    raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)


def add_span(time: Value, span: Value, sign: int = 1) -> Value:
    """A time and an interval: of months on its own clock, of milliseconds on the world's."""
    kind = time.type
    amount = f"CAST({'-' if sign < 0 else ''}({span.sql}) AS {'INTEGER' if span.type == t.MONTHS else 'BIGINT'})"
    if span.type == t.MONTHS:
        moved = f"({local_time(time)} + to_months({amount}))"
        if kind.name == "zoned":
            return Value(shifted(moved, zone_of(kind), -1), kind)
        return Value(f"CAST({moved} AS {kind.duckdb})", kind)
    if kind == t.DATE:
        wrong = "trino_error('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date')"
        days = f"CASE WHEN {amount} % 86400000 <> 0 THEN {wrong} ELSE CAST({amount} // 86400000 AS INTEGER) END"
        return Value(f"({time.sql} + {days})", t.DATE)
    return Value(
        f"({time.sql} + to_milliseconds({amount}))",
        Type(kind.name, (max(3, kind.args[0]), *kind.args[1:])),
    )


# -- literals --------------------------------------------------------------------------------------


def literal(node: exp.Literal, negative: bool = False) -> Value:
    """A number or a text."""
    if node.is_string:
        return Value(text(node.name), t.VARCHAR, node.name)
    written = ("-" if negative else "") + node.name.lower()
    if re.fullmatch(r"-?\d+", written):
        number = int(written)
        if not -(2**63) <= number < 2**63:
            raise QueryError("SYNTAX_ERROR", f"Invalid numeric literal: {written}")
        if -(2**31) <= number < 2**31:
            return Value(f"CAST({number} AS INTEGER)", t.INTEGER)
        return Value(f"CAST({number} AS BIGINT)", t.BIGINT)
    if "e" in written:
        return Value(f"CAST('{float(written)!r}' AS DOUBLE)", t.DOUBLE)
    kind = decimal_literal(written)
    return Value(f"CAST('{written}' AS {kind.duckdb})", kind)


def decimal_literal(written: str) -> Type:
    """``1.50`` is as wide as it is written."""
    match = re.fullmatch(r"[+-]?0*(\d*)(?:\.(\d*))?", written.strip())
    if not match:
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid decimal literal")
    whole, fraction = match[1], match[2] or ""
    precision = max(len(whole) + len(fraction), 1)
    if precision > 38:
        raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Invalid decimal literal '{written}'")
    return t.decimal(precision, len(fraction))


def timestamp_literal(
    written: str, name: str = "INVALID_LITERAL", digits: int | None = None
) -> Value:
    """``TIMESTAMP '...'``, with a zone or without."""
    fraction = re.search(r"\d:\d+(?::\d+(?:\.(\d+))?)?", written)
    precision = digits if digits is not None else len((fraction and fraction[1]) or "")
    if precision > 3:
        raise refuse("timestamps finer than milliseconds")
    try:
        found, zone = moment(written, precision)
    except Wrong:
        raise QueryError(name, f"'{written}' is not a valid TIMESTAMP literal") from None
    shown = f"TIMESTAMP '{found:%Y-%m-%d %H:%M:%S.%f}'"
    shown = (
        shown.replace("TIMESTAMP '", "TIMESTAMP '" + "0" * (4 - len(str(found.year))))
        if found.year < 1000 and not shown[11:15].isdigit()
        else shown
    )
    if zone is None:
        return Value(shown, t.timestamp(precision))
    zone = read_zone(zone.strip(), name)
    if "/" in zone:  # a time that a change of the clocks leaves out does not exist
        there = found.replace(tzinfo=ZoneInfo(zone))
        back = there.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if back != found:
            raise QueryError(name, f"'{written}' is not a valid TIMESTAMP literal")
        at = there.astimezone(ZoneInfo("UTC"))
        return Value(f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S.%f}'", t.zoned(zone, precision))
    return Value(shifted(shown, zone, -1), t.zoned(zone, precision))


_UNITS = {
    "day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000, "year": 12, "month": 1,
}  # fmt: skip


def interval_literal(node: exp.Interval) -> Value:
    """``INTERVAL '1' DAY``, ``'2-3' YEAR TO MONTH``, ``'1 02:03:04' DAY TO SECOND``."""
    unit, value = node.args.get("unit"), node.this
    if not isinstance(value, exp.Literal) or not value.is_string or unit is None:
        raise refuse("an interval that is no literal")
    written, sign = value.name.lstrip("+-"), -1 if value.name.startswith("-") else 1
    invalid = QueryError("INVALID_LITERAL", f"'{value.name}' is not a valid INTERVAL literal")
    if isinstance(unit, exp.IntervalSpan):
        span = (unit.this.name.lower(), unit.expression.name.lower())
        if span == ("year", "month") and (match := re.fullmatch(r"(\d+)-(\d+)", written)):
            return Value(str(sign * (int(match[1]) * 12 + int(match[2]))), t.MONTHS)
        match = re.fullmatch(r"(\d+) (\d+):(\d+):(\d+)(?:\.(\d{1,3}))?", written)
        if span == ("day", "second") and match:
            days, hours, minutes, seconds = (int(match[i]) for i in range(1, 5))
            total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
            return Value(str(sign * (total * 1000 + int((match[5] or "0").ljust(3, "0")))), t.DAYS)
        raise refuse(f"the interval '{value.name}' {span[0]} to {span[1]}")
    name = unit.name.lower()
    if name not in _UNITS:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: interval {name}")
    if name == "second" and (match := re.fullmatch(r"(\d+)\.(\d{1,3})", written)):
        return Value(str(sign * (int(match[1]) * 1000 + int(match[2].ljust(3, "0")))), t.DAYS)
    if not written.isdigit():
        raise invalid
    kind = t.MONTHS if name in ("year", "month") else t.DAYS
    return Value(str(sign * int(written) * _UNITS[name]), kind)


# -- the walk --------------------------------------------------------------------------------------


class Queries(Protocol):
    """What an expression asks of the compiler of the whole query: see `Compiler`."""

    def query(self, tree: exp.Expr, outer: Scope | None = None, /) -> Any: ...  # noqa: D102
    def coerced(self, relation: Any, kinds: Sequence[Type], /) -> Any: ...  # noqa: D102
    def order(self, order: exp.Expr, expressions: Expressions, /) -> str: ...  # noqa: D102
    def window(self, node: exp.Window, expressions: Expressions, /) -> str: ...  # noqa: D102
    def call(self, within: Expressions, name: str, nodes: Sequence[exp.Expr], /) -> Value: ...  # noqa: D102
    def concat(self, within: Expressions, values: Sequence[Value], node: exp.Expr, /) -> Value: ...  # noqa: D102
    def aggregate(self, within: Expressions, node: exp.Expr, /) -> Value: ...  # noqa: D102
    def at_zone(self, value: Value, zone: Value, /) -> Value: ...  # noqa: D102


class Expressions:
    """Compiles the expressions of one SELECT.

    Parameters
    ----------
    compiler:
        The `Compiler` of the whole query, which knows subqueries, windows and functions.
    """

    def __init__(self, compiler: Queries, scope: Scope) -> None:
        self.compiler = compiler
        self.scope = scope
        self.windows: dict[str, exp.Window] = {}

    def value(self, node: exp.Expr) -> Value:
        """The value that an expression gives."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise refuse(node.sql(dialect="trino") if len(node.sql()) < 60 else type(node).__name__)
        for name, given in node.args.items():
            if given and name not in _KNOWN and not isinstance(node, exp.Query):
                raise refuse(f"{name} of {node.sql(dialect='trino')[:60]}")
        return rule(self, node)

    def boolean(self, node: exp.Expr, what: str) -> str:
        """A condition."""
        value = self.value(node)
        if value.type not in (t.BOOLEAN, t.UNKNOWN):
            raise mismatch(f"{what} must evaluate to a boolean: actual type {value.type}", node)
        return coerce(value, t.BOOLEAN).sql

    def alike(self, nodes: Sequence[exp.Expr], what: str) -> list[Value]:
        """Values of one type."""
        return unified([self.value(node) for node in nodes], what, nodes[0])

    def lambda_(self, node: exp.Expr, kinds: Sequence[Type], names: Sequence[str] = ()) -> Value:
        """The body of a lambda whose parameters are of these types."""
        if not isinstance(node, exp.Lambda) or len(node.expressions) != len(kinds):
            raise refuse("a function in place of a lambda")
        written = [one.name for one in node.expressions]
        made = names or [quote(one) for one in written]
        parameters = {
            name.lower(): Value(sql, kind)
            for name, sql, kind in zip(written, made, kinds, strict=True)
        }
        inner = Scope(parameters=parameters, parent=self.scope)
        return Expressions(self.compiler, inner).value(node.this)

    # one method a kind of node

    def _column(self, node: exp.Expr) -> Value:

        assert isinstance(node, exp.Column)
        found = self.scope.column(node.table, node.name)
        if found is None:
            raise unresolved(node)
        return found

    def _parameter(self, node: exp.Expr) -> Value:
        found = self.scope.column("", node.name.lower())
        if found is None:
            raise QueryError("COLUMN_NOT_FOUND", f"Column '{node.name}' cannot be resolved", (1, 1))
        return found

    def _dot(self, node: exp.Expr) -> Value:
        source, name = self.value(node.this), node.expression.name.lower()
        if source.type.name != "row":
            raise mismatch(f"Expression {node.this.sql()} is not of type ROW", node)
        for i, (field_, kind) in enumerate(source.type.args, 1):
            if field_ and field_.lower() == name:
                return Value(f"struct_extract_at({source.sql}, {i})", kind)
        raise QueryError("INVALID_COLUMN_REFERENCE", f"Column '{name}' cannot be resolved")

    def _neg(self, node: exp.Expr) -> Value:
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return literal(node.this, negative=True)
        value = self.value(node.this)
        if value.type == t.UNKNOWN:
            raise QueryError(
                "AMBIGUOUS_FUNCTION_CALL", "Could not choose a best candidate operator -"
            )
        if not t.is_number(value.type) and value.type not in (t.DAYS, t.MONTHS):
            raise mismatch(f"Cannot negate {value.type}", node)
        return Value(f"CAST(-{value.sql} AS {value.type.duckdb})", value.type)

    def _compare(self, node: exp.Expr) -> Value:
        a, b = node.args["this"], node.args["expression"]
        if isinstance(a, (*_COMPARED, exp.Is)) or isinstance(b, (*_COMPARED, exp.Is)):
            raise QueryError("SYNTAX_ERROR", f"mismatched input in '{node.sql(dialect='trino')}'")
        operator = _COMPARED[type(node)]
        if isinstance(b, (exp.Any, exp.All)):
            return self._quantified(a, b, operator)
        return Value(compare(self.value(a), self.value(b), operator, node), t.BOOLEAN)

    def _quantified(self, a: exp.Expr, b: exp.Expr, operator: str) -> Value:
        left, query = self.value(a), b.this.unnest()
        if not isinstance(query, exp.Query):
            raise refuse("ANY and ALL of something else than a query")
        relation = self.compiler.query(query, self.scope)
        kind = common(left.type, relation.columns[0].type) if len(relation.columns) == 1 else None
        if kind is None or kind.name in ("double", "real", "row", "array", "map"):
            raise refuse("ANY and ALL of these types")
        word = "ANY" if isinstance(b, exp.Any) else "ALL"
        inner = self.compiler.coerced(relation, [kind])
        return Value(f"({coerce(left, kind).sql} {operator} {word} ({inner.sql}))", t.BOOLEAN)

    def _arithmetic(self, node: exp.Expr) -> Value:
        a, b = self.value(node.args["this"]), self.value(node.args["expression"])
        return arithmetic(a, b, _ARITHMETIC[type(node)], node)

    def _logic(self, node: exp.Expr) -> Value:
        word = "AND" if isinstance(node, exp.And) else "OR"
        parts = [
            self.boolean(one, "Logical expression term")
            for one in (node.args["this"], node.args["expression"])
        ]
        return Value(f"({parts[0]} {word} {parts[1]})", t.BOOLEAN)

    def _not(self, node: exp.Expr) -> Value:
        return Value(
            f"(NOT {self.boolean(node.this, 'Value of logical NOT expression')})", t.BOOLEAN
        )

    def _is(self, node: exp.Expr) -> Value:
        if not isinstance(node.expression, exp.Null):
            raise QueryError(
                "SYNTAX_ERROR", f"mismatched input in '{node.sql()}'. Expecting: 'DISTINCT', 'NULL'"
            )
        return Value(f"({self.value(node.this).sql} IS NULL)", t.BOOLEAN)

    def _distinct(self, node: exp.Expr) -> Value:
        a, b = self.value(node.args["this"]), self.value(node.args["expression"])
        sql = distinct_from(a, b, node)
        return Value(sql if isinstance(node, exp.NullSafeNEQ) else f"(NOT {sql})", t.BOOLEAN)

    def _between(self, node: exp.Expr) -> Value:
        if node.args.get("symmetric"):
            raise QueryError("SYNTAX_ERROR", "mismatched input 'SYMMETRIC'")
        value, low, high = (self.value(node.args[name]) for name in ("this", "low", "high"))
        return Value(
            f"({compare(value, low, '>=', node)} AND {compare(value, high, '<=', node)})", t.BOOLEAN
        )

    def _in(self, node: exp.Expr) -> Value:
        if node.args.get("unnest") or node.args.get("field"):
            raise refuse("IN of something else than a list or a query")
        value = self.value(node.this)
        query = node.args.get("query")
        if query is not None:
            relation = self.compiler.query(query.unnest(), self.scope)
            kind = common(value.type, relation.columns[0].type)
            if len(relation.columns) > 1 or value.type.name == "row":
                raise refuse("IN with a query of several columns")
            if kind is None:
                raise mismatch(
                    f"Value expression and result of subquery must be of the same type: {value.type} vs {relation.columns[0].type}",
                    node,
                )
            if kind.name in ("double", "real", "array", "map"):
                raise refuse(f"IN with a query of {kind}")
            inner = self.compiler.coerced(relation, [kind])
            return Value(f"({coerce(value, kind).sql} IN ({inner.sql}))", t.BOOLEAN)
        others = unified(
            [value, *(self.value(one) for one in node.expressions)], "IN value and list items", node
        )
        if others[0].type.name in ("double", "real", "row", "array", "map"):
            parts = [compare(others[0], other, "=", node) for other in others[1:]]
            return Value(f"({' OR '.join(parts)})", t.BOOLEAN)
        return Value(
            f"({others[0].sql} IN ({', '.join(one.sql for one in others[1:])}))", t.BOOLEAN
        )

    def _exists(self, node: exp.Expr) -> Value:
        return Value(
            f"EXISTS ({self.compiler.query(node.this.unnest(), self.scope).sql})", t.BOOLEAN
        )

    def _subquery(self, node: exp.Expr) -> Value:
        relation = self.compiler.query(
            node.unnest() if isinstance(node, exp.Subquery) else node, self.scope
        )
        if len(relation.columns) != 1:
            raise refuse("a subquery of several columns as a value")
        return Value(f"({relation.sql})", relation.columns[0].type)

    def _like(self, node: exp.Expr) -> Value:
        escape = None
        if isinstance(node, exp.Escape):
            escape, node = node.expression.name, node.this
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        if type(node) is not exp.Like or isinstance(node.expression, (exp.Any, exp.All)):
            raise QueryError("SYNTAX_ERROR", f"mismatched input in '{node.sql()}'")
        value, pattern = self.value(node.this), self.value(node.expression)
        for one in (value, pattern):
            if one.type not in (t.VARCHAR, t.UNKNOWN):
                raise mismatch(
                    f"Left side of LIKE expression must evaluate to a varchar (actual: {one.type})",
                    node,
                )
        if escape is not None:
            if pattern.literal is None:
                raise refuse("LIKE with ESCAPE of a pattern that is no literal")
            if re.search(
                f"{re.escape(escape)}(?![%_{re.escape(escape)}])",
                pattern.literal.replace(escape * 2, ""),
            ):
                raise QueryError(
                    "INVALID_FUNCTION_ARGUMENT",
                    "Escape character must be followed by '%', '_' or the escape character itself",
                )
        end = f" ESCAPE {text(escape)}" if escape else ""
        return Value(
            f"({coerce(value, t.VARCHAR).sql} {word} {coerce(pattern, t.VARCHAR).sql}{end})",
            t.BOOLEAN,
        )

    def _joined(self, node: exp.Expr) -> Value:

        parts = (
            node.expressions
            if isinstance(node, exp.Concat)
            else [node.args["this"], node.args["expression"]]
        )
        return self.compiler.concat(self, [self.value(one) for one in parts], node)

    def _case(self, node: exp.Expr) -> Value:
        branches, subject = node.args["ifs"], node.args.get("this")
        tests = []
        for branch in branches:
            if subject is None:
                tests.append(self.boolean(branch.this, "CASE WHEN clause"))
            else:
                tests.append(compare(self.value(subject), self.value(branch.this), "=", branch))
        results = [branch.args["true"] for branch in branches]
        default = node.args.get("default")
        values = unified(
            [self.value(one) for one in [*results, *([default] if default is not None else [])]],
            "CASE results",
            node,
        )
        shown = " ".join(
            f"WHEN {test} THEN {value.sql}" for test, value in zip(tests, values, strict=False)
        )
        end = f" ELSE {values[-1].sql}" if default is not None else ""
        return Value(f"CASE {shown}{end} END", values[0].type)

    def _if(self, node: exp.Expr) -> Value:
        if node.args.get("true") is None:
            raise QueryError("SYNTAX_ERROR", "Invalid number of arguments for 'if' function")
        parts = [
            node.args["true"],
            *([node.args["false"]] if node.args.get("false") is not None else []),
        ]
        values = unified([self.value(one) for one in parts], "results of an IF", node)
        end = f" ELSE {values[1].sql}" if len(values) > 1 else ""
        test = self.boolean(node.this, "IF condition")
        return Value(f"CASE WHEN {test} THEN {values[0].sql}{end} END", values[0].type)

    def _cast(self, node: exp.Expr) -> Value:
        assert isinstance(node, exp.Cast)
        name = node.to.sql(dialect="trino")
        try:
            to = t.read_type(name)
        except ValueError:
            if re.match(r"(TIME|CHAR|TIMESTAMP)\b", name):
                raise refuse(f"the type {name.lower()}") from None
            raise mismatch(f"Unknown type: {name.lower()}", node) from None
        safe = isinstance(node, exp.TryCast)
        if isinstance(node.this, exp.Literal) and node.this.is_string and not safe:
            if not node.meta.get("cast"):
                return self._typed_literal(node.this.name, to)
            if to.name == "zoned":
                found = timestamp_literal(node.this.name, "INVALID_CAST_ARGUMENT", to.args[0])
                return Value(
                    found.sql,
                    found.type if found.type.name == "zoned" else t.zoned("UTC", to.args[0]),
                )
        value = self.value(node.this)
        length = re.fullmatch(r"VARCHAR\((\d+)\)", name)
        if value.type.name == "json" and to.name == "varchar" and length:
            raise refuse("CAST of JSON to a varchar of a length")
        made = cast(value, to)
        if length:
            if value.type.name in ("varchar", "unknown"):
                made = Value(f"left({coerce(made, t.VARCHAR).sql}, {length[1]})", t.VARCHAR)
            else:
                wrong = f"trino_error('INVALID_CAST_ARGUMENT: Value {value.type} cannot be represented as varchar({length[1]})')"
                made = Value(
                    f"CASE WHEN length({made.sql}) > {length[1]} THEN CAST({wrong} AS VARCHAR) ELSE {made.sql} END",
                    t.VARCHAR,
                )
        return Value(f"TRY({made.sql})", made.type) if safe else made

    def _typed_literal(self, written: str, to: Type) -> Value:
        if to.name in ("timestamp", "zoned"):
            return timestamp_literal(written)
        if to.name == "decimal":
            return Value(
                f"CAST('{written.strip()}' AS {decimal_literal(written).duckdb})",
                decimal_literal(written),
            )
        if to.name == "json":
            return Value(f"trino_json_parse({text(written)})", t.JSON)
        if to.name == "date":
            try:
                return Value(f"DATE '{cast_date(written).isoformat()}'", t.DATE)
            except Wrong as error:
                if str(error).startswith("NOT_SUPPORTED"):
                    raise failed(error) from None
                raise QueryError(
                    "INVALID_LITERAL", f"'{written}' is not a valid DATE literal"
                ) from None
        return cast(Value(text(written), t.VARCHAR), to)

    def _array(self, node: exp.Expr) -> Value:
        if not node.expressions:
            return Value("CAST([] AS INTEGER[])", t.array(t.UNKNOWN))
        values = self.alike(node.expressions, "array elements")
        return Value(f"[{', '.join(one.sql for one in values)}]", t.array(values[0].type))

    def _row(self, node: exp.Expr) -> Value:

        return self.compiler.call(self, "row", node.expressions)

    def _bracket(self, node: exp.Expr) -> Value:
        source, index = self.value(node.this), node.expressions
        if len(index) != 1 or isinstance(index[0], exp.Slice):
            raise QueryError("SYNTAX_ERROR", "mismatched input in a subscript")
        if source.type.name == "row":
            place = index[0].name if isinstance(index[0], exp.Literal) else ""
            if not place.isdigit() or not 1 <= int(place) <= len(source.type.args):
                raise QueryError("INVALID_FUNCTION_ARGUMENT", f"ROW index out of bounds: {place}")
            return Value(
                f"struct_extract_at({source.sql}, {place})", source.type.args[int(place) - 1][1]
            )
        at = self.value(index[0])
        if source.type.name == "map":
            key = common(source.type.args[0], at.type)
            if key is None or key != source.type.args[0]:
                raise mismatch(f"Cannot use {at.type} for subscript of {source.type}", node)
            return Value(f"trino_key({source.sql}, {coerce(at, key).sql})", source.type.args[1])
        if source.type.name != "array" or (at.type not in t.INTEGERS and at.type != t.UNKNOWN):
            raise mismatch(f"Cannot use {at.type} for subscript of {source.type}", node)
        return Value(f"trino_subscript({source.sql}, {at.sql})", source.type.args[0])

    def _zone(self, node: exp.Expr) -> Value:

        return self.compiler.at_zone(self.value(node.this), self.value(node.args["zone"]))

    def _extract(self, node: exp.Expr) -> Value:

        names = {"dow": "day_of_week", "doy": "day_of_year", "yow": "year_of_week"}
        unit = node.this.name.lower()
        unit = names.get(unit, unit)
        if unit not in (
            "year",
            "quarter",
            "month",
            "week",
            "day",
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "year_of_week",
            "hour",
            "minute",
            "second",
            "timezone_hour",
            "timezone_minute",
        ):
            raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {unit}")
        return self.compiler.call(self, unit, [node.expression])

    def _call(self, node: exp.Expr) -> Value:

        return self.compiler.call(self, node.name.lower(), node.expressions)

    def _aggregate(self, node: exp.Expr) -> Value:

        return self.compiler.aggregate(self, node)

    def _now(self, node: exp.Expr) -> Value:
        precision = node.this
        if precision is not None and precision.name != "3":
            raise refuse("times of another precision than 3")
        kind = t.zoned("UTC") if isinstance(node, exp.CurrentTimestamp) else t.timestamp()
        return Value("date_trunc('milliseconds', timezone('UTC', now()))", kind)


def unified(values: Sequence[Value], what: str, node: exp.Expr) -> list[Value]:
    """The values, all of their common type."""
    kind = values[0].type
    for other in values[1:]:
        found = common(kind, other.type)
        if found is None:
            raise mismatch(f"All {what} must be the same type: {kind} vs {other.type}", node)
        kind = found
    return [coerce(one, kind) for one in values]


def _named(name: str, *keys: str) -> Callable[[Expressions, exp.Expr], Value]:
    """A node of sqlglot's that is a call of a function."""

    def rule(self: Expressions, node: exp.Expr) -> Value:

        found: list[exp.Expr] = []
        for key in keys:
            one = node.args.get(key)
            found += one if isinstance(one, list) else [one] if one is not None else []
        return self.compiler.call(self, name, found)

    return rule


def _trim(self: Expressions, node: exp.Expr) -> Value:

    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(
        (node.args.get("position") or "").upper(), "trim"
    )
    letters = node.args.get("expression")
    if letters is not None:
        return self.compiler.call(self, f"${name}", [node.this, letters])
    return self.compiler.call(self, name, [node.this])


_KNOWN = {
    "this", "expression", "expressions", "is_string", "table", "low", "high", "symmetric", "unnest",
    "field", "query", "ifs", "default", "true", "false", "to", "safe", "unit", "zone", "over",
    "partition_by", "order", "spec", "alias", "first", "position", "start", "length", "substr",
    "quoted", "bracket_notation", "negate", "null_handling", "typed", "is_literal",
}  # fmt: skip
"""Parts of nodes that the rules look at; a node with another one is refused."""
_Rule = Callable[[Expressions, Any], Value]
_RULES: dict[type[exp.Expr], _Rule] = {
    exp.Column: Expressions._column,
    exp.Pseudocolumn: Expressions._column,
    exp.Identifier: Expressions._parameter,
    exp.ParseJSON: lambda self, node: self._typed_literal(node.this.name, t.JSON),
    exp.Dot: Expressions._dot,
    exp.Literal: lambda _, node: literal(node),
    exp.Boolean: lambda _, node: Value(str(node.this).lower(), t.BOOLEAN),
    exp.Null: lambda *_: Value("NULL", t.UNKNOWN),
    exp.Paren: lambda self, node: self.value(node.this),
    exp.Neg: Expressions._neg,
    **dict.fromkeys(_COMPARED, Expressions._compare),
    **dict.fromkeys(_ARITHMETIC, Expressions._arithmetic),
    exp.And: Expressions._logic,
    exp.Or: Expressions._logic,
    exp.Not: Expressions._not,
    exp.Is: Expressions._is,
    exp.NullSafeEQ: Expressions._distinct,
    exp.NullSafeNEQ: Expressions._distinct,
    exp.Between: Expressions._between,
    exp.In: Expressions._in,
    exp.Exists: Expressions._exists,
    exp.Subquery: Expressions._subquery,
    exp.Select: Expressions._subquery,
    exp.Like: Expressions._like,
    exp.Escape: Expressions._like,
    exp.DPipe: Expressions._joined,
    exp.Case: Expressions._case,
    exp.If: Expressions._if,
    exp.Cast: Expressions._cast,
    exp.TryCast: Expressions._cast,
    exp.Interval: lambda _, node: interval_literal(node),
    exp.Array: Expressions._array,
    exp.Tuple: Expressions._row,
    exp.Struct: Expressions._row,
    exp.Bracket: Expressions._bracket,
    exp.AtTimeZone: Expressions._zone,
    exp.Extract: Expressions._extract,
    exp.Anonymous: Expressions._call,
    exp.AnonymousAggFunc: Expressions._aggregate,
    exp.Filter: Expressions._aggregate,
    exp.WithinGroup: Expressions._aggregate,
    exp.IgnoreNulls: Expressions._aggregate,
    exp.RespectNulls: Expressions._aggregate,
    exp.Window: Expressions._aggregate,
    exp.CurrentTimestamp: Expressions._now,
    exp.Localtimestamp: Expressions._now,
    exp.CurrentDate: lambda *_: Value("CAST(timezone('UTC', now()) AS DATE)", t.DATE),
    exp.Coalesce: _named("coalesce", "this", "expressions"),
    exp.Trim: _trim,
    exp.Substring: _named("substr", "this", "start", "length"),
    exp.StrPosition: _named("strpos", "this", "substr"),
}
