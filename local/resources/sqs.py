"""Queues."""

from __future__ import annotations

from local.resources.policies import over_http
from local.resources.registry import Context, Created, Inputs, auto_name, creates

_ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
}


@creates("aws:sqs/queue:Queue")
def queue(context: Context, name: str, inputs: Inputs) -> Created:
    """A queue; its id is its URL."""
    physical = auto_name(context, name, inputs)
    attributes = {
        api: str(int(inputs[key])) if isinstance(inputs[key], float) else str(inputs[key]).lower()
        for key, api in _ATTRIBUTES.items()
        if inputs.get(key) is not None
    }
    url = context.aws.client("sqs").create_queue(QueueName=physical, Attributes=attributes)
    arn = context.arn("sqs", physical)
    location = url["QueueUrl"]
    return location, {**inputs, "name": physical, "url": location, "arn": arn}


@creates("aws:sqs/queuePolicy:QueuePolicy")
def queue_policy(context: Context, name: str, inputs: Inputs) -> Created:
    """The queue's policy, without its TLS-only statements."""
    if policy := over_http(inputs["policy"]):
        context.aws.client("sqs").set_queue_attributes(
            QueueUrl=inputs["queueUrl"], Attributes={"Policy": policy}
        )
    return inputs["queueUrl"], dict(inputs)
