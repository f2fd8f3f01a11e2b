"""AWS's limits as types, shared by the settings and the components' arguments.

Standard library only, so that settings can be read without a provider.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from components.arguments.checks import Label, OneOf, Pattern, Range
from schema import Column, Schema

BillingMode = Literal["on-demand", "provisioned"]
StreamMode = Literal["on-demand", "provisioned"]
StreamViewType = Literal["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "KEYS_ONLY"]
"""No OLD_IMAGE: inserts and updates would reach the lake without their values."""
LogLevel = Literal["OFF", "ERROR", "INFO", "TRACE"]
MonitoringLevel = Literal["full", "basic", "off"]
DeliveryFormat = Literal["json", "parquet"]
Compression = Literal["gzip", "none"]

Capacity = Annotated[int, Range(1, 40_000)]
Shards = Annotated[int, Range(1, 10_000)]
StreamRetentionHours = Annotated[int, Range(24, 8_760)]

BatchSize = Annotated[int, Range(1, 500)]
"""A DynamoDB stream source allows 10,000 records, but a Kinesis target only 500."""
BatchWindowSeconds = Annotated[int, Range(0, 300)]
RecordAgeSeconds = Annotated[int, Range(60, 604_800, others=(-1,))]
RetryAttempts = Annotated[int, Range(-1, 10_000)]
Parallelization = Annotated[int, Range(1, 10)]
NO_ORDER = "$.eventID"
"""The partition key path that spreads changes evenly and keeps no order."""
_PARTITION_KEY_PATH = Pattern(
    r"\$\.eventID|\$\.dynamodb\.Keys\.[A-Za-z0-9_-]+\.[SNB]",
    "a JSONPath that every change record has: $.dynamodb.Keys.<key>.S (.N, .B) or $.eventID",
)
PartitionKeyPath = Annotated[str, _PARTITION_KEY_PATH]
FILTER_PATTERNS = 5
"""The maximum number of filter patterns of a pipe."""

BufferSizeMb = Annotated[int, Range(1, 128)]
BufferIntervalSeconds = Annotated[int, Range(0, 900)]
PARQUET_BUFFER_MB = 64
"""Firehose's minimum buffer size for conversion to Parquet."""
TransformBufferSizeMb = Annotated[float, Range(0.2, 3)]
TransformBufferIntervalSeconds = Annotated[int, Range(0, 900)]
TimeoutSeconds = Annotated[int, Range(1, 900)]
MemoryMb = Annotated[int, Range(128, 10_240)]
RetentionDays = Annotated[int, Range(1, 36_500)]
PseudonymKeyVersion = Annotated[int, Range(1, 1_000_000)]
_MONTHS_AND_YEARS = (400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
LogRetentionDays = Annotated[
    int, OneOf((1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, *_MONTHS_AND_YEARS))
]

ScanLimitMb = Annotated[int, Range(10, 7_000_000)]
"""Athena's minimum, which is also the least it bills for a query."""
DatabaseName = Annotated[
    str, Pattern(r"[a-z0-9_]{1,255}", "lower-case letters, digits and _ (at most 255)")
]
Cron = Annotated[
    str,
    Pattern(r"cron\(\S+( \S+){5}\)", "a cron expression of six fields, such as cron(0 3 * * ? *)"),
]
Schedule = Annotated[
    str,
    Pattern(
        r"cron\(\S+( \S+){5}\)|rate\([1-9]\d* (minute|hour|day)s?\)",
        "rate(5 minutes), or cron( ) with six fields",
    ),
]
Orders = Annotated[int, Range(1, 100_000)]

GlueWorkers = Annotated[int, Range(2, 299)]
ExecutionClass = Literal["standard", "flex"]
GlueTimeoutMinutes = Annotated[int, Range(1, 7 * 24 * 60)]
GlueRetries = Annotated[int, Range(0, 10)]
LookBackHours = Annotated[int, Range(1, 24 * 365)]
CompactFiles = Annotated[int, Range(2, 1_000)]
OrphanDays = Annotated[int, Range(2, 365)]
"""Iceberg does not delete files younger than a day: a run may be writing them."""
Buckets = Annotated[int, Range(1, 1_024)]
Percent = Annotated[float, Range(0.01, 100)]
EmailAddress = Annotated[str, Pattern(r"[^@\s]+@[^@\s]+", "an e-mail address")]
Share = Annotated[float, Range(0, 1)]

TableName = Annotated[
    str,
    Pattern(r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, dots, hyphens and underscores"),
]
AttributeName = Annotated[str, Pattern(r".{1,255}", "an attribute's name (1 to 255 characters)")]
KeyArn = Annotated[
    str,
    Pattern(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
        "the ARN of a KMS key, not of an alias (arn:aws:kms:<region>:<account>:key/<id>)",
    ),
]
QuickSightPrincipalArn = Annotated[
    str,
    Pattern(
        r"arn:aws[a-z-]*:quicksight:[a-z0-9-]+:\d{12}:(user|group)/[^/]+/.+",
        "the ARN of a QuickSight user or group",
    ),
]
FunctionArn = Annotated[
    str,
    Pattern(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_:$-]+",
        "the ARN of a Lambda function",
    ),
]


def key_path(column: Column) -> str:
    """The JSON path of a key in a change record."""
    return f"$.dynamodb.Keys.{column.attribute}.{column.key_types[0]}"


def partition_key_path(schema: Schema) -> str:
    """The Kinesis partition key that keeps the changes of one item in order."""
    return key_path(schema[schema.key])


def some_path(args: Any, label: Label) -> str | None:
    """Pipes has no way to write the name of every attribute in a path."""
    path = args.partition_key_path or partition_key_path(args.schema)
    if args.partition_key_path or not _PARTITION_KEY_PATH.problem(path):
        return None
    attribute = args.schema.key_attributes[0]
    return (
        f"{label('partition_key_path')}: must be {NO_ORDER}, because no JSONPath reaches a key "
        f"named {attribute!r}; sequence_number still orders the changes of an item"
    )


def window_below_age(args: Any, label: Label) -> str | None:
    """Records must not reach their maximum age while the pipe collects a batch."""
    window, age = args.batch_window_seconds, args.maximum_record_age_seconds
    if age == -1 or window < age:
        return None
    return (
        f"{label('batch_window_seconds')}: must be below "
        f"{label('maximum_record_age_seconds')} ({age}), not {window}"
    )


def some_retries(args: Any, label: Label) -> str | None:
    """The AWS provider omits a 0 when it creates a pipe, and AWS then retries without limit."""
    if args.maximum_retry_attempts != 0:
        return None
    retries = label("maximum_retry_attempts")
    return f"{retries}: 0 would be deployed as -1, without limit; set 1 or more, or -1"


def resharding(current: int, target: int) -> str | None:
    """One update can at most halve or double the number of open shards."""
    least, most = (current + 1) // 2, 2 * current
    if least <= target <= most:
        return None
    step = least if target < least else most
    return (
        f"Kinesis changes the open shards (now {current}) at once to no fewer than {least} and no "
        f"more than {most}, not to {target}: set shards to {step} and deploy, then go on from there"
    )


def few_filters(args: Any, label: Label) -> str | None:
    """A pipe takes few filter patterns."""
    count = len(args.filter_patterns)
    if count <= FILTER_PATTERNS:
        return None
    return f"{label('filter_patterns')}: at most {FILTER_PATTERNS} patterns, not {count}"


def parquet_buffers_enough(args: Any, label: Label) -> str | None:
    """Firehose needs a larger buffer for Parquet."""
    if args.delivery_format != "parquet" or args.buffer_size_mb >= PARQUET_BUFFER_MB:
        return None
    return (
        f"{label('buffer_size_mb')}: must be {PARQUET_BUFFER_MB} or more when "
        f"{label('delivery_format')} is parquet, not {args.buffer_size_mb}"
    )
