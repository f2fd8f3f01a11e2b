"""The Python language host's place in the engine tests, where only `pulumi` itself could be had.

Run as ``pulumi-language-python`` by the engine, it says on which port it listens and then runs the
program when it is told to, in this process, by the SDK's own server for programs that are
functions. It installs nothing and runs no plugins written in Python: that takes Pulumi's own host.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc


class ProgramInFolder(LanguageServer):
    """Runs the program in the folder that the engine names."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Run(self, request: Any, context: Any) -> Any:
        """Run it as ``python FOLDER`` would, and answer with what went wrong, if anything."""
        folder = request.info.program_directory
        os.chdir(request.pwd or folder)
        self.program = lambda: runpy.run_path(
            str(Path(folder) / request.info.entry_point), run_name="__main__"
        )
        return super().Run(request, context)


def main() -> None:
    """Serve until the engine ends this process, or is gone."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(ProgramInFolder(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    # The engine ends it so, which is nothing to tell of.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    engine = os.getppid()
    while server.wait_for_termination(timeout=5) and os.getppid() == engine:
        pass  # an engine that was killed ends nothing


if __name__ == "__main__":
    main()
