"""examples/dbt on `python -m local up`: dbt as its users run it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import dbt
from tests.e2e.test_up import Up, until

INSTALLED = Path(os.environ.get("SALES_CDC_DBT") or dbt.DBT)
pytestmark = [
    pytest.mark.emulator,
    pytest.mark.xdist_group("dbt"),
    pytest.mark.skipif(not INSTALLED.exists(), reason="dbt is not installed: run make .venv-dbt"),
]
SALES = """
    SELECT CAST(created_at AS date), sum(quantity * price), count(*) FROM current_orders
    WHERE status IS DISTINCT FROM 'cancelled' AND created_at IS NOT NULL GROUP BY 1 ORDER BY 1
"""
CHANGES = (
    "SELECT day, event_type, count(DISTINCT event_id) FROM changes GROUP BY 1, 2 ORDER BY 1, 2"
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("home"))
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(30)


def order(up: Up, count: int, expected: int) -> None:
    """Place orders, and wait until all changes are in the lake."""
    done = up.python("generator", "--count", str(count), "--seed", str(count))
    assert done.returncode == 0, done.stderr
    until(lambda: changes(up) >= expected)


def changes(up: Up) -> int:
    return int(up.ask("SELECT count(DISTINCT event_id) FROM changes")[0][0] or 0)


def build(up: Up, *arguments: str) -> dict[str, str]:
    """Run dbt; the status of each node."""
    done = up.python("scripts.dbt", "build", *arguments)
    assert done.returncode == 0, done.stdout
    found = json.loads((dbt.PROJECT / "target" / "run_results.json").read_text())
    return {one["unique_id"]: one["status"] for one in found["results"]}


def test_dbt_builds_tests_and_updates_the_marts(up: Up) -> None:
    marts = up.outputs["databaseName"] + "_marts"
    order(up, 24, 40)
    statuses = build(up)
    assert set(statuses.values()) == {"success", "pass"}
    assert sum(one.startswith("test.") for one in statuses) > 15
    sales = up.ask(SALES)
    assert sales
    daily = (
        f"SELECT placed_on, sum(revenue), sum(orders) FROM {marts}.daily_sales "
        "GROUP BY 1 ORDER BY 1"
    )
    assert up.ask(daily) == sales
    written = f"SELECT arrived_on, event_type, changes FROM {marts}.daily_changes ORDER BY 1, 2"
    assert up.ask(written) == up.ask(CHANGES)

    order(up, 12, 60)  # insert_overwrite and append, onto what is there
    assert up.ask(written) != up.ask(CHANGES)
    statuses = build(up, "--select", "daily_changes", "order_events")
    assert set(statuses.values()) == {"success", "pass"}
    assert up.ask(written) == up.ask(CHANGES)
    events = f"SELECT count(*), count(DISTINCT event_id) FROM {marts}.order_events"
    assert up.ask(events) == [[str(changes(up))] * 2]
