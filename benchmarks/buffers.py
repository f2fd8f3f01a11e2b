"""What Firehose's buffer intervals bring and cost: ``python -m benchmarks.buffers``.

One row per interval, for a shop with 10,000 orders a day of two changes each, at random times:

- how fresh Athena is (`benchmarks.fresh`), at 2 orders a second;
- the objects and function calls of a day, counted by passing the day's changes through the pipe's
  window and both buffers, and what they cost in a month;
- the requests and the time of a KPI query that reads a day of such objects with the local Athena,
  which has none of them in its cache, as on AWS.

Below 60 s Firehose uploads in parts. AWS does not say how many requests that takes; a multipart
upload has at least three.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from analytics import load_queries
from analytics.cost import DAYS
from benchmarks import lake_bytes
from benchmarks.fresh import fresh
from client.command_line import new_app
from client.prices import GB, PRICES
from components.arguments.settings import NAMESPACE, Settings
from local.account.deploy import stack_config

INTERVALS: Final = (0, 5, 10, 30, 60, 300)
FORMATS: Final = {"json": "dev", "parquet": "prod"}
"""Each format's stack."""
ORDERS_A_DAY, CHANGES_AN_ORDER = 10_000, 2
QUESTION: Final = "revenue_by_product"
RATE: Final = 2.0
_PARTS_BELOW_SECONDS, _UPLOAD_PUTS = 60, 3
_CALL_SECONDS, _FUNCTION_GB, _LOG_BYTES = 0.02, 0.25, 600
"""Of a call of the transform with few records; as in `analytics.cost`."""
_DAY_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class Buffers:
    """Seconds that changes wait at most: in the pipe, before the transform, and before S3."""

    pipe: float
    transform: int
    s3: int


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a day makes of its changes: rows per object, with the object's time."""

    objects: Sequence[tuple[float, Sequence[int]]]
    calls: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A row of the table. Dollars are a month's."""

    format: str
    transform_seconds: int
    s3_seconds: int
    fresh_p50_s: float | None
    fresh_p99_s: float | None
    objects_a_day: int
    calls_a_day: int
    puts_usd: float
    function_usd: float
    question_s: float | None
    requests: int | None


def day(buffers: Buffers, seed: int = 1) -> Day:
    """Pass a day of changes through the pipe's window and the buffers.

    A batch begins with its first record and ends after the interval. The sizes that also end a
    batch are far from reached.
    """
    chance = random.Random(seed)
    changes = ORDERS_A_DAY * CHANGES_AN_ORDER
    times = sorted(chance.uniform(0, _DAY_SECONDS) for _ in range(changes))
    bridged = _batches(((at, [n]) for n, at in enumerate(times)), buffers.pipe)
    transformed = list(_batches(bridged, buffers.transform))
    return Day(objects=list(_batches(transformed, buffers.s3)), calls=len(transformed))


def _batches(
    arrivals: Iterable[tuple[float, list[int]]], seconds: float
) -> Iterator[tuple[float, list[int]]]:
    due, held = 0.0, list[int]()
    for at, items in arrivals:
        if held and at >= due:
            yield due, held
            held = []
        if not held:
            due = at + seconds
        held = held + items
    if held:
        yield due, held


def costs(buffers: Buffers, of: Day) -> tuple[float, float]:
    """USD a month: for the objects' uploads, and for the transform with its log."""
    puts = _UPLOAD_PUTS if buffers.s3 < _PARTS_BELOW_SECONDS else 1
    calls = of.calls * DAYS
    function = (
        calls * PRICES["function calls"].usd
        + calls * _CALL_SECONDS * _FUNCTION_GB * PRICES["function time"].usd
        + calls * _LOG_BYTES / GB * PRICES["logs"].usd
    )
    return len(of.objects) * DAYS * puts * PRICES["lake puts"].usd, function


def question(form: str, of: Day, *, days: int = 1, loose: float = math.inf) -> tuple[float, int]:
    """Seconds and S3 requests of `QUESTION` on the objects of the last ``days`` whole days.

    Parameters
    ----------
    loose:
        Days whose objects are as Firehose wrote them; the batch job has packed the hours before.
    """
    layout = FORMATS[form]
    now = datetime.now(UTC).replace(tzinfo=None)
    (query,) = (one for one in load_queries() if one.name == QUESTION)
    with lake_bytes.local_athena() as aws:
        lake_bytes.build(aws, layout, _objects(layout, of, now, days, loose), now)
        # The engine's start is not the objects' doing: first a query that reads none of them.
        lake_bytes.ask(aws, layout, f"SELECT count(*) FROM projection WHERE day = '{now:%Y-%m-%d}'")
        requests: list[str] = []
        aws.client("s3", aws.root).meta.events.register(
            "before-send.s3", lambda request, **_: requests.append(request.method)
        )
        began = time.perf_counter()
        lake_bytes.ask(aws, layout, query.sql, query.bind({"days": str(days + 1)}))
        return time.perf_counter() - began, len(requests)


def _objects(
    layout: str, of: Day, now: datetime, days: int, loose: float
) -> Iterator[tuple[str, bytes]]:
    rows = [row for hour in lake_bytes.lake(now).values() for row in hour]
    hours: dict[int, list[int]] = defaultdict(list)
    for at, members in of.objects:
        hours[min(23, int(at // 3600))] += members
    packed = [(3600.0 * hour, members) for hour, members in hours.items()]
    bodies: dict[tuple[float, int], bytes] = {}
    for back in range(1, days + 1):
        midnight = datetime(now.year, now.month, now.day) - timedelta(days=back)
        for number, (at, members) in enumerate(of.objects if back <= loose else packed):
            key = at, len(members)
            if key not in bodies:
                bodies[key] = lake_bytes.encode(layout, [rows[-1 - n] for n in members])
            hour = midnight + timedelta(seconds=min(at, _DAY_SECONDS - 1))
            name = f"{number:05}{lake_bytes.SUFFIXES[layout]}"
            yield f"{lake_bytes.folder(hour)}/{name}", bodies[key]


def measure(
    form: str, buffers: Buffers, *, run: bool, ask: bool, days: int, loose: float
) -> Figures:
    """One row of the table.

    Parameters
    ----------
    run, ask:
        Run the chain; build the objects of ``days`` and ask. These take long.
    """
    of = day(buffers)
    puts, function = costs(buffers, of)
    latency = None
    if run:
        seconds = {
            "bufferIntervalSeconds": str(buffers.s3),
            "transformBufferIntervalSeconds": str(buffers.transform),
        }
        latency = fresh(FORMATS[form], RATE, seconds)
    took, requests = question(form, of, days=days, loose=loose) if ask else (None, None)
    return Figures(
        format=form,
        transform_seconds=buffers.transform,
        s3_seconds=buffers.s3,
        fresh_p50_s=latency.p(0.5) if latency else None,
        fresh_p99_s=latency.p(0.99) if latency else None,
        objects_a_day=len(of.objects),
        calls_a_day=of.calls,
        puts_usd=puts,
        function_usd=function,
        question_s=took,
        requests=requests,
    )


app = new_app()


@app.command(epilog="Exit codes: 0 done, 1 failed, 2 wrong usage.")
def main(  # noqa: PLR0917 - the command line's
    forms: Annotated[
        list[str] | None, typer.Option("--format", help="json or parquet; default: both.")
    ] = None,
    intervals: Annotated[
        list[str] | None,
        typer.Option(
            "--interval",
            metavar="[TRANSFORM+]S3",
            help="Seconds: 30, or 12+0 with 12 before the transform. "
            f"Default: {', '.join(map(str, INTERVALS))}.",
        ),
    ] = None,
    run: Annotated[
        bool, typer.Option("--fresh/--no-fresh", help="Run the chain; the slowest part.")
    ] = True,
    ask: Annotated[
        bool, typer.Option("--question/--no-question", help="Build a day's objects and ask.")
    ] = True,
    days: Annotated[int, typer.Option(min=1, max=30, help="Ask about this many days.")] = 1,
    loose: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS", help="The batch job has packed the hours before; default: none."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """How fresh Athena is, how many objects a day has, and what they cost, by buffer interval.

    All of it takes about 40 minutes, because an interval is waited for twice.

    Examples:

    - `python -m benchmarks.buffers --no-fresh --no-question`

    - `python -m benchmarks.buffers --format json --interval 10 --interval 12+0`
    """
    table = Table(*Figures.__dataclass_fields__)
    for form in forms or FORMATS:
        if form not in FORMATS:
            raise typer.BadParameter(f"{form}: json or parquet")
        set_window = stack_config(FORMATS[form]).get(f"{NAMESPACE}:batchWindowSeconds")
        window = float(set_window or Settings.batch_window_seconds)
        for text in intervals or map(str, INTERVALS):
            first, _, last = text.rpartition("+")
            if not (last.isdigit() and (first or "0").isdigit()):
                raise typer.BadParameter(f"{text}: seconds, such as 30 or 12+0")
            buffers = Buffers(pipe=window, transform=int(first or 0), s3=int(last))
            packed_from = math.inf if loose is None else loose
            row = asdict(measure(form, buffers, run=run, ask=ask, days=days, loose=packed_from))
            if as_json:
                typer.echo(json.dumps(row))
            table.add_row(*map(_text, row.values()))
    if not as_json:
        Console().print(table)


def _text(value: float | str | None) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.2f}"
        case int():
            return f"{value:,}"
    return value


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.buffers")
