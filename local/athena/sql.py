"""Parses Trino's SQL, and finds what a compiled query needs of its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from local.athena.calls import AGGREGATE_NAMES
from local.athena.catalog import Table
from local.athena.errors import QueryError, position
from local.athena.pruning import conditions
from local.athena.types import VARCHAR, Type, zoned

HIDDEN = {"$path": VARCHAR, "$file_modified_time": zoned("UTC")}
"""Columns that every table has, and their types; ``*`` leaves them out."""
_FOREIGN_TYPES = {
    "STRING", "TEXT", "NUMBER", "NUMERIC", "FLOAT", "BYTEA", "INT2", "INT4", "INT8", "INT16",
    "INT32", "INT64", "FLOAT4", "FLOAT8", "FLOAT64", "BOOL", "DATETIME", "BLOB", "LONG", "DEC",
    "NVARCHAR", "BPCHAR", "HUGEINT", "TIMESTAMPTZ", "TIMESTAMPNTZ", "LIST", "STRUCT",
}  # fmt: skip


class _Parser(TrinoParser):
    """sqlglot's parser of Trino, to which every function is only a name and arguments."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        **{
            name: TrinoParser.FUNCTION_PARSERS[name]
            for name in ("EXTRACT", "POSITION", "SUBSTRING", "TRIM")
        },
        "CAST": lambda self: self._cast(safe=False),
        "TRY_CAST": lambda self: self._cast(safe=True),
    }

    def _parse_function_call(self, *arguments: Any, **more: Any) -> exp.Expr | None:
        """A call knows where its name stands."""
        token = self._curr
        made: exp.Expr | None = super()._parse_function_call(*arguments, **more)
        if made is not None and token is not None:
            made.update_positions(token)
        return made

    def _cast(self, *, safe: bool) -> exp.Expr:
        """``CAST(x AS t)``, told from a literal such as ``DATE '...'``."""
        start = self._index
        made: exp.Expr = self._parse_cast(not safe, safe=safe)
        tokens = self._tokens[start : self._index]
        last = max((i for i, one in enumerate(tokens) if one.text.upper() == "AS"), default=0)
        for token in tokens[last:]:
            quoted = token.token_type is TokenType.IDENTIFIER
            if token.text.upper() in _FOREIGN_TYPES or (
                quoted and token.text != token.text.lower()
            ):
                raise UnsupportedError(f"{token.text} in a type")
        made.meta["cast"] = True
        return made


class AthenaDialect(Trino):
    """Trino, with Athena's hidden columns; subscripts are left as they are written."""

    INDEX_OFFSET = 0
    PSEUDOCOLUMNS = {name.upper() for name in HIDDEN}  # noqa: RUF012
    EXCLUDES_PSEUDOCOLUMNS_FROM_STAR = True
    Parser = _Parser


class SqlSyntaxError(Exception):
    """SQL that cannot be read; the message is worded and positioned as Athena's."""


class UnsupportedError(SqlSyntaxError):
    """SQL of Trino that is not read here."""

    def __init__(self, what: str) -> None:
        super().__init__(f"NOT_SUPPORTED: This local Athena does not support {what}")


@dataclass
class Scan:
    """One reference to a table of the catalog, named ``$scanN`` in the compiled tree."""

    name: str
    table: Table
    columns: set[str] = field(default_factory=set)
    """Those that the query reads."""

    @property
    def types(self) -> dict[str, Type]:
        """Types of all columns; Iceberg's metadata does not say when a file was written."""
        hidden = {"$path": VARCHAR} if self.table.is_iceberg else HIDDEN
        return self.table.types() | hidden


def parse(sql: str) -> exp.Expr:
    """The tree of one statement of Trino's SQL.

    Raises
    ------
    SqlSyntaxError
        ``line L:C: mismatched input 'x'. Expecting: ...``
    """
    tokens = _tokens(sql)
    tokens = [token for token in tokens if token.token_type is not TokenType.HIVE_TOKEN_STREAM]
    if not tokens:
        raise SqlSyntaxError(_mismatched(*_end(sql), "<EOF>", "<statement>"))
    if tokens[0].text.upper() not in _FIRST:
        first = tokens[0]
        raise SqlSyntaxError(_mismatched(first.line, _start(first), first.text, "<query>"))
    _check_tokens(tokens)
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=AthenaDialect) if tree is not None]
    except ParseError as error:
        odd = {token.text.lower() for token in tokens} & _SQL_JSON
        if odd:
            raise UnsupportedError(f"this form of {min(odd)}") from None
        raise SqlSyntaxError(_syntax(sql, tokens[-1], error)) from None
    if len(trees) != 1:
        raise SqlSyntaxError("Only one sql statement is allowed.")
    for node in list(trees[0].find_all(exp.Anonymous)):
        if node.name.lower() in AGGREGATE_NAMES:
            node.replace(exp.AnonymousAggFunc(this=node.this, expressions=node.expressions))
    return trees[0]


def _tokens(sql: str) -> list[Token]:
    try:
        return AthenaDialect().tokenize(sql)
    except TokenError as error:
        raise SqlSyntaxError(_unclosed(sql, error)) from None


def _check_tokens(tokens: list[Token]) -> None:
    """Refuse what sqlglot reads and Trino does not."""
    plain = [one.token_type not in (TokenType.STRING, TokenType.IDENTIFIER) for one in tokens]
    written = (one.text.upper() if bare else "'" for one, bare in zip(tokens, plain, strict=True))
    words = ["", "", *written, "", ""]
    for i, token in enumerate(tokens):
        before, last, word, after, then = words[i : i + 5]
        wrong = (
            token.token_type in _FOREIGN or word in ("==", "!") or (word, after) in _FOREIGN_PAIRS
        )
        wrong |= (before, word) == ("LIMIT", "OFFSET") or (last == "AS" and word in RESERVED)
        wrong |= (last == "," and word in (",", ")", "FROM")) or (word == "," and not after)
        if word == "INTERVAL" and tokens[i + 1 :]:
            value = tokens[i + 1]
            wrong |= value.token_type is TokenType.NUMBER
            wrong |= after == "'" and (
                value.text.upper() != value.text.lower() or then not in _UNITS
            )
        if wrong:
            raise SqlSyntaxError(_mismatched(token.line, _start(token), token.text, "<expression>"))


_UNITS = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}
RESERVED = {
    "ALTER", "AND", "BETWEEN", "BY", "CASE", "CREATE", "CROSS", "DELETE", "DESCRIBE", "DISTINCT",
    "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "FALSE", "FOR", "FROM", "FULL", "GROUP",
    "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "NATURAL",
    "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "RIGHT", "TABLE", "THEN", "TRUE", "UNION",
    "USING", "WHEN", "WHERE",
}  # fmt: skip
_FOREIGN = {
    TokenType.DCOLON, TokenType.NULLSAFE_EQ, TokenType.ISNULL, TokenType.NOTNULL, TokenType.L_BRACE,
    TokenType.PARAMETER, TokenType.COLON_EQ,
}  # fmt: skip
"""What other databases write and Trino does not."""
_FOREIGN_PAIRS = {("LEFT", "("), ("RIGHT", "("), ("IS", "UNKNOWN")}
_SQL_JSON = {
    "json_array", "json_exists", "json_object", "json_query", "json_table", "json_value",
}  # fmt: skip
_FIRST = {"SELECT", "WITH", "VALUES", "TABLE", "("}


def _end(sql: str) -> tuple[int, int]:
    lines = sql.split("\n")
    return len(lines), len(lines[-1]) + 1


def _unclosed(sql: str, error: BaseException) -> str:
    """A quote or comment that never ends; the first error in the chain knows where it began."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    found = re.search(r"from (\d+):(\d+)", str(error))
    line, column = (int(found[1]), int(found[2]) + 1) if found else _end(sql)
    rest = sql.split("\n")[line - 1][column - 1 :]
    return _mismatched(line, column, rest or "<EOF>", "the end of what was quoted")


def _start(token: Token) -> int:
    return max(int(token.col) - (token.end - token.start), 1)


def _mismatched(line: int, column: int, word: str, wanted: str) -> str:
    return f"line {line}:{column}: mismatched input '{word}'. Expecting: {wanted}"


def _syntax(sql: str, last: Token, error: ParseError) -> str:
    told = error.errors[0]
    word = told.get("highlight") or ""
    line, end = told.get("line") or 1, told.get("col") or len(sql)
    wanted = told.get("description") or ""
    # sqlglot points to the last word where more words should follow.
    if (line, end) == (last.line, last.col) and not wanted.startswith("Invalid expression"):
        return _mismatched(*_end(sql), "<EOF>", "<expression>")
    wanted = "<EOF>" if wanted.startswith("Invalid expression") else "<expression>"
    return _mismatched(line, max(end - len(word) + 1, 1), word, wanted)


def placed(error: QueryError, tree: exp.Expr) -> QueryError:
    """Add where the column that an error names stands in the query."""
    column = re.match(r"'([^']+)' must be an aggregate", error.message)
    if column:
        for node in tree.find_all(exp.Column):
            if node.name == column[1] and not node.find_ancestor(exp.AggFunc):
                return QueryError(error.name, error.message, position(node))
    return error


def needed(tree: exp.Expr, scans: Mapping[str, Scan]) -> dict[str, exp.Expr]:
    """Per scan: sets the columns that are read, and gives what its rows must satisfy."""
    schema: dict[str, object] = {  # names matter, types do not
        name: dict.fromkeys(scan.types, "VARCHAR") for name, scan in scans.items()
    }
    try:
        tree = qualify(
            tree.copy(),
            schema=schema,
            dialect=AthenaDialect,
            expand_alias_refs=False,
            validate_qualify_columns=False,
        )
    except OptimizeError:  # the query is right, for it was compiled: all may be needed
        for scan in scans.values():
            scan.columns |= set(scan.table.all_columns)
        return {}
    for scope in traverse_scope(tree):
        loose = {column.name for column in scope.columns if not column.table}
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table) and source.name in scans:
                columns = {column.name for column in scope.source_columns(alias)}
                scans[source.name].columns |= columns | loose
    return conditions(tree, scans)


def fill(text: str, parameters: list[str]) -> str:
    """Put the parameters, which are SQL expressions, in place of each ``?``."""
    holes = [token for token in _tokens(text) if token.token_type is TokenType.PLACEHOLDER]
    if len(holes) != len(parameters):
        given = f"expected {len(holes)} but found {len(parameters)}"
        raise SqlSyntaxError(f"Incorrect number of parameters: {given}")
    # A value that is more than a literal is put in brackets: ``- ?`` with -1 would be a comment.
    simple = re.compile(r"\d+(\.\d+)?|'(?:[^']|'')*'")
    for hole, value in reversed(list(zip(holes, parameters, strict=True))):
        made = value if simple.fullmatch(value) else f"({value})"
        text = text[: hole.start] + made + text[hole.end + 1 :]
    return text
