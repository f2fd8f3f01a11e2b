"""A short round of faults; `make chaos` is the long one. The seed is printed when it fails."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from chaos import round as rounds
from chaos.faults import FAULTS
from chaos.injector import Injector
from chaos.rig import Rig

HALVES = [sorted(FAULTS)[::2], sorted(FAULTS)[1::2]]


@pytest.mark.parametrize("kinds", HALVES, ids=["one-half", "other-half"])
def test_whatever_fails_nothing_is_lost_and_the_lake_equals_the_table(
    tmp_path: Path, kinds: list[str]
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}: python -m chaos --seed {seed} --faults {len(kinds)}")  # noqa: T201 - shown when it fails
    with Rig(tmp_path) as rig:
        report = rounds.run(rig, faults=len(kinds), seed=seed, only=kinds, rate=30)
    assert not report.wrong, f"seed {seed}: {report.wrong}"
    assert set(report.recoveries) == set(kinds)
    assert report.changes == report.distinct > 100
    assert rig.injector.bitten > len(kinds) / 2
    # The counts add up: every change reached Kinesis, through the pipe or from its dead letters.
    assert report.hops.bridged + report.dead_letters >= report.changes


def test_prod_survives_too(tmp_path: Path) -> None:
    """Parquet, and an on-demand stream."""
    kinds = ["firehose killed after PutObject", "S3 response lost", "transform crashes"]
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    with Rig(tmp_path, stack="prod") as rig:
        report = rounds.run(rig, faults=3, seed=seed, only=kinds, rate=30)
    assert not report.wrong, f"seed {seed}: {report.wrong}"


def test_the_judge_sees_a_loss(tmp_path: Path) -> None:
    """A change that was reported as delivered but is missing, and a recorded one never made."""
    with Rig(tmp_path) as rig:
        rig.place("arrives")
        rig.until(lambda: rig.hops().delivered == 1, "delivered")
        rig.injector.arm(
            "pipe.PutRecords",
            lambda _, request: {
                "Records": [{"ShardId": "s", "SequenceNumber": "1"}] * len(request["Records"])
            },
        )
        rig.place("swallowed")
        rig.injector.wait("pipe.PutRecords")
        rounds.settle(rig, quiet=1.5)
        rig.journal["never made"] += 1
        report = rounds.Report(0)
        rounds.judge(rig, report)
    assert report.wrong == [
        "swallowed: only in the table",
        "swallowed: 1 of 1 changes are lost",
        "never made: 1 of 1 changes are lost",
    ]


def test_an_armed_fault_bites_once() -> None:
    injector, seen = Injector(), []
    injector.arm("hop.Call", lambda call, request: "bitten")
    for _ in range(2):
        seen.append(injector.run("hop.Call", lambda request: "real", {}))
    assert seen == ["bitten", "real"]
    assert injector.bitten == 1
