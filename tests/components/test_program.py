"""The program: `__main__.py` with the settings of each stack."""

from __future__ import annotations

import ast
import base64
import json
import re
import runpy
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.arguments.settings import Settings
from tests.components.component_support import REGION, Deploy, Deployed, record

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = {
    "region",
    "tableName",
    "tableArn",
    "streamArn",
    "kinesisStreamName",
    "pipeName",
    "dlqUrl",
    "deliveryStreamName",
    "transformFunctionName",
    "bucketName",
    "databaseName",
    "projectionTable",
    "failedTable",
    "crawlerName",
    "workgroupName",
    "writerPolicyArn",
    "readerPolicyArn",
    "operatorPolicyArn",
    "eraserPolicyArn",
    "schema",
    "batchJobName",
    "alarmTopicArn",
}
OWN_EXPORTS = {
    "dev": {"packFunctionName"},
    "prod": {"batchCheckFunctionName", "operationsDashboardName"},
}
"""What only one of the stacks has."""


def program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def stack_config(stack: str) -> dict[str, str]:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {
        key.removeprefix("sales-cdc:"): value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if key.startswith("sales-cdc:")
    }


@pytest.fixture(scope="module")
def up(deploy: Deploy) -> Any:
    """The program, deployed once for all tests whose stack and settings are the same.

    It reads nothing else of its configuration.
    """
    known: dict[tuple[str, Settings], Deployed] = {}

    def run(stack: str, **config: str) -> Deployed:
        config = stack_config(stack) | config
        settings = Settings.load(config)
        if (stack, settings) not in known:
            known[stack, settings] = deploy(program, stack=stack, **config)
        return known[stack, settings]

    return run


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_exports_the_names_that_people_and_programs_need(up: Any, stack: str) -> None:
    exports = up(stack).exports
    assert set(exports) == EXPORTS | OWN_EXPORTS[stack]
    assert all(isinstance(value, str) and value for value in exports.values())
    assert exports["region"] == REGION
    assert exports["databaseName"] == f"sales_cdc_{stack}"
    assert exports["tableName"] == f"sales-cdc-{stack}-orders-table-1a2b3c4"
    assert exports["bucketName"] == f"sales-cdc-{stack}-lake-bucket-1a2b3c4"


def test_it_wires_and_does_nothing_else() -> None:
    tree = ast.parse((ROOT / "__main__.py").read_text())
    others = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.Try)
    assert not [node for node in ast.walk(tree) if isinstance(node, others)]


def test_dev_is_cheap_and_can_be_destroyed(up: Any) -> None:
    dev = up("dev")
    assert not [resource.name for resource in dev.resources if resource.protect]
    assert dev.find("Bucket").inputs["forceDestroy"] is True
    assert dev.find("Workgroup").inputs["forceDestroy"] is True
    assert dev.find("Table").inputs["deletionProtectionEnabled"] is False
    assert dev.find("Table").inputs["pointInTimeRecovery"] == {"enabled": False}
    assert dev.find("aws:kinesis/stream:Stream").inputs["shardCount"] == 1
    assert "schedule" not in dev.find("Crawler").inputs
    assert len(dev.all("MetricAlarm")) == 5
    assert not dev.all("Dashboard")
    transform = dev.find("Function", "sales-cdc-dev-lake-transform-function").inputs
    assert transform["environment"] == {"variables": {"METRICS": "Failed"}}
    delivery = dev.find("FirehoseDeliveryStream").inputs["extendedS3Configuration"]
    assert delivery["compressionFormat"] == "GZIP"
    assert delivery["bufferingInterval"] == 0
    assert dev.find("Schedule").inputs["scheduleExpression"] == "cron(10 * * * ? *)", "packing"


def test_changes_wait_in_one_place_in_dev(up: Any) -> None:
    """Two waits would make the same latency with more objects or more calls."""
    assert waits(up("dev")) == {"pipe": 0, "transform": 13, "s3": 0}


def test_prod_uploads_each_object_with_one_request(up: Any) -> None:
    assert waits(up("prod"))["s3"] >= 60


def waits(deployed: Any) -> dict[str, int]:
    """How long each hop holds changes."""
    delivery = deployed.find("FirehoseDeliveryStream").inputs["extendedS3Configuration"]
    (processor,) = delivery["processingConfiguration"]["processors"]
    parameters = {one["parameterName"]: one["parameterValue"] for one in processor["parameters"]}
    stream = deployed.find("Pipe").inputs["sourceParameters"]["dynamodbStreamParameters"]
    return {
        "pipe": stream["maximumBatchingWindowInSeconds"],
        "transform": int(parameters["BufferIntervalInSeconds"]),
        "s3": delivery["bufferingInterval"],
    }


def test_prod_is_safe(up: Any) -> None:
    prod = up("prod")
    assert {resource.type for resource in prod.resources if resource.protect} == {
        "aws:dynamodb/table:Table",
        "aws:s3/bucket:Bucket",
    }
    assert prod.find("Bucket").inputs["forceDestroy"] is False
    assert prod.find("Workgroup").inputs["forceDestroy"] is False
    assert prod.find("BucketVersioning")
    assert prod.find("Table").inputs["deletionProtectionEnabled"] is True
    assert prod.find("Table").inputs["pointInTimeRecovery"] == {"enabled": True}
    stream = prod.find("aws:kinesis/stream:Stream").inputs
    assert stream["streamModeDetails"] == {"streamMode": "ON_DEMAND"}
    assert prod.find("Crawler").inputs["schedule"] == "cron(0 3 ? * MON *)"
    assert prod.find("Schedule").inputs["scheduleExpression"] == "cron(10 0/6 * * ? *)"
    assert prod.find("Job").inputs["executionClass"] == "FLEX"
    assert len(prod.all("MetricAlarm")) == 18
    assert prod.find("Dashboard")
    delivery = prod.find("FirehoseDeliveryStream").inputs["extendedS3Configuration"]
    assert "dataFormatConversionConfiguration" in delivery


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_objects_are_queried_as_far_back_as_they_are_kept(up: Any, stack: str) -> None:
    deployed = up(stack)
    rules = deployed.find("BucketLifecycleConfiguration").inputs["rules"]
    days = {r["filter"]["prefix"]: r["expiration"]["days"] for r in rules if "expiration" in r}
    tables = deployed.all("CatalogTable")
    ranges = {
        table.inputs["parameters"]["projection.day.range"]
        for table in tables
        if "projection.enabled" in table.inputs.get("parameters", {})
    }
    assert ranges == {f"NOW-{days[one]:.0f}DAYS,NOW" for one in ("projection/", "failed/")}
    # Failed records are raw data; the notes of replays are needed as long as they are.
    assert days["failed/"] == days["replayed/"] <= 14
    # The answers of queries have an age of their own.
    assert days["athena-results/"] < days["projection/"]


def test_the_pipe_waits_for_firehose(up: Any) -> None:
    assert "sales-cdc-dev-lake-firehose" in up("dev").find("Pipe").depends_on


def test_the_program_reads_what_it_writes(up: Any) -> None:
    """Each component gets the resources of the one before it."""
    dev = up("dev")
    exports = dev.exports
    pipe = dev.find("Pipe").inputs
    assert pipe["source"] == exports["streamArn"]
    assert pipe["target"].endswith(f"stream/{exports['kinesisStreamName']}")
    delivery = dev.find("FirehoseDeliveryStream").inputs
    assert delivery["kinesisSourceConfiguration"]["kinesisStreamArn"] == pipe["target"]
    bucket = exports["bucketName"]
    location = dev.find("Workgroup").inputs["configuration"]["resultConfiguration"]
    assert location["outputLocation"] == f"s3://{bucket}/athena-results/"
    projection = dev.find("CatalogTable", "sales-cdc-dev-catalog-projection").inputs
    assert projection["storageDescriptor"]["location"] == f"s3://{bucket}/projection/"
    writer = dev.find("Policy", "sales-cdc-dev-access-writer")
    assert {exports["tableArn"]} == set.union(*writer.allows.values())


def test_views_and_saved_queries_are_deployed(up: Any) -> None:
    dev = up("dev")
    views = [t for t in dev.all("CatalogTable") if t.inputs.get("tableType") == "VIRTUAL_VIEW"]
    assert {view.inputs["name"] for view in views} == {"changes", "current_orders"}
    queries = dev.all("NamedQuery")
    assert {query.inputs["name"] for query in queries} == {
        path.stem for path in (ROOT / "analytics" / "queries").rglob("*.sql")
    }
    assert all(len(query.inputs["description"]) <= 1024 for query in queries)


@pytest.mark.parametrize(
    ("stack", "config"),
    [("dev", {}), ("dev", {"sortKey": "created_at"}), ("prod", {}), ("local", {})],
    ids=["no batch", "sort key", "batch", "local"],
)
def test_no_view_has_empty_serde_info(up: Any, stack: str, config: dict[str, str]) -> None:
    tables = up(stack, **config).all("CatalogTable")
    views = [t.inputs for t in tables if t.inputs.get("tableType") == "VIRTUAL_VIEW"]
    assert len(views) == 2
    for view in views:
        assert view["storageDescriptor"]["serDeInfo"] == {"name": "-", "serializationLibrary": "-"}


def test_the_order_generator_is_off_until_switched_on(up: Any) -> None:
    assert "orderGeneratorFunctionName" not in up("dev").exports
    on = up("dev", orderGenerator="true", orderGeneratorOrders="5")
    assert on.exports["orderGeneratorFunctionName"].startswith("sales-cdc-dev-generator-function")
    assert set(on.exports) == EXPORTS | OWN_EXPORTS["dev"] | {"orderGeneratorFunctionName"}
    function = on.find("Function", "sales-cdc-dev-generator-function").inputs
    assert function["environment"]["variables"]["TABLE_NAME"] == on.exports["tableName"]
    assert function["environment"]["variables"]["ORDERS"] == "5"


def test_the_batchs_files_are_put_into_a_bucket_that_encrypts_already(up: Any) -> None:
    files = up("dev").all("BucketObjectv2")
    assert len(files) == 6
    for file in files:
        assert "sales-cdc-dev-lake-encryption" in file.depends_on, file.name
        assert file.inputs["bucket"] == "sales-cdc-dev-lake-bucket-1a2b3c4"


def test_the_batch_runs_on_demand_in_dev(up: Any) -> None:
    dev = up("dev")
    assert dev.exports["batchJobName"] == "sales-cdc-dev-batch-job-1a2b3c4"
    assert not dev.all("Trigger")


def test_a_sort_key_reaches_the_table_the_transform_and_the_views(up: Any) -> None:
    keyed = up("dev", sortKey="created_at")
    assert keyed.find("Table").inputs["rangeKey"] == "created_at"
    transform = keyed.find("Function", "sales-cdc-dev-lake-transform-function")
    with zipfile.ZipFile(transform.inputs["code"].path) as package:
        assert json.loads(package.read("schema.json"))["sort_key"] == "created_at"
    view = keyed.find("CatalogTable", "sales-cdc-dev-catalog-view-current_orders").inputs
    definition = base64.b64decode(view["viewOriginalText"].split()[3])
    assert 'PARTITION BY "orderid", "created_at"' in json.loads(definition)["originalSql"]


def test_wrong_settings_are_one_message_and_register_nothing() -> None:
    seen = Deployed()
    config = {"sales-cdc:shards": "0", "sales-cdc:deliveryFormat": "csv"}
    with pytest.raises(pulumi.RunError) as raised:
        record(program, seen, stack="dev", config=config, preview=False)
    assert seen.resources == []
    assert re.search("shards: .*\n.*deliveryFormat: ", str(raised.value))


# What AWS takes at most, in characters, for the names that Pulumi makes up by the stack's.
NAME_LIMITS = {
    "aws:athena/workgroup:Workgroup": 128,
    "aws:cloudformation/stack:Stack": 128,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:cloudwatch/logStream:LogStream": 512,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:dynamodb/table:Table": 255,
    "aws:glue/classifier:Classifier": 255,
    "aws:glue/crawler:Crawler": 255,
    "aws:glue/job:Job": 255,
    "aws:glue/securityConfiguration:SecurityConfiguration": 255,
    "aws:iam/policy:Policy": 128,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": 64,
    "aws:kinesis/stream:Stream": 128,
    "aws:lambda/function:Function": 64,
    "aws:pipes/pipe:Pipe": 64,
    "aws:s3/bucket:Bucket": 63,
    "aws:scheduler/schedule:Schedule": 64,
    "aws:sns/topic:Topic": 256,
    "aws:sqs/queue:Queue": 80,
}
# Named in full by the program, by the settings' own rules, or not named at all.
OTHERWISE_NAMED = {
    "aws:athena/namedQuery:NamedQuery",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:glue/catalogDatabase:CatalogDatabase",
    "aws:glue/catalogTable:CatalogTable",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "aws:quicksight/dataSet:DataSet",
    "aws:quicksight/dataSource:DataSource",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
}


def test_monitoring_has_three_levels_and_the_earlier_values(up: Any) -> None:
    shapes = {
        level: up("prod", monitoring=level).shape
        for level in ("full", "basic", "off", "true", "false")
    }
    assert shapes["true"] == shapes["full"] > shapes["basic"] > shapes["off"] == shapes["false"]
    off = up("prod", monitoring="off")
    assert not off.all("MetricAlarm") and not off.all("Topic")
    transform = off.find("Function", "sales-cdc-prod-lake-transform-function").inputs
    assert transform["environment"] == {"variables": {"METRICS": "none"}}
    full = up("prod").find("Function", "sales-cdc-prod-lake-transform-function").inputs
    assert "environment" not in full


@pytest.mark.parametrize(("monitoring", "most"), [("full", 20), ("off", 22)])
def test_a_stacks_name_is_rejected_where_a_resources_would_be_too_long(
    up: Any, monitoring: str, most: int
) -> None:
    config = stack_config("prod") | {
        "monitoring": monitoring,
        "orderGenerator": "true",
        "dashboard": "true",
        "dashboardPrincipalArn": "arn:aws:quicksight:eu-central-1:123456789012:user/default/me",
        "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1",
    }
    seen = Deployed()
    values = {f"sales-cdc:{key}": value for key, value in config.items()}
    record(program, seen, stack="s" * most, config=values, preview=False)
    room = []
    for one in seen.resources:
        if one.type in NAME_LIMITS:
            name = one.inputs.get("name") or f"{one.name}-1a2b3c4"
            room.append(NAME_LIMITS[one.type] - len(name))
        else:
            assert one.type in OTHERWISE_NAMED or not one.type.startswith("aws:"), one.type
    assert min(room) == 0

    seen = Deployed()
    with pytest.raises(pulumi.RunError) as raised:
        record(program, seen, stack="s" * (most + 1), config=values, preview=False)
    assert seen.resources == []
    assert f"must have {most} characters or fewer, not {most + 1}" in str(raised.value)


def test_a_stacks_name_that_no_bucket_can_have_is_rejected() -> None:
    with pytest.raises(pulumi.RunError, match=r"must be letters, digits and -, .* not 'my_stack'"):
        record(program, Deployed(), stack="my_stack", config={}, preview=False)


def test_a_misspelt_setting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # As the CLI hands the configuration over.
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"sales-cdc:shard": "1", "aws:region": "x"}))
    with pytest.raises(pulumi.RunError, match="shard: there is no such setting; did you mean"):
        record(program, Deployed(), stack="dev", config={}, preview=False)


def test_the_dashboard_is_off_until_switched_on(up: Any) -> None:
    assert not up("dev").all("DataSource")
    principal = "arn:aws:quicksight:eu-west-1:123456789012:group/default/analysts"
    on = up("dev", dashboard="true", dashboardPrincipalArn=principal)
    assert set(on.exports) == EXPORTS | OWN_EXPORTS["dev"] | {"dashboardUrl"}
    source = on.find("DataSource").inputs["parameters"]["athena"]
    assert source["workGroup"] == on.exports["workgroupName"]
    (table,) = on.find("DataSet").inputs["physicalTableMaps"]
    assert table["relationalTable"]["schema"] == on.exports["databaseName"]
