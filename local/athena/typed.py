"""Rewrites Trino operators and functions whose meaning depends on operand types.

There is no table of function types: DuckDB reports the type of each operand
(``DESCRIBE SELECT <operand> FROM <the query's sources>``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.athena.errors import QueryError
from local.athena.results import TEXT_MACROS
from local.athena.sql import position
from local.athena.tree import call, column, generate, number, text
from local.athena.types import as_decimal, decimal, fields, trino_type
from local.athena.zones import settle_zones

Describe = Callable[[str], list[tuple[str, str]]]
"""Names and types of the columns of a DuckDB query."""
UNKNOWN = ""
"""The type of what cannot be bound alone."""
_INTS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_ROWS = ("STRUCT", "TUPLE")


class TypedRewrite:
    """The nodes of one SELECT whose translation depends on types."""

    def __init__(self, select: exp.Select, describe: Describe) -> None:
        self._select = select
        self._describe = describe

    def rewrite(self) -> None:
        """Rewrite FROM first, then the rest, inner nodes before outer ones."""
        self._unnest()
        self._rewrite_below(self._select, self._select)

    def _rewrite_below(self, top: exp.Expr, sources: exp.Select) -> None:
        levels: dict[tuple[bool, int], list[exp.Expr]] = {}
        for node in _own(top):
            if type(node) in _RULES and (
                not isinstance(node, exp.Anonymous) or node.name in _CALLS
            ):
                # A lambda's parameters have the types of what it is applied to: that comes first.
                inside = node.find_ancestor(exp.Lambda, exp.Query)
                levels.setdefault((isinstance(inside, exp.Lambda), _height(node)), []).append(node)
        for level in sorted(levels):
            nodes = levels[level]
            operands = [_operands(node) for node in nodes]
            types = iter(self._types(list(chain.from_iterable(operands)), sources))
            for node, some in zip(nodes, operands, strict=True):
                rule = _RULES[type(node)]
                new = rule(node, [next(types) for _ in some])
                if new is not node:
                    node.replace(new)

    def _types(self, nodes: Sequence[exp.Expr], sources: exp.Select) -> list[str]:
        """DuckDB's type of each node."""
        found = [UNKNOWN] * len(nodes)
        shown = [self._settled(node, sources) for node in nodes]
        for grouped in (False, True):
            places = [i for i, node in enumerate(nodes) if _aggregates(node) is grouped]
            kinds = self._probe([shown[i] for i in places], grouped, sources)
            for i, kind in zip(places, kinds, strict=True):
                found[i] = kind
        return found

    def _settled(self, node: exp.Expr, sources: exp.Select) -> exp.Expr:
        """A copy that can be bound outside of its lambda: parameters are NULLs of their types."""
        copy = settle_zones(exp.Paren(this=node.copy()))
        lambda_ = node.find_ancestor(exp.Lambda, exp.Query)
        while isinstance(lambda_, exp.Lambda):
            kinds = self._parameters(lambda_, sources)
            for name, kind in zip(lambda_.expressions, kinds, strict=False):
                null = exp.cast(exp.null(), exp.DataType.build(kind, dialect="duckdb", udt=True))
                copy = copy.transform(
                    lambda one, name=name, null=null: (
                        null.copy() if is_parameter(one, name.name) else one
                    )
                )
            lambda_ = lambda_.find_ancestor(exp.Lambda, exp.Query)
        return copy

    def _parameters(self, lambda_: exp.Lambda, sources: exp.Select) -> list[str]:
        parent = lambda_.parent
        if parent is None:
            return []
        over = parent.expressions[0] if isinstance(parent, exp.Anonymous) else parent.this
        (kind,) = self._types([over], sources)
        if not kind.endswith("[]"):
            return []
        if isinstance(parent, exp.Anonymous) and parent.name == "list_reduce":
            return [*self._types([parent.expressions[2]], sources), kind[:-2]]
        return [kind[:-2]]

    def _probe(self, nodes: Sequence[exp.Expr], grouped: bool, sources: exp.Select) -> list[str]:
        if not nodes:
            return []
        probe = exp.Select()
        for part in ("from_", "joins", "laterals", *(("group",) if grouped else ())):
            value = sources.args.get(part)
            if value:
                copied = [one.copy() for one in value] if isinstance(value, list) else value.copy()
                probe.set(part, copied)
        probe.set("with_", _visible_ctes(self._select))
        probe.set(
            "expressions",
            [exp.alias_(node.copy(), f"t{i}", quoted=True) for i, node in enumerate(nodes)],
        )
        try:
            return [kind for _, kind in self._describe(generate(probe))]
        except (QueryError, SqlglotError):  # one of them cannot be bound alone: which one?
            if len(nodes) == 1:
                return [UNKNOWN]
            return [kind for node in nodes for kind in self._probe([node], grouped, sources)]

    def _unnest(self) -> None:
        """``UNNEST(...)``: several arrays side by side, maps, rows, ordinality."""
        before = exp.Select()
        origin = self._select.args.get("from_")
        if origin is not None:
            if isinstance(origin.this, exp.Unnest):
                self._replace_unnest(origin.this, before)
            before.set("from_", origin.copy())
        for join in self._select.args.get("joins") or []:
            if isinstance(join.this, exp.Unnest):
                self._replace_unnest(join.this, before)
            before.append("joins", join.copy())

    def _replace_unnest(self, node: exp.Unnest, before: exp.Select) -> None:
        self._rewrite_below(node, before)
        alias = node.args.get("alias")
        names = [one.name for one in alias.columns] if alias is not None else []
        row_number = node.args.get("offset")
        if isinstance(row_number, exp.Identifier):
            names.append(row_number.name)
        # DuckDB puts several unnest() of one SELECT side by side and pads them with NULLs.
        unnested: list[exp.Expr] = []
        columns: list[exp.Expr] = []
        lengths: list[exp.Expr] = []

        def unnest(array: exp.Expr) -> exp.Expr:
            unnested.append(exp.alias_(call("unnest", array), f"${len(unnested)}", quoted=True))
            return column(f"${len(unnested) - 1}")

        for array, kind in zip(
            node.expressions, self._types(node.expressions, before), strict=True
        ):
            if kind.startswith("MAP") and not kind.endswith("]"):
                keys = call("map_keys", array)
                columns += [unnest(keys), unnest(call("map_values", array))]
                lengths.append(call("len", keys))
                continue
            lengths.append(call("len", array))
            item = unnest(array)
            if kind.startswith(_ROWS):
                places = range(1, len(fields(kind.removesuffix("[]"))) + 1)
                columns += [call("struct_extract_at", item, number(i)) for i in places]
            else:
                columns.append(item)
        if row_number:
            longest = call("greatest", *(call("coalesce", one, number(0)) for one in lengths))
            columns.append(unnest(call("generate_series", number(1), longest)))
        body = exp.Select(
            expressions=[
                exp.alias_(one, names[i] if i < len(names) else f"_col{i}", quoted=True)
                for i, one in enumerate(columns)
            ]
        ).from_(exp.Select(expressions=unnested).subquery(alias="unnested"))
        table = alias.this if alias is not None and alias.this else exp.to_identifier("unnested")
        node.replace(exp.Lateral(this=body.subquery(), alias=exp.TableAlias(this=table.copy())))


def _own(select: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a SELECT without those of its subqueries."""
    return select.walk(
        prune=lambda node: node is not select and isinstance(node, (exp.Query, exp.With))
    )


def _height(node: exp.Expr) -> int:
    below = [
        _height(child) for child in node.iter_expressions() if not isinstance(child, exp.Query)
    ]
    return max(below, default=0) + (type(node) in _RULES)


def _aggregates(node: exp.Expr) -> bool:
    return any(
        isinstance(one, exp.AggFunc) or (isinstance(one, exp.Anonymous) and one.name in _AGGREGATES)
        for one in node.walk()
    )


_AGGREGATES = {
    "arg_max_null", "arg_min_null", "arg_max", "arg_min", "list", "quantile_disc", "any_value",
    "string_agg", "bool_and", "bool_or", "map_union", "every", "histogram",
}  # fmt: skip


def is_parameter(node: exp.Expr, name: str) -> bool:
    """Is this the use of a lambda's parameter of that name?"""
    if isinstance(node, exp.Column):
        return not node.table and node.name == name
    return (
        isinstance(node, exp.Identifier)
        and node.this == name
        and not isinstance(node.parent, (exp.Column, exp.TableAlias, exp.Alias))
        and not (isinstance(node.parent, exp.Dot) and node.parent.expression is node)
    )


def _visible_ctes(select: exp.Expr) -> exp.With | None:
    found: list[exp.Expr] = []
    recursive = False
    node: exp.Expr | None = select
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None:
            found = [*with_.expressions, *found]
            recursive = recursive or bool(with_.args.get("recursive"))
        node = node.parent
    unique = {cte.alias: cte for cte in found if select is not cte.this}
    if not unique:
        return None
    return exp.With(expressions=[cte.copy() for cte in unique.values()], recursive=recursive)


def _operands(node: exp.Expr) -> list[exp.Expr]:
    """What a rule wants to know the types of."""
    arguments = [node.args.get(name) for name in _OPERANDS.get(type(node), ("this",))]
    found: list[exp.Expr] = []
    for one in arguments:
        found += one if isinstance(one, list) else [one] if isinstance(one, exp.Expr) else []
    return found[:1] if isinstance(node, exp.Anonymous) else found


_BOTH = ("this", "expression")
_OPERANDS: dict[type[exp.Expr], tuple[str, ...]] = {
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe), _BOTH),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _BOTH),
    exp.In: ("this", "expressions"),
    exp.Between: ("this", "low", "high"),
    exp.Coalesce: ("this", "expressions"),
    exp.If: ("true", "false"),
    exp.Concat: ("expressions",),
    exp.GenerateSeries: ("start",),
    exp.Anonymous: ("expressions",),
}


# -- comparing -------------------------------------------------------------------------------------

_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.In: "IN",
    exp.Between: "BETWEEN", exp.DPipe: "||",
}  # fmt: skip


def _family(kind: str) -> str:
    """Types of one family can be compared; DuckDB would silently compare others too."""
    if kind in (UNKNOWN, "NULL", '"NULL"'):
        return "unknown"
    if kind in _INTS or kind in ("DOUBLE", "FLOAT") or decimal(kind) or kind.startswith("U"):
        return "number"
    if kind in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return "time"
    return "array" if kind.endswith("]") else kind.partition("(")[0]


def _families(types: Sequence[str]) -> set[str]:
    return {_family(kind) for kind in types} - {"unknown"}


def _mismatch(node: exp.Expr, left: str, right: str) -> QueryError:
    symbol = _SYMBOLS[type(node)]
    return QueryError(
        "TYPE_MISMATCH",
        f"Cannot apply operator: {trino_type(left)} {symbol} {trino_type(right)}",
        position(node),
    )


def _compared(node: exp.Expr, types: list[str]) -> exp.Expr:
    for other in types[1:]:
        if len(_families([types[0], other])) > 1:
            raise _mismatch(node, types[0], other)
    return node


def _alike(what: str) -> Callable[[exp.Expr, list[str]], exp.Expr]:
    """A rule that only checks that the operands are of one family."""

    def rule(node: exp.Expr, types: list[str]) -> exp.Expr:
        if len(_families(types)) > 1:
            listed = ", ".join(trino_type(kind) for kind in types)
            raise QueryError(
                "TYPE_MISMATCH", f"All {what} must be the same type: {listed}", position(node)
            )
        return node

    return rule


def _where(node: exp.Expr, types: list[str]) -> exp.Expr:
    if types[0] not in ("BOOLEAN", *_NO_TYPE):
        raise QueryError(
            "TYPE_MISMATCH",
            f"WHERE clause must evaluate to a boolean: actual type {trino_type(types[0])}",
            position(node),
        )
    return node


_NO_TYPE = (UNKNOWN, "NULL", '"NULL"')


def _joined_text(node: exp.Expr, types: list[str]) -> exp.Expr:
    if _families(types) - {"VARCHAR", "array", "BLOB"}:
        if isinstance(node, exp.Concat):
            listed = ", ".join(trino_type(kind) for kind in types)
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"Unexpected parameters ({listed}) for function concat",
                position(node),
            )
        raise _mismatch(node, types[0], types[1])
    return node


# -- arithmetic ------------------------------------------------------------------------------------


def _arithmetic(node: exp.Expr, types: list[str]) -> exp.Expr:  # noqa: PLR0911  (a type each)
    left, right = types
    a, b = node.args["this"], node.args["expression"]
    if {"VARCHAR", "BOOLEAN"} & {left, right}:
        raise _mismatch(node, left, right)
    if "DATE" in types and "INTERVAL" in types:
        return exp.cast(_plain(node), "DATE")
    if left == right == "DATE" and isinstance(node, exp.Sub):
        return call("to_days", exp.cast(_plain(node), "INT"))
    if left in _INTS and right in _INTS:
        if not isinstance(node, exp.Div):
            return node
        wider = max(left, right, key=_INTS.index)
        return exp.cast(exp.IntDiv(this=_enclosed(a), expression=_enclosed(b)), wider)
    exact = as_decimal(left), as_decimal(right)
    if exact[0] and exact[1]:
        return _decimal_arithmetic(node, exact[0], exact[1])
    if isinstance(node, exp.Div):
        return _plain(node) if left and right else call("trino_div", a, b)
    return node


def _enclosed(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node.copy()) if isinstance(node, exp.Binary) else node.copy()


def _plain(node: exp.Expr) -> exp.Expr:
    """The operator itself, without what sqlglot would add to it."""
    return type(node)(
        this=_enclosed(node.args["this"]), expression=_enclosed(node.args["expression"])
    )


def _decimal_arithmetic(node: exp.Expr, left: tuple[int, int], right: tuple[int, int]) -> exp.Expr:
    """The exact result, of the type that Trino's manual gives ("Decimal operators")."""
    (p1, s1), (p2, s2) = left, right
    scale = max(s1, s2)
    if isinstance(node, exp.Div):
        quotient = call(
            "trino_round_div",
            _digits(node.args["this"], s1, shift=scale - s1 + s2),
            _digits(node.args["expression"], s2),
        )
        return _scaled(quotient, p1 + s2 + max(s2 - s1, 0), scale)
    if isinstance(node, exp.Mul):
        precision, scale = p1 + p2, s1 + s2
    elif isinstance(node, exp.Mod):
        precision = min(p2 - s2, p1 - s1) + scale
    else:
        precision = max(p1 - s1, p2 - s2) + scale + 1
    if scale > 38:
        raise QueryError(
            "NUMERIC_VALUE_OUT_OF_RANGE",
            f"DECIMAL scale must be in range [0, 38]: {scale}",
            position(node),
        )
    return exp.cast(_plain(node), f"DECIMAL({min(precision, 38)}, {scale})")


def _digits(node: exp.Expr, scale: int, shift: int = 0) -> exp.Expr:
    """A decimal without its point, as a HUGEINT, times ten to the ``shift``."""
    whole = exp.Mul(this=_enclosed(node), expression=number(10**scale)) if scale else node.copy()
    digits = exp.cast(whole, "INT128")
    if not shift:
        return digits
    return exp.Mul(this=digits, expression=exp.cast(number(10**shift), "INT128"))


def _scaled(digits: exp.Expr, precision: int, scale: int) -> exp.Expr:
    """The decimal whose digits these are."""
    value: exp.Expr = exp.cast(digits, "DECIMAL(38, 0)")
    if scale:
        unit = exp.cast(text("0." + "0" * (scale - 1) + "1"), f"DECIMAL({scale}, {scale})")
        value = exp.Mul(this=value, expression=unit)
    return exp.cast(value, f"DECIMAL({min(precision, 38)}, {scale})")


def _rounded(node: exp.Expr, types: list[str]) -> exp.Expr:
    """``round``, ``ceil`` and ``floor`` keep to Trino's types."""
    (kind,) = types
    if kind in _INTS:
        return (
            node.args["this"].copy()
            if not node.args.get("decimals")
            else exp.cast(node.copy(), kind)
        )
    found = decimal(kind)
    if not found:
        return node
    precision, scale = found
    if node.args.get("decimals") is not None:
        return exp.cast(node.copy(), f"DECIMAL({min(38, precision + 1)}, {scale})")
    return exp.cast(node.copy(), f"DECIMAL({min(38, precision - scale + min(1, scale))}, 0)")


# -- aggregates ------------------------------------------------------------------------------------


def _whole_aggregate(node: exp.Expr) -> exp.Expr:
    """The aggregate with its FILTER and OVER."""
    while isinstance(node.parent, (exp.Window, exp.Filter)) and node.parent.this is node:
        node = node.parent
    return node


def _around(node: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Put something around an aggregate together with its FILTER and OVER."""
    whole = _whole_aggregate(node)
    if whole is node:
        return change(node.copy())
    whole.replace(change(whole.copy()))
    return node


def _count(node: exp.Expr, types: list[str]) -> exp.Expr:
    del types
    return _around(node, lambda whole: exp.cast(whole, "BIGINT"))


def _sum(node: exp.Expr, types: list[str]) -> exp.Expr:
    return _count(node, types) if types[0] in _INTS else node


def _average(node: exp.Expr, types: list[str]) -> exp.Expr:
    """The average of decimals is a decimal of their type, rounded half up."""
    found = decimal(types[0])
    if not found:
        return node
    precision, scale = found

    def divide(whole: exp.Expr) -> exp.Expr:
        def other(make: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
            holder = exp.Paren(this=whole.copy())
            inner = holder.find(exp.Avg)
            assert inner is not None
            inner.replace(make(inner.this))
            return holder

        total = other(lambda one: exp.Sum(this=one.copy()))
        count = exp.cast(other(lambda one: exp.Count(this=one.copy())), "INT128")
        mean = call("trino_round_div", _digits(total, scale), call("nullif", count, number(0)))
        return _scaled(mean, precision, scale)

    return _around(node, divide)


# -- casts and text --------------------------------------------------------------------------------


def to_text(node: exp.Expr, kind: str) -> exp.Expr:
    """``CAST(x AS varchar)``."""
    if kind in TEXT_MACROS:
        return call(TEXT_MACROS[kind], node)
    if kind == "JSON":
        return call("json_extract_string", node, text("$"))
    found = decimal(kind)
    if found and found[0] == found[1]:
        return call("trino_fraction_text", node)
    return exp.cast(node.copy(), "TEXT")


_CHECKED = {
    # DuckDB reads more texts than Trino: the macro lets only Trino's pass.
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT"), "trino_to_integer"),
    "DATE": "trino_to_date",
    "TIMESTAMP": "trino_to_timestamp",
    "TIMESTAMPTZ": "trino_to_timestamp",
}


def _cast(node: exp.Expr, types: list[str]) -> exp.Expr:
    assert isinstance(node, exp.Cast)
    (kind,) = types
    value, to = node.this, node.to
    if to.is_type(exp.DType.DECIMAL) and not to.expressions:
        to = exp.DataType.build(_bare_decimal(value), dialect="duckdb")
    target = re.sub(r"^(TIMESTAMPTZ|TIMESTAMP)\(\d+\)", r"\1", to.sql(dialect="trino").upper())
    if "WITH TIME ZONE" in target:
        target = "TIMESTAMPTZ"
    if re.match(r"TEXT|VARCHAR|CHAR", target):
        shown = to_text(value, kind)
        length = re.search(r"\((\d+)", target)
        return call("left", shown, number(int(length[1]))) if length else shown
    target = re.sub(r"\(\d+\)", "", target) if target.startswith("TIMESTAMP") else target
    if target in ("TIMESTAMP", "TIMESTAMPTZ"):
        to = exp.DataType.build(target, dialect="duckdb")
    if target == "JSON":
        return node if kind == "JSON" else call("to_json", value)
    checked = value
    if kind == "VARCHAR" and target in _CHECKED:
        shown = text(target.replace("INTEGER", "INT"))
        named = (shown,) if _CHECKED[target] == "trino_to_integer" else ()
        checked = call(_CHECKED[target], value, *named)
    elif kind in ("DOUBLE", "FLOAT") and target in _CHECKED:
        checked = call("round", value)
    plain = exp.Cast(this=checked.copy(), to=to.copy())
    return exp.Try(this=plain) if isinstance(node, exp.TryCast) else plain


def _bare_decimal(value: exp.Expr) -> str:
    """``DECIMAL '1.50'`` is as wide as it is written; ``CAST(x AS DECIMAL)`` has no fraction."""
    if isinstance(value, exp.Literal) and value.is_string:
        written = re.fullmatch(r"[+-]?0*(\d*)\.(\d+)", value.name)
        if written:
            return f"DECIMAL({len(written[1]) + len(written[2])}, {len(written[2])})"
    return "DECIMAL(38, 0)"


# -- containers, times -----------------------------------------------------------------------------


def _call(node: exp.Expr, types: list[str]) -> exp.Expr:
    kind, (first, *rest) = types[0], node.expressions
    if node.name == "trino$text":
        return to_text(first, kind)
    if node.name not in ("trino$element_at", "trino$subscript"):
        return node
    strict = node.name == "trino$subscript"
    if kind.endswith("]") or kind in _NO_TYPE:
        return call("trino_subscript" if strict else "list_extract", first, *rest)
    if kind.startswith("MAP"):
        return call("trino_key" if strict else "map_extract_value", first, *rest)
    return call("struct_extract_at", first, *rest)


_CALLS = {"trino$element_at", "trino$subscript", "trino$text"}


def _truncated(node: exp.Expr, types: list[str]) -> exp.Expr:
    found = call("date_trunc", text(node.args["unit"].name.lower()), node.this)
    return exp.cast(found, "DATE") if types[0] == "DATE" else found


def _series(node: exp.Expr, types: list[str]) -> exp.Expr:
    (kind,) = types
    arguments = [node.args[name] for name in ("start", "end", "step") if node.args.get(name)]
    if kind == "DATE" and len(arguments) == 2:
        arguments.append(call("to_days", number(1)))
    series = call("generate_series", *arguments)
    item = "DATE" if kind == "DATE" else "BIGINT" if kind in _INTS else None
    return exp.cast(series, f"{item}[]") if item else series


def _reverse(node: exp.Expr, types: list[str]) -> exp.Expr:
    return call("list_reverse", node.this) if types[0].endswith("[]") else node


def _typeof(node: exp.Expr, types: list[str]) -> exp.Expr:
    return call("trino_typeof", node.this, text(trino_type(types[0])))


def _cardinality(node: exp.Expr, types: list[str]) -> exp.Expr:
    return call("cardinality" if types[0].startswith("MAP") else "len", node.this)


_Rule = Callable[[exp.Expr, list[str]], exp.Expr]
_RULES: dict[type[exp.Expr], _Rule] = {
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _compared),
    **dict.fromkeys((exp.In, exp.Between), _compared),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
    **dict.fromkeys((exp.DPipe, exp.Concat), _joined_text),
    **dict.fromkeys((exp.Round, exp.Ceil, exp.Floor), _rounded),
    **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
    **dict.fromkeys((exp.TimestampTrunc, exp.DateTrunc), _truncated),
    exp.Coalesce: _alike("COALESCE operands"),
    exp.If: _alike("results of a CASE or IF"),
    exp.Where: _where,
    exp.Avg: _average,
    exp.Sum: _sum,
    exp.CountIf: _count,
    exp.ArraySize: _cardinality,
    exp.GenerateSeries: _series,
    exp.Reverse: _reverse,
    exp.Typeof: _typeof,
    exp.Anonymous: _call,
}
