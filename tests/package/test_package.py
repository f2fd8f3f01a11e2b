"""The components as a package for programs in other languages."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.provider.experimental.component import ComponentProvider

from components.archives.lambda_zip import Platform
from components.catalog import CatalogArgs
from components.change_data_capture import ChangeDataCaptureArgs
from package.provider import COMPONENTS, NAME, VERSION, Package
from tests.components.component_support import Deployed, arn, check, record

ROOT = Path(__file__).resolve().parents[2]
PINNED = Path(__file__).with_name("schema.json")
STREAM = f"{arn('dynamodb:{region}:{account}:table/shipments')}/stream/1"
SHIPMENTS = {
    "key": "shipment_no",
    "columns": [
        {"name": "shipment_no", "type": "bigint", "required": True},
        {"name": "weight_kg", "type": "decimal(8,3)"},
    ],
}


def run(program: Any) -> Deployed:
    seen = Deployed()
    record(program, seen, stack="test", config={}, preview=False)
    check(seen)
    return seen


def twin(package: Package, name: str) -> type:
    return next(one for one in package.components if one.__name__ == name)


def described(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for token, resource in schema["resources"].items():
        for side in ("inputProperties", "properties"):
            for key, one in resource[side].items():
                yield f"{token} {side} {key}", one
    for token, kind in schema["types"].items():
        for key, one in (kind.get("properties") or {}).items():
            yield f"{token} {key}", one


def test_the_schema_is_the_pinned_one(schema: dict[str, Any]) -> None:
    """Users' programs are compiled against it; rewrite it with UPDATE_SCHEMA=1 and review it."""
    text = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SCHEMA"):
        PINNED.write_text(text)
    assert text == PINNED.read_text()


def test_every_component_of_any_table_is_in_it(schema: dict[str, Any]) -> None:
    assert set(schema["resources"]) == {f"{NAME}:index:{one.__name__}" for one in COMPONENTS}
    assert all(one["isComponent"] and one["description"] for one in schema["resources"].values())


def test_every_input_and_output_is_described(schema: dict[str, Any]) -> None:
    assert [where for where, one in described(schema) if not one.get("description")] == []


def test_only_what_has_no_sane_default_is_required(schema: dict[str, Any]) -> None:
    required = {
        key.split(":")[-1]: one["requiredInputs"] for key, one in schema["resources"].items()
    }
    assert required["ChangeDataCapture"] == required["CdcSource"] == required["ChangeStream"] == []
    assert required["StreamBridge"] == ["sourceStreamArn", "targetStreamArn"]
    assert required["DeliveryToLake"] == ["kinesisStreamArn"]
    assert required["Catalog"] == ["bucketArn", "bucketName"]


def test_a_choice_is_an_enumeration(schema: dict[str, Any]) -> None:
    mode = schema["types"][f"{NAME}:index:StreamViewType"]
    assert [one["value"] for one in mode["enum"]] == [
        "NEW_AND_OLD_IMAGES",
        "NEW_IMAGE",
        "KEYS_ONLY",
    ]
    source = schema["resources"][f"{NAME}:index:CdcSource"]["inputProperties"]
    assert source["streamViewType"]["$ref"].endswith(":StreamViewType")


def test_a_limit_and_a_default_are_reported(schema: dict[str, Any]) -> None:
    bridge = schema["resources"][f"{NAME}:index:StreamBridge"]["inputProperties"]
    assert bridge["batchSize"]["description"].endswith("From 1 to 500. Default: 100.")
    assert bridge["maximumRecordAgeSeconds"]["description"].endswith(
        "From 60 to 604,800, or -1. Default: 43200."
    )


def test_what_only_python_can_say_is_left_out(schema: dict[str, Any]) -> None:
    bridge = schema["resources"][f"{NAME}:index:StreamBridge"]
    assert "reader" not in bridge["inputProperties"]
    assert "reader" not in bridge["properties"]


def test_arguments_of_another_language_make_the_same_resources(
    provider: ComponentProvider, package: Package
) -> None:
    """As the engine hands them over: camel case, floats for whole numbers."""
    given: dict[str, Any] = {
        "schema": SHIPMENTS,
        "streamMode": "provisioned",
        "shards": 2.0,
        "filterPatterns": [{"eventName": ["INSERT"]}],
        "retentionDays": 90.0,
        "views": [
            {"name": "v", "sql": "SELECT 1 AS one", "columns": [{"name": "one", "type": "int"}]}
        ],
        "protect": False,
        "platform": "host",
    }
    definition = provider._component_defs["ChangeDataCapture"]
    mapped = provider.map_inputs(given, definition)
    args = package.read(ChangeDataCaptureArgs, mapped)
    assert args.schema["weight_kg"].decimal == (8, 3)
    assert args.platform == Platform.host()
    assert args.views[0].columns == (("one", "int"),)
    deployed = run(lambda: twin(package, "ChangeDataCapture")("shop", mapped))
    assert deployed.find("Stream").inputs["shardCount"] == 2
    assert deployed.find("Table").inputs["hashKey"] == "shipment_no"
    assert deployed.find("Table").inputs["attributes"] == [{"name": "shipment_no", "type": "N"}]
    pipe = deployed.find("Pipe").inputs
    kinesis = pipe["targetParameters"]["kinesisStreamParameters"]
    assert kinesis["partitionKey"] == "$.dynamodb.Keys.shipment_no.N"
    (one,) = pipe["sourceParameters"]["filterCriteria"]["filters"]
    assert json.loads(one["pattern"]) == {"eventName": ["INSERT"]}
    columns = deployed.find("CatalogTable", "shop-catalog-projection").inputs["storageDescriptor"]
    assert {"name": "weight_kg", "type": "decimal(8,3)"} in columns["columns"]


def test_the_whole_chain_starts_the_pipe_after_firehose(package: Package) -> None:
    deployed = run(lambda: twin(package, "ChangeDataCapture")("shop", {}))
    waits = deployed.find("Pipe").depends_on
    assert deployed.find("FirehoseDeliveryStream").name in waits


def test_two_whole_chains_do_not_collide(package: Package) -> None:
    make = twin(package, "ChangeDataCapture")
    deployed = run(lambda: [make(name, {}) for name in ("one", "two")])
    names = [one.inputs["name"] for one in deployed.all("CatalogDatabase")]
    assert sorted(names) == ["one_catalog", "two_catalog"]


def test_outputs_are_those_of_the_component(provider: ComponentProvider, package: Package) -> None:
    made: list[Any] = []
    make = twin(package, "ChangeDataCapture")
    run(lambda: made.append(make("shop", {})))
    state = provider.get_state(made[0], provider._component_defs["ChangeDataCapture"])
    assert set(state) >= {"tableName", "bucketName", "readerPolicyArn"}
    assert all(isinstance(value, pulumi.Output) for value in state.values())


@pytest.mark.parametrize("wrong", [{"shards": 0.0}, {"filterPatterns": [{}] * 6}])
def test_wrong_arguments_are_reported_before_anything_is_made(
    package: Package, provider: ComponentProvider, wrong: dict[str, Any]
) -> None:
    mapped = provider.map_inputs(wrong, provider._component_defs["ChangeDataCapture"])
    with pytest.raises(ValueError, match="ChangeDataCaptureArgs: "):
        package.read(ChangeDataCaptureArgs, mapped)


def test_an_invalid_choice_is_reported(provider: ComponentProvider) -> None:
    with pytest.raises(Exception, match="deliveryFormat"):
        provider.map_inputs(
            {"bucketName": "b", "bucketArn": "a", "deliveryFormat": "xml"},
            provider._component_defs["Catalog"],
        )


def test_every_argument_has_a_way_in(package: Package, provider: ComponentProvider) -> None:
    names = set(provider._component_defs["Catalog"].inputs_mapping.values())
    assert names == {one.name for one in dataclasses.fields(CatalogArgs)}
    assert issubclass(package._types["DeliveryFormat"], Enum)


def test_the_plugin_answers_the_engine() -> None:
    """As Pulumi runs it: the folder, with the engine's address; it prints its port."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "package"), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    ) as plugin:
        assert plugin.stdout is not None and plugin.stderr is not None
        port = plugin.stdout.readline().strip()
        plugin.terminate()
        assert port.isdigit(), plugin.stderr.read()


def test_its_files_agree_with_each_other() -> None:
    plugin = yaml.safe_load((ROOT / "package" / "PulumiPlugin.yaml").read_text())
    assert plugin["name"] == NAME
    assert plugin["runtime"]["name"] == "python"
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{VERSION}"' in project
    for line in (ROOT / "package" / "requirements.txt").read_text().split():
        assert f'"{line}"' in project
