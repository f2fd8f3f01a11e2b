"""The program under the real engine: `pulumi preview`, `up`, `refresh`, `import`, `destroy`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from local.account.aws import Aws
from tests.engine.aws_provider import FAIL
from tests.engine.stack import AS_SHIPPED, ROOT, Project, PulumiError, Stack

TABLE = "dynamodb/table:Table"
NewProject = Callable[[str], Project]


@pytest.fixture(scope="module")
def half_way(project: Project, aws: Aws) -> Stack:
    """The dev stack as its file has it, previewed, and then deployed until Firehose failed."""
    stack = project.stack("dev")
    plan = stack.preview()
    assert set(plan.changes.values()) == {"create"}
    assert len(plan.of("Table")) == 1
    assert stack.resources() == []
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    with pytest.raises(PulumiError, match="FirehoseDeliveryStream cannot be created"):
        stack.up(
            **AS_SHIPPED, **{FAIL: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"}
        )
    return stack


@pytest.fixture(scope="module")
def made_at_first(half_way: Stack) -> set[str]:
    """What the deployment that failed had made."""
    return {one["urn"] for one in half_way.resources()}


@pytest.fixture(scope="module")
def dev(half_way: Stack, made_at_first: set[str]) -> Stack:
    """The dev stack, deployed."""
    half_way.up()
    return half_way


def placed(aws: Aws, stack: Stack) -> int:
    """How many orders the table holds."""
    table = stack.outputs()["tableName"]
    return int(aws.client("dynamodb").scan(TableName=table, Select="COUNT")["Count"])


def test_a_deployment_that_failed_half_way_is_finished_by_the_next(
    made_at_first: set[str], dev: Stack
) -> None:
    assert any(TABLE in urn for urn in made_at_first)
    # The pipe waits for Firehose, which reads only what comes after its own creation.
    assert not any("pipes/pipe:Pipe" in urn for urn in made_at_first)
    assert made_at_first < {one["urn"] for one in dev.resources()}


def test_a_second_up_changes_nothing(dev: Stack) -> None:
    before = {one["urn"]: one["id"] for one in dev.resources()}
    dev.up("--expect-no-changes")
    assert {one["urn"]: one["id"] for one in dev.resources()} == before


def test_the_outputs_name_what_is_there(dev: Stack, aws: Aws) -> None:
    outputs = json.loads(dev.project.run("stack", "output", "--json", "--stack=dev"))
    assert outputs == dev.outputs()
    table = aws.client("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]
    assert table["LatestStreamArn"] == outputs["streamArn"]
    pipe = aws.client("pipes", direct=True).describe_pipe(Name=outputs["pipeName"])
    assert pipe["Source"] == outputs["streamArn"]
    assert not [name for name, value in outputs.items() if not value]


def test_the_generator_finds_the_table_by_the_stacks_name(dev: Stack, aws: Aws) -> None:
    command = ["-m", "generator", "--stack", "dev", "--count", "25", "--seed", "1", "--json"]
    settings = ("--updates", "0", "--deletes", "0", "--endpoint-url", aws.emulator_url)
    answer = subprocess.run(
        [sys.executable, *command, *settings],
        cwd=ROOT,
        env=dev.project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout.splitlines()[-1])["inserted"] == 25
    assert placed(aws, dev) == 25


def test_a_setting_is_changed_in_place_and_the_orders_stay(dev: Stack, aws: Aws) -> None:
    orders = placed(aws, dev)
    assert orders
    dev.set("sales-cdc:pointInTimeRecovery", "true")
    dev.set("sales-cdc:logRetentionDays", "5")
    plan = dev.preview()
    assert plan.of("Table") == {"sales-cdc-dev-orders-table": "update"}
    assert set(plan.of("LogGroup").values()) == {"update"}
    assert set(plan.changes.values()) == {"update"}
    dev.up()
    assert dev.preview().changes == {}
    table = dev.outputs()["tableName"]
    recovery = aws.client("dynamodb").describe_continuous_backups(TableName=table)
    settings = recovery["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert settings["PointInTimeRecoveryStatus"] == "ENABLED"
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert {one["retentionInDays"] for one in groups} == {5}
    assert placed(aws, dev) == orders


def test_a_new_sort_key_replaces_the_table_and_the_orders_go(dev: Stack, aws: Aws) -> None:
    before = dev.outputs()["tableName"]
    dev.set("sales-cdc:sortKey", "created_at")
    plan = dev.preview()
    assert plan.of("Table") == {"sales-cdc-dev-orders-table": "replace"}
    assert plan.of("Pipe") == {"sales-cdc-dev-bridge-pipe": "replace"}  # it reads the new stream
    dev.up()
    assert dev.outputs()["tableName"] != before
    assert before not in aws.client("dynamodb").list_tables()["TableNames"]
    assert placed(aws, dev) == 0
    assert dev.preview().changes == {}


def test_what_was_changed_or_deleted_by_hand_is_set_right(dev: Stack, aws: Aws) -> None:
    logs = aws.client("logs")
    before = logs.describe_log_groups()["logGroups"][0]
    group = before["logGroupName"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    aws.client("sqs").delete_queue(QueueUrl=dev.outputs()["dlqUrl"])
    dev.up("--expect-no-changes")  # the state does not know yet
    dev.refresh()
    plan = dev.preview()
    assert set(plan.of("LogGroup").values()) == {"update"}
    assert set(plan.of("Queue").values()) == {"create"}
    dev.up()
    (now,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert now["retentionInDays"] == before["retentionInDays"]
    aws.client("sqs").get_queue_attributes(QueueUrl=dev.outputs()["dlqUrl"])
    assert dev.preview().changes == {}


def test_wrong_settings_are_told_all_at_once_and_nothing_changes(dev: Stack) -> None:
    before = dev.resources()
    dev.set("sales-cdc:shards", "0")
    dev.set("sales-cdc:batchSize", "501")
    with pytest.raises(PulumiError) as caught:
        dev.up()
    for told in ("2 problem(s)", "shards: must be from 1", "batchSize: must be from 1 to 500"):
        assert told in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert dev.resources() == before
    dev.set("sales-cdc:shards", "1")
    dev.set("sales-cdc:batchSize", "100")


def test_destroy_leaves_nothing(dev: Stack, aws: Aws) -> None:
    outputs = dev.outputs()
    # Neither objects nor an Athena result keep it from going.
    s3 = aws.client("s3")
    s3.put_object(Bucket=outputs["bucketName"], Key="projection/day=2026-11-21/a", Body=b"{}")
    dev.destroy()
    assert dev.resources() == []
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert aws.client("kinesis").list_streams()["StreamNames"] == []
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.client("iam").list_roles()["Roles"] == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert aws.client("pipes", direct=True).list_pipes()["Pipes"] == []
    assert aws.client("glue", direct=True).get_databases()["DatabaseList"] == []
    assert s3.list_buckets()["Buckets"] == []


def test_prod_refuses_to_be_destroyed(new_project: NewProject) -> None:
    stack = new_project("us-east-1").stack("prod")
    stack.up()
    assert stack.preview().changes == {}
    count = len(stack.resources())
    with pytest.raises(PulumiError, match="protected"):
        stack.destroy(preview=True)
    assert len(stack.resources()) == count


def test_the_local_stack_can_be_deployed(new_project: NewProject) -> None:
    plan = new_project("us-east-1").stack("local").preview()
    assert set(plan.changes.values()) == {"create"}
