-- Freshness: the delay from a change to the lake
--
-- delay is the time from the change in DynamoDB (creation_time) to the creation of the S3 object that
-- first holds it ("$file_modified_time"); from then on queries find it. Both are in whole seconds, so a
-- delay is accurate to about one second. newest_age_seconds is the age of the newest change; it grows
-- when nothing changes. A snapshot's rows are left out. Reads only the partitions of the window. Keep it
-- within the batch's look-back: older hours are packed, into objects that are newer than their rows.
-- param hours int 24 how many hours back, by arrival
WITH arrivals AS (
    SELECT
        event_id,
        min(creation_time) AS creation_time,
        min(CAST("$file_modified_time" AT TIME ZONE 'UTC' AS timestamp)) AS arrived_at
    FROM projection
    WHERE day >= date_format(date_add('hour', -/*hours*/ 24, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('hour', -/*hours*/ 24, localtimestamp), '%Y-%m-%d%H')
        AND event_type <> 'SNAPSHOT'
    GROUP BY event_id
),

delays AS (
    SELECT
        creation_time,
        date_diff('millisecond', creation_time, arrived_at) / 1000.0E0 AS delay
    FROM arrivals
)

SELECT
    count(*) AS changes,
    max(creation_time) AS newest_change,
    date_diff('second', max(creation_time), localtimestamp) AS newest_age_seconds,
    approx_percentile(delay, 0.5) AS p50_delay_seconds,
    approx_percentile(delay, 0.99) AS p99_delay_seconds,
    max(delay) AS max_delay_seconds
FROM delays
