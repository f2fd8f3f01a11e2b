"""Trino's operators and literals in DuckDB's SQL."""

# ruff: noqa: E501  (SQL)

from __future__ import annotations

import re
from datetime import UTC
from zoneinfo import ZoneInfo

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError, mismatch, refuse
from local.athena.literals import read_zone
from local.athena.text_functions import cast_date, moment
from local.athena.types import Type, common, text
from local.athena.values import Value, cast, coerce, local_time, moved, shifted


def compare(a: Value, b: Value, operator: str, node: exp.Expr | None = None) -> str:
    """``a = b`` and the like."""
    kind, equality = common(a.type, b.type), operator in ("=", "<>")
    if kind is not None and kind.name in ("array", "map", "row"):
        raise refuse(f"comparing values of type {kind}")
    if kind is None or (kind.name == "json" and not equality):
        raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)
    x, y = coerce(a, kind).sql, coerce(b, kind).sql
    nans = [f"isnan({z})" for z, of in ((x, a), (y, b)) if not isinstance(of.literal, (int, float))]
    if kind.name == "double" and nans:
        answer = "true" if operator == "<>" else "false"
        return (
            f"CASE WHEN {x} IS NULL OR {y} IS NULL THEN NULL WHEN {' OR '.join(nans)} "
            f"THEN {answer} ELSE {x} {operator} {y} END"
        )
    return f"({x} {operator} {y})"


def distinct_from(a: Value, b: Value, node: exp.Expr) -> str:
    """``a IS DISTINCT FROM b``."""
    kind = common(a.type, b.type)
    if kind is None:
        raise mismatch(f"Cannot apply operator: {a.type} IS DISTINCT FROM {b.type}", node)
    return f"({coerce(a, kind).sql} IS DISTINCT FROM {coerce(b, kind).sql})"


def arithmetic(a: Value, b: Value, operator: str, node: exp.Expr | None = None) -> Value:
    """``a + b`` and the like."""
    times = {a.type.name, b.type.name} & {*t.TIMES}
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
    return Value(f"CAST({sql} AS {kind.duckdb})" if kind in t.INTEGERS else sql, kind)


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


def _time_arithmetic(a: Value, b: Value, operator: str, node: exp.Expr | None) -> Value:
    if b.type.name in t.TIMES and operator == "+":
        a, b = b, a
    spans = (t.DAYS, t.MONTHS)
    if operator in "+-" and a.type.name in t.TIMES:
        if b.type in spans:
            return add_span(a, b, -1 if operator == "-" else 1)
        kind = common(a.type, b.type)
        if operator == "-" and kind is not None and b.type != t.UNKNOWN:
            x, y = coerce(a, kind).sql, coerce(b, kind).sql
            if kind == t.DATE:
                return Value(f"(CAST({x} - {y} AS BIGINT) * 86400000)", t.DAYS)
            return Value(f"((epoch_us({x}) - epoch_us({y})) // 1000)", t.DAYS)
    if {a.type, b.type} & {*spans}:
        raise refuse(f"{a.type} {operator} {b.type}")
    raise mismatch(f"Cannot apply operator: {a.type} {operator} {b.type}", node)


def add_span(time: Value, span: Value, sign: int = 1) -> Value:
    """A time and an interval: of months on its own clock, of milliseconds on the world's."""
    kind = time.type
    amount = f"CAST({'-' if sign < 0 else ''}({span.sql}) AS {'INTEGER' if span.type == t.MONTHS else 'BIGINT'})"
    if span.type == t.MONTHS:
        return moved(time, f"({local_time(time)} + to_months({amount}))")
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
            return Value(f"CAST({number} AS INTEGER)", t.INTEGER, number)
        return Value(f"CAST({number} AS BIGINT)", t.BIGINT, number)
    if "e" in written:
        return Value(f"CAST('{float(written)!r}' AS DOUBLE)", t.DOUBLE, float(written))
    whole, _, fraction = written.lstrip("-").partition(".")
    precision = len(whole.lstrip("0")) + len(fraction)
    if precision > 38:
        raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Invalid decimal literal '{written}'")
    kind = t.decimal(max(precision, 1), len(fraction))
    return Value(f"CAST('{written}' AS {kind.duckdb})", kind, float(written))


def timestamp_literal(written: str) -> Value:
    """``TIMESTAMP '...'``, with a zone or without."""
    fraction = re.search(r"\d:\d+(?::\d+(?:\.(\d+))?)?", written)
    precision = len((fraction and fraction[1]) or "")
    if precision > 3:
        raise refuse("timestamps finer than milliseconds")
    wrong = QueryError("INVALID_LITERAL", f"'{written}' is not a valid TIMESTAMP literal")
    try:
        found, zone = moment(written, precision)
    except QueryError:
        raise wrong from None
    shown = f"TIMESTAMP '{found.isoformat(' ')}'"
    if zone is None:
        return Value(shown, t.timestamp(precision))
    zone = read_zone(zone, "INVALID_LITERAL")
    if "/" in zone:  # a time that a change of the clocks leaves out does not exist
        there = found.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if there.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != found:
            raise wrong
    return Value(shifted(shown, zone, -1), t.zoned(zone, precision))


_UNITS = {
    "day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000, "year": 12, "month": 1,
}  # fmt: skip


def interval_literal(node: exp.Interval) -> Value:
    """``INTERVAL '1' DAY``."""
    unit, value = node.args.get("unit"), node.this
    if not isinstance(value, exp.Literal) or not value.is_string or unit is None:
        raise refuse("an interval that is no literal")
    if isinstance(unit, exp.IntervalSpan):
        raise refuse(f"an interval of {unit.sql().lower()}")
    written, sign = value.name.lstrip("+-"), -1 if value.name.startswith("-") else 1
    name = unit.name.lower()
    if name not in _UNITS:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: interval {name}")
    if name == "second" and (match := re.fullmatch(r"(\d+)\.(\d{1,3})", written)):
        return Value(str(sign * (int(match[1]) * 1000 + int(match[2].ljust(3, "0")))), t.DAYS)
    if not written.isdigit():
        message = f"'{value.name}' is not a valid INTERVAL literal"
        raise QueryError("INVALID_LITERAL", message)
    kind = t.MONTHS if name in ("year", "month") else t.DAYS
    return Value(str(sign * int(written) * _UNITS[name]), kind)


def typed_literal(written: str, to: Type) -> Value:
    """``DATE '...'`` and the like."""
    if to.name in ("timestamp", "zoned"):
        return timestamp_literal(written)
    if to.name in ("decimal", "json"):
        raise refuse(f"literals of {to.name}")
    if to.name != "date":
        return cast(Value(text(written), t.VARCHAR), to)
    try:
        return Value(f"DATE '{cast_date(written).isoformat()}'", t.DATE)
    except QueryError as error:
        name = "INVALID_LITERAL" if error.name == "INVALID_CAST_ARGUMENT" else error.name
        raise QueryError(name, error.message) from None
