"""Statements other than queries: SHOW, DESCRIBE, CREATE and the like on the Glue catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from local.athena import projection
from local.athena import sql as trino
from local.athena.catalog import Table, encode_view
from local.athena.duckdb_errors import trino_errors
from local.athena.errors import QueryError
from local.athena.outcome import Outcome, Task
from local.athena.sql import SqlSyntaxError
from local.athena.storage import PARQUET_SERDE, output_denied, split_location
from local.athena.types import Type, common, quote, split_top, text
from local.athena.values import Value, coerce

if TYPE_CHECKING:
    from local.athena.engine import Engine, Query, Session

_NAME = r'(?:`[^`]+`|"[^"]+"|[\w$-]+)'
_QUALIFIED = rf"(?P<name>{_NAME}(?:\.{_NAME}){{0,2}})"


@dataclass
class Run:
    """What a statement has at hand while it runs."""

    engine: Engine
    session: Session
    task: Task

    def qualified(self, name: str) -> tuple[str, str]:
        """Database and table of a name, as written."""
        parts = [part.strip('`"').lower() for part in re.findall(_NAME, name)]
        return (parts[-2] if len(parts) > 1 else self.session.database), parts[-1]

    def table(self, name: str) -> Table:
        """The table of this name."""
        return self.session.catalog.table(*self.qualified(name))


@dataclass
class Command:
    """A statement that is no query.

    Parameters
    ----------
    action:
        Does it, and returns the lines of its result; or, if it writes data, what came of it.
    """

    type: str
    substatement: str
    action: Callable[[Run], list[str] | Outcome]
    columns: list[dict[str, Any]] = field(default_factory=list)
    tree: exp.Expr | None = None
    writes_data: bool = False

    def run(self, engine: Engine, session: Session, task: Task) -> Outcome:
        """Do it."""
        done = self.action(Run(engine, session, task))
        if isinstance(done, Outcome):
            return done
        # Only what shows something has rows; the lines of DDL are messages.
        rows = len(done) if self.type == "UTILITY" else 0
        return Outcome(lines=done, columns=self.columns, rows=rows)


_FIRST_WORDS = {
    "ALTER", "CREATE", "DEALLOCATE", "DELETE", "DESC", "DESCRIBE", "DROP", "EXPLAIN", "INSERT",
    "MERGE", "MSCK", "OPTIMIZE", "PREPARE", "SHOW", "UNLOAD", "UPDATE", "VACUUM",
}  # fmt: skip


def read(sql: str, parameters: list[str]) -> Command | None:
    """The command that ``sql`` is; None if it may be a query.

    Raises
    ------
    SqlSyntaxError
        It begins like a command, but is none that is known here.
    """
    for pattern, make in _COMMANDS:
        match = pattern.fullmatch(sql)
        if match:
            return make(match, parameters)
    first = sql.split(None, 1)[0].upper() if sql else ""
    if first in _FIRST_WORDS:
        raise SqlSyntaxError(
            f"line 1:1: mismatched input '{sql.split(None, 1)[0]}': this local Athena does not "
            f"know this form of {first}"
        )
    return None


def _columns(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "CatalogName": "",
            "SchemaName": "",
            "TableName": "",
            "Name": name,
            "Label": name,
            "Type": "string",
            "Precision": 0,
            "Scale": 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": False,
        }
        for name in names
    ]


# -- SHOW and DESCRIBE -----------------------------------------------------------------------------


def _like(pattern: str | None) -> re.Pattern[str]:
    """Athena's pattern: a regular expression in which ``*`` stands for anything, or ``%``."""
    if not pattern:
        return re.compile(".*")
    return re.compile(pattern.replace("%", "*").replace("*", ".*"), re.IGNORECASE)


def _show_databases(match: re.Match[str], _: list[str]) -> Command:
    wanted = _like(match["pattern"])
    return Command(
        "UTILITY",
        "SHOW_DATABASES",
        lambda run: [one for one in run.session.catalog.databases() if wanted.fullmatch(one)],
        _columns("database_name"),
    )


def _show_tables(match: re.Match[str], _: list[str]) -> Command:
    wanted, views = _like(match["pattern"]), match["what"].upper() == "VIEWS"

    def action(run: Run) -> list[str]:
        database = (match["database"] or run.session.database).strip('`"').lower()
        run.session.catalog.database(database)
        return [
            table.name
            for table in run.session.catalog.tables(database)
            if wanted.fullmatch(table.name) and (table.sql is not None or not views)
        ]

    name = "views" if views else "tab_name"
    return Command("UTILITY", "SHOW_VIEWS" if views else "SHOW_TABLES", action, _columns(name))


def _show_columns(match: re.Match[str], _: list[str]) -> Command:
    def action(run: Run) -> list[str]:
        name = match["name"]
        if match["database"]:
            name = f"{match['database']}.{name}"
        return [f"{column:<20}" for column in run.table(name).all_columns]

    return Command("UTILITY", "SHOW_COLUMNS", action, _columns("field"))


def _show_partitions(match: re.Match[str], _: list[str]) -> Command:
    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        if not table.partition_keys:
            raise QueryError(
                "", f"FAILED: Execution Error, Table {table.name} is not a partitioned table"
            )
        if projection.enabled(table):
            return []  # projected partitions are in no catalog
        return sorted(
            "/".join(
                f"{key}={value}" for key, value in zip(table.partition_keys, values, strict=True)
            )
            for values, _ in run.session.catalog.partitions(table)
        )

    return Command("UTILITY", "SHOW_PARTITIONS", action, _columns("partition"))


def _describe(match: re.Match[str], _: list[str]) -> Command:
    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        comments = {
            column["Name"].lower(): column.get("Comment", "")
            for column in [
                *((table.glue or {}).get("StorageDescriptor", {}).get("Columns") or []),
                *((table.glue or {}).get("PartitionKeys") or []),
            ]
        }

        def line(name: str, kind: str) -> str:
            return f"{name:<20}\t{kind:<20}\t{comments.get(name, ''):<20}"

        lines = [line(name, kind) for name, kind in table.all_columns.items()]
        if table.partition_keys:
            lines += [
                f"{'':<20}\t{'':<20}\t{'':<20}",
                f"{'# Partition Information':<20}\t{'':<20}\t{'':<20}",
                f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}",
                f"{'':<20}\t{'':<20}\t{'':<20}",
                *(line(name, kind) for name, kind in table.partition_keys.items()),
            ]
        return lines

    return Command(
        "UTILITY", "DESCRIBE_TABLE", action, _columns("col_name", "data_type", "comment")
    )


def _show_create(match: re.Match[str], _: list[str]) -> Command:
    view = match["what"].upper() == "VIEW"

    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        if view != (table.sql is not None):
            raise QueryError(
                "", f"'{table.database}.{table.name}' is {'not ' if view else ''}a view"
            )
        if table.sql is not None:
            return [f"CREATE VIEW {table.name} AS ", *table.sql.split("\n")]
        return _create_table_text(table)

    kind = "VIEW" if view else "TABLE"
    column = "Create View" if view else "createtab_stmt"
    return Command("UTILITY", f"SHOW_CREATE_{kind}", action, _columns(column))


def _create_table_text(table: Table) -> list[str]:
    def listed(columns: Sequence[str]) -> list[str]:
        return [f"  {one}{',' if i < len(columns) else ')'}" for i, one in enumerate(columns, 1)]

    def pairs(properties: Any) -> list[str]:
        return [f"'{key}'='{value}'" for key, value in sorted(properties.items())]

    storage = (table.glue or {}).get("StorageDescriptor", {})
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines += listed([f"`{name}` {kind}" for name, kind in table.columns.items()])
    if table.partition_keys:
        lines.append("PARTITIONED BY ( ")
        lines += listed([f"`{name}` {kind}" for name, kind in table.partition_keys.items()])
    lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
    if table.serde_properties:
        lines += ["WITH SERDEPROPERTIES ( ", *listed(pairs(table.serde_properties))]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'"]
    lines += ["LOCATION", f"  '{table.location}'"]
    lines += ["TBLPROPERTIES (", *listed(pairs(table.properties))]
    return lines


def _explain(match: re.Match[str], parameters: list[str]) -> Command:
    body = match["query"]
    tree = trino.parse(trino.fill(body, parameters) if parameters else body)

    def action(run: Run) -> list[str]:
        query = run.engine.prepare(run.session, tree, load=False)
        shown = ", ".join(
            f"{label}:{kind}" for label, kind in zip(query.labels, query.types, strict=True)
        )
        return ["Query Plan", f"Output [{shown}]", *(f"    {one}" for one in query.reads)]

    return Command("UTILITY", "EXPLAIN", action, _columns("Query Plan"))


# -- views and tables ------------------------------------------------------------------------------


def _create_view(match: re.Match[str], parameters: list[str]) -> Command:
    body = match["query"].strip()
    tree = trino.parse(trino.fill(body, parameters) if parameters else body)

    def action(run: Run) -> list[str]:
        query = run.engine.prepare(run.session, tree, load=False)
        _named(query)
        database, name = run.qualified(match["name"])
        columns = [
            (label.lower(), kind) for label, kind in zip(query.labels, query.types, strict=True)
        ]
        document = encode_view(
            body, run.session.database, [(label, str(kind)) for label, kind in columns]
        )
        definition = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": [{"Name": label, "Type": kind.hive} for label, kind in columns],
                "Location": "",
                "SerdeInfo": {},
            },
            "ViewOriginalText": document,
            "ViewExpandedText": "/* Presto View */",
        }
        existing = run.session.catalog.find(database, name)
        if existing is None:
            _glue(run, "create_table", DatabaseName=database, TableInput=definition)
        elif match["replace"] and existing.sql is not None:
            _glue(run, "update_table", DatabaseName=database, TableInput=definition)
        else:
            raise QueryError(
                "TABLE_ALREADY_EXISTS",
                f"{'View' if existing.sql is not None else 'Table'} already exists: "
                f"'awsdatacatalog.{database}.{name}'",
                (1, 1),
            )
        return []

    return Command("DDL", "CREATE_VIEW", action)


def _named(query: Query) -> None:
    if query.unnamed:
        raise QueryError(
            "MISSING_COLUMN_NAME",
            f"Column name not specified at position {query.unnamed[0]}",
            (1, 1),
        )
    seen: set[str] = set()
    for label in (label.lower() for label in query.labels):
        if label in seen:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{label}' specified more than once", (1, 1)
            )
        seen.add(label)


def _glue(run: Run, operation: str, **arguments: Any) -> dict[str, Any]:
    try:
        return run.session.catalog.call(operation, **arguments)
    except ClientError as error:
        told = error.response["Error"]
        raise QueryError(
            "", f"FAILED: Execution Error: {told['Code']}: {told['Message']}"
        ) from None


def _drop(match: re.Match[str], _: list[str]) -> Command:
    view = match["what"].upper() == "VIEW"

    def action(run: Run) -> list[str]:
        database, name = run.qualified(match["name"])
        existing = run.session.catalog.find(database, name)
        if existing is None:
            if match["exists"]:
                return []
            raise QueryError(
                "TABLE_NOT_FOUND" if view else "",
                f"View 'awsdatacatalog.{database}.{name}' does not exist"
                if view
                else f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}",
                (1, 1) if view else None,
            )
        if view and existing.sql is None:
            raise QueryError(
                "NOT_SUPPORTED", f"'awsdatacatalog.{database}.{name}' is a table, not a view"
            )
        _glue(run, "delete_table", DatabaseName=database, Name=name)
        return []

    return Command("DDL", "DROP_VIEW" if view else "DROP_TABLE", action)


def _database(match: re.Match[str], _: list[str]) -> Command:
    create = match["verb"].upper() == "CREATE"

    def action(run: Run) -> list[str]:
        name = match["name"].strip('`"').lower()
        try:
            run.session.catalog.database(name)
            exists = True
        except QueryError as error:
            if error.name != "SCHEMA_NOT_FOUND":
                raise
            exists = False
        if create == exists:
            if match["exists"]:
                return []
            state = "already exists" if exists else "does not exist"
            raise QueryError("", f"FAILED: SemanticException: Database {state}: {name}")
        if create:
            _glue(run, "create_database", DatabaseInput={"Name": name})
            return []
        if run.session.catalog.tables(name) and not match["cascade"]:
            raise QueryError(
                "",
                f"FAILED: Execution Error: Database {name} is not empty. One or more tables exist.",
            )
        _glue(run, "delete_database", Name=name)
        return []

    return Command("DDL", f"{match['verb'].upper()}_DATABASE", action)


_SERDES = {
    "PARQUET": (
        PARQUET_SERDE,
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ),
}


def _column_list(inside: str | None) -> list[dict[str, str]]:
    columns = []
    for one in split_top(inside or ""):
        found = re.fullmatch(
            r"`?([\w$]+)`?\s+(.*?)(?:\s+COMMENT\s+'(.*)')?", one, re.IGNORECASE | re.DOTALL
        )
        if not found:
            raise SqlSyntaxError(f"line 1:1: mismatched input '{one}'. Expecting: <column>")
        columns.append({"Name": found[1].lower(), "Type": re.sub(r"\s+", "", found[2].lower())})
    return columns


def _pairs(inside: str | None) -> dict[str, str]:
    return dict(re.findall(r"""['"]([^'"]+)['"]\s*=\s*['"]([^'"]*)['"]""", inside or ""))


def _create_table(match: re.Match[str], _: list[str]) -> Command:
    rest = match["rest"]

    def bracket(after: str) -> str | None:
        found = re.search(after + r"\s*\(", rest, re.IGNORECASE)
        if not found:
            return None
        depth, start = 1, found.end()
        for i in range(start, len(rest)):
            depth += (rest[i] == "(") - (rest[i] == ")")
            if depth == 0:
                return rest[start:i]
        raise SqlSyntaxError("line 1:1: mismatched input '<EOF>'. Expecting: ')'")

    def word(pattern: str) -> str | None:
        found = re.search(pattern, rest, re.IGNORECASE)
        return found[1] if found else None

    serde, inputs, outputs = _SERDES[
        (word(r"STORED\s+AS\s+(PARQUET|TEXTFILE)") or "TEXTFILE").upper()
    ]
    storage = {
        "Columns": _column_list(bracket(r"^")),
        "Location": word(r"LOCATION\s+'([^']+)'") or "",
        "InputFormat": word(r"INPUTFORMAT\s+'([^']+)'") or inputs,
        "OutputFormat": word(r"OUTPUTFORMAT\s+'([^']+)'") or outputs,
        "SerdeInfo": {
            "SerializationLibrary": word(r"ROW\s+FORMAT\s+SERDE\s+'([^']+)'") or serde,
            "Parameters": _pairs(bracket(r"SERDEPROPERTIES")),
        },
    }
    if not storage["Location"]:
        raise SqlSyntaxError("line 1:1: mismatched input '<EOF>'. Expecting: LOCATION")

    def action(run: Run) -> list[str]:
        database, name = run.qualified(match["name"])
        if run.session.catalog.find(database, name):
            if match["exists"]:
                return []
            raise QueryError(
                "", f"FAILED: Execution Error: AlreadyExistsException: Table {name} already exists"
            )
        definition = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", **_pairs(bracket(r"TBLPROPERTIES"))},
            "PartitionKeys": _column_list(bracket(r"PARTITIONED\s+BY")),
            "StorageDescriptor": storage,
        }
        _glue(run, "create_table", DatabaseName=database, TableInput=definition)
        return []

    return Command("DDL", "CREATE_TABLE", action)


def _add_partition(match: re.Match[str], _: list[str]) -> Command:
    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        for values, location in re.findall(
            r"PARTITION\s*\(([^)]*)\)(?:\s+LOCATION\s+'([^']+)')?", match["rest"], re.IGNORECASE
        ):
            given = {k.lower(): v for k, v in re.findall(r"`?(\w+)`?\s*=\s*'?([^',\s]+)'?", values)}
            _put_partition(run, table, given, location, bool(match["exists"]))
        return []

    return Command("DDL", "ALTER_TABLE_ADD_PARTITION", action)


def _set_properties(match: re.Match[str], _: list[str]) -> Command:
    properties = _pairs(match["properties"])
    if not properties:
        raise SqlSyntaxError("line 1:1: mismatched input ')'. Expecting: 'name'='value'")

    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        _update(run, table, Parameters={**table.properties, **properties})
        return []

    return Command("DDL", "ALTER_TABLE_SET_TBLPROPERTIES", action)


def _change_columns(match: re.Match[str], _: list[str]) -> Command:
    adds = match["how"].upper() == "ADD"
    columns = _column_list(match["columns"])

    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        storage = dict((table.glue or {})["StorageDescriptor"])
        kept = list(storage["Columns"]) if adds else []
        taken = [*table.partition_keys, *(one["Name"].lower() for one in kept)]
        for one in columns:
            if one["Name"] in taken:
                raise QueryError(
                    "",
                    f"FAILED: Execution Error: Duplicate column name {one['Name']} in the table "
                    "definition.",
                )
            taken.append(one["Name"])
        storage["Columns"] = [*kept, *columns]
        _update(run, table, StorageDescriptor=storage)
        return []

    return Command("DDL", f"ALTER_TABLE_{'ADD' if adds else 'REPLACE'}_COLUMNS", action)


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
    _glue(run, "update_table", DatabaseName=table.database, TableInput={**known, **changes})


def _put_partition(
    run: Run, table: Table, given: dict[str, str], location: str, if_not_exists: bool
) -> None:
    if set(given) != set(table.partition_keys):
        raise QueryError(
            "", f"FAILED: SemanticException: partition spec {given} does not match the table's"
        )
    path = location or table.location.rstrip("/") + "/" + "/".join(
        f"{key}={given[key]}" for key in table.partition_keys
    )
    storage = dict((table.glue or {})["StorageDescriptor"], Location=path)
    try:
        run.session.catalog.call(
            "create_partition",
            DatabaseName=table.database,
            TableName=table.name,
            PartitionInput={
                "Values": [given[key] for key in table.partition_keys],
                "StorageDescriptor": storage,
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException" or not if_not_exists:
            raise QueryError(
                "", f"FAILED: SemanticException: {error.response['Error']['Message']}"
            ) from None


def _repair(match: re.Match[str], _: list[str]) -> Command:
    def action(run: Run) -> list[str]:
        table = run.table(match["name"])
        bucket, prefix = split_location(table.location)
        known = {tuple(values) for values, _ in run.session.catalog.partitions(table)}
        style = "/".join(rf"{re.escape(key)}=([^/]+)" for key in table.partition_keys)
        found = set()
        s3 = run.task.aws.client("s3", run.session.caller)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                place = re.match(style + "/", item["Key"][len(prefix) :].lstrip("/"))
                if place:
                    found.add(place.groups())
        lines = []
        for values in sorted(found - known):
            given = dict(zip(table.partition_keys, values, strict=True))
            _put_partition(run, table, given, "", True)
            shown = "/".join(f"{key}={value}" for key, value in given.items())
            lines.append(f"Repair: Added partition to metastore {table.name}:{shown}")
        return lines

    return Command("DDL", "MSCK_REPAIR_TABLE", action)


# -- CTAS, INSERT and UNLOAD ----------------------------------------------------------------------

_MOST_PARTITIONS = 100
"""Partitions that one statement can write: Athena's limit."""
_ESCAPED = re.compile(r'[\x00-\x1f"#%\'*/:=?\\\x7f{\[\]^]')
"""What Hive writes as %XX in the path of a partition."""
_KEY_TYPES = {"varchar", "tinyint", "smallint", "integer", "bigint", "date", "boolean"}


@dataclass
class Written:
    """What a query wrote: rows, objects, and the values of the partitions that they are in."""

    rows: int = 0
    paths: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


def _ctas(match: re.Match[str], parameters: list[str]) -> Command:
    properties = _with(match["properties"])
    keys = _names(properties.pop("partitioned_by", None))
    tree, no_data = _query_with_data(match["query"], parameters)

    def action(run: Run) -> Outcome:
        database, name = run.qualified(match["name"])
        if properties.get("external_location") and run.task.enforced:
            raise QueryError(
                "",
                "The Create Table As Select query failed because it was submitted with an "
                "'external_location' property to an Athena Workgroup that enforces a centralized "
                "output location for all queries. Please remove the 'external_location' property "
                "and resubmit the query.",
            )
        if run.session.catalog.find(database, name):
            if match["exists"]:
                return Outcome()
            raise QueryError(
                "TABLE_ALREADY_EXISTS",
                f"line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists",
            )
        run.session.catalog.database(database)
        query = run.engine.prepare(run.session, tree, load=not no_data)
        _named(query)
        location = properties.get("external_location") or run.task.output + "/"
        columns = [
            (label.lower(), kind) for label, kind in zip(query.labels, query.types, strict=True)
        ]
        _check_keys(columns, keys)
        written = Written()
        if not no_data:
            _check_empty(run, location)
            written = _write_parquet(run, query, columns, keys, location, properties)
        serde, inputs, outputs = _SERDES["PARQUET"]
        described = [{"Name": label, "Type": kind.hive} for label, kind in columns]
        definition = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "has_encrypted_data": "false",
                "parquet.compression": _compression(properties),
            },
            "PartitionKeys": described[len(columns) - len(keys) :],
            "StorageDescriptor": {
                "Columns": described[: len(columns) - len(keys)],
                "Location": location,
                "InputFormat": inputs,
                "OutputFormat": outputs,
                "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {}},
            },
        }
        _glue(run, "create_table", DatabaseName=database, TableInput=definition)
        table = run.session.catalog.table(database, name)
        for values, path in written.partitions.items():
            _put_partition(run, table, dict(zip(keys, values, strict=True)), path, False)
        return _outcome(run, written) if not no_data else Outcome()

    return Command("DDL", "CREATE_TABLE_AS_SELECT", action, tree=tree, writes_data=True)


def _insert(match: re.Match[str], parameters: list[str]) -> Command:
    tree, _ = _query_with_data(match["query"], parameters)
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)

    def action(run: Run) -> Outcome:
        table = run.table(match["name"])
        _check_writable(table)
        types, keys = table.types(), list(table.partition_keys)
        given = _names(match["columns"]) or list(types)
        for name in given:
            if name not in types:
                raise QueryError(
                    "COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {name}"
                )
        if len(set(given)) != len(given):
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", "Insert column name is specified more than once"
            )
        query = run.engine.prepare(run.session, tree)
        into = [types[name] for name in given]
        if len(into) != len(query.types) or any(
            common(of, to) != to for of, to in zip(query.types, into, strict=True)
        ):
            raise QueryError(
                "TYPE_MISMATCH",
                "Insert query has mismatched column types: Table: "
                f"[{', '.join(map(str, into))}], Query: [{', '.join(map(str, query.types))}]",
                (1, 1),
            )
        places = {
            tuple(values): place.rstrip("/")
            for values, place in (run.session.catalog.partitions(table) if keys else ())
        }
        written = _write_parquet(
            run, query, list(types.items()), keys, table.location, {}, into=given, places=places
        )
        for values, path in written.partitions.items():
            if values not in places:
                _put_partition(run, table, dict(zip(keys, values, strict=True)), path, True)
        return _outcome(run, written)

    return Command("DML", "INSERT", action, tree=tree, writes_data=True)


def _check_writable(table: Table) -> None:
    name = f"'awsdatacatalog.{table.database}.{table.name}'"
    if table.sql is not None:
        raise QueryError("NOT_SUPPORTED", f"Inserting into views is not supported: {name}")
    if table.is_iceberg or table.serde != PARQUET_SERDE or projection.enabled(table):
        raise QueryError(
            "NOT_SUPPORTED",
            "This local Athena inserts into Hive tables of Parquet without partition projection "
            f"only, and {name} is none",
        )


def _check_keys(columns: Sequence[tuple[str, Type]], keys: Sequence[str]) -> None:
    last = [name for name, _ in columns[len(columns) - len(keys) :]]
    if last != list(keys):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    if keys and len(keys) == len(columns):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for name, kind in columns[len(columns) - len(keys) :]:
        if kind.name not in _KEY_TYPES:
            raise QueryError(
                "NOT_SUPPORTED",
                f"This local Athena does not write partitions by {name}: {kind}",
            )


def _unload(match: re.Match[str], parameters: list[str]) -> Command:
    properties = _with(match["properties"])
    if set(properties) & {"external_location", "partitioned_by"}:
        raise SqlSyntaxError("line 1:1: this local Athena unloads with format and compression only")
    tree, _ = _query_with_data(match["query"], parameters)

    def action(run: Run) -> Outcome:
        query = run.engine.prepare(run.session, tree)
        columns = [
            (label.lower(), kind) for label, kind in zip(query.labels, query.types, strict=True)
        ]
        _check_empty(run, match["location"])
        return _outcome(run, _write_parquet(run, query, columns, (), match["location"], properties))

    return Command("DML", "UNLOAD", action, tree=tree, writes_data=True)


def _query_with_data(sql: str, parameters: list[str]) -> tuple[exp.Expr, bool]:
    found = re.fullmatch(r"(.*?)(\s+WITH\s+(NO\s+)?DATA)?", sql.strip(), re.IGNORECASE | re.DOTALL)
    assert found
    body = found[1].strip()
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1]
    return trino.parse(trino.fill(body, parameters) if parameters else body), bool(found[3])


def _names(inside: str | None) -> list[str]:
    """The names in ``ARRAY['a', 'b']`` or ``"a", b``."""
    listed = re.sub(r"^ARRAY\s*\[(.*)\]$", r"\1", (inside or "").strip(), flags=re.I | re.S)
    return [one.strip("`\"' \n\t").lower() for one in split_top(listed) if one.strip()]


_WRITES = {
    "external_location", "format", "is_external", "partitioned_by", "table_type",
    "write_compression", "parquet_compression", "compression",
}  # fmt: skip


def _with(inside: str | None) -> dict[str, str]:
    properties = {}
    for one in split_top(inside or ""):
        key, _, value = one.partition("=")
        properties[key.strip().lower()] = value.strip().strip("'")
    if properties.pop("table_type", "HIVE").upper() != "HIVE":
        raise SqlSyntaxError(
            "line 1:1: this local Athena creates Hive tables only: table_type = 'HIVE'"
        )
    if properties.pop("is_external", "true").lower() != "true":
        raise SqlSyntaxError("line 1:1: a Hive table is external: is_external = true")
    unknown = set(properties) - _WRITES
    if unknown or properties.get("format", "PARQUET").upper() != "PARQUET":
        raise SqlSyntaxError(
            "line 1:1: this local Athena writes Parquet only, with external_location, "
            "partitioned_by and write_compression; not "
            f"{', '.join(sorted(unknown)) or properties['format']}"
        )
    return properties


def _compression(properties: dict[str, str]) -> str:
    return (
        properties.get("write_compression")
        or properties.get("parquet_compression")
        or properties.get("compression")
        or "GZIP"
    ).upper()


def _check_empty(run: Run, location: str) -> None:
    """Raise if something is there: CTAS and UNLOAD want a place of their own."""
    bucket, prefix = split_location(location)
    s3 = run.task.aws.client("s3", run.session.caller)
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/") + "/", MaxKeys=1)
    except ClientError as error:
        raise output_denied(location, error) from None
    if listed.get("KeyCount"):
        raise QueryError(
            "HIVE_PATH_ALREADY_EXISTS", f"Target directory for table already exists: {location}"
        )


def _write_parquet(  # noqa: PLR0917
    run: Run,
    query: Query,
    columns: Sequence[tuple[str, Type]],
    keys: Sequence[str],
    location: str,
    properties: dict[str, str],
    *,
    into: Sequence[str] | None = None,
    places: Mapping[tuple[str, ...], str] | None = None,
) -> Written:
    """One Parquet object, or one a partition.

    Parameters
    ----------
    columns:
        Of the table, the partition keys last.
    into:
        The columns that the query's are for; the others are NULL. By default all, in order.
    places:
        Of the partitions that the table has already.
    """
    names = [name for name, _ in columns] if into is None else list(into)
    sources = {
        name: Value(f"c{i}", kind)
        for i, (name, kind) in enumerate(zip(names, query.types, strict=True))
    }
    selected = ", ".join(
        f"CAST({coerce(sources[name], kind).sql if name in sources else 'NULL'} AS {kind.duckdb}) "
        f"AS {quote(name)}"
        for name, kind in columns
    )
    inner = ", ".join(f"c{i}" for i in range(len(query.types)))
    cursor = run.session.cursor
    with trino_errors():
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE written AS SELECT {selected} "  # noqa: S608
            f"FROM ({query.sql}) AS r({inner})"
        )
    written = Written()
    plain = ", ".join(quote(name) for name, _ in columns if name not in keys)
    for values in _partition_values(run, keys):
        path = location.rstrip("/")
        where = "true"
        if keys:
            path = (places or {}).get(values) or f"{path}/{_partition_path(keys, values)}"
            written.partitions[values] = path
            where = " AND ".join(
                f"CAST({quote(key)} AS VARCHAR) = {text(value)}"
                for key, value in zip(keys, values, strict=True)
            )
        file = run.engine.directory / f"{run.task.id}.parquet"
        try:
            with trino_errors():
                counted = cursor.execute(
                    f"COPY (SELECT {plain} FROM written WHERE {where}) TO {text(str(file))} "  # noqa: S608
                    f"(FORMAT parquet, COMPRESSION {_compression(properties)})"
                ).fetchone()
            run.session.check()
            target = f"{path}/{run.task.id.replace('-', '')}_{len(written.paths)}.parquet"
            run.task.upload(target, file.read_bytes())
        finally:
            file.unlink(missing_ok=True)
        written.rows += int(counted[0]) if counted else 0
        written.paths.append(target)
    return written


def _partition_values(run: Run, keys: Sequence[str]) -> list[tuple[str, ...]]:
    """The partitions of what is to be written; without keys there is one, which has no values."""
    if not keys:
        return [()]
    listed = ", ".join(f"CAST({quote(key)} AS VARCHAR)" for key in keys)
    found = run.session.cursor.execute(
        f"SELECT DISTINCT {listed} FROM written ORDER BY ALL"  # noqa: S608
    ).fetchall()
    if any(value is None or value == "" for values in found for value in values):
        raise QueryError(
            "NOT_SUPPORTED",
            "This local Athena does not write partitions whose key is NULL or empty: "
            f"{', '.join(keys)}",
        )
    if len(found) > _MOST_PARTITIONS:
        raise QueryError(
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
            f"Exceeded limit of {_MOST_PARTITIONS} open writers for partitions/buckets",
        )
    return [tuple(values) for values in found]


def _partition_path(keys: Sequence[str], values: Sequence[str]) -> str:
    return "/".join(
        f"{key}={_ESCAPED.sub(lambda found: f'%{ord(found[0]):02X}', value)}"
        for key, value in zip(keys, values, strict=True)
    )


def _outcome(run: Run, written: Written) -> Outcome:
    """Write the manifest, which names the objects."""
    manifest = f"{run.task.output}-manifest.csv"
    run.task.upload(manifest, "".join(f"{path}\n" for path in written.paths).encode())
    run.task.upload(f"{run.task.output}.metadata", b"")
    return Outcome(rows=written.rows, update_count=written.rows, manifest=manifest)


# -- which is which --------------------------------------------------------------------------------


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+").replace("~", r"\s*"), re.IGNORECASE | re.DOTALL)


_LIKE = r"(?: (?:LIKE )?~'(?P<pattern>[^']*)')?"
_Make = Callable[[re.Match[str], list[str]], Command]
_COMMANDS: list[tuple[re.Pattern[str], _Make]] = [
    (_pattern(rf"SHOW (?:DATABASES|SCHEMAS){_LIKE}"), _show_databases),
    (
        _pattern(rf"SHOW (?P<what>TABLES|VIEWS)(?: (?:IN|FROM) (?P<database>{_NAME}))?{_LIKE}"),
        _show_tables,
    ),
    (
        _pattern(rf"SHOW COLUMNS (?:IN|FROM) {_QUALIFIED}(?: (?:IN|FROM) (?P<database>{_NAME}))?"),
        _show_columns,
    ),
    (_pattern(rf"SHOW PARTITIONS {_QUALIFIED}"), _show_partitions),
    (_pattern(rf"SHOW CREATE (?P<what>TABLE|VIEW) {_QUALIFIED}"), _show_create),
    (_pattern(rf"(?:DESCRIBE|DESC)(?: EXTENDED| FORMATTED)? {_QUALIFIED}"), _describe),
    (_pattern(r"EXPLAIN(?:~\([^)]*\))? (?P<query>(?:SELECT|WITH|VALUES|\().*)"), _explain),
    (
        _pattern(rf"CREATE(?P<replace> OR REPLACE)? VIEW {_QUALIFIED} AS (?P<query>.*)"),
        _create_view,
    ),
    (_pattern(rf"DROP (?P<what>VIEW|TABLE)(?P<exists> IF EXISTS)? {_QUALIFIED}"), _drop),
    (
        _pattern(
            rf"(?P<verb>CREATE|DROP) (?:DATABASE|SCHEMA)(?P<exists> IF(?: NOT)? EXISTS)? "
            rf"(?P<name>{_NAME})(?P<cascade> CASCADE)?(?: COMMENT .*)?"
        ),
        _database,
    ),
    (
        _pattern(
            rf"CREATE TABLE(?P<exists> IF NOT EXISTS)? {_QUALIFIED}"
            r"~(?:WITH~\((?P<properties>[^)]*)\))?~AS (?P<query>.*)"
        ),
        _ctas,
    ),
    (
        _pattern(rf"CREATE EXTERNAL TABLE(?P<exists> IF NOT EXISTS)? {_QUALIFIED}~(?P<rest>\(.*)"),
        _create_table,
    ),
    (
        _pattern(rf"ALTER TABLE {_QUALIFIED} ADD(?P<exists> IF NOT EXISTS)? (?P<rest>PARTITION.*)"),
        _add_partition,
    ),
    (
        _pattern(rf"ALTER TABLE {_QUALIFIED} SET TBLPROPERTIES~\((?P<properties>[^)]*)\)"),
        _set_properties,
    ),
    (
        _pattern(rf"ALTER TABLE {_QUALIFIED} (?P<how>ADD|REPLACE) COLUMNS~\((?P<columns>.*)\)"),
        _change_columns,
    ),
    (
        _pattern(
            rf"INSERT INTO {_QUALIFIED}~(?:\(~(?P<columns>{_NAME}(?:~,~{_NAME})*)~\))?"
            r"~(?P<query>(?:SELECT|WITH|VALUES|TABLE|\().*)"
        ),
        _insert,
    ),
    (_pattern(rf"MSCK REPAIR TABLE {_QUALIFIED}"), _repair),
    (
        _pattern(
            r"UNLOAD~(?P<query>\(.*\))~TO~'(?P<location>s3://[^']+)'~(?:WITH~\((?P<properties>[^)]*)\))?"
        ),
        _unload,
    ),
]
