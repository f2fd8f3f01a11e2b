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
from typing import Any

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
}


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


def _json_columns(bodies: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    merged: dict[str, str] = {}
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
                    merged[column] = _merge(merged.get(column), _type_of(value))
    return [(name, kind or "string") for name, kind in merged.items()]


def _type_of(value: Any) -> str:
    """The Hive type of a JSON value; empty for null, which has no type."""
    match value:
        case None:
            kind = ""
        case bool():
            kind = "boolean"
        case int():
            kind = "int" if abs(value) <= _INT_MOST else "bigint"
        case float():
            kind = "double"
        case list():
            inner = ""
            for item in value:
                inner = _merge(inner, _type_of(item))
            kind = f"array<{inner or 'string'}>"
        case dict():
            fields = (f"{key.lower()}:{_type_of(item) or 'string'}" for key, item in value.items())
            kind = f"struct<{','.join(fields)}>"
        case _:
            kind = "string"
    return kind


def _merge(one: str | None, other: str) -> str:
    """The narrowest type that holds both."""
    if not one or one == other:
        return other or one or ""
    if not other:
        return one
    numbers = ("int", "bigint", "double")
    if one in numbers and other in numbers:
        return max(one, other, key=numbers.index)
    return "string"


def _parquet_columns(bodies: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    merged: dict[str, str] = {}
    for _, body in bodies:
        for one in pq.read_schema(io.BytesIO(body)):
            merged[one.name.lower()] = _arrow_type(one.type)
    return list(merged.items())


def _arrow_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return _ARROW.get(kind, "string")


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
