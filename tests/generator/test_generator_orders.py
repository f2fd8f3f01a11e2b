"""The generated orders: mix, life cycles, values, and repeatability with a seed."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from generator import Operation, Plan, PlanError, operations, orders
from generator.catalogue import GADGETS, customers
from schema import ORDERS, Column, Schema

START = datetime(2026, 1, 1, tzinfo=UTC)


def kinds(plan: Plan) -> Counter[str]:
    return Counter(operation.kind for operation in operations(plan))


def lives(changes: list[Operation]) -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = defaultdict(list)
    for operation in changes:
        found[operation.orderid].append(operation)
    return found


@pytest.mark.parametrize("count", [1, 2, 7, 400])
@pytest.mark.parametrize(
    ("updates", "deletes"),
    [(0, 0), (0.3, 0.1), (0.6, 0.2), (0.9, 0.05), (0, 0.5), (0.3, 0.35), (0.98, 0.01)],
)
def test_the_mix_is_exact(count: int, updates: float, deletes: float) -> None:
    found = kinds(Plan(count=count, updates=updates, deletes=deletes, seed=1))
    total = round(count / (1 - updates - deletes))
    assert found["insert"] == count
    assert found["update"] == pytest.approx(total * updates, abs=1)
    assert found["delete"] == pytest.approx(total * deletes, abs=1)
    assert found.total() == total


def test_the_mix_holds_at_every_moment_of_an_endless_run() -> None:
    stream = operations(Plan(updates=0.5, deletes=0.2, seed=1))
    found: Counter[str] = Counter()
    for n, operation in enumerate(itertools.islice(stream, 3_000), start=1):
        found[operation.kind] += 1
        assert abs(found["insert"] - 0.3 * n) <= 3
        assert abs(found["delete"] - 0.2 * n) <= 3


def test_the_same_seed_makes_the_same_changes() -> None:
    plan = Plan(count=500, seed=7, start=START)
    assert list(operations(plan)) == list(operations(plan))


def test_another_seed_makes_other_orders() -> None:
    first, second = ({o.orderid for o in operations(Plan(count=100, seed=seed))} for seed in (7, 8))
    assert not first & second


def test_without_a_seed_every_run_has_its_own_orders() -> None:
    runs = [list(operations(Plan(count=20))) for _ in range(2)]
    assert not {o.orderid for o in runs[0]} & {o.orderid for o in runs[1]}


@pytest.mark.parametrize("seed", [None, 3])
def test_without_a_start_orders_are_placed_now(seed: int | None) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    for operation in operations(Plan(count=20, seed=seed)):
        placed = datetime.fromisoformat(operation.item["created_at"]["S"])
        assert before <= placed <= datetime.now(UTC)


def test_orders_begin_at_the_start_and_time_goes_forward() -> None:
    changes = operations(Plan(count=50, seed=3, start=START))
    placed = [o.item["created_at"]["S"] for o in changes if o.kind == "insert"]
    assert placed[0] == "2026-01-01T00:00:00.000Z"
    assert placed == sorted(set(placed))


def test_start_moves_the_first_order_and_changes_nothing_else() -> None:
    start = datetime.fromisoformat("2025-11-28T10:00:00+02:00")
    moved = list(operations(Plan(count=50, seed=3, start=start)))
    assert moved[0].item["created_at"] == {"S": "2025-11-28T08:00:00.000Z"}
    usual = operations(Plan(count=50, seed=3))
    assert [o.orderid for o in moved] == [o.orderid for o in usual]


@pytest.mark.parametrize("updates", [0.3, 0.6, 0.95])
def test_every_life_is_legal_and_every_update_changes_something(updates: float) -> None:
    changes = list(operations(Plan(count=300, updates=updates, deletes=0.02, seed=2)))
    for life in lives(changes).values():
        first, *rest = life
        assert first.kind == "insert"
        assert first.item["status"] == {"S": "placed"}
        for before, after in itertools.pairwise(life):
            old, new = before.item["status"]["S"], after.item["status"]["S"]
            if after.kind == "delete":
                assert after.item == before.item
                assert after is life[-1]
                assert after.expected is None
            else:
                assert after.kind == "update"
                assert after.item != before.item
                assert after.expected is after.item
                followers = {status for status, _ in orders.LIFE[old]}
                assert new == old or new in followers
                for column in ("orderid", "product_name", "created_at"):
                    assert after.item[column] == before.item[column]
        assert all(operation.kind != "insert" for operation in rest)


def test_updates_are_mostly_of_the_status_but_not_only() -> None:
    changed: Counter[str] = Counter()
    for life in lives(list(operations(Plan(count=2_000, seed=2)))).values():
        for before, after in itertools.pairwise(life):
            changed.update(key for key in after.item if after.item[key] != before.item[key])
    assert changed["status"] > 0.7 * changed.total()
    assert {"quantity", "price", "customer"} <= changed.keys()


def test_finished_orders_are_deleted_before_open_ones() -> None:
    changes = list(operations(Plan(count=2_000, updates=0.6, deletes=0.1, seed=2)))
    deleted = Counter(o.item["status"]["S"] for o in changes if o.kind == "delete")
    finished = deleted["delivered"] + deleted["cancelled"]
    assert finished > 0.9 * deleted.total()


def test_values_are_of_the_catalogue_and_exact() -> None:
    shop = {gadget.name: set(gadget.prices()) for gadget in GADGETS}
    for operation in operations(Plan(count=2_000, seed=5)):
        item = operation.item
        price = Decimal(item["price"]["N"])
        assert price in shop[item["product_name"]["S"]]
        # As DynamoDB gives it back: no trailing zeros, no exponent.
        assert re.fullmatch(r"\d+(\.\d?[1-9])?", item["price"]["N"])
        assert 1 <= int(item["quantity"]["N"]) <= 10
        assert item["customer"]["S"] in customers()
        assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item["created_at"]["S"])


def test_names_are_ascii_and_not() -> None:
    for names in (customers(), tuple(gadget.name for gadget in GADGETS)):
        assert 0.1 < sum(name.isascii() for name in names) / len(names) < 0.95
    assert len(GADGETS) >= 30
    assert len({gadget.name for gadget in GADGETS}) == len(GADGETS)


def test_popular_gadgets_are_bought_more_often() -> None:
    sold = Counter(
        o.item["product_name"]["S"]
        for o in operations(Plan(count=20_000, updates=0, deletes=0, seed=1))
    )
    assert sold["Volt 65W GaN Charger"] > 5 * sold["Skua Camera Drone"] > 0


def test_columns_are_those_of_the_schema_in_its_order() -> None:
    (operation,) = operations(Plan(count=1, updates=0, deletes=0, seed=1))
    assert list(operation.item) == [column.name for column in ORDERS.columns]


def test_a_new_column_gets_values_of_its_type() -> None:
    types = {
        "note": "string",
        "points": "int",
        "views": "bigint",
        "fee": "decimal(5,3)",
        "weight": "double",
        "gift": "boolean",
        "due": "date",
        "seen_at": "timestamp",
    }
    more = tuple(Column(name=name, type=type_) for name, type_ in types.items())
    schema = Schema(key="orderid", columns=ORDERS.columns + more)
    values: dict[str, set[str]] = defaultdict(set)
    for operation in operations(Plan(count=6_000, seed=1, start=START), schema=schema):
        for name in types:
            ((form, value),) = operation.item[name].items()
            values[f"{name} {form}"].add(value)
    assert set(values) == {
        "note S", "points N", "views N", "fee N", "weight N", "gift BOOL", "due S", "seen_at S",
    }  # fmt: skip
    assert all(len(found) > 1 for found in values.values())
    assert all(text.lstrip("-").isdigit() for text in values["points N"] | values["views N"])
    for text in values["fee N"]:
        fee = Decimal(text)
        assert fee == fee.quantize(Decimal("0.001"))
        assert abs(fee) < 100
    assert all(date.fromisoformat(day) for day in values["due S"])


def test_a_schema_without_life_is_edited_instead() -> None:
    columns = (Column(name="orderid", type="string"), Column(name="points", type="int"))
    changes = list(
        operations(Plan(count=50, seed=1), schema=Schema(key="orderid", columns=columns))
    )
    assert Counter(o.kind for o in changes)["update"] == 25
    for life in lives(changes).values():
        assert all(a.item != b.item for a, b in itertools.pairwise(life) if b.kind == "update")


def test_a_schema_that_cannot_be_updated_is_rejected() -> None:
    schema = Schema(key="orderid", columns=(Column(name="orderid", type="string"),))
    with pytest.raises(PlanError, match="no column that an update could change"):
        operations(Plan(count=5), schema=schema)


def test_a_sort_key_is_never_updated() -> None:
    schema = Schema(key="orderid", sort_key="customer", columns=ORDERS.columns)
    for life in lives(
        list(operations(Plan(count=300, updates=0.6, seed=1), schema=schema))
    ).values():
        assert len({operation.item["customer"]["S"] for operation in life}) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_REMEMBERED", 50)
    shop = orders._Shop(Plan(updates=0.1, deletes=0.05, seed=1), ORDERS)
    for _ in range(1_000):
        shop.insert()
        shop.update()
    assert len(shop._open) <= 50
    assert len(shop._finished) <= 50


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"updates": 0.7, "deletes": 0.3}, "updates 0.7 + deletes 0.3 = 1: must be below 1"),
        ({"updates": -0.1}, "updates -0.1: a share"),
        ({"updates": float("nan")}, "updates nan: a share"),
        ({"deletes": 1}, "deletes 1: a share"),
        ({"updates": 0.5, "deletes": 0.3}, "deletes 0.3: more than the share of new orders"),
        ({"rate": -3}, "rate -3: must be above 0"),
        ({"rate": float("inf")}, "rate inf: must be above 0"),
        ({"duration": 0}, "duration 0: must be above 0"),
        ({"count": 0}, "count 0: must be at least 1"),
        ({"count": -1, "rate": 0}, "count -1: must be at least 1; rate 0: must be above 0"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_rejected(
    settings: dict[str, float], message: str
) -> None:
    with pytest.raises(PlanError, match=re.escape(message)):
        Plan(**settings)  # type: ignore[arg-type]
