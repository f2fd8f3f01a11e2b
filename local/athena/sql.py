"""Parses a query into a qualified tree whose tables are scans of the catalog."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from local.athena import information_schema
from local.athena.calls import AGGREGATE_NAMES
from local.athena.catalog import Catalog, Table
from local.athena.errors import QueryError, position, unresolved
from local.athena.types import split_top

HIDDEN = {"$path": "VARCHAR", "$file_modified_time": "TIMESTAMP WITH TIME ZONE"}
"""Columns that every table has, and their types; ``*`` leaves them out."""
_MAX_VIEW_DEPTH = 20
_FUNCTIONS = frozenset(
    Path(__file__).with_name("trino_functions.txt").read_text(encoding="utf-8").split()
)
"""The functions of Athena's engine 3 (Trino); any other one is not registered."""
_BEFORE_FUNCTIONS = {
    "SELECT", "DISTINCT", "ALL", "WHERE", "AND", "OR", "NOT", "ON", "BY", "HAVING", "THEN", "ELSE",
    "WHEN", "CASE", "BETWEEN", "LIKE", "IN", "ESCAPE", ",", "(", "[", "+", "-", "*", "/", "%", "=",
    "<>", "!=", "<", "<=", ">", ">=", "||", "->",
}  # fmt: skip
"""A word and a bracket after one of these is a function's call, not columns being named."""


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
            made = exp.TryCast(this=made, to=self._parse_types())
        if not self._match(TokenType.R_PAREN, advance=False):
            raise UnsupportedError(f"{name} with ON EMPTY, ON ERROR or the like")
        return made


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
    """A query whose names are resolved."""

    tree: exp.Expr
    labels: list[str]
    """The result's column names, in the query's own spelling."""
    unnamed: list[int]
    """Positions (from 1) of the columns that the query gives no name."""
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
    trees[0].meta["unknown_function"] = _unknown_function(tokens)
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
    """Resolve every table, view, column and function name.

    Raises
    ------
    QueryError
        What does not exist, or is ambiguous.
    """
    if tree.meta.get("unknown_function"):
        raise tree.meta["unknown_function"]
    tree = tree.copy()
    _check_tree(tree)
    unnamed = _label(tree)
    scans: dict[str, Scan] = {}
    tree = _resolve(tree, database, catalog, scans, 0)
    _default_aliases(tree)
    schema: dict[str, object] = {  # names matter, types do not yet
        scan.name: dict.fromkeys([*scan.table.all_columns, *HIDDEN], "VARCHAR")
        for scan in scans.values()
    }
    try:
        tree = qualify(
            tree,
            schema=schema,
            dialect=AthenaDialect,
            expand_alias_refs=False,
            validate_qualify_columns=False,
        )
    except OptimizeError as error:
        raise _from_sqlglot(error, tree) from None
    _check_columns(tree, {name: set(scan.table.all_columns) for name, scan in scans.items()})
    labels = [
        projection.meta.get("label") or projection.alias_or_name for projection in _selects(tree)
    ]
    labels = [f"_col{i}" if label.startswith("$auto") else label for i, label in enumerate(labels)]
    for scope in traverse_scope(tree):
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table) and source.name in scans:
                scans[source.name].columns |= {c.name for c in scope.source_columns(alias)}
    return Bound(tree, labels, unnamed, scans)


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
    for select in tree.find_all(exp.Select):
        names = [one.output_name.lower() for one in select.selects]
        if (
            isinstance(select.parent, exp.Subquery)
            and len(set(names)) < len([one for one in names if one]) + ("" in names)
            and isinstance(select.parent.parent, (exp.From, exp.Join))
        ):
            raise QueryError(
                "NOT_SUPPORTED",
                "This local Athena does not support two columns of one name in a subquery",
            )
        shared: set[str] = set()
        for join in select.args.get("joins") or ():
            if join.method:
                raise QueryError(
                    "NOT_SUPPORTED", f"This local Athena does not support a {join.method} JOIN"
                )
            shared |= {one.name.lower() for one in join.args.get("using") or ()}
        for column in select.find_all(exp.Column) if shared else ():
            if column.table and column.name.lower() in shared:
                raise unresolved(column)


def _selects(tree: exp.Expr) -> list[exp.Expr]:
    return list(tree.selects) if isinstance(tree, exp.Query) else []


def _unknown_function(tokens: list[Token]) -> QueryError | None:
    """sqlglot also reads other dialects' functions; Athena would refuse them."""
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        name = token.text.lower()
        if after.token_type is not TokenType.L_PAREN or name in _FUNCTIONS:
            continue
        # What follows AS, FROM t or WITH names columns: ``AS t(a, b)``.
        called = before is None or before.text.upper().strip() in _BEFORE_FUNCTIONS
        if token.token_type is TokenType.VAR and called:
            return QueryError(
                "FUNCTION_NOT_FOUND",
                f"Function '{name}' not registered",
                (token.line, _start(token)),
            )
    return None


def _label(tree: exp.Expr) -> list[int]:
    """Name what has no name, as Trino does, and keep the spelling of the result's columns."""
    unnamed = []
    for select in tree.find_all(exp.Select):
        for i, projection in enumerate(select.expressions):
            if isinstance(projection, (exp.Alias, exp.Column)) and not projection.is_star:
                projection.set("comments", None)
                projection.meta["label"] = projection.alias_or_name
                if isinstance(projection, exp.Column):
                    # An alias of its own keeps the spelling when the column is qualified.
                    alias = exp.alias_(
                        projection.copy(), projection.name, quoted=projection.this.quoted
                    )
                    alias.meta["label"] = projection.name
                    projection.replace(alias)
            elif not (projection.is_star or isinstance(projection, (exp.Alias, exp.Aliases))):
                if select is _first_select(tree):
                    unnamed.append(i + 1)
                projection.replace(exp.alias_(projection.copy(), f"$auto{i}", quoted=True))
    return unnamed


def _first_select(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    return tree


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
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        if table.sql is not None:
            if depth >= _MAX_VIEW_DEPTH:
                raise QueryError("VIEW_IS_RECURSIVE", f"View '{db}.{name}' is recursive", where)
            try:
                inner = parse(table.sql)
            except SqlSyntaxError as error:
                raise QueryError(
                    "INVALID_VIEW",
                    f"Failed parsing stored view 'awsdatacatalog.{db}.{name}': {error}",
                    where,
                ) from None
            _label(inner)
            inner = _resolve(inner, table.sql_database or db, catalog, scans, depth + 1)
            replacement: exp.Expr = exp.Subquery(this=inner, alias=alias.copy())
        else:
            scan = Scan(f"$scan{len(scans)}", table)
            scans[scan.name] = scan
            replacement = exp.Table(
                this=exp.to_identifier(scan.name, quoted=True), alias=alias.copy()
            )
        for part in ("joins", "laterals", "sample", "pivots"):
            if node.args.get(part):
                replacement.set(part, [one.copy() for one in node.args[part]])
        if node is tree:
            tree = replacement
        node.replace(replacement)
    return tree


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


def _default_aliases(tree: exp.Expr) -> None:
    """Let ``database.table.column`` find the table: its alias is the table's name."""
    aliases = {one.alias_or_name.lower() for one in tree.find_all(exp.Table, exp.Subquery)}
    for column in tree.find_all(exp.Column):
        if column.args.get("db") and column.table.lower() in aliases:
            column.set("db", None)
            column.set("catalog", None)


def _check_columns(tree: exp.Expr, scans: dict[str, set[str]]) -> None:
    for scope in traverse_scope(tree):
        if not isinstance(scope.expression, exp.Select):
            continue
        aliases = {projection.alias_or_name for projection in scope.expression.selects}
        for column in scope.columns:
            if column.table:
                found, known = _columns_of(scope, column.table, scans)
                if found and (known is None or column.name in known or column.name in HIDDEN):
                    continue
                raise unresolved(column)
            if column.find_ancestor(exp.Order) and column.name in aliases:
                continue
            if column.find_ancestor(exp.Having, exp.Select) is not scope.expression:
                continue
            if not _is_parameter(column):
                homes = [
                    a
                    for a in scope.selected_sources
                    if column.name in (_columns_of(scope, a, scans)[1] or ())
                ]
                if len(homes) > 1:
                    raise QueryError(
                        "AMBIGUOUS_NAME", f"Column '{column.name}' is ambiguous", position(column)
                    )
                raise unresolved(column)


def _columns_of(
    scope: Scope, alias: str, scans: dict[str, set[str]]
) -> tuple[bool, set[str] | None]:
    """Is there such a source here or around; and its columns, where they are known."""
    around: Scope | None = scope
    while around is not None:
        source = around.sources.get(alias)
        if isinstance(source, exp.Table) and source.name in scans:
            return True, scans[source.name]
        if source is not None:
            expression = source.expression if isinstance(source, Scope) else None
            if isinstance(expression, exp.Query) and not expression.is_star:
                return True, set(expression.named_selects)
            holder = expression.parent if isinstance(expression, exp.Expr) else None
            if isinstance(expression, (exp.Values, exp.Unnest)):
                holder = expression
            named = holder.args.get("alias") if holder is not None else None
            columns = named.columns if isinstance(named, exp.TableAlias) else []
            return True, {one.name for one in columns} if columns and isinstance(
                expression, exp.Values
            ) else None
        around = around.parent
    return False, None


def _from_sqlglot(error: OptimizeError, tree: exp.Expr) -> QueryError:
    found = re.search(r"[Cc]olumn:? [\"']*([\w$]+)", str(error))
    for column in tree.find_all(exp.Column):
        if found and column.name.lower() == found[1].lower():
            return unresolved(column)
    name = "AMBIGUOUS_NAME" if "already used" in str(error) else "INVALID_COLUMN_REFERENCE"
    return QueryError(name, str(error))


def _is_parameter(column: exp.Column) -> bool:
    """Is it a lambda's parameter?"""
    node: exp.Expr | None = column
    while node is not None:
        if isinstance(node, exp.Lambda) and any(
            one.name.lower() == column.name.lower() for one in node.expressions
        ):
            return True
        node = node.parent
    return False


def split_values(text: str) -> list[str]:
    """The values of ``USING a, b``."""
    return [one.strip() for one in split_top(text)]


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
