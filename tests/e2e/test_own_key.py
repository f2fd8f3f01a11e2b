"""The chain with a customer-managed key: every hop has the key, and the data arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import generator
from local.chain import LocalChain
from tests.local.chain_parts import until

ROOT = Path(__file__).parents[2]
THEIRS = "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d"
ORDERS = 60
pytestmark = [pytest.mark.xdist_group("own key")]


def key_policy(account: str, region: str, stack: str) -> str:
    """The policy of docs/security.md."""
    (text,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/security.md").read_text(), re.S)
    for name, value in (("ACCOUNT", account), ("REGION", region), ("STACK", stack)):
        text = text.replace(name, value)
    return str(text)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"kmsKeyArn": THEIRS, "orderGenerator": "true"}
    with LocalChain("prod", tmp_path_factory.mktemp("own-key"), overrides=settings) as stack:
        policy = key_policy(stack.aws.account_id, stack.aws.region, "prod")
        stack.aws.client("kms").put_key_policy(KeyId=key_of(stack), Policy=policy)
        yield stack


def key_of(stack: LocalChain) -> str:
    return stack.deployment.overrides["kmsKeyArn"][0]


def test_every_change_comes_out_and_equals_the_table(stack: LocalChain) -> None:
    writer = stack.user("writer", stack.outputs["writerPolicyArn"])
    client, table = stack.aws.client("dynamodb", writer), stack.outputs["tableName"]
    plan = generator.Plan(count=ORDERS, updates=0.3, deletes=0.1, seed=1)
    report = generator.write(client, table, generator.operations(plan))
    until(lambda: stack.hops().delivered == report.written, seconds=60)
    stack.check()
    reader = stack.user("reader", stack.outputs["readerPolicyArn"])
    (row,) = stack.ask("SELECT count(*) AS orders FROM current_orders", reader)
    items = stack.aws.client("dynamodb").scan(TableName=table, Select="COUNT")["Count"]
    assert row == {"orders": str(items)}


def test_every_hop_has_the_key(stack: LocalChain) -> None:
    aws, outputs, key = stack.aws, stack.outputs, key_of(stack)
    table = aws.client("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    stream = aws.client("kinesis").describe_stream_summary(StreamName=outputs["kinesisStreamName"])
    assert stream["StreamDescriptionSummary"]["KeyId"] == key
    queue = aws.client("sqs").get_queue_attributes(
        QueueUrl=outputs["dlqUrl"], AttributeNames=["KmsMasterKeyId"]
    )
    assert queue["Attributes"]["KmsMasterKeyId"] == key
    (pipe,) = stack.deployment.definitions["pipes"]
    assert pipe["KmsKeyIdentifier"] == key
    group = aws.client("athena").get_work_group(WorkGroup=outputs["workgroupName"])["WorkGroup"]
    results = group["Configuration"]["ResultConfiguration"]["EncryptionConfiguration"]
    assert results == {"EncryptionOption": "SSE_KMS", "KmsKey": key}
    generator_function = aws.client("lambda").get_function_configuration(
        FunctionName=outputs["orderGeneratorFunctionName"]
    )
    assert generator_function["KMSKeyArn"] == key
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert {one.get("kmsKeyId") for one in groups if "sales-cdc" in one["logGroupName"]} == {key}
    (firehose,) = stack.deployment.definitions["firehose"]
    encryption = firehose["ExtendedS3DestinationConfiguration"]["EncryptionConfiguration"]
    assert encryption == {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}


@pytest.mark.parametrize("prefix", ["projection/", "athena-results/", "jobs/"])
def test_every_object_is_under_the_key(stack: LocalChain, prefix: str) -> None:
    s3, bucket = stack.aws.client("s3"), stack.outputs["bucketName"]
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["BucketKeyEnabled"] is True
    answer = s3.put_object(Bucket=bucket, Key=f"{prefix}probe", Body=b"{}")
    assert answer["SSEKMSKeyId"] == key_of(stack)
    s3.delete_object(Bucket=bucket, Key=f"{prefix}probe")


def roles(stack: LocalChain) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.aws.client("iam").list_roles()["Roles"]
    return [one for one in found if one["RoleName"].startswith("sales-cdc-prod-")]


def test_no_role_can_use_the_key_by_itself(stack: LocalChain) -> None:
    """The emulator's KMS checks IAM and the key's policy; the caller here is not a service."""
    root = stack.aws.client("kms")
    secret = root.encrypt(KeyId=key_of(stack), Plaintext=b"order")["CiphertextBlob"]
    assert root.decrypt(CiphertextBlob=secret)["Plaintext"] == b"order"
    names = [one["RoleName"] for one in roles(stack)]
    assert len(names) >= 7
    for one in roles(stack):
        kms = stack.aws.client("kms", stack.aws.assume(one["Arn"], "thief"))
        with pytest.raises(ClientError, match="AccessDenied"):
            kms.decrypt(CiphertextBlob=secret)
        with pytest.raises(ClientError, match="AccessDenied"):
            kms.generate_data_key(KeyId=key_of(stack), KeySpec="AES_256")


def test_the_difference_is_reported(stack: LocalChain) -> None:
    ours, theirs, reason = stack.deployment.overrides["kmsKeyArn"]
    assert theirs == THEIRS
    assert ours.startswith(f"arn:aws:kms:{stack.aws.region}:{stack.aws.account_id}:key/")
    assert "encrypts nothing here" in reason
