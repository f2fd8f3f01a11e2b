"""The deployed alarms on the emulator: they watch the stack's resources, and they fire."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.chain import LocalChain

pytestmark = [pytest.mark.xdist_group("alarms")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"alarmEmail": "data@example.com"}
    with LocalChain("prod", tmp_path_factory.mktemp("stack"), overrides=settings) as running:
        yield running


def alarms(stack: LocalChain) -> list[Any]:
    pages = stack.aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    return [alarm for page in pages for alarm in page["MetricAlarms"]]


def test_each_alarm_watches_a_deployed_resource_and_rings_beyond_its_threshold(
    stack: LocalChain,
) -> None:
    """The emulator ignores dimensions, so they are compared here."""
    names = {str(value) for value in stack.outputs.values()}
    names.add(stack.outputs["dlqUrl"].rpartition("/")[2])
    simple = [alarm for alarm in alarms(stack) if "MetricName" in alarm]
    assert len(simple) == 16 and len(alarms(stack)) == 18
    for alarm in simple:
        (dimension,) = alarm["Dimensions"]
        assert dimension["Value"] in names, alarm["AlarmName"]
        beyond = -0.5 if alarm["ComparisonOperator"].startswith("Less") else 1
        stack.aws.client("cloudwatch").put_metric_data(
            Namespace=alarm["Namespace"],
            MetricData=[
                {
                    "MetricName": alarm["MetricName"],
                    "Dimensions": [dimension],
                    "Value": alarm["Threshold"] + beyond,
                }
            ],
        )
    deadline = time.monotonic() + 15
    while quiet := [
        one["AlarmName"]
        for one in alarms(stack)
        if "MetricName" in one and one["StateValue"] != "ALARM"
    ]:
        assert time.monotonic() < deadline, quiet
        time.sleep(0.2)


def test_the_topic_the_rule_and_the_dashboard_are_there(stack: LocalChain) -> None:
    topic = stack.outputs["alarmTopicArn"]
    sns = stack.aws.client("sns")
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["Endpoint"] == "data@example.com"
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms(stack))
    rules = stack.aws.client("events").list_rules()["Rules"]
    (rule,) = [rule for rule in rules if "crawler-failed" in rule["Name"]]
    (target,) = stack.aws.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == topic
    name = stack.outputs["operationsDashboardName"]
    body = stack.aws.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert stack.outputs["deliveryStreamName"] in body
