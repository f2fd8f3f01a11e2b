"""Statements that write data: CREATE TABLE AS, INSERT INTO and UNLOAD; all write Parquet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from local.athena import projection
from local.athena.catalog import Table
from local.athena.ddl import FORMATS, Run, named, put_partition
from local.athena.duckdb_errors import trino_errors
from local.athena.engine import Outcome, Query
from local.athena.errors import QueryError
from local.athena.storage import PARQUET_SERDE, output_denied, split_location
from local.athena.types import Type, common, quote, split_top, text
from local.athena.values import Value, coerce

_MOST_PARTITIONS = 100
"""Partitions that one statement can write: Athena's limit."""
_ESCAPED = re.compile(r'[\x00-\x1f"#%\'*/:=?\\\x7f{\[\]^]')
"""What Hive writes as %XX in the path of a partition."""
_KEY_TYPES = {"varchar", "tinyint", "smallint", "integer", "bigint", "date", "boolean"}
_PROPERTIES = {"format", "write_compression", "parquet_compression", "compression"}


@dataclass
class Written:
    """What a query wrote: rows, objects, and the values of the partitions that they are in."""

    rows: int = 0
    paths: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


def ctas(run: Run) -> Outcome:
    """``CREATE TABLE t WITH (...) AS query``."""
    properties = _properties(run["properties"], "external_location", "partitioned_by")
    keys = _names(properties.get("partitioned_by", ""))
    (database, name), no_data = run.qualified(), bool(run["no"])
    if properties.get("external_location") and run.session.enforced:
        raise QueryError(
            "",
            "The Create Table As Select query failed because it was submitted with an "
            "'external_location' property to an Athena Workgroup that enforces a centralized "
            "output location for all queries. Please remove the 'external_location' property "
            "and resubmit the query.",
        )
    if run.session.catalog.find(database, name):
        if run["exists"]:
            return Outcome()
        message = f"line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists"
        raise QueryError("TABLE_ALREADY_EXISTS", message)
    run.session.catalog.database(database)
    query = run.query(load=not no_data)
    described = named(query)
    columns = [(one["Name"], kind) for one, kind in zip(described, query.types, strict=True)]
    _check_keys(columns, keys)
    location = properties.get("external_location") or run.session.output + "/"
    written = Written()
    if not no_data:
        _check_empty(run, location)
        written = _write(run, query, columns, keys, location, _compression(properties))
    serde, inputs, outputs = FORMATS["PARQUET"]
    plain = len(columns) - len(keys)
    definition = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "has_encrypted_data": "false",
            "parquet.compression": _compression(properties),
        },
        "PartitionKeys": described[plain:],
        "StorageDescriptor": {
            "Columns": described[:plain],
            "Location": location,
            "InputFormat": inputs,
            "OutputFormat": outputs,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {}},
        },
    }
    run.glue("create_table", DatabaseName=database, TableInput=definition)
    table = run.session.catalog.table(database, name)
    for values, path in written.partitions.items():
        given = dict(zip(keys, values, strict=True))
        put_partition(run, table, given, path, if_not_exists=False)
    return Outcome() if no_data else _outcome(run, written)


def insert(run: Run) -> Outcome:
    """``INSERT INTO t (columns) query``."""
    table = run.table()
    _check_writable(table)
    types, keys = table.types(), list(table.partition_keys)
    given = _names(run["columns"]) or list(types)
    for name in given:
        if name not in types:
            message = f"Insert column name does not exist in target table: {name}"
            raise QueryError("COLUMN_NOT_FOUND", message)
    if len(set(given)) != len(given):
        message = "Insert column name is specified more than once"
        raise QueryError("DUPLICATE_COLUMN_NAME", message)
    query = run.query()
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
    found = run.session.catalog.partitions(table) if keys else ()
    places = {tuple(values): place.rstrip("/") for values, place in found}
    columns = list(types.items())
    written = _write(
        run, query, columns, keys, table.location, _compression({}), into=given, places=places
    )
    for values, path in written.partitions.items():
        if values not in places:
            made = dict(zip(keys, values, strict=True))
            put_partition(run, table, made, path, if_not_exists=True)
    return _outcome(run, written)


def unload(run: Run) -> Outcome:
    """``UNLOAD (query) TO 's3://...'``."""
    properties = _properties(run["properties"])
    query = run.query()
    columns = [(a.lower(), kind) for a, kind in zip(query.labels, query.types, strict=True)]
    _check_empty(run, run["location"])
    written = _write(run, query, columns, (), run["location"], _compression(properties))
    return _outcome(run, written)


# -- properties ------------------------------------------------------------------------------------


def _properties(inside: str, *more: str) -> dict[str, str]:
    properties = {}
    for one in split_top(inside):
        key, _, value = one.partition("=")
        properties[key.strip().lower()] = value.strip().strip("'")
    if properties.pop("table_type", "HIVE").upper() != "HIVE":
        raise _unsupported("creates Hive tables only: table_type = 'HIVE'")
    if properties.pop("is_external", "true").lower() != "true":
        raise _unsupported("creates external tables only: is_external = true")
    unknown = sorted(set(properties) - {*_PROPERTIES, *more})
    if unknown or properties.get("format", "PARQUET").upper() != "PARQUET":
        raise _unsupported(
            f"writes Parquet only, with {', '.join([*more, 'write_compression'])}; not "
            f"{', '.join(unknown) or properties['format']}"
        )
    return properties


def _unsupported(what: str) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"This local Athena {what}")


def _compression(properties: Mapping[str, str]) -> str:
    given = (properties.get(one) for one in ("write_compression", "parquet_compression"))
    return (next(filter(None, given), None) or properties.get("compression", "GZIP")).upper()


def _names(inside: str) -> list[str]:
    """The names in ``ARRAY['a', 'b']`` or ``"a", b``."""
    listed = re.sub(r"^ARRAY\s*\[(.*)\]$", r"\1", inside.strip(), flags=re.I | re.S)
    return [one.strip("`\"' \n\t").lower() for one in split_top(listed) if one.strip()]


# -- checks ----------------------------------------------------------------------------------------


def _check_writable(table: Table) -> None:
    name = f"'awsdatacatalog.{table.database}.{table.name}'"
    if table.sql is not None:
        raise QueryError("NOT_SUPPORTED", f"Inserting into views is not supported: {name}")
    if table.is_iceberg or table.serde != PARQUET_SERDE or projection.enabled(table):
        raise _unsupported(
            "inserts into Hive tables of Parquet without partition projection only, and "
            f"{name} is none"
        )


def _check_keys(columns: Sequence[tuple[str, Type]], keys: Sequence[str]) -> None:
    last = columns[len(columns) - len(keys) :]
    if [name for name, _ in last] != list(keys):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    if keys and len(keys) == len(columns):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for name, kind in last:
        if kind.name not in _KEY_TYPES:
            raise _unsupported(f"does not write partitions by {name}: {kind}")


def _check_empty(run: Run, location: str) -> None:
    """Raise if something is there: CTAS and UNLOAD want a place of their own."""
    bucket, prefix = split_location(location)
    s3 = run.session.s3
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/") + "/", MaxKeys=1)
    except ClientError as error:
        raise output_denied(location, error) from None
    if listed.get("KeyCount"):
        message = f"Target directory for table already exists: {location}"
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)


# -- writing ---------------------------------------------------------------------------------------


def _write(  # noqa: PLR0917
    run: Run,
    query: Query,
    columns: Sequence[tuple[str, Type]],
    keys: Sequence[str],
    location: str,
    compression: str,
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
        path, where = location.rstrip("/"), "true"
        if keys:
            path = (places or {}).get(values) or f"{path}/{_partition_path(keys, values)}"
            written.partitions[values] = path
            where = " AND ".join(
                f"CAST({quote(key)} AS VARCHAR) = {text(value)}"
                for key, value in zip(keys, values, strict=True)
            )
        file = run.engine.directory / f"{run.session.id}.parquet"
        try:
            with trino_errors():
                counted = cursor.execute(
                    f"COPY (SELECT {plain} FROM written WHERE {where}) TO {text(str(file))} "  # noqa: S608
                    f"(FORMAT parquet, COMPRESSION {compression})"
                ).fetchone()
            run.session.check()
            target = f"{path}/{run.session.id.replace('-', '')}_{len(written.paths)}.parquet"
            run.session.upload(target, file.read_bytes())
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
        raise _unsupported(
            f"does not write partitions whose key is NULL or empty: {', '.join(keys)}"
        )
    if len(found) > _MOST_PARTITIONS:
        message = f"Exceeded limit of {_MOST_PARTITIONS} open writers for partitions/buckets"
        raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", message)
    return [tuple(values) for values in found]


def _partition_path(keys: Sequence[str], values: Sequence[str]) -> str:
    return "/".join(
        f"{key}={_ESCAPED.sub(lambda found: f'%{ord(found[0]):02X}', value)}"
        for key, value in zip(keys, values, strict=True)
    )


def _outcome(run: Run, written: Written) -> Outcome:
    """Write the manifest, which names the objects."""
    manifest = f"{run.session.output}-manifest.csv"
    run.session.upload(manifest, "".join(f"{path}\n" for path in written.paths).encode())
    run.session.upload(f"{run.session.output}.metadata", b"")
    return Outcome(rows=written.rows, update_count=written.rows, manifest=manifest)
