"""DeliveryToLake: Firehose, the transform, and the bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.archives.lambda_zip import Platform
from components.arguments.checks import ArgumentError
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from schema import ORDERS
from tests.components.component_support import ACCOUNT, Deploy, Deployed, arn, once

STREAM = arn("kinesis:{region}:{account}:stream/changes")
BUCKET = "arn:aws:s3:::lake-bucket-1a2b3c4"
FUNCTION = arn("lambda:{region}:{account}:function:lake-transform-function-1a2b3c4")
ROLE = arn("iam::{account}:role/lake-firehose-role-1a2b3c4")
LOGS = arn("logs:{region}:{account}:log-group:lake-logs-1a2b3c4")
TRANSFORM_LOGS = arn("logs:{region}:{account}:log-group:lake-transform-logs-1a2b3c4")
KEY = arn("kms:{region}:{account}:key/0000")
PARTITIONS = "day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"


@once
def lake(deploy: Deploy, **args: Any) -> Deployed:
    return deploy(
        lambda: DeliveryToLake("lake", DeliveryToLakeArgs(kinesis_stream_arn=STREAM, **args))
    )


def destination(deployed: Deployed) -> Any:
    return deployed.find("FirehoseDeliveryStream").inputs["extendedS3Configuration"]


def processor(deployed: Deployed) -> dict[str, str]:
    (found,) = destination(deployed)["processingConfiguration"]["processors"]
    assert found["type"] == "Lambda"
    return {item["parameterName"]: item["parameterValue"] for item in found["parameters"]}


def test_delivers_gzipped_json_by_day_and_hour(deploy: Deploy) -> None:
    delivery = lake(deploy).find("FirehoseDeliveryStream", "lake-firehose")
    assert delivery.inputs == {
        "destination": "extended_s3",
        "kinesisSourceConfiguration": {"kinesisStreamArn": STREAM, "roleArn": ROLE},
        "extendedS3Configuration": {
            "bucketArn": BUCKET,
            "roleArn": ROLE,
            "prefix": f"projection/{PARTITIONS}",
            "errorOutputPrefix": f"failed/!{{firehose:error-output-type}}/{PARTITIONS}",
            "bufferingSize": 64,
            "bufferingInterval": 60,
            "compressionFormat": "GZIP",
            "cloudwatchLoggingOptions": {
                "enabled": True,
                "logGroupName": "lake-logs-1a2b3c4",
                "logStreamName": "lake-log-stream-1a2b3c4",
            },
            "processingConfiguration": {
                "enabled": True,
                "processors": [
                    {
                        "type": "Lambda",
                        # No parameter that repeats Firehose's default: AWS would drop it.
                        "parameters": [{"parameterName": "LambdaArn", "parameterValue": FUNCTION}],
                    }
                ],
            },
        },
    }
    assert "lake-firehose-policy" in delivery.depends_on


def test_firehose_may_do_its_hops_and_no_more(deploy: Deploy) -> None:
    objects = {f"{BUCKET}/projection/*", f"{BUCKET}/failed/*"}
    assert lake(deploy).find("RolePolicy", "lake-firehose-policy").allows == {
        "kinesis:DescribeStream": {STREAM},
        "kinesis:GetShardIterator": {STREAM},
        "kinesis:GetRecords": {STREAM},
        "kinesis:ListShards": {STREAM},
        "lambda:InvokeFunction": {FUNCTION, f"{FUNCTION}:*"},
        "lambda:GetFunctionConfiguration": {FUNCTION, f"{FUNCTION}:*"},
        "s3:AbortMultipartUpload": objects,
        "s3:GetBucketLocation": {BUCKET},
        "s3:GetObject": objects,
        "s3:ListBucket": {BUCKET},
        "s3:ListBucketMultipartUploads": {BUCKET},
        "s3:PutObject": objects,
        "logs:PutLogEvents": {f"{LOGS}:*"},
    }


def test_only_firehose_of_this_account_may_be_it(deploy: Deploy) -> None:
    role = lake(deploy).find("Role", "lake-firehose-role")
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "firehose.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": ACCOUNT}},
        }
    ]


def test_the_transform_runs_on_graviton_and_may_only_log(deploy: Deploy) -> None:
    deployed = lake(deploy)
    inputs = dict(deployed.find("Function", "lake-transform-function").inputs)
    assert inputs.pop("code").path.endswith(".zip")
    assert inputs == {
        "role": arn("iam::{account}:role/lake-transform-role-1a2b3c4"),
        "handler": "handler.handler",
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "memorySize": 256,
        "timeout": 300,
        "loggingConfig": {"logFormat": "Text", "logGroup": "lake-transform-logs-1a2b3c4"},
    }
    assert deployed.find("RolePolicy", "lake-transform-policy").allows == {
        "logs:CreateLogStream": {f"{TRANSFORM_LOGS}:*"},
        "logs:PutLogEvents": {f"{TRANSFORM_LOGS}:*"},
    }
    assert "lake-transform-policy" in deployed.find("Function").depends_on


def test_the_transform_is_assumed_by_lambda(deploy: Deploy) -> None:
    role = lake(deploy).find("Role", "lake-transform-role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "Condition" not in statement


def test_every_log_ends(deploy: Deploy) -> None:
    groups = lake(deploy, log_retention_days=3).all("LogGroup")
    assert {group.name: group.inputs["retentionInDays"] for group in groups} == {
        "lake-logs": 3,
        "lake-transform-logs": 3,
    }


def test_retention_expires_rows_and_failed_records_and_leaves_others_their_own(
    deploy: Deploy,
) -> None:
    deployed = lake(
        deploy,
        retention_days=90,
        failed_retention_days=5,
        expire_days_by_prefix={"athena-results/": 7},
    )
    rules = deployed.find("BucketLifecycleConfiguration").inputs["rules"]
    assert {r["filter"]["prefix"]: r["expiration"]["days"] for r in rules if "expiration" in r} == {
        "projection/": 90,
        "failed/": 5,
        "replayed/": 5,
        "exports/": 2,
        "packing/": 1,
        "athena-results/": 7,
    }


def test_json_may_be_left_uncompressed(deploy: Deploy) -> None:
    assert destination(lake(deploy, compression="none"))["compressionFormat"] == "UNCOMPRESSED"


def test_buffers_reach_firehose_and_the_processor(deploy: Deploy) -> None:
    deployed = lake(
        deploy,
        buffer_size_mb=5,
        buffer_interval_seconds=0,
        transform_buffer_size_mb=0.2,
        transform_buffer_interval_seconds=0,
    )
    found = destination(deployed)
    assert (found["bufferingSize"], found["bufferingInterval"]) == (5, 0)
    assert processor(deployed) == {
        "LambdaArn": FUNCTION,
        "BufferSizeInMBs": "0.2",
        "BufferIntervalInSeconds": "0",
    }


def test_parquet_is_snappy_and_its_schema_is_a_table_of_its_own(deploy: Deploy) -> None:
    deployed = lake(deploy, delivery_format="parquet")
    found = destination(deployed)
    # Firehose refuses to compress Parquet once more.
    assert found["compressionFormat"] == "UNCOMPRESSED"
    assert found["dataFormatConversionConfiguration"] == {
        "inputFormatConfiguration": {"deserializer": {"openXJsonSerDe": {}}},
        "outputFormatConfiguration": {"serializer": {"parquetSerDe": {"compression": "SNAPPY"}}},
        "schemaConfiguration": {
            "databaseName": "lake_delivery",
            "roleArn": ROLE,
            "tableName": "event_row",
        },
    }
    table = deployed.find("CatalogTable", "lake-row").inputs
    columns = table["storageDescriptor"]["columns"]
    assert [(column["name"], column["type"]) for column in columns] == [
        (column.name, column.type) for column in ORDERS.event_row
    ]
    assert table["databaseName"] == deployed.find("CatalogDatabase").inputs["name"]


def test_firehose_may_read_that_table_only_for_parquet(deploy: Deploy) -> None:
    glue = arn("glue:{region}:{account}:")
    tables = {f"{glue}catalog", f"{glue}database/lake_delivery"}
    tables |= {f"{glue}table/lake_delivery/event_row"}
    parquet = lake(deploy, delivery_format="parquet").find("RolePolicy", "lake-firehose-policy")
    assert {k: v for k, v in parquet.allows.items() if k.startswith("glue:")} == {
        "glue:GetTable": tables,
        "glue:GetTableVersion": tables,
        "glue:GetTableVersions": tables,
    }
    assert not lake(deploy).all("CatalogDatabase")


def test_firehose_may_decrypt_a_stream_with_a_key_of_its_own(deploy: Deploy) -> None:
    policy = lake(deploy, kms_key_arn=KEY).find("RolePolicy", "lake-firehose-policy")
    assert policy.allows["kms:Decrypt"] == {KEY}


def test_the_transform_can_be_built_for_this_machine(deploy: Deploy) -> None:
    host = Platform.host()
    inputs = lake(deploy, platform=host, transform_memory_mb=512).find("Function").inputs
    assert inputs["runtime"] == f"python{host.python}"
    assert inputs["architectures"] == [host.architecture]
    assert inputs["memorySize"] == 512


def test_protection_reaches_the_bucket(deploy: Deploy) -> None:
    assert lake(deploy).find("Bucket").protect
    assert not lake(deploy, protect=False).find("Bucket").protect


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "delivery_format": "orc",
        "compression": "zip",
        "buffer_size_mb": 129,
        "buffer_interval_seconds": 901,
        "transform_buffer_size_mb": 0.1,
        "transform_buffer_interval_seconds": -1,
        "transform_memory_mb": 64,
        "retention_days": 0,
        "log_retention_days": 0,
    }
    with pytest.raises(ArgumentError) as raised:
        DeliveryToLakeArgs(kinesis_stream_arn=STREAM, **wrong)
    for name in wrong:
        assert name in str(raised.value)


def test_parquet_needs_a_large_buffer() -> None:
    with pytest.raises(ArgumentError, match="buffer_size_mb: must be 64 or more"):
        DeliveryToLakeArgs(kinesis_stream_arn=STREAM, delivery_format="parquet", buffer_size_mb=63)
