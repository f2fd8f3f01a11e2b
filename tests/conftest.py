"""What each test needs, how long hypothesis searches, and that Ctrl-C can be tested."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression
from hypothesis import settings

from tests import warm_python

TESTS = Path(__file__).parent
NEEDS = {
    "batch": "spark",
    "engine": "engine",
    "dashboard/test_in_a_browser.py": "browser",
    "acceptance": "emulator",
    "chaos": "emulator",
    "e2e": "emulator",
    "operate": "emulator",
    "local": "emulator",
    "package": "engine",
    "athena": "emulator",
    "generator/test_generator_cli.py": "emulator",
    "generator/test_generator_lambda.py": "emulator",
    "analytics/test_analytics_command.py": "emulator",
    "analytics/test_answers.py": "emulator",
    "dashboard/test_commands.py": "emulator",
    "operations/test_alarms.py": "emulator",
    "operations/test_batch_check.py": "emulator",
    "operations/test_pack_function.py": "emulator",
}
"""Files and folders whose tests `make quick` leaves out, and the marker that says why.

What takes longest comes first, so that no worker is left alone with it at the end.
"""
SETUP = {
    "needs a browser": "a browser",
    "needs the Pulumi CLI": "the Pulumi CLI",
    "dbt is not installed": "dbt",
}
"""What `make setup-tests` brings, by the start of the reason why tests without it are skipped."""

# No deadline: a shared machine is slow at times, and that is no fault of the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("usual")

# Tests start hundreds of processes: without bytecode each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Most objects here live as long as the process: looking through them often takes a fifth of it.
gc.set_threshold(50_000, 20, 20)

# A shell starts background jobs deaf to Ctrl-C, and what they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of running stacks wait a good part of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        warm_python.start()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `-m` leaves out need not be imported: `make quick` starts twice as fast."""
    needs = NEEDS.get(collection_path.relative_to(TESTS).as_posix())
    asked = config.option.markexpr
    if needs and asked:
        return not Expression.compile(asked).evaluate(lambda name, **_: name == needs) or None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = list(NEEDS)
    ranks: dict[pytest.Item, int] = {}
    for item in items:
        place = item.path.relative_to(TESTS)
        known = [one.as_posix() for one in (place, *place.parents) if one.as_posix() in NEEDS]
        for one in known:
            item.add_marker(NEEDS[one])
        ranks[item] = min(map(order.index, known), default=len(order))
    items.sort(key=ranks.__getitem__)


@pytest.fixture(scope="module", autouse=True)
def few_open_files() -> Iterator[None]:
    """A leak fails the module where it shows: select() takes no descriptor past 1,023."""
    yield
    if (files := Path("/proc/self/fd")).is_dir():
        assert len([*files.iterdir()]) < 600


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
