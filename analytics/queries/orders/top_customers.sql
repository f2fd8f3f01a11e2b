-- Top customers by revenue
--
-- Revenue is the sum of quantity * price over the orders placed (created_at) in the window, in their
-- latest state, without cancelled and deleted orders. Unpaid orders count. Past figures can change.
-- Orders without created_at are not counted.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param days int 30 how many days back, today included (UTC)
-- param top int 10 how many customers
WITH latest AS (
    SELECT customer, quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC, creation_time DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d')
        AND (hour = '23' OR day > date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d'))
)

SELECT
    customer,
    count(*) AS orders,
    sum(quantity) AS units,
    sum(quantity * price) AS revenue,
    max(created_at) AS last_order_at
FROM latest
WHERE newest = 1
    AND event_type <> 'REMOVE'
    AND status IS DISTINCT FROM 'cancelled'
    AND created_at >= date_add('day', 1 - /*days*/ 30, current_date)
GROUP BY customer
ORDER BY revenue DESC, customer
LIMIT /*top*/ 10
