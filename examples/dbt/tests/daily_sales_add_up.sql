-- The daily figures add up to the orders that they are made of.
with orders as (
    select sum(amount) as revenue
    from {{ ref('stg_orders') }}
    where status is distinct from 'cancelled' and placed_at is not null
),

days as (
    select sum(revenue) as revenue from {{ ref('daily_sales') }}
)

select orders.revenue as expected, days.revenue as found
from orders cross join days
where orders.revenue is distinct from days.revenue
