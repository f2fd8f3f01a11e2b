"""``information_schema`` for BI tools, built from Glue."""

from __future__ import annotations

from local.athena.catalog import Catalog, Table
from local.athena.errors import QueryError
from local.athena.types import read_type

SERDE = "information_schema"
_TABLES = {
    "schemata": ["catalog_name", "schema_name"],
    "tables": ["table_catalog", "table_schema", "table_name", "table_type"],
    "views": ["table_catalog", "table_schema", "table_name", "view_definition"],
    "columns": [
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "column_default",
        "is_nullable",
        "data_type",
    ],
}


def table(name: str, position: tuple[int, int] | None) -> Table:
    """The definition of ``information_schema.NAME``."""
    if name not in _TABLES:
        raise QueryError(
            "TABLE_NOT_FOUND",
            f"Table 'awsdatacatalog.information_schema.{name}' does not exist",
            position,
        )
    columns = {
        column: "bigint" if column == "ordinal_position" else "string" for column in _TABLES[name]
    }
    return Table("information_schema", name, columns, {}, {}, SERDE, {}, "")


def rows(name: str, catalog: Catalog, schemas: list[str] | None = None) -> list[tuple[object, ...]]:
    """Its rows; only those of ``schemas``, if the query's WHERE names them."""
    own = "awsdatacatalog"
    databases = [one for one in catalog.databases() if schemas is None or one in schemas]
    if name == "schemata":
        return [(own, database) for database in databases]
    found: list[tuple[object, ...]] = []
    for database in databases:
        for one in catalog.tables(database):
            if name == "tables":
                kind = "VIEW" if one.sql is not None else "BASE TABLE"
                found.append((own, database, one.name, kind))
            elif name == "views":
                if one.sql is not None:
                    found.append((own, database, one.name, one.sql))
            else:
                for i, (column, hive) in enumerate(one.all_columns.items(), 1):
                    try:
                        kind = str(read_type(hive, hive=True))
                    except ValueError:
                        kind = hive
                    found.append((own, database, one.name, column, i, None, "YES", kind))
    return found
