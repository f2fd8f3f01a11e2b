"""``python -m acceptance``: check the whole chain in a real AWS account."""

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
"""Characters: the stack's name is part of every resource's name, which AWS limits to 64."""
_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{_NAME_MOST - 1}}}")

app = new_app()

_EXAMPLES = """[bold]Examples[/bold]

python -m acceptance --local    [dim]the same checks on this machine, as far as possible[/dim]

python -m acceptance    [dim]on AWS; shows the cost and asks first[/dim]

python -m acceptance --stack acceptance-ci --yes --batch --json --report

python -m acceptance --stack acceptance-ci --clean

[bold]Exit codes[/bold]: 0 all checks passed, 1 a check failed, 2 wrong usage, 130 stopped by
Ctrl-C.
"""


@app.command(epilog=_EXAMPLES)
def acceptance(  # noqa: PLR0917 - the command line's
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", metavar="NAME", help=f"Name of the stack; default: {PURPOSE}-USER."
        ),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Run on this machine: no account, no Pulumi CLI.")
    ] = False,
    batch: Annotated[
        bool,
        typer.Option("--batch", help="Also run the Spark job; costs extra, or needs Java."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK", help="Run only this check; can be repeated."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the stack; a later run reuses it.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Only remove what an earlier run left.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write a Markdown page to acceptance/reports/.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The last line of stdout is one JSON object.")
    ] = False,
) -> None:
    """Create a fresh stack, check the whole chain, and destroy the stack.

    Uses the AWS CLI's credentials and the Pulumi CLI's login; docs/acceptance.md lists the
    permissions. Ctrl-C removes what was created; a second one leaves it.
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
    """Reject invalid options."""
    names = [check.name for check in CHECKS]
    if unknown := [one for one in only if one not in names]:
        fail(f"no check {', '.join(unknown)}; the checks are: {', '.join(names)}", WRONG_USAGE)
    if local and (stack or keep or clean):
        fail("--stack, --keep and --clean cannot be combined with --local", WRONG_USAGE)
    if keep and clean:
        fail("--keep and --clean cannot be combined", WRONG_USAGE)
    if stack and not _NAME.fullmatch(stack):
        fail(
            f"--stack {stack!r}: use up to {_NAME_MOST} lower-case letters, digits and hyphens",
            WRONG_USAGE,
        )


def _prepare(
    screen: Screen, name: str, *, local: bool, batch: bool, yes: bool, clean: bool
) -> tuple[Deployment, Report]:
    """Check the requirements, ask for consent to the cost, and return what to check."""
    if local:
        from acceptance.this_machine import ThisMachine  # noqa: PLC0415 - not needed on AWS

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
        f"This creates the stack {name} in {where}, checks it and destroys it. It takes about "
        f"{cost.RUN_HOURS * 60:.0f} minutes and costs about ${usd:.2f} (an estimate).",
        yes=yes,
    )
    pulumi.claim()
    return pulumi, Report(name, where, usd)


def _agree(screen: Screen, what: str, *, yes: bool) -> None:
    """Announce what will happen and ask for confirmation."""
    screen.note(what)
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotReadyError("stdin is not a terminal: to confirm, pass --yes")
    try:
        if not typer.confirm("Continue?", err=True):
            raise NotReadyError("cancelled: nothing was changed")
    except typer.Abort:
        raise KeyboardInterrupt from None


def _conclude(page: Report, left: str, *, as_json: bool, report: bool, screen: Screen) -> None:
    """Print the verdict, the report's path, and the JSON line."""
    console = screen.console if as_json else Console(highlight=False)
    style = "green" if page.passed else "bold red"
    console.print(Text(page.verdict(), style=style), soft_wrap=True)
    if latency := page.latency():
        console.print(
            f"From a write to its row in a query result: p50 {latency['p50']:.1f} s, "
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
    """``acceptance-USER``, in characters that are valid in resource names."""
    user = re.sub(r"[^a-z0-9]+", "-", getpass.getuser().lower()).strip("-") or "user"
    return f"{PURPOSE}-{user}"[:_NAME_MOST].rstrip("-")


@contextmanager
def _signals(screen: Screen) -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:  # before anything was created
        screen.stop()
        fail("stopped", INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    app(prog_name="python -m acceptance")
