"""What the local stack costs while nobody uses it, and how long it takes to start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.result import Result

SETTLE_SECONDS, IDLE_SECONDS = 5.0, 20.0
IDLE_PERCENT: Final = 3.0
START_SECONDS: Final = 6.0
_ROOT = Path(__file__).resolve().parents[1]


def idle_cpu() -> Result:
    """CPU time of all processes of `local up` over 20 s without use, in percent of one core."""
    with _up() as (pid, _):
        time.sleep(SETTLE_SECONDS)
        before, began = _cpu_seconds(pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        used, took = _cpu_seconds(pid) - before, time.monotonic() - began
    return _under("local_idle_cpu_percent", 100 * used / took, IDLE_PERCENT, "% of a core")


def start() -> Result:
    """Seconds from `python -m local up` until it prints the variables for clients.

    The second of two starts: the first compiles the modules and packages the functions.
    """
    with _up():
        pass
    with _up() as (_, seconds):
        return _under("local_start_s", seconds, START_SECONDS, "s")


BENCHMARKS = {"local_idle_cpu_percent": idle_cpu, "local_start_s": start}


def _under(name: str, ours: float, most: float, unit: str) -> Result:
    return Result(
        name=name, ours=ours, peer=most, ratio=most / max(ours, 0.01), goal=1.0, unit=unit
    )


@contextmanager
def _up() -> Iterator[tuple[int, float]]:
    """Run `local up`; yields its process id and how many seconds it took to be ready."""
    with tempfile.TemporaryDirectory() as home:
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "local", "up"],
            cwd=_ROOT,
            env=os.environ | {"SALES_CDC_LOCAL_HOME": home},
            stdout=subprocess.PIPE,
        ) as process:
            try:
                if not process.stdout or not process.stdout.readline():
                    raise RuntimeError("`python -m local up` ended before it was ready")
                yield process.pid, time.monotonic() - began
            finally:
                process.send_signal(signal.SIGINT)


def _cpu_seconds(root: int) -> float:
    """User and system time of a process and its descendants, from /proc."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended
                continue
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = sum(int(one) for one in fields[11:15])
    family = {root}
    while added := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= added
    return sum(ticks[pid] for pid in family) / os.sysconf("SC_CLK_TCK")
