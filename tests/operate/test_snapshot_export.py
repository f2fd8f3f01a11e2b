"""`python -m operate snapshot` by export, into Parquet, on a table with recovery points."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.chain import LocalChain
from operate import snapshot
from operate.account import ReplayError
from operate.snapshot import taking
from operate.snapshot.reading import Export
from operate.snapshot.state import Part
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("operate-snapshot-export")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    overrides = {"pointInTimeRecovery": "true", "deliveryFormat": "parquet", "bufferSizeMb": "64"}
    overrides["packSchedule"] = ""
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=overrides) as running:
        yield running


@pytest.fixture
def s3(operated: Operated) -> Any:
    return operated.stack.aws.client("s3")


def test_it_exports_where_recovery_points_are_on(operated: Operated, s3: Any) -> None:
    items = [
        {
            "orderid": {"S": f"exported-{n:04}"},
            "price": {"N": f"{n}.25"},
            "created_at": {"S": "2026-11-20T09:30:00Z"},
            "photo": {"B": b"\x00\xff"},
            "tags": {"SS": ["b", "a"]},
        }
        for n in range(200)
    ]
    operated.write_before_the_stream(items)
    result = operated.run("snapshot", "--json")
    assert result.code == 0, result.told
    assert (result.facts["method"], result.facts["rows"]) == ("export", 200)
    assert result.facts["verify"]["equal"] == 200
    bucket = operated.stack.outputs["bucketName"]
    keys = [
        one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="projection/")["Contents"]
    ]
    assert keys
    assert all(key.endswith(".parquet") for key in keys)
    (row,) = operated.stack.ask("SELECT * FROM current_orders WHERE orderid = 'exported-0007'")
    assert (row["event_type"], row["price"]) == ("SNAPSHOT", "7.25")
    assert json.loads(row["extras"] or "") == {"photo": "AP8=", "tags": ["a", "b"]}


def test_a_run_that_was_stopped_reads_the_same_export(operated: Operated, s3: Any) -> None:
    stop = threading.Event()
    work = snapshot.Snapshot(operated.account(), say=lambda _: stop.set(), stop=stop)
    outcome = work.take()  # stopped while DynamoDB exports
    assert (outcome.finished, outcome.items) == (False, 0)
    bucket = operated.stack.outputs["bucketName"]
    before = _exports(s3, bucket)
    result = operated.run("snapshot", "--json")
    assert result.code == 0, result.told
    assert (result.facts["id"], result.facts["items"]) == (outcome.id, 200)
    assert _exports(s3, bucket) == before


def _exports(s3: Any, bucket: str) -> set[str]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix="exports/")["Contents"]
    return {one["Key"].split("/")[2] for one in found}


def test_a_stop_within_a_file_continues_at_its_line(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of a few lines: every line is read, none is skipped."""
    monkeypatch.setattr("operate.snapshot.reading._LINES", 7)
    stop = threading.Event()
    account = operated.account()
    work = snapshot.Snapshot(
        account,
        chunk_bytes=1_000,
        segments=1,
        on_progress=lambda done, _: stop.set() if done else None,
        stop=stop,
    )
    part = work.take()
    monkeypatch.setattr("operate.snapshot.reading._LINES", 11)
    whole = snapshot.Snapshot(account, chunk_bytes=1_000).take()
    assert part.id == whole.id or part.finished
    assert (whole.finished, whole.items, whole.rows) == (True, 200, 200)


def test_an_export_that_may_not_be_written_fails_with_the_reason(operated: Operated) -> None:
    who = operated.act_as("operatorPolicyArn", "readerPolicyArn")
    bucket = operated.stack.outputs["bucketName"]
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "s3:PutObjectAcl",
                "Resource": f"arn:aws:s3:::{bucket}/exports/*",
            }
        ],
    }
    operated.stack.aws.client("iam").put_user_policy(
        UserName=who.principal_arn.rpartition("/")[2],
        PolicyName="deny",
        PolicyDocument=json.dumps(deny),
    )
    result = operated.run("snapshot")
    assert result.code == 1
    assert "the export failed (S3AccessDenied: Access Denied: s3:PutObjectAcl" in result.told


def test_the_export_itself_needs_permission(operated: Operated) -> None:
    operated.act_as("readerPolicyArn")
    arn = operated.stack.outputs["tableArn"]
    with pytest.raises(Exception, match="not authorized to perform: dynamodb:ExportTable"):
        boto3.Session().client("dynamodb").export_table_to_point_in_time(
            TableArn=arn, S3Bucket=operated.stack.outputs["bucketName"]
        )


def test_an_export_that_is_too_old_is_not_written_any_more(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "OLDEST", taking.OLDEST * 0)
    with pytest.raises(ReplayError, match="hours old: run this again for a new one"):
        snapshot.Snapshot(operated.account(), method="export").take()


def test_a_data_file_that_is_short_or_broken_is_told(operated: Operated, s3: Any) -> None:
    bucket, arn = operated.stack.outputs["bucketName"], "arn/export/1"
    folder = "exports/AWSDynamoDB/1/"
    entry = {"itemCount": 2, "dataFileS3Key": "AWSDynamoDB/1/data/x.json.gz"}

    def put(name: str, body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=folder + name, Body=body)

    put("manifest-files.json", json.dumps(entry).encode() + b"\n")
    export = Export(s3, bucket, arn, taking.States(s3, bucket).now)
    (file,) = export.files()
    assert file == f"{folder}data/x.json.gz"
    part = Part(file, taking.States(s3, bucket).now)
    put("data/x.json.gz", gzip.compress(b'{"Item":{}}\n'))
    with pytest.raises(ReplayError, match="has 1 items, its manifest says 2"):
        list(export.batches(part, threading.Event()))
    put("data/x.json.gz", gzip.compress(b'{"Item":{}}\nnot json\n'))
    with pytest.raises(ReplayError, match="cannot be read near line 2"):
        list(export.batches(part, threading.Event()))
    put("manifest-files.json", b"[1]\n")
    with pytest.raises(ReplayError, match="not an export's manifest"):
        export.files()
