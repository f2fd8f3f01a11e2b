"""A Tableau data source on current orders, and driver settings that the file cannot hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from schema import ORDERS, Column, Schema

DRIVER_SETTINGS = "athena.properties"
"""Tableau looks for this file name in "My Tableau Repository/Datasources"."""

_VERSION = "18.1"
_CONNECTION = "athena.sales-cdc"
_TABLE = "current_orders"
_TYPES = {
    "string": "string",
    "int": "integer",
    "bigint": "integer",
    "double": "real",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
}
_CALCULATED = {
    "Revenue": ("real", "IF [status] = 'cancelled' THEN 0 ELSE [quantity] * [price] END"),
    "Orders": ("integer", "COUNTD(IF [status] = 'cancelled' THEN NULL ELSE [orderid] END)"),
    "Average order": ("real", "SUM([Revenue]) / [Orders]"),
    "Cancellation rate": (
        "real",
        "COUNTD(IF [status] = 'cancelled' THEN [orderid] END) / COUNTD([orderid])",
    ),
}


def data_source(outputs: Mapping[str, str], schema: Schema = ORDERS) -> bytes:
    """The ``.tds`` file: the Athena connection, the view ``current_orders``, its fields and KPIs.

    Parameters
    ----------
    outputs:
        The stack's outputs; ``region``, ``databaseName`` and ``workgroupName`` are used.
    """
    region, database = outputs["region"], outputs["databaseName"]
    server = f"athena.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    root = ET.Element(
        "datasource",
        {"formatted-name": database, "inline": "true", "version": _VERSION},
    )
    federated = ET.SubElement(root, "connection", {"class": "federated"})
    named = ET.SubElement(
        ET.SubElement(federated, "named-connections"),
        "named-connection",
        {"caption": f"{outputs['workgroupName']} in {region}", "name": _CONNECTION},
    )
    ET.SubElement(
        named,
        "connection",
        {
            "class": "athena",
            "server": server,
            "port": "443",
            "dbname": "AwsDataCatalog",
            "schema": database,
        },
    )
    ET.SubElement(
        federated,
        "relation",
        {
            "connection": _CONNECTION,
            "name": _TABLE,
            "table": f"[{database}].[{_TABLE}]",
            "type": "table",
        },
    )
    ET.SubElement(root, "aliases", {"enabled": "yes"})
    for column in schema.event_row:
        _field(root, column, schema)
    for name, (kind, formula) in _CALCULATED.items():
        field = ET.SubElement(root, "column", _measure(name, kind))
        ET.SubElement(field, "calculation", {"class": "tableau", "formula": formula})
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def driver_settings(outputs: Mapping[str, str]) -> str:
    """The JDBC driver's settings: the workgroup, which sets the result location and scan limit."""
    return f"Workgroup={outputs['workgroupName']}\nAwsRegion={outputs['region']}\n"


def _field(root: ET.Element, column: Column, schema: Schema) -> None:
    # What Tableau has no type for (nested values, JSON) is text.
    kind = "real" if column.decimal else _TYPES.get(column.type, "string")
    if kind in ("real", "integer") and column.name not in schema.keys:
        attributes = _measure(column.name, kind)
    else:
        ordered = "ordinal" if kind in ("date", "datetime") else "nominal"
        attributes = {
            "name": f"[{column.name}]",
            "datatype": kind,
            "role": "dimension",
            "type": ordered,
        }
    field = ET.SubElement(root, "column", attributes)
    if column.comment:
        text = ET.SubElement(ET.SubElement(field, "desc"), "formatted-text")
        ET.SubElement(text, "run").text = column.comment


def _measure(name: str, kind: str) -> dict[str, str]:
    return {"name": f"[{name}]", "datatype": kind, "role": "measure", "type": "quantitative"}
