"""Change data capture for shipments: a table with its own keys and columns."""

import pulumi

from components.archives import functions
from components.catalog import SavedQuery
from components.change_data_capture import ChangeDataCapture, ChangeDataCaptureArgs
from schema import Column, Schema

SHIPMENTS = Schema(
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

on_this_machine = pulumi.Config().get("lambdaPlatform") == "host"
args = ChangeDataCaptureArgs(
    schema=SHIPMENTS,
    stream_mode="provisioned",
    buffer_interval_seconds=pulumi.Config().get_int("bufferIntervalSeconds") or 60,
    saved_queries=[
        SavedQuery(
            name="heaviest-legs",
            description="The ten heaviest legs",
            sql="SELECT shipment_no, leg, max(weight_kg) AS kg FROM projection "
            "GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10",
        )
    ],
    platform=functions.platform("host" if on_this_machine else "aws"),
    protect=False,
)
shipments = ChangeDataCapture(f"shipments-{pulumi.get_stack()}", args)

pulumi.export("tableName", shipments.table_name)
pulumi.export("bucketName", shipments.bucket_name)
pulumi.export("databaseName", shipments.database_name)
pulumi.export("workgroupName", shipments.workgroup_name)
