"""Write a snapshot's rows as Firehose would: same partitions, format and columns."""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from client.parquet import ConversionError, RowConverter
from operate import changes
from operate.account import Account, ReplayError
from operate.reasons import RejectedError, liner
from operate.snapshot.reading import Batch
from schema import Schema
from schema.layout import PROCESSING_FAILED_PREFIX, PROJECTION_PREFIX, SNAPSHOT_OBJECTS

MARKED_FAILED = "Lambda.ProcessingFailedStatus"
"""Firehose's error code for a record that the transform rejects."""
CHUNK_BYTES, CHUNK_SECONDS = 8 << 20, 300.0
"""A chunk's size as JSON, and how long it may wait to become that large."""
_GZIP_LEVEL = 3


@dataclass(frozen=True)
class Format:
    """How the objects of a Glue table are encoded: JSON lines (gzip or not), or Parquet."""

    gzip: bool
    parquet: RowConverter | None

    @classmethod
    def of(cls, account: Account, table: str) -> Format:
        """The format that a table of the stack declares."""
        found = account.client("glue").get_table(DatabaseName=account["databaseName"], Name=table)[
            "Table"
        ]
        given = found.get("Parameters", {})
        kind, compression = given.get("classification"), given.get("compressionType")
        columns = [(one["Name"], one["Type"]) for one in found["StorageDescriptor"]["Columns"]]
        match kind, compression:
            case "parquet", _:
                return cls(gzip=False, parquet=RowConverter(columns))
            case "json", "gzip" | "none":
                return cls(gzip=compression == "gzip", parquet=None)
        raise ReplayError(
            f"table {account['databaseName']}.{table} is {kind}, compressed with {compression}: "
            "someone changed it; run pulumi up --refresh"
        )

    @property
    def suffix(self) -> str:
        """The end of an object's name. Athena decompresses by it."""
        return ".parquet" if self.parquet else ".gz" if self.gzip else ""

    def encode(self, lines: bytes | bytearray) -> bytes | bytearray:
        """The object of these lines."""
        if self.parquet:
            return self.parquet.parquet(bytes(lines).splitlines())
        return gzip.compress(lines, _GZIP_LEVEL, mtime=0) if self.gzip else lines


@dataclass
class Chunk:
    """Lines of rows and of failed records, which become one object each, and their counts.

    The lines are copied into one buffer: a list would keep what orjson allocates for each, which is
    ten times its size.
    """

    lines: bytearray = field(default_factory=bytearray)
    failed_lines: bytearray = field(default_factory=bytearray)
    rows: int = 0
    failed: int = 0
    opened: float = field(default_factory=time.monotonic)

    def full(self, most: int) -> bool:
        """Whether it is time to write it."""
        size = len(self.lines) + len(self.failed_lines)
        return size >= most or time.monotonic() - self.opened >= CHUNK_SECONDS


class Writer:
    """Makes rows of items and writes chunks of them. Threads may share it."""

    def __init__(self, account: Account, schema: Schema) -> None:
        self._s3 = account.client("s3")
        self._bucket = account["bucketName"]
        self._schema = schema
        self._line = liner(schema, account.pseudonym(schema))
        self._rows = Format.of(account, account["projectionTable"])
        self._failures = Format.of(account, account["failedTable"])
        # A conversion takes ten times its rows' bytes: one at a time.
        self._converting = threading.Lock()

    def add(self, chunk: Chunk, batch: Batch) -> None:
        """Add a batch's rows; an item that does not fit the schema becomes a failed record."""
        moment = batch.moment.timestamp()
        for item in batch.items:
            change = changes.snapshot(self._schema, item, moment)
            try:
                chunk.lines += self._line(change)
                chunk.rows += 1
            except RejectedError as error:
                chunk.failed_lines += _failed_record(change, str(error), moment)
                chunk.failed += 1

    def write(self, chunk: Chunk, name: str, since: datetime) -> None:
        """Write a chunk; the same name and moment overwrite it.

        Raises
        ------
        ReplayError
            The Glue table cannot hold a row.
        """
        where = partition(since)
        if chunk.lines:
            self._put(f"{PROJECTION_PREFIX}{where}{name}", self._rows, chunk.lines)
        if chunk.failed_lines:
            key = f"{PROCESSING_FAILED_PREFIX}{where}{name}"
            self._put(key, self._failures, chunk.failed_lines)

    def _put(self, key: str, form: Format, lines: bytearray) -> None:
        try:
            if form.parquet:
                with self._converting:
                    body = form.encode(lines)
            else:
                body = form.encode(lines)
        except ConversionError as error:
            raise ReplayError(
                f"the Glue table cannot hold a row: {error}. Rows and table come from one schema, "
                "so someone changed the table, or the stack was not updated: run pulumi up "
                "--refresh"
            ) from None
        self._s3.put_object(Bucket=self._bucket, Key=f"{key}{form.suffix}", Body=body)


def partition(since: datetime) -> str:
    """The partition of items read after this moment.

    A delete must not expire from the log before the item's row does, or the item would be back. So
    the row's day must not be after the day of any change made after the item was read. Firehose
    stores a change under the hour of its object's oldest record, which may be a buffer's interval
    earlier: around midnight, of the day before.
    """
    if since.hour == 0:
        since -= timedelta(hours=1)
    return f"day={since:%Y-%m-%d}/hour={since:%H}/"


def object_name(snapshot: str, part: int, chunk: int, after: Any) -> str:
    """The name of a chunk's object: the same range of items has the same name, others differ."""
    end = hashlib.blake2b(orjson.dumps(after), digest_size=4).hexdigest()
    return f"{SNAPSHOT_OBJECTS}{snapshot}-{part:04}-{chunk:05}-{end}"


def _failed_record(change: Mapping[str, Any], reason: str, moment: float) -> bytes:
    """The line that Firehose would store, which `replay failed` reads."""
    data = orjson.dumps(change)
    fitted = changes.fit(data)
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(moment * 1000),
        "errorCode": MARKED_FAILED,
        "errorMessage": reason,
        "attemptEndingTimestamp": int(moment * 1000),
        "rawData": base64.b64encode(fitted.data if fitted else data).decode(),
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
