"""Run every check in order, and remove the stack whatever happens."""

from __future__ import annotations

import time
from collections.abc import Collection

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.checks import CHECKS, DOWN, UP, Check
from acceptance.errors import AbortedError, AcceptanceError
from acceptance.report import Report, Result, Screen, Skipped
from acceptance.run import Run
from generator import WriteError
from local.errors import LocalError
from operate.account import ReplayError

_NOT_SELECTED = "not selected"
_EXPECTED = (AcceptanceError, BotoCoreError, ClientError, LocalError, ReplayError, WriteError)


class Runner:
    """Runs the checks.

    Parameters
    ----------
    only:
        Names of checks to run, empty for all. The stack is always created and removed.
    keep:
        Keep the stack.
    """

    def __init__(
        self,
        run: Run,
        report: Report,
        screen: Screen,
        *,
        only: Collection[str] = (),
        keep: bool = False,
    ) -> None:
        self._run = run
        self._report = report
        self._screen = screen
        self._only = only
        self._keep = keep

    def all(self) -> None:
        """Run every check and remove the stack; after a Ctrl-C remove it at once.

        Raises
        ------
        AbortedError
            A second Ctrl-C.
        """
        try:
            for check in (UP, *CHECKS):
                if reason := self._skips(check):
                    self._end(Skipped(check.name, reason))
                else:
                    self._make(check)
        except KeyboardInterrupt:
            self._report.interrupted = True
            self._screen.note("stopped: removing what was created (Ctrl-C again leaves it)")
        if self._keep and not self._report.interrupted:
            for check in DOWN:
                self._end(Skipped(check.name, "--keep"))
        else:
            self.down()

    def down(self) -> None:
        """Remove the stack, and check that nothing is left.

        Raises
        ------
        AbortedError
            A Ctrl-C.
        """
        try:
            for check in DOWN:
                self._make(check)
        except KeyboardInterrupt:
            self._report.interrupted = True
            raise AbortedError from None

    def _skips(self, check: Check) -> str:
        """Why a check does not run, or an empty string."""
        if check is UP:
            return ""
        if self._only and check.name not in self._only:
            return _NOT_SELECTED
        if not self._run.deployment.outputs:
            return f"nothing is deployed: {UP.name} failed"
        return self._run.deployment.cannot.get(check.name, "")

    def _make(self, check: Check) -> None:
        self._screen.begin(check.name)
        began = time.monotonic()
        passed = False
        try:
            detail, passed = check.work(self._run), True
        except _EXPECTED as error:
            detail = " ".join(str(error).split()) or type(error).__name__
        except Exception as error:  # a bug: the stack is removed all the same
            detail = f"unexpected {type(error).__name__}: {error}"
        self._report.latencies = self._run.latencies
        seconds = round(time.monotonic() - began, 1)
        self._end(Result(check.name, passed, seconds, detail))

    def _end(self, outcome: Result | Skipped) -> None:
        if isinstance(outcome, Result):
            self._report.checks.append(outcome)
        else:
            self._report.skipped.append(outcome)
            if outcome.reason == _NOT_SELECTED:
                return
        self._screen.end(outcome)
