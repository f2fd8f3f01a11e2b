-- Average order value
--
-- Revenue is quantity * price of every order placed (created_at) in the window that is neither
-- cancelled nor deleted, paid or not, in its latest state; so a figure of the past can still move.
-- An order without created_at was placed at no known time and is not counted.
-- The averages are rounded to cents. No order in the window: one row, with NULL averages.
-- Reads the partitions from the window's start, and the hour before it: Firehose files an object
-- under the arrival of its oldest row. All that happened to an order came after it was placed.
-- param days int 30 how many days back, today included (UTC)
WITH latest AS (
    SELECT quantity, price, status, created_at, event_type,
        row_number() OVER (PARTITION BY orderid /*key*/ ORDER BY sequence_number DESC) AS newest
    FROM projection
    WHERE day >= date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d')
        AND (hour = '23' OR day > date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d'))
)

SELECT
    count(*) AS orders,
    sum(quantity * price) AS revenue,
    round(avg(CAST(quantity * price AS double)), 2) AS average_order_value,
    round(avg(CAST(quantity AS double)), 2) AS average_units
FROM latest
WHERE newest = 1
    AND event_type <> 'REMOVE'
    AND status IS DISTINCT FROM 'cancelled'
    AND created_at >= date_add('day', 1 - /*days*/ 30, current_date)
