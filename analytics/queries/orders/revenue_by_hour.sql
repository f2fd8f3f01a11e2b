-- Revenue, orders and units by hour
--
-- Revenue is the sum of quantity * price over the orders placed (created_at) in the window, in their
-- latest state, without cancelled and deleted orders. Unpaid orders count. Past figures can change.
-- Orders without created_at are not counted.
-- Hours are UTC hours of created_at. An hour without orders has no row.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param hours int 24 how many hours back, the current one included
WITH latest AS (
    SELECT quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC, creation_time DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('hour', -/*hours*/ 24, localtimestamp), '%Y-%m-%d')
        AND concat(day, hour) >= date_format(date_add('hour', -/*hours*/ 24, localtimestamp), '%Y-%m-%d%H')
)

SELECT
    date_trunc('hour', created_at) AS placed_at,
    count(*) AS orders,
    sum(quantity) AS units,
    sum(quantity * price) AS revenue
FROM latest
WHERE newest = 1
    AND event_type <> 'REMOVE'
    AND status IS DISTINCT FROM 'cancelled'
    AND created_at >= date_add('hour', 1 - /*hours*/ 24, date_trunc('hour', localtimestamp))
GROUP BY date_trunc('hour', created_at)
ORDER BY placed_at
