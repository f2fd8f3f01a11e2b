"""Start the dashboard's web server: Streamlit, on this machine only."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = "127.0.0.1"
_VARIABLE = "SALES_CDC_DASHBOARD"
_FILE = Path(__file__).parent / "page.py"

DEFAULT_PORT = 8501
DEFAULT_REFRESH = 60.0


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page's parameters, passed to Streamlit's process in the environment.

    Parameters
    ----------
    outputs:
        The stack's outputs.
    refresh:
        Seconds between updates.
    source:
        The options that name the stack, also for the generator: ``--stack dev``.
    """

    outputs: Mapping[str, str]
    refresh: float = DEFAULT_REFRESH
    source: str = ""

    @property
    def generator_command(self) -> str:
        """A command that places some orders in this stack."""
        return f"python -m generator {self.source} --count 100".replace("  ", " ")

    @classmethod
    def from_environment(cls) -> Page:
        """Read the values that `environment` wrote.

        Raises
        ------
        RuntimeError
            The page was started by hand.
        """
        try:
            return cls(**json.loads(os.environ[_VARIABLE]))
        except KeyError:
            raise RuntimeError("start the dashboard with: python -m analytics dashboard") from None

    def environment(self) -> dict[str, str]:
        """Additional environment variables for the server's process."""
        told = {"outputs": dict(self.outputs), "refresh": self.refresh, "source": self.source}
        return {_VARIABLE: json.dumps(told)}


def command(*, port: int, browser: bool = False) -> list[str]:
    """The server's command line: it connects to AWS only and sends no usage statistics."""
    options = {
        "server.port": port,
        "server.address": _HERE,
        "server.headless": not browser,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
    }
    flags = [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in options.items()
    ]
    return [sys.executable, "-m", "streamlit", "run", str(_FILE), *flags]


def source(stack: str | None, outputs: Path | None) -> str:
    """The options that name a stack, for a command to copy."""
    if stack:
        return shlex.join(["--stack", stack])
    return shlex.join(["--outputs", str(outputs.resolve())]) if outputs else ""


def installed() -> bool:
    """Whether Streamlit is installed."""
    return importlib.util.find_spec("streamlit") is not None


def free(port: int) -> bool:
    """Whether the port is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HERE, port))
        except OSError:
            return False
    return True


def any_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        return int(probe.getsockname()[1])
