"""Stop and start the pipe, and say what waits in the table's stream meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from client import errors
from operate.account import Account, ReplayError

OUTPUTS = ("pipeName", "streamArn", "tableName")
State = Literal["RUNNING", "STOPPED"]
KEPT = timedelta(hours=24)
"""How long DynamoDB keeps a change in a table's stream."""

_CHANGING = frozenset({"CREATING", "DELETING", "STARTING", "STOPPING", "UPDATING"})
_PATIENCE_SECONDS = 600
_COUNTING_SECONDS = 20
_EMPTY_PAGES = 3
"""An open shard may give an empty page before its end; so many in a row are taken as the end."""


@dataclass(frozen=True)
class Waiting:
    """The changes in the table's stream that were made since the pipe stopped.

    Attributes
    ----------
    changes:
        Their number; None if it cannot be read.
    oldest:
        When the oldest of them was made.
    complete:
        Whether the whole stream was read; if not, there may be more.
    """

    changes: int | None = None
    oldest: datetime | None = None
    complete: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of `pause` or `resume`.

    Attributes
    ----------
    changed:
        Whether the pipe was in another state before.
    stopped_at:
        When the pipe stopped, or its last change of state as far as AWS tells.
    """

    pipe: str
    state: str
    changed: bool
    stopped_at: datetime
    waiting: Waiting

    @property
    def kept_until(self) -> datetime:
        """When the stream drops the first change that waits."""
        return (self.waiting.oldest or self.stopped_at) + KEPT

    def to_json(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "pipe": self.pipe,
            "state": self.state,
            "changed": self.changed,
            "stopped_at": self.stopped_at.isoformat(timespec="seconds"),
            "kept_until": self.kept_until.isoformat(timespec="seconds"),
            "waiting": self.waiting.changes,
            "waiting_complete": self.waiting.complete,
        }


def pause(account: Account, stop: threading.Event) -> Outcome:
    """Stop the pipe and wait until it is stopped; nothing happens if it is.

    Raises
    ------
    ReplayError
        The pipe cannot be stopped, with AWS's reason.
    """
    before = _describe(account)
    changed = before["CurrentState"] != "STOPPED"
    now = datetime.now(UTC)
    after = _reach(account, "STOPPED", stop)
    since = now if changed else _last_change(before)
    waiting = Waiting() if changed else count(account, since, stop)
    return Outcome(
        pipe=account["pipeName"],
        state=after["CurrentState"],
        changed=changed,
        stopped_at=since,
        waiting=waiting,
    )


def resume(account: Account, stop: threading.Event) -> Outcome:
    """Start the pipe and wait until it runs; nothing happens if it does.

    Raises
    ------
    ReplayError
        The pipe cannot be started, with AWS's reason.
    """
    before = _describe(account)
    changed = before["CurrentState"] != "RUNNING"
    since = _last_change(before)
    waiting = count(account, since, stop) if changed else Waiting(0, None, complete=True)
    after = _reach(account, "RUNNING", stop)
    return Outcome(
        pipe=account["pipeName"],
        state=after["CurrentState"],
        changed=changed,
        stopped_at=since,
        waiting=waiting,
    )


def count(account: Account, since: datetime, stop: threading.Event) -> Waiting:
    """Count the changes in the table's stream made since then, for a few seconds at most."""
    streams = account.client("dynamodbstreams")
    deadline = time.monotonic() + _COUNTING_SECONDS
    changes, oldest = 0, None
    # The stream's times are whole seconds.
    since = since.replace(microsecond=0)
    try:
        for shard in _shards(streams, account["streamArn"]):
            iterator = streams.get_shard_iterator(
                StreamArn=account["streamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            empty = 0
            while iterator and empty < _EMPTY_PAGES:
                if stop.is_set() or time.monotonic() > deadline:
                    return Waiting(changes, oldest)
                page = streams.get_records(ShardIterator=iterator)
                iterator = page.get("NextShardIterator")
                empty = 0 if page["Records"] else empty + 1
                for record in page["Records"]:
                    made = record["dynamodb"]["ApproximateCreationDateTime"]
                    if made >= since:
                        changes += 1
                        oldest = min(oldest or made, made)
    except ClientError as error:
        if not errors.is_denied(str(error)):
            raise
        return Waiting()
    return Waiting(changes, oldest, complete=True)


def _shards(streams: Any, arn: str) -> list[str]:
    found: list[str] = []
    start: dict[str, str] = {}
    while True:
        told = streams.describe_stream(StreamArn=arn, **start)["StreamDescription"]
        found += [shard["ShardId"] for shard in told["Shards"]]
        if not told.get("LastEvaluatedShardId"):
            return found
        start = {"ExclusiveStartShardId": told["LastEvaluatedShardId"]}


def _reach(account: Account, wanted: State, stop: threading.Event) -> Mapping[str, Any]:
    """Start or stop the pipe, and wait; returns its description."""
    pipes, name = account.client("pipes"), account["pipeName"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    called = False
    pause_seconds = 0.2
    while True:
        pipe = _describe(account)
        current = pipe["CurrentState"]
        if current == wanted:
            return pipe
        if current not in _CHANGING:
            if called:
                reason = errors.one_line(pipe.get("StateReason") or "AWS gives no reason")
                raise ReplayError(f"the pipe {name} is {current}: {reason}")
            (pipes.start_pipe if wanted == "RUNNING" else pipes.stop_pipe)(Name=name)
            called = True
        if time.monotonic() > deadline:
            raise ReplayError(
                f"the pipe {name} is still {current} after {_PATIENCE_SECONDS // 60} minutes: "
                "run the command again later"
            )
        if stop.wait(pause_seconds):
            return _describe(account)
        pause_seconds = min(5.0, pause_seconds * 1.5)


def _describe(account: Account) -> Mapping[str, Any]:
    pipe: Mapping[str, Any] = account.client("pipes").describe_pipe(Name=account["pipeName"])
    return pipe


def _last_change(pipe: Mapping[str, Any]) -> datetime:
    moment: datetime = pipe["LastModifiedTime"]
    return moment.astimezone(UTC)
