"""Glue crawlers over S3, acting as their own roles: they create tables and partitions.

Follows the AWS Glue Developer Guide on S3 targets: the crawler samples files for format and
schema, turns ``key=value`` folders into partitions, and takes the table folder from the configured
table level.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from local.account.aws import Aws, Credentials
from local.account.wire import boto_errors
from local.errors import AwsError
from local.standins.events import glue_event

_SAMPLE_FILES = 20
_PARTITIONS_A_CALL = 100
_JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
_INT_MOST = 2**31 - 1
_ARROW = {
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.binary(): "binary",
    pa.string(): "string",
}
_NUMBERS = ("int", "bigint", "double")
_FIELD = re.compile(r"[^\s<>,:]+")


@dataclass
class _Folder:
    """The files below one folder, which become one table."""

    bucket: str
    root: str
    keys: list[tuple[str, int]] = field(default_factory=list)

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{self.root}"

    def partitions(self) -> tuple[list[str], dict[tuple[str, ...], str]]:
        """Partition columns, and the location of each combination of values."""
        names: list[str] = []
        found: dict[tuple[str, ...], str] = {}
        for key, _ in self.keys:
            folders = key.removeprefix(self.root).split("/")[:-1]
            if not folders:
                continue
            pairs = [
                (name, value) if equals else (f"partition_{index}", name)
                for index, (name, equals, value) in enumerate(f.partition("=") for f in folders)
            ]
            names = [name for name, _ in pairs]
            where = f"s3://{self.bucket}/{self.root}{'/'.join(folders)}/"
            found[tuple(value for _, value in pairs)] = where
        return names, found


class Crawler:
    """One deployed crawler; `start` runs it once in the background.

    Parameters
    ----------
    definition:
        The parameters of the CreateCrawler call.
    """

    def __init__(self, aws: Aws, definition: Mapping[str, Any]) -> None:
        self.name: str = definition["Name"]
        self.tables: list[str] = []
        self._aws = aws
        self._definition = definition
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._last: dict[str, Any] = {}
        self._started = 0.0

    def start(self) -> None:
        """Start a run. Raises CrawlerRunningException if one is running."""
        with self._lock:
            if self.running:
                raise AwsError(
                    "CrawlerRunningException", f"Crawler with name {self.name} has already started"
                )
            self._stopping.clear()
            self._started = time.time()
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the current run. Raises CrawlerNotRunningException if there is none."""
        if not self.running:
            raise AwsError(
                "CrawlerNotRunningException", f"Crawler with name {self.name} isn't running"
            )
        self._stopping.set()

    @property
    def running(self) -> bool:
        """Whether a run is in progress."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Wait for the run to end. Raises if it failed."""
        if self._thread:
            self._thread.join()
        if self._last.get("Status") == "FAILED":
            raise AwsError("CrawlFailed", f"crawler {self.name}: {self._last['ErrorMessage']}")

    def state(self) -> dict[str, Any]:
        """The members of GetCrawler's response that change with each run."""
        if not self.running:
            return {"State": "READY"} | ({"LastCrawl": self._last} if self._last else {})
        elapsed = int((time.time() - self._started) * 1000)
        state = "STOPPING" if self._stopping.is_set() else "RUNNING"
        return {"State": state, "CrawlElapsedTime": elapsed} | (
            {"LastCrawl": self._last} if self._last else {}
        )

    def _run(self) -> None:
        last: dict[str, Any] = {
            "Status": "SUCCEEDED",
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": self.name,
            "MessagePrefix": str(uuid.uuid4()),
            "StartTime": self._started,
        }
        try:
            with boto_errors():
                credentials = self._aws.assume(_role_arn(self._aws, self._definition), "crawler")
                self.tables = self._crawl(credentials)
            if self._stopping.is_set():
                last["Status"] = "CANCELLED"
        except Exception as error:  # reported in the run's status, as on AWS
            last |= {"Status": "FAILED", "ErrorMessage": str(error)}
        self._last = last
        self._tell(last)

    def _tell(self, last: Mapping[str, Any]) -> None:
        """Send EventBridge the event for the end of a run."""
        if last["Status"] == "CANCELLED":
            return
        state = last["Status"].capitalize()
        detail = {
            "crawlerName": self.name,
            "accountId": self._aws.account_id,
            "state": state,
            "message": f"Crawler {state}",
        }
        if why := last.get("ErrorMessage"):
            detail["errorMessage"] = why
        glue_event(self._aws, "Glue Crawler State Change", detail)

    def _crawl(self, credentials: Credentials) -> list[str]:
        s3 = self._aws.client("s3", credentials)
        glue = self._aws.client("glue", credentials)
        database = self._definition["DatabaseName"]
        glue.get_database(Name=database)
        tables = []
        for folder in self._folders(s3):
            if self._stopping.is_set():
                break
            tables.append(self._make_table(s3, glue, database, folder))
        return sorted(tables)

    def _folders(self, s3: Any) -> list[_Folder]:
        configuration = json.loads(self._definition.get("Configuration") or "{}")
        level = configuration.get("Grouping", {}).get("TableLevelConfiguration")
        folders: dict[tuple[str, str], _Folder] = {}
        for target in self._definition["Targets"]["S3Targets"]:
            bucket, _, prefix = target["Path"].removeprefix("s3://").partition("/")
            include = prefix.rstrip("/") + "/" if prefix else ""
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=include):
                for one in page.get("Contents", []):
                    root = _table_root(one["Key"], include, level)
                    folder = folders.setdefault((bucket, root), _Folder(bucket, root))
                    folder.keys.append((one["Key"], one["Size"]))
        return list(folders.values())

    def _make_table(self, s3: Any, glue: Any, database: str, folder: _Folder) -> str:
        sample = _spread(folder.keys, _SAMPLE_FILES)
        bodies = [
            (key, s3.get_object(Bucket=folder.bucket, Key=key)["Body"].read()) for key, _ in sample
        ]
        parquet = all(body.startswith(b"PAR1") for _, body in bodies)
        columns = _parquet_columns(bodies) if parquet else _json_columns(bodies)
        compressed = any(body.startswith(b"\x1f\x8b") for _, body in bodies)
        last = folder.root.rstrip("/").rpartition("/")[2] or folder.bucket
        name: str = self._definition.get("TablePrefix", "") + re.sub(
            r"[^a-z0-9_]", "_", last.lower()
        )
        keys, partitions = folder.partitions()
        descriptor = {
            "Columns": [
                {"Name": column, "Type": kind} for column, kind in columns if column not in keys
            ],
            "Location": folder.location,
            "InputFormat": _PARQUET_INPUT if parquet else _TEXT_INPUT,
            "OutputFormat": _PARQUET_OUTPUT if parquet else _TEXT_OUTPUT,
            "Compressed": compressed,
            "SerdeInfo": {
                "SerializationLibrary": _PARQUET_SERDE if parquet else _JSON_SERDE,
                "Parameters": {"serialization.format": "1"}
                if parquet
                else {"paths": ",".join(sorted(column for column, _ in columns))},
            },
        }
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": descriptor,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "Parameters": {
                "classification": "parquet" if parquet else "json",
                "compressionType": "gzip" if compressed else "none",
                "typeOfData": "file",
                "UPDATED_BY_CRAWLER": self.name,
                "objectCount": str(len(folder.keys)),
                "sizeKey": str(sum(size for _, size in folder.keys)),
            },
        }
        _create_or_update(glue, database, table)
        _add_partitions(glue, database, name, partitions, descriptor)
        return name


class Crawlers:
    """The crawler actions of the Glue API; register `hooks` with the gateway."""

    def __init__(self, aws: Aws, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._aws = aws
        self.by_name = {one["Name"]: Crawler(aws, one) for one in definitions}

    def hooks(self) -> dict[str, Any]:
        """Action -> handler: ``(request body, caller) -> response body``."""
        return {
            "StartCrawler": self._start,
            "StopCrawler": self._stop,
            "GetCrawler": lambda body, _: {"Crawler": self._described(self._named(body))},
            "GetCrawlers": lambda _, __: {
                "Crawlers": [self._described(one) for one in self.by_name.values()]
            },
        }

    def _start(self, body: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        self._named(body).start()
        return {}

    def _stop(self, body: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        self._named(body).stop()
        return {}

    def _named(self, body: Mapping[str, Any]) -> Crawler:
        crawler = self.by_name.get(body.get("Name", ""))
        if crawler is None:
            raise AwsError(
                "EntityNotFoundException", f"Crawler with name {body.get('Name')} does not exist"
            )
        return crawler

    def _described(self, crawler: Crawler) -> dict[str, Any]:
        glue = self._aws.client("glue", direct=True)
        described = glue.get_crawler(Name=crawler.name)["Crawler"]
        return {key: _wire(value) for key, value in described.items()} | crawler.state()


def _wire(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def _role_arn(aws: Aws, definition: Mapping[str, Any]) -> str:
    role: str = definition["Role"]
    return role if role.startswith("arn:") else f"arn:aws:iam::{aws.account_id}:role/{role}"


def _table_root(key: str, include: str, level: int | None) -> str:
    """The table's folder: at ``level``, counted from the bucket (1), else the include path."""
    if level is None:
        return include
    folders = key.split("/")[: level - 1]
    root = "/".join(folders) + "/" if folders else ""
    return root if root.startswith(include) else include


def _spread(keys: Sequence[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """At most ``most`` of the keys, evenly spaced."""
    step = max(1, -(-len(keys) // most))
    return list(keys[::step])


@dataclass(frozen=True)
class _Array:
    of: _Type


@dataclass(frozen=True)
class _Map:
    of: _Type


@dataclass(frozen=True)
class _Struct:
    fields: Mapping[str, _Type]


_Type: TypeAlias = str | _Array | _Map | _Struct | None
"""A scalar's Hive name, or a nested type; None if only nulls were seen."""


def _json_columns(bodies: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    merged: dict[str, _Type] = {}
    for _, body in bodies:
        text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        for line in text.splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                for name, value in row.items():
                    column = name.lower()
                    merged[column] = _merge(column, merged.get(column), _type_of(column, value))
    return [(name, _hive(name, kind)) for name, kind in merged.items()]


def _type_of(path: str, value: Any) -> _Type:
    """The type of a JSON value. An object is a struct: nothing tells that its keys are data."""
    kind: _Type = "string"
    match value:
        case None:
            kind = None
        case bool():
            kind = "boolean"
        case int():
            kind = "int" if abs(value) <= _INT_MOST else "bigint"
        case float():
            kind = "double"
        case list():
            kind = _array(path, value)
        case dict():
            kind = _struct(path, value)
    return kind


def _array(path: str, value: list[Any]) -> _Array:
    inner: _Type = None
    for item in value:
        inner = _merge(f"{path}[]", inner, _type_of(f"{path}[]", item))
    return _Array(inner)


def _struct(path: str, value: dict[str, Any]) -> _Struct:
    fields: dict[str, _Type] = {}
    for key, item in value.items():
        name = key.lower()
        if not _FIELD.fullmatch(name):
            raise _unknown(f"{path} has the key {key!r}, which no struct's field can have")
        inside = f"{path}.{name}"
        fields[name] = _merge(inside, fields.get(name), _type_of(inside, item))
    return _Struct(fields)


def _merge(path: str, one: _Type, other: _Type) -> _Type:
    """The narrowest type that holds both."""
    match one, other:
        case (None, known) | (known, None):
            return known
        case _Array(first), _Array(second):
            return _Array(_merge(f"{path}[]", first, second))
        case _Map(first), _Map(second):
            return _Map(_merge(f"{path}[]", first, second))
        case _Struct(first), _Struct(second):
            names = dict.fromkeys([*first, *second])
            return _Struct({n: _merge(f"{path}.{n}", first.get(n), second.get(n)) for n in names})
        case str(), str():
            if one != other and one in _NUMBERS and other in _NUMBERS:
                return max(one, other, key=_NUMBERS.index)
            return one if one == other else "string"
    raise _unknown(f"{path} is {_hive(path, one)} and {_hive(path, other)}")


def _hive(path: str, kind: _Type) -> str:
    match kind:
        case _Array(of):
            return f"array<{_hive(f'{path}[]', of)}>"
        case _Map(of):
            return f"map<string,{_hive(f'{path}[]', of)}>"
        case _Struct(fields):
            if not fields:
                raise _unknown(f"{path} is always an object without members")
            inside = (f"{name}:{_hive(f'{path}.{name}', of)}" for name, of in fields.items())
            return f"struct<{','.join(inside)}>"
    return kind or "string"


def _unknown(what: str) -> AwsError:
    return AwsError(
        "UnknownSchema",
        f"{what}: Glue's guide does not say what a crawler makes of that, so this stand-in stops",
    )


def _parquet_columns(bodies: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    merged: dict[str, _Type] = {}
    for _, body in bodies:
        for one in pq.read_schema(io.BytesIO(body)):
            name = one.name.lower()
            kind = _arrow_type(name, one.type)
            if isinstance(kind, str) and merged.get(name) not in {None, kind}:
                raise _unknown(f"{name} is {merged[name]} in one file and {kind} in another")
            merged[name] = _merge(name, merged.get(name), kind)
    return [(name, _hive(name, kind)) for name, kind in merged.items()]


def _arrow_type(path: str, kind: pa.DataType) -> _Type:
    if pa.types.is_list(kind):
        return _Array(_arrow_type(f"{path}[]", kind.value_type))
    if pa.types.is_map(kind):
        return _Map(_arrow_type(f"{path}[]", kind.item_type))
    if pa.types.is_struct(kind):
        return _Struct({f.name.lower(): _arrow_type(f"{path}.{f.name}", f.type) for f in kind})
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if kind not in _ARROW:
        raise _unknown(f"{path} is {kind}")
    return _ARROW[kind]


def _create_or_update(glue: Any, database: str, table: dict[str, Any]) -> None:
    try:
        glue.get_table(DatabaseName=database, Name=table["Name"])
    except glue.exceptions.EntityNotFoundException:
        glue.create_table(DatabaseName=database, TableInput=table)
    else:
        glue.update_table(DatabaseName=database, TableInput=table)


def _add_partitions(
    glue: Any,
    database: str,
    table: str,
    partitions: Mapping[tuple[str, ...], str],
    descriptor: Mapping[str, Any],
) -> None:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    known = {tuple(one["Values"]) for page in pages for one in page["Partitions"]}
    missing = [
        {"Values": list(values), "StorageDescriptor": {**descriptor, "Location": location}}
        for values, location in partitions.items()
        if values not in known
    ]
    for start in range(0, len(missing), _PARTITIONS_A_CALL):
        glue.batch_create_partition(
            DatabaseName=database,
            TableName=table,
            PartitionInputList=missing[start : start + _PARTITIONS_A_CALL],
        )
