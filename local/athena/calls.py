"""Calls of functions: finds the row of `function_table` that fits, and fills in its SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError, position, refuse
from local.athena.function_table import AGGREGATES, SCALARS, TRINO, WINDOWS
from local.athena.literals import LITERALS
from local.athena.types import Type, common, split_top
from local.athena.values import Value, as_text, coerce, local_time


class Compiles(Protocol):
    """What a function's rule asks of `Expressions`, which compiles the nodes of its arguments."""

    def value(self, node: exp.Expr, /) -> Value: ...  # noqa: D102
    def boolean(self, node: exp.Expr, what: str, /) -> str: ...  # noqa: D102
    def alike(self, nodes: Sequence[exp.Expr], what: str, /) -> list[Value]: ...  # noqa: D102
    def lambda_(  # noqa: D102
        self, node: exp.Expr, kinds: Sequence[Type], names: Sequence[str] = (), /
    ) -> Value: ...
    def order(self, node: exp.Expr, /) -> str: ...  # noqa: D102
    def window(self, node: exp.Window, /) -> str: ...  # noqa: D102


_Bound = dict[str, Any]
"""The types (and a decimal's digits) that the letters of a row stand for."""
_NESTED = ("array", "map", "row")
_LETTERS: dict[str, Callable[[Type], bool]] = {
    **dict.fromkeys("TKVREO", lambda _: True),
    "N": t.is_number,
    "I": lambda kind: kind in t.INTEGERS,
    "F": lambda kind: kind in (t.REAL, t.DOUBLE),
    "D": lambda kind: kind.name in t.TIMES,
    "P": lambda kind: kind.name in ("date", "timestamp"),
}


def _is_text(kind: Type) -> bool:
    return kind in (t.VARCHAR, t.UNKNOWN)


_LITERALS: dict[str, Callable[[Type], bool]] = {
    "share": t.is_number,
    "count": lambda kind: kind in t.INTEGERS,
}
"""Literals that are no texts."""
_REFUSED = {"E": ("double", "real", *_NESTED), "O": ("json", *_NESTED)}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    arguments: tuple[Type, ...]
    repeats: bool
    result: Type
    sql: str

    def bound(self, values: Sequence[Value | None]) -> _Bound | None:
        """What its letters stand for, if these arguments fit; a lambda is None."""
        patterns = self.patterns(len(values))
        if len(patterns) != len(values):
            return None
        found: _Bound = {}
        for pattern, value in zip(patterns, values, strict=True):
            if (pattern.name == "function") != (value is None):
                return None
            if value is not None and not _matches(pattern, value.type, found):
                return None
        return found

    def patterns(self, count: int) -> tuple[Type, ...]:
        """The types of so many arguments."""
        more = count - len(self.arguments) if self.repeats else 0
        return self.arguments + self.arguments[-1:] * more


def _matches(pattern: Type, kind: Type, bound: _Bound) -> bool:
    name = pattern.name
    if name in _LETTERS:
        known = bound.get(name, kind)
        bound[name] = common(known, kind)
        return bound[name] is not None and (kind == t.UNKNOWN or _LETTERS[name](kind))
    if name in LITERALS:
        return _LITERALS.get(name, _is_text)(kind)
    if name == "decimal" and pattern.args and isinstance(pattern.args[0], Type):
        bound |= {part.name: size for part, size in zip(pattern.args, kind.args, strict=False)}
        return kind.name == "decimal"
    if name in _NESTED:
        if kind.name != name or len(kind.args) != len(pattern.args):
            return kind == t.UNKNOWN
        inner = [one[1] if name == "row" else one for one in kind.args]
        return all(_matches(p, k, bound) for p, k in zip(pattern.args, inner, strict=True))
    return common(kind, pattern) == pattern


def _meant(pattern: Type, bound: _Bound) -> Type:
    """The type with what its letters stand for."""
    if pattern.name in _LETTERS:
        found: Type = bound.get(pattern.name, t.UNKNOWN)
        return found
    if pattern.name == "decimal":
        digits = [bound[p.name] if p.name in bound else int(p.name) for p in pattern.args]
        return t.decimal(*digits)
    inner = tuple(_meant(one, bound) if isinstance(one, Type) else one for one in pattern.args)
    if pattern.name == "row":
        return t.row(*((None, one) for one in inner))
    return Type(pattern.name, inner)


def _pattern(text: str) -> Type:
    match = re.fullmatch(r"(\w+)\((.*)\)", text)
    if match and match[1] in (*_NESTED, "function", "decimal"):
        return Type(match[1], tuple(map(_pattern, split_top(match[2]))))
    if text in _LETTERS or text in LITERALS or re.fullmatch(r"[ps]|\d+", text):
        return Type(text)
    return t.UNKNOWN if text == "unknown" else t.read_type(text)


def _read(table: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for line in table.splitlines():
        if not line or line.startswith("--"):
            continue
        head, _, sql = line.partition(":")
        call, _, result = head.partition(" -> ")
        names, _, inside = call[:-1].partition("(")
        patterns = tuple(_pattern(one.removesuffix("...")) for one in split_top(inside))
        row = Row(patterns, inside.endswith("..."), _pattern(result), sql.strip())
        for name in names.split(", "):
            found.setdefault(name, []).append(row)
    return found


_SCALARS, _WINDOWS = _read(SCALARS), _read(WINDOWS)
_AGGREGATES = {**_read(AGGREGATES), **_WINDOWS}
AGGREGATE_NAMES = frozenset(_AGGREGATES)


def names() -> list[str]:
    """Every function that has a row."""
    return sorted({*_SCALARS, *_AGGREGATES})


def no_function(name: str, values: Sequence[Value]) -> QueryError:
    """FUNCTION_NOT_FOUND, for these types."""
    given = ", ".join(str(one.type) for one in values)
    return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function {name}")


class _Argument(str):
    """The SQL of an argument."""

    value: Value

    @property
    def local(self) -> str:
        """Its time on the clock of its zone."""
        return local_time(self.value)

    @property
    def texts(self) -> str:
        """The elements of an array as texts."""
        shown = as_text(Value("x_", self.value.type.args[0]))
        return f"list_transform({self}, lambda x_: {shown})"


def call(
    compiler: Compiles, name: str, nodes: Sequence[exp.Expr], place: exp.Expr | None = None
) -> Value:
    """A call of a scalar function that has a row."""
    if name in _SCALARS:
        return _called(compiler, name, nodes, _SCALARS[name], {})
    if name in TRINO:
        raise refuse(f"the function {name}")
    raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", position(place))


def _called(
    compiler: Compiles,
    name: str,
    nodes: Sequence[exp.Expr],
    rows: Sequence[Row],
    words: Mapping[str, str],
) -> Value:
    values = [None if isinstance(one, exp.Lambda) else compiler.value(one) for one in nodes]
    given = [one for one in values if one is not None]
    fits = [(row, bound) for row in rows if (bound := row.bound(values)) is not None]
    if not fits:
        raise no_function(name, given)
    row, bound = fits[0]
    if len(fits) > 1 and any(one.type == t.UNKNOWN for one in given):
        raise refuse(f"{name} of a NULL without a type")
    if not row.sql:
        raise refuse(f"{name} with these arguments")
    for letter, kind in bound.items():
        if kind == t.UNKNOWN and letter in "NIFDP":
            raise refuse(f"{name} of a NULL without a type")
        if letter in _REFUSED and kind.name in _REFUSED[letter]:
            raise refuse(f"{name} of {kind}")
    arguments: list[str] = []
    for node, value, pattern in zip(nodes, values, row.patterns(len(nodes)), strict=True):
        if value is None:
            arguments.append(_lambda(compiler, name, node, pattern, bound))
        elif pattern.name not in LITERALS:
            made = coerce(value, _meant(pattern, bound))
            argument = _Argument(made.sql)
            argument.value = made
            arguments.append(argument)
        elif value.type == t.UNKNOWN:
            result = _meant(row.result, bound)
            return Value(f"CAST(NULL AS {result.duckdb})", result)
        elif value.literal is None:
            raise refuse(f"{name} with a {pattern.name} that is no literal")
        else:
            arguments.append(LITERALS[pattern.name](value.literal, name))
    placed = _placed(row, name, words)
    shown = {key: kind.duckdb if isinstance(kind, Type) else kind for key, kind in bound.items()}
    sql = row.sql.format(*arguments, args=", ".join(arguments), name=name, **shown, **placed)
    return Value(sql, _meant(row.result, bound))


def _lambda(compiler: Compiles, name: str, node: exp.Expr, pattern: Type, bound: _Bound) -> str:
    """A lambda; one of several parameters gets a struct of them."""
    *parameters, result = pattern.args
    kinds = [_meant(one, bound) for one in parameters]
    written = ",".join(one.name for one in node.expressions)
    item = t.quote(written)
    places = [item] if len(kinds) == 1 else [
        f"struct_extract_at({item}, {i})" for i in range(1, len(kinds) + 1)
    ]  # fmt: skip
    body = compiler.lambda_(node, kinds, places)
    if not _matches(result, body.type, bound):
        raise no_function(name, [body])
    return f"lambda {item}: {coerce(body, _meant(result, bound)).sql}"


_PLACES = {
    "distinct": "DISTINCT in", "order": "ORDER BY in", "nulls": "IGNORE NULLS of",
    "over": "OVER of",
}  # fmt: skip


def _placed(row: Row, name: str, words: Mapping[str, str]) -> dict[str, str]:
    """The words around an aggregate's arguments; its SQL must have a place for each."""
    for word, what in _PLACES.items():
        if words.get(word) and f"{{{word}}}" not in row.sql:
            raise refuse(f"{what} {name}")
    return {**words, "over": words.get("filter") or words.get("over", "")}


# -- aggregates and window functions ---------------------------------------------------------------


def aggregate(compiler: Compiles, node: exp.Expr) -> Value:
    """An aggregate with its FILTER, WITHIN GROUP, IGNORE NULLS and OVER."""
    words = dict.fromkeys(("distinct", "order", "nulls", "filter", "over"), "")
    within = False
    while not isinstance(node, exp.AnonymousAggFunc):
        if isinstance(node, exp.Window):
            words["over"] = f" OVER ({compiler.window(node)})"
        elif isinstance(node, exp.Filter):
            condition = compiler.boolean(node.expression.this, "FILTER clause")
            words["filter"] = f" FILTER (WHERE {condition})"
        elif isinstance(node, exp.WithinGroup):
            words["order"], within = f" ORDER BY {compiler.order(node.expression)}", True
        elif isinstance(node, exp.IgnoreNulls):
            words["nulls"] = " IGNORE NULLS"
        elif isinstance(node, exp.Anonymous):
            compiler.value(node)  # it may not exist at all
            raise refuse(f"OVER or FILTER of {node.name.lower()}")
        elif not isinstance(node, exp.RespectNulls):
            raise refuse(f"OVER of {type(node).__name__}")
        node = node.this
    name, arguments = node.name.lower(), list(node.expressions)
    if arguments and isinstance(arguments[-1], exp.Order):
        words["order"] = f" ORDER BY {compiler.order(arguments[-1])}"
        arguments[-1] = arguments[-1].this
    if arguments and isinstance(arguments[0], exp.Distinct):
        words["distinct"], arguments[:1] = "DISTINCT ", arguments[0].expressions
    if name == "count" and [type(one) for one in arguments] == [exp.Star]:
        arguments = []
    _check(name, arguments, words, within)
    return _called(compiler, name, arguments, _AGGREGATES[name], words)


def _check(
    name: str, arguments: Sequence[exp.Expr], words: Mapping[str, str], within: bool
) -> None:
    inner = [one for part in arguments for one in part.find_all(exp.AnonymousAggFunc)]
    if not words["over"] and any(not isinstance(one.parent, exp.Window) for one in inner):
        raise QueryError("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation")
    if within != (name == "listagg"):
        raise QueryError(
            "SYNTAX_ERROR", f"mismatched input near {name}: WITHIN GROUP belongs to listagg"
        )
    if name in _WINDOWS and not words["over"]:
        raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause")
    if words["filter"] and words["over"]:
        raise QueryError("NOT_SUPPORTED", "FILTER is not yet supported for window functions")
