"""Orders made in the cloud: the function and its schedule, in a stack that runs here."""

from __future__ import annotations

import json
from pathlib import Path

from local.chain import LocalChain
from tests.local.chain_parts import until


def test_the_schedule_may_run_the_function_and_its_orders_reach_the_lake(tmp_path: Path) -> None:
    settings = {"orderGenerator": "true", "orderGeneratorOrders": "40"}
    with LocalChain("dev", tmp_path, overrides=settings) as stack:
        (summary,) = stack.aws.client("scheduler").list_schedules()["Schedules"]
        schedule = stack.aws.client("scheduler").get_schedule(Name=summary["Name"])
        assert schedule["ScheduleExpression"] == "rate(5 minutes)"
        target = schedule["Target"]
        scheduler = stack.aws.assume(target["RoleArn"], "scheduler")
        answer = stack.aws.client("lambda", scheduler).invoke(
            FunctionName=target["Arn"], Payload=target.get("Input", "{}").encode()
        )
        report = json.loads(answer["Payload"].read())
        assert not answer.get("FunctionError"), report
        assert report["inserted"] == 40
        changes = report["inserted"] + report["updated"] + report["deleted"]
        until(lambda: stack.hops().delivered == changes, seconds=30)
        stack.check()
        (row,) = stack.ask("SELECT count(*) AS orders FROM current_orders")
        assert row == {"orders": str(40 - report["deleted"])}
