-- Aggregates: NULLs, empty input, FILTER, DISTINCT, ORDER BY.
-- FROM (VALUES ('a', 1, 1.50, 1e0), ('a', 2, 2.25, 2.5e0), ('b', 3, NULL, NULL), ('b', NULL, 4.00, -1e0), (NULL, 3, 0.25, 3e0)) AS t(k, n, d, f)
count(*)
count(n)
count(1)
count(NULL)
count()
count(DISTINCT k)
count(DISTINCT n)
count(k, n)  -- refused: count(varchar, integer)
count(DISTINCT (k, n))
sum(n)
sum(d)
sum(f)
sum(DISTINCT n)
sum(CAST(n AS bigint))
sum(CAST(n AS real))  -- refused: CAST from integer to real
sum(k)  -- refused: sum(varchar)
sum(n * d)
avg(n)
avg(d)
avg(f)
avg(DISTINCT n)
avg(CAST(n AS real))  -- refused: CAST from integer to real
avg(n) FILTER (WHERE k = 'a')
avg(d) FILTER (WHERE k = 'a')
min(n)
min(k)
min(d)
max(f)
max(k)
max(date '2026-11-01')
min(n, 2)  -- refused: min(integer, integer)
max(n, 2)  -- refused: max(integer, integer)
max(DISTINCT n)
max_by(k, d)
max_by(n, d)
min_by(n, d)
min_by(k, n)
max_by(k, n, 2)  -- refused: max_by(varchar, integer, integer)
min_by(k, n, 2)  -- refused: min_by(varchar, integer, integer)
max_by(d, f)  -- refused: max_by(decimal(3,2), double)
max_by(k, k)
count_if(n > 1)
count_if(NULL)
bool_and(n > 0)
bool_or(n > 2)
every(n > 1)
bool_and(NULL)
arbitrary(k) FILTER (WHERE k = 'b')
any_value(k) FILTER (WHERE k = 'b')
any_value(d) FILTER (WHERE d IS NULL)
array_agg(n ORDER BY n)
array_agg(n ORDER BY n DESC)
array_agg(n ORDER BY n DESC NULLS LAST)
array_agg(n ORDER BY n NULLS FIRST)
array_agg(DISTINCT k ORDER BY k)
array_agg(k ORDER BY n, d)
array_agg(n ORDER BY n) FILTER (WHERE n > 1)
array_agg(n) FILTER (WHERE n > 9)
cardinality(array_agg(n))
array_join(array_agg(k ORDER BY k, n), ',')
listagg(k, ',') WITHIN GROUP (ORDER BY k)  -- refused: LISTAGG(k, ',') WITHIN GROUP (ORDER BY k)
listagg(k, ',') WITHIN GROUP (ORDER BY n DESC, k)  -- refused: WithinGroup
listagg(k) WITHIN GROUP (ORDER BY k)  -- refused: LISTAGG(k) WITHIN GROUP (ORDER BY k)
listagg(DISTINCT k, ',') WITHIN GROUP (ORDER BY k)  -- refused: WithinGroup
listagg(k, ',') WITHIN GROUP (ORDER BY k) FILTER (WHERE n > 9)  -- refused: LISTAGG(k, ',') WITHIN GROUP (ORDER BY k)
listagg(n, ',') WITHIN GROUP (ORDER BY n)  -- refused: LISTAGG(n, ',') WITHIN GROUP (ORDER BY n)
string_agg(k, ',')
group_concat(k)
approx_distinct(k)
approx_distinct(n)
approx_percentile(f, 0.5)
approx_percentile(n, 0.5)
approx_percentile(n, 0)
approx_percentile(n, 1)
approx_percentile(n, ARRAY[0, 1])  -- refused: approx_percentile(integer, array(integer))
approx_percentile(f, 1.5)
approx_percentile(n, 0.5) FILTER (WHERE n > 9)
stddev(n)
stddev(f)
stddev_pop(n)
stddev_samp(n)
variance(n)
var_pop(n)
var_samp(n)
var_samp(n) FILTER (WHERE n = 1)
stddev(n) FILTER (WHERE n = 1)
var_pop(n) FILTER (WHERE n = 1)
corr(n, f)  -- refused: the function corr
covar_pop(n, f)  -- refused: the function covar_pop
covar_samp(n, f)  -- refused: the function covar_samp
regr_slope(n, f)  -- refused: the function regr_slope
regr_intercept(n, f)  -- refused: the function regr_intercept
skewness(f)  -- refused: the function skewness
kurtosis(f)  -- refused: the function kurtosis
geometric_mean(n)  -- refused: the function geometric_mean
checksum(n)  -- refused: the function checksum
entropy(n)
map_agg(k, n) FILTER (WHERE n IN (1, 3) AND k IS NOT NULL)  -- refused: the function map_agg
cardinality(map_agg(k, n))  -- refused: the function map_agg
element_at(map_agg(k, d), 'a')  -- refused: the function map_agg
map_agg(k, n) FILTER (WHERE n > 9)  -- refused: the function map_agg
multimap_agg(k, n) FILTER (WHERE k = 'a')  -- refused: the function multimap_agg
cardinality(multimap_agg(k, n))  -- refused: the function multimap_agg
histogram(k) FILTER (WHERE k = 'a')  -- refused: the function histogram
cardinality(histogram(k))  -- refused: the function histogram
element_at(histogram(n), 3)  -- refused: the function histogram
histogram(n) FILTER (WHERE n > 9)  -- refused: the function histogram
map_union(map(ARRAY[k], ARRAY[n])) FILTER (WHERE k = 'b')  -- refused: the function map_union
reduce_agg(n, 0, (a, b) -> a + b, (a, b) -> a + b)  -- refused: the function reduce_agg
numeric_histogram(2, f)  -- refused: the function numeric_histogram
bitwise_and_agg(n)  -- refused: the function bitwise_and_agg
merge(approx_set(n))  -- refused: the function merge
count(*) FILTER (WHERE k = 'a')
count(*) FILTER (WHERE NULL)
sum(n) FILTER (WHERE k = 'zzz')
sum(d) FILTER (WHERE d > 99)
max(n) FILTER (WHERE n > 99)
sum(n) + count(*)
sum(n) / count(n)
CAST(sum(n) AS double) / count(*)
coalesce(sum(n) FILTER (WHERE n > 99), 0)
round(avg(n), 2)
round(avg(d), 1)
sum(if(k = 'a', n, 0))
sum(CASE WHEN k = 'a' THEN d END)
max(n) - min(n)
sum(sum(n))
grouping(k)  -- refused: the function grouping
SELECT k, count(*) FROM (VALUES ('a', 1), ('b', 2), (NULL, 3), (NULL, 4)) AS t(k, n) GROUP BY k
SELECT k, sum(n) AS s FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, n) GROUP BY k HAVING sum(n) > 2
SELECT k, sum(n) AS s FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, n) GROUP BY 1 ORDER BY 2 DESC
SELECT k, sum(n) AS s FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, n) GROUP BY k ORDER BY s
SELECT k, sum(n) AS s FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, n) GROUP BY k HAVING s > 2
SELECT upper(k) AS u, sum(n) FROM (VALUES ('a', 1), ('A', 2)) AS t(k, n) GROUP BY upper(k)
SELECT upper(k) AS u, sum(n) FROM (VALUES ('a', 1), ('A', 2)) AS t(k, n) GROUP BY u
SELECT upper(k) AS u, sum(n) FROM (VALUES ('a', 1), ('A', 2)) AS t(k, n) GROUP BY 1
SELECT k, n FROM (VALUES ('a', 1)) AS t(k, n) GROUP BY k
SELECT k, sum(n) FROM (VALUES ('a', 1)) AS t(k, n)
SELECT k, sum(n) FROM (VALUES ('a', 1)) AS t(k, n) GROUP BY ALL  -- refused: ALL here
SELECT k, sum(n) FROM (VALUES ('a', 1)) AS t(k, n) GROUP BY 3
SELECT n + 1, count(*) FROM (VALUES ('a', 1), ('b', 1)) AS t(k, n) GROUP BY n
SELECT n + 1, count(*) FROM (VALUES ('a', 1), ('b', 1)) AS t(k, n) GROUP BY n + 1
SELECT n + 2, count(*) FROM (VALUES ('a', 1), ('b', 1)) AS t(k, n) GROUP BY n + 1
SELECT count(*) FROM (VALUES ('a', 1), ('b', 1)) AS t(k, n) GROUP BY ()  -- refused: GROUP BY of columns in brackets
SELECT k, n, sum(v) FROM (VALUES ('a', 1, 10), ('a', 2, 20), ('b', 1, 30)) AS t(k, n, v) GROUP BY ROLLUP (k, n)  -- refused: ROLLUP (k, n)
SELECT k, n, sum(v) FROM (VALUES ('a', 1, 10), ('a', 2, 20), ('b', 1, 30)) AS t(k, n, v) GROUP BY CUBE (k, n)  -- refused: CUBE (k, n)
SELECT k, n, sum(v) FROM (VALUES ('a', 1, 10), ('a', 2, 20), ('b', 1, 30)) AS t(k, n, v) GROUP BY GROUPING SETS ((k), (n), ())  -- refused: GROUPING SETS ((k), (n), ())
SELECT k, grouping(k), sum(v) FROM (VALUES ('a', 1, 10), ('a', 2, 20), ('b', 1, 30)) AS t(k, n, v) GROUP BY ROLLUP (k)  -- refused: the function grouping
SELECT sum(n), count(*), max(n), avg(n), array_agg(n), count_if(n > 0), bool_or(n > 0) FROM (VALUES 1) AS t(n) WHERE n > 5
SELECT k, count(*) FROM (VALUES ('a', 1)) AS t(k, n) WHERE n > 5 GROUP BY k
SELECT count(*) FROM (VALUES ('a', 1)) AS t(k, n) HAVING count(*) > 5
SELECT DISTINCT k FROM (VALUES ('a', 1), ('a', 2), (NULL, 3), (NULL, 4)) AS t(k, n)
SELECT DISTINCT k, count(*) FROM (VALUES ('a', 1), ('b', 2)) AS t(k, n) GROUP BY k
SELECT max(ts) FROM (VALUES timestamp '2026-11-21 00:00:00', timestamp '2026-11-22 00:00:00') AS t(ts)
SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS t(x)
SELECT sum(x) FROM (VALUES CAST(2147483647 AS integer), 1) AS t(x)
SELECT avg(x) FROM (VALUES 9223372036854775807, 9223372036854775807) AS t(x)
SELECT sum(interval '1' day) FROM (VALUES 1, 2) AS t(x)  -- refused: sum(interval day to second)
SELECT max_by(k, n) FROM (VALUES ('a', 1), (NULL, 2)) AS t(k, n)
SELECT max_by(k, n) FROM (VALUES ('a', 1), ('b', NULL)) AS t(k, n)
SELECT approx_percentile(x, 0.5), approx_percentile(x, 0.9), approx_percentile(x, 0.99) FROM UNNEST(sequence(1, 100)) AS t(x)
SELECT approx_percentile(x, ARRAY[0.25, 0.5, 0.75]) FROM UNNEST(sequence(1, 100)) AS t(x)  -- refused: approx_percentile(bigint, array(decimal(2,2)))
SELECT approx_percentile(CAST(x AS double), 0.25) FROM UNNEST(sequence(1, 4)) AS t(x)
SELECT k, array_agg(n ORDER BY n) FROM (VALUES ('a', 2), ('a', 1), ('b', 3)) AS t(k, n) GROUP BY k
SELECT k, listagg(CAST(n AS varchar), '/') WITHIN GROUP (ORDER BY n) FROM (VALUES ('a', 2), ('a', 1), ('b', 3)) AS t(k, n) GROUP BY k  -- refused: WithinGroup
SELECT k, max_by(n, n), min_by(n, n) FROM (VALUES ('a', 2), ('a', 1), ('b', 3)) AS t(k, n) GROUP BY k
SELECT count(DISTINCT k), count(DISTINCT n) FROM (VALUES ('a', 2), ('a', 1), ('b', 1)) AS t(k, n)
SELECT count(DISTINCT k) FILTER (WHERE n > 1) FROM (VALUES ('a', 2), ('a', 1), ('b', 1)) AS t(k, n)
count(DISTINCT k)
count_if(DISTINCT n > 1)  -- refused: DISTINCT of count_if
min(DISTINCT n)
max(DISTINCT f)
sum(DISTINCT n)
bool_or(DISTINCT n > 1)  -- refused: DISTINCT of bool_or
