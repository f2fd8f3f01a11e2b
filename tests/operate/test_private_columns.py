"""A stack that hashes one column, drops another and drops what its schema does not know."""

from __future__ import annotations

import base64
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from client import query
from client.athena import Athena, DeniedError
from local.chain import LocalChain
from schema import ORDERS
from schema.files import dump
from tests.operate.conftest import Operated

MARKER = "Zacharias Kupfernagel"
"""A customer who occurs nowhere else."""
COLUMNS = tuple(
    replace(one, privacy={"customer": "hash", "price": "drop"}.get(one.name, "keep"))  # type: ignore[arg-type]
    for one in ORDERS.columns
)
pytestmark = [pytest.mark.xdist_group("private-columns")]


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalChain]:
    folder = tmp_path_factory.mktemp("stack")
    file = folder / "private.yaml"
    file.write_text(dump(replace(ORDERS, columns=COLUMNS)))
    settings = {"schemaFile": str(file), "unknownAttributes": "drop"}
    with LocalChain(request.param, folder, overrides=settings) as running:
        yield running


def order(key: str, **attributes: Any) -> dict[str, Any]:
    item = {
        "orderid": {"S": key},
        "product_name": {"S": "4K Webcam"},
        "quantity": {"N": "1"},
        "price": {"N": "471.11"},
        "customer": {"S": MARKER},
        "note": {"S": f"for {MARKER}"},
    }
    return item | attributes


def put(stack: LocalChain, *items: dict[str, Any]) -> None:
    for item in items:
        stack.aws.client("dynamodb").put_item(TableName=stack.outputs["tableName"], Item=item)


def holding(stack: LocalChain, text: str) -> Counter[str]:
    """The prefixes of the bucket with objects that hold a text, as bytes or compressed."""
    s3, bucket = stack.aws.client("s3"), stack.outputs["bucketName"]
    found: Counter[str] = Counter()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            if text.encode() in plain:
                found[one["Key"].split("/")[0]] += 1
    return found


def test_table_and_lake_agree_through_every_way_into_the_lake(
    operated: Operated, tmp_path: Path
) -> None:
    stack = operated.stack
    before = stack.hops().settled
    written = operated.write(80, seed=11, updates=0.4, deletes=0.2)
    put(stack, order("a"), order("b"), order("a", status={"S": "paid"}))
    stack.aws.client("dynamodb").delete_item(
        TableName=stack.outputs["tableName"], Key={"orderid": {"S": "b"}}
    )
    operated.write_before_the_stream([order("older", customer={"S": f"{MARKER} II"})])
    operated.settle(written + 4, before)
    taken = operated.run("snapshot", "--scan", "--no-verify", "--json")
    assert taken.code == 0, taken.told
    verdict = operated.run("verify", "--json")
    assert verdict.code == 0, verdict.told
    items = stack.aws.client("dynamodb").scan(TableName=stack.outputs["tableName"])["Items"]
    assert verdict.facts["equal"] == verdict.facts["table_items"] == len(items)

    account = operated.account()
    log = [*account.rows("SELECT * FROM changes WHERE event_type <> 'SNAPSHOT'")]
    assert len({row["event_id"] for row in log}) == written + 4, "nothing is lost"
    rows = {row["orderid"]: row for row in account.rows("SELECT * FROM current_orders")}
    for row in [*log, *rows.values()]:
        assert re.fullmatch("[0-9a-f]{64}", row["customer"] or "")
        assert row["price"] is row["extras"] is None
    of_customer: dict[str, set[str | None]] = {}
    for item in items:
        of_customer.setdefault(item["customer"]["S"], set()).add(
            rows[item["orderid"]["S"]]["customer"]
        )
    assert all(len(pseudonyms) == 1 for pseudonyms in of_customer.values())
    assert len(set.union(*of_customer.values())) == len(of_customer)
    ways = {row["event_type"] for row in log if row["customer"] == rows["a"]["customer"]}
    assert ways == {"INSERT", "MODIFY", "REMOVE"}
    assert not holding(stack, MARKER)


def test_failed_records_are_raw_and_what_comes_of_a_replay_is_not(operated: Operated) -> None:
    stack = operated.stack
    before = stack.hops()
    put(stack, order("odd", quantity={"S": "one"}))
    operated.settle(1, before.settled)
    assert stack.hops().failed == before.failed + 1
    account = operated.account()
    (kept,) = account.rows(f"SELECT rawdata FROM {stack.outputs['failedTable']}")
    assert MARKER.encode() in base64.b64decode(kept["rawdata"] or "")
    listed = operated.run("replay", "failed", "--json")
    assert listed.code == 0, listed.told
    assert MARKER not in listed.told
    forced = operated.run("replay", "failed", "--replay", "--force", "--json")
    assert (forced.code, forced.facts["sent"]) == (0, 1), forced.told
    operated.settle(2, before.settled)
    put(stack, order("odd"))
    operated.settle(3, before.settled)
    assert operated.run("verify", "--settle", "20").code == 0


def test_the_page_says_what_is_personal_where_it_is_and_who_may_read_it(
    operated: Operated,
) -> None:
    result = operated.run("privacy", "--outputs", str(operated.outputs), "--json")
    assert result.code == 0, result.told
    facts, prod = result.facts, operated.stack.stack == "prod"
    assert {one["column"]: (one["personal"], one["privacy"]) for one in facts["columns"]} == {
        "customer": (True, "hash"),
        "price": (False, "drop"),
    }
    assert (facts["unknown_attributes"], facts["other_columns"]) == ("drop", 5)
    assert facts["pseudonym_key"] == operated.stack.outputs["pseudonymKeyArn"]
    places = {one["where"]: one for one in facts["places"]}
    kept = {where: one["days"] for where, one in places.items() if one["holds"] == "raw data"}
    assert kept == {
        "table": None,
        "table's stream": 1,
        "point-in-time recovery": 35 if prod else None,
        "Kinesis stream": 2 if prod else 1,
        "Firehose's buffer": 1,
        "failed/": 14 if prod else 7,
        "exports/": 2,
        "old versions of all of these": 7 if prod else None,
    }
    readers = ["operator", "eraser", "catalog-crawler", "lake-firehose"]
    assert places["failed/"]["readers"] == readers
    assert places["projection/"]["days"] == (365 if prod else 7)
    assert places["athena-results/"]["days"] == (30 if prod else 1)
    assert "5 days more" in places["orders/"]["kept"]

    page = operated.run("privacy").told
    assert "| `customer` | `customer` | `string` | yes | a pseudonym (HMAC-SHA-256) |" in page
    assert "| `price` | `price` | `decimal(10,2)` | not declared | nothing (NULL) |" in page
    assert "Attributes without a column are dropped." in page
    assert operated.stack.outputs["readerPolicyArn"] in page


def test_the_page_says_which_permission_is_missing(operated: Operated) -> None:
    operated.act_as("writerPolicyArn")
    result = operated.run("privacy")
    assert result.code == 1
    assert "no permission" in result.told
    assert operated.stack.outputs["operatorPolicyArn"] in result.told


def test_only_operators_and_the_transform_may_read_the_key(operated: Operated) -> None:
    assert operated.account().pseudonym(operated.account().schema())
    for policies in (["readerPolicyArn"], ["writerPolicyArn"]):
        operated.act_as(*policies)
        with pytest.raises(ClientError, match="secretsmanager:GetSecretValue"):
            operated.account().client("secretsmanager").get_secret_value(
                SecretId=operated.stack.outputs["pseudonymKeyArn"]
            )


def test_readers_may_not_read_failed_records(operated: Operated) -> None:
    failed = f"SELECT count(*) AS n FROM {operated.stack.outputs['failedTable']}"
    assert [row["n"] for row in operated.account().rows(failed)] == ["2"]
    operated.act_as("readerPolicyArn")
    outputs = operated.stack.outputs
    with pytest.raises(query.QueryFailedError, match=r"Permission denied on S3 path: .*/failed/"):
        list(
            query.rows(
                operated.account().client("athena"),
                failed,
                workgroup=outputs["workgroupName"],
                database=outputs["databaseName"],
            )
        )
    with pytest.raises(DeniedError, match="Needed: the stack's operator policy as well"):
        Athena(dict(outputs)).ask(failed)
