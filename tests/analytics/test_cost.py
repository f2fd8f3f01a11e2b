"""`python -m analytics cost` against costs calculated by hand."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from analytics.__main__ import app
from analytics.cost import DAYS, DEV, HOURS, PROD, Estimate, Load, Stack, custom_metrics
from client.prices import PRICES
from tests.components.component_support import Deployed, record

ROOT = Path(__file__).resolve().parents[2]

STACKS = {"dev": DEV, "prod": PROD}
LOAD = Load(orders=10_000)


def settings(stack: str) -> dict[str, Any]:
    """A stack's settings, with the defaults of those that its file leaves out."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    given = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: given.get(f"sales-cdc:{key}", one["default"]) for key, one in declared.items()}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_as_its_file_has_it(stack: str) -> None:
    asked, config = STACKS[stack], settings(stack)
    assert asked.stream_mode == config["streamMode"]
    assert asked.shards == config["shards"]
    assert asked.stream_retention_hours == config["streamRetentionHours"]
    assert asked.point_in_time_recovery == config["pointInTimeRecovery"]
    assert asked.delivery_format == config["deliveryFormat"]
    assert asked.buffer_size_mb == config["bufferSizeMb"]
    assert asked.buffer_interval_seconds == config["bufferIntervalSeconds"]
    assert asked.retention_days == config["retentionDays"]
    assert asked.transform_memory_mb == config["transformMemoryMb"]
    assert asked.batch_workers == config["batchWorkers"]
    assert bool(asked.crawls) == bool(config["crawlerSchedule"])
    assert bool(asked.batch_runs) == bool(config["batchSchedule"])
    # What is assumed of the table: on demand.
    assert config["billingMode"] == "on-demand"


@pytest.mark.parametrize("stack", STACKS)
def test_what_costs_by_the_piece_is_what_the_program_makes(stack: str) -> None:
    seen = Deployed()
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    config = {key: json.dumps(v) if not isinstance(v, str) else v for key, v in file.items()}
    record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        seen,
        stack=stack,
        config=config,
        preview=False,
    )
    made = Counter(one.type.split(":")[-1] for one in seen.resources)
    alarms = [one.inputs for one in seen.resources if one.type.endswith(":MetricAlarm")]
    queried = [query for one in alarms for query in one.get("metricQueries", [])]
    simple = sum("metricName" in one for one in alarms)
    assert simple + sum("metric" in query for query in queried) == STACKS[stack].alarm_metrics
    assert made["Dashboard"] == STACKS[stack].always["dashboards"]


def test_every_metric_that_the_code_makes_is_counted() -> None:
    """Only the transform creates custom metrics; tests/transform checks its log line."""
    assert DEV.cost(LOAD)["metrics"] == pytest.approx(0.30 * len(custom_metrics()))
    makers = [
        path
        for folder in ("components", "generator", "jobs", "lambda")
        for path in (ROOT / folder).rglob("*.py")
        if re.search("CloudWatchMetrics|put_metric_data|enable-metrics", path.read_text())
    ]
    assert makers == [ROOT / "lambda" / "transform" / "handler.py"]


def test_a_line_by_hand() -> None:
    """10,000 orders a day, each changed twice: 608,000 changes of 850 bytes a month."""
    assert LOAD.monthly == pytest.approx(608_000)
    assert LOAD.record_bytes == 850
    costs = DEV.cost(LOAD)
    assert costs["table writes"] == pytest.approx(0.608 * 0.625)
    assert costs["pipe"] == pytest.approx(0.608 * 0.40)
    assert costs["stream shards"] == pytest.approx(730 * 0.015)
    # Firehose counts each record as 5 KB.
    assert costs["firehose"] == pytest.approx(608_000 * 5_120 / 1e9 * 0.029)
    assert costs["athena"] == pytest.approx(20 * DAYS * 0.05 / 1000 * 5)


def test_a_query_is_billed_ten_megabytes_at_least() -> None:
    tiny = replace(LOAD, query_gb=0.0001)
    assert DEV.cost(tiny)["athena"] == pytest.approx(20 * DAYS * 0.01 / 1000 * 5)


def test_an_order_of_more_than_a_kilobyte_is_several_writes() -> None:
    costs = [DEV.cost(replace(LOAD, order_bytes=size))["table writes"] for size in (1024, 1025)]
    assert costs[1] == pytest.approx(2 * costs[0])


def test_idle_costs_what_is_paid_by_the_hour_and_by_the_piece() -> None:
    idle = Estimate.of(LOAD).idle
    assert idle["dev"] == pytest.approx(HOURS * 0.015 + 19 * 0.10 + 3)
    assert idle["prod"] > HOURS * 0.04
    assert all(idle[name] < Estimate.of(LOAD).total(name) for name in STACKS)


def test_prod_costs_more_than_dev_and_the_free_tier_takes_some_off() -> None:
    estimate = Estimate.of(LOAD)
    assert estimate.total("dev") < estimate.total("prod")
    for name in STACKS:
        assert estimate.idle[name] < estimate.total(name)
        assert estimate.free_tier[name] < estimate.total(name)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("more", [{"orders": 20_000}, {"order_bytes": 5_000}, {"queries": 90}])
def test_more_of_anything_never_costs_less(stack: Stack, more: dict[str, int]) -> None:
    before, after = (sum(stack.cost(one).values()) for one in (LOAD, replace(LOAD, **more)))
    assert after > before


def test_no_line_is_without_a_price_that_says_where_it_is_from() -> None:
    for stack in STACKS.values():
        assert {name for name, _ in stack.lines(LOAD)} <= PRICES.keys()
    assert all(one.source.startswith("https://aws.amazon.com/") for one in PRICES.values())


def test_the_command_prints_both_stacks_and_what_is_not_counted() -> None:
    answer = CliRunner().invoke(app, ["cost", "--orders-per-day", "10000"])
    assert answer.exit_code == 0
    for told in ("dev", "prod", "total", "of it when idle", "free tier off", "Not counted: "):
        assert told in answer.output


def test_the_command_gives_one_object_to_programs() -> None:
    answer = CliRunner().invoke(app, ["cost", "--orders-per-day", "5", "--bytes", "400", "--json"])
    told = json.loads(answer.output)
    assert told["load"]["orders"] == 5
    assert told["load"]["order_bytes"] == 400
    assert told["total"]["dev"] == pytest.approx(sum(told["month"]["dev"].values()))


@pytest.mark.parametrize(
    "wrong", [["--orders-per-day", "-1"], ["--bytes", "0"], ["--changes", "0"]]
)
def test_wrong_use_is_reported(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["cost", *wrong]).exit_code == 2


def test_the_document_shows_what_the_command_prints() -> None:
    answer = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["cost"])
    document = (ROOT / "docs" / "cost.md").read_text()
    assert "\n".join(line.rstrip() for line in answer.output.strip().splitlines()) in document
