"""`operate erase`, killed before and after any call that changes something, and two at once."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import orjson
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from chaos.least_privilege import without
from local.chain import LocalChain
from local.commands.operator import LocalAccount
from operate import failed
from operate.account import Account
from operate.erasing import Choice, Erasure, erasure
from operate.erasing.iceberg import STATE, Catalog, IcebergTable
from operate.erasing.runs import Runs
from operate.ledger import Ledger, Ledgers, ledger_key
from operate.replaying import Choice as Failed
from operate.replaying import Replay
from operate.sending import Receipt
from tests.operate.conftest import Operated
from tests.operate.test_erase import Bucket, plain

pytestmark = [pytest.mark.xdist_group("erase-faults")]
MARK, OTHER = "Zaphod-Marker", "Trillian-Stays"
BEGINNING, OBJECTS = 3, 18
"""Changes of a run's record, and at least those that erase the objects outside the table."""
CALLS = ("s3.PutObject", "s3.DeleteObject", "glue.UpdateTable")
HOUR = "day=2026-11-20/hour=10"
FAILED = f"failed/processing-failed/{HOUR}/s-1-2026-11-20-10-00-00-x"


class KilledError(BaseException):
    """The process ended here."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"protect": "true", "deliveryFormat": "json"}
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=settings) as running:
        yield running


def row(order: str, number: int, customer: str) -> bytes:
    document = {
        "orderid": order,
        "customer": customer,
        "event_type": "MODIFY",
        "event_id": f"{order}-{number}",
        "sequence_number": f"{number:040}",
        "price": 1.5,
    }
    return orjson.dumps(document)


def record(order: str, customer: str) -> bytes:
    keys = {"orderid": {"S": order}}
    change = {"Keys": keys, "NewImage": {**keys, "customer": {"S": customer}}}
    change["SequenceNumber"] = "1"  # type: ignore[assignment]
    raw = json.dumps({"eventID": order, "eventName": "INSERT", "dynamodb": change}).encode()
    return orjson.dumps({"errorCode": "x", "rawData": base64.b64encode(raw).decode()})


def lines(*given: bytes) -> bytes:
    return b"".join(one + b"\n" for one in given)


class Lake:
    """A bucket with the rows of two orders everywhere, one of which is to go."""

    def __init__(self, operated: Operated) -> None:
        self.bucket = Bucket(operated)
        self.s3, self.name = self.bucket.s3, self.bucket.name
        self.glue = operated.stack.aws.client("glue")
        self.database = operated.stack.outputs["databaseName"]

    def reset(self) -> None:
        """As it was at first."""
        for one in self.bucket.versions():
            if not one["Key"].startswith("jobs/"):
                self.s3.delete_object(Bucket=self.name, Key=one["Key"], VersionId=one["VersionId"])
        log = f"projection/{HOUR}"
        mixed = lines(row("gone", 1, MARK), row("stays", 1, OTHER), row("gone", 2, MARK))
        self.put(f"{log}/a.gz", gzip.compress(mixed))
        self.put(f"{log}/b.gz", gzip.compress(lines(row("stays", 2, OTHER))))
        self.put(f"{log}/c", lines(row("gone", 3, MARK)))
        self.put(f"{log}/d", lines(row("gone", 4, MARK)))
        self.put(f"{log}/d", lines(row("stays", 4, OTHER)))  # an old version has it
        self.put(f"{log}/e", lines(row("gone", 5, MARK)))
        self.s3.delete_object(Bucket=self.name, Key=f"{log}/e")  # behind a delete marker
        self.put(FAILED, lines(*(record(*one) for one in (("stays", OTHER), ("gone", MARK)) * 2)))
        ledger = Ledger(FAILED, {2: Receipt("shard", "7")}, [])
        self.put(ledger_key(FAILED), ledger.to_json())
        item = {"Item": {"orderid": {"S": "gone"}, "customer": {"S": MARK}}}
        export = lines(orjson.dumps(item), b'{"Item":{"orderid":{"S":"stays"}}}')
        self.put("exports/AWSDynamoDB/01/data/x.json.gz", gzip.compress(export))
        state = {
            "id": "20261120T100000Z-1234",
            "method": "scan",
            "table_id": "t",
            "stream": "s",
            "parts": [
                {"name": "0", "since": "2026-11-20T10:00:00Z", "after": {"orderid": {"S": "gone"}}}
            ],
            "export_arn": None,
            "export_time": None,
            "finished": True,
            "run": "r",
        }
        self.put("snapshots/20261120T100000Z-1234.json", orjson.dumps(state))
        self.put("athena-results/by-key.csv", b'"orderid"\n"gone"\n')
        self.put("athena-results/by-name.csv", f'"customer"\n"{MARK}"\n'.encode())
        self.put("athena-results/other.csv", f'"customer"\n"{OTHER}"\n'.encode())
        self._table()

    def _table(self) -> None:
        """An Iceberg table of two snapshots: a file with both rows, and one to go whole."""
        self.catalog = Catalog(self.glue, self.s3)
        name = (self.database, "orders")
        with suppress(self.glue.exceptions.EntityNotFoundException):
            self.glue.delete_table(DatabaseName=self.database, Name="orders")
        rows = [
            {"orderid": order, "customer": who} for order, who in (("gone", MARK), ("stays", OTHER))
        ]
        arrow = pa.schema([("orderid", pa.string()), ("customer", pa.string())])
        table = self.catalog.create_table(
            name, arrow, location=f"s3://{self.name}/orders", properties={"format-version": "2"}
        )
        table.append(pa.Table.from_pylist(rows, arrow), {STATE: "the job's"})
        table.append(pa.Table.from_pylist(rows[:1], arrow))

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(
            Bucket=self.name, Key=key, Body=body, ContentType="x/y", Metadata={"kept": "yes"}
        )

    def contents(self) -> dict[str, bytes]:
        """The current objects besides Iceberg's, whose names differ, and the records."""
        return {
            one["Key"]: plain(self.s3.get_object(Bucket=self.name, Key=one["Key"])["Body"].read())
            for one in self.bucket.versions()
            if one["IsLatest"] and not one["Key"].startswith(("orders/", "erasures/", "jobs/"))
        }

    def rows(self) -> list[dict[str, Any]]:
        """Of the Iceberg table."""
        table = self.catalog.load_table((self.database, "orders"))
        found: list[dict[str, Any]] = table.scan().to_arrow().to_pylist()
        return sorted(found, key=str)

    def assert_gone(self) -> None:
        marks = (MARK.encode(), b'"gone"')
        for (key, version), body in self.bucket.bodies().items():
            assert not any(mark in plain(body) for mark in marks), (key, version)
        table = self.catalog.load_table((self.database, "orders"))
        assert self.rows() == [{"orderid": "stays", "customer": OTHER}]
        assert len(table.metadata.snapshots) == 1
        snapshot = table.metadata.current_snapshot()
        assert snapshot and snapshot.summary
        assert snapshot.summary[STATE] == "the job's"
        assert snapshot.summary["total-records"] == "1"


@pytest.fixture
def lake(operated: Operated) -> Lake:
    lake = Lake(operated)
    lake.reset()
    operated.act_as("eraserPolicyArn")
    return lake


class Killer:
    """Ends the process after its n-th change, before it is told so."""

    def __init__(self, account: Account) -> None:
        self.left = 0
        for call in CALLS:
            service = call.partition(".")[0]
            account.client(service).meta.events.register(f"after-call.{call}", self._count)

    def _count(self, **_: Any) -> None:
        self.left -= 1
        if not self.left:
            raise KilledError


def erase(account: Account, **choice: Any) -> Any:
    work = Erasure(account, Choice(keys=("orderid=gone",), **choice))
    return work.run(dry_run=False)


def test_it_goes_from_every_place(operated: Operated, lake: Lake) -> None:
    before = lake.contents()
    outcome = erase(operated.account())
    assert outcome.remaining == []
    assert {name: one.rows for name, one in outcome.found.items() if name != "table"} == {
        "results": 2,
        "snapshots": 1,
        "exports": 1,
        "failed": 2,
        "log": 5,
    }
    lake.assert_gone()
    after = lake.contents()
    log = f"projection/{HOUR}"
    stays = row("stays", 1, OTHER)
    assert after[f"{log}/a.gz"] == lines(stays)
    assert after[f"{log}/c"] == b"", "an object keeps its place"
    assert {key for key, body in after.items() if before[key] == body} == {
        f"{log}/b.gz",
        f"{log}/d",
        "athena-results/other.csv",
    }
    assert before.keys() - after.keys() == {
        "athena-results/by-key.csv",
        "athena-results/by-name.csv",
    }
    head = lake.s3.head_object(Bucket=lake.name, Key=f"{log}/a.gz")
    assert (head["ContentType"], head["Metadata"]) == ("x/y", {"kept": "yes"})
    (one,) = [o for o in lake.bucket.versions("erasures/") if o["IsLatest"]]
    said = json.loads(lake.s3.get_object(Bucket=lake.name, Key=one["Key"])["Body"].read())
    assert (said["state"], said["remaining"], len(said["digests"])) == ("ended", 0, 1)
    again = erase(operated.account())
    assert (again.found, again.remaining, again.record) == ({}, [], None)


def test_lines_of_failed_records_keep_their_numbers(operated: Operated, lake: Lake) -> None:
    """Line 2 was replayed: with two of four lines gone, it still is, and line 0 is not."""
    erase(operated.account())
    operated.act_as("operatorPolicyArn")
    work = Replay(operated.account())
    (group,) = work.groups(Failed())
    assert (group.records, group.replayed) == (2, 1)
    ledger = Ledgers(lake.s3, lake.name).get(FAILED)
    body = failed.read(lake.s3, lake.name, FAILED)
    assert list(ledger.erased_from(body)) == [1, 3]
    assert set(ledger.replayed) == {2}


def test_killed_after_each_change_and_run_again_it_ends_the_same(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before a call, the lake is as it was after the one before."""
    erase(operated.account())
    wanted = lake.contents()
    lake.reset()
    monkeypatch.setattr(erasure, "_THREADS", 1)
    account = operated.account()
    killer = Killer(account)
    for runs in range(100):
        # A run's first changes are those of its record. The next one is the last, until all objects
        # are done; then one more each time, because a commit that is killed begins anew.
        killer.left = min(1 + runs, BEGINNING + max(1, runs - OBJECTS))
        with suppress(KilledError):
            erase(account)
        if killer.left > 0:
            break
    assert OBJECTS + 5 < runs < 99
    assert erase(account).remaining == []
    lake.assert_gone()
    found = lake.contents()
    ledgers = [json.loads(one.pop(ledger_key(FAILED))) for one in (found, wanted)]
    assert ledgers[0]["replayed"] == ledgers[1]["replayed"]
    assert found == wanted


def test_two_at_once_do_no_harm(operated: Operated, lake: Lake) -> None:
    erase(operated.account())
    wanted = lake.contents()
    lake.reset()
    outcomes: list[Any] = []

    def work() -> None:
        outcomes.append(erase(Account(dict(operated.stack.outputs), boto3.Session())))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.remaining for one in outcomes] == [[], []]
    lake.assert_gone()
    assert lake.contents().keys() == wanted.keys()


def test_what_arrives_meanwhile_is_erased_too(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = f"projection/{HOUR}/late"
    act: Callable[..., None] = Erasure._act

    def slow(self: Erasure, *given: Any) -> None:
        act(self, *given)
        if not late_was_put:
            late_was_put.append(True)
            lake.put(late, lines(row("gone", 9, MARK), row("stays", 9, OTHER)))

    late_was_put: list[bool] = []
    monkeypatch.setattr(Erasure, "_act", slow)
    assert erase(operated.account()).remaining == []
    lake.assert_gone()
    assert lake.contents()[late] == lines(row("stays", 9, OTHER))


def test_an_object_that_changes_meanwhile_is_not_lost(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone writes it between this reading and writing it."""
    key = f"projection/{HOUR}/a.gz"
    new = lines(row("gone", 1, MARK), row("stays", 1, OTHER), row("stays", 7, OTHER))
    account = operated.account()
    done: list[bool] = []

    def interfere(params: dict[str, Any], **_: Any) -> None:
        if params["url_path"].endswith("a.gz") and not done:
            done.append(True)
            lake.put(key, gzip.compress(new))

    account.client("s3").meta.events.register("before-call.s3.PutObject", interfere)
    assert erase(account).remaining == []
    lake.assert_gone()
    assert lake.contents()[key] == lines(row("stays", 1, OTHER), row("stays", 7, OTHER))


def test_pseudonymise_takes_the_personal_values_only(operated: Operated, lake: Lake) -> None:
    outcome = erase(operated.account(), pseudonymise=True)
    assert outcome.remaining == []
    for (key, version), body in lake.bucket.bodies().items():
        assert MARK.encode() not in plain(body), (key, version)
    after = lake.contents()
    first = row("gone", 1, MARK).replace(f'"{MARK}"'.encode(), b"null")
    assert after[f"projection/{HOUR}/a.gz"].startswith(first + b"\n")
    assert {"orderid": "gone", "customer": None} in lake.rows()
    assert len(lake.rows()) == 3


def test_it_waits_for_a_run_that_has_read_the_log(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run commits the row after the log has lost it; the table's files go after that."""
    polls: list[set[str]] = [{"jr_1"}, {"jr_1"}, {"jr_2"}, set(), set(), set(), set()]
    table = lake.catalog.load_table((lake.database, "orders"))

    def active(_: Runs) -> set[str]:
        now = polls.pop(0) if polls else set()
        if now == {"jr_2"}:  # the first one has just committed
            table.append(pa.Table.from_pylist([{"orderid": "gone", "customer": MARK}]))
        return now

    monkeypatch.setattr(Runs, "_active", active)
    assert erase(operated.account()).remaining == []
    lake.assert_gone()


def test_another_commit_at_the_same_time_is_kept(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = IcebergTable._commit
    done: list[bool] = []

    def raced(self: IcebergTable, table: Any, keys: Any) -> None:
        if not done:
            done.append(True)
            other = lake.catalog.load_table((lake.database, "orders"))
            other.append(pa.Table.from_pylist([{"orderid": "new", "customer": OTHER}]))
        commit(self, table, keys)

    monkeypatch.setattr(IcebergTable, "_commit", raced)
    assert erase(operated.account()).remaining == []
    assert [one["orderid"] for one in lake.rows()] == ["new", "stays"]


@pytest.mark.parametrize(
    "action", ["s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"]
)
def test_a_missing_permission_shows_before_anything_is_changed(
    operated: Operated, lake: Lake, action: str
) -> None:
    """So does a KMS key that may not be used: the record is encrypted with it."""
    iam, arn = operated.stack.aws.client("iam"), operated.stack.outputs["eraserPolicyArn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    who = operated.stack.user(f"u{uuid.uuid4().hex[:8]}", inline=without(policy, action))
    before = lake.bucket.bodies()
    with pytest.raises(ClientError, match=action):
        erase(LocalAccount(operated.stack, who))
    after = lake.bucket.bodies()
    assert {key: body for key, body in after.items() if key[0][:9] != "erasures/"} == before
