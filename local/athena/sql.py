"""Parses a query into a qualified tree whose tables are scans of the catalog."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from local.athena import information_schema
from local.athena.calls import AGGREGATE_NAMES
from local.athena.catalog import Catalog, Table
from local.athena.errors import QueryError, position
from local.athena.pruning import conditions

HIDDEN = {"$path": "VARCHAR", "$file_modified_time": "TIMESTAMP WITH TIME ZONE"}
"""Columns that every table has, and their types; ``*`` leaves them out."""
_MAX_VIEW_DEPTH = 20
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
        **{
            "JSON_VALUE": lambda self: self._sql_json("json_value"),
            "JSON_QUERY": lambda self: self._sql_json("json_query"),
            "JSON_EXISTS": lambda self: self._sql_json("json_exists"),
        },
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
        words = [token.text.upper() for token in self._tokens[start : self._index]]
        last = len(words) - 1 - words[::-1].index("AS") if "AS" in words else 0
        for token in self._tokens[start + last : self._index]:
            if token.token_type is TokenType.IDENTIFIER and token.text != token.text.lower():
                raise UnsupportedError(f"capitals in the name of a field: {token.text}")
        foreign = [one for one in words[last + 1 :] if one in _FOREIGN_TYPES]
        made.meta["cast"] = True
        made.meta["foreign"] = foreign[0].lower() if foreign else None
        return made

    def _sql_json(self, name: str) -> exp.Expr:
        """``json_value(j, 'lax $.a' RETURNING t)``, ``json_query(j, 'lax $.a' WITH WRAPPER)``."""
        document = self._parse_disjunction()
        self._match(TokenType.COMMA)
        path = self._parse_string()
        if document is None or path is None:
            self.raise_error("Expecting: <expression>, <string>")
        made: exp.Expr = exp.Anonymous(this=name, expressions=[document, path])
        if name == "json_query":
            words = next((one for one in _WRAPPERS if self._match_text_seq(*one.split())), "")
            made.append("expressions", exp.Literal.string(_WRAPPERS.get(words, "none")))
        elif name == "json_value" and self._match_text_seq("RETURNING"):
            kind = self._parse_types()
            if kind is None or kind.this not in _RETURNED:
                raise UnsupportedError(f"{name} RETURNING {kind.sql('trino') if kind else ''}")
            if kind.this in exp.DataType.INTEGER_TYPES:  # a number is rounded, a text is not
                found = [document, path, exp.Literal.string("none")]
                made = exp.Anonymous(this="json_query", expressions=found)
                made = exp.Anonymous(this="json_parse", expressions=[made])
            made = exp.TryCast(this=made, to=kind)
        if not self._match(TokenType.R_PAREN, advance=False):
            raise UnsupportedError(f"{name} with ON EMPTY, ON ERROR or the like")
        return made


_RETURNED = {
    exp.DType.VARCHAR, exp.DType.DECIMAL, exp.DType.DOUBLE, exp.DType.BOOLEAN, exp.DType.TINYINT,
    exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT,
}  # fmt: skip
_WRAPPERS = {
    "WITHOUT ARRAY WRAPPER": "none", "WITH CONDITIONAL ARRAY WRAPPER": "conditional",
    "WITH ARRAY WRAPPER": "all", "OMIT QUOTES": "unquoted",
}  # fmt: skip


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
    """One reference to a table of the catalog, named ``$scanN`` in the tree."""

    name: str
    table: Table
    columns: set[str] = field(default_factory=set)
    """Those that the query reads."""


@dataclass
class Bound:
    """A query whose tables are scans, and whose views are subqueries."""

    tree: exp.Expr
    scans: dict[str, Scan]


def parse(sql: str) -> exp.Expr:
    """The tree of one statement of Trino's SQL.

    Raises
    ------
    SqlSyntaxError
        ``line L:C: mismatched input 'x'. Expecting: ...``
    """
    try:
        tokens = AthenaDialect().tokenize(sql)
    except TokenError as error:
        raise SqlSyntaxError(_unclosed(sql, error)) from None
    tokens = [token for token in tokens if token.token_type is not TokenType.HIVE_TOKEN_STREAM]
    if not tokens:
        raise SqlSyntaxError(_mismatched(*_end(sql), "<EOF>", "<statement>"))
    if tokens[0].text.upper() not in _FIRST:
        first = tokens[0]
        raise SqlSyntaxError(_mismatched(first.line, _start(first), first.text, "<query>"))
    _check_tokens(tokens)
    for before, token in pairwise(tokens):
        if before.token_type is TokenType.COMMA and token.token_type in _NO_ITEM:
            raise SqlSyntaxError(_mismatched(token.line, _start(token), token.text, "<expression>"))
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=AthenaDialect) if tree is not None]
    except ParseError as error:
        raise SqlSyntaxError(_syntax(sql, tokens[-1], error)) from None
    if len(trees) != 1:
        raise SqlSyntaxError("Only one sql statement is allowed.")
    for node in list(trees[0].find_all(exp.Anonymous)):
        if node.name.lower() in AGGREGATE_NAMES:
            node.replace(exp.AnonymousAggFunc(this=node.this, expressions=node.expressions))
    return trees[0]


def _check_tokens(tokens: list[Token]) -> None:
    """Refuse what sqlglot reads and Trino does not."""
    limits: dict[int, bool] = {}
    depth = 0
    for i, token in enumerate(tokens):
        word, after = token.text.upper(), [one.text.upper() for one in tokens[i + 1 : i + 3]]
        wrong = token.token_type in _FOREIGN
        plain = token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
        wrong |= plain and word in ("==", "//", "!")
        depth += (word == "(") - (word == ")") if plain else 0
        if plain and word in ("LIMIT", "FETCH") and token.token_type is not TokenType.VAR:
            limits[depth] = True
        elif plain and word in ("SELECT", "UNION", ")"):
            limits.pop(depth + (word == ")"), None)
        wrong |= plain and word == "OFFSET" and limits.get(depth, False)
        wrong |= plain and word in ("LEFT", "RIGHT") and after[:1] == ["("]
        wrong |= plain and word == "IS" and after[:1] == ["UNKNOWN"]
        wrong |= plain and word == "," and i == len(tokens) - 1
        if token.token_type is TokenType.INTERVAL and after:
            text = tokens[i + 1]
            if text.token_type is TokenType.NUMBER or (
                text.token_type is TokenType.STRING
                and (re.search("[A-Za-z]", text.text) or after[1:2] == [] or after[1] not in _UNITS)
            ):
                wrong = True
        if wrong:
            raise SqlSyntaxError(_mismatched(token.line, _start(token), token.text, "<expression>"))
        if plain and word in ("JSON_OBJECT", "JSON_ARRAY", "JSON_TABLE") and after[:1] == ["("]:
            raise UnsupportedError(f"the function {word.lower()}")
        if word in _RESERVED and plain and i and tokens[i - 1].text.upper() == "AS":
            raise SqlSyntaxError(_mismatched(token.line, _start(token), token.text, "<identifier>"))


_UNITS = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}
_RESERVED = {
    "ALTER", "AND", "BETWEEN", "BY", "CASE", "CREATE", "CROSS", "DELETE", "DESCRIBE", "DISTINCT",
    "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "FALSE", "FOR", "FROM", "FULL", "GROUP",
    "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "NATURAL",
    "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "RIGHT", "TABLE", "THEN", "TRUE", "UNION",
    "USING", "WHEN", "WHERE",
}  # fmt: skip
_FOREIGN = {
    TokenType.DCOLON, TokenType.ILIKE, TokenType.RLIKE, TokenType.SIMILAR_TO, TokenType.AMP,
    TokenType.PIPE, TokenType.CARET, TokenType.TILDE, TokenType.DSTAR, TokenType.DIV,
    TokenType.NULLSAFE_EQ, TokenType.XOR, TokenType.LT_AT, TokenType.AT_GT, TokenType.COLON_EQ,
    TokenType.PARAMETER, TokenType.QUALIFY, TokenType.ISNULL, TokenType.NOTNULL, TokenType.L_BRACE,
}  # fmt: skip
"""What other databases write and Trino does not."""
_NO_ITEM = (TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM)
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


def bind(tree: exp.Expr, database: str, catalog: Catalog) -> Bound:
    """Find every table and view.

    Raises
    ------
    QueryError
        What does not exist.
    """
    tree = tree.copy()
    _check_tree(tree)
    scans: dict[str, Scan] = {}
    return Bound(_resolve(tree, database, catalog, scans, 0), scans)


def needed(bound: Bound) -> dict[str, exp.Expr]:
    """Per scan: sets the columns that are read, and gives what its rows must satisfy."""
    schema: dict[str, object] = {  # names matter, types do not
        scan.name: dict.fromkeys([*scan.table.all_columns, *HIDDEN], "VARCHAR")
        for scan in bound.scans.values()
    }
    try:
        tree = qualify(
            bound.tree.copy(),
            schema=schema,
            dialect=AthenaDialect,
            expand_alias_refs=False,
            validate_qualify_columns=False,
        )
    except OptimizeError:  # the query is right, for it was compiled: all may be needed
        for scan in bound.scans.values():
            scan.columns |= set(scan.table.all_columns)
        return {}
    for scope in traverse_scope(tree):
        loose = {column.name for column in scope.columns if not column.table}
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table) and source.name in bound.scans:
                columns = {column.name for column in scope.source_columns(alias)}
                bound.scans[source.name].columns |= columns | loose
    return conditions(tree, bound.scans)


def _check_tree(tree: exp.Expr) -> None:
    """Refuse what `qualify` would make something else of."""
    for star in tree.find_all(exp.Star):
        if any(star.args.values()):
            raise QueryError("SYNTAX_ERROR", "mismatched input after '*'", position(star))
    for cast in tree.find_all(exp.Cast):
        if cast.meta.get("foreign"):
            raise QueryError(
                "TYPE_MISMATCH", f"Unknown type: {cast.meta['foreign']}", position(cast)
            )
    for alias in tree.find_all(exp.Alias):
        name = alias.args.get("alias")
        if isinstance(name, exp.Identifier) and not name.quoted and name.name.upper() in _RESERVED:
            raise QueryError("SYNTAX_ERROR", f"mismatched input '{name.name}'", position(name))


def _resolve(
    tree: exp.Expr, database: str, catalog: Catalog, scans: dict[str, Scan], depth: int
) -> exp.Expr:
    """Replace tables by scans and views by their queries."""
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier) or _is_cte(node):
            continue
        where = position(node)
        db, name = (node.db or database).lower(), node.name.lower()
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog}' does not exist", where)
        if db == "information_schema":
            table = information_schema.table(name, where)
        else:
            table = catalog.table(db, name, where)
        if table.sql is not None:
            if depth >= _MAX_VIEW_DEPTH:
                raise QueryError("VIEW_IS_RECURSIVE", f"View '{db}.{name}' is recursive", where)
            inner, home = _stored(table, where), table.sql_database or db
            inner = _resolve(inner, home, catalog, scans, depth + 1)
            replacement: exp.Expr = exp.Subquery(this=inner)
        else:
            scan = Scan(f"$scan{len(scans)}", table)
            scans[scan.name] = scan
            replacement = exp.Table(this=exp.to_identifier(scan.name, quoted=True))
        alias = node.args.get("alias")
        if alias is None:  # only then its schema may stand before its columns
            replacement.meta["home"] = ("awsdatacatalog", db)
            alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        replacement.set("alias", alias.copy())
        for part in ("joins", "laterals", "sample", "pivots"):
            if node.args.get(part):
                replacement.set(part, [one.copy() for one in node.args[part]])
        if node is tree:
            tree = replacement
        node.replace(replacement)
    return tree


def _stored(view: Table, where: tuple[int, int] | None) -> exp.Expr:
    """A view's query."""
    try:
        return parse(view.sql or "")
    except SqlSyntaxError as error:
        place = f"awsdatacatalog.{view.database}.{view.name}"
        message = f"Failed parsing stored view '{place}': {error}"
        raise QueryError("INVALID_VIEW", message, where) from None


def _is_cte(table: exp.Table) -> bool:
    """Does the name mean a WITH query that is visible here?"""
    inside: exp.Expr = table
    query = table.parent
    while query is not None and not table.db:
        with_ = query.args.get("with_")
        if with_ is not None:
            visible = with_.expressions
            home = next((cte for cte in visible if cte is inside), None)
            if home is not None:  # only those before it, and itself if it is recursive
                visible = visible[: visible.index(home) + bool(with_.args.get("recursive"))]
            if any(cte.alias.lower() == table.name.lower() for cte in visible):
                return True
        if isinstance(query, exp.CTE):
            inside = query
            query = query.parent  # its WITH; the query that holds that comes next
        query = query.parent if query is not None else None
    return False


def fill(text: str, parameters: list[str]) -> str:
    """Put the parameters, which are SQL expressions, in place of each ``?``."""
    tokens = re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/)", text, flags=re.DOTALL)
    holes = sum(part.count("?") for part in tokens[::2])
    if holes != len(parameters):
        raise SqlSyntaxError(
            f"Incorrect number of parameters: expected {holes} but found {len(parameters)}"
        )
    # A value that is more than a literal is put in brackets: ``- ?`` with -1 would be a comment.
    simple = re.compile(r"\d+(\.\d+)?|'(?:[^']|'')*'")
    values = iter(one if simple.fullmatch(one) else f"({one})" for one in parameters)
    for i in range(0, len(tokens), 2):
        tokens[i] = re.sub(r"\?", lambda _: next(values), tokens[i])
    return "".join(tokens)
