"""The function that starts the batch job only when there is something new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.chain import LocalChain
from local.standins.glue_jobs import JobRun
from tests import handlers

NOW = datetime(2026, 11, 25, 14, 10, tzinfo=UTC)
pytestmark = [pytest.mark.xdist_group("batch-check")]


class Pages:
    """A paginator with recorded pages."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield from self._answer(**asked)


class Account:
    """Glue with one job and S3 with one log, as far as the function asks them."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.deployed = NOW - timedelta(days=9)
        self.objects: dict[str, datetime] = {}
        self.started: list[str] = []
        self.running = False
        self.listed = 0

    def ran(self, state: str, hours_ago: float) -> None:
        started = NOW - timedelta(hours=hours_ago)
        self.runs.insert(0, {"JobRunState": state, "StartedOn": started})

    def arrived(self, hours_ago: float, *, of: float | None = None) -> None:
        """An object written so long ago, in the hour of its oldest record."""
        hour = NOW - timedelta(hours=of or hours_ago)
        key = f"projection/day={hour:%Y-%m-%d}/hour={hour:%H}/{len(self.objects)}"
        self.objects[key] = NOW - timedelta(hours=hours_ago)

    def get_paginator(self, action: str) -> Pages:
        return Pages(getattr(self, f"_{action}"))

    def _get_job_runs(self, JobName: str) -> Iterator[dict[str, Any]]:
        assert JobName == "job"
        for first in range(0, max(1, len(self.runs)), 2):
            yield {"JobRuns": self.runs[first : first + 2]}

    def _list_objects_v2(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert (asked["Bucket"], asked["Prefix"]) == ("lake", "projection/")
        keys = sorted(key for key in self.objects if key > asked.get("StartAfter", ""))
        for first in range(0, max(1, len(keys)), 2):
            self.listed += 1
            page = keys[first : first + 2]
            found = [{"Key": key, "LastModified": self.objects[key]} for key in page]
            yield {"Contents": found} if found else {}

    def get_job(self, JobName: str) -> dict[str, Any]:
        return {"Job": {"Name": JobName, "LastModifiedOn": self.deployed}}

    def start_job_run(self, JobName: str) -> dict[str, str]:
        if self.running:
            code = {"Code": "ConcurrentRunsExceededException", "Message": "one runs"}
            raise ClientError({"Error": code}, "StartJobRun")
        self.started.append(JobName)
        return {"JobRunId": "jr_1"}


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def check(account: Account, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    environment = {
        "JOB_NAME": "job",
        "BUCKET_NAME": "lake",
        "LOG_PREFIX": "projection/",
        "LOOK_BACK_HOURS": "48",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module = handlers.load("batch_check")
    monkeypatch.setattr(module, "_GLUE", account)
    monkeypatch.setattr(module, "_S3", account)
    return module


def test_an_idle_log_starts_nothing(check: ModuleType, account: Account) -> None:
    for hours in (30, 12, 7):
        account.arrived(hours)
    account.ran("SUCCEEDED", 6)
    assert check.handler({}, None)["reason"] is None
    assert not account.started


def test_an_empty_log_starts_nothing(check: ModuleType, account: Account) -> None:
    assert check.handler({}, None) == {
        "job": "job",
        "last_success": None,
        "reason": None,
        "started": None,
    }


def test_the_first_object_starts_the_first_run(check: ModuleType, account: Account) -> None:
    account.arrived(0.1)
    assert check.handler({}, None)["started"] == "jr_1"


def test_an_object_since_the_last_run_starts_the_next(check: ModuleType, account: Account) -> None:
    account.arrived(20)
    account.ran("SUCCEEDED", 6)
    account.arrived(2)
    found = check.handler({}, None)
    assert found["reason"] == "projection/day=2026-11-25/hour=12/1 is new"
    assert account.started == ["job"]


def test_an_object_that_came_while_the_run_listed_the_log_counts(
    check: ModuleType, account: Account
) -> None:
    """S3 dates an upload in parts from its first part, before the run began."""
    account.ran("SUCCEEDED", 6)
    account.arrived(6 + 10 / 60)
    assert check.handler({}, None)["started"]


def test_a_late_object_in_an_old_hour_counts(check: ModuleType, account: Account) -> None:
    """Firehose could not deliver for a day: the object is in the hour of its oldest record."""
    account.ran("SUCCEEDED", 6)
    account.arrived(1, of=30)
    assert check.handler({}, None)["started"]


def test_a_failed_run_is_tried_again(check: ModuleType, account: Account) -> None:
    account.ran("SUCCEEDED", 12)
    account.arrived(7)
    for _ in range(3):
        account.ran("FAILED", 6)
    assert check.handler({}, None)["started"]
    assert account.started == ["job"]


def test_a_new_deployment_of_the_job_runs_once(check: ModuleType, account: Account) -> None:
    """A new column, or a new view: the job changes the table, whatever is in the log."""
    account.ran("SUCCEEDED", 6)
    account.deployed = NOW - timedelta(hours=1)
    assert check.handler({}, None)["reason"] == "the job was deployed after its last success"
    account.ran("SUCCEEDED", 0.5)
    assert check.handler({}, None)["reason"] is None


def test_a_run_that_is_under_way_is_enough(check: ModuleType, account: Account) -> None:
    account.arrived(0.1)
    account.running = True
    found = check.handler({}, None)
    assert found["reason"] and found["started"] is None


def test_other_errors_are_the_functions(check: ModuleType, account: Account) -> None:
    """They count in its Errors metric, which the alarm batch-not-started watches."""

    def denied(**_: Any) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "StartJobRun")

    account.arrived(0.1)
    account.start_job_run = denied  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        check.handler({}, None)


# -- deployed ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"batchSchedule": "cron(10 3 1 1 ? *)", "packSchedule": ""}
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=settings) as running:
        yield running


def test_the_schedule_starts_the_job_once_for_what_is_new(
    stack: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the deployed roles; the job itself is only recorded."""
    jobs = stack.jobs
    assert jobs is not None
    before: list[JobRun] = []

    def start(name: str, arguments: Any) -> JobRun:
        run = JobRun(f"jr_{len(before)}", name, arguments, ended=1.0, state="SUCCEEDED")
        jobs._runs[run.id] = run
        before.append(run)
        return run

    monkeypatch.setattr(jobs, "start", start)
    monkeypatch.setattr("local.standins.spark.check", lambda: None)

    def asked() -> dict[str, Any]:
        (summary,) = stack.aws.client("scheduler").list_schedules()["Schedules"]
        target = stack.aws.client("scheduler").get_schedule(Name=summary["Name"])["Target"]
        who = stack.aws.assume(target["RoleArn"], "scheduler")
        answer = stack.aws.client("lambda", who).invoke(FunctionName=target["Arn"])
        told: dict[str, Any] = json.loads(answer["Payload"].read())
        assert not answer.get("FunctionError"), told
        return told

    assert asked()["reason"] is None
    bucket, now = stack.outputs["bucketName"], datetime.now(UTC)
    key = f"projection/day={now:%Y-%m-%d}/hour={now:%H}/row.gz"
    stack.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")
    assert asked()["started"] == "jr_0"
    # Longer ago than the margin: everything that is there was there when the run began.
    before[0].started = now.timestamp() + 3600
    assert asked()["reason"] is None
    assert len(before) == 1
