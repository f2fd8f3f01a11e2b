"""OrderGenerator: the generator as a function, on a schedule."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import pytest

from components.archives.lambda_zip import Platform
from components.arguments.checks import ArgumentError
from components.order_generator import OrderGenerator, OrderGeneratorArgs
from tests.components.component_support import ACCOUNT, Deploy, Deployed, arn, once

TABLE = arn("dynamodb:{region}:{account}:table/orders")
FUNCTION = arn("lambda:{region}:{account}:function:maker-function-1a2b3c4")
LOGS = arn("logs:{region}:{account}:log-group:maker-logs-1a2b3c4")


@once
def maker(deploy: Deploy, **args: Any) -> Deployed:
    return deploy(
        lambda: OrderGenerator(
            "maker", OrderGeneratorArgs(table_name="orders", table_arn=TABLE, **args)
        )
    )


def test_a_hundred_orders_are_placed_every_five_minutes(deploy: Deploy) -> None:
    deployed = maker(deploy)
    schedule = deployed.find("Schedule", "maker-schedule")
    assert schedule.inputs == {
        "scheduleExpression": "rate(5 minutes)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {
            "arn": FUNCTION,
            "roleArn": arn("iam::{account}:role/maker-schedule-role-1a2b3c4"),
            "retryPolicy": {"maximumRetryAttempts": 0},
        },
    }
    assert "maker-schedule-policy" in schedule.depends_on
    # A failed run is tried once: by Scheduler (above), and by Lambda, before the first one comes.
    assert "maker-once" in schedule.depends_on
    assert deployed.find("FunctionEventInvokeConfig").inputs == {
        "functionName": "maker-function-1a2b3c4",
        "maximumRetryAttempts": 0,
    }
    assert deployed.find("Function").inputs["environment"] == {
        "variables": {
            "TABLE_NAME": "orders",
            "ORDERS": "100",
            "UPDATES": "0.4",
            "DELETES": "0.05",
        }
    }


def test_it_may_write_orders_and_its_log_and_no_more(deploy: Deploy) -> None:
    assert maker(deploy).find("RolePolicy", "maker-policy").allows == {
        "logs:CreateLogStream": {f"{LOGS}:*"},
        "logs:PutLogEvents": {f"{LOGS}:*"},
        "dynamodb:BatchWriteItem": {TABLE},
        "dynamodb:DescribeTable": {TABLE},
    }


def test_the_scheduler_may_run_it_and_only_for_this_account(deploy: Deploy) -> None:
    deployed = maker(deploy)
    assert deployed.find("RolePolicy", "maker-schedule-policy").allows == {
        "lambda:InvokeFunction": {FUNCTION, f"{FUNCTION}:*"}
    }
    trust = deployed.find("Role", "maker-schedule-role").inputs["assumeRolePolicy"]
    (statement,) = json.loads(trust)["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_arguments_reach_the_function_and_the_schedule(deploy: Deploy) -> None:
    host = Platform.host()
    deployed = maker(
        deploy,
        order_generator_schedule="cron(0 8 * * ? *)",
        order_generator_orders=7,
        updates=0.25,
        deletes=0,
        platform=host,
        memory_mb=256,
        log_retention_days=3,
    )
    schedule = deployed.find("Schedule").inputs
    assert schedule["scheduleExpression"] == "cron(0 8 * * ? *)"
    function = deployed.find("Function").inputs
    variables = function["environment"]["variables"]
    assert (variables["ORDERS"], variables["UPDATES"], variables["DELETES"]) == ("7", "0.25", "0")
    assert (function["memorySize"], function["architectures"]) == (256, [host.architecture])
    assert deployed.find("LogGroup").inputs["retentionInDays"] == 3


def test_its_package_holds_the_handler_and_what_it_imports(deploy: Deploy) -> None:
    code = maker(deploy).find("Function").inputs["code"]
    with zipfile.ZipFile(code.path) as package:
        names = set(package.namelist())
    assert {"handler.py", "generator/__init__.py", "schema/__init__.py"} <= names
    assert not [name for name in names if name.startswith(("components", "local", "pulumi"))]


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "order_generator_schedule": "hourly",
        "order_generator_orders": 0,
        "updates": 0.6,
        "deletes": 0.4,
        "memory_mb": 1,
    }
    with pytest.raises(ArgumentError) as raised:
        OrderGeneratorArgs(table_name="orders", table_arn=TABLE, **wrong)
    for name in wrong:
        assert name in str(raised.value)
