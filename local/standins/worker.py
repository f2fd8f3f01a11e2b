"""A hop of the chain as a stoppable thread that records why it died."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod

from local.errors import AwsError, WorkerDiedError

FINISH_SECONDS = 10.0
"""The longest time that a stopping hop may take to finish its pending records."""
_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_MOST_SECONDS = 5.0


class Worker(ABC):
    """One hop. A subclass does a bounded piece of work in `step`."""

    poll_seconds = 0.05
    """The pause after a step without work."""
    idle_seconds = 1.0
    """The longest wait for ``arrivals``: covers a wake-up that got lost."""

    def __init__(self, name: str, role_arn: str, arrivals: threading.Event) -> None:
        self.name = name
        self.role_arn = role_arn
        self.error: WorkerDiedError | None = None
        self.stopping = threading.Event()
        self.arrivals = arrivals
        self._thread: threading.Thread | None = None

    @abstractmethod
    def step(self) -> bool:
        """Do the work that is pending; False if there was none."""

    @abstractmethod
    def due_in(self) -> float:
        """Seconds until held records become due without another arrival; infinite if none are."""

    def open(self) -> None:  # noqa: B027 - optional
        """Prepare, in the caller's thread, before the first step."""

    def finish(self) -> None:  # noqa: B027 - optional
        """Flush buffers, after the last step."""

    def start(self) -> None:
        """Prepare, then run until `stop`."""
        try:
            self.open()
        except AwsError as error:
            raise self.died(error) from error
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current step and flush buffers; safe to call twice."""
        self.halt()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def halt(self) -> None:
        """Begin to stop, without waiting for it."""
        self.stopping.set()
        self.arrivals.set()

    @property
    def running(self) -> bool:
        """Whether the thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def died(self, error: AwsError) -> WorkerDiedError:
        """``error`` with the hop's name and role."""
        return WorkerDiedError(f"{self.name} stopped: {error} (acting as {self.role_arn})")

    def backoff(self, attempt: int) -> None:
        """Wait before retry ``attempt`` (from 1): exponential, full jitter; ends early on stop."""
        most = min(_BACKOFF_MOST_SECONDS, _BACKOFF_FIRST_SECONDS * 2 ** min(attempt - 1, 10))
        self.stopping.wait(random.uniform(0, most))  # noqa: S311 - jitter, not a secret

    def _run(self) -> None:
        failures = 0
        try:
            while not self.stopping.is_set():
                self.arrivals.clear()  # before reading: an arrival during the step is kept
                try:
                    worked = self.step()
                    failures = 0
                except AwsError as error:
                    if not error.retryable:
                        raise
                    failures += 1
                    self.backoff(failures)
                    continue
                if not worked and not self.stopping.wait(self.poll_seconds):
                    self.arrivals.wait(max(0.0, min(self.idle_seconds, self.due_in())))
            self.finish()
        except AwsError as error:
            self.error = self.died(error)
        except Exception as error:  # the chain must learn of any failure
            self.error = WorkerDiedError(f"{self.name} stopped: {type(error).__name__}: {error}")
