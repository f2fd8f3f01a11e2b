"""The table whose changes are captured."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings
from schema import ORDERS, Schema


@dataclass(frozen=True, kw_only=True)
class CdcSourceArgs:
    """What a `CdcSource` is made of; everything has a default.

    Parameters
    ----------
    schema:
        Its ``key`` is the partition key and its ``sort_key``, if any, the sort key.
    stream_view_type:
        What a change record holds. Set it on day one: changing it later gives the stream a new
        ARN, and changes that nobody has read yet stay behind on the old one.
    billing_mode, read_capacity, write_capacity:
        The capacities count when ``provisioned``.
    ttl_attribute:
        The attribute that holds an item's expiry (epoch seconds). Expired items are deleted, and
        captured as deletes.
    kms_key_arn:
        Encrypts the table and its stream; without it, AWS's own key for DynamoDB does.
    protect:
        Refuse to delete the table, in Pulumi and in DynamoDB.
    """

    schema: Schema = ORDERS
    stream_view_type: limits.StreamViewType = Settings.stream_view_type
    billing_mode: limits.BillingMode = Settings.billing_mode
    read_capacity: limits.Capacity = Settings.read_capacity
    write_capacity: limits.Capacity = Settings.write_capacity
    ttl_attribute: limits.AttributeName | None = None
    point_in_time_recovery: bool = Settings.point_in_time_recovery
    kms_key_arn: limits.KeyArn | None = None
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, _ttl_is_no_key)


def _ttl_is_no_key(args: CdcSourceArgs, label: checks.Label) -> str | None:
    if args.ttl_attribute in args.schema.keys:
        return f"{label('ttl_attribute')}: {args.ttl_attribute!r} is a key of the table"
    return None


class CdcSource(pulumi.ComponentResource):
    """A DynamoDB table, encrypted, with a stream of its changes."""

    table_name: pulumi.Output[str]
    """The table's name."""
    table_arn: pulumi.Output[str]
    """The table's ARN."""
    stream_arn: pulumi.Output[str]
    """The ARN of the table's stream, which keeps changes for 24 hours."""

    def __init__(
        self,
        name: str,
        args: CdcSourceArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sales-cdc:index:CdcSource", name, None, opts)
        args = args or CdcSourceArgs()
        provisioned = args.billing_mode == "provisioned"
        table = aws.dynamodb.Table(
            f"{name}-table",
            hash_key=args.schema.key,
            range_key=args.schema.sort_key,
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=key, type=limits.key_type(args.schema[key]))
                for key in args.schema.keys
            ],
            billing_mode="PROVISIONED" if provisioned else "PAY_PER_REQUEST",
            read_capacity=args.read_capacity if provisioned else None,
            write_capacity=args.write_capacity if provisioned else None,
            stream_enabled=True,
            stream_view_type=args.stream_view_type,
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.kms_key_arn
            ),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=args.point_in_time_recovery
            ),
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=args.ttl_attribute, enabled=True)
            if args.ttl_attribute
            else None,
            deletion_protection_enabled=args.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.table_name = table.name
        self.table_arn = table.arn
        self.stream_arn = table.stream_arn
        self.register_outputs(
            {
                "table_name": self.table_name,
                "table_arn": self.table_arn,
                "stream_arn": self.stream_arn,
            }
        )
