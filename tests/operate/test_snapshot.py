"""`python -m operate snapshot` on a running stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.chain import LocalChain
from local.errors import AwsError
from operate import snapshot
from operate.account import Account, ReplayError
from operate.snapshot import taking
from operate.snapshot.reading import Batch
from operate.snapshot.state import State, States
from operate.snapshot.writing import Chunk, Writer
from schema import ORDERS, Column
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("operate-snapshot")]


def orders(prefix: str, count: int) -> list[dict[str, Any]]:
    return [
        {"orderid": {"S": f"{prefix}-{n:05}"}, "price": {"N": f"{n}.50"}, "quantity": {"N": "2"}}
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def empty(operated: Operated) -> Iterator[None]:
    """No items and no snapshots of an earlier test."""
    yield
    aws, outputs = operated.stack.aws, operated.stack.outputs
    dynamodb, table = aws.client("dynamodb"), outputs["tableName"]
    before, keys = operated.stack.hops().settled, []
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        keys += [{"orderid": item["orderid"]} for item in page["Items"]]
    for start in range(0, len(keys), 25):
        deletes = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={table: deletes})
    s3, bucket = aws.client("s3"), outputs["bucketName"]
    for one in s3.list_objects_v2(Bucket=bucket, Prefix="snapshots/").get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=one["Key"])
    operated.settle(len(keys), before)


def state(operated: Operated) -> State:
    found = States(operated.stack.aws.client("s3"), operated.stack.outputs["bucketName"]).latest()
    assert found
    return found


def test_what_was_there_before_the_stream_comes_into_the_lake(operated: Operated) -> None:
    operated.write_before_the_stream(orders("old", 300))
    assert operated.run("verify").code == 1
    result = operated.run("snapshot", "--json")
    assert result.code == 0, result.told
    assert {k: result.facts[k] for k in ("method", "items", "rows", "failed", "finished")} == {
        "method": "scan",
        "items": 300,
        "rows": 300,
        "failed": 0,
        "finished": True,
    }
    assert result.facts["verify"]["matches"] is True
    assert result.facts["verify"]["equal"] == 300
    row, *_ = operated.stack.ask(
        "SELECT * FROM projection WHERE orderid = 'old-00007' AND event_type = 'SNAPSHOT'"
    )
    assert (row["event_id"], row["sequence_number"]) == ("snapshot:old-00007", "0" * 40)
    assert (row["price"], row["deleted_by"]) == ("7.50", None)


def test_it_is_safe_to_take_twice(operated: Operated) -> None:
    operated.write_before_the_stream(orders("twice", 40))
    first = operated.run("snapshot", "--json")
    time.sleep(1.1)  # a snapshot's name is its second
    second = operated.run("snapshot", "--json")
    assert (first.code, second.code) == (0, 0), second.told
    assert second.facts["id"] > first.facts["id"]
    assert second.facts["verify"]["lake_orders"] == 40


def test_writes_changes_and_deletes_while_it_runs(operated: Operated) -> None:
    operated.write_before_the_stream(orders("busy", 900))
    dynamodb = operated.stack.aws.client("dynamodb")
    table = operated.stack.outputs["tableName"]
    written, over = 0, threading.Event()

    def write() -> None:
        nonlocal written
        while not over.is_set():
            key = {"orderid": {"S": f"busy-{(written * 7) % 900:05}"}}
            match written % 3:
                case 0:
                    dynamodb.delete_item(TableName=table, Key=key)
                case 1:
                    dynamodb.put_item(TableName=table, Item={**key, "quantity": {"N": "9"}})
                case 2:
                    new = {"orderid": {"S": f"new-{written:05}"}}
                    dynamodb.put_item(TableName=table, Item=new)
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        # One unit a second and segment makes many small pages, with writes between them.
        account = operated.account()
        work = snapshot.Snapshot(account, method="scan", read_units=4, chunk_bytes=2_000)
        outcome = work.take()
    finally:
        over.set()
        writer.join()
    assert outcome.finished
    assert written > 30
    assert sum(part.chunk for part in state(operated).parts) >= 8
    settled = operated.run("verify", "--settle", "60", "--json")
    assert settled.code == 0, settled.told
    assert settled.facts["table_items"] > 600


def test_killed_in_the_middle_it_continues(operated: Operated) -> None:
    operated.write_before_the_stream(orders("killed", 1_000))
    code = (
        "import sys; from operate.snapshot import taking; taking.Snapshot.__init__.__kwdefaults__"
        "['chunk_bytes'] = 10_000; from operate.cli import app; app(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "snapshot", "--scan", "--read-units", "4"]
    running = subprocess.Popen(command, env=os.environ | {"COLUMNS": "200"})
    try:
        operated.until(lambda: _written(operated) > 0, 60)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    before = state(operated)
    assert not before.finished
    assert 0 < before.total("items") < 1_000
    result = operated.run("snapshot", "--read-units", "10000", "--json")
    assert result.code == 0, result.told
    assert f"continuing snapshot {before.id}" in result.told
    assert (result.facts["id"], result.facts["items"]) == (before.id, 1_000)


def _written(operated: Operated) -> int:
    s3, bucket = operated.stack.aws.client("s3"), operated.stack.outputs["bucketName"]
    found = States(s3, bucket).latest()
    return found.total("items") if found else 0


def test_stopped_it_writes_what_it_read_and_continues(operated: Operated) -> None:
    operated.write_before_the_stream(orders("stopped", 800))
    stop = threading.Event()
    work = snapshot.Snapshot(
        operated.account(),
        method="scan",
        read_units=2,
        on_progress=lambda done, _: stop.set() if done else None,
        stop=stop,
    )
    outcome = work.take()
    assert not outcome.finished
    assert 0 < outcome.items == outcome.rows < 800
    result = operated.run("snapshot", "--read-units", "10000", "--json")
    assert (result.code, result.facts["items"]) == (0, 800), result.told


def test_two_at_once_do_no_harm(operated: Operated) -> None:
    operated.write_before_the_stream(orders("both", 400))
    done: list[object] = []

    def take() -> None:
        try:
            work = snapshot.Snapshot(
                operated.account(), method="scan", read_units=20, chunk_bytes=5_000
            )
            done.append(work.take())
        except ReplayError as error:
            done.append(error)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [one for one in done if isinstance(one, snapshot.Outcome)]
    errors = [str(one) for one in done if isinstance(one, ReplayError)]
    assert len(outcomes) + len(errors) == 2
    assert all("another run goes on with snapshot" in error for error in errors)
    assert outcomes
    assert all(one.finished for one in outcomes)
    assert operated.run("verify").code == 0


def test_of_two_runs_the_later_one_goes_on(operated: Operated) -> None:
    s3, bucket = operated.stack.aws.client("s3"), operated.stack.outputs["bucketName"]
    first = States(s3, bucket)
    mine = first.begin("scan", table_id="t", stream="s", segments=1)
    second = States(s3, bucket)
    theirs = second.latest()
    assert theirs
    second.save(theirs)
    with pytest.raises(ReplayError, match="another run goes on with snapshot"):
        first.save(mine)
    # A write of our own whose response was lost is no other run's.
    theirs.etag = mine.etag
    theirs.parts[0].chunk = 1
    repeated = replace(theirs, etag=theirs.etag)
    theirs.etag = second.latest().etag  # type: ignore[union-attr]
    second.save(theirs)
    second.save(repeated)
    assert repeated.etag == theirs.etag


def test_one_that_cannot_be_continued_begins_anew(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated.write_before_the_stream(orders("late", 50))
    states = States(operated.stack.aws.client("s3"), operated.stack.outputs["bucketName"])
    states.latest()
    old = states.begin("scan", table_id="another table", stream="s", segments=1)
    time.sleep(1.1)
    result = operated.run("snapshot", "--json")
    assert result.code == 0, result.told
    assert f"snapshot {old.id} cannot be continued: the table or its stream" in result.told
    monkeypatch.setattr(taking, "OLDEST", timedelta(seconds=-1))
    again = state(operated)
    again.finished = False
    states.save(again)
    time.sleep(1.1)
    result = operated.run("snapshot", "--json", "--no-verify")
    assert "it was interrupted more than" in result.told
    assert result.facts["id"] > again.id


def test_items_that_do_not_fit_are_kept_and_can_be_replayed(operated: Operated) -> None:
    good = orders("fit", 20)
    operated.write_before_the_stream([*good, {"orderid": {"S": "odd"}, "price": {"S": "cheap"}}])
    result = operated.run("snapshot", "--json")
    assert result.code == 1
    assert (result.facts["rows"], result.facts["failed"]) == (20, 1)
    assert "items that do not fit the schema are failed records" in result.told
    kept = operated.stack.ask(
        "SELECT errorcode, errormessage FROM projection_processing_failed "
        "WHERE errormessage LIKE 'SchemaMismatch%'"
    )
    assert kept[0]["errormessage"] == (
        "SchemaMismatch: column price: decimal(10,2) is read only from N"
    )
    listed = operated.run("replay", "failed", "--reason", "column price", "--json")
    assert listed.facts["records"] >= 1


def test_a_failed_record_of_a_snapshot_is_replayed_as_its_row(operated: Operated) -> None:
    """A snapshot of a schema that was too narrow, then the schema was mended."""
    operated.write_before_the_stream([{"orderid": {"S": "mended"}, "status": {"S": "paid"}}])
    columns = tuple(
        Column(name="status", type="int") if column.name == "status" else column
        for column in ORDERS.columns
    )
    states = States(operated.stack.aws.client("s3"), operated.stack.outputs["bucketName"])
    states.latest()
    writer, chunk = Writer(operated.account(), replace(ORDERS, columns=columns)), Chunk()
    item = {"orderid": {"S": "mended"}, "status": {"S": "paid"}}
    writer.add(chunk, Batch([item], states.now, None, done=True))
    assert (chunk.rows, chunk.failed) == (0, 1)
    writer.write(chunk, "snapshot-narrow", states.now)
    before = operated.stack.hops().settled
    replayed = operated.run("replay", "failed", "--replay", "--json")
    assert replayed.facts["sent"] >= 1, replayed.told
    operated.settle(replayed.facts["sent"], before)
    (row,) = operated.stack.ask("SELECT * FROM current_orders WHERE orderid = 'mended'")
    assert (row["event_type"], row["status"]) == ("SNAPSHOT", "paid")
    assert row["event_id"] == "snapshot:mended"


def test_dry_run_tells_what_it_would_take_and_writes_nothing(operated: Operated) -> None:
    operated.write_before_the_stream(orders("dry", 100))
    result = operated.run("snapshot", "--dry-run", "--read-units", "10", "--json")
    assert result.code == 0, result.told
    assert result.facts["items"] == 100
    assert result.facts["read_units"] == -(-result.facts["bytes"] // 4096)
    assert result.facts["minutes"] == pytest.approx(result.facts["read_units"] / 10 / 60)
    assert result.facts["dollars"] >= 0
    assert "100 items" in result.told
    assert (
        not operated.stack.aws.client("s3")
        .list_objects_v2(Bucket=operated.stack.outputs["bucketName"], Prefix="snapshots/")
        .get("Contents")
    )


PIPES = {
    "stopped": ({"CurrentState": "STOPPED"}, "is stopped: aws pipes start-pipe --name"),
    "starting": ({"CurrentState": "STARTING"}, "is not running yet (STARTING)"),
    "broken": (
        {"CurrentState": "START_FAILED", "StateReason": "no role"},
        "is not running (START_FAILED: no role)",
    ),
    "of another stream": ({"Source": "arn:old"}, "reads arn:old, but the table's stream is"),
    "from the latest": (
        {"SourceParameters": {"DynamoDBStreamParameters": {"StartingPosition": "LATEST"}}},
        "starts at LATEST",
    ),
    "with an enrichment": ({"Enrichment": "arn:f"}, "enrichment function"),
}


@pytest.mark.parametrize("how", PIPES)
def test_it_refuses_while_the_pipe_does_not_capture_every_change(
    operated: Operated, how: str
) -> None:
    change, told = PIPES[how]
    described = operated.stack._describe_pipe
    with _pipe(operated.stack, lambda request, caller: described(request, caller) | change):
        result = operated.run("snapshot")
    assert result.code == 1
    assert told in result.told
    assert "Traceback" not in result.told


def test_a_filter_and_a_missing_pipe_are_told(operated: Operated) -> None:
    described = operated.stack._describe_pipe

    def filtered(request: Any, caller: Any) -> dict[str, Any]:
        pipe = described(request, caller)
        source = pipe["SourceParameters"] | {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}
        return {**pipe, "SourceParameters": source}

    with _pipe(operated.stack, filtered):
        assert "filters changes" in operated.run("snapshot").told

    def missing(request: Any, caller: Any) -> dict[str, Any]:
        raise AwsError("NotFoundException", "Pipe does not exist.", 404)

    with _pipe(operated.stack, missing):
        assert "there is no pipe" in operated.run("snapshot").told


class _pipe:  # noqa: N801 - a context manager
    """DescribePipe answers with this for a while."""

    def __init__(self, stack: LocalChain, hook: Any) -> None:
        self._gateway, self._stack, self._hook = stack._gateway, stack, hook

    def __enter__(self) -> None:
        assert self._gateway
        self._gateway.intercept("pipes", "DescribePipe", self._hook)

    def __exit__(self, *_: object) -> None:
        assert self._gateway
        self._gateway.intercept("pipes", "DescribePipe", self._stack._describe_pipe)


def test_an_export_without_recovery_points_says_what_to_do(operated: Operated) -> None:
    result = operated.run("snapshot", "--export")
    assert result.code == 1
    assert "point-in-time recovery, which is off" in result.told
    assert "--scan" in result.told


def test_both_methods_at_once_are_wrong_usage(operated: Operated) -> None:
    result = operated.run("snapshot", "--export", "--scan")
    assert (result.code, "exclude each other" in result.told) == (2, True)


def test_without_permission_it_says_which(operated: Operated) -> None:
    operated.act_as("readerPolicyArn")
    result = operated.run("snapshot")
    assert result.code == 1
    assert "no permission: DescribeTable" in result.told
    assert operated.stack.outputs["operatorPolicyArn"] in result.told


def test_a_broken_state_is_told(operated: Operated) -> None:
    operated.stack.aws.client("s3").put_object(
        Bucket=operated.stack.outputs["bucketName"], Key="snapshots/x.json", Body=b"[]"
    )
    result = operated.run("snapshot")
    assert result.code == 1
    assert "snapshots/x.json: not the state of a snapshot" in result.told


def test_an_account_has_all_outputs_that_it_needs(operated: Operated) -> None:
    assert set(snapshot.OUTPUTS) <= operated.stack.outputs.keys()
    assert isinstance(operated.account(), Account)
