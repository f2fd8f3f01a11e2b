"""What each test needs, how long hypothesis searches, and that Ctrl-C can be tested."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
NEEDS = {
    "acceptance": "emulator",
    "analytics/test_analytics_command.py": "emulator",
    "analytics/test_answers.py": "emulator",
    "athena": "emulator",
    "batch": "spark",
    "chaos": "emulator",
    "dashboard/test_in_a_browser.py": "browser",
    "dashboard/test_commands.py": "emulator",
    "e2e": "emulator",
    "engine": "engine",
    "generator/test_generator_cli.py": "emulator",
    "generator/test_generator_lambda.py": "emulator",
    "local": "emulator",
    "operate": "emulator",
    "operations/test_alarms.py": "emulator",
    "package": "engine",
}
"""Files and folders whose tests `make quick` leaves out, and the marker that says why."""
SETUP = {"needs a browser": "a browser", "needs the Pulumi CLI": "the Pulumi CLI"}
"""What `make setup-tests` brings, by the start of the reason why tests without it are skipped."""

# No deadline: a shared machine is slow at times, and that is no fault of the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("usual")

# Tests start hundreds of processes: without bytecode each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts background jobs deaf to Ctrl-C, and what they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(TESTS)
        for one in (place, *place.parents):
            if need := NEEDS.get(one.as_posix()):
                item.add_marker(need)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for what a tool would have tested that is not here."""
    reasons = Counter(
        what
        for report in terminalreporter.stats.get("skipped", [])
        for start, what in SETUP.items()
        if start in str(report.longrepr)
    )
    if reasons and "PYTEST_XDIST_WORKER" not in os.environ:
        missing = " and ".join(f"{count} for {what}" for what, count in reasons.items())
        terminalreporter.write_line(f"skipped: {missing}; `make setup-tests` installs them")
