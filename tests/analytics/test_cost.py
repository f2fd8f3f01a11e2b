"""`python -m analytics cost` against costs calculated by hand."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from analytics import alternatives
from analytics.__main__ import app
from analytics.billing import BILLED, UNBILLED
from analytics.cost import (
    DAYS,
    DEV,
    HOURS,
    PROD,
    Estimate,
    Load,
    Stack,
    custom_metrics,
    monthly,
)
from benchmarks import buffers
from client.prices import PRICES
from components.definitions.alarms import TRANSFORM_METRICS
from tests.components.component_support import Deployed, record

ROOT = Path(__file__).resolve().parents[2]

STACKS = {"dev": DEV, "prod": PROD}
LOOSE = replace(DEV, pack_runs=0, unpacked_days=None)
"""Dev, if nothing packed its log."""
LOAD = Load(orders=10_000)
EVERYTHING = {
    "alarmEmail": "me@example.org",
    "batchSchedule": "cron(0 4 * * ? *)",
    "crawlerSchedule": "cron(0 4 * * ? *)",
    "dashboard": "true",
    "dashboardPrincipalArn": "arn:aws:quicksight:eu-central-1:123456789012:user/default/me",
    "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1",
    "orderGenerator": "true",
    "packSchedule": "",
}


def settings(stack: str) -> dict[str, Any]:
    """A stack's settings, with the defaults of those that its file leaves out."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    given = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: given.get(f"sales-cdc:{key}", one["default"]) for key, one in declared.items()}


@cache
def deployed(stack: str, **changed: str) -> Deployed:
    """What the program makes with a stack's file."""
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    config = {key: json.dumps(v) if not isinstance(v, str) else v for key, v in file.items()}
    config |= {f"sales-cdc:{key}": value for key, value in changed.items()}
    seen = Deployed()
    record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        seen,
        stack=stack,
        config=config,
        preview=False,
    )
    return seen


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
    assert asked.transform_buffer_size_mb == float(config["transformBufferSizeMb"])
    assert asked.transform_buffer_interval_seconds == config["transformBufferIntervalSeconds"]
    assert asked.retention_days == config["retentionDays"]
    assert asked.transform_memory_mb == config["transformMemoryMb"]
    assert asked.batch_workers == config["batchWorkers"]
    assert asked.batch_execution_class == config["batchExecutionClass"]
    assert asked.crawls == pytest.approx(runs(config["crawlerSchedule"]))
    assert asked.batch_checks == pytest.approx(runs(config["batchSchedule"]))
    assert asked.pack_runs == pytest.approx(runs(config["packSchedule"]))
    assert asked.monitoring == config["monitoring"]
    metrics = TRANSFORM_METRICS.get(config["monitoring"], custom_metrics())
    assert asked.metrics == len(metrics)
    # What is assumed of the table: on demand.
    assert config["billingMode"] == "on-demand"


def runs(cron: str) -> float:
    """How often a schedule at a fixed minute is due in a month."""
    if not cron:
        return 0.0
    hour, _, _, weekday = cron[len("cron(") : -1].split()[1:5]
    a_day = 24 // int(hour.partition("/")[2]) if "/" in hour else 24 if hour == "*" else 1
    return a_day * DAYS / (7 if weekday.isalpha() else 1)


@pytest.mark.parametrize("stack", STACKS)
def test_what_costs_by_the_piece_is_what_the_program_makes(stack: str) -> None:
    seen = deployed(stack)
    made = Counter(one.type.split(":")[-1] for one in seen.resources)
    alarms = [one.inputs for one in seen.resources if one.type.endswith(":MetricAlarm")]
    queried = [query for one in alarms for query in one.get("metricQueries", [])]
    simple = sum("metricName" in one for one in alarms)
    assert simple + sum("metric" in query for query in queried) == STACKS[stack].alarm_metrics
    assert made["Dashboard"] == STACKS[stack].dashboards


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("changed", [{}, EVERYTHING], ids=["as deployed", "with everything"])
def test_each_resource_is_counted_or_says_why_not(stack: str, changed: dict[str, str]) -> None:
    counted = {name for name, _ in STACKS[stack].lines(LOAD)}
    kinds = {one.type for one in deployed(stack, **changed).resources if one.type[:4] == "aws:"}
    assert len(kinds) > 25
    assert kinds <= BILLED.keys() | UNBILLED.keys()
    assert not BILLED.keys() & UNBILLED.keys()
    assert all(UNBILLED.values())
    if not changed:
        for kind in kinds & BILLED.keys():
            assert counted & {*BILLED[kind]}, kind


def test_no_line_is_without_a_resource() -> None:
    """What is counted for, that the program does not make, is what a query or a change costs."""
    lines = {name for stack in STACKS.values() for name, _ in stack.lines(LOAD)}
    parts = {
        *("table restore points", "stream puts", "stream data in", "stream data out"),
        *("stream retention", "firehose to parquet"),
    }
    assert lines - parts <= {name for names in BILLED.values() for name in names}


def test_every_metric_that_the_code_makes_is_counted() -> None:
    """Only the transform creates custom metrics; tests/transform checks its log line."""
    assert PROD.cost(LOAD)["metrics"] == pytest.approx(0.30 * len(custom_metrics()))
    assert DEV.cost(LOAD)["metrics"] == pytest.approx(0.30)
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
    idle = Estimate.of(LOAD).idle_usd
    # A shard, five alarms, a data key every five minutes, and an hourly function of 1.5 s at half a
    # GB: a call, a schedule, two LISTs, a PUT, and its log.
    packing = 0.75 * 13.3334e-6 + 0.2e-6 + 1e-6 + 3 * 5e-6 + 800e-9 * 0.5
    standing = HOURS * 0.015 + 5 * 0.10 + HOURS * 12 * 0.03 / 10_000
    assert idle["dev"] == pytest.approx(standing + 24 * DAYS * packing)
    assert idle["dev"] <= 11.50
    assert HOURS * 0.04 < idle["prod"] <= 40
    assert all(idle[name] < Estimate.of(LOAD).total(name) for name in STACKS)


def test_prod_costs_more_than_dev_and_the_free_tier_takes_some_off() -> None:
    estimate = Estimate.of(LOAD)
    assert estimate.total("dev") < estimate.total("prod")
    for name in STACKS:
        assert estimate.idle_usd[name] < estimate.total(name)
        assert estimate.free_tier[name] < estimate.total(name)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("more", [{"orders": 20_000}, {"order_bytes": 5_000}, {"queries": 90}])
def test_more_of_anything_never_costs_less(stack: Stack, more: dict[str, int]) -> None:
    before, after = (sum(stack.cost(one).values()) for one in (LOAD, replace(LOAD, **more)))
    assert after > before


def test_nothing_new_starts_no_batch() -> None:
    idle, busy = (PROD.cost(load) for load in (LOAD.idle, LOAD))
    crawls = DAYS / 7 * 2 * 10 / 60 * 0.44
    assert idle["glue"] == busy["glue"] == pytest.approx(crawls)
    assert idle["glue flex"] == 0
    assert busy["glue flex"] == pytest.approx(4 * DAYS * 2 * 3 / 60 * 0.29, rel=0.01)
    assert idle["schedule"] > 0


def test_packing_makes_dev_as_cheap_as_it_was_when_it_was_slower() -> None:
    """With 60 s before the transform and before S3, and nothing packed: $2 a month is for 13 s."""
    before = replace(LOOSE, buffer_interval_seconds=60, transform_buffer_interval_seconds=60)
    totals = {one: sum(one.cost(LOAD).values()) for one in (before, LOOSE, DEV)}
    assert totals[DEV] - totals[before] < 1.5
    assert totals[LOOSE] - totals[before] > 8
    # What a week's question reads: 1.2 days of objects, and an object an hour of the others.
    a_day = LOOSE.cost(LOAD)["lake gets"] / PRICES["lake gets"].usd / (20 * DAYS * 7)
    read = 20 * DAYS * (1.2 * a_day + 5.8 * 24) + a_day * DAYS
    assert DEV.cost(LOAD)["lake gets"] == pytest.approx(read * PRICES["lake gets"].usd)


def test_a_month_at_a_rate_is_that_of_as_many_orders() -> None:
    rate = LOAD.changes_per_second
    assert rate == pytest.approx(10_000 * 2 / 86_400)
    assert monthly(PROD, rate) == pytest.approx(PROD.cost(LOAD))


def test_a_stream_has_the_shards_that_the_load_needs() -> None:
    """850 bytes a change: 1,000 records a second fill a shard before 1 MB does."""
    assert monthly(DEV, 1_000)["stream shards"] == pytest.approx(HOURS * 0.015)
    assert monthly(DEV, 1_001)["stream shards"] == pytest.approx(2 * HOURS * 0.015)
    large = monthly(DEV, 100, order_bytes=20_000)["stream shards"]
    assert large == pytest.approx(4 * HOURS * 0.015)


def test_an_object_below_a_minute_takes_three_requests() -> None:
    slow, fast = (
        replace(LOOSE, buffer_interval_seconds=seconds).cost(Load.at(10))["lake puts"]
        for seconds in (60, 30)
    )
    # One each 60 s and 30 s, and half of the 13 s between two answers of the transform.
    assert fast / slow == pytest.approx(3 * (60 + 6.5) / (30 + 6.5), rel=0.01)


@pytest.mark.parametrize(("transform", "s3"), [(60, 60), (13, 0), (10, 60), (0, 30), (30, 300)])
def test_objects_and_calls_are_as_many_as_a_days_changes_make(transform: int, s3: int) -> None:
    counted = buffers.day(buffers.Buffers(pipe=0, transform=transform, s3=s3))
    stack = replace(
        LOOSE, transform_buffer_interval_seconds=transform, buffer_interval_seconds=s3
    ).cost(LOAD)
    objects = stack["lake puts"] / PRICES["lake puts"].usd / DAYS / (1 if s3 >= 60 else 3)
    assert objects == pytest.approx(len(counted.objects), rel=0.01)
    calls = stack["function calls"] / PRICES["function calls"].usd / DAYS
    assert calls == pytest.approx(counted.calls, rel=0.01)


def test_a_batch_begins_with_its_first_change() -> None:
    """Calls of the transform: at 0.5 a second, one each 13 s and the 2 s until the next change."""
    calls = LOOSE.cost(Load.at(0.5))["function calls"] / PRICES["function calls"].usd
    assert calls == pytest.approx(DAYS * 86_400 / (13 + 2))
    puts = LOOSE.cost(Load.at(0.5))["lake puts"] / PRICES["lake puts"].usd
    assert puts == pytest.approx(3 * calls), "Firehose writes each answer at once, in parts"


def test_each_way_beside_the_stacks_is_cheaper_where_it_is() -> None:
    ways = {way.name: way for way in alternatives.ways(LOAD)}
    assert len(ways) == 6
    for stack in STACKS:
        ours, direct = ways[stack], ways[f"{stack} with DynamoDB's Kinesis integration"]
        assert ours.usd == pytest.approx(Estimate.of(LOAD).total(stack))
        # $0.10 a million changes instead of $0.40.
        assert ours.usd - direct.usd == pytest.approx(0.608 * 0.30)
        assert ours.idle_usd == direct.idle_usd
    others = [way for name, way in ways.items() if name.startswith("zero-ETL")]
    for way in others:
        assert way.idle_usd == 0
        # Every 15 minutes an export of 10 MB at least, and a minute of the least that computes.
        assert way.usd > 2_900 * (0.01 * 0.10 + 2 / 60 * 0.44)
    for way in ways.values():
        assert all(source.startswith("https://docs.aws.amazon.com/") for source in way.sources)
        assert way.sources or not way.lacks


def test_no_line_is_without_a_price_that_says_where_it_is_from() -> None:
    for stack in STACKS.values():
        assert {name for name, _ in stack.lines(LOAD)} <= PRICES.keys()
    assert all(one.source.startswith("https://aws.amazon.com/") for one in PRICES.values())


def test_the_command_prints_both_stacks_and_what_is_not_counted() -> None:
    answer = CliRunner().invoke(app, ["cost", "--orders-per-day", "10000"])
    assert answer.exit_code == 0
    parts = ("dev", "prod", "total", "of it when idle", "free tier off", "Not counted: ")
    for told in (*parts, "zero-ETL to a SageMaker lakehouse", "Kinesis integration"):
        assert told in answer.output


def test_the_command_gives_one_object_to_programs() -> None:
    answer = CliRunner().invoke(app, ["cost", "--orders-per-day", "5", "--bytes", "400", "--json"])
    told = json.loads(answer.output)
    assert told["load"]["orders"] == 5
    assert told["load"]["order_bytes"] == 400
    assert told["total"]["dev"] == pytest.approx(sum(told["month"]["dev"].values()))
    assert set(told["idle_usd"]) == set(STACKS)
    assert {"name", "idle_usd", "usd", "fresh", "lacks", "sources"} == set(told["beside"][0])


def test_the_command_takes_a_rate() -> None:
    answer = CliRunner().invoke(app, ["cost", "--changes-per-second", "100", "--json"])
    told = json.loads(answer.output)
    assert told["total"]["prod"] == pytest.approx(sum(monthly(PROD, 100).values()))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--orders-per-day", "-1"],
        ["--bytes", "0"],
        ["--changes", "0"],
        ["--changes-per-second", "1", "--orders-per-day", "1"],
    ],
)
def test_wrong_use_is_reported(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["cost", *wrong]).exit_code == 2


def test_the_document_shows_what_the_command_prints() -> None:
    answer = CliRunner().invoke(app, ["cost"])
    document = (ROOT / "docs" / "cost.md").read_text()
    assert "\n".join(line.rstrip() for line in answer.output.strip().splitlines()) in document
