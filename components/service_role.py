"""A role that one AWS service assumes, with one policy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.definitions import policies


@dataclass(frozen=True, kw_only=True)
class ServiceRoleArgs:
    """Arguments of `ServiceRole`.

    Parameters
    ----------
    service:
        The principal that assumes the role, such as ``pipes.amazonaws.com``.
    statements:
        The statements of the role's policy.
    """

    service: str
    statements: Sequence[policies.Statement]


class ServiceRole(pulumi.ComponentResource):
    """An IAM role, and its policy as a separate resource that others can depend on.

    Where the service sends the account in its request (`policies.ACCOUNT_KEYS`), the trust policy
    allows this account only, which prevents a confused deputy.
    """

    arn: pulumi.Output[str]
    """The role's ARN."""
    name: pulumi.Output[str]
    """The role's name."""
    policy: aws.iam.RolePolicy
    """Depend on this, not on the role: without its policy the role has no permissions."""

    def __init__(
        self, name: str, args: ServiceRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:ServiceRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=policies.trust(args.service, account_id(self)),
            opts=child,
        )
        self.policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=policies.document(args.statements),
            opts=child,
        )
        self.arn = role.arn
        self.name = role.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def account_id(parent: pulumi.Resource) -> pulumi.Output[str]:
    """The account of ``parent``'s provider."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=parent)).account_id
