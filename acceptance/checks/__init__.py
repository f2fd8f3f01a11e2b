"""The checks, in order: each is a function of the run that returns what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acceptance.checks import chain, deployed, watched
from acceptance.run import Run


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    work:
        Returns a short result; raises `CheckFailedError` if the check fails.
    """

    name: str
    work: Callable[[Run], str]

    @property
    def says(self) -> str:
        """What must hold, in a line."""
        return (self.work.__doc__ or "").partition("\n")[0].rstrip(".")


UP = Check("up", deployed.up)
CHECKS = (
    Check("no-change", deployed.no_change),
    Check("outputs", deployed.outputs),
    Check("tags", deployed.tags),
    Check("orders", chain.orders),
    Check("verify", chain.verify),
    Check("queries", chain.queries),
    Check("garbage", chain.garbage),
    Check("crawler", watched.crawler),
    Check("alarms", watched.alarms),
    Check("crawler-failed", watched.crawler_failed),
    Check("job-failed", watched.job_failed),
    Check("pipe-restart", chain.pipe_restart),
    Check("dead-letter", chain.dead_letter),
    Check("batch", chain.batch),
    Check("settings", deployed.settings),
    Check("settings-kept", deployed.settings_kept),
)
"""Run between `UP` and `DOWN`; the settings come last, because they wait for an hour to pass."""
DOWN = (Check("destroy", deployed.destroy), Check("nothing-left", deployed.nothing_left))
ALL = (UP, *CHECKS, *DOWN)
