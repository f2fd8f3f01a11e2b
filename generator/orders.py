"""The stream of changes: orders that are placed, paid, shipped, delivered or cancelled.

Orders draw from precomputed pools of values, for speed. Items are in DynamoDB JSON
(``{"S": ...}``, ``{"N": ...}``), with numbers in the canonical text that DynamoDB returns, so
that a generated item equals the item read back.
"""

from __future__ import annotations

import math
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from generator.catalogue import GADGETS, customers
from generator.plan import Plan, PlanError
from schema import ORDERS, Column, Schema

Value: TypeAlias = Mapping[str, Any]
Item: TypeAlias = dict[str, Value]
Maker: TypeAlias = Callable[[], Value]

LIFE: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "placed": (("paid", 92), ("cancelled", 8)),
    "paid": (("shipped", 95), ("cancelled", 5)),
    "shipped": (("delivered", 100),),
}
"""The possible next statuses, with their percentages. A status not listed is final."""

_STEPS: Final = 2.8
"""Average number of status changes of an order."""
_MEAN_GAP_MS: Final = 20_000
"""Simulated time between two orders."""
_REMEMBERED: Final = 20_000
"""Maximum number of open orders, and of finished ones, that may still change. Bounds memory."""
_FRONT: Final = 256
"""How many of the oldest open orders are candidates for a change."""
_QUANTITIES: Final = (1,) * 70 + (2,) * 18 + (3,) * 6 + (4,) * 3 + (5, 8, 10)
_WORDS: Final = ("standard", "express", "gift", "newsletter", "été", "web", "app", "store")


class Operation(NamedTuple):
    """One change of one order.

    Attributes
    ----------
    kind:
        ``insert``, ``update`` or ``delete``.
    orderid:
        The order's key as text.
    item:
        The whole order in DynamoDB JSON: after an insert or update, before a delete. Shared with
        later operations, so never change it.
    """

    kind: Literal["insert", "update", "delete"]
    orderid: str
    item: Item

    @property
    def expected(self) -> Item | None:
        """The order's item in the table after this change; None after a delete."""
        return None if self.kind == "delete" else self.item


def lasting_columns(schema: Schema) -> frozenset[str]:
    """Columns that no update changes: keys, product and times."""
    dates = {column.name for column in schema.columns if column.type in {"date", "timestamp"}}
    return frozenset({*schema.keys, "product_name", *dates})


def operations(plan: Plan, *, schema: Schema = ORDERS) -> Iterator[Operation]:
    """Generate the changes of ``plan`` lazily, in bounded memory.

    The mix is exact at every point, not just on average: after n changes each kind is within one or
    two of its share, as long as there are orders to change. Every update changes something, and
    only existing orders are updated or deleted, so each operation makes one change record.

    Raises
    ------
    PlanError
        The plan has updates, but the schema has no column that an update could change.
    """
    shop = _Shop(plan, schema)
    return _mixed(plan, shop)


def _mixed(plan: Plan, shop: _Shop) -> Iterator[Operation]:
    limits, total = _limits(plan)
    shares = (plan.inserts, plan.updates, plan.deletes)
    done = [0, 0, 0]
    # While updates are still to come, one order stays open for them.
    steps = (shop.insert, shop.update, lambda: shop.delete(keep=int(done[1] < limits[1])))
    made = 0
    while made < total:
        made += 1
        owed = [share * made - n for share, n in zip(shares, done, strict=True)]
        for kind in sorted((0, 1, 2), key=owed.__getitem__, reverse=True):
            if done[kind] < limits[kind] and (operation := steps[kind]()):
                done[kind] += 1
                yield operation
                break
        else:
            return  # all orders are placed, and none is left to change


def _limits(plan: Plan) -> tuple[tuple[float, float, float], float]:
    """The numbers of inserts, updates and deletes, and their sum."""
    if plan.count is None:
        return (
            math.inf,
            math.inf if plan.updates else 0,
            math.inf if plan.deletes else 0,
        ), math.inf
    total = round(plan.count / plan.inserts)
    updates = min(round(total * plan.updates), total - plan.count)
    return (plan.count, updates, total - plan.count - updates), total


class _Shop:
    """Creates and changes orders, and keeps those that may still change."""

    def __init__(self, plan: Plan, schema: Schema) -> None:
        random = Random(plan.seed)  # noqa: S311 - made-up orders, no secrets
        self._roll: Callable[[], float] = random.random
        self._bits = random.getrandbits
        self._key = schema.key
        if schema[schema.key].type != "string":
            raise PlanError(f"key {schema.key!r}: only keys of type string can be made up")

        start = plan.start
        if start and start.tzinfo:
            start = start.astimezone(UTC).replace(tzinfo=None)
        self._moment = start
        self._now: Value = {}

        gadgets = [({"S": g.name}, _distinct(g.prices()), g.weight) for g in GADGETS]
        self._gadgets = [(name, prices) for name, prices, weight in gadgets for _ in range(weight)]
        self._prices = {name["S"]: (name, prices) for name, prices, _ in gadgets}
        self._gadget = self._gadgets[0]

        makers = self._known_makers() | {schema.key: self._orderid}
        self._columns = tuple(
            (c.name, makers.get(c.name) or self._by_type(c, random)) for c in schema.columns
        )
        self._makers = dict(self._columns)
        self._alive = "status" in self._makers and "status" not in schema.keys
        lasting = lasting_columns(schema) | {"status"}
        self._edits = tuple(name for name in self._makers if name not in lasting)
        if plan.updates and not (self._alive or self._edits):
            raise PlanError("updates: the schema has no column that an update could change")
        # With many updates per order, fewer are status changes, so that open orders do not run out.
        self._progress = min(0.85, 0.8 * _STEPS * plan.inserts / (plan.updates or 1))

        self._open: deque[Item] = deque(maxlen=_REMEMBERED if plan.updates or plan.deletes else 0)
        self._finished: deque[Item] = deque(maxlen=_REMEMBERED if plan.deletes else 0)

    def insert(self) -> Operation:
        """A new order."""
        self._gadget = self._gadgets[int(self._roll() * len(self._gadgets))]
        self._now = {"S": self._next_moment()}
        item = {name: make() for name, make in self._columns}
        self._open.append(item)
        return Operation("insert", item[self._key]["S"], item)

    def update(self) -> Operation | None:
        """Advance or edit one of the oldest open orders; None if no order is open."""
        if not self._open:
            return None
        # Squaring favours the oldest orders, so that orders get finished.
        place = int(self._roll() ** 2 * min(len(self._open), _FRONT))
        item = self._open[place].copy()
        if not self._alive or (self._edits and self._roll() >= self._progress):
            self._edit(item)
        else:
            status = self._next_status(item["status"]["S"])
            if status not in LIFE and len(self._open) == 1 and self._edits:
                self._edit(item)  # the only open order stays open
            else:
                item["status"] = {"S": status}
        if self._alive and item["status"]["S"] not in LIFE:
            del self._open[place]
            self._finished.append(item)
        else:
            self._open[place] = item
        return Operation("update", item[self._key]["S"], item)

    def delete(self, *, keep: int) -> Operation | None:
        """The order finished longest ago, else the oldest while more than ``keep`` are open."""
        if self._finished:
            item = self._finished.popleft()
        elif len(self._open) > keep:
            item = self._open.popleft()
        else:
            return None
        return Operation("delete", item[self._key]["S"], item)

    def _edit(self, item: Item) -> None:
        """Change one column to another value."""
        name = self._edits[int(self._roll() * len(self._edits))]
        product = item.get("product_name")
        self._gadget = self._prices[product["S"]] if product else self._gadget
        make, old = self._makers[name], item[name]
        while item[name] == old:
            item[name] = make()

    def _next_status(self, status: str) -> str:
        *others, (last, _) = LIFE[status]
        roll = self._roll() * 100
        for follower, share in others:
            if roll < share:
                return follower
            roll -= share
        return last

    def _next_moment(self) -> str:
        # Drawn even if unused: a seed then gives the same orders with and without a start.
        gap = timedelta(milliseconds=1 + int(self._roll() * 2 * _MEAN_GAP_MS))
        moment = self._moment or datetime.now(UTC).replace(tzinfo=None)
        if self._moment:
            self._moment += gap
        return moment.isoformat(timespec="milliseconds") + "Z"

    def _orderid(self) -> Value:
        return {"S": str(uuid.UUID(int=self._bits(128), version=4))}

    def _known_makers(self) -> dict[str, Maker]:
        roll = self._roll
        people = [{"S": name} for name in customers()]
        placed = {"S": "placed"}
        return {
            "product_name": lambda: self._gadget[0],
            "quantity": self._draw([_number(n) for n in _QUANTITIES]),
            "price": lambda: self._gadget[1][int(roll() * len(self._gadget[1]))],
            # Squared, so that a few customers order often.
            "customer": lambda: people[int(roll() ** 2 * len(people))],
            "status": lambda: placed,
            "created_at": lambda: self._now,
        }

    def _by_type(self, column: Column, random: Random) -> Maker:
        """Values for a column without a maker of its own."""
        if column.type == "timestamp":
            return lambda: self._now
        if column.type == "date":
            return lambda: {"S": self._now["S"][:10]}
        if column.decimal:
            precision, scale = column.decimal
            digits = [random.randrange(10 ** min(precision, 9)) for _ in range(64)]
            return self._draw(_distinct(Decimal(n).scaleb(-scale) for n in (*digits, 0, 1)))
        pools: dict[str, list[Value]] = {
            "string": [{"S": word} for word in _WORDS],
            "boolean": [{"BOOL": True}, {"BOOL": False}],
            "double": [_number(Decimal(n) / 4) for n in range(400)],
        }
        return self._draw(pools.get(column.type) or [_number(n) for n in range(1, 101)])

    def _draw(self, pool: Sequence[Value]) -> Maker:
        roll, size = self._roll, len(pool)
        return lambda: pool[int(roll() * size)]


def _number(value: int | Decimal) -> Value:
    """A number in DynamoDB JSON. DynamoDB trims zeros: it stores and returns 19.90 as 19.9."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return {"N": text.rstrip("0").rstrip(".") if "." in text else text}


def _distinct(values: Iterable[Decimal]) -> list[Value]:
    return [_number(value) for value in dict.fromkeys(values)]
