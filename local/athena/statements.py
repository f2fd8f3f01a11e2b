"""Every statement that Athena runs: SELECT and what looks like one, and DDL over Glue."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from local.athena import ddl, results, rewrites, sql as trino
from local.athena.engine import Engine, Query, Session, columns_of
from local.athena.errors import QueryError
from local.athena.sql import SqlSyntaxError
from local.athena.storage import is_denied, split_location
from local.aws import Aws

if TYPE_CHECKING:
    from local.athena.api import Execution


@dataclass
class Statement:
    """A statement that was read, but not yet run.

    Parameters
    ----------
    type, substatement:
        As GetQueryExecution names them.
    tree:
        Of a SELECT, or of the SELECT inside of a CTAS, UNLOAD or CREATE VIEW.
    utility:
        Runs it, if it is none of those; the lines of its result.
    """

    type: str
    substatement: str
    tree: exp.Expression | None = None
    command: ddl.Command | None = None

    @property
    def is_query(self) -> bool:
        """Is its result a CSV file?"""
        return self.tree is not None and self.command is None

    @property
    def shown(self) -> bool:
        """Has it a result to page through?"""
        return self.is_query or self.type == "UTILITY"

    def output(self, query_id: str) -> str:
        """The result's file name."""
        if self.is_query:
            return f"{query_id}.csv"
        writes_data = self.command is not None and self.command.writes_data
        return f"tables/{query_id}" if writes_data else f"{query_id}.txt"


def read(text: str, parameters: list[str]) -> Statement:
    """The statement that ``text`` is, with ``?`` filled in.

    Raises
    ------
    SqlSyntaxError
        It is none.
    """
    text = text.strip().rstrip(";").strip()
    command = ddl.read(text, parameters)
    if command is not None:
        return Statement(command.type, command.substatement, command.tree, command)
    tree = trino.parse(fill(text, parameters) if parameters else text)
    if not isinstance(tree, (exp.Query, exp.Values)):
        word = text.split(None, 1)[0]
        raise SqlSyntaxError(
            f"line 1:1: mismatched input '{word}'. Expecting: 'ALTER', 'CREATE', 'DESCRIBE', "
            "'DROP', 'EXPLAIN', 'MSCK', 'SELECT', 'SHOW', 'UNLOAD', 'VALUES', 'WITH', <query>"
        )
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)
    if next(tree.find_all(exp.Placeholder), None) is not None:
        raise SqlSyntaxError("Incorrect number of parameters: expected more than 0 but found 0")
    return Statement("DML", "SELECT", tree)


def split_values(text: str) -> list[str]:
    """The values of ``USING a, b``."""
    from local.athena.types import split_top

    return [one.strip() for one in split_top(text)]


def fill(text: str, parameters: list[str]) -> str:
    """Put the parameters, which are SQL expressions, in place of each ``?``."""
    tokens = re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/)", text, flags=re.DOTALL)
    holes = sum(part.count("?") for part in tokens[::2])
    if holes != len(parameters):
        raise SqlSyntaxError(
            f"Incorrect number of parameters: expected {holes} but found {len(parameters)}"
        )
    values = iter(parameters)
    for i in range(0, len(tokens), 2):
        tokens[i] = re.sub(r"\?", lambda _: f"({next(values)})", tokens[i])
    return "".join(tokens)


def run(engine: Engine, session: Session, execution: Execution, aws: Aws) -> None:
    """Run an execution's statement, and write its result to S3 as the caller."""
    statement = execution.statement
    if statement.command is not None:
        lines = statement.command.run(engine, session, execution, aws)
        if statement.type == "UTILITY":
            execution.columns = statement.command.columns
            execution.rows = len(lines)
        body = "".join(line + "\n" for line in lines).encode()
        if not statement.command.writes_data:
            upload(aws, execution, execution.output, body)
            upload(
                aws,
                execution,
                execution.output + ".metadata",
                results.metadata_file(execution.id, execution.columns),
            )
        return
    assert statement.tree is not None
    began = time.monotonic()
    query = engine.prepare(session, statement.tree)
    execution.planned = time.monotonic() - began
    execution.columns = columns_of(query)
    file = engine.directory / f"{execution.id}.csv"
    try:
        with rewrites.trino_errors():
            execution.rows = results.write_csv(
                session.cursor, query.sql, query.labels, query.types, file
            )
        session.check()
        upload(aws, execution, execution.output, file.read_bytes())
    finally:
        file.unlink(missing_ok=True)
    upload(
        aws,
        execution,
        execution.output + ".metadata",
        results.metadata_file(execution.id, execution.columns),
    )


def upload(aws: Aws, execution: Execution, location: str, body: bytes) -> None:
    """Write one object of the result."""
    bucket, key = split_location(location)
    try:
        aws.client("s3", execution.caller).put_object(Bucket=bucket, Key=key, Body=body)
    except ClientError as error:
        if is_denied(error):
            raise QueryError(
                "",
                f"Access denied when writing output to url: {location}. Please ensure you are "
                "allowed to access the S3 bucket. If you are encrypting query results with KMS "
                "key, please ensure you are allowed to access your KMS key",
            ) from None
        raise QueryError(
            "",
            f"Unable to verify/create output bucket {bucket}: {error.response['Error']['Message']}",
        ) from None
