"""Every form of statement that Athena runs, and what runs it."""

# ruff: noqa: E501  (one form a line)

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from local.athena import ddl, results, writes
from local.athena import sql as trino
from local.athena.ddl import NAME, Run
from local.athena.duckdb_errors import trino_errors
from local.athena.engine import Engine, Outcome, Session
from local.athena.sql import SqlSyntaxError
from local.athena.types import VARCHAR, column_info


def _select(run: Run) -> Outcome:
    began = time.monotonic()
    query = run.query()
    planned = time.monotonic() - began
    session, file = run.session, run.engine.directory / f"{run.session.id}.csv"
    try:
        with trino_errors():
            results.write_csv(session.cursor, query.sql, query.labels, query.types, file)
        session.check()
        session.upload(session.output, file.read_bytes())
    finally:
        file.unlink(missing_ok=True)
    columns = [column_info(*one) for one in zip(query.labels, query.types, strict=True)]
    return Outcome(columns=columns, planned=planned)


_INSIDE = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"
"""What stands in brackets, in which there are more."""
_QUALIFIED = rf"(?P<name>{NAME}(?:\.{NAME}){{0,2}})"
_LIKE = r"(?: (?:LIKE )?~'(?P<pattern>[^']*)')?"
_IN = rf"(?: (?:IN|FROM) (?P<database>{NAME}))?"
_IF_NOT = r"(?P<exists> IF NOT EXISTS)?"
_WITH = rf"(?:WITH~\((?P<properties>{_INSIDE})\))?"


@dataclass
class Form:
    """A form of statement.

    Parameters
    ----------
    pattern:
        A regular expression, in which a blank stands for any white space, and ``~`` for none too.
        ``name`` is the table, and ``query`` is parsed.
    type, substatement:
        As GetQueryExecution names them.
    action:
        Runs it; its result is lines of text, or it says what came of it.
    columns:
        The names of the result's.
    """

    pattern: str
    type: str
    substatement: str
    action: Callable[[Run], list[str] | Outcome]
    columns: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.pattern = self.pattern.replace(" ", r"\s+").replace("~", r"\s*")

    def match(self, sql: str) -> re.Match[str] | None:
        """The parts of the statement, if it has this form."""
        return re.fullmatch(self.pattern, sql, re.IGNORECASE | re.DOTALL)


_SELECT = Form(r"(?P<query>.*)", "DML", "SELECT", _select)
FORMS = [
    Form(rf"SHOW (?:DATABASES|SCHEMAS){_LIKE}", "UTILITY", "SHOW_DATABASES", ddl.show_databases, ["database_name"]),
    Form(rf"SHOW (?P<what>TABLES){_IN}{_LIKE}", "UTILITY", "SHOW_TABLES", ddl.show_tables, ["tab_name"]),
    Form(rf"SHOW (?P<what>VIEWS){_IN}{_LIKE}", "UTILITY", "SHOW_VIEWS", ddl.show_tables, ["views"]),
    Form(rf"SHOW COLUMNS (?:IN|FROM) {_QUALIFIED}{_IN}", "UTILITY", "SHOW_COLUMNS", ddl.show_columns, ["field"]),
    Form(rf"SHOW PARTITIONS {_QUALIFIED}", "UTILITY", "SHOW_PARTITIONS", ddl.show_partitions, ["partition"]),
    Form(rf"SHOW CREATE (?P<what>TABLE) {_QUALIFIED}", "UTILITY", "SHOW_CREATE_TABLE", ddl.show_create, ["createtab_stmt"]),
    Form(rf"SHOW CREATE (?P<what>VIEW) {_QUALIFIED}", "UTILITY", "SHOW_CREATE_VIEW", ddl.show_create, ["Create View"]),
    Form(rf"(?:DESCRIBE|DESC) {_QUALIFIED}", "UTILITY", "DESCRIBE_TABLE", ddl.describe, ["col_name", "data_type", "comment"]),
    Form(rf"CREATE(?P<replace> OR REPLACE)? VIEW {_QUALIFIED} AS (?P<query>.*)", "DDL", "CREATE_VIEW", ddl.create_view),
    Form(rf"DROP (?P<what>VIEW)(?P<exists> IF EXISTS)? {_QUALIFIED}", "DDL", "DROP_VIEW", ddl.drop),
    Form(rf"DROP (?P<what>TABLE)(?P<exists> IF EXISTS)? {_QUALIFIED}", "DDL", "DROP_TABLE", ddl.drop),
    Form(rf"(?P<verb>CREATE) (?:DATABASE|SCHEMA){_IF_NOT} (?P<name>{NAME})", "DDL", "CREATE_DATABASE", ddl.database),
    Form(rf"(?P<verb>DROP) (?:DATABASE|SCHEMA)(?P<exists> IF EXISTS)? (?P<name>{NAME})(?P<cascade> CASCADE)?", "DDL", "DROP_DATABASE", ddl.database),
    Form(
        rf"CREATE EXTERNAL TABLE{_IF_NOT} {_QUALIFIED}~\((?P<columns>{_INSIDE})\)"
        rf"(?:~PARTITIONED BY~\((?P<keys>{_INSIDE})\))?"
        rf"(?:~ROW FORMAT SERDE '(?P<serde>[^']+)'(?: WITH SERDEPROPERTIES~\((?P<serde_properties>{_INSIDE})\))?)?"
        r"(?:~STORED AS (?:(?P<parquet>PARQUET)|INPUTFORMAT '(?P<inputs>[^']+)' OUTPUTFORMAT '(?P<outputs>[^']+)'))?"
        rf"~LOCATION '(?P<location>[^']+)'(?:~TBLPROPERTIES~\((?P<properties>{_INSIDE})\))?",
        "DDL", "CREATE_TABLE", ddl.create_table,
    ),
    Form(rf"ALTER TABLE {_QUALIFIED} SET TBLPROPERTIES~\((?P<properties>{_INSIDE})\)", "DDL", "ALTER_TABLE_SET_TBLPROPERTIES", ddl.set_properties),
    Form(rf"ALTER TABLE {_QUALIFIED} (?P<how>ADD) COLUMNS~\((?P<columns>{_INSIDE})\)", "DDL", "ALTER_TABLE_ADD_COLUMNS", ddl.change_columns),
    Form(rf"ALTER TABLE {_QUALIFIED} (?P<how>REPLACE) COLUMNS~\((?P<columns>{_INSIDE})\)", "DDL", "ALTER_TABLE_REPLACE_COLUMNS", ddl.change_columns),
    Form(rf"CREATE TABLE{_IF_NOT} {_QUALIFIED}~{_WITH}~AS (?P<query>.*?)(?: WITH(?P<no> NO)? DATA)?", "DDL", "CREATE_TABLE_AS_SELECT", writes.ctas),
    Form(
        rf"INSERT INTO {_QUALIFIED}~(?:\(~(?P<columns>{NAME}(?:~,~{NAME})*)~\))?~(?P<query>(?:SELECT|WITH|VALUES|TABLE|\().*)",
        "DML", "INSERT", writes.insert,
    ),
    Form(rf"UNLOAD~\((?P<query>.*)\)~TO~'(?P<location>s3://[^']+)'~{_WITH}", "DML", "UNLOAD", writes.unload),
]  # fmt: skip
_WRITES = (writes.ctas, writes.insert, writes.unload)
_FIRST_WORDS = {
    "ALTER", "CREATE", "DEALLOCATE", "DELETE", "DESC", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN",
    "INSERT", "MERGE", "MSCK", "OPTIMIZE", "PREPARE", "SHOW", "UNLOAD", "UPDATE", "VACUUM",
}  # fmt: skip


@dataclass
class Statement:
    """A statement that was read, but not yet run."""

    form: Form
    match: re.Match[str]
    tree: exp.Expr

    @property
    def shown(self) -> bool:
        """Has it a result to page through?"""
        return self.form is _SELECT or self.form.type == "UTILITY"

    def output(self, query_id: str) -> str:
        """The result's file name."""
        if self.form.action in _WRITES:
            return f"tables/{query_id}"
        return f"{query_id}.csv" if self.form is _SELECT else f"{query_id}.txt"

    def run(self, engine: Engine, session: Session) -> Outcome:
        """Run it, and write its result to S3 as the caller."""
        done = self.form.action(Run(engine, session, self.match, self.tree))
        session.check()
        if isinstance(done, Outcome):
            return done
        plain = {"CatalogName": "", "Type": "string", "Precision": 0, "CaseSensitive": False}
        columns = [column_info(name, VARCHAR) | plain for name in self.form.columns]
        session.upload(session.output, "".join(line + "\n" for line in done).encode())
        return Outcome(columns=columns)


_LEADING_COMMENTS = re.compile(r"\A(?:\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/))+\s*", re.DOTALL)


def read(text: str, parameters: list[str]) -> Statement:
    """The statement that ``text`` is, with ``?`` filled in.

    Raises
    ------
    SqlSyntaxError
        It is none.
    """
    text = text.strip().rstrip(";").strip()
    bare = _LEADING_COMMENTS.sub("", text)
    for form in FORMS:
        match = form.match(bare)
        if match:
            query = match.groupdict().get("query")
            return Statement(form, match, _parsed(query, parameters) if query else exp.Null())
    first = (bare.split(None, 1) or [""])[0]
    if first.upper() in _FIRST_WORDS:
        raise SqlSyntaxError(
            f"line 1:1: mismatched input '{first}': this local Athena does not know this form of "
            f"{first.upper()}"
        )
    match = _SELECT.match(text)
    assert match
    return Statement(_SELECT, match, _parsed(text, parameters))


def _parsed(query: str, parameters: list[str]) -> exp.Expr:
    tree = trino.parse(trino.fill(query, parameters) if parameters else query)
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)
    if next(tree.find_all(exp.Placeholder), None) is not None:
        raise SqlSyntaxError("Incorrect number of parameters: expected more than 0 but found 0")
    return tree
