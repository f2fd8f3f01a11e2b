"""Errors of the local stack."""

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
    """The local stack cannot do this; the message says what to do instead."""


class UsageError(LocalError):
    """Invalid command-line input (exit code 2)."""


class WorkerDiedError(LocalError):
    """A hop stopped for good; the message names it, and on a denial the role and action."""


class AwsError(Exception):
    """An AWS error response: code, message and HTTP status.

    ``extra`` holds further members of the response body.
    """

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra

    @property
    def denied(self) -> bool:
        """A permission is missing; retries do not help."""
        return self.code in _DENIED

    @property
    def expired(self) -> bool:
        """The shard iterator is older than five minutes; get a new one."""
        return self.code == "ExpiredIteratorException"

    @property
    def retryable(self) -> bool:
        """Throttled, or a server error."""
        return self.code in _THROTTLED or self.status >= 500
