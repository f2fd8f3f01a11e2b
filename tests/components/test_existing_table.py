"""A table that exists is looked up, checked, and left as it is."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.arguments.checks import ArgumentError
from components.cdc_source import CdcSource, CdcSourceArgs
from components.change_data_capture import ChangeDataCapture, ChangeDataCaptureArgs
from schema import Column, Schema
from tests.components.component_support import (
    EXISTING,
    REGION,
    Deploy,
    Deployed,
    Recorded,
    _Account,
    arn,
    existing_table,
    record,
)

ROOT = Path(__file__).resolve().parents[2]
TABLE = arn("dynamodb:{region}:{account}:table/shop")
STREAM = f"{TABLE}/stream/2025-01-01T00:00:00.000"
KEY, OWN_KEY = (arn(f"kms:{{region}}:{{account}}:key/{one}") for one in ("0000", "1111"))
SHOP = Schema(
    name="shop",
    key="orderid",
    sort_key="at",
    columns=(
        Column(name="orderid", attribute="orderId", type="string"),
        Column(name="at", type="timestamp"),
    ),
)
KEYED = {"hashKey": "orderId", "rangeKey": "at"}
AT = {"name": "at", "type": "N"}
UPDATE = (
    f"aws dynamodb update-table --region {REGION} --table-name shop "
    "--stream-specification StreamEnabled="
)
SWITCH_ON = f"{UPDATE}true,StreamViewType=NEW_AND_OLD_IMAGES"

Exists = Callable[..., None]


@pytest.fixture
def exists() -> Iterator[Exists]:
    """Puts a table called shop into the account, or makes the provider fail with a text."""

    def put(error: str | None = None, **unlike: Any) -> None:
        EXISTING["shop"] = error or existing_table("shop", **unlike)

    yield put
    EXISTING.clear()


def refused(schema: Schema | None = None) -> str:
    """What is said against the table; nothing of AWS is registered."""
    args = CdcSourceArgs(source_table="shop", **({"schema": schema} if schema else {}))
    seen = Deployed()
    with pytest.raises(pulumi.RunError) as caught:
        record(lambda: CdcSource("shop", args), seen, stack="test", config={}, preview=False)
    assert not [one.name for one in seen.resources if one.type.startswith("aws:")]
    return str(caught.value)


def program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def key_grants(policy: Recorded) -> dict[str, list[str]]:
    """The keys that a policy may use, by the statement's Sid."""
    return {
        one["Sid"]: one["Resource"]
        for one in policy.document["Statement"]
        if any(action.startswith("kms:") for action in one["Action"])
    }


def test_no_table_is_registered_and_the_outputs_are_the_tables(
    deploy: Deploy, exists: Exists
) -> None:
    exists()
    deployed = deploy(program, sourceTable="shop", protect="true")
    assert deployed.all("aws:dynamodb/table:Table") == []
    outputs = deployed.exports
    assert (outputs["tableName"], outputs["tableArn"], outputs["streamArn"]) == (
        "shop",
        TABLE,
        STREAM,
    )
    assert deployed.find("Pipe").inputs["source"] == STREAM
    writer = deployed.find("aws:iam/policy:Policy", "sales-cdc-test-access-writer")
    assert writer.allows["dynamodb:PutItem"] == {TABLE}


def test_the_whole_chain_as_one_component_attaches_too(deploy: Deploy, exists: Exists) -> None:
    exists(
        **KEYED,
        attributes=[{"name": "orderId", "type": "S"}, AT, {"name": "other", "type": "S"}],
    )
    args = ChangeDataCaptureArgs(schema=SHOP, source_table="shop")
    deployed = deploy(lambda: ChangeDataCapture("chain", args))
    assert deployed.all("aws:dynamodb/table:Table") == []
    pipe = deployed.find("Pipe").inputs
    assert pipe["source"] == STREAM
    path = pipe["targetParameters"]["kinesisStreamParameters"]["partitionKey"]
    assert path == "$.dynamodb.Keys.orderId.S"


def test_it_is_looked_up_where_the_component_is(
    deploy: Deploy, exists: Exists, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists()
    asked = []
    answer = _Account.call

    def call(self: _Account, args: pulumi.runtime.MockCallArgs) -> Any:
        asked.append(args.provider)
        return answer(self, args)

    monkeypatch.setattr(_Account, "call", call)

    def in_another_account() -> None:
        provider = aws.Provider("other", region=REGION)
        options = pulumi.ResourceOptions(providers=[provider])
        CdcSource("shop", CdcSourceArgs(source_table="shop"), options)

    deploy(in_another_account)
    assert asked and all("::other::" in provider for provider in asked)


@pytest.mark.parametrize(
    ("encryption", "granted"),
    [
        (None, {}),
        ({"enabled": False, "kmsKeyArn": ""}, {}),
        ({"enabled": True, "kmsKeyArn": OWN_KEY}, {"UseTableKey": [OWN_KEY]}),
    ],
)
def test_the_tables_own_key_may_be_used_and_not_the_stacks(
    deploy: Deploy, exists: Exists, encryption: dict[str, Any] | None, granted: dict[str, list[str]]
) -> None:
    exists(serverSideEncryption=encryption)
    deployed = deploy(program, sourceTable="shop", kmsKeyArn=KEY, orderGenerator="true")
    writer = deployed.find("aws:iam/policy:Policy", "sales-cdc-test-access-writer")
    assert key_grants(writer) == granted
    for policy in [*deployed.all("RolePolicy"), *deployed.all("aws:iam/policy:Policy")]:
        found = key_grants(policy)
        assert found.pop("UseTableKey", None) in (None, granted.get("UseTableKey")), policy.name
        assert {key for keys in found.values() for key in keys} <= {KEY}, policy.name
    pipe = deployed.find("RolePolicy", "sales-cdc-test-bridge-pipe-policy")
    assert key_grants(pipe).get("UseTableKey") == granted.get("UseTableKey")


def test_a_table_that_is_not_there_is_told_with_the_region() -> None:
    told = refused()
    assert "table shop: there is none of that name in eu-central-1" in told
    assert "aws dynamodb list-tables --region eu-central-1" in told


def test_a_missing_permission_is_named(exists: Exists) -> None:
    exists(
        "reading Dynamodb Table (shop): operation error DynamoDB: DescribeTable, https response "
        "error StatusCode: 400, AccessDeniedException: User: arn:aws:iam::1:user/x is not "
        f"authorized to perform: dynamodb:DescribeTimeToLive on resource: {TABLE}"
    )
    told = refused()
    assert "no permission for dynamodb:DescribeTimeToLive" in told
    assert "dynamodb:DescribeTable, dynamodb:DescribeContinuousBackups" in told


def test_any_other_error_is_passed_on(exists: Exists) -> None:
    exists("the security token included in the request is expired")
    assert "the security token included in the request is expired" in refused()


def test_a_stream_that_is_off_is_told_with_the_command(exists: Exists) -> None:
    # The ARN of the stream that was is still there.
    exists(streamEnabled=False, streamViewType="")
    assert refused().splitlines() == [
        "table shop cannot be captured as it is:",
        f"  it has no stream. Switch it on: {SWITCH_ON}",
    ]


def test_a_stream_of_old_images_is_told_with_the_commands(exists: Exists) -> None:
    exists(streamViewType="OLD_IMAGE")
    told = refused()
    assert "view type OLD_IMAGE, and must have NEW_AND_OLD_IMAGES or NEW_IMAGE" in told
    assert f"{UPDATE}false, then {SWITCH_ON}" in told


@pytest.mark.parametrize("view_type", ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "KEYS_ONLY"])
def test_other_view_types_serve(deploy: Deploy, exists: Exists, view_type: str) -> None:
    exists(streamViewType=view_type)
    deploy(lambda: CdcSource("shop", CdcSourceArgs(source_table="shop")))


@pytest.mark.parametrize(
    ("unlike", "told"),
    [
        (
            {"hashKey": "id", "attributes": [{"name": "id", "type": "S"}]},
            "its keys are id (S), and the schema's are orderid (S)",
        ),
        (
            {"attributes": [{"name": "orderid", "type": "N"}]},
            "its keys are orderid (N), and the schema's are orderid (S)",
        ),
        (
            {"rangeKey": "at", "attributes": [{"name": "orderid", "type": "S"}, AT]},
            "its keys are orderid (S) and at (N), and the schema's are orderid (S)",
        ),
    ],
)
def test_keys_that_are_not_the_schemas_are_told_both(
    exists: Exists, unlike: dict[str, Any], told: str
) -> None:
    exists(**unlike)
    said = refused()
    assert told in said
    assert "python -m schema infer --table shop" in said


def test_a_missing_sort_key_is_told(exists: Exists) -> None:
    exists(hashKey="orderId", attributes=[{"name": "orderId", "type": "S"}])
    wanted = "and the schema's are orderId (S) and at (S or N)"
    assert f"its keys are orderId (S), {wanted}" in refused(SHOP)


def test_every_problem_is_told_at_once(exists: Exists) -> None:
    exists(streamEnabled=False, hashKey="id", attributes=[{"name": "id", "type": "S"}])
    assert len(refused().splitlines()) == 3


def test_a_new_table_and_an_existing_one_at_once_are_refused() -> None:
    with pytest.raises(ArgumentError, match="source_table and table_name: only one"):
        CdcSourceArgs(source_table="shop", table_name="shop-2")


def test_attributes_have_the_names_that_dynamodb_knows(deploy: Deploy) -> None:
    binary = (Column(name="digest", attribute="Digest", type="binary"), SHOP["at"])
    schema = Schema(name="files", key="digest", sort_key="at", columns=binary)
    table = deploy(lambda: CdcSource("files", CdcSourceArgs(schema=schema))).find("Table").inputs
    assert (table["hashKey"], table["rangeKey"]) == ("Digest", "at")
    assert table["attributes"] == [{"name": "Digest", "type": "B"}, {"name": "at", "type": "S"}]
    with pytest.raises(ArgumentError, match="'Digest' is a key of the table"):
        CdcSourceArgs(schema=schema, ttl_attribute="Digest")


def test_own_schemas_have_views_of_their_own(deploy: Deploy, exists: Exists) -> None:
    exists(**KEYED, attributes=[{"name": "orderId", "type": "S"}, AT])
    args = ChangeDataCaptureArgs(schema=SHOP, source_table="shop")
    deployed = deploy(lambda: ChangeDataCapture("chain", args))
    views = [
        one.inputs["name"]
        for one in deployed.all("CatalogTable")
        if one.inputs["tableType"] == "VIRTUAL_VIEW"
    ]
    assert views == ["changes", "current_shop"]
    database = deployed.find("CatalogDatabase").inputs
    assert database["description"] == "Changes of shop"
    reader = deployed.find("aws:iam/policy:Policy", "chain-access-reader")
    assert any(one.endswith("/shop/*") for one in reader.allows["s3:GetObject"])
    assert json.dumps(reader.document).count("orders") == 0
