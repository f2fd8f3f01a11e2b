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
