"""Change data capture for shipments: a table with its own keys and columns."""

import pulumi

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
shipments.export()
