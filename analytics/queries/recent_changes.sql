-- Recent changes, newest first
--
-- One row per change, without duplicates, with the order's values after it (for a delete: before it).
-- Reads only the partitions of the window.
-- param hours int 1 how many hours back, by arrival
-- param top int 20 how many changes
SELECT
    creation_time AS changed_at,
    event_type,
    orderid,
    product_name,
    quantity,
    price,
    customer,
    status
FROM (
    SELECT creation_time, event_type, orderid, product_name, quantity, price, customer, status,
        sequence_number,
        row_number() OVER (PARTITION BY event_id ORDER BY day, hour) AS copy
    FROM projection
    WHERE day >= date_format(date_add('hour', -/*hours*/ 1, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('hour', -/*hours*/ 1, localtimestamp), '%Y-%m-%d%H')
) AS log
WHERE copy = 1
ORDER BY creation_time DESC, sequence_number DESC
LIMIT /*top*/ 20
