-- Revenue, orders and units by minute
--
-- Revenue is the sum of quantity * price over the orders placed (created_at) in the window, in their
-- latest state, without cancelled and deleted orders. Unpaid orders count. Past figures can change.
-- Orders without created_at are not counted.
-- Minutes are UTC minutes of created_at. A minute without orders has no row.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param minutes int 60 how many minutes back, the current one included
WITH latest AS (
    SELECT quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC, creation_time DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('minute', -60 - /*minutes*/ 60, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('minute', -60 - /*minutes*/ 60, localtimestamp), '%Y-%m-%d%H')
)

SELECT
    date_trunc('minute', created_at) AS placed_at,
    count(*) AS orders,
    sum(quantity) AS units,
    sum(quantity * price) AS revenue
FROM latest
WHERE newest = 1
    AND event_type <> 'REMOVE'
    AND status IS DISTINCT FROM 'cancelled'
    AND created_at >= date_add('minute', 1 - /*minutes*/ 60, date_trunc('minute', localtimestamp))
GROUP BY date_trunc('minute', created_at)
ORDER BY placed_at
