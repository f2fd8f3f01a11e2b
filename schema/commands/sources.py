"""Items to look at: a sample of a table, a DynamoDB export, or a file."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from operate import scanning

Item = Mapping[str, Mapping[str, Any]]
_TAGS = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}


class SourceError(Exception):
    """There are no items to be read there; the message says why."""


class Keys(NamedTuple):
    """A table's key attributes."""

    key: str
    sort_key: str | None


def keys_of(dynamodb: Any, table: str) -> tuple[Keys, dict[str, str]]:
    """A table's keys, and the DynamoDB type of each."""
    described = dynamodb.describe_table(TableName=table)["Table"]
    by_role = {one["KeyType"]: one["AttributeName"] for one in described["KeySchema"]}
    kinds = {
        one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]
    }
    keys = Keys(by_role["HASH"], by_role.get("RANGE"))
    return keys, {key: kinds[key] for key in keys if key}


def sample(
    dynamodb: Any, table: str, *, most: int, read_units: float, segments: int = 4
) -> Iterator[Item]:
    """At most this many items from all over a table, by a parallel scan within this rate."""
    pages = scanning.parallel(dynamodb, table, segments=segments, pace=scanning.Pace(read_units))
    return itertools.islice(itertools.chain.from_iterable(pages), most)


def read(path: Path, *, most: int) -> Iterator[Item]:
    """At most this many items of a file, or of a folder with a DynamoDB export.

    A file holds lines of DynamoDB JSON (of an export, or items alone), or the answer of
    ``aws dynamodb scan``; it may be compressed by gzip.

    Raises
    ------
    SourceError
        It does not.
    """
    if path.is_dir():
        files = sorted(path.rglob("data/*.json.gz")) or sorted(path.glob("*.json.gz"))
        if not files:
            raise SourceError(f"{path}: no data/*.json.gz, as a DynamoDB export has")
    else:
        files = [path]
    for file in files:
        for item in _items(file):
            if most <= 0:
                return
            most -= 1
            yield item


def _items(file: Path) -> Iterator[Item]:
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read: {error}") from None
    if answer := _scan_answer(text):
        yield from (_checked(item, f"{file}: item {n}") for n, item in enumerate(answer, 1))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            document = json.loads(line)
        except (RecursionError, ValueError):
            raise SourceError(f"{where}: not JSON; expected one item in DynamoDB JSON") from None
        inner = document.get("Item", document) if isinstance(document, dict) else document
        yield _checked(inner, where)


def _scan_answer(text: str) -> list[Any] | None:
    try:
        document = json.loads(text)
    except (RecursionError, ValueError):
        return None
    items = document.get("Items") if isinstance(document, dict) else None
    return items if isinstance(items, list) else None


def _checked(item: Any, where: str) -> Item:
    if isinstance(item, dict) and item and all(map(_is_value, item.values())):
        return item
    raise SourceError(
        f'{where}: not an item in DynamoDB JSON, such as {{"orderid": {{"S": "a"}}, ...}}'
    )


def _is_value(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((tag, content),) = value.items()
    match tag:
        case "M":
            return isinstance(content, dict) and all(map(_is_value, content.values()))
        case "L":
            return isinstance(content, list) and all(map(_is_value, content))
        case "SS" | "NS" | "BS":
            return isinstance(content, list)
    return tag in _TAGS
