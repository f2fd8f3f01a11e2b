"""Monitoring: what is watched, what it says, and the dashboard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.arguments import checks
from components.definitions.alarms import RUNBOOK
from components.monitoring import CRAWLER, JOB, Monitoring, MonitoringArgs
from tests.components.component_support import REGION, Deploy, Deployed, arn

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "table_name": "orders",
    "pipe_name": "bridge",
    "dlq_arn": arn("sqs:{region}:{account}:letters"),
    "stream_name": "changes",
    "delivery_stream_name": "delivery",
    "transform_function_name": "transform",
    "crawler_name": "crawler",
}
DIMENSIONS = {
    "AWS/DynamoDB": {"TableName": "orders"},
    "AWS/EventBridge/Pipes": {"PipeName": "bridge"},
    "AWS/SQS": {"QueueName": "letters"},
    "AWS/Kinesis": {"StreamName": "changes"},
    "AWS/Firehose": {"DeliveryStreamName": "delivery"},
    "AWS/Lambda": {"FunctionName": "transform"},
    "sales-cdc": {"DeliveryStream": "delivery"},
}
USUAL = {
    "pipe-failed",
    "pipe-timed-out",
    "pipe-throttled",
    "dead-letters",
    "writes-throttled",
    "reader-behind",
    "reads-throttled",
    "transform-errors",
    "transform-throttled",
    "transform-slow",
    "failed-records",
    "processing-failed",
    "delivery-late",
    "delivery-failed",
    "chain-silent",
}


def watch(deploy: Deploy, **given: Any) -> Deployed:
    return deploy(lambda: Monitoring("watch", MonitoringArgs(**OURS, **given)))


def alarms(deployed: Deployed) -> dict[str, Any]:
    return {r.name.removeprefix("watch-"): r.inputs for r in deployed.all("MetricAlarm")}


def metrics(alarm: Any) -> list[tuple[str, str, dict[str, str]]]:
    if "metricQueries" not in alarm:
        return [(alarm["namespace"], alarm["metricName"], alarm["dimensions"])]
    asked = [query["metric"] for query in alarm["metricQueries"] if "metric" in query]
    return [(one["namespace"], one["metricName"], one["dimensions"]) for one in asked]


def test_every_way_to_break_has_its_alarm(deploy: Deploy) -> None:
    assert set(alarms(watch(deploy))) == USUAL
    parquet = alarms(watch(deploy, delivery_format="parquet"))
    assert set(parquet) == USUAL | {"conversion-failed"}
    filtered = alarms(watch(deploy, filter_patterns=[{"eventName": ["INSERT"]}]))
    assert set(filtered) == USUAL - {"chain-silent"}


def test_every_alarm_watches_our_resource_and_tells_the_topic(deploy: Deploy) -> None:
    deployed = watch(deploy, delivery_format="parquet")
    topic = arn("sns:{region}:{account}:watch-alarms-1a2b3c4")
    for name, alarm in alarms(deployed).items():
        for namespace, _, dimensions in metrics(alarm):
            assert dimensions == DIMENSIONS[namespace], name
        assert alarm["alarmActions"] == alarm["okActions"] == [topic]
        assert alarm["treatMissingData"] == "notBreaching"
        assert alarm["datapointsToAlarm"] <= alarm["evaluationPeriods"]


def test_every_alarm_says_what_to_do_first_and_where_to_read_on(deploy: Deploy) -> None:
    runbook = (ROOT / RUNBOOK).read_text()
    sections = set(re.findall(r"^### (\S+)$", runbook, re.M))
    rung = alarms(watch(deploy, delivery_format="parquet"))
    for name, alarm in rung.items():
        said = alarm["alarmDescription"]
        assert re.search(r"\. First: .+\. Runbook: ", said), name
        assert said.endswith(f"{RUNBOOK}#{name}")
        assert len(said) <= 1024
    assert sections == {*rung, CRAWLER.name, JOB.name}, "the runbook has a section for each"


def test_thresholds_follow_from_the_settings(deploy: Deploy) -> None:
    slow = alarms(
        watch(
            deploy,
            buffer_interval_seconds=300,
            transform_buffer_interval_seconds=60,
            transform_timeout_seconds=100,
            failed_record_percent=5.0,
        )
    )
    assert slow["delivery-late"]["threshold"] == 2 * 360 + 300
    assert slow["transform-slow"]["threshold"] == 80_000
    assert slow["failed-records"]["threshold"] == 5
    with pytest.raises(checks.ArgumentError, match="alarm_email: must be an e-mail address"):
        MonitoringArgs(**OURS, alarm_email="nobody", failed_record_percent=0)


def test_the_rate_of_failed_records_is_of_all_records(deploy: Deploy) -> None:
    result, *parts = alarms(watch(deploy))["failed-records"]["metricQueries"]
    assert result["expression"] == "IF(records > 0, 100 * failed / records, 0)"
    assert result["returnData"] is True
    assert {q["id"]: q["metric"]["metricName"] for q in parts} == {
        "failed": "Failed",
        "records": "Records",
    }
    assert not any(query["returnData"] for query in parts)


def test_a_failed_crawler_or_job_is_told(deploy: Deploy) -> None:
    deployed = watch(deploy, job_names=["merge"])
    patterns = {r.name: json.loads(r.inputs["eventPattern"]) for r in deployed.all("EventRule")}
    assert patterns["watch-crawler-failed"] == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        "detail": {"crawlerName": ["crawler"], "state": ["Failed"]},
    }
    assert patterns["watch-job-failed"]["detail"] == {
        "jobName": ["merge"],
        "state": ["FAILED", "TIMEOUT", "ERROR"],
    }
    for target in deployed.all("EventTarget"):
        assert target.inputs["arn"].endswith(":watch-alarms-1a2b3c4")
        assert RUNBOOK in json.loads(target.inputs["inputTransformer"]["inputTemplate"])
    assert not watch(deploy).all("EventRule")[1:], "without jobs there is no rule for them"


def test_only_our_alarms_and_rules_may_tell_the_topic(deploy: Deploy) -> None:
    policy = watch(deploy).find("TopicPolicy")
    statements = policy.statements
    assert statements["Alarms"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    assert statements["Events"]["Condition"] == {
        "ArnEquals": {
            "aws:SourceArn": [arn("events:{region}:{account}:rule/watch-crawler-failed-1a2b3c4")]
        }
    }
    assert statements["TlsOnly"]["Effect"] == "Deny"
    assert {s["Action"] for s in statements.values()} == {"sns:Publish"}


def test_mail_is_sent_where_it_was_asked_for(deploy: Deploy) -> None:
    assert not watch(deploy).all("TopicSubscription")
    mail = watch(deploy, alarm_email="data@example.com").find("TopicSubscription").inputs
    assert (mail["protocol"], mail["endpoint"]) == ("email", "data@example.com")


def test_the_dashboard_reads_from_source_to_lake(deploy: Deploy) -> None:
    dashboard = watch(deploy).find("Dashboard").inputs
    assert dashboard["dashboardName"] == "watch"
    widgets = json.loads(dashboard["dashboardBody"])["widgets"]
    graphs = [w for w in widgets if w["type"] == "metric"]
    for row in range(3):
        cells = graphs[row * 6 : row * 6 + 6]
        assert [c["x"] for c in cells] == [0, 4, 8, 12, 16, 20]
        assert len({c["y"] for c in cells}) == 1
        assert [c["properties"]["title"][0] for c in cells] == list("123456")
    for graph in graphs:
        assert graph["properties"]["region"] == REGION
        for namespace, _, dimension, value, _ in graph["properties"]["metrics"]:
            assert DIMENSIONS[namespace] == {dimension: value}
    (listed,) = (w for w in widgets if w["type"] == "alarm")
    assert len(listed["properties"]["alarms"]) == len(USUAL)
    boxes = [(w["x"], w["y"], w["width"], w["height"]) for w in widgets]
    for n, (x, y, width, height) in enumerate(boxes):
        assert x + width <= 24
        for a, b, c, d in boxes[:n]:
            assert x >= a + c or a >= x + width or y >= b + d or b >= y + height, "they overlap"


@pytest.mark.parametrize("metric", ["Failed", "Records"])
def test_the_transforms_metrics_are_named_as_the_transform_names_them(metric: str) -> None:
    handler = (ROOT / "lambda" / "transform" / "handler.py").read_text()
    assert f'"{metric}":' in handler
    assert '[["DeliveryStream"]]' in handler and '"METRICS_NAMESPACE", "sales-cdc"' in handler
