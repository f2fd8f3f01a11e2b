-- Revenue, orders and units by day
--
-- Revenue is the sum of quantity * price over the orders placed (created_at) in the window, in their
-- latest state, without cancelled and deleted orders. Unpaid orders count. Past figures can change.
-- Orders without created_at are not counted.
-- Days are UTC days of created_at. A day without orders has no row.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param days int 30 how many days back, today included (UTC)
WITH latest AS (
    SELECT quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC, creation_time DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d')
        AND (hour = '23' OR day > date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d'))
)

SELECT
    CAST(created_at AS date) AS placed_on,
    count(*) AS orders,
    sum(quantity) AS units,
    sum(quantity * price) AS revenue
FROM latest
WHERE newest = 1
    AND event_type <> 'REMOVE'
    AND status IS DISTINCT FROM 'cancelled'
    AND created_at >= date_add('day', 1 - /*days*/ 30, current_date)
GROUP BY CAST(created_at AS date)
ORDER BY placed_on
