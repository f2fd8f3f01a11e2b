"""Settings: read once, all checked at once, and the same as in Pulumi.yaml."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.access import AccessArgs
from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments.settings import Settings, SettingsError, key_of
from components.batch_projection import BatchProjectionArgs
from components.catalog import CatalogArgs
from components.cdc_source import CdcSourceArgs
from components.change_stream import ChangeStreamArgs
from components.delivery_to_lake import DeliveryToLakeArgs
from components.log_packing import LogPackingArgs
from components.monitoring import MonitoringArgs
from components.order_generator import OrderGeneratorArgs
from components.quicksight_dashboard import QuickSightDashboardArgs
from components.stream_bridge import StreamBridgeArgs

ROOT = Path(__file__).resolve().parents[2]
HOURLY = "cron(10 * * * ? *)"
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
ARGS = (
    CdcSourceArgs,
    StreamBridgeArgs,
    DeliveryToLakeArgs,
    CatalogArgs,
    BatchProjectionArgs,
    LogPackingArgs,
    MonitoringArgs,
    AccessArgs,
    ChangeStreamArgs,
    OrderGeneratorArgs,
    QuickSightDashboardArgs,
)


def problems(**raw: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        Settings.load(raw)
    return raised.value.problems


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_pulumi_yaml_describes_every_setting() -> None:
    assert set(PROJECT["config"]) == {key_of(f.name) for f in dataclasses.fields(Settings)}
    assert all(declared["description"] for declared in PROJECT["config"].values())


def test_pulumi_yaml_has_the_same_defaults() -> None:
    defaults = {key: as_text(item["default"]) for key, item in PROJECT["config"].items()}
    assert Settings.load(defaults) == Settings()


def test_a_scheduled_batch_looks_back_as_far_as_the_stream_holds_changes() -> None:
    stream = {"streamRetentionHours": "48"}
    (problem,) = problems(**stream, batchSchedule="cron(0 * * * ? *)")
    assert problem == "batchLookBackHours: must be streamRetentionHours (48) or more, not 24"
    Settings.load(stream)


def test_packing_waits_as_long_as_the_stream_holds_changes() -> None:
    (problem,) = problems(streamRetentionHours="48", packSchedule=HOURLY)
    assert problem == "batchLookBackHours: must be streamRetentionHours (48) or more, not 24"
    Settings.load({"packSchedule": HOURLY})


def test_pulumi_yaml_has_the_types_of_the_settings() -> None:
    kinds = {bool: "boolean", int: "integer", tuple: "array"}
    for field in dataclasses.fields(Settings):
        declared = PROJECT["config"][key_of(field.name)]["type"]
        # Pulumi's configuration knows no numbers with a fraction: they are strings.
        assert declared == kinds.get(type(field.default), "string"), field.name


def test_the_components_have_the_same_defaults() -> None:
    theirs = {
        (args.__name__, field.name): field.default
        for args in ARGS
        for field in dataclasses.fields(args)
        if hasattr(Settings, field.name) and field.default is not dataclasses.MISSING
    }
    assert len(theirs) > 30
    ours = {key: getattr(Settings(), key[1]) for key in theirs}
    # Settings alone have nothing to fall back on here: the component takes it from the schema.
    assert {k: v for k, v in theirs.items() if k[1] != "schema"} == {
        k: v for k, v in ours.items() if k[1] != "schema"
    }


def test_every_setting_goes_somewhere() -> None:
    taken = {field.name for args in ARGS for field in dataclasses.fields(args)}
    # What __main__ or a property of the settings uses instead.
    others = {
        "sort_key",
        "schema_file",
        "unknown_attributes",
        "lambda_platform",
        "result_retention_days",
        "order_generator",
        "dashboard",
        "monitoring",
    }
    assert {field.name for field in dataclasses.fields(Settings)} == (
        taken & {field.name for field in dataclasses.fields(Settings)}
    ) | others


def test_texts_become_values() -> None:
    settings = Settings.load(
        {
            "protect": "false",
            "shards": "3",
            "streamMode": "provisioned",
            "transformBufferSizeMb": "0.2",
            "sortKey": "",
            "ttlAttribute": "expires",
            "filterPatterns": '["{\\"eventName\\": [\\"INSERT\\"]}", {"eventName": ["REMOVE"]}]',
        }
    )
    assert settings.protect is False
    assert settings.shards == 3
    assert settings.transform_buffer_size_mb == 0.2
    assert settings.sort_key is None
    assert settings.ttl_attribute == "expires"
    assert settings.filter_patterns == ({"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]})


def test_a_sort_key_is_the_schemas() -> None:
    settings = Settings.load({"sortKey": "created_at"})
    assert settings.schema.keys == ("orderid", "created_at")
    path = "$.dynamodb.Keys.created_at.S"
    assert Settings.load({"sortKey": "created_at", "partitionKeyPath": path})


SHOP = """
name: shop
key: orderid
sort_key: at
columns:
  - {name: orderid, attribute: orderId, type: string}
  - {name: at, type: bigint}
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A schema file."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return str(file)


def test_a_schema_file_is_the_schema(shop: str) -> None:
    settings = Settings.load({"schemaFile": shop})
    assert settings.schema.name == "shop"
    assert settings.schema.key_attributes == ("orderId", "at")
    for path in ("$.dynamodb.Keys.orderId.S", "$.dynamodb.Keys.at.N", "$.eventID"):
        assert Settings.load({"schemaFile": shop, "partitionKeyPath": path})


def test_a_schema_file_is_found_from_the_projects_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (problem,) = problems(schemaFile="no/such.yaml")
    assert problem.startswith("schemaFile: no/such.yaml: ")


def test_every_problem_of_a_schema_file_is_one_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(SHOP.replace("bigint", "number").replace("key: orderid", "key: id"))
    found = problems(schemaFile=str(file), shards="0", ttlAttribute="orderId")
    assert sorted(one.split(": ")[1] for one in found if one.startswith("schemaFile: ")) == [
        f"{file}:3",
        f"{file}:7",
    ]
    assert "shards: must be from 1 to 10,000, not 0" in found


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"sortKey": "at"}, "sortKey: is for orders only; set sort_key in "),
        ({"ttlAttribute": "orderId"}, "ttlAttribute: 'orderId' is a key of the table"),
        ({"orderGenerator": "true"}, "orderGenerator: is for orders only; clear it, because "),
        (
            {
                "dashboard": "true",
                "dashboardPrincipalArn": "arn:aws:quicksight:x:123456789012:user/a/b",
            },
            "dashboard: is for orders only; clear it, because schemaFile is set",
        ),
        (
            {"partitionKeyPath": "$.dynamodb.Keys.orderid.S"},
            "partitionKeyPath: must be $.dynamodb.Keys.orderId.S or $.dynamodb.Keys.at.N, not ",
        ),
    ],
)
def test_what_a_schema_file_does_not_go_with_is_said(
    shop: str, raw: dict[str, str], problem: str
) -> None:
    (found,) = problems(schemaFile=shop, **raw)
    assert found.startswith(problem)


def test_a_key_that_no_path_reaches_needs_another_partition_key(shop: str) -> None:
    Path(shop).write_text(SHOP.replace("orderId", "order id"))
    (found,) = problems(schemaFile=shop)
    assert found.startswith("partitionKeyPath: must be $.eventID, because no JSONPath reaches a ")
    assert Settings.load({"schemaFile": shop, "partitionKeyPath": "$.eventID"})


def test_a_table_is_either_created_or_there() -> None:
    assert problems(sourceTable="shop", tableName="shop") == [
        "tableName: names a table that is created; clear it, because sourceTable names one that "
        "exists"
    ]


def test_the_platform_is_awss_by_default() -> None:
    assert functions.platform(Settings().lambda_platform) == functions.AWS
    assert functions.platform("host") == Platform.host()


def test_every_problem_is_reported_at_once_with_its_key() -> None:
    wrong = {
        "deliveryFormat": "csv",
        "bufferSizeMb": "200",
        "shards": "0",
        "batchSize": "501",
        "partitionKeyPath": "orderid",
        "batchWindowSeconds": "300",
        "maximumRecordAgeSeconds": "60",
        "protect": "yes",
        "retentionDays": "a month",
        "transformBufferSizeMb": "nan",
        "filterPatterns": '["INSERT"]',
        "kmsKeyArn": "mine",
        "sortKey": "orderid",
        "crawlerSchedule": "daily",
        "orderGeneratorSchedule": "rate(0 minutes)",
        "logRetentionDays": "2",
        "lambdaPlatform": "mars",
    }
    found = problems(**wrong)
    for key in wrong.keys() - {"maximumRecordAgeSeconds"}:
        assert any(problem.startswith(f"{key}: ") for problem in found), key
    assert "batchWindowSeconds: must be below maximumRecordAgeSeconds (60), not 300" in found


def test_the_message_is_for_a_person() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({"shards": "0", "batchSize": "many"})
    assert str(raised.value).splitlines() == [
        "the configuration has 2 problem(s):",
        "  batchSize: must be a whole number, not 'many'",
        "  shards: must be from 1 to 10,000, not 0",
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"batchsize": "5"}, "batchsize: there is no such setting; did you mean batchSize?"),
        ({"xyzzy": "5"}, "xyzzy: there is no such setting"),
        (
            {"deliveryFormat": "parquet", "bufferSizeMb": "5"},
            "bufferSizeMb: must be 64 or more when deliveryFormat is parquet, not 5",
        ),
        (
            {"packSchedule": HOURLY, "deliveryFormat": "parquet", "bufferSizeMb": "64"},
            "packSchedule: clear it, because deliveryFormat is parquet, which only batchSchedule "
            "packs",
        ),
        (
            {"packSchedule": HOURLY, "batchSchedule": HOURLY},
            "packSchedule: clear it, because batchSchedule is set, and the batch job packs the log",
        ),
        (
            {"packSchedule": "hourly"},
            "packSchedule: must be a cron expression of six fields, such as cron(0 3 * * ? *), "
            "not 'hourly'",
        ),
        (
            {"ttlAttribute": "orderid"},
            "ttlAttribute: 'orderid' is a key of the table",
        ),
        (
            {"partitionKeyPath": "$.dynamodb.Keys.orderid.N"},
            "partitionKeyPath: must be $.dynamodb.Keys.orderid.S, not '$.dynamodb.Keys.orderid.N'",
        ),
        (
            {"filterPatterns": json.dumps([{"eventName": ["INSERT"]}] * 6)},
            "filterPatterns: at most 5 patterns, not 6",
        ),
        (
            {"dashboard": "true"},
            "dashboardPrincipalArn: must say who may see it when dashboard is on",
        ),
        (
            {"sortKey": "colour"},
            "sortKey: must be a column (product_name, quantity, price, customer, status, "
            "created_at), not 'colour'",
        ),
    ],
)
def test_what_does_not_go_together_is_said(raw: dict[str, str], problem: str) -> None:
    assert problems(**raw) == [problem]
