"""Secrets and their versions."""

from __future__ import annotations

from local.resources.registry import Context, Created, Inputs, auto_name, creates


@creates("aws:secretsmanager/secret:Secret")
def secret(context: Context, name: str, inputs: Inputs) -> Created:
    """A secret; its id is its ARN."""
    physical = auto_name(context, name, inputs)
    given = {"description": "Description", "kmsKeyId": "KmsKeyId"}
    arn = context.aws.client("secretsmanager").create_secret(
        Name=physical, **{api: inputs[key] for key, api in given.items() if inputs.get(key)}
    )["ARN"]
    return arn, {**inputs, "name": physical, "arn": arn}


@creates("aws:secretsmanager/secretVersion:SecretVersion")
def secret_version(context: Context, name: str, inputs: Inputs) -> Created:
    """A secret's value."""
    answer = context.aws.client("secretsmanager").put_secret_value(
        SecretId=inputs["secretId"], SecretString=inputs["secretString"]
    )
    version, arn = answer["VersionId"], answer["ARN"]
    return f"{arn}|{version}", {**inputs, "arn": arn, "versionId": version}
