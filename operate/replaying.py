"""Replay failed records: each once, in order per order, resumable at any time."""

from __future__ import annotations

import email.utils
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from operate import failed
from operate.account import Account, ReplayError
from operate.doubt import find_sent
from operate.failed import FailedRecord, Window
from operate.ledger import Ledger, Ledgers
from operate.reasons import judge
from operate.sending import NotSentError, Outgoing, Receipt, Sender, waves
from schema.layout import REPLAYED_PREFIX

OUTPUTS = ("bucketName", "kinesisStreamName", "tableName", "tableArn")
_CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A choice of failed records.

    Parameters
    ----------
    window:
        Arrival times. A record without a time is only in the unlimited window.
    reason:
        Text that the reason contains, ignoring case.
    """

    window: Window = field(default_factory=Window)
    reason: str = ""

    def takes(self, record: FailedRecord) -> bool:
        """Whether this record is chosen."""
        if self.reason.lower() not in record.reason.lower():
            return False
        if record.arrived is None:
            return self.window == Window()
        return self.window.holds(record.arrived)


@dataclass
class Group:
    """Failed records of one reason."""

    reason: str
    records: int = 0
    replayed: int = 0
    passes: int = 0
    first: datetime | None = None
    last: datetime | None = None
    orders: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> int:
        """Number of records not replayed yet."""
        return self.records - self.replayed

    def add(self, record: FailedRecord, *, replayed: bool) -> None:
        """Count a record."""
        self.records += 1
        self.replayed += replayed
        self.passes += record.passes and not replayed
        if record.order and len(self.orders) < 10_000:  # bounds memory
            self.orders.add(record.order)
        if record.arrived:
            self.first = min(self.first or record.arrived, record.arrived)
            self.last = max(self.last or record.arrived, record.arrived)

    def to_json(self) -> dict[str, Any]:
        """For programs; times in ISO 8601."""
        return {
            "reason": self.reason,
            "records": self.records,
            "waiting": self.waiting,
            "replayed": self.replayed,
            "would_pass": self.passes,
            "orders": len(self.orders),
            "first": self.first and self.first.isoformat(),
            "last": self.last and self.last.isoformat(),
        }


@dataclass
class Tally:
    """The result of a replay, as counts of records.

    Attributes
    ----------
    chosen:
        Sum of all the others.
    sent:
        Put into the stream by this run.
    arrived_before:
        Sent by a run that was interrupted before it could record this.
    already:
        Replayed by an earlier run.
    would_fail:
        Not sent: the transform would reject them again.
    unreadable:
        Not sent: there is no data to send.
    left:
        Not sent: this run stopped before.
    """

    chosen: int = 0
    sent: int = 0
    arrived_before: int = 0
    already: int = 0
    would_fail: int = 0
    unreadable: int = 0
    left: int = 0

    def to_json(self) -> dict[str, int]:
        """For programs."""
        return asdict(self)


class Replay:
    """The failed records of a stack.

    Parameters
    ----------
    on_progress:
        Called after each object with the bytes of objects done and the total.
    stop:
        When set, no further call is started.
    """

    def __init__(
        self,
        account: Account,
        *,
        on_progress: Callable[[int, int], None] = lambda *_: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._s3 = account.client("s3")
        self._kinesis = account.client("kinesis")
        self._bucket = account["bucketName"]
        self._stream = account["kinesisStreamName"]
        self._stream_arn = stream_arn(account)
        self._schema = account.schema()
        self._judge = judge(self._schema)
        self._ledgers = Ledgers(self._s3, self._bucket)
        self._sender = Sender(self._kinesis, self._stream)
        self._progress = on_progress
        self._stop = stop or threading.Event()
        self.problems: list[str] = []

    def groups(self, choice: Choice) -> list[Group]:
        """The chosen records by reason, the most frequent first."""
        found: dict[str, Group] = {}
        for ledger, chosen in self._objects(choice):
            for record in chosen:
                group = found.setdefault(record.reason, Group(record.reason))
                group.add(record, replayed=record.line in ledger.replayed)
        return sorted(found.values(), key=lambda group: (-group.records, group.reason))

    def run(self, choice: Choice, *, dry_run: bool = False, force: bool = False) -> Tally:
        """Send the chosen records not yet sent that would pass (or all, with ``force``).

        Raises
        ------
        ReplayError
            Another run is active, or Kinesis keeps rejecting records. The ledger is up to date.
        """
        tally = Tally()
        for ledger, chosen in self._objects(choice):
            self._object(ledger, chosen, tally, dry_run=dry_run, force=force)
        return tally

    def _objects(self, choice: Choice) -> Iterator[tuple[Ledger, list[FailedRecord]]]:
        found = failed.objects(self._s3, self._bucket, choice.window)
        total, done = sum(one.size for one in found), 0
        self._progress(done, total)
        for one in found:
            try:
                body = failed.read(self._s3, self._bucket, one.key)
            except ReplayError as error:
                self.problems.append(str(error))
            else:
                ledger = self._ledgers.get(one.key)
                erased = ledger.erased_from(body)
                read = failed.records(body, self._judge, self._schema, erased)
                yield ledger, [record for record in read if choice.takes(record)]
            done += one.size
            self._progress(done, total)

    def _object(
        self,
        ledger: Ledger,
        chosen: Sequence[FailedRecord],
        tally: Tally,
        *,
        dry_run: bool,
        force: bool,
    ) -> None:
        tally.chosen += len(chosen)
        tally.already += sum(record.line in ledger.replayed for record in chosen)
        chosen = [record for record in chosen if record.line not in ledger.replayed]
        if ledger.pending and not self._stop.is_set():
            found = self._resolve(ledger, dry_run=dry_run)
            tally.arrived_before += sum(record.line in found for record in chosen)
            chosen = [record for record in chosen if record.line not in found]
        to_send = []
        for record in chosen:
            if record.data is None:
                tally.unreadable += 1
            elif record.passes or force:
                to_send.append(record)
            else:
                tally.would_fail += 1
        if dry_run:
            tally.sent += len(to_send)
            return
        for start in range(0, len(to_send), _CHUNK):
            self._chunk(ledger, to_send[start : start + _CHUNK], tally)

    def _chunk(self, ledger: Ledger, chunk: Sequence[FailedRecord], tally: Tally) -> None:
        if self._stop.is_set():
            tally.left += len(chunk)
            return
        self._ledgers.begin(ledger, [record.line for record in chunk], self._now())
        outgoing = [Outgoing(r.line, r.data or b"", r.partition_key) for r in chunk]
        receipts: dict[int, Receipt] = {}
        try:
            for wave in waves(outgoing):
                if self._stop.is_set():
                    break
                receipts |= self._sender.put(wave)
        except NotSentError as error:
            receipts |= error.receipts
            raise
        finally:
            self._ledgers.end(ledger, receipts, in_doubt=self._sender.in_doubt)
            tally.sent += len(receipts)
            tally.left += len(chunk) - len(receipts)

    def _resolve(self, ledger: Ledger, *, dry_run: bool) -> Mapping[int, Receipt]:
        """Find out which pending lines of an interrupted run are in the stream."""
        body = failed.read(self._s3, self._bucket, ledger.failed_key)
        erased = ledger.erased_from(body)
        lines = {r.line: r for r in failed.records(body, self._judge, self._schema, erased)}
        data = {n: lines[n].data or b"" for n in ledger.pending if n in lines}
        found = find_sent(self._kinesis, self._stream_arn, data, ledger.since)
        if not dry_run:
            self._ledgers.end(ledger, found, in_doubt=False)
        return found

    def _now(self) -> int:
        """The current epoch second by AWS's clock."""
        answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=REPLAYED_PREFIX, MaxKeys=1)
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        return int(email.utils.parsedate_to_datetime(date).timestamp())


def stream_arn(account: Account) -> str:
    """The Kinesis stream's ARN, from the table's account and region."""
    _, partition, _, region, number, _ = account["tableArn"].split(":", 5)
    return f"arn:{partition}:kinesis:{region}:{number}:stream/{account['kinesisStreamName']}"
