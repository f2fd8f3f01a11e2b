"""The packaged function in its own process, as Lambda starts it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics import MOST_VALUES, spread

from analytics.cost import custom_metrics
from tests.events import decode, firehose, load

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import handler
answer = handler.handler(json.load(sys.stdin), None)
print(json.dumps(answer))
"""


def invoke(folder: Path, event: object, **environment: str) -> tuple[list[Any], dict[str, Any]]:
    """The answered records, and the log line."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(folder)],
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], **environment},
    )
    log, answer = done.stdout.splitlines()
    return json.loads(answer)["records"], json.loads(log)


def test_a_batch_is_answered(package_folder: Path) -> None:
    (ok, failed), _ = invoke(package_folder, firehose(load("insert"), b"garbage"))
    assert ok["result"] == "Ok"
    assert json.loads(decode(ok))["orderid"] == "ord-0001"
    assert (failed["result"], decode(failed)) == ("ProcessingFailed", b"garbage")


def test_one_log_line_has_the_counts_and_the_metrics(package_folder: Path) -> None:
    batch = firehose(load("insert"), load("modify"), load("modify"), load("ttl_delete"), b"garbage")
    answers, log = invoke(package_folder, batch)
    (metrics,) = log["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "sales-cdc"
    assert metrics["Dimensions"] == [["DeliveryStream"]]
    assert log["DeliveryStream"] == "sales-cdc-dev-lake"
    # What the calculator of costs counts.
    assert [m["Name"] for m in metrics["Metrics"]] == list(custom_metrics())
    counts = {"Records": 5, "Ok": 4, "Failed": 1, "Insert": 1, "Modify": 2, "Remove": 1}
    assert {name: log[name] for name in counts} == counts
    assert log["Bytes"] == sum(len(decode(a)) for a in answers if a["result"] == "Ok")
    assert 0 < log["Duration"] < 10_000
    assert log["_aws"]["Timestamp"] > 1_700_000_000_000


def test_the_log_line_has_the_ages_of_the_records_in_milliseconds(package_folder: Path) -> None:
    def made(seconds: float) -> Any:
        change = load("insert")
        change["dynamodb"]["ApproximateCreationDateTime"] = seconds
        return change

    now = time.time()
    batch = firehose(made(now - 60), made(now - 3600), made(now + 3600), b"garbage")
    _, log = invoke(package_folder, batch)
    old, older = sorted(log["Age"])[1:]
    assert min(log["Age"]) == 0, "a clock that is ahead makes no negative age"
    assert 60_000 <= old < 90_000
    assert 3_600_000 <= older < 3_630_000
    units = {m["Name"]: m["Unit"] for m in log["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units == {"Records": "Count", "Failed": "Count", "Age": "Milliseconds"}


def test_a_batch_without_rows_has_no_ages(package_folder: Path) -> None:
    _, log = invoke(package_folder, firehose(b"garbage"))
    names = [m["Name"] for m in log["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert names == ["Records", "Failed"]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 400)), max_size=30))
def test_a_hundred_ages_stand_for_any_number(drawn: list[tuple[int, int]]) -> None:
    counts = sorted(dict(drawn).items())
    everything = [value for value, count in counts for _ in range(count)]
    chosen = spread(counts)
    if len(everything) <= MOST_VALUES:
        assert chosen == everything
    else:
        assert len(chosen) == MOST_VALUES
        for percent in range(1, 101):  # by nearest rank
            rank = math.ceil(percent * len(everything) / 100)
            assert chosen[percent - 1] == everything[rank - 1]


def test_the_log_says_why_records_failed_and_never_what_they_held(package_folder: Path) -> None:
    change = load("insert")
    change["dynamodb"]["NewImage"]["price"] = {"N": "129.999"}
    _, log = invoke(package_folder, firehose(change))
    (reason,) = log["failures"]
    assert reason == "SchemaMismatch: column price: decimal(10,2) cannot hold this value exactly"
    assert log["level"] == "WARNING"
    for content in ("129.999", "Zoë", "Keyboard", "ord-0001"):
        assert content not in json.dumps(log, ensure_ascii=False)


@pytest.mark.parametrize(("level", "named"), [("INFO", 3), ("DEBUG", 7)])
def test_the_log_level_sets_how_many_failed_records_are_named(
    package_folder: Path, level: str, named: int
) -> None:
    _, log = invoke(package_folder, firehose(*[b"x"] * 7), LOG_LEVEL=level)
    (failure,) = log["failures"].values()
    assert (failure["count"], len(failure["examples"])) == (7, named)


@pytest.mark.parametrize(
    ("asked", "metrics"), [("Failed", ["Failed"]), ("Age,Records", ["Records", "Age"])]
)
def test_only_the_metrics_that_are_asked_for_reach_cloudwatch(
    package_folder: Path, asked: str, metrics: list[str]
) -> None:
    _, log = invoke(package_folder, firehose(load("insert"), b"garbage"), METRICS=asked)
    (directive,) = log["_aws"]["CloudWatchMetrics"]
    assert [one["Name"] for one in directive["Metrics"]] == metrics
    assert (log["Records"], log["Failed"], len(log["Age"])) == (2, 1, 1)


def test_without_metrics_the_line_is_only_a_line(package_folder: Path) -> None:
    _, log = invoke(package_folder, firehose(load("insert")), METRICS="none")
    assert "_aws" not in log
    assert log["Records"] == 1


def test_the_namespace_of_the_metrics_can_be_set(package_folder: Path) -> None:
    _, log = invoke(package_folder, firehose(load("insert")), METRICS_NAMESPACE="shop")
    assert log["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "shop"
