-- One row an order: its latest state, by the highest sequence_number; deleted orders are gone.
--
-- Late arrivals and duplicates change nothing, since the number was given when the change was made.
-- An order's last change may lie in any partition, so this reads the whole log, as far back as the
-- retention keeps it. A filter on the key reaches the log; one on another column comes after it.
SELECT ${columns}
FROM (
    SELECT ${columns},
        row_number() OVER (PARTITION BY ${keys} ORDER BY sequence_number DESC) AS newest
    FROM ${database}.projection
) AS log
WHERE newest = 1 AND event_type <> 'REMOVE'
