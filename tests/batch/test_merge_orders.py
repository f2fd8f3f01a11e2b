from __future__ import annotations

import json
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from client.parquet import RowConverter
from schema import ORDERS, Column
from schema.model import TABLE_COLUMNS
from tests.batch.batch_support import PRICE, Lake, change, columns_of, lines


def test_inserts_updates_and_deletes_end_as_current_orders(lake: Lake) -> None:
    lake.add(
        change("a", 1), change("b", 2), change("c", 3), change("b", 4, "MODIFY", status="paid")
    )
    first = lake.run()
    assert (first.rows_read, first.inserted, first.superseded) == (4, 3, 1)
    changes = [change("a", 5, "MODIFY"), change("c", 6, "REMOVE"), change("d", 7)]
    lake.add(*changes, hour="2026-03-20-11")
    second = lake.run()
    assert (second.inserted, second.updated, second.deleted, second.skipped) == (1, 1, 1, 0)
    assert second.partitions_read == 1
    assert lake.quantities() == {"a": 5, "b": 4, "d": 7}
    assert lake.current()["b"]["status"] == "paid"
    assert lake.current()["a"]["price"] == PRICE
    assert lake.current()["a"]["created_at"] == datetime(2026, 3, 20, 9, 0, 0, 123000)


@pytest.mark.parametrize("few", [0, 500_000], ids=["many changes", "few changes"])
def test_what_a_run_did_to_current_orders_is_counted(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(lake.job, "_FEW", few)
    lake.add(*(change(key, 1) for key in "abcd"), change("dead", 2, "REMOVE"))
    first = lake.run()
    assert (first.inserted, first.updated, first.deleted, first.skipped) == (4, 0, 0, 1)
    lake.add(
        change("a", 11, "MODIFY"),
        change("b", 12, "REMOVE"),
        change("c", 0, "MODIFY"),  # older than what the table has
        change("dead", 13),
        change("new", 14),
        change("unknown", 15, "REMOVE"),
        hour="2026-03-20-11",
    )
    second = lake.run()
    assert (second.inserted, second.updated, second.deleted, second.skipped) == (2, 1, 1, 2)
    assert {key: row["previous_event_type"] for key, row in lake.rows().items()} == {
        "a": "INSERT",
        "b": "INSERT",
        "c": None,
        "d": None,
        "dead": "REMOVE",
        "new": None,
        "unknown": None,
    }


def test_a_run_leaves_sparks_settings_as_they_were(lake: Lake) -> None:
    names = ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")
    before = [lake.spark.conf.get(name) for name in names]
    lake.add(change("a", 1))
    lake.run()
    assert [lake.spark.conf.get(name) for name in names] == before


def test_a_table_of_an_older_version_is_brought_up(lake: Lake) -> None:
    lake.add(change("a", 1), change("b", 2))
    lake.run()
    lake.spark.sql(f"ALTER TABLE {lake.name} DROP COLUMNS previous_event_type, deleted_by")
    lake.spark.sql(f"ALTER TABLE {lake.name} UNSET TBLPROPERTIES ('write.delete.granularity')")
    gone = change("a", 3, "REMOVE", deleted_by="ttl")
    lake.add(gone, change("c", 4), hour="2026-03-20-11")
    figures = lake.run()
    assert (figures.inserted, figures.deleted) == (1, 1)
    assert {key: row["deleted_by"] for key, row in lake.rows().items()} == {
        "a": "ttl",
        "b": None,
        "c": None,
    }
    properties = {
        row[0]: row[1] for row in lake.spark.sql(f"SHOW TBLPROPERTIES {lake.name}").collect()
    }
    assert properties["write.delete.granularity"] == "partition"


def test_a_run_without_anything_new_changes_nothing(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()
    before = lake.snapshots()
    again = lake.run()
    assert (again.rows_read, again.inserted, again.partitions_read) == (0, 0, 0)
    assert lake.snapshots() == before


def test_an_empty_log_makes_an_empty_table(lake: Lake) -> None:
    figures = lake.run()
    assert (figures.rows_read, figures.watermark) == (0, None)
    assert lake.rows() == {}


def test_duplicates_disorder_and_late_arrivals_change_nothing(lake: Lake) -> None:
    newest = change("a", 9, "MODIFY")
    lake.add(newest, change("a", 3, "MODIFY"), change("a", 9, "MODIFY"))
    first = lake.run()
    assert (first.duplicates, first.superseded, first.inserted) == (1, 1, 1)
    # A copy, and older changes, in an hour that was read before.
    lake.add(change("a", 1), newest)
    second = lake.run()
    assert (second.skipped, second.inserted, second.updated) == (1, 0, 0)
    assert lake.quantities() == {"a": 9}


def test_sequence_numbers_are_compared_as_numbers_of_any_length(lake: Lake) -> None:
    lake.add(
        change("a", 99), change("a", 100, "MODIFY"), change("b", 10**21, quantity=1), change("b", 7)
    )
    lake.run()
    assert lake.rows()["a"]["quantity"] == 100
    assert lake.rows()["b"]["sequence_number"] == f"{10**21:040d}"


def test_an_update_that_arrives_after_a_later_delete_does_not_bring_the_order_back(
    lake: Lake,
) -> None:
    lake.add(change("a", 1), change("b", 2))
    lake.run()
    lake.add(change("a", 8, "REMOVE"), hour="2026-03-20-11")
    assert lake.run().deleted == 1
    lake.add(change("a", 5, "MODIFY"), hour="2026-03-21-01")
    late = lake.run(maintenance="always")
    assert (late.skipped, late.inserted) == (1, 0)
    assert lake.quantities() == {"b": 2}


def test_of_a_deleted_order_no_value_is_kept(lake: Lake) -> None:
    lake.add(change("a", 1, customer="Ada"), change("a", 2, "REMOVE", customer="Ada"))
    lake.run()
    dead = lake.rows()["a"]
    assert dead["event_type"] == "REMOVE"
    assert [dead[name] for name in ("customer", "product_name", "price", "extras")] == [None] * 4


def test_an_order_may_be_placed_again_after_its_delete(lake: Lake) -> None:
    lake.add(change("a", 1), change("a", 2, "REMOVE"))
    lake.run()
    lake.add(change("a", 3), hour="2026-03-20-12")
    assert lake.run().inserted == 1
    assert lake.quantities() == {"a": 3}


def test_a_delete_without_values_is_enough(lake: Lake) -> None:
    """As a NEW_IMAGE or KEYS_ONLY stream has it."""
    lake.add(change("a", 1))
    lake.run()
    bare = dict.fromkeys(("product_name", "quantity", "price", "created_at"))
    lake.add(change("a", 2, "REMOVE", **bare), hour="2026-03-20-12")
    lake.run()
    assert lake.quantities() == {}


def test_rows_that_cannot_be_used_are_counted_by_reason_and_the_others_merged(lake: Lake) -> None:
    good = change("good", 1)
    bad = lake.add(
        good,
        "{not json",
        "[1, 2]",
        "plain",
        json.dumps(change("x", 2)) + json.dumps(change("y", 3)),  # no newline between
        change(None, 4),  # type: ignore[arg-type]
        change("x", 5, "UPSERT"),
        change("x", 6, sequence_number="6"),
        change("x", 7) | {"event_id": None},
        change("x", 8, price=19.999),
        change("x", 9, quantity=1.5),
        change("x", 10, quantity=2**31),
        change("x", 11, created_at="yesterday"),
        change("x", 12, price=12345678901.5),
        "",
        change("braces", 13, product_name='a "}{" b: {"x":1}{"y": 2}'),
    )
    figures = lake.run()
    assert set(lake.quantities()) == {"good", "braces"}
    assert lake.rows()["braces"]["product_name"] == 'a "}{" b: {"x":1}{"y": 2}'
    assert figures.rows_read == 15
    assert figures.rejected == 13
    assert sum(figures.rejected_by_reason.values()) == 13
    assert figures.rejected_by_reason["no key"] == 1
    assert figures.rejected_by_reason["no known event_type"] == 1
    assert figures.rejected_by_reason["no sequence_number"] == 1
    assert figures.rejected_by_reason["no event_id"] == 1
    assert figures.rejected_files == [f"file:{bad}"]


def test_prices_keep_every_digit(lake: Lake) -> None:
    prices = {"a": "0.10", "b": "12345678.99", "c": "-0.01", "d": "5", "e": "1E+2"}
    for number, (key, text) in enumerate(prices.items(), 1):
        row = json.dumps(change(key, number, price=77)).replace('"price": 77', f'"price": {text}')
        lake.add(row)
    lake.run()
    assert {k: row["price"] for k, row in lake.rows().items()} == {
        key: Decimal(text).quantize(Decimal("0.01")) for key, text in prices.items()
    }


def test_a_new_column_is_added_and_old_rows_have_none_of_it(lake: Lake) -> None:
    lake.add(change("a", 1), change("b", 2))
    lake.run()
    wider = replaced(ORDERS, columns=(*ORDERS.columns, Column(name="coupon", type="string")))
    new = change("b", 3, "MODIFY", coupon="TEN")
    lake.add(new, change("c", 4, coupon="SIX"), hour="2026-03-20-12")
    lake.run(columns=columns_of(wider))
    assert {key: row["coupon"] for key, row in lake.rows().items()} == {
        "a": None,
        "b": "TEN",
        "c": "SIX",
    }


def test_a_column_that_the_schema_lost_stays_and_is_empty_in_new_rows(lake: Lake) -> None:
    lake.add(change("a", 1, status="paid"), change("b", 2, status="paid"))
    lake.run()
    narrow = replaced(ORDERS, columns=tuple(c for c in ORDERS.columns if c.name != "status"))
    row = change("a", 3, "MODIFY")
    del row["status"]
    lake.add(row, hour="2026-03-20-12")
    assert lake.run(columns=columns_of(narrow)).unknown_columns == []
    assert {key: row["status"] for key, row in lake.rows().items()} == {"a": None, "b": "paid"}


def test_a_wider_type_widens_the_column_and_another_type_is_rejected(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.run()

    def with_types(**kinds: str) -> Any:
        columns = (replaced(c, type=kinds.get(c.name, c.type)) for c in ORDERS.columns)
        return columns_of(replaced(ORDERS, columns=tuple(columns)))

    lake.add(change("b", 2, quantity=2**40), hour="2026-03-20-12")
    lake.run(columns=with_types(quantity="bigint"))
    assert lake.quantities() == {"a": 1, "b": 2**40}
    with pytest.raises(lake.job.JobError, match=r"column price is .* string in the schema"):
        lake.run(columns=with_types(quantity="bigint", price="string"))


def test_columns_that_the_schema_does_not_know_are_reported(lake: Lake) -> None:
    lake.add(change("a", 1, coupon="TEN", colour="red"))
    figures = lake.run()
    assert figures.unknown_columns == ["colour", "coupon"]
    assert lake.quantities() == {"a": 1}


def test_parquet_as_firehose_writes_it_gives_the_same_rows(lake: Lake) -> None:
    rows = [change("a", 1), change("b", 2, created_at=None), change("b", 3, "REMOVE")]
    convert = RowConverter([(column.name, column.hive) for column in ORDERS.event_row])
    data = convert.parquet(lines(rows).splitlines())
    lake.add(change("c", 4), name="first.gz")  # the format was changed within the hour
    lake.add(name="second.parquet").write_bytes(data)
    figures = lake.run()
    assert (figures.rows_read, figures.rejected, figures.inserted) == (4, 0, 2)
    table = lake.rows()
    assert {**table["a"], **dict.fromkeys(("orderid", "quantity"))} == {
        **table["c"],
        **dict.fromkeys(("orderid", "quantity")),
        "event_id": "a-1",
        "sequence_number": f"{1:040d}",
    }


def test_parquet_with_a_column_more_or_less_is_read(lake: Lake) -> None:
    convert = RowConverter([(column.name, column.hive) for column in ORDERS.event_row])
    int96 = {"use_deprecated_int96_timestamps": True}
    path = lake.add(name="one.parquet")
    path.write_bytes(convert.parquet(lines([change("a", 1)]).splitlines()))
    table = pq.read_table(path).drop_columns(["customer"])
    pq.write_table(table.append_column("coupon", pa.array(["TEN"])), path, **int96)
    assert lake.run().unknown_columns == ["coupon"]
    assert lake.rows()["a"]["customer"] is None


def test_a_table_with_a_sort_key_has_a_row_for_each_item(lake: Lake) -> None:
    keyed = columns_of(replaced(ORDERS, sort_key="product_name"))
    lake.add(
        change("a", 1, product_name="lamp"),
        change("a", 2, product_name="fan"),
        change("a", 3, "REMOVE", product_name="lamp"),
    )
    lake.run(columns=keyed)
    rows = lake.spark.table(f"lake.sales.{lake.options.table}").collect()
    assert {(r["product_name"], r["event_type"]) for r in rows} == {
        ("lamp", "REMOVE"),
        ("fan", "INSERT"),
    }


def test_files_that_are_no_rows_are_passed_over(lake: Lake) -> None:
    lake.add(change("a", 1))
    lake.add("garbage", name="_SUCCESS")
    lake.add("garbage", name=".hidden.crc")
    lake.add(name="empty.json")
    (lake.folder / "projection" / "not-a-day").mkdir()
    ahead = f"{datetime.now() + timedelta(days=3):%Y-%m-%d-%H}"
    lake.add(change("future", 2), hour=ahead)  # a wrong clock must not end the log
    figures = lake.run()
    assert (figures.rows_read, figures.watermark) == (1, "2026-03-20-10")


def test_the_figures_are_one_line_of_the_log_and_no_metrics(lake: Lake) -> None:
    lake.add(change("a", 1), change("a", 1), "garbage")
    line = lake.run().line("orders")
    assert "\n" not in line
    document = json.loads(line)
    assert "_aws" not in document  # nothing watches them, and each would cost $0.30 a month
    assert document["table"] == "orders"
    assert document["rows_read"] == 3
    assert document["duplicates"] == 1
    assert document["rejected_by_reason"] == {"unreadable": 1}


def test_a_schema_rejects_the_columns_that_the_table_adds(lake: Lake) -> None:
    lake.run()
    added = set(lake.spark.table(lake.name).columns) - {c.name for c in ORDERS.event_row}
    assert added == set(TABLE_COLUMNS)
