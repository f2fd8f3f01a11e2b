"""The stack: read the settings, wire the components, export the names."""

import pulumi
import pulumi_aws as aws

from analytics import load_batch_view, load_queries, load_views
from components.access import Access, AccessArgs
from components.arguments.stack_config import export, load_settings
from components.batch_projection import BatchProjection, BatchProjectionArgs
from components.catalog import Catalog, CatalogArgs, SavedQuery, View
from components.cdc_source import CdcSource, CdcSourceArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.operator import Operator, OperatorArgs
from components.order_generator import OrderGenerator, OrderGeneratorArgs
from components.quicksight_dashboard import Dashboard, DashboardArgs
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from schema.layout import RESULTS_PREFIX

settings = load_settings()
prefix = f"sales-cdc-{pulumi.get_stack()}"
database = prefix.replace("-", "_").lower()
views = [View(**vars(view)) for view in load_views(database, settings.schema)]
queries = [
    SavedQuery(name=query.name, description=query.title, sql=query.saved_sql)
    for query in load_queries(settings.schema)
]


def deliver(stream_arn: pulumi.Output[str]) -> DeliveryToLake:
    """Read the bridge's stream into the lake."""
    args = settings.args(
        DeliveryToLakeArgs,
        kinesis_stream_arn=stream_arn,
        expire_days_by_prefix={RESULTS_PREFIX: settings.result_retention_days},
    )
    return DeliveryToLake(f"{prefix}-lake", args)


orders = CdcSource(f"{prefix}-orders", settings.args(CdcSourceArgs))
bridge_args = settings.args(StreamBridgeArgs, source_stream_arn=orders.stream_arn, reader=deliver)
bridge = StreamBridge(f"{prefix}-bridge", bridge_args)
lake = bridge.reader
assert isinstance(lake, DeliveryToLake)
catalog_args = settings.args(
    CatalogArgs, lake, database_name=database, views=views, saved_queries=queries
)
catalog = Catalog(f"{prefix}-catalog", catalog_args)
access = Access(f"{prefix}-access", settings.args(AccessArgs, orders, lake, catalog))
parts = (orders, bridge, lake, catalog)
view = View(**vars(load_batch_view(database, settings.schema)))
batch_args = settings.args(BatchProjectionArgs, lake, catalog, view=view)
batch = BatchProjection(f"{prefix}-batch", batch_args)
operator_args = settings.args(OperatorArgs, *parts, kinesis_stream_arn=bridge.stream_arn)
operator = Operator(f"{prefix}-operator", operator_args)

pulumi.export("region", aws.get_region_output().region)
export(orders, "table_name", "table_arn", "stream_arn")
pulumi.export("kinesisStreamName", bridge.stream_name)
export(bridge, "pipe_name", "dlq_url")
export(lake, "delivery_stream_name", "transform_function_name", "bucket_name")
export(catalog, "database_name", "projection_table", "failed_table", "crawler_name")
export(catalog, "workgroup_name")
export(access, "writer_policy_arn", "reader_policy_arn")
export(batch, "batch_job_name")
export(operator, "operator_policy_arn")
if settings.sort_key:
    pulumi.export("sortKey", settings.sort_key)

if settings.monitoring:
    monitoring_args = settings.args(MonitoringArgs, *parts, job_names=[batch.batch_job_name])
    monitoring = Monitoring(f"{prefix}-monitoring", monitoring_args)
    export(monitoring, "alarm_topic_arn", "operations_dashboard_name")
if settings.order_generator:
    generator = OrderGenerator(f"{prefix}-generator", settings.args(OrderGeneratorArgs, orders))
    pulumi.export("orderGeneratorFunctionName", generator.function_name)
if settings.dashboard:
    dashboard = Dashboard(f"{prefix}-dashboard", settings.args(DashboardArgs, lake, catalog))
    export(dashboard, "dashboard_url")
