-- The history of one order: what each change made of each column, before and after
--
-- One row a changed column, in the order in which the changes were made. An insert has no before, a
-- delete no after. Values are shown as text; a change that left every column as it was has no row,
-- and so a duplicate has none.
-- Reads the whole log, for an order may have changed on any day, unless since says where to start;
-- what an order was before since is not known then.
-- param orderid string required the order's id
-- param since date 2000-01-01 the first day of arrival to read (UTC)
WITH steps AS (
    SELECT
        log.orderid /*key*/,
        log.creation_time,
        log.event_type,
        log.sequence_number,
        names.column_name,
        CASE WHEN log.event_type <> 'REMOVE' THEN
            CASE names.column_name
                WHEN 'product_name' THEN log.product_name
                WHEN 'quantity' THEN CAST(log.quantity AS varchar)
                WHEN 'price' THEN CAST(log.price AS varchar)
                WHEN 'customer' THEN log.customer
                WHEN 'status' THEN log.status
                WHEN 'created_at' THEN CAST(log.created_at AS varchar)
                WHEN 'extras' THEN log.extras
            END
        END AS value
    FROM projection AS log
    CROSS JOIN (
        VALUES
            ('product_name'), ('quantity'), ('price'), ('customer'), ('status'), ('created_at'), ('extras')
    ) AS names (column_name)
    WHERE log.orderid = /*orderid*/ 'an order id'
        AND log.day >= date_format(/*since*/ DATE '2000-01-01', '%Y-%m-%d')
),

history AS (
    SELECT
        creation_time AS changed_at,
        event_type,
        column_name,
        lag(value) OVER (PARTITION BY orderid /*key*/, column_name ORDER BY sequence_number) AS value_before,
        value AS value_after,
        sequence_number
    FROM steps
)

SELECT changed_at, event_type, column_name, value_before, value_after
FROM history
WHERE value_before IS DISTINCT FROM value_after
ORDER BY sequence_number, column_name
