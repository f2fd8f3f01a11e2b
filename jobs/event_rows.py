"""Read the log of changes with Spark: list its objects, parse and validate their rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - PySpark's convention
from pyspark.sql import types as T  # noqa: N812

ARRIVED = "arrived"
"""The column with the hour of the partition in which a change arrived (``YYYY-MM-DD-HH``)."""
PREVIOUS = "previous_event_type"
"""The column with the event_type of the row that this one replaced; NULL if it is the first."""
KEY_HASH = ("key_hash_1", "key_hash_2")
"""The columns with the first 120 bits of the SHA-256 of an item's keys."""
VERSION = ("version_1", "version_2", "version_3")
"""The columns with the sequence_number as numbers: its first 4, next 18 and last 18 digits."""
SETTLE = timedelta(hours=1)
"""Firehose files an object under the hour of its first record, but writes it up to this later."""
PROBLEMS = (
    UNREADABLE := "unreadable",
    NO_KEY := "no key",
    NO_EVENT_TYPE := "no known event_type",
    NO_SEQUENCE_NUMBER := "no sequence_number",
    NO_EVENT_ID := "no event_id",
    MISFIT := "a value that does not fit its column",
    TOO_OLD := "a snapshot from before deletes that are forgotten",
)
"""Why a row is rejected."""
SNAPSHOT = "SNAPSHOT"
"""The event_type of an item that was there before the log; its sequence_number is 0."""

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
        Spark's types by name.
    event:
        The columns that the transform adds to the table's.
    """

    types: Mapping[str, T.DataType]
    event: tuple[str, ...]
    keys: tuple[str, ...]
    comments: Mapping[str, str]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Columns:
        """From a schema's JSON (``Schema.to_json``)."""
        columns = schema["columns"] + schema["event_columns"]
        return cls(
            types={c["name"]: spark_type(c.get("tree", c["hive"])) for c in columns},
            event=tuple(c["name"] for c in schema["event_columns"]),
            keys=tuple(key for key in (schema["key"], schema.get("sort_key")) if key),
            comments={c["name"]: c.get("comment", "") for c in schema["columns"]},
        )

    @property
    def stored(self) -> dict[str, T.DataType]:
        """The columns of the table of current items."""
        added = {ARRIVED: T.StringType(), PREVIOUS: T.StringType()}
        return {**self.types, **added, **dict.fromkeys((*KEY_HASH, *VERSION), T.LongType())}

    @property
    def of_a_delete(self) -> set[str]:
        """The columns kept of a deleted item: none of its values."""
        return {*self.keys, *self.event, ARRIVED} - {"extras"}


def spark_type(kind: Any) -> T.DataType:
    """Spark's type for a Hive type, given as in ``schema.types.tree``.

    Timestamps are UTC, without a time zone; binary and json are text.
    """
    match kind:
        case {"array": of}:
            return T.ArrayType(spark_type(of))
        case {"map": of}:
            return T.MapType(T.StringType(), spark_type(of))
        case {"struct": fields}:
            return T.StructType([T.StructField(n.lower(), spark_type(of)) for n, of in fields])
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
        return T.DecimalType(int(match[1]), int(match[2]))
    return _SCALARS[kind]


_SCALARS: Mapping[str, T.DataType] = {
    "string": T.StringType(),
    "binary": T.StringType(),
    "json": T.StringType(),
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "double": T.DoubleType(),
    "boolean": T.BooleanType(),
    "date": T.DateType(),
    "timestamp": T.TimestampNTZType(),
}


@dataclass(frozen=True)
class Partition:
    """The objects of one hour, as path to size."""

    hour: str
    objects: Mapping[str, int]

    @property
    def digest(self) -> str:
        """A hash that changes when an object is added or removed.

        Not when one changes: only erasing rows does that, which is no news.
        """
        return hashlib.sha256(json.dumps(sorted(self.objects)).encode()).hexdigest()[:16]


def hours_before(hour: str, span: timedelta) -> str:
    """The hour ``span`` before ``hour``; hours sort as text."""
    return (datetime.strptime(hour, _HOUR) - span).strftime(_HOUR)


def list_log(log: str, since: str | None) -> list[Partition]:
    """The log's partitions from the hour ``since`` on, in order."""
    latest = (datetime.now(UTC) + SETTLE).strftime(_HOUR)  # ignore hours written by a wrong clock
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for path, size in _objects(log.rstrip("/"), since or ""):
        match = _IN_LOG.search(path)
        if match and (since or "") <= (hour := f"{match[1]}-{match[2]}") <= latest:
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


def read_text(spark: SparkSession, path: str) -> str:
    """The content of a small file."""
    row = spark.read.text(path, wholetext=True).first()
    return str(row[0]) if row else ""


def _parsed(rows: DataFrame, columns: Columns) -> DataFrame:
    """Lines of JSON (``value``) as event rows."""
    read_as = T.StructType([T.StructField(name, _roomy(of)) for name, of in columns.types.items()])
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_corrupt",
        "timestampNTZFormat": _TIMESTAMP,
        "dateFormat": "yyyy-MM-dd",
    }
    parsed = rows.where(F.trim("value") != "").select(
        "value",
        "file",
        F.from_json("value", read_as.add("_corrupt", T.StringType()), options).alias("row"),
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
        {name: (F.col(f"row.`{name}`"), read_as[name].dataType) for name in columns.types},
        unreadable=unreadable,
        unknown=F.array_except(F.coalesce("names", _no_names()), known),
    )


def _read_parquet(spark: SparkSession, paths: Sequence[str], columns: Columns) -> DataFrame:
    reader = spark.read.option("recursiveFileLookup", "true").option("mergeSchema", "true")
    rows = reader.parquet(*paths)
    present = {name.lower(): name for name in rows.columns}
    values = {
        name: (F.col(f"`{present[name]}`"), rows.schema[present[name]].dataType)
        if name in present
        else (F.lit(None).cast(of), of)
        for name, of in columns.types.items()
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
    read: Mapping[str, tuple[Column, T.DataType]],
    *,
    unreadable: Column,
    unknown: Column,
) -> DataFrame:
    """Convert what was ``read`` (with its type) to the columns' types; add each row's problem."""
    values = {name: value for name, (value, _) in read.items()}
    typed, misfit, no_key = [], F.lit(False), F.lit(False)
    for name, (value, kind) in read.items():
        typed.append(fitted(value, kind, columns.types[name]).alias(name))
        lost = _loses(value, kind, columns.types[name])
        misfit = misfit if lost is None else misfit | lost
    for key in columns.keys:
        no_key |= values[key].isNull()
    known_type = values["event_type"].isin("INSERT", "MODIFY", "REMOVE", SNAPSHOT)
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


def reject_old_snapshots(rows: DataFrame, forgotten: str | None) -> DataFrame:
    """Add the problem `TOO_OLD` to rows that may bring back what was deleted.

    The table no longer has the deletes of the hours before ``forgotten``. An item that was read
    before may have been deleted in between, and nothing would tell.
    """
    if forgotten is None:
        return rows
    # A delete may be filed up to SETTLE before the hour in which it was made.
    safe = hours_before(forgotten, -SETTLE)
    made = F.date_format("creation_time", "yyyy-MM-dd-HH")
    old = (F.col("event_type") == SNAPSHOT) & ~F.coalesce(made >= safe, F.lit(False))
    return rows.withColumn("problem", F.coalesce("problem", F.when(old, TOO_OLD)))


def compared(columns: Columns) -> dict[str, Column]:
    """The columns by which a merge finds and compares rows, in terms of the others.

    Numbers of 8 bytes are read several times as fast as the keys and the sequence_number. SHA-256,
    because nobody can make up two keys with the same one.
    """
    texts = [F.col(f"`{key}`").cast("string") for key in columns.keys]
    # The lengths keep apart ("ab", "c") and ("a", "bc").
    parts = (part for text in texts for part in (F.octet_length(text), F.lit(":"), text))
    digest = F.sha2(F.concat(*parts), 256)
    hashes = (F.conv(F.substring(digest, start, 15), 16, 10) for start in (1, 16))
    digits = (F.substring("sequence_number", *span) for span in ((1, 4), (5, 18), (23, 18)))
    values = zip((*KEY_HASH, *VERSION), (*hashes, *digits), strict=True)
    return {name: value.cast("bigint") for name, value in values}


def fitted(value: Column, kind: T.DataType, wanted: T.DataType) -> Column:
    """Convert ``value`` of type ``kind`` to ``wanted``; the fields of structs go by their names."""
    if kind.simpleString() == wanted.simpleString():
        return value
    match kind, wanted:
        case T.ArrayType(), T.ArrayType():
            return F.transform(value, lambda one: fitted(one, kind.elementType, wanted.elementType))
        case T.MapType(), T.MapType():
            return F.transform_values(
                value, lambda _, one: fitted(one, kind.valueType, wanted.valueType)
            )
        case T.StructType(), T.StructType():
            given = {field.name.lower(): field for field in kind}
            fields = [
                fitted(value[given[field.name].name], given[field.name].dataType, field.dataType)
                if field.name in given
                else F.lit(None).cast(field.dataType)
                for field in wanted
            ]
            named = (one.alias(field.name) for one, field in zip(fields, wanted, strict=True))
            return F.when(value.isNotNull(), F.struct(*named))
    if _NESTED & {type(kind), type(wanted)}:
        return F.lit(None).cast(wanted)
    return value.cast(wanted)


def _loses(value: Column, kind: T.DataType, wanted: T.DataType) -> Column | None:
    """Whether `fitted` loses some of ``value``; None if it cannot.

    Spark does not compare maps, so this looks at what is inside.
    """
    if kind.simpleString() == wanted.simpleString():
        return None
    match kind, wanted:
        case T.ArrayType(), T.ArrayType():
            return _any(value, kind.elementType, wanted.elementType)
        case T.MapType(), T.MapType():
            return _any(F.map_values(value), kind.valueType, wanted.valueType)
        case T.StructType(), T.StructType():
            wanted_of = {field.name: field.dataType for field in wanted}
            lost = [
                one
                for field in kind
                if field.name.lower() in wanted_of
                and (
                    one := _loses(value[field.name], field.dataType, wanted_of[field.name.lower()])
                )
                is not None
            ]
            return F.coalesce(reduce(or_, lost), F.lit(False)) if lost else None
    if _NESTED & {type(kind), type(wanted)}:
        return value.isNotNull()
    return ~value.eqNullSafe(value.cast(wanted))


_NESTED = {T.ArrayType, T.MapType, T.StructType}


def _any(values: Column, kind: T.DataType, wanted: T.DataType) -> Column | None:
    """Whether `fitted` loses some of one of the ``values`` of an array."""
    if _loses(values[0], kind, wanted) is None:
        return None
    lost = F.exists(values, lambda one: _loses(one, kind, wanted))
    return F.coalesce(lost, F.lit(False))


def _roomy(wanted: T.DataType) -> T.DataType:
    """The type to read JSON with: for decimals, one with more digits after the point.

    Spark silently rounds a number to its column's scale; the extra digits show that it would.
    """
    match wanted:
        case T.ArrayType():
            return T.ArrayType(_roomy(wanted.elementType))
        case T.MapType():
            return T.MapType(T.StringType(), _roomy(wanted.valueType))
        case T.StructType():
            return T.StructType([T.StructField(f.name, _roomy(f.dataType)) for f in wanted])
        case T.DecimalType():
            return T.DecimalType(38, 38 - (wanted.precision - wanted.scale))
    return wanted


def _no_names() -> Column:
    return F.array().cast("array<string>")
