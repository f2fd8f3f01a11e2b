"""StreamBridge: the pipe that fills a Kinesis stream."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.arguments import limits
from components.arguments.checks import ArgumentError
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from tests.components.component_support import ACCOUNT, Deploy, Deployed, arn, once

SOURCE = arn("dynamodb:{region}:{account}:table/orders/stream/2026-11-21T00:00:00.000")
STREAM = arn("kinesis:{region}:{account}:stream/changes")
QUEUE = arn("sqs:{region}:{account}:bridge-dlq-1a2b3c4")
LOGS = arn("logs:{region}:{account}:log-group:bridge-logs-1a2b3c4")
KEY = arn("kms:{region}:{account}:key/0000")
FUNCTION = arn("lambda:{region}:{account}:function:enrich")


@once
def bridge(deploy: Deploy, **given: Any) -> Deployed:
    args = StreamBridgeArgs(source_stream_arn=SOURCE, target_stream_arn=STREAM, **given)
    return deploy(lambda: StreamBridge("bridge", args))


def source_parameters(deployed: Deployed) -> Any:
    return deployed.find("Pipe").inputs["sourceParameters"]


def test_the_pipe_starts_at_the_first_change_and_gives_up_on_none_in_silence(
    deploy: Deploy,
) -> None:
    pipe = bridge(deploy).find("Pipe", "bridge-pipe")
    assert pipe.inputs == {
        "roleArn": arn("iam::{account}:role/bridge-pipe-role-1a2b3c4"),
        "source": SOURCE,
        "sourceParameters": {
            "dynamodbStreamParameters": {
                "startingPosition": "TRIM_HORIZON",
                "batchSize": 100,
                "maximumBatchingWindowInSeconds": 1,
                "maximumRecordAgeInSeconds": 43200,
                "maximumRetryAttempts": 100,
                "parallelizationFactor": 1,
                "onPartialBatchItemFailure": "AUTOMATIC_BISECT",
                "deadLetterConfig": {"arn": QUEUE},
            }
        },
        "target": STREAM,
        "targetParameters": {
            "kinesisStreamParameters": {"partitionKey": "$.dynamodb.Keys.orderid.S"}
        },
        "logConfiguration": {
            "level": "ERROR",
            "cloudwatchLogsLogDestination": {"logGroupArn": LOGS},
        },
    }


def test_dead_letters_are_encrypted_and_kept_for_two_weeks(deploy: Deploy) -> None:
    deployed = bridge(deploy)
    assert deployed.find("Queue", "bridge-dlq").inputs == {
        "messageRetentionSeconds": 14 * 24 * 3600,
        "sqsManagedSseEnabled": True,
    }
    assert deployed.find("QueuePolicy").statements["TlsOnly"] == {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": [QUEUE],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_the_pipe_may_do_its_hop_and_no_more(deploy: Deploy) -> None:
    assert bridge(deploy).find("RolePolicy", "bridge-pipe-policy").allows == {
        "dynamodb:DescribeStream": {SOURCE},
        "dynamodb:GetRecords": {SOURCE},
        "dynamodb:GetShardIterator": {SOURCE},
        "dynamodb:ListStreams": {"*"},
        "kinesis:PutRecord": {STREAM},
        "kinesis:PutRecords": {STREAM},
        "sqs:SendMessage": {QUEUE},
        "logs:CreateLogStream": {f"{LOGS}:*"},
        "logs:PutLogEvents": {f"{LOGS}:*"},
    }


def test_only_pipes_of_this_account_may_be_it(deploy: Deploy) -> None:
    role = bridge(deploy).find("Role", "bridge-pipe-role")
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pipes.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ]


def test_the_pipe_waits_for_its_policy_and_for_what_the_bridge_waits_for(deploy: Deploy) -> None:
    args = StreamBridgeArgs(source_stream_arn=SOURCE, target_stream_arn=STREAM)

    def program() -> None:
        reader = aws.kinesis.StreamConsumer("reader", stream_arn=STREAM)
        StreamBridge("bridge", args, pulumi.ResourceOptions(depends_on=[reader]))

    assert {"bridge-pipe-policy", "reader"} <= deploy(program).find("Pipe").depends_on


@pytest.mark.parametrize(
    ("args", "parameter", "expected"),
    [
        ({"batch_size": 500}, "batchSize", 500),
        ({"batch_window_seconds": 0}, "maximumBatchingWindowInSeconds", 0),
        ({"maximum_record_age_seconds": -1}, "maximumRecordAgeInSeconds", -1),
        ({"maximum_retry_attempts": 1}, "maximumRetryAttempts", 1),
        ({"parallelization_factor": 4}, "parallelizationFactor", 4),
    ],
)
def test_batching_arguments_reach_the_pipe(
    deploy: Deploy, args: dict[str, Any], parameter: str, expected: int
) -> None:
    found = source_parameters(bridge(deploy, **args))["dynamodbStreamParameters"]
    assert found[parameter] == expected


def test_filter_patterns_reach_the_pipe_as_json(deploy: Deploy) -> None:
    patterns = [{"eventName": ["INSERT"]}, {"dynamodb": {"Keys": {"orderid": {"S": ["a"]}}}}]
    filters = source_parameters(bridge(deploy, filter_patterns=patterns))["filterCriteria"]
    assert [json.loads(item["pattern"]) for item in filters["filters"]] == patterns


def test_the_partition_key_reaches_the_target(deploy: Deploy) -> None:
    pipe = bridge(deploy, partition_key_path="$.eventID").find("Pipe")
    target = pipe.inputs["targetParameters"]["kinesisStreamParameters"]
    assert target == {"partitionKey": "$.eventID"}


def test_an_enrichment_is_called_and_may_be(deploy: Deploy) -> None:
    deployed = bridge(deploy, enrichment_function_arn=FUNCTION)
    assert deployed.find("Pipe").inputs["enrichment"] == FUNCTION
    allowed = deployed.find("RolePolicy").allows
    assert allowed["lambda:InvokeFunction"] == {FUNCTION, f"{FUNCTION}:*"}


def test_the_pipe_may_use_a_key_of_ones_own(deploy: Deploy) -> None:
    deployed = bridge(deploy, kms_key_arn=KEY)
    assert deployed.find("RolePolicy").allows["kms:GenerateDataKey"] == {KEY}


def test_log_arguments_reach_their_resources(deploy: Deploy) -> None:
    deployed = bridge(deploy, pipe_log_level="TRACE", log_retention_days=3)
    assert deployed.find("Pipe").inputs["logConfiguration"]["level"] == "TRACE"
    assert deployed.find("LogGroup").inputs["retentionInDays"] == 3


def test_the_log_configuration_is_declared_when_the_log_is_off(deploy: Deploy) -> None:
    pipe = bridge(deploy, pipe_log_level="OFF").find("Pipe")
    assert pipe.inputs["logConfiguration"]["level"] == "OFF"


@pytest.mark.parametrize(
    "path", ["$.dynamodb.Keys.orderid.S", "$.dynamodb.Keys.number.N", "$.eventID"]
)
def test_a_path_that_every_change_has_is_taken(path: str) -> None:
    assert StreamBridgeArgs(
        source_stream_arn=SOURCE, target_stream_arn=STREAM, partition_key_path=path
    )


@pytest.mark.parametrize(
    "path",
    [
        "orderid",
        "$.dynamodb.Keys.orderid",
        "$.dynamodb.NewImage.customer.S",
        "$.dynamodb.Keys.orderid.S ",
        "$.eventID\n",
    ],
)
def test_a_path_that_some_change_lacks_is_rejected(path: str) -> None:
    with pytest.raises(ArgumentError, match="partition_key_path"):
        StreamBridgeArgs(
            source_stream_arn=SOURCE, target_stream_arn=STREAM, partition_key_path=path
        )


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "partition_key_path": "orderid",
        "kms_key_arn": "alias/mine",
        "batch_size": 501,
        "batch_window_seconds": 301,
        "maximum_record_age_seconds": 59,
        "maximum_retry_attempts": -2,
        "parallelization_factor": 11,
        "filter_patterns": [{"eventName": ["INSERT"]}] * 6,
        "pipe_log_level": "DEBUG",
        "log_retention_days": 2,
    }
    with pytest.raises(ArgumentError) as raised:
        StreamBridgeArgs(source_stream_arn=SOURCE, target_stream_arn=STREAM, **wrong)
    for name in wrong:
        assert name in str(raised.value)


def test_the_window_stays_below_the_maximum_age() -> None:
    with pytest.raises(ArgumentError, match="must be below maximum_record_age_seconds"):
        StreamBridgeArgs(
            source_stream_arn=SOURCE,
            target_stream_arn=STREAM,
            batch_window_seconds=60,
            maximum_record_age_seconds=60,
        )


def test_no_retries_at_all_cannot_be_had() -> None:
    with pytest.raises(ArgumentError, match="0 would be deployed as -1, without limit; set 1"):
        StreamBridgeArgs(
            source_stream_arn=SOURCE, target_stream_arn=STREAM, maximum_retry_attempts=0
        )


@pytest.mark.parametrize(
    ("current", "target", "step"),
    [(4, 1, 2), (5, 2, 3), (1, 3, 2), (1, 1, None), (4, 2, None), (4, 8, None), (3, 2, None)],
)
def test_shards_change_by_half_or_double_at_most(
    current: int, target: int, step: int | None
) -> None:
    told = limits.resharding(current, target)
    assert (f"set shards to {step} and deploy" in (told or "")) == bool(step)
    assert bool(told) == bool(step)
