-- Dates, timestamps, intervals: month ends, leap years, before 1970, milliseconds.
timestamp '2026-11-21 02:18:00.123'
timestamp '2026-11-21 02:18:00'
timestamp '1969-12-31 23:59:59.999'
timestamp '0001-01-01 00:00:00'
timestamp '9999-12-31 23:59:59.999'
date '2026-11-21'
date '0001-01-01'
date '9999-12-31'
from_iso8601_date('2026-11-21')  -- refused: the function from_iso8601_date
from_iso8601_date('2026-W47-6')  -- refused: the function from_iso8601_date
from_iso8601_date('20261121')  -- refused: the function from_iso8601_date
from_iso8601_date('x')  -- refused: the function from_iso8601_date
to_iso8601(timestamp '2026-11-21 02:18:00.123')  -- refused: the function to_iso8601
to_iso8601(timestamp '2026-11-21 02:18:00')  -- refused: the function to_iso8601
to_iso8601(date '2026-11-21')  -- refused: the function to_iso8601
date_trunc('millisecond', timestamp '2026-11-21 02:18:07.123')
date_trunc('second', timestamp '2026-11-21 02:18:07.123')
date_trunc('minute', timestamp '2026-11-21 02:18:07.123')
date_trunc('hour', timestamp '2026-11-21 02:18:00.123')
date_trunc('day', timestamp '2026-11-21 02:18:00.123')
date_trunc('week', timestamp '2026-11-21 02:18:00.123')
date_trunc('month', timestamp '2026-11-21 02:18:00.123')
date_trunc('quarter', timestamp '2026-11-21 02:18:00.123')
date_trunc('year', timestamp '2026-11-21 02:18:00.123')
date_trunc('month', date '2026-11-21')
date_trunc('week', date '2026-11-22')
date_trunc('week', date '2027-01-01')
date_trunc('quarter', date '2026-02-28')
date_trunc('year', date '2026-11-21')
date_trunc('day', date '2026-11-21')
date_trunc('hour', date '2026-11-21')
date_trunc('decade', date '2026-11-21')
date_trunc('DAY', timestamp '2026-11-21 02:18:00')
date_trunc('hour', timestamp '1969-12-31 23:30:00')
date_trunc('day', NULL)  -- refused: date_trunc(varchar, unknown)
date_diff('day', date '2026-11-20', date '2026-11-22')
date_diff('day', date '2026-11-22', date '2026-11-20')
date_diff('hour', timestamp '2026-11-20 10:59:00', timestamp '2026-11-20 12:00:00')
date_diff('day', timestamp '2026-11-20 23:00:00', timestamp '2026-11-21 01:00:00')
date_diff('day', timestamp '2026-11-21 01:00:00', timestamp '2026-11-20 23:00:00')
date_diff('second', timestamp '2026-11-20 23:00:00', timestamp '2026-11-20 22:00:00')
date_diff('millisecond', timestamp '2026-11-20 00:00:00.001', timestamp '2026-11-20 00:00:01')
date_diff('minute', timestamp '2026-11-20 00:00:59', timestamp '2026-11-20 00:01:00')
date_diff('month', date '2026-01-31', date '2026-02-28')
date_diff('month', date '2026-01-31', date '2026-03-01')
date_diff('month', date '2026-03-31', date '2026-02-28')
date_diff('month', date '2026-03-30', date '2026-02-28')
date_diff('month', timestamp '2026-01-31 12:00:00', timestamp '2026-02-28 12:00:00')
date_diff('month', timestamp '2026-01-15 12:00:00', timestamp '2026-02-15 11:00:00')
date_diff('month', timestamp '2026-02-15 11:00:00', timestamp '2026-01-15 12:00:00')
date_diff('year', date '2025-12-31', date '2026-12-30')
date_diff('year', date '2024-02-29', date '2025-02-28')
date_diff('year', date '2025-02-28', date '2024-02-29')
date_diff('quarter', date '2026-01-31', date '2026-04-30')
date_diff('week', date '2026-11-01', date '2026-11-14')
date_diff('hour', date '2026-11-20', date '2026-11-21')
date_diff('day', date '2026-11-20', timestamp '2026-11-21 12:00:00')
date_diff('day', NULL, date '2026-11-21')
date_diff('fortnight', date '2026-11-20', date '2026-11-21')
date_add('day', 1, date '2026-11-30')
date_add('day', -1, date '2026-03-01')
date_add('week', 1, date '2026-11-30')
date_add('month', 1, date '2026-01-31')
date_add('month', -1, date '2026-03-31')
date_add('quarter', 1, date '2026-11-30')
date_add('year', 1, date '2024-02-29')
date_add('hour', 1, date '2026-11-30')
date_add('hour', 3, timestamp '2026-11-21 23:00:00')
date_add('minute', -90, timestamp '2026-11-21 00:30:00')
date_add('second', 1, timestamp '2026-11-21 23:59:59')
date_add('millisecond', 5, timestamp '2026-11-21 23:00:00.001')
date_add('millisecond', 5, timestamp '2026-11-21 23:00:00')  -- refused: date_add of milliseconds to a timestamp without them
date_add('month', 1, timestamp '2026-01-31 10:00:00.123')
date_add('day', NULL, date '2026-11-30')
date_add('day', 1, NULL)  -- refused: date_add(varchar, integer, unknown)
date_add('day', '1', date '2026-11-30')  -- refused: date_add(varchar, varchar, date)
date_add('day', 1 + 1, date '2026-11-30')
date_add('day', CAST(1 AS bigint), date '2026-11-30')
date '2026-11-21' - interval '1' day
date '2026-11-21' + interval '2' month
date '2026-01-31' + interval '1' month
date '2024-02-29' + interval '1' year
date '2024-02-29' - interval '1' year
date '2026-03-31' - interval '1' month
date '2026-11-21' + interval '1' hour
date '2026-11-21' + interval '24' hour
date '2026-11-21' + 1
date '2026-11-21' - 1
interval '1' day + date '2026-11-21'
timestamp '2026-11-21 02:18:00' + interval '90' minute
timestamp '2026-11-21 02:18:00' - interval '1' second
timestamp '2026-11-21 02:18:00' + interval '0.5' second
timestamp '2026-01-31 02:18:00' + interval '1' month
timestamp '2026-11-21 02:18:00' + interval '1 02:03:04' day to second  -- refused: an interval of day to second
timestamp '2026-11-21 02:18:00' + interval '2-3' year to month  -- refused: an interval of year to month
timestamp '2026-11-21 02:18:00' + interval '-1' day
timestamp '2026-11-21 02:18:00' - interval -'1' day  -- refused: an interval that is no literal
timestamp '2026-11-21 02:18:00' + interval '1' week  -- fails: SYNTAX_ERROR
timestamp '2026-11-21 02:18:00' + 2 * interval '1' day  -- refused: integer * interval day to second
timestamp '2026-11-21 02:18:00' + interval '1' day * 2  -- refused: interval day to second * integer
interval '1' day
interval '36' hour
interval '-90' second
interval '1' month
interval '14' month
interval '-1' year
interval '1' day + interval '2' hour  -- refused: interval day to second + interval day to second
interval '1' day * 3  -- refused: interval day to second * integer
interval '1' day / 2  -- refused: interval day to second / integer
interval '1' day - interval '3' day  -- refused: interval day to second - interval day to second
interval '1' year + interval '1' month  -- refused: interval year to month + interval year to month
interval '1' day > interval '23' hour
interval '1' day + interval '1' month  -- refused: interval day to second + interval year to month
interval '1.5' day
interval '1 day'  -- fails: SYNTAX_ERROR
date '2026-11-21' - date '2026-11-19'
date '2026-11-19' - date '2026-11-21'
timestamp '2026-11-21 12:00:00' - timestamp '2026-11-20 13:30:00.500'
timestamp '2026-11-20 00:00:00' - timestamp '2026-11-21 12:00:00'
to_milliseconds(interval '1' day)
date_format(timestamp '2026-11-21 02:08:09.123', '%Y-%m-%d %H:%i:%s')
date_format(timestamp '2026-11-21 14:08:09', '%a %b %e %l:%i %p')
date_format(timestamp '2026-11-21 00:08:09', '%h %I %l %k %r')
date_format(timestamp '2026-11-21 02:08:09', '%W %M %T %y %j')
date_format(timestamp '2026-11-21 02:08:09.123', '%f')
date_format(timestamp '2026-11-21 02:08:09', '%c/%d %S')
date_format(timestamp '2026-01-01 02:08:09', '%v %x')
date_format(timestamp '2026-01-01 02:08:09', '%u')
date_format(timestamp '2026-01-01 02:08:09', '%w')
date_format(timestamp '2026-11-21 02:08:09', '%D')
date_format(timestamp '2026-11-21 02:08:09', '%% literal %Y')
date_format(timestamp '2026-11-21 02:08:09', '%q')
date_format(timestamp '2026-11-21 02:08:09', 'Ym')
date_format(timestamp '2026-11-21 02:08:09', '')
date_format(date '2026-11-21', '%Y-%m-%d')
date_format(date '2026-11-21' - interval '1' day, '%Y%m%d')
date_format(NULL, '%Y')  -- refused: date_format(unknown, varchar)
date_parse('2026-11-21 02:18', '%Y-%m-%d %H:%i')
date_parse('2026-11-21', '%Y-%m-%d')
date_parse('21/11/2026', '%d/%m/%Y')
date_parse('2026-11-21 02:18:00.123', '%Y-%m-%d %H:%i:%s.%f')
date_parse('Nov 21 2026', '%b %d %Y')
date_parse('2026-13-21', '%Y-%m-%d')
date_parse('2026-02-30', '%Y-%m-%d')
date_parse('2026-11-21x', '%Y-%m-%d')
date_parse('2026-1-2', '%Y-%m-%d')
date_parse(' 2026-11-21', '%Y-%m-%d')
date_parse('', '%Y-%m-%d')
date_parse(NULL, '%Y-%m-%d')
date_parse('20261121', '%Y%m%d')
date_parse('10:20 PM', '%h:%i %p')
format_datetime(timestamp '2026-11-21 02:18:00', 'yyyy-MM-dd''T''HH:mm')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 14:08:09.123', 'EEE, d MMM yyyy hh:mm:ss.SSS a')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 14:08:09.123', 'EEEE MMMM yy D')  -- refused: the function format_datetime
format_datetime(date '2026-11-21', 'yyyy')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 02:18:00', 'xxxx-ww')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 02:18:00', 'HH ''o''''clock''')  -- refused: the function format_datetime
parse_datetime('2026-11-21 02', 'yyyy-MM-dd HH')  -- refused: the function parse_datetime
parse_datetime('2026-11-21', 'yyyy-MM-dd')  -- refused: the function parse_datetime
parse_datetime('x', 'yyyy-MM-dd')  -- refused: the function parse_datetime
parse_datetime('2026-02-30', 'yyyy-MM-dd')  -- refused: the function parse_datetime
year(date '2026-11-21')
year(timestamp '2026-11-21 10:00:00')
quarter(date '2026-11-21')
month(date '2026-11-21')
week(date '2026-01-01')
week(date '2027-01-01')
week_of_year(date '2026-11-21')
day(date '2026-11-21')
day_of_month(date '2026-11-21')
day_of_week(date '2026-11-21')
day_of_week(date '2026-11-22')
dow(date '2026-11-22')
day_of_year(date '2026-02-01')
doy(date '2026-12-31')
year_of_week(date '2027-01-01')
yow(date '2027-01-01')
hour(timestamp '2026-11-21 02:18:07.123')
hour(date '2026-11-21')
minute(timestamp '2026-11-21 02:18:07.123')
second(timestamp '2026-11-21 02:18:07.123')
millisecond(timestamp '2026-11-21 02:18:07.123')
second(timestamp '1969-12-31 23:59:58.999')
millisecond(timestamp '1969-12-31 23:59:58.999')
year(NULL)  -- refused: year(unknown)
year('2026-11-21')  -- refused: year(varchar)
day(interval '36' hour)  -- refused: day(interval day to second)
hour(interval '36' hour)  -- refused: hour(interval day to second)
month(interval '14' month)  -- refused: month(interval year to month)
extract(year FROM date '2026-11-22')
extract(quarter FROM date '2026-11-22')
extract(month FROM date '2026-11-22')
extract(week FROM date '2026-11-22')
extract(day FROM date '2026-11-22')
extract(day_of_month FROM date '2026-11-22')
extract(dow FROM date '2026-11-22')
extract(day_of_week FROM date '2026-11-22')
extract(doy FROM date '2026-11-22')
extract(yow FROM date '2027-01-01')
extract(hour FROM timestamp '2026-11-21 02:18:00')
extract(minute FROM timestamp '2026-11-21 02:18:00')
extract(second FROM timestamp '2026-11-21 02:18:07.9')
extract(epoch FROM timestamp '2026-11-21 02:18:00')
last_day_of_month(date '2026-02-01')
last_day_of_month(date '2024-02-29')
last_day_of_month(timestamp '2026-12-31 23:59:59')
date(timestamp '2026-11-21 02:18:00')
date('2026-11-21')
date('2026-11-21 10:00:00')
date(NULL)
timestamp '2026-11-21 02:18:00' < timestamp '2026-11-22 00:00:00'
date '2026-11-21' = timestamp '2026-11-21 00:00:00'
date '2026-11-21' < timestamp '2026-11-21 00:00:00.001'
date '2026-11-21' = '2026-11-21'
timestamp '2026-11-21 00:00:00' > '2026-11-20'
date '2026-11-21' BETWEEN date '2026-11-01' AND date '2026-11-30'
date '2026-11-21' IN (date '2026-11-21', NULL)
timestamp '2026-11-21 00:00:00' = timestamp '2026-11-21 00:00:00.000'
timestamp '2026-11-21 00:00:00' IN (date '2026-11-21')
greatest(date '2026-11-21', date '2026-11-22')
greatest(timestamp '2026-11-21 00:00:00', timestamp '2026-11-21 00:00:00.5')
coalesce(NULL, date '2026-11-21')
coalesce(date '2026-11-21', timestamp '2026-11-21 10:00:00')
abs(date_diff('second', now(), current_timestamp))
date_diff('hour', current_date - interval '1' day, current_date)
current_date = CAST(now() AS date)
localtimestamp <= now()
date_trunc('hour', now()) <= now()
from_unixtime(1)
from_unixtime(1.5)
from_unixtime(-1.5)
from_unixtime(1700000000.1239e0)
from_unixtime(NULL)
to_unixtime(timestamp '1970-01-01 00:00:01.500')
to_unixtime(timestamp '2026-11-21 02:18:00')
to_unixtime(timestamp '1969-12-31 23:59:58.500')
to_unixtime(date '2026-11-21')
current_timezone()
localtime IS NOT NULL  -- refused: LOCALTIME
current_time IS NOT NULL  -- refused: CURRENT_TIME
datediff('day', date '2026-11-20', date '2026-11-22')
dateadd('day', 1, date '2026-11-20')
to_date('2026-11-20', 'yyyy-mm-dd')  -- refused: the function to_date
to_char(date '2026-11-20', 'yyyy-mm-dd')  -- refused: the function to_char
to_timestamp('2026-11-20', 'yyyy-mm-dd')  -- refused: the function to_timestamp
getdate()
-- FROM (VALUES timestamp '2026-11-21 02:18:07.123', timestamp '1969-12-31 23:59:59.999', timestamp '2024-02-29 00:00:00.000', timestamp '2026-12-31 12:30:00.500', NULL) AS t(ts)
ts
date_trunc('hour', ts)
date_trunc('week', ts)
date_trunc('month', ts)
date_trunc('quarter', ts)
date_trunc('year', ts)
date_add('day', 1, ts)
date_add('month', 2, ts)
date_add('millisecond', -1, ts)
date_diff('day', timestamp '2000-01-01 00:00:00', ts)
date_diff('month', ts, timestamp '2000-01-31 12:00:00')
date_format(ts, '%Y-%m-%d %H:%i:%s.%f')
date_format(ts, '%a %b %c %d %e %H %h %I %j %k %l %M %p %r %S %T %v %W %x %Y %y')
format_datetime(ts, 'yyyy-MM-dd HH:mm:ss.SSS')  -- refused: the function format_datetime
year(ts)
week(ts)
day_of_week(ts)
day_of_year(ts)
year_of_week(ts)
second(ts)
millisecond(ts)
CAST(ts AS date)
CAST(ts AS varchar)
date(ts)
to_iso8601(ts)  -- refused: the function to_iso8601
to_unixtime(ts)
last_day_of_month(ts)
ts + interval '1' month
ts - interval '1' day
ts - timestamp '2026-01-01 00:00:00'
ts > timestamp '2026-01-01 00:00:00'
ts >= date '2026-01-01'
ts BETWEEN timestamp '2026-01-01 00:00:00' AND timestamp '2026-12-31 00:00:00'
max(ts)
min(ts)
count(DISTINCT date_trunc('year', ts))
