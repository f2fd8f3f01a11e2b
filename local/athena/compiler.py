"""Compiles a bound query of Trino's SQL to DuckDB's, clause by clause.

A clause that is not written here is refused with NOT_SUPPORTED.
"""

# ruff: noqa: E501  (messages)

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError, mismatch, position, refuse
from local.athena.expressions import Expressions, Scope
from local.athena.operators import compare
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
    "kind", "hint", "with_", "expressions", "distinct", "from_", "joins", "where", "group",
    "having", "windows", "order", "limit", "offset", "operation_modifiers", "laterals",
}  # fmt: skip
_SOURCE_PARTS = {
    "sample": "TABLESAMPLE", "pivots": "PIVOT", "joins": "a nested join",
    "match_recognize": "MATCH_RECOGNIZE",
}  # fmt: skip
_SET_PARTS = {"this", "expression", "distinct", "with_", "order", "limit", "offset", "by_name"}


class Compiler:
    """Compiles one query.

    Parameters
    ----------
    tables:
        Columns and types of every scan.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Type]]) -> None:
        self._tables = tables
        self._ctes: list[dict[str, Relation]] = []

    def query(self, tree: exp.Expr, outer: Scope | None = None) -> Relation:
        """A SELECT, VALUES or set operation."""
        while isinstance(tree, (exp.Subquery, exp.Paren)):
            if isinstance(tree, exp.Subquery) and any(
                tree.args.get(part) for part in ("order", "limit", "offset", "with_", "joins")
            ):
                break
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
        found: dict[str, Relation] = {}
        parts = []
        self._ctes.append(found)
        try:
            for cte in with_.expressions:
                name = cte.alias.lower()
                if name in found:
                    raise QueryError(
                        "DUPLICATE_NAMED_QUERY",
                        f"WITH query name '{name}' specified more than once",
                    )
                names = [one.name for one in cte.args["alias"].columns]
                inner = cte.this
                if with_.args.get("recursive") and isinstance(inner, exp.Union):
                    made = self._recursive(inner, name, names, found, outer)
                else:
                    made = self.query(inner, outer)
                columns = self._renamed(made.columns, names)
                held = ", ".join(quote(one.held) for one in columns)
                parts.append(f"{quote(name)}({held}) AS ({made.sql})")
                found[name] = Relation(quote(name), columns)
        finally:
            self._ctes.pop()
        word = "WITH RECURSIVE" if with_.args.get("recursive") else "WITH"
        return found, f"{word} {', '.join(parts)} "

    def _recursive(
        self,
        union: exp.Union,
        name: str,
        names: list[str],
        found: dict[str, Relation],
        outer: Scope | None,
    ) -> Relation:
        if union.args.get("distinct") or union.args.get("order") or union.args.get("limit"):
            raise refuse("a recursive query that is no plain UNION ALL")
        first = self.query(union.this, outer)
        columns = self._renamed(first.columns, names)
        found[name] = Relation(quote(name), columns)
        second = self.query(union.expression, outer)
        kinds = [one.type for one in columns]
        if [common(a.type, b) for a, b in zip(second.columns, kinds, strict=False)] != kinds:
            raise mismatch(f"Recursion step relation output types differ from those of '{name}'")
        return Relation(f"({first.sql}) UNION ALL ({self.coerced(second, kinds).sql})", columns)

    def _renamed(self, columns: Sequence[Column], names: Sequence[str]) -> tuple[Column, ...]:
        if names and len(names) != len(columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but relation has {len(columns)} columns",
                (1, 1),
            )
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
        if tree.args.get("by_name"):
            raise QueryError("SYNTAX_ERROR", "mismatched input 'BY'")
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
        expressions = Expressions(self, scope)
        shown = (
            f" ORDER BY {self.order(order, expressions, relation.columns, 'f_')}" if order else ""
        )
        return Relation(f"SELECT * FROM ({relation.sql}) AS f_{shown}{end}", relation.columns)  # noqa: S608

    def _limits(self, tree: exp.Expr) -> str:
        limit, offset = tree.args.get("limit"), tree.args.get("offset")
        end = ""
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options and (options.args.get("with_ties") or options.args.get("percent")):
                if not tree.args.get("order"):
                    message = "FETCH FIRST WITH TIES clause requires ORDER BY"
                    raise QueryError("MISSING_ORDER_BY", message)
                raise refuse("FETCH FIRST WITH TIES")
            end += f" LIMIT {_count(limit.args.get('count'))}"
        elif limit is not None:
            if limit.args.get("limit_options") or limit.args.get("offset") or limit.expressions:
                message = "mismatched input in LIMIT. Expecting: <number>, ALL"
                raise QueryError("SYNTAX_ERROR", message)
            end += f" LIMIT {_count(limit.expression)}"
        if offset is not None:
            end += f" OFFSET {_count(offset.expression)}"
        return end

    def _values(self, tree: exp.Values, outer: Scope | None) -> Relation:
        expressions = Expressions(self, Scope(parent=outer))
        rows = [
            [expressions.value(one) for one in (row.expressions if _is_row(row) else [row])]
            for row in tree.expressions
        ]
        kinds = [one.type for one in rows[0]]
        for row in rows:
            if len(row) != len(kinds):
                raise mismatch("Values rows have mismatched types")
            for i, value in enumerate(row):
                kind = common(kinds[i], value.type)
                if kind is None:
                    raise mismatch(f"Values rows have mismatched types: {kinds[i]} vs {value.type}")
                kinds[i] = kind
        columns = tuple(Column("", kind, f"c{i}") for i, kind in enumerate(kinds))
        shown = ", ".join(
            "("
            + ", ".join(
                f"CAST({coerce(v, k).sql} AS {k.duckdb})" for v, k in zip(row, kinds, strict=True)
            )
            + ")"
            for row in rows
        )
        names = ", ".join(one.held for one in columns)
        return Relation(f"SELECT * FROM (VALUES {shown}) AS v_({names})", columns)  # noqa: S608

    def _select(self, tree: exp.Select, outer: Scope | None) -> Relation:
        _only(tree, _SELECT_PARTS)
        for part in ("kind", "hint", "operation_modifiers", "laterals"):
            if tree.args.get(part):
                raise QueryError("SYNTAX_ERROR", f"mismatched input in SELECT: {part}")
        scope = Scope(parent=outer)
        expressions = Expressions(self, scope)
        source = self._from(tree, scope)
        sql = f" FROM {source}" if source else ""
        if tree.args.get("where"):
            condition = tree.args["where"].this
            if condition.find(exp.AnonymousAggFunc) and not condition.find(exp.Query):
                raise QueryError(
                    "EXPRESSION_NOT_SCALAR",
                    "WHERE clause cannot contain aggregations, window functions or grouping operations",
                )
            sql += f" WHERE {expressions.boolean(condition, 'WHERE clause')}"
        expressions.windows = {one.name.lower(): one for one in tree.args.get("windows") or ()}
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
        if distinct is not None and distinct.args.get("on"):
            raise QueryError("SYNTAX_ERROR", "mismatched input 'ON'")
        word = "SELECT DISTINCT" if distinct is not None else "SELECT"
        shown = ", ".join(
            f"{value.sql} AS {quote(column.held)}"
            for value, column in zip(values, columns, strict=True)
        )
        order = tree.args.get("order")
        if order is not None:
            sql += f" ORDER BY {self.order(order, expressions, columns, values=values, distinct=distinct is not None)}"
        return Relation(f"{word} {shown}{sql}{self._limits(tree)}", columns)

    def _group(self, group: exp.Expr, values: Sequence[Value], expressions: Expressions) -> str:
        if group.args.get("all") or group.args.get("totals"):
            raise QueryError("COLUMN_NOT_FOUND", "Column 'all' cannot be resolved", (1, 1))

        def one(node: exp.Expr) -> str:
            if isinstance(node, exp.Literal) and not node.is_string:
                if not 1 <= int(node.name) <= len(values):
                    raise QueryError(
                        "INVALID_COLUMN_REFERENCE",
                        f"GROUP BY position {node.name} is not in select list",
                        (1, 1),
                    )
                return values[int(node.name) - 1].sql
            if isinstance(node, (exp.Rollup, exp.Cube, exp.GroupingSets)):
                word = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(node), "GROUPING SETS")
                return f"{word} ({', '.join(map(one, node.expressions))})"
            if isinstance(node, (exp.Tuple, exp.Paren)):
                inner = node.expressions if isinstance(node, exp.Tuple) else [node.this]
                return f"({', '.join(map(one, inner))})"
            return expressions.value(node).sql

        parts = [one(node) for node in group.expressions]
        for kind, word in (
            ("rollup", "ROLLUP"),
            ("cube", "CUBE"),
            ("grouping_sets", "GROUPING SETS"),
        ):
            for node in group.args.get(kind) or ():
                parts.append(f"{word} ({', '.join(map(one, node.expressions))})")
        return ", ".join(parts) or "()"

    def order(
        self,
        order: exp.Expr,
        expressions: Expressions,
        columns: Sequence[Column] = (),
        alias: str = "",
        *,
        values: Sequence[Value] = (),
        distinct: bool = False,
    ) -> str:
        """An ORDER BY; with ``columns``, by ordinals and the names of the result too."""
        names = Counter(one.name.lower() for one in columns)
        outputs = {one.name.lower(): i for i, one in enumerate(columns)}
        parts = []
        for item in order.expressions:
            node = item.this if isinstance(item, exp.Ordered) else item
            if columns and isinstance(node, exp.Literal) and not node.is_string:
                place = int(node.name)
                if not 1 <= place <= len(columns):
                    raise QueryError(
                        "INVALID_COLUMN_REFERENCE",
                        f"ORDER BY position {place} is not in select list",
                        (1, 1),
                    )
                kind, sql = columns[place - 1].type, str(place)
            elif (
                isinstance(node, exp.Column)
                and not node.table
                and names[node.name.lower()] == 1
                and columns
            ):
                place = outputs[node.name.lower()] + 1
                kind, sql = columns[place - 1].type, str(place)
            else:
                inner = expressions
                if columns and not alias:
                    own = [(name, values[i]) for name, i in outputs.items() if names[name] == 1]
                    inner = Expressions(self, Scope({"": own}, expressions.scope))
                    inner.windows = expressions.windows
                value = inner.value(node)
                kind, sql = value.type, value.sql
                if distinct and value.sql not in [one.sql for one in values]:
                    raise QueryError(
                        "EXPRESSION_NOT_IN_DISTINCT",
                        "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                        (1, 1),
                    )
            if kind.name in ("map", "json"):
                raise mismatch(
                    f"Type {kind} is not orderable, and therefore cannot be used in ORDER BY"
                )
            if kind.name in ("array", "row"):
                raise refuse(f"ORDER BY of {kind}")
            explicit = isinstance(item, exp.Ordered) and item.meta.get(
                "nulls_first", item.args.get("nulls_first")
            )
            way = "DESC" if isinstance(item, exp.Ordered) and item.args.get("desc") else "ASC"
            parts.append(f"{sql} {way} NULLS {'FIRST' if explicit else 'LAST'}")
        return ", ".join(parts)

    def window(self, node: exp.Window, expressions: Expressions) -> str:
        """What stands in the brackets of OVER."""
        if node.args.get("over") not in (None, "OVER") or node.args.get("first") is not None:
            raise QueryError("SYNTAX_ERROR", "mismatched input in OVER")
        if node.args.get("alias") is not None:
            alias = node.args["alias"]
            name = (alias if isinstance(alias, str) else alias.name).lower()
            if name not in expressions.windows:
                raise QueryError("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name}")
            if any(node.args.get(part) for part in ("partition_by", "order", "spec")):
                raise refuse("a window that extends another")
            node = expressions.windows[name]
        parts = []
        partition = [expressions.value(one) for one in node.args.get("partition_by") or ()]
        if partition:
            parts.append("PARTITION BY " + ", ".join(one.sql for one in partition))
        order, spec = node.args.get("order"), node.args.get("spec")
        ordered = ""
        if order is not None:
            ordered = self.order(order, expressions)
            parts.append(f"ORDER BY {ordered}")
        if spec is not None:
            parts.append(self._frame(spec, order, expressions))
        return " ".join(parts)

    def _frame(self, spec: exp.Expr, order: exp.Expr | None, expressions: Expressions) -> str:
        if spec.args.get("exclude"):
            raise QueryError("SYNTAX_ERROR", "mismatched input 'EXCLUDE'")
        kind = spec.args["kind"]

        def bound(name: str) -> str:
            value, side = spec.args.get(name), spec.args.get(f"{name}_side")
            if value is None:
                return "CURRENT ROW"
            if isinstance(value, str):
                return f"{value} {side}" if side else value
            made = expressions.value(value)
            sql = made.sql
            if kind == "RANGE":
                keys = order.expressions if order is not None else []
                by = expressions.value(keys[0].this).type if len(keys) == 1 else t.UNKNOWN
                if by.name in ("date", "timestamp") and made.type == t.DAYS:
                    sql = f"to_milliseconds({sql})"
                elif by not in t.INTEGERS or made.type not in t.INTEGERS:
                    raise refuse("a RANGE frame of this type")
            elif made.type not in t.INTEGERS:
                raise mismatch("Window frame offset must be an integer")
            return f"{sql} {side}"

        return f"{kind} BETWEEN {bound('start')} AND {bound('end')}"

    # -- sources ---------------------------------------------------------------------------------

    def _from(self, tree: exp.Select, scope: Scope) -> str:
        origin = tree.args.get("from_")
        if origin is None:
            if tree.args.get("joins"):
                raise refuse("a join without FROM")
            return ""
        sql = self._source(origin.this, scope, "")
        for join in tree.args.get("joins") or ():
            sql += " " + self._join(join, scope)
        return sql

    def _join(self, join: exp.Join, scope: Scope) -> str:
        given = {part for part, value in join.args.items() if value}
        odd = sorted(given - {"this", "on", "using", "side", "kind", "global_"})
        if odd:
            raise refuse(f"a {join.method} JOIN" if join.method else f"a join with {odd[0]}")
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        if kind not in ("", "CROSS", "INNER", "OUTER"):
            raise QueryError("SYNTAX_ERROR", f"mismatched input '{kind}'")
        on, shared = join.args.get("on"), [one.name.lower() for one in join.args.get("using") or ()]
        lateral = isinstance(join.this, (exp.Unnest, exp.Lateral))
        if lateral and side not in ("", "LEFT"):
            raise refuse(f"a {side} JOIN of UNNEST or LATERAL")
        left = Scope(dict(scope.sources), scope.parent)
        made = self._source(join.this, scope, "LATERAL " if lateral else "")
        if shared:
            return f"{side or 'INNER'} JOIN {made} ON {self._using(shared, side, left, scope)}"
        if on is None:
            if side:
                message = f"mismatched input: a {side} JOIN needs ON or USING"
                raise QueryError("SYNTAX_ERROR", message)
            return f"CROSS JOIN {made}"
        if lateral and not (isinstance(on, exp.Boolean) and on.this):
            raise refuse("a join of UNNEST or LATERAL on something else than true")
        condition = Expressions(self, scope).boolean(on, "JOIN ON clause")
        return f"{side or 'INNER'} JOIN {made} ON {condition}"

    def _using(self, names: Sequence[str], side: str, left: Scope, scope: Scope) -> str:
        """The condition of JOIN USING, after which each name means one column and has no table."""
        right = Scope({one: scope.sources[one] for one in scope.sources.keys() - left.sources})
        conditions, merged = [], []
        for name in names:
            a, b = left.find("", name), right.find("", name)
            if a is None or b is None:
                which = "left" if a is None else "right"
                message = f"Column '{name}' is missing from {which} side of join"
                raise QueryError("COLUMN_NOT_FOUND", message)
            conditions.append(compare(a, b, "="))
            x, y = unified([a, b], "columns of USING", exp.Null())
            both = Value(f"coalesce({x.sql}, {y.sql})", x.type)
            merged.append((name, {"FULL": both, "RIGHT": y}.get(side, x)))
        for alias, columns in scope.sources.items():
            scope.sources[alias] = [one for one in columns if one[0] not in names]
        rest = {alias: columns for alias, columns in scope.sources.items() if alias}
        scope.sources = {"": merged + scope.sources.get("", []), **rest}
        return " AND ".join(conditions)

    def _source(self, node: exp.Expr, scope: Scope, lateral: str) -> str:
        for part, what in _SOURCE_PARTS.items():
            if node.args.get(part):
                raise refuse(what)
        alias = node.args.get("alias")
        name = node.alias_or_name.lower() or f"s_{len(scope.sources)}"
        names = [one.name for one in alias.columns] if isinstance(alias, exp.TableAlias) else []
        if name in scope.sources:
            raise QueryError("AMBIGUOUS_NAME", f"Relation '{name}' is ambiguous", (1, 1))
        if isinstance(node, exp.Unnest):
            made = self._unnest(node, scope, names)
        elif isinstance(node, exp.Lateral):
            inner = node.this
            made = self.query(inner, Scope(sources=scope.sources, parent=scope.parent))
        elif isinstance(node, exp.Table):
            made = self._table(node)
        elif isinstance(node, (exp.Subquery, exp.Values, exp.Select)):
            bare = isinstance(node, exp.Subquery) and not (
                node.args.get("order") or node.args.get("limit")
            )
            made = self.query(node.this if bare else node, scope.parent)
        else:
            raise QueryError("SYNTAX_ERROR", f"mismatched input in FROM: {type(node).__name__}")
        columns = made.columns
        if names and not isinstance(node, exp.Unnest):
            columns = tuple(
                Column(new.name, old.type, old.held)
                for new, old in zip(self._renamed(columns, names), columns, strict=True)
            )
        scope.sources[name] = Relation("", columns).scope(name)
        if "home" in node.meta:
            scope.homes[name] = node.meta["home"]
        body = made.sql if isinstance(node, exp.Table) else f"{lateral}({made.sql})"
        return f"{body} AS {quote(name)}"

    def _table(self, node: exp.Table) -> Relation:
        if not isinstance(node.this, exp.Identifier):
            raise refuse(
                f"the table function {node.this.sql()}" if node.this.sql() else "a table function"
            )
        name = node.name
        if name in self._tables:
            columns = tuple(Column(one, kind, one) for one, kind in self._tables[name].items())
            return Relation(quote(name), columns)
        for ctes in reversed(self._ctes):
            if name.lower() in ctes and not node.db:
                return ctes[name.lower()]
        raise QueryError("TABLE_NOT_FOUND", f"Table '{name}' does not exist", (1, 1))

    def _unnest(self, node: exp.Unnest, scope: Scope, names: list[str]) -> Relation:
        """Arrays side by side, maps and rows as columns; shorter ones are filled up with NULLs."""
        expressions = Expressions(self, scope)
        unnested: list[str] = []
        lengths: list[str] = []
        columns: list[tuple[str, Type]] = []

        def item(array: str) -> str:
            unnested.append(f'unnest({array}) AS "u{len(unnested)}"')
            return f'"u{len(unnested) - 1}"'

        for one in node.expressions:
            value = expressions.value(one)
            if value.type.name == "map":
                key, kind = value.type.args
                lengths.append(f"cardinality({value.sql})")
                columns += [
                    (item(f"map_keys({value.sql})"), key),
                    (item(f"map_values({value.sql})"), kind),
                ]
                continue
            if value.type.name != "array":
                raise mismatch(f"Cannot unnest type: {value.type}", one)
            lengths.append(f"len({value.sql})")
            place, kind = item(value.sql), value.type.args[0]
            if kind.name == "row":
                columns += [
                    (f"struct_extract_at({place}, {i})", of)
                    for i, (_, of) in enumerate(kind.args, 1)
                ]
                fields = [str(name) for name, _ in kind.args if name]
                alone = len(node.expressions) == 1 and not node.args.get("offset")
                if not names and alone and len(fields) == len(kind.args):
                    names = fields
            else:
                columns.append((place, kind))
        if node.args.get("offset"):
            offset = node.args["offset"]
            if isinstance(offset, exp.Identifier):
                names = [*names, offset.name]
            longest = "greatest(" + ", ".join(f"coalesce({one}, 0)" for one in lengths) + ")"
            columns.append((item(f"range(1, CAST({longest} AS BIGINT) + 1)"), t.BIGINT))
        if names and len(names) != len(columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but 'unnest' has {len(columns)} columns",
                (1, 1),
            )
        made = named([(names[i] if names else "", kind) for i, (_, kind) in enumerate(columns)])
        shown = ", ".join(
            f"{sql} AS {quote(one.held)}" for (sql, _), one in zip(columns, made, strict=True)
        )
        return Relation(f"SELECT {shown} FROM (SELECT {', '.join(unnested)}) AS n_", made)  # noqa: S608


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
        table = node.table.lower() if isinstance(node, exp.Column) else ""
        if table and table not in scope.sources:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{table}' not found", position(node))
        columns = [scope.sources[table]] if table else scope.sources.values()
        return [one for found in columns for one in found if not one[0].startswith("$")]
    name = node.alias if isinstance(node, exp.Alias) else ""
    if isinstance(node, exp.Column):
        name = node.name
    return [(name, expressions.value(node.unalias()))]


def _only(tree: exp.Expr, parts: set[str]) -> None:
    for name, value in tree.args.items():
        if value and name not in parts:
            if name in ("qualify", "locks", "settings", "format", "into"):
                raise QueryError("SYNTAX_ERROR", f"mismatched input '{name.upper()}'")
            raise refuse(
                {"match": "MATCH_RECOGNIZE", "sample": "TABLESAMPLE"}.get(
                    name, f"the clause {name}"
                )
            )


def _is_row(node: exp.Expr) -> bool:
    """Is this item of VALUES a row of columns? sqlglot reads ``ROW(x)`` and ``(ROW(x))`` alike."""
    if isinstance(node, exp.Tuple) and len(node.expressions) == 1:
        inner = node.expressions[0]
        if isinstance(inner, exp.Anonymous) and inner.name.lower() == "row":
            raise refuse("VALUES of rows in a row")
    return isinstance(node, (exp.Tuple, exp.Struct)) or (
        isinstance(node, exp.Anonymous) and node.name.lower() == "row"
    )


def _count(node: exp.Expr | None) -> int:
    if node is None:
        return 1
    if not isinstance(node, exp.Literal) or not node.name.isdigit():
        raise refuse("LIMIT and OFFSET of something else than a number")
    return int(node.name)
