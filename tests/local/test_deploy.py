"""The real program, deployed into the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.account.aws import Aws
from local.account.deploy import deploy, stack_config
from local.account.emulator import Emulator
from local.errors import LocalError, UsageError

pytestmark = [pytest.mark.xdist_group("deploy")]

PROJECT = "name: sales-cdc\nruntime: python\nconfig:\n  shards: {type: integer, default: 3}\n"


def program(directory: Path, text: str) -> Path:
    (directory / "Pulumi.yaml").write_text(PROJECT)
    (directory / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (directory / "__main__.py").write_text(f"import pulumi\nimport pulumi_aws as aws\n{text}\n")
    return directory


def test_defaults_of_the_project_reach_the_program(aws: Aws, tmp_path: Path) -> None:
    root = program(tmp_path, 'pulumi.export("n", pulumi.Config("sales-cdc").require_int("shards"))')
    assert deploy(aws, "dev", root=root).outputs == {"n": 3}


def test_a_setting_that_differs_from_the_stack_file_is_reported(aws: Aws, tmp_path: Path) -> None:
    root = program(tmp_path, "")
    overrides = deploy(aws, "dev", {"shards": "5"}, root=root).overrides
    assert overrides["shards"] == ("5", "3", "given")


def test_a_type_that_nothing_creates_is_an_error(aws: Aws, tmp_path: Path) -> None:
    root = program(tmp_path, 'aws.ec2.Vpc("net")')
    with pytest.raises(LocalError, match=r"cannot create aws:ec2/vpc:Vpc \(net\)"):
        deploy(aws, "dev", root=root)


def test_an_input_that_the_api_has_no_member_for_is_an_error(aws: Aws, tmp_path: Path) -> None:
    root = program(
        tmp_path,
        'aws.glue.CatalogDatabase("db", name="db", federated_database={"identifier": "x"},'
        ' location_uri="s3://x", opts=pulumi.ResourceOptions())\n'
        'aws.lambda_.Function("f", role="r", code=pulumi.FileArchive("x.zip"), layers=["l"])',
    )
    with pytest.raises(LocalError, match="layers"):
        deploy(aws, "dev", root=root)


def test_what_the_emulator_rejects_names_the_resource(aws: Aws, tmp_path: Path) -> None:
    root = program(tmp_path, 'aws.s3.Bucket("b", bucket="Not A Bucket Name")')
    with pytest.raises(LocalError, match="aws:s3/bucket:Bucket b: "):
        deploy(aws, "dev", root=root)


def test_wrong_settings_are_reported_and_nothing_is_created(tmp_path: Path) -> None:
    with Emulator(tmp_path, region="eu-west-1") as emulator:
        wrong = {"shards": "0", "deliveryFormat": "xml", "batchSize": "501"}
        with pytest.raises(UsageError) as caught:
            deploy(emulator.aws, "dev", wrong)
        for key in wrong:
            assert key in str(caught.value)
        assert emulator.aws.client("dynamodb").list_tables()["TableNames"] == []
        assert emulator.aws.client("s3").list_buckets()["Buckets"] == []


def test_an_unknown_stack_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no stack 'nope'.*dev, local, prod"):
        stack_config("nope")


@pytest.fixture(scope="module", params=["dev", "prod"])
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Emulator(tmp_path_factory.mktemp("emulator"), region="eu-west-1") as emulator:
        yield emulator.aws, deploy(emulator.aws, request.param), request.param


def test_the_outputs_name_what_exists(deployed: Any) -> None:
    aws, deployment, _ = deployed
    outputs = deployment.outputs
    table = aws.client("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]
    assert table["LatestStreamArn"] == outputs["streamArn"]
    aws.client("kinesis").describe_stream_summary(StreamName=outputs["kinesisStreamName"])
    aws.client("s3").head_bucket(Bucket=outputs["bucketName"])
    aws.client("lambda").get_function(FunctionName=outputs["transformFunctionName"])
    glue = aws.client("glue")
    for name in (outputs["projectionTable"], outputs["failedTable"], "current_orders", "changes"):
        glue.get_table(DatabaseName=outputs["databaseName"], Name=name)
    aws.client("athena").get_work_group(WorkGroup=outputs["workgroupName"])
    for policy in ("writerPolicyArn", "readerPolicyArn"):
        aws.client("iam").get_policy(PolicyArn=outputs[policy])


def test_no_policy_in_the_account_holds_an_unresolved_arn(deployed: Any) -> None:
    aws, _, _ = deployed
    iam = aws.client("iam")
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            text = json.dumps(document["PolicyDocument"])
            assert "None" not in text
            assert "null" not in text


def test_dev_is_cheap_and_prod_is_safe(deployed: Any) -> None:
    aws, deployment, stack = deployed
    table = aws.client("dynamodb").describe_table(TableName=deployment.outputs["tableName"])
    assert table["Table"]["DeletionProtectionEnabled"] is (stack == "prod")
    (firehose,) = deployment.definitions["firehose"]
    conversion = firehose["ExtendedS3DestinationConfiguration"].get(
        "DataFormatConversionConfiguration"
    )
    assert bool(conversion) is (stack == "prod")
