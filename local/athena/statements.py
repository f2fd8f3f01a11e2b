"""Dispatches every statement that Athena runs: SELECT and its variants, and DDL on Glue."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from sqlglot import exp

from local.athena import ddl, results
from local.athena import sql as trino
from local.athena.duckdb_errors import trino_errors
from local.athena.engine import Engine, Session, columns_of
from local.athena.outcome import Outcome, Task
from local.athena.sql import SqlSyntaxError


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


def run(engine: Engine, session: Session, statement: Statement, task: Task) -> Outcome:
    """Run a statement, and write its result to S3 as the caller."""
    if statement.command is None:
        return _query(engine, session, statement, task)
    outcome = statement.command.run(engine, session, task)
    session.check()
    if not statement.command.writes_data:
        body = "".join(line + "\n" for line in outcome.lines).encode()
        task.upload(task.output, body)
        task.upload(f"{task.output}.metadata", results.metadata_file(task.id, outcome.columns))
    return outcome


def _query(engine: Engine, session: Session, statement: Statement, task: Task) -> Outcome:
    assert statement.tree is not None
    began = time.monotonic()
    query = engine.prepare(session, statement.tree)
    planned = time.monotonic() - began
    columns = columns_of(query)
    file = engine.directory / f"{task.id}.csv"
    try:
        with trino_errors():
            rows = results.write_csv(session.cursor, query.sql, query.labels, query.types, file)
        session.check()
        task.upload(task.output, file.read_bytes())
    finally:
        file.unlink(missing_ok=True)
    task.upload(f"{task.output}.metadata", results.metadata_file(task.id, columns))
    return Outcome(columns=columns, rows=rows, planned=planned)
