-- Trino's functions where DuckDB has none of that name or meaning.
--
-- A name of Trino's that sqlglot hands on as it is (regexp_count) is defined under that name; what it
-- would turn into something else is renamed to trino_... in rewrites.py. A cast that must fail raises
-- the error (trino_error): error() itself is volatile, which TRY does not take.

CREATE MACRO trino_error(message) AS CAST(message AS INTEGER);
CREATE MACRO trino_round_div(n, d) AS
  CASE WHEN (n < 0) <> (d < 0) THEN -1 ELSE 1 END * ((2 * abs(n) + abs(d)) // (2 * abs(d)));
CREATE MACRO trino_div(a BIGINT, b BIGINT) AS a // b, (a DOUBLE, b DOUBLE) AS a / b;
CREATE MACRO trino_float_text(f) AS trino_double_text(CAST(CAST(f AS VARCHAR) AS DOUBLE));
CREATE MACRO trino_fraction_text(d) AS regexp_replace(CAST(d AS VARCHAR), '^(-?)\.', '\10.');
CREATE MACRO trino_timestamp_text(t) AS strftime(t, '%Y-%m-%d %H:%M:%S.%g');
CREATE MACRO trino_zoned_text(t) AS strftime(t AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g UTC');
CREATE MACRO trino_time_text(t) AS left(CAST(t AS VARCHAR) || if(contains(CAST(t AS VARCHAR), '.'), '000', '.000'), 12);
CREATE MACRO trino_binary_text(b) AS trim(regexp_replace(lower(hex(b)), '(..)', '\1 ', 'g'));
CREATE MACRO trino_zoned(t, z) AS strftime(t AT TIME ZONE z, '%Y-%m-%d %H:%M:%S.%g ') || z;
CREATE MACRO trino_typeof(x, name) AS CASE WHEN x IS NULL THEN name ELSE name END;
CREATE MACRO trino_now() AS date_trunc('milliseconds', now());
CREATE MACRO trino_to_integer(t, kind) AS CASE WHEN regexp_full_match(t, '[+-]?[0-9]+') THEN t
  ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Cannot cast ''' || t || ''' to ' || kind) AS VARCHAR) END;
CREATE MACRO trino_to_date(t) AS CASE WHEN regexp_full_match(trim(t), '[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}') THEN t
  ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || t) AS VARCHAR) END;
CREATE MACRO trino_to_timestamp(t) AS CASE WHEN regexp_full_match(trim(t),
    '[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?( ?[A-Za-z+-].*)?)?')
  THEN t ELSE CAST(trino_error('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: ' || t) AS VARCHAR) END;
CREATE MACRO trino_iso_timestamp(t) AS CASE WHEN regexp_full_match(t,
    '[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T([0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?')
  THEN date_trunc('milliseconds', CAST(CASE length(t) WHEN 4 THEN t || '-01-01' WHEN 7 THEN t || '-01'
    ELSE regexp_replace(rtrim(t, 'T'), 'T([0-9]{2})(Z|[+-]|$)', 'T\1:00\2') END AS TIMESTAMP WITH TIME ZONE))
  ELSE CAST(CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || t || '"') AS VARCHAR) AS TIMESTAMP WITH TIME ZONE) END;
CREATE MACRO trino_subscript(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
  WHEN i < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
  WHEN i > len(a) THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a))
  ELSE i END);
CREATE MACRO trino_key(m, k) AS list_extract(map_values(m), CASE WHEN list_contains(map_keys(m), k) THEN list_position(map_keys(m), k)
  ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k) END);
CREATE MACRO trino_json_path(p) AS if(p LIKE '$%', p, '$.' || p);
CREATE MACRO trino_json_scalar(j, p) AS CASE WHEN NOT json_valid(CAST(j AS VARCHAR)) THEN NULL
  WHEN regexp_matches(CAST(j AS VARCHAR), '[0-9][.eE][0-9+-]|[0-9]{16}') THEN trino_json_exact(CAST(j AS VARCHAR), p)
  WHEN json_type(CAST(j AS VARCHAR), trino_json_path(p)) IN ('OBJECT', 'ARRAY') THEN NULL
  ELSE json_extract_string(CAST(j AS VARCHAR), trino_json_path(p)) END;
CREATE MACRO trino_json_extract(j, p) AS CASE WHEN json_valid(CAST(j AS VARCHAR))
  THEN json_extract(CAST(j AS VARCHAR), trino_json_path(p)) END;
CREATE MACRO trino_json_parse(t) AS CAST(CASE WHEN t IS NULL OR json_valid(t) THEN t
  ELSE CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''' || t || '''') AS VARCHAR) END AS JSON);
CREATE MACRO json_format(j) AS trino_json_compact(CAST(j AS VARCHAR));
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) AND json_type(CAST(j AS VARCHAR)) = 'ARRAY'
  THEN CAST(json_array_length(CAST(j AS VARCHAR)) AS BIGINT) END;
CREATE MACRO json_size(j, p) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN CASE json_type(CAST(j AS VARCHAR), p)
  WHEN 'ARRAY' THEN CAST(json_array_length(CAST(j AS VARCHAR), p) AS BIGINT)
  WHEN 'OBJECT' THEN CAST(len(json_keys(CAST(j AS VARCHAR), p)) AS BIGINT) ELSE CAST(0 AS BIGINT) END END;
CREATE MACRO json_array_get(j, i) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN json_extract(CAST(j AS VARCHAR), '$[' || if(i < 0, '#' || i, CAST(i AS VARCHAR)) || ']') END;
CREATE MACRO json_array_contains(j, x) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN json_contains(CAST(j AS VARCHAR), CAST(to_json(x) AS VARCHAR)) END;
CREATE MACRO is_json_scalar(j) AS json_type(CAST(j AS VARCHAR)) NOT IN ('OBJECT', 'ARRAY');
CREATE MACRO trino_regexp_extract(s, p, g := 0) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
CREATE MACRO trino_regexp_replace(s, p, r := '') AS regexp_replace(s, p, regexp_replace(r, '\$([0-9])', '\\\1', 'g'), 'g');
CREATE MACRO trino_split_part(s, d, i) AS CASE WHEN i < 1 THEN CAST(trino_error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') AS VARCHAR)
  WHEN i > len(str_split(s, d)) THEN NULL ELSE split_part(s, d, i) END;
CREATE MACRO trino_split(s, d, n := NULL) AS CASE WHEN n IS NULL OR len(str_split(s, d)) <= n THEN str_split(s, d)
  ELSE list_append(str_split(s, d)[1:n - 1], array_to_string(str_split(s, d)[n:], d)) END;
CREATE MACRO split_to_map(s, e, k) AS map_from_entries(list_transform(list_filter(str_split(s, e), lambda x: x <> ''),
  lambda x: struct_pack(k := split_part(x, k, 1), v := split_part(x, k, 2))));
CREATE MACRO trino_replace(s, a, b := '') AS replace(s, a, b);
CREATE MACRO trino_substr(s, i, n := NULL) AS CASE WHEN i = 0 OR abs(i) > length(s) OR n <= 0 THEN if(s IS NULL OR i IS NULL, NULL, '')
  WHEN n IS NULL THEN substr(s, i) ELSE substr(s, i, n) END;
CREATE MACRO trino_contains(a, x) AS list_contains(a, x);
CREATE MACRO codepoint(s) AS unicode(s);
CREATE MACRO trino_sha1(b) AS unhex(sha1(b));
CREATE MACRO trino_from_base64(s) AS from_base64(s);
CREATE MACRO hamming_distance(a, b) AS hamming(a, b);
CREATE MACRO infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO e() AS exp(CAST(1 AS DOUBLE));
CREATE MACRO is_nan(x) AS isnan(CAST(x AS DOUBLE));
CREATE MACRO is_finite(x) AS isfinite(CAST(x AS DOUBLE));
CREATE MACRO is_infinite(x) AS isinf(CAST(x AS DOUBLE));
CREATE MACRO width_bucket(x, lo, hi, n) AS CAST(CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1 ELSE floor((x - lo) / (CAST(hi - lo AS DOUBLE) / n)) + 1 END AS BIGINT);
CREATE MACRO from_base(s, r) AS list_reduce(list_transform(str_split(lower(s), ''), lambda c: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS BIGINT)), lambda a, c: a * r + c);
CREATE MACRO to_base(n, r) AS CASE WHEN r = 2 THEN bin(n) WHEN r = 16 THEN lower(hex(n)) WHEN r = 10 THEN CAST(n AS VARCHAR) ELSE CAST(trino_error('NOT_SUPPORTED: to_base knows 2, 10 and 16 here') AS VARCHAR) END;
CREATE MACRO bitwise_not(x) AS ~CAST(x AS BIGINT);
CREATE MACRO bitwise_left_shift(x, n) AS CAST(x AS BIGINT) << n;
CREATE MACRO bitwise_right_shift(x, n) AS CAST(x AS BIGINT) >> n;
CREATE MACRO trino_entry(k, v) AS struct_pack(k := k, v := v);
CREATE MACRO trino_map_first(l) AS map_from_entries(list_filter(l, lambda x, i: x.k IS NOT NULL AND list_position(list_transform(l, lambda y: y.k), x.k) = i));
CREATE MACRO trino_multimap(l) AS map_from_entries(list_transform(list_distinct(list_transform(l, lambda y: y.k)),
  lambda k1: struct_pack(k := k1, v := list_transform(list_filter(l, lambda y: y.k = k1), lambda y: y.v))));
CREATE MACRO map_union(m) AS trino_map_first(flatten(list(list_transform(map_entries(m), lambda x: struct_pack(k := x.key, v := x.value)))));
CREATE MACRO every(x) AS bool_and(x);
CREATE MACRO trino_array_position(a, x) AS CAST(coalesce(list_position(a, x), 0) AS BIGINT);
CREATE MACRO array_remove(a, x) AS list_filter(a, lambda y: y <> x);
CREATE MACRO trino_array_max(a) AS CASE WHEN list_contains(list_transform(a, lambda x: x IS NULL), true) THEN NULL ELSE list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN list_contains(list_transform(a, lambda x: x IS NULL), true) THEN NULL ELSE list_min(a) END;
CREATE MACRO trino_array_sort(a) AS list_sort(a, 'ASC', 'NULLS LAST');
CREATE MACRO array_union(a, b) AS list_distinct(list_concat(a, b));
CREATE MACRO array_except(a, b) AS list_filter(list_distinct(a), lambda x: NOT list_contains(b, x));
CREATE MACRO trino_array_distinct(a) AS list_filter(a, lambda x, i: list_position(a, x) = i);
CREATE MACRO trino_array_join(a, d, n := NULL) AS array_to_string(list_filter(list_transform(a, lambda x: coalesce(CAST(x AS VARCHAR), n)), lambda x: x IS NOT NULL), d);
CREATE MACRO trino_repeat(x, n) AS list_transform(generate_series(1, n), lambda i: x);
CREATE MACRO trino_slice(a, s, n) AS CASE WHEN s > 0 THEN a[s:s + n - 1] ELSE a[len(a) + s + 1:len(a) + s + n] END;
CREATE MACRO trino_millisecond(t) AS CAST(extract('milliseconds' FROM t) % 1000 AS BIGINT);
CREATE MACRO to_iso8601(d DATE) AS CAST(d AS VARCHAR), (t TIMESTAMP) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%g'),
  (t TIMESTAMP WITH TIME ZONE) AS strftime(t AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ');
CREATE MACRO to_unixtime(t) AS CAST(epoch(t) AS DOUBLE);
CREATE MACRO trino_from_unixtime(s) AS date_trunc('milliseconds', to_timestamp(CAST(s AS DOUBLE)));
CREATE MACRO trino_to_milliseconds(i) AS CAST(epoch(i) * 1000 AS BIGINT);
CREATE MACRO yow(t) AS isoyear(t);
CREATE MACRO current_timezone() AS 'UTC';
