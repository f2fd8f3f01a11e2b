"""``information_schema`` for BI tools, built from Glue."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from local.athena.catalog import Catalog, Table
from local.athena.errors import QueryError
from local.athena.types import read_type

SERDE = "information_schema"
_CATALOG = "awsdatacatalog"
_TABLES = {
    "schemata": "catalog_name schema_name",
    "tables": "table_catalog table_schema table_name table_type",
    "views": "table_catalog table_schema table_name view_definition",
    "columns": "table_catalog table_schema table_name column_name ordinal_position column_default "
    "is_nullable data_type",
}


def table(name: str, position: tuple[int, int] | None) -> Table:
    """The definition of ``information_schema.NAME``."""
    if name not in _TABLES:
        message = f"Table '{_CATALOG}.information_schema.{name}' does not exist"
        raise QueryError("TABLE_NOT_FOUND", message, position)
    columns = dict.fromkeys(_TABLES[name].split(), "string")
    if name == "columns":
        columns["ordinal_position"] = "bigint"
    return Table("information_schema", name, columns, {}, {}, SERDE, {}, "")


def schema_column(of: Table) -> str:
    """The column that names the database."""
    return list(of.columns)[1]


def rows(of: Table, catalog: Catalog, databases: list[str]) -> pa.Table:
    """Its rows that are about these databases."""
    kinds = [pa.int64() if kind == "bigint" else pa.string() for kind in of.columns.values()]
    found = (
        dict(zip(of.columns, (_CATALOG, database, *row), strict=True))
        for database in databases
        for row in _rows(of.name, catalog, database)
    )
    return pa.Table.from_pylist(list(found), pa.schema(zip(of.columns, kinds, strict=True)))


def _rows(name: str, catalog: Catalog, database: str) -> Iterator[tuple[object, ...]]:
    """The rows about one database, without its name."""
    if name == "schemata":
        yield ()
        return
    for one in catalog.tables(database):
        if name == "tables":
            yield one.name, "BASE TABLE" if one.sql is None else "VIEW"
        elif name == "views" and one.sql is not None:
            yield one.name, one.sql
        elif name == "columns":
            for i, (column, hive) in enumerate(one.all_columns.items(), 1):
                try:
                    kind = str(read_type(hive, hive=True))
                except ValueError:
                    kind = hive
                yield one.name, column, i, None, "YES", kind
