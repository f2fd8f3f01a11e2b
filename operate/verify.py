"""Compare the DynamoDB table with the items' latest state in the lake."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from operate import scanning, values
from operate.account import Account
from schema import Column, Schema

OUTPUTS = ("tableName", "workgroupName", "databaseName", "bucketName")
Key = tuple[str, ...]
Kind = Literal["only in the table", "only in the lake", "differs", "more than once in the lake"]
_SEEN = b""  # in place of the digest of an order that the lake has


@dataclass(frozen=True)
class Difference:
    """An item that differs between table and lake.

    Attributes
    ----------
    columns:
        If ``kind`` is ``differs``: column -> (in the table, in the lake).
    """

    key: Key
    kind: Kind
    columns: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(
            f"{name} is {table!r} in the table, {lake!r} in the lake"
            for name, (table, lake) in self.columns.items()
        )
        return f"{'/'.join(self.key)}: {told or self.kind}"


@dataclass
class Verdict:
    """The result of a comparison.

    Attributes
    ----------
    differences:
        Key and kind of every difference, with columns for those that were read again.
    """

    table_items: int = 0
    lake_orders: int = 0
    equal: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def matches(self) -> bool:
        """Whether table and lake are equal."""
        return not self.differences

    def to_json(self, most: int) -> dict[str, Any]:
        """For JSON output; shows at most this many differences in full."""
        kinds = [one.kind for one in self.differences]
        return {
            "matches": self.matches,
            "table_items": self.table_items,
            "lake_orders": self.lake_orders,
            "equal": self.equal,
            "different": kinds.count("differs") + kinds.count("more than once in the lake"),
            "only_in_table": kinds.count("only in the table"),
            "only_in_lake": kinds.count("only in the lake"),
            "differences": [asdict(one) for one in self.differences[:most]],
        }


class Verifier:
    """Compares once, or until it matches.

    Parameters
    ----------
    read_units:
        Maximum read capacity units a second for the scan.
    segments:
        Segments of the parallel scan.
    on_scanned:
        Called with the number of items scanned so far.
    """

    def __init__(
        self,
        account: Account,
        *,
        read_units: float = 200,
        segments: int = 4,
        on_scanned: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._account = account
        self._dynamodb = account.client("dynamodb")
        self._table = account["tableName"]
        self._schema = account.schema()
        self._pseudonym = account.pseudonym(self._schema)
        columns = values.select_list(self._schema)
        self._select = f"SELECT {columns} FROM {self._schema.current_view}"  # noqa: S608
        self._pace = scanning.Pace(read_units)
        self._segments = segments
        self._on_scanned = on_scanned
        self._stored_keys: dict[Key, dict[str, Any]] = {}

    @property
    def schema(self) -> Schema:
        """The table's."""
        return self._schema

    def counts(self) -> tuple[int, int]:
        """Count the items in the table and in the lake."""
        items = sum(len(page) for page in self._scan(keys_only=True))
        (row,) = self._account.rows(f"SELECT count(*) AS items FROM {self._schema.current_view}")  # noqa: S608
        return items, int(row["items"] or 0)

    def compare(self) -> Verdict:
        """Compare every value of every item. Keeps a key and a digest for each in memory."""
        verdict = Verdict()
        digests: dict[Key, bytes] = {}
        self._stored_keys.clear()
        for page in self._scan():
            for item in page:
                key = values.key_of(self._schema, item)
                digests[key] = _digest(self._of_item(item))
                stored = {name: item[name] for name in self._schema.key_attributes}
                if stored != self._typed(key):
                    self._stored_keys[key] = stored
        verdict.table_items = len(digests)
        for row in self._account.rows(self._select):
            verdict.lake_orders += 1
            key = values.key_of_row(self._schema, row)
            digest = digests.get(key)
            if digest == _SEEN:
                verdict.differences.append(Difference(key, "more than once in the lake"))
                continue
            digests[key] = _SEEN
            if digest is None:
                verdict.differences.append(Difference(key, "only in the lake"))
            elif digest != _digest(values.of_row(self._schema, row)):
                verdict.differences.append(Difference(key, "differs"))
            else:
                verdict.equal += 1
        verdict.differences += [
            Difference(key, "only in the table")
            for key, digest in digests.items()
            if digest != _SEEN
        ]
        verdict.differences.sort(key=lambda one: one.key)
        return verdict

    def settle(self, seconds: float, *, stop: threading.Event) -> Verdict:
        """Compare again until all is equal or time is up: changes take time to arrive."""
        deadline = time.monotonic() + seconds
        pause = 1.0
        while True:
            verdict = self.compare()
            left = deadline - time.monotonic()
            if verdict.matches or left <= 0 or stop.wait(min(pause, left)):
                return verdict
            pause = min(30.0, pause * 2)

    def explain(self, differences: Sequence[Difference]) -> list[Difference]:
        """The same differences with the columns that differ, read again."""
        return [
            one if one.kind != "differs" else Difference(one.key, one.kind, self._columns(one.key))
            for one in differences
        ]

    def item(self, key: Key) -> dict[str, Any] | None:
        """The table's current item, or None."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=self.stored_key(key), ConsistentRead=True
        )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def stored_key(self, key: Key) -> dict[str, Any]:
        """The key in DynamoDB JSON, from the last comparison."""
        return self._stored_keys.get(key) or self._typed(key)

    def where(self, key: Key) -> str:
        """The SQL condition for an item's key."""
        return " AND ".join(
            f'"{name}" = {_literal(self._schema[name], text)}'
            for name, text in zip(self._schema.keys, key, strict=True)
        )

    def _of_item(self, item: Mapping[str, Any]) -> values.Values:
        return values.of_item(self._schema, item, self._pseudonym)

    def _typed(self, key: Key) -> dict[str, Any]:
        return {
            self._schema[name].attribute: _as_key(self._schema[name], text)
            for name, text in zip(self._schema.keys, key, strict=True)
        }

    def _columns(self, key: Key) -> dict[str, tuple[str | None, str | None]]:
        names = [*(column.name for column in self._schema.columns), "extras"]
        rows = list(self._account.rows(f"{self._select} WHERE {self.where(key)}"))
        item = self.item(key)
        table = self._of_item(item) if item else (None,) * len(names)
        lake = values.of_row(self._schema, rows[0]) if rows else (None,) * len(names)
        told = zip(names, table, lake, strict=True)
        return {name: (here, there) for name, here, there in told if here != there}

    def _scan(self, *, keys_only: bool = False) -> Iterator[list[dict[str, Any]]]:
        """Pages of the table, from all segments as they arrive."""
        asked: dict[str, Any] = {}
        if keys_only:
            names = {f"#k{n}": name for n, name in enumerate(self._schema.key_attributes)}
            asked = {
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
        scanned = 0
        for page in scanning.parallel(
            self._dynamodb, self._table, segments=self._segments, pace=self._pace, **asked
        ):
            scanned += len(page)
            self._on_scanned(scanned)
            yield page


def _digest(one: values.Values) -> bytes:
    return hashlib.blake2b(repr(one).encode(), digest_size=16).digest()


def _as_key(column: Column, text: str) -> dict[str, Any]:
    if column.type == "binary":
        return {"B": base64.b64decode(text)}
    return {column.key_types[0]: text}


def _literal(column: Column, text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if column.hive == "string" else f"CAST({quoted} AS {column.hive})"
