"""`python -m acceptance --local`, as CI runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from local.errors import LocalError
from local.standins import spark

ROOT = Path(__file__).parents[2]

MADE = [
    *("up", "outputs", "orders", "verify", "queries", "garbage", "crawler", "alarms"),
    *("crawler-failed", "job-failed", "pipe-restart", "dead-letter", "destroy", "nothing-left"),
]
LEFT_OUT = ["no-change", "tags", "batch", "settings", "settings-kept"]


def acceptance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "acceptance", *arguments],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def without_java() -> list[str]:
    """What cannot be made where Spark cannot run."""
    try:
        spark.check()
    except LocalError:
        return ["job-failed"]
    return []


def test_every_check_holds_and_what_only_aws_shows_is_named_as_skipped() -> None:
    done = acceptance("--local", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    failed = {one["name"]: one["detail"] for one in told["checks"] if not one["passed"]}
    assert failed == {}
    assert told["passed"] is True
    assert done.returncode == 0
    assert [one["name"] for one in told["checks"]] == [
        name for name in MADE if name not in without_java()
    ]
    assert {one["name"] for one in told["skipped"]} == {*LEFT_OUT, *without_java()}
    assert all(one["reason"] for one in told["skipped"])
    assert all(one["seconds"] >= 0 and one["detail"] for one in told["checks"])
    assert 0 < told["latency_s"]["p50"] <= told["latency_s"]["p99"] < 60
    assert told["cost_usd"] == 0
    details = {one["name"]: one["detail"] for one in told["checks"]}
    assert details["orders"] == "1,000 placed, 800 updates, 200 deletes"
    assert details["verify"] == "800 orders equal in every value"
    assert "passed  verify" in done.stderr
    assert "skipped settings" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
