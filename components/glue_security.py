"""What Glue is told about the key of a crawler or a job."""

import pulumi
import pulumi_aws as aws


def encrypt(
    name: str, key: str, child: pulumi.ResourceOptions, *, logs: bool
) -> aws.glue.SecurityConfiguration:
    """A security configuration: what is written to S3 is encrypted with ``key``.

    Parameters
    ----------
    logs:
        The log as well; then Glue writes it to a group named for role and configuration.

    Notes
    -----
    No job here keeps bookmarks (Iceberg's snapshots say how far it came), so none are encrypted:
    that is done in the job itself and would want the role to use the key without S3 between.
    """
    s3 = aws.glue.SecurityConfigurationEncryptionConfigurationS3EncryptionArgs(
        s3_encryption_mode="SSE-KMS", kms_key_arn=key
    )
    cloudwatch = aws.glue.SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs(
        cloudwatch_encryption_mode="SSE-KMS" if logs else "DISABLED",
        kms_key_arn=key if logs else None,
    )
    bookmarks = aws.glue.SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs(
        job_bookmarks_encryption_mode="DISABLED"
    )
    return aws.glue.SecurityConfiguration(
        f"{name}-encryption",
        encryption_configuration=aws.glue.SecurityConfigurationEncryptionConfigurationArgs(
            s3_encryption=s3,
            cloudwatch_encryption=cloudwatch,
            job_bookmarks_encryption=bookmarks,
        ),
        opts=child,
    )
