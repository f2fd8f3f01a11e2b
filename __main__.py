"""The stack: read the settings, wire the components, export the names."""

import pulumi
import pulumi_aws as aws

import analytics
from components import layout, packages
from components.access import Access, AccessArgs
from components.catalog import Catalog, CatalogArgs, SavedQuery, View
from components.cdc_source import CdcSource, CdcSourceArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.lambda_package import Platform
from components.order_generator import OrderGenerator, OrderGeneratorArgs
from components.settings import Settings, SettingsError
from components.stack_config import read_config
from components.stream_bridge import StreamBridge, StreamBridgeArgs

try:
    settings = Settings.load(read_config())
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

prefix = f"sales-cdc-{pulumi.get_stack()}"
database = prefix.replace("-", "_").lower()
schema, pick = settings.schema, settings.pick
platform = Platform.host() if settings.lambda_platform == "host" else packages.AWS


def deliver(stream_arn: pulumi.Output[str]) -> DeliveryToLake:
    """Deliver what the bridge carries."""
    expire = {layout.RESULTS_PREFIX: settings.result_retention_days}
    args = DeliveryToLakeArgs(
        kinesis_stream_arn=stream_arn,
        schema=schema,
        platform=platform,
        expire_days_by_prefix=expire,
        **pick(DeliveryToLakeArgs),
    )
    return DeliveryToLake(f"{prefix}-lake", args)


orders = CdcSource(f"{prefix}-orders", CdcSourceArgs(schema=schema, **pick(CdcSourceArgs)))
bridge_args = StreamBridgeArgs(
    source_stream_arn=orders.stream_arn, reader=deliver, **pick(StreamBridgeArgs)
)
bridge = StreamBridge(f"{prefix}-bridge", bridge_args)
lake = bridge.reader
catalog_args = CatalogArgs(
    bucket_name=lake.bucket_name,
    bucket_arn=lake.bucket_arn,
    database_name=database,
    schema=schema,
    views=[
        View(name=view.name, sql=view.sql, columns=view.columns)
        for view in analytics.load_views(database, schema)
    ],
    saved_queries=[
        SavedQuery(name=query.name, description=query.title, sql=query.saved_sql)
        for query in analytics.load_queries()
    ],
    **pick(CatalogArgs),
)
catalog = Catalog(f"{prefix}-catalog", catalog_args)
access_args = AccessArgs(
    table_arn=orders.table_arn,
    bucket_arn=lake.bucket_arn,
    database_arn=catalog.database_arn,
    workgroup_arn=catalog.workgroup_arn,
)
access = Access(f"{prefix}-access", access_args)

pulumi.export("region", aws.get_region_output().region)
pulumi.export("tableName", orders.table_name)
pulumi.export("tableArn", orders.table_arn)
pulumi.export("streamArn", orders.stream_arn)
pulumi.export("kinesisStreamName", bridge.stream_name)
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
pulumi.export("writerPolicyArn", access.writer_policy_arn)
pulumi.export("readerPolicyArn", access.reader_policy_arn)

if settings.order_generator:
    generator_args = OrderGeneratorArgs(
        table_name=orders.table_name,
        table_arn=orders.table_arn,
        platform=platform,
        **pick(OrderGeneratorArgs),
    )
    generator = OrderGenerator(f"{prefix}-generator", generator_args)
    pulumi.export("orderGeneratorFunctionName", generator.function_name)
