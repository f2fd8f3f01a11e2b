"""Check whether a resource exists, for each type of resource in a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Client = Callable[[str], Any]
"""Returns a client of a service."""

_GONE = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "EntityNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)

KINDS: Mapping[str, Callable[[Client, str], Any]] = {
    "athena:workgroup": lambda c, name: c("athena").get_work_group(WorkGroup=name),
    "cloudwatch:alarm": lambda c, name: c("cloudwatch").describe_alarms(AlarmNames=[name])[
        "MetricAlarms"
    ],
    "cloudwatch:dashboard": lambda c, name: c("cloudwatch").get_dashboard(DashboardName=name),
    "dynamodb:table": lambda c, name: c("dynamodb").describe_table(TableName=name),
    "events:rule": lambda c, name: c("events").describe_rule(Name=name),
    "firehose:deliverystream": lambda c, name: c("firehose").describe_delivery_stream(
        DeliveryStreamName=name
    ),
    "glue:crawler": lambda c, name: c("glue").get_crawler(Name=name),
    "glue:database": lambda c, name: c("glue").get_database(Name=name),
    "glue:job": lambda c, name: c("glue").get_job(JobName=name),
    "iam:policy": lambda c, arn: c("iam").get_policy(PolicyArn=arn),
    "iam:role": lambda c, name: c("iam").get_role(RoleName=name),
    "kinesis:stream": lambda c, name: c("kinesis").describe_stream_summary(StreamName=name),
    "lambda:function": lambda c, name: c("lambda").get_function_configuration(FunctionName=name),
    "logs:log-group": lambda c, name: [
        one
        for one in c("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if one["logGroupName"] == name
    ],
    "pipes:pipe": lambda c, name: c("pipes").describe_pipe(Name=name),
    "s3:bucket": lambda c, name: c("s3").head_bucket(Bucket=name),
    "scheduler:schedule": lambda c, name: c("scheduler").get_schedule(Name=name.rpartition("/")[2]),
    "sns:topic": lambda c, arn: c("sns").get_topic_attributes(TopicArn=arn),
    "sqs:queue": lambda c, name: c("sqs").get_queue_url(QueueName=name),
}
"""Describes a resource by its name (a policy or a topic by its ARN)."""

_WITHOUT_TYPE = {"s3": "bucket", "sns": "topic", "sqs": "queue"}
"""Services whose ARNs contain only the name, not the type."""
_BY_ARN = ("iam:policy", "sns:topic")


def named_so(client: Client, kind: str, name: str) -> bool:
    """Whether a resource of this type (``dynamodb:table``, ...) and name exists."""
    try:
        return bool(KINDS[kind](client, name))
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        # Athena has no error code for this case.
        if code in _GONE or "not found" in message.lower():
            return False
        raise


def arn(client: Client, arn: str) -> bool:
    """Whether the resource of an ARN exists; True for types that are not in `KINDS`."""
    _, _, service, _, _, rest = arn.split(":", 5)
    if service in _WITHOUT_TYPE:
        kind, name = f"{service}:{_WITHOUT_TYPE[service]}", rest
    else:
        mark = "/" if "/" in rest and ":" not in rest.split("/")[0] else ":"
        type_, _, name = rest.partition(mark)
        kind = f"{service}:{type_}"
    if kind not in KINDS:
        return True
    return named_so(client, kind, arn if kind in _BY_ARN else name.removesuffix(":*"))


def identities(client: Client, tags: Mapping[str, str]) -> set[str]:
    """Roles and policies with these tags; AWS's tagging API does not list them."""
    iam = client("iam")
    wanted = tags.items()
    roles = (one for page in iam.get_paginator("list_roles").paginate() for one in page["Roles"])
    policies = (
        one
        for page in iam.get_paginator("list_policies").paginate(Scope="Local")
        for one in page["Policies"]
    )
    prefix = f"{tags['project']}-{tags['stack']}-"  # fewer calls for tags
    found = {
        f"role {one['RoleName']}"
        for one in roles
        if one["RoleName"].startswith(prefix)
        and wanted <= _tags(iam.list_role_tags(RoleName=one["RoleName"]))
    }
    return found | {
        f"policy {one['PolicyName']}"
        for one in policies
        if one["PolicyName"].startswith(prefix)
        and wanted <= _tags(iam.list_policy_tags(PolicyArn=one["Arn"]))
    }


def _tags(answer: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(one["Key"], one["Value"]) for one in answer["Tags"]}
