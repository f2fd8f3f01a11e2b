"""The result of a run: as JSON, on a terminal, and as a Markdown page."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from acceptance.checks import ALL
from acceptance.stack import ROOT

FOLDER = ROOT / "acceptance" / "reports"


@dataclass(frozen=True)
class Result:
    """The result of one check."""

    name: str
    passed: bool
    seconds: float
    detail: str


@dataclass(frozen=True)
class Skipped:
    """A check that did not run."""

    name: str
    reason: str


@dataclass
class Report:
    """The results of a run.

    Attributes
    ----------
    latencies:
        Seconds from each write to its row in a query result, sorted.
    cost_usd:
        An estimate from list prices, not the bill.
    """

    stack: str
    where: str
    cost_usd: float
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    checks: list[Result] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    latencies: Sequence[float] = ()
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every check that ran passed, and the run completed."""
        return bool(self.checks) and not self.interrupted and all(c.passed for c in self.checks)

    def latency(self) -> dict[str, float] | None:
        """``p50`` and ``p99`` in seconds; None without measurements."""
        if not self.latencies:
            return None
        return {"p50": self._quantile(0.5), "p99": self._quantile(0.99)}

    def to_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {
            "passed": self.passed,
            "checks": [asdict(one) for one in self.checks],
            "skipped": [asdict(one) for one in self.skipped],
            "latency_s": self.latency(),
            "cost_usd": self.cost_usd,
        }

    def verdict(self) -> str:
        """The result in a line."""
        failed = [one.name for one in self.checks if not one.passed]
        if failed:
            return f"failed: {', '.join(failed)}"
        if self.interrupted:
            return "stopped before the end"
        if not self.checks:
            return "no check was run"
        return f"all {len(self.checks)} checks passed, {len(self.skipped)} skipped"

    def markdown(self) -> str:
        """The report as a page."""
        says = {check.name: check.says for check in ALL}
        latency = self.latency()
        lines = [
            f"# Acceptance of {self.stack}: {self.verdict()}",
            "",
            f"{self.began:%Y-%m-%d %H:%M} UTC, {self.where}.",
            "",
            "| check | what must hold | result | s | found |",
            "| --- | --- | --- | ---: | --- |",
        ]
        for one in self.checks:
            told = "passed" if one.passed else "**failed**"
            lines.append(
                f"| {one.name} | {says[one.name]} | {told} | {one.seconds:.1f} "
                f"| {_cell(one.detail)} |"
            )
        for left in self.skipped:
            lines.append(f"| {left.name} | {says[left.name]} | skipped | | {_cell(left.reason)} |")
        lines.append("")
        if latency:
            lines.append(
                f"From a write to its row in a query result: p50 {latency['p50']:.1f} s, "
                f"p99 {latency['p99']:.1f} s."
            )
        lines.append(f"Estimated cost: ${self.cost_usd:.2f}.")
        return "\n".join(lines) + "\n"

    def write(self, folder: Path = FOLDER) -> Path:
        """Write the page and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.stack}-{self.began:%Y%m%dT%H%M%SZ}.md"
        file.write_text(self.markdown(), encoding="utf-8")
        return file

    def _quantile(self, share: float) -> float:
        """By nearest rank."""
        return round(self.latencies[max(0, math.ceil(share * len(self.latencies)) - 1)], 2)


class Screen:
    """Progress on stderr: live on a terminal, elsewhere one line per check."""

    def __init__(self) -> None:
        terminal = sys.stderr.isatty()
        self.console = Console(stderr=True, highlight=False, width=None if terminal else 200)
        self._status: Status | None = None
        self._check = ""

    def begin(self, check: str) -> None:
        """A check begins."""
        self._check = check
        if self.console.is_terminal:
            self._status = self.console.status(Text(check))
            self._status.start()

    def say(self, text: str) -> None:
        """Show the current step."""
        if self._status:
            room = max(20, self.console.width - 6)
            self._status.update(Text(f"{self._check}: {text}"[:room]))

    def end(self, outcome: Result | Skipped) -> None:
        """A check has ended."""
        self.stop()
        match outcome:
            case Result(passed=True):
                mark, style = "passed ", "green"
            case Result():
                mark, style = "failed ", "bold red"
            case _:
                mark, style = "skipped", "dim"
        line = Text(f"{mark} ", style=style)
        line.append(f"{outcome.name:15} ", style="bold" if isinstance(outcome, Result) else "dim")
        if isinstance(outcome, Result):
            line.append(f"{outcome.seconds:7.1f} s  {outcome.detail}")
        else:
            line.append(f"{'':7}    {outcome.reason}", style="dim")
        self.console.print(line, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line between the checks."""
        self.stop()
        self.console.print(Text(text, style="yellow"), soft_wrap=True)

    def stop(self) -> None:
        """Stop the live status."""
        if self._status:
            self._status.stop()
            self._status = None


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
