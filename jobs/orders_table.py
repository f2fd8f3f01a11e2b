"""The Iceberg table of orders: one row per order, and for a while one per deleted order.

docs/batch.md explains its layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from event_rows import ARRIVED, KEY_HASH, PREVIOUS, VERSION, Columns, JobError, compared
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - PySpark's convention
from pyspark.sql import types as T  # noqa: N812

CATALOG = "lake"
STATE = "sales-cdc.state"
"""Snapshot property: how much of the log is in the table."""
RUN = "sales-cdc.run"
"""Snapshot property: the run that made the snapshot."""
FORGOTTEN = "sales-cdc.forgotten"
"""Snapshot property: the hour up to which deletes have been forgotten."""

_PROPERTIES = {
    "format-version": "2",
    # A run changes few rows of many files: mark the old rows, write the new ones.
    "write.merge.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    # One delete file per partition and run, not one per data file, rewritten each time.
    "write.delete.granularity": "partition",
    # Of two concurrent runs, the second to commit fails, whatever it wrote.
    "write.merge.isolation-level": "serializable",
    "write.delete.isolation-level": "serializable",
    "write.parquet.compression-codec": "zstd",
    # Needed to find files of an older version without it, also in a table of 100 columns.
    f"write.metadata.metrics.column.{KEY_HASH[0]}": "counts",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}
_UNPARTITIONABLE = (T.DoubleType, T.BooleanType)
_LOST_RACE = ("ValidationException", "CommitFailedException", "AlreadyExistsException")
_KEPT_SNAPSHOTS = 20
_SMALL = 32 * 2**20
"""Data files below this size are merged. Larger ones wait until `_WORN`."""
_WORN = 0.25
"""Share of dead rows above which a bucket is rewritten: once per that many changed rows."""
_MOST_BYTES = 2**30
"""What one run compacts at most, or one bucket."""
_ROWS_A_BUCKET, _GROWTH = 8_000_000, 4
"""Above this many rows a bucket, about 600 MB, the table gets so many times the buckets."""
_TOTALS = ("total-data-files", "total-delete-files", "total-records", "total-position-deletes")


class LostRaceError(JobError):
    """Another run changed the table first; nothing of this run was committed."""


@dataclass(frozen=True)
class State:
    """How much of the log is in the table.

    Parameters
    ----------
    watermark:
        The newest hour that was read; None before the first.
    partitions:
        A digest of each hour's objects, as far back as the look-back.
    """

    watermark: str | None = None
    partitions: Mapping[str, str] = field(default_factory=dict)

    def properties(self) -> dict[str, str]:
        """The snapshot property that stores it."""
        return {STATE: json.dumps(asdict(self))}


@dataclass(frozen=True)
class Snapshot:
    """The table at one moment; deletes up to the hour ``forgotten`` are no longer in it."""

    snapshot_id: int | None
    state: State
    forgotten: str | None


@dataclass(frozen=True, kw_only=True)
class _Bucket:
    """The files of one bucket; ``number`` is None in a table without buckets.

    ``dead`` rows are marked in delete files; ``small_size`` is of small data files and all delete
    files.
    """

    number: int | None
    data_files: int
    small_files: int
    delete_files: int
    rows: int
    dead: int
    size: int
    small_size: int

    @property
    def is_worn(self) -> bool:
        """Whether so many rows are dead that all of it should be rewritten."""
        return self.dead > _WORN * self.rows

    def is_crowded(self, files: int) -> bool:
        """Whether it has too many small files."""
        return max(self.small_files, self.delete_files) > files

    @property
    def urgency(self) -> tuple[bool, float, int]:
        """What compacting it improves: reads pay for dead rows, then for files."""
        return self.is_worn, self.dead / max(1, self.rows), self.small_files + self.delete_files

    @property
    def cost(self) -> int:
        """Bytes that compacting it reads."""
        return self.size if self.is_worn else self.small_size


class OrdersTable:
    """The table.

    Parameters
    ----------
    name:
        ``DATABASE.TABLE``.
    location:
        Location of its files; None leaves it to the catalog.
    buckets:
        Number of partitions of a new table, by the key's hash.
    """

    def __init__(
        self,
        spark: SparkSession,
        name: str,
        columns: Columns,
        *,
        location: str | None,
        buckets: int,
    ) -> None:
        self._spark = spark
        self._short = name
        self.name = f"{CATALOG}.{name}"
        self._columns = columns
        self._location = location
        self._buckets = buckets

    def rows(self) -> DataFrame:
        """All rows."""
        return self._spark.table(self.name)

    def prepare(self) -> None:
        """Create the table, or update its columns to the schema.

        Raises
        ------
        JobError
            A column's new type is not wider than its old one.
        """
        declared = ", ".join(map(self._declaration, self._columns.stored))
        key = self._columns.keys[0]
        layout = f"PARTITIONED BY (bucket({self._buckets}, `{key}`))"
        if isinstance(self._columns.types[key], _UNPARTITIONABLE):
            layout = ""
        where = f"LOCATION '{self._location.rstrip('/')}'" if self._location else ""
        self._do(
            f"CREATE TABLE IF NOT EXISTS {self.name} ({declared}) USING iceberg {layout} {where} "
            f"TBLPROPERTIES ({_listed(_PROPERTIES)})"
        )
        stored = {field.name: field.dataType for field in self.rows().schema}
        for name, kind in self._columns.stored.items():
            if name in stored:
                self._evolve((name,), stored[name], kind)
            else:
                self._alter(f"ADD COLUMN {self._declaration(name)}")
        given = self._load().properties()
        # A table of an older version lacks some. Values that someone changed stay.
        if missing := {name: v for name, v in _PROPERTIES.items() if name not in given}:
            self._do(f"ALTER TABLE {self.name} SET TBLPROPERTIES ({_listed(missing)})")

    def _evolve(self, path: tuple[str, ...], stored: T.DataType, wanted: T.DataType) -> None:
        """Give the column, or the field of a column, at ``path`` the type that the schema wants.

        Structs get exactly the schema's fields in its order: Athena casts them by position.
        """
        old, new = stored.simpleString(), wanted.simpleString()
        if old == new:
            return
        match stored, wanted:
            case T.StructType(), T.StructType() if not set(stored.names) - set(wanted.names):
                self._evolve_fields(path, stored, wanted)
            case T.ArrayType(), T.ArrayType():
                self._evolve((*path, "element"), stored.elementType, wanted.elementType)
            case T.MapType(), T.MapType():
                self._evolve((*path, "value"), stored.valueType, wanted.valueType)
            case _ if _widens(old, new):
                self._alter(f"ALTER COLUMN {_quoted(path)} TYPE {new}")
            case _:
                raise JobError(
                    f"{self.name}: column {'.'.join(path)} is {old} in the table and {new} in the "
                    "schema; Iceberg only widens (int to bigint, a decimal's precision), and a "
                    "struct only gains fields. Give the column another name, or drop the table and "
                    "let a run rebuild it"
                )

    def _evolve_fields(
        self, path: tuple[str, ...], stored: T.StructType, wanted: T.StructType
    ) -> None:
        names = list(stored.names)
        for index, (name, kind) in enumerate((one.name, one.dataType) for one in wanted):
            inner = (*path, name)
            place = f"AFTER `{wanted.names[index - 1]}`" if index else "FIRST"
            if name not in names:
                self._alter(f"ADD COLUMN {_quoted(inner)} {kind.simpleString()} {place}")
                names.insert(index, name)
                continue
            self._evolve(inner, stored[name].dataType, kind)
            if names[index] != name:
                self._alter(f"ALTER COLUMN {_quoted(inner)} {place}")
                names.remove(name)
                names.insert(index, name)

    def _alter(self, change: str) -> None:
        self._do(f"ALTER TABLE {self.name} {change}")

    def _declaration(self, name: str) -> str:
        comment = self._columns.comments.get(name, "").replace("\\", "\\\\").replace("'", "\\'")
        return f"`{name}` {self._columns.stored[name].simpleString()} COMMENT '{comment}'"

    def snapshot(self) -> Snapshot:
        """The current snapshot, with the state from the newest snapshot that stores one.

        Snapshots of maintenance store none. If no snapshot does, the log is read from its
        beginning: expensive, but correct.
        """
        # From the table's metadata, not by SQL: this starts no Spark job and keeps cached frames
        # (REFRESH TABLE drops every cached frame that has read the table).
        table = self._load()
        at = newest = table.currentSnapshot()
        state, forgotten = State(), None
        while at is not None:
            summary = at.summary()
            forgotten = max(filter(None, (forgotten, summary.get(FORGOTTEN))), default=None)
            if told := summary.get(STATE):
                state = State(**json.loads(told))
                break
            parent = at.parentId()
            at = None if parent is None else table.snapshot(parent)
        number = None if newest is None else newest.snapshotId()
        return Snapshot(number, state, forgotten)

    def _load(self) -> Any:
        """Iceberg's Java object of the current table."""
        jvm: Any = self._spark.sparkContext._jvm
        load = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable
        return load(self._spark._jsparkSession, self.name)

    def size(self) -> int:
        """The number of rows."""
        newest = self._load().currentSnapshot()
        return int(newest.summary().get("total-records") or 0) if newest else 0

    def complete(self) -> None:
        """Fill the columns that a merge compares where an older version left them out."""
        jvm: Any = self._spark.sparkContext._jvm
        without = jvm.org.apache.iceberg.expressions.Expressions.isNull(KEY_HASH[0])
        files = self._load().newScan().filter(without).planFiles()
        try:
            is_complete = not files.iterator().hasNext()
        finally:
            files.close()
        if is_complete:
            return
        self._do(
            f"ALTER TABLE {self.name} SET TBLPROPERTIES ('write.update.mode' = 'copy-on-write')"
        )
        values = ((name, f"({_sql(value)})") for name, value in compared(self._columns).items())
        setting = ", ".join(f"`{name}` = {value}" for name, value in values)
        self._do(f"UPDATE {self.name} SET {setting} WHERE `{KEY_HASH[0]}` IS NULL")  # noqa: S608

    def merge(
        self, changes: DataFrame, state: State, *, forgotten: str | None, sieve: bytes | None
    ) -> DataFrame:
        """Merge ``changes`` (one per order) and store the new ``state``, in one commit.

        Parameters
        ----------
        forgotten:
            From the previous snapshot, which will expire.
        sieve:
            The key filter: a bit per slot, 1 where a key of ``changes`` hashes to it. Rows in
            other slots are dropped while they are read. The join has to sort both sides by key,
            and a MERGE that inserts cannot broadcast the small side instead.

        Returns
        -------
        ``event_type`` and ``previous_event_type`` of each row that was written.
        """
        changes.createOrReplaceTempView("changes_to_merge")
        given = {
            name: f"s.`{name}`" if name in changes.columns else "NULL"
            for name in self.rows().columns
        }
        same = " AND ".join(f"t.{name} = s.{name}" for name in KEY_HASH)
        newer = " > ".join(
            f"struct({', '.join(f'{side}.{name}' for name in VERSION)})" for side in "st"
        )
        slot = sieve and f"(t.{KEY_HASH[0]} & {8 * len(sieve) - 1})"
        passes = slot and (
            f" AND getbit(:sieve[CAST(shiftright({slot}, 6) AS INT)], CAST({slot} & 63 AS INT)) = 1"
        )
        replacing = given | {PREVIOUS: "t.event_type"}
        setting = ", ".join(f"t.`{name}` = {value}" for name, value in replacing.items())
        names, values = ", ".join(f"`{name}`" for name in given), ", ".join(given.values())
        run = uuid4().hex
        self._do(
            f"MERGE INTO {self.name} t USING changes_to_merge s "  # noqa: S608
            f"ON {same}{passes or ''} "
            f"WHEN MATCHED AND {newer} THEN UPDATE SET {setting} "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
            {RUN: run} | state.properties() | ({FORGOTTEN: forgotten} if forgotten else {}),
            {"sieve": self._words(sieve)} if sieve else {},
        )
        return self._spark.read.schema(f"event_type string, {PREVIOUS} string").parquet(
            *self._files_of(run)
        )

    def _words(self, bits: bytes) -> Column:
        """``bits`` as an array of BIGINT, of which SQL can test one fast."""
        jvm: Any = self._spark.sparkContext._jvm
        gateway: Any = self._spark.sparkContext._gateway
        words = gateway.new_array(jvm.long, len(bits) // 8)
        little = jvm.java.nio.ByteOrder.LITTLE_ENDIAN
        jvm.java.nio.ByteBuffer.wrap(bits).order(little).asLongBuffer().get(words)
        return Column(jvm.org.apache.spark.sql.functions.lit(words))

    def _files_of(self, run: str) -> list[str]:
        """The data files that a run's commit added."""
        table = self._load()
        at = table.currentSnapshot()
        while at is not None and at.summary().get(RUN) != run:
            at = None if at.parentId() is None else table.snapshot(at.parentId())
        if at is None:  # the commit is in the table; the next attempt finds nothing left to do
            raise LostRaceError("an erasure has dropped the snapshot of this run")
        return [file.location() for file in at.addedDataFiles(table.io())]

    def forget_deletes(self, horizon: str) -> None:
        """Drop the rows of orders whose delete arrived before the hour ``horizon``."""
        gone = f"event_type = 'REMOVE' AND {ARRIVED} < '{horizon}'"
        if self.rows().where(gone).head(1):
            self._do(f"DELETE FROM {self.name} WHERE {gone}", {FORGOTTEN: horizon})  # noqa: S608

    def compact(self, files: int, *, everything: bool = False) -> tuple[int, int]:
        """Compact the buckets that need it; returns the numbers of rewritten files and bytes.

        A bucket with many dead rows is rewritten. Otherwise only its small data files are merged
        if there are more than ``files``, and its delete files likewise, so that the cost follows
        what changed. The worst buckets come first; what exceeds `_MOST_BYTES` waits for the next
        run.
        """
        self._grow()
        if not (everything or self._is_crowded(files)):
            return 0, 0
        buckets, packed = self._buckets_of_files(), list[_Bucket]()
        if self._has_old_buckets(buckets):
            rewritten = buckets
        elif everything:
            rewritten = [one for one in buckets if one.data_files > 1 or one.delete_files]
        else:
            crowded = [one for one in buckets if one.is_worn or one.is_crowded(files)]
            chosen = _affordable(sorted(crowded, key=lambda one: one.urgency, reverse=True))
            rewritten = [one for one in chosen if one.is_worn]
            packed = [one for one in chosen if not one.is_worn]
        totals = [0, 0]
        common = {
            # Remove delete files together with the data files they apply to. This is not the
            # default because of tables with equality deletes; Spark writes none.
            "use-starting-sequence-number": "false",
            "remove-dangling-deletes": "true",
        }
        small = {"min-file-size-bytes": str(_SMALL), "min-input-files": "2"}
        for buckets, options in ((rewritten, {"rewrite-all": "true"}), (packed, small)):
            if buckets:
                self._rewrite("rewriteDataFiles", buckets, common | options, totals)
        if with_deletes := [one for one in packed if one.delete_files > 1]:
            self._rewrite("rewritePositionDeletes", with_deletes, {"rewrite-all": "true"}, totals)
        return totals[0], totals[1]

    def _grow(self) -> None:
        """Give the table more buckets if it has outgrown them; `compact` rewrites its files."""
        spec, key = self._load().spec(), self._columns.keys[0]
        count = _number_of_buckets(spec)
        if spec.isPartitioned() and self.size() > count * _ROWS_A_BUCKET:
            old, new = (f"bucket({n}, `{key}`)" for n in (count, _GROWTH * count))
            self._alter(f"REPLACE PARTITION FIELD {old} WITH {new}")

    def _has_old_buckets(self, buckets: Iterable[_Bucket]) -> bool:
        """Whether files are left of the time before the table got more buckets.

        They are rewritten at once: which of them have rows of a new bucket, Iceberg cannot tell.
        """
        left = any(one.number is None and one.data_files for one in buckets)
        return left and bool(self._load().spec().isPartitioned())

    def _is_crowded(self, files: int) -> bool:
        """Whether any bucket may need to be compacted, by the snapshot's summary alone."""
        table = self._load()
        newest = table.currentSnapshot()
        if newest is None:
            return False
        totals = {name: int(value) for name, value in newest.summary().items() if name in _TOTALS}
        data_files, delete_files, rows, dead = (totals.get(name, 0) for name in _TOTALS)
        limit = files * _number_of_buckets(table.spec())
        changed = table.specs().size() > 1
        return changed or max(data_files, delete_files) > limit or dead > _WORN * rows

    def _buckets_of_files(self) -> list[_Bucket]:
        (field, *_) = [*(one.name() for one in self._load().spec().fields()), None]
        number = F.col(f"partition.`{field}`") if field else F.lit(None).cast("int")
        data, deletes = F.col("content") == 0, F.col("content") == 1
        size, rows = F.col("file_size_in_bytes"), F.col("record_count")
        small = data & (size < _SMALL)
        found = (
            self._spark.table(f"{self.name}.files")
            .groupBy(number.alias("number"))
            .agg(
                F.count_if(data).alias("data_files"),
                F.count_if(small).alias("small_files"),
                F.count_if(deletes).alias("delete_files"),
                F.sum(F.when(data, rows).otherwise(0)).alias("rows"),
                F.sum(F.when(deletes, rows).otherwise(0)).alias("dead"),
                F.sum(size).alias("size"),
                F.sum(F.when(~data | small, size).otherwise(0)).alias("small_size"),
            )
        )
        return [_Bucket(**row.asDict()) for row in found.collect()]

    def _rewrite(
        self, action: str, buckets: Sequence[_Bucket], options: Mapping[str, str], totals: list[int]
    ) -> None:
        """Run one of Iceberg's actions on ``buckets``; add its files and bytes to ``totals``.

        SQL's procedures cannot choose a bucket.
        """
        jvm: Any = self._spark.sparkContext._jvm
        table = self._load()
        expressions = jvm.org.apache.iceberg.expressions.Expressions
        actions = jvm.org.apache.iceberg.spark.actions.SparkActions.get(self._spark._jsparkSession)
        work = getattr(actions, action)(table)
        if all(one.number is not None for one in buckets):
            numbers = jvm.java.util.ArrayList()
            for one in buckets:
                numbers.add(one.number)
            term = expressions.bucket(self._columns.keys[0], _number_of_buckets(table.spec()))
            work = work.filter(getattr(expressions, "in")(term, numbers))
        for name, value in options.items():
            work = work.option(name, value)
        with _racing():
            result = work.execute()
        deletes = action == "rewritePositionDeletes"
        totals[0] += (
            result.rewrittenDeleteFilesCount() if deletes else result.rewrittenDataFilesCount()
        )
        totals[1] += result.rewrittenBytesCount()

    def clean_up(self, *, snapshots: timedelta, orphans: timedelta) -> None:
        """Expire old snapshots with their files, and delete orphan files."""
        now = datetime.now(UTC)
        older = [f"older_than => TIMESTAMP '{now - age:%F %T}'" for age in (snapshots, orphans)]
        self._call("expire_snapshots", f"{older[0]}, retain_last => {_KEPT_SNAPSHOTS}")
        self._call("remove_orphan_files", older[1])

    def _call(self, procedure: str, arguments: str) -> int:
        """Call one of Iceberg's procedures; return the first number of its result."""
        sql = f"CALL {CATALOG}.system.{procedure}(table => '{self._short}', {arguments})"
        row = self._do(sql).first()
        return int(row[0]) if row and isinstance(row[0], int) else 0

    def _do(
        self,
        statement: str,
        properties: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> DataFrame:
        """Run a statement; the snapshot that it makes stores ``properties``.

        Raises
        ------
        LostRaceError
            Another run committed first.
        """
        with _racing():
            if properties is None:
                return self._spark.sql(statement)
            return _with_properties(
                self._spark, properties, lambda: self._spark.sql(statement, dict(given or {}))
            )


def _number_of_buckets(spec: Any) -> int:
    buckets = re.search(r"bucket\[(\d+)\]", spec.toString())
    return int(buckets[1]) if buckets else 1


@contextmanager
def _racing() -> Iterator[None]:
    """Raise `LostRaceError` if another run committed first."""
    try:
        yield
    except Exception as error:
        for line in str(error).splitlines():
            if any(name in line for name in _LOST_RACE):
                raise LostRaceError(line) from error
        raise


def _affordable(buckets: Iterable[_Bucket]) -> list[_Bucket]:
    """The first of ``buckets``, and all further ones until `_MOST_BYTES` are reached."""
    chosen: list[_Bucket] = []
    for one in buckets:
        if chosen and sum(other.cost for other in (*chosen, one)) > _MOST_BYTES:
            break
        chosen.append(one)
    return chosen


def _sql(value: Column) -> str:
    """The column's SQL."""
    column: Any = value
    return str(column._jc.expr().sql())


def _listed(properties: Mapping[str, str]) -> str:
    return ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())


def _quoted(path: tuple[str, ...]) -> str:
    return ".".join(f"`{name}`" for name in path)


def _widens(stored: str, wanted: str) -> bool:
    old, new = (re.fullmatch(r"decimal\((\d+),(\d+)\)", kind) for kind in (stored, wanted))
    if old and new:
        return old[2] == new[2] and int(old[1]) < int(new[1])
    return (stored, wanted) == ("int", "bigint")


def _with_properties(
    spark: SparkSession, properties: Mapping[str, str], work: Callable[[], DataFrame]
) -> DataFrame:
    """Do ``work``, with ``properties`` in the summary of each snapshot that it makes.

    SQL cannot set them, and a DataFrame's options do not reach a MERGE. Iceberg's
    ``CommitMetadata`` can: it calls back, and every commit on that thread gets the properties.
    """
    jvm: Any = spark.sparkContext._jvm
    ensure_callback_server_started(spark.sparkContext._gateway)  # type: ignore[no-untyped-call]
    call = _Callable(work)
    any_error = jvm.java.lang.Class.forName("java.lang.RuntimeException")
    summary = jvm.java.util.HashMap()
    for name, value in properties.items():
        summary.put(name, value)
    jvm.org.apache.iceberg.spark.CommitMetadata.withCommitProperties(summary, call, any_error)
    if call.error is not None:
        raise call.error
    assert call.result is not None
    return call.result


class _Callable:
    """A java.util.concurrent.Callable that keeps its error; Java would keep only the text."""

    def __init__(self, work: Callable[[], DataFrame]) -> None:
        self._work = work
        self.result: DataFrame | None = None
        self.error: Exception | None = None

    def call(self) -> None:
        """Do the work."""
        try:
            self.result = self._work()
        except Exception as error:
            self.error = error

    class Java:
        """Tells Py4J which interface this implements."""

        implements = ("java.util.concurrent.Callable",)
