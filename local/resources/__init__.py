"""Creates in the emulator, through boto3, each resource type that the Pulumi program registers."""

from local.resources import (
    athena,
    cloudwatch,
    dynamodb,
    glue,
    iam,
    kinesis,
    lambda_,
    logs,
    pipes,
    s3,
    scheduler,
    sns,
    sqs,
)
from local.resources.registry import Context, Created, create

__all__ = ["Context", "Created", "create"]

# Importing a module registers its types.
_ = (
    *(athena, cloudwatch, dynamodb, glue, iam, kinesis),
    *(lambda_, logs, pipes, s3, scheduler, sns, sqs),
)
