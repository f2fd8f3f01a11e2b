"""Whose rows to erase: the keys of items, in every form in which the lake has them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from operate import values
from operate.account import UsageError
from schema import Column, Schema

Key = tuple[str, ...]
"""The canonical texts of an item's key, or of its partition key alone: every item under it."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:@ +=,#~-]+")
"""Text that every writer of JSON writes as it is."""
_FEW = 32
"""Up to this many keys, searching for each is faster than parsing every line."""
_SHORTEST = 3
"""Shorter texts are not searched for: they would be anywhere."""


@dataclass(frozen=True)
class Subject:
    """The items to erase.

    Parameters
    ----------
    pseudonymise:
        Replace personal columns by NULL instead of removing rows.
    """

    schema: Schema
    keys: frozenset[Key]
    pseudonymise: bool = False

    @cached_property
    def personal(self) -> tuple[Column, ...]:
        """The columns with personal data, without the key."""
        keys = self.schema.keys
        return tuple(c for c in self.schema.columns if c.personal and c.name not in keys)

    @cached_property
    def needles(self) -> tuple[bytes, ...] | None:
        """What is in every JSON line of these items; None if each line has to be parsed."""
        if self.schema[self.schema.key].hive != "string" or len(self.keys) > _FEW:
            return None
        heads = {key[0] for key in self.keys}
        if not all(_PLAIN.fullmatch(head) for head in heads):
            return None
        return tuple(f'"{head}"'.encode() for head in sorted(heads))

    @cached_property
    def words(self) -> Words:
        """The keys, to search for in what has no rows. Very short ones would be anywhere."""
        return Words(key for key in self.keys if len("".join(key)) >= _SHORTEST)

    @cached_property
    def quoted(self) -> Words:
        """The keys as JSON has them, to search for in a line that cannot be read."""
        return Words((f'"{part}"' for part in key) for key in self.keys)

    def has(self, key: Key | None) -> bool:
        """Whether an item is one of these."""
        return key is not None and (key in self.keys or key[:1] in self.keys)

    def of_row(self, row: Mapping[str, Any]) -> Key | None:
        """The key of an event row, with values of JSON or Parquet; None if it has none."""
        texts = {name: _text(row.get(name)) for name in self.schema.keys}
        if None in texts.values():
            return None
        return values.key_of_row(self.schema, texts)

    def of_image(self, image: Any) -> Key | None:
        """The key of an item in DynamoDB JSON, with base64 for bytes; None if it has none."""
        try:
            item = {}
            for name in self.schema.key_attributes:
                ((kind, content),) = image[name].items()
                item[name] = {kind: base64.b64decode(content) if kind == "B" else content}
            return values.key_of(self.schema, item)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def personal_texts(self, row: Mapping[str, Any]) -> Iterator[str]:
        """The personal texts in a row of JSON or Parquet."""
        for column in self.personal:
            yield from texts_in(row.get(column.name))

    def personal_texts_of_image(self, image: Any) -> Iterator[str]:
        """The personal texts in an item in DynamoDB JSON."""
        if isinstance(image, Mapping):
            for column in self.personal:
                yield from texts_in(image.get(column.attribute))


class Words:
    """Texts to search for in bytes of any format; all texts of a group have to be there."""

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self._groups = [[_spellings(text) for text in group] for group in groups]

    def are_in(self, data: bytes) -> bool:
        """Whether any group is in the data, each text as a word."""
        return any(
            all(
                any(one in data and word.search(data) for one, word in spellings)
                for spellings in group
            )
            for group in self._groups
        )


def _spellings(text: str) -> list[tuple[bytes, re.Pattern[bytes]]]:
    """A text as it is, and as JSON may have it."""
    bare = text.strip('"')
    found = {
        text.replace(bare, json.dumps(bare, ensure_ascii=ascii_)[1:-1]).encode()
        for ascii_ in (True, False)
    } | {text.encode()}
    return [
        (one, re.compile(rb"(?<![A-Za-z0-9])" + re.escape(one) + rb"(?![A-Za-z0-9])"))
        for one in sorted(found)
    ]


def texts_in(value: Any) -> Iterator[str]:
    """The texts inside a value that are long enough to search for."""
    match value:
        case str() if len(value) >= _SHORTEST:
            yield value
        case Mapping():
            for inner in value.values():
                yield from texts_in(inner)
        case list() | tuple():
            for inner in value:
                yield from texts_in(inner)


def parse_key(schema: Schema, text: str) -> Key:
    """The key that someone typed: ``orderid=o-1``, or ``orderid=o-1,line=2`` with a sort key.

    Raises
    ------
    UsageError
        It is not of this form, or of another column or type.
    """
    wanted = ",".join(f"{name}=..." for name in schema.keys)
    shown = f"--key {schema.key}=..." + (f" or --key {wanted}" if schema.sort_key else "")
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError(f"--key {text!r}: give the column's name and the value: {shown}")
    if name.strip() != schema.key:
        raise UsageError(
            f"--key {text!r}: {name.strip()!r} is not the partition key: {shown}. For other "
            "columns use --where"
        )
    given = {schema.key: rest}
    if schema.sort_key and (at := rest.rfind(f",{schema.sort_key}=")) >= 0:
        given = {schema.key: rest[:at], schema.sort_key: rest[at + len(schema.sort_key) + 2 :]}
    if not all(given.values()):
        raise UsageError(f"--key {text!r}: the value is empty")
    whole = values.key_of_row(schema, {name: given.get(name) for name in schema.keys})
    key = whole[: len(given)]
    for name, one in zip(given, key, strict=True):
        if one.startswith(values._ODD) and not given[name].startswith(values._ODD):
            raise UsageError(f"--key {text!r}: {given[name]!r} is not of type {schema[name].type}")
    return key


def _text(value: Any) -> str | None:
    """A value of JSON or Parquet as Athena shows it."""
    match value:
        case None | str():
            return value
        case datetime():
            return value.replace(tzinfo=None).isoformat(" ")
        case date():
            return value.isoformat()
    return str(value)
