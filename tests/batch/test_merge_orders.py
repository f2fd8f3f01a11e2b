from __future__ import annotations

from datetime import datetime

from tests.batch.batch_support import PRICE, Lake, change


def test_inserts_updates_and_deletes_end_as_current_orders(lake: Lake) -> None:
    lake.add(
        change("a", 1), change("b", 2), change("c", 3), change("b", 4, "MODIFY", status="paid")
    )
    first = lake.run()
    assert (first.rows_read, first.inserted, first.superseded) == (4, 3, 1)
    lake.add(
        change("a", 5, "MODIFY"), change("c", 6, "REMOVE"), change("d", 7), hour="2026-11-20-11"
    )
    second = lake.run()
    assert (second.inserted, second.updated, second.deleted, second.skipped) == (1, 1, 1, 0)
    assert second.partitions_read == 1
    assert lake.quantities() == {"a": 5, "b": 4, "d": 7}
    assert lake.current()["b"]["status"] == "paid"
    assert lake.current()["a"]["price"] == PRICE
    assert lake.current()["a"]["created_at"] == datetime(2026, 11, 20, 9, 0, 0, 123000)


def test_a_run_without_anything_new_changes_nothing(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()
    before = lake.snapshots()
    again = lake.run()
    assert (again.rows_read, again.inserted, again.partitions_read) == (0, 0, 0)
    assert lake.snapshots() == before
