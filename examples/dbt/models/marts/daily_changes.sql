-- Changes by day of arrival and type. A run rewrites the days since the last one that was written, and
-- so reads only their part of the log.
{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partitioned_by=['arrived_on'],
) }}

select
    event_type,
    count(distinct event_id) as changes,
    count(distinct orderid) as orders,
    max(creation_time) as last_changed_at,
    day as arrived_on
from {{ source('lake', 'changes') }}
{% if is_incremental() %}
where day >= '{{ last_partition('arrived_on') }}'
{% endif %}
group by event_type, day
