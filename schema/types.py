"""The types of columns: Hive's, as Glue and Athena know them, and ``json``.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

SCALARS = ("string", "int", "bigint", "double", "boolean", "date", "timestamp", "binary", "json")
"""``timestamp`` is in UTC, ``binary`` is base64 text, and ``json`` is any value as JSON text."""
MOST_LEVELS = 32
"""How deep DynamoDB nests values:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

_STORED_AS = {"binary": "string", "json": "string"}
_TRINO = {"string": "varchar", "int": "integer", "timestamp": "timestamp(3)"}
_TOKEN = re.compile(r"\s*([A-Za-z0-9_]+|.)", re.DOTALL)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class TypeTextError(ValueError):
    """A text that names no type; the message says what is wrong with it."""


@dataclass(frozen=True)
class Scalar:
    """One of `SCALARS`."""

    name: str


@dataclass(frozen=True)
class Decimal:
    """``decimal(precision,scale)``."""

    precision: int
    scale: int


@dataclass(frozen=True)
class Array:
    """``array<of>``: a list or a set."""

    of: Type


@dataclass(frozen=True)
class Map:
    """``map<string,of>``: a map whose keys are data."""

    of: Type


@dataclass(frozen=True)
class Struct:
    """``struct<name:type,...>``: a map whose keys are known.

    Parameters
    ----------
    fields:
        Each key as DynamoDB has it, and its type. Hive keeps the name in lower case.
    """

    fields: tuple[tuple[str, Type], ...]


Type: TypeAlias = Scalar | Decimal | Array | Map | Struct


def parse(text: str) -> Type:
    """Read a type.

    >>> parse("array<struct<sku:string,price:decimal(10,2)>>").of.fields[0]
    ('sku', Scalar(name='string'))

    Raises
    ------
    TypeTextError
        The text is not a type.
    """
    return _Parser(text).whole()


def text(type_: Type) -> str:
    """The type as `parse` reads it."""
    return _written(type_, scalar=str, field=str)


def hive(type_: Type) -> str:
    """The type as Glue, Spark and Hive name it."""
    return _written(type_, scalar=lambda name: _STORED_AS.get(name, name), field=str.lower)


def _written(type_: Type, *, scalar: Callable[[str], str], field: Callable[[str], str]) -> str:
    """The type in angle brackets, with the names of scalars and fields as given."""

    def write(type_: Type) -> str:
        match type_:
            case Scalar(name):
                return scalar(name)
            case Decimal(precision, scale):
                return f"decimal({precision},{scale})"
            case Array(of):
                return f"array<{write(of)}>"
            case Map(of):
                return f"map<string,{write(of)}>"
            case Struct(fields):
                return f"struct<{','.join(f'{field(name)}:{write(of)}' for name, of in fields)}>"

    return write(type_)


def trino(type_: Type) -> str:
    """The type as Athena's SQL names it."""
    match type_:
        case Scalar(name):
            stored = _STORED_AS.get(name, name)
            return _TRINO.get(stored, stored)
        case Decimal(precision, scale):
            return f"decimal({precision},{scale})"
        case Array(of):
            return f"array({trino(of)})"
        case Map(of):
            return f"map(varchar, {trino(of)})"
        case Struct(fields):
            # In quotes, because a field may be called order or group.
            members = (f'"{name.lower()}" {trino(of)}' for name, of in fields)
            return f"row({', '.join(members)})"


def tree(type_: Type) -> Any:
    """The type as JSON, for code that has no parser.

    A scalar or decimal is its text; the others are objects of one member: ``{"array": of}``,
    ``{"map": of}``, ``{"struct": [[name, of], ...]}``.
    """
    match type_:
        case Array(of):
            return {"array": tree(of)}
        case Map(of):
            return {"map": tree(of)}
        case Struct(fields):
            return {"struct": [[name, tree(of)] for name, of in fields]}
        case Scalar(name):
            return name
    return text(type_)


def is_nested(type_: Type) -> bool:
    """Whether a value of the type holds other values."""
    return isinstance(type_, Array | Map | Struct)


class _Parser:
    """Recursive descent over ``name``, ``decimal(p,s)`` and ``name<...>``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: Iterator[str] = (m[1] for m in _TOKEN.finditer(text.strip()))
        self._next = next(self._tokens, "")

    def whole(self) -> Type:
        found = self._type(1)
        if self._next:
            raise self._error(f"{self._next!r} after the type")
        return found

    def _type(self, level: int) -> Type:
        if level > MOST_LEVELS:
            raise self._error(f"more than {MOST_LEVELS} levels")
        name = self._take()
        match name:
            case "decimal":
                return self._decimal()
            case "array":
                self._expect("<")
                of = self._type(level + 1)
                self._expect(">")
                return Array(of)
            case "map":
                self._expect("<")
                if self._take() != "string":
                    raise self._error("the keys of a map are strings: map<string,...>")
                self._expect(",")
                of = self._type(level + 1)
                self._expect(">")
                return Map(of)
            case "struct":
                return self._struct(level)
            case _ if name in SCALARS:
                return Scalar(name)
        known = ", ".join(SCALARS)
        raise TypeTextError(
            f"unknown type {name or self._text!r} (known: {known}, decimal(p,s), array<...>, "
            "map<string,...>, struct<name:type,...>)"
        )

    def _decimal(self) -> Decimal:
        self._expect("(")
        precision = self._take()
        self._expect(",")
        scale = self._take()
        self._expect(")")
        if not (precision.isdigit() and scale.isdigit()):
            raise self._error("a decimal is decimal(precision,scale)")
        if not (1 <= int(precision) <= 38 and int(scale) <= int(precision)):
            raise self._error("1 <= precision <= 38, scale <= precision")
        return Decimal(int(precision), int(scale))

    def _struct(self, level: int) -> Struct:
        fields: dict[str, tuple[str, Type]] = {}
        self._expect("<")
        while True:
            name = self._take()
            if not _FIELD.fullmatch(name):
                raise self._error(f"field {name!r}: a name is letters, digits and _")
            if name.lower() in fields:
                raise self._error(f"field {name!r}: declared twice (case does not count)")
            self._expect(":")
            fields[name.lower()] = (name, self._type(level + 1))
            if self._next != ",":
                break
            self._take()
        self._expect(">")
        return Struct(tuple(fields.values()))

    def _take(self) -> str:
        taken, self._next = self._next, next(self._tokens, "")
        return taken

    def _expect(self, token: str) -> None:
        if (found := self._take()) != token:
            raise self._error(f"expected {token!r}, found {found or 'the end'!r}")

    def _error(self, problem: str) -> TypeTextError:
        return TypeTextError(f"{self._text}: {problem}")
