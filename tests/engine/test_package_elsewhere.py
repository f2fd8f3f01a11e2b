"""The component package in programs that do not import it: in YAML, and by its token in Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.account.aws import Aws
from tests.engine.stack import ROOT, Project, PulumiError, executable, has

TOKEN = "sales-cdc:index:ChangeDataCapture"
PROPERTIES = {
    "protect": False,
    "streamMode": "provisioned",
    "shards": 2,
    "retentionDays": 90,
    "schema": {
        "key": "item",
        "columns": [
            {"name": "item", "type": "string", "required": True},
            {"name": "price", "type": "decimal(10,2)"},
        ],
    },
    "savedQueries": [
        {
            "name": "dearest",
            "description": "The dearest",
            "sql": "SELECT max(price) FROM projection",
        }
    ],
}
IN_PYTHON = """
import pulumi

PROPERTIES = %r


class Shop(pulumi.ComponentResource):
    def __init__(self):
        token = "sales-cdc:index:ChangeDataCapture"
        outputs = {"tableName": None, "workgroupName": None}
        super().__init__(token, "shop", PROPERTIES | outputs, remote=True)


shop = Shop()
pulumi.export("table", shop.tableName)
pulumi.export("workgroup", shop.workgroupName)
"""
StartAccount = Callable[[str], Aws]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The plugin's folder as `pulumi package add` finds it: in a clone, of what git has."""
    clone = tmp_path / "clone"
    listed = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(listed, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    return clone / "package"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of a project that does not know this one."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def has_the_whole_chain_until_it_is_destroyed(project: Project) -> None:
    aws = project.aws
    stack = project.stack("dev", config={"aws:region": aws.region})
    stack.up()
    assert stack.preview().changes == {}
    outputs = stack.outputs()
    table = aws.client("dynamodb").describe_table(TableName=outputs["table"])["Table"]
    assert table["KeySchema"] == [{"AttributeName": "item", "KeyType": "HASH"}]
    (stream,) = aws.client("kinesis").list_streams()["StreamNames"]
    summary = aws.client("kinesis").describe_stream_summary(StreamName=stream)
    assert summary["StreamDescriptionSummary"]["OpenShardCount"] == 2
    athena = aws.client("athena", direct=True)
    (query,) = athena.list_named_queries(WorkGroup=outputs["workgroup"])["NamedQueryIds"]
    assert athena.get_named_query(NamedQueryId=query)["NamedQuery"]["Name"] == "dearest"
    stack.destroy()
    assert stack.resources() == []


@pytest.mark.skipif(
    not has("pulumi-language-yaml"),
    reason="needs Pulumi's YAML language host (pulumi-language-yaml) on the PATH",
)
def test_a_yaml_program_deploys_the_whole_chain(
    empty_account: StartAccount, package: Path, shop: Path
) -> None:
    program = {
        "name": "shop",
        "runtime": "yaml",
        "resources": {"shop": {"type": TOKEN, "properties": PROPERTIES}},
        "outputs": {"table": "${shop.tableName}", "workgroup": "${shop.workgroupName}"},
    }
    (shop / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    project = Project(shop, empty_account("eu-central-1"))
    project.run("package", "add", str(package))
    has_the_whole_chain_until_it_is_destroyed(project)


def test_a_program_that_names_the_component_deploys_the_whole_chain(
    empty_account: StartAccount, package: Path, shop: Path
) -> None:
    """What any language's generated class does; the engine asks the plugin to construct it."""
    project = in_python(package, shop, empty_account("eu-central-1"), PROPERTIES)
    has_the_whole_chain_until_it_is_destroyed(project)


def test_such_a_program_captures_a_table_that_exists(
    empty_account: StartAccount, package: Path, shop: Path
) -> None:
    aws = empty_account("eu-central-1")
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "item", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "item", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    project = in_python(package, shop, aws, PROPERTIES | {"sourceTable": "items"})
    stack = project.stack("dev", config={"aws:region": aws.region})
    with pytest.raises(PulumiError, match=r"it has no stream\. Switch it on: aws dynamodb"):
        stack.up()
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    dynamodb.update_table(TableName="items", StreamSpecification=stream)
    stack.up()
    assert stack.outputs()["table"] == "items"
    stack.destroy()
    assert dynamodb.list_tables()["TableNames"] == ["items"]


def in_python(package: Path, shop: Path, aws: Aws, properties: dict[str, Any]) -> Project:
    """A program that makes the component with these properties."""
    plugin = shop / "sales-cdc"
    plugin.mkdir()
    executable(plugin / "pulumi-resource-sales-cdc", str(package / "__main__.py"))
    settings = {
        "name": "shop",
        "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
        "plugins": {"providers": [{"name": "sales-cdc", "path": "./sales-cdc"}]},
    }
    (shop / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (shop / "__main__.py").write_text(IN_PYTHON % properties)
    (shop / ".venv").symlink_to(sys.prefix)
    return Project(shop, aws)
