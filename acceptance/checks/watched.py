"""What watches the chain: the crawler, the alarms, and who is told of failures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from acceptance.checks.chain import JOB_SECONDS, job_end
from acceptance.errors import CheckFailedError
from acceptance.run import Run
from acceptance.stack import PROJECT

CRAWLED = "crawled_projection"
TOLD_SECONDS = 180.0
"""What a message may take to arrive."""
_CRAWL_SECONDS = 900.0
_AGAIN_SECONDS = 30.0
_CRAWLS = 3
"""Tries: IAM takes its time until a denial is known everywhere."""


def crawler(run: Run) -> str:
    """The crawler finds the event rows as they are declared."""
    last = _crawl(run)
    if last["Status"] != "SUCCEEDED":
        raise CheckFailedError(f"it {last['Status']}: {last.get('ErrorMessage', 'no reason')}")
    glue, database = run.client("glue"), run["databaseName"]
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    tables = {table["Name"]: table for page in pages for table in page["TableList"]}
    if CRAWLED not in tables:
        raise CheckFailedError(f"no {CRAWLED} among {', '.join(sorted(tables))}")
    found, declared = (_columns(tables[name]) for name in (CRAWLED, run["projectionTable"]))
    if unknown := found - declared:
        raise CheckFailedError(f"{CRAWLED} has columns that nobody declared: {sorted(unknown)}")
    # Each as the reader finds it: the crawler's partitions against those that are projected.
    counts = [
        run.ask(f"SELECT count(*) AS rows_ FROM {name}")[0]["rows_"]  # noqa: S608
        for name in (CRAWLED, run["projectionTable"])
    ]
    if counts[0] != counts[1] or counts[0] == "0":
        raise CheckFailedError(f"{CRAWLED} has {counts[0]} rows, the declared table {counts[1]}")
    names = sorted(name for name in tables if name.startswith("crawled_"))
    return f"{', '.join(names)}: {counts[0]} rows"


def alarms(run: Run) -> str:
    """Each alarm, forced to ring, tells the topic."""
    cloudwatch = run.client("cloudwatch")
    topic = run["alarmTopicArn"]
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{PROJECT}-{run.deployment.name}-"
    )
    found = {
        one["AlarmName"]
        for page in pages
        for one in page["MetricAlarms"]
        if topic in one["AlarmActions"]
    }
    if not found:
        raise CheckFailedError("no alarm tells the topic")
    run.told.open()
    reason = f"acceptance {run.token}"
    waiting = set(found)
    deadline, again = time.monotonic() + TOLD_SECONDS, 0.0
    while waiting:
        if time.monotonic() > deadline:
            raise CheckFailedError(f"not heard of: {', '.join(sorted(waiting))}")
        if time.monotonic() > again:  # what is told right after a subscription may be lost
            again = time.monotonic() + _AGAIN_SECONDS
            for name in waiting:
                for state in ("OK", "ALARM"):  # only a change of state is told
                    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)
        for text in run.told.messages():
            message = _parsed(text)
            if message.get("NewStateValue") == "ALARM" and message.get("NewStateReason") == reason:
                waiting.discard(str(message["AlarmName"]))
        run.say(f"{len(found) - len(waiting)} of {len(found)} alarms heard")
    return f"all {len(found)} heard of"


def crawler_failed(run: Run) -> str:
    """A crawler that fails is told of."""
    run.told.open()
    name = run["crawlerName"]
    role = run.client("glue").get_crawler(Name=name)["Crawler"]["Role"]
    with run.denied(role):
        for _ in range(_CRAWLS):
            run.say("letting the crawler fail")
            if _crawl(run)["Status"] == "FAILED":
                break
        else:
            raise CheckFailedError("the crawler succeeds although its role may do nothing")
    _hear(run, "the crawler's failure", lambda text: name in text and "Failed" in text)
    return "told"


def job_failed(run: Run) -> str:
    """A batch job that fails is told of."""
    run.told.open()
    name = run["batchJobName"]
    nowhere = f"s3://{run['bucketName']}/jobs/acceptance-{run.token}.py"
    started = run.client("glue").start_job_run(
        JobName=name, Arguments={"--extra-py-files": nowhere}
    )["JobRunId"]
    run.say("letting the batch job fail")
    ended = run.wait("end of the job", lambda: job_end(run, started), JOB_SECONDS)
    if ended["JobRunState"] != "FAILED":
        raise CheckFailedError(f"the job is {ended['JobRunState']} without its modules")
    _hear(run, "the job's failure", lambda text: name in text and "FAILED" in text)
    return "told"


def _crawl(run: Run) -> dict[str, Any]:
    """Run the crawler once; what Glue says of the run."""
    glue, name = run.client("glue"), run["crawlerName"]
    glue.start_crawler(Name=name)
    run.say("the crawler runs")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = glue.get_crawler(Name=name)["Crawler"]
        return found if found["State"] == "READY" else None

    described = run.wait("end of the crawl", ended, _CRAWL_SECONDS)
    last: dict[str, Any] = described["LastCrawl"]
    return last


def _hear(run: Run, what: str, wanted: Callable[[str], bool]) -> None:
    """Wait until the topic tells what is wanted."""
    deadline = time.monotonic() + TOLD_SECONDS
    while not any(wanted(text) for text in run.told.messages()):
        if time.monotonic() > deadline:
            raise CheckFailedError(f"nobody was told of {what}")


def _columns(table: dict[str, Any]) -> set[str]:
    described = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
    return {str(column["Name"]).lower() for column in described}


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
