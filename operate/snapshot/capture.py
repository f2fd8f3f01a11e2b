"""Whether the pipe captures every change of the table: without that, a snapshot proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operate.account import Account, ReplayError


@dataclass(frozen=True)
class Capture:
    """A table whose changes the pipe carries into the log.

    Attributes
    ----------
    since:
        When the pipe was created. It reads the stream from its beginning, so it carries every
        change made since then.
    changed:
        When the pipe was last changed, stopped or started.
    items, size:
        Of the table: count and bytes, up to six hours old.
    """

    table: str
    arn: str
    id: str
    stream: str
    since: datetime
    changed: datetime
    items: int
    size: int
    on_demand: bool

    @classmethod
    def of(cls, account: Account) -> Capture:
        """The stack's table and pipe.

        Raises
        ------
        ReplayError
            The pipe does not carry every change of the table.
        """
        name = account["tableName"]
        table = account.client("dynamodb").describe_table(TableName=name)["Table"]
        if not table.get("StreamSpecification", {}).get("StreamEnabled"):
            raise ReplayError(
                f"the stream of table {name} is off, so no change reaches the log: switch it on "
                f"(aws dynamodb update-table --table-name {name} --stream-specification "
                "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES), then pulumi up --refresh"
            )
        pipe = _pipe(account)
        _require(pipe, table["LatestStreamArn"])
        return cls(
            table=name,
            arn=table["TableArn"],
            id=table["TableId"],
            stream=table["LatestStreamArn"],
            since=pipe["CreationTime"],
            changed=pipe["LastModifiedTime"],
            items=table.get("ItemCount", 0),
            size=table.get("TableSizeBytes", 0),
            on_demand=table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST",
        )


def recoverable(account: Account) -> bool:
    """Whether point-in-time recovery is on, which exports need."""
    answer = account.client("dynamodb").describe_continuous_backups(TableName=account["tableName"])
    found: Mapping[str, Any] = answer["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return bool(status == "ENABLED")


def _pipe(account: Account) -> Mapping[str, Any]:
    name = account["pipeName"]
    try:
        pipe: Mapping[str, Any] = account.client("pipes").describe_pipe(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        raise ReplayError(
            f"there is no pipe {name}, so no change reaches the log: run pulumi up --refresh"
        ) from None
    return pipe


def _require(pipe: Mapping[str, Any], stream: str) -> None:
    name, state = pipe["Name"], pipe["CurrentState"]
    source = pipe.get("SourceParameters", {})
    position = source.get("DynamoDBStreamParameters", {}).get("StartingPosition")
    problem = None
    if state in ("CREATING", "STARTING", "UPDATING"):
        problem = f"is not running yet ({state}): run this again when it is"
    elif state in ("STOPPED", "STOPPING"):
        problem = f"is stopped: aws pipes start-pipe --name {name}, then run this again"
    elif state != "RUNNING":
        why = pipe.get("StateReason", "")
        problem = f"is not running ({state}{why and ': '}{why}): see docs/operations.md#pipe-failed"
    elif pipe["Source"] != stream:
        problem = (
            f"reads {pipe['Source']}, but the table's stream is {stream}: it was switched off and "
            "on; run pulumi up --refresh"
        )
    elif position != "TRIM_HORIZON":
        problem = (
            f"starts at {position}, not TRIM_HORIZON, so the first changes after its creation "
            "may be missing: create it anew with TRIM_HORIZON"
        )
    elif source.get("FilterCriteria", {}).get("Filters"):
        problem = (
            "filters changes: items of a snapshot whose changes it drops would never be updated "
            "or deleted. Remove filterPatterns to take one"
        )
    elif pipe.get("Enrichment"):
        problem = (
            "has an enrichment function, which a snapshot would bypass. Remove "
            "enrichmentFunctionArn to take one"
        )
    if problem:
        raise ReplayError(f"pipe {name} {problem}")
