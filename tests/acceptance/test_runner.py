"""The order of the checks, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from acceptance import cost, runner
from acceptance.checks import Check
from acceptance.errors import AbortedError, CheckFailedError
from acceptance.report import Report, Result, Screen, Skipped
from acceptance.run import Run
from acceptance.runner import Runner
from acceptance.stack import Clients, Say

Work = Callable[[Run], str]


class Nowhere:
    """A deployment that creates nothing; it records the calls and their order."""

    name = "nowhere"
    patience = 1.0
    pause = 0.01
    reachable = False

    def __init__(self, cannot: Mapping[str, str]) -> None:
        self.cannot = cannot
        self.outputs: Mapping[str, str] = {}

    def up(self, say: Say) -> None: ...

    def changes(self) -> list[str]:
        return []

    def configure(self, settings: Mapping[str, str | None], say: Say) -> None: ...

    def client(self, service: str) -> Any: ...

    def session(self, keys: Mapping[str, Any], role_arn: str) -> Clients:
        raise NotImplementedError

    def untagged(self) -> list[str]:
        return []

    def stop_pipe(self) -> None: ...

    def start_pipe(self) -> None: ...

    def destroy(self, say: Say) -> None: ...

    def left(self) -> list[str]:
        return []

    def remains(self) -> str:
        return "everything"


def good(_: Run) -> str:
    return "fine"


def deployed(run: Run) -> str:
    run.deployment.outputs = {"tableName": "orders"}
    return "fine"


def bad(_: Run) -> str:
    raise CheckFailedError("it is\n broken")


def mistaken(_: Run) -> str:
    raise KeyError("oops")


def interrupted(_: Run) -> str:
    raise KeyboardInterrupt


Make = Callable[..., Report]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Run checks between a test's own `up` and `destroy`; return the report."""

    def work(
        *checks: Work,
        up: Work = deployed,
        destroy: Work = good,
        cannot: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Report:
        monkeypatch.setattr(runner, "UP", Check("up", up))
        monkeypatch.setattr(
            runner, "CHECKS", [Check(f"{one.__name__}-{n}", one) for n, one in enumerate(checks)]
        )
        monkeypatch.setattr(runner, "DOWN", [Check("destroy", destroy)])
        report = Report("nowhere", "in a test", 0.5)
        made = Runner(Run(Nowhere(cannot or {})), report, Screen(), **options)
        try:
            made.all()
        except AbortedError:
            report.interrupted = True
        return report

    return work


def outcome(report: Report) -> dict[str, bool]:
    return {one.name: one.passed for one in report.checks}


def test_a_check_that_fails_does_not_stop_the_others(make: Make) -> None:
    report = make(good, bad, mistaken, good)
    assert outcome(report) == {
        "up": True,
        "good-0": True,
        "bad-1": False,
        "mistaken-2": False,
        "good-3": True,
        "destroy": True,
    }
    assert not report.passed
    assert report.checks[2].detail == "it is broken"
    assert report.checks[3].detail == "unexpected KeyError: 'oops'"
    assert report.verdict() == "failed: bad-1, mistaken-2"


def test_without_a_deployment_nothing_else_is_checked_but_what_is_there_is_removed(
    make: Make,
) -> None:
    report = make(good, up=bad)
    assert outcome(report) == {"up": False, "destroy": True}
    assert report.skipped == [Skipped("good-0", "nothing is deployed: up failed")]


def test_what_cannot_be_checked_is_skipped_with_the_reason_and_passes_nothing(make: Make) -> None:
    report = make(bad, good, cannot={"bad-0": "only on AWS"})
    assert outcome(report) == {"up": True, "good-1": True, "destroy": True}
    assert report.skipped == [Skipped("bad-0", "only on AWS")]
    assert report.passed
    assert report.verdict() == "all 3 checks passed, 1 skipped"


def test_only_some_are_made_when_they_are_named(make: Make) -> None:
    report = make(good, bad, only=["good-0"])
    assert outcome(report) == {"up": True, "good-0": True, "destroy": True}
    assert report.skipped == [Skipped("bad-1", "not selected")]


def test_a_stack_that_is_kept_is_not_removed(make: Make) -> None:
    report = make(good, destroy=bad, keep=True)
    assert outcome(report) == {"up": True, "good-0": True}
    assert report.skipped == [Skipped("destroy", "--keep")]


def test_ctrl_c_removes_the_stack_even_if_it_was_to_be_kept(make: Make) -> None:
    report = make(good, interrupted, good, keep=True)
    assert outcome(report) == {"up": True, "good-0": True, "destroy": True}
    assert report.interrupted
    assert not report.passed
    assert report.verdict() == "stopped before the end"


def test_a_second_ctrl_c_ends_it(make: Make) -> None:
    report = make(interrupted, destroy=interrupted)
    assert outcome(report) == {"up": True}
    assert report.interrupted


def test_a_run_that_checked_nothing_has_not_passed() -> None:
    assert not Report("x", "y", 0.0).passed


def test_the_json_has_what_ran_what_did_not_and_the_figures() -> None:
    report = Report("acceptance-x", "account 1", 0.74)
    report.checks = [Result("up", True, 1.5, "21 outputs")]
    report.skipped = [Skipped("batch", "only with --batch")]
    report.latencies = [float(n) for n in range(1, 101)]
    assert json.loads(json.dumps(report.to_json())) == {
        "passed": True,
        "checks": [{"name": "up", "passed": True, "seconds": 1.5, "detail": "21 outputs"}],
        "skipped": [{"name": "batch", "reason": "only with --batch"}],
        "latency_s": {"p50": 50.0, "p99": 99.0},
        "cost_usd": 0.74,
    }


def test_the_page_has_a_row_per_check() -> None:
    report = Report("acceptance-x", "account 1", 0.74)
    report.checks = [Result("up", True, 1.5, "21 | outputs"), Result("tags", False, 2, "none")]
    report.skipped = [Skipped("batch", "only with --batch")]
    lines = report.markdown().splitlines()
    assert lines[0] == "# Acceptance of acceptance-x: failed: tags"
    row = "| up | `pulumi up` creates the stack from nothing | passed | 1.5 | 21 \\| outputs |"
    assert row in lines
    assert any(line.startswith("| tags | ") and "**failed**" in line for line in lines)
    assert any(line.startswith("| batch | ") and "skipped" in line for line in lines)
    assert lines[-1] == "Estimated cost: $0.74."


def test_a_run_costs_under_a_dollar_unless_the_batch_is_checked_too() -> None:
    without, with_ = cost.estimate(1000), cost.estimate(1000, batch=True)
    assert 0.5 < without < 1
    assert without < with_ < 1.5
    assert cost.estimate(100_000) > without
