"""A Python that has imported other people's packages and forks for the processes that tests start.

Importing what `python -m local` or one of the engine's plugins needs takes longer than most of them
work. ``python -m tests.warm_python SOCKET`` imports it once, when it is first asked; a command
from `command` asks it for a process of its own, passes signals on and ends with its exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOCKET = "TESTS_WARM_PYTHON"
"""The variable with the socket of the process that all of pytest's workers share."""
_IMPORTS = (
    *("boto3", "duckdb", "faker", "grpc._server", "grpc.aio", "opentelemetry.trace", "orjson"),
    *("pandas", "pyarrow.compute"),
    *("pyarrow.csv", "pyarrow.pandas_compat", "pyarrow.parquet", "pyathena", "rich.progress"),
    *("pulumi.automation._server", "pulumi.provider.experimental.server", "rich.table"),
    *("sqlglot.dialects.athena", "sqlglot.dialects.duckdb", "sqlglot.optimizer"),
    *("typer._adapters", "typer.rich_utils", "unittest.mock", "urllib.request"),
    *("xml.etree.ElementTree", "yaml"),
)
"""Other people's modules alone: the program's own differ from test to test."""
_SERVICES = (
    "athena cloudwatch dynamodb glue iam kinesis lambda_ pipes quicksight s3 scheduler sns sqs"
)
_CLIENT = Path(__file__).with_name("warm_client.py")


def command(module: str, *arguments: str) -> list[str]:
    """What runs like ``python -m MODULE ARGUMENTS``, in a process forked from the warm one."""
    return [sys.executable, "-I", "-S", str(_CLIENT), _socket(), module, *arguments]


def start() -> None:
    """Start it for this process and all that it starts; it ends with this process."""
    path = Path(tempfile.mkdtemp(prefix="warm-python-")) / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_python", str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    os.environ[SOCKET] = str(path)
    _PROCESSES.append(process)


_PROCESSES: list[subprocess.Popen[bytes]] = []


@cache
def _socket() -> str:
    if SOCKET not in os.environ:
        start()
    return os.environ[SOCKET]


def _serve(path: str) -> None:
    signal.signal(signal.SIGCHLD, _reap)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            _import()
            if os.fork() == 0:
                listener.close()
                _become(connection)
            connection.close()


@cache
def _import() -> None:
    gc.disable()
    for name in _IMPORTS:
        importlib.import_module(name)
    aws = importlib.import_module("pulumi_aws")
    for name in _SERVICES.split():
        hasattr(getattr(aws, name), "import it")  # the SDK loads a service at the first look
    gc.freeze()


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(connection: socket.socket) -> None:
    """Be the process that a command asks for."""
    os.setsid()
    gc.enable()
    gc.set_threshold(50_000, 20, 20)  # as in conftest.py
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    with connection.makefile("rb") as reader:
        asked = json.loads(reader.readline())
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["directory"])
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = [asked["directory"], *paths]  # as `python -m` has it
    for ours in ("tests", "tests.warm_python"):  # the folder has its own
        sys.modules.pop(ours, None)
    sys.argv[1:] = asked["arguments"]
    connection.sendall(os.getpid().to_bytes(4, "big"))
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    code = 1
    try:
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    # What the interpreter does at its end.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    connection.sendall(bytes([code & 255]))
    os._exit(code)


def _end_with(connection: socket.socket) -> None:
    """The command is gone: whoever started it has killed it, or is gone too."""
    connection.recv(1)
    os._exit(1)


if __name__ == "__main__":
    sys.path.append(str(ROOT))
    _serve(sys.argv[1])
    os._exit(0)
