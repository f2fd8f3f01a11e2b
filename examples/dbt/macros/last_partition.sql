{# The last value of a partition column: a literal in the query, so that it reads no other partition. #}
{% macro last_partition(column) %}
    {% set found = run_query('select max(' ~ column ~ ') from ' ~ this) %}
    {{ return(found.columns[0].values()[0] or '') }}
{% endmacro %}
