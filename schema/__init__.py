"""The schema of orders and event rows, declared once for the whole pipeline."""

from schema.model import (
    BEFORE_ALL,
    EVENT_COLUMNS,
    EXTRAS,
    SNAPSHOT,
    Column,
    Problem,
    Schema,
    SchemaError,
)
from schema.orders import ORDERS, about_orders

__all__ = [
    "BEFORE_ALL",
    "EVENT_COLUMNS",
    "EXTRAS",
    "ORDERS",
    "SNAPSHOT",
    "Column",
    "Problem",
    "Schema",
    "SchemaError",
    "about_orders",
]
