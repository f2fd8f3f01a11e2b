"""`operate erase` on a prod stack with the batch job: an order is gone from every place."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from local.chain import LocalChain
from local.commands.batch import run_batch
from local.errors import LocalError
from local.standins import spark as spark_jars
from operate.erasing.formats import avro_blocks
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("erase")]
MARK = "Zaphod-Marker-Beeblebrox"


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
        """Every version's content."""
        return {
            (one["Key"], one["VersionId"]): self.s3.get_object(
                Bucket=self.name, Key=one["Key"], VersionId=one["VersionId"]
            )["Body"].read()
            for one in self.versions(prefix)
        }


def plain(body: bytes) -> bytes:
    """What a file says, whatever its format."""
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body)
    if body[:4] == b"PAR1":
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str).encode()
    return avro_blocks(body)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    with LocalChain("prod", tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def spark() -> None:
    try:
        spark_jars.check()
        spark_jars.jars()
    except LocalError as error:
        pytest.skip(str(error))


class Shop:
    """Places orders of one customer and lets them change."""

    def __init__(self, operated: Operated) -> None:
        self.operated = operated
        self.dynamodb = operated.stack.aws.client("dynamodb")
        self.table = operated.stack.outputs["tableName"]
        arn = operated.stack.outputs["readerPolicyArn"]
        self.reader = operated.stack.user(f"r{time.time_ns()}", arn)

    def place(self, order: str, customer: str, *, quantities: int = 2, delete: bool = True) -> None:
        before = self.operated.stack.hops().settled
        for quantity in range(1, quantities + 1):
            item = {
                "orderid": {"S": order},
                "product_name": {"S": "lamp"},
                "quantity": {"N": str(quantity)},
                "price": {"N": "1.5"},
                "customer": {"S": customer},
                "status": {"S": "placed"},
                "created_at": {"S": "2026-03-20T09:00:00Z"},
            }
            self.dynamodb.put_item(TableName=self.table, Item=item)
        if delete:
            self.dynamodb.delete_item(TableName=self.table, Key={"orderid": {"S": order}})
        self.operated.settle(quantities + delete, before)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.operated.stack.ask(sql, self.reader)]

    def log(self) -> list[dict[str, Any]]:
        name = self.operated.stack.outputs["projectionTable"]
        return self.ask(f"SELECT * FROM {name} ORDER BY event_id, sequence_number")


@pytest.fixture
def shop(operated: Operated) -> Shop:
    return Shop(operated)


def without(rows: list[dict[str, Any]], *orders: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["orderid"] not in orders]


def assert_nowhere(operated: Operated) -> None:
    """Not in any version of any object, nor in any file that the emulator keeps."""
    for (key, version), body in Bucket(operated).bodies().items():
        assert MARK.encode() not in plain(body), (key, version)
    for file in operated.stack.emulator.log.parent.rglob("*"):
        if file.is_file():
            assert MARK.encode() not in plain(file.read_bytes()), file


def test_without_yes_nothing_is_changed(operated: Operated, shop: Shop) -> None:
    shop.place("looked-at", "Ann")
    before = Bucket(operated).bodies()
    operated.act_as("eraserPolicyArn")
    result = operated.run("erase", "--key", "orderid=looked-at", "--json")
    assert result.code == 0, result.told
    assert result.facts["found"]["log"]["rows"] == 3
    assert (result.facts["dry_run"], result.facts["remaining"]) == (True, None)
    assert result.facts["dollars"] > 0
    assert "--yes erases this in about" in result.told
    assert Bucket(operated).bodies() == before


def test_rows_and_answers_are_gone_and_all_else_is_as_before(
    operated: Operated, shop: Shop
) -> None:
    operated.write(20, seed=1)
    shop.place("gone-1", MARK)
    shop.place("stays-1", "Ann")
    rows = shop.log()
    shop.ask("SELECT customer, count(*) AS n FROM current_orders GROUP BY 1")
    shop.ask("SELECT DISTINCT customer FROM changes")
    operated.act_as("eraserPolicyArn")
    result = operated.run("erase", "--key", "orderid=gone-1", "--yes", "--json")
    assert result.code == 0, result.told
    assert result.facts["remaining"] == 0
    assert result.facts["found"]["results"]["objects"] >= 2, "the table's rows, and the names"
    assert_nowhere(operated)
    assert shop.log() == without(rows, "gone-1")
    again = operated.run("erase", "--key", "orderid=gone-1", "--yes", "--json")
    assert (again.code, again.facts["remaining"], again.facts["record"]) == (0, 0, None)
    assert "nothing to erase" in again.told


def test_the_batch_jobs_table_goes_with_its_history(
    operated: Operated, shop: Shop, spark: None
) -> None:
    shop.place("gone-2", MARK)  # deleted before the first run
    shop.place("gone-3", MARK, delete=False)
    assert run_batch(operated.stack)["inserted"] > 0
    shop.place("gone-3", MARK)  # changed and deleted before the second
    shop.place("stays-3", "Bob", delete=False)
    run_batch(operated.stack)
    rows = shop.ask("SELECT * FROM orders ORDER BY orderid")
    current = shop.ask("SELECT * FROM current_orders ORDER BY orderid")
    operated.act_as("eraserPolicyArn")
    keys = ("--key", "orderid=gone-2", "--key", "orderid=gone-3")
    result = operated.run("erase", *keys, "--yes", "--json")
    assert result.code == 0, result.told
    assert result.facts["remaining"] == 0
    assert_nowhere(operated)
    assert shop.ask("SELECT * FROM orders ORDER BY orderid") == without(rows, "gone-2", "gone-3")
    assert shop.ask("SELECT * FROM current_orders ORDER BY orderid") == current
    figures = run_batch(operated.stack)
    assert (figures["partitions_read"], figures["rows_read"]) == (0, 0), "it is no news"
    shop.place("stays-3", "Bob")
    assert run_batch(operated.stack)["deleted"] == 1, "and the table goes on"
    assert_nowhere(operated)


def test_the_table_comes_first(operated: Operated, shop: Shop) -> None:
    shop.place("here", MARK, delete=False)
    before = Bucket(operated).bodies()
    operated.act_as("eraserPolicyArn")
    refused = operated.run("erase", "--key", "orderid=here", "--yes")
    assert refused.code == 1
    assert "1 of these items are still in the table" in refused.told
    assert Bucket(operated).bodies() == before
    kept = operated.run("erase", "--key", "orderid=here", "--pseudonymise", "--yes", "--json")
    assert (kept.code, kept.facts["remaining"]) == (0, 0), kept.told
    assert_nowhere(operated)
    (row,) = [one for one in shop.log() if one["orderid"] == "here"][:1]
    assert (row["customer"], row["product_name"]) == (None, "lamp")


def test_by_a_condition(operated: Operated, shop: Shop) -> None:
    for order in ("by-name-1", "by-name-2"):
        shop.place(order, "Ford's Marker")
    operated.act_as("eraserPolicyArn", "readerPolicyArn")
    where = ("--where", "customer = 'Ford''s Marker'")
    refused = operated.run("erase", *where, "--most", "5", "--yes")
    assert refused.code == 1
    assert "--where matches 6 rows, and --most allows 5: nothing was changed" in refused.told
    result = operated.run("erase", *where, "--yes", "--json")
    assert (result.code, result.facts["keys"], result.facts["remaining"]) == (0, 2, 0), result.told
    assert any("history" in one["where"] for one in result.facts["later"])
    assert not [row for row in shop.log() if row["orderid"].startswith("by-name")]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "whose rows? Give --key, --where or --from"),
        (("--key", "customer=Ann"), 2, "'customer' is not the partition key"),
        (("--key", "orderid"), 2, "give the column's name and the value"),
        (("--where", "nothing = 1"), 2, "COLUMN_NOT_FOUND"),
        (("--where", "customer = 'Ann"), 2, "--where"),
        (("--from", "/nowhere"), 2, "--from /nowhere: No such file or directory"),
        (("--key", "orderid=x", "--yes", "--dry-run"), 2, "exclude each other"),
        (("--key", "orderid=no-such-order", "--yes"), 0, "nothing to erase"),
        (("--where", "customer = 'Nobody at all'", "--yes"), 0, "nothing to erase"),
    ],
)
def test_bad_input_is_explained_and_changes_nothing(
    operated: Operated, arguments: tuple[str, ...], code: int, says: str
) -> None:
    data = ("projection/", "failed/", "orders/", "erasures/")
    before = [Bucket(operated).bodies(prefix) for prefix in data]
    operated.act_as("eraserPolicyArn", "readerPolicyArn")
    result = operated.run("erase", *arguments)
    assert result.code == code, result.told
    assert says in result.told
    assert [Bucket(operated).bodies(prefix) for prefix in data] == before


def test_keys_from_a_file(operated: Operated, shop: Shop, tmp_path: Path) -> None:
    shop.place("listed-1", MARK)
    shop.place("listed-2", MARK)
    file = tmp_path / "keys.txt"
    file.write_text("orderid=listed-1\n\norderid=listed-2\n")
    operated.act_as("eraserPolicyArn")
    result = operated.run("erase", "--from", str(file), "--yes", "--json")
    assert (result.code, result.facts["keys"], result.facts["remaining"]) == (0, 2, 0), result.told
    assert_nowhere(operated)


def test_without_permission_nothing_is_changed(operated: Operated, shop: Shop) -> None:
    shop.place("kept", "Ann")
    before = Bucket(operated).bodies("projection/")
    operated.act_as("operatorPolicyArn", "readerPolicyArn")
    result = operated.run("erase", "--key", "orderid=kept", "--yes")
    assert result.code == 1
    assert "no permission" in result.told
    assert "s3:ListBucketVersions" in result.told
    assert operated.stack.outputs["eraserPolicyArn"] in result.told
    assert Bucket(operated).bodies("projection/") == before
