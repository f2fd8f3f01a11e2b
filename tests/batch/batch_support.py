"""A log of changes in a folder, a table over it, and the model that the table must equal."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from schema import ORDERS, Schema
from schema.model import SNAPSHOT

Row = dict[str, Any]
_names = itertools.count()
HOUR = "2026-03-20-10"


def snapshot(
    orderid: str, quantity: int = 0, *, read: str = "2026-03-20 08:00:00.000", **columns: Any
) -> Row:
    """An item that was there before the log, as ``operate snapshot`` writes it."""
    event = {"event_id": f"snapshot:{orderid}", "creation_time": read}
    return change(orderid, 0, SNAPSHOT, quantity=quantity, **event | columns)


def change(  # the defaults make an INSERT of order a
    orderid: str = "a",
    number: int = 1,
    event_type: str = "INSERT",
    *,
    event_id: str | None = None,
    **columns: Any,
) -> Row:
    """An event row as the transform writes it."""
    row: Row = {column.name: None for column in ORDERS.event_row}
    row |= {
        "orderid": orderid,
        "product_name": "lamp",
        "quantity": number,
        "price": 1.5,
        "created_at": "2026-03-20 09:00:00.123",
        "event_type": event_type,
        "creation_time": "2026-03-20 09:30:00.000",
        "event_id": event_id or f"{orderid}-{number}",
        "sequence_number": f"{number:040d}",
    }
    return row | columns


def lines(rows: Iterable[Row | str]) -> bytes:
    """One JSON object per line; text unchanged."""
    text = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    return "".join(line + "\n" for line in text).encode()


class Lake:
    """A log under ``folder``, and the job that merges it into a table."""

    def __init__(self, spark: Any, folder: Path) -> None:
        import merge_orders

        self.spark = spark
        self.folder = folder
        self.job = merge_orders
        self.options = merge_orders.Options(
            log=str(folder / "projection"),
            database="sales",
            table=f"orders_{next(_names)}",
            location=None,
            columns=columns_of(ORDERS),
            buckets=2,
            maintenance="never",
            look_back=timedelta(hours=24),
        )

    @property
    def short(self) -> str:
        """The table's name for Iceberg's procedures."""
        return f"{self.options.database}.{self.options.table}"

    @property
    def name(self) -> str:
        """The table's name in SQL."""
        return f"lake.{self.short}"

    @property
    def table_class(self) -> Any:
        """The class of the table."""
        return self.job.OrdersTable

    def add(self, *rows: Row | str, hour: str = HOUR, name: str | None = None) -> Path:
        """Deliver an object of event rows."""
        folder = self.folder / "projection" / f"day={hour[:10]}" / f"hour={hour[11:]}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name or f"stream-{next(_names):06d}.gz")
        data = lines(rows)
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    def run(self, *, before_merge: Callable[[], None] = lambda: None, **options: Any) -> Any:
        """One run; its figures."""
        return self.job.Run(
            self.spark, replace(self.options, **options), before_merge=before_merge
        )()

    def rows(self) -> dict[str, Row]:
        """Every row of the table by its order, including those of deleted orders.

        Without the columns that a merge compares.
        """
        import event_rows

        shown = self.spark.table(self.name).drop(*event_rows.KEY_HASH, *event_rows.VERSION)
        found = [row.asDict() for row in shown.collect()]
        by_key = {row["orderid"]: row for row in found}
        assert len(by_key) == len(found), "an order has two rows"
        return by_key

    def current(self) -> dict[str, Row]:
        """The orders that are not deleted."""
        return {key: row for key, row in self.rows().items() if row["event_type"] != "REMOVE"}

    def quantities(self) -> dict[str, int]:
        """Current orders' quantities, by which the tests identify changes."""
        return {key: row["quantity"] for key, row in self.current().items()}

    def files(self, *, content: int) -> tuple[list[str], list[int]]:
        """Paths and sizes of the table's data files (0) or delete files (1)."""
        found = self.spark.table(f"{self.name}.files").where(f"content = {content}")
        rows = found.select("file_path", "file_size_in_bytes").collect()
        return [row[0] for row in rows], [row[1] for row in rows]

    def buckets(self) -> set[int]:
        """The buckets of the files, by the number of buckets that is current."""
        files = self.spark.table(f"{self.name}.files")
        newest = files.schema["partition"].dataType.names[-1]
        return {row[0] for row in files.select(f"partition.{newest}").collect()}

    def snapshots(self) -> list[Any]:
        """The table's snapshots, oldest first."""
        return list(
            self.spark.sql(f"SELECT * FROM {self.name}.snapshots ORDER BY committed_at").collect()
        )


def columns_of(schema: Schema) -> Any:
    """The schema as the job has it."""
    import event_rows

    return event_rows.Columns.of(json.loads(schema.to_json()))


def model(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What the table must hold: in plain Python, the quantity of each order that is there."""
    newest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = newest.get(row["orderid"])
        if known is None or row["sequence_number"] > known["sequence_number"]:
            newest[row["orderid"]] = row
    return {k: row["quantity"] for k, row in newest.items() if row["event_type"] != "REMOVE"}


PRICE = Decimal("1.50")
