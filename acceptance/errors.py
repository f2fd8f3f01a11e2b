"""Errors of a run; each message says what to do."""

from __future__ import annotations


class AcceptanceError(Exception):
    """The run cannot continue; the message says why."""


class NotReadyError(AcceptanceError):
    """A requirement is missing (exit code 2); the message says what to do."""


class CheckFailedError(AcceptanceError):
    """A check failed; the message says what was found."""


class AbortedError(BaseException):
    """A second Ctrl-C: stop at once and leave everything in place."""
