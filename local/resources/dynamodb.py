"""DynamoDB tables."""

from __future__ import annotations

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
