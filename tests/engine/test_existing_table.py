"""A table that existed before the stack: captured, never changed, and still there afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.account.aws import Aws
from tests.engine.stack import AS_SHIPPED, Project, PulumiError, Stack

TABLE = "shop"
KEY = [{"AttributeName": "orderid", "KeyType": "HASH"}]
ON = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OFF = {"StreamEnabled": False}


@pytest.fixture(scope="module")
def stack(project: Project, aws: Aws) -> Stack:
    """Dev, on a table with an order and a deletion protection of its own."""
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=KEY,
        AttributeDefinitions=[{"AttributeName": "orderid", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    dynamodb.put_item(TableName=TABLE, Item={"orderid": {"S": "1"}})
    stack = project.stack("dev")
    stack.set("sales-cdc:sourceTable", TABLE)
    return stack


def described(aws: Aws) -> dict[str, Any]:
    table: dict[str, Any] = aws.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    return table


def switch(aws: Aws, stream: dict[str, Any]) -> None:
    aws.client("dynamodb").update_table(TableName=TABLE, StreamSpecification=stream)


def refused(stack: Stack) -> str:
    """What a deployment says against the table; nothing is changed by it."""
    before = stack.resources()
    with pytest.raises(PulumiError) as caught:
        stack.up()
    assert "Traceback" not in str(caught.value)
    assert stack.resources() == before
    return str(caught.value)


def test_a_table_without_a_stream_is_refused_before_anything_is_made(stack: Stack) -> None:
    told = refused(stack)
    assert "it has no stream. Switch it on: aws dynamodb update-table --region us-east-1" in told
    assert "--table-name shop --stream-specification StreamEnabled=true,StreamViewType=NEW" in told
    assert stack.resources() == []


def test_a_missing_permission_is_named(stack: Stack, aws: Aws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="deployer")
    allowed = ("DescribeTable", "DescribeContinuousBackups", "ListTagsOfResource")
    statement = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", *(f"dynamodb:{action}" for action in allowed)],
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    mine = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    with pytest.raises(PulumiError, match=r"no permission for dynamodb:DescribeTimeToLive\."):
        stack.up(**AS_SHIPPED, **mine)
    assert stack.resources() == []


def test_it_is_captured_and_stays_as_it_is(stack: Stack, aws: Aws) -> None:
    switch(aws, ON)
    before = described(aws)
    stack.up()
    assert described(aws) == before
    assert not [one for one in stack.resources() if one["type"] == "aws:dynamodb/table:Table"]
    outputs = stack.outputs()
    assert outputs["tableName"] == TABLE
    assert outputs["streamArn"] == before["LatestStreamArn"]
    pipe = aws.client("pipes").describe_pipe(Name=outputs["pipeName"])
    assert pipe["Source"] == before["LatestStreamArn"]
    stack.up("--expect-no-changes")


def test_settings_of_a_new_table_do_not_touch_it(stack: Stack) -> None:
    stack.set("sales-cdc:pointInTimeRecovery", "true")
    stack.set("sales-cdc:billingMode", "provisioned")
    stack.set("sales-cdc:ttlAttribute", "expires_at")
    assert stack.preview().changes == {}


def test_a_stream_that_was_switched_off_and_on_is_followed(stack: Stack, aws: Aws) -> None:
    before = described(aws)["LatestStreamArn"]
    switch(aws, OFF)
    assert "it has no stream" in refused(stack)
    switch(aws, ON)
    assert described(aws)["LatestStreamArn"] != before
    plan = stack.preview()
    assert plan.of("Pipe") == {"sales-cdc-dev-bridge-pipe": "replace"}
    assert not plan.of("Table")
    stack.up()
    outputs = stack.outputs()
    pipe = aws.client("pipes").describe_pipe(Name=outputs["pipeName"])
    assert pipe["Source"] == outputs["streamArn"] == described(aws)["LatestStreamArn"]
    assert stack.preview().changes == {}


def test_destroy_leaves_the_table(stack: Stack, aws: Aws) -> None:
    before = described(aws)
    stack.destroy()
    assert stack.resources() == []
    assert described(aws) == before
    assert aws.client("dynamodb").scan(TableName=TABLE, Select="COUNT")["Count"] == 1


def test_a_table_that_the_stack_created_can_be_handed_over(stack: Stack, aws: Aws) -> None:
    """As docs/upgrading.md says: forget the table in the state, then name it."""
    stack.set("sales-cdc:sourceTable", "")
    stack.set("sales-cdc:billingMode", "on-demand")
    stack.up()
    table = stack.outputs()["tableName"]
    key = {"orderid": {"S": "of the stack"}}
    aws.client("dynamodb").put_item(TableName=table, Item=key)
    exported = json.loads(stack.project.run("stack", "export", f"--stack={stack.name}"))
    for one in exported["deployment"]["resources"]:
        if one["type"] == "aws:dynamodb/table:Table":
            one |= {"retainOnDelete": True, "protect": False}
    file = stack.project.directory / "state.json"
    file.write_text(json.dumps(exported))
    stack.project.run("stack", "import", f"--file={file}", f"--stack={stack.name}")
    stack.set("sales-cdc:sourceTable", table)
    plan = stack.preview()
    assert set(plan.of("Table").values()) == {"delete"}  # of the state alone
    assert not plan.of("Pipe")  # it reads the same stream
    stack.up()
    assert stack.outputs()["tableName"] == table
    assert "Item" in aws.client("dynamodb").get_item(TableName=table, Key=key)
    stack.destroy()
    assert table in aws.client("dynamodb").list_tables()["TableNames"]


def test_a_table_that_is_not_there_is_told(stack: Stack) -> None:
    stack.set("sales-cdc:sourceTable", "shops")
    assert "table shops: there is none of that name in us-east-1" in refused(stack)
