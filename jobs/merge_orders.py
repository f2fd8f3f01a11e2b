"""The batch job: keep the Iceberg table of current orders up to date with the log of changes.

AWS Glue runs this file, with the modules beside it, as it is; so do ``python -m local`` and the
tests. docs/batch.md says why a run may be killed at any point, repeated, or raced by another one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from event_rows import (
    ARRIVED,
    PROBLEMS,
    SETTLE,
    Columns,
    JobError,
    Partition,
    hours_before,
    list_log,
    read_export,
    read_log,
    read_text,
)
from orders_table import CATALOG, LostRaceError, OrdersTable, Snapshot, State
from orders_view import point_view
from pyspark import StorageLevel
from pyspark.conf import SparkConf
from pyspark.sql import Column, DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

DEFAULTS: Mapping[str, str] = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    f"spark.sql.catalog.{CATALOG}.type": "glue",
    f"spark.sql.catalog.{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    # Another run's commit must be seen at once.
    f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
}
"""Spark's configuration, where ``--conf`` does not say otherwise."""
_SESSION: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    # A partition may expire while it is read: what it held was merged, or is too old.
    "spark.sql.files.ignoreMissingFiles": "true",
}
_ATTEMPTS = 5
_FEW = 500_000
"""So many keys are sent to the table's files; for more the table is shuffled."""
_SLOTS_A_KEY, _MOST_SLOTS = 64, 2**22
"""Of a sieve: at most one row in so many passes that has no change; and a limit in bytes."""
_NAMESPACE = "sales-cdc"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run is told; see `parser` for the meaning of each."""

    log: str
    database: str
    table: str = "orders"
    location: str | None = None
    columns: Columns
    view: Mapping[str, Any] | None = None
    look_back: timedelta = timedelta(hours=24)
    buckets: int = 16
    compact_files: int = 8
    snapshot_days: int = 5
    orphan_days: int = 3
    maintenance: str = "auto"
    backfill: str | None = None


@dataclass
class Figures:
    """What a run did.

    Of the ``rows_read``, some are ``rejected``, some ``duplicates`` of others, and some
    ``superseded`` by a newer change of their order; each of the others ``inserted``, ``updated``
    or ``deleted`` an order, or was ``skipped``, for it changed nothing that can be seen.
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
    attempts: int = 1
    seconds: float = 0.0
    watermark: str | None = None
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    rejected_files: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)

    def line(self, table: str, now: float) -> str:
        """One line of JSON in CloudWatch's embedded metric format."""
        metrics = [
            {"Name": name, "Unit": "Count"}
            for name, value in asdict(self).items()
            if isinstance(value, int)
        ]
        metrics.append({"Name": "seconds", "Unit": "Seconds"})
        metric = {"Namespace": _NAMESPACE, "Dimensions": [["Table"]], "Metrics": metrics}
        about = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [metric]}
        return json.dumps({"_aws": about, "Table": table, **asdict(self)})


class Run:
    """One run of the job.

    Parameters
    ----------
    before_merge:
        Called right before the commit; tests interfere there.
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
        """Merge what is new, tidy up, and tell.

        Raises
        ------
        JobError
            What a person must mend.
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
                        "let one run at a time"
                    ) from error
            finally:
                while self._cached:
                    self._cached.pop().unpersist()
        if self._options.view and figures.watermark:
            settled = hours_before(figures.watermark, SETTLE)
            point_view(self._options.database, self._options.view, settled)
        figures.seconds = round(time.monotonic() - began, 3)
        return figures

    def _merge(self, figures: Figures) -> None:
        """One attempt to bring the table up to date, and to keep it small."""
        options = self._options
        self._table.prepare()
        before = self._table.snapshot()
        rows: DataFrame | None
        if options.backfill:
            rows, moment = read_export(self._spark, options.backfill, options.columns)
            _check_backfill(options.backfill, moment, before.forgotten)
            after = before.state
        else:
            listed = self._list(before.state)
            known = before.state.partitions
            changed = [one for one in listed if known.get(one.hour) != one.digest]
            figures.partitions_read = len(changed)
            rows = read_log(self._spark, changed, options.columns)
            after = self._state_after(before.state, listed)
        figures.watermark = after.watermark
        if rows is not None:
            effective, sieve = self._classify(self._newest(rows, figures), before, figures)
            self._before_merge()
            if self._table.snapshot().snapshot_id != before.snapshot_id:
                raise LostRaceError("the table has a new snapshot")
            self._table.merge(effective, after, forgotten=before.forgotten, sieve=sieve)
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

    def _newest(self, rows: DataFrame, figures: Figures) -> DataFrame:
        """One change an order, that of the highest sequence_number; counts the others."""
        columns = self._options.columns
        seen, bad = Observation(), F.col("problem").isNotNull()
        # Texts and numbers only: PySpark cannot read an array that was observed.
        observed = rows.observe(
            seen,
            F.count(F.lit(1)).alias("rows"),
            *(F.count_if(F.col("problem").eqNullSafe(one)).alias(one) for one in PROBLEMS),
            _some(F.when(bad, F.col("file"))).alias("files"),
            _some(F.when(F.size("unknown") > 0, F.concat_ws("\n", "unknown"))).alias("unknown"),
        )
        # One shuffle and one sort tell the newest of each order and, beside it, the copies: a
        # GROUP BY that keeps a row and a set of texts an order was several times as slow.
        newest_first = Window.partitionBy(*columns.keys).orderBy(
            F.desc("sequence_number"), "event_id", F.desc(ARRIVED)
        )
        copy = F.lag("event_id").over(newest_first) == F.col("event_id")
        ranked = observed.where(~bad).withColumns(
            {"_copy": copy, "_rank": F.row_number().over(newest_first)}
        )
        copies, deleted = Observation(), F.col("event_type") == "REMOVE"
        changes = self._keep(
            ranked.observe(copies, F.count_if("_copy").alias("copies"))
            .where(F.col("_rank") == 1)
            .select(
                *(
                    F.when(~deleted | F.lit(name in columns.of_a_delete), F.col(name)).alias(name)
                    for name in columns.stored
                )
            )
        )
        orders = changes.count()
        told = seen.get
        figures.rows_read = told["rows"]
        figures.rejected_by_reason = {one: told[one] for one in PROBLEMS if told[one]}
        figures.rejected = sum(figures.rejected_by_reason.values())
        figures.rejected_files = sorted(told["files"].split("\n"))[:5] if told["files"] else []
        figures.unknown_columns = sorted(set(told["unknown"].split("\n")) - {""})
        figures.duplicates = copies.get["copies"]
        figures.superseded = figures.rows_read - figures.rejected - figures.duplicates - orders
        return changes

    def _classify(
        self, changes: DataFrame, before: Snapshot, figures: Figures
    ) -> tuple[DataFrame, bytes | None]:
        """The changes that are news to the table, with a sieve of their keys if they are few.

        Counts what each does to current orders.
        """
        keys = list(self._options.columns.keys)
        sequence = F.col("sequence_number").alias("_sequence")
        live = (F.col("event_type") != "REMOVE").alias("_live")
        orders = figures.rows_read - figures.rejected - figures.duplicates - figures.superseded
        few = orders <= _FEW and before.snapshot_id is not None
        if before.snapshot_id is None:
            empty = {"_sequence": F.lit(None).cast("string"), "_live": F.lit(None).cast("boolean")}
            known = changes.withColumns(empty)
        else:
            wanted = changes.select(*keys)
            if few:
                wanted = F.broadcast(wanted)
            stored = self._table.rows().select(*keys, sequence, live)
            known = changes.join(stored.join(wanted, keys, "left_semi"), keys, "left")
        deletes, there = F.col("event_type") == "REMOVE", F.coalesce("_live", F.lit(False))
        news = F.col("_sequence").isNull() | (F.col("sequence_number") > F.col("_sequence"))
        effect = (
            F.when(~news | (deletes & ~there), "skipped")
            .when(deletes, "deleted")
            .when(there, "updated")
            .otherwise("inserted")
        )
        known = self._keep(known.withColumns({"_news": news, "_effect": effect})).alias("known")
        sieve = bytearray(min(_SLOTS_A_KEY * orders, _MOST_SLOTS) if few else 0)
        slot = F.expr(self._table.slot("known", max(1, len(sieve)))) if few else F.lit(None)
        slots = F.collect_set(F.when(F.col("_news"), slot))
        for name, count, taken in known.groupBy("_effect").agg(F.count("*"), slots).collect():
            setattr(figures, name, count)
            for one in taken:
                sieve[one] = 1
        news_of_it = known.where("_news").select(*self._options.columns.stored)
        return news_of_it, bytes(sieve) or None

    def _maintain(self, before: str | None, figures: Figures) -> None:
        """Keep the table small and quick: what costs is done with the first run of a day."""
        options, after = self._options, figures.watermark
        if options.maintenance == "never" or not after:
            return
        always = options.maintenance == "always"
        daily = always or (before is not None and before[:10] < after[:10])
        try:
            if daily:
                # An update may come that much later than the delete that it must not undo, and be
                # read again with its partition for that much longer.
                self._table.forget_deletes(hours_before(after, 2 * options.look_back))
            if always or self._table.files() > options.compact_files * options.buckets:
                figures.compacted_files = self._table.compact(
                    1 if always else options.compact_files
                )
            if daily:
                self._table.clean_up(
                    snapshots=timedelta(days=options.snapshot_days),
                    orphans=timedelta(days=options.orphan_days),
                )
        except LostRaceError as error:
            _say(f"the rest of the maintenance is left to the run that was faster: {error}")

    def _keep(self, frame: DataFrame) -> DataFrame:
        """Compute it once, as long as the run lasts."""
        self._cached.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return frame


def _some(texts: Column) -> Column:
    """The different ones of ``texts``, a line each."""
    return F.concat_ws("\n", F.collect_set(texts))


def _check_backfill(export: str, moment: str | None, forgotten: str | None) -> None:
    """Refuse an export from before deletes that the table has forgotten: it would undo them."""
    if forgotten is None:
        return
    if moment is None:
        raise JobError(
            f"{export}: no manifest-summary.json tells when the export was made, and the table has "
            f"forgotten the deletes up to {forgotten}: name the folder that has the summary"
        )
    if moment[:13].replace("T", "-") < forgotten:
        raise JobError(
            f"{export}: made at {moment}, and the table has forgotten the deletes up to "
            f"{forgotten}: orders deleted in between would come back. Make a new export"
        )


def parser() -> argparse.ArgumentParser:
    """The job's parameters; Glue adds some of its own, which are passed over."""
    p = argparse.ArgumentParser(prog="merge_orders", allow_abbrev=False)
    p.add_argument("--log", required=True, help="where the event rows are: s3://BUCKET/PREFIX/")
    p.add_argument("--database", required=True, help="the Glue database")
    p.add_argument("--table", default="orders", help="the Iceberg table in it")
    p.add_argument("--location", help="where the table's files go: s3://BUCKET/PREFIX/")
    p.add_argument("--definition", required=True, help="a JSON file: schema, view")
    p.add_argument("--look-back-hours", type=int, default=24, help="how late a change may arrive")
    p.add_argument("--buckets", type=int, default=16, help="partitions of a new table")
    p.add_argument("--compact-files", type=int, default=8, help="files a bucket to put up with")
    p.add_argument("--snapshot-days", type=int, default=5, help="how long to keep old snapshots")
    p.add_argument("--orphan-days", type=int, default=3, help="how long to keep unused files")
    p.add_argument("--maintenance", choices=("auto", "always", "never"), default="auto")
    p.add_argument("--backfill", help="load this DynamoDB export instead of the log's news")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the job; 0 done, 1 failed."""
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
        table=given.table,
        location=given.location,
        columns=Columns.of(definition["schema"]),
        view=definition.get("view"),
        look_back=timedelta(hours=given.look_back_hours),
        buckets=given.buckets,
        compact_files=given.compact_files,
        snapshot_days=given.snapshot_days,
        orphan_days=given.orphan_days,
        maintenance=given.maintenance,
        backfill=given.backfill or None,
    )
    try:
        figures = Run(spark, options)()
    except JobError as error:
        _say(f"Error: {error}")
        return 1
    print(figures.line(options.table, time.time()), flush=True)  # noqa: T201 - the run's one line
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - Glue's log


if __name__ == "__main__" and (code := main(sys.argv[1:])):
    sys.exit(code)  # not of 0: Glue takes any exit for a failure
