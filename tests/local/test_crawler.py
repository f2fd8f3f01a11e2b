"""Crawlers on real objects of the emulator."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from client.parquet import RowConverter
from local.account.aws import Aws
from local.errors import AwsError
from local.standins.crawler import Crawler
from tests.local import chain_parts as parts

GROUPING = {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 2}


class Lake:
    """A bucket, a database, and a crawler over them."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name, self.database = aws, name, name.replace("-", "_")
        where = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
        aws.client("glue").create_database(DatabaseInput={"Name": self.database})
        allowed = (["s3:GetObject", "s3:ListBucket", "glue:*"], "*")
        self.role = parts.role(aws, name, allowed)

    def put(self, key: str, body: bytes) -> None:
        self.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=body)

    def crawler(self, *folders: str, grouping: dict[str, Any] | None = GROUPING) -> Crawler:
        configuration = {"Version": 1.0} | ({"Grouping": grouping} if grouping else {})
        definition = {
            "Name": self.name,
            "Role": self.role,
            "DatabaseName": self.database,
            "TablePrefix": "crawled_",
            "Configuration": json.dumps(configuration),
            "Targets": {"S3Targets": [{"Path": f"s3://{self.name}/{one}"} for one in folders]},
        }
        return Crawler(self.aws, definition)

    def crawl(self, *folders: str) -> dict[str, Any]:
        crawler = self.crawler(*folders)
        crawler.start()
        crawler.wait()
        tables = self.aws.client("glue").get_tables(DatabaseName=self.database)["TableList"]
        return {table["Name"]: table for table in tables}

    def partitions(self, table: str) -> list[list[str]]:
        answer = self.aws.client("glue").get_partitions(DatabaseName=self.database, TableName=table)
        return sorted(one["Values"] for one in answer["Partitions"])


@pytest.fixture
def lake(aws: Aws, request: pytest.FixtureRequest) -> Lake:
    return Lake(aws, request.node.name.replace("test_", "")[:50].replace("_", "-").strip("-"))


def columns(table: dict[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Type"] for one in table["StorageDescriptor"]["Columns"]}


def test_hive_folders_become_partitions_of_one_table_a_prefix(lake: Lake) -> None:
    for day, hour in (("2026-01-01", "00"), ("2026-01-01", "01"), ("2026-01-02", "00")):
        body = gzip.compress(b'{"orderid":"a","price":1.5,"quantity":2,"paid":true,"none":null}\n')
        lake.put(f"projection/day={day}/hour={hour}/x.gz", body)
    lake.put("failed/processing-failed/day=2026-01-01/hour=00/y", b'{"errorCode":"E"}\n')
    tables = lake.crawl("projection/", "failed/")
    assert set(tables) == {"crawled_projection", "crawled_failed"}
    found = tables["crawled_projection"]
    assert columns(found) == {
        "orderid": "string",
        "price": "double",
        "quantity": "int",
        "paid": "boolean",
        "none": "string",
    }
    assert [one["Name"] for one in found["PartitionKeys"]] == ["day", "hour"]
    assert found["Parameters"]["classification"] == "json"
    assert found["Parameters"]["compressionType"] == "gzip"
    assert lake.partitions("crawled_projection") == [
        ["2026-01-01", "00"],
        ["2026-01-01", "01"],
        ["2026-01-02", "00"],
    ]
    failed = tables["crawled_failed"]
    assert [one["Name"] for one in failed["PartitionKeys"]] == ["partition_0", "day", "hour"]


def test_a_second_run_adds_new_columns_and_partitions(lake: Lake) -> None:
    lake.put("projection/day=2026-01-01/x", b'{"a":1}\n')
    lake.crawl("projection/")
    lake.put("projection/day=2026-01-02/x", b'{"a":3000000000,"b":{"c":[1.5]}}\n')
    tables = lake.crawl("projection/")
    assert columns(tables["crawled_projection"]) == {"a": "bigint", "b": "struct<c:array<double>>"}
    assert lake.partitions("crawled_projection") == [["2026-01-01"], ["2026-01-02"]]


def test_parquet_is_known_by_its_schema(lake: Lake) -> None:
    out = io.BytesIO()
    table = pa.table(
        {
            "orderid": pa.array(["a"]),
            "price": pa.array([None], pa.decimal128(10, 2)),
            "at": pa.array([None], pa.timestamp("us")),
        }
    )
    pq.write_table(table, out)
    lake.put("projection/day=2026-01-01/x.parquet", out.getvalue())
    found = lake.crawl("projection/")["crawled_projection"]
    assert columns(found) == {"orderid": "string", "price": "decimal(10,2)", "at": "timestamp"}
    assert found["Parameters"]["classification"] == "parquet"


def test_structs_of_all_rows_and_files_become_one(lake: Lake) -> None:
    rows = [
        {"items": [], "address": {"City": "Bonn"}, "by": None},
        {"items": [{"sku": "x", "n": 1}, {"n": 1.5, "tags": ["a"]}], "address": {"zip": 53111}},
        {"items": [{"n": 3000000000}], "by": {"Red": {"n": 1}, "blue": None}},
    ]
    for number, row in enumerate(rows):
        lake.put(f"projection/day=2026-01-0{number + 1}/x", json.dumps(row).encode() + b"\n")
    assert columns(lake.crawl("projection/")["crawled_projection"]) == {
        "items": "array<struct<sku:string,n:double,tags:array<string>>>",
        "address": "struct<city:string,zip:int>",
        "by": "struct<red:struct<n:int>,blue:string>",
    }


def test_nested_columns_of_parquet_have_the_names_that_glue_has(lake: Lake) -> None:
    kinds = [
        "array<struct<sku:string,price:decimal(10,2),at:timestamp>>",
        "array<struct<price:decimal(10,2),more:map<string,array<bigint>>>>",
    ]
    for number, kind in enumerate(kinds):
        body = RowConverter([("items", kind)]).parquet([b"{}"])
        lake.put(f"projection/day=2026-01-0{number + 1}/x.parquet", body)
    assert columns(lake.crawl("projection/")["crawled_projection"]) == {
        "items": "array<struct<sku:string,price:decimal(10,2),at:timestamp,"
        "more:map<string,array<bigint>>>>"
    }


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"a": {"b": 1}}, {"a": 1}], "a is struct<b:int> and int"),
        ([{"a": [[1]]}, {"a": [{"b": 1}]}], "a[] is array<int> and struct<b:int>"),
        ([{"a": {}}], "a is always an object without members"),
        ([{"a": {"x:y": 1}}], "a has the key 'x:y'"),
    ],
)
def test_what_the_guide_does_not_say_is_refused(aws: Aws, rows: list[Any], told: str) -> None:
    lake = Lake(aws, f"refused-{zlib.crc32(told.encode())}")
    lake.put("projection/x", "".join(json.dumps(row) + "\n" for row in rows).encode())
    with pytest.raises(AwsError, match=re.escape(told)):
        lake.crawl("projection/")


def test_an_empty_prefix_makes_no_table(lake: Lake) -> None:
    assert lake.crawl("projection/") == {}


def test_a_crawler_without_read_permission_fails_and_says_so(lake: Lake) -> None:
    lake.put("projection/day=2026-01-01/x", b'{"a":1}\n')
    parts.allow(lake.aws, lake.name, (["s3:ListBucket", "glue:*"], "*"))
    with pytest.raises(AwsError, match="s3:GetObject"):
        lake.crawl("projection/")


def test_a_crawler_that_runs_is_not_started_again(lake: Lake) -> None:
    crawler = lake.crawler("projection/")
    crawler.start()
    try:
        if crawler.running:
            with pytest.raises(AwsError, match="CrawlerRunningException"):
                crawler.start()
    finally:
        crawler.wait()
    with pytest.raises(AwsError, match="CrawlerNotRunningException"):
        crawler.stop()
