from __future__ import annotations

from tests.athena.lab import Lab


def test_a_table_of_json_lines_is_read_with_its_declared_types(lab: Lab, orders) -> None:
    answer = lab.ask("SELECT * FROM orders ORDER BY orderid")
    assert answer.state == "SUCCEEDED", answer.reason
    assert answer.header == ["orderid", "quantity", "price", "created_at"]
    assert answer.types == ["varchar", "integer", "decimal", "timestamp"]
    assert answer.rows == [
        ["o1", "2", "19.99", "2026-11-20 10:00:00.123"],
        ["o2", "1", "0.10", "2026-11-20 23:59:59.999"],
        ["o3", None, None, None],
    ]


def test_a_zone_whose_clocks_move_by_half_an_hour_is_refused(lab: Lab) -> None:
    answer = lab.ask("SELECT current_timestamp AT TIME ZONE 'Australia/Lord_Howe'")
    assert answer.reason.startswith("NOT_SUPPORTED: This local Athena does not support the zone")


def test_a_local_time_that_there_is_twice_keeps_its_offset(lab: Lab) -> None:
    """As Java and Joda have it, in which Trino counts: the first, if no offset is known."""
    first, second = (
        f"timestamp '2026-10-25 {one} UTC' AT TIME ZONE 'Europe/Zurich'"
        for one in ("00:30", "01:30")
    )
    for sql, hour in (
        ("timestamp '2026-10-25 02:30 Europe/Zurich'", "00:30"),
        ("with_timezone(timestamp '2026-10-25 02:30', 'Europe/Zurich')", "00:30"),
        (f"date_trunc('hour', {first})", "00:00"),
        (f"date_trunc('hour', {second})", "01:00"),
        (f"date_add('month', 1, date_add('month', -1, {first}))", "00:30"),
        (f"date_add('day', -1, date_add('day', 1, {second}))", "01:30"),
    ):
        instant = f"CAST({sql} AT TIME ZONE 'UTC' AS timestamp(0))"
        assert lab.value(f"CAST({instant} AS varchar)") == f"2026-10-25 {hour}:00", sql
