"""The batch job: does a run's cost grow with the new changes or with the whole history?

Real Spark on two cores, Iceberg on local disk. The log has the layout that `Pulumi.prod.yaml`
produces for 20,000 changes per hour: Parquet, one object every five minutes. In the history each
order was placed and changed once. Of the 20,000 new changes, 60% update and 10% delete orders from
anywhere in the history; the rest place new orders. On both sides the Spark session is started and
the code is warm; compaction and the view are excluded.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.result import Result
from local.standins import spark as spark_jars
from schema import ORDERS

ROOT = Path(__file__).parent.parent
NEW = 20_000
SMALL, LARGE = 200_000, 2_000_000
"""Orders in the history."""
WARM, RUNS = 3, 3
"""Rounds. Java's JIT compiles hot code, and a merge's many small steps become hot late."""
_AN_HOUR = 12
"""Objects: `bufferIntervalSeconds` is 300 in prod."""
_BEGAN = datetime(2026, 3, 1)
_SIZES: dict[str, int] = {"small": SMALL, "large": LARGE}

Change = tuple[int, int, str]
"""Order number, change number and event_type."""

_PRODUCTS = ("Wireless charger", "Folio E-Reader", "Étoile Smart Lamp", "Trail Running Shoes")
_PRICES = [Decimal(f"{number + 10}.{number % 90 + 10}") for number in range(900)]
_MOMENTS = [_BEGAN + timedelta(milliseconds=517_123 * number) for number in range(5000)]
_ROW: list[tuple[str, pa.DataType, Callable[[int, int, str], Any]]] = [
    ("orderid", pa.string(), lambda order, *_: _uuid(order)),
    ("product_name", pa.string(), lambda order, *_: _PRODUCTS[order % 4]),
    ("quantity", pa.int32(), lambda _, number, __: number % 9 + 1),
    ("price", pa.decimal128(10, 2), lambda order, *_: _PRICES[order % 900]),
    ("customer", pa.string(), lambda order, *_: f"Customer {order % 5000}"),
    ("status", pa.string(), lambda *change: "placed" if change[2] == "INSERT" else "paid"),
    ("created_at", pa.timestamp("us"), lambda order, *_: _MOMENTS[order % 5000]),
    ("extras", pa.string(), lambda *_: None),
    ("event_type", pa.string(), lambda *change: change[2]),
    ("creation_time", pa.timestamp("us"), lambda _, number, __: _MOMENTS[number % 5000]),
    ("event_id", pa.string(), lambda _, number, __: _scattered(number)),
    ("sequence_number", pa.string(), lambda _, number, __: f"{number:040d}"),
    ("deleted_by", pa.string(), lambda *_: None),
]
_SCHEMA = pa.schema([(name, kind) for name, kind, _ in _ROW])


@cache
def _session() -> tuple[Any, Path]:
    spark_jars.check()
    sys.path.insert(0, str(ROOT / "jobs"))
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    folder = tempfile.mkdtemp(prefix="sales-cdc-bench-")
    iceberg = next(str(jar) for jar in spark_jars.jars() if "iceberg-spark" in jar.name)
    conf = {
        "spark.jars": iceberg,
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": f"{folder}/warehouse",
        "spark.sql.catalog.lake.cache-enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": f"{folder}/scratch",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in conf.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session, Path(folder)


def _scattered(number: int) -> str:
    """Hex digits that look random, so that they compress as poorly as real IDs."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


def _uuid(number: int) -> str:
    digits = _scattered(~number)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _history(orders: int) -> Iterator[Change]:
    """Every order placed, and then changed once."""
    yield from ((order, order, "INSERT") for order in range(orders))
    changed = random.Random(1).sample(range(orders), orders)
    yield from ((order, orders + n, "MODIFY") for n, order in enumerate(changed))


def _news(orders: int, batch: int) -> Iterator[Change]:
    dice = random.Random(batch)
    for n, known in enumerate(dice.sample(range(orders), NEW)):
        number = (2 + batch) * 10 * LARGE + n
        chance = dice.random()
        if chance < 0.3:
            yield orders + batch * NEW + n, number, "INSERT"
        else:
            yield known, number, "REMOVE" if chance > 0.9 else "MODIFY"


class _Lake:
    """A merged history, to which new batches are added hour by hour."""

    def __init__(self, name: str) -> None:
        self._spark, folder = _session()
        import event_rows  # noqa: PLC0415 - the session put them on the path
        import merge_orders  # noqa: PLC0415

        self._job = merge_orders
        self._orders, self._log = _SIZES[name], folder / name
        self._hours = self._batches = 0
        self._write(_history(self._orders))
        self._options = merge_orders.Options(
            log=str(self._log),
            database="bench",
            table=name,
            columns=event_rows.Columns.of(json.loads(ORDERS.to_json())),
            look_back=timedelta(hours=48),
            maintenance="never",
        )
        self._run()

    def _write(self, changes: Iterator[Change]) -> None:
        """Deliver `NEW` changes per hour, starting an hour after the last one."""
        size = NEW // _AN_HOUR + 1
        while new := list(islice(changes, NEW)):
            hour = _BEGAN + timedelta(hours=self._hours)
            folder = self._log / f"day={hour:%Y-%m-%d}" / f"hour={hour:%H}"
            folder.mkdir(parents=True)
            for start in range(0, len(new), size):
                part = new[start : start + size]
                columns = [pa.array([of(*one) for one in part], kind) for _, kind, of in _ROW]
                pq.write_table(
                    pa.Table.from_arrays(columns, schema=_SCHEMA),
                    folder / f"{start:05d}.parquet",
                    compression="snappy",
                    use_deprecated_int96_timestamps=True,
                )
            self._hours += 1

    def _run(self) -> Any:
        return self._job.Run(self._spark, self._options)()

    def merge(self) -> float:
        """Deliver and merge one batch; returns the run's seconds."""
        self._batches += 1
        self._write(_news(self._orders, self._batches))
        figures: list[Any] = []
        seconds = _timed(lambda: figures.append(self._run()))
        assert figures[0].rows_read == NEW, figures[0]
        return seconds

    def recompute(self) -> float:
        """The alternative without the job: a full recomputation; returns its seconds.

        Reads the whole log, keeps each order's last change, and writes a table of the same kind and
        layout. GROUP BY with max_by or max(struct) was slower than row_number.
        """
        began = time.perf_counter()
        names = ", ".join(_SCHEMA.names)
        self._spark.read.parquet(str(self._log)).createOrReplaceTempView("log")
        newest = self._spark.sql(
            f"SELECT {names} FROM (SELECT *, row_number() OVER (PARTITION BY orderid ORDER BY "
            "sequence_number DESC) AS newest FROM log) WHERE newest = 1 AND event_type <> 'REMOVE'"
        )
        self._spark.sql("DROP TABLE IF EXISTS lake.bench.recomputed")
        (
            newest.writeTo("lake.bench.recomputed")
            .using("iceberg")
            .tableProperty("write.parquet.compression-codec", "zstd")
            .partitionedBy(self._job.F.bucket(self._options.buckets, "orderid"))
            .create()
        )
        return time.perf_counter() - began

    def check(self) -> None:
        """Check that both ways produced the same orders."""
        tables = ("lake.bench.recomputed", f"lake.bench.{self._options.table}")
        sums = [
            self._spark.sql(
                "SELECT count(*), sum(CAST(sequence_number AS decimal(38, 0))), sum(price) "
                f"FROM {table} WHERE event_type <> 'REMOVE'"
            ).collect()
            for table in tables
        ]
        assert sums[0] == sums[1], sums


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@cache
def _seconds() -> dict[str, float]:
    """Median seconds of a merge per history size, and of a ``full`` recomputation of the larger.

    They take turns, so that other load on the machine affects all; warm-up rounds do not count.
    """
    lakes = {name: _Lake(name) for name in _SIZES}
    taken: dict[str, list[float]] = {name: [] for name in (*_SIZES, "full")}
    for _ in range(WARM + RUNS):
        for name, lake in lakes.items():
            taken[name].append(lake.merge())
        taken["full"].append(lakes["large"].recompute())
    lakes["large"].check()
    return {name: statistics.median(seconds[WARM:]) for name, seconds in taken.items()}


def merge_scaling() -> Result:
    """How much longer merging 20,000 new changes takes on a ten times larger history."""
    merges = _seconds()
    return Result(
        name="merge_scaling",
        ours=merges["large"],
        peer=merges["small"],
        ratio=merges["large"] / merges["small"],
        goal=1.5,
        unit="s",
    )


def merge_vs_full() -> Result:
    """Merging the new changes against recomputing the table, on the larger history."""
    merged, full = _seconds()["large"], _seconds()["full"]
    return Result(
        name="merge_vs_full", ours=merged, peer=full, ratio=full / merged, goal=5, unit="s"
    )


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "merge_scaling": merge_scaling,
    "merge_vs_full": merge_vs_full,
}
