"""`make load`: run the chain at a steady rate for minutes; checks for flat memory and no lag."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from chaos.rig import Rig
from local.account.emulator import Emulator

_SAMPLE_SECONDS = 5.0
_MOST_GROWTH = 1.10
"""Memory in the last third of the samples relative to the middle third; the first is warm-up."""
_MOST_LAG_SECONDS = 5.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def load(
    minutes: Annotated[float, typer.Option(min=0.5)] = 5,
    rate: Annotated[float, typer.Option(min=1, help="Orders placed per second.")] = 150,
) -> None:
    """Exits with 0 if our own memory is flat and every change is in the lake within seconds.

    The emulator keeps every stream record for 24 hours, so its memory grows. It is shown but not
    checked.
    """
    console = Console(highlight=False)
    samples: list[tuple[float, int, int, int, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="load-") as directory, Rig(Path(directory)) as rig:
        began = time.monotonic()
        rig.start_writing(rate=rate, seed=1, keep_journal=False)
        with console.status("writing") as status:
            while time.monotonic() - began < minutes * 60:
                time.sleep(_SAMPLE_SECONDS)
                rig.check()
                written, delivered = rig.written, rig.hops().delivered
                lag = (written - delivered) / max(1.0, written / (time.monotonic() - began))
                own, emulator = _megabytes("self"), _megabytes(_pid(rig.stack.emulator))
                now = time.monotonic() - began
                samples.append((now, written, delivered, written - delivered, own, emulator))
                status.update(f"{now:.0f} s, {written:,} written, {lag:.1f} s behind")
        rig.stop_writing()
        wait = time.monotonic()
        rig.until(lambda: rig.hops().delivered >= rig.written, "delivered all", 60)
        drained = time.monotonic() - wait
        written = rig.written
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("s", "written", "in the lake", "in flight", "ours, MB", "emulator, MB"):
        table.add_column(heading, justify="right")
    for sample in samples[:: max(1, len(samples) // 10)]:
        table.add_row(*(f"{value:,.0f}" for value in sample))
    console.print(table)
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[-third:]
    growth = statistics.mean(s[4] for s in last) / statistics.mean(s[4] for s in middle)
    waiting = statistics.mean(s[3] for s in last) / (written / samples[-1][0])
    console.print(
        f"{written:,} changes, {written / samples[-1][0]:,.0f} per second; in flight at the end: "
        f"{waiting:.1f} s worth; all delivered {drained:.1f} s after the last write; "
        f"our memory changed by {growth - 1:+.1%} in the last third"
    )
    if growth > _MOST_GROWTH or waiting > _MOST_LAG_SECONDS:
        console.print("NOT FLAT", style="red")
        raise typer.Exit(1)


def _megabytes(process: int | str) -> float:
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def _pid(emulator: Emulator) -> int:
    assert emulator._process is not None
    return emulator._process.pid


if __name__ == "__main__":
    app(prog_name="python -m chaos.load")
