-- One row per item: its latest state, by the highest sequence_number, without deleted items.
--
-- Late arrivals and duplicates make no difference, because the number is assigned when the change is
-- made. A snapshot's row comes before every change; of several, the newest counts. An item's last
-- change may be in any partition, so this reads the whole log within its retention. A filter on the
-- key is pushed down to the log; a filter on another column is not.
SELECT ${columns}
FROM (
    SELECT ${columns},
        row_number() OVER (
            PARTITION BY ${keys} ORDER BY sequence_number DESC, creation_time DESC
        ) AS "#newest"
    FROM ${database}.projection
) AS log
WHERE "#newest" = 1 AND event_type <> 'REMOVE'
