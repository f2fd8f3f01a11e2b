"""Calls of functions: finds the row of `function_table` that fits, and fills in its SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError, position, refuse
from local.athena.function_table import AGGREGATES, SCALARS, TRINO, WINDOWS
from local.athena.literals import LITERALS
from local.athena.types import Type, common, split_top
from local.athena.values import Value, as_text, coerce, local_time

Lambda = Callable[[Type], tuple[str, Value]]
"""What a lambda's parameter of this type is called, and what the lambda gives."""
Arguments = Sequence[Value | Lambda]
_Bound = dict[str, Any]
"""The types (and a decimal's digits) that the letters of a row stand for."""
_NESTED = ("array", "map", "row")
_LETTERS: dict[str, Callable[[Type], bool]] = {
    **dict.fromkeys("TKVREO", lambda _: True),
    "N": t.is_number,
    "I": lambda kind: kind in t.INTEGERS,
    "F": lambda kind: kind == t.DOUBLE,
    "J": lambda kind: kind in (t.VARCHAR, t.JSON),
    "D": lambda kind: kind.name in t.TIMES,
    "P": lambda kind: kind.name in ("date", "timestamp"),
}
_REFUSED = {"E": ("double", "real", *_NESTED), "O": ("double", "real", "json", *_NESTED)}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    arguments: tuple[Type, ...]
    repeats: bool
    result: Type
    sql: str

    def patterns(self, count: int) -> tuple[Type, ...]:
        """The types of so many arguments."""
        more = count - len(self.arguments) if self.repeats else 0
        return self.arguments + self.arguments[-1:] * more

    def bound(self, values: Arguments) -> _Bound | None:
        """What its letters stand for, if these arguments fit."""
        patterns, found = self.patterns(len(values)), _Bound()
        if len(patterns) != len(values):
            return None
        for pattern, value in zip(patterns, values, strict=True):
            if isinstance(value, Value):
                fits = _matches(pattern, value.type, found)
            else:
                fits = pattern.name == "function"
            if not fits:
                return None
        right = (_LETTERS[one](kind) for one, kind in found.items() if isinstance(kind, Type))
        return found if all(right) else None


def _matches(pattern: Type, kind: Type, bound: _Bound) -> bool:
    name = pattern.name
    if name in _LETTERS:
        bound[name] = common(bound.get(name, kind), kind)
        return bound[name] is not None
    if name in LITERALS:
        return t.is_number(kind) if name == "share" else kind == t.VARCHAR
    if name == "decimal" and pattern.args and isinstance(pattern.args[0], Type):
        bound |= {part.name: size for part, size in zip(pattern.args, kind.args, strict=False)}
        return kind.name == "decimal"
    if name in _NESTED:
        pairs = zip(pattern.args, kind.args, strict=False)
        return kind.name == name and all(_matches(p, k, bound) for p, k in pairs)
    return common(kind, pattern) == pattern


def _meant(pattern: Type, bound: _Bound) -> Type:
    """The type with what its letters stand for."""
    if pattern.name in _LETTERS:
        found: Type = bound.get(pattern.name, t.UNKNOWN)
        return found
    if pattern.name == "decimal":
        return t.decimal(*(bound[p.name] if p.name in bound else int(p.name) for p in pattern.args))
    inner = (_meant(one, bound) if isinstance(one, Type) else one for one in pattern.args)
    return Type(pattern.name, tuple(inner))


def _pattern(text: str) -> Type:
    match = re.fullmatch(r"(\w+)\((.*)\)", text)
    if match and match[1] in (*_NESTED, "function", "decimal"):
        return Type(match[1], tuple(map(_pattern, split_top(match[2]))))
    if text in _LETTERS or text in LITERALS or re.fullmatch(r"[ps]|\d+", text):
        return Type(text)
    return t.read_type(text)


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


def no_function(name: str, values: Arguments) -> QueryError:
    """There is no rule for these types."""
    given = (str(one.type) if isinstance(one, Value) else "function" for one in values)
    return refuse(f"{name}({', '.join(given)})")


def check(name: str, place: exp.Expr | None) -> None:
    """Raise if no scalar function of this name has a row."""
    if name in TRINO and name not in _SCALARS:
        raise refuse(f"the function {name}")
    if name not in _SCALARS:
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", position(place))


def call(name: str, values: Arguments) -> Value:
    """A call of a scalar function that has a row."""
    return _called(name, values, _SCALARS[name], {})


def aggregate(name: str, values: Arguments, words: Mapping[str, str]) -> Value:
    """An aggregate or window function; ``words`` are what stands around its arguments."""
    if name in _WINDOWS and not words["over"]:
        raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause")
    if words["filter"] and words["over"]:
        raise refuse("FILTER for window functions")
    return _called(name, values, _AGGREGATES[name], words)


def _called(name: str, values: Arguments, rows: Sequence[Row], words: Mapping[str, str]) -> Value:
    fits = [(row, bound) for row in rows if (bound := row.bound(values)) is not None]
    if not fits or not fits[0][0].sql:
        raise no_function(name, values)
    row, bound = fits[0]
    for letter, kind in bound.items():
        if letter in _REFUSED and kind.name in _REFUSED[letter]:
            raise no_function(name, values)
    if len(fits) > 1 and any(isinstance(one, Value) and one.type == t.UNKNOWN for one in values):
        raise refuse(f"{name} of a NULL without a type")
    arguments: list[str] = []
    for value, pattern in zip(values, row.patterns(len(values)), strict=True):
        if not isinstance(value, Value):
            kind, result = pattern.args
            parameter, body = value(_meant(kind, bound))
            if not _matches(result, body.type, bound):
                raise no_function(name, [body])
            made = coerce(body, _meant(result, bound))
            arguments.append(f"lambda {parameter}: {made.sql}")
        elif pattern.name not in LITERALS:
            argument = _Argument(coerce(value, _meant(pattern, bound)).sql)
            argument.value = Value(argument, _meant(pattern, bound))
            arguments.append(argument)
        elif value.literal is None:
            raise refuse(f"{name} with a {pattern.name} that is no literal")
        else:
            arguments.append(LITERALS[pattern.name](value.literal, name))
    for word, given in words.items():
        if given and f"{{{word}}}" not in row.sql.replace("{over}", "{over}{filter}"):
            raise refuse(f"{given.split()[0]} of {name}")
    over = words.get("filter") or words.get("over", "")
    shown = {key: kind.duckdb if isinstance(kind, Type) else kind for key, kind in bound.items()}
    shown |= {**words, "over": over, "args": ", ".join(arguments), "name": name}
    return Value(row.sql.format(*arguments, **shown), _meant(row.result, bound))
