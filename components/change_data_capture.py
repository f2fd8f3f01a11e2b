"""The whole chain for one table as one component: from its changes to questions about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import pulumi

from components.access import Access, AccessArgs
from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.catalog import Catalog, CatalogArgs, SavedQuery, View
from components.cdc_source import CdcSource, CdcSourceArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from schema import ORDERS, Schema, layout

ArgsT = TypeVar("ArgsT")


@dataclass(frozen=True, kw_only=True)
class ChangeDataCaptureArgs:
    """What a `ChangeDataCapture` is made of; everything has a default.

    Parameters
    ----------
    schema:
        The table's keys and columns. What an item holds beyond them is kept, as JSON.
    stream_view_type:
        What a change record holds. Set it on day one.
    ttl_attribute:
        The attribute that holds an item's expiry (epoch seconds); None: items do not expire.
    point_in_time_recovery:
        Let the table be restored to any second of the last 35 days.
    stream_mode, shards:
        How the Kinesis stream is paid for; ``shards`` counts when ``provisioned``.
    kms_key_arn:
        Encrypts the table, the stream, the bucket, dead letters, logs and answers; without it, keys
        of AWS's own do.
    filter_patterns:
        EventBridge patterns; a change that matches none of them is left out. None: all pass.
    delivery_format:
        What the objects in the bucket hold; ``parquet`` costs more to write and less to read.
    buffer_size_mb, buffer_interval_seconds:
        An object is written when either is reached. Parquet needs 64 MB or more.
    retention_days:
        Objects are deleted after that many days, and queries look back as far.
    result_retention_days:
        The answers of queries are deleted after that many days.
    scan_limit_mb:
        A query that would read more is cancelled.
    views, saved_queries:
        What the database and the workgroup offer beside the table of event rows.
    log_retention_days:
        Log groups keep an event so many days.
    platform:
        What the transform is built for.
    protect:
        Refuse to delete the table, the bucket and a workgroup that is not empty. When off,
        destroying leaves nothing behind.
    """

    schema: Schema = ORDERS
    stream_view_type: limits.StreamViewType = "NEW_AND_OLD_IMAGES"
    ttl_attribute: limits.AttributeName | None = None
    point_in_time_recovery: bool = True
    stream_mode: limits.StreamMode = "on-demand"
    shards: limits.Shards = 1
    kms_key_arn: limits.KeyArn | None = None
    filter_patterns: Sequence[Mapping[str, Any]] = ()
    delivery_format: limits.DeliveryFormat = "json"
    buffer_size_mb: limits.BufferSizeMb = 64
    buffer_interval_seconds: limits.BufferIntervalSeconds = 60
    retention_days: limits.RetentionDays = 30
    result_retention_days: limits.RetentionDays = 7
    scan_limit_mb: limits.ScanLimitMb = 1_024
    views: Sequence[View] = ()
    saved_queries: Sequence[SavedQuery] = ()
    log_retention_days: limits.LogRetentionDays = 14
    platform: Platform = field(default_factory=lambda: functions.AWS)
    protect: bool = True

    def __post_init__(self) -> None:
        checks.require(self, limits.few_filters, limits.parquet_buffers_enough)

    def of(self, kind: type[ArgsT], **others: Any) -> ArgsT:
        """The arguments of a part: its fields that are among these, and ``others``."""
        names = {one.name for one in fields(kind)} & {one.name for one in fields(self)}  # type: ignore[arg-type]
        return kind(**{name: getattr(self, name) for name in names} | others)


class ChangeDataCapture(pulumi.ComponentResource):
    """A DynamoDB table, and everything that makes its changes answer questions in Athena."""

    table_name: pulumi.Output[str]
    """The table's name."""
    table_arn: pulumi.Output[str]
    """The table's ARN."""
    stream_arn: pulumi.Output[str]
    """The ARN of the table's stream."""
    stream_name: pulumi.Output[str]
    """The Kinesis stream's name."""
    pipe_name: pulumi.Output[str]
    """The pipe's name."""
    dlq_url: pulumi.Output[str]
    """The URL of the queue that holds pointers to the changes given up."""
    bucket_name: pulumi.Output[str]
    """The bucket of event rows and answers."""
    delivery_stream_name: pulumi.Output[str]
    """The Firehose delivery stream's name."""
    transform_function_name: pulumi.Output[str]
    """The function that turns change records into event rows."""
    database_name: pulumi.Output[str]
    """The Glue database."""
    projection_table: pulumi.Output[str]
    """The table of event rows."""
    failed_table: pulumi.Output[str]
    """The table of the records that the transform refused."""
    workgroup_name: pulumi.Output[str]
    """The Athena workgroup to ask in."""
    writer_policy_arn: pulumi.Output[str]
    """A policy for whoever writes to the table."""
    reader_policy_arn: pulumi.Output[str]
    """A policy for whoever asks."""

    def __init__(
        self,
        name: str,
        args: ChangeDataCaptureArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sales-cdc:index:ChangeDataCapture", name, None, opts)
        args = args or ChangeDataCaptureArgs()
        child = pulumi.ResourceOptions(parent=self)
        lakes: list[DeliveryToLake] = []

        def deliver(stream_arn: pulumi.Output[str]) -> DeliveryToLake:
            results = {layout.RESULTS_PREFIX: args.result_retention_days}
            lake_args = args.of(
                DeliveryToLakeArgs, kinesis_stream_arn=stream_arn, expire_days_by_prefix=results
            )
            lakes.append(DeliveryToLake(f"{name}-lake", lake_args, child))
            return lakes[0]

        source = CdcSource(f"{name}-source", args.of(CdcSourceArgs), child)
        key = args.schema[args.schema.key]
        bridge_args = args.of(
            StreamBridgeArgs,
            source_stream_arn=source.stream_arn,
            partition_key_path=f"$.dynamodb.Keys.{key.name}.{limits.key_type(key)}",
            reader=deliver,
        )
        bridge = StreamBridge(f"{name}-bridge", bridge_args, child)
        (lake,) = lakes
        bucket = {"bucket_name": lake.bucket_name, "bucket_arn": lake.bucket_arn}
        catalog = Catalog(f"{name}-catalog", args.of(CatalogArgs, **bucket), child)
        access_args = AccessArgs(
            table_arn=source.table_arn,
            bucket_arn=lake.bucket_arn,
            database_arn=catalog.database_arn,
            workgroup_arn=catalog.workgroup_arn,
            kms_key_arn=args.kms_key_arn,
        )
        access = Access(f"{name}-access", access_args, child)
        parts = (source, bridge, lake, catalog, access)
        outputs = {
            output: next(getattr(one, output) for one in parts if hasattr(one, output))
            for output in type(self).__annotations__
        }
        vars(self).update(outputs)
        self.register_outputs(outputs)
