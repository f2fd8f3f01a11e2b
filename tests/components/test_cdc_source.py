"""CdcSource: a table, and the stream of its changes."""

from __future__ import annotations

from typing import Any

import pytest

from components.arguments.checks import ArgumentError
from components.cdc_source import CdcSource, CdcSourceArgs
from schema import ORDERS, Column, Schema
from tests.components.component_support import Deploy, arn

KEY = arn("kms:{region}:{account}:key/0000")
TABLE_ARN = arn("dynamodb:{region}:{account}:table/orders-table-1a2b3c4")


def table(deploy: Deploy, **args: Any) -> Any:
    return deploy(lambda: CdcSource("orders", CdcSourceArgs(**args))).find("Table", "orders-table")


def test_needs_no_arguments_and_is_then_safe(deploy: Deploy) -> None:
    found = deploy(lambda: CdcSource("orders")).find("Table", "orders-table")
    assert found.inputs == {
        "hashKey": "orderid",
        "attributes": [{"name": "orderid", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "serverSideEncryption": {"enabled": False},  # DynamoDB's own key, not KMS
        "pointInTimeRecovery": {"enabled": True},
        "ttl": {"enabled": False},
        "deletionProtectionEnabled": True,
    }
    assert found.protect


def test_gives_its_table_and_stream(deploy: Deploy) -> None:
    deployed = deploy(lambda: CdcSource("orders"))
    component = deployed.find("sales-cdc:index:CdcSource")
    assert deployed.outputs[component.urn] == {
        "table_name": "orders-table-1a2b3c4",
        "table_arn": TABLE_ARN,
        "stream_arn": f"{TABLE_ARN}/stream/2026-11-21T00:00:00.000",
    }


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"stream_view_type": "NEW_IMAGE"}, {"streamViewType": "NEW_IMAGE"}),
        ({"ttl_attribute": "expires"}, {"ttl": {"attributeName": "expires", "enabled": True}}),
        ({"point_in_time_recovery": False}, {"pointInTimeRecovery": {"enabled": False}}),
        ({"protect": False}, {"deletionProtectionEnabled": False}),
        ({"table_name": "shop"}, {"name": "shop"}),
        (
            {"kms_key_arn": KEY},
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY}},
        ),
        (
            {"billing_mode": "provisioned", "read_capacity": 7, "write_capacity": 9},
            {"billingMode": "PROVISIONED", "readCapacity": 7, "writeCapacity": 9},
        ),
    ],
)
def test_arguments_reach_the_table(
    deploy: Deploy, args: dict[str, Any], expected: dict[str, Any]
) -> None:
    inputs = table(deploy, **args).inputs
    assert {key: inputs[key] for key in expected} == expected


def test_the_attribute_of_a_ttl_that_is_off_is_the_one_before(deploy: Deploy) -> None:
    assert table(deploy).ignore_changes == {"ttl.attributeName"}
    assert not table(deploy, ttl_attribute="expires").ignore_changes


def test_capacities_are_left_out_on_demand(deploy: Deploy) -> None:
    inputs = table(deploy, read_capacity=7, write_capacity=9).inputs
    assert not {"readCapacity", "writeCapacity"} & inputs.keys()


def test_an_unprotected_table_can_be_destroyed(deploy: Deploy) -> None:
    assert not table(deploy, protect=False).protect


def test_the_keys_are_those_of_the_schema(deploy: Deploy) -> None:
    columns = (Column(name="shop", type="string"), Column(name="number", type="bigint"))
    inputs = table(deploy, schema=Schema(key="shop", sort_key="number", columns=columns)).inputs
    assert (inputs["hashKey"], inputs["rangeKey"]) == ("shop", "number")
    assert inputs["attributes"] == [
        {"name": "shop", "type": "S"},
        {"name": "number", "type": "N"},
    ]


def test_every_wrong_argument_is_named_at_once() -> None:
    with pytest.raises(ArgumentError) as raised:
        CdcSourceArgs(
            stream_view_type="OLD_IMAGE",  # type: ignore[arg-type]
            billing_mode="free",  # type: ignore[arg-type]
            read_capacity=0,
            table_name="or",
            ttl_attribute=ORDERS.key,
        )
    for name in (
        "table_name",
        "stream_view_type",
        "billing_mode",
        "read_capacity",
        "ttl_attribute",
    ):
        assert name in str(raised.value)
