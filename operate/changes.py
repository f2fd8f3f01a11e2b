"""Change records as the pipe puts them into the stream, from what boto3 reads, and made anew."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson

from schema import Schema

REPAIR_PREFIX = "repair-"
"""What the event IDs of made change records start with."""
MOST_BYTES = 1_000 * 1024
"""Of a record that Firehose takes; Kinesis takes 24 KiB more, of data and partition key.
https://docs.aws.amazon.com/firehose/latest/dev/limits.html"""


def from_stream(record: Mapping[str, Any], stream_arn: str) -> bytes:
    """A record of GetRecords, as JSON on the wire: base64 for bytes, epoch seconds for times."""
    return orjson.dumps(_wire(record) | {"eventSourceARN": stream_arn})


def repair(
    *,
    keys: Mapping[str, Any],
    item: Mapping[str, Any] | None,
    known: str | None,
    stream_arn: str,
    region: str,
) -> bytes:
    """A change record of an order's current state, which no stream has.

    Parameters
    ----------
    keys, item:
        In DynamoDB's form; without an item the order was deleted.
    known:
        The highest sequence number that the lake has of the order. The made one is the next:
        above all that is there, and not above any change that is still on its way.
    """
    number = str(int(known or 0) + 1)
    name = "REMOVE" if item is None else "MODIFY" if known else "INSERT"
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": int(time.time()),
        "Keys": _wire(keys),
        "SequenceNumber": number.zfill(21),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if item is not None:
        change["NewImage"] = _wire(item)
    # The same repair has the same ID: made twice it is one change.
    what = orjson.dumps([keys, number, _wire(item or {})], option=orjson.OPT_SORT_KEYS)
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


class Fitted(NamedTuple):
    """A change record as Firehose takes it, and what was done to it."""

    data: bytes
    form: Literal["whole", "shortened", "compressed"]


def fit(data: bytes) -> Fitted | None:
    """Make a change record small enough for Firehose; None if it cannot be.

    An insert or update gives up its old image, of which the transform makes nothing and which was
    the new image of the change before. What is still too large is compressed; the transform
    unpacks it. An item of 400 KB always fits then: what gzip leaves of its JSON was 532 kB at most,
    of sets of three random bytes each (tests/operate/test_fit.py).
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
    # Zeros after it, as gzip allows them: Firehose fills the transform's batches by the size of
    # the records, and the rows of many small ones would have no room in one answer.
    weight = min(len(data) // 2, MOST_BYTES)
    packed = gzip.compress(data, 6, mtime=0).ljust(weight, b"\0")
    return Fitted(packed, "compressed") if len(packed) <= MOST_BYTES else None


def from_row(data: bytes, schema: Schema) -> bytes | None:
    """The change record that the transform makes this event row of; None if it is no event row.

    Where Firehose fails to convert a row, the row is what is left of the change. It holds one image
    of the two, which is all that the transform reads.
    """
    try:
        row = json.loads(data, parse_int=_Number, parse_float=_Number)
        made = datetime.fromisoformat(row["creation_time"]).replace(tzinfo=UTC)
        extras = json.loads(row["extras"] or "{}", parse_int=_Number, parse_float=_Number)
        columns = {
            column.name: _typed(column.type, row[column.name])
            for column in schema.columns
            if row.get(column.name) is not None
        }
        image = columns | {name: _attribute(value) for name, value in extras.items()}
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": made.timestamp(),
            "Keys": {name: columns[name] for name in schema.keys},
            "SequenceNumber": row["sequence_number"],
        }
        if len(image) > len(schema.keys):
            change["OldImage" if row["event_type"] == "REMOVE" else "NewImage"] = image
        record = {"eventID": row["event_id"], "eventName": row["event_type"], "dynamodb": change}
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return None
    return orjson.dumps(record)


class _Number(str):
    """A number's own text: through a float it would lose digits."""


def _typed(type_: str, value: Any) -> dict[str, Any]:
    """A column's value in DynamoDB's form."""
    if type_ == "timestamp":
        return {"S": value.replace(" ", "T") + "Z"}
    return _attribute(value)


def _attribute(value: Any) -> dict[str, Any]:
    """Any JSON value in DynamoDB's form; what was a set or bytes stays a list or text."""
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


def _wire(value: Any) -> Any:
    match value:
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case datetime():
            return int(value.timestamp())
        case Mapping():
            return {name: _wire(inner) for name, inner in value.items()}
        case list() | tuple() | set():
            return [_wire(inner) for inner in value]
    return value
