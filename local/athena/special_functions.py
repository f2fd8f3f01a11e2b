"""Functions that need more than a row of `function_table`: their result depends on a literal."""

# ruff: noqa: E501  (SQL)

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from local.athena import types as t
from local.athena.calls import Compiles, call, no_function
from local.athena.errors import QueryError, mismatch, refuse
from local.athena.literals import read_zone
from local.athena.operators import add_span, arithmetic, compare
from local.athena.text_functions import iso_timestamp
from local.athena.types import Type, common, text
from local.athena.values import (
    Value,
    cast,
    coerce,
    local_time,
    shifted,
    zone_of,
)

_Nodes = Sequence[exp.Expr]
_Rule = Callable[[Compiles, str, _Nodes], Value]


def _values(compiler: Compiles, name: str, nodes: _Nodes, least: int, most: int) -> list[Value]:
    values = [compiler.value(one) for one in nodes]
    if not least <= len(values) <= most:
        raise no_function(name, values)
    return values


def _constant(value: Value, what: str) -> str:
    if not isinstance(value.literal, str):
        raise refuse(f"{what} that is no literal")
    return value.literal


# -- conditions ------------------------------------------------------------------------------------


def _coalesce(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    if len(nodes) < 2:
        raise QueryError("SYNTAX_ERROR", f"The '{name}' function must have at least two arguments")
    values = compiler.alike(nodes, "COALESCE operands")
    return Value(f"coalesce({', '.join(one.sql for one in values)})", values[0].type)


def _nullif(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    a, b = _values(compiler, name, nodes, 2, 2)
    return Value(f"CASE WHEN {compare(a, b, '=')} THEN NULL ELSE {a.sql} END", a.type)


def _row(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    values = _values(compiler, name, nodes, 1, 99)
    parts = (f"field{i} := {one.sql}" for i, one in enumerate(values))
    return Value(f"struct_pack({', '.join(parts)})", t.row(*((None, one.type) for one in values)))


def _grouping(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    listed = ", ".join(one.sql for one in _values(compiler, name, nodes, 1, 9))
    return Value(f"CAST(GROUPING({listed}) AS INTEGER)", t.INTEGER)


def _try(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    (value,) = _values(compiler, name, nodes, 1, 1)
    return Value(f"TRY({value.sql})", value.type)


def concat(name: str, values: Sequence[Value]) -> Value:
    """``a || b`` and ``concat``: of texts, binaries, or arrays and their elements."""
    kinds = {one.type.name for one in values}
    if "array" in kinds:
        return _concat_arrays(name, values)
    if "unknown" in kinds:
        raise refuse(f"{name} of a NULL without a type")
    if kinds not in ({"varchar"}, {"varbinary"}):
        raise no_function("concat", values)
    return Value(f"({' || '.join(one.sql for one in values)})", values[0].type)


def _concat_arrays(name: str, values: Sequence[Value]) -> Value:
    if any(one.type == t.UNKNOWN for one in values):
        message = f"Could not choose a best candidate operator {name}"
        raise QueryError("AMBIGUOUS_FUNCTION_CALL", message)
    kind: Type | None = next(one.type for one in values if one.type.name == "array")
    for one in values:
        kind = kind and common(kind, one.type if one.type.name == "array" else t.array(one.type))
    if kind is None:
        raise no_function("concat", values)
    made = ""
    for one in values:
        whole = one.type.name == "array"
        part = coerce(one, kind).sql if whole else f"[{coerce(one, kind.args[0]).sql}]"
        made = f"list_concat({made}, {part})" if made else part
    nulls = " OR ".join(f"{one.sql} IS NULL" for one in values)
    return Value(f"CASE WHEN {nulls} THEN NULL ELSE {made} END", kind)


def _concat(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    if len(nodes) < 2:
        message = "There must be two or more concatenation arguments"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
    return concat(name, [compiler.value(one) for one in nodes])


# -- numbers ---------------------------------------------------------------------------------------


def _round(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    """``round`` and its kin of a decimal, whose type changes."""
    x, *digits = _values(compiler, name, nodes, 1, 2)
    if x.type.name != "decimal":
        return call(compiler, name, nodes)
    p, s = x.type.args
    if name == "round":
        if digits and not isinstance(digits[0].literal, int):
            raise refuse("round of a decimal to a number of digits that is no literal")
        n = int(digits[0].literal or 0) if digits else 0
        made = t.decimal(p + 1, s) if digits else t.decimal(max(p - s + min(1, s), 1), 0)
        exact = x.sql if n >= s else f"trino_round_decimal(CAST({x.sql} AS VARCHAR), 38, {n})"
        return Value(f"CAST({exact} AS {made.duckdb})", made)
    if digits:
        raise refuse(f"{name} of a decimal to a number of digits")
    cut, grows = ("trunc", 0) if name == "truncate" else (name, min(1, s))
    made = t.decimal(max(p - s + grows, 1), 0)
    return Value(f"CAST({cut}({x.sql}) AS {made.duckdb})", made)


def _mod(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    a, b = _values(compiler, name, nodes, 2, 2)
    return arithmetic(a, b, "%")


# -- times -----------------------------------------------------------------------------------------


def at_zone(value: Value, zone: Value) -> Value:
    """``AT TIME ZONE``: the same instant, shown in another zone."""
    if value.type.name not in ("timestamp", "zoned"):
        raise mismatch(
            f"Type of value must be a time or timestamp with or without time zone (actual {value.type})"
        )
    named = read_zone(_constant(zone, "AT TIME ZONE with a zone"))
    return Value(value.sql, t.zoned(named, value.type.args[0]))


def _at_timezone(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    return at_zone(*_values(compiler, name, nodes, 2, 2))


def _with_timezone(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    value, zone = _values(compiler, name, nodes, 2, 2)
    if value.type.name not in ("date", "timestamp"):
        raise no_function(name, [value, zone])
    named = read_zone(_constant(zone, "with_timezone with a zone"))
    precision = value.type.args[0] if value.type.args else 0
    return Value(shifted(local_time(value), named, -1), t.zoned(named, precision))


def _now(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    _values(compiler, name, nodes, 0, 0)
    return compiler.value(exp.CurrentTimestamp())


def _from_iso8601(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    (s,) = _values(compiler, name, nodes, 1, 1)
    if s.type not in (t.VARCHAR, t.UNKNOWN):
        raise no_function(name, [s])
    if s.literal is None:
        return Value(f"trino_iso_utc({coerce(s, t.VARCHAR).sql})", t.zoned("UTC"))
    found, zone = iso_timestamp(str(s.literal))
    moment = f"TIMESTAMP '{found:%Y-%m-%d %H:%M:%S.%f}'"
    return Value(shifted(moment, read_zone(zone), -1), t.zoned(read_zone(zone)))


def _from_unixtime(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    x, *more = _values(compiler, name, nodes, 1, 3)
    if len(more) > 1:
        raise refuse("from_unixtime with an offset")
    if common(x.type, t.DOUBLE) != t.DOUBLE:
        raise no_function(name, [x])
    zone = read_zone(_constant(more[0], "from_unixtime with a zone")) if more else "UTC"
    millis = f"CAST(round({coerce(x, t.DOUBLE).sql} * 1000) AS BIGINT)"
    return Value(f"make_timestamp({millis} * 1000)", t.zoned(zone))


def _date(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    (x,) = _values(compiler, name, nodes, 1, 1)
    if x.type.name not in (*t.TIMES, "varchar", "unknown"):
        raise no_function(name, [x])
    return cast(x, t.DATE)


def _to_iso8601(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    (x,) = _values(compiler, name, nodes, 1, 1)
    if x.type.name not in ("timestamp", "zoned"):
        return call(compiler, name, nodes)
    zone = zone_of(x.type) if x.type.name == "zoned" else ""
    if "/" in zone:
        raise refuse(f"{name} of a time in {zone}")
    shown = f"replace(trino_timestamp_text({local_time(x)}, {x.type.args[0]}), ' ', 'T')"
    return Value(f"({shown} || {text('Z' if zone == 'UTC' else zone)})", t.VARCHAR)


_LENGTHS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(value: Value, kind: Type, name: str) -> str:
    unit = _constant(value, f"{name} with a unit").lower()
    if unit not in {**_LENGTHS, **_DAYS, **_MONTHS} or (kind == t.DATE and unit in _LENGTHS):
        what = "DATE" if kind == t.DATE else "Timestamp"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {what} field")
    return unit


def _check_time(name: str, x: Value, values: Sequence[Value]) -> None:
    if x.type == t.UNKNOWN:
        raise refuse(f"{name} of a NULL without a type")
    if x.type.name not in t.TIMES:
        raise no_function(name, values)


def _date_trunc(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, x = _values(compiler, name, nodes, 2, 2)
    _check_time(name, x, [unit, x])
    cut = f"date_trunc('{_unit(unit, x.type, name)}', {local_time(x)})"
    if x.type.name == "zoned":
        return Value(shifted(cut, zone_of(x.type), -1), x.type)
    return Value(f"CAST({cut} AS {x.type.duckdb})", x.type)


def _date_add(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, amount, x = _values(compiler, name, nodes, 3, 3)
    _check_time(name, x, [unit, amount, x])
    if common(amount.type, t.BIGINT) != t.BIGINT:
        raise no_function(name, [unit, amount, x])
    named, n = _unit(unit, x.type, name), coerce(amount, t.BIGINT).sql
    if named == "millisecond" and x.type.args[0] < 3:
        raise refuse("date_add of milliseconds to a timestamp without them")
    if named in _MONTHS:
        return add_span(x, Value(f"({n} * {_MONTHS[named]})", t.MONTHS))
    if named in _DAYS and x.type.name == "zoned" and zone_of(x.type) != "UTC":
        moved = f"({local_time(x)} + to_days(CAST({n} * {_DAYS[named]} AS INTEGER)))"
        return Value(shifted(moved, zone_of(x.type), -1), x.type)
    length = _LENGTHS.get(named) or _DAYS[named] * 86_400_000
    return Value(add_span(x, Value(f"({n} * {length})", t.DAYS)).sql, x.type)


def _date_diff(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    unit, a, b = _values(compiler, name, nodes, 3, 3)
    kind = common(a.type, b.type)
    if kind is None or kind.name not in t.TIMES:
        raise no_function(name, [unit, a, b])
    if kind.name == "zoned" and (a.type.name != b.type.name or not kind.args[1]):
        kind = t.zoned(zone_of(a.type) if a.type.name == "zoned" else "UTC", kind.args[0])
    named = _unit(unit, kind, name)
    x, y = Value(coerce(a, kind).sql, kind), Value(coerce(b, kind).sql, kind)
    if named in _LENGTHS:
        return Value(f"((epoch_ms({y.sql}) - epoch_ms({x.sql})) // {_LENGTHS[named]})", t.BIGINT)
    p, q = local_time(x), local_time(y)
    if named in _DAYS:
        length = _DAYS[named] * 86_400_000
        return Value(f"((epoch_ms({q}) - epoch_ms({p})) // {length})", t.BIGINT)
    return Value(f"(trino_months({p}, {q}) // {_MONTHS[named]})", t.BIGINT)


# -- arrays ----------------------------------------------------------------------------------------


def _reduce(compiler: Compiles, name: str, nodes: _Nodes) -> Value:
    if len(nodes) != 4:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}")
    x, start = compiler.value(nodes[0]), compiler.value(nodes[1])
    if x.type.name != "array":
        raise no_function(name, [x, start])
    kind = x.type.args[0]
    if kind == t.UNKNOWN:
        raise refuse("reduce of an array without a type")
    # DuckDB folds values of one type: the state travels beside each element.
    body = compiler.lambda_(nodes[2], [start.type, kind], ["a_.s", "b_.x"])
    if common(body.type, start.type) != start.type:
        raise refuse("reduce whose state changes its type; cast the initial state")
    pair = "struct_pack(s := {}, x := {})"
    none = pair.format(f"CAST(NULL AS {start.type.duckdb})", "x_")
    step = pair.format(coerce(body, start.type).sql, "b_.x")
    first = pair.format(start.sql, f"CAST(NULL AS {kind.duckdb})")
    items = f"list_transform({x.sql}, lambda x_: {none})"
    folded = f"list_reduce({items}, lambda a_, b_: {step}, {first}).s"
    final = compiler.lambda_(nodes[3], [start.type], [f"({folded})"])
    return Value(f"trino_if({x.sql}, {final.sql})", final.type)


RULES: dict[str, _Rule] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "row": _row,
    "grouping": _grouping,
    "try": _try,
    "concat": _concat,
    **dict.fromkeys(("round", "ceil", "ceiling", "floor", "truncate"), _round),
    "mod": _mod,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "now": _now,
    "from_iso8601_timestamp": _from_iso8601,
    "from_unixtime": _from_unixtime,
    "date": _date,
    "to_iso8601": _to_iso8601,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "reduce": _reduce,
}
