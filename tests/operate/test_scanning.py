"""The scan keeps to its rate, and the names and places of what a snapshot writes."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from operate import changes
from operate.reasons import liner
from operate.scanning import Pace, Page, pages
from operate.snapshot.reading import Scan
from operate.snapshot.state import Part
from operate.snapshot.writing import object_name, partition
from schema import Column, Schema


class Table:
    """A table whose items take this many units each; remembers what it was asked."""

    def __init__(self, count: int, units: float) -> None:
        self._count, self._units = count, units
        self.asked: list[dict[str, Any]] = []

    def scan(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        first = int(asked.get("ExclusiveStartKey", {"id": {"N": "-1"}})["id"]["N"]) + 1
        last = min(self._count, first + asked["Limit"])
        items = [{"id": {"N": str(n)}} for n in range(first, last)]
        answer: dict[str, Any] = {
            "Items": items,
            "ScannedCount": len(items),
            "ConsumedCapacity": {"CapacityUnits": len(items) * self._units},
            "ResponseMetadata": {"HTTPHeaders": {"date": "Wed, 25 Nov 2026 10:00:00 GMT"}},
        }
        return answer | ({"LastEvaluatedKey": items[-1]} if last < self._count else {})


def read(table: Table, pace: Pace) -> list[Page]:
    over = threading.Event()
    return [*pages(table, "t", segment=0, segments=1, pace=pace, stop=over)]


def test_every_item_is_read_once_and_consistently() -> None:
    table = Table(1_234, 0.1)
    found = read(table, Pace(10_000))
    assert [int(item["id"]["N"]) for page in found for item in page.items] == [*range(1_234)]
    assert all(asked["ConsistentRead"] for asked in table.asked)
    assert found[0].read_at == datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_a_page_is_what_the_rate_allows_for_a_second() -> None:
    table = Table(500, 0.5)
    start = time.monotonic()
    read(table, Pace(200))
    assert [asked["Limit"] for asked in table.asked] == [100, 400]
    assert time.monotonic() - start >= 50 / 200
    large = Table(101, 100.0)
    pace = Pace(1e9)
    pace.a_second = 10.0  # the size of pages only, without the wait
    pace.spend = lambda *_: None  # type: ignore[method-assign]
    read(large, pace)
    assert [asked["Limit"] for asked in large.asked] == [100, 1]


def test_a_stop_ends_the_wait_and_the_rest_is_read_later() -> None:
    table, over = Table(1_000, 1.0), threading.Event()
    source = Scan(table, "t", segments=1, pace=Pace(100))
    part = Part("0", datetime.now(UTC))
    first = next(iter(source.batches(part, over)))
    assert (len(first.items), first.done) == (100, False)
    part.after = first.after
    rest = [*Scan(table, "t", segments=1, pace=Pace(1e6)).batches(part, over)]
    assert sum(len(batch.items) for batch in rest) == 900
    assert rest[-1].done
    over.set()
    assert not [*source.batches(part, over)]


def test_binary_keys_are_kept_in_the_state() -> None:
    class Binary(Table):
        def scan(self, **asked: Any) -> dict[str, Any]:
            answer = super().scan(**asked | {"ExclusiveStartKey": {"id": {"N": "-1"}}})
            self.asked[-1]["ExclusiveStartKey"] = asked.get("ExclusiveStartKey")
            return answer | {"LastEvaluatedKey": {"id": {"B": b"\xff\x00"}}}

    table = Binary(200, 0.1)
    batches = Scan(table, "t", segments=1, pace=Pace(1e6)).batches(
        Part("0", datetime.now(UTC), after={"id": {"B": "/wA="}}), threading.Event()
    )
    assert next(batches).after == {"id": {"B": "/wA="}}
    assert table.asked[0]["ExclusiveStartKey"] == {"id": {"B": b"\xff\x00"}}


@pytest.mark.parametrize(
    ("moment", "where"),
    [
        ("2026-11-25T10:59:59+00:00", "day=2026-11-25/hour=10/"),
        ("2026-11-25T00:00:00+00:00", "day=2026-11-24/hour=23/"),
        ("2026-11-25T01:00:00+00:00", "day=2026-11-25/hour=01/"),
        ("2027-01-01T00:30:00+00:00", "day=2026-12-31/hour=23/"),
    ],
)
def test_rows_are_never_in_a_later_day_than_changes_made_after_them(
    moment: str, where: str
) -> None:
    assert partition(datetime.fromisoformat(moment)) == where


def test_the_same_range_has_the_same_name_and_another_one_another() -> None:
    end = {"id": {"S": "x"}}
    assert object_name("s", 1, 2, end) == object_name("s", 1, 2, {"id": {"S": "x"}})
    others = {object_name("s", 1, 2, None), object_name("s", 1, 2, {"id": {"S": "y"}})}
    assert len(others | {object_name("s", 1, 2, end), object_name("s", 2, 2, end)}) == 4


PAIRS = Schema(
    name="pairs",
    key="one",
    sort_key="two",
    columns=(
        Column(name="one", attribute="One", type="string", required=True),
        Column(name="two", type="bigint", required=True),
    ),
)


def test_a_snapshots_record_names_its_item_and_comes_before_all_changes() -> None:
    change = changes.snapshot(PAIRS, {"One": {"S": "a/b%"}, "two": {"N": "7"}}, 1.5)
    assert change["eventID"] == "snapshot:a%2Fb%25/7"
    assert change["dynamodb"]["SequenceNumber"] == "0" * 40
    assert change["dynamodb"]["Keys"] == {"One": {"S": "a/b%"}, "two": {"N": "7"}}


def test_its_row_is_that_of_an_insert_but_for_what_makes_it_a_snapshots() -> None:
    schema = Schema(name="ones", key="one", columns=(Column(name="one", type="string"),))
    line = liner(schema, None)
    change = changes.snapshot(schema, {"one": {"S": "a"}, "more": {"B": b"\xff"}}, 1.5)
    insert = change | {"eventName": "INSERT", "eventID": "e"}
    insert["dynamodb"] = change["dynamodb"] | {"SequenceNumber": "5"}
    expected = line(insert).replace(b'"INSERT"', b'"SNAPSHOT"').replace(b'"e"', b'"snapshot:a"')
    assert line(change) == expected.replace(b"0" * 39 + b"5", b"0" * 40)
