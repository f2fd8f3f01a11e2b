"""The whole pipeline for one table as one component, from its changes to Athena queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from analytics import load_views
from components.access import Access, AccessArgs
from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.catalog import Catalog, CatalogArgs, SavedQuery, View, default_database_name
from components.cdc_source import CdcSource, CdcSourceArgs
from components.change_stream import ChangeStream, ChangeStreamArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from schema import ORDERS, Schema, layout


@dataclass(frozen=True, kw_only=True)
class ChangeDataCaptureArgs:
    """Arguments of `ChangeDataCapture`. All are optional.

    Parameters
    ----------
    schema:
        The table's keys and columns. Attributes that are not in the schema are kept as JSON.
    source_table:
        The name of an existing table, with a stream, in the same account and region. It is read
        and never changed, replaced or deleted. Without it, a new table is created.
    stream_view_type:
        Which images of an item a change record of a new table holds. Choose before the first
        deployment.
    ttl_attribute:
        The attribute of a new table that holds an item's expiry time (epoch seconds). Without it,
        items do not expire.
    point_in_time_recovery:
        Enable point-in-time recovery of a new table: restore it to any second of the last 35 days.
    partition_key_path:
        The JSON path of the Kinesis partition key. Default: the schema's partition key.
    stream_mode, shards:
        The capacity mode of the Kinesis stream. ``shards`` applies to ``provisioned`` only.
    kms_key_arn:
        Encrypts a new table, the stream, the bucket, dead letters, logs and query results. Without
        it, AWS-managed keys are used.
    filter_patterns:
        EventBridge event patterns. Only changes that match at least one are captured. Without
        patterns, all changes are captured.
    delivery_format:
        The format of the objects in the bucket. ``parquet`` costs more to write and less to query.
    buffer_size_mb, buffer_interval_seconds:
        Firehose writes an object when either is reached. Parquet needs 64 MB or more.
    retention_days:
        Days after which event rows are deleted. Queries cover the same period.
    failed_retention_days:
        Days after which failed records, which are raw data, are deleted.
    pseudonym_key_version:
        Another number makes another key of pseudonyms, if the schema hashes columns.
    result_retention_days:
        Days after which query results are deleted.
    scan_limit_mb:
        Athena cancels a query that scans more than this.
    views, saved_queries:
        Views in the database and saved queries in the workgroup. The views ``changes`` (the log
        without duplicates) and ``current_<schema's name>`` (the latest state of each item) are
        there anyway, unless a view of yours has the name.
    log_retention_days:
        Days for which log groups keep events.
    platform:
        The platform the transform is built for.
    protect:
        Prevent deletion of a new table, the bucket and a workgroup that is not empty. When off,
        ``pulumi destroy`` deletes everything.
    """

    schema: Schema = ORDERS
    source_table: limits.TableName | None = None
    stream_view_type: limits.StreamViewType = Settings.stream_view_type
    ttl_attribute: limits.AttributeName | None = None
    point_in_time_recovery: bool = Settings.point_in_time_recovery
    partition_key_path: limits.PartitionKeyPath | None = None
    stream_mode: limits.StreamMode = Settings.stream_mode
    shards: limits.Shards = Settings.shards
    kms_key_arn: limits.KeyArn | None = None
    filter_patterns: Sequence[Mapping[str, Any]] = ()
    delivery_format: limits.DeliveryFormat = Settings.delivery_format
    buffer_size_mb: limits.BufferSizeMb = Settings.buffer_size_mb
    buffer_interval_seconds: limits.BufferIntervalSeconds = Settings.buffer_interval_seconds
    retention_days: limits.RetentionDays = Settings.retention_days
    failed_retention_days: limits.RetentionDays = Settings.failed_retention_days
    pseudonym_key_version: limits.PseudonymKeyVersion = Settings.pseudonym_key_version
    result_retention_days: limits.RetentionDays = Settings.result_retention_days
    scan_limit_mb: limits.ScanLimitMb = Settings.scan_limit_mb
    views: Sequence[View] = ()
    saved_queries: Sequence[SavedQuery] = ()
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    platform: Platform = field(default_factory=lambda: functions.AWS)
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, limits.few_filters, limits.parquet_buffers_enough, limits.some_path)


class ChangeDataCapture(pulumi.ComponentResource):
    """A DynamoDB table, new or existing, and the pipeline from its changes to Athena."""

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
    """The URL of the dead-letter queue. Its messages point to changes the pipe gave up on."""
    bucket_name: pulumi.Output[str]
    """The bucket for event rows and query results."""
    delivery_stream_name: pulumi.Output[str]
    """The Firehose delivery stream's name."""
    transform_function_name: pulumi.Output[str]
    """The function that turns change records into event rows."""
    database_name: pulumi.Output[str]
    """The Glue database."""
    projection_table: pulumi.Output[str]
    """The table of event rows."""
    failed_table: pulumi.Output[str]
    """The table of records that the transform rejected."""
    workgroup_name: pulumi.Output[str]
    """The Athena workgroup."""
    writer_policy_arn: pulumi.Output[str]
    """The ARN of an IAM policy for writing to the table."""
    reader_policy_arn: pulumi.Output[str]
    """The ARN of an IAM policy for querying in Athena."""
    operator_policy_arn: pulumi.Output[str]
    """The ARN of an IAM policy for replays. ``verify`` needs the reader policy as well."""
    eraser_policy_arn: pulumi.Output[str]
    """The ARN of an IAM policy for erasing items from the lake."""
    pseudonym_key_arn: pulumi.Output[str] | None
    """The ARN of the secret with the key of pseudonyms; only if the schema hashes columns."""

    def __init__(
        self,
        name: str,
        args: ChangeDataCaptureArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sales-cdc:index:ChangeDataCapture", name, None, opts)
        args = args or ChangeDataCaptureArgs()
        self._schema = args.schema
        child = pulumi.ResourceOptions(parent=self)
        database_name = default_database_name(f"{name}-catalog")
        views = {
            view.name: View(name=view.name, sql=view.sql, columns=view.columns)
            for view in load_views(database_name, args.schema)
        } | {view.name: view for view in args.views}
        source = CdcSource(
            f"{name}-source",
            CdcSourceArgs(
                schema=args.schema,
                source_table=args.source_table,
                stream_view_type=args.stream_view_type,
                ttl_attribute=args.ttl_attribute,
                point_in_time_recovery=args.point_in_time_recovery,
                kms_key_arn=args.kms_key_arn,
                protect=args.protect,
            ),
            child,
        )
        changes = ChangeStream(
            f"{name}-bridge",
            ChangeStreamArgs(
                stream_mode=args.stream_mode, shards=args.shards, kms_key_arn=args.kms_key_arn
            ),
            child,
        )
        lake = DeliveryToLake(
            f"{name}-lake",
            DeliveryToLakeArgs(
                kinesis_stream_arn=changes.stream_arn,
                kms_key_arn=args.kms_key_arn,
                schema=args.schema,
                delivery_format=args.delivery_format,
                buffer_size_mb=args.buffer_size_mb,
                buffer_interval_seconds=args.buffer_interval_seconds,
                platform=args.platform,
                pseudonym_key_version=args.pseudonym_key_version,
                retention_days=args.retention_days,
                failed_retention_days=args.failed_retention_days,
                expire_days_by_prefix={layout.RESULTS_PREFIX: args.result_retention_days},
                log_retention_days=args.log_retention_days,
                protect=args.protect,
            ),
            child,
        )
        bridge = StreamBridge(
            f"{name}-bridge",
            StreamBridgeArgs(
                source_stream_arn=source.stream_arn,
                target_stream_arn=changes.stream_arn,
                schema=args.schema,
                partition_key_path=args.partition_key_path,
                kms_key_arn=args.kms_key_arn,
                table_kms_key_arn=source.table_kms_key_arn,
                filter_patterns=args.filter_patterns,
                log_retention_days=args.log_retention_days,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[lake]),
        )
        catalog = Catalog(
            f"{name}-catalog",
            CatalogArgs(
                bucket_name=lake.bucket_name,
                bucket_arn=lake.bucket_arn,
                database_name=database_name,
                schema=args.schema,
                delivery_format=args.delivery_format,
                retention_days=args.retention_days,
                failed_retention_days=args.failed_retention_days,
                scan_limit_mb=args.scan_limit_mb,
                views=[*views.values()],
                saved_queries=args.saved_queries,
                kms_key_arn=args.kms_key_arn,
                log_retention_days=args.log_retention_days,
                protect=args.protect,
            ),
            child,
        )
        access = Access(
            f"{name}-access",
            AccessArgs(
                table_arn=source.table_arn,
                stream_arn=source.stream_arn,
                kinesis_stream_arn=changes.stream_arn,
                pipe_arn=bridge.pipe_arn,
                dlq_arn=bridge.dlq_arn,
                bucket_arn=lake.bucket_arn,
                database_arn=catalog.database_arn,
                workgroup_arn=catalog.workgroup_arn,
                schema=args.schema,
                delivery_stream_name=lake.delivery_stream_name,
                transform_function_name=lake.transform_function_name,
                pseudonym_key_arn=lake.pseudonym_key_arn,
                kms_key_arn=args.kms_key_arn,
                table_kms_key_arn=source.table_kms_key_arn,
            ),
            child,
        )
        self.table_name = source.table_name
        self.table_arn = source.table_arn
        self.stream_arn = source.stream_arn
        self.stream_name = changes.stream_name
        self.pipe_name = bridge.pipe_name
        self.dlq_url = bridge.dlq_url
        self.bucket_name = lake.bucket_name
        self.delivery_stream_name = lake.delivery_stream_name
        self.transform_function_name = lake.transform_function_name
        self.database_name = catalog.database_name
        self.projection_table = catalog.projection_table
        self.failed_table = catalog.failed_table
        self.workgroup_name = catalog.workgroup_name
        self.writer_policy_arn = access.writer_policy_arn
        self.reader_policy_arn = access.reader_policy_arn
        self.operator_policy_arn = access.operator_policy_arn
        self.eraser_policy_arn = access.eraser_policy_arn
        self.pseudonym_key_arn = lake.pseudonym_key_arn
        self.register_outputs(
            {
                "table_name": self.table_name,
                "table_arn": self.table_arn,
                "stream_arn": self.stream_arn,
                "stream_name": self.stream_name,
                "pipe_name": self.pipe_name,
                "dlq_url": self.dlq_url,
                "bucket_name": self.bucket_name,
                "delivery_stream_name": self.delivery_stream_name,
                "transform_function_name": self.transform_function_name,
                "database_name": self.database_name,
                "projection_table": self.projection_table,
                "failed_table": self.failed_table,
                "workgroup_name": self.workgroup_name,
                "writer_policy_arn": self.writer_policy_arn,
                "reader_policy_arn": self.reader_policy_arn,
                "operator_policy_arn": self.operator_policy_arn,
                "eraser_policy_arn": self.eraser_policy_arn,
                **({"pseudonym_key_arn": self.pseudonym_key_arn} if self.pseudonym_key_arn else {}),
            }
        )

    def export(self) -> None:
        """Export the stack outputs that `python -m analytics` and `python -m operate` read."""
        pulumi.export("schema", self._schema.to_json())
        pulumi.export("region", aws.get_region_output().region)
        pulumi.export("tableName", self.table_name)
        pulumi.export("tableArn", self.table_arn)
        pulumi.export("streamArn", self.stream_arn)
        pulumi.export("kinesisStreamName", self.stream_name)
        pulumi.export("pipeName", self.pipe_name)
        pulumi.export("dlqUrl", self.dlq_url)
        pulumi.export("deliveryStreamName", self.delivery_stream_name)
        pulumi.export("transformFunctionName", self.transform_function_name)
        pulumi.export("bucketName", self.bucket_name)
        pulumi.export("databaseName", self.database_name)
        pulumi.export("projectionTable", self.projection_table)
        pulumi.export("failedTable", self.failed_table)
        pulumi.export("workgroupName", self.workgroup_name)
        pulumi.export("writerPolicyArn", self.writer_policy_arn)
        pulumi.export("readerPolicyArn", self.reader_policy_arn)
        pulumi.export("operatorPolicyArn", self.operator_policy_arn)
        pulumi.export("eraserPolicyArn", self.eraser_policy_arn)
        if self.pseudonym_key_arn:
            pulumi.export("pseudonymKeyArn", self.pseudonym_key_arn)
