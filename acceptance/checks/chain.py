"""Checks of the data path: orders, garbage, dead letters, queries and the batch job."""

from __future__ import annotations

import base64
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from acceptance.actors import require_denied
from acceptance.errors import CheckFailedError
from acceptance.run import Run
from analytics import load_queries, load_views, schema_of
from local.commands import garbage as rubbish
from operate.dlq import DeadLetters
from operate.replaying import Choice, Replay
from schema import ORDERS

GARBAGE = 16
"""Number of invalid records: two of each kind."""
LARGE = 390_000
"""Characters of an order that DynamoDB accepts. Each takes two bytes in JSON, so one image fits
into a Kinesis record of 1 MiB, but not two."""
JOB_SECONDS = 1800.0
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")


def orders(run: Run) -> str:
    """Orders that are placed, changed and deleted with the writer policy alone arrive."""
    writer = run.acting_as("writer").client("dynamodb")
    require_denied("writer", lambda: writer.scan(TableName=run["tableName"], Limit=1))
    since = datetime.now(UTC) - timedelta(hours=1)
    sql = (
        f"SELECT {ORDERS.key}, sequence_number FROM {run['projectionTable']} "  # noqa: S608
        f"WHERE day >= '{since:%Y-%m-%d}'"
    )
    seen: dict[str, dict[str, float]] = defaultdict(dict)
    run.say(f"placing {run.orders:,} orders")
    with run.placing(run.orders) as (thread, writes):

        def arrived() -> bool:
            writing = thread.is_alive()
            rows, now = run.ask(sql), time.time()
            for row in rows:
                order = str(row[ORDERS.key])
                if order in writes.times:
                    seen[order].setdefault(str(row["sequence_number"]), now)
            count = sum(map(len, seen.values()))
            run.say(f"{writes_of(writes.times):,} changes written, {count:,} in the lake")
            return not writing and count >= writes_of(writes.times)

        run.wait("every change in the lake", arrived)
    run.latencies = sorted(
        seen_at - written
        for order, times in writes.times.items()
        for written, (_, seen_at) in zip(times, sorted(seen[order].items()), strict=False)
    )
    report = writes.report
    if min(report.inserted, report.updated, report.deleted) < 1:
        raise CheckFailedError(f"not every kind of change was written: {report.to_json()}")
    return f"{report.inserted:,} placed, {report.updated:,} updates, {report.deleted:,} deletes"


def writes_of(times: dict[str, list[float]]) -> int:
    """Number of changes that were written."""
    return sum(map(len, list(times.values())))


def verify(run: Run) -> str:
    """The lake equals the table, order by order and value by value."""
    verdict = run.verify()
    if not verdict.table_items:
        raise CheckFailedError("there are no orders to compare")
    return f"{verdict.equal:,} orders equal in every value"


def queries(run: Run) -> str:
    """Every saved query and every view succeeds with the reader policy alone."""
    reader = run.acting_as("reader")
    item: dict[str, Any] = {ORDERS.key: {"S": "nobody"}}
    require_denied(
        "reader", lambda: reader.client("dynamodb").put_item(TableName=run["tableName"], Item=item)
    )
    schema = schema_of(run.deployment.outputs)
    database = run["databaseName"]
    for view in load_views(database, schema):
        if not run.ask(f'SELECT * FROM "{view.name}" LIMIT 1'):  # noqa: S608 - our own view
            raise CheckFailedError(f"the view {view.name} returns no row")
    keys = ", ".join(f'"{key}"' for key in schema.keys)
    (some,) = run.ask(f"SELECT {keys} FROM {schema.current_view} LIMIT 1")  # noqa: S608
    shipped = {query.name: query for query in load_queries(schema)}
    saved = _saved(run, reader.client("athena"))
    if missing := shipped.keys() - saved.keys():
        raise CheckFailedError(f"not saved in the workgroup: {', '.join(sorted(missing))}")
    for name, query in shipped.items():
        run.say(f"running {name}")
        # The parameters without a default are an item's keys.
        asked = [p for p in query.parameters if p.default is None]
        values = {
            one.name: one.literal(str(some[key]))
            for one, key in zip(asked, schema.keys, strict=False)
        }
        run.ask(saved[name], [values[one] for one in query.placeholders if one in values])
    return f"{len(shipped)} queries and the views succeed"


def garbage(run: Run) -> str:
    """Invalid records end in the failed table; `replay failed` sends each once."""
    operator = run.acting_as("operator")
    sent = list(rubbish.garbage(GARBAGE, int(run.token, 16)))
    rubbish.put(operator.client("kinesis"), run["kinesisStreamName"], sent)

    def kept(times: int) -> bool:
        rows = operator.rows(f"SELECT rawdata FROM {run['failedTable']}")  # noqa: S608
        found = Counter(base64.b64decode(row["rawdata"] or "") for row in rows)
        return all(found[one] >= times for one in sent)

    run.say(f"waiting for {GARBAGE} records in the failed table")
    run.wait("every invalid record in the failed table", lambda: kept(1))
    first = Replay(operator).run(Choice(), force=True)
    if first.sent < GARBAGE:
        raise CheckFailedError(f"only {first.sent} of {GARBAGE} records were replayed")
    run.say("waiting until the replayed records fail again")
    run.wait("a second failed record of each", lambda: kept(2))
    again = Replay(operator).run(Choice())
    if again.sent or again.already < GARBAGE:
        raise CheckFailedError(f"a second replay sent {again.sent} records again")
    return f"{GARBAGE} records failed and were replayed once"


def pipe_restart(run: Run) -> str:
    """Orders placed while the pipe is stopped arrive after its start."""
    run.say("stopping the pipe")
    run.deployment.stop_pipe()
    try:
        report = run.place(max(10, run.orders // 10))
    finally:
        run.say("starting the pipe")
        run.deployment.start_pipe()
    verdict = run.verify()
    return f"{report.written:,} changes while stopped; {verdict.equal:,} orders equal"


def dead_letter(run: Run) -> str:
    """The pipe gives up a change that is too large for Kinesis; `replay dlq` resends it."""
    writer = run.acting_as("writer").client("dynamodb")
    order = {ORDERS.key: {"S": f"acceptance-large-{run.token}"}}
    try:
        for mark in ("first", "second"):  # only the second change has two images in its record
            note = {"S": mark + '"' * LARGE}
            writer.put_item(TableName=run["tableName"], Item={**order, "note": note})
        found = _replay_dead_letter(run, order[ORDERS.key]["S"])
        run.verify()
    finally:
        writer.delete_item(TableName=run["tableName"], Key=order)
    run.verify()
    return found


def _replay_dead_letter(run: Run, order: str) -> str:
    """Wait until the pipe has given up an order's second change, and resend it."""
    sql = (
        f"SELECT count(DISTINCT event_id) AS changes FROM {run['projectionTable']} "  # noqa: S608
        f"WHERE {ORDERS.key} = '{order}'"
    )
    size = "ApproximateNumberOfMessages"

    def arrived() -> bool:
        return run.ask(sql)[0]["changes"] == "2"

    def given_up() -> bool:
        asked = {"QueueUrl": run["dlqUrl"], "AttributeNames": [size]}
        return int(run.client("sqs").get_queue_attributes(**asked)["Attributes"][size]) > 0

    run.say("waiting until the pipe gives up a change")
    patience = 2 * run.deployment.patience  # the pipe pauses longer before each try
    run.wait("a dead letter", lambda: given_up() or arrived(), patience)
    if not given_up():
        raise CheckFailedError("Kinesis accepted a change that is too large for it")
    outcome = DeadLetters(run.acting_as("operator")).run()
    if outcome.kept or not outcome.sent:
        told = "; ".join([*outcome.problems, *map(str, outcome.gone)]) or "no reason given"
        raise CheckFailedError(
            f"{outcome.kept} of {outcome.messages} messages are still in the queue: {told}"
        )
    run.wait("the resent change in the lake", arrived)
    return f"{outcome.messages} messages, {outcome.sent} changes resent; all orders equal"


def batch(run: Run) -> str:
    """The batch job runs once, and current_orders, read from its table, still equals the table."""
    glue, job = run.client("glue"), run["batchJobName"]
    started = glue.start_job_run(JobName=job)["JobRunId"]
    run.say("running the Spark job")
    ended = run.wait("the end of the job", lambda: job_end(run, started), JOB_SECONDS)
    if ended["JobRunState"] != "SUCCEEDED":
        told = ended.get("ErrorMessage", "no reason given")
        raise CheckFailedError(f"the job ended with {ended['JobRunState']}: {told}")
    (row,) = run.ask("SELECT count(*) AS orders FROM orders WHERE event_type <> 'REMOVE'")
    verdict = run.verify()
    if int(row["orders"] or 0) != verdict.table_items:
        raise CheckFailedError(
            f"the job's table has {row['orders']} orders, DynamoDB {verdict.table_items}"
        )
    return f"{verdict.equal:,} orders equal, in {ended['ExecutionTime']} s"


def job_end(run: Run, identity: str) -> dict[str, Any] | None:
    """A run of the batch job if it has ended, else None."""
    answer = run.client("glue").get_job_run(JobName=run["batchJobName"], RunId=identity)
    found: dict[str, Any] = answer["JobRun"]
    return found if found["JobRunState"] in _ENDED else None


def _saved(run: Run, athena: Any) -> dict[str, str]:
    """The workgroup's saved queries."""
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=run["workgroupName"])
    identities = [one for page in pages for one in page["NamedQueryIds"]]
    found = [athena.get_named_query(NamedQueryId=one)["NamedQuery"] for one in identities]
    return {one["Name"]: one["QueryString"] for one in found}
