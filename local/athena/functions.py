"""Trino's functions where DuckDB has none of that name or meaning: macros, one line each.

Names of Trino that sqlglot passes on as they are (``map_agg``) are defined under that name; those
that it would turn into something else are renamed in `rewrites` to ``trino_...``.
"""

from __future__ import annotations

import json
import re

import duckdb

from local.athena.results import java_double

_STEP = re.compile(r"""\.?([^.\[\]"']+)(?![^\[]*\])|\[["']([^"']*)["']\]|\[(\d+)\]""")

_MACROS = r"""
trino_error(message) AS CAST(message AS INTEGER)
trino_round_div(n, d) AS
  CASE WHEN (n < 0) <> (d < 0) THEN -1 ELSE 1 END * ((2 * abs(n) + abs(d)) // (2 * abs(d)))
trino_div(a BIGINT, b BIGINT) AS a // b, (a DOUBLE, b DOUBLE) AS a / b
trino_float_text(f) AS trino_double_text(CAST(CAST(f AS VARCHAR) AS DOUBLE))
trino_fraction_text(d) AS regexp_replace(CAST(d AS VARCHAR), '^(-?)\.', '\10.')
trino_timestamp_text(t) AS strftime(t, '%Y-%m-%d %H:%M:%S.%g')
trino_zoned_text(t) AS strftime(t AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g UTC')
trino_time_text(t) AS left(CAST(t AS VARCHAR) || if(contains(CAST(t AS VARCHAR), '.'), '000', '.000'), 12)
trino_binary_text(b) AS trim(regexp_replace(lower(hex(b)), '(..)', '\1 ', 'g'))
trino_zoned(t, z) AS strftime(t AT TIME ZONE z, '%Y-%m-%d %H:%M:%S.%g ') || z
trino_typeof(x, name) AS CASE WHEN x IS NULL THEN name ELSE name END
trino_now() AS date_trunc('milliseconds', now())
trino_to_integer(t, kind) AS CASE WHEN regexp_full_match(t, '[+-]?[0-9]+') THEN t
  ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Cannot cast ''' || t || ''' to ' || kind) AS VARCHAR) END
trino_to_date(t) AS CASE WHEN regexp_full_match(trim(t), '[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}') THEN t
  ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || t) AS VARCHAR) END
trino_to_timestamp(t) AS CASE WHEN regexp_full_match(trim(t),
    '[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?( ?[A-Za-z+-].*)?)?')
  THEN t ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: ' || t) AS VARCHAR) END
trino_iso_timestamp(t) AS CASE WHEN regexp_full_match(t,
    '[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T([0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?')
  THEN date_trunc('milliseconds', CAST(CASE length(t) WHEN 4 THEN t || '-01-01' WHEN 7 THEN t || '-01'
    ELSE regexp_replace(rtrim(t, 'T'), 'T([0-9]{2})(Z|[+-]|$)', 'T\1:00\2') END AS TIMESTAMP WITH TIME ZONE))
  ELSE CAST(CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || t || '"') AS VARCHAR) AS TIMESTAMP WITH TIME ZONE) END
trino_subscript(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
  WHEN i < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
  WHEN i > len(a) THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a))
  ELSE i END)
trino_key(m, k) AS list_extract(map_values(m), CASE WHEN list_contains(map_keys(m), k) THEN list_position(map_keys(m), k)
  ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k) END)
trino_json_path(p) AS if(p LIKE '$%', p, '$.' || p)
trino_json_scalar(j, p) AS CASE WHEN NOT json_valid(CAST(j AS VARCHAR)) THEN NULL
  WHEN regexp_matches(CAST(j AS VARCHAR), '[0-9][.eE][0-9+-]|[0-9]{16}') THEN trino_json_exact(CAST(j AS VARCHAR), p)
  WHEN json_type(CAST(j AS VARCHAR), trino_json_path(p)) IN ('OBJECT', 'ARRAY') THEN NULL
  ELSE json_extract_string(CAST(j AS VARCHAR), trino_json_path(p)) END
trino_json_extract(j, p) AS CASE WHEN json_valid(CAST(j AS VARCHAR))
  THEN json_extract(CAST(j AS VARCHAR), trino_json_path(p)) END
trino_json_parse(t) AS CAST(CASE WHEN t IS NULL OR json_valid(t) THEN t
  ELSE CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''' || t || '''') AS VARCHAR) END AS JSON)
json_format(j) AS CAST(j AS VARCHAR)
trino_json_array_length(j) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) AND json_type(CAST(j AS VARCHAR)) = 'ARRAY'
  THEN CAST(json_array_length(CAST(j AS VARCHAR)) AS BIGINT) END
json_size(j, p) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN CASE json_type(CAST(j AS VARCHAR), p)
  WHEN 'ARRAY' THEN CAST(json_array_length(CAST(j AS VARCHAR), p) AS BIGINT)
  WHEN 'OBJECT' THEN CAST(len(json_keys(CAST(j AS VARCHAR), p)) AS BIGINT) ELSE CAST(0 AS BIGINT) END END
json_array_get(j, i) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN json_extract(CAST(j AS VARCHAR), '$[' || if(i < 0, '#' || i, CAST(i AS VARCHAR)) || ']') END
json_array_contains(j, x) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN json_contains(CAST(j AS VARCHAR), CAST(to_json(x) AS VARCHAR)) END
is_json_scalar(j) AS json_type(CAST(j AS VARCHAR)) NOT IN ('OBJECT', 'ARRAY')
trino_regexp_extract(s, p, g := 0) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END
trino_regexp_replace(s, p, r := '') AS regexp_replace(s, p, regexp_replace(r, '\$([0-9])', '\\\1', 'g'), 'g')
trino_split_part(s, d, i) AS CASE WHEN i < 1 THEN CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') AS VARCHAR)
  WHEN i > len(str_split(s, d)) THEN NULL ELSE split_part(s, d, i) END
trino_split(s, d, n := NULL) AS CASE WHEN n IS NULL OR len(str_split(s, d)) <= n THEN str_split(s, d)
  ELSE list_append(str_split(s, d)[1:n - 1], array_to_string(str_split(s, d)[n:], d)) END
split_to_map(s, e, k) AS map_from_entries(list_transform(list_filter(str_split(s, e), lambda x: x <> ''),
  lambda x: struct_pack(k := split_part(x, k, 1), v := split_part(x, k, 2))))
trino_replace(s, a, b := '') AS replace(s, a, b)
trino_substr(s, i, n := NULL) AS CASE WHEN i = 0 OR abs(i) > length(s) OR n <= 0 THEN if(s IS NULL OR i IS NULL, NULL, '')
  WHEN n IS NULL THEN substr(s, i) ELSE substr(s, i, n) END
trino_contains(a, x) AS list_contains(a, x)
codepoint(s) AS unicode(s)
trino_sha1(b) AS unhex(sha1(b))
trino_from_base64(s) AS from_base64(s)
hamming_distance(a, b) AS hamming(a, b)
infinity() AS CAST('Infinity' AS DOUBLE)
nan() AS CAST('NaN' AS DOUBLE)
e() AS exp(CAST(1 AS DOUBLE))
is_nan(x) AS isnan(CAST(x AS DOUBLE))
is_finite(x) AS isfinite(CAST(x AS DOUBLE))
is_infinite(x) AS isinf(CAST(x AS DOUBLE))
width_bucket(x, lo, hi, n) AS CAST(CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1 ELSE floor((x - lo) / (CAST(hi - lo AS DOUBLE) / n)) + 1 END AS BIGINT)
from_base(s, r) AS list_reduce(list_transform(str_split(lower(s), ''), lambda c: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS BIGINT)), lambda a, c: a * r + c)
to_base(n, r) AS CASE WHEN r = 2 THEN bin(n) WHEN r = 16 THEN lower(hex(n)) WHEN r = 10 THEN CAST(n AS VARCHAR) ELSE CAST(trino_error('NOT_SUPPORTED: to_base knows 2, 10 and 16 here') AS VARCHAR) END
bitwise_not(x) AS ~CAST(x AS BIGINT)
bitwise_left_shift(x, n) AS CAST(x AS BIGINT) << n
bitwise_right_shift(x, n) AS CAST(x AS BIGINT) >> n
trino_entry(k, v) AS struct_pack(k := k, v := v)
trino_map_first(l) AS map_from_entries(list_filter(l, lambda x, i: x.k IS NOT NULL AND list_position(list_transform(l, lambda y: y.k), x.k) = i))
trino_multimap(l) AS map_from_entries(list_transform(list_distinct(list_transform(l, lambda y: y.k)),
  lambda k1: struct_pack(k := k1, v := list_transform(list_filter(l, lambda y: y.k = k1), lambda y: y.v))))
map_union(m) AS trino_map_first(flatten(list(list_transform(map_entries(m), lambda x: struct_pack(k := x.key, v := x.value)))))
every(x) AS bool_and(x)
trino_array_position(a, x) AS CAST(coalesce(list_position(a, x), 0) AS BIGINT)
array_remove(a, x) AS list_filter(a, lambda y: y <> x)
trino_array_max(a) AS CASE WHEN list_contains(list_transform(a, lambda x: x IS NULL), true) THEN NULL ELSE list_max(a) END
trino_array_min(a) AS CASE WHEN list_contains(list_transform(a, lambda x: x IS NULL), true) THEN NULL ELSE list_min(a) END
trino_array_sort(a) AS list_sort(a, 'ASC', 'NULLS LAST')
array_union(a, b) AS list_distinct(list_concat(a, b))
array_except(a, b) AS list_filter(list_distinct(a), lambda x: NOT list_contains(b, x))
trino_array_distinct(a) AS list_filter(a, lambda x, i: list_position(a, x) = i)
trino_array_join(a, d, n := NULL) AS array_to_string(list_filter(list_transform(a, lambda x: coalesce(CAST(x AS VARCHAR), n)), lambda x: x IS NOT NULL), d)
trino_repeat(x, n) AS list_transform(generate_series(1, n), lambda i: x)
trino_slice(a, s, n) AS CASE WHEN s > 0 THEN a[s:s + n - 1] ELSE a[len(a) + s + 1:len(a) + s + n] END
trino_millisecond(t) AS CAST(extract('milliseconds' FROM t) % 1000 AS BIGINT)
to_iso8601(d DATE) AS CAST(d AS VARCHAR), (t TIMESTAMP) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%g'),
  (t TIMESTAMP WITH TIME ZONE) AS strftime(t AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')
to_unixtime(t) AS CAST(epoch(t) AS DOUBLE)
trino_from_unixtime(s) AS date_trunc('milliseconds', to_timestamp(CAST(s AS DOUBLE)))
trino_to_milliseconds(i) AS CAST(epoch(i) * 1000 AS BIGINT)
yow(t) AS isoyear(t)
current_timezone() AS 'UTC'
"""


def _statements() -> list[str]:
    found: list[str] = []
    for line in _MACROS.strip().splitlines():
        if line.startswith(" "):
            found[-1] += "\n" + line
        else:
            found.append(line)
    return [f"CREATE MACRO {one}" for one in found]


def _json_exact(document: str, path: str) -> str | None:
    """json_extract_scalar with each number's own text."""
    try:
        value = json.loads(document, parse_float=_Number, parse_int=_Number)
    except ValueError:
        return None
    for name, quoted, index in _STEP.findall(path.removeprefix("$")):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif not index and isinstance(value, dict) and (name or quoted) in value:
            value = value[name or quoted]
        else:
            return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str) else None


class _Number(str):
    __slots__ = ()


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the functions in this database."""
    connection.create_function("trino_json_exact", _json_exact, ["VARCHAR", "VARCHAR"], "VARCHAR")  # type: ignore[list-item, arg-type]
    connection.create_function("trino_double_text", java_double, ["DOUBLE"], "VARCHAR")  # type: ignore[list-item, arg-type]
    for statement in _statements():
        connection.execute(statement)
