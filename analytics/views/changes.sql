-- The log of changes without its duplicates: one row a change and a day of arrival.
--
-- day and hour are the S3 partition, that is when the change arrived in the lake (UTC), not when it
-- was made (creation_time): filter on day to read less. Delivery is at least once; copies of one
-- change carry one event_id and the first to arrive is kept. The copies are looked for within a day,
-- and only so can a filter on day skip the other days' objects: a copy that arrives on a later day
-- (a retry across midnight UTC) is there on that day too. Where that matters, over several days,
-- count(DISTINCT event_id), or take the highest sequence_number of an order as current_orders does.
SELECT ${columns}, day, hour
FROM (
    SELECT ${columns}, day, hour,
        row_number() OVER (PARTITION BY ${keys}, event_id, day ORDER BY hour) AS copy
    FROM ${database}.projection
) AS log
WHERE copy = 1
