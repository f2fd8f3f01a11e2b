"""ministack as a child process: an emulated AWS account on a loopback port, with IAM enforced."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from local.account.aws import Aws, Credentials
from local.errors import LocalError

ACCOUNT_ID = "123456789012"
START_SECONDS = 30.0
_LOG_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1
_COMMAND = [sys.executable, "-m", "local.account.strict_emulator"]
_ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """On Linux, the child gets SIGTERM when this process dies, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Emulator:
    """A running emulator; use it as a context manager.

    Parameters
    ----------
    directory:
        Folder for its log and data.
    region:
        The account's only region.
    port:
        Loopback port; 0 picks a free one.

    Raises
    ------
    LocalError
        If the port is taken, or the emulator does not answer within `START_SECONDS`; the message
        then ends with the last lines of its log.
    """

    def __init__(self, directory: Path, *, region: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.log = directory / "emulator.log"
        self._directory = directory.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        root = Credentials(
            access_key_id="AKIA" + secrets.token_hex(8).upper(),
            secret_access_key=secrets.token_urlsafe(30),
            principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:root",
        )
        self.aws = Aws(
            emulator_url=f"http://127.0.0.1:{self.port}",
            region=region,
            account_id=ACCOUNT_ID,
            root=root,
        )

    def start(self, meanwhile: Callable[[], None] = lambda: None) -> Emulator:
        """Start the emulator, do ``meanwhile`` and wait until it answers."""
        self._require_port()
        self._directory.mkdir(parents=True, exist_ok=True)
        reader, writer = os.pipe()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*_COMMAND, str(writer)],
                cwd=_ROOT,
                env=self._environment(),
                pass_fds=(writer,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must not reach the child: `stop` ends it in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads run yet
            )
        os.close(writer)
        threading.Thread(target=self._listen, args=(reader,), name="arrivals", daemon=True).start()
        meanwhile()
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self._process.poll() is not None:
                raise LocalError(self._failed(f"it exited with {self._process.returncode}"))
            if time.monotonic() > deadline:
                self.stop()
                raise LocalError(self._failed(f"it did not answer within {START_SECONDS:.0f} s"))
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """Stop the emulator and its Lambda workers; safe to call twice."""
        self.aws.close()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # Lambda workers share its session

    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def log_tail(self) -> str:
        """The last lines of its log."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(f"  | {line}" for line in lines[-_LOG_TAIL_LINES:]) or "  | (empty)"

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self, reader: int) -> None:
        """Pass on that records arrived, until the emulator ends."""
        with open(reader, "rb", buffering=0) as arrivals:
            while arrivals.read(4096):
                self.aws.wake()

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MINISTACK_"))}
        return kept | {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": self.aws.region,
            "AWS_ACCESS_KEY_ID": self.aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.aws.root.secret_access_key,
            "ATHENA_ENGINE": "mock",  # the gateway serves Athena
            "LOG_LEVEL": "WARNING",
            "S3_DATA_DIR": str(self._directory / "s3"),
            "STATE_DIR": str(self._directory / "state"),
        }

    def _require_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise LocalError(
                    f"port {self.port} is taken ({error.strerror}): stop the process that listens "
                    "there, or choose another with --port"
                ) from None

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _failed(self, how: str) -> str:
        return f"the emulator did not start: {how}. Last lines of {self.log}:\n{self.log_tail()}"
