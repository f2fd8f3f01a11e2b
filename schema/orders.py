"""The orders table. A new column is one edit, here."""

from schema.model import Column, Schema

ORDERS = Schema(
    name="orders",
    key="orderid",
    columns=(
        Column(name="orderid", type="string", comment="identifies the order", required=True),
        Column(name="product_name", type="string", comment="the gadget ordered"),
        Column(name="quantity", type="int", comment="units ordered"),
        Column(name="price", type="decimal(10,2)", comment="price of one unit, USD"),
        Column(name="customer", type="string", comment="who ordered", personal=True),
        Column(
            name="status", type="string", comment="placed, paid, shipped, delivered or cancelled"
        ),
        Column(name="created_at", type="timestamp", comment="when the order was placed, UTC"),
    ),
)


def about_orders(schema: Schema) -> bool:
    """Whether a table of this schema holds orders, so that what is made for orders fits it."""
    columns = {(column.name, column.type) for column in schema.columns}
    return (
        schema.name == ORDERS.name
        and schema.key == ORDERS.key
        and all((column.name, column.type) in columns for column in ORDERS.columns)
    )
