"""Compiles a query of Trino's SQL to DuckDB's, clause by clause.

A clause that is not written here is refused with NOT_SUPPORTED.
"""

# ruff: noqa: E501  (messages)

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from local.athena import information_schema
from local.athena.catalog import Catalog, Table
from local.athena.errors import QueryError, mismatch, position, refuse
from local.athena.expressions import Expressions, Scope
from local.athena.sql import RESERVED, Scan, SqlSyntaxError, parse
from local.athena.types import Type, common, quote
from local.athena.values import Value, coerce, unified


@dataclass(frozen=True)
class Column:
    """A column of a relation: its name in Trino (or none), its type, and its name in DuckDB."""

    name: str
    type: Type
    held: str


@dataclass(frozen=True)
class Relation:
    """A query in DuckDB's SQL, and its columns."""

    sql: str
    columns: tuple[Column, ...]

    def scope(self, alias: str) -> list[tuple[str, Value]]:
        """What its columns are called when it stands in FROM."""
        return [
            (one.name.lower(), Value(f"{quote(alias)}.{quote(one.held)}", one.type))
            for one in self.columns
        ]


_SELECT_PARTS = {
    "with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order",
    "limit", "offset",
}  # fmt: skip
_SET_PARTS = {"this", "expression", "distinct", "with_", "order", "limit", "offset"}
_SUBQUERY_PARTS = {"alias", "expressions", *_SET_PARTS}
_MAX_VIEW_DEPTH = 20
_JOIN_PARTS = {"this", "on", "side", "kind", "global_"}


class Compiler:
    """Compiles one query; in its tree, tables become scans and views their queries.

    Parameters
    ----------
    database:
        Where tables are that are named without one.
    scans:
        Every scan of a table by its name.
    depth:
        How many views are around the query.
    """

    def __init__(
        self,
        catalog: Catalog,
        database: str,
        scans: dict[str, Scan] | None = None,
        depth: int = 0,
    ) -> None:
        self._catalog, self._database, self._depth = catalog, database, depth
        self.scans = {} if scans is None else scans
        self._ctes: list[dict[str, Relation]] = []

    def query(self, tree: exp.Expr, outer: Scope | None = None) -> Relation:
        """A SELECT, VALUES or set operation."""
        tail = ("order", "limit", "offset", "with_", "joins")
        while isinstance(tree, exp.Subquery) and not any(tree.args.get(part) for part in tail):
            tree = tree.this
        ctes, prefix = self._with(tree.args.get("with_"), outer)
        self._ctes.append(ctes)
        try:
            if isinstance(tree, exp.SetOperation):
                found = self._set_operation(tree, outer)
            elif isinstance(tree, exp.Values):
                found = self._values(tree, outer)
            elif isinstance(tree, exp.Select):
                found = self._select(tree, outer)
            elif isinstance(tree, exp.Subquery):
                inner = self.query(tree.this, outer)
                found = self._finished(tree, inner, outer)
            else:
                raise refuse(f"{type(tree).__name__} as a query")
        finally:
            self._ctes.pop()
        return Relation(prefix + found.sql, found.columns)

    # -- parts of a query ------------------------------------------------------------------------

    def _with(self, with_: exp.Expr | None, outer: Scope | None) -> tuple[dict[str, Relation], str]:
        if with_ is None:
            return {}, ""
        if with_.args.get("recursive"):
            raise refuse("WITH RECURSIVE")
        found: dict[str, Relation] = {}
        parts = []
        self._ctes.append(found)
        for cte in with_.expressions:
            name, made = cte.alias.lower(), self.query(cte.this, outer)
            if name in found:
                message = f"WITH query name '{name}' specified more than once"
                raise QueryError("DUPLICATE_NAMED_QUERY", message)
            columns = self._renamed(made.columns, [one.name for one in cte.args["alias"].columns])
            held = ", ".join(quote(one.held) for one in columns)
            parts.append(f"{quote(name)}({held}) AS ({made.sql})")
            found[name] = Relation(quote(name), columns)
        self._ctes.pop()
        return found, f"WITH {', '.join(parts)} "

    def _renamed(self, columns: Sequence[Column], names: Sequence[str]) -> tuple[Column, ...]:
        if names and len(names) != len(columns):
            sizes = f"{len(names)} entries but relation has {len(columns)} columns"
            raise QueryError("MISMATCHED_COLUMN_ALIASES", f"Column alias list has {sizes}", (1, 1))
        given = names or [one.name for one in columns]
        return named([(name, one.type) for name, one in zip(given, columns, strict=True)])

    def coerced(self, relation: Relation, kinds: Sequence[Type]) -> Relation:
        """The relation with columns of these types."""
        if [one.type for one in relation.columns] == list(kinds):
            return relation
        shown = ", ".join(
            f"{coerce(Value(quote(one.held), one.type), kind).sql} AS {quote(one.held)}"
            for one, kind in zip(relation.columns, kinds, strict=True)
        )
        columns = tuple(
            Column(one.name, kind, one.held)
            for one, kind in zip(relation.columns, kinds, strict=True)
        )
        return Relation(f"SELECT {shown} FROM ({relation.sql}) AS s_", columns)  # noqa: S608

    def _set_operation(self, tree: exp.SetOperation, outer: Scope | None) -> Relation:
        _only(tree, _SET_PARTS)
        left, right = self.query(tree.this, outer), self.query(tree.expression, outer)
        word, sizes = type(tree).__name__.upper(), (len(left.columns), len(right.columns))
        if sizes[0] != sizes[1]:
            raise mismatch(f"{word} query has different number of fields: {sizes[0]}, {sizes[1]}")
        kinds = []
        for i, (a, b) in enumerate(zip(left.columns, right.columns, strict=True), 1):
            kind = common(a.type, b.type)
            if kind is None:
                types = f"{a.type}, {b.type}"
                raise mismatch(f"column {i} in {word} query has incompatible types: {types}")
            kinds.append(kind)
        columns = named([(a.name, kind) for a, kind in zip(left.columns, kinds, strict=True)])
        held = ", ".join(quote(one.held) for one in columns)
        every = "" if tree.args.get("distinct") else " ALL"
        first, second = self.coerced(left, kinds).sql, self.coerced(right, kinds).sql
        sql = f"(SELECT * FROM ({first}) AS l_({held})) {word}{every} ({second})"  # noqa: S608
        return self._finished(tree, Relation(sql, columns), outer)

    def _finished(self, tree: exp.Expr, relation: Relation, outer: Scope | None) -> Relation:
        """With the ORDER BY, OFFSET and LIMIT that follow a set operation or a query in brackets."""
        order, end = tree.args.get("order"), self._limits(tree)
        if not order and not end:
            return relation
        scope = Scope(sources={"": relation.scope("f_")}, parent=outer)
        shown = ""
        if order:
            terms = self.order(order, Expressions(self, scope), relation.columns)
            shown = f" ORDER BY {terms}"
        return Relation(f"SELECT * FROM ({relation.sql}) AS f_{shown}{end}", relation.columns)  # noqa: S608

    def _limits(self, tree: exp.Expr) -> str:
        end = ""
        for part in ("limit", "offset"):
            node = tree.args.get(part)
            if node is None:
                continue
            _only(node, {"expression"})
            count = node.expression
            if not isinstance(count, exp.Literal) or not count.name.isdigit():
                raise refuse(f"{part.upper()} of something else than a number")
            end += f" {part.upper()} {count.name}"
        return end

    def _values(self, tree: exp.Values, outer: Scope | None) -> Relation:
        expressions = Expressions(self, Scope(parent=outer))
        rows = [
            [expressions.value(one) for one in (row.expressions if _is_row(row) else [row])]
            for row in tree.expressions
        ]
        if len({len(row) for row in rows}) > 1:
            raise mismatch("Values rows have mismatched types")
        table = [unified(column, "values of a column", tree) for column in zip(*rows, strict=True)]
        columns = tuple(Column("", one[0].type, f"c{i}") for i, one in enumerate(table))
        lines = (", ".join(one.sql for one in row) for row in zip(*table, strict=True))
        shown, names = "), (".join(lines), ", ".join(one.held for one in columns)
        return Relation(f"SELECT * FROM (VALUES ({shown})) AS v_({names})", columns)  # noqa: S608

    def _select(self, tree: exp.Select, outer: Scope | None) -> Relation:
        _only(tree, _SELECT_PARTS)
        scope = Scope(parent=outer)
        expressions = Expressions(self, scope)
        source = self._from(tree, scope)
        sql = f" FROM {source}" if source else ""
        if tree.args.get("where"):
            condition = tree.args["where"].this
            if condition.find(exp.AnonymousAggFunc) and not condition.find(exp.Query):
                message = "WHERE clause cannot contain aggregations or window functions"
                raise QueryError("EXPRESSION_NOT_SCALAR", message)
            sql += f" WHERE {expressions.boolean(condition, 'WHERE clause')}"
        items = [item for one in tree.expressions for item in _items(one, scope, expressions)]
        if not items:
            message = "SELECT * not allowed in queries without FROM clause"
            raise QueryError("COLUMN_NOT_FOUND", message)
        values = [value for _, value in items]
        columns = named([(name, value.type) for name, value in items])
        group = tree.args.get("group")
        if group is not None:
            sql += f" GROUP BY {self._group(group, values, expressions)}"
        if tree.args.get("having"):
            sql += f" HAVING {expressions.boolean(tree.args['having'].this, 'HAVING clause')}"
        distinct = tree.args.get("distinct")
        if distinct is not None:
            _only(distinct, set())
        word = "SELECT DISTINCT" if distinct is not None else "SELECT"
        shown = ", ".join(
            f"{value.sql} AS {quote(column.held)}"
            for value, column in zip(values, columns, strict=True)
        )
        order = tree.args.get("order")
        if order is not None:
            sql += f" ORDER BY {self.order(order, expressions, columns, values, distinct)}"
        return Relation(f"{word} {shown}{sql}{self._limits(tree)}", columns)

    def _group(self, group: exp.Expr, values: Sequence[Value], expressions: Expressions) -> str:
        _only(group, {"expressions"})
        parts = []
        for node in group.expressions:
            place = _place(node, len(values), "GROUP BY")
            if isinstance(node, exp.Tuple):
                raise refuse("GROUP BY of columns in brackets")
            parts.append((values[place] if place is not None else expressions.value(node)).sql)
        return ", ".join(parts)

    def order(
        self,
        order: exp.Expr,
        expressions: Expressions,
        columns: Sequence[Column] = (),
        values: Sequence[Value] = (),
        distinct: exp.Expr | None = None,
    ) -> str:
        """An ORDER BY; with ``columns``, by ordinals and the names of the result too."""
        names = Counter(one.name.lower() for one in columns)
        outputs = {
            one.name.lower(): i for i, one in enumerate(columns) if names[one.name.lower()] == 1
        }
        if values:
            own = [(name, values[i]) for name, i in outputs.items()]
            expressions = Expressions(self, Scope({"": own}, expressions.scope))
        parts = []
        for item in order.expressions:
            node = item.this
            place = _place(node, len(columns), "ORDER BY") if columns else None
            if place is None and isinstance(node, exp.Column) and not node.table:
                place = outputs.get(node.name.lower())
            if place is None:
                value = expressions.value(node)
                if distinct is not None and value.sql not in [one.sql for one in values]:
                    message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
                    raise QueryError("EXPRESSION_NOT_IN_DISTINCT", message, (1, 1))
            else:
                value = Value(str(place + 1), columns[place].type)
            if value.type.name in ("array", "row", "map", "json"):
                raise refuse(f"ORDER BY of {value.type}")
            way = "DESC" if item.args.get("desc") else "ASC"
            nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
            parts.append(f"{value.sql} {way} NULLS {nulls}")
        return ", ".join(parts)

    def window(self, node: exp.Window, expressions: Expressions) -> str:
        """What stands in the brackets of OVER."""
        if node.args.get("over") != "OVER" or node.args.get("alias") is not None:
            raise refuse("a window with a name")
        order, spec = node.args.get("order"), node.args.get("spec")
        partition = [expressions.value(one).sql for one in node.args.get("partition_by") or ()]
        parts = [f"PARTITION BY {', '.join(partition)}"] if partition else []
        if order is not None:
            parts.append(f"ORDER BY {self.order(order, expressions)}")
        if spec is not None:
            _only(spec, {"kind", "start", "start_side", "end", "end_side"})
            bounds = [self._bound(spec, name) for name in ("start", "end")]
            parts.append(f"{spec.args['kind']} BETWEEN {' AND '.join(bounds)}")
        return " ".join(parts)

    def _bound(self, spec: exp.Expr, name: str) -> str:
        value, side = spec.args.get(name) or "CURRENT ROW", spec.args.get(f"{name}_side") or ""
        if isinstance(value, str):
            return f"{value} {side}"
        if spec.args["kind"] != "ROWS" or not value.name.isdigit():
            raise refuse("a frame of this kind")
        return f"{value.name} {side}"

    # -- sources ---------------------------------------------------------------------------------

    def _from(self, tree: exp.Select, scope: Scope) -> str:
        origin, joins = tree.args.get("from_"), tree.args.get("joins") or ()
        if origin is None:
            if joins:
                raise refuse("a join without FROM")
            return ""
        return " ".join(
            [self._source(origin.this, scope), *(self._join(one, scope) for one in joins)]
        )

    def _join(self, join: exp.Join, scope: Scope) -> str:
        _only(join, _JOIN_PARTS)
        side, on, unnest = join.side, join.args.get("on"), isinstance(join.this, exp.Unnest)
        if join.kind not in ("", "CROSS", "INNER", "OUTER"):
            raise QueryError("SYNTAX_ERROR", f"mismatched input '{join.kind}'")
        if unnest and side not in ("", "LEFT"):
            raise refuse(f"a {side} JOIN of UNNEST")
        made = ("LATERAL " if unnest else "") + self._source(join.this, scope)
        if on is None:
            if side:
                message = f"mismatched input: a {side} JOIN needs ON or USING"
                raise QueryError("SYNTAX_ERROR", message)
            return f"CROSS JOIN {made}"
        if unnest and not (isinstance(on, exp.Boolean) and on.this):
            raise refuse("a join of UNNEST on something else than true")
        condition = Expressions(self, scope).boolean(on, "JOIN ON clause")
        return f"{side or 'INNER'} JOIN {made} ON {condition}"

    def _source(self, node: exp.Expr, scope: Scope) -> str:
        alias = node.args.get("alias")
        name = node.alias_or_name.lower() or f"s_{len(scope.sources)}"
        if name in scope.sources:
            raise QueryError("AMBIGUOUS_NAME", f"Relation '{name}' is ambiguous", (1, 1))
        if isinstance(node, exp.Unnest):
            made = self._unnest(node, scope)
        elif isinstance(node, exp.Table):
            made = self._table(node)
        elif isinstance(node, (exp.Subquery, exp.Values)):
            _only(node, _SUBQUERY_PARTS)
            made = self.query(node, scope.parent)
        else:
            raise refuse(f"{type(node).__name__.upper()} in FROM")
        columns = made.columns
        if isinstance(alias, exp.TableAlias) and alias.columns:
            renamed = self._renamed(columns, [one.name for one in alias.columns])
            columns = tuple(
                Column(new.name, old.type, old.held)
                for new, old in zip(renamed, columns, strict=True)
            )
        scope.sources[name] = Relation("", columns).scope(name)
        if alias is None and "home" in node.meta:  # its schema may stand before its columns
            scope.homes[name] = node.meta["home"]
        body = made.sql if isinstance(node, exp.Table) else f"({made.sql})"
        return f"{body} AS {quote(name)}"

    def _table(self, node: exp.Table) -> Relation:
        _only(node, {"this", "db", "catalog", "alias"})
        if not isinstance(node.this, exp.Identifier):
            raise refuse("table functions")
        name, where = node.name.lower(), position(node)
        for ctes in reversed(self._ctes):
            if name in ctes and not node.db:
                return ctes[name]
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog}' does not exist", where)
        database = (node.db or self._database).lower()
        node.meta["home"] = ("awsdatacatalog", database)
        if database == "information_schema":
            table = information_schema.table(name, where)
        else:
            table = self._catalog.table(database, name, where)
        if table.sql is not None:
            return self._view(node, table)
        scan = Scan(f"$scan{len(self.scans)}", table)
        self.scans[scan.name] = scan
        _replace(node, exp.Table(this=exp.to_identifier(scan.name, quoted=True)))
        columns = tuple(Column(one, kind, one) for one, kind in scan.types.items())
        return Relation(quote(scan.name), columns)

    def _view(self, node: exp.Table, view: Table) -> Relation:
        place, where = f"awsdatacatalog.{view.database}.{view.name}", position(node)
        if self._depth >= _MAX_VIEW_DEPTH:
            raise QueryError("VIEW_IS_RECURSIVE", f"View '{place}' is recursive", where)
        try:
            tree = parse(view.sql or "")
        except SqlSyntaxError as error:
            message = f"Failed parsing stored view '{place}': {error}"
            raise QueryError("INVALID_VIEW", message, where) from None
        _replace(node, exp.Subquery(this=tree))
        home = view.sql_database or view.database
        made = Compiler(self._catalog, home, self.scans, self._depth + 1).query(tree)
        return Relation(f"({made.sql})", made.columns)

    def _unnest(self, node: exp.Unnest, scope: Scope) -> Relation:
        """A row an element: a map as two columns, rows as their fields."""
        if len(node.expressions) > 1 or node.args.get("offset"):
            raise refuse("UNNEST of several arrays, or WITH ORDINALITY")
        _only(node, {"expressions", "alias"})
        value = Expressions(self, scope).value(node.expressions[0])
        kind, parts = value.type, [f"unnest({value.sql}) AS x"]
        if kind.name == "map":
            parts = [
                f"unnest(map_keys({value.sql})) AS k",
                f"unnest(map_values({value.sql})) AS v",
            ]
            columns = [("", "k", kind.args[0]), ("", "v", kind.args[1])]
        elif kind.name != "array":
            raise mismatch(f"Cannot unnest type: {kind}", node)
        elif kind.args[0].name == "row":
            columns = [
                (name or "", f"struct_extract_at(x, {i})", of)
                for i, (name, of) in enumerate(kind.args[0].args, 1)
            ]
        else:
            columns = [("", "x", kind.args[0])]
        made = named([(name, of) for name, _, of in columns])
        shown = ", ".join(
            f"{sql} AS {quote(one.held)}" for (_, sql, _), one in zip(columns, made, strict=True)
        )
        return Relation(f"SELECT {shown} FROM (SELECT {', '.join(parts)}) AS n_", made)  # noqa: S608


def named(columns: Sequence[tuple[str, Type]]) -> tuple[Column, ...]:
    """Columns whose names in DuckDB differ from each other."""
    seen = Counter(name.lower() for name, _ in columns)
    return tuple(
        Column(name, kind, name if seen[name.lower()] == 1 and name else f"{name}${i}")
        for i, (name, kind) in enumerate(columns)
    )


def _items(node: exp.Expr, scope: Scope, expressions: Expressions) -> list[tuple[str, Value]]:
    """What an item of SELECT gives: names as they are written, and values."""
    if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and node.is_star):
        _only(node if isinstance(node, exp.Star) else node.this, set())
        table = node.table.lower() if isinstance(node, exp.Column) else ""
        if table and table not in scope.sources:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{table}' not found", position(node))
        columns = [scope.sources[table]] if table else scope.sources.values()
        return [one for found in columns for one in found if not one[0].startswith("$")]
    name = node.alias if isinstance(node, exp.Alias) else ""
    if name.upper() in RESERVED and not node.args["alias"].quoted:
        raise QueryError("SYNTAX_ERROR", f"mismatched input '{name}'", position(node))
    if isinstance(node, exp.Column):
        name = node.name
    return [(name, expressions.value(node.unalias()))]


def _replace(node: exp.Table, new: exp.Expr) -> None:
    """Put another source in the tree, under the name that the table has there."""
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    new.set("alias", alias.copy())
    node.replace(new)


def _only(node: exp.Expr, parts: set[str]) -> None:
    for name, value in node.args.items():
        if value and name not in parts:
            raise refuse(f"{name.upper().rstrip('_')} here")


def _place(node: exp.Expr, count: int, clause: str) -> int | None:
    """The place, from 0, of the column that an ordinal means."""
    if not isinstance(node, exp.Literal) or not node.name.isdigit() or node.is_string:
        return None
    if not 1 <= int(node.name) <= count:
        message = f"{clause} position {node.name} is not in select list"
        raise QueryError("INVALID_COLUMN_REFERENCE", message, (1, 1))
    return int(node.name) - 1


def _is_row(node: exp.Expr) -> bool:
    """Is this item of VALUES a row of columns? sqlglot reads ``ROW(x)`` and ``(ROW(x))`` alike."""
    if isinstance(node, exp.Tuple) and len(node.expressions) == 1 and _is_row(node.expressions[0]):
        raise refuse("VALUES of rows in a row")
    called = isinstance(node, exp.Anonymous) and node.name.lower() == "row"
    return called or isinstance(node, (exp.Tuple, exp.Struct))
