"""Records that the transform must reject: malformed, or not matching the schema."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any


def _change(random_: random.Random, image: dict[str, Any]) -> bytes:
    orderid = f"garbage-{random_.getrandbits(64):016x}"
    record = {
        "eventID": f"{random_.getrandbits(128):032x}",
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": 1700000000,
            "Keys": {"orderid": {"S": orderid}},
            "NewImage": {"orderid": {"S": orderid}, **image},
            "SequenceNumber": str(random_.getrandbits(60)),
        },
    }
    return json.dumps(record).encode()


_KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    lambda r: r.randbytes(40),
    lambda r: f"not JSON, {r.getrandbits(64):x}".encode(),
    lambda r: _change(r, {})[:-20],  # truncated
    lambda r: json.dumps({"no": "change record", "id": r.getrandbits(64)}).encode(),
    lambda r: _change(r, {"quantity": {"S": "many"}}),
    lambda r: _change(r, {"price": {"N": "19.999"}}),
    lambda r: _change(r, {"price": {"N": "NaN"}}),
    lambda r: _change(r, {"product_name": {"L": []}}),
)


def garbage(count: int, seed: int | None = None) -> Iterator[bytes]:
    """``count`` distinct records, cycling through the kinds."""
    source = random.Random(seed)  # noqa: S311 - test data
    return (kind(source) for kind in islice(cycle(_KINDS), count))


def put(kinesis: Any, stream: str, records: list[bytes]) -> None:
    """Put the records into the stream, spread over its shards."""
    for start in range(0, len(records), 500):
        answer = kinesis.put_records(
            StreamName=stream,
            Records=[
                {"Data": one, "PartitionKey": base64.b64encode(one)[:64].decode()}
                for one in records[start : start + 500]
            ],
        )
        if answer["FailedRecordCount"]:
            raise RuntimeError(f"{answer['FailedRecordCount']} garbage records were rejected")
