"""A DynamoDB export as the starting state."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.batch.batch_support import Lake, change


def item(orderid: str, quantity: int = 1, **attributes: Any) -> dict[str, Any]:
    """An item in DynamoDB's JSON."""
    return {
        "orderid": {"S": orderid},
        "product_name": {"S": "lamp"},
        "quantity": {"N": str(quantity)},
        "price": {"N": "1.50"},
        "created_at": {"S": "2026-03-20T09:00:00.123Z"},
    } | attributes


def export(
    lake: Lake, *lines: dict[str, Any] | str, made: str | None = "2026-03-20T08:00:00.000Z"
) -> str:
    """An export as DynamoDB writes it."""
    folder = Path(lake.folder, "exports", "AWSDynamoDB", "01234-abc")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    texts = [one if isinstance(one, str) else json.dumps({"Item": one}) for one in lines]
    data = gzip.compress("".join(f"{text}\n" for text in texts).encode())
    (folder / "data" / "abcdef.json.gz").write_bytes(data)
    (folder / "data" / "empty.json.gz").write_bytes(gzip.compress(b""))
    summary = {"outputFormat": "DYNAMODB_JSON", "exportTime": made}
    if made:
        (folder / "manifest-summary.json").write_text(json.dumps(summary) + "\n")
    return str(folder) + "/"


def test_an_export_is_the_starting_state_and_the_log_wins_over_it(lake: Lake) -> None:
    where = export(lake, item("old", 7), item("changed", 8), item("deleted", 9))
    figures = lake.run(backfill=where)
    assert (figures.rows_read, figures.inserted, figures.rejected) == (3, 3, 0)
    lake.add(change("changed", 1, "MODIFY"), change("deleted", 2, "REMOVE"), change("new", 3))
    lake.run()
    assert lake.quantities() == {"old": 7, "changed": 1, "new": 3}


def test_an_export_that_comes_after_the_log_changes_nothing_of_it(lake: Lake) -> None:
    lake.add(change("changed", 1, "MODIFY"), change("deleted", 2, "REMOVE"))
    lake.run()
    figures = lake.run(backfill=export(lake, item("old", 7), item("changed"), item("deleted")))
    assert (figures.inserted, figures.skipped) == (1, 2)
    assert lake.quantities() == {"old": 7, "changed": 1}
    assert lake.run().partitions_read == 0, "the watermark is kept"


def test_an_items_values_are_those_that_the_transform_would_give(lake: Lake) -> None:
    extra = {"tags": {"SS": ["b", "a"]}, "weight": {"N": "1.10"}, "gone": {"NULL": True}}
    where = export(
        lake,
        item("a", created_at={"N": "1774000000.5"}, price={"N": "12345678.9"}, **extra),
        item("b", customer={"NULL": True}),
    )
    lake.run(backfill=where)
    row = lake.rows()["a"]
    assert row["price"] == Decimal("12345678.90")
    assert row["created_at"] == datetime(2026, 3, 20, 9, 46, 40, 500000)
    assert row["extras"] == '{"gone":null,"tags":["a","b"],"weight":1.10}'
    assert (row["event_type"], row["sequence_number"]) == ("BACKFILL", "0" * 40)
    assert lake.rows()["b"]["customer"] is None
    assert lake.rows()["b"]["creation_time"] == datetime(2026, 3, 20, 8)


def test_items_that_break_the_schema_are_rejected_and_the_others_loaded(lake: Lake) -> None:
    where = export(
        lake, item("a"), item("b", quantity={"N": "1.5"}), "{broken", '{"Item": {"x": {"S": "y"}}}'
    )
    figures = lake.run(backfill=where)
    assert (figures.rows_read, figures.rejected, figures.inserted) == (4, 3, 1)


def test_an_export_from_before_forgotten_deletes_is_rejected(lake: Lake) -> None:
    lake.add(change("a", 1), change("a", 2, "REMOVE"), hour="2026-03-10-12")
    lake.run()
    lake.add(change("b", 3), hour="2026-03-20-12")
    lake.run(maintenance="always")
    assert set(lake.rows()) == {"b"}
    lake.add(change("b", 4, "MODIFY"), hour="2026-03-20-13")
    lake.run()
    lake.spark.sql(  # the snapshot that forgot expires; what it forgot stays known
        f"CALL lake.system.expire_snapshots(table => '{lake.short}', "
        "older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)"
    )
    before = export(lake, item("a"), made="2026-03-09T00:00:00.000Z")
    with pytest.raises(lake.job.JobError, match="orders deleted in between would come back"):
        lake.run(backfill=before)
    after = export(lake, item("c"), made="2026-03-19T12:00:00.000Z")
    assert lake.run(backfill=after).inserted == 1


def test_another_format_is_rejected(lake: Lake) -> None:
    where = Path(export(lake, item("a")))
    (where / "manifest-summary.json").write_text('{"outputFormat": "ION"}')
    with pytest.raises(lake.job.JobError, match="ION"):
        lake.run(backfill=str(where))


def test_an_export_that_is_not_there_is_named(lake: Lake) -> None:
    with pytest.raises(lake.job.JobError, match="exports/none: there is nothing"):
        lake.run(backfill=str(lake.folder / "exports" / "none"))
