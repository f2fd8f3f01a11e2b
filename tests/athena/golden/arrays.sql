-- Arrays and lambdas.
ARRAY[1, 2, 3]
ARRAY[]
ARRAY[1, NULL]
ARRAY[1, 2.5]
ARRAY[1, 'a']
ARRAY['a', 'bc']
ARRAY[ARRAY[1], ARRAY[2, 3]]
ARRAY[1, 2, 3][2]
ARRAY[1, 2, 3][0]
ARRAY[1, 2, 3][4]
ARRAY[1, 2, 3][-1]
ARRAY[1, NULL][2]
ARRAY[1, 2][NULL]
element_at(ARRAY[1, 2], 1)
element_at(ARRAY[1, 2], 3)
element_at(ARRAY[1, 2], -1)
element_at(ARRAY[1, 2], -3)
element_at(ARRAY[1, 2], 0)
element_at(ARRAY[1, 2], NULL)
cardinality(ARRAY[1, 2, 3])
cardinality(ARRAY[])
cardinality(NULL)  -- refused: cardinality(unknown)
contains(ARRAY[1, 2], 2)
contains(ARRAY[1, 2], 3)
contains(ARRAY[1, NULL], 1)
contains(ARRAY[1, NULL], 3)
contains(ARRAY[1, 2], NULL)
contains(ARRAY[], 1)
contains(NULL, 1)  -- refused: contains(unknown, integer)
contains(ARRAY['a'], 'a')
contains(ARRAY[1.5], 1.50)
contains(ARRAY[nan()], nan())  -- refused: contains(array(double), double)
array_position(ARRAY['a', 'b'], 'b')
array_position(ARRAY['a', 'b'], 'z')
array_position(ARRAY['a', NULL], NULL)
array_position(ARRAY[1, 2, 1], 1)
array_position(ARRAY[1, 2, 1], 1, 2)  -- refused: array_position(array(integer), integer, integer)
array_remove(ARRAY[1, 2, 1], 1)  -- refused: the function array_remove
array_remove(ARRAY[1, NULL, 1], 1)  -- refused: the function array_remove
array_remove(ARRAY[1, NULL], NULL)  -- refused: the function array_remove
array_distinct(ARRAY[2, 1, 2])
array_distinct(ARRAY[2, NULL, 2, NULL])
array_distinct(ARRAY[])
array_sort(ARRAY[3, NULL, 1])
array_sort(ARRAY['b', 'B', 'a'])
array_sort(ARRAY[3, 1, 2], (x, y) -> if(x < y, 1, if(x = y, 0, -1)))  -- refused: array_sort(array(integer), function)
array_sort(ARRAY[nan(), 1e0])  -- refused: array_sort(array(double))
array_max(ARRAY[3, 1])
array_max(ARRAY[3, NULL])
array_max(ARRAY[])
array_max(ARRAY['a', 'b'])
array_min(ARRAY[3, 1])
array_min(ARRAY[NULL, 1])
array_max(ARRAY[nan(), 1e0])  -- refused: array_max(array(double))
array_join(ARRAY['a', NULL, 'b'], ',')
array_join(ARRAY['a', NULL, 'b'], ',', '?')  -- refused: array_join(array(varchar), varchar, varchar)
array_join(ARRAY[1, 2], '-')
array_join(ARRAY[1.5e0, 1e10], '-')
array_join(ARRAY[1.50, 2], '-')
array_join(ARRAY[true, NULL], '-')
array_join(ARRAY[date '2026-11-21'], '-')
array_join(ARRAY[], ',')
array_join(ARRAY['a'], NULL)
array_except(ARRAY[1, 2, 2, NULL], ARRAY[2])  -- refused: the function array_except
array_except(ARRAY[1, NULL], ARRAY[NULL, 3])  -- refused: the function array_except
array_intersect(ARRAY[1, 2, 2], ARRAY[2, 3])  -- refused: the function array_intersect
array_intersect(ARRAY[1, NULL], ARRAY[NULL, 1])  -- refused: the function array_intersect
array_union(ARRAY[1, 2, 1], ARRAY[2, 3])  -- refused: the function array_union
array_union(ARRAY[1, NULL], ARRAY[NULL])  -- refused: the function array_union
arrays_overlap(ARRAY[1, 2], ARRAY[2])  -- refused: the function arrays_overlap
arrays_overlap(ARRAY[1], ARRAY[2])  -- refused: the function arrays_overlap
arrays_overlap(ARRAY[1, NULL], ARRAY[2])  -- refused: the function arrays_overlap
arrays_overlap(ARRAY[1, NULL], ARRAY[1])  -- refused: the function arrays_overlap
arrays_overlap(ARRAY[], ARRAY[1])  -- refused: the function arrays_overlap
ARRAY[1] || ARRAY[2]
ARRAY[1] || 2
1 || ARRAY[2]
ARRAY[1] || NULL  -- refused: ||(array(integer), unknown)
ARRAY[1] || ARRAY[2.5]
concat(ARRAY[1], ARRAY[2], ARRAY[3])
flatten(ARRAY[ARRAY[1], ARRAY[2, NULL]])
flatten(ARRAY[ARRAY[1], NULL])
slice(ARRAY[1, 2, 3, 4], 2, 2)
slice(ARRAY[1, 2, 3, 4], -2, 2)
slice(ARRAY[1, 2, 3, 4], 3, 9)
slice(ARRAY[1, 2, 3, 4], 9, 1)
slice(ARRAY[1, 2, 3, 4], 1, 0)
slice(ARRAY[1, 2, 3, 4], 0, 1)
slice(ARRAY[1, 2, 3, 4], 1, -1)
slice(ARRAY[1, 2], -3, 2)
trim_array(ARRAY[1, 2, 3], 1)  -- refused: the function trim_array
reverse(ARRAY[1, 2])
repeat('a', 2)  -- refused: the function repeat
repeat(1, 0)  -- refused: the function repeat
repeat(NULL, 2)  -- refused: the function repeat
repeat(1, -1)  -- refused: the function repeat
shuffle(ARRAY[1])  -- refused: the function shuffle
combinations(ARRAY[1, 2, 3], 2)  -- refused: the function combinations
sequence(1, 4)
sequence(4, 1)
sequence(1, 10, 3)
sequence(10, 1, -3)
sequence(1, 10, 0)
sequence(1, 10, -1)
sequence(1, 1)
sequence(-2, 2)
sequence(CAST(1 AS bigint), 3)
sequence(date '2026-11-20', date '2026-11-22')
sequence(date '2026-11-22', date '2026-11-20')
sequence(date '2026-11-20', date '2026-11-22', interval '1' day)
sequence(date '2026-11-22', date '2026-11-20', interval '-1' day)
sequence(date '2026-11-01', date '2026-11-22', interval '7' day)
sequence(date '2026-01-31', date '2026-05-31', interval '1' month)  -- refused: sequence(date, date, interval year to month)
sequence(date '2026-05-31', date '2026-01-31', interval '-1' month)  -- refused: sequence(date, date, interval year to month)
sequence(timestamp '2026-11-20 00:00:00', timestamp '2026-11-20 03:00:00', interval '1' hour)
sequence(timestamp '2026-01-31 00:00:00', timestamp '2026-04-30 00:00:00', interval '1' month)  -- refused: sequence(timestamp(0), timestamp(0), interval year to month)
sequence(timestamp '2026-11-20 00:00:00', timestamp '2026-11-22 00:00:00')  -- refused: sequence(timestamp(0), timestamp(0))
sequence(1, NULL)
transform(ARRAY[1, 2], x -> x * 10)
transform(ARRAY[1, NULL], x -> coalesce(x, 0) + 1)
transform(ARRAY[1, 2], x -> CAST(x AS varchar) || '!')
transform(ARRAY['a'], x -> ARRAY[x])
transform(ARRAY[], x -> x)
transform(ARRAY[ARRAY[1, 2], ARRAY[3]], x -> transform(x, y -> y + cardinality(x)))
transform(NULL, x -> x)  -- refused: transform(unknown, function)
filter(ARRAY[1, 2, 3], x -> x > 1)
filter(ARRAY[1, NULL, 3], x -> x > 1)
filter(ARRAY[1, NULL], x -> x IS NULL)
reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)  -- refused: the function reduce
reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s * 10)  -- refused: the function reduce
reduce(ARRAY[], 7, (s, x) -> s + x, s -> s)  -- refused: the function reduce
reduce(ARRAY[5, NULL], 0, (s, x) -> s + x, s -> s)  -- refused: the function reduce
reduce(ARRAY['a', 'b'], '', (s, x) -> s || x, s -> length(s))  -- refused: the function reduce
reduce(ARRAY[5, 20], CAST(0 AS bigint), (s, x) -> s + x, s -> s)  -- refused: the function reduce
reduce(ARRAY[1.5, 2.5], 0e0, (s, x) -> s + x, s -> s)  -- refused: the function reduce
any_match(ARRAY[1, 2], x -> x > 1)
any_match(ARRAY[1, NULL], x -> x > 1)
any_match(ARRAY[2, NULL], x -> x > 1)
any_match(ARRAY[], x -> true)
all_match(ARRAY[1, 2], x -> x > 1)  -- refused: the function all_match
all_match(ARRAY[2, NULL], x -> x > 1)  -- refused: the function all_match
all_match(ARRAY[1, NULL], x -> x > 1)  -- refused: the function all_match
all_match(ARRAY[], x -> false)  -- refused: the function all_match
none_match(ARRAY[1, 2], x -> x > 2)
none_match(ARRAY[1, NULL], x -> x > 2)
none_match(ARRAY[3, NULL], x -> x > 2)
zip(ARRAY[1, 2], ARRAY['a', 'b'])  -- refused: the function zip
zip(ARRAY[1, 2], ARRAY['a'])  -- refused: the function zip
zip_with(ARRAY[1, 2], ARRAY[10, 20], (x, y) -> x + y)  -- refused: the function zip_with
zip_with(ARRAY[1, 2], ARRAY[10], (x, y) -> coalesce(x, 0) + coalesce(y, 0))  -- refused: the function zip_with
array_first(ARRAY[1])  -- refused: the function array_first
array_agg(1)
array_sum(ARRAY[1])
ARRAY[1, 2] = ARRAY[1, 2]  -- refused: comparing values of type array(integer)
ARRAY[1, NULL] = ARRAY[1, NULL]  -- refused: comparing values of type array(integer)
ARRAY[1, 2] < ARRAY[1, 3]  -- refused: comparing values of type array(integer)
ARRAY[1, 2] <> ARRAY[2]  -- refused: comparing values of type array(integer)
ARRAY[1] IS NULL
2 = ANY (VALUES 1, 2)  -- refused: ANY (VALUES (1), (2))
ARRAY[1] IN (ARRAY[1], ARRAY[2])  -- refused: comparing values of type array(integer)
CAST(ARRAY[1] AS varchar)
array_histogram(ARRAY[1, 1])  -- refused: the function array_histogram
euclidean_distance(ARRAY[1e0], ARRAY[2e0])  -- refused: the function euclidean_distance
-- Lambdas in lambdas: a parameter means itself, whatever it is called.
transform(ARRAY[ARRAY[1, 1, 2], NULL], x -> array_distinct(x))
transform(ARRAY[ARRAY[1, 1, 2], ARRAY[3]], i -> array_distinct(i))
transform(ARRAY[1, 2], e -> array_remove(ARRAY[1, 2, 3], e))  -- refused: the function array_remove
transform(ARRAY[1, 2], x -> array_position(ARRAY[2, 1], x))
transform(ARRAY[ARRAY[1, 2], ARRAY[9]], b -> arrays_overlap(b, ARRAY[2]))  -- refused: the function arrays_overlap
transform(ARRAY[ARRAY[1, 2], ARRAY[9]], x -> array_except(ARRAY[1, 9], x))  -- refused: the function array_except
transform(ARRAY[1, 2], i -> sequence(i, 3))
transform(ARRAY[1, 3], x -> sequence(date '2026-01-31', date '2026-04-30', interval '1' month)[x])  -- refused: sequence(date, date, interval year to month)
transform(ARRAY[1, 2], x -> transform(ARRAY[10, 20], y -> x + y))
transform(ARRAY[1, 2], x -> transform(ARRAY[10, 20], x -> x + 1))
transform(ARRAY[1, 2], s -> reduce(ARRAY[10, 20], 0, (s, x) -> s + x, s -> s))  -- refused: the function reduce
transform(ARRAY[1, 2], k -> reduce(ARRAY[10, 20], 0, (s, x) -> s + x * k, s -> s))  -- refused: the function reduce
transform(ARRAY[ARRAY['a', NULL]], x -> array_join(x, ',', '?'))  -- refused: array_join(array(varchar), varchar, varchar)
transform(ARRAY[1, 2], x -> zip_with(ARRAY[1, 2], ARRAY[3, 4], (a, b) -> a * b + x))  -- refused: the function zip_with
transform(ARRAY[1, 2], a -> zip_with(ARRAY[1, 2], ARRAY[3, 4], (a, b) -> a * b))  -- refused: the function zip_with
transform(ARRAY[1, 2], x -> all_match(ARRAY[1, 2], y -> y >= x))  -- refused: the function all_match
transform(ARRAY[1, 2], x -> map_values(transform_values(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v * x)))  -- refused: the function transform_values
transform(ARRAY[1, 2], k -> map_filter(map(ARRAY[1, 2], ARRAY['a', 'b']), (i, v) -> i = k))  -- refused: the function map_filter
transform(ARRAY[ARRAY[ROW(1, 'a')]], x -> map_from_entries(x))  -- refused: the function map_from_entries
-- FROM (VALUES (ARRAY[3, 1, NULL, 2], 2), (ARRAY[], 1), (NULL, 1), (ARRAY[7], NULL)) AS t(a, n)
a
a || n
a || a
cardinality(a)
contains(a, n)
element_at(a, n)
element_at(a, -1)
array_sort(a)
array_distinct(a || a)
array_max(a)
array_min(a)
array_join(a, ',')
array_join(a, ',', '-')  -- refused: array_join(array(integer), varchar, varchar)
array_position(a, n)
array_remove(a, n)  -- refused: the function array_remove
array_union(a, ARRAY[9])  -- refused: the function array_union
array_except(a, ARRAY[1])  -- refused: the function array_except
array_intersect(a, ARRAY[1, 7])  -- refused: the function array_intersect
arrays_overlap(a, ARRAY[1, 7])  -- refused: the function arrays_overlap
reverse(a)
slice(a, 1, 2)
transform(a, x -> x + n)
filter(a, x -> x >= n)
reduce(a, 0, (s, x) -> s + coalesce(x, 0), s -> s)  -- refused: the function reduce
any_match(a, x -> x > 2)
all_match(a, x -> x > 0)  -- refused: the function all_match
none_match(a, x -> x > 2)
flatten(ARRAY[a, a])
zip(a, ARRAY['x'])  -- refused: the function zip
zip_with(a, a, (x, y) -> x + y)  -- refused: the function zip_with
a = a  -- refused: comparing values of type array(integer)
SELECT x, o FROM UNNEST(ARRAY[10, 20]) WITH ORDINALITY AS u(x, o)  -- refused: UNNEST of several arrays, or WITH ORDINALITY
SELECT x FROM UNNEST(ARRAY[10, NULL]) AS u(x)
SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a']) AS u(x, y)  -- refused: UNNEST of several arrays, or WITH ORDINALITY
SELECT * FROM UNNEST(ARRAY[1, 2])
SELECT * FROM UNNEST(map(ARRAY['a', 'b'], ARRAY[1, 2])) AS u(k, v)
SELECT * FROM UNNEST(ARRAY[ROW(1, 'a'), ROW(2, 'b')]) AS u(n, s)
SELECT * FROM UNNEST(ARRAY[CAST(ROW(1, 'a') AS ROW(n integer, s varchar))]) AS u
SELECT n, x FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[]), (3, NULL)) AS t(n, a) CROSS JOIN UNNEST(a) AS u(x)
SELECT n, x FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[]), (3, NULL)) AS t(n, a) LEFT JOIN UNNEST(a) AS u(x) ON true
SELECT n, x, o FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[30])) AS t(n, a), UNNEST(a) WITH ORDINALITY AS u(x, o)  -- refused: UNNEST of several arrays, or WITH ORDINALITY
SELECT n, x, y FROM (VALUES (1, ARRAY[10, 20], ARRAY['a']), (2, ARRAY[30], ARRAY['b', 'c'])) AS t(n, a, b) CROSS JOIN UNNEST(a, b) AS u(x, y)  -- refused: UNNEST of several arrays, or WITH ORDINALITY
SELECT n, sum(x) FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[30])) AS t(n, a) CROSS JOIN UNNEST(a) AS u(x) GROUP BY n
SELECT n, k, v FROM (VALUES (1, map(ARRAY['a'], ARRAY[5]))) AS t(n, m) CROSS JOIN UNNEST(m) AS u(k, v)
SELECT d FROM UNNEST(sequence(date '2026-11-20', date '2026-11-22')) AS u(d)
