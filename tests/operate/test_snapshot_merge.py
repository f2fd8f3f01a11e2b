"""A snapshot's rows and the changes make the table's state, whatever comes when and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.library import load_views
from operate.snapshot.writing import partition
from schema import BEFORE_ALL, Column, Schema

SCHEMA = Schema(
    name="things",
    key="id",
    columns=(Column(name="id", type="string"), Column(name="value", type="bigint")),
)
EPOCH = datetime(2026, 11, 24, tzinfo=UTC)
KEYS = "abc"
TIMES = (0, 6, 12, 23.8, 23.9, 24, 24.05, 24.1, 24.15, 24.2, 24.5, 36, 47.9, 48, 48.1, 48.2, 72)
"""Hours: few, and most of them around midnight, where partitions change."""
HOURS = TIMES[-1]
LONGEST_BUFFER_HOURS = 0.25


@dataclass(frozen=True)
class Row:
    """An event row and the partition that it is in."""

    key: str
    value: int | None
    event_type: str
    sequence_number: str
    day: str

    @property
    def event_id(self) -> str:
        return self.sequence_number if self.event_type != "SNAPSHOT" else f"snapshot:{self.key}"


@dataclass(frozen=True)
class Write:
    """A write to the table; no value deletes the item."""

    hour: float
    key: str
    value: int | None


def state(writes: list[Write], hour: float) -> dict[str, int]:
    """The table at that hour."""
    held: dict[str, int | None] = {}
    for write in writes:
        if write.hour <= hour:
            held[write.key] = write.value
    return {key: value for key, value in held.items() if value is not None}


def current(rows: list[Row]) -> dict[str, int | None]:
    """What a reader takes for current: the highest sequence number of each key, no deletes."""
    newest: dict[str, Row] = {}
    for row in rows:
        if row.key not in newest or row.sequence_number > newest[row.key].sequence_number:
            newest[row.key] = row
    return {r.key: r.value for r in newest.values() if r.event_type != "REMOVE"}


def changes(writes: list[Write], begin: float, chance: random.Random) -> list[Row]:
    """The stream's records since it began, in the partitions that Firehose chooses."""
    rows, hour = [], begin
    for number, write in enumerate(writes, 1):
        if write.hour < begin:
            continue
        # The object's oldest record may have arrived a buffer's interval before this one. Objects
        # are in the order of the changes.
        hour = max(hour, write.hour - chance.choice((0.0, LONGEST_BUFFER_HOURS)))
        kind = "REMOVE" if write.value is None else "MODIFY"
        day = (EPOCH + timedelta(hours=hour)).date().isoformat()
        rows.append(Row(write.key, write.value, kind, str(number).zfill(40), day))
    return rows


def snapshot(writes: list[Write], begin: float, chance: random.Random, *, scan: bool) -> list[Row]:
    """One snapshot at or after the stream's beginning; a scan reads each item at a time of its own,
    after the moment that its chunk began."""
    rows = []
    moments = [time for time in TIMES if time >= begin]
    once = chance.choice(moments)
    for key in KEYS:
        since, read = sorted(chance.choices(moments, k=2)) if scan else (once, once)
        if key in (held := state(writes, read)):
            day = partition(EPOCH + timedelta(hours=since)).partition("/")[0].removeprefix("day=")
            rows.append(Row(key, held[key], "SNAPSHOT", BEFORE_ALL, day))
    return rows


WRITES = st.lists(
    st.builds(Write, st.sampled_from(TIMES), st.sampled_from(KEYS), st.none() | st.integers(0, 99)),
    max_size=10,
).map(lambda found: sorted(found, key=lambda one: one.hour))


@settings(max_examples=1_000)
@given(
    writes=WRITES,
    begin=st.sampled_from(TIMES[:8]),
    seed=st.integers(0, 2**32),
    scans=st.lists(st.booleans(), min_size=1, max_size=3),
)
def test_whatever_order_and_however_often_rows_arrive(
    writes: list[Write], begin: float, seed: int, scans: list[bool]
) -> None:
    chance = random.Random(seed)
    log = changes(writes, begin, chance)
    for scan in scans:
        log += snapshot(writes, begin, chance, scan=scan)
    log += chance.choices(log, k=len(log) // 2) if log else []  # delivered twice, resumed, repeated
    chance.shuffle(log)
    assert current(log) == state(writes, HOURS)


@settings(max_examples=1_000)
@given(
    writes=WRITES,
    begin=st.sampled_from(TIMES[:8]),
    seed=st.integers(0, 2**32),
    scan=st.booleans(),
    kept_from=st.integers(0, 3),
)
def test_nothing_comes_back_from_the_dead_when_the_log_expires(
    writes: list[Write], begin: float, seed: int, scan: bool, kept_from: int
) -> None:
    """What is left of the log after its first days may lack old items, but has no wrong ones."""
    chance = random.Random(seed)
    log = changes(writes, begin, chance) + snapshot(writes, begin, chance, scan=scan)
    first = (EPOCH + timedelta(days=kept_from)).date().isoformat()
    table = state(writes, HOURS)
    left = current([row for row in log if row.day >= first])
    assert left.items() <= table.items()


@settings(max_examples=60)
@given(writes=WRITES, begin=st.sampled_from(TIMES[:8]), seed=st.integers(0, 2**32))
def test_the_view_of_current_items_follows_the_same_rule(
    writes: list[Write], begin: float, seed: int
) -> None:
    chance = random.Random(seed)
    log = changes(writes, begin, chance) + snapshot(writes, begin, chance, scan=True)
    chance.shuffle(log)
    view = next(one for one in load_views("lake", SCHEMA) if one.name.startswith("current_"))
    with duckdb.connect() as lake:
        lake.execute("CREATE SCHEMA lake")
        columns = ", ".join(f'"{column.name}" varchar' for column in SCHEMA.event_row)
        lake.execute(f"CREATE TABLE lake.projection ({columns}, day varchar, hour varchar)")
        for row in log:
            lake.execute(
                "INSERT INTO lake.projection (id, value, event_type, sequence_number, event_id) "
                "VALUES (?, ?, ?, ?, ?)",
                [row.key, row.value, row.event_type, row.sequence_number, row.event_id],
            )
        found = lake.execute(f"SELECT id, value FROM ({view.sql})").fetchall()
    assert {key: int(value) for key, value in found} == current(log) == state(writes, HOURS)
