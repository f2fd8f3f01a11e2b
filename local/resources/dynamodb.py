"""DynamoDB tables."""

from __future__ import annotations

from typing import Any

from local.resources.registry import Context, Created, Inputs, auto_name, creates


@creates("aws:dynamodb/table:Table")
def table(context: Context, name: str, inputs: Inputs) -> Created:
    """A table with its stream, protection, recovery and TTL settings."""
    client = context.aws.client("dynamodb")
    physical = auto_name(context, name, inputs)
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if inputs.get("rangeKey"):
        keys.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    billing = inputs.get("billingMode") or "PROVISIONED"
    throughput = {}
    if billing == "PROVISIONED":
        throughput["ProvisionedThroughput"] = {
            "ReadCapacityUnits": int(inputs["readCapacity"]),
            "WriteCapacityUnits": int(inputs["writeCapacity"]),
        }
    stream: dict[str, object] = {"StreamEnabled": bool(inputs.get("streamEnabled"))}
    if stream["StreamEnabled"]:
        stream["StreamViewType"] = inputs["streamViewType"]
    described = client.create_table(
        TableName=physical,
        KeySchema=keys,
        AttributeDefinitions=[
            {"AttributeName": one["name"], "AttributeType": one["type"]}
            for one in inputs["attributes"]
        ],
        BillingMode=billing,
        StreamSpecification=stream,
        DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled")),
        SSESpecification=encryption(inputs),
        **throughput,
    )["TableDescription"]
    if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
        client.update_continuous_backups(
            TableName=physical,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    ttl = inputs.get("ttl") or {}
    if ttl.get("enabled"):  # new tables have it off; AWS rejects disabling it again
        client.update_time_to_live(
            TableName=physical,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl["attributeName"]},
        )
    return physical, {
        **inputs,
        "name": physical,
        "arn": described["TableArn"],
        "streamArn": described.get("LatestStreamArn", ""),
        "streamLabel": described.get("LatestStreamLabel", ""),
    }


def encryption(inputs: Inputs) -> dict[str, object]:
    """The ``SSESpecification``; names a KMS key only if the block is enabled and has one."""
    block = inputs.get("serverSideEncryption") or {}
    key = block.get("kmsKeyArn") if block.get("enabled") else None
    named = {"SSEType": "KMS", "KMSMasterKeyId": key} if key else {}
    return {"Enabled": bool(block.get("enabled")), **named}


def look_up(context: Context, name: str) -> dict[str, Any]:
    """An existing table as the provider's ``getTable`` answers.

    Raises
    ------
    ClientError
        There is no such table.
    """
    client = context.aws.client("dynamodb")
    table = client.describe_table(TableName=name)["Table"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription") or {}
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    tags = client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    capacity = table.get("ProvisionedThroughput") or {}
    stream = table.get("StreamSpecification") or {}
    encryption = table.get("SSEDescription")
    return {
        "id": table["TableName"],
        "name": table["TableName"],
        "arn": table["TableArn"],
        "region": context.aws.region,
        "attributes": [
            {"name": one["AttributeName"], "type": one["AttributeType"]}
            for one in table["AttributeDefinitions"]
        ],
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE", ""),
        "billingMode": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
        "readCapacity": capacity.get("ReadCapacityUnits", 0),
        "writeCapacity": capacity.get("WriteCapacityUnits", 0),
        "deletionProtectionEnabled": bool(table.get("DeletionProtectionEnabled")),
        # The latest stream keeps its ARN after it is switched off.
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
        "streamEnabled": bool(stream.get("StreamEnabled")),
        "streamViewType": stream.get("StreamViewType", ""),
        "serverSideEncryption": {
            "enabled": encryption.get("Status") == "ENABLED",
            "kmsKeyArn": encryption.get("KMSMasterKeyArn", ""),
        }
        if encryption
        else None,
        "pointInTimeRecovery": {
            "enabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
            "recoveryPeriodInDays": recovery.get("RecoveryPeriodInDays", 0),
        },
        "ttl": {
            "enabled": ttl["TimeToLiveStatus"] == "ENABLED",
            "attributeName": ttl.get("AttributeName", ""),
        },
        "tableClass": (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }
