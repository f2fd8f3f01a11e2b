"""Statements that write data: CREATE TABLE AS, INSERT INTO and UNLOAD; all write Parquet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from botocore.exceptions import ClientError

from local.athena import projection
from local.athena.catalog import Table
from local.athena.ddl import PARQUET_FORMATS, Run, named, put_table
from local.athena.duckdb_errors import trino_errors
from local.athena.engine import Outcome, Query
from local.athena.errors import QueryError, refuse
from local.athena.storage import PARQUET_SERDE, output_denied, split_location
from local.athena.types import Type, common, quote, split_top, text
from local.athena.values import Value, coerce

_MOST_PARTITIONS = 100
"""Partitions that one statement can write: Athena's limit."""
_ESCAPED = re.compile(r'[\x00-\x1f"#%\'*/:=?\\\x7f{\[\]^]')
"""What Hive writes as %XX in the path of a partition."""
_KEY_TYPES = {"varchar", "tinyint", "smallint", "integer", "bigint", "date", "boolean"}
_COMPRESSION = ("write_compression", "parquet_compression", "compression")

Partitions = dict[tuple[str, ...], str]
"""The location of each partition, by its values."""


@dataclass
class Written:
    """What a query wrote: rows, objects, and the partitions that they are in."""

    rows: int = 0
    paths: list[str] = field(default_factory=list)
    partitions: Partitions = field(default_factory=dict)


def ctas(run: Run) -> Outcome:
    """``CREATE TABLE t WITH (...) AS query``."""
    properties = _properties(run["properties"], "external_location", "partitioned_by")
    keys = _names(properties.get("partitioned_by", ""))
    (database, name), no_data = run.qualified(), bool(run["no"])
    external = properties.get("external_location")
    if external and run.session.enforced:
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
    columns = {one["Name"]: kind for one, kind in zip(described, query.types, strict=True)}
    _check_keys(columns, keys)
    location, compression = external or run.session.output + "/", _compression(properties)
    written = Written()
    if not no_data:
        _check_empty(run, location)
        written = _write(run, query, columns, keys, location, compression=compression)
    plain = len(columns) - len(keys)
    storage = {
        "Columns": described[:plain],
        "Location": location,
        "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {}},
        **PARQUET_FORMATS,
    }
    properties = {"has_encrypted_data": "false", "parquet.compression": compression}
    put_table(run, described[plain:], storage, properties)
    _add_partitions(run, run.table(), written.partitions)
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
    known = dict(run.session.catalog.partitions(table)) if keys else {}
    written = _write(run, query, types, keys, table.location, into=given, known=known)
    new = {one: place for one, place in written.partitions.items() if one not in known}
    _add_partitions(run, table, new)
    return _outcome(run, written)


def unload(run: Run) -> Outcome:
    """``UNLOAD (query) TO 's3://...'``."""
    compression = _compression(_properties(run["properties"]))
    query = run.query()
    columns = dict(zip(map(str.lower, query.labels), query.types, strict=True))
    if len(columns) != len(query.types):
        raise refuse("UNLOAD of two columns with the same name")
    _check_empty(run, run["location"])
    return _outcome(run, _write(run, query, columns, (), run["location"], compression=compression))


# -- properties ------------------------------------------------------------------------------------


def _properties(inside: str, *more: str) -> dict[str, str]:
    properties = {}
    for one in split_top(inside):
        key, _, value = one.partition("=")
        properties[key.strip().lower()] = value.strip().strip("'")
    only = {"table_type": "HIVE", "is_external": "TRUE", "format": "PARQUET"}
    known = {*only, *_COMPRESSION, *more}
    for key, value in properties.items():
        if key not in known or value.upper() != only.get(key, value.upper()):
            raise refuse(f"{key} = {value}: it writes external Hive tables of Parquet")
    return properties


def _compression(properties: Mapping[str, str]) -> str:
    return next((properties[one] for one in _COMPRESSION if one in properties), "GZIP").upper()


def _names(inside: str) -> list[str]:
    """The names in ``ARRAY['a', 'b']`` or ``"a", b``."""
    listed = re.sub(r"^ARRAY\s*\[(.*)\]$", r"\1", inside.strip(), flags=re.IGNORECASE | re.DOTALL)
    return [one.strip("`\"' \n\t").lower() for one in split_top(listed) if one.strip()]


# -- checks ----------------------------------------------------------------------------------------


def _check_writable(table: Table) -> None:
    name = f"'awsdatacatalog.{table.database}.{table.name}'"
    if table.sql is not None:
        raise QueryError("NOT_SUPPORTED", f"Inserting into views is not supported: {name}")
    if table.is_iceberg or table.serde != PARQUET_SERDE or projection.enabled(table):
        raise refuse(
            f"INSERT INTO {name}: it is no Hive table of Parquet without partition projection"
        )


def _check_keys(columns: Mapping[str, Type], keys: Sequence[str]) -> None:
    if list(columns)[len(columns) - len(keys) :] != list(keys):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    if keys and len(keys) == len(columns):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for name in keys:
        if columns[name].name not in _KEY_TYPES:
            raise refuse(f"partitions by {name}: {columns[name]}")


def _check_empty(run: Run, location: str) -> None:
    """Raise if something is there: CTAS and UNLOAD want a place of their own."""
    bucket, prefix = split_location(location)
    folder = prefix.rstrip("/") + "/"
    try:
        listed = run.session.s3.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)
    except ClientError as error:
        raise output_denied(location, error) from None
    if listed.get("KeyCount"):
        message = f"Target directory for table already exists: {location}"
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)


# -- writing ---------------------------------------------------------------------------------------


def _write(
    run: Run,
    query: Query,
    columns: Mapping[str, Type],
    keys: Sequence[str],
    location: str,
    *,
    compression: str = "GZIP",
    into: Sequence[str] = (),
    known: Mapping[tuple[str, ...], str] | None = None,
) -> Written:
    """One Parquet object, or some a partition.

    Parameters
    ----------
    columns:
        Of the table, the partition keys last.
    into:
        The columns that the query's are for; the others are NULL. By default all, in order.
    known:
        The partitions that the table has already.
    """
    given = dict(zip(into or columns, enumerate(query.types), strict=True))
    selected = []
    for name, kind in columns.items():
        i, of = given.get(name, (None, kind))
        found = "NULL" if i is None else coerce(Value(f"c{i}", of), kind).sql
        selected.append(f"CAST({found} AS {kind.duckdb}) AS {quote(name)}")
    inner = ", ".join(f"c{i}" for i in range(len(query.types)))
    folder = run.engine.directory / run.session.id
    target = folder if keys else folder / "all.parquet"
    by = f", PARTITION_BY ({', '.join(map(quote, keys))})" if keys else ""
    written = Written()
    folder.mkdir()
    try:
        with trino_errors():
            counted = run.session.cursor.execute(
                f"COPY (SELECT {', '.join(selected)} FROM ({query.sql}) AS r({inner})) "  # noqa: S608
                f"TO {text(str(target))} (FORMAT parquet, COMPRESSION {compression}{by})"
            ).fetchone()
        written.rows = int(counted[0]) if counted else 0
        for i, (values, file) in enumerate(_files(folder, keys)):
            run.session.check()
            pairs = zip(keys, map(_escaped, values), strict=True)
            own = "/".join([location.rstrip("/"), *(f"{key}={value}" for key, value in pairs)])
            place = (known or {}).get(values, own).rstrip("/")
            written.partitions[values] = place
            written.paths.append(f"{place}/{run.session.id.replace('-', '')}_{i}.parquet")
            run.session.upload(written.paths[-1], file.read_bytes())
    finally:
        shutil.rmtree(folder)
    return written


def _files(folder: Path, keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Path]]:
    """What DuckDB wrote, and the values of the partition that each file is for."""
    found = {}
    for file in sorted(folder.rglob("*.parquet")):
        parts = file.relative_to(folder).parts[:-1]
        found[file] = tuple(unquote(one.partition("=")[2]) for one in parts)
    if any(value in ("", "__HIVE_DEFAULT_PARTITION__") for one in found.values() for value in one):
        raise refuse(f"partitions whose key is NULL or empty: {', '.join(keys)}")
    if len(set(found.values())) > _MOST_PARTITIONS:
        message = f"Exceeded limit of {_MOST_PARTITIONS} open writers for partitions/buckets"
        raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", message)
    for file, values in found.items():
        yield values, file


def _escaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", value)


def _add_partitions(run: Run, table: Table, places: Partitions) -> None:
    for values, place in places.items():
        if values:
            storage = {**table.storage, "Location": place}
            partition = {"Values": list(values), "StorageDescriptor": storage}
            into = {"DatabaseName": table.database, "TableName": table.name}
            run.glue("create_partition", **into, PartitionInput=partition)


def _outcome(run: Run, written: Written) -> Outcome:
    """Write the manifest, which names the objects."""
    manifest = f"{run.session.output}-manifest.csv"
    run.session.upload(manifest, "".join(f"{path}\n" for path in written.paths).encode())
    return Outcome(update_count=written.rows, manifest=manifest)
