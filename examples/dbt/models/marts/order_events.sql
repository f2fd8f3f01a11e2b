-- Every change of an order's status, in order. A run appends what is new.
{{ config(materialized='incremental', incremental_strategy='append') }}

select
    event_id,
    order_id,
    event_type,
    status,
    changed_at,
    sequence_number
from {{ ref('stg_changes') }}
{% if is_incremental() %}
where event_id not in (select event_id from {{ this }})
{% endif %}
