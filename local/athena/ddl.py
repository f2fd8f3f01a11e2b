"""Statements on the Glue catalog: SHOW, DESCRIBE, CREATE, ALTER and DROP.

Each function runs one form of `statements.FORMS` and returns the lines of its result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from local.athena import projection
from local.athena.catalog import Table, encode_view
from local.athena.errors import QueryError, refuse
from local.athena.storage import PARQUET_SERDE
from local.athena.types import split_top

if TYPE_CHECKING:
    from local.athena.engine import Engine, Query, Session

NAME = r'(?:`[^`]+`|"[^"]+"|[\w$-]+)'


def unquoted(name: str) -> str:
    """A name without its quotes, in lower case."""
    return name.strip('`"').lower()


@dataclass
class Run:
    """A statement while it runs: what was written, and what it works with."""

    engine: Engine
    session: Session
    match: re.Match[str]
    tree: exp.Expr

    def __getitem__(self, group: str) -> str:
        """What stands in a part of the statement; empty if it is left out."""
        return self.match[group] or ""

    def qualified(self) -> tuple[str, str]:
        """Database and table that the statement names."""
        parts = [unquoted(part) for part in re.findall(NAME, self["name"])]
        return (parts[-2] if len(parts) > 1 else self.session.database), parts[-1]

    def table(self) -> Table:
        """The table that the statement names."""
        return self.session.catalog.table(*self.qualified())

    def glue(self, operation: str, **arguments: Any) -> None:
        """One Glue call."""
        try:
            self.session.catalog.call(operation, **arguments)
        except ClientError as error:
            told = error.response["Error"]
            raise hive_error(f"Execution Error: {told['Code']}: {told['Message']}") from None

    def query(self, *, load: bool = True) -> Query:
        """The statement's query, ready to run."""
        return self.engine.prepare(self.session, self.tree, load=load)


def hive_error(message: str) -> QueryError:
    """How Athena words what Hive refuses."""
    return QueryError("", f"FAILED: {message}")


# -- SHOW and DESCRIBE -----------------------------------------------------------------------------


def _like(pattern: str) -> re.Pattern[str]:
    """Athena's pattern: a regular expression in which ``*`` stands for anything, or ``%``."""
    return re.compile(pattern.replace("%", "*").replace("*", ".*") or ".*", re.IGNORECASE)


def show_databases(run: Run) -> list[str]:
    """``SHOW DATABASES``."""
    wanted = _like(run["pattern"])
    return [one for one in run.session.catalog.databases() if wanted.fullmatch(one)]


def show_tables(run: Run) -> list[str]:
    """``SHOW TABLES`` and ``SHOW VIEWS``."""
    wanted, views = _like(run["pattern"]), run["what"].upper() == "VIEWS"
    database = unquoted(run["database"]) or run.session.database
    run.session.catalog.database(database)
    return [
        table.name
        for table in run.session.catalog.tables(database)
        if wanted.fullmatch(table.name) and (table.sql is not None or not views)
    ]


def show_columns(run: Run) -> list[str]:
    """``SHOW COLUMNS``."""
    database, name = run.qualified()
    table = run.session.catalog.table(unquoted(run["database"]) or database, name)
    return [f"{one:<20}" for one in table.all_columns]


def show_partitions(run: Run) -> list[str]:
    """``SHOW PARTITIONS``."""
    table = run.table()
    if not table.partition_keys:
        raise hive_error(f"Execution Error, Table {table.name} is not a partitioned table")
    if projection.enabled(table):
        return []  # projected partitions are in no catalog
    return sorted(
        "/".join(f"{key}={one}" for key, one in zip(table.partition_keys, values, strict=True))
        for values, _ in run.session.catalog.partitions(table)
    )


def describe(run: Run) -> list[str]:
    """``DESCRIBE``."""
    table = run.table()
    columns = [*(table.storage.get("Columns") or ()), *(table.glue.get("PartitionKeys") or ())]
    comments = {column["Name"].lower(): column.get("Comment", "") for column in columns}
    lines = [(name, kind, comments.get(name, "")) for name, kind in table.all_columns.items()]
    if table.partition_keys:
        keys = lines[-len(table.partition_keys) :]
        lines += [("", "", ""), ("# Partition Information", "", "")]
        lines += [("# col_name", "data_type", "comment"), ("", "", ""), *keys]
    return ["\t".join(f"{part:<20}" for part in line) for line in lines]


def show_create(run: Run) -> list[str]:
    """``SHOW CREATE TABLE`` and ``SHOW CREATE VIEW``."""
    table, view = run.table(), run["what"].upper() == "VIEW"
    if view != (table.sql is not None):
        raise QueryError("", f"'{table.database}.{table.name}' is {'not ' if view else ''}a view")
    if table.sql is not None:
        return [f"CREATE VIEW {table.name} AS ", *table.sql.split("\n")]

    def columns(types: Mapping[str, str]) -> str:
        return _listed(f"`{name}` {kind}" for name, kind in types.items())

    def pairs(properties: Mapping[str, str]) -> str:
        return _listed(f"'{key}'='{value}'" for key, value in sorted(properties.items()))

    if table.is_iceberg:
        raise refuse(f"SHOW CREATE TABLE of an Iceberg table: {table.name}")
    keys, serde = table.partition_keys, table.serde_properties
    text = (
        f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(\n{columns(table.columns)}"
        + (f"\nPARTITIONED BY ( \n{columns(keys)}" if keys else "")
        + f"\nROW FORMAT SERDE \n  '{table.serde}' "
        + (f"\nWITH SERDEPROPERTIES ( \n{pairs(serde)}" if serde else "")
        + f"\nSTORED AS INPUTFORMAT \n  '{table.storage.get('InputFormat', '')}' "
        + f"\nOUTPUTFORMAT \n  '{table.storage.get('OutputFormat', '')}'"
        + f"\nLOCATION\n  '{table.location}'\nTBLPROPERTIES (\n{pairs(table.properties)}"
    )
    return text.split("\n")


def _listed(items: Iterable[str]) -> str:
    return ",\n".join(f"  {one}" for one in items) + ")"


# -- databases and views ---------------------------------------------------------------------------


def database(run: Run) -> list[str]:
    """``CREATE DATABASE`` and ``DROP DATABASE``."""
    create, name = run["verb"].upper() == "CREATE", unquoted(run["name"])
    exists = name in run.session.catalog.databases()
    if create == exists:
        if not run["exists"]:
            state = "already exists" if exists else "does not exist"
            raise hive_error(f"SemanticException: Database {state}: {name}")
    elif create:
        run.glue("create_database", DatabaseInput={"Name": name})
    elif run.session.catalog.tables(name) and not run["cascade"]:
        message = f"Execution Error: Database {name} is not empty. One or more tables exist."
        raise hive_error(message)
    else:
        run.glue("delete_database", Name=name)
    return []


def named(query: Query) -> list[dict[str, str]]:
    """The columns of a table or view of this query; each must have a name that no other has."""
    if query.unnamed:
        message = f"Column name not specified at position {query.unnamed[0]}"
        raise QueryError("MISSING_COLUMN_NAME", message, (1, 1))
    names = [label.lower() for label in query.labels]
    for name in names:
        if names.count(name) > 1:
            message = f"Column name '{name}' specified more than once"
            raise QueryError("DUPLICATE_COLUMN_NAME", message, (1, 1))
    return [{"Name": a, "Type": b.hive} for a, b in zip(names, query.types, strict=True)]


def create_view(run: Run) -> list[str]:
    """``CREATE VIEW``."""
    query = run.query(load=False)
    columns, (home, name) = named(query), run.qualified()
    types = [(one["Name"], str(kind)) for one, kind in zip(columns, query.types, strict=True)]
    definition = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": columns, "Location": "", "SerdeInfo": {}},
        "ViewOriginalText": encode_view(run["query"].strip(), run.session.database, types),
        "ViewExpandedText": "/* Presto View */",
    }
    existing = run.session.catalog.find(home, name)
    if existing and not (run["replace"] and existing.sql is not None):
        what = "View" if existing.sql is not None else "Table"
        message = f"{what} already exists: 'awsdatacatalog.{home}.{name}'"
        raise QueryError("TABLE_ALREADY_EXISTS", message, (1, 1))
    operation = "update_table" if existing else "create_table"
    run.glue(operation, DatabaseName=home, TableInput=definition)
    return []


def drop(run: Run) -> list[str]:
    """``DROP TABLE`` and ``DROP VIEW``."""
    view, (home, name) = run["what"].upper() == "VIEW", run.qualified()
    existing = run.session.catalog.find(home, name)
    if existing is None:
        if run["exists"]:
            return []
        if view:
            message = f"View 'awsdatacatalog.{home}.{name}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", message, (1, 1))
        raise hive_error(f"SemanticException [Error 10001]: Table not found {home}.{name}")
    if view and existing.sql is None:
        message = f"'awsdatacatalog.{home}.{name}' is a table, not a view"
        raise QueryError("NOT_SUPPORTED", message)
    run.glue("delete_table", DatabaseName=home, Name=name)
    return []


# -- tables ----------------------------------------------------------------------------------------

_HIVE = "org.apache.hadoop.hive.ql.io."
PARQUET_FORMATS = {
    "InputFormat": f"{_HIVE}parquet.MapredParquetInputFormat",
    "OutputFormat": f"{_HIVE}parquet.MapredParquetOutputFormat",
}
_TEXT_FORMATS = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": f"{_HIVE}HiveIgnoreKeyTextOutputFormat",
}


def _columns(inside: str) -> list[dict[str, str]]:
    columns = []
    for one in split_top(inside):
        found = re.fullmatch(
            r"`?([\w$]+)`?\s+(.*?)(?:\s+COMMENT\s+'(.*)')?", one, re.IGNORECASE | re.DOTALL
        )
        if not found:
            raise hive_error(f"ParseException line 1:1 mismatched input '{one}' expecting a column")
        column = {"Name": found[1].lower(), "Type": re.sub(r"\s+", "", found[2].lower())}
        columns.append(column | ({"Comment": found[3]} if found[3] else {}))
    return columns


def _pairs(inside: str) -> dict[str, str]:
    return dict(re.findall(r"""['"]([^'"]+)['"]\s*=\s*['"]([^'"]*)['"]""", inside))


def create_table(run: Run) -> list[str]:
    """``CREATE EXTERNAL TABLE``."""
    home, name = run.qualified()
    if run.session.catalog.find(home, name):
        if run["exists"]:
            return []
        raise hive_error(f"Execution Error: AlreadyExistsException: Table {name} already exists")
    if not run["serde"] and not run["parquet"]:
        raise refuse("tables without STORED AS PARQUET or ROW FORMAT SERDE")
    serde = run["serde"] or PARQUET_SERDE
    formats = PARQUET_FORMATS if serde == PARQUET_SERDE else _TEXT_FORMATS
    storage = {
        "Columns": _columns(run["columns"]),
        "Location": run["location"],
        "SerdeInfo": {
            "SerializationLibrary": serde,
            "Parameters": _pairs(run["serde_properties"]),
        },
        "InputFormat": run["inputs"] or formats["InputFormat"],
        "OutputFormat": run["outputs"] or formats["OutputFormat"],
    }
    put_table(run, _columns(run["keys"]), storage, _pairs(run["properties"]))
    return []


def put_table(
    run: Run, keys: list[dict[str, str]], storage: dict[str, Any], properties: dict[str, str]
) -> None:
    """Make the external table that the statement names."""
    database, name = run.qualified()
    definition = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **properties},
        "PartitionKeys": keys,
        "StorageDescriptor": storage,
    }
    run.glue("create_table", DatabaseName=database, TableInput=definition)


def set_properties(run: Run) -> list[str]:
    """``ALTER TABLE t SET TBLPROPERTIES``."""
    table, properties = run.table(), _pairs(run["properties"])
    if not properties:
        raise hive_error("ParseException line 1:1 mismatched input ')' expecting 'name'='value'")
    _update(run, table, Parameters={**table.properties, **properties})
    return []


def change_columns(run: Run) -> list[str]:
    """``ALTER TABLE t ADD COLUMNS`` and ``REPLACE COLUMNS``."""
    table = run.table()
    kept = table.storage["Columns"] if run["how"].upper() == "ADD" else []
    columns = [*kept, *_columns(run["columns"])]
    names = [*table.partition_keys, *(one["Name"].lower() for one in columns)]
    for name in names:
        if names.count(name) > 1:
            message = f"Execution Error: Duplicate column name {name} in the table definition."
            raise hive_error(message)
    _update(run, table, StorageDescriptor={**table.storage, "Columns": columns})
    return []


_TABLE_INPUT = (
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType",
    "Parameters",
)  # fmt: skip


def _update(run: Run, table: Table, **changes: Any) -> None:
    """Change a Hive table's definition."""
    if table.sql is not None or table.is_iceberg:
        kind = "a view" if table.sql is not None else "an Iceberg table"
        raise refuse(f"changes of '{table.database}.{table.name}', which is {kind}")
    known = {name: table.glue[name] for name in _TABLE_INPUT if table.glue.get(name)}
    run.glue("update_table", DatabaseName=table.database, TableInput={**known, **changes})
