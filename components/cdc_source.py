"""The table whose changes are captured: a new one, or one that exists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.arguments import checks, existing_table, limits, update_checks
from components.arguments.settings import Settings
from schema import ORDERS, Schema


@dataclass(frozen=True, kw_only=True)
class CdcSourceArgs:
    """Arguments of `CdcSource`. All are optional.

    Parameters
    ----------
    schema:
        The table's columns. ``key`` is the partition key, ``sort_key`` the optional sort key.
    source_table:
        The name of an existing table, with a stream, in the same account and region. It is read
        and never changed, replaced or deleted. Without it, a new table is created.
    table_name:
        The new table's name. Without it, Pulumi generates one. Changing it replaces the table.
    stream_view_type:
        Which images of an item a change record of a new table holds. Choose before the first
        deployment: a later
        change creates a new stream, and unread changes on the old stream are lost.
    billing_mode, read_capacity, write_capacity:
        Of a new table. The capacities apply to ``provisioned`` only.
    ttl_attribute:
        The attribute of a new table that holds an item's expiry time (epoch seconds). DynamoDB
        deletes expired items, and the deletes are captured. None turns TTL off. Another attribute
        takes two updates, an hour apart: turn TTL off, then on.
    kms_key_arn:
        Encrypts a new table and its stream. Without it, a key owned by DynamoDB is used.
    protect:
        Prevent deletion of a new table, in Pulumi and in DynamoDB.
    """

    schema: Schema = ORDERS
    source_table: limits.TableName | None = None
    table_name: limits.TableName | None = None
    stream_view_type: limits.StreamViewType = Settings.stream_view_type
    billing_mode: limits.BillingMode = Settings.billing_mode
    read_capacity: limits.Capacity = Settings.read_capacity
    write_capacity: limits.Capacity = Settings.write_capacity
    ttl_attribute: limits.AttributeName | None = None
    point_in_time_recovery: bool = Settings.point_in_time_recovery
    kms_key_arn: limits.KeyArn | None = None
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, _ttl_is_no_key, _has_one_name)


def _ttl_is_no_key(args: CdcSourceArgs, label: checks.Label) -> str | None:
    if args.ttl_attribute in args.schema.key_attributes:
        return f"{label('ttl_attribute')}: {args.ttl_attribute!r} is a key of the table"
    return None


def _has_one_name(args: CdcSourceArgs, label: checks.Label) -> str | None:
    if not (args.source_table and args.table_name):
        return None
    return f"{label('source_table')} and {label('table_name')}: only one of them can be given"


class CdcSource(pulumi.ComponentResource):
    """A DynamoDB table with a stream of its changes: a new, encrypted one, or one that exists."""

    table_name: pulumi.Output[str]
    """The table's name."""
    table_arn: pulumi.Output[str]
    """The table's ARN."""
    stream_arn: pulumi.Output[str]
    """The ARN of the table's stream, which keeps changes for 24 hours."""
    table_kms_key_arn: str | None
    """The KMS key of the table, if it has one: what reads or writes the table may use it."""

    def __init__(
        self,
        name: str,
        args: CdcSourceArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sales-cdc:index:CdcSource", name, None, opts)
        args = args or CdcSourceArgs()
        if args.source_table:
            found = existing_table.look_up(args.source_table, args.schema, self)
            self.table_name = pulumi.Output.from_input(found.name)
            self.table_arn = pulumi.Output.from_input(found.arn)
            self.stream_arn = pulumi.Output.from_input(found.stream_arn)
            self.table_kms_key_arn = found.kms_key_arn
        else:
            table = self._new_table(name, args)
            self.table_name = table.name
            self.table_arn = table.arn
            self.stream_arn = table.stream_arn
            self.table_kms_key_arn = args.kms_key_arn
        self.register_outputs(
            {
                "table_name": self.table_name,
                "table_arn": self.table_arn,
                "stream_arn": self.stream_arn,
            }
        )

    def _new_table(self, name: str, args: CdcSourceArgs) -> aws.dynamodb.Table:
        provisioned = args.billing_mode == "provisioned"
        columns = [args.schema[key] for key in args.schema.keys]
        return aws.dynamodb.Table(
            f"{name}-table",
            name=args.table_name,
            hash_key=columns[0].attribute,
            range_key=columns[1].attribute if len(columns) > 1 else None,
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=column.attribute, type=column.key_types[0])
                for column in columns
            ],
            billing_mode="PROVISIONED" if provisioned else "PAY_PER_REQUEST",
            read_capacity=args.read_capacity if provisioned else None,
            write_capacity=args.write_capacity if provisioned else None,
            stream_enabled=True,
            stream_view_type=args.stream_view_type,
            # Off without a customer-managed key: an enabled block without a key would keep the
            # previous key, which the roles may no longer be allowed to use.
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=args.kms_key_arn is not None, kms_key_arn=args.kms_key_arn
            ),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=args.point_in_time_recovery
            ),
            # Declared even when off: if it is left out, TTL stays on.
            ttl=aws.dynamodb.TableTtlArgs(
                attribute_name=args.ttl_attribute, enabled=args.ttl_attribute is not None
            ),
            deletion_protection_enabled=args.protect,
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(
                    parent=self,
                    protect=args.protect,
                    # To turn TTL off, DynamoDB needs the name of the current attribute.
                    ignore_changes=None if args.ttl_attribute else ["ttl.attributeName"],
                ),
                update_checks.before_update(f"{name}-table-update", _keeps_ttl_attribute),
            ),
        )


async def _keeps_ttl_attribute(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    was, now = old.get("ttl") or {}, new.get("ttl") or {}
    before, after = was.get("attributeName"), now.get("attributeName")
    if not (was.get("enabled") and now.get("enabled")) or before == after:
        return None
    return (
        f"TTL is on for the attribute {before!r}, and DynamoDB cannot change it to {after!r}: "
        "clear the TTL attribute and deploy, wait an hour, then set the new one and deploy again"
    )
