"""The dashboard on the local stack: a writer of orders, and the page that shows them."""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import generator
from analytics.dashboard import serve
from client import stack_outputs
from local.chain import LocalChain
from local.errors import LocalError

REFRESH_SECONDS = 5.0
"""Short, because local queries cost nothing."""
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_BUSIEST_HOUR = 15


def history(days: int, now: datetime) -> Iterator[generator.Operation]:
    """Orders of the days before ``now`` and their changes, more in the afternoon than at night.

    They are all written now, like the past orders of a shop that moves to a new table.
    """
    for back in range(days * 24, 0, -1):
        start = (now - timedelta(hours=back)).replace(minute=0, second=0)
        swing = 1 + math.cos((start.hour - _BUSIEST_HOUR) * math.pi / 12)
        orders = round(swing * (3 + start.toordinal() % 7 / 3))
        if orders:
            plan = generator.Plan(count=orders, updates=0.6, deletes=0.02, seed=back, start=start)
            yield from generator.operations(plan)


class Shop:
    """Writes orders, past ones first, until the context exits; use it as a context manager.

    Parameters
    ----------
    rate:
        New orders per second.
    days:
        How many days of past orders to write first.
    """

    def __init__(self, stack: LocalChain, *, rate: float, days: int) -> None:
        self._client = stack.aws.client(
            "dynamodb", stack.user("shop", stack.outputs["writerPolicyArn"])
        )
        self._table: str = stack.outputs["tableName"]
        self._rate = rate
        self._days = days
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="shop", daemon=True)
        self._older = generator.Report()
        self._newer = generator.Report()
        self.error: Exception | None = None

    @property
    def report(self) -> generator.Report:
        """The counts so far."""
        return generator.Report(
            inserted=self._older.inserted + self._newer.inserted,
            updated=self._older.updated + self._newer.updated,
            deleted=self._older.deleted + self._newer.deleted,
        )

    def _work(self) -> None:
        older = history(self._days, datetime.now(UTC))
        newer = generator.operations(generator.Plan(rate=self._rate, updates=0.55, deletes=0.02))
        try:
            self._write(older, None, lambda report: setattr(self, "_older", report))
            self._write(newer, self._rate, lambda report: setattr(self, "_newer", report))
        except Exception as error:
            self.error = error

    def _write(
        self,
        operations: Iterable[generator.Operation],
        rate: float | None,
        on_progress: Callable[[generator.Report], None],
    ) -> None:
        generator.write(
            self._client,
            self._table,
            operations,
            rate=rate,
            stop=self._stop,
            on_progress=on_progress,
        )

    def check(self) -> None:
        """Raise if the writer has died."""
        if self.error:
            raise LocalError(f"writing orders failed: {self.error}") from self.error

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Server:
    """The dashboard's process; use it as a context manager.

    Parameters
    ----------
    outputs_file:
        The file with the stack's outputs.
    settings:
        Environment variables for AWS clients; see `local.commands.up.environment`.
    log:
        The server's log file.
    """

    def __init__(
        self,
        outputs_file: Path,
        settings: Mapping[str, str],
        *,
        port: int,
        log: Path,
        refresh: float = REFRESH_SECONDS,
    ) -> None:
        if not serve.installed():
            raise LocalError("the dashboard needs Streamlit: pip install 'sales-cdc[dashboard]'")
        if port and not serve.free(port):
            raise LocalError(f"port {port} is taken: choose another with --port, or 0 for any")
        self._port = port or serve.any_port()
        self._log = log
        page = serve.Page(
            outputs=stack_outputs.load(file=outputs_file),
            refresh=refresh,
            source=serve.source(None, outputs_file),
        )
        others = ("AWS_PROFILE", "AWS_SESSION_TOKEN")  # would override the local stack's keys
        inherited = {name: value for name, value in os.environ.items() if name not in others}
        self._environment = inherited | dict(settings) | page.environment()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The page's URL."""
        return f"http://localhost:{self._port}"

    def check(self) -> None:
        """Raise if the server has died."""
        if self._process and self._process.poll() is not None:
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise LocalError(f"the dashboard died. Last lines of {self._log}:\n{tail}")

    def __enter__(self) -> Server:
        with self._log.open("wb") as log:
            # In its own session, so that Ctrl-C reaches only this process, which then stops it.
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                serve.command(port=self._port),
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        health = f"http://127.0.0.1:{self._port}/_stcore/health"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(health, timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise LocalError(f"the dashboard did not start in {_START_SECONDS:.0f} s: see {self._log}")

    def __exit__(self, *_: object) -> None:
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
