"""Read the log of changes with Spark: list its objects, parse and validate their rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - PySpark's convention

ARRIVED = "arrived"
"""The column with the hour of the partition in which a change arrived (``YYYY-MM-DD-HH``)."""
PREVIOUS = "previous_event_type"
"""The column with the event_type of the row that this one replaced; NULL if it is the first."""
SETTLE = timedelta(hours=1)
"""Firehose files an object under the hour of its first record, but writes it up to this later."""
PROBLEMS = (
    UNREADABLE := "unreadable",
    NO_KEY := "no key",
    NO_EVENT_TYPE := "no known event_type",
    NO_SEQUENCE_NUMBER := "no sequence_number",
    NO_EVENT_ID := "no event_id",
    MISFIT := "a value that does not fit its column",
)
"""Why a row is rejected."""
BACKFILL = "BACKFILL"
"""The event_type of rows that come from an export instead of the log."""

_HOUR = "%Y-%m-%d-%H"
_IN_LOG = re.compile(r"/day=(\d{4}-\d{2}-\d{2})/hour=(\d{2})/[^/._][^/]*$")
_TIMESTAMP = "yyyy-MM-dd HH:mm:ss[.SSSSSS][.SSS]"
# Two rows without a newline between them: Spark would drop the second. A string value cannot
# match, because quotes in it are escaped.
_TWO_ROWS = r'\}\s*\{\s*"[^"\\]*"\s*:'


class JobError(Exception):
    """The job cannot continue; the message says why and what to do."""


@dataclass(frozen=True)
class Columns:
    """The event row's columns.

    Parameters
    ----------
    types:
        Hive types by name.
    event:
        The columns that the transform adds to the table's.
    """

    types: Mapping[str, str]
    event: tuple[str, ...]
    keys: tuple[str, ...]
    comments: Mapping[str, str]
    schema: Mapping[str, Any]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Columns:
        """From a schema's JSON (``Schema.to_json``)."""
        return cls(
            types={c["name"]: c["type"] for c in schema["columns"] + schema["event_columns"]},
            event=tuple(c["name"] for c in schema["event_columns"]),
            keys=tuple(key for key in (schema["key"], schema.get("sort_key")) if key),
            comments={c["name"]: c.get("comment", "") for c in schema["columns"]},
            schema=schema,
        )

    @property
    def stored(self) -> dict[str, str]:
        """The columns of the table of orders, as Spark types."""
        ours = {ARRIVED: "string", PREVIOUS: "string"}
        return {name: spark_type(kind) for name, kind in self.types.items()} | ours

    @property
    def of_a_delete(self) -> set[str]:
        """The columns kept of a deleted order: none of its values."""
        return {*self.keys, *self.event, ARRIVED} - {"extras"}


def spark_type(kind: str) -> str:
    """Spark's name of a Hive type: timestamps are UTC, without a time zone."""
    return "timestamp_ntz" if kind == "timestamp" else kind


@dataclass(frozen=True)
class Partition:
    """The objects of one hour, as path to size."""

    hour: str
    objects: Mapping[str, int]

    @property
    def digest(self) -> str:
        """A hash that changes when an object is added or removed."""
        return hashlib.sha256(json.dumps(sorted(self.objects.items())).encode()).hexdigest()[:16]


def hours_before(hour: str, span: timedelta) -> str:
    """The hour ``span`` before ``hour``; hours sort as text."""
    return (datetime.strptime(hour, _HOUR) - span).strftime(_HOUR)


def list_log(log: str, since: str | None) -> list[Partition]:
    """The log's partitions from the hour ``since`` on, in order."""
    latest = (datetime.now(UTC) + SETTLE).strftime(_HOUR)  # ignore hours written by a wrong clock
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for path, size in _objects(log.rstrip("/"), since or ""):
        match = _IN_LOG.search(path)
        if match and size and (since or "") <= (hour := f"{match[1]}-{match[2]}") <= latest:
            found[hour][path] = size
    return [Partition(hour, found[hour]) for hour in sorted(found)]


def _objects(log: str, since: str) -> Iterator[tuple[str, int]]:
    """Each object's path and size, from about the hour ``since`` on.

    Spark's file system would take one call across processes per object: 3 s for two days of them.
    """
    scheme, _, rest = log.rpartition("://")
    start = f"day={since[:10]}/hour={since[11:]}"
    if scheme.startswith("s3"):
        import boto3  # noqa: PLC0415 - only where the log is on S3

        bucket, _, prefix = rest.partition("/")
        pages = boto3.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(
            Bucket=bucket, Prefix=f"{prefix}/", StartAfter=f"{prefix}/{start}"
        ):
            for stored in page.get("Contents", ()):
                yield f"{scheme}://{bucket}/{stored['Key']}", stored["Size"]
    else:
        for hour in Path(rest).glob("day=*/hour=*"):
            if f"{hour.parent.name}/{hour.name}" >= start:
                for file in hour.iterdir():
                    yield str(file), file.stat().st_size


def read_log(
    spark: SparkSession, partitions: Iterable[Partition], columns: Columns
) -> DataFrame | None:
    """Event rows, each with its ``problem`` (or NULL), ``unknown`` columns and ``file``."""
    parquet: list[str] = []
    lines: list[str] = []
    for partition in partitions:
        is_parquet = {path: path.endswith(".parquet") for path in partition.objects}
        if len(set(is_parquet.values())) == 1:  # list the folders instead of their files
            folders = {path.rpartition("/")[0] for path in is_parquet}
            (parquet if all(is_parquet.values()) else lines).extend(folders)
        else:  # the format changed within this hour
            parquet += [path for path, yes in is_parquet.items() if yes]
            lines += [path for path, yes in is_parquet.items() if not yes]
    frames = []
    if lines:
        text = spark.read.option("recursiveFileLookup", "true").option("lineSep", "\n").text(lines)
        rows = text.select("value", F.col("_metadata.file_path").alias("file"))
        frames.append(_parsed(rows, columns))
    if parquet:
        frames.append(_read_parquet(spark, parquet, columns))
    return frames[0].union(frames[1]) if len(frames) == 2 else frames[0] if frames else None


def read_export(spark: SparkSession, export: str, columns: Columns) -> tuple[DataFrame, str | None]:
    """Read the items of a full DynamoDB export, as changes older than any in the log.

    The transform's own code converts the items, so an item gives the same row either way.

    Parameters
    ----------
    export:
        The folder that holds ``manifest-summary.json`` and ``data/``, or only data files.

    Returns
    -------
    The rows in the format of `read_log`, and the export's time; None without a summary.
    """
    root = export.rstrip("/")
    if not _exists(spark, root):
        raise JobError(f"{export}: not found; pass the export's folder, ...AWSDynamoDB/ID/")
    summary = f"{root}/manifest-summary.json"
    document = json.loads(read_text(spark, summary)) if _exists(spark, summary) else {}
    if document.get("outputFormat", "DYNAMODB_JSON") != "DYNAMODB_JSON":
        raise JobError(
            f"{root}: the export's format is {document['outputFormat']}; export DYNAMODB_JSON"
        )
    if document.get("exportType", "FULL_EXPORT") != "FULL_EXPORT":
        raise JobError(f"{root}: this is an incremental export; make a full one")
    moment: str | None = document.get("exportTime")
    data = f"{root}/data" if _exists(spark, f"{root}/data") else root
    schema, keys = dict(columns.schema), columns.keys
    made = datetime.fromisoformat(moment).timestamp() if moment else 0

    @F.udf("string")
    def to_row(line: str) -> str | None:
        return _row_of_item(line, schema, keys, made)

    # Otherwise Spark may call the UDF twice for one line.
    to_row = to_row.asNondeterministic()
    text = spark.read.option("lineSep", "\n").option("pathGlobFilter", "*.json.gz").text(data)
    rows = text.where(F.trim("value") != "").select(
        F.coalesce(to_row("value"), F.lit("{")).alias("value"),
        F.col("_metadata.file_path").alias("file"),
    )
    parsed = _parsed(rows, columns)
    return parsed.withColumns({"event_type": F.lit(BACKFILL), ARRIVED: F.lit(None)}), moment


_TO_ROW: dict[str, Any] = {}


def _row_of_item(
    line: str, schema: Mapping[str, Any], keys: Sequence[str], made: float
) -> str | None:
    """Convert a line of an export to an event row, or None if it is invalid. Runs on workers."""
    import orjson  # noqa: PLC0415 - only a backfill needs it
    from rows import RecordError, compile_schema  # noqa: PLC0415

    known = json.dumps(schema, sort_keys=True)
    if known not in _TO_ROW:
        _TO_ROW[known] = compile_schema(schema)
    try:
        item = orjson.loads(line)["Item"]
        key = {name: item[name] for name in keys}
        change = {
            "eventID": "backfill:" + "/".join(str(*value.values()) for value in key.values()),
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": key,
                "NewImage": item,
                "SequenceNumber": "0",
                "ApproximateCreationDateTime": made,
            },
        }
        return str(orjson.dumps(_TO_ROW[known](change)), "utf-8")
    except (RecordError, KeyError, TypeError, ValueError):
        return None


def read_text(spark: SparkSession, path: str) -> str:
    """The content of a small file."""
    row = spark.read.text(path, wholetext=True).first()
    return str(row[0]) if row else ""


def _files(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Hadoop's file system for ``path``, and ``path`` as a Hadoop Path."""
    jvm: Any = spark.sparkContext._jvm
    context: Any = spark.sparkContext._jsc
    at = jvm.org.apache.hadoop.fs.Path(path)
    return at.getFileSystem(context.hadoopConfiguration()), at


def _exists(spark: SparkSession, path: str) -> bool:
    files, at = _files(spark, path)
    return bool(files.exists(at))


def _parsed(rows: DataFrame, columns: Columns) -> DataFrame:
    """Lines of JSON (``value``) as event rows."""
    kinds = [f"`{name}` {_roomy(kind)}" for name, kind in columns.types.items()]
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_corrupt",
        "timestampNTZFormat": _TIMESTAMP,
        "dateFormat": "yyyy-MM-dd",
    }
    parsed = rows.where(F.trim("value") != "").select(
        "value",
        "file",
        F.from_json("value", ", ".join([*kinds, "_corrupt string"]), options).alias("row"),
        F.json_object_keys("value").alias("names"),
    )
    unreadable = (
        F.col("row").isNull()
        | F.col("row._corrupt").isNotNull()
        | ~F.trim("value").rlike(r"^\{[\s\S]*\}$")
        | F.col("value").rlike(_TWO_ROWS)
    )
    known = F.array(*map(F.lit, columns.types))
    return _checked(
        parsed,
        columns,
        {name: F.col(f"row.`{name}`") for name in columns.types},
        unreadable=unreadable,
        unknown=F.array_except(F.coalesce("names", _no_names()), known),
    )


def _read_parquet(spark: SparkSession, paths: Sequence[str], columns: Columns) -> DataFrame:
    reader = spark.read.option("recursiveFileLookup", "true").option("mergeSchema", "true")
    rows = reader.parquet(*paths)
    present = {name.lower(): name for name in rows.columns}
    values = {
        name: F.col(f"`{present[name]}`") if name in present else F.lit(None).cast(spark_type(kind))
        for name, kind in columns.types.items()
    }
    unknown = sorted(present.keys() - columns.types.keys())
    return _checked(
        rows.withColumn("file", F.col("_metadata.file_path")),
        columns,
        values,
        unreadable=F.lit(False),
        unknown=F.array(*map(F.lit, unknown)) if unknown else _no_names(),
    )


def _checked(
    rows: DataFrame,
    columns: Columns,
    values: Mapping[str, Column],
    *,
    unreadable: Column,
    unknown: Column,
) -> DataFrame:
    """Cast ``values`` to the columns' types, and add each row's problem."""
    typed, misfit, no_key = [], F.lit(False), F.lit(False)
    for name, kind in columns.types.items():
        value = values[name].cast(spark_type(kind))
        typed.append(value.alias(name))
        misfit |= ~values[name].eqNullSafe(value)
    for key in columns.keys:
        no_key |= values[key].isNull()
    known_type = values["event_type"].isin("INSERT", "MODIFY", "REMOVE")
    numbered = values["sequence_number"].rlike(r"^\d{40}$")
    problem = (
        F.when(unreadable, UNREADABLE)
        .when(no_key, NO_KEY)
        .when(~F.coalesce(known_type, F.lit(False)), NO_EVENT_TYPE)
        .when(~F.coalesce(numbered, F.lit(False)), NO_SEQUENCE_NUMBER)
        .when(values["event_id"].isNull(), NO_EVENT_ID)
        .when(misfit, MISFIT)
    )
    hour_on = F.substring_index("file", "/day=", -1)  # of .../day=YYYY-MM-DD/hour=HH/...
    arrived = F.concat_ws("-", hour_on.substr(1, 10), hour_on.substr(17, 2))
    return rows.select(
        *typed,
        arrived.alias(ARRIVED),
        problem.alias("problem"),
        unknown.alias("unknown"),
        "file",
    )


def _roomy(kind: str) -> str:
    """The type to read JSON with: for decimals, one with more digits after the point.

    Spark silently rounds a number to its column's scale; the extra digits show that it would.
    """
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
    if not match:
        return spark_type(kind)
    return f"decimal(38,{38 - (int(match[1]) - int(match[2]))})"


def _no_names() -> Column:
    return F.array().cast("array<string>")
