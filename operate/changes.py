"""Change records in the pipe's format, read with boto3 or built from current state."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson

from operate import paths
from schema import BEFORE_ALL, SNAPSHOT, Column, Schema, types

_PSEUDONYM = re.compile("[0-9a-f]{64}")
REPAIR_PREFIX = "repair-"
"""The prefix of the event IDs of built change records."""
SNAPSHOT_PREFIX = "snapshot:"
"""The prefix of the event IDs of a snapshot's rows."""
MOST_BYTES = 1_000 * 1024
"""Firehose's limit for a record. Kinesis allows 24 KiB more, for data and partition key.
https://docs.aws.amazon.com/firehose/latest/dev/limits.html"""


def from_stream(record: Mapping[str, Any], stream_arn: str) -> bytes:
    """A record of GetRecords as JSON: base64 for bytes, epoch seconds for times."""
    return orjson.dumps(plain(record) | {"eventSourceARN": stream_arn})


def repair(
    *,
    keys: Mapping[str, Any],
    item: Mapping[str, Any] | None,
    known: str | None,
    stream_arn: str,
    region: str,
) -> bytes:
    """Build a change record from an order's current state.

    Parameters
    ----------
    keys, item:
        In DynamoDB JSON; no item means that the order was deleted.
    known:
        The order's highest sequence number in the lake. The record gets the next number: above
        everything in the lake, and not above any change that is still in transit.
    """
    number = str(int(known or 0) + 1)
    name = "REMOVE" if item is None else "MODIFY" if known else "INSERT"
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": int(time.time()),
        "Keys": plain(keys),
        "SequenceNumber": number.zfill(21),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if item is not None:
        change["NewImage"] = plain(item)
    # The same repair has the same ID, so doing it twice makes one change.
    what = orjson.dumps([keys, number, plain(item or {})], option=orjson.OPT_SORT_KEYS)
    return orjson.dumps(
        {
            "eventID": REPAIR_PREFIX + hashlib.sha256(what).hexdigest()[:32],
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": region,
            "dynamodb": change,
            "eventSourceARN": stream_arn,
        }
    )


def snapshot(schema: Schema, item: Mapping[str, Any], moment: float) -> dict[str, Any]:
    """Build the change record, parsed, of an item that was in the table at an epoch second.

    Its sequence number is below that of every change. Its ID is that of the item's key, so that
    repeated snapshots are duplicates.
    """
    image = plain(item)
    keys = {name: image[name] for name in schema.key_attributes}
    texts = [str(content) for value in keys.values() for content in value.values()]
    if len(texts) > 1:  # the separator must stay one
        texts = [text.replace("%", "%25").replace("/", "%2F") for text in texts]
    return {
        "eventID": f"{SNAPSHOT_PREFIX}{'/'.join(texts)}",
        "eventName": SNAPSHOT,
        "dynamodb": {
            "ApproximateCreationDateTime": moment,
            "Keys": keys,
            "NewImage": image,
            "SequenceNumber": BEFORE_ALL,
        },
    }


class Fitted(NamedTuple):
    """A change record that fits into Firehose, and how it was made smaller."""

    data: bytes
    form: Literal["whole", "shortened", "compressed"]


def fit(data: bytes) -> Fitted | None:
    """Make a change record small enough for Firehose; None if that is not possible.

    An insert or update loses its old image, which the transform does not use and which is the new
    image of the previous change. A record that is still too large is compressed, and the transform
    decompresses it. An item of 400 KB then always fits: the worst case, sets of three random bytes
    each, compresses to 532 kB (tests/operate/test_fit.py).
    """
    if len(data) <= MOST_BYTES:
        return Fitted(data, "whole")
    event = orjson.loads(data)
    change = event.get("dynamodb") if isinstance(event, dict) else None
    if isinstance(change, dict) and event.get("eventName") != "REMOVE":
        change.pop("OldImage", None)
        data = orjson.dumps(event)
        if len(data) <= MOST_BYTES:
            return Fitted(data, "shortened")
    # Pad with zeros, which gzip allows. Firehose fills the transform's batches by record size, and
    # the rows of many small compressed records would not fit into one response.
    weight = min(len(data) // 2, MOST_BYTES)
    packed = gzip.compress(data, 6, mtime=0).ljust(weight, b"\0")
    return Fitted(packed, "compressed") if len(packed) <= MOST_BYTES else None


def from_row(data: bytes, schema: Schema) -> bytes | None:
    """Rebuild the change record of an event row; None if it is no event row.

    When Firehose fails to convert a row, only the row is kept. It holds one of the two images,
    which is all that the transform needs.
    """
    try:
        row = json.loads(data, parse_int=_Number, parse_float=_Number)
        made = datetime.fromisoformat(row["creation_time"]).replace(tzinfo=UTC)
        extras = json.loads(row["extras"] or "{}", parse_int=_Number, parse_float=_Number)
        image = {
            column.attribute: _value(column, row[column.name])
            for column in schema.columns
            if row.get(column.name) is not None
        }
        keys = {name: image[name] for name in schema.key_attributes}
        for name, value in extras.items():
            _put(image, paths.steps(name, schema), _attribute(value))
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": made.timestamp(),
            "Keys": keys,
            "SequenceNumber": row["sequence_number"],
        }
        if len(image) > len(keys):
            change["OldImage" if row["event_type"] == "REMOVE" else "NewImage"] = image
        record = {"eventID": row["event_id"], "eventName": row["event_type"], "dynamodb": change}
        if row.get("deleted_by") == "ttl":
            record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return None
    return orjson.dumps(record)


def _value(column: Column, value: Any) -> dict[str, Any]:
    """A row's value in DynamoDB JSON. A pseudonym must not be hashed again: `rows.PSEUDONYM`."""
    if column.privacy == "hash" and _PSEUDONYM.fullmatch(value):
        return {"PSEUDONYM": value}
    return _typed(column.parsed, value)


class _Number(str):
    """A number's text; a float would lose digits."""


def _typed(type_: types.Type, value: Any) -> dict[str, Any]:  # noqa: PLR0911 - one a type
    """A column's value in DynamoDB JSON."""
    match type_:
        case _ if value is None:
            return {"NULL": True}
        case types.Scalar("timestamp"):
            return {"S": value.replace(" ", "T") + "Z"}
        case types.Scalar("binary"):
            return {"B": value}
        case types.Scalar("json"):
            return _attribute(json.loads(value, parse_int=_Number, parse_float=_Number))
        case types.Array(of):
            return {"L": [_typed(of, inner) for inner in value]}
        case types.Map(of):
            return {"M": {name: _typed(of, inner) for name, inner in value.items()}}
        case types.Struct(fields):
            return {"M": {name: _typed(of, value[name.lower()]) for name, of in fields}}
    return _attribute(value)


def _put(image: dict[str, Any], steps: Sequence[str | int], value: Mapping[str, Any]) -> None:
    """Put a value of extras where it was in the item."""
    place: Any = image
    for step in steps[:-1]:
        place = place[step]
        place = place["L"] if "L" in place else place["M"]
    place[steps[-1]] = value


def _attribute(value: Any) -> dict[str, Any]:
    """Any JSON value in DynamoDB JSON; former sets and bytes stay lists and text."""
    match value:
        case _Number():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case list():
            return {"L": [_attribute(inner) for inner in value]}
    return {"M": {name: _attribute(inner) for name, inner in value.items()}}


def plain(value: Any) -> Any:
    """A value of boto3 as JSON holds it: base64 for bytes, epoch seconds for times."""
    match value:
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case datetime():
            return int(value.timestamp())
        case Mapping():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple() | set():
            return [plain(inner) for inner in value]
    return value
