"""The real program, deployed into the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.archives.lambda_zip import Platform
from local.account.aws import Aws
from local.account.deploy import ROOT, deploy, stack_config
from local.account.emulator import Emulator
from local.errors import LocalError, UsageError
from schema import Schema

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


def test_a_folder_without_a_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no Pulumi program in Python in .*no Pulumi.yaml"):
        stack_config("dev", tmp_path)


def test_a_program_finds_its_modules_and_files(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    (tmp_path / "file.txt").write_text("text")
    root = program(
        tmp_path,
        "import beside\nfrom pathlib import Path\n"
        "pulumi.export('found', [beside.NAME, Path('file.txt').read_text()])",
    )
    assert deploy(aws, "dev", root=root).outputs == {"found": ["beside", "text"]}


def make_table(aws: Aws, name: str, **unlike: Any) -> str:
    """A table of orders from before the stack; its stream's ARN."""
    table = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "orderid", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "orderid", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }
    made = aws.client("dynamodb").create_table(**table | unlike)["TableDescription"]
    return str(made.get("LatestStreamArn", ""))


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Aws]:
    """An empty account."""
    with Emulator(tmp_path / "account", region="eu-west-1") as emulator:
        yield emulator.aws


def test_a_table_that_exists_is_looked_up_and_left_alone(account: Aws) -> None:
    stream = make_table(account, "shop")
    before = account.client("dynamodb").describe_table(TableName="shop")["Table"]
    outputs = deploy(account, "dev", {"sourceTable": "shop"}).outputs
    assert (outputs["tableName"], outputs["streamArn"]) == ("shop", stream)
    assert account.client("dynamodb").list_tables()["TableNames"] == ["shop"]
    assert account.client("dynamodb").describe_table(TableName="shop")["Table"] == before
    pipe = account.client("pipes").describe_pipe(Name=outputs["pipeName"])
    assert pipe["Source"] == stream


def test_a_table_that_does_not_serve_is_refused_before_anything_is_created(account: Aws) -> None:
    make_table(account, "silent", StreamSpecification={"StreamEnabled": False})
    stream = {"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"}
    make_table(account, "old", StreamSpecification=stream)
    make_table(account, "was-on")
    account.client("dynamodb").update_table(
        TableName="was-on", StreamSpecification={"StreamEnabled": False}
    )
    for name, told in (
        ("none", "there is none of that name in eu-west-1"),
        ("silent", "it has no stream"),
        ("was-on", "it has no stream"),
        ("old", "view type OLD_IMAGE"),
    ):
        with pytest.raises(UsageError, match=told):
            deploy(account, "dev", {"sourceTable": name})
    assert account.client("s3").list_buckets()["Buckets"] == []
    assert account.client("iam").list_roles()["Roles"] == []


def test_the_command_that_is_told_mends_the_table(account: Aws) -> None:
    make_table(account, "shop", StreamSpecification={"StreamEnabled": False})
    with pytest.raises(UsageError) as caught:
        deploy(account, "dev", {"sourceTable": "shop"})
    command = str(caught.value).rpartition(": ")[2].split()
    assert command[:3] == ["aws", "dynamodb", "update-table"]
    subprocess.run(
        [str(Path(sys.executable).parent / "aws"), *command[1:]],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": account.emulator_url,
            "AWS_ACCESS_KEY_ID": account.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": account.root.secret_access_key,
        },
        check=True,
        capture_output=True,
    )
    assert deploy(account, "dev", {"sourceTable": "shop"}).outputs["tableName"] == "shop"


def test_a_key_of_the_tables_own_reaches_the_pipe(account: Aws) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    make_table(account, "shop", SSESpecification=sse)
    deployed = deploy(account, "dev", {"sourceTable": "shop"})
    (pipe,) = deployed.definitions["pipes"]
    role = pipe["RoleArn"].rpartition("/")[2]
    iam = account.client("iam")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    (statement,) = (one for one in document["Statement"] if one["Sid"] == "UseTableKey")
    assert statement["Resource"] == [key]


def test_the_example_of_shipments_can_be_deployed(account: Aws) -> None:
    outputs = deploy(account, "dev", root=ROOT / "examples" / "shipments").outputs
    function = account.client("lambda").get_function(
        FunctionName=account.client("lambda").list_functions()["Functions"][0]["FunctionName"]
    )
    assert function["Configuration"]["Architectures"] == [Platform.host().architecture]
    glue = account.client("glue")
    for name in ("projection", "changes", "current_shipments"):
        glue.get_table(DatabaseName=outputs["databaseName"], Name=name)
    assert Schema.from_json(outputs["schema"]).keys == ("shipment_no", "leg")


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
