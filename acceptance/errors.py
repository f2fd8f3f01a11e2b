"""What can go wrong, in words a person can act on."""

from __future__ import annotations


class AcceptanceError(Exception):
    """The run cannot go on; the message says why."""


class NotReadyError(AcceptanceError):
    """Something is missing before it can begin (exit code 2); the message says what to do."""


class CheckFailedError(AcceptanceError):
    """A check did not hold; the message says what was found."""


class AbortedError(BaseException):
    """A second Ctrl-C: stop at once, and leave what is there."""
