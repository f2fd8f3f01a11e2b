-- Recent changes, newest first
--
-- One row per change, without duplicates, with the item's values after it (for a delete: before it).
-- A snapshot's rows are no changes and are left out. Reads only the partitions of the window.
-- param hours int 1 how many hours back, by arrival
-- param top int 20 how many changes
SELECT
    creation_time,
    event_type,
    deleted_by,
    orderid, product_name, quantity, price, customer, status, created_at, /*columns*/
    extras
FROM (
    SELECT
        creation_time,
        event_type,
        deleted_by,
        orderid, product_name, quantity, price, customer, status, created_at, /*columns*/
        extras,
        sequence_number,
        row_number() OVER (PARTITION BY event_id ORDER BY day, hour) AS "#copy"
    FROM projection
    WHERE day >= date_format(date_add('hour', -/*hours*/ 1, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('hour', -/*hours*/ 1, localtimestamp), '%Y-%m-%d%H')
        AND event_type <> 'SNAPSHOT'
) AS log
WHERE "#copy" = 1
ORDER BY creation_time DESC, sequence_number DESC
LIMIT /*top*/ 20
