"""A local stack in another process, the dashboard in a third, and a real browser that looks."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from analytics import load_queries
from client.athena import Athena
from tests import warm_python

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
REFRESH = 2
"""Seconds: so that a test need not wait long for the page to renew itself."""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PATIENCE_MS = 120_000  # a page on two busy cores; the tests ask what it shows, not how fast


# xdist reads the groups in the same hook, and before this if the folder is named by the user.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One stack and one browser for all of them."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "browser" in item.path.name:
            item.add_marker(pytest.mark.xdist_group("dashboard"))


class Stack:
    """`python -m local up`, and the environment that it prints."""

    def __init__(self, home: Path) -> None:
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.env["SALES_CDC_LOCAL_HOME"] = str(home)
        self._log = home / "stderr"
        self._athena: Athena | None = None
        self.process = subprocess.Popen(
            warm_python.command("local", "up"),
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=self._log.open("w"),
            text=True,
        )
        assert self.process.stdout
        printed = []
        for line in self.process.stdout:
            printed.append(line)
            if line.startswith("export SALES_CDC_OUTPUTS"):
                break
        pairs = re.findall(r"^export (\w+)=(.*)$", "".join(printed), re.MULTILINE)
        assert pairs, self._log.read_text()
        self.env |= {name: value.strip("'") for name, value in pairs}
        self.outputs: dict[str, str] = json.loads(Path(self.env["SALES_CDC_OUTPUTS"]).read_text())

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            warm_python.command(*arguments),
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """A question's rows, by way of the same client as the page's."""
        query = next(query for query in load_queries() if query.name == name)
        return self.sql(query.sql, query.bind({key: str(v) for key, v in values.items()}))

    def sql(self, statement: str, literals: list[str] | None = None) -> list[dict[str, Any]]:
        if self._athena is None:
            with mock.patch.dict(os.environ, self.env):
                self._athena = Athena(self.outputs)
        answer = self._athena.ask(statement, literals or ())
        names = [column.name for column in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    def place(self, orders: int) -> None:
        """Write orders and wait until every change of them can be queried."""
        before = self._changes()
        report = json.loads(
            self.python("generator", "--count", str(orders), "--json").splitlines()[-1]
        )
        written = report["inserted"] + report["updated"] + report["deleted"]
        until(lambda: self._changes() == before + written)

    def _changes(self) -> int:
        (row,) = self.sql("SELECT count(DISTINCT event_id) AS n FROM projection")
        return int(row["n"])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)


def until(condition: Callable[[], object], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.4)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dashboard(environment: Mapping[str, str], *options: str) -> Iterator[str]:
    """`python -m analytics dashboard`, its URL."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "analytics", "dashboard"),
            *("--port", str(port), "--refresh", str(REFRESH), *options),
        ],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
    )

    def healthy() -> bool:
        assert process.poll() is None, "the dashboard stopped"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return True
        except OSError:
            return False

    try:
        until(healthy)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install 'sales-cdc[dev]'"
    )
    if not CHROMIUM.exists():
        pytest.skip("needs a browser: apt-get install chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stack(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A fresh one; `browser` comes first, so that without one nothing is started."""
    running = Stack(tmp_path_factory.mktemp("home"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def url(stack: Stack) -> Iterator[str]:
    with dashboard(stack.env) as url:
        yield url


class Look:
    """The page as a person sees it."""

    def __init__(self, context: Any, url: str) -> None:
        self.page = context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)

    def wait_for(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)

    def settle(self) -> None:
        """Wait for the figures."""
        self.page.get_by_test_id("stMetric").first.wait_for(timeout=PATIENCE_MS)
        self.page.locator("canvas, svg.marks").first.wait_for(timeout=PATIENCE_MS)

    @property
    def text(self) -> str:
        return str(self.page.get_by_test_id("stApp").inner_text())

    def figures(self) -> dict[str, str]:
        """The headline: label and value."""
        cards = self.page.get_by_test_id("stMetric")
        return {
            cards.nth(i).get_by_test_id("stMetricLabel").inner_text().strip(): cards.nth(i)
            .get_by_test_id("stMetricValue")
            .inner_text()
            .strip()
            for i in range(cards.count())
        }

    def table(self, number: int) -> list[list[str]]:
        """A table's cells, from what the browser tells a screen reader."""
        rows = self.page.get_by_test_id("stDataFrame").nth(number).locator("table tr")
        return [rows.nth(i).locator("td, th").all_inner_texts() for i in range(rows.count())]


@pytest.fixture(scope="module")
def desktop(browser: Any) -> Any:
    """One context for all pages on a usual screen: its cache keeps the compiled scripts."""
    return browser.new_context(**DESKTOP)


@pytest.fixture(scope="module")
def page(url: str, desktop: Any) -> Look:
    """A page that stays open."""
    return Look(desktop, url)


@pytest.fixture(scope="module")
def phone(url: str, browser: Any) -> Iterator[Look]:
    """A page on a phone whose system is dark."""
    size = {"width": 375, "height": 812}
    context = browser.new_context(
        viewport=size, is_mobile=True, has_touch=True, color_scheme="dark"
    )
    yield Look(context, url)
    context.close()


@pytest.fixture
def look(desktop: Any) -> Iterator[Callable[[str], Look]]:
    """Open the page as a new viewer."""
    looks: list[Look] = []

    def open_page(url: str) -> Look:
        looks.append(Look(desktop, url))
        return looks[-1]

    yield open_page
    for one in looks:
        one.page.close()
