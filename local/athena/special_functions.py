"""Functions that need more than a row of `function_table`: their result depends on a literal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from local.athena import types as t
from local.athena.calls import Compiles, call, no_function
from local.athena.errors import QueryError, mismatch, refuse
from local.athena.literals import read_zone
from local.athena.operators import add_span, arithmetic, compare
from local.athena.types import Type, common
from local.athena.values import Value, coerce, local_time, shifted, zone_of

_Nodes = Sequence[exp.Expr]
_Rule = Callable[[Compiles, str, _Nodes], Value]


def _values(compiler: Compiles, name: str, nodes: _Nodes, count: int) -> list[Value]:
    values = [compiler.value(one) for one in nodes]
    if len(values) != count:
        raise no_function(name, values)
    return values


def _constant(value: Value, what: str) -> str:
    if not isinstance(value.literal, str):
        raise refuse(f"{what} that is no literal")
    return value.literal


def _coalesce(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    if len(nodes) < 2:
        raise QueryError("SYNTAX_ERROR", f"The '{name}' function must have at least two arguments")
    values = compiler.alike(nodes, "COALESCE operands")
    return Value(f"coalesce({', '.join(one.sql for one in values)})", values[0].type)


def _nullif(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    a, b = _values(compiler, name, nodes, 2)
    return Value(f"CASE WHEN {compare(a, b, '=')} THEN NULL ELSE {a.sql} END", a.type)


def _row(compiler: Compiles, _: str, nodes: _Nodes) -> Value:
    values = [compiler.value(one) for one in nodes]
    parts = (f"field{i} := {one.sql}" for i, one in enumerate(values))
    return Value(f"struct_pack({', '.join(parts)})", t.row(*((None, one.type) for one in values)))


def _try(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    (value,) = _values(compiler, name, nodes, 1)
    return Value(f"TRY({value.sql})", value.type)


def concat(name: str, values: Sequence[Value]) -> Value:
    """``a || b`` and ``concat``: of texts, or arrays and their elements."""
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


def _concat(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    if len(nodes) < 2:
        message = "There must be two or more concatenation arguments"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
    return concat(name, [compiler.value(one) for one in nodes])


def _round(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    """``round`` of a decimal, whose type changes."""
    x, *digits = [compiler.value(one) for one in nodes]
    if x.type.name != "decimal":
        return call(compiler, name, nodes)
    p, s = x.type.args
    n = digits[0].literal if digits else 0
    if not isinstance(n, int):
        raise refuse("round of a decimal to a number of digits that is no literal")
    made = t.decimal(p + 1, s) if digits else t.decimal(max(p - s + min(1, s), 1), 0)
    exact = x.sql if n >= s else f"trino_round_decimal(CAST({x.sql} AS VARCHAR), 38, {n})"
    return Value(f"CAST({exact} AS {made.duckdb})", made)


def _mod(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    a, b = _values(compiler, name, nodes, 2)
    return arithmetic(a, b, "%")


# -- times -----------------------------------------------------------------------------------------


def at_zone(value: Value, zone: Value) -> Value:
    """``AT TIME ZONE``: the same instant, shown in another zone."""
    if value.type.name not in ("timestamp", "zoned"):
        message = "Type of value must be a time or timestamp with or without time zone"
        raise mismatch(f"{message} (actual {value.type})")
    named = read_zone(_constant(zone, "AT TIME ZONE with a zone"))
    return Value(value.sql, t.zoned(named, value.type.args[0]))


def _at_timezone(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    return at_zone(*_values(compiler, name, nodes, 2))


def _with_timezone(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    value, zone = _values(compiler, name, nodes, 2)
    if value.type.name != "timestamp":
        raise no_function(name, [value, zone])
    named = read_zone(_constant(zone, "with_timezone with a zone"))
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


def _date_trunc(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, x = _values(compiler, name, nodes, 2)
    cut = f"date_trunc('{_unit(unit, x.type, name, [x])}', {local_time(x)})"
    if x.type.name == "zoned":
        return Value(shifted(cut, zone_of(x.type), -1), x.type)
    return Value(f"CAST({cut} AS {x.type.duckdb})", x.type)


def _date_add(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, amount, x = _values(compiler, name, nodes, 3)
    named = _unit(unit, x.type, name, [amount, x])
    if common(amount.type, t.BIGINT) != t.BIGINT:
        raise no_function(name, [unit, amount, x])
    if named == "millisecond" and x.type.args[0] < 3:
        raise refuse("date_add of milliseconds to a timestamp without them")
    if named in _DAYS and x.type.name == "zoned" and zone_of(x.type) != "UTC":
        days = f"to_days(CAST({amount.sql} * {_DAYS[named] // 86_400_000} AS INTEGER))"
        return Value(shifted(f"({local_time(x)} + {days})", zone_of(x.type), -1), x.type)
    kind = t.MONTHS if named in _MONTHS else t.DAYS
    size = {**_LENGTHS, **_DAYS, **_MONTHS}[named]
    span = Value(f"({coerce(amount, t.BIGINT).sql} * {size})", kind)
    return Value(add_span(x, span).sql, x.type)


def _date_diff(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, a, b = _values(compiler, name, nodes, 3)
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
    "concat": _concat,
    "round": _round,
    "mod": _mod,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
}
