"""The command line: `python -m generator`."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, Any, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from client import stack_outputs
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, Outputs, Stack, fail, new_command
from client.errors import explain
from generator.orders import Operation, operations
from generator.plan import Plan, PlanError
from generator.target import Target, TargetError, dynamodb
from generator.writer import Report, WriteError, write
from schema import about_orders

DEFAULT_COUNT: Final = 100

app = new_command()

_EXAMPLES: Final = """[bold]Examples[/bold]

python -m generator --stack dev    [dim]100 orders for the stack of `pulumi up -s dev`[/dim]

python -m generator --outputs outputs.json --count 10000    [dim]for a file of stack outputs[/dim]

python -m generator --table orders --rate 200 --duration 60    [dim]200 new orders a second[/dim]

python -m generator --table orders --updates 0.6 --deletes 0.1    [dim]shares of changes[/dim]

python -m generator --table orders --seed 7 --journal written.jsonl --json    [dim]the same orders
in every run, each change written to a file, the counts as JSON[/dim]

[bold]Exit codes[/bold]: 0 all written, 1 some changes could not be written, 2 wrong usage, or the
table, region or credentials do not work, 130 stopped by Ctrl-C.
"""


@app.command(epilog=_EXAMPLES)
def run(
    *,
    stack: Stack = None,
    outputs: Outputs = None,
    table: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the DynamoDB table.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="AWS region. Default: the stack's, else that of your AWS settings."),
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(metavar="URL", help="DynamoDB endpoint URL.")
    ] = None,
    count: Annotated[int | None, typer.Option(metavar="N", help="Orders to place.")] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Stop after this time.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="N", help="Orders placed a second. Default: no limit."),
    ] = None,
    updates: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of all changes that are updates.")
    ] = Plan.updates,
    deletes: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of all changes that are deletes.")
    ] = Plan.deletes,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The same seed gives the same orders and changes, placed now.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Time of the first order, ISO 8601, UTC without an offset; the others follow in "
            "simulated time. Default: now, in real time.",
        ),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Concurrent batches.")
    ] = 8,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each change to this file: one JSON object a line with kind, orderid and "
            "item (DynamoDB JSON; null for a delete), in order per order.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as one JSON object.")
    ] = False,
) -> None:
    """Place orders of a tech-gadget shop in a DynamoDB table and change them over time.

    Orders are placed, paid, shipped and delivered, or cancelled: inserts, updates and deletes, in a
    mix you set. Without --count and --duration, 100 orders are placed.

    Ctrl-C finishes the current batches and prints the counts; a second one stops at once.
    """
    try:
        plan = Plan(
            count=DEFAULT_COUNT if count is None and duration is None else count,
            duration=duration,
            rate=rate,
            updates=updates,
            deletes=deletes,
            seed=seed,
            start=_moment(start),
        )
        target = _target(stack, outputs, table)
        client = dynamodb(
            region=region or target.region, endpoint_url=endpoint_url, concurrency=concurrency
        )
    except (PlanError, TargetError) as error:
        fail(str(error), WRONG_USAGE)
    except (BotoCoreError, ValueError) as error:  # botocore raises ValueError for a malformed URL
        fail(explain(error), WRONG_USAGE)

    stop = threading.Event()
    trouble = ""
    try:
        with _journal(journal) as note, _progress(plan) as show, _stopping(stop):
            report = write(
                client,
                target.table,
                operations(plan),
                concurrency=concurrency,
                rate=plan.rate,
                duration=plan.duration,
                on_progress=show,
                stop=stop,
                journal=note,
            )
    except (BotoCoreError, ClientError) as error:
        fail(_explain(error, target.table, client), WRONG_USAGE)
    except WriteError as error:
        report = error.report
        cause = error.__cause__
        trouble = (
            _explain(cause, target.table, client) if isinstance(cause, Exception) else str(error)
        )
        if not report.written:
            fail(trouble, WRONG_USAGE)

    facts = {"table": target.table, "region": client.meta.region_name, "seed": seed}
    if as_json:
        print(json.dumps(asdict(report) | facts | {"interrupted": stop.is_set()}))  # noqa: T201
    else:
        print(_summary(report, target.table, stopped=stop.is_set()))  # noqa: T201
    if trouble:
        fail(f"stopped early: {trouble}", FAILED)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        fail(f"{report.failed} changes could not be written, after all retries", FAILED)


def _explain(error: Exception, table: str, client: Any) -> str:
    where = f"in {client.meta.region_name} at {client.meta.endpoint_url}"
    if isinstance(error, client.exceptions.ResourceNotFoundException):
        return f"table {table!r} does not exist {where}"
    told = explain(error, needs="the stack's writer policy (output writerPolicyArn)")
    return f"{told} (table {table!r} {where})"


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise PlanError(
            f"start {text!r}: not an ISO 8601 time such as 2026-01-31 or 2026-01-31T09:30:00Z"
        ) from None


def _target(stack: str | None, outputs: Path | None, table: str | None) -> Target:
    if table is not None:
        if stack or outputs:
            raise TargetError("give --table NAME or a stack (--stack, --outputs), not both")
        if not table:
            raise TargetError("--table: the name is empty")
        return Target(table)
    try:
        names = stack_outputs.load(stack, outputs, keys=("tableName",))
        schema = stack_outputs.schema_of(names)
    except stack_outputs.StackOutputsError as error:
        raise TargetError(str(error)) from None
    if not about_orders(schema):
        raise TargetError(
            f"the table {names['tableName']} of this stack holds {schema.name}, and the generator "
            "writes orders"
        )
    return Target(names["tableName"], names.get("region"))


def _summary(report: Report, table: str, *, stopped: bool) -> str:
    speed = report.written / report.seconds if report.seconds else 0
    text = (
        f"{'Stopped. ' if stopped else ''}Wrote {report.written:,} changes to {table} in "
        f"{report.seconds:.1f} s ({speed:,.0f}/s): {report.inserted:,} inserts, "
        f"{report.updated:,} updates, {report.deleted:,} deletes."
    )
    if report.throttled:
        text += f" Throttled {report.throttled:,} times."
    return text


@contextlib.contextmanager
def _journal(path: Path | None) -> Iterator[Callable[[Operation], None] | None]:
    if path is None:
        yield None
        return
    try:
        file: IO[str] = path.open("w", encoding="utf-8")
    except OSError as error:
        fail(f"cannot write the journal {path}: {error.strerror}", WRONG_USAGE)

    def note(operation: Operation) -> None:
        line = {"kind": operation.kind, "orderid": operation.orderid, "item": operation.expected}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")

    with file:
        yield note


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[Report], None] | None]:
    """A progress bar on stderr, if it is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = ("writing", BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=plan.count or plan.duration, text="")

        def show(report: Report) -> None:
            done = report.inserted if plan.count else report.seconds
            bar.update(
                task,
                completed=done,
                text=f"{report.inserted:,} orders, {report.written:,} changes"
                + (f", {report.throttled:,} throttled" if report.throttled else ""),
            )

        yield show


@contextlib.contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops in order, the second at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before: dict[signal.Signals, Any] = {
        number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
