"""The batch job: merge the log of changes into the Iceberg table of current orders.

AWS Glue, ``python -m local`` and the tests all run this file with the modules beside it.
docs/batch.md explains why a run can be killed at any point, repeated, or race another one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from event_rows import (
    ARRIVED,
    KEY_HASH,
    PREVIOUS,
    PROBLEMS,
    SETTLE,
    Columns,
    JobError,
    Partition,
    compared,
    hours_before,
    list_log,
    read_log,
    read_text,
    reject_old_snapshots,
)
from orders_table import CATALOG, LostRaceError, OrdersTable, State
from orders_view import point_view
from pack_log import PackError, pack
from pyspark import StorageLevel
from pyspark.conf import SparkConf
from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - PySpark's convention

DEFAULTS: Mapping[str, str] = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    f"spark.sql.catalog.{CATALOG}.type": "glue",
    f"spark.sql.catalog.{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    # Another run's commit must be visible at once.
    f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
}
"""Spark's configuration, unless ``--conf`` overrides it."""
_SESSION: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    # Cached rows are read two or three times: compressing them took longer than sorting them.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # A partition may expire while it is read: its rows were merged before, or are too old.
    "spark.sql.files.ignoreMissingFiles": "true",
}
_ATTEMPTS = 5
_FEW = 500_000
"""Up to this many changes: no adaptive plan."""
_ROWS_A_TASK, _MOST_ROWS_A_TASK = 10_000, 250_000
"""Rows per task, when there are few changes and when there are many. A task sorts its rows in
memory, so their number must not grow with the input."""
_BYTES_A_ROW = 50
"""Minimum compressed size of a change in the log."""
_SLOTS_A_KEY, _MOST_SLOTS = 64, 2**24
"""Slots of the key filter (a bit each) per key, so that about one unchanged row in 64 passes; and
their maximum."""
_SIEVED = _MOST_SLOTS // 4
"""Up to this many changes, the filter drops most unchanged rows."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """A run's options; `parser` describes them."""

    log: str
    database: str
    table: str
    location: str | None = None
    columns: Columns
    view: Mapping[str, Any] | None = None
    look_back: timedelta = timedelta(hours=24)
    buckets: int = 4
    compact_files: int = 8
    snapshot_days: int = 5
    orphan_days: int = 3
    maintenance: str = "auto"


@dataclass
class Figures:
    """Statistics of a run.

    Each of the ``rows_read`` was ``rejected``, is one of the ``duplicates``, was ``superseded`` by
    a newer change of its order, or ``inserted``, ``updated`` or ``deleted`` an order. A row is
    ``skipped`` when it changed nothing visible.
    """

    rows_read: int = 0
    rejected: int = 0
    duplicates: int = 0
    superseded: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    partitions_read: int = 0
    compacted_files: int = 0
    compacted_bytes: int = 0
    packed_objects: int = 0
    removed_objects: int = 0
    attempts: int = 1
    seconds: float = 0.0
    watermark: str | None = None
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    rejected_files: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)

    def line(self, table: str) -> str:
        """One line of JSON for the log."""
        return json.dumps({"table": table, **asdict(self)})


class Run:
    """One run of the job.

    Parameters
    ----------
    before_merge:
        Called right before the commit; for tests.
    """

    def __init__(
        self,
        spark: SparkSession,
        options: Options,
        *,
        before_merge: Callable[[], None] = lambda: None,
    ) -> None:
        for name, value in _SESSION.items():
            spark.conf.set(name, value)
        self._spark = spark
        self._options = options
        self._before_merge = before_merge
        self._cached: list[DataFrame] = []
        self._table = OrdersTable(
            spark,
            f"{options.database}.{options.table}",
            options.columns,
            location=options.location,
            buckets=options.buckets,
        )

    def __call__(self) -> Figures:
        """Merge new changes, maintain the table, and return the figures.

        Raises
        ------
        JobError
            Someone has to fix something first.
        """
        began = time.monotonic()
        figures = Figures()
        for attempt in range(1, _ATTEMPTS + 1):
            figures = Figures(attempts=attempt)
            try:
                self._merge(figures)
                break
            except LostRaceError as error:
                _say(f"another run was faster: {error}")
                if attempt == _ATTEMPTS:
                    raise JobError(
                        f"other runs changed {self._table.name} first, {attempt} times in a row: "
                        "run one job at a time"
                    ) from error
            finally:
                while self._cached:
                    self._cached.pop().unpersist()
        if self._options.view and figures.watermark:
            settled = hours_before(figures.watermark, SETTLE)
            point_view(self._options.database, self._options.view, settled)
        if figures.watermark and self._options.maintenance != "never":
            self._pack_log(figures.watermark, figures)
        figures.seconds = round(time.monotonic() - began, 3)
        return figures

    def _pack_log(self, watermark: str, figures: Figures) -> None:
        """Pack the hours of the log that no run lists again."""
        if not self._options.log.startswith("s3"):
            return
        import boto3  # noqa: PLC0415 - only where the log is on S3

        before = hours_before(watermark, self._options.look_back)
        try:
            done = pack(boto3.client("s3"), self._options.log, before)
        except PackError as error:
            raise JobError(str(error)) from error
        figures.packed_objects, figures.removed_objects = done.sources, done.removed

    def _merge(self, figures: Figures) -> None:
        """Make one attempt to update and maintain the table."""
        options = self._options
        self._table.prepare()
        with _planned_for(self._spark, self._table.size()):
            self._table.complete()
        before = self._table.snapshot()
        listed = self._list(before.state)
        known = before.state.partitions
        changed = [one for one in listed if known.get(one.hour) != one.digest]
        figures.partitions_read = len(changed)
        expected = sum(size for one in changed for size in one.objects.values()) // _BYTES_A_ROW
        rows = read_log(self._spark, changed, options.columns)
        # A run that reads the whole log finds in it every delete after a snapshot in it.
        forgotten = before.forgotten if before.state.watermark else None
        after = self._state_after(before.state, listed)
        figures.watermark = after.watermark
        if rows is not None:
            with _planned_for(self._spark, expected):
                changes, orders = self._newest(reject_old_snapshots(rows, forgotten), figures)
            with _planned_for(self._spark, orders):
                sieve = self._sieve(changes, orders) if orders <= _SIEVED else None
                self._before_merge()
                if self._table.snapshot().snapshot_id != before.snapshot_id:
                    raise LostRaceError("the table has a new snapshot")
                written = self._table.merge(changes, after, forgotten=before.forgotten, sieve=sieve)
                _count(written, orders, figures)
        if rows is not None or options.maintenance == "always":
            self._maintain(before.state.watermark, figures)

    def _list(self, state: State) -> list[Partition]:
        since = state.watermark and hours_before(state.watermark, self._options.look_back)
        return list_log(self._options.log, since)

    def _state_after(self, state: State, listed: Sequence[Partition]) -> State:
        watermark = max([one.hour for one in listed] + [state.watermark or ""])
        if not watermark:
            return state
        kept = hours_before(watermark, self._options.look_back)
        digests = {**state.partitions, **{one.hour: one.digest for one in listed}}
        return State(watermark, {hour: digests[hour] for hour in sorted(digests) if hour >= kept})

    def _newest(self, rows: DataFrame, figures: Figures) -> tuple[DataFrame, int]:
        """Find and count each order's newest change, by sequence_number; count the rest."""
        columns, seen, copies = self._options.columns, Observation(), Observation()
        fit, odd = F.col("problem").isNull(), F.size("unknown") > 0
        observed = rows.observe(
            seen,
            F.count(F.lit(1)).alias("rows"),
            F.count("problem").alias("rejected"),
            F.count_if(odd).alias("odd"),
        )
        # One shuffle and one sort find each order's newest change and the copies. A GROUP BY that
        # collects a row and a set of ids per order was several times slower.
        newest_first = Window.partitionBy(*columns.keys).orderBy(
            F.desc("sequence_number"), "event_id", F.desc(ARRIVED)
        )
        copy = F.lag("event_id").over(newest_first) == F.col("event_id")
        ranked = observed.where(fit).withColumns(
            {"_copy": copy, "_rank": F.row_number().over(newest_first)}
        )
        deleted = F.col("event_type") == "REMOVE"
        changes = self._keep(
            ranked.observe(copies, F.count_if("_copy").alias("copies"))
            .where(F.col("_rank") == 1)
            .select(
                *(
                    F.when(~deleted | F.lit(name in columns.of_a_delete), F.col(name)).alias(name)
                    for name in (*columns.types, ARRIVED)
                )
            )
            .withColumns(compared(columns))
        )
        orders = changes.count()
        figures.rows_read, figures.rejected = seen.get["rows"], seen.get["rejected"]
        if figures.rejected or seen.get["odd"]:
            _name_what_is_wrong(rows.where(~fit | odd), figures)
        figures.duplicates = copies.get["copies"]
        figures.superseded = figures.rows_read - figures.rejected - figures.duplicates - orders
        return changes, orders

    def _sieve(self, changes: DataFrame, orders: int) -> bytes:
        """Build the key filter: a bit per slot, 1 where a key of ``changes`` hashes to it."""
        slots = min(2 ** max(15, (_SLOTS_A_KEY * orders).bit_length()), _MOST_SLOTS)
        slot = F.col(KEY_HASH[0]).bitwiseAND(F.lit(slots - 1)) + 1  # Spark counts them from 1
        maps = (
            changes.groupBy(F.bitmap_bucket_number(slot))
            .agg(F.bitmap_construct_agg(F.bitmap_bit_position(slot)))
            .collect()
        )
        sieve = bytearray(slots // 8)
        for number, bits in maps:
            sieve[(number - 1) * len(bits) : number * len(bits)] = bits
        return bytes(sieve)

    def _maintain(self, before: str | None, figures: Figures) -> None:
        """Keep the table small and fast; the first run of a day does the expensive part."""
        options, after = self._options, figures.watermark
        if options.maintenance == "never" or not after:
            return
        always = options.maintenance == "always"
        daily = always or (before is not None and before[:10] < after[:10])
        try:
            if daily:
                # An update may arrive one look-back after the delete that it must not undo, and
                # its partition may be read again for another look-back.
                self._table.forget_deletes(hours_before(after, 2 * options.look_back))
            figures.compacted_files, figures.compacted_bytes = self._table.compact(
                options.compact_files, everything=always
            )
            if daily:
                self._table.clean_up(
                    snapshots=timedelta(days=options.snapshot_days),
                    orphans=timedelta(days=options.orphan_days),
                )
        except LostRaceError as error:
            _say(f"another run committed first and does the rest of the maintenance: {error}")

    def _keep(self, frame: DataFrame) -> DataFrame:
        """Cache the frame until the run ends."""
        self._cached.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return frame


@contextmanager
def _planned_for(spark: SparkSession, rows: int) -> Iterator[None]:
    """Let Spark plan for this many rows.

    For few rows, one task per core is enough. An adaptive plan stops after each shuffle to find
    that out, and then writes all files of a run in one task.
    """
    few, cores = rows <= _FEW, spark.sparkContext.defaultParallelism
    tasks = min(cores, 1 + rows // _ROWS_A_TASK) if few else max(cores, rows // _MOST_ROWS_A_TASK)
    plan = {
        "spark.sql.adaptive.enabled": str(not few).lower(),
        "spark.sql.shuffle.partitions": str(tasks),
    }
    before = {name: spark.conf.get(name) for name in plan}
    for name, value in plan.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


def _count(written: DataFrame, orders: int, figures: Figures) -> None:
    """Count inserts, updates and deletes from the rows that a merge of ``orders`` orders wrote."""
    deletes = F.col("event_type") == "REMOVE"
    there = F.coalesce(F.col(PREVIOUS) != "REMOVE", F.lit(False))
    effect = (
        F.when(deletes & ~there, "skipped")
        .when(deletes, "deleted")
        .when(there, "updated")
        .otherwise("inserted")
    )
    counts = dict(written.groupBy(effect).count().collect())
    figures.inserted, figures.updated, figures.deleted = (
        counts.get(one, 0) for one in ("inserted", "updated", "deleted")
    )
    figures.skipped = orders - figures.inserted - figures.updated - figures.deleted


def _name_what_is_wrong(rows: DataFrame, figures: Figures) -> None:
    """Report reasons, the first files and unknown columns; this reads ``rows`` again."""
    reasons = (F.count_if(F.col("problem").eqNullSafe(one)).alias(one) for one in PROBLEMS)
    files = F.collect_set(F.when(F.col("problem").isNotNull(), F.col("file")))
    unknown = F.array_distinct(F.flatten(F.collect_set("unknown")))
    (told,) = rows.agg(*reasons, files.alias("files"), unknown.alias("unknown")).collect()
    figures.rejected_by_reason = {one: told[one] for one in PROBLEMS if told[one]}
    figures.rejected_files = sorted(told["files"])[:5]
    figures.unknown_columns = sorted(told["unknown"])


def parser() -> argparse.ArgumentParser:
    """The job's parameters; those that Glue adds are ignored."""
    p = argparse.ArgumentParser(prog="merge_orders", allow_abbrev=False)
    p.add_argument("--log", required=True, help="location of the event rows: s3://BUCKET/PREFIX/")
    p.add_argument("--database", required=True, help="the Glue database")
    p.add_argument("--table", help="the Iceberg table in it; default: the schema's name")
    p.add_argument("--location", help="location of the table's files: s3://BUCKET/PREFIX/")
    p.add_argument("--definition", required=True, help="a JSON file: schema, view")
    p.add_argument("--look-back-hours", type=int, default=24, help="how late a change may arrive")
    p.add_argument("--buckets", type=int, default=4, help="partitions of a new table")
    p.add_argument(
        "--compact-files", type=int, default=8, help="compact above this many data files per bucket"
    )
    p.add_argument("--snapshot-days", type=int, default=5, help="how long to keep old snapshots")
    p.add_argument("--orphan-days", type=int, default=3, help="how long to keep unused files")
    p.add_argument("--maintenance", choices=("auto", "always", "never"), default="auto")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the job; return 0 when done, 1 when failed."""
    given, _ = parser().parse_known_args(arguments)
    conf = SparkConf()
    for name, value in DEFAULTS.items():
        if not conf.contains(name):
            conf.set(name, value)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    definition = json.loads(read_text(spark, given.definition))
    options = Options(
        log=given.log,
        database=given.database,
        table=given.table or definition["schema"]["name"],
        location=given.location,
        columns=Columns.of(definition["schema"]),
        view=definition.get("view"),
        look_back=timedelta(hours=given.look_back_hours),
        buckets=given.buckets,
        compact_files=given.compact_files,
        snapshot_days=given.snapshot_days,
        orphan_days=given.orphan_days,
        maintenance=given.maintenance,
    )
    try:
        figures = Run(spark, options)()
    except JobError as error:
        _say(f"Error: {error}")
        return 1
    print(figures.line(options.table), flush=True)  # noqa: T201 - the run's one line
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - Glue's log


if __name__ == "__main__" and (code := main(sys.argv[1:])):
    sys.exit(code)  # not for 0: Glue treats any SystemExit as a failure
