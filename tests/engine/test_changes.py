"""Settings changed and taken away: what a preview refuses, and what is true in AWS afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from local.account.aws import Aws
from tests.engine.stack import Project, PulumiError, Stack

KEY = "arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-4000-8000-000000000000"
AT_FIRST = {"ttlAttribute": "expires_at", "kmsKeyArn": KEY, "streamMode": "on-demand"}


@pytest.fixture(scope="module")
def stack(project: Project) -> Stack:
    """Dev with a time to live, a key and a stream on demand."""
    stack = project.stack("dev")
    for key, value in AT_FIRST.items():
        stack.set(f"sales-cdc:{key}", value)
    stack.up()
    assert stack.preview().changes == {}
    return stack


def ttl(aws: Aws, stack: Stack) -> tuple[str, str | None]:
    table = stack.outputs()["tableName"]
    found = aws.client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    return found["TimeToLiveStatus"], found.get("AttributeName")


def encryption(aws: Aws, stack: Stack) -> Any:
    table = stack.outputs()["tableName"]
    described = aws.client("dynamodb").describe_table(TableName=table)["Table"]
    return described.get("SSEDescription") or {}


def open_shards(aws: Aws, stack: Stack) -> int:
    name = stack.outputs()["kinesisStreamName"]
    summary = aws.client("kinesis").describe_stream_summary(StreamName=name)
    return int(summary["StreamDescriptionSummary"]["OpenShardCount"])


def refused(stack: Stack) -> str:
    """What a preview says against it; nothing is changed by it."""
    before = stack.resources()
    with pytest.raises(PulumiError) as caught:
        stack.preview()
    assert "Traceback" not in str(caught.value)
    assert stack.resources() == before
    return str(caught.value)


def test_another_ttl_attribute_is_refused_with_the_steps(stack: Stack) -> None:
    stack.set("sales-cdc:ttlAttribute", "valid_until")
    told = refused(stack)
    assert "TTL is on for the attribute 'expires_at'" in told
    assert "clear the TTL attribute and deploy, wait an hour" in told
    stack.set("sales-cdc:ttlAttribute", "expires_at")


def test_a_ttl_and_a_key_that_are_taken_away_are_off(stack: Stack, aws: Aws) -> None:
    assert ttl(aws, stack) == ("ENABLED", "expires_at")
    assert encryption(aws, stack)["KMSMasterKeyArn"] == KEY
    stack.set("sales-cdc:ttlAttribute", "")
    assert stack.preview().changes == {
        ("aws:dynamodb/table:Table", "sales-cdc-dev-orders-table"): "update"
    }
    stack.set("sales-cdc:kmsKeyArn", "")
    stack.up()
    assert ttl(aws, stack)[0] == "DISABLED"
    assert encryption(aws, stack).get("Status") != "ENABLED"
    assert stack.preview().changes == {}
    stack.refresh()
    assert stack.preview().changes == {}


def test_too_few_shards_are_refused_with_the_steps(stack: Stack, aws: Aws) -> None:
    assert open_shards(aws, stack) == 4
    stack.set("sales-cdc:streamMode", "provisioned")
    told = refused(stack)
    assert "the open shards (now 4)" in told
    assert "set shards to 2 and deploy" in told


def test_then_two_shards_and_another_attribute_can_be_set(stack: Stack, aws: Aws) -> None:
    stack.set("sales-cdc:shards", "2")
    stack.set("sales-cdc:ttlAttribute", "valid_until")
    stack.up()
    assert open_shards(aws, stack) == 2
    assert ttl(aws, stack) == ("ENABLED", "valid_until")
    assert stack.preview().changes == {}


def test_a_live_pipe_takes_a_filter_and_loses_it_in_place(stack: Stack, aws: Aws) -> None:
    key, here = "sales-cdc:filterPatterns", f"--stack={stack.name}"
    name = stack.outputs()["pipeName"]
    stack.set("sales-cdc:shards", "1")  # the last step, beside the filter
    for change in (("set", "--path", f"{key}[0]", '{"eventName": ["INSERT"]}'), ("rm", key)):
        stack.project.run("config", *change, here)
        assert stack.preview().of("Pipe") == {"sales-cdc-dev-bridge-pipe": "update"}
        stack.up()
        assert stack.preview().changes == {}
        assert open_shards(aws, stack) == 1
    assert stack.outputs()["pipeName"] == name


def test_too_many_shards_are_refused_as_well(stack: Stack) -> None:
    stack.set("sales-cdc:shards", "3")
    assert "no more than 2, not to 3" in refused(stack)
