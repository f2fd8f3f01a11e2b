"""An existing DynamoDB table: looked up, and rejected if its changes cannot be captured."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pulumi
import pulumi_aws as aws

from components.arguments import limits
from schema import Schema

ACTIONS = (
    "dynamodb:DescribeTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTagsOfResource",
)
"""What whoever runs Pulumi needs on the table."""

_MISSING = re.compile(r"couldn't find resource|ResourceNotFoundException")
_DENIED = re.compile(r"not authorized to perform: (\S+)")


@dataclass(frozen=True, kw_only=True)
class ExistingTable:
    """A table as it is.

    Parameters
    ----------
    kms_key_arn:
        The KMS key that encrypts it; None for DynamoDB's own key.
    """

    name: str
    arn: str
    stream_arn: str
    kms_key_arn: str | None


def look_up(name: str, schema: Schema, parent: pulumi.Resource) -> ExistingTable:
    """Find a table in the account and region of ``parent``'s provider.

    Raises
    ------
    pulumi.RunError
        There is no such table, a permission is missing, the stream is off or has no new images, or
        the keys are not the schema's. The message says what to do.
    """
    try:
        table = aws.dynamodb.get_table(name=name, opts=pulumi.InvokeOptions(parent=parent))
    except Exception as error:
        raise pulumi.RunError(_unreadable(name, str(error), parent)) from None
    if problems := [*_stream_problems(table), *_key_problems(table, schema)]:
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise pulumi.RunError(f"table {name} cannot be captured as it is:{lines}")
    encryption = table.server_side_encryption
    key = encryption.kms_key_arn if encryption and encryption.enabled else None
    return ExistingTable(
        name=table.name, arn=table.arn, stream_arn=table.stream_arn, kms_key_arn=key or None
    )


def _unreadable(name: str, text: str, parent: pulumi.Resource) -> str:
    if denied := _DENIED.search(text):
        return (
            f"table {name}: no permission for {denied[1]}. Whoever runs Pulumi needs these on the "
            f"table: {', '.join(ACTIONS)}"
        )
    if _MISSING.search(text):
        region = aws.get_region(opts=pulumi.InvokeOptions(parent=parent)).region
        return (
            f"table {name}: there is none of that name in {region}. To see which there are: "
            f"aws dynamodb list-tables --region {region}"
        )
    return f"table {name} cannot be read: {text}"


def _stream_problems(table: Any) -> Iterator[str]:
    served = get_args(limits.StreamViewType)
    if table.stream_enabled and table.stream_view_type in served:
        return
    update = (
        f"aws dynamodb update-table --region {table.arn.split(':')[3]} --table-name {table.name} "
        "--stream-specification StreamEnabled="
    )
    switch_on = f"{update}true,StreamViewType={served[0]}"
    if not table.stream_enabled:
        yield f"it has no stream. Switch it on: {switch_on}"
    else:
        yield (
            f"its stream has view type {table.stream_view_type}, and must have "
            f"{' or '.join(served)}. Make a new stream, which ends the old one for all its "
            f"readers: {update}false, then {switch_on}"
        )


def _key_problems(table: Any, schema: Schema) -> Iterator[str]:
    types = {one.name: one.type for one in table.attributes}
    has = [(key, (types[key],)) for key in (table.hash_key, table.range_key) if key]
    columns = [schema[key] for key in schema.keys]
    wanted = [(one.attribute, one.key_types) for one in columns]
    # The pipe reads the partition key's type from the schema.
    wanted[0] = (wanted[0][0], wanted[0][1][:1])
    same = [key for key, _ in has] == [key for key, _ in wanted]
    if same and all(a[0] in b for (_, a), (_, b) in zip(has, wanted, strict=True)):
        return
    yield (
        f"its keys are {_told(has)}, and the schema's are {_told(wanted)}. To get a schema with "
        f"the table's keys: python -m schema infer --table {table.name}"
    )


def _told(keys: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    return " and ".join(f"{name} ({' or '.join(types)})" for name, types in keys)
