-- Casts between types, TRY_CAST, typed literals.
CAST('12' AS integer)
CAST('-12' AS integer)
CAST('+12' AS integer)
CAST(' 12' AS integer)
CAST('12 ' AS integer)
CAST('012' AS integer)
CAST('1.5' AS integer)
CAST('1e3' AS integer)
CAST('' AS integer)
CAST('2147483648' AS integer)
CAST('9223372036854775807' AS bigint)
CAST('9223372036854775808' AS bigint)
CAST('0x10' AS integer)
CAST('128' AS tinyint)
CAST('1_000' AS integer)
CAST(2.5e0 AS integer)
CAST(3.5e0 AS integer)
CAST(-2.5e0 AS integer)
CAST(2.4999999999e0 AS integer)
CAST(1e10 AS integer)
CAST(nan() AS integer)
CAST(infinity() AS bigint)
CAST(1e18 AS bigint)
CAST(2147483648 AS integer)
CAST(300 AS tinyint)
CAST(CAST(5 AS bigint) AS smallint)
CAST(true AS integer)
CAST(false AS double)
CAST(1 AS boolean)
CAST(0 AS boolean)
CAST(2 AS boolean)
CAST(0.1e0 AS boolean)
CAST('true' AS boolean)
CAST('TRUE' AS boolean)
CAST('t' AS boolean)
CAST('1' AS boolean)
CAST('0' AS boolean)
CAST('f' AS boolean)
CAST('yes' AS boolean)
CAST('' AS boolean)
CAST('1.5' AS double)
CAST('1e3' AS double)
CAST(' 1.5 ' AS double)
CAST('NaN' AS double)
CAST('Infinity' AS double)
CAST('-Infinity' AS double)
CAST('inf' AS double)
CAST('nan' AS double)
CAST('abc' AS double)
CAST('' AS double)
CAST('1.5d' AS double)
CAST('1.5f' AS double)
CAST('1_0' AS double)
CAST('0x1p3' AS double)  -- refused: doubles in base 16
CAST('1e400' AS double)
CAST('.5' AS double)
CAST('5.' AS double)
CAST('1.1' AS real)  -- refused: CAST from varchar to real
CAST(1.1e0 AS real)  -- refused: CAST from double to real
CAST(CAST(1.1 AS real) AS double)  -- refused: CAST from decimal(2,1) to real
CAST(1 AS double)
CAST(9007199254740993 AS double)
CAST(1 AS varchar)
CAST(-1 AS varchar)
CAST(CAST(1 AS tinyint) AS varchar)
CAST(9223372036854775807 AS varchar)
CAST(true AS varchar)
CAST(1e10 AS varchar)
CAST(1e0 AS varchar)
CAST(0.1e0 AS varchar)
CAST(1e-5 AS varchar)
CAST(123456789e0 AS varchar)
CAST(1e7 AS varchar)
CAST(9999999e0 AS varchar)
CAST(0.001e0 AS varchar)
CAST(nan() AS varchar)
CAST(-infinity() AS varchar)
CAST(-0e0 AS varchar)
CAST(1e23 AS varchar)  -- refused: a double above 1e22 as text
CAST(2e-323 AS varchar)
CAST(1.7976931348623157e308 AS varchar)  -- refused: a double above 1e22 as text
CAST(CAST(1.1 AS real) AS varchar)  -- refused: CAST from decimal(2,1) to real
CAST(CAST(1e10 AS real) AS varchar)  -- refused: CAST from double to real
CAST(CAST(16777216 AS real) AS varchar)  -- refused: CAST from integer to real
CAST('abcdef' AS varchar(3))
CAST('ab' AS varchar(3))
CAST('abcdef' AS varchar)
CAST('äöü' AS varchar(2))
CAST(123 AS varchar(2))  -- refused: CAST from integer to a varchar of a length
CAST('ab' AS char(4))  -- refused: the type char(4)
CAST('abcdef' AS char(3))  -- refused: the type char(3)
CAST('ab' AS char(4)) || 'x'  -- refused: the type char(4)
CAST(NULL AS varchar)
CAST(NULL AS integer)
CAST(date '2026-11-21' AS varchar)
CAST(date '-0001-01-01' AS varchar)  -- refused: dates before 1 or after 9999
CAST(timestamp '2026-11-21 02:18:00' AS varchar)
CAST(timestamp '2026-11-21 02:18:00.1' AS varchar)
CAST(timestamp '2026-11-21 02:18:00.123' AS varchar)
CAST(CAST('2026-11-21 02:18:00' AS timestamp) AS varchar)
CAST(CAST('2026-11-21 02:18:00' AS timestamp(0)) AS varchar)
CAST(timestamp '2026-11-21 02:18:00.123 UTC' AS varchar)
CAST(timestamp '2026-11-21 02:18:00.123 America/New_York' AS varchar)
CAST('2026-11-21' AS date)
CAST(' 2026-11-21 ' AS date)
CAST('2026-1-2' AS date)
CAST('2026-02-30' AS date)
CAST('2026-11-21 10:00:00' AS date)
CAST('2026-11-21T10:00:00' AS date)
CAST('20261121' AS date)
CAST('' AS date)
CAST('26-11-21' AS date)
CAST('2026-11-21 02:18:00.5' AS timestamp)
CAST('2026-11-21 02:18:00.1235' AS timestamp)
CAST('2026-11-21 02:18:00.9996' AS timestamp)
CAST('2026-11-21 23:59:59.9999' AS timestamp)
CAST('2026-11-21 02:18' AS timestamp)
CAST('2026-11-21' AS timestamp)
CAST('2026-11-21 2:8:0' AS timestamp)
CAST('2026-11-21T02:18:00' AS timestamp)
CAST('2026-11-21T02:18:00Z' AS timestamp)
CAST('2026-11-21 02:18:00 UTC' AS timestamp)
CAST('2026-11-21 02:18:00 +02:00' AS timestamp)
CAST('2026-11-21 25:00:00' AS timestamp)
CAST('2026-02-29 00:00:00' AS timestamp)
CAST(' 2026-11-21 02:18:00 ' AS timestamp)
CAST('2026-11-21 02:18:00.123456' AS timestamp(6))  -- refused: the type timestamp(6)
CAST('2026-11-21 02:18:00.55' AS timestamp(1))
CAST('2026-11-21 02:18:00.5' AS timestamp(0))
CAST('2026-11-21 02:18:00 UTC' AS timestamp with time zone)  -- refused: CAST of a text to a timestamp with time zone (only of a literal)
CAST('2026-11-21 02:18:00 +02:00' AS timestamp with time zone)  -- refused: CAST of a text to a timestamp with time zone (only of a literal)
CAST('2026-11-21 02:18:00' AS timestamp with time zone)  -- refused: CAST of a text to a timestamp with time zone (only of a literal)
CAST('2026-11-21 02:18:00 America/New_York' AS timestamp with time zone)  -- refused: CAST of a text to a timestamp with time zone (only of a literal)
CAST('2026-11-21T02:18:00Z' AS timestamp with time zone)  -- refused: CAST of a text to a timestamp with time zone (only of a literal)
CAST(date '2026-11-21' AS timestamp)
CAST(date '2026-11-21' AS timestamp with time zone)
CAST(timestamp '2026-11-21 23:59:59.999' AS date)
CAST(timestamp '2026-11-21 02:18:00.555' AS timestamp(0))
CAST(timestamp '2026-11-21 02:18:00.555' AS timestamp(2))
CAST(timestamp '2026-11-21 02:18:00' AS timestamp(3))
CAST(timestamp '2026-11-21 02:18:00' AS timestamp with time zone)
CAST(timestamp '2026-11-21 23:30:00 America/New_York' AS timestamp)
CAST(timestamp '2026-11-21 23:30:00 America/New_York' AS date)
CAST(1 AS date)
CAST(1 AS timestamp)
CAST('10:00' AS time)  -- refused: the type time
CAST(ARRAY[1, 2] AS array(varchar))
CAST(ARRAY['1', '2'] AS array(integer))
CAST(ARRAY['1', 'x'] AS array(integer))
CAST(ARRAY[1, NULL] AS array(double))
CAST(map(ARRAY['1'], ARRAY[2]) AS map(integer, varchar))  -- refused: CAST from map(varchar, integer) to map(integer, varchar)
CAST(ROW(1, 'x') AS ROW(id integer, name varchar))
CAST(ROW(1, 'x') AS ROW(id varchar, name varchar(1)))
CAST(ROW('1', ROW(2, 3)) AS ROW(a bigint, b ROW(c varchar, d double)))
CAST(ROW(1) AS ROW(a integer, b integer))  -- refused: CAST from row(integer) to row(a integer, b integer)
CAST(ARRAY[ROW(1, 'x')] AS array(ROW(a bigint, b varchar)))
CAST(1 AS array(integer))
CAST('a' AS varbinary)
CAST(to_utf8('a') AS varchar)
CAST(1 AS nosuchtype)  -- fails: SYNTAX_ERROR
TRY_CAST('12' AS integer)
TRY_CAST('12x' AS integer)
TRY_CAST('1.5' AS integer)
TRY_CAST('abc' AS decimal(10,2))
TRY_CAST('2026-02-30' AS date)
TRY_CAST('2026-11-21T02:18:00Z' AS timestamp)
TRY_CAST(1e10 AS integer)
TRY_CAST(nan() AS integer)
TRY_CAST(300 AS tinyint)
TRY_CAST('yes' AS boolean)
TRY_CAST(ARRAY['1', 'x'] AS array(integer))
TRY_CAST(1 AS date)
TRY_CAST(NULL AS integer)
try_cast('x' AS double)
INTEGER '12'
BIGINT '12'
DOUBLE '1.5'
BOOLEAN 'true'
VARCHAR 'abc'
DATE '2026-11-21'
DATE '2026-02-30'
DATE 'x'
TIMESTAMP '2026-11-21 02:18:00.123'
TIMESTAMP '2026-11-21 02:18:00.123456'  -- refused: the type timestamp(6)
TIMESTAMP '2026-11-21'
TIMESTAMP '2026-11-21 02:18'
TIMESTAMP '2026-11-21T02:18:00'
TIMESTAMP 'x'
'a'::varchar
1::bigint
CAST(1 AS int)
CAST('5' AS real)  -- refused: CAST from varchar to real
CAST('abc' AS json)
CAST(JSON '"text"' AS varchar)  -- refused: CAST from json to varchar
typeof(1)  -- refused: the function typeof
typeof(1.5)  -- refused: the function typeof
typeof(1e0)  -- refused: the function typeof
typeof('abc')  -- refused: the function typeof
typeof(NULL)  -- refused: the function typeof
typeof(CAST('a' AS varchar))  -- refused: the function typeof
typeof(date '2026-01-01')  -- refused: the function typeof
typeof(now())  -- refused: the function typeof
typeof(ARRAY[1])  -- refused: the function typeof
typeof(map(ARRAY['a'], ARRAY[1]))  -- refused: the function typeof
typeof(ROW(1, 'a'))  -- refused: the function typeof
SELECT CAST(x AS integer) FROM (VALUES '1', '-2', NULL) AS t(x)
SELECT TRY_CAST(x AS integer) FROM (VALUES '1', 'a', '', ' 1', '1 ', '2147483648', NULL) AS t(x)
SELECT TRY_CAST(x AS double) FROM (VALUES '1', 'a', '', ' 1', '1e5', 'NaN', NULL) AS t(x)
SELECT TRY_CAST(x AS date) FROM (VALUES '2026-11-21', 'a', '', '2026-1-1', '2026-13-01', NULL) AS t(x)
SELECT TRY_CAST(x AS timestamp) FROM (VALUES '2026-11-21', 'a', '', '2026-11-21 10:11:12.1239', '2026-11-21 10:11', NULL) AS t(x)
SELECT TRY_CAST(x AS decimal(10,2)) FROM (VALUES '1', 'a', '', '1.555', '-1.555', '123456789.1', NULL) AS t(x)
SELECT TRY_CAST(x AS boolean) FROM (VALUES '1', 'a', '', 'T', 'False', NULL) AS t(x)
SELECT CAST(x AS varchar) FROM (VALUES 1e0, 0.1e0, 1e22, -1.5e-7, 1234567.891e0, NULL) AS t(x)  -- refused: a double above 1e22 as text
SELECT CAST(x AS integer) FROM (VALUES 0.5e0, 1.5e0, -0.5e0, -1.5e0, NULL) AS t(x)
SELECT CAST(x AS bigint) FROM (VALUES 0.5, 1.5, -0.5, -1.5, NULL) AS t(x)
