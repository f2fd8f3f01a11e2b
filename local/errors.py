"""What can go wrong on one machine, in words a person can act on."""

from __future__ import annotations

from typing import Any

_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_THROTTLED = frozenset(
    {
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "SlowDown",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class LocalError(Exception):
    """The local stack cannot do what was asked; the message says what to do instead."""


class UsageError(LocalError):
    """What was typed cannot be right (exit code 2)."""


class WorkerDiedError(LocalError):
    """One hop stopped for good; the message names it, and the role and action if it was denied."""


class AwsError(Exception):
    """An AWS service's refusal: its code, message and HTTP status.

    ``extra`` are further members of the answer's body.
    """

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra

    @property
    def denied(self) -> bool:
        """A permission is missing: retrying cannot help."""
        return self.code in _DENIED

    @property
    def expired(self) -> bool:
        """A shard iterator is older than five minutes: a new one is needed."""
        return self.code == "ExpiredIteratorException"

    @property
    def retryable(self) -> bool:
        """Throttled, or the server's own fault."""
        return self.code in _THROTTLED or self.status >= 500
