"""Creates each resource type of the Pulumi program in the emulator, through boto3."""

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
    secrets_manager,
    sns,
    sqs,
)
from local.resources.registry import Context, Created, create

__all__ = ["Context", "Created", "create"]

# Importing a module registers its types.
_ = (
    *(athena, cloudwatch, dynamodb, glue, iam, kinesis),
    *(lambda_, logs, pipes, s3, scheduler, secrets_manager, sns, sqs),
)
