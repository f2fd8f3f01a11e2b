-- Text: operators and functions, with unicode, empty text and NULL.
'a' || 'b'
'a' || NULL  -- refused: ||(varchar, unknown)
'a' || 'b' || 'c'
'a' || 1  -- refused: ||(varchar, integer)
'it''s'
''
'ä' || '😀'
U&'\00e4'  -- refused: U&'\00e4'
concat('a', 'b', 'c')
concat('a', NULL)  -- refused: concat(varchar, unknown)
concat('a', 1)  -- refused: concat(varchar, integer)
concat('a')
concat_ws('-', 'a', 'b')
concat_ws('-', 'a', NULL, 'b')
concat_ws(NULL, 'a', 'b')
concat_ws('-', ARRAY['a', NULL, 'b'])  -- refused: concat_ws(varchar, array(varchar))
concat_ws('-', 'a')
length('héllo')
length('')
length('😀a')
length(NULL)  -- refused: length of a NULL without a type
length('a ')
length(1)  -- refused: length(integer)
char_length('abc')
upper('abc')
upper('straße')
upper('éàü')
lower('ABC')
lower('ÄÖÜ')
lower('İ')
upper('ŉ')
upper(NULL)
substr('hello', 2, 3)
substr('hello', 2)
substr('hello', -3)
substr('hello', -3, 2)
substr('hello', 0)
substr('hello', 9)
substr('hello', 6)
substr('hello', 5)
substr('hello', 2, 0)
substr('hello', 2, -1)
substr('hello', -9)
substr('hello', -5, 2)
substr('hello', 2, 99)
substr('h😀llo', 2, 2)
substr(NULL, 1)  -- refused: substr of a NULL without a type
substr('hello', NULL)
substring('hello', 2, 3)
substring('hello' FROM 2 FOR 2)
substring('hello' FROM 2)
strpos('hello', 'l')
strpos('hello', 'x')
strpos('hello', '')
strpos('', 'a')
strpos('h😀l', 'l')
strpos('hello', 'l', 2)  -- refused: strpos(varchar, varchar, integer)
strpos('hello', 'l', 3)  -- refused: strpos(varchar, varchar, integer)
strpos('hello', 'l', -1)  -- refused: strpos(varchar, varchar, integer)
strpos('hello', NULL)
position('l' IN 'hello')
position('' IN 'hello')
split('a,b,c', ',')
split('', ',')
split('a,,b,', ',')
split('a,b,c', ',', 2)  -- refused: split(varchar, varchar, integer)
split('a,b,c', ',', 1)  -- refused: split(varchar, varchar, integer)
split('a,b,c', ',', 9)  -- refused: split(varchar, varchar, integer)
split('a,b', '')
split(NULL, ',')
split('aXXbXXc', 'XX')
split_part('a-b-c', '-', 2)
split_part('a-b-c', '-', 4)
split_part('a-b-c', '-', 0)
split_part('a--b', '-', 2)
split_part('', '-', 1)
split_part('abc', '', 2)  -- refused: split_part without a separator
split_part(NULL, '-', 1)
replace('abab', 'b')
replace('abab', 'b', 'x')
replace('abab', '', 'x')
replace('abab', 'ab', '')
replace('aaa', 'aa', 'b')
replace(NULL, 'a', 'b')
reverse('abc')  -- refused: reverse(varchar)
reverse('h😀é')  -- refused: reverse(varchar)
reverse('')  -- refused: reverse(varchar)
reverse('éa')  -- refused: reverse(varchar)
trim('  a ')
trim('')
trim(' a b ')
trim(BOTH 'x' FROM 'xxaxx')  -- refused: position of TRIM(BOTH 'x' FROM 'xxaxx')
trim(LEADING 'x' FROM 'xxaxx')  -- refused: position of TRIM(LEADING 'x' FROM 'xxaxx')
trim(TRAILING FROM 'a  ')  -- refused: position of RTRIM('a  ')
trim('xy' FROM 'xyaxy')  -- refused: trim(varchar, varchar)
trim('	a	')
trim('a')
ltrim('  a ')
rtrim(' a  ')
ltrim('xxa', 'x')  -- refused: ltrim(varchar, varchar)
lpad('7', 3, '0')
lpad('7', 3, 'ab')
lpad('hello', 2, 'x')
lpad('', 2, 'x')
lpad('a', 0, 'x')
lpad('a', -1, 'x')
lpad('a', 3, '')
rpad('7', 3, 'x')
rpad('hello', 2, 'x')
rpad('é', 3, '😀')
starts_with('hello', 'he')
starts_with('hello', '')
starts_with('hello', 'x')
starts_with(NULL, 'x')
ends_with('hello', 'lo')
levenshtein_distance('kitten', 'sitting')  -- refused: the function levenshtein_distance
hamming_distance('abc', 'abd')  -- refused: the function hamming_distance
soundex('Robert')  -- refused: the function soundex
translate('abcd', 'ab', 'xy')  -- refused: the function translate
translate('abcd', 'abc', 'x')  -- refused: the function translate
translate('abcd', '', 'x')  -- refused: the function translate
translate('aab', 'aa', 'xy')  -- refused: the function translate
chr(65)  -- refused: the function chr
chr(128512)  -- refused: the function chr
codepoint('A')  -- refused: the function codepoint
codepoint('😀')  -- refused: the function codepoint
codepoint('AB')  -- refused: the function codepoint
ngrams(ARRAY['a', 'b'], 2)  -- refused: the function ngrams
normalize('é')  -- refused: the function normalize
format('%s-%d', 'a', 7)  -- refused: the function format
format('%05d|%,d', 42, 1234567)  -- refused: the function format
format('%.2f', 3.14159e0)  -- refused: the function format
format('%.2f', 2.675)  -- refused: the function format
format('%.2f', 2.675e0)  -- refused: the function format
format('%.1f', 0.25e0)  -- refused: the function format
format('%.0f', 2.5e0)  -- refused: the function format
format('%s%%', 12.5)  -- refused: the function format
format('%10s|%-5s|', 'abc', 'de')  -- refused: the function format
format('%x', 255)  -- refused: the function format
format('%e', 12345.678e0)  -- refused: the function format
format('%s', true)  -- refused: the function format
format('%s', date '2026-11-21')  -- refused: the function format
format('%s', NULL)  -- refused: the function format
format('%d', NULL)  -- refused: the function format
format('%+d', 5)  -- refused: the function format
format('%8.3f', 3.14159e0)  -- refused: the function format
format('%2$s %1$s', 'a', 'b')  -- refused: the function format
format('%s', timestamp '2026-11-21 10:00:00')  -- refused: the function format
format('%s', 1e10)  -- refused: the function format
format('%s')  -- refused: the function format
format('plain')  -- refused: the function format
format('%,.2f', 1234567.891)  -- refused: the function format
format('%d', 'a')  -- refused: the function format
format('%b', true)  -- refused: the function format
format_number(1234567)  -- refused: the function format_number
'abc' LIKE 'a%'
'abc' LIKE 'A%'
'abc' LIKE 'a_c'
'abc' LIKE '%b%'
'abc' LIKE ''
'' LIKE ''
'' LIKE '%'
'a\b' LIKE 'a\b'
'a%c' LIKE 'a!%c' ESCAPE '!'  -- refused: 'a%c' LIKE 'a!%c' ESCAPE '!'
'abc' LIKE 'a!%c' ESCAPE '!'  -- refused: 'abc' LIKE 'a!%c' ESCAPE '!'
'a_c' LIKE 'a\_c' ESCAPE '\'  -- refused: 'a_c' LIKE 'a\_c' ESCAPE '\'
'a!c' LIKE 'a!!c' ESCAPE '!'  -- refused: 'a!c' LIKE 'a!!c' ESCAPE '!'
'abc' LIKE 'a!bc' ESCAPE '!'  -- refused: 'abc' LIKE 'a!bc' ESCAPE '!'
'abc' LIKE 'ab!' ESCAPE '!'  -- refused: 'abc' LIKE 'ab!' ESCAPE '!'
'abc' NOT LIKE 'a%'
'abc' LIKE NULL
NULL LIKE 'a%'
'a.c' LIKE 'a.c'
'abc' LIKE 'a.c'
'😀b' LIKE '_b'
'abc' ILIKE 'A%'  -- refused: LOWER('abc') LIKE LOWER('A%')
'abc' SIMILAR TO 'a%'  -- refused: 'abc' SIMILAR TO 'a%'
'abc' ~ 'a'
1 LIKE '1'
'a' < 'b'
'a' < 'B'
'a' = 'a '
'Z' < 'a'
'é' > 'z'
'a' < 'aa'
'10' < '9'
'a' BETWEEN 'a' AND 'c'
'a' IN ('a', 'b')
'a' = NULL
'b' > NULL
regexp_like('1a 2b', '\d+b')
regexp_like('abc', '^b')
regexp_like('abc', '')
regexp_like('ABC', '(?i)abc')
regexp_like('é', '\w')
regexp_like('٣', '\d')
regexp_like('a\nb', 'a.b')
regexp_like(NULL, 'a')
regexp_like('abc', NULL)  -- refused: regexp_like(varchar, unknown)
regexp_like('abc', '(')
regexp_like('aa', '(a)\1')  -- refused: the regular expression (a)\1
regexp_like('ab', 'a(?=b)')  -- refused: the regular expression a(?=b)
regexp_like('foo bar', '\bbar\b')
regexp_like('a', '[[:alpha:]]')  -- refused: the regular expression [[:alpha:]]
regexp_like('a', '\p{L}')  -- refused: the regular expression \p{L}
regexp_like('abc', 'a{1,2}b?c+')
regexp_like('a$', 'a\$')
regexp_like('abc', '[a-c&&[b]]')  -- refused: the regular expression [a-c&&[b]]
regexp_extract('1a 2b 14m', '\d+')
regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 2)
regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 0)
regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 3)
regexp_extract('abc', '\d+')
regexp_extract('abc', '(\d)?abc', 1)
regexp_extract('abc', 'x*')
regexp_extract(NULL, 'a')
regexp_extract('ab', 'a|ab')
regexp_replace('1a 2b 14m', '\d+[ab] ')
regexp_replace('1a 2b', '(\d+)([ab])', '3c$2')
regexp_replace('1a 2b', '(\d+)([ab])', '$0-')
regexp_replace('a.b', '\.', '\$')  -- refused: regexp_replace with the replacement \$
regexp_replace('a.b', '\.', '$')  -- refused: regexp_replace with the replacement $
regexp_replace('a.b', '\.', '\\')  -- refused: regexp_replace with the replacement \\
regexp_replace('abc', '', '-')
regexp_replace('abc', 'x*', '-')
regexp_replace('new york', '(\w)(\w*)', x -> upper(x[1]) || lower(x[2]))  -- refused: regexp_replace(varchar, varchar, function)
regexp_replace('a b', '(?<first>a)', '${first}!')  -- refused: the regular expression (?<first>a)
regexp_extract_all('1a 2b 14m', '\d+')  -- refused: the function regexp_extract_all
regexp_extract_all('1a 2b 14m', '(\d+)([a-z]+)', 2)  -- refused: the function regexp_extract_all
regexp_extract_all('abc', '\d')  -- refused: the function regexp_extract_all
regexp_extract_all('abc', 'x*')  -- refused: the function regexp_extract_all
regexp_split('1a2b3', '[a-z]')  -- refused: the function regexp_split
regexp_split('abc', '')  -- refused: the function regexp_split
regexp_split('', ',')  -- refused: the function regexp_split
regexp_split('a,b,', ',')  -- refused: the function regexp_split
regexp_count('1a 2b 14m', '\d+')  -- refused: the function regexp_count
regexp_count('abc', 'x')  -- refused: the function regexp_count
regexp_count('', '')  -- refused: the function regexp_count
regexp_position('1a 2b', '[a-z]')  -- refused: the function regexp_position
to_hex(md5(to_utf8('abc')))
to_hex(sha1(to_utf8('abc')))
to_hex(sha256(to_utf8('abc')))
to_hex(sha512(to_utf8('')))  -- refused: the function sha512
to_hex(xxhash64(to_utf8('a')))  -- refused: the function xxhash64
crc32(to_utf8('a'))  -- refused: the function crc32
md5('abc')  -- refused: md5(varchar)
to_utf8('ab')
to_utf8('é')
to_utf8('')
from_utf8(from_hex('6162'))  -- refused: the function from_utf8
from_utf8(to_utf8('é😀'))  -- refused: the function from_utf8
from_utf8(from_hex('ff'))  -- refused: the function from_utf8
from_hex('zz')  -- refused: the function from_hex
from_hex('616')  -- refused: the function from_hex
to_hex(to_utf8('ÿ'))
to_base64(to_utf8('abc'))
to_base64(to_utf8(''))
from_base64('YWJj')  -- refused: the function from_base64
from_utf8(from_base64('YWJj'))  -- refused: the function from_utf8
from_base64('!')  -- refused: the function from_base64
to_base64url(to_utf8('a?>'))  -- refused: the function to_base64url
length(to_utf8('é'))
to_utf8('a') || to_utf8('b')  -- refused: ||(varbinary, varbinary)
to_utf8('a') = to_utf8('a')
X'6162'  -- refused: x'6162'
url_extract_host('https://a.example/p?q=1')  -- refused: the function url_extract_host
url_extract_path('https://a.example/p?q=1')  -- refused: the function url_extract_path
url_extract_query('https://a.example/p?q=1')  -- refused: the function url_extract_query
url_extract_parameter('https://a.example/p?q=1', 'q')  -- refused: the function url_extract_parameter
url_encode('a b&c')  -- refused: the function url_encode
url_decode('a+b%26c')  -- refused: the function url_decode
word_stem('running')  -- refused: the function word_stem
left('abc', 2)
right('abc', 2)
instr('abc', 'b')
len('abc')
initcap('abc')
ascii('a')
charindex('a', 'ba')
contains('abc', 'b')  -- refused: contains(varchar, varchar)
human_readable_seconds(60)  -- refused: the function human_readable_seconds
uuid() = uuid()  -- refused: the function uuid
length(CAST(uuid() AS varchar))  -- refused: the function uuid
luhn_check('79927398713')  -- refused: the function luhn_check
-- FROM (VALUES 'Hello World', '', ' é 😀 ', NULL) AS t(s)
length(s)
upper(s)
lower(s)
reverse(s)  -- refused: reverse(varchar)
trim(s)
ltrim(s)
rtrim(s)
substr(s, 2, 3)
substr(s, -2)
strpos(s, 'o')
strpos(s, 'o', 2)  -- refused: strpos(varchar, varchar, integer)
split(s, ' ')
split_part(s, ' ', 2)
replace(s, ' ', '_')
lpad(s, 5, '*')
rpad(s, 15, '*')
starts_with(s, 'H')
concat(s, '!')
s || s
concat_ws(',', s, 'x')
regexp_like(s, 'o')
regexp_extract(s, '\w+')
regexp_replace(s, '\s', '')
regexp_extract_all(s, '[A-Z]')  -- refused: the function regexp_extract_all
regexp_split(s, ' ')  -- refused: the function regexp_split
regexp_count(s, 'o')  -- refused: the function regexp_count
s LIKE '%o%'
s LIKE 'Hello_World'
s IN ('', 'x')
s = ''
to_utf8(s)
from_utf8(to_utf8(s))  -- refused: the function from_utf8
to_hex(md5(to_utf8(s)))
translate(s, 'o', '0')  -- refused: the function translate
CAST(s AS varchar(5))
format('%s|', s)  -- refused: the function format
greatest(s, 'I')
coalesce(s, 'none')
nullif(s, '')
levenshtein_distance(s, 'Hello')  -- refused: the function levenshtein_distance
codepoint(substr(s, 1, 1))  -- refused: the function codepoint
url_encode(s)  -- refused: the function url_encode
