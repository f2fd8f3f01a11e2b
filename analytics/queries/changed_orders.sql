-- Orders changed in the last minutes, newest change first
--
-- One row per order, with its latest change (creation_time, UTC) and its values after that change. A
-- deleted order shows as REMOVE with its last values. Reads the partitions from one hour before the
-- window: Firehose files an object under the arrival time of its oldest row.
-- param minutes int 15 how many minutes back
WITH recent AS (
    SELECT orderid, event_type, creation_time, product_name, quantity, price, customer, status,
        sequence_number,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('minute', -60 - /*minutes*/ 15, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('minute', -60 - /*minutes*/ 15, localtimestamp), '%Y-%m-%d%H')
        AND creation_time >= date_add('minute', -/*minutes*/ 15, localtimestamp)
)

SELECT
    orderid,
    event_type,
    creation_time AS changed_at,
    product_name,
    quantity,
    price,
    customer,
    status
FROM recent
WHERE newest = 1
ORDER BY sequence_number DESC
