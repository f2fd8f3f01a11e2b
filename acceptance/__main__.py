"""``python -m acceptance``: the proof on a real account."""

from __future__ import annotations

import getpass
import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from acceptance import cost
from acceptance.checks import ALL, CHECKS
from acceptance.errors import AbortedError, AcceptanceError, NotReadyError
from acceptance.report import Report, Screen
from acceptance.run import Run
from acceptance.runner import Runner
from acceptance.stack import PURPOSE, Deployment, PulumiStack
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, fail, new_app

ORDERS = 1000
_NAME_MOST = 20
"""Characters: a stack's name is part of every other one, of which AWS takes 64."""
_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{_NAME_MOST - 1}}}")

app = new_app()

_EXAMPLES = """[bold]Examples[/bold]

python -m acceptance --local    [dim]the same checks on this machine, as far as they exist[/dim]

python -m acceptance    [dim]on AWS; says what it costs, and asks[/dim]

python -m acceptance --stack acceptance-ci --yes --batch --json --report

python -m acceptance --stack acceptance-ci --clean

[bold]Exit codes[/bold]: 0 all that was checked holds, 1 something does not, 2 wrong usage, 130
stopped by Ctrl-C.
"""


@app.command(epilog=_EXAMPLES)
def acceptance(  # noqa: PLR0917 - the command line's
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", metavar="NAME", help=f"Of the stack to make; default: {PURPOSE}-USER."
        ),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="On this machine: no account, no Pulumi CLI.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="Run the Spark job too; costs extra, or needs Java.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CHECK", help="Only this check; may be repeated.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the checks.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the stack; a later run takes it over.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what an earlier run left, and do nothing else.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Keep a Markdown page in acceptance/reports/.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The last line of stdout is one JSON object.")
    ] = False,
) -> None:
    """Make a fresh stack, check that all of it holds, and remove it.

    On AWS with the credentials of the AWS CLI and the login of Pulumi's; docs/acceptance.md says
    what they have to allow. Ctrl-C removes what was made, a second one leaves it there.
    """
    if list_:
        for check in ALL:
            typer.echo(f"{check.name:15} {check.says}")
        return
    _require_sense(only or [], stack=stack, local=local, keep=keep, clean=clean)
    screen = Screen()
    with _signals(screen):
        try:
            deployment, page = _prepare(
                screen, stack or _default_name(), local=local, batch=batch, yes=yes, clean=clean
            )
        except NotReadyError as error:
            fail(str(error), WRONG_USAGE)
        except AcceptanceError as error:
            fail(str(error), FAILED)
        run = Run(deployment, orders=ORDERS, say=screen.say)
        runner = Runner(run, page, screen, only=only or (), keep=keep)
        try:
            if clean:
                runner.down()
            else:
                runner.all()
        except AbortedError:
            page.interrupted = True
        screen.stop()
        left = "" if _gone(page) else deployment.remains()
    _conclude(page, left, as_json=as_json, report=report, screen=screen)
    if page.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not page.passed:
        raise typer.Exit(FAILED)


def _require_sense(
    only: list[str], *, stack: str | None, local: bool, keep: bool, clean: bool
) -> None:
    """Say what was typed that cannot be."""
    names = [check.name for check in CHECKS]
    if unknown := [one for one in only if one not in names]:
        fail(f"no check {', '.join(unknown)}; there are: {', '.join(names)}", WRONG_USAGE)
    if local and (stack or keep or clean):
        fail("--stack, --keep and --clean go with an account, not with --local", WRONG_USAGE)
    if keep and clean:
        fail("--keep or --clean, not both", WRONG_USAGE)
    if stack and not _NAME.fullmatch(stack):
        fail(f"--stack {stack!r}: small letters, digits and -, {_NAME_MOST} at most", WRONG_USAGE)


def _prepare(
    screen: Screen, name: str, *, local: bool, batch: bool, yes: bool, clean: bool
) -> tuple[Deployment, Report]:
    """What is to be checked, once all that it needs is there and whoever pays has agreed."""
    if local:
        from acceptance.this_machine import ThisMachine  # noqa: PLC0415 - AWS needs none of it

        return ThisMachine(batch=batch), Report("local", "on this machine", 0.0)
    pulumi = PulumiStack(name, batch=batch)
    pulumi.require()
    where = f"account {pulumi.account}, {pulumi.region}"
    if clean:
        _agree(screen, f"This removes the stack {name} in {where}.", yes=yes)
        pulumi.take_over()
        return pulumi, Report(name, where, 0.0)
    usd = round(cost.estimate(ORDERS, batch=batch), 2)
    _agree(
        screen,
        f"This makes the stack {name} in {where}, checks it and removes it. It takes about "
        f"{cost.RUN_HOURS * 60:.0f} minutes and costs about ${usd:.2f} (an estimate).",
        yes=yes,
    )
    pulumi.claim()
    return pulumi, Report(name, where, usd)


def _agree(screen: Screen, what: str, *, yes: bool) -> None:
    """Say what is going to happen, and go on only if that is wanted."""
    screen.note(what)
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotReadyError("nobody can be asked here: give --yes if that is wanted")
    try:
        if not typer.confirm("Go on?", err=True):
            raise NotReadyError("nothing was done")
    except typer.Abort:
        raise KeyboardInterrupt from None


def _conclude(page: Report, left: str, *, as_json: bool, report: bool, screen: Screen) -> None:
    """The verdict, where the page is, and the line for programs."""
    console = screen.console if as_json else Console(highlight=False)
    style = "green" if page.passed else "bold red"
    console.print(Text(page.verdict(), style=style), soft_wrap=True)
    if latency := page.latency():
        console.print(
            f"From a write to its row in an answer: p50 {latency['p50']:.1f} s, "
            f"p99 {latency['p99']:.1f} s. Estimated cost: ${page.cost_usd:.2f}.",
            soft_wrap=True,
        )
    if left:
        screen.note(left)
    if report:
        console.print(f"{page.write()}", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(page.to_json()))


def _gone(page: Report) -> bool:
    """Whether the stack was removed."""
    return any(one.name == "destroy" and one.passed for one in page.checks)


def _default_name() -> str:
    """``acceptance-USER``, in characters that names of resources take."""
    user = re.sub(r"[^a-z0-9]+", "-", getpass.getuser().lower()).strip("-") or "user"
    return f"{PURPOSE}-{user}"[:_NAME_MOST].rstrip("-")


@contextmanager
def _signals(screen: Screen) -> Iterator[None]:
    """SIGTERM ends like Ctrl-C."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:  # before anything was made
        screen.stop()
        fail("stopped", INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    app(prog_name="python -m acceptance")
