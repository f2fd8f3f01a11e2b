-- Clauses, joins, subqueries, set operations; and what other databases know, but Trino does not.
SELECT 1
SELECT 1 AS one, 'a' AS "Two Words"
SELECT 1, 2 x
VALUES 1, 2
VALUES (1, 'a'), (2, 'b')
TABLE sales
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s)
SELECT t.* FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s)
SELECT n FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s) WHERE s = 'b'
SELECT N, T.S FROM (VALUES (1, 'a')) AS t(n, s)
SELECT "n" FROM (VALUES (1, 'a')) AS t(n, s)
SELECT nope FROM (VALUES (1, 'a')) AS t(n, s)
SELECT x.n FROM (VALUES (1, 'a')) AS t(n, s)
SELECT * FROM nosuchtable
SELECT nosuchfunction(1)
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n DESC
SELECT n FROM (VALUES 3, NULL, 2) AS t(n) ORDER BY n
SELECT n FROM (VALUES 3, NULL, 2) AS t(n) ORDER BY n DESC
SELECT n FROM (VALUES 3, NULL, 2) AS t(n) ORDER BY n NULLS FIRST
SELECT n FROM (VALUES 3, NULL, 2) AS t(n) ORDER BY n DESC NULLS FIRST
SELECT n, s FROM (VALUES (1, 'b'), (1, 'a'), (2, 'c')) AS t(n, s) ORDER BY 1 DESC, 2
SELECT n AS m FROM (VALUES 3, 1, 2) AS t(n) ORDER BY m
SELECT n AS m FROM (VALUES 3, 1, 2) AS t(n) ORDER BY m + 1
SELECT -n AS n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n
SELECT -n AS n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY t.n
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY -n
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY 2
SELECT s FROM (VALUES 'b', 'A', 'a', 'B', 'é', '') AS t(s) ORDER BY s
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n LIMIT 2
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n LIMIT 0
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n LIMIT ALL  -- refused: LIMIT of something else than a number
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n OFFSET 1
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n OFFSET 1 LIMIT 1
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n LIMIT 1 OFFSET 1
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n OFFSET 1 ROWS FETCH FIRST 1 ROW ONLY  -- refused: DIRECTION here
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n FETCH FIRST 2 ROWS ONLY  -- refused: DIRECTION here
SELECT n FROM (VALUES 1, 1, 2) AS t(n) ORDER BY n FETCH FIRST 1 ROW WITH TIES  -- refused: DIRECTION here
SELECT n FROM (VALUES 1, 1, 2) AS t(n) FETCH FIRST 1 ROW WITH TIES  -- refused: DIRECTION here
SELECT TOP 1 n FROM (VALUES 1, 1, 2) AS t(n)
SELECT DISTINCT n FROM (VALUES 1, 1, NULL, NULL) AS t(n)
SELECT DISTINCT n FROM (VALUES 3, 1, 1) AS t(n) ORDER BY n
SELECT DISTINCT n FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s) ORDER BY s
SELECT DISTINCT ON (n) n FROM (VALUES 1, 1) AS t(n)  -- refused: ON here
SELECT ALL n FROM (VALUES 1, 1) AS t(n)
SELECT a.n, b.s FROM (VALUES 1, 2, NULL) AS a(n) JOIN (VALUES (1, 'x'), (NULL, 'z')) AS b(n, s) ON a.n = b.n
SELECT a.n, b.s FROM (VALUES 1, 2, NULL) AS a(n) LEFT JOIN (VALUES (1, 'x'), (NULL, 'z')) AS b(n, s) ON a.n = b.n
SELECT a.n, b.s FROM (VALUES 1, 2) AS a(n) RIGHT JOIN (VALUES (1, 'x'), (3, 'z')) AS b(n, s) ON a.n = b.n
SELECT a.n, b.s FROM (VALUES 1, 2) AS a(n) FULL JOIN (VALUES (1, 'x'), (3, 'z')) AS b(n, s) ON a.n = b.n
SELECT a.n, b.s FROM (VALUES 1, 2) AS a(n) FULL OUTER JOIN (VALUES (1, 'x'), (3, 'z')) AS b(n, s) ON a.n = b.n AND b.s <> 'x'
SELECT a.n, b.s FROM (VALUES 1, 2) AS a(n) CROSS JOIN (VALUES 'x', 'y') AS b(s)
SELECT a.n, b.s FROM (VALUES 1, 2) AS a(n), (VALUES 'x', 'y') AS b(s) WHERE a.n = 1
SELECT n, s FROM (VALUES 1, 2) AS a(n) JOIN (VALUES (1, 'x')) AS b(n, s) USING (n)  -- refused: USING here
SELECT * FROM (VALUES (1, 'q')) AS a(n, q) JOIN (VALUES (1, 'x')) AS b(n, s) USING (n)  -- refused: USING here
SELECT n, s FROM (VALUES 1, 2) AS a(n) LEFT JOIN (VALUES (1, 'x')) AS b(n, s) USING (n)  -- refused: USING here
SELECT n, q, s FROM (VALUES (1, 'q')) AS a(n, q) FULL JOIN (VALUES (2, 'x')) AS b(n, s) USING (n)  -- refused: USING here
SELECT a.n FROM (VALUES 1, 2) AS a(n) JOIN (VALUES (1, 'x')) AS b(n, s) USING (n)  -- refused: USING here
SELECT n FROM (VALUES 1, 2) AS a(n) NATURAL JOIN (VALUES (1, 'x')) AS b(n, s)
SELECT n FROM (VALUES 1, 2) AS a(n) JOIN (VALUES 1) AS b(n) ON a.n = b.n
SELECT a.n, b.n FROM (VALUES 1, 2) AS a(n) JOIN (VALUES 1, 2) AS b(n) ON a.n < b.n
SELECT a.n FROM (VALUES 1, 2) AS a(n) LEFT SEMI JOIN (VALUES 1) AS b(n) ON a.n = b.n
SELECT a.n, x FROM (VALUES 1, 2) AS a(n) CROSS JOIN LATERAL (SELECT a.n * 10 AS x) AS l  -- refused: LATERAL in FROM
SELECT a.n, x FROM (VALUES 1, 2) AS a(n) LEFT JOIN LATERAL (SELECT 5 AS x WHERE a.n = 1) AS l ON true  -- refused: LATERAL in FROM
SELECT n FROM (VALUES 1, 2, 3) AS t(n) WHERE n IN (SELECT m FROM (VALUES 1, 3) AS u(m))
SELECT n FROM (VALUES 1, 2, 3) AS t(n) WHERE n NOT IN (SELECT m FROM (VALUES 1, NULL) AS u(m))
SELECT n IN (SELECT m FROM (VALUES 1, NULL) AS u(m)) FROM (VALUES 1, 2, NULL) AS t(n)
SELECT n FROM (VALUES 1, 2, 3) AS t(n) WHERE EXISTS (SELECT 1 FROM (VALUES 1, 3) AS u(m) WHERE m = n)
SELECT n FROM (VALUES 1, 2, 3) AS t(n) WHERE NOT EXISTS (SELECT 1 FROM (VALUES 1, 3) AS u(m) WHERE m = n)
SELECT n, (SELECT max(m) FROM (VALUES 1, 3) AS u(m) WHERE m <= n) FROM (VALUES 0, 2, 3) AS t(n)
SELECT (SELECT 1), (SELECT n FROM (VALUES 1) AS t(n) WHERE n > 1)
SELECT (SELECT n FROM (VALUES 1, 2) AS t(n))
SELECT (SELECT 1, 2)  -- refused: a subquery of several columns as a value
SELECT n > ALL (SELECT m FROM (VALUES 1, 2) AS u(m)) FROM (VALUES 2, 3) AS t(n)  -- refused: ALL (SELECT m FROM (VALUES (1), (2)) AS u(m))
SELECT n = ANY (SELECT m FROM (VALUES 1, 2) AS u(m)) FROM (VALUES 2, 3) AS t(n)  -- refused: ANY (SELECT m FROM (VALUES (1), (2)) AS u(m))
SELECT n < SOME (SELECT m FROM (VALUES 1, 2) AS u(m)) FROM (VALUES 1, 3) AS t(n)  -- refused: ANY(SELECT m FROM (VALUES (1), (2)) AS u(m))
SELECT 1 UNION SELECT 1
SELECT 1 UNION ALL SELECT 1
SELECT 1 AS a UNION ALL SELECT 2 AS b ORDER BY a
SELECT 1 UNION ALL SELECT 'a'
SELECT 1, 2 UNION ALL SELECT 1
SELECT 'a' UNION ALL SELECT NULL
SELECT 1 UNION ALL SELECT 2e0
SELECT n FROM (VALUES 1, 2, 2) AS t(n) INTERSECT SELECT 2
SELECT n FROM (VALUES 1, 2, 2) AS t(n) EXCEPT SELECT 1
SELECT n FROM (VALUES 1, 2, 2) AS t(n) EXCEPT ALL SELECT 2
SELECT n FROM (VALUES 1, 2, 2) AS t(n) INTERSECT ALL SELECT 2
SELECT 1 UNION SELECT 2 INTERSECT SELECT 2
(SELECT 1) UNION ALL (SELECT 2 ORDER BY 1 LIMIT 1)
SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS u ORDER BY n LIMIT 1
WITH a AS (SELECT 1 AS n) SELECT n FROM a
WITH a (m) AS (SELECT 1 AS n), b AS (SELECT m + 1 AS m FROM a) SELECT a.m, b.m FROM a, b
WITH a AS (SELECT 1 AS n), a AS (SELECT 2 AS n) SELECT n FROM a
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t  -- refused: WITH RECURSIVE
WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n * 2 FROM t WHERE n < 100) SELECT sum(n) FROM t  -- refused: WITH RECURSIVE
SELECT CASE WHEN n = 1 THEN 'one' ELSE 'other' END AS name, count(*) FROM (VALUES 1, 2, 3) AS t(n) GROUP BY CASE WHEN n = 1 THEN 'one' ELSE 'other' END
SELECT count(*) FROM (VALUES 1, 2) AS t(n) WHERE n > 1 AND n < 5 OR n = 1
SELECT 1 WHERE 1 = 2
SELECT 1 WHERE NULL
SELECT 1 WHERE 1
SELECT * FROM (SELECT 1 AS a, 2 AS a) AS t
SELECT a FROM (SELECT 1 AS a, 2 AS a) AS t
SELECT n, n FROM (VALUES 1) AS t(n)
SELECT t.n FROM (VALUES 1) AS t(n), (VALUES 2) AS t(n)
SELECT * FROM (VALUES 1) t
SELECT * FROM (SELECT 1)
SELECT _col0 FROM (SELECT 1) AS t
SELECT * EXCEPT (n) FROM (VALUES (1, 2)) AS t(n, m)  -- refused: EXCEPT here
SELECT * EXCLUDE (n) FROM (VALUES (1, 2)) AS t(n, m)  -- refused: EXCEPT here
SELECT * REPLACE (1 AS n) FROM (VALUES (1, 2)) AS t(n, m)  -- refused: REPLACE here
SELECT n FROM (VALUES (1, 2)) AS t(n)
SELECT 1,
SELECT FROM t  -- fails: TABLE_NOT_FOUND
SELECT 1 FROM
SELECT (1
SELECT 'a
SELECT 1 2
SELECT a b c FROM t
FROM (VALUES 1) AS t(n) SELECT n
SELECT LEFT('abc', 2)
SELECT 1 == 1
SELECT 7 // 2
SELECT 2 ** 3
SELECT 2 ^ 3  -- refused: BITWISE_XOR(2, 3)
SELECT 1 & 1  -- refused: BITWISE_AND(1, 1)
SELECT 1 | 1  -- refused: BITWISE_OR(1, 1)
SELECT 1 << 2  -- refused: BITWISE_LEFT_SHIFT(1, 2)
SELECT ~1  -- refused: BITWISE_NOT(1)
SELECT !true
SELECT true XOR false
SELECT 7 DIV 2  -- refused: CAST(TRUNCATE(CAST(7 AS DOUBLE) / 2) AS BIGINT)
SELECT 1 <=> 1
SELECT n FROM (VALUES 1) AS t(n) WHERE n ISNULL
SELECT 'a' 'b'  -- refused: CONCAT('a', 'b')
SELECT "abc"
SELECT `n` FROM (VALUES 1) AS t(n)
SELECT [1, 2]
SELECT {'a': 1}
SELECT (1, 2).field0
SELECT x -> x FROM (VALUES 1) AS t(x)  -- refused: JSON_EXTRACT(x, x)
SELECT lambda x: x + 1
SELECT DATE '2026-11-21' + 1
SELECT INTERVAL 1 DAY
SELECT INTERVAL '1 day'  -- fails: SYNTAX_ERROR
SELECT INTERVAL '1' DAYS  -- fails: SYNTAX_ERROR
SELECT CURRENT_DATE IS NOT NULL
SELECT CURRENT_DATE()  -- refused: the function current_date
SELECT now() IS NOT NULL
SELECT current_timestamp(3) IS NOT NULL  -- refused: the function current_timestamp
SELECT localtimestamp IS NOT NULL
SELECT sysdate
SELECT isnull(1, 2)  -- fails: SYNTAX_ERROR
SELECT ifnull(1, 2)
SELECT nvl(1, 2)
SELECT iff(true, 1, 2)
SELECT decode(1, 1, 'a')
SELECT SAFE_CAST('1' AS integer)  -- fails: FUNCTION_NOT_FOUND
SELECT CONVERT(integer, '1')  -- fails: FUNCTION_NOT_FOUND
SELECT cast('1' as string)  -- refused: string in a type
SELECT cast('1' as text)  -- refused: text in a type
SELECT cast(1 as number)  -- refused: number in a type
SELECT cast(1 as numeric(10, 2))  -- refused: numeric in a type
SELECT cast(1 as float)  -- refused: float in a type
SELECT cast(1 as double precision)
SELECT cast('a' as bytea)  -- refused: bytea in a type
SELECT n FROM (VALUES 1, 2, 3) AS t(n) TABLESAMPLE BERNOULLI (100)  -- refused: SAMPLE here
SELECT n FROM (VALUES 1, 2, 3) AS t(n) LIMIT 50%  -- refused: LIMIT_OPTIONS here
SELECT n FROM (VALUES 1) AS t(n) FOR UPDATE  -- refused: LOCKS here
SELECT n FROM range(3) AS t(n)  -- refused: table functions
SELECT n FROM generate_series(1, 3) AS t(n)  -- refused: table functions
SELECT * FROM TABLE(sequence(1, 3))  -- refused: table functions
SELECT unnest(ARRAY[1, 2])  -- refused: the function unnest
SELECT * FROM (VALUES (1, 'a')) AS t(n, s) PIVOT (max(n) FOR s IN ('a'))  -- refused: PIVOTS here
SELECT * FROM (VALUES (1, 2)) AS t(a, b) MATCH_RECOGNIZE (ORDER BY a MEASURES A.a AS x PATTERN (A) DEFINE A AS a > 0)  -- refused: MATCH here
SELECT read_csv('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')  -- refused: table functions
SELECT * FROM '/etc/passwd'  -- fails: TABLE_NOT_FOUND
SELECT getenv('HOME')
SELECT current_setting('threads')
SELECT version()  -- refused: the function version
SELECT current_user  -- refused: CURRENT_USER
SELECT current_schema  -- refused: current_schema
SELECT current_catalog  -- refused: CURRENT_CATALOG
SELECT list_value(1)
SELECT list_aggregate(ARRAY[1], 'sum')
SELECT struct_pack(a := 1)
SELECT n FROM (VALUES 1) AS t(n) ORDER BY ALL
SELECT COLUMNS(*) FROM (VALUES 1) AS t(n)
SELECT quantile_cont(n, 0.5) FROM (VALUES 1) AS t(n)
SELECT median(n) FROM (VALUES 1) AS t(n)
SELECT mode(n) FROM (VALUES 1) AS t(n)
SELECT first(n) FROM (VALUES 1) AS t(n)
SELECT sum(n) WITHIN GROUP (ORDER BY n) FROM (VALUES 1) AS t(n)  -- refused: SUM(n) WITHIN GROUP (ORDER BY n)
SELECT epoch(now())
SELECT strftime(now(), '%Y')
SELECT /* c */ 1 -- d
SELECT 1 /* unclosed
SELECT 'a' COLLATE nocase  -- refused: 'a' COLLATE nocase
SELECT n FROM (VALUES 1) AS t(n) WHERE n = ?  -- fails: SYNTAX_ERROR
SELECT $1  -- fails: COLUMN_NOT_FOUND
SELECT :name
SELECT @x
SELECT n AS select FROM (VALUES 1) AS t(n)
SELECT n end FROM (VALUES 1) AS t(n)
SELECT t.n.x FROM (VALUES 1) AS t(n)
SELECT 1 IS TRUE
SELECT true IS TRUE
SELECT true IS NOT FALSE
SELECT NULL IS UNKNOWN
SELECT 1 BETWEEN 0 AND 2 AND true
SELECT NOT 1 BETWEEN 0 AND 2
SELECT -2 * -3
SELECT - - 2
SELECT 1 + 2 || 'a'  -- refused: ||(integer, varchar)
SELECT 'a' || 'b' = 'ab'
SELECT 1 < 2 < 3
SELECT 1 < 2 = true
SELECT NOT NULL IS NULL
SELECT 2 + 3 * 4 % 5
SELECT true OR false AND false
SELECT NOT true OR true
