"""`python -m analytics capacity` against figures calculated by hand."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from analytics.__main__ import app
from analytics.capacity import limits
from analytics.capacity.chain import Chain, ChainError, key_of, runs_a_day
from analytics.capacity.hops import (
    Hop,
    Load,
    batch_records,
    first_to_break,
    hops,
    partitions,
    plan,
    shard_changes,
    shards,
)
from analytics.capacity.report import Report, hot_key, monthly_usd, outage, spike
from components.arguments.settings import Settings
from tests.scaling.stacks import DEV, PROD

ROOT = Path(__file__).resolve().parents[2]


def load(rate: float, size: int = 250) -> Load:
    return Load(changes_per_second=rate, item_bytes=size)


def hop(name: str, rate: float, chain: Chain, size: int = 250) -> Hop:
    return {one.name: one for one in hops(load(rate, size), chain)}[name]


def asked(found: Hop) -> dict[str, Any]:
    return {change.name: change.to for change in found.changes}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_settings_are_those_of_the_stack_file(stack: str) -> None:
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    given = {key.removeprefix("sales-cdc:"): value for key, value in file.items()}
    chain = Chain.of_stack(stack)
    for name in Chain.settings():
        expected = given.get(key_of(name), getattr(Settings, name))
        assert getattr(chain, name) == (expected or type(getattr(chain, name))()), name


def test_an_order_of_250_bytes_is_one_write_unit_and_a_record_of_850_bytes() -> None:
    one = load(1)
    assert (one.write_units, one.record_bytes, one.row_bytes) == (1, 850, 525)
    assert load(1, 1_025).write_units == 2


def test_a_table_needs_write_units() -> None:
    """10,000 changes of 2 KB a second: 20,000 of the table's 40,000 write units."""
    found = hop("table", 10_000, PROD, 2_048)
    assert found.tightest.used == 0.5
    assert found.takes.at_most == 20_000
    assert asked(found) == {}
    assert asked(hop("table", 10_001, PROD, 2_048)) == {"DynamoDB: write units of a table": 40_004}


def test_an_on_demand_table_takes_twice_its_peak_or_4000_write_units() -> None:
    assert hop("table", 10, PROD).takes.at_once == 4_000
    assert hop("table", 10_000, PROD).takes.at_once == 20_000


def test_a_provisioned_table_takes_its_write_capacity() -> None:
    chain = dataclasses.replace(PROD, billing_mode="provisioned", write_capacity=500)
    found = hop("table", 400, chain)
    assert found.tightest.used == 0.8
    assert asked(found) == {"writeCapacity": 800}
    assert asked(hop("table", 30_000, chain))["billingMode"] == "on-demand"


def test_a_partition_takes_1000_write_units_and_is_a_shard_of_the_stream() -> None:
    assert partitions(load(10), PROD) == 4, "a new on-demand table takes 4,000"
    assert partitions(load(10_000), PROD) == 10
    assert partitions(load(10_000, 2_048), PROD) == 20
    provisioned = dataclasses.replace(
        PROD, billing_mode="provisioned", write_capacity=2_500, read_capacity=1_500
    )
    assert partitions(load(10), provisioned) == 3


def test_a_pipe_carries_a_batch_of_each_shard_at_once() -> None:
    """4 shards, batches of 100 that take 0.1 s: 4,000 changes a second."""
    found = hop("pipe", 1_000, PROD)
    assert found.takes.at_most == pytest.approx(4_000)
    assert found.tightest.needed == pytest.approx(1.0)
    assert asked(found) == {}


def test_a_pipe_gets_larger_batches_first_and_more_at_once_then() -> None:
    """10 shards pass on 2,000 a second each: 200 in the 0.1 s of a batch."""
    assert asked(hop("pipe", 10_000, PROD)) == {"batchSize": 200}
    # A provisioned table of 1,000 write units has one partition, so one shard for 10,000.
    one_shard = dataclasses.replace(
        PROD, billing_mode="provisioned", write_capacity=1_000, read_capacity=0
    )
    assert asked(hop("pipe", 10_000, one_shard)) == {"batchSize": 500, "parallelizationFactor": 4}


def test_a_batch_of_large_items_fits_a_request() -> None:
    """An item of 400 KB twice, and the envelope: 819,550 bytes; 12 of them fit 10 MiB."""
    assert batch_records(load(1, 409_600), PROD) == 12
    found = hop("pipe", 1, PROD, 409_600)
    assert found.tightest.what == "bytes of a full batch"
    assert found.breaks
    assert asked(found) == {"batchSize": 12}


def test_a_shard_takes_1000_records_or_a_mebibyte() -> None:
    assert shard_changes(load(1)) == 1_000
    assert shard_changes(load(1, 2_048)) == pytest.approx(1_048_576 / 4_446)


def test_shards_are_provisioned_for_twice_the_rate() -> None:
    found = hop("stream", 1_500, DEV)
    assert found.tightest.used == 1.5
    assert found.takes.at_most == 1_000
    assert asked(found) == {"shards": 3}
    assert asked(hop("stream", 100_000_000, DEV)) == {"streamMode": "on-demand"}


def test_an_on_demand_stream_has_at_least_4_shards_and_twice_the_rate() -> None:
    assert (shards(load(10), PROD), shards(load(10_000), PROD)) == (4, 20)
    assert hop("stream", 10, PROD).takes.at_once == 4_000
    assert hop("stream", 10_000, PROD).takes.at_once == 20_000


def test_firehose_reads_2_mebibytes_of_a_shard() -> None:
    found = hop("delivery", 1_000, DEV)
    assert found.takes.at_most == pytest.approx(2 * 1_048_576 / 850)


def test_the_transform_runs_five_times_a_shard() -> None:
    """1,233 records of 850 bytes fill 1 MiB; at 256 MB they take 0.142 s."""
    found = hop("transform", 1_000, DEV)
    seconds = 0.02 + 1_233 / (70_000 * 256 / 1_769)
    assert found.takes.at_most == pytest.approx(5 * 1_233 / seconds)


def test_a_transform_that_is_too_slow_gets_memory_and_so_a_share_of_a_processor() -> None:
    slow = dataclasses.replace(DEV, transform_memory_mb=128)
    takes = hop("transform", 1, slow).takes.at_most
    change = asked(hop("transform", takes, slow))
    assert 256 <= change["transformMemoryMb"] <= 320


def test_a_request_to_the_transform_fits_6_mebibytes() -> None:
    full = dataclasses.replace(DEV, transform_buffer_size_mb=3)
    assert not hop("transform", 10, full).breaks


def test_objects_are_written_by_size_or_time() -> None:
    assert hop("lake", 1, DEV).tightest.needed == pytest.approx(1 / 60)
    # 20,000 rows of 525 bytes a second are an object of 5 MiB every half second.
    assert hop("lake", 20_000, DEV).tightest.needed == pytest.approx(20_000 * 525 / 5 / 1_048_576)


def test_a_run_of_the_batch_job_merges_what_came_since_the_last() -> None:
    """Hourly, 4 cores that merge 12,500 a second each: 36,000,000 changes take 720 of 3,510 s."""
    found = hop("batch job", 10_000, PROD)
    assert (found.tightest.needed, found.tightest.available) == (720, 3_510)
    assert asked(found) == {}
    assert asked(hop("batch job", 30_000, PROD)) == {"batchWorkers": 3}
    assert "batch job" not in {one.name for one in hops(load(10), DEV)}


def test_a_run_may_take_longer_before_it_needs_more_workers() -> None:
    """Every six hours: twice 6,000 a second are 259,200,000 changes, for 5,184 s and the start."""
    chain = dataclasses.replace(PROD, batch_schedule="cron(10 0/6 * * ? *)")
    assert asked(hop("batch job", 6_000, chain)) == {"batchTimeoutMinutes": 90}
    assert asked(hop("batch job", 30_000, chain)) == {
        "batchTimeoutMinutes": 360,
        "batchWorkers": 3,
    }


def test_a_query_over_a_day_stays_below_the_scan_limit() -> None:
    """100 changes a second, 525 bytes, a fifth of it compressed: 865 MB a day."""
    found = hop("queries", 100, DEV)
    assert found.tightest.needed == pytest.approx(100 * 86_400 * 525 * 0.2 / 1_048_576)
    assert asked(hop("queries", 200, DEV)) == {"scanLimitMb": 2_048}


@pytest.mark.parametrize(
    ("chain", "rate", "size", "first"),
    [
        (DEV, 10, 250, "stream"),
        (DEV, 2_000, 250, "stream"),
        (PROD, 10_000, 250, "pipe"),
        (PROD, 100_000, 250, "table"),
        (dataclasses.replace(PROD, batch_timeout_minutes=30), 100_000, 250, "batch job"),
    ],
)
def test_the_first_hop_to_break(chain: Chain, rate: float, size: int, first: str) -> None:
    assert first_to_break(hops(load(rate, size), chain)).name == first


@pytest.mark.parametrize("rate", [10, 1_000, 10_000, 100_000])
@pytest.mark.parametrize("size", [250, 4_000, 20_000])
@pytest.mark.parametrize("chain", [DEV, PROD], ids=["dev", "prod"])
def test_a_plan_has_room_for_twice_the_rate_with_settings_that_exist(
    chain: Chain, rate: float, size: int
) -> None:
    made = plan(load(rate, size), chain)
    for one in hops(load(rate, size), made.chain):
        if one.carries:
            assert all(c.used <= 0.5 + 1e-9 for c in one.constraints if c.rated), one.name
        assert not one.breaks or "no scan limit" in one.note
    given = {key_of(name): str(getattr(made.chain, name)) for name in Chain.settings()}
    Settings.load(given | {"batchLookBackHours": str(made.chain.stream_retention_hours)})


def test_a_load_for_which_no_setting_is_enough_says_so() -> None:
    """100,000 changes of 100 KB a second: 20 GB/s, and AWS takes 10 into a stream."""
    made = plan(load(100_000, 100_000), PROD)
    found = {one.name: one for one in hops(load(100_000, 100_000), made.chain)}["stream"]
    assert found.breaks
    assert "several" in found.note


def test_a_plan_without_need_changes_nothing() -> None:
    made = plan(load(10), PROD)
    assert (made.chain, made.changes) == (PROD, [])


def test_a_backlog_of_the_pipe_drains_at_what_the_slowest_hop_has_to_spare() -> None:
    """1,800,000 changes; the pipe and the new stream take 4,000 a second, 1,000 come in."""
    found = outage("pipe", load(1_000), PROD)
    assert (found.waits_in, found.backlog) == ("table stream", 1_800_000)
    assert found.catch_up_seconds == pytest.approx(600)
    assert found.keeps_seconds == 43_200, "maximumRecordAgeSeconds, before the stream's 24 h"


def test_a_stack_without_spare_never_catches_up_and_says_when_changes_are_too_old() -> None:
    """2,000 come, 1,000 are taken: half a second behind a second; 1,800 s are behind already."""
    found = outage("stream", load(2_000), DEV)
    assert found.catch_up_seconds is None
    assert found.expires_after_seconds == pytest.approx((43_200 - 1_800) / 0.5)


def test_firehose_leaves_changes_in_the_stream_for_its_retention() -> None:
    found = outage("lake", load(1_000), PROD)
    assert (found.waits_in, found.keeps_seconds) == ("stream", 48 * 3_600)
    # 4 shards of 2 MiB/s, 850 bytes a change.
    assert found.catch_up_seconds == pytest.approx(1_800_000 / (4 * 2 * 1_048_576 / 850 - 1_000))


def test_a_failing_transform_leaves_failed_records_for_a_replay() -> None:
    found = outage("transform", load(1_000), PROD)
    assert found.waits_in == "failed/ in the lake"
    assert found.catch_up_seconds is None
    assert "replay failed" in found.then


def test_a_missed_run_of_the_batch_job_is_made_up_for_by_the_next() -> None:
    """Hourly: 30 minutes later the next run merges 7,200,000 changes at 50,000 a second."""
    found = outage("batch job", load(1_000), PROD)
    assert found.backlog == 1_000 * 5_400
    assert found.catch_up_seconds == pytest.approx(1_800 + 90 + 144)
    # At 30,000 a second it would take 4,410 s, and the next run is due after 3,600.
    assert outage("batch job", load(30_000), PROD).catch_up_seconds is None


def test_questions_are_not_data() -> None:
    for name in ("catalog", "queries"):
        assert outage(name, load(1_000), PROD).backlog == 0


def test_a_spike_waits_at_the_writers_of_a_table_that_was_not_busy_before() -> None:
    """10,000 a second for 600 s, 4,000 taken: 3,600,000; 3,000 a second drain them."""
    found = spike(load(1_000), PROD, 10, 600)
    assert found.most == 3_600_000
    assert found.drained_after == pytest.approx(1_200)


def test_a_hot_key_fills_its_shard() -> None:
    """2 KB: a shard takes 235.8 changes a second, and there are 9. 30 % of 1,000 are 300 and a
    ninth of 700 more: 377.8. 20 minutes of 141.9 too many are 170,317."""
    name, found = hot_key(load(1_000, 2_048), PROD, 0.3, 1_200)
    takes, comes = 1_048_576 / 4_446, 300 + 700 / 9
    assert name == "stream"
    assert found.most == pytest.approx((comes - takes) * 1_200)
    assert found.drained_after == pytest.approx(found.most / (takes - 1_000 / 9))


def test_a_small_hot_key_fills_the_partition_of_its_table() -> None:
    name, found = hot_key(load(5_000), PROD, 0.2, 600)
    assert name in ("table", "pipe")
    assert found.most == pytest.approx((1_000 + 4_000 / 5 - 1_000) * 600)


def test_the_cost_grows_with_the_rate() -> None:
    assert monthly_usd(load(1_000), PROD) < monthly_usd(load(10_000), PROD)


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("cron(10 * * * ? *)", 24),
        ("cron(10 0/4 * * ? *)", 6),
        ("cron(0 3 * * ? *)", 1),
        ("cron(0,30 8-17 * * ? *)", 20),
        ("cron(*/15 * * * ? *)", 96),
    ],
)
def test_the_runs_of_a_schedule(schedule: str, runs: int) -> None:
    assert runs_a_day(schedule) == runs


def test_a_schedule_that_is_not_understood_is_reported() -> None:
    with pytest.raises(ChainError, match="batchSchedule"):
        runs_a_day("cron(0 L * * ? *)")


def test_every_limit_names_its_page() -> None:
    assert all(
        one.source.startswith("https://docs.aws.amazon.com/") for one in limits.limits().values()
    )
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", limits.CHECKED)
    assert all(one.reason for one in limits.assumptions().values())


def test_limits_of_settings_are_those_that_the_program_checks() -> None:
    """The same limit in two places: here for the figures, there for a stack's settings."""
    refused = {
        "batchSize": limits.PIPE_BATCH.value + 1,
        "parallelizationFactor": limits.PIPE_PARALLELIZATION.value + 1,
        "scanLimitMb": limits.SCAN_LIMIT_MB.value + 1,
        "shards": 10_001,
        "batchWorkers": 300,
    }
    for key, value in refused.items():
        with pytest.raises(ValueError, match=key):
            Settings.load({key: str(int(value))})
        Settings.load({key: str(int(value) - 1)})


# -- the command -----------------------------------------------------------------------------


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["capacity", *arguments])


def test_the_command_says_what_breaks_and_what_to_change() -> None:
    answer = command("--changes-per-second", "10000")
    assert answer.exit_code == 0
    for told in ("first to break: ", "batchSize: 100 → 200", "cost: $", limits.CHECKED):
        assert told in answer.output


def test_the_command_gives_one_object_to_programs() -> None:
    answer = command("--changes-per-second", "10000", "--bytes", "400", "--stack", "dev", "--json")
    told = json.loads(answer.output)
    assert (told["stack"], told["item_bytes"]) == ("dev", 400)
    assert told["first_to_break"]["hop"] == "stream"
    assert told["usd_a_month"] > 0
    names = [one["hop"] for one in told["hops"]]
    assert names[:4] == ["table", "table stream", "pipe", "stream"]
    for one in told["hops"]:
        assert all(constraint["source"] for constraint in one["constraints"])
        assert {"catch_up_seconds", "waits_in"} <= one["outage_of_30_minutes"].keys()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([], "changes-per-second"),
        (["--changes-per-second", "0"], "changes-per-second"),
        (["--changes-per-second", "1", "--bytes", "409601"], "bytes"),
        (["--changes-per-second", "1", "--stack", "nope"], "Pulumi.nope.yaml"),
    ],
)
def test_wrong_use_is_reported(wrong: list[str], told: str) -> None:
    answer = command(*wrong)
    assert answer.exit_code == 2
    assert told in re.sub(r"\x1b\[[0-9;]*m", "", answer.output)


def test_a_setting_that_is_no_number_is_reported_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (tmp_path / "Pulumi.odd.yaml").write_text("config:\n  sales-cdc:shards: many\n")
    with pytest.raises(ChainError, match=r"Pulumi\.odd\.yaml: shards is 'many', not a number"):
        Chain.of_stack("odd", tmp_path)


def test_the_report_has_a_row_a_hop() -> None:
    report = Report.of(load(10_000), PROD)
    assert [row[0] for row in report.rows()] == [one.name for one in report.hops]
