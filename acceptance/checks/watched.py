"""Checks of the crawler, the alarms and the notifications of failures."""

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
"""Maximum time until a notification arrives."""
_CRAWL_SECONDS = 900.0
_AGAIN_SECONDS = 30.0
_CRAWLS = 3
"""Attempts: a denial needs time to propagate in IAM."""


def crawler(run: Run) -> str:
    """The crawler finds the declared columns, and all rows."""
    last = _crawl(run)
    if last["Status"] != "SUCCEEDED":
        told = last.get("ErrorMessage", "no reason given")
        raise CheckFailedError(f"the crawl ended with {last['Status']}: {told}")
    glue, database = run.client("glue"), run["databaseName"]
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    tables = {table["Name"]: table for page in pages for table in page["TableList"]}
    if CRAWLED not in tables:
        raise CheckFailedError(f"no {CRAWLED} among {', '.join(sorted(tables))}")
    found, declared = (_columns(tables[name]) for name in (CRAWLED, run["projectionTable"]))
    if unknown := found - declared:
        raise CheckFailedError(f"{CRAWLED} has undeclared columns: {sorted(unknown)}")
    # Compares the crawler's partitions with the projected ones.
    counts = [
        run.ask(f"SELECT count(*) AS rows_ FROM {name}")[0]["rows_"]  # noqa: S608
        for name in (CRAWLED, run["projectionTable"])
    ]
    if counts[0] != counts[1] or counts[0] == "0":
        raise CheckFailedError(f"{CRAWLED} has {counts[0]} rows, the declared table {counts[1]}")
    names = sorted(name for name in tables if name.startswith("crawled_"))
    return f"{', '.join(names)}: {counts[0]} rows"


def alarms(run: Run) -> str:
    """Each alarm, forced to fire, notifies the topic."""
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
        raise CheckFailedError("no alarm has the topic as its action")
    run.told.open()
    reason = f"acceptance {run.token}"
    waiting = set(found)
    deadline, again = time.monotonic() + TOLD_SECONDS, 0.0
    while waiting:
        if time.monotonic() > deadline:
            raise CheckFailedError(f"no notification from: {', '.join(sorted(waiting))}")
        if time.monotonic() > again:  # notifications right after subscribing may be lost
            again = time.monotonic() + _AGAIN_SECONDS
            for name in waiting:
                for state in ("OK", "ALARM"):  # only a change of state notifies
                    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)
        for text in run.told.messages():
            message = _parsed(text)
            if message.get("NewStateValue") == "ALARM" and message.get("NewStateReason") == reason:
                waiting.discard(str(message["AlarmName"]))
        run.say(f"{len(found) - len(waiting)} of {len(found)} alarms notified")
    return f"all {len(found)} notified"


def crawler_failed(run: Run) -> str:
    """A failed crawler notifies the topic."""
    run.told.open()
    name = run["crawlerName"]
    role = run.client("glue").get_crawler(Name=name)["Crawler"]["Role"]
    with run.denied(role):
        for _ in range(_CRAWLS):
            run.say("making the crawler fail")
            if _crawl(run)["Status"] == "FAILED":
                break
        else:
            raise CheckFailedError("the crawler succeeds although its role is denied everything")
    _await_message(run, "the crawler's failure", lambda text: name in text and "Failed" in text)
    return "notified"


def job_failed(run: Run) -> str:
    """A failed batch job notifies the topic."""
    run.told.open()
    name = run["batchJobName"]
    nowhere = f"s3://{run['bucketName']}/jobs/acceptance-{run.token}.py"
    started = run.client("glue").start_job_run(
        JobName=name, Arguments={"--extra-py-files": nowhere}
    )["JobRunId"]
    run.say("making the batch job fail")
    ended = run.wait("the end of the job", lambda: job_end(run, started), JOB_SECONDS)
    if ended["JobRunState"] != "FAILED":
        raise CheckFailedError(f"without its modules the job ended with {ended['JobRunState']}")
    _await_message(run, "the job's failure", lambda text: name in text and "FAILED" in text)
    return "notified"


def _crawl(run: Run) -> dict[str, Any]:
    """Run the crawler once and return Glue's description of the crawl."""
    glue, name = run.client("glue"), run["crawlerName"]
    glue.start_crawler(Name=name)
    run.say("running the crawler")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = glue.get_crawler(Name=name)["Crawler"]
        return found if found["State"] == "READY" else None

    described = run.wait("the end of the crawl", ended, _CRAWL_SECONDS)
    last: dict[str, Any] = described["LastCrawl"]
    return last


def _await_message(run: Run, what: str, wanted: Callable[[str], bool]) -> None:
    """Wait for a matching message from the topic."""
    deadline = time.monotonic() + TOLD_SECONDS
    while not any(wanted(text) for text in run.told.messages()):
        if time.monotonic() > deadline:
            raise CheckFailedError(f"no notification of {what}")


def _columns(table: dict[str, Any]) -> set[str]:
    described = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
    return {str(column["Name"]).lower() for column in described}


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
