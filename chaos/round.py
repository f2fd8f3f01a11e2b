"""A round: write orders, inject faults, replay failed records and dead letters, and verify."""

from __future__ import annotations

import base64
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from chaos.faults import FAULTS
from chaos.rig import Rig
from client.query import Row
from local.chain import Hops
from local.commands.truth import differences, table_items
from operate import failed
from operate.dlq import DeadLetters
from operate.failed import Window
from operate.replaying import Choice, Replay
from schema import ORDERS

_QUIET_SECONDS = 3.0
_MOST_REPLAYS = 5


@dataclass
class Report:
    """The results of a round.

    Attributes
    ----------
    recoveries:
        By fault: the seconds from its end until the next rows were in the lake.
    wrong:
        One line per violation; empty on success.
    """

    seed: int
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    changes: int = 0
    rows: int = 0
    distinct: int = 0
    hops: Hops = field(default_factory=Hops)
    dead_letters: int = 0
    replayed: int = 0
    garbage: int = 0
    orders: int = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """The number of faults injected."""
        return sum(map(len, self.recoveries.values()))


def run(
    rig: Rig,
    *,
    faults: int,
    seed: int,
    rate: float = 40,
    say: Callable[[str], None] = lambda _: None,
    only: Sequence[str] = (),
) -> Report:
    """Inject ``faults`` faults, each kind about equally often, in an order set by ``seed``."""
    random_ = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
    report = Report(seed)
    began = time.monotonic()
    rig.start_writing(rate=rate, seed=seed)
    rig.until(lambda: rig.hops().delivered, "rows delivered")
    names = list(only or FAULTS)
    queue: list[str] = []
    for number in range(faults):
        queue = queue or random_.sample(names, len(names))
        name = queue.pop()
        say(f"{number + 1}/{faults} {name}")
        time.sleep(random_.uniform(0, 0.3))  # at any moment
        try:
            FAULTS[name](rig, random_)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, fault {number + 1} ({name}): {error}") from error
        over, before = time.monotonic(), rig.hops().delivered
        rig.until(lambda before=before: rig.hops().delivered > before, f"recovered from {name}", 60)  # type: ignore[misc]
        report.recoveries.setdefault(name, []).append(time.monotonic() - over)
    rig.stop_writing()
    say("settling")
    settle(rig)
    mend(rig, report, say)
    judge(rig, report)
    report.seconds = time.monotonic() - began
    return report


def settle(rig: Rig, quiet: float = _QUIET_SECONDS) -> None:
    """Wait until the counts have not changed for ``quiet`` seconds."""
    last, since = rig.hops(), time.monotonic()
    while time.monotonic() - since < quiet:
        rig.check()
        time.sleep(0.05)
        if rig.hops() != last:
            last, since = rig.hops(), time.monotonic()


def mend(rig: Rig, report: Report, say: Callable[[str], None]) -> None:
    """Recover as an operator would: replay the dead letters, then the failed records."""
    outcome = DeadLetters(rig.account).run()
    report.dead_letters = outcome.sent
    if outcome.kept or outcome.gone:
        report.wrong.append(f"dead letters left: {outcome.to_json()}")
    say(f"{outcome.sent} changes of {outcome.messages} dead letters replayed")
    settle(rig)
    for _ in range(_MOST_REPLAYS):
        tally = Replay(rig.account).run(Choice())
        report.replayed += tally.sent
        say(f"{tally.sent} failed records replayed")
        if tally.left or tally.unreadable:
            report.wrong.append(f"failed records left: {tally.to_json()}")
        if not tally.sent:
            break
        settle(rig)
    if rig.erased and (left := rig.erase(*rig.erased)):
        report.wrong.append(f"erased orders are still in {left}")


def judge(rig: Rig, report: Report) -> None:
    """Compare the lake with the table and with the writers' journal."""
    outputs = rig.stack.outputs
    who = rig.stack.user("judge", outputs["readerPolicyArn"])

    def query(sql: str) -> list[Row]:
        return rig.stack.ask(sql, who)

    items = table_items(rig.stack.aws.client("dynamodb"), outputs["tableName"])
    current = query("SELECT * FROM current_orders")
    report.wrong += differences(ORDERS, items, current)[:10]
    log = query(
        "SELECT orderid, count(*) AS n, count(DISTINCT event_id) AS d "  # noqa: S608
        f"FROM {outputs['projectionTable']} GROUP BY orderid"
    )
    distinct = Counter({str(row["orderid"]): int(row["d"] or 0) for row in log})
    report.rows = sum(int(row["n"] or 0) for row in log)
    report.distinct, report.changes = distinct.total(), rig.journal.total()
    report.orders = len(items)
    for order, count in (rig.journal - distinct).items():
        report.wrong.append(f"{order}: {count} of {rig.journal[order]} changes are lost")
    for order, count in (distinct - rig.journal).items():
        report.wrong.append(f"{order}: {count} changes that were never made")
    kept = _failed_data(rig)
    report.garbage = rig.garbage.total()
    for data in rig.garbage - kept:
        report.wrong.append(f"garbage is not kept as a failed record: {data[:40]!r}")
    report.hops = rig.hops()
    del report.wrong[20:]


def _failed_data(rig: Rig) -> Counter[bytes]:
    """The raw data of every failed record in the bucket."""
    s3: Any = rig.stack.aws.client("s3")
    bucket = rig.stack.outputs["bucketName"]
    found: Counter[bytes] = Counter()
    for one in failed.objects(s3, bucket, Window()):
        for line in failed.read(s3, bucket, one.key).splitlines():
            found[base64.b64decode(orjson.loads(line)["rawData"])] += 1
    return found


def rows(report: Report) -> list[tuple[str, str, str, str]]:
    """One table row per fault: name, count, median and longest recovery."""
    return [
        (name, str(len(times)), f"{statistics.median(times):.2f}", f"{max(times):.2f}")
        for name, times in sorted(report.recoveries.items())
    ]


def facts(report: Report) -> list[tuple[str, str]]:
    """The totals: where every record ended."""
    hops = report.hops
    return [
        (
            "faults",
            f"{report.faults:,} of {len(report.recoveries)} kinds in {report.seconds:.0f} s",
        ),
        ("changes written to the table", f"{report.changes:,}"),
        ("put into Kinesis by the pipe", f"{hops.bridged:,}"),
        ("given up by the pipe, resent by replay dlq", f"{report.dead_letters:,}"),
        ("ended as failed records", f"{hops.failed:,}"),
        ("of those garbage, which stays", f"{report.garbage:,}"),
        ("of those replayed by replay failed", f"{report.replayed:,}"),
        ("rows in the lake", f"{report.rows:,}"),
        ("duplicates among them, dropped by readers", f"{report.rows - report.distinct:,}"),
        ("changes in the lake", f"{report.distinct:,}"),
        ("lost", f"{report.changes - report.distinct:,}"),
        ("orders in the table, equal in the lake", f"{report.orders:,}"),
    ]
