"""The shape of an order and of an event row, declared once for every part of the chain."""

from schema.model import EVENT_COLUMNS, EXTRAS, Column, Schema, SchemaError
from schema.orders import ORDERS

__all__ = ["EVENT_COLUMNS", "EXTRAS", "ORDERS", "Column", "Schema", "SchemaError"]
