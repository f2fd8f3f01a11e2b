-- Changes by minute and type
--
-- Minutes are UTC minutes of the change (creation_time). A minute without changes has no row. A
-- snapshot's rows are no changes and are left out.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param minutes int 60 how many minutes back, the current one included
SELECT
    date_trunc('minute', creation_time) AS changed_at,
    count(DISTINCT CASE WHEN event_type = 'INSERT' THEN event_id END) AS inserts,
    count(DISTINCT CASE WHEN event_type = 'MODIFY' THEN event_id END) AS updates,
    count(DISTINCT CASE WHEN event_type = 'REMOVE' THEN event_id END) AS deletes,
    count(DISTINCT event_id) AS changes
FROM projection
WHERE day >= date_format(date_add('minute', -60 - /*minutes*/ 60, localtimestamp), '%Y-%m-%d')
    AND concat(day, hour) >= date_format(date_add('minute', -60 - /*minutes*/ 60, localtimestamp), '%Y-%m-%d%H')
    AND creation_time >= date_add('minute', 1 - /*minutes*/ 60, date_trunc('minute', localtimestamp))
    AND event_type <> 'SNAPSHOT'
GROUP BY date_trunc('minute', creation_time)
ORDER BY changed_at
