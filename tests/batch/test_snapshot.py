"""Snapshot rows: what was in the table before the log began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.batch.batch_support import Lake, Row, change, model, snapshot


def test_a_snapshot_is_the_starting_state_and_the_log_wins_over_it(lake: Lake) -> None:
    lake.add(snapshot("old", 7), snapshot("changed", 8), snapshot("deleted", 9))
    figures = lake.run()
    assert (figures.rows_read, figures.inserted, figures.rejected) == (3, 3, 0)
    lake.add(
        change("changed", 1, "MODIFY"),
        change("deleted", 2, "REMOVE", deleted_by="ttl"),
        change("new", 3),
        hour="2026-03-20-11",
    )
    figures = lake.run()
    assert (figures.updated, figures.deleted, figures.inserted) == (1, 1, 1)
    assert lake.quantities() == {"old": 7, "changed": 1, "new": 3}
    assert lake.rows()["old"]["event_type"] == "SNAPSHOT"
    assert lake.rows()["deleted"]["deleted_by"] == "ttl"


def test_a_snapshot_that_comes_after_the_log_changes_nothing_of_it(lake: Lake) -> None:
    lake.add(change("changed", 1, "MODIFY"), change("deleted", 2, "REMOVE"))
    lake.run()
    rows = [snapshot("old", 7), snapshot("changed"), snapshot("deleted")]
    lake.add(*rows, *rows, hour="2026-03-20-11")
    figures = lake.run()
    assert (figures.inserted, figures.skipped, figures.duplicates) == (1, 2, 3)
    lake.add(*rows, hour="2026-03-20-12")  # taken again
    figures = lake.run()
    assert (figures.inserted, figures.updated, figures.skipped) == (0, 0, 3)
    assert lake.quantities() == {"old": 7, "changed": 1}


def test_a_snapshot_from_before_forgotten_deletes_is_rejected(lake: Lake) -> None:
    lake.add(change("a", 1), change("a", 2, "REMOVE"), hour="2026-03-10-12")
    lake.run()
    lake.add(change("b", 3), hour="2026-03-20-12")
    lake.run(maintenance="always")  # forgets the deletes before 2026-03-18-12
    assert set(lake.rows()) == {"b"}
    lake.add(change("b", 4, "MODIFY"), hour="2026-03-20-13")
    lake.run()
    lake.spark.sql(  # the Iceberg snapshot that forgot expires; what it forgot stays known
        f"CALL lake.system.expire_snapshots(table => '{lake.short}', "
        "older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)"
    )
    lake.add(
        snapshot("a", read="2026-03-09 00:00:00.000"),
        # A delete of the hour after is perhaps filed under the hour before it.
        snapshot("b", read="2026-03-18 12:59:59.999"),
        snapshot("no time", creation_time=None),
        snapshot("c", read="2026-03-18 13:00:00.000"),
        hour="2026-03-20-14",
    )
    figures = lake.run()
    reason = "a snapshot from before deletes that are forgotten"
    assert figures.rejected_by_reason == {reason: 3}
    assert (figures.inserted, set(lake.quantities())) == (1, {"b", "c"})


# The merge rule: a plain table, a scan of it, its stream, and the batch. Spark stays out of it.
KEYS = "abcdef"
LOOK_BACK = 4
"""Hours that a change may arrive late. A snapshot's rows may come later: they are then rejected."""


@dataclass
class World:
    """A DynamoDB table that is scanned while it changes, and the batch job's table of it."""

    dice: Random
    items: dict[str, int] = field(default_factory=dict)
    on_the_way: list[tuple[int, Row]] = field(default_factory=list)  # hour of arrival, row
    log: list[tuple[int, Row]] = field(default_factory=list)
    table: dict[str, tuple[int, Row]] = field(default_factory=dict)
    merged: int = 0  # rows of the log that a run has read
    forgotten: int | None = None
    rejected: set[str] = field(default_factory=set)
    hour: int = 0
    number: int = 0
    read: list[str] = field(default_factory=list)

    def send(self, row: Row, most: int = LOOK_BACK) -> None:
        """Deliver a row once or twice, each time late by some hours, in any order."""
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            self.on_the_way.append((self.hour + self.dice.randint(0, most), row))

    def write(self, key: str) -> None:
        """Insert or update an item."""
        self.number += 1
        kind = "MODIFY" if key in self.items else "INSERT"
        self.items[key] = self.number
        self.send(change(key, self.number, kind))

    def delete(self, key: str) -> None:
        """Delete an item, or let it expire."""
        if self.items.pop(key, None) is not None:
            self.number += 1
            deleted_by = self.dice.choice(("ttl", None))
            self.send(change(key, self.number, "REMOVE", deleted_by=deleted_by))

    def scan(self, keys: Sequence[str]) -> None:
        """Read a page. Twice is well: a snapshot that was killed begins its page again."""
        for key in keys:
            self.read.append(key)
            if key in self.items:
                self.send(snapshot(key, self.items[key], read=str(self.hour)), 3 * LOOK_BACK)

    def pass_hour(self) -> None:
        """An hour later: what was on the way for so long is in the log."""
        self.dice.shuffle(self.on_the_way)
        arrived = [
            (self.hour - self.dice.randint(0, 1), row)  # filed under its object's first record
            for hour, row in self.on_the_way
            if hour <= self.hour
        ]
        self.on_the_way = [one for one in self.on_the_way if one[0] > self.hour]
        self.log += arrived
        self.hour += 1

    def run(self, *, forget: bool) -> None:
        """What merge_orders.py does, without Spark."""
        rows = [
            (hour, row)
            for index, (hour, row) in enumerate(self.log)
            if index >= self.merged or hour >= self.hour - LOOK_BACK  # some hours are read again
        ]
        self.merged = len(self.log)
        for hour, row in rows:
            key = row["orderid"]
            is_snapshot = row["event_type"] == "SNAPSHOT"
            # Forgotten are deletes filed before that hour, so made up to an hour later.
            told = is_snapshot and self.forgotten is not None
            if told and int(row["creation_time"]) - 1 < self.forgotten:
                self.rejected.add(key)
                continue
            known = self.table.get(key)
            if known is None or row["sequence_number"] > known[1]["sequence_number"]:
                self.table[key] = hour, row
        horizon = self.hour - 2 * LOOK_BACK
        gone = {
            key
            for key, (hour, row) in self.table.items()
            if row["event_type"] == "REMOVE" and hour < horizon
        }
        if forget and gone:
            self.forgotten = horizon
            self.table = {key: one for key, one in self.table.items() if key not in gone}


def values(rows: Mapping[str, tuple[int, Row]]) -> dict[str, int]:
    return {k: row["quantity"] for k, (_, row) in rows.items() if row["event_type"] != "REMOVE"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("write", "delete", "scan", "pass_hour", "pass_hour", "run", "forget")),
        st.sampled_from(KEYS),
    ),
    max_size=60,
)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.sets(st.sampled_from(KEYS)), STEPS, st.integers(0, 2**32))
def test_whatever_happens_during_a_snapshot_nothing_is_missed_or_brought_back(
    before: set[str], steps: list[tuple[str, str]], seed: int
) -> None:
    world = World(Random(seed))
    world.items = {key: -number for number, key in enumerate(sorted(before), 1)}
    for step, key in steps:
        match step:
            case "write":
                world.write(key)
            case "delete":
                world.delete(key)
            case "scan":
                world.scan([key])
            case "pass_hour":
                world.pass_hour()
            case _:
                world.run(forget=step == "forget")
    world.scan([key for key in KEYS if key not in world.read])
    for _ in range(3 * LOOK_BACK + 1):
        world.pass_hour()
        world.run(forget=True)
    assert not world.on_the_way
    # The view over the log alone.
    assert model(row for _, row in world.log) == world.items
    # The batch's table: nothing else is in it, and what is missing was rejected with its reason.
    found = values(world.table)
    assert found == {k: v for k, v in world.items.items() if k in found or k not in world.rejected}


def test_spark_merges_interleavings_as_the_model_does(lake: Lake) -> None:
    """Each interleaving has keys of its own, so that two runs of the job do for all."""
    parts: list[list[Row]] = [[], []]
    expected: dict[str, int] = {}
    for seed in range(6):
        dice = Random(seed)
        world = World(dice)
        world.items = dict.fromkeys(dice.sample(KEYS, 4), -1)
        unread = dice.sample(KEYS, len(KEYS))
        while unread:
            {0: world.write, 1: world.delete}.get(dice.randrange(3), lambda key: None)(
                dice.choice(KEYS)
            )
            world.scan([unread.pop()])
        for _ in range(3 * LOOK_BACK + 1):
            world.pass_hour()
        for hour, row in world.log:
            own: dict[str, Any] = {"orderid": f"{seed}-{row['orderid']}"}
            own["event_id"] = f"{seed}-{row['event_id']}"
            if row["event_type"] == "SNAPSHOT":
                own["creation_time"] = "2026-03-20 08:00:00.000"
            parts[hour > LOOK_BACK // 2].append(row | own)
        expected |= {f"{seed}-{key}": value for key, value in world.items.items()}
    for number, rows in enumerate(parts):
        assert {row["event_type"] for row in rows} >= {"SNAPSHOT", "MODIFY"}
        lake.add(*rows, hour=f"2026-03-20-{10 + number}")
        assert lake.run().rejected == 0
    assert lake.quantities() == expected


@pytest.mark.parametrize("kind", ["BACKFILL", "snapshot"])
def test_no_other_event_type_is_a_snapshot(lake: Lake, kind: str) -> None:
    lake.add(snapshot("a") | {"event_type": kind})
    assert lake.run().rejected_by_reason == {"no known event_type": 1}
