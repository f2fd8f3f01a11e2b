"""The functions that are passed on: signatures, and what each is in DuckDB.

A name that is not here is refused. Every name here has golden statements (a test sees to that).
"""

# ruff: noqa: E501, ARG001  (one function a line; every function takes its name)

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from local.athena import types as t
from local.athena.errors import QueryError
from local.athena.expressions import (
    Expressions,
    Value,
    add_span,
    arithmetic,
    as_text,
    average,
    cast,
    coerce,
    compare,
    failed,
    local_time,
    mismatch,
    read_zone,
    refuse,
    shifted,
    unified,
    zone_of,
)
from local.athena.functions import Wrong, iso_timestamp, json_path, sql_json_path
from local.athena.types import Type, common, text

TRINO = frozenset(
    Path(__file__).with_name("trino_functions.txt").read_text(encoding="utf-8").split()
)
"""All functions of Athena's engine 3; any other name is not registered."""

_SIMPLE = {
    # name: signatures, each "arguments -> result: SQL"
    "length": ["varchar -> bigint: CAST(length({0}) AS BIGINT)", "varbinary -> bigint: CAST(octet_length({0}) AS BIGINT)"],
    "upper": ["varchar -> varchar: trino_upper({0})"],
    "lower": ["varchar -> varchar: trino_lower({0})"],
    "strpos": [
        "varchar, varchar -> bigint: CAST(strpos({0}, {1}) AS BIGINT)",
        "varchar, varchar, bigint -> bigint: trino_strpos({0}, {1}, {2})",
    ],
    "split": ["varchar, varchar -> array(varchar): trino_split({0}, {1}, 0)", "varchar, varchar, bigint -> array(varchar): trino_split({0}, {1}, {2})"],
    "split_part": ["varchar, varchar, bigint -> varchar: trino_split_part({0}, {1}, {2})"],
    "replace": ["varchar, varchar -> varchar: trino_replace({0}, {1}, '')", "varchar, varchar, varchar -> varchar: trino_replace({0}, {1}, {2})"],
    "translate": ["varchar, varchar, varchar -> varchar: trino_translate({0}, {1}, {2})"],
    "trim": ["varchar -> varchar: trim({0}, E' \\t\\n\\r\\f\\v')"],
    "ltrim": [
        "varchar -> varchar: ltrim({0}, E' \\t\\n\\r\\f\\v')",
        "varchar, varchar -> varchar: ltrim({0}, {1})",
    ],
    "rtrim": ["varchar -> varchar: rtrim({0}, E' \\t\\n\\r\\f\\v')"],
    "$trim": ["varchar, varchar -> varchar: trim({0}, {1})"],
    "$ltrim": ["varchar, varchar -> varchar: ltrim({0}, {1})"],
    "$rtrim": ["varchar, varchar -> varchar: rtrim({0}, {1})"],
    "lpad": ["varchar, bigint, varchar -> varchar: trino_pad({0}, {1}, {2}, true)"],
    "rpad": ["varchar, bigint, varchar -> varchar: trino_pad({0}, {1}, {2}, false)"],
    "starts_with": ["varchar, varchar -> boolean: starts_with({0}, {1})"],
    "chr": ["bigint -> varchar: chr(CAST({0} AS INTEGER))"],
    "url_encode": ["varchar -> varchar: trino_url_encode({0})"],
    "url_decode": ["varchar -> varchar: trino_url_decode({0})"],
    "to_utf8": ["varchar -> varbinary: encode({0})"],
    "from_utf8": ["varbinary -> varchar: trino_from_utf8({0})"],
    "to_hex": ["varbinary -> varchar: hex({0})"],
    "from_hex": ["varchar -> varbinary: trino_from_hex({0})"],
    "to_base64": ["varbinary -> varchar: base64({0})"],
    "md5": ["varbinary -> varbinary: unhex(md5({0}))"],
    "sha1": ["varbinary -> varbinary: unhex(sha1({0}))"],
    "sha256": ["varbinary -> varbinary: unhex(sha256({0}))"],
    # numbers
    **{
        name: [f"double -> double: {name}({{0}})"]
        for name in ("sqrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "radians", "degrees")
    },
    "power": ["double, double -> double: pow({0}, {1})"],
    "pow": ["double, double -> double: pow({0}, {1})"],
    "log": ["double, double -> double: (ln({1}) / ln({0}))"],
    "atan2": ["double, double -> double: atan2({0}, {1})"],
    "pi": ["-> double: pi()"],
    "e": ["-> double: exp(CAST(1 AS DOUBLE))"],
    "nan": ["-> double: CAST('NaN' AS DOUBLE)"],
    "infinity": ["-> double: CAST('Infinity' AS DOUBLE)"],
    "is_nan": ["double -> boolean: isnan({0})"],
    "is_finite": ["double -> boolean: isfinite({0})"],
    "is_infinite": ["double -> boolean: isinf({0})"],
    "width_bucket": ["double, double, double, bigint -> bigint: trino_width_bucket({0}, {1}, {2}, {3})"],
    # JSON; a text is JSON or not, JSON is its text
    "json_parse": ["varchar -> json: trino_json_parse({0})"],
    "json_format": ["json -> varchar: {0}"],
    "json_array_length": ["json -> bigint: trino_json_array_length({0})", "varchar -> bigint: trino_json_array_length({0})"],
    # times
    "from_iso8601_date": ["varchar -> date: trino_iso_date({0})"],
    "current_timezone": ["-> varchar: 'UTC'"],
    "to_milliseconds": ["interval day to second -> bigint: {0}"],
    # arrays and maps of any type are in _GENERIC
}  # fmt: skip


@dataclass(frozen=True)
class _Signature:
    arguments: tuple[Type, ...]
    result: Type
    sql: str


def _signature(line: str) -> _Signature:
    match = re.fullmatch(r"(.*?)\s*-> (.*?): (.*)", line, re.DOTALL)
    assert match, line

    def kind(name: str) -> Type:
        return t.DAYS if name == str(t.DAYS) else t.read_type(name)

    arguments = tuple(kind(one) for one in t.split_top(match[1]))
    return _Signature(arguments, kind(match[2]), match[3])


_SIGNATURES = {name: [_signature(one) for one in lines] for name, lines in _SIMPLE.items()}


def call(compiler: Expressions, name: str, nodes: Sequence[exp.Expr]) -> Value:
    """A call of a scalar function."""
    if name in _GENERIC:
        return _GENERIC[name](compiler, list(nodes))
    if name in _SIGNATURES:
        values = [compiler.value(one) for one in nodes]
        fits = [one for one in _SIGNATURES[name] if _accepts(one, values)]
        if len(fits) > 1 and any(one.type == t.UNKNOWN for one in values):
            raise refuse(f"{name} of a NULL without a type")
        if not fits:
            raise no_function(name, values)
        arguments = [coerce(v, kind).sql for v, kind in zip(values, fits[0].arguments, strict=True)]
        return Value(fits[0].sql.format(*arguments), fits[0].result)
    if name in TRINO:
        raise refuse(f"the function {name}")
    raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered")


def _accepts(signature: _Signature, values: Sequence[Value]) -> bool:
    return len(values) == len(signature.arguments) and all(
        common(value.type, kind) == kind
        for value, kind in zip(values, signature.arguments, strict=True)
    )


def no_function(name: str, values: Sequence[Value]) -> QueryError:
    """FUNCTION_NOT_FOUND, for these types."""
    given = ", ".join(str(one.type) for one in values)
    return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function {name}")


_Generic = Callable[[Expressions, list[exp.Expr]], Value]
_GENERIC: dict[str, _Generic] = {}


def _function(
    *names: str, least: int, most: int | None = None
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register a function of these names that takes compiled values."""

    def register(function: Callable[..., Value]) -> Callable[..., Value]:
        for name in names:

            def rule(compiler: Expressions, nodes: list[exp.Expr], name: str = name) -> Value:
                values = [compiler.value(one) for one in nodes]
                if not least <= len(values) <= (least if most is None else most):
                    raise no_function(name, values)
                return function(name, *values)

            _GENERIC[name] = rule
        return function

    return register


def _lambda(*names: str) -> Callable[[_Generic], _Generic]:
    """Register a function that compiles its own arguments."""

    def register(function: _Generic) -> _Generic:
        _GENERIC.update(dict.fromkeys(names, function))
        return function

    return register


def _known(value: Value, name: str) -> Value:
    if value.type == t.UNKNOWN:
        raise refuse(f"{name} of a NULL without a type")
    return value


def _constant(value: Value, what: str) -> str:
    if value.literal is None:
        raise refuse(f"{what} that is no literal")
    return value.literal


# -- conditions ------------------------------------------------------------------------------------


@_lambda("coalesce")
def _coalesce(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) < 2:
        raise QueryError("SYNTAX_ERROR", "The 'coalesce' function must have at least two arguments")
    values = compiler.alike(nodes, "COALESCE operands")
    return Value(f"coalesce({', '.join(one.sql for one in values)})", values[0].type)


@_function("nullif", least=2)
def _nullif(name: str, a: Value, b: Value) -> Value:
    return Value(f"CASE WHEN {compare(a, b, '=')} THEN NULL ELSE {a.sql} END", a.type)


@_function("row", least=1, most=99)
def _row(name: str, *values: Value) -> Value:
    parts = (f"field{i} := {one.sql}" for i, one in enumerate(values))
    return Value(f"struct_pack({', '.join(parts)})", t.row(*((None, one.type) for one in values)))


@_function("grouping", least=1, most=9)
def _grouping(name: str, *values: Value) -> Value:
    return Value(f"CAST(GROUPING({', '.join(one.sql for one in values)}) AS INTEGER)", t.INTEGER)


@_lambda("try")
def _try(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    value = compiler.value(nodes[0])
    return Value(f"TRY({value.sql})", value.type)


@_function("greatest", "least", least=1, most=99)
def _extreme(name: str, *values: Value) -> Value:
    found = unified(values, f"{name} arguments", exp.Null())
    kind = found[0].type
    if kind.name in ("array", "map", "row", "json", "boolean"):
        raise refuse(f"{name} of {kind}")
    sql = ", ".join(one.sql for one in found)
    nulls = " OR ".join(f"{one.sql} IS NULL" for one in found)
    if kind.name in ("double", "real"):
        sql = ", ".join(f"CASE WHEN NOT isnan({one.sql}) THEN {one.sql} END" for one in found)
        return Value(
            f"CASE WHEN {nulls} THEN NULL ELSE coalesce({name}({sql}), CAST('NaN' AS {kind.duckdb})) END",
            kind,
        )
    return Value(f"CASE WHEN {nulls} THEN NULL ELSE {name}({sql}) END", kind)


# -- numbers ---------------------------------------------------------------------------------------


@_function("abs", least=1)
def _abs(name: str, x: Value) -> Value:
    if not t.is_number(_known(x, name).type):
        raise no_function(name, [x])
    return Value(f"CAST(abs({x.sql}) AS {x.type.duckdb})", x.type)


@_function("mod", least=2)
def _mod(name: str, a: Value, b: Value) -> Value:
    return arithmetic(a, b, "%")


@_function("sign", least=1)
def _sign(name: str, x: Value) -> Value:
    if not t.is_number(_known(x, name).type):
        raise no_function(name, [x])
    kind = t.decimal(1, 0) if x.type.name == "decimal" else x.type
    sql = f"CAST(sign({x.sql}) AS {kind.duckdb})"
    if kind.name in ("double", "real"):
        sql = f"CASE WHEN isnan({x.sql}) THEN {x.sql} ELSE {sql} END"
    return Value(sql, kind)


@_function("round", "ceil", "ceiling", "floor", "truncate", least=1, most=2)
def _round(name: str, x: Value, digits: Value | None = None) -> Value:
    kind, name = _known(x, name).type, {"ceiling": "ceil"}.get(name, name)
    function = {"truncate": "trunc"}.get(name, name)
    if not t.is_number(kind) or (digits and name not in ("round", "truncate")):
        raise no_function(name, [x])
    if digits is not None:
        return _round_to(name, x, digits)
    if kind in t.INTEGERS:
        if name == "truncate":
            raise refuse("truncate of an integer")
        return x
    if kind.name != "decimal":
        rounded = f"CAST({function}({x.sql}) AS {kind.duckdb})"
        if name == "round":  # of -0.0, Trino makes 0.0
            rounded = f"CASE WHEN {x.sql} = 0 THEN CAST(0 AS {kind.duckdb}) ELSE {rounded} END"
        return Value(rounded, kind)
    p, s = kind.args
    grows = 0 if name == "truncate" else min(1, s)
    made = t.decimal(max(p - s + grows, 1), 0)
    if name == "round":
        return Value(
            f"CAST(trino_round_decimal(CAST({x.sql} AS VARCHAR), 38, 0) AS {made.duckdb})", made
        )
    return Value(f"CAST({function}(CAST({x.sql} AS DECIMAL({p},{s}))) AS {made.duckdb})", made)


def _round_to(name: str, x: Value, digits: Value) -> Value:
    kind = x.type
    if digits.type != t.INTEGER:
        raise no_function(name, [x, digits])
    if kind.name == "double" and name == "round":
        return Value(
            f"CASE WHEN isfinite({x.sql}) THEN round({x.sql}, {digits.sql}) ELSE {x.sql} END", kind
        )
    if kind.name == "decimal":
        place = re.fullmatch(r"CAST\((-?\d+) AS INTEGER\)", digits.sql)
        if not place:
            raise refuse(f"{name} of a decimal to a number of digits that is no literal")
        p, s = kind.args
        made = t.decimal(p + 1, s) if name == "round" else kind
        n = int(place[1])
        if n >= s:
            return Value(f"CAST({x.sql} AS {made.duckdb})", made)
        if name == "round":
            return Value(
                f"CAST(trino_round_decimal(CAST({x.sql} AS VARCHAR), 38, {n}) AS {made.duckdb})",
                made,
            )
        if n < 0:
            raise refuse("truncate of a decimal before the point")
        factor = f"CAST('1e{n}' AS DECIMAL(38,0))"
        return (
            Value(
                f"CAST(left(CAST({x.sql} AS VARCHAR), length(CAST({x.sql} AS VARCHAR)) - {s - n}) AS {made.duckdb})",
                made,
            )
            if factor
            else x
        )
    raise refuse(f"{name} of {kind} to a number of digits")


# -- text ------------------------------------------------------------------------------------------


def concat(compiler: Expressions, values: Sequence[Value], node: exp.Expr | None = None) -> Value:
    """``a || b`` and ``concat``: of texts, binaries, or arrays and their elements."""
    kinds = {one.type.name for one in values} - {"unknown"}
    if "array" in kinds:
        arrays = [one.type for one in values if one.type.name == "array"]
        kind = arrays[0]
        for one in values:
            if one.type == t.UNKNOWN:
                raise QueryError(
                    "AMBIGUOUS_FUNCTION_CALL", "Could not choose a best candidate operator ||"
                )
            found = common(kind, one.type if one.type.name == "array" else t.array(one.type))
            if found is None:
                raise no_function("concat", values)
            kind = found
        parts = [
            coerce(one, kind).sql
            if one.type.name == "array"
            else f"[{coerce(one, kind.args[0]).sql}]"
            for one in values
        ]
        nulls = " OR ".join(f"{one.sql} IS NULL" for one in values)
        return Value(f"CASE WHEN {nulls} THEN NULL ELSE {_nest('list_concat', parts)} END", kind)
    if not kinds or any(one.type == t.UNKNOWN for one in values):
        raise refuse("|| of a NULL without a type")
    if kinds not in ({"varchar"}, {"varbinary"}):
        raise no_function("concat", values)
    kind = Type(kinds.pop())
    return Value(f"({' || '.join(coerce(one, kind).sql for one in values)})", kind)


def _nest(function: str, parts: Sequence[str]) -> str:
    made = parts[0]
    for one in parts[1:]:
        made = f"{function}({made}, {one})"
    return made


@_lambda("concat")
def _concat(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) < 2:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments"
        )
    values = [compiler.value(one) for one in nodes]
    if any(one.type == t.UNKNOWN for one in values):
        raise refuse("concat of a NULL without a type")
    return concat(compiler, values)


@_function("concat_ws", least=2, most=99)
def _concat_ws(name: str, *values: Value) -> Value:
    if any(one.type not in (t.VARCHAR, t.UNKNOWN) for one in values):
        if [one.type for one in values] == [t.VARCHAR, t.array(t.VARCHAR)]:
            raise refuse("concat_ws of an array")
        raise no_function(name, values)
    return Value(f"concat_ws({', '.join(coerce(one, t.VARCHAR).sql for one in values)})", t.VARCHAR)


@_function("substr", "substring", least=2, most=3)
def _substr(name: str, s: Value, start: Value, length: Value | None = None) -> Value:
    if _known(s, name).type != t.VARCHAR:
        raise no_function(name, [s, start])
    parts = [
        coerce(one, t.BIGINT).sql
        for one in (start, length)
        if one is not None and common(one.type, t.BIGINT) == t.BIGINT
    ]
    if len(parts) != 1 + (length is not None):
        raise no_function(name, [s, start])
    empty = f"{parts[0]} = 0 OR {parts[0]} < -length({s.sql})" + (
        f" OR {parts[1]} <= 0" if length else ""
    )
    null = f"{s.sql} IS NULL OR " + " OR ".join(f"{one} IS NULL" for one in parts)
    return Value(
        f"CASE WHEN {null} THEN NULL WHEN {empty} THEN '' ELSE substr({', '.join([s.sql, *parts])}) END",
        t.VARCHAR,
    )


@_function("reverse", least=1)
def _reverse(name: str, x: Value) -> Value:
    if x.type.name == "array":
        return Value(f"list_reverse({x.sql})", x.type)
    if _known(x, name).type != t.VARCHAR:
        raise no_function(name, [x])
    return Value(f"trino_reverse({x.sql})", t.VARCHAR)


@_function("codepoint", least=1)
def _codepoint(name: str, x: Value) -> Value:
    if x.literal is None or len(x.literal) != 1:
        raise refuse("codepoint of something else than one letter")
    return Value(f"unicode({x.sql})", t.INTEGER)


_SAFE_REGEXP = re.compile(
    r"(?:\\[dDwWsSb.\\\-/+*?()\[\]{}|^$]|\(\?:|\(\?i\)|[^\\(\[{]|\((?!\?)|\[\^?\]?(?:[^\[\]\\&]|\\[dwsDWS.\\\-\]\[/])+\]"
    r"|\{\d+(?:,\d*)?\})*"
)


def _pattern(value: Value, name: str) -> str:
    """A regular expression that means the same in Java (Joni) and Python."""
    pattern = _constant(value, f"{name} with a pattern")
    if not _SAFE_REGEXP.fullmatch(pattern) or re.search(r"[*+?}]\+", pattern):
        raise refuse(f"the regular expression {pattern}")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"(?=\n?\Z)"
    try:
        re.compile(pattern)
    except re.error as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{pattern}: {error}") from None
    return pattern


@_function("regexp_like", "regexp_count", "regexp_split", least=2)
def _regexp(name: str, s: Value, pattern: Value) -> Value:
    if s.type not in (t.VARCHAR, t.UNKNOWN):
        raise no_function(name, [s, pattern])
    if pattern.type == t.UNKNOWN and name == "regexp_like":
        return Value("CAST(NULL AS BOOLEAN)", t.BOOLEAN)
    written = _pattern(pattern, name)
    if name != "regexp_like" and re.search(r"\((?!\?)", written):
        raise refuse(f"{name} with groups")
    kind = {"regexp_like": t.BOOLEAN, "regexp_count": t.BIGINT}.get(name, t.array(t.VARCHAR))
    return Value(f"trino_{name}({coerce(s, t.VARCHAR).sql}, {text(written)})", kind)


@_function("regexp_extract", "regexp_extract_all", least=2, most=3)
def _regexp_extract(name: str, s: Value, pattern: Value, group: Value | None = None) -> Value:
    if s.type not in (t.VARCHAR, t.UNKNOWN):
        raise no_function(name, [s, pattern])
    written = _pattern(pattern, name)
    number = re.fullmatch(r"CAST\((\d+) AS INTEGER\)", group.sql) if group else None
    if group is not None and number is None:
        raise refuse(f"{name} with a group that is no literal")
    place = int(number[1]) if number else 0
    if place > re.compile(written).groups:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            f"Pattern has {re.compile(written).groups} groups. Cannot access group {place}",
        )
    many = name == "regexp_extract_all"
    function = "trino_regexp_all" if many else "trino_regexp_extract"
    return Value(
        f"{function}({coerce(s, t.VARCHAR).sql}, {text(written)}, {place})",
        t.array(t.VARCHAR) if many else t.VARCHAR,
    )


@_lambda("regexp_replace")
def _regexp_replace(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) == 3 and isinstance(nodes[2], exp.Lambda):
        raise refuse("regexp_replace with a lambda")
    s, pattern, *rest = [compiler.value(one) for one in nodes]
    if s.type not in (t.VARCHAR, t.UNKNOWN) or len(rest) > 1:
        raise no_function("regexp_replace", [s, pattern, *rest])
    written = _pattern(pattern, "regexp_replace")
    new = _constant(rest[0], "regexp_replace with a replacement") if rest else ""
    groups, made, place = re.compile(written).groups, "", 0
    while place < len(new):
        match = re.compile(r"\\(.)|\$(\d)|([^\\$]+)", re.DOTALL).match(new, place)
        if not match or (match[2] and int(match[2]) > groups):
            if new.startswith("${", place):
                raise refuse("regexp_replace with named groups")
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: {new}")
        made += f"\\g<{match[2]}>" if match[2] else (match[1] or match[3]).replace("\\", r"\\")
        place = match.end()
    return Value(
        f"trino_regexp_replace({coerce(s, t.VARCHAR).sql}, {text(written)}, {text(made)})",
        t.VARCHAR,
    )


@_function("format", least=2, most=99)
def _format(name: str, pattern: Value, *values: Value) -> Value:
    """``format('%s %,d', ...)``: Java's specifiers %s of texts and exact numbers, %d of integers."""
    written, pieces, end, place = _constant(pattern, "format with a pattern"), [], 0, 0
    for match in re.finditer(r"%([-#+ 0,(]*)(\d+)?(\.\d+)?(\$?[a-zA-Z%])", written):
        pieces.append(text(written[end : match.start()]))
        end = match.end()
        flags, width, digits, kind = match.groups()
        if kind == "%" and not flags and not width:
            pieces.append("'%'")
            continue
        if place >= len(values):
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Format specifier '{match[0]}'")
        value, place = values[place], place + 1
        whole = value.type in t.INTEGERS
        if (
            kind == "s"
            and not digits
            and flags in ("", "-")
            and (whole or value.type.name in ("varchar", "boolean", "date", "decimal"))
        ):
            shown = as_text(value)
        elif kind == "d" and whole and flags in ("", "0", ","):
            shown = (
                f"format('{{:{flags}}}', {value.sql})"
                if flags == ","
                else f"CAST({value.sql} AS VARCHAR)"
            )
        else:
            raise refuse(f"format with {match[0]} of {value.type}")
        if width and flags == "0":
            shown = f"format('{{:0{width}d}}', {value.sql})"
        elif width:
            side = "rpad" if "-" in flags else "lpad"
            shown = f"{side}({shown}, CAST(greatest({width}, length({shown})) AS INTEGER), ' ')"
        pieces.append(f"coalesce({shown}, 'null')")
    if "%" in re.sub(r"%([-#+ 0,(]*)(\d+)?(\.\d+)?(\$?[a-zA-Z%])", "", written):
        raise refuse(f"the format {written}")
    return Value(f"({' || '.join([*pieces, text(written[end:])])})", t.VARCHAR)


# -- JSON ------------------------------------------------------------------------------------------


@_function("json_extract", "json_extract_scalar", "json_size", least=2)
def _json_extract(name: str, document: Value, path: Value) -> Value:
    if _known(document, name).type not in (t.VARCHAR, t.JSON):
        raise no_function(name, [document, path])
    kind = {"json_extract": t.JSON, "json_size": t.BIGINT}.get(name, t.VARCHAR)
    if path.type == t.UNKNOWN:
        return Value(f"CAST(NULL AS {kind.duckdb})", kind)
    written = _constant(path, f"{name} with a path")
    try:
        json_path(written)
    except ValueError:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{written}'") from None
    return Value(f"trino_{name}({document.sql}, {text(written)})", kind)


def _sql_json(
    compiler: Expressions, nodes: list[exp.Expr], name: str
) -> tuple[Value, str, dict[str, exp.Expr]]:
    document, path = compiler.value(nodes[0]), nodes[1]
    options = {one.this.name: one.expression for one in nodes[2:]}
    if document.type not in (t.VARCHAR, t.UNKNOWN):
        raise refuse(f"{name} of {document.type}")
    try:
        sql_json_path(path.name)
    except ValueError:
        raise refuse(f"{name} with the path {path.name}") from None
    return (
        document,
        f"trino_sql_json({coerce(document, t.VARCHAR).sql}, {text(path.name)})",
        options,
    )


@_lambda("$json_value")
def _json_value(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    _document, found, options = _sql_json(compiler, nodes, "json_value")
    kind = t.read_type(options["returning"].name) if "returning" in options else t.VARCHAR
    if kind.name not in ("varchar", "decimal", "double", "boolean") and kind not in t.INTEGERS:
        raise refuse(f"json_value RETURNING {kind}")
    on_empty, on_error = (
        _behaviour(compiler, options.get(one), kind, what)
        for one, what in (
            ("empty", "JSON_VALUE_RESULT_ERROR"),
            ("error", "JSON_VALUE_RESULT_ERROR"),
        )
    )
    scalar = f"trino_sql_json_scalar({found})"
    shown = f"TRY({cast(Value(scalar, t.VARCHAR), kind).sql})"
    if "error" in options and options["error"].name != "NULL" and kind != t.VARCHAR:
        raise refuse("json_value RETURNING with ON ERROR")
    broken = options.get("error")
    if broken is not None and broken.name == "ERROR":
        found_error = (
            "CAST(CAST(trino_error('JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed') AS VARCHAR) AS "
            + kind.duckdb
            + ")"
        )
    else:
        found_error = on_error
    return Value(
        f"CASE trino_sql_json_kind({found}) WHEN 'scalar' THEN {shown} WHEN 'null' THEN NULL "
        f"WHEN 'empty' THEN {on_empty} WHEN 'error' THEN CASE WHEN {found} = 'input' THEN {found_error} ELSE {on_error} END "
        f"WHEN 'one' THEN {on_error} WHEN 'many' THEN {on_error} END",
        kind,
    )


def _behaviour(compiler: Expressions, option: exp.Expr | None, kind: Type, error: str) -> str:
    if option is None or option.name == "NULL":
        return f"CAST(NULL AS {kind.duckdb})"
    if option.name == "ERROR":
        return f"CAST(CAST(trino_error('{error}: cannot extract value from JSON') AS VARCHAR) AS {kind.duckdb})"
    value = compiler.value(option)
    if common(value.type, kind) != kind:
        raise refuse("a DEFAULT of another type than RETURNING")
    return coerce(value, kind).sql


@_lambda("$json_exists")
def _json_exists(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    _document, found, options = _sql_json(compiler, nodes, "json_exists")
    error = options["error"].name if "error" in options else "FALSE"
    if error not in ("TRUE", "FALSE"):
        raise refuse(f"json_exists {error} ON ERROR")
    return Value(
        f"CASE trino_sql_json_kind({found}) WHEN 'error' THEN {error.lower()} WHEN 'empty' THEN false WHEN 'null' THEN true WHEN 'scalar' THEN true WHEN 'one' THEN true WHEN 'many' THEN true END",
        t.BOOLEAN,
    )


@_lambda("$json_query")
def _json_query(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    _document, found, options = _sql_json(compiler, nodes, "json_query")
    if set(options) - {"wrapper", "quotes"}:
        raise refuse("json_query with ON EMPTY, ON ERROR or RETURNING")
    wrapper = (
        options["wrapper"].name
        if "wrapper" in options
        else "unquoted"
        if "quotes" in options
        else "none"
    )
    query = f"trino_sql_json_query({found}, '{wrapper}')"
    many = query if wrapper in ("all", "conditional") else "NULL"
    return Value(
        f"CASE trino_sql_json_kind({found}) WHEN 'error' THEN NULL WHEN 'empty' THEN NULL WHEN 'many' THEN {many} WHEN 'null' THEN {query} WHEN 'scalar' THEN {query} WHEN 'one' THEN {query} END",
        t.VARCHAR,
    )


# -- times -----------------------------------------------------------------------------------------

_TIMES = ("date", "timestamp", "zoned")


def at_zone(value: Value, zone: Value) -> Value:
    """``AT TIME ZONE``: the same instant, shown in another zone."""
    if value.type.name not in ("timestamp", "zoned"):
        raise mismatch(
            f"Type of value must be a time or timestamp with or without time zone (actual {value.type})"
        )
    return Value(
        value.sql,
        t.zoned(read_zone(_constant(zone, "AT TIME ZONE with a zone")), value.type.args[0]),
    )


@_function("at_timezone", least=2)
def _at_timezone(name: str, value: Value, zone: Value) -> Value:
    if value.type.name == "timestamp":
        value = Value(value.sql, t.zoned("UTC", value.type.args[0]))
    return at_zone(value, zone)


@_function("with_timezone", least=2)
def _with_timezone(name: str, value: Value, zone: Value) -> Value:
    if value.type.name not in ("date", "timestamp"):
        raise no_function(name, [value, zone])
    named = read_zone(_constant(zone, "with_timezone with a zone"))
    precision = value.type.args[0] if value.type.args else 0
    return Value(shifted(local_time(value), named, -1), t.zoned(named, precision))


@_lambda("now")
def _now(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if nodes:
        raise no_function("now", [compiler.value(one) for one in nodes])
    return compiler.value(exp.CurrentTimestamp())


@_function("from_iso8601_timestamp", least=1)
def _from_iso8601(name: str, s: Value) -> Value:
    if s.type not in (t.VARCHAR, t.UNKNOWN):
        raise no_function(name, [s])
    if s.literal is None:
        return Value(f"trino_iso_utc({coerce(s, t.VARCHAR).sql})", t.zoned("UTC"))
    try:
        found, zone = iso_timestamp(s.literal)
    except Wrong as error:
        raise failed(error) from None
    return Value(
        shifted(f"TIMESTAMP '{found:%Y-%m-%d %H:%M:%S.%f}'", read_zone(zone), -1),
        t.zoned(read_zone(zone)),
    )


@_function("from_unixtime", least=1, most=3)
def _from_unixtime(name: str, x: Value, zone: Value | None = None, *more: Value) -> Value:
    if more:
        raise refuse("from_unixtime with an offset")
    if common(x.type, t.DOUBLE) != t.DOUBLE:
        raise no_function(name, [x])
    named = read_zone(_constant(zone, "from_unixtime with a zone")) if zone else "UTC"
    millis = f"CAST(round({coerce(x, t.DOUBLE).sql} * 1000) AS BIGINT)"
    return Value(f"make_timestamp({millis} * 1000)", t.zoned(named))


@_function("to_unixtime", least=1)
def _to_unixtime(name: str, x: Value) -> Value:
    if x.type.name not in _TIMES:
        raise no_function(name, [x])
    return Value(f"(epoch_ms(CAST({x.sql} AS TIMESTAMP)) / CAST(1000 AS DOUBLE))", t.DOUBLE)


@_function("date", least=1)
def _date(name: str, x: Value) -> Value:
    if x.type.name not in (*_TIMES, "varchar", "unknown"):
        raise no_function(name, [x])
    return cast(x, t.DATE)


@_function("last_day_of_month", least=1)
def _last_day(name: str, x: Value) -> Value:
    if x.type.name not in _TIMES:
        raise no_function(name, [x])
    return Value(f"last_day({local_time(x)})", t.DATE)


@_function("to_iso8601", least=1)
def _to_iso8601(name: str, x: Value) -> Value:
    if x.type == t.DATE:
        return Value(f"CAST({x.sql} AS VARCHAR)", t.VARCHAR)
    if x.type.name not in _TIMES:
        raise no_function(name, [x])
    shown = f"replace(trino_timestamp_text({local_time(x)}, {x.type.args[0]}), ' ', 'T')"
    if x.type.name == "zoned":
        zone = zone_of(x.type)
        end = "'Z'" if zone == "UTC" else text(zone) if zone[0] in "+-" else _offset(x)
        shown = f"({shown} || {end})"
    return Value(shown, t.VARCHAR)


def _offset(x: Value) -> str:
    minutes = f"((epoch_ms({local_time(x)}) - epoch_ms({x.sql})) // 60000)"
    return f"(CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END || format('{{:02d}}:{{:02d}}', abs({minutes}) // 60, abs({minutes}) % 60))"


_FIELDS = {
    "year": "year({})", "quarter": "quarter({})", "month": "month({})", "week": "week({})",
    "week_of_year": "week({})", "day": "day({})", "day_of_month": "day({})",
    "day_of_week": "isodow({})", "dow": "isodow({})", "day_of_year": "dayofyear({})",
    "doy": "dayofyear({})", "year_of_week": "isoyear({})", "yow": "isoyear({})",
    "hour": "hour({})", "minute": "minute({})", "second": "second({})",
    "millisecond": "(epoch_ms({}) % 1000 + 1000) % 1000",
}  # fmt: skip


@_function(*_FIELDS, least=1)
def _field(name: str, x: Value) -> Value:
    if x.type.name not in _TIMES:
        if x.type in (t.DAYS, t.MONTHS):
            raise refuse(f"{name} of an interval")
        if x.type == t.UNKNOWN:
            return Value("CAST(NULL AS BIGINT)", t.BIGINT)
        raise no_function(name, [x])
    if x.type == t.DATE and name in ("minute", "second", "millisecond", "hour"):
        raise refuse(f"{name} of a date")
    return Value(f"CAST({_FIELDS[name].format(local_time(x))} AS BIGINT)", t.BIGINT)


@_function("timezone_hour", "timezone_minute", least=1)
def _zone_field(name: str, x: Value) -> Value:
    if x.type.name != "zoned":
        raise no_function(name, [x])
    minutes = f"((epoch_ms({local_time(x)}) - epoch_ms({x.sql})) // 60000)"
    return Value(f"({minutes} {'//' if name == 'timezone_hour' else '%'} 60)", t.BIGINT)


_LENGTHS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
_WHOLE_DAYS = {"day": 1, "week": 7}
_WHOLE_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(value: Value, kind: Type, name: str) -> str:
    unit = _constant(value, f"{name} with a unit").lower()
    known = {**_LENGTHS, **_WHOLE_DAYS, **_WHOLE_MONTHS}
    if unit not in known or (kind == t.DATE and unit in _LENGTHS):
        what = "DATE" if kind == t.DATE else "Timestamp"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {what} field")
    return unit


@_function("date_trunc", least=2)
def _date_trunc(name: str, unit: Value, x: Value) -> Value:
    if _known(x, name).type.name not in _TIMES:
        raise no_function(name, [unit, x])
    named = _unit(unit, x.type, name)
    cut = f"date_trunc('{named}', {local_time(x)})"
    if x.type.name == "zoned":
        return Value(shifted(cut, zone_of(x.type), -1), x.type)
    return Value(f"CAST({cut} AS {x.type.duckdb})", x.type)


@_function("date_add", least=3)
def _date_add(name: str, unit: Value, amount: Value, x: Value) -> Value:
    if _known(x, name).type.name not in _TIMES or common(amount.type, t.BIGINT) != t.BIGINT:
        raise no_function(name, [unit, amount, x])
    named = _unit(unit, x.type, name)
    n = coerce(amount, t.BIGINT).sql
    if named == "millisecond" and x.type.name != "date" and x.type.args[0] < 3:
        raise refuse("date_add of milliseconds to a timestamp without them")
    if named in _WHOLE_MONTHS:
        return add_span(x, Value(f"({n} * {_WHOLE_MONTHS[named]})", t.MONTHS))
    if named in _WHOLE_DAYS and x.type.name == "zoned" and zone_of(x.type) != "UTC":
        moved = f"({local_time(x)} + to_days(CAST({n} * {_WHOLE_DAYS[named]} AS INTEGER)))"
        return Value(shifted(moved, zone_of(x.type), -1), x.type)
    length = _LENGTHS.get(named) or _WHOLE_DAYS[named] * 86_400_000
    return Value(add_span(x, Value(f"({n} * {length})", t.DAYS)).sql, x.type)


@_function("date_diff", least=3)
def _date_diff(name: str, unit: Value, a: Value, b: Value) -> Value:
    kind = common(a.type, b.type)
    if kind is None or kind.name not in _TIMES:
        raise no_function(name, [unit, a, b])
    if kind.name == "zoned" and (a.type.name != b.type.name or not kind.args[1]):
        zone = zone_of(a.type) if a.type.name == "zoned" else "UTC"
        kind = t.zoned(zone, kind.args[0])
    named = _unit(unit, kind, name)
    x, y = coerce(a, kind), coerce(b, kind)
    x, y = Value(x.sql, kind), Value(y.sql, kind)
    if named in _LENGTHS:
        return Value(f"((epoch_ms({y.sql}) - epoch_ms({x.sql})) // {_LENGTHS[named]})", t.BIGINT)
    p, q = local_time(x), local_time(y)
    if named in _WHOLE_DAYS:
        return Value(
            f"((epoch_ms({q}) - epoch_ms({p})) // {_WHOLE_DAYS[named] * 86_400_000})", t.BIGINT
        )
    return Value(f"(trino_months({p}, {q}) // {_WHOLE_MONTHS[named]})", t.BIGINT)


_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I",
    "I": "%I", "i": "%M", "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p",
    "r": "%I:%M:%S %p", "S": "%S", "s": "%S", "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G",
    "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
_JODA = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dd": "%d",
    "d": "%-d", "D": "%-j", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "ss": "%S",
    "SSS": "%g", "EEEE": "%A", "EEE": "%a", "E": "%a", "a": "%p",
}  # fmt: skip


def _mysql(value: Value, name: str) -> str:
    pattern = _constant(value, f"{name} with a format")
    if not pattern:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Both printing and parsing not supported")
    unknown = re.search(r"%([DUuVwX])", pattern)
    if unknown:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"%{unknown[1]} not supported in date format string"
        )
    return re.sub(r"%(.)", lambda m: _MYSQL.get(m[1], m[1]), pattern)


def _joda(value: Value, name: str) -> str:
    pattern = _constant(value, f"{name} with a format")
    found = []
    for match in re.finditer(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)", pattern):
        quoted, letters, _, other = match.groups()
        if letters and letters not in _JODA:
            raise refuse(f"{name} with the pattern {letters}")
        plain = "'" if match[0] == "''" else (quoted or "").replace("''", "'") + (other or "")
        found.append(_JODA[letters] if letters else plain.replace("%", "%%"))
    return "".join(found)


@_function("date_format", "format_datetime", least=2)
def _date_format(name: str, x: Value, pattern: Value) -> Value:
    if x.type.name not in (*_TIMES, "unknown"):
        raise no_function(name, [x, pattern])
    if x.type == t.UNKNOWN:
        return Value("CAST(NULL AS VARCHAR)", t.VARCHAR)
    style = _mysql(pattern, name) if name == "date_format" else _joda(pattern, name)
    return Value(f"strftime({local_time(x)}, {text(style)})", t.VARCHAR)


@_function("date_parse", "parse_datetime", least=2)
def _date_parse(name: str, s: Value, pattern: Value) -> Value:
    if s.type not in (t.VARCHAR, t.UNKNOWN):
        raise no_function(name, [s, pattern])
    style = _mysql(pattern, name) if name == "date_parse" else _joda(pattern, name)
    style = style.replace("%-", "%")
    if re.search(r"%[gGVjaA]", style):
        raise refuse(f"{name} with this pattern")
    kind = t.timestamp() if name == "date_parse" else t.zoned("UTC")
    return Value(f"trino_parse_time({coerce(s, t.VARCHAR).sql}, {text(style)})", kind)


# -- arrays and maps -------------------------------------------------------------------------------


def _array(value: Value, name: str) -> Type:
    if value.type.name != "array":
        raise (
            refuse(f"{name} of a NULL without a type")
            if value.type == t.UNKNOWN
            else no_function(name, [value])
        )
    return value.type.args[0]  # type: ignore[no-any-return]


def _plain(kind: Type, name: str) -> None:
    """Types for which DuckDB's equality in lists is Trino's."""
    if kind.name in ("double", "real", "array", "map", "row"):
        raise refuse(f"{name} of arrays of {kind}")


@_function("cardinality", least=1)
def _cardinality(name: str, x: Value) -> Value:
    if x.type.name == "map":
        return Value(f"CAST(cardinality({x.sql}) AS BIGINT)", t.BIGINT)
    _array(x, name)
    return Value(f"CAST(len({x.sql}) AS BIGINT)", t.BIGINT)


@_function("element_at", least=2)
def _element_at(name: str, x: Value, at: Value) -> Value:
    if x.type.name == "map":
        if common(x.type.args[0], at.type) != x.type.args[0]:
            raise no_function(name, [x, at])
        return Value(f"trino_map_value({x.sql}, {coerce(at, x.type.args[0]).sql})", x.type.args[1])
    kind = _array(x, name)
    if common(at.type, t.BIGINT) != t.BIGINT:
        raise no_function(name, [x, at])
    return Value(f"trino_element({x.sql}, {coerce(at, t.BIGINT).sql})", kind)


def _with_element(x: Value, item: Value, name: str) -> tuple[str, str, Type]:
    """An array and an element, of one type."""
    kind = common(_array(x, name), item.type)
    if kind is None:
        raise no_function(name, [x, item])
    _plain(kind, name)
    return coerce(x, t.array(kind)).sql, coerce(item, kind).sql, kind


@_function("contains", least=2)
def _contains(name: str, x: Value, item: Value) -> Value:
    a, b, _ = _with_element(x, item, name)
    return Value(f"trino_contains({a}, {b})", t.BOOLEAN)


@_function("array_position", least=2)
def _array_position(name: str, x: Value, item: Value) -> Value:
    a, b, _ = _with_element(x, item, name)
    return Value(
        f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL ELSE CAST(coalesce(list_position({a}, {b}), 0) AS BIGINT) END",
        t.BIGINT,
    )


@_function("array_remove", least=2)
def _array_remove(name: str, x: Value, item: Value) -> Value:
    a, b, kind = _with_element(x, item, name)
    return Value(
        f"CASE WHEN {b} IS NOT NULL THEN list_filter({a}, lambda x_: x_ IS DISTINCT FROM {b}) END",
        t.array(kind),
    )


@_function("array_distinct", least=1)
def _array_distinct(name: str, x: Value) -> Value:
    _plain(_array(x, name), name)
    return Value(f"trino_distinct({x.sql})", x.type)


@_function("array_union", "array_except", "array_intersect", "arrays_overlap", least=2)
def _array_sets(name: str, x: Value, y: Value) -> Value:
    _array(x, name)
    kind = common(x.type, y.type)
    if kind is None or y.type == t.UNKNOWN:
        raise no_function(name, [x, y])
    _plain(kind.args[0], name)
    a, b = coerce(x, kind).sql, coerce(y, kind).sql
    null = f"{a} IS NULL OR {b} IS NULL"
    held = f"(list_contains({b}, x_) OR (x_ IS NULL AND len({b}) <> list_count({b})))"
    if name == "arrays_overlap":
        return Value(
            f"CASE WHEN {null} THEN NULL WHEN len(list_filter({a}, lambda x_: coalesce(list_contains({b}, x_), false))) > 0 THEN true "
            f"WHEN len({a}) = 0 OR len({b}) = 0 THEN false WHEN len({a}) <> list_count({a}) OR len({b}) <> list_count({b}) THEN NULL ELSE false END",
            t.BOOLEAN,
        )
    made = {
        "array_union": f"trino_distinct(list_concat({a}, {b}))",
        "array_except": f"trino_distinct(list_filter({a}, lambda x_: NOT coalesce({held}, false)))",
        "array_intersect": f"trino_distinct(list_filter({a}, lambda x_: coalesce({held}, false)))",
    }[name]
    return Value(f"CASE WHEN {null} THEN NULL ELSE {made} END", kind)


@_lambda("array_sort")
def _array_sort(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) != 1:
        raise refuse("array_sort with a comparator")
    x = compiler.value(nodes[0])
    kind = _array(x, "array_sort")
    if kind.name in ("array", "map", "row"):
        raise refuse(f"array_sort of arrays of {kind}")
    return Value(f"list_sort({x.sql}, 'ASC', 'NULLS LAST')", x.type)


@_function("array_max", "array_min", least=1)
def _array_extreme(name: str, x: Value) -> Value:
    kind = _array(x, name)
    _plain(kind, name)
    function = "list_max" if name == "array_max" else "list_min"
    return Value(f"trino_extreme_null({x.sql}, {function}({x.sql}))", kind)


@_function("array_join", least=2, most=3)
def _array_join(name: str, x: Value, separator: Value, null: Value | None = None) -> Value:
    kind = _array(x, name)
    for one in (separator, *([null] if null else [])):
        if one.type not in (t.VARCHAR, t.UNKNOWN):
            raise no_function(name, [x, separator])
    shown = as_text(Value("x_", kind))
    items = f"list_transform({x.sql}, lambda x_: {shown})"
    if null is not None:
        items = f"list_transform({items}, lambda x_: coalesce(x_, {coerce(null, t.VARCHAR).sql}))"
    joined = f"array_to_string({items}, {coerce(separator, t.VARCHAR).sql})"
    if separator.type == t.UNKNOWN:
        return Value("CAST(NULL AS VARCHAR)", t.VARCHAR)
    return Value(
        f"CASE WHEN len({x.sql}) = 0 AND {separator.sql} IS NOT NULL THEN '' ELSE coalesce({joined}, CASE WHEN {x.sql} IS NOT NULL AND {separator.sql} IS NOT NULL THEN '' END) END",
        t.VARCHAR,
    )


@_function("flatten", least=1)
def _flatten(name: str, x: Value) -> Value:
    kind = _array(x, name)
    if kind.name != "array":
        raise no_function(name, [x])
    return Value(f"flatten({x.sql})", kind)


@_function("slice", least=3)
def _slice(name: str, x: Value, start: Value, length: Value) -> Value:
    _array(x, name)
    if any(common(one.type, t.BIGINT) != t.BIGINT for one in (start, length)):
        raise no_function(name, [x, start, length])
    return Value(
        f"trino_slice({x.sql}, {coerce(start, t.BIGINT).sql}, {coerce(length, t.BIGINT).sql})",
        x.type,
    )


@_function("repeat", least=2)
def _repeat(name: str, x: Value, n: Value) -> Value:
    if common(n.type, t.BIGINT) != t.BIGINT or x.type == t.UNKNOWN:
        raise refuse("repeat of this")
    count = coerce(n, t.BIGINT).sql
    return Value(
        f"list_transform(range(CASE WHEN {count} < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0') ELSE {count} END), lambda i_: {x.sql})",
        t.array(x.type),
    )


@_function("sequence", least=2, most=3)
def _sequence(name: str, a: Value, b: Value, step: Value | None = None) -> Value:
    kind = common(a.type, b.type)
    if kind is None or t.UNKNOWN in (a.type, b.type):
        raise refuse("sequence of a NULL without a type")
    x, y = coerce(a, kind).sql, coerce(b, kind).sql
    too_many = "trino_error('INVALID_FUNCTION_ARGUMENT: sequence step must not be zero, and not lead away from the stop')"
    if kind in t.INTEGERS:
        made = coerce(step, t.BIGINT).sql if step else f"CASE WHEN {x} <= {y} THEN 1 ELSE -1 END"
        series = (
            f"generate_series(CAST({x} AS BIGINT), CAST({y} AS BIGINT), CAST({made} AS BIGINT))"
        )
        kind = t.BIGINT
        wrong = f"{made} = 0 OR ({made} > 0 AND {x} > {y}) OR ({made} < 0 AND {x} < {y})"
        return Value(
            f"CAST(CASE WHEN {wrong} THEN [{too_many}] ELSE {series} END AS {kind.duckdb}[])",
            t.array(kind),
        )
    if kind.name not in ("date", "timestamp") or (step is None and kind.name != "date"):
        raise no_function(name, [a, b])
    if step is None:
        made = f"CASE WHEN {x} <= {y} THEN 86400000 ELSE -86400000 END"
    elif step.type in (t.DAYS, t.MONTHS):
        made = step.sql
    else:
        raise no_function(name, [a, b, step])
    wrong = f"{made} = 0 OR ({made} > 0 AND {x} > {y}) OR ({made} < 0 AND {x} < {y})"
    start, stop = f"CAST({x} AS TIMESTAMP)", f"CAST({y} AS TIMESTAMP)"
    if step is not None and step.type == t.MONTHS:
        most = f"(abs(trino_months({start}, {stop})) // abs({made}) + 2)"
        all_ = f"list_transform(range(CAST({most} AS BIGINT)), lambda i_: CAST({start} + to_months(CAST(i_ * {made} AS INTEGER)) AS {kind.duckdb}))"
        series = f"list_filter({all_}, lambda x_: CASE WHEN {made} > 0 THEN x_ <= {y} ELSE x_ >= {y} END)"
    else:
        count = f"((epoch_ms({stop}) - epoch_ms({start})) // ({made}) + 1)"
        series = f"list_transform(range(CAST({count} AS BIGINT)), lambda i_: CAST({start} + to_milliseconds(i_ * ({made})) AS {kind.duckdb}))"
    return Value(
        f"CASE WHEN {wrong} THEN [CAST(make_timestamp({too_many}) AS {kind.duckdb})] ELSE {series} END",
        t.array(kind),
    )


@_lambda("transform", "filter", "any_match", "all_match", "none_match")
def _over(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    raise AssertionError  # replaced below: each needs its own name


def _over_named(name: str) -> _Generic:
    def rule(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
        if len(nodes) != 2:
            raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}")
        x = compiler.value(nodes[0])
        kind = _array(x, name)
        body = compiler.lambda_(nodes[1], [kind])
        parameter = nodes[1].expressions[0].name
        run = f'lambda "{parameter}": {body.sql}'
        if name == "transform":
            return Value(f"list_transform({x.sql}, {run})", t.array(body.type))
        if body.type not in (t.BOOLEAN, t.UNKNOWN):
            raise no_function(name, [x])
        if name == "filter":
            return Value(f"list_filter({x.sql}, {run})", x.type)
        found = f"list_transform({x.sql}, {run})"
        # Three-valued: one decisive answer decides, else a NULL makes it unknown.
        decisive, otherwise = {
            "any_match": ("true", "false"),
            "all_match": ("false", "true"),
            "none_match": ("true", "true"),
        }[name]
        first = "false" if name == "none_match" else decisive
        return Value(
            f"CASE WHEN {x.sql} IS NULL THEN NULL WHEN list_contains({found}, {decisive}) THEN {first} "
            f"WHEN list_count({found}) <> len({x.sql}) THEN NULL ELSE {otherwise} END",
            t.BOOLEAN,
        )

    return rule


_GENERIC.update(
    {
        name: _over_named(name)
        for name in ("transform", "filter", "any_match", "all_match", "none_match")
    }
)


@_lambda("reduce")
def _reduce(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) != 4:
        raise QueryError("FUNCTION_NOT_FOUND", "Unexpected parameters for function reduce")
    x, start = compiler.value(nodes[0]), compiler.value(nodes[1])
    kind = _array(x, "reduce")
    names = [f'"{one.name}"' for one in nodes[2].expressions]
    if kind == t.UNKNOWN:
        raise refuse("reduce of an array without a type")
    body = compiler.lambda_(nodes[2], [start.type, kind])
    if body.type != start.type:
        made = common(body.type, start.type)
        if made != start.type:
            raise refuse("reduce whose state changes its type; cast the initial state")
        body = coerce(body, start.type)
    # DuckDB folds values of one type: the state travels beside each element.
    state, item = names
    pair = "struct_pack(s := {}, x := {})"
    items = f"list_transform({x.sql}, lambda x_: {pair.format(f'CAST(NULL AS {start.type.duckdb})', 'x_')})"
    inner = body.sql.replace(state, "a_.s").replace(item, "b_.x")
    first = pair.format(start.sql, f"CAST(NULL AS {kind.duckdb})")
    folded = f"list_reduce({items}, lambda a_, b_: {pair.format(inner, 'b_.x')}, {first}).s"
    value = f"CASE WHEN {x.sql} IS NOT NULL THEN {folded} END"
    finish = nodes[3]
    final = compiler.lambda_(finish, [start.type], [f"({value})"])
    return Value(f"CASE WHEN {x.sql} IS NOT NULL THEN {final.sql} END", final.type)


@_function("zip", least=2, most=5)
def _zip(name: str, *values: Value) -> Value:
    kinds = [_array(one, name) for one in values]
    longest = f"greatest({', '.join(f'len({one.sql})' for one in values)})"
    parts = ", ".join(f"field{i} := {one.sql}[i_]" for i, one in enumerate(values))
    nulls = " OR ".join(f"{one.sql} IS NULL" for one in values)
    return Value(
        f"CASE WHEN {nulls} THEN NULL ELSE list_transform(range(1, {longest} + 1), lambda i_: struct_pack({parts})) END",
        t.array(t.row(*((None, kind) for kind in kinds))),
    )


@_lambda("zip_with")
def _zip_with(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    if len(nodes) != 3:
        raise QueryError("FUNCTION_NOT_FOUND", "Unexpected parameters for function zip_with")
    a, b = compiler.value(nodes[0]), compiler.value(nodes[1])
    body = compiler.lambda_(
        nodes[2], [_array(a, "zip_with"), _array(b, "zip_with")], [f"{a.sql}[i_]", f"{b.sql}[i_]"]
    )
    return Value(
        f"CASE WHEN {a.sql} IS NOT NULL AND {b.sql} IS NOT NULL THEN list_transform(range(1, greatest(len({a.sql}), len({b.sql})) + 1), lambda i_: {body.sql}) END",
        t.array(body.type),
    )


@_function("map", least=0, most=2)
def _map(name: str, *values: Value) -> Value:
    if not values:
        return Value(
            "map(CAST([] AS INTEGER[]), CAST([] AS INTEGER[]))", t.map_of(t.UNKNOWN, t.UNKNOWN)
        )
    if len(values) != 2:
        raise no_function(name, values)
    key, value = (_array(one, name) for one in values)
    return Value(f"trino_map({values[0].sql}, {values[1].sql})", t.map_of(key, value))


def _of_map(value: Value, name: str) -> tuple[Type, Type]:
    if value.type.name != "map":
        raise (
            refuse(f"{name} of a NULL without a type")
            if value.type == t.UNKNOWN
            else no_function(name, [value])
        )
    return value.type.args


@_function("map_keys", "map_values", least=1)
def _map_parts(name: str, x: Value) -> Value:
    key, value = _of_map(x, name)
    return Value(f"{name}({x.sql})", t.array(key if name == "map_keys" else value))


@_function("map_entries", least=1)
def _map_entries(name: str, x: Value) -> Value:
    key, value = _of_map(x, name)
    return Value(
        f"list_transform(map_entries({x.sql}), lambda x_: struct_pack(field0 := x_.key, field1 := x_.value))",
        t.array(t.row((None, key), (None, value))),
    )


@_function("map_from_entries", least=1)
def _map_from_entries(name: str, x: Value) -> Value:
    kind = _array(x, name)
    if kind.name != "row" or len(kind.args) != 2:
        raise no_function(name, [x])
    keys, values = (
        f"list_transform({x.sql}, lambda x_: struct_extract_at(x_, {i}))" for i in (1, 2)
    )
    return Value(f"trino_map({keys}, {values})", t.map_of(kind.args[0][1], kind.args[1][1]))


@_lambda("map_filter", "transform_keys", "transform_values")
def _unnamed_map_lambda(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
    raise AssertionError  # replaced below


def _map_lambda(name: str) -> _Generic:
    def rule(compiler: Expressions, nodes: list[exp.Expr]) -> Value:
        if len(nodes) != 2:
            raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}")
        x = compiler.value(nodes[0])
        key, value = _of_map(x, name)
        body = compiler.lambda_(nodes[1], [key, value], ["e_.key", "e_.value"])
        entries = f"map_entries({x.sql})"
        if name == "map_filter":
            if body.type not in (t.BOOLEAN, t.UNKNOWN):
                raise no_function(name, [x])
            kept = f"list_filter({entries}, lambda e_: {body.sql})"
            return Value(
                f"map(list_transform({kept}, lambda x_: x_.key), list_transform({kept}, lambda x_: x_.value))",
                x.type,
            )
        changed = f"list_transform({entries}, lambda e_: {body.sql})"
        if name == "transform_keys":
            return Value(f"trino_map({changed}, map_values({x.sql}))", t.map_of(body.type, value))
        return Value(
            f"CASE WHEN {x.sql} IS NOT NULL THEN map(map_keys({x.sql}), {changed}) END",
            t.map_of(key, body.type),
        )

    return rule


_GENERIC.update(
    {name: _map_lambda(name) for name in ("map_filter", "transform_keys", "transform_values")}
)


# -- aggregates and window functions ---------------------------------------------------------------


@dataclass
class _Aggregate:
    """An aggregate or window function as it is called."""

    name: str
    arguments: list[Value]
    distinct: str
    order: str
    suffix: str
    nulls: str
    over: bool


_RANKS = ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile")
_VALUES = ("lag", "lead", "first_value", "last_value", "nth_value")
AGGREGATES = frozenset({
    "count", "sum", "avg", "min", "max", "count_if", "bool_and", "bool_or", "every", "arbitrary",
    "any_value", "array_agg", "max_by", "min_by", "listagg", "approx_distinct", "approx_percentile",
    "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "corr", "covar_pop",
    "covar_samp", "map_agg", "histogram", "geometric_mean", *_RANKS, *_VALUES,
})  # fmt: skip


def aggregate(compiler: Expressions, node: exp.Expr) -> Value:  # noqa: PLR0912
    """An aggregate with its FILTER, WITHIN GROUP, IGNORE NULLS and OVER."""
    suffix, order, nulls, over, within = "", "", "", False, False
    while not isinstance(node, exp.AnonymousAggFunc):
        if isinstance(node, exp.Window):
            suffix, over = f" OVER ({compiler.compiler.window(node, compiler)})" + suffix, True
        elif isinstance(node, exp.Filter):
            if over:
                raise QueryError(
                    "NOT_SUPPORTED", "FILTER is not yet supported for window functions"
                )
            suffix = (
                f" FILTER (WHERE {compiler.boolean(node.expression.this, 'FILTER clause')})"
                + suffix
            )
        elif isinstance(node, exp.WithinGroup):
            order, within = compiler.compiler.order(node.expression, compiler), True
        elif isinstance(node, exp.IgnoreNulls):
            nulls = " IGNORE NULLS"
        elif isinstance(node, exp.Anonymous):
            return call(compiler, node.name.lower(), node.expressions)
        elif not isinstance(node, exp.RespectNulls):
            raise refuse(f"OVER of {type(node).__name__}")
        node = node.this
    name, arguments, distinct = node.name.lower(), list(node.expressions), ""
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct, arguments = "DISTINCT ", [*arguments[0].expressions, *arguments[1:]]
    if arguments and isinstance(arguments[-1], exp.Order):
        order = compiler.compiler.order(arguments[-1], compiler)
        arguments = [*arguments[:-1], arguments[-1].this]
        if isinstance(arguments[-1], exp.Distinct):
            distinct, arguments[-1:] = "DISTINCT ", list(arguments[-1].expressions)
    if arguments and any(
        one.find(exp.AnonymousAggFunc) and not over
        for one in arguments
        if not isinstance(one, exp.Star)
    ):
        inner = [one for part in arguments for one in part.find_all(exp.AnonymousAggFunc)]
        if any(not isinstance(one.parent, exp.Window) for one in inner):
            raise QueryError("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation")
    if name == "count" and len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        arguments = []
    if within != (name == "listagg"):
        raise QueryError(
            "SYNTAX_ERROR", f"mismatched input near {name}: WITHIN GROUP belongs to listagg"
        )
    if name in (*_RANKS, *_VALUES) and not over:
        raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause")
    values = [compiler.value(one) for one in arguments]
    given = _Aggregate(name, values, distinct, order, suffix, nulls, over)
    if nulls and name not in _VALUES:
        raise refuse(f"IGNORE NULLS of {name}")
    if order and name not in ("array_agg", "listagg"):
        raise refuse(f"ORDER BY in {name}")
    if name in _RANKS or name in _VALUES:
        return _window_function(given)
    return _aggregate(given)


def _window_function(given: _Aggregate) -> Value:
    name, values = given.name, given.arguments
    if name in _RANKS:
        if len(values) != (name == "ntile"):
            raise no_function(name, values)
        if name == "ntile":
            n = re.fullmatch(r"CAST\((-?\d+) AS (?:INTEGER|BIGINT)\)", values[0].sql)
            if not n:
                raise refuse("ntile of something else than a literal")
            if int(n[1]) < 1:
                raise QueryError("INVALID_FUNCTION_ARGUMENT", "Buckets must be greater than 0")
        kind = t.DOUBLE if name in ("percent_rank", "cume_dist") else t.BIGINT
        return Value(f"{name}({', '.join(one.sql for one in values)}){given.suffix}", kind)
    value, *rest = values
    kind, parts = value.type, [value]
    if rest:
        if name in ("first_value", "last_value") or common(rest[0].type, t.BIGINT) != t.BIGINT:
            raise no_function(name, values)
        parts.append(coerce(rest[0], t.BIGINT))
    if len(rest) > 1:
        found = common(kind, rest[1].type)
        if found is None or name == "nth_value":
            raise no_function(name, values)
        kind = found
        parts = [coerce(value, kind), parts[1], coerce(rest[1], kind)]
    if name == "nth_value" and len(parts) != 2:
        raise no_function(name, values)
    return Value(f"{name}({', '.join(one.sql for one in parts)}{given.nulls}){given.suffix}", kind)


def _aggregate(given: _Aggregate) -> Value:  # noqa: PLR0911, PLR0912, PLR0915  (one a function)
    name, values, distinct, end = given.name, given.arguments, given.distinct, given.suffix
    wrong = no_function(name, values)
    if name == "count":
        if len(values) > 1:
            raise wrong
        if values and values[0].type.name == "row":
            parts = f"count({distinct}{values[0].sql})"
            return Value(f"{parts}{end}", t.BIGINT)
        return Value(
            f"CAST(count({distinct}{values[0].sql if values else '*'}){end} AS BIGINT)", t.BIGINT
        )
    if not values:
        raise wrong
    x, *rest = values
    kind = x.type
    two = {"max_by", "min_by", "corr", "covar_pop", "covar_samp", "map_agg", "approx_percentile"}
    most = (
        3
        if name in ("max_by", "min_by", "approx_percentile")
        else 2
        if name in two or name in ("max", "min", "listagg")
        else 1
    )
    if len(rest) + 1 > most or (name in two and not rest):
        raise wrong
    if name in ("sum", "avg"):
        if kind in (t.DAYS, t.MONTHS):
            raise refuse(f"{name} of intervals")
        if not t.is_number(kind):
            raise wrong
        if name == "sum":
            made = (
                t.BIGINT
                if kind in t.INTEGERS
                else t.decimal(38, kind.args[1])
                if kind.name == "decimal"
                else kind
            )
            of = f"CAST({x.sql} AS {made.duckdb})" if kind.name == "decimal" else x.sql
            return Value(f"CAST(sum({distinct}{of}){end} AS {made.duckdb})", made)
        if kind.name == "decimal":
            wide = f"CAST({x.sql} AS DECIMAL(38,{kind.args[1]}))"
            return Value(
                average(f"sum({distinct}{wide}){end}", f"count({distinct}{x.sql}){end}", kind), kind
            )
        made = t.REAL if kind == t.REAL else t.DOUBLE
        return Value(f"CAST(avg({distinct}{coerce(x, t.DOUBLE).sql}){end} AS {made.duckdb})", made)
    if name in ("min", "max"):
        if rest:
            raise refuse(f"{name} of several")
        if kind.name in ("array", "map", "row", "json", "unknown"):
            raise refuse(f"{name} of {kind}")
        if kind.name in ("double", "real"):  # NaN counts only if there is nothing else
            number = f"{name}(CASE WHEN NOT isnan({x.sql}) THEN {x.sql} END){end}"
            return Value(f"coalesce({number}, {name}({x.sql}){end})", kind)
        return Value(f"{name}({x.sql}){end}", kind)
    if name in ("count_if", "bool_and", "bool_or", "every"):
        if kind not in (t.BOOLEAN, t.UNKNOWN):
            raise wrong
        of = coerce(x, t.BOOLEAN).sql
        if name == "count_if":
            return Value(f"CAST(count(CASE WHEN {of} THEN 1 END){end} AS BIGINT)", t.BIGINT)
        return Value(f"{'bool_and' if name == 'every' else name}({of}){end}", t.BOOLEAN)
    if name in ("arbitrary", "any_value"):
        return Value(f"any_value({x.sql}){end}", kind)
    if name == "array_agg":
        order = f" ORDER BY {given.order}" if given.order else ""
        return Value(f"list({distinct}{x.sql}{order}){end}", t.array(kind))
    if name in ("max_by", "min_by"):
        if len(rest) > 1:
            raise refuse(f"{name} of several")
        if rest[0].type.name in ("array", "map", "row", "json", "unknown", "double", "real"):
            if rest[0].type.name not in ("double", "real"):
                raise refuse(f"{name} by {rest[0].type}")
            return Value(
                f"{'arg_max_null' if name == 'max_by' else 'arg_min_null'}({x.sql}, CASE WHEN NOT isnan({rest[0].sql}) THEN {rest[0].sql} END){end}",
                kind,
            )
        return Value(
            f"{'arg_max_null' if name == 'max_by' else 'arg_min_null'}({x.sql}, {rest[0].sql}){end}",
            kind,
        )
    if name == "listagg":
        if kind != t.VARCHAR:
            raise mismatch(f"Cannot use {kind} in listagg")
        separator = rest[0] if rest else Value("''", t.VARCHAR, "")
        _constant(separator, "listagg with a separator")
        return Value(
            f"string_agg({distinct}{x.sql}, {separator.sql} ORDER BY {given.order}){end}", t.VARCHAR
        )
    if distinct:
        raise refuse(f"DISTINCT in {name}")
    if name == "approx_distinct":
        return Value(f"CAST(count(DISTINCT {x.sql}){end} AS BIGINT)", t.BIGINT)
    if name == "approx_percentile":
        return _percentile(x, rest, end)
    if name == "map_agg":
        if rest[0].type == t.UNKNOWN or kind.name in ("double", "real", "row", "array", "map"):
            raise refuse(f"map_agg of {kind}")
        keys, items = (f"list({one} ORDER BY NULL){end}" for one in (x.sql, rest[0].sql))
        if given.over:
            raise refuse("map_agg OVER")
        kept = f"struct_pack(k := {x.sql}, v := {rest[0].sql})"
        entries = f"list_filter(list({kept}){end}, lambda x_: x_.k IS NOT NULL)"
        del keys, items
        return Value(
            f"trino_first_entries(list_transform({entries}, lambda x_: x_.k), list_transform({entries}, lambda x_: x_.v))",
            t.map_of(kind, rest[0].type),
        )
    if name == "histogram":
        if kind.name in ("double", "real", "row", "array", "map", "unknown") or given.over:
            raise refuse(f"histogram of {kind}")
        entries = f"histogram({x.sql}){end}"
        return Value(
            f"CASE WHEN {entries} IS NOT NULL THEN map(map_keys({entries}), list_transform(map_values({entries}), lambda x_: CAST(x_ AS BIGINT))) END",
            t.map_of(kind, t.BIGINT),
        )
    numbers = [
        coerce(one, t.DOUBLE).sql for one in values if common(one.type, t.DOUBLE) == t.DOUBLE
    ]
    if len(numbers) != len(values):
        raise wrong
    if name == "geometric_mean":
        return Value(f"exp(avg(ln({numbers[0]})){end})", t.DOUBLE)
    return Value(f"{name}({', '.join(numbers)}){end}", t.DOUBLE)


def _percentile(x: Value, rest: list[Value], end: str) -> Value:
    """The exact one, which is within any error that the approximate one may have."""
    if len(rest) != 1 or not re.fullmatch(
        r"CAST\('?[\d.e-]+'? AS [A-Z]+(\(\d+,\d+\))?\)", rest[0].sql
    ):
        raise refuse("approx_percentile with weights, or a percentile that is no literal")
    share = float(re.findall(r"[\d.]+(?:e-?\d+)?", rest[0].sql)[0])
    if not 0 <= share <= 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    kind = t.BIGINT if x.type in t.INTEGERS else t.DOUBLE if x.type == t.DOUBLE else t.REAL
    if common(x.type, kind) != kind:
        raise no_function("approx_percentile", [x, *rest])
    items = f"list_sort(list(CASE WHEN {x.sql} IS NOT NULL THEN {coerce(x, kind).sql} END){end})"
    values = f"list_filter({items}, lambda x_: x_ IS NOT NULL)"
    return Value(
        f"list_extract({values}, least(CAST(floor({share} * len({values})) AS BIGINT) + 1, len({values})))",
        kind,
    )


def names() -> list[str]:
    """Every function that is passed on."""
    known = {*_SIGNATURES, *_GENERIC, *AGGREGATES}
    return sorted({name.removeprefix("$") for name in known})
