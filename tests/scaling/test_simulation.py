"""The simulation checks the formulas, and the committed plots and figures are its own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.capacity import limits
from analytics.capacity.chain import Chain
from analytics.capacity.hops import Load, first_to_break, hops
from analytics.capacity.report import outage
from simulation import plots
from simulation.__main__ import PLACE, RESULTS, app
from simulation.chain import Disturbance, Run, simulate
from simulation.queues import Lanes, Portion, Queue, amount
from simulation.scenarios import LOAD, SCENARIOS, STACK, Result, run
from tests.scaling.stacks import DEV, PROD

pytestmark = pytest.mark.xdist_group("simulation")
"""One worker, because most of them share the runs of the fixture."""


@pytest.fixture(scope="module")
def simulated() -> Mapping[str, tuple[Run, Result]]:
    chain = Chain.of_stack(STACK)
    return {name: run(one, LOAD, chain) for name, one in SCENARIOS.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_simulated_time_agrees_with_the_formula(
    name: str, simulated: Mapping[str, tuple[Run, Result]]
) -> None:
    """Within 5 %; 15 % for the hot key, behind which batches of other keys wait too."""
    _, result = simulated[name]
    assert result.agrees, result
    assert result.lost == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_change_is_somewhere(name: str, simulated: Mapping[str, tuple[Run, Result]]) -> None:
    measured, _ = simulated[name]
    last = measured.samples[-1]
    assert {place for one in measured.samples for place in one.waiting} == last.waiting.keys()
    found = last.delivered + last.failed + last.lost + sum(last.waiting.values())
    # Changes are made after the last sample: of a second, or of ten for the batch job.
    missing = 11_000 if name == "outage-batch" else 1_100
    assert found + measured.dead_letters == pytest.approx(measured.made, abs=missing)


def test_backlogs_are_as_large_as_the_formula_says(
    simulated: Mapping[str, tuple[Run, Result]],
) -> None:
    for name, (_, result) in simulated.items():
        if name == "hot-key":
            assert result.simulated_backlog >= result.paper_backlog, "the formula's is the least"
        elif result.paper_backlog:
            assert result.simulated_backlog == pytest.approx(result.paper_backlog, rel=0.05), name


def test_a_failing_transform_leaves_what_comes_in_meanwhile_as_failed_records(
    simulated: Mapping[str, tuple[Run, Result]],
) -> None:
    _, result = simulated["outage-transform"]
    paper = outage("transform", LOAD, Chain.of_stack(STACK))
    assert result.failed == pytest.approx(paper.backlog, rel=0.05)


def test_another_seed_agrees_too() -> None:
    _, result = run(SCENARIOS["outage-pipe"], LOAD, PROD, seed=7)
    assert result.agrees, result


@pytest.mark.parametrize("scenario", ["outage-delivery", "outage-lake", "outage-table"])
def test_few_changes_agree_too(scenario: str) -> None:
    _, result = run(SCENARIOS[scenario], Load(changes_per_second=20), PROD)
    assert result.agrees, result


@pytest.mark.parametrize(
    ("chain", "load"),
    [
        (DEV, Load(changes_per_second=700)),
        (dataclasses.replace(DEV, shards=3), Load(changes_per_second=600, item_bytes=1_500)),
        (dataclasses.replace(DEV, shards=8, batch_size=50), Load(changes_per_second=1_500)),
    ],
    ids=["stream", "large items", "pipe"],
)
def test_other_stacks_catch_up_when_the_formula_says(chain: Chain, load: Load) -> None:
    _, result = run(SCENARIOS["outage-pipe"], load, chain)
    assert result.paper_seconds
    assert result.agrees, result


WITHOUT_BATCH = dataclasses.replace(PROD, batch_schedule="", batch_size=200)
TIGHT = {
    "table": (WITHOUT_BATCH, 250),
    "table by its capacity": (
        dataclasses.replace(PROD, billing_mode="provisioned", write_capacity=600),
        250,
    ),
    "pipe": (dataclasses.replace(DEV, shards=40, batch_size=20), 250),
    "stream by records": (DEV, 250),
    "stream by bytes": (DEV, 5_000),
}


@pytest.mark.parametrize("name", TIGHT)
def test_the_hop_that_breaks_first_is_the_one_on_paper(name: str) -> None:
    """A tenth over the rate at which the paper says so, and a tenth below it."""
    chain, size = TIGHT[name]
    first, most = None, 1.0
    for _ in range(20):  # a higher rate gives an on-demand table more partitions
        load = Load(changes_per_second=most, item_bytes=size)
        first = first_to_break(hops(load, chain))
        if first.takes.at_most <= most * 1.001:
            break
        most = first.takes.at_most
    assert first is not None
    assert first.name == name.split(maxsplit=1)[0]

    def ran(rate: float) -> Run:
        load = Load(changes_per_second=rate, item_bytes=size)
        return simulate(load, chain, seconds=900)

    assert ran(1.1 * most).broken() == first.name
    assert ran(0.9 * most).broken() is None


def test_changes_expire_when_the_formula_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice what a shard takes, and a table stream that keeps changes for half an hour."""
    keeps = limits.Limit(1_800, "s", limits.STREAM_SECONDS.source)
    monkeypatch.setattr(limits, "STREAM_SECONDS", keeps)
    load = Load(changes_per_second=2_000)
    paper = outage("stream", load, DEV, 0).expires_after_seconds
    assert paper == pytest.approx(3_600)
    measured = simulate(load, DEV, seconds=4_200)
    first = next(one.time for one in measured.samples if one.lost > 0)
    assert first == pytest.approx(paper, rel=0.05)
    assert measured.samples[-1].lost > 100_000


def test_a_pipe_gives_up_on_changes_over_its_maximum_age() -> None:
    aged = dataclasses.replace(DEV, maximum_record_age_seconds=600)
    measured = simulate(
        Load(changes_per_second=500), aged, Disturbance(down="stream", seconds=1_200), seconds=2_400
    )
    assert measured.dead_letters == pytest.approx(500 * 600, rel=0.1)


def test_a_run_of_the_batch_job_that_takes_too_long_never_merges() -> None:
    """As the formula says of 30,000 changes a second after a missed run, with one hour a run."""
    load = Load(changes_per_second=30_000)
    assert outage("batch job", load, PROD).catch_up_seconds is None
    _, result = run(SCENARIOS["outage-batch"], load, PROD)
    assert result.simulated_seconds is None


def test_a_run_is_the_same_every_time() -> None:
    first, again = (simulate(Load(changes_per_second=20), PROD, seconds=300) for _ in range(2))
    assert first == again


# -- queues ----------------------------------------------------------------------------------


def test_a_queue_gives_out_the_oldest_first_and_splits_portions() -> None:
    queue = Queue()
    queue.put([Portion(1, 5), Portion(2, 5)])
    assert queue.take(7) == [Portion(1, 5), Portion(2, 2)]
    assert (queue.total, queue.oldest) == (3, 2)
    assert queue.expire(made_before=3) == 3
    assert queue.take(1) == []


def test_a_hot_key_has_its_shard_and_shares_it_with_others() -> None:
    lanes = Lanes(4, hot=True)
    lanes.put([Portion(0, 100), Portion(0, 50, hot=True)])
    hot, rest = lanes.lanes
    assert (hot.width, hot.queue.total) == (1, 75)
    assert (rest.width, rest.queue.total) == (3, 75)
    assert amount(rest.queue.take(75)) == 75


# -- what is committed -----------------------------------------------------------------------


def test_the_recorded_figures_are_what_a_run_gives(
    simulated: Mapping[str, tuple[Run, Result]],
) -> None:
    recorded = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    fresh = [json.loads(result.to_json()) for _, result in simulated.values()]
    assert recorded == fresh, "run `make scaling`"


def test_the_plots_are_current(simulated: Mapping[str, tuple[Run, Result]]) -> None:
    for name, (measured, _) in simulated.items():
        drawing = (PLACE / f"{name}.svg").read_text()
        assert plots.fingerprint(measured) in drawing, f"{name}: run `make scaling`"


def test_a_plot_is_drawn(simulated: Mapping[str, tuple[Run, Result]]) -> None:
    measured, _ = simulated["spike"]
    drawing = plots.draw(SCENARIOS["spike"], measured)
    assert drawing.startswith("<svg")
    assert SCENARIOS["spike"].title in drawing


# -- the command -----------------------------------------------------------------------------


def test_the_command_simulates_and_draws_what_it_is_asked_for(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        app,
        ["outage-lake", "--changes-per-second", "500", "--plots", str(tmp_path / "new"), "--json"],
    )
    assert answer.exit_code == 0, answer.output
    (told,) = [json.loads(line) for line in answer.stdout.splitlines()]
    assert told["scenario"] == "outage-lake"
    assert told["agrees"] is True
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["outage-lake.svg"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["nope"], "no scenario nope; there are: spike"),
        (["--stack", "nope"], "Pulumi.nope.yaml"),
        (["--record", "--seed", "2"], "--record takes no"),
        (["--bytes", "0"], "bytes"),
        (["outage-batch", "--stack", "dev"], "outage-batch: the stack dev has no batchSchedule"),
    ],
)
def test_wrong_use_is_reported(wrong: list[str], told: str) -> None:
    answer = CliRunner().invoke(app, wrong)
    assert answer.exit_code == 2
    assert told in answer.output
