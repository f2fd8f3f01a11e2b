"""The function that packs the log of a stack without a scheduled batch."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from local.chain import LocalChain
from schema.layout import PACKING_PREFIX
from tests import handlers
from tests.local.chain_parts import until

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 14, 10, tzinfo=UTC)
pytestmark = [pytest.mark.xdist_group("pack-function")]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.syspath_prepend(str(ROOT / "jobs"))
    return handlers.load("pack_log")


def test_an_hour_is_closed_when_nothing_can_come_any_more(function: ModuleType) -> None:
    """The stream's retention, by which Firehose gives up, and its buffers after the hour's end."""
    assert function.closed(NOW, 24) == "2026-11-24-13"
    assert function.closed(NOW.replace(minute=0), 24) == "2026-11-24-13"
    assert function.closed(NOW.replace(hour=0), 48) == "2026-11-22-23"


class Runs:
    """The objects of runs, with S3's dates."""

    def __init__(self) -> None:
        self.objects: dict[str, datetime] = {}
        self.now = NOW

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert not Body, "`operate erase` reads no empty objects"
        self.objects[Key] = self.now

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        del self.objects[Key]

    def get_paginator(self, _: str) -> Runs:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        listed = [{"Key": k, "LastModified": at} for k, at in sorted(self.objects.items())]
        yield {"Contents": [one for one in listed if str(one["Key"]).startswith(Prefix)]}


def test_of_two_runs_at_once_not_both_work(function: ModuleType) -> None:
    runs = Runs()
    with function.alone(runs, "lake", "packing/one") as one:
        with function.alone(runs, "lake", "packing/two") as two:
            assert (one, two) == (True, False)
        assert list(runs.objects) == ["packing/one"]
    assert not runs.objects


def test_a_run_that_was_killed_stops_no_later_one(function: ModuleType) -> None:
    runs = Runs()
    runs.put_object(Bucket="lake", Key="packing/killed", Body=b"")
    runs.now += timedelta(minutes=15)
    with function.alone(runs, "lake", "packing/next") as next_one:
        assert not next_one, "it may still be at work"
    runs.now += timedelta(minutes=45)
    with function.alone(runs, "lake", "packing/an-hour-later") as later:
        assert later


def test_the_mark_goes_with_a_run_that_fails(function: ModuleType) -> None:
    runs = Runs()
    with pytest.raises(ZeroDivisionError), function.alone(runs, "lake", "packing/one"):
        1 / 0  # noqa: B018
    assert not runs.objects


def test_a_run_ends_before_lambda_ends_it(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def pack(s3: Any, log: str, before: str, **options: Any) -> Any:
        asked.update(options, log=log)
        return function.Packed()

    monkeypatch.setattr(function, "pack", pack)
    monkeypatch.setattr(function, "_S3", Runs())
    for name, value in (("BUCKET_NAME", "lake"), ("LOG_PREFIX", "projection/")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RUNS_PREFIX", PACKING_PREFIX)
    monkeypatch.setenv("LOOK_BACK_HOURS", "24")
    left = 900_000
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: left)
    assert function.handler({}, context)["finished"]
    assert asked["log"] == "s3://lake/projection/"
    assert asked["is_time"]()
    left = 299_000
    assert not asked["is_time"]()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    with LocalChain("dev", tmp_path_factory.mktemp("packing")) as running:
        yield running


def invoke(stack: LocalChain) -> dict[str, Any]:
    name = stack.outputs["packFunctionName"]
    answer = stack.aws.client("lambda").invoke(FunctionName=name)
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def folder(hours_ago: float) -> str:
    hour = datetime.now(UTC) - timedelta(hours=hours_ago)
    return f"projection/day={hour:%F}/hour={hour:%H}/"


def fill(stack: LocalChain, where: str, count: int) -> None:
    for number in range(count):
        row = {
            "orderid": f"{where}{number}",
            "event_id": f"{where}{number}",
            "event_type": "INSERT",
        }
        body = gzip.compress(json.dumps({**row, "sequence_number": f"{number:040}"}).encode())
        key = f"{where}lake-{number:02}.gz"
        stack.aws.client("s3").put_object(Bucket=stack.outputs["bucketName"], Key=key, Body=body)


def names(stack: LocalChain, prefix: str) -> list[str]:
    listed = stack.aws.client("s3").list_objects_v2(
        Bucket=stack.outputs["bucketName"], Prefix=prefix
    )
    return [one["Key"].removeprefix(prefix) for one in listed.get("Contents", ())]


def test_the_deployed_function_packs_closed_hours_as_its_role_allows(stack: LocalChain) -> None:
    old, new = folder(30), folder(20)
    for where in (old, new):
        fill(stack, where, 4)
    rows = stack.ask("SELECT * FROM current_orders ORDER BY orderid")
    told = invoke(stack)
    assert {one: told[one] for one in ("alone", "packs", "sources", "removed", "left")} == {
        "alone": True,
        "packs": 1,
        "sources": 4,
        "removed": 0,
        "left": 0,
    }
    assert told["finished"]
    assert [name.startswith("packed-4-") for name in names(stack, old)] == [False] * 4 + [True]
    assert len(names(stack, new)) == 4
    assert not names(stack, PACKING_PREFIX)
    assert stack.ask("SELECT * FROM current_orders ORDER BY orderid") == rows
    again = invoke(stack)
    assert (again["packs"], again["removed"]) == (0, 0), "within the hour of grace"
    s3, bucket = stack.aws.client("s3"), stack.outputs["bucketName"]
    for name in names(stack, old)[:-1]:
        s3.delete_object(Bucket=bucket, Key=old + name)
    assert stack.ask("SELECT * FROM current_orders ORDER BY orderid") == rows


def test_its_log_has_one_line_of_figures(stack: LocalChain) -> None:
    invoke(stack)
    client, name = stack.aws.client("lambda"), stack.outputs["packFunctionName"]
    group = client.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]

    def lines() -> list[dict[str, Any]]:
        events = stack.aws.client("logs").filter_log_events(logGroupName=group)["events"]
        return [json.loads(e["message"]) for e in events if e["message"].startswith("{")]

    until(lines, seconds=30)
    assert {"before", "packs", "sources", "removed", "left", "seconds"} <= lines()[-1].keys()


def test_two_invocations_at_once_do_no_harm(stack: LocalChain) -> None:
    where = folder(32)
    fill(stack, where, 12)
    before = stack.ask("SELECT count(DISTINCT event_id) AS n FROM projection")
    told: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: told.append(invoke(stack))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    invoke(stack)
    assert len([name for name in names(stack, where) if name.startswith("packed-")]) == 1
    assert stack.ask("SELECT count(DISTINCT event_id) AS n FROM projection") == before
    assert not names(stack, PACKING_PREFIX)
