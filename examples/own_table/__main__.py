"""Change data capture for a table that exists, with nested items: see README.md."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.catalog import SavedQuery
from components.change_data_capture import ChangeDataCapture, ChangeDataCaptureArgs
from schema.files import load

ORDERS = load(Path(__file__).parent / "schema.yaml")

args = ChangeDataCaptureArgs(
    schema=ORDERS,
    source_table="shop-orders",
    stream_mode="provisioned",
    saved_queries=[
        SavedQuery(
            name="revenue-by-city",
            description="Units and revenue by city and product, from the lines of all orders",
            sql="SELECT o.address.city, line.sku, sum(line.quantity) AS units, "
            "sum(line.quantity * line.price) AS revenue FROM current_shop_orders AS o "
            "CROSS JOIN UNNEST(o.lines) AS line (sku, title, quantity, price) "
            "GROUP BY o.address.city, line.sku ORDER BY revenue DESC",
        )
    ],
    protect=False,
)
shop = ChangeDataCapture(f"shop-{pulumi.get_stack()}", args)

# Under these names the tools find them: `python -m analytics`, `python -m operate`.
pulumi.export("schema", ORDERS.to_json())
pulumi.export("region", aws.get_region_output().region)
pulumi.export("tableName", shop.table_name)
pulumi.export("tableArn", shop.table_arn)
pulumi.export("streamArn", shop.stream_arn)
pulumi.export("kinesisStreamName", shop.stream_name)
pulumi.export("pipeName", shop.pipe_name)
pulumi.export("dlqUrl", shop.dlq_url)
pulumi.export("deliveryStreamName", shop.delivery_stream_name)
pulumi.export("transformFunctionName", shop.transform_function_name)
pulumi.export("bucketName", shop.bucket_name)
pulumi.export("databaseName", shop.database_name)
pulumi.export("projectionTable", shop.projection_table)
pulumi.export("failedTable", shop.failed_table)
pulumi.export("workgroupName", shop.workgroup_name)
pulumi.export("writerPolicyArn", shop.writer_policy_arn)
pulumi.export("readerPolicyArn", shop.reader_policy_arn)
pulumi.export("operatorPolicyArn", shop.operator_policy_arn)
