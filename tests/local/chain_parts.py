"""A table with a stream, a Kinesis stream and roles, made by hand for tests of single hops."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Sequence
from typing import Any

from local.account.aws import Aws
from local.standins.pipe import PipeDefinition


def table(aws: Aws, name: str) -> str:
    """A table keyed by orderid; returns its stream's ARN."""
    described = aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "orderid", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderid", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return str(described["TableDescription"]["LatestStreamArn"])


def stream(aws: Aws, name: str, shards: int = 1) -> str:
    """A Kinesis stream; returns its ARN."""
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(
        StreamName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 50}
    )
    return f"arn:aws:kinesis:{aws.region}:{aws.account_id}:stream/{name}"


def role(aws: Aws, name: str, *allowed: tuple[Sequence[str], str]) -> str:
    """A role with an inline policy; returns its ARN."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow(aws, name, *allowed)
    return str(arn)


def allow(aws: Aws, name: str, *allowed: tuple[Sequence[str], str]) -> None:
    """Replace what a role may do."""
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        for actions, resource in allowed
    ]
    aws.client("iam").put_role_policy(
        RoleName=name,
        PolicyName="allowed",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )


def records(aws: Aws, arn: str) -> list[Any]:
    """Every record of a Kinesis stream, as bytes, in shard order."""
    kinesis = aws.client("kinesis")
    found = []
    for shard in kinesis.list_shards(StreamARN=arn)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamARN=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while batch := (answer := kinesis.get_records(ShardIterator=iterator))["Records"]:
            found += [record["Data"] for record in batch]
            iterator = answer["NextShardIterator"]
    return found


def pipe_definition(name: str, role_arn: str, source: str, target: str, **given: Any) -> Any:
    """A pipe's definition with the defaults of the component."""
    values: dict[str, Any] = {
        "partition_key_path": "$.dynamodb.Keys.orderid.S",
        "batch_size": 10,
        "window_seconds": 0,
        "max_age_seconds": 3600,
        "max_retries": 2,
        "bisect": True,
        "dead_letter_arn": None,
        "enrichment_arn": None,
        "patterns": (),
    }
    return PipeDefinition(
        name=name,
        arn=f"arn:aws:pipes:::pipe/{name}",
        role_arn=role_arn,
        source_arn=source,
        target_arn=target,
        **values | given,
    )


def until(condition: Any, seconds: float = 15.0) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def function(aws: Aws, name: str, code: str) -> str:
    """A Lambda function of one file; returns its ARN."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", code)
    answer = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, f"{name}-function", (["logs:PutLogEvents"], "*")),
        Handler="handler.handler",
        Timeout=5,
        Code={"ZipFile": package.getvalue()},
    )
    return str(answer["FunctionArn"])
