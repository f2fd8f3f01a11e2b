"""Every query and view on a messy lake, compared with results computed from the actual changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from analytics import load_queries
from schema import ORDERS
from tests.analytics.sales_lake import DuckDb, Lake, Row, Runner

Order = dict[str, Any]
Answers = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(athena: Runner) -> Answers:
    queries = {query.name: query for query in load_queries()}
    return lambda name, **values: athena.ask(queries[name], **values)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def sold(lake: Lake, since: datetime) -> list[Order]:
    """Orders that count as revenue: placed since then, not deleted, not cancelled."""
    return [o for o in lake.live() if o["created_at"] >= since and o["status"] != "cancelled"]


def figures(orders: Iterable[Order]) -> dict[str, Any]:
    orders = list(orders)
    return {
        "orders": len(orders),
        "units": sum(o["quantity"] for o in orders),
        "revenue": sum((o["quantity"] * o["price"] for o in orders), Decimal(0)),
    }


def grouped(orders: Iterable[Order], key: Callable[[Order], Any]) -> dict[Any, dict[str, Any]]:
    groups: dict[Any, list[Order]] = defaultdict(list)
    for order in orders:
        groups[key(order)].append(order)
    return {name: figures(members) for name, members in groups.items()}


def test_the_lake_is_messy_enough_to_prove_something(lake: Lake) -> None:
    copies: dict[str, list[Row]] = defaultdict(list)
    for row in lake.rows:
        copies[row.change.event_id].append(row)
    assert any(len({r.partition.hour for r in rows}) > 1 for rows in copies.values())
    assert any(len({r.day for r in rows}) > 1 for rows in copies.values())
    assert any(len(rows) > 2 for rows in copies.values())
    first_arrival = {event: min(r.stored for r in rows) for event, rows in copies.items()}
    by_order: dict[str, list[str]] = defaultdict(list)
    for change in lake.changes:
        by_order[change.orderid].append(change.event_id)
    overtaken = [
        (earlier, later)
        for events in by_order.values()
        for earlier, later in pairwise(events)
        if first_arrival[earlier] > first_arrival[later]
    ]
    assert overtaken, "an order's later change arrives before an earlier one"
    assert any(r.keys_only for r in lake.rows)
    changes = Counter(change.orderid for change in lake.changes)
    assert any(
        row.partition.date() < row.change.order["created_at"].date()
        and changes[row.change.orderid] == len(copies[row.change.event_id]) == 1
        for row in lake.rows
    ), "an order's only row lies under the day before it was placed, in an object begun then"
    assert {"cancelled", "delivered", "placed"} <= {o["status"] for o in lake.live()}


@pytest.mark.parametrize("days", range(1, 12))
def test_revenue_by_product(lake: Lake, ask: Answers, days: int) -> None:
    since = midnight(lake.now) - timedelta(days=days - 1)
    expected = grouped(sold(lake, since), lambda o: o["product_name"])
    rows = ask("revenue_by_product", days=str(days))
    assert {r.pop("product_name"): r for r in rows} == expected
    revenues = [r["revenue"] for r in rows]
    assert revenues == sorted(revenues, reverse=True)
    assert expected


@pytest.mark.parametrize("days", [1, 4])
def test_revenue_by_day(lake: Lake, ask: Answers, days: int) -> None:
    since = midnight(lake.now) - timedelta(days=days - 1)
    expected = grouped(sold(lake, since), lambda o: o["created_at"].date())
    rows = ask("revenue_by_day", days=str(days))
    assert [r["placed_on"] for r in rows] == sorted(expected)
    assert {r.pop("placed_on"): r for r in rows} == expected


@pytest.mark.parametrize("hours", [1, 2, 3, 10, 11, 12, 24, 48])
def test_revenue_by_hour(lake: Lake, ask: Answers, hours: int) -> None:
    this_hour = lake.now.replace(minute=0, second=0, microsecond=0)
    orders = sold(lake, this_hour - timedelta(hours=hours - 1))
    expected = grouped(orders, lambda o: o["created_at"].replace(minute=0, second=0, microsecond=0))
    rows = ask("revenue_by_hour", hours=str(hours))
    assert [r["placed_at"] for r in rows] == sorted(expected)
    assert {r.pop("placed_at"): r for r in rows} == expected


@pytest.mark.parametrize("minutes", [1, 38, 60, 3000])
def test_revenue_by_minute(lake: Lake, ask: Answers, minutes: int) -> None:
    this_minute = lake.now.replace(second=0, microsecond=0)
    orders = sold(lake, this_minute - timedelta(minutes=minutes - 1))
    expected = grouped(orders, lambda o: o["created_at"].replace(second=0, microsecond=0))
    rows = ask("revenue_by_minute", minutes=str(minutes))
    assert [r["placed_at"] for r in rows] == sorted(expected)
    assert {r.pop("placed_at"): r for r in rows} == expected
    assert expected or minutes < 3000


def test_average_order_value(lake: Lake, ask: Answers) -> None:
    total = figures(sold(lake, midnight(lake.now) - timedelta(days=4)))
    [row] = ask("average_order_value", days="5")
    assert (row["orders"], row["revenue"]) == (total["orders"], total["revenue"])
    assert row["average_order_value"] == pytest.approx(
        float(total["revenue"] / total["orders"]), abs=0.0051
    )
    assert row["average_units"] == pytest.approx(total["units"] / total["orders"], abs=0.0051)


@pytest.mark.parametrize("days", [2, 30])
def test_order_funnel(lake: Lake, ask: Answers, days: int) -> None:
    since = midnight(lake.now) - timedelta(days=days - 1)
    stages = ["placed", "paid", "shipped", "delivered"]
    reached: dict[str, int] = defaultdict(int)
    for change in lake.changes:
        if change.order["status"] in stages:
            stage = stages.index(change.order["status"])
            reached[change.orderid] = max(reached[change.orderid], stage)
    orders = [o for o in lake.live() if o["created_at"] >= since]
    counts = {s: sum(reached[o["orderid"]] >= i for o in orders) for i, s in enumerate(stages)}
    counts["cancelled"] = sum(o["status"] == "cancelled" for o in orders)
    rows = ask("order_funnel", days=str(days))
    assert [(r["stage"], r["orders"]) for r in rows] == list(counts.items())
    for row in rows:
        assert row["share_of_placed"] == pytest.approx(row["orders"] / len(orders), abs=0.00005)
    assert 0 < counts["cancelled"] < counts["delivered"] < counts["paid"] or days == 2


def test_top_customers(lake: Lake, ask: Answers) -> None:
    since = midnight(lake.now) - timedelta(days=29)
    expected = grouped(sold(lake, since), lambda o: o["customer"])
    best = sorted(expected.items(), key=lambda item: (-item[1]["revenue"], item[0]))[:7]
    rows = ask("top_customers", top="7")
    last = {r["customer"]: r.pop("last_order_at") for r in rows}
    assert [(r.pop("customer"), r) for r in rows] == best
    for customer, at in last.items():
        mine = [o["created_at"] for o in sold(lake, since) if o["customer"] == customer]
        assert at == max(mine)


def test_history_shows_before_and_after_of_each_change(lake: Lake, ask: Answers) -> None:
    lives: dict[str, list[Any]] = defaultdict(list)
    for change in lake.changes:
        lives[change.orderid].append(change)
    longest = max(lives, key=lambda orderid: len(lives[orderid]))
    deleted = next(o for o, life in lives.items() if life[-1].event == "REMOVE" and len(life) > 2)

    def text(value: Any) -> str | None:
        return (
            None if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)
        )

    for orderid in (longest, deleted):
        expected, before = [], dict.fromkeys(column.name for column in ORDERS.columns)
        for change in lives[orderid]:
            after = dict.fromkeys(before) if change.event == "REMOVE" else change.order
            expected += [
                (change.made, change.event, name, text(before[name]), text(after[name]))
                for name in sorted(before)
                if name != "orderid" and before[name] != after[name]
            ]
            before = after
        rows = ask("history", orderid=orderid)
        found = [tuple(row.values()) for row in rows]
        # DuckDB writes a timestamp without the zeros at its end, as Python does not.
        assert [tuple(str(v).rstrip("0") for v in row) for row in found] == [
            tuple(str(v).rstrip("0") for v in row) for row in expected
        ]


@pytest.mark.parametrize("minutes", range(37, 637, 60))
def test_changed_items(lake: Lake, ask: Answers, minutes: int) -> None:
    since = lake.now - timedelta(minutes=minutes)
    newest = {c.orderid: c for c in lake.changes if c.made >= since}
    rows = ask("changed_items", minutes=str(minutes))
    expected = sorted(newest.values(), key=lambda c: c.sequence, reverse=True)
    assert [(r["orderid"], r["event_type"], r["creation_time"]) for r in rows] == [
        (c.orderid, c.event, c.made) for c in expected
    ]
    for row, change in zip(rows, expected, strict=True):
        if change.event != "REMOVE":
            for name in ("product_name", "quantity", "price", "customer", "status"):
                assert row[name] == change.order[name]
    assert expected


@pytest.mark.parametrize(("hours", "top"), [(1, 20), (30, 7), (30, 10_000)])
def test_recent_changes(lake: Lake, ask: Answers, hours: int, top: int) -> None:
    since = f"{lake.now - timedelta(hours=hours):%Y-%m-%d%H}"
    arrived = {r.change for r in lake.rows if f"{r.partition:%Y-%m-%d%H}" >= since}
    expected = sorted(arrived, key=lambda c: (c.made, c.sequence), reverse=True)[:top]
    rows = ask("recent_changes", hours=str(hours), top=str(top))
    assert [(r["creation_time"], r["event_type"], r["orderid"]) for r in rows] == [
        (c.made, c.event, c.orderid) for c in expected
    ]
    for row, change in zip(rows, expected, strict=True):
        if change.event != "REMOVE":
            assert all(row[n] == change.order[n] for n in ("product_name", "price", "status"))
    assert expected or hours == 1


def test_freshness(lake: Lake, athena: Runner, ask: Answers) -> None:
    since = f"{lake.now - timedelta(hours=24):%Y-%m-%d%H}"
    stored: dict[str, Row] = {}
    for row in lake.rows:
        if f"{row.partition:%Y-%m-%d%H}" >= since:
            first = stored.get(row.change.event_id, row)
            stored[row.change.event_id] = min(first, row, key=athena.stored)
    delays = [(athena.stored(r) - r.change.made).total_seconds() for r in stored.values()]
    newest = max(r.change.made for r in stored.values())
    [row] = ask("freshness")
    assert row["changes"] == len(delays)
    assert row["newest_change"] == newest
    assert row["newest_age_seconds"] == pytest.approx((lake.now - newest).total_seconds(), abs=1)
    assert row["p50_delay_seconds"] == pytest.approx(median(delays), rel=0.05)
    assert row["p99_delay_seconds"] <= row["max_delay_seconds"]
    assert row["max_delay_seconds"] == pytest.approx(max(delays), abs=0.001)


def test_failed_records(lake: Lake, failed: list[dict[str, Any]], ask: Answers) -> None:
    since = f"{midnight(lake.now) - timedelta(days=6):%Y-%m-%d}"
    recent = [record for record in failed if record["day"] >= since]
    assert len(recent) < len(failed)
    rows = ask("failed_records")
    assert {r["errorcode"]: r["records"] for r in rows} == Counter(r["errorcode"] for r in recent)
    for row in rows:
        same = [r for r in recent if r["errorcode"] == row["errorcode"]]
        arrivals = [r["arrivaltimestamp"] / 1000 for r in same]
        assert row["first_arrival"] == datetime.fromtimestamp(min(arrivals), UTC).replace(
            tzinfo=None
        )
        assert row["last_arrival"] == datetime.fromtimestamp(max(arrivals), UTC).replace(
            tzinfo=None
        )
        assert row["most_attempts"] == max(r["attemptsmade"] for r in same)


@pytest.mark.parametrize("days", [3, 30])
def test_duplicates(lake: Lake, ask: Answers, days: int) -> None:
    since = f"{midnight(lake.now) - timedelta(days=days - 1):%Y-%m-%d}"
    seen: dict[str, list[str]] = defaultdict(list)
    for row in lake.rows:
        if row.day >= since:
            seen[row.change.event_id].append(row.day)
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for where in seen.values():
        day = expected[min(where)]
        day["changes"] += 1
        day["duplicates"] += len(where) - 1
        day["changes_repeated"] += len(where) > 1
        day["most_copies"] = max(day["most_copies"], len(where))
        day["later_days"] += len(set(where)) > 1
    rows = ask("duplicates", days=str(days))
    assert [r["day"] for r in rows] == sorted(expected)
    assert {r.pop("day"): r for r in rows} == expected
    assert sum(day["later_days"] for day in expected.values())


def test_current_orders_is_the_table_as_the_application_left_it(lake: Lake, athena: Runner) -> None:
    names = [column.name for column in ORDERS.columns]
    rows = athena.sql("SELECT * FROM current_orders")
    found = {row["orderid"]: {name: row[name] for name in names} for row in rows}
    assert len(rows) == len(found)
    assert found == {order["orderid"]: order for order in lake.live()}
    assert {row["event_id"] for row in rows} <= {c.event_id for c in lake.latest().values()}


def test_changes_has_every_change_once_a_day_of_arrival(lake: Lake, athena: Runner) -> None:
    rows = athena.sql("SELECT event_id, day, hour, orderid, status FROM changes")
    found = [(row["event_id"], row["day"]) for row in rows]
    assert sorted(found) == sorted({(row.change.event_id, row.day) for row in lake.rows})
    hours: dict[tuple[str, str], str] = {}
    for row in lake.rows:
        key = (row.change.event_id, row.day)
        hours[key] = min(hours.get(key, "99"), f"{row.partition:%H}")
    assert {(r["event_id"], r["day"]): r["hour"] for r in rows} == hours


def test_a_filter_on_day_reaches_the_log_beneath_changes(duck: DuckDb) -> None:
    plan = duck.plan("SELECT * FROM changes WHERE day = '2026-11-20'")
    assert "Filters: day = '2026-11-20'" in plan, plan
