"""A role that one AWS service assumes, with one policy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.definitions import policies


@dataclass(frozen=True, kw_only=True)
class ServiceRoleArgs:
    """What a `ServiceRole` is made of.

    Parameters
    ----------
    service:
        The principal that assumes the role, such as ``pipes.amazonaws.com``.
    statements:
        What it may do.
    """

    service: str
    statements: Sequence[policies.Statement]


class ServiceRole(pulumi.ComponentResource):
    """A role, and its policy as a resource of its own so that others can wait for it.

    The service may assume it for this account only, where it says for which it does
    (`policies.ACCOUNT_KEYS`): so it cannot be talked into using it for another one.
    """

    arn: pulumi.Output[str]
    """The role's ARN."""
    name: pulumi.Output[str]
    """The role's name."""
    policy: aws.iam.RolePolicy
    """Depend on this, not on the role: until it is there the role may do nothing."""

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
    """The account that ``parent``'s provider works in."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=parent)).account_id
