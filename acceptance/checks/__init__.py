"""The checks, in order: each a function that is given the run and says what it found."""

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
        Returns what it found in a few words; raises `CheckFailedError` if it does not hold.
    """

    name: str
    work: Callable[[Run], str]

    @property
    def says(self) -> str:
        """What holds, in a line."""
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
"""Between `UP` and `DOWN`; the settings last, for they wait until the first hour is over."""
DOWN = (Check("destroy", deployed.destroy), Check("nothing-left", deployed.nothing_left))
ALL = (UP, *CHECKS, *DOWN)
