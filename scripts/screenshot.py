"""Make docs/dashboard.png: a local stack with orders coming in, and a browser that looks at it.

``python scripts/screenshot.py`` needs Debian's chromium (``apt-get install chromium``), and fonts
for the names of customers everywhere (``fonts-wqy-microhei``).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from local.chain import LocalChain  # noqa: E402
from local.commands.dashboard import Server, Shop  # noqa: E402
from local.commands.garbage import garbage, put  # noqa: E402
from local.commands.up import engineer, environment  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1360, 1500
ORDERS_A_SECOND, HISTORY_DAYS, SECONDS = 0.5, 30, 240
_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def main() -> None:
    """Start everything, give the orders some minutes, and look."""
    target = ROOT / "docs" / "dashboard.png"
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
    print(target)  # noqa: T201 - what the command is for


def shoot(url: str, target: Path) -> None:
    """What a person sees after a refresh or two."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS.split())
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url)
        page.get_by_text("Recent changes").wait_for(timeout=60_000)
        page.get_by_test_id("stMetricDelta").nth(3).wait_for(timeout=60_000)
        time.sleep(2)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
