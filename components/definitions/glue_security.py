"""Encryption settings of Glue crawlers and jobs."""

import pulumi_aws as aws


def encryption(
    key: str, *, logs: bool
) -> aws.glue.SecurityConfigurationEncryptionConfigurationArgs:
    """Encrypt objects in S3 with ``key``.

    Parameters
    ----------
    logs:
        Encrypt the log as well. Glue then writes to a group named after role and configuration.

    Notes
    -----
    Job bookmarks are not used (progress is in Iceberg's snapshots) and not encrypted. The job
    encrypts bookmarks itself, so its role would need the key without going through S3.
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
