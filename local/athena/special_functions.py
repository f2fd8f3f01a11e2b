"""Functions that need more than a row of `function_table`: their result depends on a literal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature

from local.athena import types as t
from local.athena.calls import Arguments, no_function
from local.athena.errors import QueryError, mismatch, refuse
from local.athena.literals import read_zone
from local.athena.operators import add_span, arithmetic, compare
from local.athena.types import Type, common
from local.athena.values import Value, coerce, local_time, moved, shifted, unified

_Rule = Callable[..., Value | None]


def _constant(value: Value, what: str) -> str:
    if not isinstance(value.literal, str):
        raise refuse(f"{what} that is no literal")
    return value.literal


def _coalesce(name: str, *values: Value) -> Value:
    if len(values) < 2:
        raise QueryError("SYNTAX_ERROR", f"The '{name}' function must have at least two arguments")
    made = unified(values, "COALESCE operands")
    return Value(f"coalesce({', '.join(one.sql for one in made)})", made[0].type)


def _nullif(_: str, a: Value, b: Value) -> Value:
    return Value(f"CASE WHEN {compare(a, b, '=')} THEN NULL ELSE {a.sql} END", a.type)


def _row(_: str, *values: Value) -> Value:
    parts = (f"field{i} := {one.sql}" for i, one in enumerate(values))
    return Value(f"struct_pack({', '.join(parts)})", t.row(*((None, one.type) for one in values)))


def _try(_: str, value: Value) -> Value:
    return Value(f"TRY({value.sql})", value.type)


def concat(name: str, *values: Value) -> Value:
    """``a || b`` and ``concat``: of texts, or arrays and their elements."""
    if len(values) < 2:
        message = "There must be two or more concatenation arguments"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
    kinds = {one.type.name for one in values}
    if kinds == {"varchar"}:
        return Value(f"({' || '.join(one.sql for one in values)})", t.VARCHAR)
    if "array" not in kinds or "unknown" in kinds:
        raise no_function(name, values)
    lists = [
        one if one.type.name == "array" else Value(f"[{one.sql}]", t.array(one.type))
        for one in values
    ]
    made = lists[0]
    for one in lists[1:]:
        kind = common(made.type, one.type)
        if kind is None:
            raise no_function(name, values)
        made = Value(f"list_concat({coerce(made, kind).sql}, {coerce(one, kind).sql})", kind)
    nulls = " OR ".join(f"{one.sql} IS NULL" for one in values)
    return Value(f"CASE WHEN {nulls} THEN NULL ELSE {made.sql} END", made.type)


def _round(_: str, x: Value, digits: Value | None = None) -> Value | None:
    """``round`` of a decimal, whose type changes."""
    if x.type.name != "decimal":
        return None
    p, s = x.type.args
    n = digits.literal if digits else 0
    if not isinstance(n, int):
        raise refuse("round of a decimal to a number of digits that is no literal")
    made = t.decimal(p + 1, s) if digits else t.decimal(max(p - s + min(1, s), 1), 0)
    exact = x.sql if n >= s else f"trino_round_decimal(CAST({x.sql} AS VARCHAR), 38, {n})"
    return Value(f"CAST({exact} AS {made.duckdb})", made)


# -- times -----------------------------------------------------------------------------------------


def at_zone(name: str, value: Value, zone: Value) -> Value:
    """``AT TIME ZONE``: the same instant, shown in another zone."""
    if value.type.name not in ("timestamp", "zoned"):
        message = "Type of value must be a time or timestamp with or without time zone"
        raise mismatch(f"{message} (actual {value.type})")
    named = read_zone(_constant(zone, f"{name} with a zone"))
    return Value(value.sql, t.zoned(named, value.type.args[0]))


def _with_timezone(name: str, value: Value, zone: Value) -> Value:
    if value.type.name != "timestamp":
        raise no_function(name, [value, zone])
    named = read_zone(_constant(zone, f"{name} with a zone"))
    return Value(shifted(value.sql, named, -1), t.zoned(named, value.type.args[0]))


_LENGTHS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
_DAYS = {"day": 86_400_000, "week": 7 * 86_400_000}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(unit: Value, kind: Type | None, name: str, values: Sequence[Value]) -> str:
    if kind is None or kind.name not in t.TIMES:
        raise no_function(name, [unit, *values])
    named = _constant(unit, f"{name} with a unit").lower()
    if named not in {**_LENGTHS, **_DAYS, **_MONTHS} or (kind == t.DATE and named in _LENGTHS):
        what = "DATE" if kind == t.DATE else "Timestamp"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{named}' is not a valid {what} field")
    return named


def _date_trunc(name: str, unit: Value, x: Value) -> Value:
    return moved(x, f"date_trunc('{_unit(unit, x.type, name, [x])}', {local_time(x)})")


def _date_add(name: str, unit: Value, amount: Value, x: Value) -> Value:
    named = _unit(unit, x.type, name, [amount, x])
    if common(amount.type, t.BIGINT) != t.BIGINT:
        raise no_function(name, [unit, amount, x])
    if named == "millisecond" and x.type.args[0] < 3:
        raise refuse("date_add of milliseconds to a timestamp without them")
    if named in _DAYS and x.type.name == "zoned":
        days = f"to_days(CAST({amount.sql} * {_DAYS[named] // 86_400_000} AS INTEGER))"
        return moved(x, f"({local_time(x)} + {days})")
    kind = t.MONTHS if named in _MONTHS else t.DAYS
    size = {**_LENGTHS, **_DAYS, **_MONTHS}[named]
    span = Value(f"({coerce(amount, t.BIGINT).sql} * {size})", kind)
    return Value(add_span(x, span).sql, x.type)


def _date_diff(name: str, unit: Value, a: Value, b: Value) -> Value:
    kind = common(a.type, b.type)
    named = _unit(unit, kind, name, [a, b])
    assert kind is not None
    x, y = (Value(coerce(one, kind).sql, kind) for one in (a, b))
    if named in _LENGTHS:
        return Value(f"((epoch_ms({y.sql}) - epoch_ms({x.sql})) // {_LENGTHS[named]})", t.BIGINT)
    p, q = local_time(x), local_time(y)
    if named in _DAYS:
        return Value(f"((epoch_ms({q}) - epoch_ms({p})) // {_DAYS[named]})", t.BIGINT)
    return Value(f"(trino_months({p}, {q}) // {_MONTHS[named]})", t.BIGINT)


RULES: dict[str, _Rule] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "row": _row,
    "try": _try,
    "concat": concat,
    "round": _round,
    "mod": lambda _, a, b: arithmetic(a, b, "%"),
    "at_timezone": at_zone,
    "with_timezone": _with_timezone,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
}


def special(name: str, values: Arguments) -> Value | None:
    """A call of one of these; None if it has a row in the table."""
    try:
        signature(RULES[name]).bind(name, *values)
    except TypeError:
        raise no_function(name, values) from None
    if not all(isinstance(one, Value) for one in values):
        raise no_function(name, values)
    return RULES[name](name, *values)
