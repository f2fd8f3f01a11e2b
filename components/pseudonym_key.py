"""The secret key of pseudonyms."""

import secrets
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings

RECOVERY_DAYS = 30
"""Days for which a deleted key of a protected stack can be restored."""
_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class PseudonymKeyArgs:
    """Arguments of `PseudonymKey`.

    Parameters
    ----------
    pseudonym_key_version:
        Another number makes another key, and with it other pseudonyms.
    kms_key_arn:
        Encrypts the secret. Without it, the AWS-managed key for Secrets Manager is used.
    protect:
        Keep the key for 30 days when it is deleted. When off, it is deleted at once.
    """

    pseudonym_key_version: limits.PseudonymKeyVersion = Settings.pseudonym_key_version
    kms_key_arn: limits.KeyArn | None = None
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self)


class PseudonymKey(pulumi.ComponentResource):
    """Random bytes in Secrets Manager, as hexadecimal text."""

    secret_arn: pulumi.Output[str]
    """The secret's ARN."""
    version_id: pulumi.Output[str]
    """The ID of the key's version in Secrets Manager."""

    def __init__(
        self, name: str, args: PseudonymKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:PseudonymKey", name, None, opts)
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            description="The key of the pseudonyms in the lake",
            kms_key_id=args.kms_key_arn,
            recovery_window_in_days=RECOVERY_DAYS if args.protect else 0,
            opts=pulumi.ResourceOptions(parent=self),
        )
        version = aws.secretsmanager.SecretVersion(
            f"{name}-version-{args.pseudonym_key_version}",
            secret_id=secret.arn,
            # The state holds it encrypted. Later runs of the program make other bytes, which the
            # engine ignores. The provider's write-only argument would be no better: Pulumi keeps
            # such an argument in the state as well.
            secret_string=pulumi.Output.secret(secrets.token_hex(_KEY_BYTES)),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString"]),
        )
        # Who waits for this ARN finds a key in the secret.
        self.secret_arn = version.secret_id
        self.version_id = version.version_id
        self.register_outputs({"secret_arn": self.secret_arn, "version_id": self.version_id})
