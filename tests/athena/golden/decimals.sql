-- Decimals: types of results, rounding, 38 digits, overflow.
1.5
0.1
.5
5.
-0.5
00.50
1.50
123456789012345678901234567890.12345678
99999999999999999999999999999999999999
999999999999999999999999999999999999999
1.0 + 2
1.5 + 1.25
0.1 + 0.2
1.5 - 2.25
-1.5 - 2
1.5 * 2
1.5 * 1.5
0.01 * 0.01
1.25 * CAST(3 AS tinyint)
2 * 1.5
10.00 / 3
1 / 3.0
2 / 3.0
-2 / 3.0
10.0 / 4
1.0 / 3.000
CAST(10 AS decimal(10,2)) / 3
CAST(20 AS decimal(10,2)) / 3
CAST(-20 AS decimal(10,2)) / 3
CAST(1 AS decimal(10,2)) / CAST(3 AS decimal(10,4))
CAST(1 AS decimal(38,2)) / CAST(3 AS decimal(10,4))
CAST(99999999999999999999 AS decimal(38,10)) / CAST(3 AS decimal(38,10))
CAST(12345678901234567890 AS decimal(38,8)) / CAST(7 AS decimal(20,8))
1.0 / 0
1.0 / 0.0
0.0 / 1.0
5.5 % 2
-5.5 % 2
5.5 % -2.25
5.5 % 0
5 % 1.5
CAST(10 AS decimal(38,2)) % CAST(3 AS decimal(38,5))
123456789012345678.12 * 123456789012345678.12
12345678901.123456789 * 12345678901.123456789
99999999999999999999.0 * 99999999999999999999.0
CAST(99999999999999999999999999999999999999 AS decimal(38,0)) + 1
CAST(99999999999999999999999999999999999999 AS decimal(38,0)) - 1
CAST(-99999999999999999999999999999999999999 AS decimal(38,0)) - 1
CAST(9999999999999999999 AS decimal(19,0)) * CAST(9999999999999999999 AS decimal(19,0))
CAST(99999999999999999999 AS decimal(20,0)) * CAST(9999999999999999999 AS decimal(19,0))
CAST(0.5 AS decimal(38,38)) * CAST(0.5 AS decimal(38,38))
CAST(0.5 AS decimal(20,20)) * CAST(0.5 AS decimal(18,18))
CAST(1.1 AS decimal(38,20)) * CAST(1.1 AS decimal(38,18))
CAST(1.1 AS decimal(38,20)) * CAST(1.1 AS decimal(38,19))
CAST(12345678901234567890123456789012345678 AS decimal(38,0)) * 10
CAST(1.5 AS decimal(10,2)) + CAST(1 AS bigint)
CAST(1.5 AS decimal(10,2)) * CAST(9223372036854775807 AS bigint)
1.5 + 1e0
1.5 * 2e0
1.5 / 2e0
1.5 + CAST(1 AS real)  -- refused: CAST from integer to real
-1.5
-(1.50)
- CAST(1.50 AS decimal(10,2))
1.5 = 1.50
1.5 < 1.51
1.5 = 1.5e0
1.5 = 1
CAST(99999999999999999999999999999999999999 AS decimal(38,0)) > 1
CAST(99999999999999999999999999999999999999 AS decimal(38,0)) > 0.5
CAST(99999999999999999999999999999999999999 AS decimal(38,0)) = 99999999999999999999999999999999999998.5
1.50 IN (1.5, 2)
1.5 BETWEEN 1 AND 2
1.5 IS DISTINCT FROM 1.50
greatest(1.5, 1.55)
coalesce(1.5, 1.55)
if(true, 1.5, 1.55)
nullif(1.50, 1.5)
abs(-1.50)
CAST(1.235 AS decimal(10,2))
CAST(1.225 AS decimal(10,2))
CAST(-1.235 AS decimal(10,2))
CAST(123.456 AS decimal(4,2))
CAST(99.995 AS decimal(4,2))
CAST(1e0 AS decimal(10,2))
CAST(1.005e0 AS decimal(10,2))
CAST(2.675e0 AS decimal(10,2))
CAST(0.1e0 AS decimal(38,20))
CAST(1e20 AS decimal(38,2))
CAST(1e40 AS decimal(38,2))
CAST(nan() AS decimal(10,2))
CAST(12 AS decimal(4,2))
CAST(123 AS decimal(4,2))
CAST(9223372036854775807 AS decimal(19,0))
CAST(9223372036854775807 AS decimal(38,18))
CAST('19.99' AS decimal(10,2))
CAST('19.995' AS decimal(10,2))
CAST('1e2' AS decimal(10,2))
CAST(' 1.5' AS decimal(10,2))
CAST('1.5 ' AS decimal(10,2))
CAST('+1.5' AS decimal(10,2))
CAST('.5' AS decimal(10,2))
CAST('5.' AS decimal(10,2))
CAST('abc' AS decimal(10,2))
CAST('' AS decimal(10,2))
CAST('1,000' AS decimal(10,2))
CAST('123456789.01' AS decimal(10,2))
CAST('12345678901234567890123456789012345678' AS decimal(38,0))
CAST('0.00000000000000000000000000000000000001' AS decimal(38,38))
CAST(true AS decimal(10,2))
CAST(1.5 AS decimal)
CAST(1.5 AS decimal(5))
CAST(NULL AS decimal(10,2))
DECIMAL '1.50'  -- refused: literals of decimal
DECIMAL '-123.456'  -- refused: literals of decimal
CAST(1.5 AS integer)
CAST(2.5 AS integer)
CAST(-2.5 AS integer)
CAST(2.4 AS integer)
CAST(99999999999.5 AS integer)
CAST(2.5 AS bigint)
CAST(127.5 AS tinyint)
CAST(1.5 AS double)
CAST(0.1 AS double)
CAST(12345678901234567890.12345 AS double)
CAST(1.5 AS real)  -- refused: CAST from decimal(2,1) to real
CAST(0.5 AS boolean)
CAST(0.0 AS boolean)
CAST(1.50 AS varchar)
CAST(-0.50 AS varchar)
CAST(CAST(0.5 AS decimal(2,2)) AS varchar)
CAST(CAST(5 AS decimal(38,2)) AS varchar)
CAST(1.50 AS varchar(2))  -- refused: CAST from decimal(3,2) to a varchar of a length
round(CAST(12.345 AS decimal(38,3)), 2)
round(99999999999999999999.5)
floor(CAST(-12.5 AS decimal(38,1)))  -- refused: floor(decimal(38,1))
ceil(CAST(12.5 AS decimal(38,1)))  -- refused: ceil(decimal(38,1))
sum(1.50)
-- FROM (VALUES (1.50, 2), (2.25, 3), (NULL, 4), (-0.01, NULL)) AS t(d, n)
sum(d)
avg(d)
min(d)
max(d)
sum(d * n)
sum(d) / count(*)
sum(d) / sum(n)
avg(d * 2)
sum(d) * 1.1
stddev(d)
variance(d)
count(DISTINCT d)
d + n
d - n
d * n
d / n
d % n
-d
n / d
d * d * d
d + n + d
d > n
round(d)
CAST(d AS double)
CAST(d AS varchar)
CAST(d AS integer)
CAST(d AS decimal(10,1))
sum(d) OVER (ORDER BY n)
avg(d) OVER (ORDER BY n)
SELECT sum(x) FROM (VALUES CAST(99999999999999999999999999999999999999 AS decimal(38,0)), CAST(1 AS decimal(38,0))) AS t(x)
SELECT avg(x) FROM (VALUES CAST(1 AS decimal(38,0)), CAST(2 AS decimal(38,0))) AS t(x)
SELECT avg(x) FROM (VALUES 1.00, 1.01) AS t(x)
SELECT avg(x) FROM (VALUES -1.00, -1.01) AS t(x)
SELECT a * b FROM (VALUES (CAST(12345678901 AS decimal(18,4)), CAST(98765432101 AS decimal(18,4)))) AS t(a, b)
SELECT a / b, b / a, a % b FROM (VALUES (CAST(1 AS decimal(38,10)), CAST(3 AS decimal(38,10))), (CAST(-2 AS decimal(38,10)), CAST(3 AS decimal(38,10)))) AS t(a, b)
SELECT 1.0 UNION ALL SELECT 2.25
SELECT 1 UNION ALL SELECT 2.25
SELECT x FROM (VALUES 1, 2.5, 3.75) AS t(x)
