-- Funnel from placed to delivered, and the cancellation rate
--
-- How many of the orders placed (created_at) in the window ever reached each stage, and their share.
-- An order that was paid and then cancelled counts as paid; a delivered order counts as shipped, even
-- if the log lacks that change. Deleted orders and orders without created_at are not counted. The
-- share of the stage cancelled is the cancellation rate.
-- Reads the partitions from one hour before the window: Firehose files an object under the arrival
-- time of its oldest row.
-- param days int 30 how many days back, today included (UTC)
WITH stages (stage, step) AS (
    VALUES ('placed', 1), ('paid', 2), ('shipped', 3), ('delivered', 4), ('cancelled', 5)
),

log AS (
    SELECT
        p.status,
        p.created_at,
        p.event_type,
        row_number() OVER (PARTITION BY p.orderid /*key*/ ORDER BY p.sequence_number DESC, p.creation_time DESC) AS newest,
        max(CASE WHEN s.step < 5 THEN s.step ELSE 1 END) OVER (PARTITION BY p.orderid /*key*/) AS reached
    FROM projection AS p
    LEFT JOIN stages AS s ON p.status = s.stage
    WHERE p.day >= date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d')
        AND (p.hour = '23' OR p.day > date_format(date_add('day', -/*days*/ 30, current_date), '%Y-%m-%d'))
),

counts AS (
    SELECT
        s.stage,
        s.step,
        count(*) AS placed,
        count_if(CASE s.stage WHEN 'cancelled' THEN o.status = 'cancelled' ELSE s.step <= o.reached END) AS orders
    FROM stages AS s
    CROSS JOIN log AS o
    WHERE o.newest = 1
        AND o.event_type <> 'REMOVE'
        AND o.created_at >= date_add('day', 1 - /*days*/ 30, current_date)
    GROUP BY s.stage, s.step
)

SELECT stage, orders, round(CAST(orders AS double) / placed, 4) AS share_of_placed
FROM counts
ORDER BY step
