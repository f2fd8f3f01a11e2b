"""Buckets and their settings."""

from __future__ import annotations

from botocore import xform_name

from local.errors import LocalError
from local.resources.policies import over_http
from local.resources.registry import Context, Created, Inputs, auto_name, creates, parameters


@creates("aws:s3/bucket:Bucket")
def bucket(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket."""
    physical = auto_name(context, name, inputs, key="bucket")
    region = context.aws.region
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    context.aws.client("s3").create_bucket(
        Bucket=physical, **({"CreateBucketConfiguration": where} if where else {})
    )
    arn = f"arn:aws:s3:::{physical}"
    return physical, {**inputs, "bucket": physical, "arn": arn, "region": region}


@creates("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def public_access_block(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket's public access block."""
    flags = {
        "BlockPublicAcls": "blockPublicAcls",
        "IgnorePublicAcls": "ignorePublicAcls",
        "BlockPublicPolicy": "blockPublicPolicy",
        "RestrictPublicBuckets": "restrictPublicBuckets",
    }
    context.aws.client("s3").put_public_access_block(
        Bucket=inputs["bucket"],
        PublicAccessBlockConfiguration={
            api: bool(inputs.get(given)) for api, given in flags.items()
        },
    )
    return inputs["bucket"], dict(inputs)


@creates("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def encryption(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket's default encryption."""
    return _put(
        context,
        "PutBucketEncryption",
        inputs,
        {"serverSideEncryptionConfiguration": {"rules": inputs["rules"]}},
    )


@creates("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def lifecycle(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket's lifecycle rules."""
    return _put(
        context,
        "PutBucketLifecycleConfiguration",
        inputs,
        {"lifecycleConfiguration": {"rules": inputs["rules"]}},
    )


@creates("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def ownership(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket's object ownership."""
    rule = inputs["rule"]
    return _put(
        context, "PutBucketOwnershipControls", inputs, {"ownershipControls": {"rules": [rule]}}
    )


@creates("aws:s3/bucketVersioning:BucketVersioning")
def versioning(context: Context, name: str, inputs: Inputs) -> Created:
    """A bucket's versioning."""
    wanted = {"versioningConfiguration": inputs["versioningConfiguration"]}
    return _put(context, "PutBucketVersioning", inputs, wanted)


@creates("aws:s3/bucketPolicy:BucketPolicy")
def bucket_policy(context: Context, name: str, inputs: Inputs) -> Created:
    """The bucket's policy, without its TLS-only statements."""
    if policy := over_http(inputs["policy"]):
        context.aws.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=policy)
    return inputs["bucket"], dict(inputs)


@creates("aws:s3/bucketObjectv2:BucketObjectv2")
def bucket_object(context: Context, name: str, inputs: Inputs) -> Created:
    """An object with the given text."""
    if unknown := inputs.keys() - {"bucket", "key", "content", "contentType", "region"}:
        raise LocalError(f"{name}: the local stack does not support {', '.join(sorted(unknown))}")
    context.aws.client("s3").put_object(
        Bucket=inputs["bucket"],
        Key=inputs["key"],
        Body=inputs["content"].encode(),
        ContentType=inputs.get("contentType") or "application/octet-stream",
    )
    return f"{inputs['bucket']}/{inputs['key']}", dict(inputs)


def _put(context: Context, operation: str, inputs: Inputs, wanted: Inputs) -> Created:
    client = context.aws.client("s3")
    call = getattr(client, xform_name(operation))
    call(**parameters(client, operation, {"bucket": inputs["bucket"], **wanted}))
    return inputs["bucket"], dict(inputs)
