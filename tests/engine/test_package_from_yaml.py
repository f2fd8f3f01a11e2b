"""The component package in a program of another language: YAML."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws import Aws
from tests.engine.stack import ROOT, Project

PROGRAM = """
name: shop
runtime: yaml
resources:
  shop:
    type: sales-cdc:index:ChangeDataCapture
    properties:
      protect: false
      streamMode: provisioned
      shards: 2
      retentionDays: 90
      schema:
        key: item
        columns:
          - {name: item, type: string, required: true}
          - {name: price, type: 'decimal(10,2)'}
      savedQueries:
        - {name: dearest, description: The dearest, sql: SELECT max(price) FROM projection}
outputs:
  table: ${shop.tableName}
  workgroup: ${shop.workgroupName}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The plugin's folder as `pulumi package add` finds it in a checkout."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "package", checkout / "package")
    for name in ("components", "schema", "lambda", "jobs"):
        (checkout / name).symlink_to(ROOT / name)
    return checkout / "package"


@pytest.mark.skipif(
    shutil.which("pulumi-language-yaml") is None,
    reason="needs Pulumi's YAML language host (pulumi-language-yaml), not on the PATH",
)
def test_a_yaml_program_deploys_the_whole_chain(
    empty_account: Callable[[str], Aws], package: Path, tmp_path: Path
) -> None:
    aws = empty_account("eu-central-1")
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text(PROGRAM)
    project = Project(directory, aws)
    project.run("package", "add", str(package))
    stack = project.stack("dev", config={"aws:region": "eu-central-1"})
    stack.up()
    assert stack.preview().changes == {}
    outputs = stack.outputs()
    table = aws.client("dynamodb").describe_table(TableName=outputs["table"])["Table"]
    assert table["KeySchema"] == [{"AttributeName": "item", "KeyType": "HASH"}]
    (stream,) = aws.client("kinesis").list_streams()["StreamNames"]
    summary = aws.client("kinesis").describe_stream_summary(StreamName=stream)
    assert summary["StreamDescriptionSummary"]["OpenShardCount"] == 2
    (query,) = aws.client("athena", direct=True).list_named_queries(WorkGroup=outputs["workgroup"])[
        "NamedQueryIds"
    ]
    assert query
    stack.destroy()
    assert stack.resources() == []
