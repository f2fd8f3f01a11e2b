"""`python -m operate status`: on a running stack, and with recorded answers of AWS."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from local.commands.garbage import garbage
from operate.account import Account
from operate.status import OUTPUTS, Status
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("replay-status")]
RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
SECTIONS = {
    heading.lower().replace(" ", "-")
    for heading in re.findall(r"^##+ (.*)$", RUNBOOK.read_text(), re.MULTILINE)
}
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


# -- a running stack ---------------------------------------------------------------------------


@pytest.fixture
def running(operated: Operated) -> Iterator[Operated]:
    """The stack; its pipe runs and its queue is empty afterwards, whatever the test did."""
    yield operated
    operated.act_as("operatorPolicyArn", "readerPolicyArn")
    operated.run("resume")
    operated.stack.aws.client("sqs").purge_queue(QueueUrl=operated.stack.outputs["dlqUrl"])


def test_a_healthy_stack_says_so_on_one_screen(running: Operated) -> None:
    first = running.run("status", "--json")
    assert first.code == 0, first.told
    assert first.facts["parts"]["verify"]["state"] == "unknown", "never run"
    assert first.facts["parts"]["lake"]["state"] == "unknown", "nothing has arrived"
    before = running.stack.hops().settled
    written = running.write(20, seed=31, updates=0.5, deletes=0)
    running.settle(written, before)
    assert running.run("verify", "--settle", "30").code == 0
    seen = running.run("status", "--json")
    assert seen.code == 0, seen.told
    assert seen.facts["ok"] is True
    parts = seen.facts["parts"]
    assert {name: part["state"] for name, part in parts.items()} == {
        "table": "ok",
        "pipe": "ok",
        "kinesis": "ok",
        "firehose": "ok",
        "transform": "ok",
        "lake": "ok",
        "failed_records": "ok",
        "dead_letters": "ok",
        "batch": "ok",
        "lag": "ok",
        "metrics": "unknown",  # the local account has those of Lambda alone
        "alarms": "ok",
        "verify": "ok",
    }
    assert parts["table"]["view_type"] == "NEW_AND_OLD_IMAGES"
    assert parts["pipe"]["last_activity"] is None and "unknown" in parts["pipe"]["says"]
    assert parts["kinesis"]["open_shards"] == 1
    assert parts["lag"]["changes"] == written
    assert parts["lag"]["max_seconds"] < 30
    assert parts["verify"]["table_items"] == parts["verify"]["lake_orders"] == 20
    shown = running.run("status")
    assert shown.code == 0
    assert "matched" in shown.told and "20 items in the table, 20 in the lake" in shown.told
    assert len(shown.told.splitlines()) < 25, "one screen"


def test_what_is_wrong_is_said_with_what_to_do(running: Operated) -> None:
    aws, outputs = running.stack.aws, running.stack.outputs
    before = running.stack.hops().settled
    running.send(list(garbage(3, 41)))
    running.settle(3, before)
    running.run("pause")
    aws.client("sqs").send_message(QueueUrl=outputs["dlqUrl"], MessageBody="pointer")
    cloudwatch = aws.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    (rings,) = [one["AlarmName"] for one in alarms if "#pipe-failed" in one["AlarmDescription"]]
    cloudwatch.set_alarm_state(AlarmName=rings, StateValue="ALARM", StateReason="a test")
    aws.client("dynamodb").put_item(
        TableName=outputs["tableName"], Item={"orderid": {"S": "while paused"}}
    )
    assert running.run("verify").code == 1

    seen = running.run("status", "--json")
    assert seen.code == 1
    wrong = {name: one for name, one in seen.facts["parts"].items() if one["state"] == "wrong"}
    assert set(wrong) == {"pipe", "failed_records", "dead_letters", "alarms", "verify"}
    assert "operate resume" in wrong["pipe"]["do"]
    assert wrong["failed_records"]["waiting"] == 3
    assert wrong["dead_letters"]["messages"] == 1
    assert wrong["alarms"]["ringing"] == ["pipe-failed"]
    assert wrong["verify"]["only_in_table"] == 1
    for one in wrong.values():
        assert set(re.findall(r"operations\.md#([a-z-]+)", one["do"])) <= SECTIONS
    shown = running.run("status")
    assert shown.code == 1
    assert "-> docs/operations.md#dead-letters" in shown.told
    cloudwatch.set_alarm_state(AlarmName=rings, StateValue="OK", StateReason="a test")

    # Failed records that were replayed are not wrong any more, whatever became of them.
    running.run("resume")
    replayed = running.run("replay", "failed", "--replay", "--force", "--json")
    assert replayed.facts["sent"] == 3, replayed.told
    running.until(lambda: failed_records(running) == {"last_day": 6, "waiting": 3})


def failed_records(running: Operated) -> dict[str, Any]:
    account = running.account()
    return dict(Status(account).line("failed records").facts)


def test_what_may_not_be_read_is_wrong_and_names_the_policy(running: Operated) -> None:
    running.act_as("readerPolicyArn")
    seen = running.run("status", "--json")
    assert seen.code == 1
    for part in ("table", "pipe", "kinesis", "firehose", "transform", "dead_letters", "metrics"):
        told = seen.facts["parts"][part]
        assert told["state"] == "wrong"
        assert "no permission" in told["says"]
        assert running.stack.outputs["operatorPolicyArn"] in told["says"]


def test_verify_without_permission_to_keep_its_result_still_compares(running: Operated) -> None:
    who = running.act_as("readerPolicyArn")
    table = running.stack.outputs["tableArn"]
    allowed = {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": table}
    running.stack.aws.client("iam").put_user_policy(
        UserName=who.principal_arn.rpartition("/")[2],
        PolicyName="scan",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    result = running.run("verify", "--settle", "30")
    assert result.code == 0, result.told
    assert "`status` will not know of this: no permission" in result.told


def test_ctrl_c_stops_between_two_parts(running: Operated) -> None:
    stop = threading.Event()
    lines = Status(running.account(), stop=stop).lines()
    assert next(lines).part == "table"
    stop.set()
    assert list(lines) == []


# -- recorded answers --------------------------------------------------------------------------


class Recorded:
    """An account that answers as recorded, at `NOW`."""

    def __init__(self) -> None:
        outputs = {name: name for name in OUTPUTS}
        outputs |= {
            "batchJobName": "job",
            "alarmTopicArn": "arn:aws:sns:eu-west-1:1:monitoring-alarms-1a2b3c4",
            "streamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/1",
        }
        session = boto3.Session("k", "s", region_name="eu-west-1")
        self.account = Account(outputs, session)
        self.status = Status(self.account, now=NOW)

    def answers(self, service: str, action: str, answer: dict[str, Any], asked: Any = None) -> None:
        stub = Stubber(self.account.client(service))
        stub.add_response(action, answer, asked)
        stub.activate()

    def metrics(self, **series: list[tuple[float, float]]) -> None:
        """Each metric's values, by minutes ago."""
        self.answers(
            "cloudwatch",
            "get_metric_data",
            {
                "MetricDataResults": [
                    {
                        "Id": name,
                        "Timestamps": [NOW - timedelta(minutes=ago) for ago, _ in points],
                        "Values": [value for _, value in points],
                        "StatusCode": "Complete",
                    }
                    for name, points in series.items()
                ]
            },
        )


KINESIS = {
    "StreamDescriptionSummary": {
        "StreamName": "s",
        "StreamARN": "arn:aws:kinesis:eu-west-1:1:stream/s",
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        "RetentionPeriodHours": 48,
        "StreamCreationTimestamp": NOW,
        "EnhancedMonitoring": [],
        "OpenShardCount": 4,
    }
}


@pytest.mark.parametrize(
    ("points", "state", "says"),
    [
        ([(5, 900.0), (10, 9e9)], "ok", "on demand, 4 open shards, keeps 48 h; Firehose reads 1 s"),
        ([(5, 660_000.0)], "wrong", "reads 11 min behind"),
        ([(20, 660_000.0)], "ok", "reads unknown behind"),
        ([], "ok", "reads unknown behind"),
    ],
)
def test_how_late_firehose_reads(points: list[tuple[float, float]], state: str, says: str) -> None:
    aws = Recorded()
    aws.metrics(behind=points)
    aws.answers("kinesis", "describe_stream_summary", KINESIS, {"StreamName": "kinesisStreamName"})
    line = aws.status.line("kinesis")
    assert (line.state, says in line.says) == (state, True), line.says


@pytest.mark.parametrize(("age", "state"), [(419.0, "ok"), (421.0, "wrong")])
def test_records_are_late_when_the_alarm_would_ring(age: float, state: str) -> None:
    """dev: buffers of 60 s for S3, and 0 s for the transform."""
    aws = Recorded()
    aws.metrics(freshness=[(5, age)])
    parameters = [{"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "0"}]
    destination = {
        "RoleARN": "arn:aws:iam::1:role/r",
        "BucketARN": "arn:aws:s3:::b",
        "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 5},
        "CompressionFormat": "GZIP",
        "EncryptionConfiguration": {},
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [{"Type": "Lambda", "Parameters": parameters}],
        },
    }
    aws.answers(
        "firehose",
        "describe_delivery_stream",
        {
            "DeliveryStreamDescription": {
                "DeliveryStreamName": "d",
                "DeliveryStreamARN": "arn:aws:firehose:eu-west-1:1:deliverystream/d",
                "DeliveryStreamStatus": "ACTIVE",
                "DeliveryStreamType": "KinesisStreamAsSource",
                "VersionId": "1",
                "HasMoreDestinations": False,
                "Destinations": [
                    {"DestinationId": "1", "ExtendedS3DestinationDescription": destination}
                ],
            }
        },
    )
    line = aws.status.line("firehose")
    assert line.state == state, line.says
    assert line.facts["late_after_seconds"] == 420
    assert ("#delivery-late" in line.do) is (state == "wrong")


@pytest.mark.parametrize(
    ("pipe", "state", "says"),
    [
        ({"CurrentState": "RUNNING"}, "ok", "RUNNING; last activity 5 min ago"),
        (
            {"CurrentState": "START_FAILED", "StateReason": "Cannot access stream"},
            "wrong",
            "START_FAILED (Cannot access stream)",
        ),
        (
            {"CurrentState": "STOPPED", "LastModifiedTime": NOW - timedelta(hours=2)},
            "wrong",
            "changes are lost from 2026-11-26 10:00:00 on",
        ),
    ],
)
def test_the_pipe(pipe: dict[str, Any], state: str, says: str) -> None:
    aws = Recorded()
    aws.metrics(executions=[(5, 0.0), (10, 3.0)])
    aws.answers("pipes", "describe_pipe", pipe, {"Name": "pipeName"})
    line = aws.status.line("pipe")
    assert line.state == state
    assert says in line.says


@pytest.mark.parametrize(
    ("change", "do"),
    [
        ({}, ""),
        ({"StreamSpecification": {"StreamEnabled": False}}, "switch the stream on"),
        ({"LatestStreamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2"}, "--refresh"),
        ({"TableStatus": "ARCHIVED"}, "wait until the table is ACTIVE"),
    ],
)
def test_the_table_and_its_stream(change: dict[str, Any], do: str) -> None:
    aws = Recorded()
    table = {
        "TableStatus": "ACTIVE",
        "ItemCount": 1234,
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        "LatestStreamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/1",
    }
    stub = Stubber(aws.account.client("dynamodb"))
    stub.add_response("describe_table", {"Table": table | change})
    stub.add_response(
        "describe_continuous_backups",
        {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
            }
        },
    )
    stub.add_response(
        "describe_time_to_live",
        {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}},
    )
    stub.activate()
    line = aws.status.line("table")
    assert line.state == ("wrong" if do else "ok")
    assert do in line.do
    assert "1,234 items" in line.says
    assert "point-in-time recovery on; TTL expires" in line.says


@pytest.mark.parametrize(
    ("run", "state", "says"),
    [
        ({"JobRunState": "RUNNING"}, "ok", "RUNNING, started 3 h ago"),
        (
            {"JobRunState": "FAILED", "ErrorMessage": "out of\nmemory"},
            "wrong",
            "FAILED, started 3 h ago (out of memory)",
        ),
    ],
)
def test_the_batch_jobs_last_run(run: dict[str, Any], state: str, says: str) -> None:
    aws = Recorded()
    started = {"StartedOn": NOW - timedelta(hours=3)}
    older = {"JobRunState": "TIMEOUT", "StartedOn": NOW - timedelta(hours=4)}
    runs = {"JobRuns": [older, run | started]}
    aws.answers("glue", "get_job_runs", runs, {"JobName": "job", "MaxResults": ANY})
    line = aws.status.line("batch")
    assert (line.state, line.says) == (state, says)


def test_the_transforms_errors_of_the_last_hour_are_wrong() -> None:
    aws = Recorded()
    aws.metrics(errors=[(30, 2.0), (40, 1.0), (70, 50.0)])
    aws.answers("lambda", "get_function_configuration", {"State": "Active"})
    line = aws.status.line("transform")
    assert line.state == "wrong" and "3 errors in the last hour" in line.says


def test_the_age_of_changes_is_that_of_the_last_quarter_of_an_hour() -> None:
    aws = Recorded()
    aws.metrics(age=[(5, 12_000.0), (10, 90_000.0)])
    aws.answers("lambda", "get_function_configuration", {"State": "Active"})
    line = aws.status.line("transform")
    assert line.state == "ok" and line.says.endswith("age of changes (p99) 12 s")
    assert line.facts["age_p99_seconds"] == 12


def test_each_section_that_a_line_names_is_in_the_runbook() -> None:
    source = (RUNBOOK.parents[1] / "operate" / "status.py").read_text()
    named = set(re.findall(r"\{_RUNBOOK\}#([a-z-]+)", source))
    assert named and named <= SECTIONS


def test_an_endpoint_without_an_action_leaves_the_part_unknown() -> None:
    aws = Recorded()
    stub = Stubber(aws.account.client("cloudwatch"))
    stub.add_client_error("get_metric_data", "InvalidAction", "no such action")
    stub.activate()
    assert aws.status.line("metrics").state == "unknown"
    aws.answers("pipes", "describe_pipe", {"CurrentState": "RUNNING"})
    assert aws.status.line("pipe").state == "ok"
