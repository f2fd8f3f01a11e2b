"""The demo: write orders, deliver their changes, query them with Athena and check the result."""

from __future__ import annotations

import base64
import math
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

import analytics
import generator
from client.query import Row
from local.account.aws import Credentials
from local.chain import Hops, LocalChain
from local.commands.batch import run_batch
from local.commands.garbage import garbage, put
from local.commands.truth import differences, table_items
from local.errors import LocalError
from local.standins import spark
from schema import ORDERS, Schema

STALL_SECONDS = 30.0
"""If nothing moves for this long and for as long as buffers hold records, the missing are lost."""
TICK_SECONDS = 0.1
_SCHEDULE = "cron(10 3 1 1 ? *)"
"""Makes the view current_orders read the batch's table. Once a year, because the demo starts the
job itself."""
IN_TABLE = (
    "SELECT "  # noqa: S608
    + ", ".join(
        f"CAST({c.name} AS timestamp(3)) AS {c.name}" if c.type == "timestamp" else c.name
        for c in ORDERS.columns
    )
    + " FROM orders WHERE event_type <> 'REMOVE'"
)


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What to run.

    Parameters
    ----------
    stack:
        Deploy with the settings of ``Pulumi.<stack>.yaml``.
    plan:
        What the generator writes.
    garbage:
        How many malformed or invalid records to put into the stream.
    batch:
        Also run the Spark job, and read the current orders from its table.
    deployed_buffers:
        Let Firehose buffer for as long as the stack file says, instead of for a second.
    """

    stack: str
    plan: generator.Plan
    garbage: int = 0
    batch: bool = False
    deployed_buffers: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The demo's results; see `to_json`."""

    written: Mapping[str, int]
    captured: int
    bridged: int
    delivered: int
    failed: int
    lost: int
    objects: int
    current_orders: int
    table_items: int
    matches_table: bool
    crawled_tables: Sequence[str]
    latency_ms: Mapping[str, float]
    seconds: float
    problems: Sequence[str]
    revenue: list[Row]
    life: list[Row]
    life_of: str
    now: list[Row]
    batch: Mapping[str, Any] | None = None

    @property
    def good(self) -> bool:
        """Whether nothing is lost and the lake equals the table."""
        return self.lost == 0 and self.matches_table and not self.problems

    def to_json(self) -> dict[str, Any]:
        """The counts: changes written, records per hop, and rows found by the final queries."""
        names = (
            "written captured bridged delivered failed lost objects current_orders table_items "
            "matches_table crawled_tables latency_ms seconds"
        )
        counts = {name: getattr(self, name) for name in names.split()}
        if self.batch is not None:
            counts["batch"] = dict(self.batch)
        return counts | ({"problems": list(self.problems)} if self.problems else {})


class Watch:
    """Records when each change was written and when its row became queryable."""

    def __init__(self) -> None:
        self._written: dict[str, list[float]] = defaultdict(list)
        self._seen: dict[str, dict[str, float]] = defaultdict(dict)

    def written(self, operation: generator.Operation) -> None:
        """Record a write (the generator's journal)."""
        self._written[operation.orderid].append(time.time())

    def delivered(self, at: float, rows: Sequence[bytes]) -> None:
        """Record rows that are now in the lake."""
        for row in rows:
            event = orjson.loads(row)
            self.seen(event[ORDERS.key], event["sequence_number"], at)

    def seen(self, order: str, sequence_number: str, at: float) -> None:
        """Record a row; only the first time counts."""
        self._seen[order].setdefault(sequence_number, at)

    def unseen(self) -> list[float]:
        """When the changes were written whose rows have not been seen."""
        written = list(self._written.items())  # at once: another thread writes
        return [one for order, times in written for one in times[len(self._seen[order]) :]]

    def latencies_ms(self) -> list[float]:
        """Time from write to queryable for each change; an order's n-th row is its n-th write."""
        return sorted(
            (seen - written) * 1000
            for order, times in self._written.items()
            for written, (_, seen) in zip(times, sorted(self._seen[order].items()), strict=False)
        )


class Demo:
    """One run; another thread may read `counts` while it runs.

    Parameters
    ----------
    say:
        Called with a short description of each step.
    tick:
        Called several times per second with the changes written and the counts so far.
    """

    def __init__(
        self,
        plan: DemoPlan,
        *,
        say: Callable[[str], None] = lambda _: None,
        tick: Callable[[int, Hops], None] = lambda *_: None,
    ) -> None:
        self._plan = plan
        self._say = say
        self._tick = tick
        self._watch = Watch()
        self._report = generator.Report()
        self._stop = threading.Event()

    def run(self) -> Summary:
        """Start, write, deliver, crawl, query, stop.

        Raises
        ------
        LocalError
            If the run cannot finish.
        """
        began = time.monotonic()
        overrides = dict(self._plan.overrides)
        if self._plan.batch:
            spark.check()
            spark.jars()
            overrides |= {"batchSchedule": _SCHEDULE, "packSchedule": ""}
        with tempfile.TemporaryDirectory(prefix="sales-cdc-") as directory:
            stack = LocalChain(
                self._plan.stack,
                Path(directory),
                overrides=overrides,
                say=self._say,
                on_delivered=self._watch.delivered,
                deployed_buffers=self._plan.deployed_buffers,
            )
            with stack:
                for name, (here, there, why) in stack.deployment.overrides.items():
                    self._say(f"differs from {self._plan.stack}: {name}={here}, not {there}: {why}")
                sent = self._write(stack)
                written = self._report.written
                drain(stack, written + len(sent), lambda hops: self._tick(written, hops))
                return self._conclude(stack, sent, began)

    def _write(self, stack: LocalChain) -> list[bytes]:
        """Write the orders as the writer role, mixed with the garbage."""
        self._say("writing orders")
        writer = stack.user("writer", stack.outputs["writerPolicyArn"])
        client = stack.aws.client("dynamodb", writer)
        sent = list(garbage(self._plan.garbage, self._plan.plan.seed))
        failure: list[BaseException] = []

        def work() -> None:
            try:
                self._report = generator.write(
                    client,
                    stack.outputs["tableName"],
                    generator.operations(self._plan.plan),
                    rate=self._plan.plan.rate,
                    duration=self._plan.plan.duration,
                    journal=self._watch.written,
                    on_progress=self._progress,
                    stop=self._stop,
                )
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=work, name="generator", daemon=True)
        thread.start()
        try:
            put(stack.aws.client("kinesis"), stack.outputs["kinesisStreamName"], sent)
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                self._tick(self._report.written, stack.hops())
                stack.check()
        finally:
            self._stop.set()
            thread.join()
        if failure:
            raise LocalError(f"the generator stopped: {failure[0]}") from failure[0]
        return sent

    def _progress(self, report: generator.Report) -> None:
        self._report = report

    def _conclude(self, stack: LocalChain, sent: Sequence[bytes], began: float) -> Summary:
        outputs = stack.outputs
        figures = None
        if self._plan.batch:
            self._say("merging the log into the Iceberg table with Spark")
            figures = run_batch(stack)
        self._say("crawling")
        crawled = self._crawl(stack)
        self._say("querying Athena")
        reader = stack.user("reader", outputs["readerPolicyArn"])
        log, failed = outputs["projectionTable"], outputs["failedTable"]
        query = Asker(stack, reader)
        # Failed records are raw data, which a reader may not see.
        operator = stack.user("operator", outputs["operatorPolicyArn"], outputs["readerPolicyArn"])
        ((events,),) = _values(query(f"SELECT count(DISTINCT event_id) FROM {log}"))  # noqa: S608
        raw = Counter(
            base64.b64decode(text or "")
            for (text,) in _values(stack.ask(f"SELECT rawdata FROM {failed}", operator))  # noqa: S608
        )
        current = query("SELECT * FROM current_orders")
        items = table_items(stack.aws.client("dynamodb"), outputs["tableName"])
        differing = differences(ORDERS, items, current)
        if figures is not None:  # the view also reads the log, so check the table on its own
            current = query(IN_TABLE)
            differing += differences(ORDERS, items, current)
        not_kept = sum((Counter(sent) - raw).values())
        unexpected = sum((raw - Counter(sent)).values())
        hops = stack.hops()
        delivered = int(events or 0)
        missing = self._report.written - hops.filtered - delivered - unexpected
        latencies = self._watch.latencies_ms()
        life_of = self._telling_order(query, log)
        return Summary(
            written={
                "insert": self._report.inserted,
                "modify": self._report.updated,
                "remove": self._report.deleted,
            },
            captured=hops.captured,
            bridged=hops.bridged,
            delivered=delivered,
            failed=sum(raw.values()),
            lost=missing + not_kept,
            objects=hops.objects,
            current_orders=len(current),
            table_items=len(items),
            matches_table=not differing,
            crawled_tables=crawled,
            latency_ms={"p50": quantile(latencies, 0.5), "p99": quantile(latencies, 0.99)},
            seconds=round(time.monotonic() - began, 1),
            problems=self._problems(stack, differing, unexpected),
            # A seeded run places its orders at fixed dates, which may be long ago.
            revenue=query.saved("revenue_by_product", days="3650"),
            life=query.saved("history", orderid=life_of) if life_of else [],
            life_of=life_of,
            now=[row for row in current if row[ORDERS.key] == life_of],
            batch=figures,
        )

    def _problems(self, stack: LocalChain, differing: Sequence[str], unexpected: int) -> list[str]:
        told = []
        if self._report.failed:
            told.append(f"{self._report.failed} changes could not be written to the table")
        if unexpected:
            told.append(f"{unexpected} valid changes ended as failed records")
        if dead := stack.hops().dead_lettered:
            told.append(f"the pipe gave up on {dead} changes: see its dead-letter queue")
        if differing:
            told += [f"current orders differ from the table: {one}" for one in differing[:5]]
            told += [f"... and {len(differing) - 5} more"] if len(differing) > 5 else []
        return told

    def _crawl(self, stack: LocalChain) -> list[str]:
        glue = stack.aws.client("glue")
        name = stack.outputs["crawlerName"]
        glue.start_crawler(Name=name)
        while glue.get_crawler(Name=name)["Crawler"]["State"] != "READY":
            time.sleep(TICK_SECONDS)
        stack.crawlers.by_name[name].wait()
        pages = glue.get_paginator("get_tables").paginate(
            DatabaseName=stack.outputs["databaseName"]
        )
        names = [table["Name"] for page in pages for table in page["TableList"]]
        return sorted(one for one in names if one.startswith("crawled_"))

    def _telling_order(self, query: Asker, log: str) -> str:
        """The order with the most changes that still exists."""
        rows = query(
            f"SELECT {ORDERS.key} FROM {log} "  # noqa: S608
            f"WHERE {ORDERS.key} IN (SELECT {ORDERS.key} FROM current_orders) "
            f"GROUP BY {ORDERS.key} ORDER BY count(DISTINCT event_id) DESC, {ORDERS.key} LIMIT 1"
        )
        return str(rows[0][ORDERS.key]) if rows else ""


def drain(stack: LocalChain, expected: int, tick: Callable[[Hops], None]) -> None:
    """Wait until every record has settled, or nothing has moved for too long."""
    last, since = stack.hops(), time.monotonic()
    most = STALL_SECONDS + stack.longest_wait
    while last.settled < expected and time.monotonic() - since < most:
        time.sleep(TICK_SECONDS)
        stack.check()
        hops = stack.hops()
        tick(hops)
        if hops != last:
            last, since = hops, time.monotonic()


class Asker:
    """Runs queries as the reader role, in the stack's workgroup and database."""

    def __init__(self, stack: LocalChain, reader: Credentials, schema: Schema = ORDERS) -> None:
        self._stack, self._reader = stack, reader
        self._saved = {query.name: query for query in analytics.load_queries(schema)}

    def __call__(self, sql: str, parameters: Sequence[str] = ()) -> list[Row]:
        """Run one statement and return its rows."""
        return self._stack.ask(sql, self._reader, parameters)

    def saved(self, name: str, **values: str) -> list[Row]:
        """Run one of the project's saved queries."""
        query = self._saved[name]
        return self(query.sql, query.bind(values))


def _values(rows: list[Row]) -> list[tuple[str | None, ...]]:
    return [tuple(row.values()) for row in rows]


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of sorted values; 0 if there are none."""
    if not values:
        return 0.0
    return round(values[max(0, math.ceil(share * len(values)) - 1)], 1)
