"""Take a snapshot: read the table part by part, write chunk by chunk, resumable at any time."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from operate.account import Account, ReplayError
from operate.scanning import Pace
from operate.snapshot import capture, writing
from operate.snapshot.capture import Capture
from operate.snapshot.estimate import Estimate
from operate.snapshot.reading import Batch, Export, Scan, Source
from operate.snapshot.state import Method, Part, SpentError, State, States
from schema.layout import EXPORTS_PREFIX

OUTPUTS = (
    "tableName",
    "pipeName",
    "bucketName",
    "databaseName",
    "projectionTable",
    "failedTable",
    "workgroupName",
)
OLDEST = timedelta(hours=20)
"""How old what is still to be written may be. The batch job looks back at least 24 hours for rows
that arrive late."""
_FIRST_POLL_SECONDS, _MOST_POLL_SECONDS = 0.5, 20.0


@dataclass(frozen=True)
class Outcome:
    """What a run has come to; counts of the whole snapshot, including earlier runs.

    Attributes
    ----------
    items:
        Read from the table: rows + failed.
    failed:
        Items that do not fit the schema, kept as failed records.
    seconds:
        Of this run.
    """

    id: str
    method: Method
    items: int
    rows: int
    failed: int
    seconds: float
    finished: bool

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}


class Snapshot:
    """A snapshot of a stack's table.

    Parameters
    ----------
    method:
        None continues an unfinished one, or else exports if point-in-time recovery is on.
    read_units:
        Maximum read capacity units a second for the scan.
    segments:
        Segments of the scan, or files of the export, to read at once.
    chunk_bytes:
        Size of an object's rows as JSON.
    on_progress:
        Called with the items read so far and how many there are about.
    say:
        Called with what the user should know.
    stop:
        When set, what has been read is written, and no more is read.
    """

    def __init__(
        self,
        account: Account,
        *,
        method: Method | None = None,
        read_units: float = 200,
        segments: int = 4,
        chunk_bytes: int = writing.CHUNK_BYTES,
        on_progress: Callable[[int, int], None] = lambda *_: None,
        say: Callable[[str], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._account = account
        self._dynamodb = account.client("dynamodb")
        self._s3 = account.client("s3")
        self._bucket = account["bucketName"]
        self._states = States(self._s3, self._bucket)
        self._method = method
        self._read_units = read_units
        self._segments = segments
        self._chunk_bytes = chunk_bytes
        self._progress = on_progress
        self._say = say
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()  # of state and counts
        self._seen = 0

    def estimate(self) -> Estimate:
        """What a new snapshot would take."""
        captured = Capture.of(self._account)
        return Estimate.of(
            captured, self._choose(), read_units=self._read_units, chunk_bytes=self._chunk_bytes
        )

    def take(self) -> Outcome:
        """Take it, or the rest of it if it was interrupted.

        Raises
        ------
        ReplayError
            The pipe does not capture every change, the export failed, or another run has taken
            over. What is written stays; the next run continues.
        """
        started = time.monotonic()
        captured = Capture.of(self._account)
        writer = writing.Writer(self._account, self._account.schema())
        state = self._continue_or_begin(captured)
        try:
            source, expected = self._source(state, captured)
            if source:
                self._read(state, source, writer, expected)
            state.finished = bool(source) and all(part.done for part in state.parts)
        except SpentError:
            state.finished = True
            raise
        finally:
            if state.finished:
                self._states.save(state)
        return Outcome(
            state.id,
            state.method,
            state.total("items"),
            state.total("rows"),
            state.total("failed"),
            time.monotonic() - started,
            state.finished,
        )

    def _choose(self) -> Method:
        """The method for a new snapshot."""
        if self._method == "scan":
            return "scan"
        if capture.recoverable(self._account):
            return "export"
        if self._method == "export":
            name = self._account["tableName"]
            raise ReplayError(
                f"an export needs point-in-time recovery, which is off for table {name}: switch it "
                f"on (aws dynamodb update-continuous-backups --table-name {name} "
                "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true; for a "
                "table of the stack, the setting pointInTimeRecovery), or use --scan"
            )
        return "scan"

    def _continue_or_begin(self, captured: Capture) -> State:
        last = self._states.latest()
        if last and not last.finished:
            problem = self._outdated(last, captured)
            if problem is None:
                self._states.save(last)  # from now on, a run that still writes it stops
                self._say(f"continuing snapshot {last.id}: {last.total('items'):,} items are done")
                return last
            self._say(f"snapshot {last.id} cannot be continued: {problem}. Beginning a new one")
        return self._states.begin(
            self._choose(),
            table_id=captured.id,
            stream=captured.stream,
            segments=self._segments,
        )

    def _outdated(self, state: State, captured: Capture) -> str | None:
        """Why an unfinished snapshot cannot be continued."""
        # A scan's next rows are as old as its last page, an export's as old as the export.
        since = state.export_time if state.method == "export" else state.saved
        if self._method and self._method != state.method:
            return f"it reads the table by {state.method}"
        if (state.table_id, state.stream) != (captured.id, captured.stream):
            return "the table or its stream is another one since"
        if captured.since > state.began:
            return "the pipe was created after it"
        if since and self._states.now - since > OLDEST:
            return f"it was interrupted more than {OLDEST // timedelta(hours=1)} hours ago"
        return None

    def _source(self, state: State, captured: Capture) -> tuple[Source | None, int]:
        """What to read from, and how many items there are about."""
        if state.method == "export":
            return self._export(state, captured)
        pace, segments = Pace(self._read_units), len(state.parts)
        return Scan(self._dynamodb, captured.table, segments=segments, pace=pace), captured.items

    def _export(self, state: State, captured: Capture) -> tuple[Source | None, int]:
        """The completed export and its count of items; no export if stopped before."""
        if state.export_arn is None:
            asked = self._dynamodb.export_table_to_point_in_time(
                TableArn=captured.arn,
                S3Bucket=self._bucket,
                S3Prefix=EXPORTS_PREFIX.rstrip("/"),
                ExportFormat="DYNAMODB_JSON",
                ClientToken=state.id,  # a run that was killed here does not export twice
            )["ExportDescription"]
            state.export_arn, state.export_time = asked["ExportArn"], asked["ExportTime"]
            self._states.save(state)
        described = self._completed(state)
        if described is None or state.export_time is None:
            return None, 0
        export = Export(self._s3, self._bucket, described["ExportArn"], state.export_time)
        files = export.files()
        if not state.parts:
            state.parts = [Part(file, state.export_time) for file in sorted(files)]
            self._states.save(state)
        return export, sum(files.values())

    def _completed(self, state: State) -> Any:
        """The completed export's description; None if stopped before."""
        pause = _FIRST_POLL_SECONDS
        while True:
            described = self._dynamodb.describe_export(ExportArn=state.export_arn)
            export = described["ExportDescription"]
            match export["ExportStatus"]:
                case "COMPLETED":
                    return export
                case "FAILED":
                    raise SpentError(
                        f"the export failed ({export.get('FailureCode')}: "
                        f"{export.get('FailureMessage')}): run this again for a new one, or with "
                        "--scan"
                    )
            if pause == _FIRST_POLL_SECONDS:
                self._say("DynamoDB exports the table, which takes minutes or more")
            if self._stop.wait(pause):
                return None
            pause = min(_MOST_POLL_SECONDS, pause * 2)

    def _read(self, state: State, source: Source, writer: writing.Writer, expected: int) -> None:
        """Read all parts that are not done, several at once."""
        self._seen = state.total("items")
        over = threading.Event()
        errors: list[BaseException] = []
        left: queue.SimpleQueue[int] = queue.SimpleQueue()
        for index, part in enumerate(state.parts):
            if not part.done:
                left.put(index)

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while not over.is_set():
                    index = left.get_nowait()
                    try:
                        self._part(state, index, source, writer, over)
                    except BaseException as error:  # raised again below
                        errors.append(error)
                        over.set()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._segments)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
                self._progress(self._seen, max(expected, self._seen))
                if self._stop.is_set():
                    over.set()
        if errors:
            raise errors[0]

    def _part(
        self,
        state: State,
        index: int,
        source: Source,
        writer: writing.Writer,
        over: threading.Event,
    ) -> None:
        part, chunk, last = state.parts[index], writing.Chunk(), None
        for batch in source.batches(part, over):
            writer.add(chunk, batch)
            with self._lock:
                self._seen += len(batch.items)
            last = batch
            if batch.done or chunk.full(self._chunk_bytes):
                self._commit(state, index, writer, chunk, batch)
                chunk, last = writing.Chunk(), None
        if last:  # stopped
            self._commit(state, index, writer, chunk, last)

    def _commit(
        self, state: State, index: int, writer: writing.Writer, chunk: writing.Chunk, batch: Batch
    ) -> None:
        """Write the chunk, then that it is written."""
        part = state.parts[index]
        after = None if batch.done else batch.after
        writer.write(chunk, writing.object_name(state.id, index, part.chunk, after), part.since)
        with self._lock:
            if state.export_time and self._states.now - state.export_time > OLDEST:
                hours = OLDEST // timedelta(hours=1)
                raise SpentError(
                    f"the export is more than {hours} hours old: run this again for a new one, "
                    "with more --segments, or with --scan"
                )
            part.after, part.done, part.since = after, batch.done, batch.moment
            part.chunk += 1
            part.items += chunk.rows + chunk.failed
            part.rows += chunk.rows
            part.failed += chunk.failed
            self._states.save(state)
