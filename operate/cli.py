"""The command line: `python -m operate`."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, Outputs, Stack, fail, new_app
from operate import dlq as dead_letters
from operate import erasing, pausing, privacy, replaying, snapshot, verdicts, verify
from operate.account import Account, ReplayError, UsageError
from operate.failed import Window
from operate.replaying import Choice, Group, Replay
from operate.status import OUTPUTS as STATUS_OUTPUTS
from operate.status import Line, Status, problems

app = new_app()
replay_app = new_app()
app.add_typer(replay_app, name="replay", help="Send changes again that did not arrive.")

AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object, the last line.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
ReadUnits = Annotated[
    float,
    typer.Option(min=1, metavar="N", help="Read capacity units a second to use at most."),
]
Settle = Annotated[
    float,
    typer.Option(
        "--settle",
        metavar="SECONDS",
        min=0,
        help="Compare again for up to this long, because changes take time to arrive.",
    ),
]

_EXAMPLES = """[bold]Examples[/bold]

python -m operate replay failed --stack dev    [dim]failed records by reason[/dim]

python -m operate replay failed --stack dev --since 2026-11-20 --reason price --replay --dry-run

python -m operate replay failed --stack dev --replay

python -m operate replay dlq --stack dev

python -m operate verify --stack dev --settle 180

python -m operate snapshot --stack dev --dry-run

python -m operate erase --stack dev --key orderid=o-1 --yes

python -m operate status --stack dev

python -m operate privacy --stack dev    [dim]personal data: where, how long, who may read it[/dim]

[bold]Exit codes[/bold]: 0 done, 1 failed or incomplete, 2 wrong usage, 130 stopped by Ctrl-C.
If it was stopped or killed, run it again: it continues where it stopped.
"""


@app.callback(epilog=_EXAMPLES)
def operate() -> None:
    """Replay changes that did not arrive, take snapshots, verify the lake against the table, and
    erase items.

    You need the stack's operator and reader policies. Credentials, region and endpoints are those
    of the AWS CLI: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and so on.
    """


@replay_app.command()
def failed(  # noqa: PLR0917 - the command line's
    stack: Stack = None,
    outputs: Outputs = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Arrived at or after: ISO 8601, UTC without offset."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Arrived before.")] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Reason contains this text, ignoring case.")
    ] = "",
    replay: Annotated[
        bool, typer.Option("--replay", help="Send the records through the pipeline again.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --replay: also send records that this checkout's transform would reject.",
        ),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """List failed records by reason; with --replay, send them again.

    Each record is replayed once: a ledger in the bucket, under replayed/, keeps track. A record
    that fails again becomes a new failed record.
    """
    with _work() as (stop, bar):
        if (force or dry_run) and not replay:
            raise UsageError("--force and --dry-run go with --replay")
        window = Window(_moment("--since", since), _moment("--until", until))
        if window.since and window.until and window.since >= window.until:
            raise UsageError("--since must be before --until")
        choice = Choice(window=window, reason=reason)
        account = Account.load(stack, outputs, replaying.OUTPUTS)
        with _explained(account), bar("reading failed records") as progress:
            work = Replay(account, on_progress=progress, stop=stop)
            if not replay:
                groups = work.groups(choice)
                tally = None
            else:
                tally = work.run(choice, dry_run=dry_run, force=force)
        for problem in work.problems:
            _say(problem)
        if tally is None:
            _show_groups(groups, as_json=as_json)
        else:
            facts = tally.to_json() | {"dry_run": dry_run, "interrupted": stop.is_set()}
            _show_replay(tally, dry_run=dry_run)
            _print_json(facts, as_json=as_json)
        if stop.is_set():
            raise typer.Exit(INTERRUPTED)
        if work.problems:
            raise typer.Exit(FAILED)


@replay_app.command()
def dlq(  # noqa: PLR0917 - the command line's
    stack: Stack = None,
    outputs: Outputs = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="For changes that have expired from the table's stream: compare table and lake, "
            "and send the current state of the orders that differ.",
        ),
    ] = False,
    settle: Settle = 120,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send the changes that the dead-letter queue points to, after the pipe gave up on them.

    A message is deleted when all its changes have arrived in Kinesis. The table's stream keeps
    changes for 24 hours; expired changes are listed and need --repair. A change too large for a
    record is sent without its old image, or compressed.
    """
    with _work() as (stop, bar):
        keys = dead_letters.REPAIR_OUTPUTS if repair else dead_letters.OUTPUTS
        account = Account.load(stack, outputs, keys)
        with _explained(account), bar("working off messages") as progress:
            work = dead_letters.DeadLetters(account, on_progress=progress, stop=stop)
            outcome = work.run(dry_run=dry_run, repair=repair, settle=settle)
        for problem in (*outcome.problems, *outcome.gone):
            _say(str(problem))
        _show_dlq(outcome, dry_run=dry_run)
        _print_json(
            outcome.to_json() | {"dry_run": dry_run, "interrupted": stop.is_set()}, as_json=as_json
        )
        if stop.is_set():
            raise typer.Exit(INTERRUPTED)
        if outcome.kept and not dry_run:
            raise typer.Exit(FAILED)


@app.command("verify")
def verify_(  # noqa: PLR0917 - the command line's
    stack: Stack = None,
    outputs: Outputs = None,
    settle: Settle = 0,
    read_units: ReadUnits = 200,
    segments: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Segments of the parallel scan.")
    ] = 4,
    counts: Annotated[
        bool, typer.Option("--counts", help="Compare counts only, not values.")
    ] = False,
    show: Annotated[
        int, typer.Option(min=0, max=1000, metavar="N", help="Differences to show in full.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Compare the DynamoDB table with the lake's latest state: counts, then every value.

    Exits with 0 only if they are equal. While items are written, some changes are in transit: see
    --settle.
    """
    with _work() as (stop, bar):
        account = Account.load(stack, outputs, verify.OUTPUTS)
        with _explained(account), bar("scanning the table") as progress:
            verifier = verify.Verifier(
                account,
                read_units=read_units,
                segments=segments,
                on_scanned=lambda count: progress(count, 0),
            )
            if counts:
                items, orders = verifier.counts()
                verdict = verify.Verdict(items, orders)
                same = items == orders
            else:
                verdict = verifier.settle(settle, stop=stop)
                told = verifier.explain(verdict.differences[:show])
                verdict.differences[:show] = told
                same = verdict.matches
        if stop.is_set():
            _say("stopped")
            raise typer.Exit(INTERRUPTED)
        _show_verdict(verdict, same=same, show=show, counts=counts)
        facts: dict[str, Any] = {
            "matches": same,
            "table_items": verdict.table_items,
            "lake_orders": verdict.lake_orders,
        }
        _print_json(facts if counts else verdict.to_json(show), as_json=as_json)
        _keep(account, facts if counts else verdict.to_json(0))
        if not same:
            raise typer.Exit(FAILED)


@app.command("snapshot")
def snapshot_(  # noqa: PLR0917 - the command line's
    stack: Stack = None,
    outputs: Outputs = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Read the table by a parallel scan.")
    ] = False,
    export: Annotated[
        bool,
        typer.Option("--export", help="Read it by an export to S3: needs point-in-time recovery."),
    ] = False,
    read_units: ReadUnits = 200,
    segments: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Segments of the scan, or files of the export, at once.",
        ),
    ] = 4,
    verified: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify",
            help="Afterwards, compare the table with the lake. This scans the table once more.",
        ),
    ] = True,
    settle: Settle = 600,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write what is in the table into the log, as rows of type SNAPSHOT.

    For a table that is older than its stream. Every change in the log wins over a row of a
    snapshot, whatever comes first, so you can take one at any time, during writes, and again.

    Without --scan or --export it exports if point-in-time recovery is on, which uses no read
    capacity, and scans otherwise. Items that do not fit the schema become failed records.
    """
    with _work() as (stop, bar):
        if scan and export:
            raise UsageError("--scan and --export exclude each other")
        account = Account.load(stack, outputs, snapshot.OUTPUTS)
        with _explained(account), bar("reading the table") as progress:
            work = snapshot.Snapshot(
                account,
                method="scan" if scan else "export" if export else None,
                read_units=read_units,
                segments=segments,
                on_progress=progress,
                say=_say,
                stop=stop,
            )
            if dry_run:
                estimate = work.estimate()
                _say(str(estimate))
                _print_json(estimate.to_json() | {"dry_run": True}, as_json=as_json)
                return
            outcome = work.take()
        _say(
            f"snapshot {outcome.id} by {outcome.method}: {outcome.items:,} items, "
            f"{outcome.rows:,} rows written, {outcome.failed:,} failed records"
        )
        facts: dict[str, Any] = outcome.to_json() | {"dry_run": False, "verify": None}
        same = True
        if verified and outcome.finished:
            with _explained(account), bar("comparing table and lake") as progress:
                verifier = verify.Verifier(
                    account,
                    read_units=read_units,
                    segments=segments,
                    on_scanned=lambda count: progress(count, 0),
                )
                # Failed records do not arrive by themselves.
                verdict = verifier.settle(0 if outcome.failed else settle, stop=stop)
            same = verdict.matches
            facts["verify"] = verdict.to_json(0)
            if not stop.is_set():
                _keep(account, facts["verify"])
            _show_verdict(verdict, same=same, show=20)
        _print_json(facts | {"interrupted": stop.is_set()}, as_json=as_json)
        if stop.is_set():
            if not outcome.finished:
                _say("stopped: run the same command again to continue")
            raise typer.Exit(INTERRUPTED)
        if outcome.failed:
            _say(
                "items that do not fit the schema are failed records: `replay failed` lists them, "
                "and with --replay sends them once the schema takes them"
            )
        if outcome.failed or not same:
            raise typer.Exit(FAILED)


def _keep(account: Account, verdict: dict[str, Any]) -> None:
    """Keep the result for `status`; a comparison without it is still one."""
    try:
        verdicts.save(account, verdict)
    except (BotoCoreError, ClientError) as error:
        _say(f"`status` will not know of this: {account.explain(error)}")


@app.command()
def status(stack: Stack = None, outputs: Outputs = None, as_json: AsJson = False) -> None:
    """Show the state of every part: table, pipe, streams, transform, lake, batch, alarms.

    Exits with 1 if anything is wrong, and says what to do. Two queries run in Athena, each billed
    as 10 MB at least.

    Example: python -m operate status --stack prod --json
    """
    with _work() as (stop, bar):
        account = Account.load(stack, outputs, STATUS_OUTPUTS)
        with _explained(account), bar("looking at each part") as progress:
            lines = []
            for line in Status(account, stop=stop).lines():
                lines.append(line)
                progress(len(lines), 0)
        if stop.is_set():
            _say("stopped")
            raise typer.Exit(INTERRUPTED)
        wrong = problems(lines)
        if as_json:
            parts = {line.part.replace(" ", "_"): line.to_json() for line in lines}
            _print_json({"ok": not wrong, "parts": parts}, as_json=True)
        else:
            _show_status(lines)
        if wrong:
            raise typer.Exit(FAILED)


@app.command()
def erase(  # noqa: PLR0917 - the command line's
    stack: Stack = None,
    outputs: Outputs = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="NAME=VALUE",
            help="The item's key, such as orderid=o-1; with a sort key orderid=o-1,line=2, or "
            "without it for all items under the partition key. Can be repeated.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="SQL",
            help="Every item that has a row in the log for which this holds: \"customer = 'Ann'\".",
        ),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="Keys as for --key, one a line; - is standard input."
        ),
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="The most rows that --where may match.")
    ] = 1_000,
    pseudonymise: Annotated[
        bool,
        typer.Option(
            "--pseudonymise",
            help="Replace personal columns by NULL instead of removing rows: also for items that "
            "are still in the table.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase. Without it, nothing is changed.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Erase items from every place of the lake, with all old versions, and prove it.

    Without --yes it shows what would be erased. With --yes it ends by reading every version of
    every object in the bucket, and exits with 1 if any still holds these items. Delete the items
    from the table first. You need the stack's eraser policy, and the reader policy for --where.

    Example: python -m operate erase --stack prod --key orderid=o-1 --yes
    """
    with _work() as (stop, bar):
        if yes and dry_run:
            raise UsageError("--yes and --dry-run exclude each other")
        keys = [*(key or ()), *(_lines(from_) if from_ else ())]
        if not keys and where is None:
            raise UsageError("whose rows? Give --key, --where or --from")
        account = Account.load(stack, outputs, erasing.OUTPUTS)
        choice = erasing.Choice(keys=keys, where=where, most=most, pseudonymise=pseudonymise)
        who = ("eraser", "reader") if where else ("eraser",)
        with _explained(account, *who), bar("reading every object") as progress:
            work = erasing.Erasure(account, choice, on_progress=progress, say=_say, stop=stop)
            outcome = work.run(dry_run=not yes)
        _show_erasure(outcome)
        _print_json(outcome.to_json(), as_json=as_json)
        if stop.is_set():
            _say("stopped: run the same command again to continue")
            raise typer.Exit(INTERRUPTED)
        if outcome.remaining:
            raise typer.Exit(FAILED)


def _lines(file: Path) -> list[str]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"--from {file}: {reason}") from None
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise UsageError(f"--from {file}: there is no key in it")
    return found


def _show_erasure(outcome: erasing.Outcome) -> None:
    if outcome.interrupted:
        return
    if outcome.found:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("place")
        for heading in ("objects", "old versions", "rows", "bytes"):
            table.add_column(heading, justify="right", no_wrap=True)
        for place, amount in outcome.found.items():
            numbers = (amount.objects, amount.versions, amount.rows, amount.bytes)
            table.add_row(place, *map("{:,}".format, numbers))
        _console().print(table)
    elif outcome.remaining is not None or not outcome.keys:
        _say("nothing to erase: no object holds such a row")
    if outcome.dry_run and outcome.found:
        _say(
            f"nothing was changed; --yes erases this in about {outcome.minutes:.1f} minutes, for "
            f"${outcome.dollars:,.4f}"
        )
    for one in (outcome.remaining or [])[:20]:
        _say(f"still there, or unreadable: {one}")
    if outcome.record:
        _say(
            f"every version of every object was read again: {len(outcome.remaining or ())} still "
            f"hold these items; the record is {outcome.record}"
        )
    if outcome.found or outcome.record:
        for copy in outcome.later:
            _say(f"not erased: {copy}")


_MARKS = {"ok": Text("ok", "green"), "wrong": Text("wrong", "bold red"), "unknown": Text("?")}


def _show_status(lines: Sequence[Line]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part", no_wrap=True)
    table.add_column("")
    table.add_column("state", overflow="fold")
    for line in lines:
        says = Text(line.says)
        if line.state == "wrong":
            says.append(f"\n-> {line.do}", "bold")
        table.add_row(line.part, _MARKS[line.state], says)
    _console(stderr=False).print(table)


@app.command("privacy")
def privacy_(stack: Stack = None, outputs: Outputs = None, as_json: AsJson = False) -> None:
    """Print what is personal, how it is treated, where copies are, how long, and who may read them.

    In Markdown, from the stack's outputs and from what is deployed. Nothing is changed.

    Example: python -m operate privacy --stack prod > privacy.md
    """
    with _work():
        account = Account.load(stack, outputs, privacy.OUTPUTS)
        with _explained(account):
            page = privacy.look(account)
        if as_json:
            _print_json(page.to_json(), as_json=True)
        else:
            typer.echo(page.markdown(), nl=False)


@app.command()
def pause(stack: Stack = None, outputs: Outputs = None, as_json: AsJson = False) -> None:
    """Stop the pipe: changes wait in the table's stream, which keeps each for 24 hours.

    Example: python -m operate pause --stack prod, and later python -m operate resume --stack prod
    """
    with _work() as (stop, bar):
        account = Account.load(stack, outputs, pausing.OUTPUTS)
        with _explained(account), bar("stopping the pipe"):
            outcome = pausing.pause(account, stop)
        waits = outcome.waiting
        _say(f"the pipe {outcome.pipe} {'is' if outcome.changed else 'was already'} stopped")
        if waits.changes is not None:
            _say(_waiting(waits))
        _say(
            "the table's stream keeps a change for 24 hours: start the pipe before "
            f"{outcome.kept_until:%Y-%m-%d %H:%M} UTC (python -m operate resume); changes that "
            "are older by then never reach the lake (docs/operations.md#paused)"
        )
        _end(outcome, "STOPPED", as_json=as_json)


@app.command()
def resume(stack: Stack = None, outputs: Outputs = None, as_json: AsJson = False) -> None:
    """Start the pipe again: it continues with the first change that it has not delivered.

    Example: python -m operate resume --stack prod
    """
    with _work() as (stop, bar):
        account = Account.load(stack, outputs, pausing.OUTPUTS)
        with _explained(account), bar("starting the pipe"):
            outcome = pausing.resume(account, stop)
        if not outcome.changed:
            _say(f"the pipe {outcome.pipe} was already running")
        else:
            _say(f"the pipe {outcome.pipe} runs; it was stopped at {outcome.stopped_at:%F %T} UTC")
            _say(_waiting(outcome.waiting))
            if datetime.now(UTC) - outcome.stopped_at > pausing.KEPT:
                _say(
                    "it was stopped for more than 24 hours, so the stream has dropped changes: "
                    "run python -m operate verify (docs/operations.md#paused)"
                )
        _end(outcome, "RUNNING", as_json=as_json)


def _waiting(waits: pausing.Waiting) -> str:
    if waits.changes is None:
        return "how many changes wait is unknown: no permission to read the table's stream"
    more = "" if waits.complete else "at least "
    oldest = f", the oldest made at {waits.oldest:%Y-%m-%d %H:%M:%S} UTC" if waits.oldest else ""
    return f"{more}{waits.changes:,} changes wait{oldest}"


def _end(outcome: pausing.Outcome, wanted: str, *, as_json: bool) -> None:
    _print_json(outcome.to_json(), as_json=as_json)
    if outcome.state != wanted:
        _say(f"stopped waiting: the pipe is {outcome.state}; the command can be run again")
        raise typer.Exit(INTERRUPTED)


def _show_groups(groups: Sequence[Group], *, as_json: bool) -> None:
    facts = {
        "records": sum(group.records for group in groups),
        "waiting": sum(group.waiting for group in groups),
        "replayed": sum(group.replayed for group in groups),
        "would_pass": sum(group.passes for group in groups),
        "reasons": [group.to_json() for group in groups],
    }
    if not groups:
        _say("no failed records")
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("records", "replayed", "pass now"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("first to last, UTC", no_wrap=True)
        table.add_column("reason", overflow="fold", min_width=24)
        for group in groups:
            numbers = (group.records, group.replayed, group.passes)
            times = [f"{t:%m-%d %H:%M}" for t in (group.first, group.last) if t]
            table.add_row(
                *map("{:,}".format, numbers), " to ".join(dict.fromkeys(times)), Text(group.reason)
            )
        _console(stderr=as_json).print(table)
        if facts["would_pass"]:
            _say("--replay sends those that would pass now")
    _print_json(facts, as_json=as_json)


def _show_verdict(verdict: verify.Verdict, *, same: bool, show: int, counts: bool = False) -> None:
    for one in verdict.differences[:show]:
        _say(f"  {one}")
    if (more := len(verdict.differences) - show) > 0:
        _say(f"  and {more:,} more")
    line = f"{verdict.table_items:,} items in the table, {verdict.lake_orders:,} in the lake"
    if not counts:
        line += f", {verdict.equal:,} equal in every value"
    _say(line + (": they match" if same else ": they differ"))


def _show_replay(tally: replaying.Tally, *, dry_run: bool) -> None:
    if not tally.chosen:
        _say("nothing to replay: no failed records")
        return
    parts = [
        (tally.sent, "would be sent" if dry_run else "sent"),
        (tally.arrived_before, "sent by a run that broke off"),
        (tally.already, "replayed before"),
        (tally.would_fail, "left: they would fail again (--force sends them)"),
        (tally.unreadable, "left: unreadable"),
        (tally.left, "not reached"),
    ]
    told = "; ".join(f"{count:,} {what}" for count, what in parts if count)
    _say(f"{tally.chosen:,} failed records: {told}")


def _show_dlq(outcome: dead_letters.Outcome, *, dry_run: bool) -> None:
    if not outcome.messages:
        _say("nothing to do: the dead-letter queue is empty")
        return
    sent = f"{outcome.changes:,} changes found" if dry_run else f"{outcome.sent:,} changes sent on"
    parts = [f"{outcome.messages:,} messages", sent]
    if outcome.shortened:
        parts.append(f"{outcome.shortened:,} too large for a record: sent without the old image")
    if outcome.compressed:
        parts.append(f"{outcome.compressed:,} too large for a record: sent compressed")
    if outcome.filtered:
        parts.append(f"{outcome.filtered:,} not wanted by the pipe's filter")
    if outcome.repaired:
        parts.append(f"{outcome.repaired:,} orders repaired from the table")
    parts += [f"{outcome.deleted:,} messages deleted", f"{outcome.kept:,} kept"]
    if outcome.gone and not outcome.repaired:
        parts.append("--repair re-reads from the table what the stream no longer has")
    _say("; ".join(parts))


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r}: not an ISO 8601 time such as 2026-11-20 or 2026-11-20T09:30:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _console(*, stderr: bool = True) -> Console:
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(Text(text), soft_wrap=True)


def _print_json(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))


Bar = Callable[[str], contextlib.AbstractContextManager[Callable[[int, int], None]]]


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr if it is a terminal, called with the amount done and the total."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (what, BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


@contextlib.contextmanager
def _work() -> Iterator[tuple[threading.Event, Bar]]:
    """Print errors as plain messages. One Ctrl-C stops in order, a second one at once."""
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop, _bar
    except UsageError as error:
        fail(str(error), WRONG_USAGE)
    except ReplayError as error:
        fail(str(error), FAILED)
    except BotoCoreError as error:  # raised before there is an account to explain it
        fail(" ".join(str(error).split()), WRONG_USAGE)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _explained(account: Account, *who: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ReplayError(account.explain(error, who or ("operator", "reader"))) from error
