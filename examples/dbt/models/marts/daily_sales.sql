-- Orders, units and revenue by day (UTC) and category. Orders that were cancelled, or were placed at
-- no known time, are not counted.
select
    cast(o.placed_at as date) as placed_on,
    coalesce(c.category, 'other') as category,
    count(*) as orders,
    sum(o.quantity) as units,
    sum(o.amount) as revenue
from {{ ref('stg_orders') }} as o
left join {{ ref('product_categories') }} as c on o.product_name = c.product_name
where o.status is distinct from 'cancelled'
    and o.placed_at is not null
group by cast(o.placed_at as date), coalesce(c.category, 'other')
