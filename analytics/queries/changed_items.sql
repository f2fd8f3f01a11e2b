-- Items changed in the last minutes, newest change first
--
-- One row per item, with its latest change (creation_time, UTC) and its values after that change. A
-- deleted item shows as REMOVE with its last values. Items of a snapshot are not changed by it.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param minutes int 15 how many minutes back
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
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC) AS "#newest"
    FROM projection
    WHERE day >= date_format(date_add('minute', -60 - /*minutes*/ 15, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('minute', -60 - /*minutes*/ 15, localtimestamp), '%Y-%m-%d%H')
        AND creation_time >= date_add('minute', -/*minutes*/ 15, localtimestamp)
        AND event_type <> 'SNAPSHOT'
) AS log
WHERE "#newest" = 1
ORDER BY sequence_number DESC
