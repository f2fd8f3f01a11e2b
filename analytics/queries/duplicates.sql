-- Duplicates by day
--
-- Delivery is at least once: the log can hold copies of a change, on one day or on several. A change
-- counts on the day on which its first copy arrived (UTC). later_days is the number of changes with a
-- copy on a later day; the view changes does not remove those.
-- A snapshot's rows are left out. For about an hour after an hour is packed, its rows are there twice.
-- Reads only the partitions of the window; copies outside it are not counted.
-- param days int 7 how many days back, today included (UTC), by arrival
WITH changes_seen AS (
    SELECT event_id, min(day) AS first_day, max(day) AS last_day, count(*) AS copies
    FROM projection
    WHERE day >= date_format(date_add('day', 1 - /*days*/ 7, current_date), '%Y-%m-%d')
        AND event_type <> 'SNAPSHOT'
    GROUP BY event_id
)

SELECT
    first_day AS day,
    count(*) AS changes,
    sum(copies) - count(*) AS duplicates,
    count_if(copies > 1) AS changes_repeated,
    max(copies) AS most_copies,
    count_if(last_day > first_day) AS later_days
FROM changes_seen
GROUP BY first_day
ORDER BY day
