-- Window functions and frames.
-- FROM (VALUES ('a', 1, 10.5), ('a', 2, 20.0), ('a', 2, NULL), ('b', 1, 5.0), ('b', NULL, 7.5), (NULL, 4, 1.0)) AS t(k, n, v)
k, n, row_number() OVER (PARTITION BY k ORDER BY n, v)
k, n, rank() OVER (PARTITION BY k ORDER BY n)
k, n, rank() OVER (ORDER BY n DESC)
k, n, dense_rank() OVER (ORDER BY k)
k, n, percent_rank() OVER (ORDER BY n)
k, n, cume_dist() OVER (ORDER BY n)
k, n, ntile(2) OVER (ORDER BY n, k, v)
k, n, ntile(4) OVER (ORDER BY n, k, v)
k, n, ntile(0) OVER (ORDER BY n)
k, n, v, lag(v) OVER (PARTITION BY k ORDER BY n, v)
k, n, v, lag(v, 2) OVER (ORDER BY k, n, v)
k, n, v, lag(v, 1, 0) OVER (ORDER BY k, n, v)
k, n, v, lag(v, 0) OVER (ORDER BY k, n, v)
k, n, v, lead(v) OVER (PARTITION BY k ORDER BY n, v)
k, n, v, lead(n, 1, -1) OVER (ORDER BY k, n, v)
k, n, v, lag(v) IGNORE NULLS OVER (ORDER BY k, n, v)
k, n, v, lead(v) RESPECT NULLS OVER (ORDER BY k, n, v)
k, n, v, first_value(v) OVER (PARTITION BY k ORDER BY n, v)
k, n, v, last_value(v) OVER (PARTITION BY k ORDER BY n, v)
k, n, v, last_value(v) OVER (PARTITION BY k ORDER BY n, v ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
k, n, v, last_value(v) IGNORE NULLS OVER (PARTITION BY k ORDER BY n, v ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
k, n, v, first_value(v) IGNORE NULLS OVER (ORDER BY k, n DESC, v ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
k, n, v, nth_value(v, 2) OVER (PARTITION BY k ORDER BY n, v)  -- refused: the function nth_value
k, n, v, nth_value(v, 2) OVER (PARTITION BY k ORDER BY n, v ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)  -- refused: the function nth_value
k, n, sum(n) OVER (PARTITION BY k)
k, n, sum(n) OVER (ORDER BY n)
k, n, sum(n) OVER (ORDER BY k, n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
k, n, v, sum(v) OVER (ORDER BY k, n, v ROWS 1 PRECEDING)
k, n, v, sum(n) OVER (ORDER BY k, n, v ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
k, n, v, sum(n) OVER (ORDER BY k, n, v ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING)
k, n, sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)  -- refused: a frame of this kind
k, n, sum(n) OVER (ORDER BY n RANGE UNBOUNDED PRECEDING)
k, n, sum(n) OVER (ORDER BY n GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)  -- refused: a frame of this kind
k, n, count(*) OVER ()
k, n, count(v) OVER (PARTITION BY k)
k, n, avg(n) OVER (PARTITION BY k)
k, n, avg(v) OVER (PARTITION BY k)
k, n, avg(v) OVER (ORDER BY k, n, v ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
k, n, min(v) OVER (PARTITION BY k), max(v) OVER (PARTITION BY k)
k, n, max(n) OVER (ORDER BY k NULLS FIRST)
k, n, count_if(n > 1) OVER (PARTITION BY k)
k, n, sum(n) FILTER (WHERE n > 1) OVER (PARTITION BY k)
k, n, max_by(n, v) OVER (PARTITION BY k)
k, n, array_agg(n) OVER (ORDER BY k, n, v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
k, n, bool_or(n > 1) OVER (PARTITION BY k)
k, n, stddev(n) OVER (PARTITION BY k)
k, n, count(DISTINCT n) OVER (PARTITION BY k)
k, n, v / sum(v) OVER (PARTITION BY k)
k, n, n - lag(n) OVER (ORDER BY k, n, v)
k, n, sum(n) OVER w FROM_NOTHING  -- refused: a window with a name
k, n, row_number() OVER (PARTITION BY k ORDER BY n, v) = 1
row_number()
lag(n)
sum(n) OVER (ORDER BY row_number() OVER ())
k, n, median(n) OVER ()
k, approx_distinct(n) OVER (PARTITION BY k)
SELECT k, n, sum(n) OVER w, rank() OVER w FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n) WINDOW w AS (PARTITION BY k ORDER BY n)  -- refused: WINDOWS here
SELECT k, sum(n), rank() OVER (ORDER BY sum(n) DESC) FROM (VALUES ('a', 1), ('a', 2), ('b', 2)) AS t(k, n) GROUP BY k
SELECT k, sum(sum(n)) OVER (ORDER BY k) FROM (VALUES ('a', 1), ('a', 2), ('b', 2)) AS t(k, n) GROUP BY k
SELECT * FROM (SELECT k, n, row_number() OVER (PARTITION BY k ORDER BY n DESC) AS r FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n)) AS x WHERE r = 1
SELECT k, n FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n) WHERE row_number() OVER (ORDER BY n) = 1
SELECT k, n FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n) QUALIFY row_number() OVER (PARTITION BY k ORDER BY n) = 1
SELECT ts, sum(n) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM (VALUES (timestamp '2026-11-21 10:00:00', 1), (timestamp '2026-11-21 10:30:00', 2), (timestamp '2026-11-21 11:15:00', 3)) AS t(ts, n)  -- refused: a frame of this kind
SELECT d, sum(n) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) FROM (VALUES (date '2026-11-21', 1), (date '2026-11-22', 2), (date '2026-11-24', 3)) AS t(d, n)  -- refused: a frame of this kind
SELECT DISTINCT k, count(*) OVER (PARTITION BY k) FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n)
SELECT k, n FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(k, n) ORDER BY row_number() OVER (ORDER BY n DESC)
