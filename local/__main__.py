"""``python -m local``: the whole stack on one machine, no AWS account needed."""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

import generator
from analytics.__main__ import app as analytics_app
from client import stack_outputs
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, fail, new_app
from local.account.aws import Aws
from local.account.deploy import ROOT
from local.chain import LocalChain
from local.commands import show, source_table
from local.commands.batch import start_and_await
from local.commands.dashboard import Server, Shop
from local.commands.demo import Demo, DemoPlan
from local.commands.own_table import LEAST_ORDERS, OwnTableDemo, OwnTablePlan
from local.commands.up import Running, engineer, environment, exports, home
from local.errors import LocalError, UsageError

app = new_app()

Stack = Annotated[
    str, typer.Option("--stack", metavar="NAME", help="Use the settings of Pulumi.NAME.yaml.")
]

_EXAMPLES = """[bold]Examples[/bold]

python -m local demo

python -m local demo --stack prod --orders 2000 --garbage 20 --json

python -m local demo --buffers deployed --rate 2    [dim]the latency of the deployed stack[/dim]

python -m local demo --own-table    [dim]a table that exists: inferred, attached, snapshotted[/dim]

python -m local up    [dim]then, in another shell:[/dim]

eval "$(python -m local env)" && python -m generator --count 500

python -m local up --program examples/own_table --table examples/own_table/table.json

python -m local query "SELECT status, count(*) FROM current_orders GROUP BY 1"

[bold]Exit codes[/bold]: 0 done, 1 the work failed, 2 wrong usage, 130 stopped by Ctrl-C.
"""


class Buffers(StrEnum):
    """How long Firehose buffers records."""

    SHORT = "short"
    DEPLOYED = "deployed"


class Form(StrEnum):
    """Output format of a query result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.callback(epilog=_EXAMPLES)
def local() -> None:
    """Run the stack on this machine: the real Pulumi program on an emulator that enforces IAM."""


@app.command()
def demo(  # noqa: PLR0917 - the command line's
    context: typer.Context,
    stack: Stack = "dev",
    own_table: Annotated[
        bool,
        typer.Option(
            "--own-table",
            help="Show how an existing table with nested items is attached and snapshotted.",
        ),
    ] = False,
    orders: Annotated[
        int | None,
        typer.Option(
            help="Number of orders to place; of the existing table with --own-table.",
            show_default="200; 2000",
        ),
    ] = None,
    updates: Annotated[float, typer.Option(help="Share of changes that are updates.")] = 0.4,
    deletes: Annotated[float, typer.Option(help="Share of changes that are deletes.")] = 0.1,
    rate: Annotated[
        float | None, typer.Option(help="Orders per second; default: as fast as possible.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; makes the orders repeatable.")] = None,
    garbage: Annotated[
        int, typer.Option(min=0, help="Number of malformed or invalid records to mix in.")
    ] = 0,
    batch: Annotated[
        bool, typer.Option("--batch", help="Also run the Spark job and compare its table.")
    ] = False,
    buffers: Annotated[
        Buffers,
        typer.Option(
            help="How long Firehose buffers: for a second, or as the stack file says. The latency "
            "is then that of the deployed stack, without AWS's own delays."
        ),
    ] = Buffers.SHORT,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")
    ] = False,
) -> None:
    """Place orders in DynamoDB, deliver every change to the lake, and query them with Athena.

    Exits with 0 only if nothing is lost and the latest state in Athena equals the DynamoDB table.
    """
    if own_table:
        with _plain_errors():
            _own_table(context, stack, orders, seed, as_json=as_json)
        return
    with _plain_errors():
        try:
            plan = generator.Plan(
                count=200 if orders is None else orders,
                updates=updates,
                deletes=deletes,
                rate=rate,
                seed=seed,
            )
        except generator.PlanError as error:
            raise UsageError(str(error).replace("count", "orders")) from None
        screen = show.Screen(show.console(stderr=True))
        run = Demo(
            DemoPlan(
                stack=stack,
                plan=plan,
                garbage=garbage,
                batch=batch,
                deployed_buffers=buffers is Buffers.DEPLOYED,
            ),
            say=screen.say,
            tick=screen.tick,
        )
        with screen.live():
            result = run.run()
        show.summary(show.console(stderr=as_json), result)
        if as_json:
            typer.echo(json.dumps(result.to_json()))
    if not result.good:
        raise typer.Exit(FAILED)


def _own_table(
    context: typer.Context, stack: str, orders: int | None, seed: int | None, *, as_json: bool
) -> None:
    """`demo --own-table`."""
    theirs = ("updates", "deletes", "rate", "garbage", "batch", "buffers")
    if given := [one for one in theirs if _given(context, one)]:
        options = ", ".join(f"--{name}" for name in given)
        raise UsageError(f"{options}: not with --own-table, whose changes are its own")
    if orders is not None and orders < LEAST_ORDERS:
        raise UsageError(f"orders {orders}: must be at least {LEAST_ORDERS} to infer a schema from")
    screen = show.Screen(show.console(stderr=True))
    plan = OwnTablePlan(stack=stack, orders=orders or OwnTablePlan.orders, seed=seed)
    run = OwnTableDemo(plan, say=screen.say, tick=screen.tick, show_columns=screen.columns)
    with screen.live():
        result = run.run()
    show.own_table(show.console(stderr=as_json), result)
    if as_json:
        typer.echo(json.dumps(result.to_json()))
    if not result.good:
        raise typer.Exit(FAILED)


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


@app.command()
def up(
    stack: Stack = "dev",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The emulator's port; 0 picks a free one.")
    ] = 0,
    program: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Run the Pulumi program in this folder.",
            show_default="this project's",
        ),
    ] = ROOT,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="First create the table that this file describes: the input of `aws dynamodb "
            "create-table --cli-input-json`, or the output of `describe-table`.",
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Its items: the output of `aws dynamodb scan`, lines of DynamoDB JSON, or the "
            "folder of an export.",
        ),
    ] = None,
) -> None:
    """Run the stack until Ctrl-C, for use with any AWS client.

    With --program, of any Pulumi program in Python that uses the components.

    With --table, on a table that is there before the stack. Its stream is switched on after the
    items were put, as if they were older than what a stream keeps.

    Prints the environment variables that clients need; `python -m local env` prints them again.
    """
    screen = show.Screen(show.console(stderr=True))
    running = _running(stack, screen, port, program.resolve(), table, items)
    with _plain_errors(), running as (local_chain, _, settings):
        typer.echo(exports(settings))
        sys.stdout.flush()
        screen.say('running; in another shell: eval "$(python -m local env)"')
        screen.say("Ctrl-C stops it")
        _watch(local_chain, screen)


@app.command()
def dashboard(
    stack: Stack = "dev",
    rate: Annotated[float, typer.Option(min=0.01, help="New orders per second.")] = 0.5,
    history: Annotated[
        int, typer.Option(min=0, max=365, help="Days of past orders to write first.")
    ] = 30,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port; 0 picks a free one.")
    ] = 8501,
) -> None:
    """Run the stack with a steady flow of orders and a live dashboard in the browser.

    Any AWS client can use the stack, as with `up`. Ctrl-C stops everything.
    """
    screen = show.Screen(show.console(stderr=True))
    with _plain_errors(), _running(stack, screen) as (local_chain, outputs, settings):
        log = home() / "run" / "dashboard.log"
        page = Server(outputs, settings, port=port, log=log)
        with page, Shop(local_chain, rate=rate, days=history) as shop:
            screen.say(f"orders are being written; the dashboard is at {page.url}")
            screen.say("Ctrl-C stops it")
            _watch(local_chain, screen, shop, page)


@app.command()
def env() -> None:
    """Print the environment variables of the stack that `up` runs, for `eval`."""
    with _plain_errors():
        typer.echo(exports(Running(home()).environment()))


@app.command()
def query(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One Athena SQL statement.")],
    form: Annotated[Form, typer.Option("--format", help="Output format.")] = Form.TABLE,
) -> None:
    """Run an Athena query on the stack that `up` runs.

    Example: python -m local query "SELECT * FROM current_orders LIMIT 5" --format csv
    """
    with _plain_errors():
        settings = Running(home()).environment()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(settings)
    analytics_app(["sql", statement, "--format", form.value], prog_name="python -m local query")


@contextmanager
def _running(  # noqa: PLR0917 - the command line's
    stack: str,
    screen: show.Screen,
    port: int = 0,
    program: Path = ROOT,
    table: Path | None = None,
    items: Path | None = None,
) -> Iterator[tuple[LocalChain, Path, dict[str, str]]]:
    """Run a stack that other shells can find; yields it, its outputs file and its environment."""
    if items and not table:
        raise UsageError("--items goes with --table, which describes their table")
    described = source_table.described_in(table) if table else None

    def before(aws: Aws) -> None:
        if described:
            source_table.from_files(aws.client("dynamodb"), described, items)
            screen.say(f"the table {described['TableName']} is there before the stack")

    running = Running(home())
    running.claim()
    folder = home() / "run"
    chain = LocalChain(
        stack, folder, port=port, say=screen.say, program=program, before_deploy=before
    )
    with chain as local_chain:
        for name, (here, there, why) in local_chain.deployment.overrides.items():
            screen.say(f"differs from {stack}: {name}={here}, not {there}: {why}")
        outputs = running.outputs_file.resolve()
        settings = environment(local_chain, engineer(local_chain), outputs)
        try:
            running.write(local_chain.outputs, settings)
            yield local_chain, outputs, settings
        finally:
            running.forget()
            screen.say("stopping, after delivering the changes in flight")
    screen.say(f"stopped; {show.hops_line(local_chain.hops())}")


@app.command()
def batch() -> None:
    """Run the Spark job on the stack that `up` runs, and print its figures as one JSON object.

    Starts the job through the Glue API, as `aws glue start-job-run` does.
    """
    with _plain_errors():
        settings = Running(home()).environment()
        outputs = stack_outputs.load(file=Path(settings[stack_outputs.ENVIRONMENT_VARIABLE]))
        typer.echo(json.dumps(start_and_await(settings, outputs)))


def _watch(stack: LocalChain, screen: show.Screen, *others: Shop | Server) -> None:
    """Show the counts until Ctrl-C. Raises if a hop or one of ``others`` dies."""
    shop = next((other for other in others if isinstance(other, Shop)), None)
    with screen.live():
        try:
            while True:
                for one in (stack, *others):
                    one.check()
                screen.tick(shop.report.written if shop else 0, stack.hops())
                time.sleep(0.25)
        except KeyboardInterrupt:
            return


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Print errors that the user can fix without a traceback; treat SIGTERM like Ctrl-C."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before, hook = signal.signal(signal.SIGTERM, interrupt), sys.unraisablehook

    def again(lost: sys.UnraisableHookArgs) -> None:
        """Python drops a Ctrl-C that arrives in a callback of its garbage collector: repeat it."""
        if isinstance(lost.exc_value, KeyboardInterrupt):
            threading.Timer(0.05, _thread.interrupt_main).start()
        else:
            hook(lost)

    sys.unraisablehook = again
    try:
        yield
    except UsageError as error:
        fail(str(error), WRONG_USAGE)
    except LocalError as error:
        fail(str(error), FAILED)
    except KeyboardInterrupt:
        fail("stopped", INTERRUPTED)
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    app(prog_name="python -m local")
