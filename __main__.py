"""The stack: read the settings, wire the components as the data flows, export the names."""

import pulumi
import pulumi_aws as aws

from analytics import load_batch_view, load_queries, load_views
from components.access import Access, AccessArgs
from components.archives import functions
from components.arguments.stack_config import load_settings
from components.batch_projection import BatchProjection, BatchProjectionArgs
from components.catalog import Catalog, CatalogArgs, SavedQuery, View
from components.cdc_source import CdcSource, CdcSourceArgs
from components.change_stream import ChangeStream, ChangeStreamArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.log_packing import LogPacking, LogPackingArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.order_generator import OrderGenerator, OrderGeneratorArgs
from components.quicksight_dashboard import QuickSightDashboard, QuickSightDashboardArgs
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from schema.layout import RESULTS_PREFIX

settings = load_settings()
schema = settings.schema
key = settings.kms_key_arn
platform = functions.platform(settings.lambda_platform)
prefix = f"sales-cdc-{pulumi.get_stack()}"
database = prefix.replace("-", "_").lower()

# The table, and a stream of its changes.
source = CdcSource(
    f"{prefix}-orders",
    CdcSourceArgs(
        schema=schema,
        source_table=settings.source_table,
        table_name=settings.table_name,
        stream_view_type=settings.stream_view_type,
        billing_mode=settings.billing_mode,
        read_capacity=settings.read_capacity,
        write_capacity=settings.write_capacity,
        ttl_attribute=settings.ttl_attribute,
        point_in_time_recovery=settings.point_in_time_recovery,
        kms_key_arn=key,
        protect=settings.protect,
    ),
)

# Kinesis, and its reader before its writer: Firehose reads from the moment of its creation.
changes = ChangeStream(
    f"{prefix}-bridge",
    ChangeStreamArgs(
        stream_mode=settings.stream_mode,
        shards=settings.shards,
        stream_retention_hours=settings.stream_retention_hours,
        kms_key_arn=key,
    ),
)
lake = DeliveryToLake(
    f"{prefix}-lake",
    DeliveryToLakeArgs(
        kinesis_stream_arn=changes.stream_arn,
        kms_key_arn=key,
        schema=schema,
        delivery_format=settings.delivery_format,
        compression=settings.compression,
        buffer_size_mb=settings.buffer_size_mb,
        buffer_interval_seconds=settings.buffer_interval_seconds,
        transform_buffer_size_mb=settings.transform_buffer_size_mb,
        transform_buffer_interval_seconds=settings.transform_buffer_interval_seconds,
        transform_memory_mb=settings.transform_memory_mb,
        monitoring_level=settings.monitoring,
        platform=platform,
        pseudonym_key_version=settings.pseudonym_key_version,
        retention_days=settings.retention_days,
        failed_retention_days=settings.failed_retention_days,
        expire_days_by_prefix={RESULTS_PREFIX: settings.result_retention_days},
        log_retention_days=settings.log_retention_days,
        protect=settings.protect,
    ),
)
bridge = StreamBridge(
    f"{prefix}-bridge",
    StreamBridgeArgs(
        source_stream_arn=source.stream_arn,
        target_stream_arn=changes.stream_arn,
        schema=schema,
        partition_key_path=settings.partition_key_path,
        kms_key_arn=key,
        table_kms_key_arn=source.table_kms_key_arn,
        batch_size=settings.batch_size,
        batch_window_seconds=settings.batch_window_seconds,
        maximum_record_age_seconds=settings.maximum_record_age_seconds,
        maximum_retry_attempts=settings.maximum_retry_attempts,
        parallelization_factor=settings.parallelization_factor,
        filter_patterns=settings.filter_patterns,
        enrichment_function_arn=settings.enrichment_function_arn,
        pipe_log_level=settings.pipe_log_level,
        log_retention_days=settings.log_retention_days,
    ),
    pulumi.ResourceOptions(depends_on=[lake]),
)

# Tables over the lake, and questions about them.
catalog = Catalog(
    f"{prefix}-catalog",
    CatalogArgs(
        bucket_name=lake.bucket_name,
        bucket_arn=lake.bucket_arn,
        database_name=database,
        schema=schema,
        delivery_format=settings.delivery_format,
        compression=settings.compression,
        retention_days=settings.retention_days,
        failed_retention_days=settings.failed_retention_days,
        crawler_schedule=settings.crawler_schedule,
        scan_limit_mb=settings.scan_limit_mb,
        views=[
            View(name=view.name, sql=view.sql, columns=view.columns)
            for view in load_views(database, schema)
        ],
        saved_queries=[
            SavedQuery(name=query.name, description=query.title, sql=query.saved_sql)
            for query in load_queries(schema)
        ],
        kms_key_arn=key,
        log_retention_days=settings.log_retention_days,
        batch_schedule=settings.batch_schedule,
        protect=settings.protect,
    ),
)
view = load_batch_view(database, schema)
batch = BatchProjection(
    f"{prefix}-batch",
    BatchProjectionArgs(
        bucket_name=lake.bucket_name,
        bucket_arn=lake.bucket_arn,
        database_name=catalog.database_name,
        database_arn=catalog.database_arn,
        schema=schema,
        view=View(name=view.name, sql=view.sql, columns=view.columns),
        batch_schedule=settings.batch_schedule,
        batch_worker_type=settings.batch_worker_type,
        batch_workers=settings.batch_workers,
        batch_execution_class=settings.batch_execution_class,
        batch_timeout_minutes=settings.batch_timeout_minutes,
        batch_retries=settings.batch_retries,
        batch_look_back_hours=settings.batch_look_back_hours,
        batch_compact_files=settings.batch_compact_files,
        batch_snapshot_days=settings.batch_snapshot_days,
        batch_orphan_days=settings.batch_orphan_days,
        batch_buckets=settings.batch_buckets,
        platform=platform,
        log_retention_days=settings.log_retention_days,
        kms_key_arn=key,
    ),
)

# Without a schedule, the batch job does not pack the log: a function may.
packing = (
    LogPacking(
        f"{prefix}-packing",
        LogPackingArgs(
            bucket_name=lake.bucket_name,
            bucket_arn=lake.bucket_arn,
            pack_schedule=settings.pack_schedule,
            batch_look_back_hours=settings.batch_look_back_hours,
            platform=platform,
            log_retention_days=settings.log_retention_days,
            kms_key_arn=key,
        ),
    )
    if settings.pack_schedule
    else None
)

# Policies for writers, readers and operators.
access = Access(
    f"{prefix}-access",
    AccessArgs(
        table_arn=source.table_arn,
        stream_arn=source.stream_arn,
        kinesis_stream_arn=changes.stream_arn,
        pipe_arn=bridge.pipe_arn,
        dlq_arn=bridge.dlq_arn,
        bucket_arn=lake.bucket_arn,
        database_arn=catalog.database_arn,
        workgroup_arn=catalog.workgroup_arn,
        schema=schema,
        delivery_stream_name=lake.delivery_stream_name,
        transform_function_name=lake.transform_function_name,
        batch_job_name=batch.batch_job_name,
        pseudonym_key_arn=lake.pseudonym_key_arn,
        enrichment_function_arn=settings.enrichment_function_arn,
        kms_key_arn=key,
        table_kms_key_arn=source.table_kms_key_arn,
    ),
)

pulumi.export("region", aws.get_region_output().region)
pulumi.export("tableName", source.table_name)
pulumi.export("tableArn", source.table_arn)
pulumi.export("streamArn", source.stream_arn)
pulumi.export("kinesisStreamName", changes.stream_name)
pulumi.export("pipeName", bridge.pipe_name)
pulumi.export("dlqUrl", bridge.dlq_url)
pulumi.export("deliveryStreamName", lake.delivery_stream_name)
pulumi.export("transformFunctionName", lake.transform_function_name)
pulumi.export("bucketName", lake.bucket_name)
pulumi.export("databaseName", catalog.database_name)
pulumi.export("projectionTable", catalog.projection_table)
pulumi.export("failedTable", catalog.failed_table)
pulumi.export("crawlerName", catalog.crawler_name)
pulumi.export("workgroupName", catalog.workgroup_name)
pulumi.export("batchJobName", batch.batch_job_name)
pulumi.export("writerPolicyArn", access.writer_policy_arn)
pulumi.export("readerPolicyArn", access.reader_policy_arn)
pulumi.export("operatorPolicyArn", access.operator_policy_arn)
pulumi.export("eraserPolicyArn", access.eraser_policy_arn)
pulumi.export("schema", schema.to_json())
if lake.pseudonym_key_arn:
    pulumi.export("pseudonymKeyArn", lake.pseudonym_key_arn)

if batch.batch_check_function_name is not None:
    pulumi.export("batchCheckFunctionName", batch.batch_check_function_name)
if packing is not None:
    pulumi.export("packFunctionName", packing.pack_function_name)
if settings.monitoring != "off":
    monitoring = Monitoring(
        f"{prefix}-monitoring",
        MonitoringArgs(
            table_name=source.table_name,
            stream_arn=source.stream_arn,
            pipe_name=bridge.pipe_name,
            dlq_arn=bridge.dlq_arn,
            stream_name=changes.stream_name,
            delivery_stream_name=lake.delivery_stream_name,
            transform_function_name=lake.transform_function_name,
            crawler_name=catalog.crawler_name,
            job_names=[batch.batch_job_name],
            batch_check_function_name=batch.batch_check_function_name,
            pack_function_name=packing.pack_function_name if packing else None,
            monitoring_level=settings.monitoring,
            alarm_email=settings.alarm_email,
            batch_window_seconds=settings.batch_window_seconds,
            buffer_interval_seconds=settings.buffer_interval_seconds,
            transform_buffer_interval_seconds=settings.transform_buffer_interval_seconds,
            failed_record_percent=settings.failed_record_percent,
            delivery_format=settings.delivery_format,
            kms_key_arn=key,
            filter_patterns=settings.filter_patterns,
        ),
    )
    pulumi.export("alarmTopicArn", monitoring.alarm_topic_arn)
    if monitoring.operations_dashboard_name is not None:
        pulumi.export("operationsDashboardName", monitoring.operations_dashboard_name)
if settings.order_generator:
    generator = OrderGenerator(
        f"{prefix}-generator",
        OrderGeneratorArgs(
            table_name=source.table_name,
            table_arn=source.table_arn,
            order_generator_schedule=settings.order_generator_schedule,
            order_generator_orders=settings.order_generator_orders,
            platform=platform,
            log_retention_days=settings.log_retention_days,
            kms_key_arn=key,
            table_kms_key_arn=source.table_kms_key_arn,
        ),
    )
    pulumi.export("orderGeneratorFunctionName", generator.function_name)
if settings.dashboard_principal_arn and settings.dashboard:
    dashboard = QuickSightDashboard(
        f"{prefix}-dashboard",
        QuickSightDashboardArgs(
            workgroup_name=catalog.workgroup_name,
            workgroup_arn=catalog.workgroup_arn,
            database_name=catalog.database_name,
            database_arn=catalog.database_arn,
            bucket_arn=lake.bucket_arn,
            dashboard_principal_arn=settings.dashboard_principal_arn,
            kms_key_arn=key,
            schema=schema,
        ),
    )
    pulumi.export("dashboardUrl", dashboard.dashboard_url)
