"""The order generator's function and schedule, in a local stack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from local.chain import LocalChain
from tests.local.chain_parts import until

pytestmark = [pytest.mark.xdist_group("order-generator")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"orderGenerator": "true", "orderGeneratorOrders": "40"}
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=settings) as running:
        yield running


def test_the_schedule_may_run_the_function_and_its_orders_reach_the_lake(
    stack: LocalChain,
) -> None:
    schedules = stack.aws.client("scheduler").list_schedules()["Schedules"]
    (name,) = (one["Name"] for one in schedules if "generator" in one["Name"])
    schedule = stack.aws.client("scheduler").get_schedule(Name=name)
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


def test_a_failed_run_is_not_tried_again(stack: LocalChain) -> None:
    aws, name = stack.aws, stack.outputs["orderGeneratorFunctionName"]
    client = aws.client("lambda")
    function = client.get_function_configuration(FunctionName=name)
    group = function["LoggingConfig"]["LogGroup"]

    def runs() -> int:
        events = aws.client("logs").filter_log_events(logGroupName=group)["events"]
        return sum(event["message"].startswith("REPORT") for event in events)

    variables = function["Environment"]["Variables"] | {"TABLE_NAME": "no-such-table"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    before = runs()
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")  # as Scheduler does
    until(lambda: runs() > before, seconds=30)
    time.sleep(8)  # where there are retries, the emulator's come after 1 s and after 2 s more
    assert runs() == before + 1
