-- Timestamps with a time zone: literals, AT TIME ZONE, fields, truncation, daylight saving.
timestamp '2026-11-21 12:00:00 UTC'
timestamp '2026-11-21 12:00:00.123 UTC'
timestamp '2026-11-21 12:00:00 America/New_York'
timestamp '2026-07-21 12:00:00 America/New_York'
timestamp '2026-11-21 12:00:00 +02:00'
timestamp '2026-11-21 12:00:00 -05:30'
timestamp '2026-11-21 12:00:00 Z'
timestamp '2026-11-21 12:00:00 Europe/Nowhere'
timestamp '2026-11-21 12:00 UTC'
timestamp '2026-11-21 12:00:00 GMT'
timestamp '2026-03-29 02:30:00 Europe/Zurich'
timestamp '2026-10-25 02:30:00 Europe/Zurich'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'America/New_York'
timestamp '2026-07-21 12:00:00 UTC' AT TIME ZONE 'America/New_York'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Kolkata'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE '+02:00'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'UTC'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Nowhere'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE interval '2' hour  -- refused: AT TIME ZONE with a zone that is no literal
timestamp '2026-11-21 12:00:00' AT TIME ZONE 'America/New_York'
timestamp '2026-11-21 12:00:00.123' AT TIME ZONE 'Asia/Tokyo'
timestamp '2026-11-21 12:00:00 America/New_York' AT TIME ZONE 'Asia/Tokyo'
timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Tokyo' AT TIME ZONE 'Europe/Paris'
date '2026-11-21' AT TIME ZONE 'America/New_York'
at_timezone(timestamp '2026-11-21 12:00:00 UTC', 'America/New_York')
at_timezone(timestamp '2026-11-21 12:00:00', 'America/New_York')
with_timezone(timestamp '2026-11-21 12:00:00', 'America/New_York')
with_timezone(timestamp '2026-11-21 12:00:00 UTC', 'America/New_York')  -- refused: with_timezone(timestamp(0) with time zone, varchar)
with_timezone(date '2026-11-21', 'America/New_York')  -- refused: with_timezone(date, varchar)
hour(timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'America/New_York')
day(timestamp '2026-11-21 03:00:00 UTC' AT TIME ZONE 'America/New_York')
minute(timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Kolkata')
day_of_week(timestamp '2026-11-22 03:00:00 UTC' AT TIME ZONE 'America/New_York')
extract(hour FROM timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Tokyo')
timezone_hour(timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Tokyo')  -- refused: the function timezone_hour
timezone_minute(timestamp '2026-11-21 12:00:00 UTC' AT TIME ZONE 'Asia/Kolkata')  -- refused: the function timezone_minute
extract(timezone_hour FROM timestamp '2026-11-21 12:00:00 +02:00')  -- refused: the function timezone_hour
date_trunc('day', timestamp '2026-11-21 03:00:00 UTC' AT TIME ZONE 'America/New_York')
date_trunc('hour', timestamp '2026-11-21 03:30:00 UTC' AT TIME ZONE 'Asia/Kolkata')
date_trunc('month', timestamp '2026-11-01 03:00:00 UTC' AT TIME ZONE 'America/New_York')
date_trunc('week', timestamp '2026-11-23 03:00:00 UTC' AT TIME ZONE 'America/New_York')
date_trunc('minute', timestamp '2026-11-21 03:00:07.5 UTC')
date_format(at_timezone(timestamp '2026-11-21 03:00:00 UTC', 'America/New_York'), '%Y-%m-%d %H')
format_datetime(timestamp '2026-11-21 03:00:00 UTC' AT TIME ZONE 'America/New_York', 'yyyy-MM-dd HH:mm')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 03:00:00 America/New_York', 'HH:mm ZZZ')  -- refused: the function format_datetime
format_datetime(timestamp '2026-11-21 03:00:00 America/New_York', 'HH:mm Z')  -- refused: the function format_datetime
CAST(at_timezone(timestamp '2026-11-21 03:00:00 UTC', 'America/New_York') AS date)
CAST(at_timezone(timestamp '2026-11-21 03:00:00 UTC', 'America/New_York') AS timestamp)
CAST(at_timezone(timestamp '2026-11-21 03:00:00 UTC', 'America/New_York') AS varchar)
CAST(timestamp '2026-11-21 03:00:00 +02:00' AS varchar)
date(at_timezone(timestamp '2026-11-21 03:00:00 UTC', 'America/New_York'))
CAST(timestamp '2026-11-21 03:00:00 UTC' AS timestamp(3) with time zone)
to_unixtime(timestamp '2026-11-21 03:00:00 America/New_York')
to_iso8601(timestamp '2026-11-21 12:00:00 UTC')  -- refused: the function to_iso8601
to_iso8601(timestamp '2026-11-21 12:00:00.123 UTC' AT TIME ZONE 'America/New_York')  -- refused: the function to_iso8601
to_iso8601(timestamp '2026-11-21 12:00:00 +02:00')  -- refused: the function to_iso8601
date_diff('hour', timestamp '2026-11-21 03:00:00 UTC', at_timezone(timestamp '2026-11-21 04:00:00 UTC', 'Asia/Tokyo'))
date_diff('day', timestamp '2026-11-21 03:00:00 UTC', timestamp '2026-11-22 03:00:00 America/New_York')  -- refused: times of several zones in one column
date_diff('month', timestamp '2026-10-25 00:00:00 UTC', timestamp '2026-11-25 00:00:00 UTC')
date_diff('hour', timestamp '2026-11-21 03:00:00', timestamp '2026-11-21 04:00:00 UTC')
date_add('day', 1, timestamp '2026-10-31 12:00:00 America/New_York')
date_add('hour', 24, timestamp '2026-10-31 12:00:00 America/New_York')
date_add('month', 1, timestamp '2026-10-31 12:00:00 America/New_York')
date_add('hour', 1, timestamp '2026-11-21 03:00:00 UTC')
timestamp '2026-10-31 12:00:00 America/New_York' + interval '1' day
timestamp '2026-10-31 12:00:00 America/New_York' + interval '1' month
timestamp '2026-11-21 12:00:00 UTC' - interval '1' hour
timestamp '2026-11-21 12:00:00 UTC' - timestamp '2026-11-21 12:00:00 America/New_York'
timestamp '2026-11-21 12:00:00 UTC' = timestamp '2026-11-21 07:00:00 America/New_York'
timestamp '2026-11-21 12:00:00 UTC' > timestamp '2026-11-21 07:00:01 America/New_York'
timestamp '2026-11-21 12:00:00' = timestamp '2026-11-21 12:00:00 UTC'
timestamp '2026-11-21 12:00:00' < timestamp '2026-11-21 12:00:00 America/New_York'
date '2026-11-21' = timestamp '2026-11-21 00:00:00 UTC'
timestamp '2026-11-21 12:00:00 UTC' BETWEEN timestamp '2026-11-21 12:00:00' AND now()
timestamp '2026-11-21 12:00:00 UTC' IN (timestamp '2026-11-21 13:00:00 +01:00')
timestamp '2026-11-21 12:00:00 UTC' IS DISTINCT FROM timestamp '2026-11-21 13:00:00 +01:00'
from_iso8601_timestamp('2026-11-21T02:18:00.123Z')
from_iso8601_timestamp('2026-11-21T02:18:00Z')
from_iso8601_timestamp('2026-11-21T02:18:00')
from_iso8601_timestamp('2026-11-21T02:18:00+02:00')  -- refused: from_iso8601_timestamp of a column with times that are not in UTC: 2026-11-21T02:18:00+02:00
from_iso8601_timestamp('2026-11-21T02:18:00-05:30')  -- refused: from_iso8601_timestamp of a column with times that are not in UTC: 2026-11-21T02:18:00-05:30
from_iso8601_timestamp('2026-11-21')
from_iso8601_timestamp('2026-11-21T02:18')
from_iso8601_timestamp('2026-11-21T02')
from_iso8601_timestamp('2026-11-21 02:18:00')
from_iso8601_timestamp('2026-11-21T02:18:00.1239Z')
from_iso8601_timestamp('2026')
from_iso8601_timestamp('x')
from_iso8601_timestamp(NULL)
from_iso8601_timestamp_nanos('2026-11-21T02:18:00.123456789Z')  -- refused: the function from_iso8601_timestamp_nanos
CAST(from_iso8601_timestamp('2026-11-21T02:18:00.123Z') AS timestamp)
CAST(from_iso8601_timestamp('2026-11-21T02:18:00+02:00') AS date)  -- refused: from_iso8601_timestamp of a column with times that are not in UTC: 2026-11-21T02:18:00+02:00
from_iso8601_timestamp('2026-11-21T02:18:00+02:00') AT TIME ZONE 'UTC'  -- refused: from_iso8601_timestamp of a column with times that are not in UTC: 2026-11-21T02:18:00+02:00
from_unixtime(1, 'America/New_York')  -- refused: from_unixtime(integer, varchar)
from_unixtime(1.5, '+02:00')  -- refused: from_unixtime(decimal(2,1), varchar)
from_unixtime(1, 2, 0)  -- refused: from_unixtime(integer, integer, integer)
from_unixtime(1) AT TIME ZONE 'Asia/Tokyo'
parse_datetime('2026-11-21 02:18 +02:00', 'yyyy-MM-dd HH:mm Z')  -- refused: the function parse_datetime
last_day_of_month(timestamp '2026-12-01 03:00:00 UTC' AT TIME ZONE 'America/New_York')
coalesce(timestamp '2026-11-21 12:00:00 UTC', timestamp '2026-11-21 12:00:00')
coalesce(NULL, timestamp '2026-11-21 12:00:00 UTC')
if(true, timestamp '2026-11-21 12:00:00 UTC', timestamp '2026-11-21 12:00:00 America/New_York')  -- refused: times of several zones in one column
greatest(timestamp '2026-11-21 12:00:00 UTC', timestamp '2026-11-21 11:00:00 UTC')
ARRAY[timestamp '2026-11-21 12:00:00 UTC']
ROW(timestamp '2026-11-21 12:00:00 America/New_York')
now() = current_timestamp
hour(now() AT TIME ZONE 'UTC') = hour(now())
date_diff('second', now(), now() AT TIME ZONE 'Asia/Tokyo')
CAST(now() AS date) = current_date
-- FROM (VALUES timestamp '2026-11-21 02:18:07.123', timestamp '2026-07-01 23:30:00.000', timestamp '1969-12-31 23:59:59.999', NULL) AS t(ts)
ts AT TIME ZONE 'America/New_York'
ts AT TIME ZONE 'UTC'
at_timezone(ts AT TIME ZONE 'UTC', 'Asia/Kolkata')
with_timezone(ts, 'America/New_York')
with_timezone(ts, 'UTC') AT TIME ZONE 'America/New_York'
hour(ts AT TIME ZONE 'America/New_York')
CAST(ts AT TIME ZONE 'America/New_York' AS date)
CAST(ts AT TIME ZONE 'America/New_York' AS timestamp)
CAST(ts AS timestamp with time zone)
date_trunc('day', ts AT TIME ZONE 'America/New_York')
date_trunc('hour', with_timezone(ts, 'Asia/Kolkata'))
date_format(ts AT TIME ZONE 'America/New_York', '%Y-%m-%d %H:%i')
date_add('day', 1, ts AT TIME ZONE 'America/New_York')
ts AT TIME ZONE 'America/New_York' > timestamp '2026-01-01 00:00:00 UTC'
to_unixtime(ts AT TIME ZONE 'America/New_York')
to_iso8601(ts AT TIME ZONE 'America/New_York')  -- refused: the function to_iso8601
max(ts AT TIME ZONE 'America/New_York')
count(DISTINCT ts AT TIME ZONE 'America/New_York')
SELECT z, count(*) FROM (VALUES timestamp '2026-11-21 12:00:00 UTC', timestamp '2026-11-21 12:00:00 UTC', NULL) AS t(z) GROUP BY z
SELECT z AT TIME ZONE 'Asia/Tokyo' AS tokyo FROM (SELECT timestamp '2026-11-21 12:00:00 UTC' AS z) AS t
SELECT date_trunc('day', z), count(*) FROM (SELECT ts AT TIME ZONE 'America/New_York' AS z FROM (VALUES timestamp '2026-11-21 02:18:07.123', timestamp '2026-11-21 23:18:07.123') AS t(ts)) AS x GROUP BY date_trunc('day', z)
SELECT timestamp '2026-11-21 12:00:00 UTC' UNION ALL SELECT timestamp '2026-11-21 13:00:00 UTC'
SELECT timestamp '2026-11-21 12:00:00 UTC' UNION ALL SELECT timestamp '2026-11-21 13:00:00 Asia/Tokyo'  -- refused: times of several zones in one column
SELECT from_iso8601_timestamp(s) FROM (VALUES '2026-11-21T02:18:00Z', '2026-11-21T02:18:00.5Z', NULL) AS t(s)
SELECT from_iso8601_timestamp(s) FROM (VALUES '2026-11-21T02:18:00Z', '2026-11-21T02:18:00+02:00') AS t(s)  -- refused: from_iso8601_timestamp of a column with times that are not in UTC: 2026-11-21T02:18:00+02:00
SELECT CAST(from_iso8601_timestamp(s) AS timestamp) FROM (VALUES '2026-11-21T02:18:00Z', '2026-11-21T02:18:00.5Z', NULL) AS t(s)
