"""The batch job: does a run's cost grow with the new changes or with the whole history?

Real Spark on two cores with a heap of 3 GB, Iceberg on local disk. The log is Parquet, as in
`Pulumi.prod.yaml`, with one object every five minutes. In the history each order was
placed and changed once. Of the new changes, 60% update and 10% delete orders from anywhere in the
history; the rest place new orders. On both sides the Spark session is started and the code is warm;
compaction and the view are excluded.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from local.standins import spark as spark_jars
from schema import ORDERS

ROOT = Path(__file__).parent.parent
NEW, MANY = 20_000, 1_000_000
"""Changes in a run's news: of a usual run, and of one that catches up."""
SMALL, LARGE_HISTORY = 2_000_000, 10_000_000
"""Orders in the history."""
FIRST_LOADS = (5_000_000, 10_000_000, 2 * LARGE_HISTORY)
"""Changes in the log that a first run reads."""
WARM, RUNS = 3, 3
"""Rounds. Java's JIT compiles hot code, and a merge's many small steps become hot late."""
_AN_HOUR = 12
"""Objects. Prod writes one a minute since it is fresher; the figures here stay comparable."""
_BEGAN = datetime(2026, 3, 1)
_MOMENT = "timestamp_seconds(1772323200 + ({}) % 5000 * 517)"

_NUMBERED = (
    "id AS number",
    "{order} AS n",
    "md5(CAST({order} AS binary)) AS hex",
    "{kind} AS event_type",
)
"""An order's number and a change's kind, from the change's number ``id``."""
_ROW = (
    "concat_ws('-', substr(hex, 1, 8), substr(hex, 9, 4), substr(hex, 13, 4), substr(hex, 17, 4),"
    " substr(hex, 21)) AS orderid",
    "element_at(array('Wireless charger', 'Folio E-Reader', 'Étoile Smart Lamp', 'Shoes'),"
    " CAST(1 + n % 4 AS int)) AS product_name",
    "CAST(1 + number % 9 AS int) AS quantity",
    "CAST(10 + n % 900 + n % 90 / 100 AS decimal(10, 2)) AS price",
    "concat('Customer ', n % 5000) AS customer",
    "if(event_type = 'INSERT', 'placed', 'paid') AS status",
    f"{_MOMENT.format('n')} AS created_at",
    "CAST(NULL AS string) AS extras",
    "event_type",
    f"{_MOMENT.format('number')} AS creation_time",
    "md5(CAST(~number AS binary)) AS event_id",
    "lpad(number, 40, '0') AS sequence_number",
    "CAST(NULL AS string) AS deleted_by",
)


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
        "spark.driver.memory": "3g",
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


class _Lake:
    """A history in a log, to which new batches are added hour by hour."""

    def __init__(self, orders: int) -> None:
        self._spark, folder = _session()
        import event_rows  # noqa: PLC0415 - the session put them on the path
        import merge_orders  # noqa: PLC0415

        self._job: Any = merge_orders
        self._orders, self._changes = orders, 0
        self._log = folder / f"log_{orders}"
        self._hours = 0
        self._options = merge_orders.Options(
            log=str(self._log),
            database="bench",
            table=f"orders_{orders}",
            columns=event_rows.Columns.of(json.loads(ORDERS.to_json())),
            look_back=timedelta(hours=48),
            maintenance="never",
        )
        # Every order placed, and then changed once, in an order that looks random.
        placed = f"id < {orders}"
        for _ in range(20):
            self._write(
                2 * orders // 20,
                f"if({placed}, id, id * 7368787 % {orders})",
                f"if({placed}, 'INSERT', 'MODIFY')",
            )

    def _write(self, changes: int, order: str, kind: str) -> None:
        """Deliver an hour of changes; ``order`` and ``kind`` are SQL, from the number ``id``."""
        hour = _BEGAN + timedelta(hours=self._hours)
        numbered = (column.format(order=order, kind=kind) for column in _NUMBERED)
        (
            self._spark.range(self._changes, self._changes + changes, 1, _AN_HOUR)
            .selectExpr(*numbered)
            .selectExpr(*_ROW)
            .write.parquet(f"{self._log}/day={hour:%Y-%m-%d}/hour={hour:%H}")
        )
        self._hours += 1
        self._changes += changes

    def run(self) -> Any:
        """One run; its figures."""
        return self._job.Run(self._spark, self._options)()

    def merge(self, new: int) -> float:
        """Deliver and merge a batch of ``new`` changes; returns the run's seconds."""
        known = f"(id * 982451653 + {self._changes}) % {self._orders}"
        self._write(
            new,
            f"if(id % 10 < 3, {self._orders} + id, {known})",
            "CASE WHEN id % 10 < 3 THEN 'INSERT' WHEN id % 10 < 9 THEN 'MODIFY' ELSE 'REMOVE' END",
        )
        figures = self.run()
        assert figures.rows_read == new, figures
        return float(figures.seconds)

    def scan_keys(self) -> float:
        """The least that a merge can read: the table's keys; returns the seconds."""
        return _timed(self._spark.table(self._name).selectExpr("max(xxhash64(orderid))").collect)

    def recompute(self) -> float:
        """The alternative without the job: a full recomputation; returns its seconds.

        Reads the whole log, keeps each order's last change, and writes a table of the same kind and
        layout. GROUP BY with max_by or max(struct) was slower than row_number.
        """
        began = time.perf_counter()
        self._spark.read.parquet(str(self._log)).createOrReplaceTempView("log")
        newest = self._spark.sql(
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY orderid ORDER BY "
            "sequence_number DESC) AS newest FROM log) WHERE newest = 1 AND event_type <> 'REMOVE'"
        ).drop("newest", "day", "hour")
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
        sums = [
            self._spark.sql(
                "SELECT count(*), sum(CAST(sequence_number AS decimal(38, 0))), sum(price) "
                f"FROM {table} WHERE event_type <> 'REMOVE'"
            ).collect()
            for table in ("lake.bench.recomputed", self._name)
        ]
        assert sums[0] == sums[1], sums

    @property
    def _name(self) -> str:
        return f"lake.bench.{self._options.table}"


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@cache
def _loaded(orders: int) -> tuple[_Lake, float]:
    """A history, and the seconds of the first run, which reads all of it."""
    lake = _Lake(orders)
    return lake, float(lake.run().seconds)


def _medians(**candidates: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each. All take turns, so that other load on the machine affects all."""
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(WARM + RUNS):
        for name, candidate in candidates.items():
            taken[name].append(candidate())
    return {name: statistics.median(seconds[WARM:]) for name, seconds in taken.items()}


@cache
def _merges() -> dict[str, float]:
    """Seconds of a merge per history size, and of a scan of the larger table's keys."""
    (small, _), (large, _) = _loaded(SMALL), _loaded(LARGE_HISTORY)
    return _medians(
        small=lambda: small.merge(NEW), large=lambda: large.merge(NEW), keys=large.scan_keys
    )


def merge_scaling() -> Result:
    """How much longer merging 20,000 new changes takes on a five times larger table."""
    merges = _merges()
    return Result(
        name="merge_scaling",
        ours=merges["large"],
        peer=merges["small"],
        ratio=merges["large"] / merges["small"],
        goal=1.25,
        unit="s",
    )


def merge_vs_key_scan() -> Result:
    """Merging 20,000 changes into 10,000,000 orders, against reading the table's keys alone."""
    merges = _merges()
    return Result(
        name="merge_vs_key_scan",
        ours=merges["large"],
        peer=merges["keys"],
        ratio=merges["large"] / merges["keys"],
        goal=2,
        unit="s",
    )


def merge_rate() -> Result:
    """Changes per second when a run catches up: 1,000,000 onto 10,000,000 orders."""
    lake, _ = _loaded(LARGE_HISTORY)
    seconds = [lake.merge(MANY) for _ in range(1 + RUNS)]
    return Result(
        name="merge_rate",
        ours=MANY / statistics.median(seconds[1:]),
        peer=None,
        ratio=None,
        goal=50_000,
        unit="changes/s",
    )


@cache
def _first_loads() -> list[float]:
    _loaded(SMALL)  # warm-up
    return [_loaded(changes // 2)[1] for changes in FIRST_LOADS]


def first_load() -> Result:
    """Changes per second of a first run, which reads a log of 20,000,000."""
    return Result(
        name="first_load",
        ours=FIRST_LOADS[-1] / _first_loads()[-1],
        peer=None,
        ratio=None,
        goal=None,
        unit="changes/s",
    )


def first_load_scaling() -> Result:
    """How much longer a first run takes when the log doubles: the larger of two doublings."""
    small, middle, large = _first_loads()
    return Result(
        name="first_load_scaling",
        ours=large,
        peer=middle,
        ratio=max(middle / small, large / middle),
        goal=2.2,
        unit="s",
    )


def merge_vs_full() -> Result:
    """Merging 20,000 changes against recomputing the table of 2,000,000 orders."""
    lake, _ = _loaded(SMALL)
    seconds = _medians(merge=lambda: lake.merge(NEW), full=lake.recompute)
    lake.check()
    return Result(
        name="merge_vs_full",
        ours=seconds["merge"],
        peer=seconds["full"],
        ratio=seconds["full"] / seconds["merge"],
        goal=5,
        unit="s",
    )


BENCHMARKS: dict[str, Callable[[], Result]] = {"merge_vs_full": merge_vs_full}
LARGE: dict[str, Callable[[], Result]] = {
    "first_load": first_load,
    "first_load_scaling": first_load_scaling,
    "merge_scaling": merge_scaling,
    "merge_vs_key_scan": merge_vs_key_scan,
    "merge_rate": merge_rate,
}
