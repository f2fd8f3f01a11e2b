-- What Trino's functions are in DuckDB; what SQL cannot say is in functions.py.

CREATE MACRO trino_error(message) AS CAST(message AS INTEGER);
CREATE MACRO trino_date(d) AS CASE WHEN year(d) BETWEEN 1 AND 9999 OR d IS NULL THEN d
  ELSE d + trino_error('NOT_SUPPORTED: This local Athena does not support dates before 1 or after 9999') END;
CREATE MACRO trino_whole_months(a, b) AS (year(b) - year(a)) * 12 + month(b) - month(a)
  - CASE WHEN a + to_months(CAST((year(b) - year(a)) * 12 + month(b) - month(a) AS INTEGER)) > b THEN 1 ELSE 0 END;
CREATE MACRO trino_months(a, b) AS CAST(CASE WHEN b >= a THEN trino_whole_months(a, b)
  ELSE -trino_whole_months(b, a) END AS BIGINT);
CREATE MACRO trino_timestamp_text(t, n) AS
  CASE WHEN n = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S')
  ELSE left(strftime(t, '%Y-%m-%d %H:%M:%S.%f'), 20 + n) END;
CREATE MACRO trino_round_ms(t, step) AS
  make_timestamp(CAST(floor((epoch_us(t) + step / 2) / step) AS BIGINT) * step);
CREATE MACRO trino_subscript(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
  WHEN i < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
  WHEN i > len(a) THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than '
    || 'or equal to array length: ' || i || ' > ' || len(a))
  ELSE i END);
CREATE MACRO trino_element(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE i END);
CREATE MACRO trino_key(m, k) AS list_extract(map_values(m), CASE
  WHEN list_contains(map_keys(m), k) THEN list_position(map_keys(m), k)
  WHEN m IS NULL OR k IS NULL THEN NULL
  ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || CAST(k AS VARCHAR)) END);
CREATE MACRO trino_map_value(m, k) AS
  list_extract(map_values(m), list_position(map_keys(m), k));
CREATE MACRO trino_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
  WHEN list_contains(a, x) THEN true
  WHEN len(a) <> list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_map(k, v) AS CASE WHEN k IS NULL OR v IS NULL THEN NULL
  WHEN len(k) <> len(v)
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length')]))
  WHEN len(k) <> list_count(k)
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: map key cannot be null')]))
  WHEN len(k) <> len(list_distinct(k))
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed')]))
  ELSE map(k, v) END;
CREATE MACRO trino_distinct(a) AS list_filter(a, lambda "$x", "$i":
  CASE WHEN "$x" IS NULL THEN list_count(a[1:"$i" - 1]) = "$i" - 1 ELSE list_position(a, "$x") = "$i" END);
CREATE MACRO trino_greatest(a) AS CASE WHEN len(a) = list_count(a) THEN list_max(a) END;
CREATE MACRO trino_least(a) AS CASE WHEN len(a) = list_count(a) THEN list_min(a) END;
CREATE MACRO trino_greatest_number(a) AS CASE WHEN len(a) = list_count(a)
  THEN coalesce(list_max(list_filter(a, lambda "$x": NOT isnan("$x"))), list_max(a)) END;
CREATE MACRO trino_least_number(a) AS CASE WHEN len(a) = list_count(a)
  THEN coalesce(list_min(list_filter(a, lambda "$x": NOT isnan("$x"))), list_min(a)) END;
CREATE MACRO trino_slice(a, s, n) AS CASE
  WHEN s = 0 THEN a[trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'):1]
  WHEN n < 0 THEN a[trino_error('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0'):1]
  WHEN s > 0 THEN a[s:s + n - 1]
  WHEN len(a) + s < 0 THEN a[1:0]
  ELSE a[len(a) + s + 1:len(a) + s + n] END;
CREATE MACRO trino_substr(s, start, n) AS CASE
  WHEN s IS NULL OR start IS NULL OR n IS NULL THEN NULL
  WHEN start = 0 OR start < -length(s) OR n <= 0 THEN '' ELSE substr(s, start, n) END;
CREATE MACRO trino_average(total, n, scale) AS trino_divide(
  replace(CAST(total AS VARCHAR), '.', ''), CAST(nullif(n, 0) AS VARCHAR), 0, scale);
CREATE MACRO trino_position(a, x) AS CASE WHEN a IS NOT NULL AND x IS NOT NULL
  THEN CAST(coalesce(list_position(a, x), 0) AS BIGINT) END;
CREATE MACRO trino_any(a) AS CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, true) THEN true
  WHEN len(a) <> list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_join(a, separator) AS CASE WHEN a IS NOT NULL AND separator IS NOT NULL
  THEN coalesce(array_to_string(a, separator), '') END;
CREATE MACRO trino_step(a, b, step) AS
  CASE WHEN step = 0 OR (step > 0 AND a > b) OR (step < 0 AND a < b) THEN trino_error(
    'INVALID_FUNCTION_ARGUMENT: sequence step must not be zero, and not lead away from the stop')
  ELSE step END;
CREATE MACRO trino_sequence(a, b, step) AS
  generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CAST(trino_step(a, b, step) AS BIGINT));
CREATE MACRO trino_sequence_days(a, b, step) AS list_transform(
  range(CAST((epoch_ms(b) - epoch_ms(a)) // trino_step(a, b, step) + 1 AS BIGINT)),
  lambda "$i": a + to_milliseconds("$i" * step));
CREATE MACRO trino_nth(a, share) AS
  list_extract(a, least(CAST(floor(share * len(a)) AS BIGINT) + 1, len(a)));
CREATE MACRO trino_percentile(a, share) AS
  trino_nth(list_sort(list_filter(a, lambda "$x": "$x" IS NOT NULL)), share);
