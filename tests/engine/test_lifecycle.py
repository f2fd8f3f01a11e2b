"""The plugin that stands in for the AWS provider, without an engine: it can be trusted."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import Computed, PropertyValue

import local.account.deploy
from local.account.aws import Aws
from local.account.deploy import deploy
from local.resources import Context, create
from local.resources.registry import _CREATORS
from tests.engine import lifecycle, provider_facts
from tests.engine.aws_provider import EmulatorProvider, plain_map, wrap_map

TABLE = "aws:dynamodb/table:Table"
URN = "urn:pulumi:dev::sales-cdc::sales-cdc:index:CdcSource$aws:dynamodb/table:Table::orders"
INPUTS = {
    "hashKey": "orderid",
    "attributes": [{"name": "orderid", "type": "S"}],
    "billingMode": "PAY_PER_REQUEST",
    "streamEnabled": True,
    "streamViewType": "NEW_IMAGE",
    "deletionProtectionEnabled": False,
}


class Engine:
    """What an engine asks of a provider, for one table."""

    def __init__(self, aws: Aws) -> None:
        self.provider = EmulatorProvider(lambda region: Context(aws, "test"))

    def check(self, new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
        request = protocol.CheckRequest(URN, wrap_map(old or {}), wrap_map(new), b"")
        answer = asyncio.run(self.provider.check(request))
        assert not answer.failures and answer.inputs is not None
        return plain_map(answer.inputs)

    def create(self, inputs: dict[str, Any], *, preview: bool = False) -> protocol.CreateResponse:
        request = protocol.CreateRequest(URN, wrap_map(inputs), 0, preview)
        return asyncio.run(self.provider.create(request))

    def diff(self, state: dict[str, PropertyValue], new: dict[str, Any]) -> protocol.DiffResponse:
        request = protocol.DiffRequest(URN, "id", state, wrap_map(new), [])
        return asyncio.run(self.provider.diff(request))

    def update(
        self, identity: str, state: dict[str, PropertyValue], new: dict[str, Any]
    ) -> dict[str, PropertyValue]:
        request = protocol.UpdateRequest(URN, identity, state, wrap_map(new), 0, [], False)
        return asyncio.run(self.provider.update(request)).properties

    def read(
        self,
        identity: str,
        state: dict[str, PropertyValue],
        inputs: dict[str, Any] | None = None,
    ) -> protocol.ReadResponse:
        request = protocol.ReadRequest(URN, identity, state, wrap_map(inputs or {}))
        return asyncio.run(self.provider.read(request))

    def delete(self, identity: str, state: dict[str, PropertyValue]) -> None:
        asyncio.run(self.provider.delete(protocol.DeleteRequest(URN, identity, state, 0)))


@pytest.fixture
def engine(aws: Aws) -> Engine:
    return Engine(aws)


def test_every_type_that_is_created_has_a_lifecycle() -> None:
    assert set(lifecycle.LIFECYCLES) >= set(_CREATORS)


def test_a_resource_without_a_name_is_given_one_and_keeps_it(engine: Engine) -> None:
    named = engine.check(INPUTS)
    assert re.fullmatch(r"orders-[0-9a-f]{7}", named["name"])
    assert engine.check(INPUTS, old=named)["name"] == named["name"]
    assert engine.check(INPUTS)["name"] != named["name"]  # a replacement stands beside it


def test_a_preview_creates_nothing(engine: Engine, aws: Aws) -> None:
    answer = engine.create(engine.check(INPUTS), preview=True)
    assert not answer.resource_id
    assert "arn" not in answer.properties
    assert aws.client("dynamodb").list_tables()["TableNames"] == []


def test_the_life_of_a_table(engine: Engine, aws: Aws) -> None:
    inputs = engine.check(INPUTS)
    made = engine.create(inputs)
    identity, state = made.resource_id or "", made.properties
    assert identity == inputs["name"]
    assert not engine.diff(state, inputs).changes
    seen = engine.read(identity, state, inputs)
    assert plain_map(seen.inputs) == inputs

    safe = inputs | {"deletionProtectionEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"}
    difference = engine.diff(state, safe)
    assert difference.diffs == ["deletionProtectionEnabled", "streamViewType"]
    assert difference.replaces == []
    changed = engine.update(identity, state, safe)
    table = aws.client("dynamodb").describe_table(TableName=identity)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert changed["streamArn"].value == table["LatestStreamArn"]
    assert not engine.diff(changed, safe).changes

    assert engine.diff(changed, safe | {"hashKey": "id"}).replaces == ["hashKey"]

    freed = engine.update(identity, changed, inputs)
    engine.delete(identity, freed)
    assert engine.read(identity, freed).resource_id == ""
    engine.delete(identity, freed)  # gone already


def test_what_was_changed_behind_its_back_is_seen(engine: Engine, aws: Aws) -> None:
    inputs = engine.check(INPUTS)
    made = engine.create(inputs)
    aws.client("dynamodb").update_table(TableName=made.resource_id, DeletionProtectionEnabled=True)
    seen = engine.read(made.resource_id or "", made.properties, inputs)
    assert plain_map(seen.inputs) == inputs | {"deletionProtectionEnabled": True}
    assert engine.diff(seen.properties, inputs).diffs == ["deletionProtectionEnabled"]


def test_what_is_imported_is_described_from_its_id_alone(engine: Engine) -> None:
    made = engine.create(engine.check(INPUTS))
    seen = engine.read(made.resource_id or "", {})
    imported = plain_map(seen.inputs)
    assert imported == INPUTS | {"name": made.resource_id, "__defaults": []}
    # As the bridge's Check, Read and Diff answered: the name stays although it is no default.
    again = engine.check(INPUTS, old=imported)
    assert again["name"] == made.resource_id
    assert again["__defaults"] == ["name"]
    assert not engine.diff(seen.properties, again).changes


def test_a_name_that_aws_does_not_take_is_refused(engine: Engine) -> None:
    for name in ("ab", "or ders", "x" * 256):
        request = protocol.CheckRequest(URN, {}, wrap_map(INPUTS | {"name": name}), b"")
        (failure,) = asyncio.run(engine.provider.check(request)).failures or []
        assert failure.property == "name"


def test_a_table_of_a_given_name_is_deleted_before_it_is_made_anew(engine: Engine) -> None:
    given = engine.check(INPUTS | {"name": "shop"})
    made = engine.create(given)
    assert engine.diff(made.properties, given | {"hashKey": "id"}).delete_before_replace
    made_up = engine.check(INPUTS)
    made = engine.create(made_up)
    assert not engine.diff(made.properties, made_up | {"hashKey": "id"}).delete_before_replace


ON = {"enabled": True, "attributeName": "expires_at"}


def test_ttl_ends_only_when_it_is_switched_off(engine: Engine, aws: Aws) -> None:
    inputs = engine.check(INPUTS | {"ttl": ON})
    made = engine.create(inputs)
    table, client = made.resource_id or "", aws.client("dynamodb")

    def status() -> str:
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        return str(ttl["TimeToLiveStatus"])

    without = engine.check(INPUTS, old=inputs)
    assert not engine.diff(made.properties, without).changes
    assert status() == "ENABLED"
    off = without | {"ttl": ON | {"enabled": False}}
    assert engine.diff(made.properties, off).diffs == ["ttl"]
    state = engine.update(table, made.properties, off)
    assert status() == "DISABLED"
    assert not engine.diff(state, off).changes
    assert not engine.diff(state, without).changes
    other = off | {"deletionProtectionEnabled": True, "ttl": {"enabled": False}}
    state = engine.update(table, state, other)  # TTL is not switched off once more
    assert not engine.diff(state, other).changes


def test_ttl_of_another_attribute_is_refused(engine: Engine) -> None:
    made = engine.create(inputs := engine.check(INPUTS | {"ttl": ON}))
    renamed = inputs | {"ttl": ON | {"attributeName": "valid_until"}}
    with pytest.raises(ClientError, match="active on a different AttributeName"):
        engine.update(made.resource_id or "", made.properties, renamed)


def test_a_table_keeps_its_key_until_the_block_is_switched_off(engine: Engine, aws: Aws) -> None:
    key = {"enabled": True, "kmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1a2b"}
    made = engine.create(inputs := engine.check(INPUTS | {"serverSideEncryption": key}))
    table = made.resource_id or ""

    def described() -> Any:
        found = aws.client("dynamodb").describe_table(TableName=table)["Table"]
        return found.get("SSEDescription") or {}

    taken_away = inputs | {"serverSideEncryption": {"enabled": True}}
    assert not engine.diff(made.properties, taken_away).changes
    state = engine.update(table, made.properties, taken_away | {"deletionProtectionEnabled": True})
    assert described()["KMSMasterKeyArn"] == key["kmsKeyArn"]
    off = inputs | {"serverSideEncryption": {"enabled": False}}
    assert "serverSideEncryption" in engine.diff(state, off).diffs
    state = engine.update(table, state, off)
    assert described().get("Status") != "ENABLED"
    assert not engine.diff(state, off).changes


def test_an_unknown_value_is_a_change(engine: Engine) -> None:
    made = engine.create(inputs := engine.check(INPUTS))
    news = wrap_map(inputs) | {"hashKey": PropertyValue(Computed())}
    request = protocol.DiffRequest(URN, "id", made.properties, news, [])
    assert asyncio.run(engine.provider.diff(request)).replaces == ["hashKey"]


def test_a_type_that_nothing_knows_is_refused(engine: Engine) -> None:
    request = protocol.CheckRequest(URN.replace("dynamodb/table:Table", "x/y:Z"), {}, {}, b"")
    (failure,) = asyncio.run(engine.provider.check(request)).failures or []
    assert "aws:x/y:Z" in failure.reason


def test_a_stream_on_demand_starts_with_four_shards(aws: Aws) -> None:
    inputs = {"streamModeDetails": {"streamMode": "ON_DEMAND"}}
    _, state = create(context := Context(aws, "test"), "aws:kinesis/stream:Stream", "s", inputs)
    assert len(lifecycle.stream(context, state["name"])["openShards"]) == 4


def test_no_zero_is_sent_when_a_pipe_is_created(aws: Aws) -> None:
    numbers = {"maximumRetryAttempts": 0, "batchSize": 10}
    inputs = {
        "source": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1",
        "target": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        "roleArn": "arn:aws:iam::000000000000:role/r",
        "sourceParameters": {
            "dynamodbStreamParameters": {"startingPosition": "TRIM_HORIZON"} | numbers
        },
    }
    context = Context(aws, "test")
    create(context, "aws:pipes/pipe:Pipe", "pipe", inputs)
    (pipe,) = context.definitions["pipes"]
    sent = pipe["SourceParameters"]["DynamoDBStreamParameters"]
    assert sent == {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_resource_of_the_program_can_be_read_changed_and_deleted(
    empty_account: Any, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    """Whatever is created is found, takes its own settings again, and is gone when deleted."""
    made: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = []

    def remember(context: Context, token: str, name: str, inputs: Any) -> Any:
        identity, state = create(context, token, name, inputs)
        named = provider_facts.of(token).name
        given = {**inputs, **({named.key: state[named.key]} if named else {})}
        made.append((token, name, identity, given, state))
        return identity, state

    monkeypatch.setattr(local.account.deploy, "create", remember)
    aws = empty_account("us-east-1")
    settings = {"protect": "false", "orderGenerator": "true"}
    deploy(aws, stack, settings)
    context = Context(aws, stack)
    assert len(made) > 50
    for token, name, identity, inputs, state in made:
        assert lifecycle.read(context, token, identity, state) is not None, name
        if provider_facts.of(token).replaces != provider_facts.EVERYTHING:
            lifecycle.update(context, token, name, identity, state, inputs)
    for token, _, identity, _, state in reversed(made):
        lifecycle.delete(context, token, identity, state)
    for token, name, identity, _, state in made:
        assert lifecycle.read(context, token, identity, state) is None, name


def test_archives_are_compared_by_content(aws: Aws, tmp_path: Any) -> None:
    for name, text in (("a.zip", "one"), ("b.zip", "one"), ("c.zip", "two")):
        (tmp_path / name).write_text(text)
    first, same, other = (
        lifecycle.fingerprint(pulumi.FileArchive(str(tmp_path / f"{name}.zip"))) for name in "abc"
    )
    assert first == same != other
