"""Monitoring: the alarms, their descriptions, and the dashboard."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from components.arguments import checks
from components.definitions.alarms import BASIC, RUNBOOK, TRANSFORM_METRICS
from components.monitoring import CRAWLER, JOB, Monitoring, MonitoringArgs
from tests.components.component_support import REGION, Deploy, Deployed, arn, once

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "table_name": "orders",
    "stream_arn": arn("dynamodb:{region}:{account}:table/orders/stream/2026-11-21T00:00:00.000"),
    "pipe_name": "bridge",
    "dlq_arn": arn("sqs:{region}:{account}:letters"),
    "stream_name": "changes",
    "delivery_stream_name": "delivery",
    "transform_function_name": "transform",
    "crawler_name": "crawler",
}
VALUES = {
    "TableName": {"orders"},
    "StreamLabel": {"2026-11-21T00:00:00.000"},
    "Operation": {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "GetRecords"},
    "PipeName": {"bridge"},
    "QueueName": {"letters"},
    "StreamName": {"changes"},
    "DeliveryStreamName": {"delivery"},
    "FunctionName": {"transform", "check", "pack"},
    "DeliveryStream": {"delivery"},
}
AWS = "https://docs.aws.amazon.com"
# The dimensions that each metric has, by the page that says so: asked for with others, or without
# one of them, CloudWatch answers with no data.
DOCUMENTED: dict[str, dict[str, set[str]]] = {
    f"{AWS}/amazondynamodb/latest/developerguide/metrics-dimensions.html": {
        "AWS/DynamoDB ConsumedWriteCapacityUnits": {"TableName"},
        "AWS/DynamoDB ReadThrottleEvents": {"TableName"},
        "AWS/DynamoDB ReturnedRecordsCount": {"TableName", "Operation", "StreamLabel"},
        "AWS/DynamoDB SuccessfulRequestLatency": {"TableName", "Operation"},
        "AWS/DynamoDB WriteThrottleEvents": {"TableName"},
    },
    f"{AWS}/eventbridge/latest/userguide/eb-pipes-monitoring.html": {
        "AWS/EventBridge/Pipes Duration": {"PipeName"},
        "AWS/EventBridge/Pipes EventCount": {"PipeName"},
        "AWS/EventBridge/Pipes ExecutionFailed": {"PipeName"},
        # "AwsAccountId, PipeName": of the account, or of a pipe.
        "AWS/EventBridge/Pipes ExecutionThrottled": {"PipeName"},
        "AWS/EventBridge/Pipes ExecutionTimeout": {"PipeName"},
    },
    f"{AWS}/streams/latest/dev/monitoring-with-cloudwatch.html": {
        "AWS/Kinesis GetRecords.IteratorAgeMilliseconds": {"StreamName"},
        "AWS/Kinesis IncomingRecords": {"StreamName"},
        "AWS/Kinesis WriteProvisionedThroughputExceeded": {"StreamName"},
    },
    f"{AWS}/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html": {
        "AWS/Firehose DeliveryToS3.Bytes": {"DeliveryStreamName"},
        "AWS/Firehose DeliveryToS3.DataFreshness": {"DeliveryStreamName"},
        "AWS/Firehose DeliveryToS3.Records": {"DeliveryStreamName"},
        "AWS/Firehose DeliveryToS3.Success": {"DeliveryStreamName"},
        "AWS/Firehose ExecuteProcessing.Success": {"DeliveryStreamName"},
        "AWS/Firehose FailedConversion.Records": {"DeliveryStreamName"},
        "AWS/Firehose KinesisMillisBehindLatest": {"DeliveryStreamName"},
        "AWS/Firehose ThrottledGetRecords": {"DeliveryStreamName"},
    },
    f"{AWS}/lambda/latest/dg/monitoring-metrics-types.html": {
        "AWS/Lambda Duration": {"FunctionName"},
        "AWS/Lambda Errors": {"FunctionName"},
        "AWS/Lambda Throttles": {"FunctionName"},
    },
    f"{AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html": {
        "AWS/SQS ApproximateNumberOfMessagesVisible": {"QueueName"},
    },
    "lambda/transform/metrics.py": {
        "sales-cdc Age": {"DeliveryStream"},
        "sales-cdc Failed": {"DeliveryStream"},
        "sales-cdc Records": {"DeliveryStream"},
    },
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
    "changes-late",
    "failed-records",
    "processing-failed",
    "delivery-late",
    "delivery-failed",
    "chain-silent",
}


FULL: dict[str, Any] = {
    "delivery_format": "parquet",
    "batch_check_function_name": "check",
    "pack_function_name": "pack",
}
"""What it takes for every alarm."""


@once
def watch(deploy: Deploy, **given: Any) -> Deployed:
    return deploy(lambda: Monitoring("watch", MonitoringArgs(**OURS, **given)))


def alarms(deployed: Deployed) -> dict[str, Any]:
    return {r.name.removeprefix("watch-"): r.inputs for r in deployed.all("MetricAlarm")}


def metrics(alarm: Any) -> list[tuple[str, str, dict[str, str]]]:
    if "metricQueries" not in alarm:
        return [(alarm["namespace"], alarm["metricName"], alarm["dimensions"])]
    asked = [query["metric"] for query in alarm["metricQueries"] if "metric" in query]
    return [(one["namespace"], one["metricName"], one["dimensions"]) for one in asked]


def drawn(deployed: Deployed) -> list[tuple[str, str, dict[str, str]]]:
    body = json.loads(deployed.find("Dashboard").inputs["dashboardBody"])
    lines = [
        line
        for widget in body["widgets"]
        if widget["type"] == "metric"
        for line in widget["properties"]["metrics"]
    ]
    return [
        (namespace, name, dict(zip(rest[::2], rest[1::2], strict=True)))
        for namespace, name, *rest, _ in lines
    ]


def test_every_way_to_break_has_its_alarm(deploy: Deploy) -> None:
    assert set(alarms(watch(deploy))) == USUAL
    parquet = alarms(watch(deploy, delivery_format="parquet"))
    assert set(parquet) == USUAL | {"conversion-failed"}
    filtered = alarms(watch(deploy, filter_patterns=[{"eventName": ["INSERT"]}]))
    assert set(filtered) == USUAL - {"chain-silent"}
    checked = alarms(watch(deploy, batch_check_function_name="check"))
    assert set(checked) == USUAL | {"batch-not-started"}
    packed = alarms(watch(deploy, pack_function_name="pack"))
    assert set(packed) == USUAL | {"packing-failed"}


def test_basic_is_one_alarm_of_one_metric_per_way_to_lose_changes(deploy: Deploy) -> None:
    deployed = watch(deploy, monitoring_level="basic", **FULL)
    ours = alarms(deployed)
    assert {name: len(metrics(alarm)) for name, alarm in ours.items()} == dict.fromkeys(BASIC, 1)
    assert set(BASIC) < USUAL and len(BASIC) == 5
    assert not deployed.all("Dashboard")
    assert len(deployed.all("EventRule")) == 1, "those of AWS's own events are free"
    rejected = ours["failed-records"]
    assert (rejected["metricName"], rejected["threshold"]) == ("Failed", 1)
    made = runpy.run_path(str(ROOT / "lambda" / "transform" / "metrics.py"))["METRICS"]
    watched = {m[1] for alarm in ours.values() for m in metrics(alarm) if m[0] == "sales-cdc"}
    assert set(TRANSFORM_METRICS["basic"]) == watched < set(made)


def test_nothing_to_monitor_is_rejected() -> None:
    with pytest.raises(checks.ArgumentError, match="monitoring_level: must be full or basic"):
        MonitoringArgs(**OURS, monitoring_level="off")


def test_every_alarm_notifies_the_topic(deploy: Deploy) -> None:
    deployed = watch(deploy, delivery_format="parquet")
    topic = arn("sns:{region}:{account}:watch-alarms-1a2b3c4")
    for alarm in alarms(deployed).values():
        assert alarm["alarmActions"] == alarm["okActions"] == [topic]
        assert alarm["treatMissingData"] == "notBreaching"
        assert alarm["datapointsToAlarm"] <= alarm["evaluationPeriods"]


def test_every_metric_is_asked_for_with_its_dimensions_and_of_our_resources(
    deploy: Deploy,
) -> None:
    documented = {name: one for page in DOCUMENTED.values() for name, one in page.items()}
    deployed = watch(deploy, **FULL)
    asked = drawn(deployed) + [
        metric for alarm in alarms(deployed).values() for metric in metrics(alarm)
    ]
    for namespace, name, dimensions in asked:
        assert set(dimensions) == documented[f"{namespace} {name}"], name
        assert all(value in VALUES[one] for one, value in dimensions.items()), dimensions
    assert {f"{namespace} {name}" for namespace, name, _ in asked} == set(documented)


def test_writes_that_change_nothing_ring_no_alarm(deploy: Deploy) -> None:
    """They create no change record; the pipe still polls the table's stream."""
    (result, *asked) = alarms(watch(deploy))["chain-silent"]["metricQueries"]
    assert result["expression"] == (
        "IF(FILL(written, 0) > 0 AND FILL(asked, 0) == 0 AND FILL(carried, 0) == 0, 1, 0)"
    )
    (reads,) = (one["metric"] for one in asked if one["id"] == "asked")
    assert (reads["metricName"], reads["stat"]) == ("ReturnedRecordsCount", "SampleCount")


def test_every_alarm_says_what_to_do_first_and_where_to_read_on(deploy: Deploy) -> None:
    runbook = (ROOT / RUNBOOK).read_text()
    sections = set(re.findall(r"^### (\S+)$", runbook, re.M))
    rung = alarms(watch(deploy, **FULL))
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
            batch_window_seconds=30,
            failed_record_percent=5.0,
        )
    )
    assert slow["delivery-late"]["threshold"] == 2 * 360 + 300
    assert slow["changes-late"]["threshold"] == 1000 * (2 * 90 + 300)
    assert slow["transform-slow"]["threshold"] == 80_000
    assert slow["failed-records"]["threshold"] == 5
    with pytest.raises(checks.ArgumentError, match="alarm_email: must be an e-mail address"):
        MonitoringArgs(**OURS, alarm_email="nobody", failed_record_percent=0)


def test_late_changes_are_those_beyond_99_percent(deploy: Deploy) -> None:
    late = alarms(watch(deploy))["changes-late"]
    assert (late["metricName"], late["extendedStatistic"]) == ("Age", "p99")
    assert "statistic" not in late
    assert late["comparisonOperator"] == "GreaterThanThreshold"
    assert late["threshold"] == 422_000


def test_the_dashboard_shows_how_old_changes_are(deploy: Deploy) -> None:
    widgets = json.loads(watch(deploy).find("Dashboard").inputs["dashboardBody"])["widgets"]
    last = widgets[-1]
    assert (last["x"], last["width"]) == (0, 24)
    shown = [(line[1], line[-1]["stat"]) for line in last["properties"]["metrics"]]
    assert shown == [("Age", "p50"), ("Age", "p99"), ("Age", "Maximum")]


def test_the_rate_of_failed_records_is_of_all_records(deploy: Deploy) -> None:
    result, *parts = alarms(watch(deploy))["failed-records"]["metricQueries"]
    assert result["expression"] == "IF(records > 0, 100 * failed / records, 0)"
    assert result["returnData"] is True
    assert {q["id"]: q["metric"]["metricName"] for q in parts} == {
        "failed": "Failed",
        "records": "Records",
    }
    assert not any(query["returnData"] for query in parts)


def test_a_failed_crawler_or_job_notifies_the_topic(deploy: Deploy) -> None:
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


def test_only_our_alarms_and_rules_of_eventbridge_may_tell_the_topic(deploy: Deploy) -> None:
    statements = watch(deploy).find("TopicPolicy").statements
    assert statements["Alarms"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    # With a condition EventBridge delivers nothing.
    assert statements["Events"] == {
        "Sid": "Events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn("sns:{region}:{account}:watch-alarms-1a2b3c4"),
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
    (listed,) = (w for w in widgets if w["type"] == "alarm")
    assert len(listed["properties"]["alarms"]) == len(USUAL)
    boxes = [(w["x"], w["y"], w["width"], w["height"]) for w in widgets]
    for n, (x, y, width, height) in enumerate(boxes):
        assert x + width <= 24
        for a, b, c, d in boxes[:n]:
            assert x >= a + c or a >= x + width or y >= b + d or b >= y + height, "they overlap"


def test_each_metric_that_the_transform_makes_is_watched(deploy: Deploy) -> None:
    """Each is billed monthly."""
    made = runpy.run_path(str(ROOT / "lambda" / "transform" / "metrics.py"))
    deployed = watch(deploy)
    everything = [metric for alarm in alarms(deployed).values() for metric in metrics(alarm)]
    everything += drawn(deployed)
    ours = [
        (name, set(dimensions))
        for namespace, name, dimensions in everything
        if namespace == made["NAMESPACE"]
    ]
    assert {name for name, _ in ours} == set(made["METRICS"])
    assert all(dimensions == {made["DIMENSION"]} for _, dimensions in ours)
