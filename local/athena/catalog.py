"""Tables and views in the Glue catalog that the caller may read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.account.aws import Aws, Credentials
from local.athena.errors import QueryError
from local.athena.types import Type, read_type

_VIEW = re.compile(r"/\*\s*Presto View:\s*([A-Za-z0-9+/=\s]+?)\s*\*/")


@dataclass(frozen=True)
class Table:
    """A Glue table: a view if ``sql`` is set, else files under ``location``."""

    database: str
    name: str
    columns: Mapping[str, str]
    """Hive types by name, without the partition columns."""
    partition_keys: Mapping[str, str]
    properties: Mapping[str, str]
    serde: str
    serde_properties: Mapping[str, str]
    location: str
    sql: str | None = None
    sql_database: str | None = None
    glue: Mapping[str, Any] = field(default_factory=dict)
    """As Glue describes it."""

    @property
    def all_columns(self) -> dict[str, str]:
        """Columns, then partition columns: what ``SELECT *`` gives."""
        return {**self.columns, **self.partition_keys}

    @property
    def storage(self) -> dict[str, Any]:
        """Glue's description of its files."""
        return self.glue.get("StorageDescriptor") or {}

    @property
    def is_iceberg(self) -> bool:
        """Are its files those that Iceberg's metadata lists?"""
        return self.properties.get("table_type", "").upper() == "ICEBERG"

    def types(self) -> dict[str, Type]:
        """Trino's types of `all_columns`."""
        try:
            return {name: read_type(one, hive=True) for name, one in self.all_columns.items()}
        except ValueError as error:
            raise QueryError(
                "HIVE_UNSUPPORTED_FORMAT", f"Table '{self.database}.{self.name}': {error}"
            ) from None

    def duckdb_types(self) -> dict[str, str]:
        """DuckDB's types of `all_columns`."""
        return {name: kind.duckdb for name, kind in self.types().items()}


def encode_view(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """ViewOriginalText of a Glue view; ``columns`` are names and Trino types."""
    document = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(document).encode()).decode()} */"


class Catalog:
    """The Glue catalog in the eyes of one caller."""

    def __init__(self, aws: Aws, caller: Credentials) -> None:
        self.glue = aws.client("glue", caller)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One Glue call; a refusal fails the query as Athena words it."""
        try:
            answer: dict[str, Any] = getattr(self.glue, operation)(**arguments)
        except ClientError as error:
            told = error.response["Error"]
            if told["Code"] != "AccessDeniedException":
                raise
            message = f"Insufficient permissions to execute the query. {told['Message']}"
            raise QueryError("", message) from None
        return answer

    def _find(self, operation: str, key: str, **arguments: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.call(operation, **arguments)[key]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return None
        return found

    def database(self, name: str, position: tuple[int, int] | None = None) -> dict[str, Any]:
        """A database, which must exist."""
        found = self._find("get_database", "Database", Name=name)
        if found is None:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist", position)
        return found

    def databases(self) -> list[str]:
        """The names of all databases."""
        return sorted(item["Name"] for item in self._pages("get_databases", "DatabaseList"))

    def find(self, database: str, name: str) -> Table | None:
        """A table or view, or None."""
        found = self._find("get_table", "Table", DatabaseName=database, Name=name)
        return _table(found) if found else None

    def table(self, database: str, name: str, position: tuple[int, int] | None = None) -> Table:
        """A table or view, which must exist; a view without SerDe info fails as in Athena."""
        found, position = self.find(database, name), position or (1, 1)
        if found is None:
            self.database(database, position)
            message = f"Table 'awsdatacatalog.{database}.{name}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", message, position)
        if found.sql is not None and "SerdeInfo" not in found.storage:
            message = "Table storage descriptor is missing SerDe info"
            raise QueryError("HIVE_METASTORE_ERROR", message)
        return found

    def tables(self, database: str) -> list[Table]:
        """All tables and views of a database, by name."""
        found = self._pages("get_tables", "TableList", DatabaseName=database)
        return sorted((_table(item) for item in found), key=lambda table: table.name)

    def partitions(self, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
        """Values and location of every Glue partition."""
        arguments = {"DatabaseName": table.database, "TableName": table.name}
        for item in self._pages("get_partitions", "Partitions", **arguments):
            yield tuple(item["Values"]), item["StorageDescriptor"]["Location"]

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = self.call(operation, **arguments)
            yield from answer[key]
            if not answer.get("NextToken"):
                return
            arguments["NextToken"] = answer["NextToken"]


def _table(glue: Mapping[str, Any]) -> Table:
    storage = glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    view = _VIEW.search(glue.get("ViewOriginalText") or "")
    document = json.loads(base64.b64decode(view[1])) if view else {}

    def types(columns: list[dict[str, Any]] | None) -> dict[str, str]:
        return {
            column["Name"].lower(): column.get("Type", "string")
            for column in columns or ()
            # Iceberg's catalog keeps the columns that a table had.
            if column.get("Parameters", {}).get("iceberg.field.current") != "false"
        }

    return Table(
        database=glue.get("DatabaseName", ""),
        name=glue["Name"],
        columns=types(storage.get("Columns")),
        partition_keys=types(glue.get("PartitionKeys")),
        properties=glue.get("Parameters") or {},
        serde=serde.get("SerializationLibrary") or "",
        serde_properties=serde.get("Parameters") or {},
        location=storage.get("Location") or "",
        sql=document.get("originalSql"),
        sql_database=document.get("schema"),
        glue=glue,
    )
