"""The disturbances that are simulated, and what the formulas say of each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from analytics.capacity.chain import Chain
from analytics.capacity.hops import Load
from analytics.capacity.report import hot_key, outage, spike
from simulation.batch import simulate_batch
from simulation.chain import Disturbance, Run, simulate

LOAD = Load(changes_per_second=1_000, item_bytes=2_048)
STACK = "prod"
SEED = 1
"""Of the plots and figures in docs/scaling.md."""
AFTER = 300.0
"""Seconds that are simulated after the backlog should be gone."""
LONG = 4 * 3_600.0
"""Seconds that are simulated if it never is."""


@dataclass(frozen=True)
class Scenario:
    """A disturbance.

    Attributes
    ----------
    tolerance:
        How far the simulated seconds may be from the formula's, as a share of them.
    """

    name: str
    title: str
    disturbance: Disturbance
    tolerance: float = 0.05


_HOPS = {
    "table": "DynamoDB takes no writes",
    "pipe": "the pipe is stopped",
    "stream": "Kinesis takes no records",
    "delivery": "Firehose does not read",
    "transform": "the transform fails",
    "lake": "S3 takes no objects",
}
SCENARIOS: Mapping[str, Scenario] = {
    one.name: one
    for one in (
        Scenario("spike", "10 times the rate for 10 minutes", Disturbance(factor=10, seconds=600)),
        *(
            Scenario(f"outage-{hop}", f"30 minutes: {title}", Disturbance(down=hop))
            for hop, title in _HOPS.items()
        ),
        Scenario("outage-batch", "a run of the batch job is missed", Disturbance(down="batch job")),
        Scenario(
            "hot-key",
            "one key makes 30 % of the changes for 20 minutes",
            Disturbance(hot_share=0.3, seconds=1_200),
            0.15,
        ),
    )
}


@dataclass(frozen=True)
class Expected:
    """What the formulas say: the backlog, and the seconds until it is gone (None: never)."""

    backlog: float
    catch_up_seconds: float | None


@dataclass(frozen=True)
class Result:
    """A scenario's figures; seconds are from the end of the disturbance."""

    scenario: str
    paper_backlog: float
    simulated_backlog: float
    paper_seconds: float | None
    simulated_seconds: float | None
    longest_lag_seconds: float
    failed: float
    lost: float

    @property
    def agrees(self) -> bool:
        """Whether the simulated time is within the scenario's tolerance, or both say never."""
        paper, simulated = self.paper_seconds, self.simulated_seconds
        if paper is None or simulated is None:
            return paper is simulated
        # Below a batch's and a read's time the formula has nothing to say.
        return abs(simulated - paper) <= max(10.0, SCENARIOS[self.scenario].tolerance * paper)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self) | {"agrees": self.agrees})


def expected(scenario: Scenario, load: Load, chain: Chain) -> Expected:
    """What the formulas say of a scenario."""
    what = scenario.disturbance
    if what.down == "transform":  # nothing waits: all of it is under failed/
        return Expected(0.0, 0.0)
    if what.down:
        found = outage(what.down, load, chain, what.seconds)
        return Expected(found.backlog, found.catch_up_seconds)
    if what.hot_share:
        _, held = hot_key(load, chain, what.hot_share, what.seconds)
    else:
        held = spike(load, chain, what.factor, what.seconds)
    return Expected(held.most, held.drained_after)


def run(scenario: Scenario, load: Load, chain: Chain, seed: int = SEED) -> tuple[Run, Result]:
    """Simulate a scenario and set it beside the formulas."""
    paper = expected(scenario, load, chain)
    if scenario.disturbance.down == "batch job":
        simulated: Run = _batch(scenario, load, chain, paper, seed)
    else:
        rest = 1.2 * paper.catch_up_seconds + AFTER if paper.catch_up_seconds is not None else LONG
        seconds = scenario.disturbance.end + min(rest, LONG)
        simulated = simulate(load, chain, scenario.disturbance, seconds=seconds, seed=seed)
    last = simulated.samples[-1]
    return simulated, Result(
        scenario.name,
        round(paper.backlog),
        round(simulated.most_waiting()),
        None if paper.catch_up_seconds is None else round(paper.catch_up_seconds, 1),
        simulated.caught_up_after(),
        round(simulated.longest_lag(), 1),
        round(last.failed),
        round(last.lost),
    )


def _batch(scenario: Scenario, load: Load, chain: Chain, paper: Expected, seed: int) -> Run:
    """The outage begins just before the second run: the worst time, and the formula's."""
    period = chain.batch_period_seconds or 0.0
    missed = dataclasses.replace(scenario.disturbance, begin=2 * period - 1)
    rest = 1.2 * paper.catch_up_seconds if paper.catch_up_seconds is not None else 4 * period
    return simulate_batch(load, chain, missed, seconds=missed.end + rest, seed=seed)


def scenarios(chain: Chain) -> list[str]:
    """The scenarios that a stack can have: not that of the batch job without a schedule."""
    return [name for name in SCENARIOS if name != "outage-batch" or chain.batch_schedule]
