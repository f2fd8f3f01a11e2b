"""A local stack whose hops can be killed and replaced while orders are written."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generator
from chaos.injector import FaultyFirehose, FaultyPipe, Injector, KilledError
from local.chain import Hops, LocalChain
from local.commands.garbage import garbage, put
from local.commands.operator import LocalAccount
from local.standins.worker import Worker
from operate.erasing import Choice, Erasure

OVERRIDES = {
    "batchWindowSeconds": "0",
    # Few retries, so that the pipe gives up on a poison record soon.
    "maximumRetryAttempts": "3",
}


class Rig:
    """The stack and its writers; use it as a context manager.

    Attributes
    ----------
    journal:
        The number of changes to each order, as recorded by the writers.
    garbage:
        The invalid records that were put into the stream.
    erased:
        The orders that were erased from the lake.
    """

    def __init__(self, directory: Path, *, stack: str = "dev") -> None:
        self.injector = Injector()
        self.stack = LocalChain(stack, directory, overrides=OVERRIDES)
        self.journal: Counter[str] = Counter()
        self.written = 0
        self.garbage: Counter[bytes] = Counter()
        self.erased: set[str] = set()
        self.trouble: BaseException | None = None
        self._lock = threading.Lock()
        self._past = Hops()
        self._pipe_positions: dict[str, str] = {}
        self._firehose_positions: dict[str, str] = {}
        self._stop = threading.Event()
        self._writing: threading.Thread | None = None
        self._before = threading.excepthook

    def __enter__(self) -> Rig:
        threading.excepthook = self._quiet
        self.stack.start()
        for worker in self.stack.workers:  # replaced by their faulty versions, before any order
            worker.stop()
        self.account = LocalAccount(
            self.stack,
            self.stack.user(
                "operator",
                self.stack.outputs["operatorPolicyArn"],
                self.stack.outputs["readerPolicyArn"],
            ),
        )
        self.eraser = LocalAccount(
            self.stack, self.stack.user("eraser", self.stack.outputs["eraserPolicyArn"])
        )
        self.start_firehose()
        self.start_pipe()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_writing()
        self.stack.stop()
        threading.excepthook = self._before

    # -- hops --------------------------------------------------------------------------------

    @property
    def pipe(self) -> FaultyPipe:
        """The current pipe."""
        (pipe,) = self.stack.pipes
        assert isinstance(pipe, FaultyPipe)
        return pipe

    @property
    def firehose(self) -> FaultyFirehose:
        """The current firehose."""
        (firehose,) = self.stack.firehoses
        assert isinstance(firehose, FaultyFirehose)
        return firehose

    def start_pipe(self) -> None:
        """Start a pipe that continues where the last one stopped."""
        self._remember(*self.stack.pipes)
        pipe = FaultyPipe(self.stack.aws, self.stack.pipes[0].definition, self._pipe_positions)
        pipe.injector = self.injector
        self.stack.pipes[:] = [pipe]
        pipe.start()

    def start_firehose(self, **given: Any) -> None:
        """Start a firehose that continues where the last one stopped; ``given`` overrides."""
        self._remember(*self.stack.firehoses)
        definition = dataclasses.replace(self._definition, **given)
        firehose = FaultyFirehose(self.stack.aws, definition, self._firehose_positions)
        firehose.injector = self.injector
        self.stack.firehoses[:] = [firehose]
        firehose.start()

    @property
    def _definition(self) -> Any:
        if not hasattr(self, "_declared"):
            self._declared = self.stack.firehoses[0].definition
        return self._declared

    def wait_dead(self, worker: Worker, seconds: float = 20.0) -> None:
        """Wait until a killed hop's thread has ended."""
        thread = worker._thread
        assert thread is not None
        thread.join(seconds)
        assert not thread.is_alive(), f"{worker.name} is still running"

    def hops(self) -> Hops:
        """The counts of all hops so far, including replaced ones."""
        now, past = dataclasses.asdict(self.stack.hops()), dataclasses.asdict(self._past)
        return Hops(**{name: now[name] + past[name] for name in now})

    def _remember(self, *workers: Worker) -> None:
        for worker in workers:
            counts = dataclasses.asdict(worker.counts)  # type: ignore[attr-defined]
            past = dataclasses.asdict(self._past)
            self._past = Hops(**{name: past[name] + counts.get(name, 0) for name in past})

    def lambda_processes(self) -> list[int]:
        """The processes in which the emulator runs functions."""
        emulator = self.stack.emulator._process
        assert emulator is not None
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[1]) == emulator.pid:
                    found.append(int(entry.name))
        return found

    # -- orders ------------------------------------------------------------------------------

    def start_writing(self, *, rate: float, seed: int, keep_journal: bool = True) -> None:
        """Place, change and delete orders in the background."""
        writer = self.stack.user("writer", self.stack.outputs["writerPolicyArn"])
        client = self.stack.aws.client("dynamodb", writer)
        plan = generator.Plan(rate=rate, duration=86_400, seed=seed, updates=0.4, deletes=0.1)

        def note(operation: generator.Operation) -> None:
            with self._lock:
                self.written += 1
                if keep_journal:
                    self.journal[operation.orderid] += 1

        def work() -> None:
            try:
                report = generator.write(
                    client,
                    self.stack.outputs["tableName"],
                    generator.operations(plan),
                    rate=plan.rate,
                    duration=plan.duration,
                    journal=note,
                    stop=self._stop,
                )
                assert not report.failed, f"{report.failed} changes were not written"
            except BaseException as error:  # raised by `check`, in the caller's thread
                self.trouble = error

        self._writing = threading.Thread(target=work, name="generator", daemon=True)
        self._writing.start()

    def stop_writing(self) -> None:
        """Stop writing orders."""
        self._stop.set()
        if self._writing:
            self._writing.join()
            self._writing = None

    def place(self, order: str) -> None:
        """Place one more order."""
        self.stack.aws.client("dynamodb").put_item(
            TableName=self.stack.outputs["tableName"],
            Item={"orderid": {"S": order}, "quantity": {"N": "1"}},
        )
        with self._lock:
            self.journal[order] += 1

    def delete(self, order: str) -> None:
        """Delete an order."""
        self.stack.aws.client("dynamodb").delete_item(
            TableName=self.stack.outputs["tableName"], Key={"orderid": {"S": order}}
        )
        with self._lock:
            self.journal[order] += 1

    def erase(self, *orders: str) -> list[str]:
        """Erase orders from the lake; what still holds them afterwards."""
        keys = [f"orderid={order}" for order in orders]
        outcome = Erasure(self.eraser, Choice(keys=keys)).run(dry_run=False)
        with self._lock:
            for order in orders:
                self.journal.pop(order, None)
                self.erased.add(order)
        return outcome.remaining or []

    def put_garbage(self, count: int, seed: int) -> None:
        """Put invalid records directly into the stream, bypassing the pipe."""
        records = list(garbage(count, seed))
        put(self.stack.aws.client("kinesis"), self.stack.outputs["kinesisStreamName"], records)
        self.garbage.update(records)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        """Wait for a condition; raises if a hop dies."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise AssertionError(f"within {seconds:.0f} s not {what}: {self.hops()}")
            time.sleep(0.01)

    def check(self) -> None:
        """Raise the error that ended a hop, the emulator or the generator."""
        if self.trouble:
            raise self.trouble
        self.stack.check()

    def _quiet(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_type is not KilledError:
            self._before(arguments)


def kill(process: int) -> None:
    """``kill -9``; ignores a process that is already gone."""
    try:
        os.kill(process, 9)
    except ProcessLookupError:
        return
