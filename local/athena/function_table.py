"""The functions that are passed on: what they take, what they give, and how DuckDB says it.

A row is ``names(arguments) -> result: SQL``; the first row whose arguments fit is taken. What has no
row here and no rule in `special_functions` is refused, like a row without SQL, and every name has golden statements (a test
sees to that).

Types are Trino's, or a letter for any type, the same wherever it stands:

- T, K, V, R: whatever it is
- E: one that DuckDB compares inside lists as Trino does; others are refused
- O: one that DuckDB orders as Trino does; others are refused
- N: a number; I: an integer; F: a double; J: a text or JSON
- D: a date or a timestamp, with a zone or without; P: the same, but without a zone

``pattern``, ``path``, ``mysql`` and the other words of `LITERALS` stand for literals, which are
checked and translated. An argument that ends with ``...`` may be repeated.

In the SQL, ``{0}`` is the first argument, ``{0.local}`` its time on the clock of its zone,
``{0.texts}`` its elements as texts, ``{args}`` all arguments, ``{name}`` the function's name,
``{T}`` the type of T. An aggregate takes what its SQL has a place for: ``{distinct}``, ``{order}``,
``{nulls}`` (IGNORE NULLS) and ``{over}`` (FILTER or OVER).
"""

# ruff: noqa: E501  (one function a line)

from __future__ import annotations

from pathlib import Path

TRINO = frozenset(
    Path(__file__).with_name("trino_functions.txt").read_text(encoding="utf-8").split()
)
"""All functions of Athena's engine 3; any other name is not registered."""

SCALARS = """
-- text
length(varchar) -> bigint: length({0})
length(varbinary) -> bigint: octet_length({0})
upper(varchar) -> varchar: trino_upper({0})
lower(varchar) -> varchar: lower({0})
reverse(array(T)) -> array(T): list_reverse({0})
substr, substring(varchar, bigint) -> varchar: trino_substr({0}, {1}, length({0}))
substr, substring(varchar, bigint, bigint) -> varchar: trino_substr({0}, {1}, {2})
substr, substring(varbinary, bigint) -> varbinary:
substr, substring(varbinary, bigint, bigint) -> varbinary:
concat_ws(varchar, varchar...) -> varchar: concat_ws({args})
strpos(varchar, varchar) -> bigint: strpos({0}, {1})
split(varchar, varchar) -> array(varchar): trino_split({0}, {1})
split_part(varchar, varchar, bigint) -> varchar: trino_split_part({0}, {1}, {2})
replace(varchar, varchar) -> varchar: trino_replace({0}, {1}, '')
replace(varchar, varchar, varchar) -> varchar: trino_replace({0}, {1}, {2})
trim, ltrim, rtrim(varchar) -> varchar: {name}({0}, E' \\t\\n\\r\\f\\v')
lpad(varchar, bigint, varchar) -> varchar: trino_pad({0}, {1}, {2}, true)
rpad(varchar, bigint, varchar) -> varchar: trino_pad({0}, {1}, {2}, false)
starts_with(varchar, varchar) -> boolean: starts_with({0}, {1})
to_utf8(varchar) -> varbinary: encode({0})
to_hex(varbinary) -> varchar: hex({0})
to_base64(varbinary) -> varchar: base64({0})
md5, sha1, sha256(varbinary) -> varbinary: unhex({name}({0}))
regexp_like(varchar, pattern) -> boolean: trino_regexp_like({0}, {1})
regexp_extract(varchar, pattern) -> varchar: trino_regexp_extract({0}, {1}, 0)
regexp_extract(varchar, pattern, bigint) -> varchar: trino_regexp_extract({0}, {1}, {2})
regexp_replace(varchar, pattern) -> varchar: trino_regexp_replace({0}, {1}, '')
regexp_replace(varchar, pattern, replacement) -> varchar: trino_regexp_replace({0}, {1}, {2})

-- numbers and conditions
abs(N) -> N: CAST(abs({0}) AS {N})
sign(I) -> I: CAST(sign({0}) AS {I})
round, ceil, ceiling, floor(I) -> I: {0}
round(F) -> F: CASE WHEN {0} = 0 THEN CAST(0 AS DOUBLE) ELSE round({0}) END
round(F, integer) -> F: CASE WHEN isfinite({0}) THEN round({0}, {1}) ELSE {0} END
ceil, ceiling, floor(F) -> F: {name}({0})
truncate(F) -> F: trunc({0})
sqrt, exp, ln, log2, log10, sin, cos, tan, asin, acos, atan, radians, degrees(double) -> double: {name}({0})
power, pow(double, double) -> double: pow({0}, {1})
atan2(double, double) -> double: atan2({0}, {1})
nan, infinity() -> double: CAST('{name}' AS DOUBLE)
is_nan(double) -> boolean: isnan({0})
is_finite(double) -> boolean: isfinite({0})
greatest, least(F...) -> F: trino_{name}_number([{args}])
greatest, least(O...) -> O: trino_{name}([{args}])

-- JSON; a text is JSON or not, JSON is its text
json_parse(varchar) -> json: trino_json_parse({0})
json_format(json) -> varchar: {0}
json_array_length(J) -> bigint: trino_json_array_length({0})
json_extract(J, path) -> json: trino_json_extract({0}, {1})
json_extract_scalar(J, path) -> varchar: trino_json_extract_scalar({0}, {1})
json_size(J, path) -> bigint: trino_json_size({0}, {1})
json_value, json_query(varchar, sqlpath) -> varchar: trino_{name}({0}, {1})
json_exists(varchar, sqlpath) -> boolean: trino_json_exists({0}, {1})

-- times
year, month, quarter, day, hour, minute, second(D) -> bigint: {name}({0.local})
week, week_of_year(D) -> bigint: week({0.local})
day_of_month(D) -> bigint: day({0.local})
day_of_week, dow(D) -> bigint: isodow({0.local})
day_of_year, doy(D) -> bigint: dayofyear({0.local})
year_of_week, yow(D) -> bigint: isoyear({0.local})
millisecond(D) -> bigint: (epoch_ms({0.local}) % 1000 + 1000) % 1000
last_day_of_month(D) -> date: last_day({0.local})
date_format(D, mysql) -> varchar: strftime({0.local}, {1})
date_parse(varchar, mysqlread) -> timestamp: trino_parse_time({0}, {1})
date(varchar) -> date: trino_cast_date({0})
date(D) -> date: CAST({0.local} AS DATE)
now() -> timestamp with time zone: date_trunc('milliseconds', timezone('UTC', now()))
from_iso8601_timestamp(varchar) -> timestamp with time zone: trino_iso_utc({0})
from_unixtime(double) -> timestamp with time zone: make_timestamp(CAST(round({0} * 1000) AS BIGINT) * 1000)
to_unixtime(D) -> double: (epoch_ms(CAST({0} AS TIMESTAMP)) / CAST(1000 AS DOUBLE))
to_milliseconds(interval day to second) -> bigint: {0}
current_timezone() -> varchar: 'UTC'

-- arrays and maps
cardinality(array(T)) -> bigint: len({0})
cardinality(map(K, V)) -> bigint: CAST(cardinality({0}) AS BIGINT)
element_at(array(T), bigint) -> T: trino_element({0}, {1})
element_at(map(K, V), K) -> V: trino_map_value({0}, {1})
contains(array(E), E) -> boolean: trino_contains({0}, {1})
array_position(array(E), E) -> bigint: trino_position({0}, {1})
array_distinct(array(E)) -> array(E): trino_distinct({0})
array_sort(array(O)) -> array(O): list_sort({0}, 'ASC', 'NULLS LAST')
array_max(array(O)) -> O: trino_greatest({0})
array_min(array(O)) -> O: trino_least({0})
array_join(array(T), varchar) -> varchar: trino_join({0.texts}, {1})
flatten(array(array(T))) -> array(T): flatten({0})
slice(array(T), bigint, bigint) -> array(T): trino_slice({0}, {1}, {2})
sequence(bigint, bigint) -> array(bigint): trino_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)
sequence(bigint, bigint, bigint) -> array(bigint): trino_sequence({0}, {1}, {2})
sequence(date, date) -> array(date): CAST(trino_sequence_days(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP), CASE WHEN {0} <= {1} THEN 86400000 ELSE -86400000 END) AS DATE[])
sequence(P, P, interval day to second) -> array(P): CAST(trino_sequence_days(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP), {2}) AS {P}[])
transform(array(T), function(T, R)) -> array(R): list_transform({0}, {1})
filter(array(T), function(T, boolean)) -> array(T): list_filter({0}, {1})
any_match(array(T), function(T, boolean)) -> boolean: trino_any(list_transform({0}, {1}))
none_match(array(T), function(T, boolean)) -> boolean: NOT trino_any(list_transform({0}, {1}))
map(array(K), array(V)) -> map(K, V): trino_map({0}, {1})
map_keys(map(K, V)) -> array(K): map_keys({0})
map_values(map(K, V)) -> array(V): map_values({0})
"""

AGGREGATES = """
count() -> bigint: count(*){over}
count(T) -> bigint: count({distinct}{0}){over}
sum(bigint) -> bigint: CAST(sum({distinct}{0}){over} AS BIGINT)
sum(decimal(p, s)) -> decimal(38, s): sum({distinct}CAST({0} AS DECIMAL(38,{s}))){over}
avg(decimal(p, s)) -> decimal(p, s): CAST(trino_average(sum({distinct}CAST({0} AS DECIMAL(38,{s}))){over}, count({distinct}{0}){over}, {s}) AS DECIMAL({p},{s}))
sum, avg(double) -> double: {name}({distinct}{0}){over}
min, max(F) -> F: coalesce({name}({distinct}CASE WHEN NOT isnan({0}) THEN {0} END){over}, {name}({0}){over})
min, max(O) -> O: {name}({distinct}{0}){over}
max_by(T, O) -> T: arg_max_null({0}, {1}){over}
min_by(T, O) -> T: arg_min_null({0}, {1}){over}
count_if(boolean) -> bigint: count(CASE WHEN {0} THEN 1 END){over}
bool_and, every(boolean) -> boolean: bool_and({0}){over}
bool_or(boolean) -> boolean: bool_or({0}){over}
arbitrary, any_value(T) -> T: any_value({0}){over}
array_agg(T) -> array(T): list({distinct}{0}{order}){over}
approx_distinct(T) -> bigint: count(DISTINCT {0}){over}
approx_percentile(bigint, share) -> bigint: trino_percentile(list({0}){over}, {1})
approx_percentile(F, share) -> F: trino_percentile(list({0}){over}, {1})
stddev, stddev_samp, stddev_pop, variance, var_samp, var_pop(double) -> double: {name}({0}){over}
"""

WINDOWS = """
row_number, rank, dense_rank() -> bigint: {name}(){over}
percent_rank, cume_dist() -> double: {name}(){over}
ntile(bigint) -> bigint: ntile({0}){over}
lag, lead, first_value, last_value(T) -> T: {name}({0}{nulls}){over}
lag, lead(T, bigint) -> T: {name}({0}, {1}{nulls}){over}
lag, lead(T, bigint, T) -> T: {name}({0}, {1}, {2}{nulls}){over}
"""
