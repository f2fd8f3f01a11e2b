"""Update the view current_orders: the Iceberg table, plus what the log has beyond it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from string import Template
from typing import Any


def point_view(database: str, view: Mapping[str, Any], settled: str) -> None:
    """Make the view read the table, and the log from the hour ``settled`` on.

    Call it after the commit, so that the view never misses a change. A change in both is taken
    once, by its sequence_number. The hour is a literal so that Athena can prune partitions.

    Parameters
    ----------
    view:
        ``name``, ``columns``, and ``sql`` with the placeholders ``${day}`` and ``${hour}``.
    """
    import boto3  # noqa: PLC0415 - Glue provides it; a run without a view does not need it

    definition = {
        "originalSql": Template(view["sql"]).substitute(day=settled[:10], hour=settled[11:]),
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": view["columns"],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    text = f"/* Presto View: {encoded} */"
    glue: Any = boto3.client("glue")
    table = glue.get_table(DatabaseName=database, Name=view["name"])["Table"]
    if table.get("ViewOriginalText") != text:
        members = glue.meta.service_model.shape_for("TableInput").members
        known = {name: value for name, value in table.items() if name in members and value != ""}
        known["ViewOriginalText"] = text
        # Otherwise Glue archives a table version per update, which counts against a quota.
        glue.update_table(DatabaseName=database, TableInput=known, SkipArchive=True)
