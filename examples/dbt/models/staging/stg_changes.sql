-- One row a change. The view keeps one copy a day; a copy that arrived on a later day is dropped here.
with changes as (
    select
        *,
        row_number() over (partition by orderid, event_id order by day, hour) as copy
    from {{ source('lake', 'changes') }}
)

select
    event_id,
    event_type,
    creation_time as changed_at,
    sequence_number,
    orderid as order_id,
    product_name,
    quantity,
    price,
    customer,
    status,
    created_at as placed_at,
    day as arrived_on
from changes
where copy = 1
