-- Maps and rows.
map(ARRAY['a', 'b'], ARRAY[1, 2])
map(ARRAY['a', 'b'], ARRAY[1, NULL])
map(ARRAY[], ARRAY[])
map()  -- refused: map()
map(ARRAY['a', 'a'], ARRAY[1, 2])
map(ARRAY['a'], ARRAY[1, 2])
map(ARRAY[NULL], ARRAY[1])
map(ARRAY[1.5], ARRAY['x'])
map(ARRAY['a', 'b'], ARRAY[1, 2])['b']
map(ARRAY['a'], ARRAY[1])['z']
map(ARRAY['a'], ARRAY[NULL])['a']
map(ARRAY[1, 2], ARRAY['x', 'y'])[2]
element_at(map(ARRAY['a'], ARRAY[1]), 'a')
element_at(map(ARRAY['a'], ARRAY[1]), 'b')
element_at(map(ARRAY['a'], ARRAY[1]), NULL)
cardinality(map(ARRAY['a'], ARRAY[1]))
cardinality(map())  -- refused: map()
map_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]))
map_values(map(ARRAY['a', 'b'], ARRAY[1, NULL]))
map_entries(map(ARRAY['a', 'b'], ARRAY[1, 2]))  -- refused: the function map_entries
map_from_entries(ARRAY[ROW('a', 1), ROW('b', 2)])  -- refused: the function map_from_entries
map_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)])  -- refused: the function map_from_entries
multimap_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)])  -- refused: the function multimap_from_entries
map_concat(map(ARRAY['a', 'b'], ARRAY[1, 2]), map(ARRAY['b', 'c'], ARRAY[3, 4]))  -- refused: the function map_concat
map_concat(map(ARRAY['a'], ARRAY[1]), NULL)  -- refused: the function map_concat
map_filter(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1)  -- refused: the function map_filter
map_filter(map(ARRAY['a', 'b'], ARRAY[1, NULL]), (k, v) -> v > 0)  -- refused: the function map_filter
transform_keys(map(ARRAY['a'], ARRAY[1]), (k, v) -> upper(k))  -- refused: the function transform_keys
transform_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> 'x')  -- refused: the function transform_keys
transform_values(map(ARRAY['a', 'b'], ARRAY[1, NULL]), (k, v) -> coalesce(v, 0) * 10)  -- refused: the function transform_values
map_zip_with(map(ARRAY['a'], ARRAY[1]), map(ARRAY['a'], ARRAY[2]), (k, v1, v2) -> v1 + v2)  -- refused: the function map_zip_with
split_to_map('a=1;b=2', ';', '=')  -- refused: the function split_to_map
split_to_map('', ';', '=')  -- refused: the function split_to_map
split_to_map('a=1;a=2', ';', '=')  -- refused: the function split_to_map
split_to_map('a', ';', '=')  -- refused: the function split_to_map
split_to_map('a=', ';', '=')  -- refused: the function split_to_map
split_to_map('a=1=2', ';', '=')  -- refused: the function split_to_map
split_to_multimap('a=1;a=2', ';', '=')  -- refused: the function split_to_multimap
map(ARRAY['a'], ARRAY[1]) = map(ARRAY['a'], ARRAY[1])  -- refused: comparing values of type map(varchar, integer)
map(ARRAY['a', 'b'], ARRAY[1, 2]) = map(ARRAY['b', 'a'], ARRAY[2, 1])  -- refused: comparing values of type map(varchar, integer)
map(ARRAY['a'], ARRAY[1]) <> map(ARRAY['a'], ARRAY[2])  -- refused: comparing values of type map(varchar, integer)
contains(map_keys(map(ARRAY['a'], ARRAY[1])), 'a')
any_match(map_values(map(ARRAY['a'], ARRAY[1])), x -> x = 1)
any_keys_match(map(ARRAY['a'], ARRAY[1]), x -> x = 'a')
MAP {'a': 1}
ROW(1, 'x')
ROW(1, NULL)
ROW(ROW(1, 2), ARRAY[3])
(1, 'x')
ROW(1, 'x') = ROW(1, 'x')  -- refused: comparing values of type row(integer, varchar)
ROW(1, 'x') = ROW(1, 'y')  -- refused: comparing values of type row(integer, varchar)
ROW(1, NULL) = ROW(1, NULL)  -- refused: comparing values of type row(integer, unknown)
ROW(1, NULL) = ROW(2, NULL)  -- refused: comparing values of type row(integer, unknown)
(1, 2) = (1, 2)  -- refused: comparing values of type row(integer, integer)
(1, 2) < (1, 3)  -- refused: comparing values of type row(integer, integer)
(1, 2) IN ((1, 2), (3, 4))  -- refused: comparing values of type row(integer, integer)
(1, 2) IN ((1, NULL), (3, 4))  -- refused: comparing values of type row(integer, integer)
(1, 2) IN ((2, NULL), (3, 4))  -- refused: comparing values of type row(integer, integer)
(1, NULL) IN ((1, 2))  -- refused: comparing values of type row(integer, integer)
(1, 2) <> (1, 3)  -- refused: comparing values of type row(integer, integer)
ROW(1, 'x') IS NULL
ROW(NULL, NULL) IS NULL
ROW(1, 'x') IS DISTINCT FROM ROW(1, 'x')
ROW(1, 'x')[1]  -- refused: a subscript integer of row(integer, varchar)
ROW(1, 'x')[3]  -- refused: a subscript integer of row(integer, varchar)
CAST(ROW(1, 'x') AS ROW(id integer, name varchar)).name
CAST(ROW(1, 'x') AS ROW(id integer, name varchar)).nope
CAST(ROW(1, ROW(2)) AS ROW(a integer, b ROW(c integer))).b.c
ROW(1, 2).field0
CAST(ROW(1, 'x') AS ROW("Id" integer, "a b" varchar))  -- refused: Id in a type
CAST(NULL AS ROW(id integer, name varchar))
CAST(NULL AS ROW(id integer, name varchar)).id
SELECT r.id, r.name FROM (SELECT CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS r) AS t
SELECT t.r.id FROM (SELECT CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS r) AS t
SELECT r.ID FROM (SELECT CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS r) AS t
SELECT r.* FROM (SELECT CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS r) AS t
SELECT CAST(r AS ROW(a varchar, b varchar)) FROM (SELECT CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS r) AS t
SELECT (x, y) IN (VALUES (1, 2), (3, NULL)) FROM (VALUES (1, 2), (3, 4), (5, NULL), (1, NULL)) AS t(x, y)  -- refused: VALUES (1, 2), (3, NULL)
SELECT r, count(*) FROM (VALUES ROW(ROW(1, 'a')), ROW(ROW(1, 'a')), ROW(ROW(2, 'b'))) AS t(r) GROUP BY r  -- refused: VALUES of rows in a row
SELECT r FROM (VALUES ROW(ROW(2, 'a')), ROW(ROW(1, 'b')), ROW(ROW(1, 'a'))) AS t(r) ORDER BY r  -- refused: VALUES of rows in a row
-- FROM (VALUES (map(ARRAY['a', 'b'], ARRAY[1, NULL]), 'a'), (map(), 'b'), (NULL, 'a')) AS t(m, k)
m  -- refused: map()
cardinality(m)  -- refused: map()
element_at(m, k)  -- refused: map()
map_keys(m)  -- refused: map()
map_values(m)  -- refused: map()
map_entries(m)  -- refused: map()
map_filter(m, (a, b) -> b IS NOT NULL)  -- refused: map()
transform_values(m, (a, b) -> b + 1)  -- refused: map()
transform_keys(m, (a, b) -> a || k)  -- refused: map()
map_concat(m, map(ARRAY['z'], ARRAY[9]))  -- refused: map()
map_from_entries(map_entries(m))  -- refused: map()
CAST(m AS map(varchar, varchar))  -- refused: map()
CAST(m AS json)  -- refused: map()
m IS NULL  -- refused: map()
contains(map_keys(m), k)  -- refused: map()
