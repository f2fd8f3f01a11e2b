"""Runs that may have read the log before it was erased from: those of the batch job and of packing.

They may still merge rows into the batch job's table, or pack them into new objects of the log. Runs
that begin later read a log without the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from operate.account import Account
from operate.scanning import aws_time
from schema.layout import PACKING_PREFIX

_ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
_DEAD = timedelta(minutes=16)
"""No run of the packing function is older: Lambda stops a function after 15 minutes."""
_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.5, 15.0


class Runs:
    """The runs of a stack.

    Parameters
    ----------
    say:
        Told what this waits for.
    stop:
        When set, nothing is waited for.
    """

    def __init__(
        self, account: Account, *, say: Callable[[str], None], stop: threading.Event
    ) -> None:
        self._account = account
        self._say = say
        self._stop = stop

    def wait(self) -> bool:
        """Wait for the end of those that are active now; whether there were any."""
        before = self._active()
        pause = _FIRST_WAIT_SECONDS
        while (left := before & self._active()) and not self._stop.wait(pause):
            if pause == _FIRST_WAIT_SECONDS:
                self._say(f"waiting for what has read the log before: {', '.join(sorted(left))}")
            pause = min(_MOST_WAIT_SECONDS, pause * 1.5)
        return bool(before)

    def _active(self) -> set[str]:
        job = self._account.outputs.get("batchJobName")
        return self._packing() | (self._of_job(job) if job else set())

    def _of_job(self, job: str) -> set[str]:
        pages = self._account.client("glue").get_paginator("get_job_runs").paginate(JobName=job)
        return {
            f"{job} {run['Id']}"
            for page in pages
            for run in page["JobRuns"]
            if run["JobRunState"] in _ACTIVE
        }

    def _packing(self) -> set[str]:
        """Each run leaves an object while it works; if it is killed, for longer."""
        pages = self._account.client("s3").get_paginator("list_objects_v2")
        return {
            one["Key"]
            for page in pages.paginate(Bucket=self._account["bucketName"], Prefix=PACKING_PREFIX)
            for one in page.get("Contents", ())
            if aws_time(page) - one["LastModified"] < _DEAD
        }
