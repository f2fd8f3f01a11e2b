"""Orders as a web shop keeps them: nested, with an attribute here and there that few have."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

KEY = "orderId"
TABLE: Mapping[str, Any] = {
    "TableName": "shop-orders",
    "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
"""The table, as CreateTable takes it."""
TTL_ATTRIBUTE = "expiresAt"
VERSION = "version"
INSERT, UPDATE, NESTED, DELETE = KINDS = ("insert", "update", "nested", "delete")
"""The kinds of changes; a nested one changes what is inside an attribute."""

_FIRST = datetime(2025, 11, 1, tzinfo=UTC)
_LATER = datetime(2031, 1, 1, tzinfo=UTC)
_STATUSES = ("placed", "paid", "packed", "shipped", "delivered")
_TAGS = ("fragile", "gift", "express", "b2b", "first order")
_PRODUCTS = (
    ("USB-C-HUB", "USB-C hub, 7 ports", "39.95"),
    ("KEYB-TKL", "Keyboard, tenkeyless", "89.90"),
    ("MOUSE-W", "Mouse, wireless", "24.95"),
    ("CABLE-2M", "Cable, 2 m", "9.49"),
    ("STAND-13", "Laptop stand", "54.90"),
)
_PEOPLE = ("Ada Lind", "Ben Okafor", "Chiara Rossi", "Dmitri Vogel", "Emi Tanaka")
_PLACES = (("Ulm", "89073", "DE"), ("Graz", "8010", "AT"), ("Basel", "4051", "CH"))
_DISCOUNTS = (("WELCOME-10", "9.90"), ("BLACK-FRIDAY", "5.45"))
_SKEW = 3
"""Some orders are updated often, most never."""
_UPDATES: Sequence[tuple[str, Callable[[random.Random], Any]]] = (
    ("SET #status = :value ADD #version :one", lambda r: r.choice(_STATUSES)),
)
_NESTED_UPDATES: Sequence[tuple[str, Callable[[random.Random], Any]]] = (
    ("SET #address.#zipCode = :value ADD #version :one", lambda r: f"{r.randint(10_000, 99_999)}"),
    ("SET #lines[0].#quantity = :value ADD #version :one", lambda r: r.randint(1, 9)),
    ("SET #lines = list_append(#lines, :value) ADD #version :one", lambda r: [_line(r)]),
    ("ADD #tags :value, #version :one", lambda r: {r.choice(_TAGS)}),
    # A member that the schema does not know: it is kept in extras.
    ("SET #address.#floor = :value ADD #version :one", lambda r: r.randint(0, 9)),
)
"""Update expressions, and what ``:value`` is. Each changes something: it adds to the version."""

Value = dict[str, Any]
"""A value in DynamoDB JSON."""


def wire(value: Any) -> Value:
    """A Python value in DynamoDB JSON."""
    typed: Mapping[str, Any] = TypeSerializer().serialize(value)
    return {tag: sorted(one) if tag == "SS" else one for tag, one in typed.items()}


def order(number: int, source: random.Random) -> dict[str, Value]:
    """An order in DynamoDB JSON. Its number decides its attributes, ``source`` their values."""
    name, (city, zip_code, country) = source.choice(_PEOPLE), source.choice(_PLACES)
    lines = [_line(source) for _ in range(source.randint(1, 3))]
    placed = _FIRST + timedelta(minutes=3 * number)
    item: dict[str, Any] = {
        KEY: key_of(number),
        "placedAt": placed.isoformat().replace("+00:00", "Z"),
        "status": source.choice(_STATUSES),
        VERSION: 1,
        "customer": {"name": name, "email": f"{name.split()[0].lower()}@example.com"},
        "address": {
            "street": f"Main Street {source.randint(1, 99)}",
            "city": city,
            "zipCode": zip_code,
            "country": country,
        },
        "lines": lines,
        "total": sum((line["price"] * line["quantity"] for line in lines), Decimal()),
        "giftWrap": source.random() < 0.2,
    }
    if tags := set(source.sample(_TAGS, k=source.randint(0, 3))):
        item["tags"] = tags
    if number % 3 == 0:
        code, amount = source.choice(_DISCOUNTS)
        item["discounts"] = {code: Decimal(amount)}
        item["deliverOn"] = (placed + timedelta(days=2)).date().isoformat()
    # Two systems write this one: a conflict, which becomes a column of type json.
    item["externalRef"] = number * 7 if number % 5 == 0 else f"ext-{number}"
    if number % 10 == 0:
        item[TTL_ATTRIBUTE] = int((_LATER + timedelta(hours=number)).timestamp())
    if number % 250 == 0:
        item["legacyImport"] = {"source": "as400", "flags": [True, None, "x"], "row": number}
    return {attribute: wire(value) for attribute, value in item.items()}


def key_of(number: int) -> str:
    """The key of the order with this number."""
    return f"o-{number:06}"


def _line(source: random.Random) -> dict[str, Any]:
    sku, title, price = source.choice(_PRODUCTS)
    return {
        "sku": sku,
        "title": title,
        "quantity": source.randint(1, 3),
        "price": Decimal(price),
    }


class Shop:
    """Changes the orders of a table in a thread; use it as a context manager.

    Attributes
    ----------
    counts:
        The changes made so far, by kind.
    stopped:
        Set when it has stopped.

    Parameters
    ----------
    dynamodb:
        The client of who may write.
    orders:
        The table has the orders from number 1 to this one.
    """

    def __init__(self, dynamodb: Any, table: str, orders: int, source: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.error: Exception | None = None
        self._dynamodb = dynamodb
        self._table = table
        self._source = source
        self._last = orders
        self._there = list(range(1, orders + 1))
        self._kinds: tuple[str, ...] = (UPDATE, NESTED)
        self._updates: defaultdict[int, list[str]] = defaultdict(list)
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shop", daemon=True)

    @property
    def made(self) -> int:
        """How many changes were made."""
        return self.counts.total()

    def open(self) -> None:
        """From now on, also insert and delete orders."""
        self._kinds = KINDS

    def telling(self) -> str | None:
        """The key of an order that is still there, changed in many ways by few changes."""
        candidates = self._updates.keys() & self._there

        def ways(number: int) -> tuple[int, int, int]:
            made = self._updates[number]
            return len(set(made)), -len(made), -number

        return key_of(max(candidates, key=ways)) if candidates else None

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._thread.join()

    def check(self) -> None:
        """Raise if a change could not be made."""
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            while not self.stopped.is_set():
                kind = self._source.choice(self._kinds)
                self._change(kind)
                self.counts[kind] += 1
        except Exception as error:  # raised again by `check`
            self.error = error

    def _change(self, kind: str) -> None:
        if kind == INSERT or not self._there:
            self._last += 1
            self._there.append(self._last)
            item = order(self._last, self._source)
            self._dynamodb.put_item(TableName=self._table, Item=item)
            return
        skew = 1 if kind == DELETE else _SKEW
        place = int(len(self._there) * self._source.random() ** skew)
        number = self._there[place]
        key = key_of(number)
        if kind == DELETE:
            self._dynamodb.delete_item(TableName=self._table, Key={KEY: wire(key)})
            del self._there[place]
            return
        ways = _NESTED_UPDATES if kind == NESTED else _UPDATES
        expression, value = self._source.choice(ways)
        self._updates[number].append(expression)
        self._dynamodb.update_item(
            TableName=self._table,
            Key={KEY: wire(key)},
            UpdateExpression=expression,
            ExpressionAttributeNames={one: one[1:] for one in re.findall(r"#\w+", expression)},
            ExpressionAttributeValues={":value": wire(value(self._source)), ":one": wire(1)},
        )
