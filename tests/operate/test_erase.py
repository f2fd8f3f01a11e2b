"""`operate erase` on running stacks: the rows are gone from every place, and nothing else is."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from local.chain import LocalChain
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("erase")]
MARK = "Zaphod-Marker-Beeblebrox"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    with LocalChain("prod", tmp_path_factory.mktemp("stack")) as running:
        yield running


class Bucket:
    """All that the bucket holds, as root sees it."""

    def __init__(self, operated: Operated) -> None:
        self.s3 = operated.stack.aws.client("s3")
        self.name = operated.stack.outputs["bucketName"]

    def versions(self, prefix: str = "") -> list[dict[str, Any]]:
        pages = self.s3.get_paginator("list_object_versions")
        return [
            one
            for page in pages.paginate(Bucket=self.name, Prefix=prefix)
            for one in page.get("Versions", [])
        ]

    def bodies(self, prefix: str = "") -> dict[tuple[str, str], bytes]:
        return {
            (one["Key"], one["VersionId"]): self.s3.get_object(
                Bucket=self.name, Key=one["Key"], VersionId=one["VersionId"]
            )["Body"].read()
            for one in self.versions(prefix)
        }


def plain(body: bytes) -> bytes:
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body)
    if body[:4] == b"PAR1":
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str).encode()
    return body


def place(operated: Operated, order: str, customer: str) -> None:
    """An order that is placed, changed and deleted."""
    dynamodb, table = operated.stack.aws.client("dynamodb"), operated.stack.outputs["tableName"]
    before = operated.stack.hops().settled
    item = {
        "orderid": {"S": order},
        "product_name": {"S": "lamp"},
        "quantity": {"N": "1"},
        "price": {"N": "1.5"},
        "customer": {"S": customer},
        "status": {"S": "placed"},
        "created_at": {"S": "2026-03-20T09:00:00Z"},
    }
    dynamodb.put_item(TableName=table, Item=item)
    dynamodb.put_item(TableName=table, Item=item | {"quantity": {"N": "2"}})
    dynamodb.delete_item(TableName=table, Key={"orderid": {"S": order}})
    operated.settle(3, before)


def test_an_order_is_gone_from_the_log_and_from_answers(operated: Operated) -> None:
    operated.write(20, seed=1)
    place(operated, "gone-1", MARK)
    place(operated, "stays-1", "Ann")
    reader = operated.stack.user(f"r{time.time_ns()}", operated.stack.outputs["readerPolicyArn"])
    table = operated.stack.outputs["projectionTable"]
    before = operated.stack.ask(f"SELECT * FROM {table} ORDER BY event_id", reader)
    operated.act_as("eraserPolicyArn")
    shown = operated.run("erase", "--key", "orderid=gone-1", "--json")
    assert shown.code == 0, shown.told
    assert shown.facts["found"]["log"]["rows"] == 3
    result = operated.run("erase", "--key", "orderid=gone-1", "--yes", "--json")
    assert result.code == 0, result.told
    assert result.facts["remaining"] == 0
    bucket = Bucket(operated)
    for (key, _), body in bucket.bodies().items():
        assert MARK.encode() not in plain(body), key
    after = operated.stack.ask(f"SELECT * FROM {table} ORDER BY event_id", reader)
    assert after == [row for row in before if row["orderid"] != "gone-1"]


def test_the_batch_jobs_table_is_erased_with_its_history(operated: Operated) -> None:
    from local.commands.batch import run_batch

    operated.write(20, seed=2)
    place(operated, "gone-2", MARK)
    dynamodb, table = operated.stack.aws.client("dynamodb"), operated.stack.outputs["tableName"]
    before = operated.stack.hops().settled
    item = {
        "orderid": {"S": "gone-3"},
        "quantity": {"N": "1"},
        "price": {"N": "1"},
        "customer": {"S": MARK},
    }
    item |= {
        "product_name": {"S": "lamp"},
        "status": {"S": "placed"},
        "created_at": {"S": "2026-03-20T09:00:00Z"},
    }
    dynamodb.put_item(TableName=table, Item=item)
    operated.settle(1, before)
    assert run_batch(operated.stack)["inserted"] > 0
    before = operated.stack.hops().settled
    dynamodb.put_item(TableName=table, Item=item | {"quantity": {"N": "2"}})
    dynamodb.delete_item(TableName=table, Key={"orderid": {"S": "gone-3"}})
    operated.settle(2, before)
    run_batch(operated.stack)
    operated.act_as("eraserPolicyArn")
    result = operated.run(
        "erase", "--key", "orderid=gone-2", "--key", "orderid=gone-3", "--yes", "--json"
    )
    assert result.code == 0, result.told
    assert result.facts["remaining"] == 0
    bucket = Bucket(operated)
    for (key, _), body in bucket.bodies().items():
        assert MARK.encode() not in plain(body), key
    figures = run_batch(operated.stack)
    print(figures)
    reader = operated.stack.user(f"r{time.time_ns()}", operated.stack.outputs["readerPolicyArn"])
    print(operated.stack.ask("SELECT count(*) AS n FROM orders", reader))
    print(operated.stack.ask("SELECT * FROM orders WHERE orderid LIKE 'gone%'", reader))
