"""Runs that are killed, repeated and raced; the watermark; and maintenance."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F  # noqa: N812

from tests.batch.batch_support import Lake, Row, change, lines, model


class KilledError(Exception):
    """Stands in for a machine that disappears."""


def test_a_run_killed_before_its_commit_leaves_the_table_as_it_was(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()
    before = lake.rows(), lake.snapshots()
    lake.add(change("a", 2, "MODIFY"), change("b", 3), hour="2026-03-20-11")

    def die() -> None:
        raise KilledError

    with pytest.raises(KilledError):
        lake.run(before_merge=die)
    assert (lake.rows(), lake.snapshots()) == before
    again = lake.run()
    assert (again.updated, again.inserted) == (1, 1)
    assert lake.quantities() == {"a": 2, "b": 3}


def test_a_run_killed_after_its_commit_is_not_repeated(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.add(change("a", 1))

    def die(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(lake.job.Run, "_maintain", die)
        with pytest.raises(KilledError):
            lake.run()
    assert lake.run().rows_read == 0
    assert lake.quantities() == {"a": 1}


@pytest.mark.parametrize("first", ["a run", "the pack"])
def test_a_pack_within_the_look_back_is_read_again_and_changes_nothing(
    lake: Lake, first: str
) -> None:
    """A function packs the log, and the job is started by hand."""
    sources = [
        lake.add(change("a", 1), change("b", 2), change("c", 3)),
        lake.add(change("a", 4, "MODIFY"), change("b", 5, "REMOVE"), change("b", 2)),
    ]
    if first == "a run":
        lake.run()
    pack = sources[0].with_name("packed-2-0123456789abcdef.gz")
    text = b"".join(gzip.decompress(one.read_bytes()) for one in sources)
    pack.write_bytes(gzip.compress(text))
    beside = lake.run()
    assert (beside.rows_read, beside.duplicates) == (12, 7)
    rows = lake.rows()
    assert lake.quantities() == {"a": 4, "c": 3}
    lake.add(change("c", 6, "MODIFY"), hour="2026-03-21-09")
    for source in sources:
        source.unlink()
    instead = lake.run()
    assert (instead.inserted, instead.updated, instead.deleted) == (0, 1, 0)
    assert lake.quantities() == {"a": 4, "c": 6}
    assert {key: row for key, row in lake.rows().items() if key != "c"} == {
        key: row for key, row in rows.items() if key != "c"
    }


def test_files_that_a_killed_run_wrote_are_in_no_query(lake: Lake) -> None:
    """Killed while it writes: the files exist, but no commit."""
    lake.add(change("a", 1))
    lake.run()
    (data,) = lake.spark.table(f"{lake.name}.files").select("file_path").collect()
    shutil.copy(data[0].removeprefix("file:"), data[0].removeprefix("file:") + ".stray.parquet")
    assert lake.quantities() == {"a": 1}


def test_of_two_runs_at_once_one_wins_and_the_other_starts_over(lake: Lake) -> None:
    lake.add(change("a", 1), change("b", 2))
    lake.run()
    lake.add(change("a", 3, "MODIFY"), change("c", 4), hour="2026-03-20-11")
    inner: list[Any] = []

    def race() -> None:
        if not inner:
            inner.append(lake.run())

    outer = lake.run(before_merge=race)
    assert (inner[0].updated, inner[0].inserted, inner[0].attempts) == (1, 1, 1)
    assert (outer.rows_read, outer.attempts) == (0, 2)  # by then there was nothing left to do
    assert lake.quantities() == {"a": 3, "b": 2, "c": 4}


@pytest.mark.parametrize("full", [False, True], ids=["into an empty table", "into a full one"])
def test_a_commit_that_lands_during_the_merge_makes_it_fail_whole(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    """The latest moment: the merge has begun to write, and the other run commits."""
    if full:
        lake.add(change("z", 1))
        lake.run()
    lake.add(change("a", 3), change("b", 4), hour="2026-03-20-11")
    started, go = lake.folder / "started", lake.folder / "go"

    @F.udf("boolean")
    def wait(_: str) -> bool:
        try:
            Path(started).touch(exist_ok=False)
        except FileExistsError:  # a second reader: only one may hold a core
            return True
        while not Path(go).exists():
            time.sleep(0.05)
        return True

    table = lake.table_class
    merge, slow = table.merge, threading.Event()

    def slow_once(self: Any, changes: Any, state: Any, **more: Any) -> Any:
        if not slow.is_set():
            slow.set()
            changes = changes.coalesce(1).where(wait("orderid"))
        return merge(self, changes, state, **more)

    monkeypatch.setattr(table, "merge", slow_once)
    with ThreadPoolExecutor(1) as pool:
        outer = pool.submit(lake.run)
        try:
            while not started.exists() and not outer.done():
                time.sleep(0.05)
            inner = lake.run()
        finally:
            go.touch()
        assert (inner.attempts, inner.inserted) == (1, 2)
        assert (outer.result().attempts, outer.result().rows_read) == (2, 0)
    assert lake.quantities() == {"a": 3, "b": 4} | ({"z": 1} if full else {})


def test_runs_that_are_always_raced_give_up_and_say_so(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()
    lake.add(change("b", 2), hour="2026-03-20-11")

    def race() -> None:
        lake.spark.sql(f"INSERT INTO {lake.name} SELECT * FROM {lake.name} LIMIT 1")

    with pytest.raises(lake.job.JobError, match="5 times in a row: run one job at a time"):
        lake.run(before_merge=race)


def test_only_hours_with_something_new_are_read_again(lake: Lake) -> None:
    for hour in range(10, 20):
        lake.add(change(f"order-{hour}", hour), hour=f"2026-03-20-{hour}")
    assert lake.run().partitions_read == 10
    lake.add(change("late", 30), hour="2026-03-20-12")
    lake.add(change("new", 31), hour="2026-03-20-20")
    figures = lake.run()
    assert (figures.partitions_read, figures.rows_read) == (2, 3)
    assert (figures.inserted, figures.skipped) == (2, 1)


def test_objects_that_lost_rows_are_no_news(lake: Lake) -> None:
    """`operate erase` writes them again without rows, or empty."""
    some = lake.add(change("a", 1), change("gone", 2))
    all_ = lake.add(change("gone", 3), name="plain.json")
    lake.run()
    some.write_bytes(gzip.compress(lines([change("a", 1)])))
    all_.write_bytes(b"")
    figures = lake.run()
    assert (figures.partitions_read, figures.rows_read) == (0, 0)
    lake.add(change("b", 4))
    assert lake.run().rows_read == 2


def test_what_comes_later_than_the_look_back_is_not_looked_for(lake: Lake) -> None:
    lake.add(change("a", 1), hour="2026-03-20-12")
    lake.run()
    lake.add(change("too late", 2), hour="2026-03-18-11")
    lake.add(change("in time", 3), hour="2026-03-19-12")
    assert lake.run().partitions_read == 1
    assert set(lake.quantities()) == {"a", "in time"}


def test_the_watermark_is_in_the_snapshot_that_holds_its_rows(lake: Lake) -> None:
    for hour in ("2026-03-20-10", "2026-03-20-11"):
        lake.add(change(hour, 1), hour=hour)
        lake.run()
    summaries = [row["summary"] for row in lake.snapshots()]
    assert [json.loads(s["sales-cdc.state"])["watermark"] for s in summaries] == [
        "2026-03-20-10",
        "2026-03-20-11",
    ]


def test_a_table_that_lost_its_watermark_is_brought_up_from_the_whole_log(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()
    lake.spark.sql(f"CALL lake.system.rewrite_data_files(table => '{lake.short}')")
    lake.spark.sql(f"DELETE FROM {lake.name} WHERE true")
    lake.spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{lake.short}', "
        "older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)"
    )
    lake.run()
    assert lake.quantities() == {"a": 1}


def test_maintenance_compacts_and_keeps_rows_and_watermark(lake: Lake) -> None:
    for number in range(1, 5):
        lake.add(change("a", number, "MODIFY"), change(f"b{number}", 10 + number))
        lake.run()
    before = lake.rows()
    figures = lake.run(maintenance="always")
    assert figures.compacted_files > 1
    assert lake.rows() == before
    contents = lake.spark.table(f"{lake.name}.files").select("content").collect()
    assert {row[0] for row in contents} == {0}, "delete files are left"
    assert lake.run().partitions_read == 0


def test_by_default_files_are_compacted_when_there_are_too_many(lake: Lake) -> None:
    compacted = []
    for number in range(1, 5):
        lake.add(*(change(f"{key}", number, "MODIFY") for key in range(20)))
        compacted.append(lake.run(maintenance="auto", compact_files=2).compacted_files)
    assert any(compacted)
    assert compacted[0] == 0
    assert set(lake.quantities().values()) == {4}


def test_a_compaction_costs_by_what_changed_since_the_last(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_table._SMALL", 40_000)
    lake.add(*(change(f"order-{n}", n, customer=f"{n * 7919:x}" * 9) for n in range(5000)))
    lake.run()
    (old, size) = lake.files(content=0)
    assert all(one > 40_000 for one in size)
    for number in range(6000, 6004):
        lake.add(*(change(f"order-{n}", number, "MODIFY") for n in range(4)))
        figures = lake.run(maintenance="auto", compact_files=3)
        deletes, _ = lake.files(content=1)
        assert len(deletes) <= 2 * 3, "the number of files is bounded"
    assert figures.compacted_files >= 4
    assert 0 < figures.compacted_bytes < sum(size)
    now, _ = lake.files(content=0)
    assert set(old) < set(now), "what did not change was not rewritten"
    assert [lake.quantities()[f"order-{n}"] for n in range(5)] == [6003, 6003, 6003, 6003, 4]


def test_a_bucket_is_rewritten_when_a_quarter_of_its_rows_is_dead(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_table._SMALL", 0)
    lake.add(*(change(f"order-{n}", n) for n in range(100)))
    lake.run(buckets=1)
    for first, compacted in ((0, False), (20, True)):
        lake.add(*(change(f"order-{n}", 200 + n, "MODIFY") for n in range(first, first + 20)))
        assert bool(lake.run(maintenance="auto").compacted_files) is compacted
    assert lake.files(content=1)[0] == []
    assert len(lake.quantities()) == 100


def test_a_run_compacts_the_worst_bucket_and_leaves_the_rest_to_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        lake.add(*(change(f"{key}", number, "MODIFY") for key in range(20)))
        lake.run()
    monkeypatch.setattr("orders_table._MOST_BYTES", 1)

    def files_of_runs() -> dict[str, int]:
        """Per bucket: its delete files, of which a rewritten one has none."""
        paths, _ = lake.files(content=1)
        return Counter(path.split("orderid_bucket=")[1][0] for path in paths)

    assert sorted(files_of_runs().values()) == [2, 2]
    for left in (1, 0):
        lake.add(change(f"new-{left}", 100))
        assert lake.run(maintenance="auto").compacted_files in {3, 4}
        assert len(files_of_runs()) == left
    assert lake.quantities() == {str(key): 3 for key in range(20)} | {"new-1": 100, "new-0": 100}


def test_a_table_that_has_outgrown_its_buckets_gets_more(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.add(*(change(f"{key}", 1) for key in range(100)))
    lake.run()
    monkeypatch.setattr("orders_table._ROWS_A_BUCKET", 20)
    lake.add(*(change(f"{key}", 2, "MODIFY") for key in range(50)), hour="2026-03-20-11")

    def die(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(lake.table_class, "_rewrite", die)
        with pytest.raises(KilledError):
            lake.run(maintenance="auto")
    monkeypatch.undo()
    expected = {str(key): 2 if key < 50 else 1 for key in range(100)}
    assert lake.quantities() == expected
    changes = (change(f"{key}", 3, "REMOVE" if key % 2 else "MODIFY") for key in range(10))
    lake.add(*changes, change("new", 4), hour="2026-03-20-12")  # with files of both kinds
    assert lake.run(maintenance="auto").compacted_files >= 4
    expected |= {str(key): 3 for key in range(0, 10, 2)} | {"new": 4}
    for key in range(1, 10, 2):
        del expected[str(key)]
    assert lake.quantities() == expected
    assert lake.buckets() == set(range(8))
    lake.add(change("newer", 5), hour="2026-03-20-13")
    assert lake.run(maintenance="auto").compacted_files == 0
    assert lake.quantities() == expected | {"newer": 5}


def test_deletes_are_forgotten_after_twice_the_look_back(lake: Lake) -> None:
    lake.add(change("a", 1), change("a", 2, "REMOVE"), change("b", 3), hour="2026-03-20-12")
    lake.run(maintenance="always")
    lake.add(change("b", 4, "MODIFY"), hour="2026-03-22-12")
    lake.run(maintenance="always")
    assert set(lake.rows()) == {"a", "b"}
    lake.add(change("b", 5, "MODIFY"), hour="2026-03-22-13")
    lake.run(maintenance="auto")
    assert set(lake.rows()) == {"a", "b"}, "by default once a day"
    lake.add(change("b", 6, "MODIFY"), hour="2026-03-23-00")
    lake.run(maintenance="auto")
    assert set(lake.rows()) == {"b"}


KEYS = "abcdef"


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Row], list[list[int]]]:
    """A change log, and the part that each run finds: in any order, with copies and splits."""
    kinds = draw(st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), min_size=1, max_size=40))
    rows, live = [], set()
    for number, (key, delete) in enumerate(kinds, 1):
        kind = "REMOVE" if delete and key in live else "MODIFY" if key in live else "INSERT"
        (live.discard if kind == "REMOVE" else live.add)(key)
        rows.append(change(key, number, kind))
    copies = draw(st.lists(st.integers(0, len(rows) - 1), max_size=10))
    order = draw(st.permutations([*range(len(rows)), *copies]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), min_size=1, max_size=2)))
    edges = [0, *cuts, len(order)]
    return rows, [list(order[a:b]) for a, b in itertools.pairwise(edges)]


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(logs(), st.lists(st.integers(0, 20), min_size=3, max_size=3))
def test_any_interleaving_duplication_and_splitting_gives_the_models_state(
    spark: Any, tmp_path_factory: pytest.TempPathFactory, log: Any, hours: list[int]
) -> None:
    lake = Lake(spark, tmp_path_factory.mktemp("lake"))
    rows, parts = log
    for part, hour in zip(parts, hours, strict=False):
        if part:
            lake.add(*(rows[i] for i in part), hour=f"2026-03-20-{hour:02d}")
        lake.run()
    assert lake.quantities() == model(rows)


def test_a_table_of_an_older_version_gets_the_columns_that_a_merge_compares(lake: Lake) -> None:
    """Without them, a merge would find none of the old rows and insert each order again."""
    lake.add(change("a", 1), change("b", 2), change("c", 3), change("c", 4, "REMOVE"))
    lake.run()
    compared = ("key_hash_1", "key_hash_2", "version_1", "version_2", "version_3")
    before = lake.spark.table(lake.name).select("orderid", *compared).collect()
    lake.spark.sql(
        f"ALTER TABLE {lake.name} UNSET TBLPROPERTIES ('write.metadata.metrics.column.key_hash_1')"
    )
    for name in compared:
        lake.spark.sql(f"ALTER TABLE {lake.name} DROP COLUMN {name}")
    lake.add(change("a", 9, "MODIFY"), change("c", 3, event_id="late"), hour="2026-03-20-11")

    def die() -> None:
        raise KilledError

    with pytest.raises(KilledError):
        lake.run(before_merge=die)
    filled = lake.spark.table(lake.name).select("orderid", *compared).collect()
    assert sorted(filled) == sorted(before)
    figures = lake.run()
    assert (figures.updated, figures.inserted, figures.skipped) == (1, 0, 1)
    assert lake.quantities() == {"a": 9, "b": 2}
    snapshots = len(lake.snapshots())
    lake.run()
    assert len(lake.snapshots()) == snapshots


def test_numbers_of_40_digits_are_compared_exactly(lake: Lake) -> None:
    numbers = (10**39 + 2 * 10**18, 10**39 + 10**18 + 7, 9 * 10**36, 10**22 + 5, 10**22 + 4)
    for step, number in enumerate(numbers):
        lake.add(change("a", number, "MODIFY", quantity=step, event_id=f"{step}"))
        lake.add(change(f"b{step}", number, quantity=step), change(f"b{step}", 3, quantity=9))
        lake.run()
    assert lake.quantities() == {"a": 0} | {f"b{step}": step for step in range(5)}
