-- JSON: functions on paths, SQL/JSON functions, casts.
json_extract_scalar('{"a": {"b": "x"}}', '$.a.b')
json_extract_scalar('{"a": 1.50}', '$.a')
json_extract_scalar('{"a": 1e5}', '$.a')
json_extract_scalar('{"a": 1E+05}', '$.a')
json_extract_scalar('{"a": 12345678901234567890123456789.123456789}', '$.a')
json_extract_scalar('{"a": -0}', '$.a')
json_extract_scalar('{"a": true}', '$.a')
json_extract_scalar('{"a": [1]}', '$.a')
json_extract_scalar('{"a": {}}', '$.a')
json_extract_scalar('{"a": null}', '$.a')
json_extract_scalar('{"a": ""}', '$.a')
json_extract_scalar('{"a": "é😀\n\u00e9"}', '$.a')
json_extract_scalar('no json', '$.a')
json_extract_scalar('', '$.a')
json_extract_scalar('{"a": 1', '$.a')  -- refused: broken JSON
json_extract_scalar('{"a": 1} x', '$.a')
json_extract_scalar('{"a": 1, "a": 2}', '$.a')  -- refused: JSON with a key twice
json_extract_scalar('{"a": [1, 2]}', '$.a[1]')
json_extract_scalar('{"a": [1, 2]}', '$.a[2]')
json_extract_scalar('{"a": [1, 2]}', '$.a[-1]')
json_extract_scalar('[[1, 2], [3]]', '$[0][1]')
json_extract_scalar('{"a b": 1}', '$["a b"]')
json_extract_scalar('{"a.b": 1}', '$["a.b"]')
json_extract_scalar('{"a": {"b": 2}}', '$["a"]["b"]')
json_extract_scalar('{"a": {"b": 2}}', '$[''a''].b')
json_extract_scalar('{"a": 1}', '$.A')
json_extract_scalar('{"é": 1}', '$.é')
json_extract_scalar('"x"', '$')
json_extract_scalar('5', '$')
json_extract_scalar('{"a": 1}', 'a')
json_extract_scalar('{"a": 1}', '$')
json_extract_scalar('{"a": 1}', '')
json_extract_scalar('{"a": 1}', '$.')
json_extract_scalar('{"a": [{"b": 1}, {"b": 2}]}', '$.a[*].b')
json_extract_scalar('{"a": {"b": 1}}', '$..b')
json_extract_scalar('{"a": 1}', '$.*')
json_extract_scalar('{"a-b": 1}', '$.a-b')
json_extract_scalar('{"1": 1}', '$.1')
json_extract_scalar('{"$a": 1}', '$.$a')
json_extract_scalar(NULL, '$.a')  -- refused: json_extract_scalar(unknown, varchar)
json_extract_scalar('{"a": 1}', NULL)  -- refused: json_extract_scalar(varchar, unknown)
json_extract_scalar(json_parse('{"a": 1}'), '$.a')
json_extract_scalar(JSON '{"a": "x"}', '$.a')
json_extract('{"a": {"b": 1}}', '$.a')
json_extract('{"a": {"d": 1, "c": 2}}', '$.a')
json_extract('{"a": [1, 2.50, "x", null, true]}', '$.a')
json_extract('{"a": [ 1 , 2 ]}', '$.a[0]')
json_extract('{"a": "x"}', '$.a')
json_extract('{"a": null}', '$.a')
json_extract('{"a": 1}', '$.b')
json_extract('{"a": "é\u00e9\/\n"}', '$.a')
json_extract('no json', '$.a')
json_extract('{"a": [{"b": 1}, {"b": 2}]}', '$.a[1].b')
json_extract('{"b": 1, "a": 2}', '$')
json_extract('{"a": 1e5}', '$.a')
json_extract('{"a": [{"b": 1}, {"b": 2}]}', '$.a[*].b')
json_extract(json_parse('{"a": [1]}'), '$.a')
CAST(json_extract('{"a": [1, 2]}', '$.a') AS array(integer))  -- refused: CAST from json to array(integer)
CAST(json_extract('{"a": [1, 2]}', '$.a') AS array(varchar))  -- refused: CAST from json to array(varchar)
CAST(json_extract('{"a": {"x": 1}}', '$.a') AS map(varchar, integer))  -- refused: CAST from json to map(varchar, integer)
json_array_length('[1, 2, 3]')
json_array_length('[]')
json_array_length('{"a": 1}')
json_array_length('no json')
json_array_length(json_parse('[1]'))
json_array_length(NULL)  -- refused: json_array_length(unknown)
json_array_contains('[1, 2, 3]', 2)  -- refused: the function json_array_contains
json_array_contains('["a"]', 'a')  -- refused: the function json_array_contains
json_array_contains('[1, 2]', '2')  -- refused: the function json_array_contains
json_array_get('[1, [2]]', 1)  -- refused: the function json_array_get
json_array_get('["a"]', 0)  -- refused: the function json_array_get
json_size('{"x": {"a": 1, "b": 2}}', '$.x')
json_size('{"x": [1, 2, 3]}', '$.x')
json_size('{"x": 1}', '$.x')
json_size('{"x": 1}', '$.y')
json_format(json_parse('{"a": 1}'))
json_format(JSON '{"b": 1, "a": [1, 2.50, 1e5, "é"]}')
json_parse('{"b": 1, "a": 2}')
json_parse('[1, 2.50, 1E5, true, null, "x"]')
json_parse('{"a": {"d": 1, "c": 2}}')
json_parse('no json')
json_parse('')
json_parse('{"a": 1} x')
json_parse('{"a": 1, "a": 2}')  -- refused: JSON with a key twice
json_parse('12345678901234567890123456789')
json_parse('1.0')
json_parse('"é\u00e9"')
json_parse(NULL)
json_parse('null')
json_parse('{"a": 1}') = json_parse('{ "a":1 }')
is_json_scalar('1')  -- refused: the function is_json_scalar
is_json_scalar('[1]')  -- refused: the function is_json_scalar
JSON '{"a": 1}'
JSON 'null'
JSON '1.50'
CAST(json_parse('{"a": "1"}') AS map(varchar, varchar))  -- refused: CAST from json to map(varchar, varchar)
CAST(json_parse('{"a": 1, "b": null}') AS map(varchar, integer))  -- refused: CAST from json to map(varchar, integer)
CAST(json_parse('[1, 2]') AS array(integer))  -- refused: CAST from json to array(integer)
CAST(json_parse('[1, null]') AS array(integer))  -- refused: CAST from json to array(integer)
CAST(json_parse('["1", 2, true]') AS array(varchar))  -- refused: CAST from json to array(varchar)
CAST(json_parse('[[1], [2, 3]]') AS array(array(integer)))  -- refused: CAST from json to array(array(integer))
CAST(json_parse('[1, "x"]') AS array(integer))  -- refused: CAST from json to array(integer)
CAST(json_parse('{"a": 1}') AS array(integer))  -- refused: CAST from json to array(integer)
CAST(json_parse('[{"sku": "a", "qty": 1}]') AS array(ROW(sku varchar, qty integer)))  -- refused: CAST from json to array(row(sku varchar, qty integer))
CAST(json_parse('{"id": 1, "name": "x"}') AS ROW(id integer, name varchar))  -- refused: CAST from json to row(id integer, name varchar)
CAST(json_parse('{"name": "x"}') AS ROW(id integer, name varchar))  -- refused: CAST from json to row(id integer, name varchar)
CAST(json_parse('[1, "x"]') AS ROW(id integer, name varchar))  -- refused: CAST from json to row(id integer, name varchar)
CAST(json_parse('{"ID": 1}') AS ROW(id integer))  -- refused: CAST from json to row(id integer)
CAST(json_parse('{"a": {"b": 1.5}}') AS map(varchar, map(varchar, double)))  -- refused: CAST from json to map(varchar, map(varchar, double))
CAST(json_parse('[1.55, 2]') AS array(decimal(10,1)))  -- refused: CAST from json to array(decimal(10,1))
CAST(json_parse('["a"]') AS array(json))  -- refused: CAST from json to array(json)
CAST(json_parse('{"a": [1, 2], "b": "x"}') AS map(varchar, json))  -- refused: CAST from json to map(varchar, json)
CAST(json_parse('"text"') AS varchar)  -- refused: CAST from json to varchar
CAST(json_parse('1.50') AS varchar)  -- refused: CAST from json to varchar
CAST(json_parse('true') AS varchar)  -- refused: CAST from json to varchar
CAST(json_parse('null') AS varchar)  -- refused: CAST from json to varchar
CAST(json_parse('{"a": 1}') AS varchar)  -- refused: CAST from json to varchar
CAST(json_parse('12') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('"12"') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('1.5') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('true') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('null') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('"x"') AS integer)  -- refused: CAST from json to integer
CAST(json_parse('1.5') AS double)  -- refused: CAST from json to double
CAST(json_parse('1.555') AS decimal(10,2))  -- refused: CAST from json to decimal(10,2)
CAST(json_parse('true') AS boolean)  -- refused: CAST from json to boolean
CAST(json_parse('"true"') AS boolean)  -- refused: CAST from json to boolean
CAST(json_parse('1') AS boolean)  -- refused: CAST from json to boolean
CAST(json_parse('"2026-11-21"') AS date)  -- refused: CAST from json to date
CAST(JSON '12' AS bigint)  -- refused: CAST from json to bigint
CAST(ARRAY[1, 2] AS json)
CAST(ARRAY['a', NULL] AS json)
CAST(map(ARRAY['b', 'a'], ARRAY[1, NULL]) AS json)
CAST(map(ARRAY[1], ARRAY['x']) AS json)
CAST(ROW(1, 'x') AS json)
CAST(CAST(ROW(1, 'x') AS ROW(id integer, name varchar)) AS json)
CAST(1 AS json)
CAST(1.50 AS json)
CAST(1e10 AS json)
CAST('x' AS json)
CAST('é"\' AS json)
CAST(true AS json)
CAST(NULL AS json)
CAST(date '2026-11-21' AS json)
CAST(timestamp '2026-11-21 02:18:00.123' AS json)
CAST(ARRAY[CAST(ROW(1, 'x') AS ROW(a integer, b varchar))] AS json)
json_format(CAST(map(ARRAY['a'], ARRAY[1.50]) AS json))
json_value('{"a": 1}', 'lax $.a')
json_value('{"a": "x"}', 'lax $.a')
json_value('{"a": "x"}', 'strict $.a')  -- refused: json_value with the path strict $.a
json_value('{"a": true}', 'lax $.a')
json_value('{"a": 1.50}', 'lax $.a')
json_value('{"a": null}', 'lax $.a')
json_value('{"a": [1]}', 'lax $.a')
json_value('{"a": {"b": 1}}', 'lax $.a')
json_value('{"a": 1}', 'lax $.b')
json_value('{"a": 1}', 'strict $.b')  -- refused: json_value with the path strict $.b
json_value('{"a": [1, 2]}', 'lax $.a[0]')
json_value('{"a": [1, 2]}', 'lax $.a[*]')  -- refused: json_value with the path lax $.a[*]
json_value('{"a": {"b": "x"}}', 'lax $.a.b')
json_value('{"a": 1}', 'lax $.a' RETURNING integer)  -- refused: this form of json_value
json_value('{"a": "1"}', 'lax $.a' RETURNING integer)  -- refused: this form of json_value
json_value('{"a": "x"}', 'lax $.a' RETURNING integer)  -- refused: this form of json_value
json_value('{"a": 1.5}', 'lax $.a' RETURNING double)  -- refused: this form of json_value
json_value('{"a": 1.5}', 'lax $.a' RETURNING decimal(10,2))  -- refused: this form of json_value
json_value('{"a": "2026-01-31"}', 'lax $.a' RETURNING date)  -- refused: this form of json_value
json_value('{"a": true}', 'lax $.a' RETURNING boolean)  -- refused: this form of json_value
json_value('{"a": "true"}', 'lax $.a' RETURNING boolean)  -- refused: this form of json_value
json_value('{"a": "abcdef"}', 'lax $.a' RETURNING varchar(3))  -- refused: this form of json_value
json_value('{"a": 1.5}', 'lax $.a' RETURNING integer)  -- refused: this form of json_value
json_value('{"a": 99999999999}', 'lax $.a' RETURNING integer)  -- refused: this form of json_value
json_value('{"a": 7}', 'lax $.a' RETURNING double)  -- refused: this form of json_value
json_query('{"a": "x"}', 'lax $.a' WITH ARRAY WRAPPER)  -- refused: this form of json_query
json_query('{"a": [1]}', 'lax $.a' WITHOUT ARRAY WRAPPER)  -- refused: this form of json_query
json_value('{"a": 1}', 'lax $.b' DEFAULT 'none' ON EMPTY)  -- refused: this form of json_value
json_value('{"a": [1]}', 'lax $.a[*].b' NULL ON EMPTY)  -- refused: this form of json_value
json_value('{"a": [1, 2]}', 'lax $.a' DEFAULT 'bad' ON ERROR)  -- refused: this form of json_value
json_value('{"a": 1}', 'lax $.b' ERROR ON EMPTY)  -- refused: this form of json_value
json_value('no json', 'lax $.a')
json_value('no json', 'lax $.a' ERROR ON ERROR)  -- refused: this form of json_value
json_value(NULL, 'lax $.a')
json_value('{"a b": 1}', 'lax $."a b"')
json_value('[{"a": 1}, {"a": 2}]', 'lax $[1].a')
json_value('{"a": 1}', 'lax $.a + 1')  -- refused: json_value with the path lax $.a + 1
json_value('{"a": 1}', 'lax $.a ? (@ > 0)')  -- refused: json_value with the path lax $.a ? (@ > 0)
json_query('{"a": [1, 2]}', 'lax $.a')
json_query('{"a": {"d": 1, "c": 2}}', 'lax $.a')
json_query('{"a": 1}', 'lax $.a')
json_query('{"a": "x"}', 'lax $.a')
json_query('{"a": 1}', 'lax $.b')
json_query('{"a": [1, 2]}', 'lax $.a[*]' WITH ARRAY WRAPPER)  -- refused: this form of json_query
json_query('{"a": [1, 2]}', 'lax $.a[*]' WITH CONDITIONAL ARRAY WRAPPER)  -- refused: this form of json_query
json_query('{"a": [1, 2]}', 'lax $.a[*]')  -- refused: json_query with the path lax $.a[*]
json_query('{"a": "x"}', 'lax $.a' OMIT QUOTES)  -- refused: this form of json_query
json_query('{"a": 1}', 'lax $.b' EMPTY ARRAY ON EMPTY)  -- refused: this form of json_query
json_query('no json', 'lax $.a')
json_query('{"a": null}', 'lax $.a')
json_query('{"a": 1.50}', 'lax $')
json_exists('{"a": 1}', 'lax $.a')
json_exists('{"a": null}', 'lax $.a')
json_exists('{"a": 1}', 'lax $.b')
json_exists('{"a": 1}', 'strict $.b')  -- refused: json_exists with the path strict $.b
json_exists('{"a": [1, 2]}', 'lax $.a[1]')
json_exists('{"a": [1, 2]}', 'lax $.a[5]')
json_exists('no json', 'lax $.a')
json_exists('no json', 'lax $.a' TRUE ON ERROR)  -- refused: this form of json_exists
json_exists(NULL, 'lax $.a')
json_exists('{"a": [{"b": 1}]}', 'lax $.a.b')
json_exists('{"a": 1}', 'lax $.a ? (@ > 5)')  -- refused: json_exists with the path lax $.a ? (@ > 5)
json_object('a' : 1, 'b' : 'x')  -- refused: this form of json_object
json_object(KEY 'a' VALUE 1)  -- refused: this form of json_object
json_object('a' : NULL)  -- refused: this form of json_object
json_array(1, 'x')  -- refused: the function json_array
json_array()  -- refused: the function json_array
-- FROM (VALUES '{"a": {"b": [1, 2.50, "x"]}, "n": 1.10, "s": "é", "t": true, "z": null}', '{}', '[1]', 'no json', '', NULL) AS t(j)
json_extract_scalar(j, '$.a.b[1]')
json_extract_scalar(j, '$.n')
json_extract_scalar(j, '$.s')
json_extract_scalar(j, '$.t')
json_extract_scalar(j, '$.z')
json_extract_scalar(j, '$[0]')
json_extract(j, '$.a')
json_extract(j, '$.a.b')
json_array_length(j)
json_array_length(json_extract(j, '$.a.b'))
json_size(j, '$.a')
json_value(j, 'lax $.n')
json_value(j, 'lax $.n' RETURNING decimal(10,2))  -- refused: this form of json_value
json_value(j, 'lax $.a.b[0]' RETURNING bigint)  -- refused: this form of json_value
json_value(j, 'lax $.q' DEFAULT 'd' ON EMPTY)  -- refused: this form of json_value
json_query(j, 'lax $.a')
json_exists(j, 'lax $.a')
json_exists(j, 'lax $.z')
CAST(json_extract_scalar(j, '$.n') AS decimal(10,2))
CAST(json_extract(j, '$.a.b') AS array(varchar))  -- refused: CAST from json to array(varchar)
CAST(json_extract(j, '$.a') AS map(varchar, array(varchar)))  -- refused: CAST from json to map(varchar, array(varchar))
TRY(json_parse(j))
TRY_CAST(json_extract_scalar(j, '$.s') AS integer)
