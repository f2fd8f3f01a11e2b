"""What cannot be erased: copies that AWS keeps for a time, and when the last of them is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from client import errors
from operate.account import Account

_STREAM_HOURS = 24
_HISTORY_DAYS = 45
_UPLOAD_DAYS = 1


@dataclass(frozen=True)
class Copy:
    """A copy, why it stays, and until when; ``until`` is None if that is not known."""

    where: str
    why: str
    until: datetime | None

    def __str__(self) -> str:
        when = f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "for how long is unknown"
        return f"{self.where}: {self.why}, {when}"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"until": self.until and self.until.isoformat(timespec="seconds")}


def copies(account: Account, *, asked_athena: bool) -> list[Copy]:
    """All copies that may still exist now."""
    return list(_copies(account, datetime.now(UTC), asked_athena=asked_athena))


def _copies(account: Account, now: datetime, *, asked_athena: bool) -> Iterator[Copy]:
    yield Copy(
        f"the stream of table {account['tableName']}",
        "DynamoDB keeps changes for 24 hours",
        now + timedelta(hours=_STREAM_HOURS),
    )
    stream = account["kinesisStreamName"]
    yield _timed(
        f"Kinesis stream {stream}",
        "it keeps changes for its retention period",
        lambda: (
            now
            + timedelta(
                hours=account.client("kinesis").describe_stream_summary(StreamName=stream)[
                    "StreamDescriptionSummary"
                ]["RetentionPeriodHours"]
            )
        ),
    )
    restorable = _timed(
        f"point-in-time recovery of table {account['tableName']}",
        "the table can be restored to a moment before",
        lambda: _restorable(account, now),
    )
    if restorable.until != now:
        yield restorable
    yield _timed(
        "the dead-letter queue",
        "its messages point to changes in the table's stream and have none themselves",
        lambda: (
            now
            + timedelta(
                seconds=int(
                    account.client("sqs").get_queue_attributes(
                        QueueUrl=account["dlqUrl"], AttributeNames=["MessageRetentionPeriod"]
                    )["Attributes"]["MessageRetentionPeriod"]
                )
            )
        ),
    )
    yield Copy(
        "incomplete uploads to the bucket",
        "nobody can read them, and S3 aborts them after a day",
        now + timedelta(days=_UPLOAD_DAYS),
    )
    if asked_athena:
        yield Copy(
            f"Athena's history of workgroup {account['workgroupName']}",
            "it keeps the text of queries, here that of --where",
            now + timedelta(days=_HISTORY_DAYS),
        )


def _timed(where: str, why: str, until: Callable[[], datetime]) -> Copy:
    try:
        return Copy(where, why, until())
    except ClientError as error:
        if not errors.is_denied(str(error)):
            raise
        return Copy(where, why, None)


def _restorable(account: Account, now: datetime) -> datetime:
    """Until when a backup of before now can be restored; now if there is none."""
    told = account.client("dynamodb").describe_continuous_backups(TableName=account["tableName"])
    recovery = told["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return now
    return now + timedelta(days=recovery.get("RecoveryPeriodInDays", 35))
