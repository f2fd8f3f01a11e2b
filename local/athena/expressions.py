"""Compiles Trino's expressions to DuckDB's, knowing the Trino type of each.

Only what is written here is passed on; all else is refused with NOT_SUPPORTED. Each rule is held
against Trino by the golden statements of ``tests/athena/golden``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from sqlglot import exp

from local.athena import types as t
from local.athena.calls import Lambda, aggregate, call, check
from local.athena.errors import QueryError, mismatch, position, refuse, unresolved
from local.athena.operators import (
    arithmetic,
    compare,
    distinct_from,
    interval_literal,
    literal,
    typed_literal,
)
from local.athena.special_functions import RULES, at_zone, concat, special
from local.athena.types import Type, common, quote
from local.athena.values import Value, cast, coerce, unified


@dataclass
class Scope:
    """What names mean in one SELECT: columns by source; in a lambda, its parameters.

    Parameters
    ----------
    sources:
        By alias, columns by their names in lower case. Those that have no alias are under "":
        parameters, and what JOIN USING makes of two columns.
    parent:
        The scope around it.
    homes:
        Catalog and schema of the sources that are tables without an alias.
    """

    sources: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)
    parent: Scope | None = None
    homes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, table: str, name: str, node: exp.Expr | None = None) -> Value | None:
        """The column of this name, of one source or of any."""
        found = [
            value
            for alias, columns in self.sources.items()
            for one, value in columns
            if one == name and table in ("", alias)
        ]
        if len(found) > 1:
            raise QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", position(node))
        return found[0] if found else None

    def column(self, node: exp.Expr, parts: Sequence[str]) -> tuple[Value, Sequence[str]]:
        """The column that ``schema.table.column.field`` names, and the fields that follow it."""
        for i in reversed(range(len(parts))):
            table, home = (parts[i - 1] if i else ""), tuple(parts[: max(i - 1, 0)])
            if home and self.homes.get(table, ())[-len(home) :] != home:
                continue
            found = self.find(table, parts[i], node)
            if found:
                return found, parts[i + 1 :]
        if self.parent is None:
            raise unresolved(node)
        return self.parent.column(node, parts)


# -- the walk --------------------------------------------------------------------------------------


class Queries(Protocol):
    """What an expression asks of the compiler of the whole query: see `Compiler`."""

    def query(self, tree: exp.Expr, outer: Scope | None = None, /) -> Any: ...  # noqa: D102
    def coerced(self, relation: Any, kinds: Sequence[Type], /) -> Any: ...  # noqa: D102
    def order(self, order: exp.Expr, expressions: Expressions, /) -> str: ...  # noqa: D102
    def window(self, node: exp.Window, expressions: Expressions, /) -> str: ...  # noqa: D102


class Expressions:
    """Compiles the expressions of one SELECT.

    Parameters
    ----------
    compiler:
        The `Compiler` of the whole query, which knows subqueries, windows and functions.
    """

    def __init__(self, compiler: Queries, scope: Scope) -> None:
        self.compiler = compiler
        self.scope = scope

    def value(self, node: exp.Expr) -> Value:
        """The value that an expression gives."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise refuse(node.sql(dialect="trino") if len(node.sql()) < 60 else type(node).__name__)
        for name, given in node.args.items():
            if given and name not in _KNOWN and not isinstance(node, exp.Query):
                raise refuse(f"{name} of {node.sql(dialect='trino')[:60]}")
        made = rule(self, node)
        if made.type == t.REAL and not isinstance(node.parent, (exp.Cast, exp.Alias, exp.Select)):
            raise refuse("calculating with reals; cast them to double")
        return made

    def boolean(self, node: exp.Expr, what: str) -> str:
        """A condition."""
        value = self.value(node)
        if value.type not in (t.BOOLEAN, t.UNKNOWN):
            raise mismatch(f"{what} must evaluate to a boolean: actual type {value.type}", node)
        return coerce(value, t.BOOLEAN).sql

    def _lambda(self, node: exp.Expr, kind: Type) -> tuple[str, Value]:
        """The parameter of a lambda, of this type, and its body."""
        if len(node.expressions) != 1:
            raise refuse("a lambda of several parameters")
        name = node.expressions[0].name
        inner = Scope({"": [(name.lower(), Value(quote(name), kind))]}, self.scope)
        return quote(name), Expressions(self.compiler, inner).value(node.this)

    def values(self, nodes: Sequence[exp.Expr]) -> list[Value | Lambda]:
        """The arguments of a call."""
        return [
            partial(self._lambda, one) if isinstance(one, exp.Lambda) else self.value(one)
            for one in nodes
        ]

    def call(self, name: str, nodes: Sequence[exp.Expr], place: exp.Expr | None = None) -> Value:
        """A call of a scalar function, which stands at ``place``."""
        if name not in RULES:
            check(name, place)
        values = self.values(nodes)
        return (special(name, values) if name in RULES else None) or call(name, values)

    # one method a kind of node

    def _column(self, node: exp.Expr) -> Value:
        written = node.parts if isinstance(node, exp.Column) else [node]
        found, fields = self.scope.column(node, [one.name.lower() for one in written])
        for name in fields:
            found = self._field(found, name, node)
        return found

    def _dot(self, node: exp.Expr) -> Value:
        return self._field(self.value(node.this), node.expression.name.lower(), node)

    def _field(self, source: Value, name: str, node: exp.Expr) -> Value:
        if source.type.name != "row":
            raise mismatch(f"Expression {node.this.sql()} is not of type ROW", node)
        for i, (field_, kind) in enumerate(source.type.args, 1):
            if field_ and field_.lower() == name:
                return Value(f"struct_extract_at({source.sql}, {i})", kind)
        raise QueryError("INVALID_COLUMN_REFERENCE", f"Column '{name}' cannot be resolved")

    def _neg(self, node: exp.Expr) -> Value:
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return literal(node.this, negative=True)
        value = self.value(node.this)
        if not t.is_number(value.type):
            raise refuse(f"- {value.type}")
        return Value(f"CAST(-{value.sql} AS {value.type.duckdb})", value.type)

    def _compare(self, node: exp.Expr) -> Value:
        a, b = node.args["this"], node.args["expression"]
        if isinstance(a, (*_COMPARED, exp.Is)) or isinstance(b, (*_COMPARED, exp.Is)):
            raise QueryError("SYNTAX_ERROR", f"mismatched input in '{node.sql(dialect='trino')}'")
        sql = compare(self.value(a), self.value(b), _COMPARED[type(node)], node)
        return Value(sql, t.BOOLEAN)

    def _arithmetic(self, node: exp.Expr) -> Value:
        a, b = self.value(node.args["this"]), self.value(node.args["expression"])
        return arithmetic(a, b, _ARITHMETIC[type(node)], node)

    def _logic(self, node: exp.Expr) -> Value:
        word = " AND " if isinstance(node, exp.And) else " OR "
        parts = (node.args["this"], node.args["expression"])
        terms = (self.boolean(one, "Logical expression term") for one in parts)
        return Value(f"({word.join(terms)})", t.BOOLEAN)

    def _not(self, node: exp.Expr) -> Value:
        inner = self.boolean(node.this, "Value of logical NOT expression")
        return Value(f"(NOT {inner})", t.BOOLEAN)

    def _is(self, node: exp.Expr) -> Value:
        if not isinstance(node.expression, exp.Null):
            message = f"mismatched input in '{node.sql()}'. Expecting: 'DISTINCT', 'NULL'"
            raise QueryError("SYNTAX_ERROR", message)
        return Value(f"({self.value(node.this).sql} IS NULL)", t.BOOLEAN)

    def _distinct(self, node: exp.Expr) -> Value:
        a, b = self.value(node.args["this"]), self.value(node.args["expression"])
        sql = distinct_from(a, b, node)
        return Value(sql if isinstance(node, exp.NullSafeNEQ) else f"(NOT {sql})", t.BOOLEAN)

    def _between(self, node: exp.Expr) -> Value:
        value, low, high = (self.value(node.args[name]) for name in ("this", "low", "high"))
        parts = (compare(value, low, ">=", node), compare(value, high, "<=", node))
        return Value(f"({' AND '.join(parts)})", t.BOOLEAN)

    def _in(self, node: exp.Expr) -> Value:
        value = self.value(node.this)
        if node.args.get("query") is not None:
            return self._in_query(value, node)
        parts = [value, *(self.value(one) for one in node.expressions)]
        value, *others = unified(parts, "IN value and list items", node)
        if value.type == t.DOUBLE or value.type.name in _NESTED:
            terms = [compare(value, other, "=", node) for other in others]
            return Value(f"({' OR '.join(terms)})", t.BOOLEAN)
        return Value(f"({value.sql} IN ({', '.join(one.sql for one in others)}))", t.BOOLEAN)

    def _in_query(self, value: Value, node: exp.Expr) -> Value:
        relation = self.compiler.query(node.args["query"].unnest(), self.scope)
        if len(relation.columns) > 1:
            raise refuse("IN with a query of several columns")
        found = relation.columns[0].type
        kind = common(value.type, found)
        if kind is None:
            message = "Value expression and result of subquery must be of the same type"
            raise mismatch(f"{message}: {value.type} vs {found}", node)
        if kind == t.DOUBLE or kind.name in _NESTED:
            raise refuse(f"IN with a query of {kind}")
        inner = self.compiler.coerced(relation, [kind])
        return Value(f"({coerce(value, kind).sql} IN ({inner.sql}))", t.BOOLEAN)

    def _exists(self, node: exp.Expr) -> Value:
        relation = self.compiler.query(node.this.unnest(), self.scope)
        return Value(f"EXISTS ({relation.sql})", t.BOOLEAN)

    def _subquery(self, node: exp.Expr) -> Value:
        query = node.unnest() if isinstance(node, exp.Subquery) else node
        relation = self.compiler.query(query, self.scope)
        if len(relation.columns) != 1:
            raise refuse("a subquery of several columns as a value")
        return Value(f"({relation.sql})", relation.columns[0].type)

    def _like(self, node: exp.Expr) -> Value:
        if isinstance(node.expression, (exp.Any, exp.All)):
            raise refuse("LIKE ANY and LIKE ALL")
        value, pattern = self.value(node.this), self.value(node.expression)
        for one in (value, pattern):
            if one.type not in (t.VARCHAR, t.UNKNOWN):
                message = "Left side of LIKE expression must evaluate to a varchar"
                raise mismatch(f"{message} (actual: {one.type})", node)
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        x, y = coerce(value, t.VARCHAR).sql, coerce(pattern, t.VARCHAR).sql
        return Value(f"({x} {word} {y})", t.BOOLEAN)

    def _joined(self, node: exp.Expr) -> Value:
        return concat("||", self.value(node.args["this"]), self.value(node.args["expression"]))

    def _case(self, node: exp.Expr) -> Value:
        branches, subject = node.args["ifs"], node.args.get("this")
        if subject is None:
            tests = [self.boolean(branch.this, "CASE WHEN clause") for branch in branches]
        else:
            value = self.value(subject)
            tests = [compare(value, self.value(one.this), "=", one) for one in branches]
        default = node.args.get("default")
        results = [branch.args["true"] for branch in branches]
        results += [default] if default is not None else []
        values = unified([self.value(one) for one in results], "CASE results", node)
        cases = zip(tests, values, strict=False)
        shown = " ".join(f"WHEN {test} THEN {value.sql}" for test, value in cases)
        end = f" ELSE {values[-1].sql}" if default is not None else ""
        return Value(f"CASE {shown}{end} END", values[0].type)

    def _if(self, node: exp.Expr) -> Value:
        if node.args.get("true") is None:
            raise QueryError("SYNTAX_ERROR", "Invalid number of arguments for 'if' function")
        return self._case(exp.Case(ifs=[node], default=node.args.get("false")))

    def _cast(self, node: exp.Expr) -> Value:
        assert isinstance(node, exp.Cast)
        name = node.to.sql(dialect="trino")
        try:
            to = t.read_type(name)
        except ValueError:
            if re.match(r"(TIME|CHAR|TIMESTAMP)\b", name):
                raise refuse(f"the type {name.lower()}") from None
            raise mismatch(f"Unknown type: {name.lower()}", node) from None
        safe = isinstance(node, exp.TryCast)
        if isinstance(node.this, exp.Literal) and node.this.is_string and not node.meta.get("cast"):
            return typed_literal(node.this.name, to)
        value = self.value(node.this)
        made = cast(value, to)
        length = re.fullmatch(r"VARCHAR\((\d+)\)", name)
        if length:
            if value.type != t.VARCHAR:
                raise refuse(f"CAST from {value.type} to a varchar of a length")
            made = Value(f"left({made.sql}, {length[1]})", t.VARCHAR)
        return Value(f"TRY({made.sql})", made.type) if safe else made

    def _array(self, node: exp.Expr) -> Value:
        if not node.expressions:
            return Value("CAST([] AS INTEGER[])", t.array(t.UNKNOWN))
        values = unified([self.value(one) for one in node.expressions], "array elements", node)
        return Value(f"[{', '.join(one.sql for one in values)}]", t.array(values[0].type))

    def _row(self, node: exp.Expr) -> Value:
        return self.call("row", node.expressions)

    def _bracket(self, node: exp.Expr) -> Value:
        source, index = self.value(node.this), node.expressions
        if len(index) != 1 or isinstance(index[0], exp.Slice):
            raise QueryError("SYNTAX_ERROR", "mismatched input in a subscript")
        at = self.value(index[0])
        if (
            source.type.name == "map"
            and common(source.type.args[0], at.type) == source.type.args[0]
        ):
            key = coerce(at, source.type.args[0]).sql
            return Value(f"trino_key({source.sql}, {key})", source.type.args[1])
        if source.type.name == "array" and at.type in (*t.INTEGERS, t.UNKNOWN):
            return Value(f"trino_subscript({source.sql}, {at.sql})", source.type.args[0])
        raise refuse(f"a subscript {at.type} of {source.type}")

    def _zone(self, node: exp.Expr) -> Value:
        return at_zone("AT TIME ZONE", self.value(node.this), self.value(node.args["zone"]))

    def _extract(self, node: exp.Expr) -> Value:
        unit = node.this.name.lower()
        if unit not in _EXTRACTED:
            raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {unit}")
        return self.call(unit, [node.expression])

    def _call(self, node: exp.Expr) -> Value:
        return self.call(node.name.lower(), node.expressions, node)

    def _aggregate(self, node: exp.Expr) -> Value:
        """An aggregate with its FILTER, IGNORE NULLS and OVER."""
        words = dict.fromkeys(("distinct", "order", "nulls", "filter", "over"), "")
        while not isinstance(node, exp.AnonymousAggFunc):
            if isinstance(node, exp.Window):
                words["over"] = f" OVER ({self.compiler.window(node, self)})"
            elif isinstance(node, exp.Filter):
                condition = self.boolean(node.expression.this, "FILTER clause")
                words["filter"] = f" FILTER (WHERE {condition})"
            elif isinstance(node, exp.IgnoreNulls):
                words["nulls"] = " IGNORE NULLS"
            elif not isinstance(node, exp.RespectNulls):
                self.value(node)  # it may not exist at all
                raise refuse(f"OVER or FILTER of {node.name.lower()}")
            node = node.this
        name, arguments = node.name.lower(), list(node.expressions)
        if arguments and isinstance(arguments[-1], exp.Order):
            words["order"] = f" ORDER BY {self.compiler.order(arguments[-1], self)}"
            arguments[-1] = arguments[-1].this
        if arguments and isinstance(arguments[0], exp.Distinct):
            words["distinct"], arguments[:1] = "DISTINCT ", arguments[0].expressions
        if name == "count" and [type(one) for one in arguments] == [exp.Star]:
            arguments = []
        inner = [one for part in arguments for one in part.find_all(exp.AnonymousAggFunc)]
        if not words["over"] and any(not isinstance(one.parent, exp.Window) for one in inner):
            raise QueryError("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation")
        return aggregate(name, self.values(arguments), words)

    def _now(self, node: exp.Expr) -> Value:
        precision = node.this
        if precision is not None and precision.name != "3":
            raise refuse("times of another precision than 3")
        kind = t.zoned("UTC") if isinstance(node, exp.CurrentTimestamp) else t.timestamp()
        return Value("date_trunc('milliseconds', timezone('UTC', now()))", kind)


def _named(name: str, *keys: str) -> Callable[[Expressions, exp.Expr], Value]:
    """A node of sqlglot's that is a call of a function."""

    def rule(self: Expressions, node: exp.Expr) -> Value:
        found: list[exp.Expr] = []
        for key in keys:
            one = node.args.get(key)
            found += one if isinstance(one, list) else [one] if one is not None else []
        return self.call(name, found)

    return rule


_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


_NESTED = ("array", "map", "row")
_EXTRACTED = {
    "year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow", "day_of_year",
    "doy", "year_of_week", "yow", "hour", "minute", "second", "timezone_hour", "timezone_minute",
}  # fmt: skip
_KNOWN = {
    "this", "expression", "expressions", "is_string", "table", "low", "high", "query", "ifs",
    "default", "true", "false", "to", "safe", "unit", "zone", "over", "partition_by", "order",
    "spec", "alias", "start", "length", "substr", "quoted", "db", "catalog",
    "bracket_notation", "negate", "null_handling", "typed", "is_literal",
}  # fmt: skip
"""Parts of nodes that the rules look at; a node with another one is refused."""
_Rule = Callable[[Expressions, Any], Value]
_RULES: dict[type[exp.Expr], _Rule] = {
    exp.Column: Expressions._column,
    exp.Identifier: Expressions._column,
    exp.ParseJSON: lambda self, node: self.call("json_parse", [node.this]),
    exp.Dot: Expressions._dot,
    exp.Literal: lambda _, node: literal(node),
    exp.Boolean: lambda _, node: Value(str(node.this).lower(), t.BOOLEAN),
    exp.Null: lambda *_: Value("NULL", t.UNKNOWN),
    exp.Paren: lambda self, node: self.value(node.this),
    exp.Neg: Expressions._neg,
    **dict.fromkeys(_COMPARED, Expressions._compare),
    **dict.fromkeys(_ARITHMETIC, Expressions._arithmetic),
    exp.And: Expressions._logic,
    exp.Or: Expressions._logic,
    exp.Not: Expressions._not,
    exp.Is: Expressions._is,
    exp.NullSafeEQ: Expressions._distinct,
    exp.NullSafeNEQ: Expressions._distinct,
    exp.Between: Expressions._between,
    exp.In: Expressions._in,
    exp.Exists: Expressions._exists,
    exp.Subquery: Expressions._subquery,
    exp.Select: Expressions._subquery,
    exp.Like: Expressions._like,
    exp.DPipe: Expressions._joined,
    exp.Case: Expressions._case,
    exp.If: Expressions._if,
    exp.Cast: Expressions._cast,
    exp.TryCast: Expressions._cast,
    exp.Interval: lambda _, node: interval_literal(node),
    exp.Array: Expressions._array,
    exp.Tuple: Expressions._row,
    exp.Struct: Expressions._row,
    exp.Bracket: Expressions._bracket,
    exp.AtTimeZone: Expressions._zone,
    exp.Extract: Expressions._extract,
    exp.Anonymous: Expressions._call,
    exp.AnonymousAggFunc: Expressions._aggregate,
    exp.Filter: Expressions._aggregate,
    exp.IgnoreNulls: Expressions._aggregate,
    exp.RespectNulls: Expressions._aggregate,
    exp.Window: Expressions._aggregate,
    exp.CurrentTimestamp: Expressions._now,
    exp.Localtimestamp: Expressions._now,
    exp.CurrentDate: lambda *_: Value("CAST(timezone('UTC', now()) AS DATE)", t.DATE),
    exp.Coalesce: _named("coalesce", "this", "expressions"),
    exp.Trim: _named("trim", "this", "expression"),
    exp.Substring: _named("substr", "this", "start", "length"),
    exp.StrPosition: _named("strpos", "this", "substr"),
}
