"""Log groups and streams."""

from __future__ import annotations

from local.resources.registry import Context, Created, Inputs, auto_name, creates


@creates("aws:cloudwatch/logGroup:LogGroup")
def log_group(context: Context, name: str, inputs: Inputs) -> Created:
    """A log group with its retention."""
    client = context.aws.client("logs")
    physical = auto_name(context, name, inputs)
    key = {"kmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
    client.create_log_group(logGroupName=physical, **key)
    if days := int(inputs.get("retentionInDays") or 0):
        client.put_retention_policy(logGroupName=physical, retentionInDays=days)
    arn = context.arn("logs", f"log-group:{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:cloudwatch/logStream:LogStream")
def log_stream(context: Context, name: str, inputs: Inputs) -> Created:
    """A log stream."""
    physical = auto_name(context, name, inputs)
    group = inputs["logGroupName"]
    context.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=physical)
    arn = context.arn("logs", f"log-group:{group}:log-stream:{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}
