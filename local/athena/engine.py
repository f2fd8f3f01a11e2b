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
from local.athena.catalog import Catalog
from local.athena.compiler import Compiler
from local.athena.duckdb_errors import trino_errors
from local.athena.errors import QueryCancelledError, QueryError
from local.athena.expressions import Expressions, Scope
from local.athena.functions import install
from local.athena.pruning import weaken
from local.athena.sql import Bound, Scan
from local.athena.storage import DELETES, Lake, Object, Part, output_denied, split_location
from local.athena.types import Type, column_info, quote, read_type, text
from local.athena.values import Value


@dataclass
class Query:
    """A SELECT that is ready to run."""

    sql: str
    labels: list[str]
    types: list[Type]
    unnamed: list[int]
    reads: list[str]
    """Each table that is read, and which of its rows are needed at most."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a statement that succeeded has to tell.

    Parameters
    ----------
    columns:
        The result's, as GetQueryResults describes them.
    rows, update_count:
        Rows of the result, and rows written.
    planned:
        Seconds that planning took.
    manifest:
        The S3 URI of the list of written objects.
    """

    columns: Sequence[dict[str, Any]] = ()
    rows: int = 0
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
    partitions: dict[str, int] = field(default_factory=dict)
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
    """DuckDB, with Trino's functions and the lake.

    Parameters
    ----------
    directory:
        Where objects and decoded rows are kept while this lives; a temporary one by default.
    """

    def __init__(self, aws: Aws, directory: Path | None = None) -> None:
        self._aws = aws
        self._own = (
            tempfile.TemporaryDirectory(prefix="sales-cdc-athena-") if not directory else None
        )
        self.directory = directory or Path(self._own.name)  # type: ignore[union-attr]
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
        if self._own:
            self._own.cleanup()

    def session(self, caller: Credentials, database: str, **more: Any) -> Session:
        """A session of ``caller``; close its cursor in the end."""
        return Session(self._aws, caller, database, self._connection.cursor(), **more)

    def prepare(self, session: Session, tree: exp.Expr, *, load: bool = True) -> Query:
        """Bind and check a SELECT, then (if ``load``) read what it needs."""
        bound = trino.bind(tree, session.database, session.catalog)
        for scan in bound.scans.values():
            _declare(session.cursor, scan)
        hidden = {name: read_type(kind) for name, kind in trino.HIDDEN.items()}
        compiler = Compiler(
            {scan.name: {**scan.table.types(), **hidden} for scan in bound.scans.values()}
        )
        found = compiler.query(bound.tree)
        try:
            with trino_errors():
                session.cursor.execute(f"EXPLAIN {found.sql}").fetchall()
        except QueryError as error:
            raise trino.placed(error, bound.tree) from None
        wanted = trino.needed(bound)
        if load:
            self._load(session, bound, wanted)
        session.check()
        labels = [one.name or f"_col{i}" for i, one in enumerate(found.columns)]
        unnamed = [i for i, one in enumerate(found.columns, 1) if not one.name]
        types = [one.type for one in found.columns]
        return Query(found.sql, labels, types, unnamed, _reads(bound, wanted))

    def _load(self, session: Session, bound: Bound, wanted: Mapping[str, exp.Expr]) -> None:
        reads: list[tuple[Scan, list[Object]]] = []
        for scan in bound.scans.values():
            session.check()
            condition = wanted.get(scan.name)
            if scan.table.serde == information_schema.SERDE:
                self._fill(session, scan, condition)
                continue
            if scan.table.is_iceberg:
                from local.athena import iceberg  # noqa: PLC0415 - pyiceberg takes half a second

                reads.append((scan, iceberg.objects(session.s3, scan.table)))
                continue
            parts = self._prune(session, scan, condition)
            session.partitions[scan.name] = len(parts)
            reads.append((scan, self.lake.list(session.caller, parts)))
        if (
            session.cutoff
            and sum(_least(scan, objects) for scan, objects in reads) > session.cutoff
        ):
            raise QueryCancelledError("Bytes scanned limit was exceeded")
        for scan, objects in reads:
            session.check()
            self.lake.fetch(session.caller, objects)
            deletes = None
            if scan.table.is_iceberg:
                deletes = [one for one in objects if one.values == DELETES]
                objects = [one for one in objects if one.values != DELETES]  # noqa: PLW2901
            session.scanned += self.lake.expose(
                session.cursor, scan.name, scan.table, objects, scan.columns, deletes=deletes
            )
            if session.cutoff and session.scanned > session.cutoff:
                raise QueryCancelledError("Bytes scanned limit was exceeded")

    def _fill(self, session: Session, scan: Scan, condition: exp.Expr | None) -> None:
        schemas = _equals(condition, "table_schema") or _equals(condition, "schema_name")
        rows = information_schema.rows(scan.table.name, session.catalog, schemas)
        types = scan.table.duckdb_types()
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
        arrow = pa.table(
            {
                name: pa.array(values, pa.int64() if types[name] == "BIGINT" else pa.string())
                for name, values in zip(types, columns, strict=True)
            }
        )
        session.cursor.register("information_schema_rows", arrow)
        session.cursor.execute(f"DROP VIEW {quote(scan.name)}")
        session.cursor.execute(
            f"CREATE TEMP TABLE {quote(scan.name)} AS FROM information_schema_rows"
        )

    def _prune(self, session: Session, scan: Scan, condition: exp.Expr | None) -> list[Part]:
        """The partitions whose rows can satisfy the query's conditions."""
        table = scan.table
        if not table.partition_keys:
            bucket, prefix = split_location(table.location)
            return [
                Part((), bucket, prefix if prefix.endswith("/") or not prefix else prefix + "/")
            ]
        keys = set(table.partition_keys)
        about_keys = condition and weaken(
            condition, lambda atom: {column.name for column in atom.find_all(exp.Column)} <= keys
        )

        def injected(column: str) -> list[str]:
            values = _equals(about_keys, column)
            if values is None:
                raise QueryError(
                    "CONSTRAINT_VIOLATION",
                    f"For the injected projected partition column {column}, the WHERE clause must "
                    "contain only static equality conditions, and at least one such condition must "
                    "be present.",
                )
            return values

        if projection.enabled(table):
            candidates = list(projection.partitions(table, injected))
        else:
            candidates = list(session.catalog.partitions(table))
        kept: Sequence[int] = range(len(candidates))
        if about_keys is not None and candidates:
            kept = self._matching(session, scan, [values for values, _ in candidates], about_keys)
        parts = []
        for i in kept:
            values, location = candidates[i]
            bucket, prefix = split_location(location)
            parts.append(
                Part(tuple(values), bucket, prefix if prefix.endswith("/") else prefix + "/")
            )
        return parts

    def _matching(
        self, session: Session, scan: Scan, values: list[list[str]], condition: exp.Expr
    ) -> Sequence[int]:
        table = scan.table
        arrow = pa.table(
            {
                "$i": pa.array(range(len(values))),
                **{
                    f"k{k}": pa.array([row[k] for row in values], pa.string())
                    for k in range(len(table.partition_keys))
                },
            }
        )
        types = table.duckdb_types()
        typed = ", ".join(
            f"CAST(k{k} AS {types[name]}) AS {quote(name)}"
            for k, name in enumerate(table.partition_keys)
        )
        own = [(name, Value(quote(name), kind)) for name, kind in table.types().items()]
        expressions = Expressions(Compiler({}), Scope(sources={"": own}))
        cursor = session.cursor
        cursor.register("candidates", arrow)
        try:
            where = expressions.boolean(condition, "WHERE clause")
            found = cursor.execute(
                f'SELECT "$i" FROM (SELECT "$i", {typed} FROM candidates) '  # noqa: S608
                f"WHERE {where}"
            ).fetchall()
        except (duckdb.Error, QueryError):
            return range(len(values))  # the query itself will meet the same error, or none
        finally:
            cursor.unregister("candidates")
        return [row[0] for row in found]


def _reads(bound: Bound, wanted: Mapping[str, exp.Expr]) -> list[str]:
    found = []
    for scan in bound.scans.values():
        condition = wanted.get(scan.name)
        rows = condition.sql(dialect="trino") if condition is not None else "all rows"
        found.append(f"TableScan[awsdatacatalog:{scan.table.database}:{scan.table.name}] {rows}")
    return found


def _declare(cursor: duckdb.DuckDBPyConnection, scan: Scan) -> None:
    """An empty stand-in with the table's types, so that a bad query fails before S3 is read."""
    hidden = {name: read_type(kind).duckdb for name, kind in trino.HIDDEN.items()}
    columns = ", ".join(
        f"CAST(NULL AS {kind}) AS {quote(name)}"
        for name, kind in {**scan.table.duckdb_types(), **hidden}.items()
    )
    cursor.execute(f"CREATE TEMP VIEW {quote(scan.name)} AS SELECT {columns} WHERE false")


def _least(scan: Scan, objects: Sequence[Object]) -> int:
    """Bytes that are certain to be scanned: JSON is read whole."""
    if scan.table.is_iceberg or "parquet" in scan.table.serde.lower():
        return 0
    return sum(one.size for one in objects)


def _equals(condition: exp.Expr | None, column: str) -> list[str] | None:  # noqa: PLR0911
    """The values that ``column`` must equal one of, if the condition says so."""
    if condition is None:
        return None
    if isinstance(condition, exp.Paren):
        return _equals(condition.this, column)
    if isinstance(condition, exp.And):
        return _equals(condition.left, column) or _equals(condition.right, column)
    if isinstance(condition, exp.Or):
        left, right = _equals(condition.left, column), _equals(condition.right, column)
        return left + right if left is not None and right is not None else None
    if isinstance(condition, exp.EQ):
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if (
                isinstance(one, exp.Column)
                and one.name == column
                and isinstance(other, exp.Literal)
            ):
                return [other.name]
    if isinstance(condition, exp.In) and condition.this.name == column and condition.expressions:
        values = condition.expressions
        return (
            [one.name for one in values]
            if all(isinstance(v, exp.Literal) for v in values)
            else None
        )
    return None


def columns_of(query: Query) -> list[dict[str, Any]]:
    """ColumnInfo of a query's result."""
    return [column_info(name, kind) for name, kind in zip(query.labels, query.types, strict=True)]
