"""The inputs and the outcome of one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.account.aws import Aws, Credentials
from local.athena.storage import upload


@dataclass(frozen=True)
class Task:
    """One execution of a statement.

    Parameters
    ----------
    id:
        The query execution's.
    output:
        Where its result goes: an S3 URI.
    caller:
        Who asked; the result is written with their permissions.
    enforced:
        Does the workgroup say where results go, whatever the caller wants?
    """

    id: str
    output: str
    caller: Credentials
    aws: Aws
    enforced: bool = False

    def upload(self, uri: str, body: bytes) -> None:
        """Write an object as the caller."""
        upload(self.aws, self.caller, uri, body)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a statement that succeeded has to tell.

    Parameters
    ----------
    columns:
        The result's, as GetQueryResults describes them.
    rows, update_count:
        Rows of the result, and rows written.
    planned:
        Seconds that planning took.
    manifest:
        The S3 URI of the list of written objects.
    """

    columns: Sequence[dict[str, Any]] = ()
    rows: int = 0
    update_count: int = 0
    planned: float = 0.0
    manifest: str | None = None
