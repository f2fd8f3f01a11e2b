"""The failed records in the bucket, and why they failed."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import itertools
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from operate import changes
from operate.account import ReplayError
from operate.reasons import Judge, parse
from schema import Schema
from schema.layout import FAILED_PREFIX

KINDS = ("processing-failed", "format-conversion-failed")
"""Firehose's error types for records, each a folder under the failed prefix."""

_PARTITION = re.compile(r"day=(\d{4}-\d{2}-\d{2})/hour=(\d{2})/")
# Firehose's longest buffer interval, and a margin for its retries. An object is stored under the
# hour of its oldest record, and its other records may be younger by this much.
_LONGEST_BUFFER = timedelta(hours=2)
_MARKED_FAILED = "Lambda.ProcessingFailedStatus"


@dataclass(frozen=True)
class Window:
    """Arrival times, UTC: from ``since`` up to but not including ``until``; None means no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether the window contains this time of arrival."""
        return not ((self.since and moment < self.since) or (self.until and moment >= self.until))

    def may_hold(self, key: str) -> bool:
        """Whether an object in this partition may have records of the window."""
        found = _PARTITION.search(key)
        if not found:
            return True
        try:
            hour = datetime.fromisoformat(f"{found[1]}T{found[2]}:00:00+00:00")
        except ValueError:
            return True
        if self.until and hour >= self.until:
            return False
        return not (self.since and hour + timedelta(hours=1) + _LONGEST_BUFFER < self.since)


@dataclass(frozen=True)
class FailedObject:
    """An object of failed records."""

    key: str
    size: int

    @property
    def when(self) -> str:
        """Sort key by arrival across error types: partition, then the time in the object's name."""
        found = _PARTITION.search(self.key)
        return self.key[found.start() :] if found else self.key


@dataclass(frozen=True)
class FailedRecord:
    """One line of an object of failed records.

    Attributes
    ----------
    line:
        The line's number, from 0, in the object as it was written. With the object's key, it
        identifies the record.
    arrived:
        When Firehose received it; None if the line does not say.
    data:
        The data as sent, compressed or not; None if it cannot be read. For a row that Firehose
        could not convert, the change record rebuilt from the row.
    order:
        The order's key, if the data is a change record.
    reason:
        Why it failed.
    passes:
        Whether the transform of this checkout accepts it.
    """

    line: int
    arrived: datetime | None
    data: bytes | None
    order: str | None
    reason: str
    passes: bool

    @property
    def partition_key(self) -> str:
        """The order's key, so that its changes stay in order; else a hash of the data."""
        return self.order or hashlib.sha256(self.data or b"").hexdigest()


def objects(s3: Any, bucket: str, window: Window) -> list[FailedObject]:
    """The objects that may hold failed records of the window, oldest first."""
    pages = s3.get_paginator("list_objects_v2")
    found = [
        FailedObject(one["Key"], one["Size"])
        for kind in KINDS
        for page in pages.paginate(Bucket=bucket, Prefix=f"{FAILED_PREFIX}{kind}/")
        for one in page.get("Contents", [])
        if window.may_hold(one["Key"])
    ]
    return sorted(found, key=lambda one: one.when)


def read(s3: Any, bucket: str, key: str) -> bytes:
    """An object's lines.

    Raises
    ------
    ReplayError
        It is not in Firehose's format.
    """
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ReplayError(f"s3://{bucket}/{key}: broken gzip: {error}") from None


def line_numbers(erased: Collection[int] = ()) -> Iterator[int]:
    """The numbers, without end, of an object's lines that are still there, as it was written."""
    gone = frozenset(erased)
    return (number for number in itertools.count() if number not in gone)


def records(
    body: bytes, judge: Judge, schema: Schema, erased: Collection[int] = ()
) -> Iterator[FailedRecord]:
    """Each line of an object, including unreadable ones.

    Parameters
    ----------
    erased:
        The numbers of lines that are no longer there; the others keep their numbers.
    """
    for number, line in zip(line_numbers(erased), body.split(b"\n"), strict=False):
        if line.strip():
            yield record(number, line, judge, schema)


def record(number: int, line: bytes, judge: Judge, schema: Schema) -> FailedRecord:
    """One line as a record, whatever the line holds."""
    try:
        document = orjson.loads(line)
        data = base64.b64decode(document["rawData"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return FailedRecord(number, None, None, None, "unreadable: no line of Firehose's", False)
    if change := changes.from_row(data, schema):
        fitted = changes.fit(change)
        data = fitted.data if fitted else change
    refused = judge(data)
    # Failed conversions have last... instead: Firehose guide, "Handling errors for data format
    # conversion". It does not say whether rawData is the record or its row: both are handled.
    code = str(document.get("errorCode") or document.get("lastErrorCode") or "unknown")
    message = str(document.get("errorMessage") or document.get("lastErrorMessage") or "")
    if code == _MARKED_FAILED:
        reason = refused or "ProcessingFailed, and the transform of this checkout takes it"
    else:
        reason = f"{code}: {' '.join(message.split())[:120]}".rstrip(": ")
    arrived = _moment(document.get("arrivalTimestamp"))
    return FailedRecord(number, arrived, data, order_of(data, schema), reason, refused is None)


def order_of(data: bytes, schema: Schema) -> str | None:
    """The order's key in a change record, or None."""
    try:
        value = parse(data)["dynamodb"]["Keys"][schema.key_attributes[0]]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(value, Mapping):
        return None
    texts: Sequence[Any] = [value[kind] for kind in ("S", "N", "B") if kind in value]
    # Kinesis takes a partition key of 1 to 256 characters.
    fits = len(texts) == 1 and isinstance(texts[0], str) and 0 < len(texts[0]) <= 256
    return texts[0] if fits else None


def _moment(value: Any) -> datetime | None:
    """Epoch milliseconds, as a number or as text."""
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
