-- Integers, doubles, reals: operators and functions.
7 / 2
-7 / 2
7 / -2
7 % 3
-7 % 3
7 % -3
mod(-7, 3)
mod(7.5, 2)
mod(7.5e0, 2e0)
1 / 0
1 % 0
1e0 / 0
-1e0 / 0
0e0 / 0
1e0 % 0
2147483647 + 1
CAST(2147483647 AS bigint) + 1
-2147483648
2147483648
9223372036854775807
9223372036854775807 + 1
CAST(-9223372036854775808 AS bigint) - 1
9223372036854775807 * 2
46341 * 46341
CAST(100 AS tinyint) + CAST(100 AS tinyint)
CAST(32767 AS smallint) + CAST(1 AS smallint)
CAST(1 AS tinyint) + CAST(1 AS smallint)
CAST(1 AS smallint) + 1
1 + CAST(1 AS bigint)
1 + 1e0
1 + NULL
NULL + NULL
- NULL  -- refused: - unknown
-(-5)
- (5)
+5
1 - -1
-CAST(-2147483648 AS integer)
2 * 3 + 4 * 5
(2 + 3) * 4
2 - 3 - 4
100 / 10 / 5
100 / (10 / 5)
2 * (3 % 2)
1e10
1e-5
1E7
1e6
12345678.9e0
0.001e0
0.0001e0
100e0
-0e0
1.0E16
123456789012345680000e0
0.1e0 + 0.2e0
1e308 * 10
CAST(1 AS double) / 3
CAST(1 AS real) / 3  -- refused: CAST from integer to real
CAST(1.1 AS real)  -- refused: CAST from decimal(2,1) to real
CAST(1.1 AS real) + 1  -- refused: CAST from decimal(2,1) to real
CAST(1.1 AS real) + 1e0  -- refused: CAST from decimal(2,1) to real
CAST(16777217 AS real)  -- refused: CAST from integer to real
CAST(3.4e38 AS real) * 10  -- refused: CAST from double to real
nan()
infinity()
-infinity()
nan() = nan()
nan() <> nan()
nan() < 1e0
nan() > 1e0
1e0 < nan()
nan() IN (nan())
nan() IS DISTINCT FROM nan()
nan() BETWEEN 0e0 AND 1e0
infinity() > 1e308
infinity() = infinity()
infinity() - infinity()
is_nan(nan())
is_nan(1e0)
is_nan(NULL)
is_finite(1e0)
is_finite(infinity())
is_finite(nan())
is_infinite(-infinity())  -- refused: the function is_infinite
is_infinite(1e0)  -- refused: the function is_infinite
greatest(1e0, nan())
least(1e0, nan())
-0e0 = 0e0
abs(-5)
abs(CAST(-2147483648 AS integer))
abs(-2.5e0)
abs(-2.50)
abs(NULL)  -- refused: abs(unknown)
abs(CAST(-5 AS tinyint))
abs(CAST(-1.5 AS real))  -- refused: CAST from decimal(2,1) to real
ceil(1.2)  -- refused: ceil(decimal(2,1))
ceil(-1.2)  -- refused: ceil(decimal(2,1))
ceil(1.2e0)
ceil(-0.2e0)
ceiling(5)
ceil(CAST(1.2 AS real))  -- refused: CAST from decimal(2,1) to real
ceil(99.99)  -- refused: ceil(decimal(4,2))
ceil(CAST(NULL AS double))
floor(1.8)  -- refused: floor(decimal(2,1))
floor(-1.2)  -- refused: floor(decimal(2,1))
floor(-1.2e0)
floor(5)
floor(CAST(-1.2 AS real))  -- refused: CAST from decimal(2,1) to real
floor(-99.99)  -- refused: floor(decimal(4,2))
round(2.5)
round(-2.5)
round(2.5e0)
round(-2.5e0)
round(3.5e0)
round(0.5e0)
round(-0.4e0)
round(2.567e0, 2)
round(2.675e0, 2)
round(1.005e0, 2)
round(1234.5e0, -2)
round(12.345, 1)
round(12.345, 2)
round(12.355, 2)
round(-12.355, 2)
round(12.345, 5)
round(1234.5, -2)
round(99.99)
round(99.99, 1)
round(5)
round(15, -1)  -- refused: round(integer, integer)
round(14, -1)  -- refused: round(integer, integer)
round(-15, -1)  -- refused: round(integer, integer)
round(2147483647, -1)  -- refused: round(integer, integer)
round(CAST(2.567 AS real), 2)  -- refused: CAST from decimal(4,3) to real
round(nan())
round(infinity())
round(NULL, 1)  -- refused: round(unknown, integer)
round(1e17 + 0.5, 1)
truncate(12.9e0)
truncate(-12.9e0)
truncate(12.9)  -- refused: truncate(decimal(3,1))
truncate(-12.9)  -- refused: truncate(decimal(3,1))
truncate(12.987, 2)  -- refused: truncate(decimal(5,3), integer)
truncate(-12.987, 1)  -- refused: truncate(decimal(5,3), integer)
truncate(CAST(12.9 AS real))  -- refused: CAST from decimal(3,1) to real
power(2, 10)
power(2, -1)
power(2, 0.5e0)
power(0, 0)
power(-8, 1e0 / 3)
pow(2, 3)
sqrt(16)
sqrt(-1)
sqrt(2)
cbrt(27)  -- refused: the function cbrt
exp(1)
exp(0)
ln(1)
ln(0)
ln(-1)
log(2, 8)  -- refused: the function log
log(10, 0.001)  -- refused: the function log
log2(8)
log10(1000)
log10(0)
sign(-3)
sign(0)
sign(2.5)  -- refused: sign(decimal(2,1))
sign(-2.5e0)  -- refused: sign(double)
sign(nan())  -- refused: sign(double)
sign(CAST(-3 AS bigint))
pi()  -- refused: the function pi
e()  -- refused: the function e
radians(180)
degrees(3.141592653589793e0)
sin(1)
cos(1)
tan(1)
asin(1)
acos(2)
atan(1)
atan2(1, 2)
greatest(1, 3, 2)
greatest(1, NULL)
greatest(1, 2.5)
greatest(1, 2.5e0)
greatest('a', 'B')
greatest(date '2026-01-01', date '2025-01-01')
greatest(1)
least(3, 1)
least(1.5, 1)
least(NULL, 1)
least('b', 'a', 'c')
width_bucket(5.3e0, 0, 10, 5)  -- refused: the function width_bucket
width_bucket(-1e0, 0, 10, 5)  -- refused: the function width_bucket
width_bucket(10e0, 0, 10, 5)  -- refused: the function width_bucket
width_bucket(5e0, 10, 0, 5)  -- refused: the function width_bucket
width_bucket(CAST(NULL AS double), 0, 10, 5)  -- refused: the function width_bucket
from_base('ff', 16)  -- refused: the function from_base
to_base(255, 16)  -- refused: the function to_base
bitwise_and(12, 10)  -- refused: the function bitwise_and
bitwise_or(12, 10)  -- refused: the function bitwise_or
bit_count(9, 64)  -- refused: the function bit_count
rand() < 1  -- refused: the function rand
random() >= 0  -- refused: the function random
1 = 1
1 <> 2
1 != 2
1 < 2
2 <= 2
3 > 2.5
3 >= 3.0
1 = 1.0
1 = 1e0
NULL = NULL
1 = NULL
1 = '1'
1 IN (1, 2)
3 IN (1, 2)
3 IN (1, NULL)
1 IN (1, NULL)
NULL IN (1, 2)
1 NOT IN (2, NULL)
1 NOT IN (2, 3)
1 IN (1.0, 2.5)
1 IN ('1')
3 BETWEEN 1 AND 5
3 NOT BETWEEN 1 AND 5
3 BETWEEN 5 AND 1
3 BETWEEN NULL AND 1
3 BETWEEN NULL AND 5
NULL BETWEEN 1 AND 2
3 BETWEEN SYMMETRIC 5 AND 1  -- refused: symmetric of (3 BETWEEN 5 AND 1 OR 3 BETWEEN 1 AND 5)
1 IS NULL
NULL IS NULL
NULL IS NOT NULL
1 IS DISTINCT FROM NULL
NULL IS DISTINCT FROM NULL
1 IS NOT DISTINCT FROM 1
1 IS NOT DISTINCT FROM NULL
true AND NULL
false AND NULL
true OR NULL
false OR NULL
NOT NULL
NOT true
NOT 1 = 2
NOT (true AND false)
true = false
true > false
true + 1
1 AND true
coalesce(NULL, 2)
coalesce(NULL, NULL)
coalesce(1, 2.5)
coalesce(NULL, 1, 1 / 0)
coalesce(1, 'a')
coalesce(NULL, 'a', 'bc')
coalesce(1)
nullif(1, 1)
nullif(1, 2)
nullif(NULL, 1)
nullif(1, NULL)
nullif(1, 1.0)
nullif('a', 'b')
if(1 > 2, 'a', 'b')
if(1 > 2, 'a')
if(NULL, 1, 2)
if(true, 1, 2.5)
if(true, 1, 'a')
CASE WHEN 1 > 2 THEN 'a' END
CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'bc' ELSE 'd' END
CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END
CASE NULL WHEN NULL THEN 'null' ELSE 'else' END
CASE WHEN NULL THEN 1 ELSE 2 END
CASE WHEN true THEN 1 ELSE 2.5 END
CASE WHEN true THEN 1 ELSE 'a' END
CASE WHEN true THEN 1 ELSE 1 / 0 END
CASE 1 WHEN 'a' THEN 1 END
CASE WHEN 1 THEN 2 END
try(1 / 0)
try(CAST('a' AS integer))
try(2147483647 + 1)
try(1)
SELECT x / y FROM (VALUES (7, 2), (-7, 2), (NULL, 1), (5, NULL)) AS t(x, y)
SELECT x / y FROM (VALUES (7e0, 0e0), (-7e0, 2e0), (NULL, 1e0)) AS t(x, y)
SELECT x % y FROM (VALUES (7, 2), (-7, 2), (7, -2), (NULL, 1)) AS t(x, y)
SELECT x, round(x), ceil(x), floor(x), truncate(x) FROM (VALUES 2.5e0, -2.5e0, 0.5e0, -0.5e0, 1e15, NULL) AS t(x)
SELECT x, round(x), ceil(x), floor(x), truncate(x) FROM (VALUES 2.55, -2.55, 0.5, -0.49, NULL) AS t(x)  -- refused: ceil(decimal(3,2))
SELECT x, round(x, 1), round(x, -1) FROM (VALUES 2.55, -2.55, 14.95, NULL) AS t(x)
SELECT x, round(x, 1), round(x, -1) FROM (VALUES 2.55e0, -2.55e0, 14.95e0, NULL) AS t(x)
SELECT x = y, x < y, x >= y, x IS DISTINCT FROM y FROM (VALUES (nan(), nan()), (nan(), 1e0), (1e0, nan()), (NULL, nan()), (1e0, 1e0)) AS t(x, y)
SELECT x FROM (VALUES nan(), 1e0, infinity(), -infinity(), NULL) AS t(x) ORDER BY x
SELECT x FROM (VALUES nan(), 1e0, infinity(), -infinity(), NULL) AS t(x) ORDER BY x DESC
SELECT max(x), min(x) FROM (VALUES nan(), 1e0) AS t(x)
SELECT max(x), min(x) FROM (VALUES 1e0, nan(), 2e0) AS t(x)
SELECT x, count(*) FROM (VALUES nan(), nan(), 1e0, -0e0, 0e0) AS t(x) GROUP BY x
SELECT count(DISTINCT x) FROM (VALUES nan(), nan(), 1e0) AS t(x)
