"""Runs one statement: binds names, prunes partitions, reads objects, rewrites and runs the SQL."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from botocore.exceptions import ClientError
from sqlglot import exp

from local.account.aws import Aws, Credentials
from local.athena import information_schema, projection
from local.athena import sql as trino
from local.athena.catalog import Catalog, Table
from local.athena.compiler import Compiler
from local.athena.duckdb_errors import trino_errors
from local.athena.errors import QueryCancelledError, QueryError
from local.athena.expressions import Expressions, Scope
from local.athena.functions import install
from local.athena.pruning import weaken
from local.athena.sql import Scan
from local.athena.storage import Lake, Places, insert, output_denied, split_location
from local.athena.types import Type, quote, text
from local.athena.values import Value


@dataclass
class Query:
    """A SELECT that is ready to run."""

    sql: str
    labels: list[str]
    types: list[Type]
    unnamed: list[int]
    """The places, from 1, of columns without a name."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a statement that succeeded has to tell.

    Parameters
    ----------
    columns:
        The result's, as GetQueryResults describes them.
    update_count:
        Rows written.
    planned:
        Seconds that planning took.
    manifest:
        The S3 URI of the list of written objects.
    """

    columns: Sequence[dict[str, Any]] = ()
    update_count: int = 0
    planned: float = 0.0
    manifest: str | None = None


@dataclass
class Session:
    """What belongs to one running statement.

    Parameters
    ----------
    id:
        The query execution's.
    output:
        Where its result goes: an S3 URI; written with the permissions of the caller.
    enforced:
        Does the workgroup say where results go, whatever the caller wants?
    cutoff:
        The most bytes that it may scan.
    """

    aws: Aws
    caller: Credentials
    database: str
    cursor: duckdb.DuckDBPyConnection
    id: str = ""
    output: str = ""
    enforced: bool = False
    cutoff: int | None = None
    scanned: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.aws, self.caller)

    @property
    def s3(self) -> Any:
        """S3 with the permissions of the caller."""
        return self.aws.client("s3", self.caller)

    def upload(self, uri: str, body: bytes) -> None:
        """Write an object."""
        bucket, key = split_location(uri)
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        except ClientError as error:
            raise output_denied(uri, error) from None

    def check(self) -> None:
        """Raise if the statement was stopped."""
        if self.stopped.is_set():
            raise QueryCancelledError("Query cancelled by user")


class Engine:
    """DuckDB, with Trino's functions and the lake."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._own = tempfile.TemporaryDirectory(prefix="sales-cdc-athena-")
        self.directory = Path(self._own.name)
        self._connection = duckdb.connect(config={"temp_directory": str(self.directory / "spill")})
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute(
            f"ATTACH {text(str(self.directory / 'decoded.duckdb'))} AS decoded"
        )
        install(self._connection)
        self.lake = Lake(aws, self.directory, self._connection)

    def close(self) -> None:
        """Forget everything."""
        self.lake.close()
        self._connection.close()
        self._own.cleanup()

    def session(self, caller: Credentials, database: str, **more: Any) -> Session:
        """A session of ``caller``; close its cursor in the end."""
        return Session(self._aws, caller, database, self._connection.cursor(), **more)

    def prepare(self, session: Session, tree: exp.Expr, *, load: bool = True) -> Query:
        """Bind and check a SELECT, then (if ``load``) read what it needs."""
        compiler, tree = Compiler(session.catalog, session.database), tree.copy()
        found = compiler.query(tree)
        for name, scan in compiler.scans.items():  # empty: a bad query fails before S3 is read
            nulls = (f"CAST(NULL AS {t.duckdb}) AS {quote(one)}" for one, t in scan.types.items())
            session.cursor.execute(
                f"CREATE TEMP VIEW {quote(name)} AS SELECT {', '.join(nulls)} WHERE false"
            )
        try:
            with trino_errors():
                session.cursor.execute(f"EXPLAIN {found.sql}").fetchall()
        except QueryError as error:
            raise trino.placed(error, tree) from None
        if load:
            self._load(session, tree, compiler.scans)
        session.check()
        labels = [one.name or f"_col{i}" for i, one in enumerate(found.columns)]
        unnamed = [i for i, one in enumerate(found.columns, 1) if not one.name]
        return Query(found.sql, labels, [one.type for one in found.columns], unnamed)

    def _load(self, session: Session, tree: exp.Expr, scans: Mapping[str, Scan]) -> None:
        wanted = trino.needed(tree, scans)
        for scan in scans.values():
            session.check()
            condition = wanted.get(scan.name)
            if scan.table.serde == information_schema.SERDE:
                _fill(session, scan, condition)
                continue
            if scan.table.is_iceberg:
                from local.athena import iceberg  # noqa: PLC0415 - pyiceberg takes half a second

                objects, deletes = iceberg.objects(session.s3, scan.table)
            else:
                places = _places(session, scan.table, condition)
                objects, deletes = self.lake.list(session.caller, places), []
            self.lake.fetch(session.caller, [*objects, *deletes])
            session.scanned += self.lake.expose(
                session.cursor, scan.name, scan.table, objects, scan.columns, deletes=deletes
            )
            if session.cutoff and session.scanned > session.cutoff:
                raise QueryCancelledError("Bytes scanned limit was exceeded")


def _fill(session: Session, scan: Scan, condition: exp.Expr | None) -> None:
    """Read the catalog: of the databases whose tables the query wants."""
    key = information_schema.schema_column(scan.table)
    databases = session.catalog.databases()
    kept = _matching(session, scan.table, [key], [(one,) for one in databases], condition)
    rows = information_schema.rows(scan.table, session.catalog, [databases[i] for i in kept])
    session.cursor.execute(f"DROP VIEW {quote(scan.name)}")
    insert(session.cursor, quote(scan.name), rows)


def _places(session: Session, table: Table, condition: exp.Expr | None) -> Places:
    """The partitions whose rows can satisfy the query's conditions."""
    found: list[tuple[tuple[str, ...], str]] = [((), table.location)]
    kept: Sequence[int] = [0]
    if table.partition_keys:
        known = projection.partitions if projection.enabled(table) else session.catalog.partitions
        found = list(known(table))
        given = [values for values, _ in found]
        kept = _matching(session, table, list(table.partition_keys), given, condition)
    places = {}
    for values, location in (found[i] for i in kept):
        bucket, prefix = split_location(location)
        places[bucket, prefix if prefix.endswith("/") or not prefix else prefix + "/"] = values
    return places


def _matching(
    session: Session,
    table: Table,
    keys: Sequence[str],
    values: Sequence[Sequence[str]],
    condition: exp.Expr | None,
) -> Sequence[int]:
    """Which of these values of the columns ``keys`` can satisfy the condition."""
    about = condition and weaken(
        condition, lambda atom: {column.name for column in atom.find_all(exp.Column)} <= set(keys)
    )
    if about is None or not values:
        return range(len(values))
    types = table.duckdb_types()
    typed = ", ".join(f"CAST({quote(key)} AS {types[key]}) AS {quote(key)}" for key in keys)
    own = [(name, Value(quote(name), kind)) for name, kind in table.types().items()]
    columns = dict(zip(keys, zip(*values, strict=True), strict=True))
    session.cursor.register("candidates", pa.table({**columns, "$i": range(len(values))}))
    try:
        where = Expressions(Compiler(session.catalog, ""), Scope({"": own})).boolean(
            about, "WHERE clause"
        )
        found = session.cursor.execute(
            f'SELECT "$i" FROM (SELECT "$i", {typed} FROM candidates) WHERE {where}'  # noqa: S608
        ).fetchall()
    except (duckdb.Error, QueryError):
        return range(len(values))  # the query itself will meet the same error, or none
    finally:
        session.cursor.unregister("candidates")
    return [row[0] for row in found]
