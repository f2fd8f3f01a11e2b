"""Plain data: policies, alarms, dashboards, Glue tables, the layout of the lake."""
