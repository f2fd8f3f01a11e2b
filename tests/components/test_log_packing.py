"""LogPacking: packing the log as a function, on a schedule."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.arguments.checks import ArgumentError
from components.log_packing import LogPacking, LogPackingArgs
from tests.components.component_support import Deploy, Deployed, arn, once

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "arn:aws:s3:::lake"


@once
def packing(deploy: Deploy, **args: Any) -> Deployed:
    args = {"pack_schedule": "cron(10 * * * ? *)", **args}
    return deploy(
        lambda: LogPacking("pack", LogPackingArgs(bucket_name="lake", bucket_arn=BUCKET, **args))
    )


def test_a_schedule_calls_the_function_once(deploy: Deploy) -> None:
    deployed = packing(deploy)
    schedule = deployed.find("Schedule", "pack-schedule")
    assert schedule.inputs["scheduleExpression"] == "cron(10 * * * ? *)"
    function = arn("lambda:{region}:{account}:function:pack-function-1a2b3c4")
    assert schedule.inputs["target"]["arn"] == function
    assert "pack-once" in schedule.depends_on
    assert deployed.find("FunctionEventInvokeConfig").inputs["maximumRetryAttempts"] == 0
    assert deployed.find("Function").inputs["timeout"] == 900
    assert deployed.find("Function").inputs["environment"] == {
        "variables": {
            "BUCKET_NAME": "lake",
            "LOG_PREFIX": "projection/",
            "RUNS_PREFIX": "packing/",
            "LOOK_BACK_HOURS": "24",
        }
    }


def test_it_may_work_on_the_log_and_on_nothing_else(deploy: Deploy) -> None:
    policy = packing(deploy).find("RolePolicy", "pack-policy")
    log, runs = f"{BUCKET}/projection/*", f"{BUCKET}/packing/*"
    logs = arn("logs:{region}:{account}:log-group:pack-logs-1a2b3c4:*")
    assert policy.allows == {
        "s3:ListBucket": {BUCKET},
        "s3:GetObject": {log},
        "s3:PutObject": {log, runs},
        "s3:DeleteObject": {log, runs},
        "logs:CreateLogStream": {logs},
        "logs:PutLogEvents": {logs},
    }
    listed = policy.statements["FindObjects"]["Condition"]
    assert listed == {"StringLike": {"s3:prefix": ["projection/*", "packing/*"]}}


def test_the_package_holds_the_batch_jobs_module(deploy: Deploy) -> None:
    code = packing(deploy).find("Function").inputs["code"]
    with zipfile.ZipFile(code.path) as package:
        assert sorted(package.namelist()) == ["handler.py", "pack_log.py"]
        assert package.read("pack_log.py") == (ROOT / "jobs" / "pack_log.py").read_bytes()


def test_it_waits_as_long_as_changes_may_be_late(deploy: Deploy) -> None:
    deployed = packing(deploy, batch_look_back_hours=48)
    variables = deployed.find("Function").inputs["environment"]["variables"]
    assert variables["LOOK_BACK_HOURS"] == "48"


def test_a_schedule_is_checked() -> None:
    with pytest.raises(ArgumentError, match="pack_schedule"):
        LogPackingArgs(bucket_name="lake", bucket_arn=BUCKET, pack_schedule="hourly")
