"""The schema of orders and event rows, declared once for the whole pipeline."""

from schema.model import EVENT_COLUMNS, EXTRAS, Column, Schema, SchemaError
from schema.orders import ORDERS

__all__ = ["EVENT_COLUMNS", "EXTRAS", "ORDERS", "Column", "Schema", "SchemaError"]
