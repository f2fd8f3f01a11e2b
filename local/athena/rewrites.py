"""Rewrites Trino's functions to DuckDB's: a table of renamed functions, and a rule for each other.

sqlglot translates the syntax. This module corrects what it translates wrongly regardless of types;
`typed` corrects what depends on types.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from local.athena.errors import QueryError
from local.athena.tree import call, generate, number, text
from local.athena.typed import Describe, TypedRewrite, is_parameter
from local.athena.zones import MARK, settle_zones, show_zones


def to_duckdb(tree: exp.Expr, describe: Describe) -> str:
    """The DuckDB query that means what the qualified Trino query ``tree`` means."""
    tree = _simplified(tree)
    for scope in traverse_scope(tree):
        if isinstance(scope.expression, exp.Select):
            TypedRewrite(scope.expression, describe).rewrite()
    show_zones(tree)
    return generate(settle_zones(tree))


def condition_to_duckdb(condition: exp.Expr) -> str:
    """A condition on the columns of one table, of which the types do not matter."""
    return generate(settle_zones(_simplified(condition)))


_RENAMED: dict[type[exp.Expr], tuple[str, ...]] = {
    # Trino's function as sqlglot names it: the macro, then the arguments to hand on.
    exp.StrToMap: ("split_to_map", "this", "pair_delim", "key_value_delim"),
    exp.ArrayPosition: ("trino_array_position", "this", "expression"),
    exp.FromISO8601Timestamp: ("trino_iso_timestamp", "this"),
    exp.JSONExtractScalar: ("trino_json_scalar", "this", "expression"),
    exp.JSONFormat: ("json_format", "this"),
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
    exp.Repeat: ("trino_repeat", "this", "times"),
    exp.WeekOfYear: ("week", "this"),
    exp.ArrayDistinct: ("trino_array_distinct", "this"),
    exp.SHA: ("trino_sha1", "this"),
    exp.FromBase64: ("trino_from_base64", "this"),
    exp.CurrentTimestamp: ("trino_now",),
    exp.ArraySlice: ("trino_slice", "this", "start", "end"),
}

_RENAMED_BY_NAME = {
    # Those that sqlglot does not know; a name that is not here is passed on.
    "arrays_overlap": "list_has_any",
    "dow": "isodow",
    "json_array_length": "trino_json_array_length",
    "millisecond": "trino_millisecond",
    "to_milliseconds": "trino_to_milliseconds",
    "zip": "list_zip",
}


def _simplified(tree: exp.Expr) -> exp.Expr:
    """The tree with the rules applied, inner nodes first."""
    holder = exp.Paren(this=tree.copy())
    for node in reversed(list(holder.this.walk())):
        new = _simple(node)
        if new is not node:
            node.replace(new)
    root: exp.Expr = holder.this
    root.pop()
    return root


def _simple(node: exp.Expr) -> exp.Expr:
    """One node, by a rule of its own or by the table."""
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name in _BY_NAME:
            return _BY_NAME[name](node)
        return call(_RENAMED_BY_NAME.get(name, name), *node.expressions)
    if type(node) in _RULES:
        return _RULES[type(node)](node)
    if type(node) in _RENAMED:
        name, *keys = _RENAMED[type(node)]
        arguments = [node.args.get(key) for key in keys]
        return call(name, *(_path(one) for one in arguments if isinstance(one, exp.Expr)))
    return node


def _path(argument: exp.Expr) -> exp.Expr:
    """A JSON path as the string that the macros take."""
    if isinstance(argument, exp.JSONPath):
        path = argument.sql(dialect="presto").strip("'")
        return text(re.sub(r"""\[["']([^"']*)["']\]""", r'."\1"', path))
    return argument


def _unsupported(what: str) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"This local Athena does not support {what}")


# -- times -----------------------------------------------------------------------------------------

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MILLISECONDS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
_DAYS = {"day": 1, "week": 7}


def _span(unit: str, amount: exp.Expr) -> exp.Expr:
    """An interval of so many units."""
    for units, function, kind in (
        (_MONTHS, "to_months", "INT"),
        (_DAYS, "to_days", "INT"),
        (_MILLISECONDS, "to_milliseconds", "BIGINT"),
    ):
        if unit in units:
            whole = exp.Mul(this=exp.Paren(this=amount.copy()), expression=number(units[unit]))
            return call(function, exp.cast(whole, kind))
    raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid Timestamp field")


def _date_diff(node: exp.Expr) -> exp.Expr:
    """Trino counts whole units that passed, DuckDB's function of that name the borders crossed."""
    unit = node.args.get("unit") or exp.var("day")
    return exp.cast(
        call("date_sub", text(unit.name.lower()), node.args["expression"], node.this), "BIGINT"
    )


def _date_add(node: exp.Expr) -> exp.Expr:
    amount = node.args["expression"]
    if isinstance(amount, exp.Interval):
        amount = amount.this
    if isinstance(amount, exp.Literal):
        amount = exp.Literal(this=amount.name, is_string=False)
    return exp.Add(this=node.this.copy(), expression=_span(node.args["unit"].name.lower(), amount))


_CLOCK = re.compile(r"(?:(\d+) )?(\d+)(?::(\d+))?(?::(\d+(?:\.\d+)?))?")


def _interval(node: exp.Expr) -> exp.Expr:
    """``INTERVAL '1' DAY``, ``'2-3' YEAR TO MONTH``, ``'1 02:03:04' DAY TO SECOND``."""
    unit, value = node.args.get("unit"), node.this
    if not isinstance(value, exp.Literal) or unit is None:
        return node
    if not isinstance(unit, exp.IntervalSpan):
        return _span(
            unit.name.lower().removesuffix("s"), exp.Literal(this=value.name, is_string=False)
        )
    sign = -1 if value.name.startswith("-") else 1
    written = value.name.lstrip("+-")
    if unit.this.name.lower() == "year":
        years, _, months = written.partition("-")
        return call("to_months", number(sign * (12 * int(years) + int(months or 0))))
    match = _CLOCK.fullmatch(written)
    if not match or unit.this.name.lower() != "day":
        raise _unsupported(f"the interval {value.name!r}")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
    return call("to_milliseconds", number(sign * total))


def _at_timezone(node: exp.Expr) -> exp.Expr:
    """What it means depends on who uses it: see `zones`."""
    if isinstance(node, exp.Anonymous):
        return call(MARK, *node.expressions)
    return call(MARK, node.this, node.args["zone"])


def _with_timezone(node: exp.Expr) -> exp.Expr:
    moment, zone = node.expressions
    return call("timezone", zone, exp.cast(moment.copy(), "TIMESTAMP"))


def _extract(node: exp.Expr) -> exp.Expr:
    unit = node.this.name.upper()
    unit = _EXTRACTED.get(unit, unit)
    return exp.cast(exp.Extract(this=exp.var(unit), expression=node.expression.copy()), "BIGINT")


_EXTRACTED = {
    "DOW": "ISODOW",
    "DAY_OF_WEEK": "ISODOW",
    "DAY_OF_YEAR": "DOY",
    "DAY_OF_MONTH": "DAY",
    "YEAR_OF_WEEK": "ISOYEAR",
    "YOW": "ISOYEAR",
}
_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "y": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m",
    "M": "%-m", "dd": "%d", "d": "%-d", "DDD": "%j", "D": "%-j", "HH": "%H", "H": "%-H",
    "hh": "%I", "mm": "%M", "ss": "%S", "SSS": "%g", "EEEE": "%A", "EEE": "%a", "E": "%a",
    "a": "%p",
}  # fmt: skip


def _joda(name: str, pattern: exp.Expr) -> exp.Expr:
    """A Joda pattern as strftime's."""
    if not isinstance(pattern, exp.Literal):
        raise _unsupported(f"{name} whose pattern is no literal")
    found = []
    for match in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z']+)", pattern.name):
        literal, letters, _, other = match.groups()
        if letters and letters not in _JODA:
            raise _unsupported(f"{name} with the pattern {letters}")
        found.append(_JODA[letters] if letters else (other or literal or "'"))
    return text("".join(found))


def _format_datetime(node: exp.Expr) -> exp.Expr:
    return call("strftime", node.expressions[0], _joda("format_datetime", node.expressions[1]))


def _parse_datetime(node: exp.Expr) -> exp.Expr:
    style = _joda("parse_datetime", node.args["format"])
    return call("timezone", text("UTC"), call("strptime", node.this, style))


def _local_now(_: exp.Expr) -> exp.Expr:
    return call("timezone", text("UTC"), call("trino_now"))


# -- aggregates ------------------------------------------------------------------------------------


def _approx_percentile(node: exp.Expr) -> exp.Expr:
    """The exact one: within any error that the approximate one may have, and the same each time."""
    if node.args.get("weight") is not None:
        raise _unsupported("approx_percentile with weights")
    return call("quantile_disc", node.this, node.args["quantile"])


def _approx_distinct(node: exp.Expr) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _extreme(node: exp.Expr) -> exp.Expr:
    """``max_by`` and ``min_by``: Trino's give NULL where the first argument is NULL."""
    name, count = ("arg_max" if isinstance(node, exp.ArgMax) else "arg_min"), node.args.get("count")
    return call(name if count else name + "_null", node.this, node.args["expression"], count)


def _group_concat(node: exp.Expr) -> exp.Expr:
    separator, item = node.args.get("separator") or text(""), node.this
    if isinstance(item, exp.Order):
        separator = exp.Order(this=separator.copy(), expressions=item.copy().expressions)
        item = item.this
    return call("string_agg", item, separator)


def _map_agg(node: exp.Expr) -> exp.Expr:
    several = node.name.lower() == "multimap_agg"
    entries = call("list", call("trino_entry", *node.expressions))
    return call("trino_multimap" if several else "trino_map_first", entries)


def _geometric_mean(node: exp.Expr) -> exp.Expr:
    return call("exp", exp.Avg(this=exp.Ln(this=node.expressions[0].copy())))


def _filter(node: exp.Expr) -> exp.Expr:
    """``f(g(x)) FILTER (...)``, where the function f is around the aggregate g."""
    inner = node.this
    if not (isinstance(inner, exp.Anonymous) and inner.name in _AROUND_AGGREGATES):
        return node
    aggregate = exp.Filter(
        this=inner.expressions[0].copy(), expression=node.args["expression"].copy()
    )
    return call(inner.name, aggregate)


_AROUND_AGGREGATES = {"trino_map_first", "trino_multimap", "exp"}


# -- containers and lambdas ------------------------------------------------------------------------


def _element_at(node: exp.Expr) -> exp.Expr:
    """``a[i]`` and ``element_at(a, i)``: settled once the type is known."""
    if node.args.get("safe"):
        return call("trino$element_at", node.this, node.expressions[0])
    # sqlglot has made the subscript count from 0.
    index = exp.apply_index_offset(node.this, node.expressions, 1, dialect="trino")[0]
    return call("trino$subscript", node.this, index)


def _struct(node: exp.Expr) -> exp.Expr:
    """``row(1, 2)``."""
    if any(isinstance(one, (exp.PropertyEQ, exp.Alias)) for one in node.expressions):
        return node
    return call("row", *node.expressions)


def _match(node: exp.Expr) -> exp.Expr:
    """``any_match`` and its kin."""
    found, name = call("list_transform", *node.expressions), node.name.lower()
    if name == "all_match":
        return call("coalesce", call("list_bool_and", found), exp.true())
    any_ = call("coalesce", call("list_bool_or", found), exp.false())
    return any_ if name == "any_match" else exp.Not(this=any_)


def _body(lambda_: exp.Expr, *values: exp.Expr) -> exp.Expr:
    """What a lambda gives for these values."""
    if not isinstance(lambda_, exp.Lambda):
        raise _unsupported("a function in place of a lambda")
    body = exp.Paren(this=lambda_.this.copy())
    for name, value in zip(lambda_.expressions, values, strict=True):
        for node in list(body.walk()):
            if is_parameter(node, name.name):
                node.replace(value.copy())
    return body


def _over_entries(node: exp.Expr) -> exp.Expr:
    """``transform_keys``, ``transform_values`` and ``map_filter``: a lambda over entries."""
    map_, lambda_ = node.expressions
    entry = exp.to_identifier("$entry", quoted=True)
    key, value = (call("struct_extract", entry, text(one)) for one in ("key", "value"))
    body = _body(lambda_, key, value)
    if node.name.lower() == "map_filter":
        function = "list_filter"
    else:
        changed = (body, value) if node.name.lower() == "transform_keys" else (key, body)
        function, body = "list_transform", call("trino_entry", *changed)
    over = exp.Lambda(this=body, expressions=[entry.copy()])
    return call("map_from_entries", call(function, call("map_entries", map_), over))


def _zip_with(node: exp.Expr) -> exp.Expr:
    left, right, lambda_ = node.expressions
    pair = exp.to_identifier("$pair", quoted=True)
    parts = (call("struct_extract_at", pair, number(i)) for i in (1, 2))
    over = exp.Lambda(this=_body(lambda_, *parts), expressions=[pair.copy()])
    return call("list_transform", call("list_zip", left, right), over)


def _reduce(node: exp.Expr) -> exp.Expr:
    """``reduce(array, start, step, finish)``."""
    folded = call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    return _body(node.args["finish"], folded) if node.args.get("finish") else folded


def _sort(node: exp.Expr) -> exp.Expr:
    if isinstance(node.args.get("expression"), exp.Lambda) or len(node.expressions) > 0:
        raise _unsupported("array_sort with a comparator")
    return call("trino_array_sort", node.this)


# -- text ------------------------------------------------------------------------------------------

_JAVA_FORMAT = re.compile(r"%([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


def _format(node: exp.Expr) -> exp.Expr:
    """``format('%s %,.2f', ...)``: each of Java's specifiers as DuckDB's."""
    if not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise _unsupported("format() whose pattern is no literal")
    pattern, pieces, end = node.this.name, [], 0
    arguments = iter(node.expressions)
    for match in _JAVA_FORMAT.finditer(pattern):
        pieces.append(text(pattern[end : match.start()]))
        end = match.end()
        flags, width, precision, kind = match.groups()
        if kind in "%n":
            pieces.append(text("%" if kind == "%" else "\n"))
            continue
        argument = next(arguments, None)
        if argument is None:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Format specifier '{match[0]}'")
        align = "<" if "-" in flags else "0" if "0" in flags else ">"
        sign = "+" if "+" in flags else ""
        spec = (
            (align if align != "0" else "") + sign + ("0" if align == "0" else "") + (width or "")
        )
        spec += "," if "," in flags else ""
        if kind in "sS":
            spec, argument = (align + width if width else ""), call("trino$text", argument)
        elif kind in "dxX":
            spec, argument = spec + kind, exp.cast(argument.copy(), "BIGINT")
        elif kind in "feE":
            spec, argument = f"{spec}.{precision or 6}{kind}", exp.cast(argument.copy(), "DOUBLE")
        else:
            raise _unsupported(f"the format specifier {match[0]}")
        pieces.append(call("format", text("{:" + spec + "}"), argument))
    return call("concat", *pieces, text(pattern[end:]))


_Rule = Callable[[exp.Expr], exp.Expr]
_RULES: dict[type[exp.Expr], _Rule] = {
    exp.ApproxDistinct: _approx_distinct,
    exp.ApproxQuantile: _approx_percentile,
    exp.ArgMax: _extreme,
    exp.ArgMin: _extreme,
    exp.ArraySort: _sort,
    exp.AtTimeZone: _at_timezone,
    exp.Bracket: _element_at,
    exp.DateAdd: _date_add,
    exp.DateDiff: _date_diff,
    exp.Extract: _extract,
    exp.Filter: _filter,
    exp.Format: _format,
    exp.GroupConcat: _group_concat,
    exp.Interval: _interval,
    exp.Localtimestamp: _local_now,
    exp.ParseDatetime: _parse_datetime,
    exp.Reduce: _reduce,
    exp.Struct: _struct,
}
_BY_NAME: dict[str, _Rule] = {
    **dict.fromkeys(("any_match", "all_match", "none_match"), _match),
    **dict.fromkeys(("map_agg", "multimap_agg"), _map_agg),
    **dict.fromkeys(("transform_keys", "transform_values", "map_filter"), _over_entries),
    "at_timezone": _at_timezone,
    "format_datetime": _format_datetime,
    "geometric_mean": _geometric_mean,
    "with_timezone": _with_timezone,
    "zip_with": _zip_with,
}
