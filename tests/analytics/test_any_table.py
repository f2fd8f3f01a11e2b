"""The queries and views on a table that does not hold orders: nested, two keys, awkward names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from analytics import load_queries
from client.athena import Athena
from tests.analytics.shipments import BOX, SHIPMENTS, Shipments, running


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipments]:
    with running(tmp_path_factory.mktemp("shipments")) as filled:
        yield filled


@pytest.fixture
def athena(lake: Shipments) -> Athena:
    return lake.athena


def ask(athena: Athena, name: str, **values: str) -> list[dict[str, Any]]:
    [query] = [query for query in load_queries(SHIPMENTS) if query.name == name]
    answer = athena.ask(query.sql, query.bind(values))
    return [dict(zip([c.name for c in answer.columns], one, strict=True)) for one in answer.rows]


def test_history_begins_with_the_newest_snapshot_and_shows_nested_values_as_json(
    athena: Athena,
) -> None:
    rows = ask(athena, "history", id="7", leg="o'ut")
    told = [tuple(one.values())[1:] for one in rows]

    def plain(value: str | None) -> Any:
        return json.loads(value) if value and value[0] in "{[" else value

    assert [(event, name, plain(a), plain(b)) for event, name, a, b in told] == [
        ("SNAPSHOT", "copy", None, {"a": 1}),
        ("SNAPSHOT", "newest", None, ["x"]),
        ("SNAPSHOT", "order", None, BOX),
        ("SNAPSHOT", "weight", None, "1.250"),
        ("MODIFY", "copy", {"a": 1}, {"a": 2}),
        ("MODIFY", "newest", ["x"], ["x", "y"]),
        ("REMOVE", "copy", {"a": 2}, None),
        ("REMOVE", "newest", ["x", "y"], None),
        ("REMOVE", "order", BOX, None),
        ("REMOVE", "weight", "1.250", None),
    ]


def test_recent_changes_and_changed_items_have_every_column_but_no_snapshot(athena: Athena) -> None:
    recent = ask(athena, "recent_changes", hours="2")
    assert [(one["event_type"], one["id"], one["deleted_by"]) for one in recent] == [
        ("REMOVE", 7, "ttl"),
        ("INSERT", 8, None),
        ("MODIFY", 7, None),
    ]
    assert list(recent[0])[3:] == [*(c.name for c in SHIPMENTS.columns), "extras"]
    changed = ask(athena, "changed_items", minutes="15")
    assert [(one["event_type"], one["id"]) for one in changed] == [("REMOVE", 7), ("INSERT", 8)]


def test_changes_are_counted_by_minute_and_type_without_copies(lake: Shipments) -> None:
    rows = ask(lake.athena, "changes_by_minute", minutes="20")
    assert sum(one["changes"] for one in rows) == 3
    assert [(one["inserts"], one["updates"], one["deletes"]) for one in rows] == [
        (0, 1, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]
    minute = (lake.filled - timedelta(minutes=9)).replace(second=0)
    assert rows[0]["changed_at"] == minute


def test_freshness_and_duplicates_count_changes_alone(athena: Athena) -> None:
    [fresh] = ask(athena, "freshness")
    assert fresh["changes"] == 3
    [day] = ask(athena, "duplicates")
    assert (day["changes"], day["duplicates"]) == (3, 1)


def test_the_view_has_what_is_left_of_changes_and_snapshots(athena: Athena) -> None:
    answer = athena.ask("SELECT id, event_type FROM current_shipments ORDER BY id")
    assert answer.rows == [(8, "INSERT"), (9, "SNAPSHOT")]
    answer = athena.ask("SELECT count(*) FROM changes WHERE event_type = 'MODIFY'")
    assert answer.rows == [(1,)]
