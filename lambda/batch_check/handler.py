"""Start the batch job if it has something to do.

A run of the job is billed at least a minute of its workers, so a schedule asks this function first.
The job's history and the log's objects say all it needs: it keeps no state of its own.

Environment: JOB_NAME, BUCKET_NAME, LOG_PREFIX (the event rows' prefix), LOOK_BACK_HOURS (how late
an object may come; the job looks back as far).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

MARGIN: Final = timedelta(minutes=15)
"""An object counts as new for this long before a run: S3 dates one that is uploaded in parts from
its first part, and Firehose collects an object for at most so long."""
_GLUE: Final = boto3.client("glue")
_S3: Final = boto3.client("s3")


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Start the job if there is a reason to, and return what was found."""
    job = os.environ["JOB_NAME"]
    last = last_success(_GLUE, job)
    why = reason(last)
    found = {
        "job": job,
        "last_success": last and last.isoformat(),
        "reason": why,
        "started": start(_GLUE, job) if why else None,
    }
    print(json.dumps(found))  # noqa: T201 - a Lambda's log is its output
    return found


def reason(last: datetime | None) -> str | None:
    """Why the job should run, or None."""
    bucket, prefix = os.environ["BUCKET_NAME"], os.environ["LOG_PREFIX"]
    if last is None:
        any_object = next(objects(_S3, bucket, prefix), None)
        return any_object and "it has never succeeded, and the log is not empty"
    if _GLUE.get_job(JobName=os.environ["JOB_NAME"])["Job"]["LastModifiedOn"] > last:
        return "the job was deployed after its last success"
    back = timedelta(hours=int(os.environ["LOOK_BACK_HOURS"]))
    # Objects in the hours since the last success come first, because most new ones are there.
    since = last - MARGIN
    for first, before in ((since, None), (since - back, since)):
        for one in objects(_S3, bucket, prefix, first, before):
            if one["LastModified"] >= since:
                return f"{one['Key']} is new"
    return None


def last_success(glue: Any, job: str) -> datetime | None:
    """When the last run that succeeded was started."""
    for page in glue.get_paginator("get_job_runs").paginate(JobName=job):
        times = [one["StartedOn"] for one in page["JobRuns"] if one["JobRunState"] == "SUCCEEDED"]
        if times:
            newest: datetime = max(times)
            return newest
    return None


def start(glue: Any, job: str) -> str | None:
    """The new run's ID; None if one is running already, and finds the same."""
    try:
        run: str = glue.start_job_run(JobName=job)["JobRunId"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConcurrentRunsExceededException":
            raise
        return None
    return run


def objects(
    s3: Any,
    bucket: str,
    prefix: str,
    first: datetime | None = None,
    before: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """The log's objects from the hour ``first`` on, up to the hour ``before``, if they are given.

    An object is in the hour in which its oldest record arrived.
    """
    after = {"StartAfter": _hour(prefix, first)} if first else {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **after)
    for page in pages:
        for one in page.get("Contents", ()):
            if before and one["Key"] >= _hour(prefix, before):
                return
            yield one


def _hour(prefix: str, at: datetime) -> str:
    return f"{prefix}day={at:%Y-%m-%d}/hour={at:%H}"
