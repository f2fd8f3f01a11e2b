"""Kinesis streams, and the delivery streams that `local.standins.firehose` runs."""

from __future__ import annotations

from local.resources.registry import (
    Context,
    Created,
    Inputs,
    auto_name,
    creates,
    parameters,
    without,
)

ON_DEMAND_SHARDS = 4
"""Shards of a new on-demand stream on AWS."""


@creates("aws:kinesis/stream:Stream")
def stream(context: Context, name: str, inputs: Inputs) -> Created:
    """A stream; waits until it is active."""
    client = context.aws.client("kinesis")
    physical = auto_name(context, name, inputs)
    mode = (inputs.get("streamModeDetails") or {}).get("streamMode", "PROVISIONED")
    # The emulator needs a shard count in either mode; AWS opens this many for on-demand.
    count = int(inputs["shardCount"]) if mode == "PROVISIONED" else ON_DEMAND_SHARDS
    details = {"StreamMode": mode}
    client.create_stream(StreamName=physical, StreamModeDetails=details, ShardCount=count)
    client.get_waiter("stream_exists").wait(
        StreamName=physical, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    hours = int(inputs.get("retentionPeriod") or 24)
    if hours > 24:  # the minimum and the emulator's default
        client.increase_stream_retention_period(StreamName=physical, RetentionPeriodHours=hours)
    if key := inputs.get("kmsKeyId"):
        kind = inputs["encryptionType"]
        client.start_stream_encryption(StreamName=physical, EncryptionType=kind, KeyId=key)
    arn = context.arn("kinesis", f"stream/{physical}")
    return arn, {**inputs, "name": physical, "arn": arn}


@creates("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream")
def delivery_stream(context: Context, name: str, inputs: Inputs) -> Created:
    """A delivery stream: described by the emulator, run by `local.standins.firehose`."""
    client = context.aws.client("firehose")
    physical = auto_name(context, name, inputs)
    s3 = inputs["extendedS3Configuration"]
    hints = {"SizeInMBs": s3.get("bufferingSize", 5), "IntervalInSeconds": s3["bufferingInterval"]}
    wanted = parameters(
        client,
        "CreateDeliveryStream",
        {
            "deliveryStreamName": physical,
            "deliveryStreamType": "KinesisStreamAsSource",
            "kinesisStreamSourceConfiguration": inputs["kinesisSourceConfiguration"],
            "extendedS3DestinationConfiguration": {
                **without(s3, "bufferingSize", "bufferingInterval", "kmsKeyArn"),
                "bufferingHints": hints,
                **_encryption(s3.get("kmsKeyArn")),
            },
        },
    )
    # Created without its source: the emulator would also deliver, one object per record.
    shown = {k: v for k, v in wanted.items() if k != "KinesisStreamSourceConfiguration"}
    client.create_delivery_stream(**shown | {"DeliveryStreamType": "DirectPut"})
    context.define("firehose", wanted)
    arn = context.arn("firehose", f"deliverystream/{physical}")
    return arn, {**inputs, "name": physical, "arn": arn}


def _encryption(key: str | None) -> Inputs:
    if not key:
        return {}
    return {"encryptionConfiguration": {"kmsEncryptionConfig": {"awskmsKeyARN": key}}}
