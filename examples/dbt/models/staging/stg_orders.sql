-- One row an order, in its latest state; deleted orders are gone.
select
    orderid as order_id,
    product_name,
    quantity,
    price,
    quantity * price as amount,
    customer,
    status,
    created_at as placed_at,
    creation_time as changed_at
from {{ source('lake', 'current_orders') }}
