"""What Glue is told about the key of a crawler or a job."""

import pulumi_aws as aws


def encryption(
    key: str, *, logs: bool
) -> aws.glue.SecurityConfigurationEncryptionConfigurationArgs:
    """What is written to S3 is encrypted with ``key``.

    Parameters
    ----------
    logs:
        The log as well; then Glue writes it to a group named for role and configuration.

    Notes
    -----
    No job here keeps bookmarks (Iceberg's snapshots say how far it came), so none are encrypted:
    that is done in the job itself, and its role would need the key without S3 between.
    """
    return aws.glue.SecurityConfigurationEncryptionConfigurationArgs(
        s3_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationS3EncryptionArgs(
            s3_encryption_mode="SSE-KMS", kms_key_arn=key
        ),
        cloudwatch_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs(
            cloudwatch_encryption_mode="SSE-KMS" if logs else "DISABLED",
            kms_key_arn=key if logs else None,
        ),
        job_bookmarks_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs(
            job_bookmarks_encryption_mode="DISABLED"
        ),
    )
