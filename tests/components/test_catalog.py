"""Catalog: the tables, the crawler and the workgroup over the lake."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components.arguments.checks import ArgumentError
from components.catalog import Catalog, CatalogArgs, SavedQuery, View, presto_type
from components.change_data_capture import ChangeDataCapture, ChangeDataCaptureArgs
from schema import ORDERS, Column, Schema
from tests.components.component_support import Deploy, Deployed, arn, once

BUCKET = "arn:aws:s3:::lake"
GLUE = arn("glue:{region}:{account}:")
VIEW = View(
    name="latest",
    sql='SELECT "orderid", "price", "creation_time" FROM "shop".projection',
    columns=(("orderid", "string"), ("price", "decimal(10,2)"), ("creation_time", "timestamp")),
)
QUERY = SavedQuery(name="revenue", description="Revenue by product", sql="SELECT 1")


@once
def catalog(deploy: Deploy, **args: Any) -> Deployed:
    return deploy(
        lambda: Catalog("shop", CatalogArgs(bucket_name="lake", bucket_arn=BUCKET, **args))
    )


def table(deployed: Deployed, name: str) -> Any:
    return deployed.find("CatalogTable", f"shop-{name}").inputs


def columns(inputs: Any) -> list[tuple[str, str]]:
    return [(c["name"], c["type"]) for c in inputs["storageDescriptor"]["columns"]]


def test_the_database_is_named_after_the_component_by_default(deploy: Deploy) -> None:
    args = CatalogArgs(bucket_name="lake", bucket_arn=BUCKET)
    named = deploy(lambda: Catalog("Sales-CDC-dev", args)).find("CatalogDatabase")
    assert named.inputs["name"] == "sales_cdc_dev"
    told = catalog(deploy, database_name="orders").find("CatalogDatabase")
    assert told.inputs["name"] == "orders"


def test_the_projection_is_the_event_rows_as_gzipped_json(deploy: Deploy) -> None:
    inputs = table(catalog(deploy), "projection")
    assert inputs["name"] == "projection"
    assert inputs["databaseName"] == "shop"
    assert inputs["tableType"] == "EXTERNAL_TABLE"
    assert columns(inputs) == [(column.name, column.type) for column in ORDERS.event_row]
    storage = inputs["storageDescriptor"]
    assert storage["location"] == "s3://lake/projection/"
    assert storage["inputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert storage["outputFormat"] == "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    assert storage["serDeInfo"]["serializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"
    assert inputs["parameters"]["classification"] == "json"
    assert inputs["parameters"]["compressionType"] == "gzip"


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("projection", "s3://lake/projection/"),
        ("failed", "s3://lake/failed/processing-failed/"),
    ],
)
def test_partitions_are_worked_out_as_far_back_as_objects_are_kept(
    deploy: Deploy, name: str, location: str
) -> None:
    inputs = table(catalog(deploy, retention_days=90, failed_retention_days=5), name)
    days = {"projection": 90, "failed": 5}[name]
    assert [(key["name"], key["type"]) for key in inputs["partitionKeys"]] == [
        ("day", "string"),
        ("hour", "string"),
    ]
    parameters = inputs["parameters"]
    assert {k: v for k, v in parameters.items() if k.startswith(("projection.", "storage."))} == {
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": f"NOW-{days}DAYS,NOW",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "projection.hour.type": "integer",
        "projection.hour.range": "0,23",
        "projection.hour.digits": "2",
        "storage.location.template": f"{location}day=${{day}}/hour=${{hour}}/",
    }


def test_parquet_rows_are_read_as_parquet_and_failed_records_still_as_json(deploy: Deploy) -> None:
    deployed = catalog(deploy, delivery_format="parquet")
    rows, failed = table(deployed, "projection"), table(deployed, "failed")
    assert rows["parameters"]["classification"] == "parquet"
    assert rows["parameters"]["compressionType"] == "snappy"
    storage, parquet = rows["storageDescriptor"], "org.apache.hadoop.hive.ql.io.parquet."
    assert storage["inputFormat"] == f"{parquet}MapredParquetInputFormat"
    assert storage["outputFormat"] == f"{parquet}MapredParquetOutputFormat"
    assert storage["serDeInfo"]["serializationLibrary"] == f"{parquet}serde.ParquetHiveSerDe"
    assert failed["parameters"]["classification"] == "json"
    assert failed["parameters"]["compressionType"] == "none"


def test_failed_records_are_what_firehose_writes_of_them(deploy: Deploy) -> None:
    inputs = table(catalog(deploy, compression="none"), "failed")
    assert inputs["name"] == "projection_processing_failed"
    assert inputs["parameters"]["compressionType"] == "none"
    assert columns(inputs) == [
        ("attemptsmade", "int"),
        ("arrivaltimestamp", "bigint"),
        ("errorcode", "string"),
        ("errormessage", "string"),
        ("attemptendingtimestamp", "bigint"),
        ("rawdata", "string"),
        ("lambdaarn", "string"),
    ]


def test_a_new_column_of_an_order_is_a_new_column_of_the_table(deploy: Deploy) -> None:
    schema = Schema(key="orderid", columns=(*ORDERS.columns, Column(name="note", type="string")))
    assert ("note", "string") in columns(table(catalog(deploy, schema=schema), "projection"))


def test_a_view_is_what_athena_would_have_written(deploy: Deploy) -> None:
    inputs = table(catalog(deploy, views=[VIEW]), "view-latest")
    assert (inputs["name"], inputs["tableType"]) == ("latest", "VIRTUAL_VIEW")
    assert inputs["parameters"]["presto_view"] == "true"
    assert inputs["viewExpandedText"] == "/* Presto View */"
    assert columns(inputs) == list(VIEW.columns)
    text = inputs["viewOriginalText"]
    assert text.startswith("/* Presto View: ") and text.endswith(" */")
    assert json.loads(base64.b64decode(text[len("/* Presto View: ") : -len(" */")])) == {
        "originalSql": VIEW.sql,
        "catalog": "awsdatacatalog",
        "schema": "shop",
        "columns": [
            {"name": "orderid", "type": "varchar"},
            {"name": "price", "type": "decimal(10,2)"},
            {"name": "creation_time", "type": "timestamp(3)"},
        ],
    }


def test_a_view_has_serde_info_that_the_provider_sends(deploy: Deploy) -> None:
    whole_chain = ChangeDataCaptureArgs(views=[VIEW])
    for deployed in (
        catalog(deploy, views=[VIEW]),
        deploy(lambda: ChangeDataCapture("shop", whole_chain)),
    ):
        (view,) = (t for t in deployed.all("CatalogTable") if t.inputs["name"] == "latest")
        serde = view.inputs["storageDescriptor"]["serDeInfo"]
        assert serde == {"name": "-", "serializationLibrary": "-"}


@pytest.mark.parametrize(
    ("hive", "presto"),
    [
        ("string", "varchar"),
        ("int", "integer"),
        ("bigint", "bigint"),
        ("double", "double"),
        ("boolean", "boolean"),
        ("date", "date"),
        ("timestamp", "timestamp(3)"),
        ("decimal(10,2)", "decimal(10,2)"),
        ("array<array<string>>", "array(array(varchar))"),
    ],
)
def test_types_have_the_engines_names(hive: str, presto: str) -> None:
    assert presto_type(hive) == presto


def test_the_crawler_shows_drift_and_changes_no_declared_table(deploy: Deploy) -> None:
    deployed = catalog(deploy)
    crawler = deployed.find("Crawler", "shop-crawler")
    inputs = dict(crawler.inputs)
    assert json.loads(inputs.pop("configuration")) == {
        "Version": 1.0,
        "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
        "Grouping": {
            "TableGroupingPolicy": "CombineCompatibleSchemas",
            "TableLevelConfiguration": 2,
        },
        "CreatePartitionIndex": False,
    }
    inputs.pop("description")
    assert inputs == {
        "role": arn("iam::{account}:role/shop-crawler-role-1a2b3c4"),
        "databaseName": "shop",
        "tablePrefix": "crawled_",
        "classifiers": ["shop-json-1a2b3c4"],
        "s3Targets": [{"path": "s3://lake/projection/"}, {"path": "s3://lake/failed/"}],
        "schemaChangePolicy": {"updateBehavior": "UPDATE_IN_DATABASE", "deleteBehavior": "LOG"},
        "recrawlPolicy": {"recrawlBehavior": "CRAWL_EVERYTHING"},
    }
    assert deployed.find("Classifier").inputs == {"jsonClassifier": {"jsonPath": "$"}}
    assert "shop-crawler-policy" in crawler.depends_on


def test_the_crawler_may_keep_crawled_tables_only(deploy: Deploy) -> None:
    read = {f"{GLUE}catalog", f"{GLUE}database/shop", f"{GLUE}table/shop/*"}
    keep = {f"{GLUE}catalog", f"{GLUE}database/shop", f"{GLUE}table/shop/crawled_*"}
    logs = {arn("logs:{region}:{account}:log-group:/aws-glue/crawlers:*")}
    assert catalog(deploy).find("RolePolicy", "shop-crawler-policy").allows == {
        "glue:GetDatabase": read,
        "glue:GetDatabases": read,
        "glue:GetTable": read,
        "glue:GetTables": read,
        "glue:GetTableVersion": read,
        "glue:GetTableVersions": read,
        "glue:GetPartition": read,
        "glue:GetPartitions": read,
        "glue:BatchGetPartition": read,
        "glue:CreateTable": keep,
        "glue:UpdateTable": keep,
        "glue:CreatePartition": keep,
        "glue:UpdatePartition": keep,
        "glue:BatchCreatePartition": keep,
        "glue:BatchUpdatePartition": keep,
        "s3:GetBucketLocation": {BUCKET},
        "s3:ListBucket": {BUCKET},
        "s3:GetObject": {f"{BUCKET}/projection/*", f"{BUCKET}/failed/*"},
        "logs:CreateLogGroup": logs,
        "logs:CreateLogStream": logs,
        "logs:PutLogEvents": logs,
    }


def test_only_glue_may_be_the_crawler(deploy: Deploy) -> None:
    role = catalog(deploy).find("Role", "shop-crawler-role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "glue.amazonaws.com"}
    assert "Condition" not in statement  # its guide shows none


def test_the_crawler_runs_on_its_schedule(deploy: Deploy) -> None:
    crawler = catalog(deploy, crawler_schedule="cron(0 3 * * ? *)").find("Crawler")
    assert crawler.inputs["schedule"] == "cron(0 3 * * ? *)"


def test_the_workgroup_bounds_and_encrypts_every_query(deploy: Deploy) -> None:
    inputs = catalog(deploy).find("Workgroup", "shop-workgroup").inputs
    assert inputs["configuration"] == {
        "enforceWorkgroupConfiguration": True,
        "publishCloudwatchMetricsEnabled": True,
        "bytesScannedCutoffPerQuery": 1024 * 1024 * 1024,
        "engineVersion": {"selectedEngineVersion": "Athena engine version 3"},
        "resultConfiguration": {
            "outputLocation": "s3://lake/athena-results/",
            "encryptionConfiguration": {"encryptionOption": "SSE_S3"},
        },
    }
    assert inputs["forceDestroy"] is False


def test_scan_limit_and_protection_reach_the_workgroup(deploy: Deploy) -> None:
    inputs = catalog(deploy, scan_limit_mb=10, protect=False).find("Workgroup").inputs
    assert inputs["configuration"]["bytesScannedCutoffPerQuery"] == 10 * 1024 * 1024
    assert inputs["forceDestroy"] is True


def test_saved_queries_are_in_the_workgroup(deploy: Deploy) -> None:
    saved = catalog(deploy, saved_queries=[QUERY]).find("NamedQuery", "shop-query-revenue")
    assert saved.inputs == {
        "name": "revenue",
        "description": "Revenue by product",
        "query": "SELECT 1",
        "database": "shop",
        "workgroup": "shop-workgroup-1a2b3c4",
    }


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "database_name": "Sales-CDC",
        "delivery_format": "orc",
        "compression": "zip",
        "retention_days": 0,
        "crawler_schedule": "daily",
        "scan_limit_mb": 9,
        "views": [VIEW, VIEW],
        "saved_queries": [QUERY, QUERY],
    }
    with pytest.raises(ArgumentError) as raised:
        CatalogArgs(bucket_name="lake", bucket_arn=BUCKET, **wrong)
    for name in wrong:
        assert name in str(raised.value)


def test_a_view_does_not_take_the_name_of_a_table() -> None:
    view = View(name="projection", sql="SELECT 1", columns=())
    with pytest.raises(ArgumentError, match="twice: projection"):
        CatalogArgs(bucket_name="lake", bucket_arn=BUCKET, views=[view])
