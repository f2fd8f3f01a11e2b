-- One row an order: its latest state, from the table that the batch keeps and the log's news.
--
-- The batch job puts this in the place of current_orders after each run, with the day and the hour
-- (UTC) up to which the table has all of the log; so it reads the table and little of the log. What
-- is in both is taken once, by the highest sequence_number; deleted orders are gone.
SELECT ${columns}
FROM (
    SELECT ${columns},
        row_number() OVER (PARTITION BY ${keys} ORDER BY sequence_number DESC) AS newest
    FROM (
        SELECT ${table_columns}
        FROM ${database}.orders
        UNION ALL
        SELECT ${columns}
        FROM ${database}.projection
        WHERE day >= '${day}' AND (day > '${day}' OR hour >= '${hour}')
    ) AS table_and_log
) AS ranked
WHERE newest = 1 AND event_type <> 'REMOVE'
