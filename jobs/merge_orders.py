"""Keep the Iceberg table of current orders up to date with the log of changes.

AWS Glue runs this file as it is; so does ``python -m local``, and so do the tests. It needs Spark
with Iceberg's extensions and the standard library, nothing of the project. docs/batch.md says how
the table is laid out and why a run may be killed at any point, repeated, or raced by another one.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Any

from pyspark import StorageLevel
from pyspark.conf import SparkConf
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

CATALOG = "lake"
STATE = "sales-cdc.state"
"""The snapshot property that says what of the log is in the table: one JSON object."""
FORGOTTEN = "sales-cdc.forgotten"
"""The snapshot property that says up to which hour deletes have been forgotten."""
ARRIVED = "arrived"
"""The column that says in which hour's partition an order's last change arrived."""

DEFAULTS: Mapping[str, str] = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    f"spark.sql.catalog.{CATALOG}.type": "glue",
    f"spark.sql.catalog.{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
}
"""Spark's configuration, but for what ``--conf`` says otherwise."""
SESSION: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    # An expired partition may go while it is read: what it held was merged before or is too old.
    "spark.sql.files.ignoreMissingFiles": "true",
}

_HOUR = "%Y-%m-%d-%H"
_SETTLE = timedelta(hours=1)
"""An object is filed under the hour of its first record and comes when its buffer is full."""
_ATTEMPTS = 5
_LOST_RACE = ("ValidationException", "CommitFailedException", "AlreadyExistsException")
_SEQUENCE_DIGITS = 40
_SPARK_TYPES = {"timestamp": "timestamp_ntz"}
_UNPARTITIONABLE = ("double", "boolean")
_WIDER = {("int", "bigint")}
_ROW_COLUMNS = {
    "extras": "string",
    "event_type": "string",
    "creation_time": "timestamp",
    "event_id": "string",
    "sequence_number": "string",
}
PROBLEMS = (
    UNREADABLE := "unreadable",
    NO_KEY := "no key",
    NO_EVENT_TYPE := "no known event_type",
    NO_SEQUENCE_NUMBER := "no sequence_number",
    NO_EVENT_ID := "no event_id",
    MISFIT := "a value that does not fit its column",
)
"""Why a row is rejected."""
_TWO_OBJECTS = r'\}\s*\{\s*"[^"\\]*"\s*:'


class JobError(Exception):
    """What keeps the job from its work, in words a person can act on."""


class LostRaceError(JobError):
    """Another run changed the table first; nothing of this one is in it."""


@dataclass(frozen=True)
class Columns:
    """The event row's columns as Hive types by name, the table's keys among them."""

    types: Mapping[str, str]
    keys: tuple[str, ...]
    comments: Mapping[str, str]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Columns:
        """Of a schema's JSON (``Schema.to_json``)."""
        types = {column["name"]: column["type"] for column in schema["columns"]} | _ROW_COLUMNS
        keys = tuple(key for key in (schema["key"], schema.get("sort_key")) if key)
        return cls(types, keys, {c["name"]: c.get("comment", "") for c in schema["columns"]})

    @property
    def own(self) -> list[str]:
        """The table's columns, without those of the event row."""
        return [name for name in self.types if name not in _ROW_COLUMNS]

    @property
    def stored(self) -> dict[str, str]:
        """The Iceberg table's columns as Spark types."""
        return {name: spark_type(kind) for name, kind in self.types.items()} | {ARRIVED: "string"}


@dataclass(frozen=True)
class Options:
    """What a run is told; see `parser` for each."""

    log: str
    database: str
    table: str
    location: str | None
    columns: Columns
    view: Mapping[str, Any] | None = None
    look_back: timedelta = timedelta(hours=24)
    buckets: int = 16
    compact_files: int = 8
    snapshot_days: int = 5
    orphan_days: int = 3
    maintenance: str = "auto"
    backfill: str | None = None

    @property
    def name(self) -> str:
        """The Iceberg table, for SQL."""
        return f"{CATALOG}.{self.database}.{self.table}"


@dataclass
class Figures:
    """What a run did. ``rows_read = rejected + duplicates + superseded + the rest``, and the rest
    is ``inserted + updated + deleted + skipped``: one change an order.
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
    seconds: float = 0.0
    watermark: str | None = None
    attempts: int = 1
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    rejected_files: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)

    def line(self, table: str, now: float) -> str:
        """One line of JSON in CloudWatch's embedded metric format."""
        counts = {key: value for key, value in asdict(self).items() if isinstance(value, int)}
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        metrics.append({"Name": "seconds", "Unit": "Seconds"})
        meta = {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "sales-cdc", "Dimensions": [["Table"]], "Metrics": metrics}
            ],
        }
        return json.dumps({"_aws": meta, "Table": table, **asdict(self)}, sort_keys=True)


# -- The log ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """What of the log is in the table.

    Parameters
    ----------
    watermark:
        The newest hour that was read; None when nothing was.
    partitions:
        A digest of the objects of each hour that was read, as far back as the look-back.
    """

    watermark: str | None = None
    partitions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Partition:
    """The objects of one hour: path to size."""

    hour: str
    objects: Mapping[str, int]

    @property
    def digest(self) -> str:
        """Tells whether an object came or went."""
        listing = json.dumps(sorted(self.objects.items())).encode()
        return hashlib.sha256(listing).hexdigest()[:16]


def hours_before(hour: str, span: timedelta) -> str:
    """The hour that lies ``span`` before ``hour`` (``YYYY-MM-DD-HH``, which sorts as text)."""
    return (datetime.strptime(hour, _HOUR) - span).strftime(_HOUR)  # noqa: DTZ007 - UTC throughout


def list_log(spark: SparkSession, log: str, since: str | None) -> list[Partition]:
    """The log's partitions from the hour ``since`` on, in order; days before it are not listed."""
    jvm: Any = spark.sparkContext._jvm
    root = jvm.org.apache.hadoop.fs.Path(log)
    files = root.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
    if not files.exists(root):
        return []
    latest = (datetime.now(UTC) + _SETTLE).strftime(_HOUR)  # a wrong clock must not end the log
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for status in files.listStatus(root):
        day = re.fullmatch(r"day=(\d{4}-\d{2}-\d{2})", status.getPath().getName())
        if not day or (since and day[1] < since[:10]) or day[1] > latest[:10]:
            continue
        objects = files.listFiles(status.getPath(), True)
        while objects.hasNext():
            one = objects.next()
            path = one.getPath().toString()
            hour = re.search(r"/hour=(\d{2})/([^/]+)$", path)
            if hour and hour[2][0] not in "._" and one.getLen():
                found[f"{day[1]}-{hour[1]}"][path] = one.getLen()
    return [
        Partition(hour, found[hour])
        for hour in sorted(found)
        if (not since or hour >= since) and hour <= latest
    ]


def read_log(
    spark: SparkSession, partitions: Iterable[Partition], columns: Columns
) -> DataFrame | None:
    """Event rows, each with ``arrived``, ``problem`` (or NULL), ``unknown`` columns and ``file``."""
    parquet, lines = [], []
    for partition in partitions:
        named = {path: path.endswith(".parquet") for path in partition.objects}
        folders = {path.rpartition("/")[0] for path in named}
        if len(set(named.values())) == 1:  # one format: name the folder, which is a shorter list
            (parquet if all(named.values()) else lines).extend(folders)
        else:  # the hour in which the format was changed
            parquet += [path for path, is_parquet in named.items() if is_parquet]
            lines += [path for path, is_parquet in named.items() if not is_parquet]
    frames = []
    if lines:
        frames.append(_read_json(spark, lines, columns))
    if parquet:
        frames.append(_read_parquet(spark, parquet, columns))
    return None if not frames else frames[0] if len(frames) == 1 else frames[0].union(frames[1])


def _read_json(spark: SparkSession, paths: Sequence[str], columns: Columns) -> DataFrame:
    read = {name: _roomy(kind) for name, kind in columns.types.items()}
    schema = ", ".join(f"`{name}` {kind}" for name, kind in read.items()) + ", _corrupt string"
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_corrupt",
        "timestampNTZFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]",
        "dateFormat": "yyyy-MM-dd",
    }
    text = (
        spark.read.option("recursiveFileLookup", "true").option("lineSep", "\n").text(list(paths))
    )
    row = text.select(
        F.col("value"),
        F.col("_metadata.file_path").alias("file"),
        F.from_json("value", schema, options).alias("row"),
        F.json_object_keys("value").alias("names"),
    ).where(F.trim("value") != "")
    unreadable = (
        F.col("row").isNull()
        | F.col("row._corrupt").isNotNull()
        | ~F.trim("value").rlike(r"^\{[\s\S]*\}$")
        | F.col("value").rlike(_TWO_OBJECTS)  # a newline is missing: the second would be dropped
    )
    known = F.array(*map(F.lit, columns.types))
    return _checked(
        row,
        columns,
        {name: F.col(f"row.`{name}`") for name in columns.types},
        unreadable,
        F.array_except(F.coalesce("names", F.array().cast("array<string>")), known),
    )


def _read_parquet(spark: SparkSession, paths: Sequence[str], columns: Columns) -> DataFrame:
    reader = spark.read.option("recursiveFileLookup", "true").option("mergeSchema", "true")
    rows = reader.parquet(*paths)
    present = {name.lower(): name for name in rows.columns}
    values = {
        name: F.col(f"`{present[name]}`") if name in present else F.lit(None).cast(spark_type(kind))
        for name, kind in columns.types.items()
    }
    unknown = F.array(*(F.lit(name) for name in sorted(present.keys() - columns.types.keys())))
    rows = rows.withColumn("file", F.col("_metadata.file_path"))
    return _checked(rows, columns, values, F.lit(False), unknown.cast("array<string>"))


def _checked(
    rows: DataFrame,
    columns: Columns,
    values: Mapping[str, Column],
    unreadable: Column,
    unknown: Column,
) -> DataFrame:
    fits, typed = F.lit(True), []
    for name, kind in columns.types.items():
        value = values[name].cast(spark_type(kind))
        typed.append(value.alias(name))
        fits &= values[name].isNull() | (
            values[name].eqNullSafe(value) if "decimal" in kind else value.isNotNull()
        )
    no_key = F.lit(False)
    for key in columns.keys:
        no_key |= values[key].isNull()
    known_type = values["event_type"].isin("INSERT", "MODIFY", "REMOVE")
    numbered = values["sequence_number"].rlike(rf"^\d{{{_SEQUENCE_DIGITS}}}$")
    problem = (
        F.when(unreadable, UNREADABLE)
        .when(no_key, NO_KEY)
        .when(~F.coalesce(known_type, F.lit(False)), NO_EVENT_TYPE)
        .when(~F.coalesce(numbered, F.lit(False)), NO_SEQUENCE_NUMBER)
        .when(values["event_id"].isNull(), NO_EVENT_ID)
        .when(~fits, MISFIT)
    )
    hour = F.regexp_extract("file", r"day=([0-9-]+)/hour=([0-9]+)/", 1)
    arrived = F.concat(hour, F.lit("-"), F.regexp_extract("file", r"/hour=([0-9]+)/", 1))
    return rows.select(
        *typed, arrived.alias(ARRIVED), problem.alias("problem"), unknown.alias("unknown"), "file"
    )


def _some(texts: Column) -> Column:
    """Different ones of ``texts`` in one text, a line each."""
    return F.concat_ws("\n", F.collect_set(texts))


def spark_type(kind: str) -> str:
    """Spark's type for a Hive type: timestamps are UTC and carry no zone."""
    return _SPARK_TYPES.get(kind, kind)


def _roomy(kind: str) -> str:
    """A type to read decimals with: as many digits before the point, the more behind it.

    Spark rounds a JSON number to its column's scale without a word; read like this it is seen.
    """
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
    if not match:
        return spark_type(kind)
    return f"decimal(38,{38 - (int(match[1]) - int(match[2]))})"


# -- A DynamoDB export -----------------------------------------------------------------------------

_ATTRIBUTE = (
    "struct<S:string,N:string,B:string,BOOL:boolean,NULL:boolean,M:string,L:string,"
    "SS:array<string>,NS:array<string>,BS:array<string>>"
)


def read_export(spark: SparkSession, export: str, columns: Columns) -> tuple[DataFrame, str | None]:
    """The items of a full export (DYNAMODB_JSON) as changes older than any in the log.

    Parameters
    ----------
    export:
        The folder with ``manifest-summary.json`` and ``data/`` in it.

    Returns
    -------
    The rows, and the export's time; None if there is no summary to tell it.
    """
    root = export.rstrip("/")
    jvm: Any = spark.sparkContext._jvm
    summary = jvm.org.apache.hadoop.fs.Path(f"{root}/manifest-summary.json")
    files = summary.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
    moment = None
    if files.exists(summary):
        told = spark.read.option("wholetext", "true").text(f"{root}/manifest-summary.json").first()
        document = json.loads(told[0]) if told else {}
        if document.get("outputFormat", "DYNAMODB_JSON") != "DYNAMODB_JSON":
            raise JobError(
                f"{root}: the export is {document['outputFormat']}; export DYNAMODB_JSON"
            )
        if document.get("exportType", "FULL_EXPORT") != "FULL_EXPORT":
            raise JobError(f"{root}: an incremental export is no starting state; make a full one")
        moment = document.get("exportTime")
    data = f"{root}/data" if files.exists(jvm.org.apache.hadoop.fs.Path(f"{root}/data")) else root
    text = spark.read.option("lineSep", "\n").option("pathGlobFilter", "*.json.gz").text(data)
    item = text.select(
        F.get_json_object("value", "$.Item").alias("item"),
        F.col("_metadata.file_path").alias("file"),
    )
    attributes = item.select(
        "item",
        "file",
        F.from_json("item", f"map<string,{_ATTRIBUTE}>").alias("a"),
        F.from_json("item", "map<string,string>").alias("raw"),
    )
    values: dict[str, Column] = {}
    fits = F.lit(True)
    for name in columns.own:
        values[name], fine = _attribute(name, columns.types[name])
        fits &= fine
    others = F.map_filter("raw", lambda name, _: ~name.isin(*columns.own))
    values["extras"] = F.when(F.size(others) > 0, _plain_json(others))
    no_key = F.lit(False)
    for key in columns.keys:
        no_key |= values[key].isNull()
    problem = F.when(F.col("a").isNull(), UNREADABLE).when(no_key, NO_KEY).when(~fits, MISFIT)
    values |= {
        "event_type": F.lit("BACKFILL"),
        "creation_time": F.to_timestamp_ntz(F.lit((moment or "").replace("T", " ").rstrip("Z"))),
        "event_id": F.concat(
            F.lit("backfill:"), F.concat_ws("/", *(values[k] for k in columns.keys))
        ),
        "sequence_number": F.lit("0" * _SEQUENCE_DIGITS),
    }
    rows = attributes.select(
        *(values[name].cast(spark_type(kind)).alias(name) for name, kind in columns.types.items()),
        F.lit(None).cast("string").alias(ARRIVED),
        problem.alias("problem"),
        F.array().cast("array<string>").alias("unknown"),
        "file",
    )
    return rows, moment


def _attribute(name: str, kind: str) -> tuple[Column, Column]:
    """An attribute as a column's value, and whether it is one: as the transform takes it."""
    a = F.col("a")[name]
    if kind in ("string", "date"):
        value = a["S"] if kind == "date" else F.coalesce(a["S"], a["N"])
        given = value
    elif kind == "boolean":
        value = given = a["BOOL"]
    elif kind == "timestamp":
        iso = F.regexp_replace(F.regexp_replace(a["S"], "T", " "), r"(Z|\+00:00)$", "")
        seconds = a["N"].cast("decimal(38,9)")
        value = F.coalesce(
            F.to_timestamp_ntz(iso),
            F.timestamp_micros((seconds * 1_000_000).cast("bigint")).cast("timestamp_ntz"),
        )
        given = F.coalesce(a["S"], a["N"])
    else:
        given = a["N"]
        value = given.cast(_roomy(kind) if "decimal" in kind else kind)
    typed = value.cast(spark_type(kind))
    absent = a.isNull() | F.coalesce(a["NULL"], F.lit(False))
    exact = given.isNotNull() & typed.isNotNull()
    if "decimal" in kind or kind in ("int", "bigint"):
        exact &= given.cast(_roomy(kind) if "decimal" in kind else "decimal(38,9)") == typed
    return typed, absent | exact


@F.udf("string")
def _plain_json(raw: Mapping[str, str]) -> str | None:
    """Attributes that the schema does not know, as the transform writes them to ``extras``."""

    def plain(value: Any) -> str:
        ((kind, held),) = value.items()
        if kind == "N":
            return str(held)
        if kind == "M":
            return _object({name: plain(one) for name, one in held.items()})
        if kind == "L":
            return "[" + ",".join(map(plain, held)) + "]"
        if kind == "NS":
            return "[" + ",".join(sorted(held)) + "]"
        held = None if kind == "NULL" else sorted(held) if kind in ("SS", "BS") else held
        return json.dumps(held, ensure_ascii=False, separators=(",", ":"))

    def _object(members: Mapping[str, str]) -> str:
        names = (
            f"{json.dumps(name, ensure_ascii=False)}:{members[name]}" for name in sorted(members)
        )
        return "{" + ",".join(names) + "}"

    return _object({name: plain(json.loads(text)) for name, text in raw.items()})


# -- The table -------------------------------------------------------------------------------------


class OrdersTable:
    """The Iceberg table: one row an order, and for a while one for each deleted order."""

    def __init__(self, spark: SparkSession, options: Options) -> None:
        self._spark = spark
        self._options = options
        self.name = options.name

    def prepare(self) -> None:
        """Make the table, or bring its columns up to the schema."""
        options, columns = self._options, self._options.columns
        declared = ", ".join(
            f"`{name}` {kind} COMMENT '{_quoted(columns.comments.get(name, ''))}'"
            for name, kind in columns.stored.items()
        )
        key = columns.keys[0]
        partitioned = (
            ""
            if columns.types[key] in _UNPARTITIONABLE
            else f"PARTITIONED BY (bucket({options.buckets}, `{key}`))"
        )
        location = f"LOCATION '{options.location.rstrip('/')}'" if options.location else ""
        self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{options.database}") if (
            not options.location
        ) else None
        self._spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.name} ({declared}) USING iceberg {partitioned} "
            f"{location} TBLPROPERTIES ({_properties(options)})"
        )
        self._evolve()

    def _evolve(self) -> None:
        stored = {
            f.name: f.dataType.simpleString() for f in self._spark.table(self.name).schema.fields
        }
        for name, kind in self._options.columns.stored.items():
            comment = _quoted(self._options.columns.comments.get(name, ""))
            if name not in stored:
                self._spark.sql(
                    f"ALTER TABLE {self.name} ADD COLUMN `{name}` {kind} COMMENT '{comment}'"
                )
            elif stored[name] != kind:
                if not _widens(stored[name], kind):
                    raise JobError(
                        f"{self.name}: column {name} is {stored[name]} in the table and {kind} in "
                        "the schema; Iceberg only widens (int to bigint, a decimal's precision). "
                        "Give the column another name, or drop the table and let the job rebuild it"
                    )
                self._spark.sql(f"ALTER TABLE {self.name} ALTER COLUMN `{name}` TYPE {kind}")

    def snapshot(self) -> tuple[int | None, State, str | None]:
        """The current snapshot's id, what of the log is in it, and what was forgotten till when.

        The snapshots are walked from the newest back: maintenance makes some that carry no state.
        Without any the log is read from its beginning, which is dear but not wrong.
        """
        self._spark.catalog.refreshTable(self.name)
        history = {
            row["snapshot_id"]: row
            for row in self._spark.sql(
                f"SELECT snapshot_id, parent_id, summary FROM {self.name}.snapshots"
            ).collect()
        }
        refs = self._spark.sql(
            f"SELECT snapshot_id FROM {self.name}.refs WHERE name = 'main'"
        ).collect()
        current = refs[0][0] if refs else None
        state, forgotten, at = None, None, current
        while at in history:
            summary = history[at]["summary"]
            if state is None and STATE in summary:
                state = State(**json.loads(summary[STATE]))
            forgotten = max(filter(None, (forgotten, summary.get(FORGOTTEN))), default=None)
            at = history[at]["parent_id"]
        return current, state or State(), forgotten

    def merge(self, changes: DataFrame, properties: Mapping[str, str]) -> None:
        """Put ``changes`` (one an order) in, with ``properties`` in the same commit."""
        columns = self._options.columns
        stored = self._spark.table(self.name).columns
        given = {name: f"s.`{name}`" if name in columns.stored else "NULL" for name in stored}
        changes.createOrReplaceTempView("changes_to_merge")
        same = " AND ".join(f"t.`{key}` = s.`{key}`" for key in columns.keys)
        self.commit(
            f"MERGE INTO {self.name} t USING changes_to_merge s ON {same} "
            "WHEN MATCHED AND s.sequence_number > t.sequence_number THEN UPDATE SET "
            + ", ".join(f"t.`{name}` = {value}" for name, value in given.items())
            + f" WHEN NOT MATCHED THEN INSERT ({', '.join(f'`{name}`' for name in given)}) "
            f"VALUES ({', '.join(given.values())})",
            properties,
        )

    def commit(self, statement: str, properties: Mapping[str, str]) -> None:
        """Run a statement whose snapshot carries ``properties``.

        Raises
        ------
        LostRaceError
            Another run's commit came first.
        """
        _with_commit_properties(self._spark, properties, lambda: self._spark.sql(statement))


def _properties(options: Options) -> str:
    properties = {
        "format-version": "2",
        # A run touches few rows of many files: mark the old ones, write the new ones.
        "write.merge.mode": "merge-on-read",
        "write.delete.mode": "merge-on-read",
        "write.update.mode": "merge-on-read",
        # Two runs at once: the second to commit fails whatever it wrote.
        "write.merge.isolation-level": "serializable",
        "write.delete.isolation-level": "serializable",
        "write.parquet.compression-codec": "zstd",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "50",
    }
    return ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())


def _widens(stored: str, wanted: str) -> bool:
    decimals = [re.fullmatch(r"decimal\((\d+),(\d+)\)", kind) for kind in (stored, wanted)]
    if decimals[0] and decimals[1]:
        return decimals[0][2] == decimals[1][2] and int(decimals[0][1]) < int(decimals[1][1])
    return (stored, wanted) in _WIDER


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _with_commit_properties(
    spark: SparkSession, properties: Mapping[str, str], work: Callable[[], Any]
) -> None:
    """Do ``work``; Iceberg writes ``properties`` into the summary of each snapshot it makes.

    SQL has no syntax for it and DataFrame options do not reach MERGE, but Iceberg offers
    ``CommitMetadata``, which calls back on the thread that commits.
    """
    jvm: Any = spark.sparkContext._jvm
    ensure_callback_server_started(spark.sparkContext._gateway)
    call = _Callable(work)
    jvm.org.apache.iceberg.spark.CommitMetadata.withCommitProperties(
        {**properties}, call, jvm.java.lang.Class.forName("java.lang.RuntimeException")
    )
    if call.error is not None:
        if any(name in str(call.error) for name in _LOST_RACE):
            raise LostRaceError(str(call.error).splitlines()[0]) from call.error
        raise call.error


class _Callable:
    """A java.util.concurrent.Callable; an error is kept, for Java could only tell its text."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.error: Exception | None = None

    def call(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.error = error

    class Java:
        """What Py4J is to make of it."""

        implements = ["java.util.concurrent.Callable"]  # noqa: RUF012 - Py4J's form


# -- A run -----------------------------------------------------------------------------------------


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
        for name, value in SESSION.items():
            spark.conf.set(name, value)
        self._spark = spark
        self._options = options
        self._before_merge = before_merge
        self._table = OrdersTable(spark, options)

    def __call__(self) -> Figures:
        """Merge what is new, tidy up, and tell.

        Raises
        ------
        JobError
            What a person must mend.
        """
        began = time.monotonic()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                before, figures = self._merge()
                break
            except LostRaceError as error:
                if attempt == _ATTEMPTS:
                    raise JobError(
                        f"other runs changed {self._options.name} first, {attempt} times: let one "
                        f"run at a time. {error}"
                    ) from error
                _say(f"another run was faster, starting over: {error}")
        figures.attempts = attempt
        self._maintain(before, figures)
        if self._options.view and figures.watermark:
            point_view(self._options, hours_before(figures.watermark, _SETTLE))
        figures.seconds = round(time.monotonic() - began, 3)
        return figures

    def _merge(self) -> tuple[State, Figures]:
        """One attempt: the state before it, and what it did."""
        options, figures = self._options, Figures()
        self._table.prepare()
        snapshot, state, forgotten = self._table.snapshot()
        figures.watermark = state.watermark
        since = state.watermark and hours_before(state.watermark, options.look_back)
        rows: DataFrame | None
        if options.backfill:
            rows, moment = read_export(self._spark, options.backfill, options.columns)
            _check_backfill(options.backfill, moment, forgotten)
            after = state
        else:
            listed = list_log(self._spark, options.log, since)
            changed = [one for one in listed if state.partitions.get(one.hour) != one.digest]
            figures.partitions_read = len(changed)
            rows = read_log(self._spark, changed, options.columns)
            after = self._state_after(state, listed)
        if rows is None:
            return state, figures
        figures.watermark = after.watermark
        changes = self._newest(rows, figures)
        try:
            effective = self._classify(changes, figures, empty=snapshot is None)
            self._before_merge()
            if self._table.snapshot()[0] != snapshot:
                raise LostRaceError("the table has a new snapshot")
            self._table.merge(effective, {STATE: json.dumps(asdict(after))})
        finally:
            for frame in self._cached:
                frame.unpersist()
        return state, figures

    def _state_after(self, state: State, listed: Sequence[Partition]) -> State:
        hours = [one.hour for one in listed] + ([state.watermark] if state.watermark else [])
        if not hours:
            return state
        watermark = max(hours)
        kept = hours_before(watermark, self._options.look_back)
        digests = {**state.partitions, **{one.hour: one.digest for one in listed}}
        return State(watermark, {hour: digests[hour] for hour in sorted(digests) if hour >= kept})

    def _newest(self, rows: DataFrame, figures: Figures) -> DataFrame:
        """One change an order: that of the highest sequence_number. Counts the others."""
        columns = self._options.columns
        seen = Observation()
        bad = F.col("problem").isNotNull()
        # Texts and numbers only: PySpark cannot read an observed array.
        observed = rows.observe(
            seen,
            F.count(F.lit(1)).alias("rows"),
            *(F.count_if(F.col("problem").eqNullSafe(one)).alias(one) for one in PROBLEMS),
            _some(F.when(bad, F.col("file"))).alias("files"),
            _some(F.when(F.size("unknown") > 0, F.concat_ws("\n", "unknown"))).alias("unknown"),
        )
        dead = F.col("event_type") == "REMOVE"
        kept = {*columns.keys, *_ROW_COLUMNS, ARRIVED} - {"extras"}
        row = F.struct(
            "sequence_number",
            *(
                (F.col(n) if n in kept else F.when(~dead, F.col(n))).alias(n)  # forget what it held
                for n in columns.stored
                if n != "sequence_number"
            ),
        )
        changes = (
            observed.where(~bad)
            .groupBy(*(F.col(key).alias(f"_{key}") for key in columns.keys))
            .agg(
                F.max(row).alias("row"),
                F.count(F.lit(1)).alias("copies"),
                F.size(F.collect_set("event_id")).alias("events"),
            )
            .persist(StorageLevel.MEMORY_AND_DISK)
        )
        self._cached = [changes]
        totals = changes.agg(F.sum("copies"), F.sum("events"), F.count(F.lit(1))).first()
        assert totals is not None
        copies, events, orders = (int(total or 0) for total in totals)
        told = seen.get
        figures.rows_read = told["rows"]
        figures.rejected_by_reason = {one: told[one] for one in PROBLEMS if told[one]}
        figures.rejected = sum(figures.rejected_by_reason.values())
        figures.rejected_files = told["files"].split("\n")[:5] if told["files"] else []
        figures.unknown_columns = sorted(set(told["unknown"].split())) if told["unknown"] else []
        figures.duplicates = copies - events
        figures.superseded = events - orders
        return changes.select("row.*")

    def _classify(self, changes: DataFrame, figures: Figures, *, empty: bool) -> DataFrame:
        """The changes that change something; counts what each does."""
        keys = list(self._options.columns.keys)
        if empty:
            known = changes.withColumns(
                {"_sequence": F.lit(None).cast("string"), "_live": F.lit(False)}
            )
        else:
            # The changes are few and the table is not: send them to it, do not shuffle it.
            wanted = changes.select(*keys)
            stored = (
                self._spark.table(self._table.name)
                .select(
                    *keys,
                    F.col("sequence_number").alias("_sequence"),
                    (F.col("event_type") != "REMOVE").alias("_live"),
                )
                .join(wanted, keys, "left_semi")
            )
            known = changes.join(stored, keys, "left")
        dead = F.col("event_type") == "REMOVE"
        live = F.coalesce("_live", F.lit(False))
        stale = F.col("_sequence").isNotNull() & (F.col("sequence_number") <= F.col("_sequence"))
        known = known.withColumn(
            "_effect",
            F.when(stale | (dead & ~live & F.col("_sequence").isNotNull()), "skipped")
            .when(dead & ~live, "skipped")
            .when(dead, "deleted")
            .when(live, "updated")
            .otherwise("inserted"),
        ).withColumn("_stale", stale)
        known.persist(StorageLevel.MEMORY_AND_DISK)
        self._cached.append(known)
        for effect, count in known.groupBy("_effect").count().collect():
            setattr(figures, effect, count)
        return known.where(~F.col("_stale")).drop("_sequence", "_live", "_effect", "_stale")

    def _maintain(self, before: State, figures: Figures) -> None:
        """Keep the table small and quick: once a day, or always, or never."""
        options, after = self._options, figures.watermark
        if options.maintenance == "never" or not after:
            return
        daily = options.maintenance == "always" or (before.watermark or "")[:10] != after[:10]
        try:
            if daily:
                self._forget_deletes(hours_before(after, 2 * options.look_back))
            figures.compacted_files = self._compact(force=options.maintenance == "always")
            if daily:
                self._clean_up()
        except LostRaceError as error:
            _say(f"maintenance left to the run that was faster: {error}")

    def _forget_deletes(self, horizon: str) -> None:
        """Drop the rows of deleted orders that no late change can reach.

        Twice the look-back: a delete may come that much before an update that it outlives, and
        the update's partition may be read that much later.
        """
        gone = f"event_type = 'REMOVE' AND {ARRIVED} < '{horizon}'"
        if self._spark.table(self._table.name).where(gone).head(1):
            self._table.commit(f"DELETE FROM {self._table.name} WHERE {gone}", {FORGOTTEN: horizon})

    def _compact(self, *, force: bool) -> int:
        """Rewrite what has become many small files, or files with many deletes; how many."""
        options = self._options
        files = self._spark.sql(
            f"SELECT content, count(*) FROM {self._table.name}.files GROUP BY content"
        ).collect()
        crowded = sum(row[1] for row in files) > options.compact_files * options.buckets
        if not (force or crowded):
            return 0
        threshold = 1 if force else options.compact_files
        return self._call(
            "rewrite_data_files",
            f"table => '{options.database}.{options.table}', options => map("
            f"'min-input-files', '{max(2, threshold)}', 'delete-file-threshold', '{threshold}', "
            "'remove-dangling-deletes', 'true')",
        )

    def _clean_up(self) -> None:
        options = self._options
        table = f"table => '{options.database}.{options.table}'"
        now = datetime.now(UTC)

        def ago(days: int) -> str:
            return f"TIMESTAMP '{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}'"

        self._call(
            "expire_snapshots",
            f"{table}, older_than => {ago(options.snapshot_days)}, retain_last => 20",
        )
        self._call("remove_orphan_files", f"{table}, older_than => {ago(options.orphan_days)}")

    def _call(self, procedure: str, arguments: str) -> int:
        """Call one of Iceberg's procedures; the first number it answers."""
        try:
            row = self._spark.sql(f"CALL {CATALOG}.system.{procedure}({arguments})").first()
        except Exception as error:
            if any(name in str(error) for name in _LOST_RACE):
                raise LostRaceError(str(error).splitlines()[0]) from error
            raise
        return int(row[0]) if row and isinstance(row[0], int) else 0


def _check_backfill(export: str, moment: str | None, forgotten: str | None) -> None:
    """Refuse an export from before deletes that the table has forgotten: they would be undone."""
    if forgotten is None:
        return
    if moment is None:
        raise JobError(
            f"{export}: no manifest-summary.json tells when the export was made, and the table has "
            f"forgotten deletes up to {forgotten}: name the folder that has the summary"
        )
    if moment[:13].replace("T", "-") < forgotten:
        raise JobError(
            f"{export}: made at {moment}, but the table has forgotten the deletes up to {forgotten}:"
            " orders deleted in between would come back. Make a new export"
        )


# -- The view --------------------------------------------------------------------------------------


def point_view(options: Options, settled: str) -> None:
    """Let the view read the table, and of the log only what is not ``settled`` in it.

    After the commit, so that the view is never ahead of the table: what it reads twice it takes
    once, by the sequence_number. The hours are literals because Athena skips partitions by those.
    """
    import boto3  # noqa: PLC0415 - Glue has it; a run without a view does not need it

    view = options.view
    assert view is not None
    sql = Template(view["sql"]).substitute(day=settled[:10], hour=settled[11:])
    document = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": options.database,
        "columns": view["columns"],
    }
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    text = f"/* Presto View: {encoded} */"
    glue = boto3.client("glue")
    table = glue.get_table(DatabaseName=options.database, Name=view["name"])["Table"]
    if table.get("ViewOriginalText") == text:
        return
    members = glue.meta.service_model.shape_for("TableInput").members
    known = {name: value for name, value in table.items() if name in members}
    glue.update_table(DatabaseName=options.database, TableInput={**known, "ViewOriginalText": text})


# -- The command -----------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The job's parameters; Glue adds more of its own, which are ignored."""
    p = argparse.ArgumentParser(prog="merge_orders", allow_abbrev=False)
    p.add_argument("--log", required=True, help="where the event rows are: s3://BUCKET/PREFIX/")
    p.add_argument("--database", required=True, help="the Glue database")
    p.add_argument("--table", default="orders", help="the Iceberg table in it")
    p.add_argument("--location", help="where the table's files go: s3://BUCKET/PREFIX/")
    p.add_argument("--definition", required=True, help="JSON file: the schema, and the view")
    p.add_argument("--look-back-hours", type=int, default=24, help="how late a change may arrive")
    p.add_argument("--buckets", type=int, default=16, help="partitions of a new table")
    p.add_argument("--compact-files", type=int, default=8, help="files a bucket to put up with")
    p.add_argument("--snapshot-days", type=int, default=5, help="how long to keep old snapshots")
    p.add_argument("--orphan-days", type=int, default=3, help="how old a file of no snapshot gets")
    p.add_argument("--maintenance", choices=("auto", "always", "never"), default="auto")
    p.add_argument("--backfill", help="load this DynamoDB export to S3 instead of the log")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the job; 0 done, 1 failed."""
    given, _ = parser().parse_known_args(arguments)
    conf = SparkConf()
    for name, value in DEFAULTS.items():
        if not conf.contains(name):
            conf.set(name, value)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    told = spark.read.option("wholetext", "true").text(given.definition).first()
    definition = json.loads(told[0]) if told else {}
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


if __name__ == "__main__":
    code = main(sys.argv[1:])
    if code:  # Glue takes any SystemExit, even of 0, for a failure
        sys.exit(code)
