"""Change data capture for a table that exists, with nested items: see README.md."""

from pathlib import Path

import pulumi

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
shop.export()
