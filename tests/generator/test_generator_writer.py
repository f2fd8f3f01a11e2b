"""The writes: every change once, in order per order, whatever the table rejects."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from generator import Operation, Plan, WriteError, operations, write
from generator.pacer import Pacer
from generator.writer import ATTEMPTS, Report, _Feed
from tests.generator.generator_support import Account, FakeTable, client_error

START = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan(count=400, updates=0.5, deletes=0.2, seed=11, start=START)


def per_order(changes: list[Operation]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for operation in changes:
        found[operation.orderid].append(operation.expected)
    return found


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("concurrency", [1, 3, 16])
@pytest.mark.parametrize("trouble", [{}, {"throttle": 0.3}, {"unprocessed": 0.4}])
def test_every_order_changes_in_its_order_at_any_concurrency(
    concurrency: int, trouble: dict[str, float]
) -> None:
    table = FakeTable(**trouble)
    noted: list[Operation] = []
    report = write(table, "orders", operations(PLAN), concurrency=concurrency, journal=noted.append)
    planned = list(operations(PLAN))
    assert table.changes == per_order(planned) == per_order(noted)
    assert Counter(o.kind for o in planned) == {
        "insert": report.inserted,
        "update": report.updated,
        "delete": report.deleted,
    }
    assert report.failed == 0
    assert (report.throttled > 0) == bool(trouble)


def test_changes_go_out_in_full_batches() -> None:
    table = FakeTable()
    write(table, "orders", operations(Plan(count=2_000, seed=1)), concurrency=4)
    assert sum(table.calls) / len(table.calls) > 20


@pytest.mark.usefixtures("quick_retries")
def test_what_still_fails_is_counted_with_the_later_changes_of_its_order() -> None:
    planned = per_order(list(operations(PLAN)))
    lost = set(list(planned)[::10])
    inserts = [planned[order][0] for order in lost]
    # Only their inserts are turned back: what follows would be taken if it were tried.
    table = FakeTable(
        poison=lambda request: any(request == {"PutRequest": {"Item": i}} for i in inserts)
    )
    report = write(table, "orders", operations(PLAN), concurrency=4)
    assert table.changes == {order: all_ for order, all_ in planned.items() if order not in lost}
    assert report.failed == sum(len(planned[order]) for order in lost)
    assert report.written + report.failed == sum(map(len, planned.values()))


@pytest.mark.usefixtures("quick_retries")
def test_a_batch_is_given_up_after_the_last_failed_attempt() -> None:
    table = FakeTable(throttle=1)
    report = write(table, "orders", operations(Plan(count=5, updates=0, deletes=0)), concurrency=1)
    assert report.failed == 5
    assert table.calls == [5] * ATTEMPTS
    assert report.throttled == 5 * ATTEMPTS


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "error",
    [client_error("InternalServerError", 500), EndpointConnectionError(endpoint_url="http://x")],
)
def test_a_passing_failure_of_the_service_is_retried_and_is_no_throttling(error: Exception) -> None:
    table = FakeTable()
    usual, calls = table.batch_write_item, itertools.count()

    def failing_at_first(RequestItems: dict[str, list[Any]]) -> Any:
        if next(calls) < 3:
            raise error
        return usual(RequestItems)

    table.batch_write_item = failing_at_first  # type: ignore[method-assign]
    report = write(table, "orders", operations(PLAN), concurrency=2)
    assert (report.failed, report.throttled) == (0, 0)
    assert table.changes == per_order(list(operations(PLAN)))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_an_error_that_no_retry_can_fix_ends_the_run_at_once(code: str) -> None:
    table = FakeTable(error=client_error(code))
    with pytest.raises(WriteError, match=code) as caught:
        write(table, "orders", operations(Plan(seed=1)), concurrency=4)  # an endless plan
    assert caught.value.report.written == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (FakeTable(keys=("id",)), "its partition key is 'id', that of an order is 'orderid'"),
        (FakeTable(keys=("orderid", "status")), "sort key 'status' is not a column that an order"),
        (FakeTable(status="CREATING"), "it is CREATING; wait until it is ACTIVE"),
    ],
)
def test_a_table_that_does_not_fit_is_rejected(table: FakeTable, message: str) -> None:
    with pytest.raises(WriteError, match=message):
        write(table, "orders", operations(PLAN))
    assert not table.calls


def test_a_failure_of_the_journal_is_not_swallowed() -> None:
    def full(_: Operation) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left"):
        write(FakeTable(), "orders", operations(PLAN), journal=full)


def test_stop_ends_an_endless_run_and_leaves_no_thread() -> None:
    table, stop, seen = FakeTable(), threading.Event(), []

    def watch(report: Report) -> None:
        seen.append(report.written)
        if report.inserted > 200:
            stop.set()

    before = threading.active_count()
    report = write(table, "orders", operations(Plan(seed=1)), stop=stop, on_progress=watch)
    assert threading.active_count() == before
    assert report.written == sum(map(len, table.changes.values())) == seen[-1]
    assert seen == sorted(seen)


def test_stop_ends_the_wait_of_a_throttled_batch() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    begun = time.monotonic()
    report = write(FakeTable(throttle=1), "orders", operations(PLAN), stop=stop)
    assert time.monotonic() - begun < 3
    assert report.written == 0
    assert report.failed > 0


def test_duration_ends_an_endless_run_with_nothing_half_done() -> None:
    table = FakeTable()
    noted: list[Operation] = []
    report = write(
        table,
        "orders",
        operations(Plan(updates=0.6, seed=1, start=START)),
        duration=0.3,
        journal=noted.append,
    )
    made = list(
        itertools.islice(operations(Plan(updates=0.6, seed=1, start=START)), report.written)
    )
    assert per_order(noted) == per_order(made) == table.changes
    assert report.seconds < 2


class Clock:
    """A clock that advances on command."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("rate", [0.5, 200, 5_000])
def test_the_rate_is_kept_and_the_flow_is_even(rate: float) -> None:
    clock = Clock()
    feed = _Feed(operations(Plan(seed=1)), Pacer(rate, clock), threading.Event(), None)
    placed, step = 0, 0.4 / rate
    while clock.now < 1_000 + 2_000 / rate:
        while batch := feed._fill():
            fresh = sum(operation.kind == "insert" for operation in batch)
            assert fresh <= 1, "an order goes out when it is due, not with a heap of others"
            placed += fresh
            feed.release(batch)
        due = (clock.now - 1_000) * rate
        assert abs(placed - due) <= 1.5
        clock.now += step
    assert placed == pytest.approx(2_000, rel=0.02)


def test_a_delay_is_made_up_for() -> None:
    clock = Clock()
    pacer = Pacer(200, clock)
    assert pacer.wait() == 0
    clock.now += 1.0  # the table was slow
    due = 0
    while pacer.wait() <= 0:
        pacer.placed()
        due += 1
    assert due == 201
    assert pacer.wait() == pytest.approx(0.005)


def test_the_table_ends_as_the_journal_says_and_the_stream_has_each_change(
    account: Account,
) -> None:
    table = account.table()
    noted: list[Operation] = []
    report = write(account.client, table, operations(PLAN), journal=noted.append)
    latest = {operation.orderid: operation.expected for operation in noted}
    assert account.items(table) == {order: item for order, item in latest.items() if item}
    changes = account.changes(table)
    assert Counter(change["eventName"] for change in changes) == {
        "INSERT": report.inserted,
        "MODIFY": report.updated,
        "REMOVE": report.deleted,
    }
    streamed: dict[str, list[Any]] = defaultdict(list)
    for change in changes:
        record = change["dynamodb"]
        streamed[record["Keys"]["orderid"]["S"]].append(record.get("NewImage"))
    assert streamed == per_order(noted)


def test_a_sort_key_is_part_of_what_is_deleted(account: Account) -> None:
    table = account.table(sort_key="created_at")
    report = write(account.client, table, operations(PLAN))
    assert report.failed == 0
    assert len(account.items(table)) == report.inserted - report.deleted


@pytest.mark.usefixtures("quick_retries")
def test_throttling_as_botocore_sees_it_is_retried(account: Account) -> None:
    table, calls = account.table(), itertools.count()

    def throttle(**_: Any) -> Any:
        if next(calls) % 3:
            return None
        code = "ThrottlingException"
        parsed = {
            "Error": {"Code": code, "Message": "slow down"},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        return AWSResponse("http://x", 400, {}, None), parsed

    events = account.client.meta.events
    events.register("before-call.dynamodb.BatchWriteItem", throttle)
    try:
        report = write(account.client, table, operations(PLAN))
    finally:
        events.unregister("before-call.dynamodb.BatchWriteItem", throttle)
    assert report.throttled > 0
    assert report.failed == 0
    assert len(account.changes(table)) == report.written == len(list(operations(PLAN)))
