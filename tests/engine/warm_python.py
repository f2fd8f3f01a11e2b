"""A Python that has imported Pulumi's SDK and forks for each of the engine's Python processes.

Each command of the CLI starts a language host and a provider: importing what both need takes them
longer than their work. ``python -m tests.engine.warm_python SOCKET`` imports it once; the commands
that the engine runs (`command`) ask it for a process of their own and live exactly as long.
"""

from __future__ import annotations

import contextlib
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

ROOT = Path(__file__).resolve().parents[2]
_IMPORTS = ("boto3", "pulumi.automation._server", "pulumi.provider.experimental.server", "yaml")
"""Other people's modules alone: the program's own differ from test to test."""
_SERVICES = "athena cloudwatch dynamodb glue iam kinesis lambda_ pipes s3 sns sqs"
_COMMAND = "#!/bin/sh\nexec '{python}' -I -S '{client}' '{socket}' {module} \"$@\"\n"


def command(file: Path, module: str) -> None:
    """Write a command that runs ``module`` in a process forked from the warm one."""
    client = Path(__file__).with_name("warm_client.py")
    text = _COMMAND.format(python=sys.executable, client=client, socket=_warm(), module=module)
    file.write_text(text)
    file.chmod(0o755)


@cache
def _warm() -> Path:
    """The socket of this process's warm Python, which ends with it."""
    path = Path(tempfile.mkdtemp(prefix="warm-python-")) / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.warm_python", str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return path


def _serve(path: str) -> None:
    for name in _IMPORTS:
        importlib.import_module(name)
    aws = importlib.import_module("pulumi_aws")
    for name in _SERVICES.split():
        dir(getattr(aws, name))  # the SDK imports a service when it is looked at
    signal.signal(signal.SIGCHLD, _reap)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                _become(connection)
            connection.close()


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(connection: socket.socket) -> None:
    """Be the process that a command asks for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    with connection.makefile("rb") as reader:
        asked = json.loads(reader.readline())
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["directory"])
    sys.path[0] = asked["directory"]  # as `python -m` has it
    for ours in ("tests", "tests.engine", "tests.engine.warm_python"):  # the folder has its own
        sys.modules.pop(ours, None)
    sys.argv[1:] = asked["arguments"]
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    code = 1
    try:
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
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
