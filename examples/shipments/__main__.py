"""Change data capture for shipments: a table with its own keys and columns."""

import pulumi
import pulumi_aws as aws

from components.catalog import SavedQuery
from components.change_data_capture import ChangeDataCapture, ChangeDataCaptureArgs
from schema import Column, Schema

SHIPMENTS = Schema(
    name="shipments",
    key="shipment_no",
    sort_key="leg",
    columns=(
        Column(name="shipment_no", type="bigint", comment="identifies the shipment", required=True),
        Column(name="leg", type="int", comment="leg of the route, from 1", required=True),
        Column(name="carrier", type="string"),
        Column(name="weight_kg", type="decimal(8,3)"),
        Column(name="fragile", type="boolean"),
        Column(name="handed_over_at", type="timestamp"),
    ),
)

args = ChangeDataCaptureArgs(
    schema=SHIPMENTS,
    stream_mode="provisioned",
    saved_queries=[
        SavedQuery(
            name="heaviest-legs",
            description="The ten heaviest legs",
            sql="SELECT shipment_no, leg, weight_kg FROM current_shipments "
            "ORDER BY weight_kg DESC LIMIT 10",
        )
    ],
    protect=False,
)
shipments = ChangeDataCapture(f"shipments-{pulumi.get_stack()}", args)

# Under these names the tools find them: `python -m analytics`, `python -m operate`.
pulumi.export("schema", SHIPMENTS.to_json())
pulumi.export("region", aws.get_region_output().region)
pulumi.export("tableName", shipments.table_name)
pulumi.export("tableArn", shipments.table_arn)
pulumi.export("streamArn", shipments.stream_arn)
pulumi.export("kinesisStreamName", shipments.stream_name)
pulumi.export("pipeName", shipments.pipe_name)
pulumi.export("dlqUrl", shipments.dlq_url)
pulumi.export("deliveryStreamName", shipments.delivery_stream_name)
pulumi.export("transformFunctionName", shipments.transform_function_name)
pulumi.export("bucketName", shipments.bucket_name)
pulumi.export("databaseName", shipments.database_name)
pulumi.export("projectionTable", shipments.projection_table)
pulumi.export("failedTable", shipments.failed_table)
pulumi.export("workgroupName", shipments.workgroup_name)
pulumi.export("writerPolicyArn", shipments.writer_policy_arn)
pulumi.export("readerPolicyArn", shipments.reader_policy_arn)
pulumi.export("operatorPolicyArn", shipments.operator_policy_arn)
