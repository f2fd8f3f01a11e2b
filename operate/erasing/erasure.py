"""Erase items from the lake: find what holds them, take them out, and read everything again.

Every step may be the last one of a run that is killed: the next run finds what is left. Each
object is replaced in one conditional write, so two runs, Firehose, a replay, the batch job and
packing can work at the same time; what they change first is found in the next round.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from client import errors
from client.prices import DATED, PRICES, REGION
from operate import ledger, values
from operate.account import Account, ReplayError, UsageError
from operate.erasing import lasting
from operate.erasing.audit import Record
from operate.erasing.formats import BrokenError, Edited, unpacked
from operate.erasing.places import Examine, Place, examiner, holds_data, places
from operate.erasing.runs import Runs
from operate.erasing.store import Store, Version
from operate.erasing.subject import Key, Subject, Words, parse_key
from operate.failed import line_numbers
from operate.snapshot.state import States
from schema import Schema

if TYPE_CHECKING:
    from operate.erasing.iceberg import IcebergTable

OUTPUTS = (
    "tableName",
    "bucketName",
    "databaseName",
    "workgroupName",
    "projectionTable",
    "kinesisStreamName",
    "dlqUrl",
)
_ROUNDS = 5
_THREADS = 4
_SHOWN = 20
_BAD_SQL = ("COLUMN_NOT_FOUND", "SYNTAX_ERROR", "TYPE_MISMATCH", "mismatched input", "line 1")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Whose rows, and how.

    Parameters
    ----------
    keys:
        As typed: ``orderid=o-1``.
    where:
        A condition on the log's columns, in SQL; every item with such a row is chosen.
    most:
        The most rows of the log that ``where`` may match.
    """

    keys: Sequence[str] = ()
    where: str | None = None
    most: int = 1_000
    pseudonymise: bool = False


@dataclass
class Amount:
    """How much of a place holds rows: objects and old versions of them, rows and bytes."""

    objects: int = 0
    versions: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Finding:
    """A version of an object that holds rows of the subject."""

    place: Place
    version: Version
    rows: int


@dataclass
class Survey:
    """What reading every version of the bucket has found."""

    findings: list[Finding] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    versions: int = 0
    bytes: int = 0
    seconds: float = 0.0

    @property
    def erasable(self) -> bool:
        """Whether anything found can be erased here."""
        return any(one.place.means != "none" for one in self.findings)

    def amounts(self) -> dict[str, Amount]:
        """By place."""
        found: dict[str, Amount] = {}
        for one in self.findings:
            amount = found.setdefault(one.place.name, Amount())
            amount.objects += one.version.current
            amount.versions += not one.version.current
            amount.rows += one.rows
            amount.bytes += one.version.size
        return found


@dataclass
class Outcome:
    """What a run has come to.

    Attributes
    ----------
    found:
        Before it, by place.
    remaining:
        What still holds rows after it, or may hold them because it cannot be read. None if nothing
        was to be erased.
    record:
        The key of the record of this erasure, if it changed anything.
    requests:
        To S3.
    """

    keys: int
    dry_run: bool
    pseudonymise: bool
    found: Mapping[str, Amount] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)
    dollars: float = 0.0
    minutes: float = 0.0
    remaining: list[str] | None = None
    later: list[lasting.Copy] = field(default_factory=list)
    record: str | None = None
    requests: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    def total(self) -> Amount:
        """Of all places."""
        all_ = [asdict(one) for one in self.found.values()]
        return Amount(**{name: sum(one[name] for one in all_) for name in asdict(Amount())})

    def to_json(self) -> dict[str, Any]:
        """For programs; no keys and no values."""
        remaining = self.remaining or []
        return {
            "dry_run": self.dry_run,
            "keys": self.keys,
            "pseudonymise": self.pseudonymise,
            **asdict(self.total()),
            "found": {name: asdict(one) for name, one in self.found.items()},
            "read": dict(self.read),
            "dollars": round(self.dollars, 6),
            "minutes": round(self.minutes, 3),
            "prices": f"{REGION}, {DATED}",
            "remaining": len(remaining) if not self.dry_run else None,
            "remaining_in": remaining[:_SHOWN],
            "later": [one.to_json() for one in self.later],
            "record": self.record,
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
        }


class Erasure:
    """One erasure.

    Parameters
    ----------
    on_progress:
        Called with the bytes read so far and the total, in each pass over the bucket.
    say:
        Told what is happening, in a line.
    stop:
        When set, no further object is changed.
    """

    def __init__(
        self,
        account: Account,
        choice: Choice,
        *,
        on_progress: Callable[[int, int], None] = lambda *_: None,
        say: Callable[[str], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._account = account
        self._choice = choice
        self._progress = on_progress
        self._say = say
        self._stop = stop or threading.Event()
        self._requests = 0
        self._s3 = account.client("s3")
        self._s3.meta.events.register("before-send.s3", self._count)
        self._store = Store(self._s3, account["bucketName"])
        self._texts: set[str] = set()
        self._personal: Words | None = None

    def run(self, *, dry_run: bool = True) -> Outcome:
        """Find the rows, and erase them unless it is a dry run.

        Raises
        ------
        ReplayError
            An item is still in the table, a snapshot is unfinished, or a permission is missing.
        """
        began = time.monotonic()
        schema = self._account.schema()
        subject = Subject(schema, self._keys(schema), self._choice.pseudonymise)
        outcome = Outcome(len(subject.keys), dry_run, subject.pseudonymise)
        if subject.pseudonymise and not subject.personal:
            raise UsageError(
                "--pseudonymise: the schema has no personal columns besides the key: declare them "
                "with personal=True, or remove the rows"
            )
        if subject.keys:
            self._check(subject)
            self._erase(subject, outcome, dry_run=dry_run)
        outcome.requests = self._requests
        outcome.seconds = time.monotonic() - began
        outcome.interrupted = self._stop.is_set()
        return outcome

    def _count(self, **_: Any) -> None:
        self._requests += 1

    def _erase(self, subject: Subject, outcome: Outcome, *, dry_run: bool) -> None:
        from operate.erasing.iceberg import IcebergTable  # noqa: PLC0415 - takes half a second

        runs = Runs(self._account, say=self._say, stop=self._stop)
        table = IcebergTable(
            self._account, self._store, subject, runs, say=self._say, stop=self._stop
        )
        table.check()
        survey = self._survey(subject)
        if not dry_run and not survey.findings and runs.wait():
            survey = self._survey(subject)  # a run had read the log before it was erased from
        outcome.found = survey.amounts()
        outcome.read = {"versions": survey.versions, "bytes": survey.bytes}
        self._estimate(survey, outcome)
        if self._stop.is_set():
            return
        outcome.later = lasting.copies(self._account, asked_athena=bool(self._choice.where))
        if dry_run:
            outcome.remaining = survey.unreadable
            return
        if survey.erasable:
            facts = {
                "by": self._account.client("sts").get_caller_identity()["Arn"],
                "pseudonymise": subject.pseudonymise,
                "keys": len(subject.keys),
                "found": {name: asdict(one) for name, one in outcome.found.items()},
            }
            record = Record(self._store, facts, subject.keys)
            record.begin()
            outcome.record = record.key
            survey = self._rounds(subject, table, runs, survey)
        outcome.remaining = [
            f"{one.version.key} (version {one.version.id})" for one in survey.findings
        ] + survey.unreadable
        if outcome.record:
            record.end({"remaining": None if self._stop.is_set() else len(outcome.remaining)})

    def _rounds(self, subject: Subject, table: IcebergTable, runs: Runs, survey: Survey) -> Survey:
        """Erase and read everything again, until a whole pass finds nothing."""
        for _ in range(_ROUNDS):
            self._act(subject, table, runs, survey)
            if self._stop.is_set():
                break
            self._say("reading everything again")
            survey = self._survey(subject)
            if not survey.erasable:
                break
        return survey

    # -- whose rows ------------------------------------------------------------------------------

    def _keys(self, schema: Schema) -> frozenset[Key]:
        keys = {parse_key(schema, text) for text in self._choice.keys}
        if self._choice.where is not None:
            keys |= self._where(schema, self._choice.where)
        return frozenset(keys)

    def _where(self, schema: Schema, where: str) -> set[Key]:
        """The items that have a row in the log for which this holds."""
        names = ", ".join(f'"{name}"' for name in schema.keys)
        numbers = ", ".join(str(n + 1) for n in range(len(schema.keys)))
        sql = (
            f"SELECT {names}, count(*) AS matched FROM {self._account['projectionTable']} "  # noqa: S608
            f"WHERE (\n{where}\n) GROUP BY {numbers} LIMIT {self._choice.most + 1}"
        )
        try:
            found = list(self._account.rows(sql))
        except ReplayError as error:
            if errors.is_denied(str(error)) or not any(one in str(error) for one in _BAD_SQL):
                raise
            raise UsageError(f"--where {where!r}: {error}") from None
        rows = sum(int(one["matched"] or 0) for one in found)
        if rows > self._choice.most:
            raise ReplayError(
                f"--where matches {'more than ' if len(found) > self._choice.most else ''}{rows:,} "
                f"rows, and --most allows {self._choice.most:,}: nothing was changed. Check the "
                "condition, or give --most"
            )
        return {values.key_of_row(schema, one) for one in found}

    def _check(self, subject: Subject) -> None:
        """Refuse what could not be finished.

        Raises
        ------
        ReplayError
            Says why, and what to do.
        """
        if not subject.pseudonymise and (there := self._in_the_table(subject)):
            raise ReplayError(
                f"{there:,} of these items are still in the table {self._account['tableName']}, "
                "and their next change would bring them back: delete them there first, or replace "
                "their personal columns by NULL with --pseudonymise. Nothing was changed"
            )
        state = States(self._s3, self._store.bucket).latest()
        if state and not state.finished:
            raise ReplayError(
                f"snapshot {state.id} is unfinished and would bring items back: finish it with "
                "python -m operate snapshot. Nothing was changed"
            )

    def _in_the_table(self, subject: Subject) -> int:
        """How many of the keys the table has."""
        dynamodb, name = self._account.client("dynamodb"), self._account["tableName"]
        table = dynamodb.describe_table(TableName=name)["Table"]
        kinds = {
            one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]
        }
        columns = [subject.schema[one] for one in subject.schema.keys]
        if any(column.type == "timestamp" for column in columns):
            raise ReplayError(
                "the table's key is a timestamp, whose text in the table is not that in the lake, "
                "so the item cannot be looked up: only --pseudonymise can be used"
            )
        there = 0
        for key in sorted(subject.keys):
            typed = {
                column.attribute: {kinds[column.attribute]: _binary(kinds[column.attribute], text)}
                for column, text in zip(columns, key, strict=False)
            }
            if len(key) == len(columns):
                answer = dynamodb.get_item(TableName=name, Key=typed, ConsistentRead=True)
                there += "Item" in answer
            else:
                answer = dynamodb.query(
                    TableName=name,
                    ConsistentRead=True,
                    Limit=1,
                    KeyConditionExpression="#k = :k",
                    ExpressionAttributeNames={"#k": columns[0].attribute},
                    ExpressionAttributeValues={":k": typed[columns[0].attribute]},
                )
                there += bool(answer["Items"])
        return there

    # -- find ------------------------------------------------------------------------------------

    def _survey(self, subject: Subject) -> Survey:
        """Read every version of every object."""
        began = time.monotonic()
        survey = Survey()
        all_ = places(subject.schema.name)
        versions: dict[Place, list[Version]] = {place: [] for place in all_}
        for version in self._store.versions():
            if version.size and holds_data(version.key):
                place = next(one for one in all_ if version.key.startswith(one.prefix))
                versions[place].append(version)
        total = sum(one.size for found in versions.values() for one in found)
        # Results last: the personal values to search them for come from the other places.
        ordered = [place for place in all_ if place.name != "results"]
        ordered += [place for place in all_ if place.name == "results"]
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="erase") as pool:
            for place in ordered:
                examine = examiner(place, subject, Words([text] for text in sorted(self._texts)))
                for version, edited in self._examined(pool, versions[place], examine):
                    survey.versions += 1
                    survey.bytes += version.size
                    self._progress(survey.bytes, total)
                    if isinstance(edited, str):
                        where = f"s3://{self._store.bucket}/{version.key} (version {version.id})"
                        survey.unreadable.append(f"{where}: {edited}")
                    elif edited:
                        self._texts |= edited.texts
                        if edited.rows:
                            survey.findings.append(Finding(place, version, edited.rows))
        survey.seconds = time.monotonic() - began
        return survey

    def _examined(
        self, pool: ThreadPoolExecutor, versions: Sequence[Version], examine: Examine
    ) -> Iterator[tuple[Version, Edited | str | None]]:
        """Each version with what it holds, or with why it cannot be read; None if it is gone."""

        def look(version: Version) -> tuple[Version, Edited | str | None]:
            if self._stop.is_set() or (content := self._store.read(version)) is None:
                return version, None
            try:
                edited = examine(content.body)
            except BrokenError as error:
                return version, str(error)
            edited.body, edited.plain = None, b""  # not kept: there may be many
            return version, edited

        waiting: deque[Future[tuple[Version, Edited | str | None]]] = deque()
        for version in versions:
            waiting.append(pool.submit(look, version))
            if len(waiting) > 2 * _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _estimate(self, survey: Survey, outcome: Outcome) -> None:
        """Dollars and minutes for erasing, and for reading everything once more."""
        puts = sum(one.place.means == "rewrite" and one.version.current for one in survey.findings)
        lists = 1 + survey.versions // 1_000
        gets = survey.versions + 2 * len(survey.findings)
        outcome.dollars = (puts + lists) * PRICES["lake puts"].usd + gets * PRICES["lake gets"].usd
        held = sum(one.version.size for one in survey.findings)
        outcome.minutes = survey.seconds / 60 * (1 + 3 * held / max(1, survey.bytes))

    # -- erase -----------------------------------------------------------------------------------

    def _act(self, subject: Subject, table: IcebergTable, runs: Runs, survey: Survey) -> None:
        """Erase what was found, place by place."""
        personal = Words([text] for text in sorted(self._texts))
        ledgers = ledger.Ledgers(self._s3, self._store.bucket)

        def act(one: Finding) -> None:
            if self._stop.is_set() or one.place.means in ("table", "none"):
                return
            if one.place.means == "rewrite" and one.version.current:
                self._rewrite(one, examiner(one.place, subject, personal), ledgers)
            else:
                self._store.delete(one.version)

        ordered = sorted(survey.findings, key=lambda one: one.place.order)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="erase") as pool:
            for _, found in groupby(ordered, key=lambda one: one.place.order):
                list(pool.map(act, found))
        held = [one.version for one in ordered if one.place.means == "table"]
        if self._stop.is_set():
            return
        if held:
            table.erase(held)
        else:  # a run that packs the log may still write what it has read
            runs.wait()

    def _rewrite(self, one: Finding, examine: Examine, ledgers: ledger.Ledgers) -> None:
        """Write an object anew; if it changed since it was read, the next round does it."""
        before = self._store.read(one.version)
        if before is None:
            return
        edited = examine(before.body)
        if edited.body is None:
            return
        if one.place.name == "failed" and not self._note(
            one.version.key, before.body, edited, ledgers
        ):
            return
        self._store.replace(one.version, before, edited.body)

    def _note(self, key: str, before: bytes, edited: Edited, ledgers: ledger.Ledgers) -> bool:
        """Note in the replay ledger which lines go; False if a replay is at work on the object.

        The ledger is written first, and says for which content it holds: whenever this stops,
        every line keeps the number under which a replay knows it.
        """
        known = ledgers.get(key)
        content = unpacked(before)
        gone = known.erased_from(content)
        lines = list(islice(line_numbers(gone), content.count(b"\n") + 1))
        after = sorted({*gone, *(lines[number] for number in edited.removed)})
        known.erased = {ledger.digest(content): list(gone)} if gone else {}
        known.erased[ledger.digest(edited.plain)] = after
        try:
            ledgers.save(known)
        except ReplayError:
            return False
        return True


def _binary(kind: str, text: str) -> Any:
    return base64.b64decode(text) if kind == "B" else text
