"""What personal data a stack holds, where and for how long, and who may read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from operate.account import PSEUDONYM_KEY, Account
from schema import Column, Schema, layout

OUTPUTS = ("tableName", "kinesisStreamName", "deliveryStreamName", "dlqUrl", "bucketName")
Holds = Literal["raw data", "rows", "keys", "no data"]

READERS: Mapping[str, tuple[str, ...]] = {
    "table": ("operator", "eraser", "writer", "generator"),
    "table's stream": ("operator", "bridge-pipe"),
    "Kinesis stream": ("operator", "lake-firehose"),
    "failed/": ("operator", "eraser", "catalog-crawler", "lake-firehose"),
    "exports/": ("operator", "eraser"),
    "snapshots/": ("operator", "eraser"),
    "projection/": (
        "reader",
        "eraser",
        "batch",
        "catalog-crawler",
        "dashboard-queries",
        "lake-firehose",
        "packing",
    ),
    "NAME/": ("reader", "eraser", "batch", "dashboard-queries"),
    "athena-results/": ("reader", "eraser", "dashboard-queries"),
    "old versions of all of these": ("eraser",),
}
"""By place, the policies and roles of the stack that may read there (a test compares this with what
the program deploys). A writer and the generator read one item that they change, by its key."""

_TREATMENT = {
    "keep": "the value",
    "hash": "a pseudonym (HMAC-SHA-256)",
    "drop": "nothing (NULL)",
}
_OLD = "old versions of all of these"
_FIREHOSE_RETRIES = "up to 24 hours if the bucket cannot be written"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place with copies.

    Attributes
    ----------
    holds:
        Raw data is whole items, also of columns that the lake hashes or drops.
    days:
        How long it keeps them; None: without limit, or none are kept (see ``kept``).
    readers:
        Of the stack's policies and roles.
    """

    where: str
    holds: Holds
    kept: str
    days: float | None = None
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """The facts, at one time."""

    table: str
    at: datetime
    schema: Schema
    places: tuple[Place, ...]
    policies: Mapping[str, str]
    key: str | None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are personal, or hashed or dropped."""
        return tuple(
            column for column in self.schema.columns if column.personal or column.privacy != "keep"
        )

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "table": self.table,
            "at": self.at.isoformat(timespec="seconds"),
            "columns": [
                {
                    "column": column.name,
                    "attribute": column.attribute,
                    "type": column.type,
                    "personal": column.personal,
                    "privacy": column.privacy,
                }
                for column in self.columns
            ],
            "other_columns": len(self.schema.columns) - len(self.columns),
            "unknown_attributes": self.schema.unknown_attributes,
            "pseudonym_key": self.key,
            "places": [asdict(place) for place in self.places],
            "policies": dict(self.policies),
        }

    def markdown(self) -> str:
        """For people."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Personal data of {self.table}"
        yield f"\nAs deployed at {self.at:%Y-%m-%d %H:%M} UTC.\n\n## Columns\n"
        if self.columns:
            yield "| column | attribute | type | personal | the lake holds |"
            yield "| --- | --- | --- | --- | --- |"
            for one in self.columns:
                personal = "yes" if one.personal else "not declared"
                yield (
                    f"| `{one.name}` | `{one.attribute}` | `{one.type}` | {personal} | "
                    f"{_TREATMENT[one.privacy]} |"
                )
        else:
            yield "No column is declared personal."
        others = len(self.schema.columns) - len(self.columns)
        yield f"\n{others} other columns are not declared personal; the lake holds their values."
        yield (
            "Attributes without a column are dropped."
            if self.schema.unknown_attributes == "drop"
            else "Attributes without a column are kept, in `extras`, whatever they hold."
        )
        if self.key:
            yield f"The key of the pseudonyms is the secret `{self.key}`: transform and operators."
        yield "\n## Copies\n"
        yield "Raw data is whole items, also of columns that are hashed or dropped.\n"
        yield "| where | what | kept | who may read it |\n| --- | --- | --- | --- |"
        for place in self.places:
            readers = ", ".join(place.readers) or "nobody"
            yield f"| {place.where} | {place.holds} | {place.kept} | {readers} |"
        yield "\nLogs, metrics and outputs hold no values. Copies that others made, such as backups"
        yield "or files of query results, are not known here.\n\n## Who has these permissions\n"
        for name, arn in self.policies.items():
            yield f"- {name}: `aws iam list-entities-for-policy --policy-arn {arn}`"
        yield "- the others are roles that only their AWS service can assume"
        yield "- whoever has permissions beyond the stack's, such as the account's administrators"


def look(account: Account, *, now: datetime | None = None) -> Page:
    """Look up the facts of a stack: its outputs, and the settings of what is deployed."""
    schema = account.schema()
    outputs = account.outputs
    policies = {
        name: outputs[f"{name}PolicyArn"]
        for name in ("operator", "reader", "writer", "eraser")
        if f"{name}PolicyArn" in outputs
    }
    return Page(
        table=account["tableName"],
        at=now or datetime.now(UTC),
        schema=schema,
        places=(*_before_the_lake(account), *_in_the_lake(account)),
        policies=policies,
        key=outputs.get(PSEUDONYM_KEY),
    )


def _before_the_lake(account: Account) -> Iterator[Place]:
    dynamodb, name = account.client("dynamodb"), account["tableName"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    expires = f", or it expires (`{ttl['AttributeName']}`)" if "AttributeName" in ttl else ""
    yield _place("table", "raw data", f"until the item is deleted{expires}")
    yield _place("table's stream", "raw data", "24 hours", 1)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
        days = recovery.get("RecoveryPeriodInDays", 35)
        text, who = f"{days} days: the table can be restored or exported as of then", ("operator",)
        yield Place(
            where="point-in-time recovery", holds="raw data", kept=text, days=days, readers=who
        )
    else:
        yield Place(where="point-in-time recovery", holds="raw data", kept="off: nothing is kept")
    hours = account.client("kinesis").describe_stream_summary(
        StreamName=account["kinesisStreamName"]
    )["StreamDescriptionSummary"]["RetentionPeriodHours"]
    yield _place("Kinesis stream", "raw data", f"{hours} hours", hours / 24)
    stream = account.client("firehose").describe_delivery_stream(
        DeliveryStreamName=account["deliveryStreamName"]
    )["DeliveryStreamDescription"]
    hints = stream["Destinations"][0]["ExtendedS3DestinationDescription"]["BufferingHints"]
    kept = f"{hints['IntervalInSeconds']} s, {_FIREHOSE_RETRIES}"
    yield Place(where="Firehose's buffer", holds="raw data", kept=kept, days=1)
    queue = account.client("sqs").get_queue_attributes(
        QueueUrl=account["dlqUrl"], AttributeNames=["MessageRetentionPeriod"]
    )["Attributes"]
    days = int(queue["MessageRetentionPeriod"]) / 86_400
    kept = f"{_days(days)}: sequence numbers of changes"
    yield Place(where="dead letters", holds="no data", kept=kept, days=days, readers=("operator",))


def _in_the_lake(account: Account) -> Iterator[Place]:
    s3, bucket = account.client("s3"), account["bucketName"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    days = {
        one["Filter"].get("Prefix", ""): one["Expiration"]["Days"]
        for one in rules
        if one["Status"] == "Enabled" and "Days" in one.get("Expiration", {})
    }

    def under(prefix: str, holds: Holds) -> Place:
        found = days.get(prefix)
        return _place(prefix, holds, _days(found) if found else "without limit", found)

    yield under(layout.FAILED_PREFIX, "raw data")
    yield under(layout.EXPORTS_PREFIX, "raw data")
    yield under(layout.SNAPSHOTS_PREFIX, "keys")
    yield under(layout.PROJECTION_PREFIX, "rows")
    if "batchJobName" in account.outputs:
        job = account.client("glue").get_job(JobName=account["batchJobName"])["Job"]
        arguments = job["DefaultArguments"]
        kept = (
            "as long as in the table, once the batch runs; deleted and earlier values "
            f"{arguments['--snapshot-days']} days more"
        )
        where = f"{arguments['--table']}/"
        yield Place(where=where, holds="rows", kept=kept, readers=READERS["NAME/"])
    yield under(layout.RESULTS_PREFIX, "rows")
    erasures = "without limit: digests of keys"
    yield Place(where=layout.ERASURES_PREFIX, holds="no data", kept=erasures, readers=("eraser",))
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        old = min(
            (
                one["NoncurrentVersionExpiration"]["NoncurrentDays"]
                for one in rules
                if one["Status"] == "Enabled" and "NoncurrentVersionExpiration" in one
            ),
            default=None,
        )
        kept = f"{_days(old)} more" if old else "without limit"
        yield _place(_OLD, "raw data", kept, old)
    else:
        yield Place(where=_OLD, holds="raw data", kept="off: the bucket keeps none")


def _place(where: str, holds: Holds, kept: str, days: float | None = None) -> Place:
    return Place(where=where, holds=holds, kept=kept, days=days, readers=READERS[where])


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"
