"""Propose columns for items: types as narrow as what was seen, and what to look at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schema import types
from schema.model import EVENT_COLUMNS, TABLE_COLUMNS, Column, Schema

Value = Mapping[str, Any]
"""A value in DynamoDB JSON: ``{"N": "19.99"}``."""

_SETS = {"SS": "S", "NS": "N", "BS": "B"}
_LISTS = {"L", *_SETS}
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_MOST_FIELDS = 200
"""A map with more different keys than this has data for keys."""
_FEW_FIELDS = 8
_SHARED = 0.2
"""Of a record with more than a few fields, this share is in an average map; else keys are data."""
_LEAST_PRECISION = 10
"""A decimal gets room for larger values: the digits seen, and at least Hive's default."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_YEARS_2001_TO_2100 = (Decimal(978_307_200), Decimal(4_102_444_800))
_OF_TIME = re.compile(
    r"(.*_)?(at|on|time|timestamp|date|ts|ttl|expires?|expiry|created|updated|modified)"
)
_PERSONAL_NAMES: Mapping[str, re.Pattern[str]] = {
    "a name": re.compile(
        r"name|(.*_)?(first|last|full|given|family|middle|sur|user|customer|contact|recipient)_?name"
        r"|(.*_)?(customer|recipient|contact|surname)"
    ),
    "an e-mail address": re.compile(r"(.*_)?(e_?mail|mail)(_.*)?"),
    "a phone number": re.compile(r"(.*_)?(phone|telephone|tel|mobile|fax)(_.*)?"),
    "an address": re.compile(r"(.*_)?(address|street|zip|zip_?code|postal_?code)(_.*)?"),
    "a date of birth": re.compile(r"(.*_)?(birth.*|dob|date_of_birth)"),
    "an identity number": re.compile(r"(.*_)?(ssn|passport|iban|tax_id|national_id)(_.*)?"),
    "an IP address": re.compile(r"(.*_)?(ip|ip_address)"),
}
_PERSONAL_TEXTS: Mapping[str, re.Pattern[str]] = {
    "an e-mail address": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "a phone number": re.compile(r"\+\d[\d ()/-]{6,18}"),
}


@dataclass
class Seen:
    """The values of one attribute, of a list's elements, or of a map's member."""

    tags: Counter[str] = field(default_factory=Counter)
    dates: int = 0
    instants: int = 0
    personal: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    scale: int = 0
    least: Decimal = Decimal("Infinity")
    most: Decimal = Decimal("-Infinity")
    fields: dict[str, Seen] = field(default_factory=dict)
    keys_are_data: bool = False
    elements: Seen | None = None

    def add(self, value: Value) -> None:
        """Take a value into account."""
        ((tag, content),) = value.items()
        self.tags[tag] += 1
        match tag:
            case "S":
                self._text(content)
            case "N":
                self._number(content)
            case "M":
                for name, inner in content.items():
                    self._member(name).add(inner)
            case "L":
                for inner in content:
                    self._element().add(inner)
            case "SS" | "NS" | "BS":
                for inner in content:
                    self._element().add({_SETS[tag]: inner})

    def merge(self, other: Seen) -> None:
        """Take all values of ``other`` into account."""
        self.tags += other.tags
        self.personal += other.personal
        self.dates += other.dates
        self.instants += other.instants
        self.whole, self.scale = max(self.whole, other.whole), max(self.scale, other.scale)
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        for name, seen in other.fields.items():
            self._member(name).merge(seen)
        if other.elements:
            self._element().merge(other.elements)

    def type(self, name: str = "") -> types.Type:
        """The narrowest type that holds them all; ``json`` if none does.

        Parameters
        ----------
        name:
            What the value is called: it tells epoch seconds from other numbers.
        """
        tags = self.tags.keys() - {"NULL"}
        found: types.Type = types.Scalar("json")
        match sorted(tags):
            case ["S"]:
                found = types.Scalar(self._text_type())
            case ["N"]:
                found = self._number_type(name)
            case ["BOOL"]:
                found = types.Scalar("boolean")
            case ["B"]:
                found = types.Scalar("binary")
            case ["M"] if self.fields:
                found = self._map_type()
            case [_, *_] if tags <= _LISTS and self.elements:
                found = types.Array(self.elements.type())
        return found

    @property
    def conflicts(self) -> bool:
        """Whether no type but ``json`` holds values of all these DynamoDB types."""
        tags = self.tags.keys() - {"NULL"}
        return len(tags) > 1 and not tags <= _LISTS

    def within(self, path: str) -> Iterator[tuple[str, str, Seen]]:
        """This and what it holds: path, own name, values."""
        yield path, path.rpartition(".")[2].removesuffix("[]"), self
        if self.elements:
            yield from self.elements.within(f"{path}[]")
        for name, seen in self.fields.items():
            yield from seen.within(f"{path}.{name}")

    def _text(self, text: str) -> None:
        try:
            if _DATE.fullmatch(text):
                date.fromisoformat(text)
                self.dates += 1
            elif _INSTANT.fullmatch(text):
                datetime.fromisoformat(text)
                self.instants += 1
        except ValueError:
            pass
        for what, pattern in _PERSONAL_TEXTS.items():
            self.personal[what] += bool(pattern.fullmatch(text))

    def _text_type(self) -> str:
        texts = self.tags["S"]
        return (
            "date" if self.dates == texts else "timestamp" if self.instants == texts else "string"
        )

    def _number(self, text: str) -> None:
        number = Decimal(text)
        _, digits, exponent = number.normalize().as_tuple()
        assert isinstance(exponent, int)  # DynamoDB has no NaN or infinity
        self.whole = max(self.whole, len(digits) + exponent, 1 if not number else 0)
        self.scale = max(self.scale, -exponent if number else 0)
        self.least, self.most = min(self.least, number), max(self.most, number)

    def _number_type(self, name: str) -> types.Type:
        first, last = _YEARS_2001_TO_2100
        if _OF_TIME.fullmatch(_snake(name)) and first <= self.least and self.most < last:
            return types.Scalar("timestamp")
        if self.scale == 0:
            for kind, bits in (("int", 31), ("bigint", 63)):
                if -(2**bits) <= self.least and self.most < 2**bits:
                    return types.Scalar(kind)
        precision = self.whole + self.scale
        if precision > 38:
            return types.Scalar("json")  # a double would lose digits
        return types.Decimal(max(precision, _LEAST_PRECISION), self.scale)

    def _map_type(self) -> types.Type:
        names = {name.lower() for name in self.fields}
        shared = sum(seen.tags.total() for seen in self.fields.values()) / len(self.fields)
        is_record = (
            not self.keys_are_data
            and len(names) == len(self.fields)
            and all(map(_FIELD.fullmatch, self.fields))
            and (len(names) <= _FEW_FIELDS or shared >= _SHARED * self.tags["M"])
        )
        if is_record:
            members = ((name, seen.type(name)) for name, seen in sorted(self.fields.items()))
            return types.Struct(tuple(members))
        values = Seen()
        for seen in self.fields.values():
            values.merge(seen)
        return types.Map(values.type())

    def _member(self, name: str) -> Seen:
        if self.keys_are_data:
            name = "*"
        elif name not in self.fields and len(self.fields) == _MOST_FIELDS:
            every = Seen()
            for seen in self.fields.values():
                every.merge(seen)
            self.fields, self.keys_are_data, name = {"*": every}, True, "*"
        return self.fields.setdefault(name, Seen())

    def _element(self) -> Seen:
        self.elements = self.elements or Seen()
        return self.elements


@dataclass(frozen=True)
class Proposal:
    """A column, and what it was proposed from.

    Attributes
    ----------
    share:
        Of the items, how many have the attribute: 0 to 1.
    dynamodb_types:
        How many values are of each DynamoDB type (S, N, M, ...).
    conflicts:
        Paths whose values are of DynamoDB types that no column but ``json`` takes together.
    personal:
        What looks personal: path, and what it seems to be.
    """

    column: Column
    share: float
    dynamodb_types: Mapping[str, int]
    conflicts: tuple[str, ...]
    personal: tuple[tuple[str, str], ...]

    @property
    def notes(self) -> str:
        """A line for each thing to look at."""
        kinds = ", ".join(f"{count} {tag}" for tag, count in self.dynamodb_types.items())
        lines = [f"in {self.share:.1%} of the items: {kinds}"]
        lines += [f"{path}: values of several types, kept as JSON" for path in self.conflicts]
        lines += [f"{path} looks personal: {what}" for path, what in self.personal]
        if self.column.personal and not self.column.required:
            ways = "hash or drop" if self.column.type == "string" else "drop"
            lines.append(f"{ways} instead of keep: the lake does not get the values")
        return "\n".join(lines)


def infer(
    items: Iterable[Mapping[str, Value]], *, name: str, key: str, sort_key: str | None = None
) -> tuple[Schema, list[Proposal]]:
    """A schema for these items, and the reasons for each column; keys first, then by share.

    Parameters
    ----------
    items:
        In DynamoDB JSON; at least one.
    key, sort_key:
        The attributes that are the table's keys.

    Raises
    ------
    SchemaError
        No valid schema has this name, or these keys.
    """
    total, attributes = 0, dict[str, Seen]()
    for item in items:
        total += 1
        for attribute, value in item.items():
            attributes.setdefault(attribute, Seen()).add(value)
    keys = [one for one in (key, sort_key) if one]
    order = sorted(
        attributes,
        key=lambda one: (keys.index(one) if one in keys else 9, -attributes[one].tags.total(), one),
    )
    taken = {column.name for column in EVENT_COLUMNS} | {"day", "hour", *TABLE_COLUMNS}
    proposals = []
    for attribute in order:
        seen = attributes[attribute]
        within = list(seen.within(attribute))
        personal = tuple(
            (path, what) for path, own, one in within for what in _looks_personal(own, one)
        )
        column = Column(
            name=_column_name(attribute, taken),
            attribute=attribute,
            type=types.text(seen.type(attribute)),
            required=attribute in keys,
            personal=bool(personal),
        )
        taken.add(column.name)
        proposals.append(
            Proposal(
                column=column,
                share=seen.tags.total() / total,
                dynamodb_types=dict(seen.tags.most_common()),
                conflicts=tuple(path for path, _, one in within if one.conflicts),
                personal=personal,
            )
        )
    by_attribute = {one.column.attribute: one.column.name for one in proposals}
    schema = Schema(
        name=name,
        key=by_attribute.get(key, key),
        sort_key=by_attribute.get(sort_key, sort_key) if sort_key else None,
        columns=tuple(one.column for one in proposals),
    )
    return schema, proposals


def _column_name(attribute: str, taken: set[str]) -> str:
    """A name that Glue takes and nothing else has: the attribute's in lower case, if it can be."""
    plain = re.sub(r"[^a-z0-9_]", "_", attribute.lower())[:120]
    if not plain or plain[0].isdigit():
        plain = f"_{plain}"
    name = f"item_{plain}" if plain in taken else plain
    number = 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name


def _looks_personal(name: str, seen: Seen) -> list[str]:
    """What the values seem to be, by their name or by more than half of the texts."""
    snake = _snake(name)
    return [
        what
        for what, pattern in _PERSONAL_NAMES.items()
        if (seen.tags.keys() & {"S", "N"} and pattern.fullmatch(snake))
        or seen.personal[what] * 2 > seen.tags["S"] > 0
    ]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", name).lower()
