"""`python -m operate verify` on a running stack."""

from __future__ import annotations

import pytest

from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("replay-verify")]


def test_a_lake_that_equals_the_table_matches(operated: Operated) -> None:
    before = operated.stack.hops().settled
    operated.settle(operated.write(60, seed=1, updates=0.4, deletes=0.1), before)
    result = operated.run("verify", "--outputs", str(operated.outputs), "--json")
    assert result.code == 0, result.told
    assert result.facts["matches"] is True
    assert result.facts["table_items"] == result.facts["lake_orders"] == result.facts["equal"] > 0
    assert "they match" in result.told
    counted = operated.run("verify", "--counts", "--json")
    assert counted.code == 0
    assert counted.facts["table_items"] == result.facts["table_items"]


def test_each_kind_of_difference_is_reported(operated: Operated) -> None:
    """The pipe is stopped, so what happens to the table now does not reach the lake."""
    before = operated.stack.hops().settled
    operated.settle(operated.write(10, seed=2, updates=0, deletes=0), before)
    (pipe,) = operated.stack.pipes
    pipe.stop()
    try:
        dynamodb = operated.stack.aws.client("dynamodb")
        table = operated.stack.outputs["tableName"]
        changed, gone, *_ = dynamodb.scan(TableName=table)["Items"]
        key = {"orderid": changed["orderid"]}
        dynamodb.put_item(
            TableName=table, Item={**changed, "price": {"N": "12345.60"}, "odd": {"SS": ["b", "a"]}}
        )
        dynamodb.delete_item(TableName=table, Key={"orderid": gone["orderid"]})
        dynamodb.put_item(TableName=table, Item={"orderid": {"S": "new"}})
        result = operated.run("verify", "--json")
        assert result.code == 1
        assert {k: result.facts[k] for k in ("different", "only_in_table", "only_in_lake")} == {
            "different": 1,
            "only_in_table": 1,
            "only_in_lake": 1,
        }
        assert "new: only in the table" in result.told
        assert f"{gone['orderid']['S']}: only in the lake" in result.told
        (differing,) = [d for d in result.facts["differences"] if d["kind"] == "differs"]
        assert differing["key"] == [key["orderid"]["S"]]
        assert differing["columns"]["price"][0] == "12345.6"
        assert differing["columns"]["extras"] == ['{"odd": ["a", "b"]}', None]
    finally:
        pipe.stopping.clear()
        pipe.start()
    # Once they arrive it matches: --settle waits for that.
    settled = operated.run("verify", "--settle", "30", "--json")
    assert settled.code == 0, settled.told


def test_without_permission_it_says_who_needs_what(operated: Operated) -> None:
    operated.act_as("readerPolicyArn")
    result = operated.run("verify")
    assert result.code == 1
    assert "no permission: DescribeTable" in result.told
    assert operated.stack.outputs["operatorPolicyArn"] in result.told


def test_a_file_without_outputs_is_wrong_usage(operated: Operated, tmp_path: object) -> None:
    operated.outputs.write_text("[]")
    result = operated.run("verify", "--outputs", str(operated.outputs))
    assert result.code == 2
    assert "expected one JSON object of outputs" in result.told
