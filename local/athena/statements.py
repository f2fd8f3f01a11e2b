"""Every statement that Athena runs: SELECT and what looks like one, and DDL over Glue."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from local.account.aws import Aws
from local.athena import ddl, results
from local.athena import sql as trino
from local.athena.duckdb_errors import trino_errors
from local.athena.engine import Engine, Session, columns_of
from local.athena.sql import SqlSyntaxError
from local.athena.storage import upload

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
    command:
        What runs it, if it is no query.
    """

    type: str
    substatement: str
    tree: exp.Expr | None = None
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


_LEADING_COMMENTS = re.compile(r"\A(?:\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/))+\s*", re.DOTALL)


def read(text: str, parameters: list[str]) -> Statement:
    """The statement that ``text`` is, with ``?`` filled in.

    Raises
    ------
    SqlSyntaxError
        It is none.
    """
    text = text.strip().rstrip(";").strip()
    command = ddl.read(_LEADING_COMMENTS.sub("", text), parameters)
    if command is not None:
        return Statement(command.type, command.substatement, command.tree, command)
    tree = trino.parse(trino.fill(text, parameters) if parameters else text)
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


def run(engine: Engine, session: Session, execution: Execution, aws: Aws) -> None:
    """Run an execution's statement, and write its result to S3 as the caller."""
    statement = execution.statement
    if statement.command is not None:
        lines = statement.command.run(engine, session, execution, aws)
        if statement.type == "UTILITY":
            execution.columns = statement.command.columns
            execution.rows = len(lines)
        body = "".join(line + "\n" for line in lines).encode()
        session.check()
        if not statement.command.writes_data:
            upload(aws, execution.caller, execution.output, body)
            upload(
                aws,
                execution.caller,
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
        with trino_errors():
            execution.rows = results.write_csv(
                session.cursor, query.sql, query.labels, query.types, file
            )
        session.check()
        upload(aws, execution.caller, execution.output, file.read_bytes())
    finally:
        file.unlink(missing_ok=True)
    upload(
        aws,
        execution.caller,
        execution.output + ".metadata",
        results.metadata_file(execution.id, execution.columns),
    )
