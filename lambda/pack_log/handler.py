"""Pack the log's closed hours, where the batch job has no schedule and so does not.

The zip holds `jobs/pack_log.py` beside this file, which works the same in both.

Environment: BUCKET_NAME, LOG_PREFIX (the event rows' prefix), RUNS_PREFIX (where a run leaves an
object while it works), LOOK_BACK_HOURS (how late an object may come).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from pack_log import Packed, pack

PACK_BYTES: Final = 32 * 1024 * 1024
"""Of all sources of a pack. A run with that much took 160 MB, with a pack among them."""
MARGIN_SECONDS: Final = 300.0
"""No further hour is begun this long before the function times out. 32 MB take 17 s of a core, and
5,000 objects 15 s; the function has 0.29 of one."""
BUFFERS: Final = timedelta(hours=1)
"""What Firehose's buffers (15 minutes each) and four calls of the transform (5 minutes each) take
together at most, and a little more."""
DEAD: Final = timedelta(minutes=16)
"""No run is older: Lambda stops a function after 15 minutes."""
_S3: Final = boto3.client("s3")


def handler(_event: object, context: Any) -> dict[str, Any]:
    """Pack what can be packed and return the figures.

    Raises
    ------
    pack_log.PackError
        An object could not be removed.
    """
    began = time.monotonic()
    bucket, log = os.environ["BUCKET_NAME"], os.environ["LOG_PREFIX"]
    before = closed(datetime.now(UTC), int(os.environ["LOOK_BACK_HOURS"]))
    done = Packed(finished=False)
    with alone(_S3, bucket, f"{os.environ['RUNS_PREFIX']}{context.aws_request_id}") as first:
        if first:
            done = pack(
                _S3,
                f"s3://{bucket}/{log}",
                before,
                pack_bytes=PACK_BYTES,
                is_time=lambda: context.get_remaining_time_in_millis() / 1000 > MARGIN_SECONDS,
            )
    found = {
        "before": before,
        "alone": first,
        **asdict(done),
        "seconds": round(time.monotonic() - began, 3),
    }
    print(json.dumps(found))  # noqa: T201 - a Lambda's log is its output
    return found


def closed(now: datetime, look_back_hours: int) -> str:
    """The hour (``YYYY-MM-DD-HH``) before which no object arrives any more.

    Firehose keeps trying to deliver until the stream's retention ends, which the look-back covers.
    https://docs.aws.amazon.com/firehose/latest/dev/troubleshooting.html
    """
    return f"{now - timedelta(hours=look_back_hours) - BUFFERS:%Y-%m-%d-%H}"


@contextmanager
def alone(s3: Any, bucket: str, key: str) -> Iterator[bool]:
    """Whether no other run is at work. An object says so for this one, until it ends.

    It is written before those of others are looked for, so of two runs at least one sees the other.
    `operate erase` waits for runs that began before it, by these objects.
    """
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    try:
        folder = key[: key.rindex("/") + 1]
        began = {
            one["Key"]: one["LastModified"]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
            for one in page["Contents"]
        }
        mine = began.pop(key)  # by S3's clock, like the others
        yield all(mine - other > DEAD for other in began.values())
    finally:
        s3.delete_object(Bucket=bucket, Key=key)
