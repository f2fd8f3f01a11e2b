"""What `warm_python.command` starts: asks for a process, passes signals on, ends with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main(path: str, module: str, *arguments: str) -> int:
    """Hand over what a process starts with; its exit code."""
    parent = os.getppid()
    asked = {
        "module": module,
        "arguments": arguments,
        "directory": os.getcwd(),  # noqa: PTH109 - pathlib takes longer to import than the rest
        "environment": dict(os.environ),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [b"!"], [0, 1, 2])
        connection.sendall(json.dumps(asked).encode() + b"\n")
        process = int.from_bytes(connection.recv(4), "big")

        def pass_on(number: int, _: object) -> None:
            os.kill(process, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        connection.settimeout(5)
        while os.getppid() == parent:
            try:
                code = connection.recv(1)
            except TimeoutError:
                continue
            return code[0] if code else 1
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
