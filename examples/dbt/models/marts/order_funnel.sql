-- How many orders ever reached each stage. A stage that the log lacks is made up for: an order that
-- was delivered had been shipped.
with stages (stage, step) as (
    values ('placed', 1), ('paid', 2), ('shipped', 3), ('delivered', 4)
),

reached as (
    select
        c.order_id,
        max(coalesce(s.step, 1)) as step
    from {{ ref('stg_changes') }} as c
    left join stages as s on c.status = s.stage
    group by c.order_id
)

select
    s.stage,
    s.step,
    count_if(r.step >= s.step) as orders
from stages as s
cross join reached as r
group by s.stage, s.step
