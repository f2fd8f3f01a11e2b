-- The history of one item: each changed column, before and after
--
-- One row per changed column, in the order of the changes. An insert has no value before, a delete
-- none after, and a snapshot's row none before: it is the first that is known. Values are shown as
-- text, nested ones as JSON. Changes that leave every column as it was, and duplicates, have no row.
-- Reads the whole log, because an item may change on any day. With since it starts there, and the
-- item's earlier values are not known.
-- param orderid string required the item's orderid
-- param since date 2000-01-01 the first day of arrival to read (UTC)
WITH steps AS (
    SELECT
        log.creation_time,
        log.event_type,
        log.sequence_number,
        names.column_name,
        CASE WHEN log.event_type <> 'REMOVE' THEN
            CASE names.column_name
                /*each column as text*/
                WHEN 'product_name' THEN log.product_name
                WHEN 'quantity' THEN CAST(log.quantity AS varchar)
                WHEN 'price' THEN CAST(log.price AS varchar)
                WHEN 'customer' THEN log.customer
                WHEN 'status' THEN log.status
                WHEN 'created_at' THEN CAST(log.created_at AS varchar)
                WHEN 'extras' THEN log.extras
                /*end*/
            END
        END AS value
    FROM projection AS log
    CROSS JOIN (
        VALUES
            /*each column's name*/
            ('product_name'),
            ('quantity'),
            ('price'),
            ('customer'),
            ('status'),
            ('created_at'),
            ('extras')
            /*end*/
    ) AS names (column_name)
    WHERE log.orderid = /*orderid*/ 'an order id'
        AND log.day >= date_format(/*since*/ DATE '2000-01-01', '%Y-%m-%d')
),

once AS (
    SELECT
        creation_time,
        event_type,
        sequence_number,
        column_name,
        value,
        row_number() OVER (
            PARTITION BY sequence_number, column_name ORDER BY creation_time DESC
        ) AS copy
    FROM steps
),

history AS (
    SELECT
        creation_time AS changed_at,
        event_type,
        column_name,
        lag(value) OVER (PARTITION BY column_name ORDER BY sequence_number) AS value_before,
        value AS value_after,
        sequence_number
    FROM once
    WHERE copy = 1
)

SELECT changed_at, event_type, column_name, value_before, value_after
FROM history
WHERE value_before IS DISTINCT FROM value_after
ORDER BY sequence_number, column_name
