-- The log of changes without duplicates: one row per change and day of arrival.
--
-- day and hour are the S3 partition: when the change arrived in the lake (UTC), not when it was made
-- (creation_time). Filter on day to read less. Delivery is at least once; copies of a change have the
-- same event_id, and the first to arrive is kept. Copies are removed only within a day, so that a
-- filter on day can skip the other days' objects. A copy that arrives on a later day (a retry across
-- midnight UTC) appears on that day too. Where that matters, use count(DISTINCT event_id), or the
-- highest sequence_number per item, as the view of the latest state does.
SELECT ${columns}, day, hour
FROM (
    SELECT ${columns}, day, hour,
        row_number() OVER (PARTITION BY ${keys}, event_id, day ORDER BY hour) AS "#copy"
    FROM ${database}.projection
) AS log
WHERE "#copy" = 1
