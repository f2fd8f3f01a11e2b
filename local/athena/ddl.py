"""Statements on the Glue catalog: SHOW, DESCRIBE, CREATE, ALTER and DROP.

Each function runs one form of `statements.FORMS` and returns the lines of its result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from local.athena import projection
from local.athena.catalog import Table, encode_view
from local.athena.errors import QueryError
from local.athena.storage import PARQUET_SERDE, split_location
from local.athena.types import split_top

if TYPE_CHECKING:
    from local.athena.engine import Engine, Query, Session

NAME = r'(?:`[^`]+`|"[^"]+"|[\w$-]+)'


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
        parts = [part.strip('`"').lower() for part in re.findall(NAME, self["name"])]
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
    database = (run["database"] or run.session.database).strip('`"').lower()
    run.session.catalog.database(database)
    return [
        table.name
        for table in run.session.catalog.tables(database)
        if wanted.fullmatch(table.name) and (table.sql is not None or not views)
    ]


def show_columns(run: Run) -> list[str]:
    """``SHOW COLUMNS``."""
    database, name = run.qualified()
    database = run["database"].strip('`"').lower() or database
    return [f"{one:<20}" for one in run.session.catalog.table(database, name).all_columns]


def show_partitions(run: Run) -> list[str]:
    """``SHOW PARTITIONS``."""
    table = run.table()
    if not table.partition_keys:
        raise hive_error(f"Execution Error, Table {table.name} is not a partitioned table")
    if projection.enabled(table):
        return []  # projected partitions are in no catalog
    found = run.session.catalog.partitions(table)
    return sorted(_spec(dict(zip(table.partition_keys, one, strict=True))) for one, _ in found)


def _spec(values: dict[str, str]) -> str:
    return "/".join(f"{key}={value}" for key, value in values.items())


def describe(run: Run) -> list[str]:
    """``DESCRIBE``."""
    table = run.table()
    glue = table.glue or {}
    columns = [*(glue.get("StorageDescriptor", {}).get("Columns") or [])]
    columns += glue.get("PartitionKeys") or []
    comments = {column["Name"].lower(): column.get("Comment", "") for column in columns}

    def line(*parts: str) -> str:
        return "\t".join(f"{part:<20}" for part in parts)

    lines = [line(name, kind, comments.get(name, "")) for name, kind in table.all_columns.items()]
    if table.partition_keys:
        lines += [line("", "", ""), line("# Partition Information", "", "")]
        lines += [line("# col_name", "data_type", "comment"), line("", "", "")]
        lines += [
            line(name, kind, comments.get(name, "")) for name, kind in table.partition_keys.items()
        ]
    return lines


def show_create(run: Run) -> list[str]:
    """``SHOW CREATE TABLE`` and ``SHOW CREATE VIEW``."""
    table, view = run.table(), run["what"].upper() == "VIEW"
    if view != (table.sql is not None):
        raise QueryError("", f"'{table.database}.{table.name}' is {'not ' if view else ''}a view")
    if table.sql is not None:
        return [f"CREATE VIEW {table.name} AS ", *table.sql.split("\n")]

    def listed(items: Sequence[str]) -> list[str]:
        return [f"  {one}{',' if i < len(items) else ')'}" for i, one in enumerate(items, 1)]

    def pairs(properties: Any) -> list[str]:
        return listed([f"'{key}'='{value}'" for key, value in sorted(properties.items())])

    def columns(types: Any) -> list[str]:
        return listed([f"`{name}` {kind}" for name, kind in types.items()])

    storage = (table.glue or {}).get("StorageDescriptor", {})
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *columns(table.columns)]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *columns(table.partition_keys)]
    lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
    if table.serde_properties:
        lines += ["WITH SERDEPROPERTIES ( ", *pairs(table.serde_properties)]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'"]
    return [
        *lines, "LOCATION", f"  '{table.location}'", "TBLPROPERTIES (", *pairs(table.properties)
    ]  # fmt: skip


def explain(run: Run) -> list[str]:
    """``EXPLAIN`` of a query: the columns of its result, and what it reads."""
    query = run.query(load=False)
    columns = zip(query.labels, query.types, strict=True)
    shown = ", ".join(f"{label}:{kind}" for label, kind in columns)
    return ["Query Plan", f"Output [{shown}]", *(f"    {one}" for one in query.reads)]


# -- databases and views ---------------------------------------------------------------------------


def database(run: Run) -> list[str]:
    """``CREATE DATABASE`` and ``DROP DATABASE``."""
    create, name = run["verb"].upper() == "CREATE", run["name"].strip('`"').lower()
    exists = name in run.session.catalog.databases()
    if create == exists:
        if run["exists"]:
            return []
        state = "already exists" if exists else "does not exist"
        raise hive_error(f"SemanticException: Database {state}: {name}")
    if create:
        run.glue("create_database", DatabaseInput={"Name": name})
        return []
    if run.session.catalog.tables(name) and not run["cascade"]:
        raise hive_error(
            f"Execution Error: Database {name} is not empty. One or more tables exist."
        )
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
    if existing is None:
        run.glue("create_table", DatabaseName=home, TableInput=definition)
    elif run["replace"] and existing.sql is not None:
        run.glue("update_table", DatabaseName=home, TableInput=definition)
    else:
        what = "View" if existing.sql is not None else "Table"
        message = f"{what} already exists: 'awsdatacatalog.{home}.{name}'"
        raise QueryError("TABLE_ALREADY_EXISTS", message, (1, 1))
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

_HADOOP, _PARQUET = "org.apache.hadoop.", "org.apache.hadoop.hive.ql.io.parquet."
FORMATS = {
    "PARQUET": (
        PARQUET_SERDE,
        f"{_PARQUET}MapredParquetInputFormat",
        f"{_PARQUET}MapredParquetOutputFormat",
    ),
    "TEXTFILE": (
        f"{_HADOOP}hive.serde2.lazy.LazySimpleSerDe",
        f"{_HADOOP}mapred.TextInputFormat",
        f"{_HADOOP}hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ),
}
"""SerDe, input and output format by what follows STORED AS."""


def _columns(inside: str) -> list[dict[str, str]]:
    columns = []
    for one in split_top(inside):
        found = re.fullmatch(
            r"`?([\w$]+)`?\s+(.*?)(?:\s+COMMENT\s+'.*')?", one, re.IGNORECASE | re.DOTALL
        )
        if not found:
            raise hive_error(f"ParseException line 1:1 mismatched input '{one}' expecting a column")
        columns.append({"Name": found[1].lower(), "Type": re.sub(r"\s+", "", found[2].lower())})
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
    serde, inputs, outputs = FORMATS[run["stored"].upper() or "TEXTFILE"]
    storage = {
        "Columns": _columns(run["columns"]),
        "Location": run["location"],
        "InputFormat": run["inputs"] or inputs,
        "OutputFormat": run["outputs"] or outputs,
        "SerdeInfo": {
            "SerializationLibrary": run["serde"] or serde,
            "Parameters": _pairs(run["serde_properties"]),
        },
    }
    definition = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **_pairs(run["properties"])},
        "PartitionKeys": _columns(run["keys"]),
        "StorageDescriptor": storage,
    }
    run.glue("create_table", DatabaseName=home, TableInput=definition)
    return []


def set_properties(run: Run) -> list[str]:
    """``ALTER TABLE t SET TBLPROPERTIES``."""
    table, properties = run.table(), _pairs(run["properties"])
    if not properties:
        raise hive_error("ParseException line 1:1 mismatched input ')' expecting 'name'='value'")
    _update(run, table, Parameters={**table.properties, **properties})
    return []


def change_columns(run: Run) -> list[str]:
    """``ALTER TABLE t ADD COLUMNS`` and ``REPLACE COLUMNS``."""
    table, columns = run.table(), _columns(run["columns"])
    storage = dict((table.glue or {})["StorageDescriptor"])
    kept = list(storage["Columns"]) if run["how"].upper() == "ADD" else []
    names = [*table.partition_keys, *(one["Name"].lower() for one in [*kept, *columns])]
    for name in names:
        if names.count(name) > 1:
            raise hive_error(
                f"Execution Error: Duplicate column name {name} in the table definition."
            )
    _update(run, table, StorageDescriptor={**storage, "Columns": [*kept, *columns]})
    return []


_TABLE_INPUT = (
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys",
    "ViewOriginalText", "ViewExpandedText", "TableType", "Parameters",
)  # fmt: skip


def _update(run: Run, table: Table, **changes: Any) -> None:
    """Change a Hive table's definition."""
    if table.sql is not None or table.is_iceberg:
        kind = "a view" if table.sql is not None else "an Iceberg table"
        raise QueryError(
            "NOT_SUPPORTED",
            f"This local Athena does not alter '{table.database}.{table.name}': it is {kind}",
        )
    glue = table.glue or {}
    known = {name: glue[name] for name in _TABLE_INPUT if glue.get(name) not in (None, "")}
    run.glue("update_table", DatabaseName=table.database, TableInput={**known, **changes})


# -- partitions ------------------------------------------------------------------------------------


def add_partition(run: Run) -> list[str]:
    """``ALTER TABLE t ADD PARTITION``."""
    table = run.table()
    for values, location in re.findall(
        r"PARTITION\s*\(([^)]*)\)(?:\s+LOCATION\s+'([^']+)')?", run["partitions"], re.IGNORECASE
    ):
        given = {k.lower(): v for k, v in re.findall(r"`?(\w+)`?\s*=\s*'?([^',\s]+)'?", values)}
        put_partition(run, table, given, location, if_not_exists=bool(run["exists"]))
    return []


def put_partition(
    run: Run, table: Table, given: dict[str, str], location: str, *, if_not_exists: bool
) -> None:
    """Add a partition to the catalog."""
    if set(given) != set(table.partition_keys):
        raise hive_error(f"SemanticException: partition spec {given} does not match the table's")
    values = {key: given[key] for key in table.partition_keys}
    path = location or f"{table.location.rstrip('/')}/{_spec(values)}"
    partition = {
        "Values": list(values.values()),
        "StorageDescriptor": dict((table.glue or {})["StorageDescriptor"], Location=path),
    }
    place = {"DatabaseName": table.database, "TableName": table.name}
    try:
        run.session.catalog.call("create_partition", **place, PartitionInput=partition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException" or not if_not_exists:
            message = error.response["Error"]["Message"]
            raise hive_error(f"SemanticException: {message}") from None


def repair(run: Run) -> list[str]:
    """``MSCK REPAIR TABLE``: the partitions whose objects are there."""
    table = run.table()
    bucket, prefix = split_location(table.location)
    known = {tuple(values) for values, _ in run.session.catalog.partitions(table)}
    style = "/".join(rf"{re.escape(key)}=([^/]+)" for key in table.partition_keys)
    found = set()
    for page in run.session.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix
    ):
        for item in page.get("Contents", ()):
            place = re.match(style + "/", item["Key"][len(prefix) :].lstrip("/"))
            if place:
                found.add(place.groups())
    lines = []
    for values in sorted(found - known):
        given = dict(zip(table.partition_keys, values, strict=True))
        put_partition(run, table, given, "", if_not_exists=True)
        lines.append(f"Repair: Added partition to metastore {table.name}:{_spec(given)}")
    return lines
