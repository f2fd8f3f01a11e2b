"""A private S3 bucket whose objects expire."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import policies

OLD_VERSION_DAYS = 7
"""Days for which a protected bucket keeps overwritten and deleted objects."""


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """Arguments of `PrivateBucket`.

    Parameters
    ----------
    expire_days_by_prefix:
        Days after which the objects under a prefix are deleted.
    kms_key_arn:
        Encrypts objects (SSE-KMS, with a bucket key). Without it, SSE-S3 is used.
    protect:
        Keep old versions for 7 days and prevent deletion of the bucket. When off, deleting the
        bucket deletes the objects in it.
    """

    expire_days_by_prefix: Mapping[str, int]
    kms_key_arn: limits.KeyArn | None = None
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, _prefixes_can_expire)


def _prefixes_can_expire(args: PrivateBucketArgs, label: checks.Label) -> str | None:
    found = [
        f"{prefix!r}: {days}"
        for prefix, days in args.expire_days_by_prefix.items()
        if days < 1 or not prefix.endswith("/") or prefix.startswith("/")
    ]
    if not found:
        return None
    return (
        f"{label('expire_days_by_prefix')}: a prefix ends with '/', does not start with it, and "
        f"has 1 day or more, not {', '.join(found)}"
    )


class PrivateBucket(pulumi.ComponentResource):
    """An S3 bucket: encrypted, private, owned by the account, TLS only."""

    name: pulumi.Output[str]
    """The bucket's name."""
    arn: pulumi.Output[str]
    """The bucket's ARN."""

    def __init__(
        self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:PrivateBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not args.protect,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(protect=args.protect)),
        )
        access = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketPolicy(
            f"{name}-bucket-policy",
            bucket=bucket.bucket,
            policy=policies.tls_only("s3:*", bucket.arn, policies.under(bucket.arn, "/*")),
            # S3 rejects concurrent changes to a bucket's access settings.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[access])),
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child,
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms" if args.kms_key_arn else "AES256",
                        kms_master_key_id=args.kms_key_arn,
                    ),
                    bucket_key_enabled=True if args.kms_key_arn else None,
                )
            ],
            opts=child,
        )
        versioning = []
        if args.protect:
            enabled = aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled")
            versioning = [
                aws.s3.BucketVersioning(
                    f"{name}-versioning",
                    bucket=bucket.bucket,
                    versioning_configuration=enabled,
                    opts=child,
                )
            ]
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=_lifecycle(args),
            # Rules for old versions need versioning first.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=versioning)),
        )
        # Resources that use this name wait until the bucket's encryption is configured.
        self.name = encryption.bucket
        self.arn = bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def _lifecycle(args: PrivateBucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    rules = [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id=f"expire-{prefix.strip('/').replace('/', '-')}",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        )
        for prefix, days in sorted(args.expire_days_by_prefix.items())
    ]
    remains = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="leave-no-remains",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=1
        ),
        # In a versioned bucket, expiration only adds a delete marker; this deletes old versions.
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=OLD_VERSION_DAYS
        )
        if args.protect
        else None,
    )
    return [*rules, remains]
