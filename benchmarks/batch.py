"""The batch job: does a run cost by what is new, or by all that ever was?

Real Spark on two cores, Iceberg on local disk. The history's half are inserts, the rest updates;
of the 20,000 new changes six tenths update and one tenth deletes orders from anywhere in it.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from local import spark as spark_jars
from schema import ORDERS

ROOT = Path(__file__).parent.parent
NEW = 20_000
SMALL, LARGE = 200_000, 2_000_000
RUNS = 3
_PER_OBJECT = 50_000
_SIZES: dict[str, int] = {"small": SMALL, "large": LARGE}


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


def _row(order: int, number: int, kind: str) -> str:
    return (
        f'{{"orderid":"{order * 0x9E3779B97F4A7C15 % 2**64:016x}-{order:08x}",'
        f'"product_name":"Wireless charger {order % 40}","quantity":{number % 9 + 1},'
        f'"price":{order % 900 + 10}.{number % 90 + 10},"customer":"Customer {order % 5000}",'
        f'"status":"{"placed" if kind == "INSERT" else "paid"}",'
        '"created_at":"2026-03-01 09:00:00.123","extras":null,'
        f'"event_type":"{kind}","creation_time":"2026-03-01 10:00:00.000",'
        f'"event_id":"{number:032x}","sequence_number":"{number:040d}"}}\n'
    )


def _history(changes: int) -> Iterator[str]:
    """Every order placed, and each changed once."""
    for number in range(changes // 2):
        yield _row(number, number, "INSERT")
    for number in range(changes // 2):
        yield _row(number, changes + number, "MODIFY")


def _news(changes: int, batch: int) -> Iterator[str]:
    dice = random.Random(batch)
    orders = changes // 2
    for n in range(NEW):
        number = (2 + batch) * 10 * LARGE + n
        chance = dice.random()
        if chance < 0.3:
            yield _row(orders + batch * NEW + n, number, "INSERT")
        else:
            kind = "REMOVE" if chance > 0.9 else "MODIFY"
            yield _row(dice.randrange(orders), number, kind)


class _Lake:
    """A history, merged; new batches are added hour by hour."""

    def __init__(self, name: str) -> None:
        self._spark, folder = _session()
        import event_rows  # noqa: PLC0415 - the session put them on the path
        import merge_orders  # noqa: PLC0415

        self._job = merge_orders
        self._changes, self._log = _SIZES[name], folder / name
        self._batches = 0
        self._write("2026-03-01", _history(self._changes))
        self._options = merge_orders.Options(
            log=str(self._log),
            database="bench",
            table=name,
            columns=event_rows.Columns.of(json.loads(ORDERS.to_json())),
            maintenance="never",
        )
        self.first_seconds = _timed(self._run)

    def _write(self, day: str, rows: Iterator[str]) -> None:
        """A thousand or so orders a second for an hour make an object of this size."""
        number = 0
        while part := [row for _, row in zip(range(_PER_OBJECT), rows, strict=False)]:
            folder = self._log / f"day={day}" / f"hour={number % 24:02d}"
            folder.mkdir(parents=True, exist_ok=True)
            data = gzip.compress("".join(part).encode(), compresslevel=1)
            (folder / f"{number:05d}.gz").write_bytes(data)
            number += 1

    def _run(self) -> Any:
        return self._job.Run(self._spark, self._options)()

    def merge(self) -> float:
        """Deliver and merge one batch; how long the run took."""
        self._batches += 1
        self._write(f"2026-03-{2 + self._batches:02d}", _news(self._changes, self._batches))
        figures: list[Any] = []
        seconds = _timed(lambda: figures.append(self._run()))
        assert figures[0].rows_read == NEW, figures[0]
        return seconds

    def recompute(self) -> float:
        """What one does without the job: read all of the log, keep each order's last change."""
        reader = self._spark.read.schema(
            "orderid string, product_name string, quantity int, price decimal(10,2), "
            "customer string, status string, created_at timestamp_ntz, extras string, "
            "event_type string, creation_time timestamp_ntz, event_id string, "
            "sequence_number string"
        )
        rows = reader.option("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss.SSS").json(str(self._log))
        rows.createOrReplaceTempView("log")
        ranked = self._spark.sql(
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY orderid ORDER BY "
            "sequence_number DESC) AS newest FROM log) WHERE newest = 1 AND event_type <> 'REMOVE'"
        ).drop("newest")
        return _timed(
            lambda: ranked.writeTo("lake.bench.recomputed").using("iceberg").createOrReplace()
        )


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@cache
def _lakes() -> dict[str, _Lake]:
    lakes = {name: _Lake(name) for name in _SIZES}
    for lake in lakes.values():  # the first merge compiles what the others run
        lake.merge()
    return lakes


@cache
def _merges() -> dict[str, float]:
    """Seconds of a merge by the history's size; taken in turns, so that a busy spell hits both."""
    taken: dict[str, list[float]] = {name: [] for name in _SIZES}
    for _ in range(RUNS):
        for name, lake in _lakes().items():
            taken[name].append(lake.merge())
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def merge_scaling() -> Result:
    """How much longer 20,000 new changes take on ten times the history."""
    merges = _merges()
    return Result(
        name="merge_scaling",
        ours=merges["large"],
        peer=merges["small"],
        ratio=merges["large"] / merges["small"],
        goal=1.5,
        unit="s",
    )


def merge_vs_full() -> Result:
    """Merging what is new against computing the table anew, on the larger history."""
    merged = _merges()["large"]
    full = _lakes()["large"].recompute()
    return Result(
        name="merge_vs_full", ours=merged, peer=full, ratio=full / merged, goal=5, unit="s"
    )


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "merge_scaling": merge_scaling,
    "merge_vs_full": merge_vs_full,
}
