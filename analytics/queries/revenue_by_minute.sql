-- Revenue, orders and units by minute
--
-- Revenue is quantity * price of every order placed (created_at) in the window that is neither
-- cancelled nor deleted, paid or not, in its latest state; so a figure of the past can still move.
-- An order without created_at was placed at no known time and is not counted.
-- A minute is one of created_at, UTC; a minute without orders has no row.
-- Reads the partitions from the window's start, and the hour before it: Firehose files an object
-- under the arrival of its oldest row. All that happened to an order came after it was placed.
-- param minutes int 60 how many minutes back, the current one included
WITH latest AS (
    SELECT quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC) AS newest
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
