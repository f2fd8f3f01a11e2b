"""A hop of the chain as a thread that can be stopped, and that says why it died."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod

from local.errors import AwsError, WorkerDiedError

FINISH_SECONDS = 10.0
"""A hop that stops works off what has reached it, for no longer than this."""
_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_MOST_SECONDS = 5.0


class Worker(ABC):
    """One hop. Subclasses do a bounded piece of work in `step` and tell whether there was any."""

    idle_seconds = 0.05

    def __init__(self, name: str, role_arn: str) -> None:
        self.name = name
        self.role_arn = role_arn
        self.error: WorkerDiedError | None = None
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def step(self) -> bool:
        """Do what there is to do now; False when there was nothing."""

    def open(self) -> None:  # noqa: B027 - most hops have nothing to prepare
        """Prepare, in the caller's thread, before the first step."""

    def finish(self) -> None:  # noqa: B027 - most hops hold nothing back
        """Let go of what is held back, after the last step."""

    def start(self) -> None:
        """Prepare, then work until `stop`."""
        try:
            self.open()
        except AwsError as error:
            raise self.died(error) from error
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current step and let go of what is held back; safe to call twice."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether it works."""
        return self._thread is not None and self._thread.is_alive()

    def died(self, error: AwsError) -> WorkerDiedError:
        """``error`` with the hop and the role that met it."""
        return WorkerDiedError(f"{self.name} stopped: {error} (acting as {self.role_arn})")

    def backoff(self, attempt: int) -> None:
        """Wait before retry number ``attempt`` (from 1): exponential, full jitter; stop ends it."""
        most = min(_BACKOFF_MOST_SECONDS, _BACKOFF_FIRST_SECONDS * 2 ** min(attempt - 1, 10))
        self.stopping.wait(random.uniform(0, most))  # noqa: S311 - jitter, not a secret

    def _run(self) -> None:
        failures = 0
        try:
            while not self.stopping.is_set():
                try:
                    worked = self.step()
                    failures = 0
                except AwsError as error:
                    if not error.retryable:
                        raise
                    failures += 1
                    self.backoff(failures)
                    continue
                if not worked:
                    self.stopping.wait(self.idle_seconds)
            self.finish()
        except AwsError as error:
            self.error = self.died(error)
        except Exception as error:  # whatever it is, the chain must hear of it
            self.error = WorkerDiedError(f"{self.name} stopped: {type(error).__name__}: {error}")
