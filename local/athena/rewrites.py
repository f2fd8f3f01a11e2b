"""From Trino's meaning to DuckDB's: one table of renamed functions, and what depends on types.

sqlglot translates the syntax. What it translates wrongly is changed here first. Where Trino's
result depends on the operands' types (division, decimals, dates), DuckDB, which has bound the same
expressions, is asked for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from local.athena.errors import QueryCancelledError, QueryError
from local.athena.results import TEXT_MACROS
from local.athena.types import as_decimal, decimal, trino_type

Describe = Callable[[str], list[tuple[str, str]]]
"""Names and types of the columns of a DuckDB query."""
E_ = exp.Expression
_UNKNOWN = ""


def to_duckdb(tree: E_, describe: Describe) -> str:
    """The DuckDB query that means what the qualified Trino query ``tree`` means."""
    tree = _simplified(tree)
    for scope in traverse_scope(tree):
        if isinstance(scope.expression, exp.Select):
            _Typed(scope, describe).rewrite()
    _zoned_results(tree, describe)
    return generate(tree)


def condition_to_duckdb(condition: E_, types: Mapping[str, str]) -> str:
    """A condition on the columns of one table."""
    del types
    return generate(_simplified(condition))


def generate(tree: E_) -> str:
    """DuckDB's text of a rewritten tree."""
    return tree.sql(dialect="duckdb", unsupported_level=None)


def call(name: str, *arguments: E_ | None) -> exp.Anonymous:
    """A call of a DuckDB function or macro."""
    return exp.Anonymous(
        this=name, expressions=[one.copy() for one in arguments if one is not None]
    )


# -- without types ---------------------------------------------------------------------------------

_RENAMED: dict[type[E_], tuple[str, ...]] = {
    # Trino's function as sqlglot names it: the macro, then the arguments to hand on.
    exp.StrToMap: ("split_to_map", "this", "pair_delim", "key_value_delim"),
    exp.ArrayPosition: ("trino_array_position", "this", "expression"),
    exp.FromISO8601Timestamp: ("trino_iso_timestamp", "this"),
    exp.JSONExtractScalar: ("trino_json_scalar", "this", "expression"),
    exp.JSONExtract: ("trino_json_extract", "this", "expression"),
    exp.ParseJSON: ("trino_json_parse", "this"),
    exp.RegexpExtract: ("trino_regexp_extract", "this", "expression", "group"),
    exp.RegexpReplace: ("trino_regexp_replace", "this", "expression", "replacement"),
    exp.SplitPart: ("trino_split_part", "this", "delimiter", "part_index"),
    exp.Split: ("trino_split", "this", "expression", "limit"),
    exp.Replace: ("trino_replace", "this", "expression", "replacement"),
    exp.Substring: ("trino_substr", "this", "start", "length"),
    exp.ArrayToString: ("trino_array_join", "this", "expression", "null"),
    exp.UnixToTime: ("trino_from_unixtime", "this"),
    exp.TimeToUnix: ("to_unixtime", "this"),
    exp.ArrayContains: ("trino_contains", "this", "expression"),
    exp.ArrayMax: ("trino_array_max", "this"),
    exp.ArrayMin: ("trino_array_min", "this"),
    exp.ArraySort: ("trino_array_sort", "this"),
    exp.Repeat: ("trino_repeat", "this", "times"),
    exp.ArrayDistinct: ("trino_array_distinct", "this"),
    exp.SHA: ("trino_sha1", "this"),
    exp.FromBase64: ("trino_from_base64", "this"),
    exp.CurrentTimestamp: ("trino_now",),
    exp.ArraySlice: ("trino_slice", "this", "start", "end"),
}

_RENAMED_BY_NAME = {
    "json_array_length": "trino_json_array_length",
    "millisecond": "trino_millisecond",
    "to_milliseconds": "trino_to_milliseconds",
    "dow": "isodow",
}


def _simplified(tree: E_) -> E_:
    """The tree with the rules applied, inner nodes first."""
    root = tree.copy()
    for node in reversed(list(root.walk())):
        new = _simple(node)
        if new is not node:
            if node is root:
                root = new
            else:
                node.replace(new)
    return root


def _simple(node: E_) -> E_:
    """One node, by the table or by a rule of its own."""
    rule = _RULES.get(type(node))
    if rule:
        return rule(node)
    renamed = _RENAMED.get(type(node))
    if renamed:
        name, *keys = renamed
        arguments = [node.args.get(key) for key in keys]
        return call(name, *(_path(one) for one in arguments if isinstance(one, E_)))
    return node


def _path(argument: E_) -> E_:
    """A JSON path or a unit as the string that the macros take."""
    if isinstance(argument, exp.JSONPath):
        path = argument.sql(dialect="presto").strip("'")
        return exp.Literal.string(re.sub(r"""\[["']([^"']*)["']\]""", r'."\1"', path))
    if isinstance(argument, exp.Var):
        return exp.Literal.string(argument.name.lower())
    return argument


def _date_diff(node: E_) -> E_:
    unit = node.args.get("unit")
    name = unit.name.lower() if unit is not None else "day"
    ends = [node.args["expression"], node.this]
    plain = call("date_sub", exp.Literal.string(name), *ends)
    return exp.cast(plain, "BIGINT")


def _date_add(node: E_) -> E_:
    unit = node.args["unit"].name.lower()
    amount = node.expression
    if isinstance(amount, exp.Interval):
        amount = amount.this
    if isinstance(amount, exp.Literal) and amount.is_string:
        amount = exp.Literal.number(amount.name)
    function = {"millisecond": "to_milliseconds", "quarter": "to_quarters"}.get(unit, f"to_{unit}s")
    whole = exp.cast(amount.copy(), "BIGINT" if unit not in _CALENDAR else "INT")
    return exp.Add(this=node.this.copy(), expression=call(function, whole))


_CALENDAR = {"day", "week", "month", "quarter", "year"}


def _interval(node: E_) -> E_:
    if isinstance(node.this, exp.Literal) and node.args.get("unit") is not None:
        unit = node.args["unit"].name.lower()
        number = call(
            "to_" + unit.removesuffix("s") + "s",
            exp.cast(exp.Literal.number(node.this.name), "INT"),
        )
        return number
    return node


def _approx_percentile(node: E_) -> E_:
    if node.args.get("weight") is not None:
        raise _unsupported("approx_percentile with weights")
    return call("quantile_disc", node.this, node.args["quantile"])


def _approx_distinct(node: E_) -> E_:
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _element_at(node: E_) -> E_:
    """``a[i]`` and ``element_at(a, i)`` keep apart until the type is known."""
    if node.args.get("safe"):
        return call("trino$element_at", node.this, node.expressions[0])
    # sqlglot has made the subscript count from 0.
    index = exp.apply_index_offset(node.this, node.expressions, 1, dialect="trino")[0]
    return call("trino$subscript", node.this, index)


def _format(node: E_) -> E_:
    if not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise _unsupported("format() whose pattern is no literal")
    pieces: list[E_] = []
    arguments = iter(node.expressions)
    position = 0
    pattern = node.this.name
    for match in _JAVA_FORMAT.finditer(pattern):
        pieces.append(exp.Literal.string(pattern[position : match.start()]))
        position = match.end()
        flags, width, precision, kind = match.groups()
        if kind in "%n":
            pieces.append(exp.Literal.string("%" if kind == "%" else "\n"))
            continue
        argument = next(arguments, None)
        if argument is None:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Format specifier '{match[0]}'")
        comma, left, zero = "," in flags, "-" in flags, "0" in flags
        align = "<" if left else ">"
        fill = (("0" if zero and not left else align) + width) if width else ""
        if kind in "sS":
            spec, argument = (align + width if width else ""), call("trino$text", argument)
        elif kind in "dx":
            spec = fill + ("," if comma else "") + kind
            argument = exp.cast(argument.copy(), "BIGINT")
        else:
            spec = fill + ("," if comma else "") + f".{precision or 6}{kind}"
            argument = exp.cast(argument.copy(), "DOUBLE")
        pieces.append(call("format", exp.Literal.string("{:" + spec + "}"), argument))
    pieces.append(exp.Literal.string(pattern[position:]))
    return call("concat", *pieces)


_JAVA_FORMAT = re.compile(r"%([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([sSdxfeE%n])")


def _at_timezone(node: E_) -> E_:
    """Kept as a node of its own: what it means depends on who uses it (see `_zoned_results`)."""
    zone = node.args.get("zone") or node.expressions[1]
    moment = node.this if isinstance(node, exp.AtTimeZone) else node.expressions[0]
    return call("trino$zone", moment, zone)


def _group_concat(node: E_) -> E_:
    separator = node.args.get("separator") or exp.Literal.string("")
    item = node.this
    if isinstance(item, exp.Order):
        separator = exp.Order(this=separator.copy(), expressions=item.copy().expressions)
        item = item.this
    return call("string_agg", item, separator)


def _extreme(node: E_) -> E_:
    """``max_by`` and ``min_by``: Trino's give NULL where the first argument is NULL."""
    name, count = ("arg_max" if isinstance(node, exp.ArgMax) else "arg_min"), node.args.get("count")
    return call(name if count else name + "_null", node.this, node.expression, count)


def _filter(node: E_) -> E_:
    """``f(g(x)) FILTER (...)``, where the macro f is around the aggregate g."""
    inner = node.this
    if not (isinstance(inner, exp.Anonymous) and inner.name in _AROUND_AGGREGATES):
        return node
    filtered = exp.Filter(this=inner.expressions[0].copy(), expression=node.expression.copy())
    return call(inner.name, filtered)


_AROUND_AGGREGATES = {"trino_map_first", "trino_multimap", "exp"}


def _anonymous(node: E_) -> E_:
    name = node.name.lower()
    if name == "at_timezone":
        return _at_timezone(node)
    if name == "with_timezone":
        return call(
            "timezone", node.expressions[1], exp.cast(node.expressions[0].copy(), "TIMESTAMP")
        )
    if name in ("any_match", "all_match", "none_match"):
        found = call("list_transform", node.expressions[0], node.expressions[1])
        if name == "all_match":
            return call("coalesce", call("list_bool_and", found), exp.true())
        any_ = call("coalesce", call("list_bool_or", found), exp.false())
        return any_ if name == "any_match" else exp.Not(this=any_)
    if name in ("format_datetime", "parse_datetime"):
        return _joda(node, name)
    if name in ("map_agg", "multimap_agg"):
        collected = call("list", call("trino_entry", *node.expressions))
        return call("trino_map_first" if name == "map_agg" else "trino_multimap", collected)
    if name == "geometric_mean":
        return call("exp", exp.Avg(this=exp.Ln(this=node.expressions[0].copy())))
    if name == "map_entries":
        return call("map_entries", *node.expressions)
    if name == "zip":
        return call("list_zip", *node.expressions)
    if name == "reduce_agg":
        raise _unsupported("reduce_agg")
    new = _RENAMED_BY_NAME.get(name)
    return call(new, *node.expressions) if new else node


_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "SSS": "%g", "EEEE": "%A", "EEE": "%a",
    "E": "%a", "a": "%p", "M": "%-m", "d": "%-d", "H": "%-H", "D": "%-j", "DDD": "%j", "y": "%Y",
}  # fmt: skip


def _joda(node: E_, name: str) -> E_:
    pattern = node.expressions[1]
    if not isinstance(pattern, exp.Literal):
        raise _unsupported(f"{name} whose pattern is no literal")
    found = []
    for match in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z']+)", pattern.name):
        literal, letters, _, other = match.groups()
        if letters and letters not in _JODA:
            raise _unsupported(f"{name} with the pattern letter {letters}")
        found.append(_JODA[letters] if letters else (other or literal or "'"))
    style = exp.Literal.string("".join(found))
    if name == "format_datetime":
        return call("strftime", node.expressions[0], style)
    return call("timezone", exp.Literal.string("UTC"), call("strptime", node.expressions[0], style))


def _joda_parse(node: E_) -> E_:
    return _joda(call("parse_datetime", node.this, node.args["format"]), "parse_datetime")


def _struct(node: E_) -> E_:
    """``row(1, 2)``: DuckDB's own row."""
    if any(isinstance(one, (exp.PropertyEQ, exp.Alias)) for one in node.expressions):
        return node
    return call("row", *node.expressions)


def _extract(node: E_) -> E_:
    unit = node.this.name.upper()
    unit = {"DOW": "ISODOW", "DAY_OF_WEEK": "ISODOW", "DAY_OF_YEAR": "DOY", "DAY_OF_MONTH": "DAY",
            "YEAR_OF_WEEK": "ISOYEAR", "YOW": "ISOYEAR"}.get(unit, unit)  # fmt: skip
    return exp.cast(exp.Extract(this=exp.var(unit), expression=node.expression.copy()), "BIGINT")


def _reduce(node: E_) -> E_:
    """``reduce(a, start, step, finish)``."""
    folded = call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    finish = node.args.get("finish")
    if not isinstance(finish, exp.Lambda):
        return folded
    name = finish.expressions[0].name
    return finish.this.copy().transform(
        lambda one: (
            folded.copy()
            if isinstance(one, (exp.Column, exp.Identifier))
            and one.name == name
            and not isinstance(one.parent, exp.Column)
            else one
        )
    )


def _week(node: E_) -> E_:
    return call("week", node.this)


def _local_now(node: E_) -> E_:
    return call("timezone", exp.Literal.string("UTC"), call("trino_now"))


_RULES: dict[type[E_], Callable[[E_], E_]] = {
    exp.DateDiff: _date_diff,
    exp.DateAdd: _date_add,
    exp.Interval: _interval,
    exp.ApproxQuantile: _approx_percentile,
    exp.ApproxDistinct: _approx_distinct,
    exp.Bracket: _element_at,
    exp.Format: _format,
    exp.AtTimeZone: _at_timezone,
    exp.GroupConcat: _group_concat,
    exp.ArgMax: _extreme,
    exp.ArgMin: _extreme,
    exp.Filter: _filter,
    exp.ParseDatetime: lambda node: _joda_parse(node),
    exp.Anonymous: _anonymous,
    exp.Struct: _struct,
    exp.Extract: _extract,
    exp.Reduce: _reduce,
    exp.WeekOfYear: _week,
    exp.Localtimestamp: _local_now,
}


def _unsupported(what: str) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"This local Athena does not support {what}")


# -- with types ------------------------------------------------------------------------------------

_INTS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_SYMBOLS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
            exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
            exp.In: "IN", exp.Between: "BETWEEN", exp.DPipe: "||"}  # fmt: skip
_TYPED = (
    *_ARITHMETIC,
    *_COMPARED,
    exp.Avg,
    exp.Sum,
    exp.Round,
    exp.Ceil,
    exp.Floor,
    exp.Cast,
    exp.DPipe,
    exp.TimestampTrunc,
    exp.DateTrunc,
    exp.ArraySize,
    exp.GenerateSeries,
    exp.CountIf,
    exp.Reverse,
    exp.Typeof,
    exp.Anonymous,
)
_TYPED_CALLS = {"trino$element_at", "trino$subscript", "trino$text", "list_concat"}


class _Typed:
    """The nodes of one SELECT whose translation depends on types."""

    def __init__(self, scope: Scope, describe: Describe) -> None:
        self._select = scope.expression
        self._describe = describe

    def rewrite(self) -> None:
        """Rewrite FROM first, then the rest, inner nodes before outer ones."""
        self._unnest()
        self._rewrite_below(self._select, None)

    def _rewrite_below(self, top: E_, sources: exp.Select | None) -> None:
        levels: dict[int, list[E_]] = {}
        for node in _own(top):
            if _is_typed(node):
                levels.setdefault(_height(node), []).append(node)
        for height in sorted(levels):
            nodes = levels[height]
            operands = [_operands(node) for node in nodes]
            types = iter(self._types([one for some in operands for one in some], sources))
            for node, some in zip(nodes, operands, strict=True):
                known = [next(types) for _ in some]
                new = _typed(node, known)
                if new is not node:
                    node.replace(new)

    def _types(self, nodes: Sequence[E_], sources: exp.Select | None = None) -> list[str]:
        """DuckDB's type of each node, unknown where it cannot be bound alone."""
        if not nodes:
            return []
        found = [_UNKNOWN] * len(nodes)
        for grouped in (False, True):
            places = [i for i, node in enumerate(nodes) if _aggregates(node) is grouped]
            chosen = [nodes[i] for i in places]
            for i, kind in zip(places, self._probe(chosen, grouped, sources), strict=True):
                found[i] = kind
        return found

    def _probe(self, nodes: Sequence[E_], grouped: bool, sources: exp.Select | None) -> list[str]:
        if not nodes:
            return []
        origin = sources or self._select
        probe = exp.Select()
        for part in ("from_", "joins", "laterals", *(("group",) if grouped else ())):
            value = origin.args.get(part)
            if value:
                copied = [one.copy() for one in value] if isinstance(value, list) else value.copy()
                probe.set(part, copied)
        probe.set("with_", _visible_ctes(self._select))
        probe.set(
            "expressions",
            [exp.alias_(_probed(node), f"t{i}", quoted=True) for i, node in enumerate(nodes)],
        )
        try:
            return [kind for _, kind in self._describe(generate(probe))]
        except (QueryError, SqlglotError):
            if len(nodes) == 1:
                return [_UNKNOWN]
            return [kind for node in nodes for kind in self._probe([node], grouped, sources)]

    def _unnest(self) -> None:
        """``CROSS JOIN UNNEST(...)``: several arrays side by side, maps, rows, ordinality."""
        origin = self._select.args.get("from_")
        before = exp.Select()
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
        arrays = node.expressions
        types = self._types(arrays, before)
        alias = node.args.get("alias")
        names = list(alias.args.get("columns") or []) if alias is not None else []
        with_row = node.args.get("offset")
        if isinstance(with_row, exp.Identifier):
            names.append(with_row)
        # DuckDB puts several unnest() of one SELECT side by side and pads them with NULLs.
        unnested: list[E_] = []
        columns: list[E_] = []
        lengths: list[E_] = []

        def unnest(array: E_) -> E_:
            unnested.append(exp.alias_(call("unnest", array), f"${len(unnested)}", quoted=True))
            return exp.column(f"${len(unnested) - 1}", quoted=True)

        for array, kind in zip(arrays, types, strict=True):
            if kind.startswith("MAP"):
                keys = call("map_keys", array)
                columns += [unnest(keys), unnest(call("map_values", array))]
                lengths.append(call("len", keys))
                continue
            lengths.append(call("len", array))
            item = unnest(array)
            if kind.startswith(("STRUCT", "TUPLE")) and kind.endswith("[]"):
                places = range(1, len(_fields(kind[:-2])) + 1)
                columns += [call("struct_extract_at", item, exp.Literal.number(i)) for i in places]
            else:
                columns.append(item)
        if with_row:
            padded = (call("coalesce", one, exp.Literal.number(0)) for one in lengths)
            rows = call("generate_series", exp.Literal.number(1), call("greatest", *padded))
            columns.append(unnest(rows))
        body = exp.Select(
            expressions=[
                exp.alias_(one, names[i].name if i < len(names) else f"_col{i}", quoted=True)
                for i, one in enumerate(columns)
            ]
        ).from_(
            exp.Select(expressions=unnested).subquery(
                alias=exp.to_identifier("$unnested", quoted=True)
            )
        )
        table = exp.TableAlias(
            this=alias.this.copy()
            if alias is not None and alias.this
            else exp.to_identifier("$unnest", quoted=True),
        )
        node.replace(exp.Lateral(this=body.subquery(), alias=table))


def _own(select: E_) -> Iterator[E_]:
    """The nodes of a SELECT without those of its subqueries and lambdas."""
    return select.walk(
        prune=lambda node: (
            (node is not select and isinstance(node, (exp.Query, exp.With)))
            or isinstance(node, exp.Lambda)
        )
    )


def _is_typed(node: E_) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name in _TYPED_CALLS
    return isinstance(node, _TYPED)


def _height(node: E_) -> int:
    below = [
        _height(child) for child in node.iter_expressions() if not isinstance(child, exp.Query)
    ]
    return max(below, default=0) + int(_is_typed(node))


def _aggregates(node: E_) -> bool:
    return any(
        isinstance(one, exp.AggFunc) or (isinstance(one, exp.Anonymous) and one.name in _AGGREGATES)
        for one in node.walk()
    )


_AGGREGATES = {
    "arg_max_null", "arg_min_null", "arg_max", "arg_min", "list", "quantile_disc", "any_value", "string_agg", "map_agg",
    "bool_and", "bool_or", "multimap_agg", "map_union", "geometric_mean", "every", "histogram",
}  # fmt: skip


def _probed(node: E_) -> E_:
    return _settle_zones(node.copy())


def _visible_ctes(select: E_) -> exp.With | None:
    found: list[E_] = []
    recursive = False
    node: E_ | None = select
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None:
            found = [*with_.expressions, *found]
            recursive = recursive or bool(with_.args.get("recursive"))
        node = node.parent
    if not found:
        return None
    unique = {cte.alias: cte for cte in found if select is not cte.this}
    return exp.With(expressions=[cte.copy() for cte in unique.values()], recursive=recursive)


def _operands(node: E_) -> list[E_]:
    if isinstance(node, exp.Anonymous):
        return node.expressions[:1]
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.Binary):
        return [node.left, node.right]
    if isinstance(node, exp.GenerateSeries):
        return [node.args["start"]]
    if isinstance(node, exp.CountIf):
        return []
    return [node.this] if isinstance(node.this, E_) else []


def _typed(node: E_, types: list[str]) -> E_:
    if isinstance(node, exp.Anonymous):
        return _typed_call(node, types[0])
    if isinstance(node, _COMPARED):
        for other in types[1:]:
            _comparable(node, types[0], other)
        return node
    if isinstance(node, exp.DPipe):
        if {_family(kind) for kind in types} - {"varchar", "array", "binary", "unknown"}:
            raise _mismatch(node, *types)
        return node
    if isinstance(node, _ARITHMETIC):
        return _arithmetic(node, *types)
    if isinstance(node, exp.CountIf):
        return exp.cast(node.copy(), "BIGINT") if not _wrapped(node) else node
    kind = types[0] if types else _UNKNOWN
    if isinstance(node, exp.Cast):
        return _cast(node, kind)
    if isinstance(node, exp.Avg):
        return _average(node, kind)
    if isinstance(node, exp.Sum):
        if kind in _INTS:
            return _outside(node, lambda one: exp.cast(one, "BIGINT"))
        return node
    if isinstance(node, (exp.Round, exp.Ceil, exp.Floor)):
        return _rounded(node, kind)
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        truncated = call(
            "date_trunc", exp.Literal.string(node.args["unit"].name.lower()), node.this
        )
        return exp.cast(truncated, "DATE") if kind == "DATE" else truncated
    if isinstance(node, exp.Reverse):
        return call("list_reverse", node.this) if kind.endswith("]") else node
    if isinstance(node, exp.Typeof):
        return call("trino_typeof", node.this, exp.Literal.string(trino_type(kind)))
    if isinstance(node, exp.ArraySize):
        return call("cardinality" if kind.startswith("MAP") else "len", node.this)
    if isinstance(node, exp.GenerateSeries):
        arguments = [node.args[key] for key in ("start", "end", "step") if node.args.get(key)]
        if kind == "DATE" and len(arguments) == 2:
            arguments.append(call("to_days", exp.Literal.number(1)))
        series = call("generate_series", *arguments)
        if kind == "DATE":
            return exp.cast(series, "DATE[]")
        return exp.cast(series, "BIGINT[]") if kind in _INTS else series
    return node


def _typed_call(node: exp.Anonymous, kind: str) -> E_:
    if node.name == "trino$text":
        return _to_text(node.expressions[0], kind)
    if node.name in ("trino$element_at", "trino$subscript"):
        container, index = node.expressions
        strict = node.name == "trino$subscript"
        if kind.startswith("MAP"):
            return call("trino_key" if strict else "map_extract_value", container, index)
        if kind.startswith(("STRUCT", "TUPLE")) and not kind.endswith("[]"):
            return call("struct_extract_at", container, index)
        return call("trino_subscript" if strict else "list_extract", container, index)
    return node


def _family(kind: str) -> str:
    if kind in (_UNKNOWN, "NULL", '"NULL"'):
        return "unknown"
    if kind in _INTS or kind in ("DOUBLE", "FLOAT") or decimal(kind) or kind.startswith("U"):
        return "number"
    if kind in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_MS"):
        return "time"
    if kind.endswith("]"):
        return "array"
    return {"VARCHAR": "varchar", "BLOB": "binary"}.get(kind, kind.partition("(")[0])


def _mismatch(node: E_, left: str, right: str) -> QueryError:
    from local.athena.sql import position

    return QueryError(
        "TYPE_MISMATCH",
        f"Cannot apply operator: {_shown(left, node)} {_SYMBOLS[type(node)]} {_shown(right, node)}",
        position(node),
    )


def _shown(kind: str, node: E_) -> str:
    del node
    return trino_type(kind) if kind else "unknown"


def _comparable(node: E_, left: str, right: str) -> None:
    families = {_family(left), _family(right)} - {"unknown"}
    if len(families) > 1:
        raise _mismatch(node, left, right)


def _arithmetic(node: E_, left: str, right: str) -> E_:
    a, b = node.left, node.right
    families = (_family(left), _family(right))
    if "varchar" in families or "BOOLEAN" in families:
        raise _mismatch(node, left, right)
    if "DATE" in (left, right) and "INTERVAL" in families:
        return exp.cast(_plain(node), "DATE")
    if left == right == "DATE" and isinstance(node, exp.Sub):
        return call("to_days", exp.cast(_plain(node), "INT"))
    if left in _INTS and right in _INTS:
        if not isinstance(node, exp.Div):
            return node
        wider = max(left, right, key=_INTS.index)
        return exp.cast(exp.IntDiv(this=_enclosed(a), expression=_enclosed(b)), wider)
    exact = [as_decimal(left), as_decimal(right)]
    if exact[0] and exact[1]:
        return _decimal_arithmetic(node, exact[0], exact[1])
    if isinstance(node, exp.Div):
        if not left or not right:
            return call("trino_div", a, b)
        return _plain(node)
    return node


def _enclosed(node: E_) -> E_:
    return exp.Paren(this=node.copy()) if isinstance(node, exp.Binary) else node.copy()


def _plain(node: E_) -> E_:
    """The operator itself, without the casts that sqlglot would add."""
    if isinstance(node, exp.Div):
        return exp.Div(this=_enclosed(node.left), expression=_enclosed(node.right))
    return type(node)(this=_enclosed(node.left), expression=_enclosed(node.right))


def _decimal_arithmetic(node: E_, left: tuple[int, int], right: tuple[int, int]) -> E_:
    """Trino's result types: "Decimal operators" in Trino's documentation."""
    (p1, s1), (p2, s2) = left, right
    if isinstance(node, exp.Div):
        precision, scale = p1 + s2 + max(s2 - s1, 0), max(s1, s2)
        quotient = call(
            "trino_round_div",
            _unscaled(node.left, s1, shift=scale - s1 + s2),
            _unscaled(node.right, s2),
        )
        return exp.cast(_scaled(quotient, scale), f"DECIMAL({min(precision, 38)}, {scale})")
    if isinstance(node, exp.Mul):
        precision, scale = p1 + p2, s1 + s2
    elif isinstance(node, exp.Mod):
        precision, scale = min(p2 - s2, p1 - s1) + max(s1, s2), max(s1, s2)
    else:
        precision, scale = max(p1 - s1, p2 - s2) + max(s1, s2) + 1, max(s1, s2)
    if scale > 38:
        raise QueryError(
            "NUMERIC_VALUE_OUT_OF_RANGE", f"DECIMAL scale must be in range [0, 38]: {scale}"
        )
    return exp.cast(_plain(node), f"DECIMAL({min(precision, 38)}, {scale})")


def _unscaled(node: E_, scale: int, shift: int = 0) -> E_:
    """A decimal's digits as a HUGEINT, times ten to the ``shift``."""
    digits = exp.cast(
        exp.Mul(this=_enclosed(node), expression=exp.Literal.number(10**scale))
        if scale
        else node.copy(),
        "INT128",
    )
    if not shift:
        return digits
    return exp.Mul(this=digits, expression=exp.cast(exp.Literal.number(10**shift), "INT128"))


def _scaled(digits: E_, scale: int) -> E_:
    whole = exp.cast(digits, "DECIMAL(38, 0)")
    if not scale:
        return whole
    unit = exp.cast(
        exp.Literal.string("0." + "0" * (scale - 1) + "1"), f"DECIMAL({scale}, {scale})"
    )
    return exp.Mul(this=whole, expression=unit)


def _wrapped(node: E_) -> bool:
    return isinstance(node.parent, (exp.Window, exp.Filter, exp.WithinGroup))


def _shell(node: E_) -> E_:
    """The aggregate with its FILTER and OVER."""
    while _wrapped(node) and node.parent is not None and node.parent.this is node:
        node = node.parent
    return node


def _outside(node: E_, change: Callable[[E_], E_]) -> E_:
    """Change an aggregate together with its FILTER and OVER."""
    shell = _shell(node)
    if shell is node:
        return change(node.copy())
    shell.replace(change(shell.copy()))
    return node


def _average(node: E_, kind: str) -> E_:
    found = decimal(kind)
    if not found:
        return node
    precision, scale = found

    def divide(shell: E_) -> E_:
        def with_function(new: Callable[[E_], E_]) -> E_:
            copy = shell.copy()
            inner = copy
            while not isinstance(inner, exp.Avg):
                inner = inner.this
            replaced = new(inner.this)
            if inner is copy:
                return replaced
            inner.replace(replaced)
            return copy

        total = with_function(lambda one: exp.Sum(this=one.copy()))
        count = with_function(lambda one: exp.Count(this=one.copy()))
        digits = exp.cast(exp.Mul(this=total, expression=exp.Literal.number(10**scale)), "INT128")
        mean = call(
            "trino_round_div",
            digits,
            call("nullif", exp.cast(count, "INT128"), exp.Literal.number(0)),
        )
        return exp.cast(_scaled(mean, scale), f"DECIMAL({precision}, {scale})")

    return _outside(node, divide)


def _rounded(node: E_, kind: str) -> E_:
    found = decimal(kind)
    places = node.args.get("decimals")
    if not found:
        if isinstance(node, (exp.Ceil, exp.Floor)) or not places or kind not in ("DOUBLE", "FLOAT"):
            return node
        return node
    precision, scale = found
    if places is not None:
        return exp.cast(node.copy(), f"DECIMAL({min(38, precision + 1)}, {scale})")
    whole = min(38, precision - scale + min(1, scale))
    return exp.cast(node.copy(), f"DECIMAL({whole}, 0)")


def _to_text(node: E_, kind: str) -> E_:
    if kind in TEXT_MACROS:
        return call(TEXT_MACROS[kind], node)
    if kind == "JSON":
        return call("json_extract_string", node, exp.Literal.string("$"))
    return exp.cast(node.copy(), "TEXT")


def _cast(node: exp.Cast, kind: str) -> E_:
    if node.to.this is exp.DType.DECIMAL and not node.to.expressions:
        node.set("to", exp.DataType.build(_bare_decimal(node.this), dialect="duckdb"))
    target = node.to.sql(dialect="duckdb").upper()
    tried = isinstance(node, exp.TryCast)

    def guarded(checked: E_) -> E_:
        plain = exp.Cast(this=checked, to=node.to.copy())
        return exp.Try(this=plain) if tried else plain

    if target in ("TEXT", "VARCHAR") or target.startswith(("VARCHAR(", "TEXT(", "CHAR")):
        text = _to_text(node.this, kind)
        length = re.search(r"\((\d+)", node.to.sql(dialect="trino"))
        if length:
            return call("left", text, exp.Literal.number(length[1]))
        return text
    if kind == "VARCHAR":
        if target in ("TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT"):
            name = {"INT": "INT", "INTEGER": "INT"}.get(target, target)
            return guarded(call("trino_to_integer", node.this, exp.Literal.string(name)))
        if target == "DATE":
            return guarded(call("trino_to_date", node.this))
        if target.startswith("TIMESTAMP"):
            checked = guarded(call("trino_to_timestamp", node.this))
            checked.find(exp.Cast).set("to", _moment_type(target))  # type: ignore[union-attr]
            return checked
    if kind in ("DOUBLE", "FLOAT") and target in (
        "INT",
        "INTEGER",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
    ):
        return guarded(call("round", node.this))
    if target.startswith("TIMESTAMP") and kind:
        return guarded_cast(node, _moment_type(target), tried)
    if target == "JSON" and kind != "JSON":
        return call("to_json", node.this)
    if kind == "JSON" and not tried:
        return exp.Cast(this=node.this.copy(), to=node.to.copy())
    return node


def _bare_decimal(value: E_) -> str:
    """``DECIMAL '1.50'`` is as wide as it is written; ``CAST(x AS DECIMAL)`` has no fraction."""
    if (
        isinstance(value, exp.Literal)
        and value.is_string
        and re.fullmatch(r"[+-]?\d*\.\d+", value.name)
    ):
        whole, _, fraction = value.name.lstrip("+-").partition(".")
        return f"DECIMAL({len(whole.lstrip('0')) + len(fraction)}, {len(fraction)})"
    return "DECIMAL(38, 0)"


def guarded_cast(node: exp.Cast, to: exp.DataType, tried: bool) -> E_:
    """The same cast to another type."""
    return (exp.TryCast if tried else exp.Cast)(this=node.this.copy(), to=to)


def _moment_type(target: str) -> exp.DataType:
    """Trino's timestamps of any precision are DuckDB's of microseconds."""
    zoned = target.startswith("TIMESTAMPTZ") or "ZONE" in target
    return exp.DataType.build("TIMESTAMPTZ" if zoned else "TIMESTAMP", dialect="duckdb")


def _fields(struct: str) -> list[str]:
    from local.athena.types import split_top

    return split_top(struct.partition("(")[2][:-1])


# -- time zones ------------------------------------------------------------------------------------


def _zoned_results(tree: E_, describe: Describe) -> None:
    """``AT TIME ZONE`` in the result prints that zone's time; elsewhere see `_settle_zones`."""
    del describe
    top = tree
    while isinstance(top, exp.Subquery):
        top = top.this
    if isinstance(top, exp.Select):
        for projection in top.selects:
            inner = projection.unalias()
            if isinstance(inner, exp.Anonymous) and inner.name == "trino$zone":
                inner.replace(call("trino_zoned", *inner.expressions))
    _settle_zones(tree)


_LOCAL_PARENTS = (
    exp.TimeToStr, exp.Cast, exp.Extract, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Hour,
    exp.Minute, exp.Second, exp.DayOfWeekIso, exp.DayOfYear, exp.TimestampTrunc, exp.DateTrunc,
    exp.TsOrDsToDate, exp.Date, exp.DayOfMonth,
)  # fmt: skip
_LOCAL_CALLS = {"strftime", "date_trunc", "trino_timestamp_text", "week", "trino_millisecond", "isodow",
                "hour", "minute", "second", "last_day", "dayofyear", "day"}  # fmt: skip


def _settle_zones(tree: E_) -> E_:
    """Fields, truncation and text of a zoned time are local; comparing it is about the instant."""
    holder = (
        exp.Paren(this=tree) if isinstance(tree, exp.Anonymous) and tree.parent is None else tree
    )
    for node in list(holder.find_all(exp.Anonymous)):
        if node.name != "trino$zone":
            continue
        moment, zone = node.expressions
        user = node.parent
        local = isinstance(user, _LOCAL_PARENTS) or (
            isinstance(user, exp.Anonymous) and user.name in _LOCAL_CALLS
        )
        node.replace(call("timezone", zone, moment) if local else exp.Paren(this=moment.copy()))
    return holder


# -- errors ----------------------------------------------------------------------------------------

_NAMED = re.compile(r"Could not convert string '([A-Z_]+): (.*)' to INT32", re.DOTALL)
_TYPE_NAMES = {"INT32": "INT", "INT64": "BIGINT", "INT16": "SMALLINT", "INT8": "TINYINT"}


@contextmanager
def trino_errors() -> Iterator[None]:
    """Tell DuckDB's errors in Trino's words."""
    try:
        yield
    except duckdb.InterruptException:
        raise QueryCancelledError("Query cancelled by user") from None
    except duckdb.Error as error:
        raise _translated(error) from None


def _translated(error: duckdb.Error) -> QueryError:
    message = str(error).split("\n\nLINE")[0]
    detail = message.partition(": ")[2] or message
    named = _NAMED.search(detail)
    if named:  # trino_error() of our macros
        return QueryError(named[1], named[2].strip())
    lower = detail.lower()
    if "division by zero" in lower:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    if (
        isinstance(error, duckdb.OutOfRangeException)
        or "out of range" in lower
        or "overflow" in lower
    ):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", detail)
    if isinstance(error, duckdb.ConversionException) or "could not parse" in lower:
        match = re.search(r"[Cc]ould not convert string ['\"](.*)['\"] to ([\w() ,]+)", detail)
        if match:
            kind = _TYPE_NAMES.get(match[2].strip(), match[2].strip())
            return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{match[1]}' to {kind}")
        return QueryError("INVALID_CAST_ARGUMENT", detail)
    grouped = re.search(r'column "([^"]+)" must appear in the GROUP BY', detail)
    if grouped:
        return QueryError(
            "EXPRESSION_NOT_AGGREGATE",
            f"'{grouped[1]}' must be an aggregate expression or appear in GROUP BY clause",
        )
    missing = re.search(r"Function with name \"?([\w$]+)\"? does not exist", detail)
    if missing:
        return _unsupported(f"the function {missing[1]}")
    if "more than one row" in lower:
        return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if isinstance(error, duckdb.BinderException):
        return QueryError("TYPE_MISMATCH", detail)
    return QueryError("GENERIC_INTERNAL_ERROR", detail)
