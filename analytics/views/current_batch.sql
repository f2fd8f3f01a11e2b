-- One row per item: its latest state, from the batch job's table and the newer part of the log.
--
-- After each run the batch job replaces the view of the latest state with this one, with the day and
-- hour (UTC) up to which the table holds all of the log. So it reads the table and little of the log.
-- Changes in both are taken once, by the highest sequence_number. Deleted items are left out.
SELECT ${columns}
FROM (
    SELECT ${columns},
        row_number() OVER (
            PARTITION BY ${keys} ORDER BY sequence_number DESC, creation_time DESC
        ) AS "#newest"
    FROM (
        SELECT ${table_columns}
        FROM ${database}.${table}
        UNION ALL
        SELECT ${columns}
        FROM ${database}.projection
        WHERE day >= '${day}' AND (day > '${day}' OR hour >= '${hour}')
    ) AS table_and_log
) AS ranked
WHERE "#newest" = 1 AND event_type <> 'REMOVE'
