"""The view current_orders, pointed at the table and at what the table does not have yet."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from string import Template
from typing import Any


def point_view(database: str, view: Mapping[str, Any], settled: str) -> None:
    """Let the view read the table, and of the log what lies from the hour ``settled`` on.

    To be called after the commit, so that the view never trusts the table with more than it holds;
    what it reads twice it takes once, by the sequence_number. The hour is a literal because by
    that Athena knows which partitions to read before it reads any.

    Parameters
    ----------
    view:
        ``name``, ``columns`` and ``sql`` with ``${day}`` and ``${hour}`` in it.
    """
    import boto3  # noqa: PLC0415 - Glue has it; a run without a view does not need it

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
        # Glue keeps a version of a table with each update, and counts them against a quota.
        glue.update_table(DatabaseName=database, TableInput=known, SkipArchive=True)
