"""Policies to attach to whoever writes orders or asks questions about them."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.definitions import policies
from schema import layout


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """What an `Access` is about, as the other components' outputs say.

    Parameters
    ----------
    kms_key_arn:
        The key of the table and of the bucket, if they have one of yours.
    """

    table_arn: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    database_arn: pulumi.Input[str]
    workgroup_arn: pulumi.Input[str]
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class Access(pulumi.ComponentResource):
    """Two customer-managed policies; attach them to your own users, groups or roles."""

    writer_policy_arn: pulumi.Output[str]
    """May write orders to the table."""
    reader_policy_arn: pulumi.Output[str]
    """May ask the database in the workgroup, and read the objects behind it."""

    def __init__(
        self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:Access", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        writer = aws.iam.Policy(
            f"{name}-writer",
            description="Write sales orders",
            policy=policies.document(policies.write_orders(args.table_arn, args.kms_key_arn)),
            opts=child,
        )
        reader = aws.iam.Policy(
            f"{name}-reader",
            description="Ask questions about sales orders in Athena",
            policy=policies.document(
                policies.ask(
                    args.workgroup_arn,
                    args.database_arn,
                    args.bucket_arn,
                    [layout.PROJECTION_PREFIX, layout.FAILED_PREFIX, layout.ORDERS_PREFIX],
                    layout.RESULTS_PREFIX,
                    args.kms_key_arn,
                )
            ),
            opts=child,
        )
        self.writer_policy_arn = writer.arn
        self.reader_policy_arn = reader.arn
        self.register_outputs(
            {
                "writer_policy_arn": self.writer_policy_arn,
                "reader_policy_arn": self.reader_policy_arn,
            }
        )
