"""The chain on a table that existed before it, and in a program that is not this project's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.account.aws import Aws
from local.account.deploy import ROOT
from local.chain import LocalChain
from local.commands.up import engineer
from tests.local.chain_parts import until

SCHEMA = """
name: parcels
key: parcel
sort_key: stop
columns:
  - {name: parcel, type: bigint}
  - {name: stop, type: int}
  - {name: city, type: string}
"""
pytestmark = [pytest.mark.xdist_group("other tables")]


def make_table(aws: Aws) -> None:
    """A table with an item, from before the stack."""
    client = aws.client("dynamodb")
    client.create_table(
        TableName="parcels-2019",
        KeySchema=[
            {"AttributeName": "parcel", "KeyType": "HASH"},
            {"AttributeName": "stop", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "parcel", "AttributeType": "N"},
            {"AttributeName": "stop", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    put(client, "parcels-2019", parcel=1, stop=1, city="Ulm")


def put(client: Any, table: str, **item: str | int) -> None:
    typed = {k: {"S": v} if isinstance(v, str) else {"N": str(v)} for k, v in item.items()}
    client.put_item(TableName=table, Item=typed)


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    folder = tmp_path_factory.mktemp("attached")
    (folder / "parcels.yaml").write_text(SCHEMA)
    settings = {"sourceTable": "parcels-2019", "schemaFile": str(folder / "parcels.yaml")}
    with LocalChain("dev", folder, overrides=settings, before_deploy=make_table) as running:
        yield running


def test_changes_of_a_table_that_was_there_reach_its_view(attached: LocalChain) -> None:
    writer = attached.user("writer", attached.outputs["writerPolicyArn"])
    client = attached.aws.client("dynamodb", writer)
    put(client, "parcels-2019", parcel=1, stop=2, city="Bonn")
    put(client, "parcels-2019", parcel=1, stop=2, city="Kiel")
    until(lambda: attached.hops().delivered == 3)  # the stream holds what was before the stack
    attached.check()
    reader = attached.user("reader", attached.outputs["readerPolicyArn"])
    sql = "SELECT parcel, stop, city FROM current_parcels ORDER BY stop"
    assert attached.ask(sql, reader) == [
        {"parcel": "1", "stop": "1", "city": "Ulm"},
        {"parcel": "1", "stop": "2", "city": "Kiel"},
    ]


@pytest.fixture(scope="module")
def shipments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    folder = tmp_path_factory.mktemp("shipments")
    with LocalChain("dev", folder, program=ROOT / "examples" / "shipments") as running:
        yield running


def test_another_program_runs_and_its_user_may_write_and_ask(shipments: LocalChain) -> None:
    user = engineer(shipments)
    client, table = shipments.aws.client("dynamodb", user), shipments.outputs["tableName"]
    put(client, table, shipment_no=7, leg=1, carrier="rail", weight_kg=12)
    until(lambda: shipments.hops().delivered == 1, seconds=10)  # not the declared minute
    shipments.check()
    sql = "SELECT shipment_no, leg, weight_kg FROM current_shipments"
    assert shipments.ask(sql, user) == [{"shipment_no": "7", "leg": "1", "weight_kg": "12.000"}]
    assert client.scan(TableName=table, Select="COUNT")["Count"] == 1


def test_its_outputs_need_no_names(tmp_path: Path) -> None:
    """What `up` grants names what was deployed, not what is exported."""
    program = (ROOT / "examples" / "shipments" / "__main__.py").read_text()
    (tmp_path / "__main__.py").write_text(program.replace("shipments.export()\n", ""))
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text((ROOT / "examples" / "shipments" / name).read_text())
    with LocalChain("dev", tmp_path / "run", program=tmp_path) as running:
        assert running.outputs == {}
        user = engineer(running)
        (table,) = running.aws.client("dynamodb", user).list_tables()["TableNames"]
        put(running.aws.client("dynamodb", user), table, shipment_no=1, leg=1)
        until(lambda: running.hops().delivered == 1)
