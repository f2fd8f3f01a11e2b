"""Injects faults between a hop and the services that it calls."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from local.standins.firehose import Firehose
from local.standins.pipe import Pipe

Request = dict[str, Any]
Call = Callable[[Request], Any]
"""The real call."""
Action = Callable[[Call, Request], Any]
"""Replaces one call."""


class KilledError(BaseException):
    """Ends a hop's thread at once, as ``kill -9`` would end its process."""


class NotBittenError(AssertionError):
    """An armed fault met no call, so the round did not test it."""


class Injector:
    """Holds actions for upcoming calls, by point: ``pipe.PutRecords``, ``firehose.put_object``."""

    def __init__(self) -> None:
        self._armed: dict[str, deque[Action]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.filters: dict[str, Action] = {}
        """Actions for every call at a point, until removed."""
        self.bitten = 0

    def arm(self, point: str, *actions: Action) -> None:
        """Apply these actions to the next calls at ``point``, one each."""
        with self._lock:
            self._armed[point] += actions

    def wait(self, point: str, seconds: float = 20.0) -> None:
        """Wait until every action armed at ``point`` has been used."""
        deadline = time.monotonic() + seconds
        while self._armed[point]:
            if time.monotonic() > deadline:
                raise NotBittenError(f"no call met the fault at {point}")
            time.sleep(0.005)

    def run(self, point: str, call: Call, request: Request) -> Any:
        """Make a call, or run the action armed for it."""
        with self._lock:
            queue = self._armed[point]
            action = queue.popleft() if queue else self.filters.get(point)
        if action is None:
            return call(request)
        self.bitten += 1
        return action(call, request)


class _Wire:
    """A `local.account.wire.JsonClient` behind the injector."""

    def __init__(self, injector: Injector, hop: str, client: Any) -> None:
        self._injector, self._hop, self._client = injector, hop, client

    def call(self, action: str, body: Request) -> Any:
        return self._injector.run(
            f"{self._hop}.{action}", lambda request: self._client.call(action, request), body
        )


class _Api:
    """A boto3 client behind the injector."""

    def __init__(self, injector: Injector, hop: str, client: Any) -> None:
        self._injector, self._hop, self._client = injector, hop, client

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> Any:
            method = getattr(self._client, name)
            return self._injector.run(f"{self._hop}.{name}", lambda asked: method(**asked), given)

        return call


class FaultyPipe(Pipe):
    """The local pipe, through an injector."""

    injector: Injector

    def open(self) -> None:
        """Open as the pipe does, then wrap its clients."""
        super().open()
        self._streams = _Wire(self.injector, "pipe", self._streams)  # type: ignore[assignment]
        self._kinesis = _Wire(self.injector, "pipe", self._kinesis)  # type: ignore[assignment]
        self._sqs = _Api(self.injector, "pipe", self._sqs)


class FaultyFirehose(Firehose):
    """The local firehose, through an injector."""

    injector: Injector

    def open(self) -> None:
        """Open as the firehose does, then wrap its clients."""
        super().open()
        self._kinesis = _Wire(self.injector, "firehose", self._kinesis)  # type: ignore[assignment]
        self._lambda = _Api(self.injector, "firehose", self._lambda)
        self._s3 = _Api(self.injector, "firehose", self._s3)
