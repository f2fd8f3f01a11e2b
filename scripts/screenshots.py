"""Make the screenshots in docs/: ``python -m scripts.screenshots demo|dashboard``.

``demo`` shows the output of `python -m local demo`. ``dashboard`` shows the web page after some
minutes of orders; it needs Debian's chromium (``apt-get install chromium``), and fonts for
customers' names in all scripts (``fonts-wqy-microhei``).
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from local.chain import LocalChain
from local.commands.dashboard import Server, Shop
from local.commands.garbage import garbage, put
from local.commands.up import engineer, environment

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1360, 1500
TERMINAL = 122
ORDERS_A_SECOND, HISTORY_DAYS, SECONDS = 0.5, 30, 240
_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def demo(target: Path) -> None:
    """The demo's terminal output."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "demo"],
        cwd=ROOT,
        env=os.environ | {"FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    terminal = Console(record=True, width=TERMINAL, file=io.StringIO())
    terminal.print(Text("$ make demo\n"), Text.from_ansi(done.stdout), sep="")
    picture = terminal.export_svg(title="make demo")
    # Without web fonts.
    target.write_text(re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL))


def dashboard(target: Path) -> None:
    """Start everything, wait some minutes for orders, and take the screenshot."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalChain("dev", Path(folder) / "run") as stack,
    ):
        outputs = Path(folder) / "outputs.json"
        outputs.write_text(json.dumps(dict(stack.outputs)))
        settings = environment(stack, engineer(stack), outputs)
        page = Server(outputs, settings, port=0, log=Path(folder) / "log")
        with page, Shop(stack, rate=ORDERS_A_SECOND, days=HISTORY_DAYS):
            sent = list(garbage(3, seed=1))
            put(stack.aws.client("kinesis"), stack.outputs["kinesisStreamName"], sent)
            time.sleep(SECONDS)
            shoot(page.url, target)


def shoot(url: str, target: Path) -> None:
    """Take a screenshot after a refresh or two."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS.split())
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url)
        page.get_by_text("Recent changes").wait_for(timeout=60_000)
        page.get_by_test_id("stMetricDelta").nth(3).wait_for(timeout=60_000)
        time.sleep(2)
        page.screenshot(path=target)
        browser.close()


PICTURES = {"demo": (demo, "demo.svg"), "dashboard": (dashboard, "dashboard.png")}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        make, file = PICTURES[name]
        make(ROOT / "docs" / file)
