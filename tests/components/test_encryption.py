"""A customer-managed key: what it encrypts, who may use it, and for what."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.components.component_support import (
    ACCOUNT,
    REGION,
    Deploy,
    Deployed,
    Recorded,
    arn,
    check,
    record,
)

ROOT = Path(__file__).resolve().parents[2]
KEY = arn("kms:{region}:{account}:key/0000")
EVERYTHING = {
    "orderGenerator": "true",
    "deliveryFormat": "parquet",
    "batchSchedule": "cron(0 4 * * ? *)",
    "dashboard": "true",
    "dashboardPrincipalArn": arn("quicksight:{region}:{account}:group/default/analysts"),
    "enrichmentFunctionArn": arn("lambda:{region}:{account}:function:enrich"),
}

PACKED = {"deliveryFormat": "json", "batchSchedule": "", "packSchedule": "cron(10 * * * ? *)"}

ENCRYPTED: Mapping[str, Mapping[str, Any]] = {
    "Bucket": {},  # by the BucketServerSideEncryptionConfiguration below
    "BucketServerSideEncryptionConfiguration": {
        "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm": "aws:kms",
        "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId": KEY,
        "rules.0.bucketKeyEnabled": True,
    },
    "Crawler": {"securityConfiguration": "sales-cdc-test-catalog-crawler-encryption-1a2b3c4"},
    "FirehoseDeliveryStream": {"extendedS3Configuration.kmsKeyArn": KEY},
    "Job": {"securityConfiguration": "sales-cdc-test-batch-encryption-1a2b3c4"},
    "LogGroup": {"kmsKeyId": KEY},
    "Pipe": {"kmsKeyIdentifier": KEY},
    "Queue": {"kmsMasterKeyId": KEY, "kmsDataKeyReusePeriodSeconds": 300},
    "Schedule": {"kmsKeyArn": KEY},
    "SecurityConfiguration": {
        "encryptionConfiguration.s3Encryption": {"s3EncryptionMode": "SSE-KMS", "kmsKeyArn": KEY}
    },
    "Stream": {"encryptionType": "KMS", "kmsKeyId": KEY},
    "Table": {"serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY}},
    "Topic": {"kmsMasterKeyId": KEY},
    "Workgroup": {
        "configuration.resultConfiguration.encryptionConfiguration": {
            "encryptionOption": "SSE_KMS",
            "kmsKeyArn": KEY,
        }
    },
}
"""By the type of a resource, the inputs that hold the key."""

NOT_ENCRYPTED = {
    "Function": "its environment is, where it has one: see below",
    "BucketLifecycleConfiguration": "holds no data",
    "BucketObjectv2": "the bucket encrypts it",
    "BucketOwnershipControls": "holds no data",
    "BucketPolicy": "holds no data",
    "BucketPublicAccessBlock": "holds no data",
    "BucketVersioning": "holds no data",
    "CatalogDatabase": "the catalog's key is one setting for the whole account and region",
    "CatalogTable": "the catalog's key is one setting for the whole account and region",
    "Classifier": "holds no data",
    "Dashboard": "CloudWatch's; takes no key, holds names",
    "DataSet": "QuickSight's key is the account's; it asks Athena and imports nothing",
    "DataSource": "QuickSight's key is the account's",
    "EventRule": "the default bus's; holds names",
    "EventTarget": "the default bus's; holds names",
    "FunctionEventInvokeConfig": "holds no data",
    "LogStream": "its group encrypts it",
    "MetricAlarm": "takes no key, holds numbers",
    "NamedQuery": "takes no key, holds SQL",
    "Policy": "holds no data",
    "QueuePolicy": "holds no data",
    "Role": "holds no data",
    "RolePolicy": "holds no data",
    "Stack": "takes no key, holds the definition of a dashboard",
    "TopicPolicy": "holds no data",
}
"""The types of resources that have no key of ours, and why."""

DECRYPT, GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
S3 = {"s3": {DECRYPT, GENERATE}}
GRANTS: Mapping[str, Mapping[str, set[str]]] = {
    "access-eraser": {"dynamodb": {DECRYPT}, **S3},
    "access-reader": S3,
    "access-writer": {"dynamodb": {DECRYPT}},
    "batch-check-policy": {},
    "batch-policy": S3,
    "batch-schedule-policy": {"": {DECRYPT}},
    "bridge-pipe-policy": {
        "dynamodb": {DECRYPT},
        "kinesis": {GENERATE},
        "sqs": {DECRYPT, GENERATE},
        "": {"kms:DescribeKey", DECRYPT, GENERATE},  # as the role itself, for its own filter
    },
    "catalog-crawler-policy": {"s3": {DECRYPT}},
    "dashboard-queries-policy": S3,
    "generator-policy": {"dynamodb": {DECRYPT}},
    "generator-schedule-policy": {"": {DECRYPT}},
    "lake-firehose-policy": {"kinesis": {DECRYPT}, **S3},
    "lake-transform-policy": {},
    "packing-policy": S3,
    "packing-schedule-policy": {"": {DECRYPT}},
    "access-operator": {
        "dynamodb": {DECRYPT},
        "kinesis": {DECRYPT, GENERATE},
        "sqs": {DECRYPT},
        **S3,
    },
}
"""For each policy of the program, what it may do with the key, by the service that asks for it."""

CONTEXT = {
    "dynamodb": {"aws:dynamodb:tableName": "sales-cdc-test-orders-table-1a2b3c4"},
    "kinesis": {
        "aws:kinesis:arn": arn(
            "kinesis:{region}:{account}:stream/sales-cdc-test-bridge-stream-1a2b3c4"
        )
    },
    "s3": {
        "aws:s3:arn": [
            "arn:aws:s3:::sales-cdc-test-lake-bucket-1a2b3c4",
            "arn:aws:s3:::sales-cdc-test-lake-bucket-1a2b3c4/*",
        ]
    },
    "sqs": {},
}
"""What of a service the key may be used for."""


def program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


@cache
def deployed(key: str | None) -> Deployed:
    """The program with every feature enabled, with and without a key."""
    config = EVERYTHING | ({"kmsKeyArn": key} if key else {})
    seen = Deployed()
    packed = Deployed()  # which the batch's schedule excludes
    for one, more in ((seen, {}), (packed, PACKED)):
        values = {f"sales-cdc:{name}": value for name, value in {**config, **more}.items()}
        record(program, one, stack="test", config=values, preview=False)
        check(one)  # against pulumi-aws's types and AWS's models
    seen.resources += [one for one in packed.resources if "-packing" in one.name]
    return seen


def at(inputs: Any, path: str) -> Any:
    for step in path.split("."):
        inputs = inputs[int(step)] if step.isdigit() else inputs[step]
    return inputs


def policies(seen: Deployed) -> dict[str, Recorded]:
    found = [*seen.all("RolePolicy"), *seen.all("aws:iam/policy:Policy")]
    return {one.name.removeprefix("sales-cdc-test-"): one for one in found}


def key_statements(policy: Recorded) -> list[dict[str, Any]]:
    return [
        one
        for one in policy.document["Statement"]
        if any(action.startswith("kms:") for action in one["Action"])
    ]


def service(statement: dict[str, Any]) -> str:
    via = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", "")
    return str(via).removesuffix(f".{REGION}.amazonaws.com")


def test_every_type_of_resource_is_encrypted_or_has_a_reason_not_to_be() -> None:
    kinds = {one.type.split(":")[-1] for one in deployed(KEY).resources if one.type[:4] == "aws:"}
    assert kinds == ENCRYPTED.keys() | NOT_ENCRYPTED.keys()


@pytest.mark.parametrize("kind", ENCRYPTED)
def test_the_key_encrypts_each_resource_of_the_type(kind: str) -> None:
    found = deployed(KEY).all(kind)
    assert found
    for one in found:
        assert {path: at(one.inputs, path) for path in ENCRYPTED[kind]} == ENCRYPTED[kind], one.name


def test_without_a_key_no_policy_or_resource_names_one() -> None:
    for one in deployed(None).resources:
        text = json.dumps(one.inputs, default=str)
        assert "arn:aws:kms" not in text, one.name
        if one.type.startswith("aws:iam/"):
            assert "kms:" not in text, one.name
    assert not deployed(None).all("SecurityConfiguration")
    assert deployed(None).find("Stream").inputs["kmsKeyId"] == "alias/aws/kinesis"
    assert deployed(None).find("Queue").inputs["sqsManagedSseEnabled"] is True


def test_every_policy_is_in_the_table() -> None:
    assert set(policies(deployed(KEY))) == set(GRANTS)


@pytest.mark.parametrize("name", GRANTS)
def test_each_may_use_the_key_for_its_hops_and_no_more(name: str) -> None:
    granted: dict[str, set[str]] = {}
    for statement in key_statements(policies(deployed(KEY))[name]):
        assert statement["Resource"] == [KEY]
        granted.setdefault(service(statement), set()).update(statement["Action"])
    assert granted == GRANTS[name]


@pytest.mark.parametrize("name", GRANTS)
def test_it_is_bound_to_the_table_stream_or_bucket(name: str) -> None:
    for statement in key_statements(policies(deployed(KEY))[name]):
        if through := service(statement):
            given = statement["Condition"].get("StringLike", {})
            wanted = {f"kms:EncryptionContext:{k}": v for k, v in CONTEXT[through].items()}
            assert given == wanted


def test_who_asks_kms_himself_is_bound_to_what_he_is() -> None:
    pipe = policies(deployed(KEY))["bridge-pipe-policy"].statements
    ours = arn("pipes:{region}:{account}:pipe/sales-cdc-test-bridge-pipe-*")
    assert pipe["FindPipeKey"]["Action"] == ["kms:DescribeKey"]
    assert pipe["UsePipeKey"]["Condition"] == {
        "StringLikeIfExists": {
            "kms:EncryptionContext:aws:pipe:arn": ours,
            "kms:EncryptionContext:aws:pipes:arn": ours,
        },
        "ForAnyValue:StringEquals": {
            "kms:EncryptionContextKeys": ["aws:pipe:arn", "aws:pipes:arn"]
        },
    }
    for part in ("generator", "batch", "packing"):
        schedule = policies(deployed(KEY))[f"{part}-schedule-policy"].statements["ReadSchedule"]
        ours = f"scheduler:{{region}}:{{account}}:schedule/default/sales-cdc-test-{part}-schedule-*"
        context = {"kms:EncryptionContext:aws:scheduler:schedule:arn": arn(ours)}
        assert schedule["Condition"] == {"StringLike": context}


def test_policies_with_a_key_are_within_iams_limits() -> None:
    for name, policy in policies(deployed(KEY)).items():
        size = len("".join(policy.inputs["policy"].split()))
        limit = 10_240 if policy.type.endswith("RolePolicy") else 6_144
        assert size < limit, name


def test_the_environment_of_a_function_is_encrypted_if_it_has_one() -> None:
    functions = {one.name: one.inputs for one in deployed(KEY).all("Function")}
    assert functions["sales-cdc-test-generator-function"]["kmsKeyArn"] == KEY
    assert functions["sales-cdc-test-batch-check-function"]["kmsKeyArn"] == KEY
    assert functions["sales-cdc-test-packing-function"]["kmsKeyArn"] == KEY
    assert "kmsKeyArn" not in functions["sales-cdc-test-lake-transform-function"]


def test_the_crawlers_log_is_its_own_and_is_found_by_its_name() -> None:
    group = deployed(KEY).find("LogGroup", "sales-cdc-test-catalog-crawler-logs")
    role = "sales-cdc-test-catalog-crawler-role-1a2b3c4"
    configuration = "sales-cdc-test-catalog-crawler-encryption-1a2b3c4"
    assert group.inputs["name"] == f"/aws-glue/crawlers-role/{role}-{configuration}"
    assert group.inputs["retentionInDays"] == 14
    logs = policies(deployed(KEY))["catalog-crawler-policy"].statements["WriteLogs"]
    (allowed,) = logs["Resource"]
    start = arn("logs:{region}:{account}:log-group:")
    assert allowed == f"{start}/aws-glue/crawlers-role/sales-cdc-test-catalog-crawler-*:*"
    assert "logs:AssociateKmsKey" in logs["Action"]


def test_the_jobs_logs_keep_their_names() -> None:
    names = [
        {
            one.inputs["name"]
            for one in deployed(key).all("LogGroup")
            if one.name.startswith("sales-cdc-test-batch") and "name" in one.inputs
        }
        for key in (None, KEY)
    ]
    assert (
        names[0] == names[1] == {f"/aws-glue/sales-cdc-test-batch/{k}" for k in ("error", "output")}
    )
    job = deployed(KEY).find("SecurityConfiguration", "sales-cdc-test-batch-encryption").inputs
    cloudwatch = job["encryptionConfiguration"]["cloudwatchEncryption"]
    assert cloudwatch == {"cloudwatchEncryptionMode": "DISABLED"}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (arn("kms:{region}:{account}:alias/mine"), "not of an alias"),
        ("0000", "must be the ARN of a KMS key"),
        (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/", "must be the ARN of a KMS key"),
        (f"arn:aws:kms:us-west-2:{ACCOUNT}:key/0000", f"must be a key in {REGION}, the stack's"),
    ],
)
def test_a_key_arn_that_is_not_of_this_region_is_rejected_first(
    deploy: Deploy, key: str, told: str
) -> None:
    with pytest.raises(pulumi.RunError, match=told) as caught:
        deploy(program, kmsKeyArn=key)
    assert "kmsKeyArn: " in str(caught.value)
