"""Changes too large for a record: rejected, dead-lettered, made smaller, equal in the lake."""

from __future__ import annotations

import os
from typing import Any

import pytest

from operate.replaying import stream_arn
from tests.local import chain_parts as parts
from tests.operate.conftest import Operated
from tests.operate.test_dlq import impatient, letters, place

__all__ = ["impatient"]
pytestmark = [pytest.mark.xdist_group("replay-large")]

SIZE = 390 * 1024


def put(operated: Operated, order: str, **attributes: Any) -> None:
    operated.stack.aws.client("dynamodb").put_item(
        TableName=operated.stack.outputs["tableName"],
        Item={"orderid": {"S": order}, "quantity": {"N": "1"}, **attributes},
    )


def compressed(operated: Operated) -> int:
    records = parts.records(operated.stack.aws, stream_arn(operated.account()))
    return sum(one[:2] == b"\x1f\x8b" for one in records)


def settled(operated: Operated, since: Any, *, bridged: int, dead: int) -> None:
    def reached() -> bool:
        now = operated.stack.hops()
        return (now.bridged, now.dead_lettered) == (
            since.bridged + bridged,
            since.dead_lettered + dead,
        )

    operated.until(reached)


def test_an_order_of_390_kb_is_inserted_updated_and_deleted_and_nothing_is_lost(
    operated: Operated,
) -> None:
    before = operated.stack.hops()
    data = {"B": os.urandom(SIZE)}
    # Bytes: one image is 533 kB of JSON, both are 1.07 MB.
    put(operated, "bytes", data=data)
    put(operated, "bytes", data=data, note={"S": "changed"})
    # Control characters take six bytes of JSON each: one image is 2.4 MB.
    put(operated, "controls", data={"S": "\x01\x02\x03\x04" * (SIZE // 4)})
    put(operated, "gone", data={"S": "\x05" * SIZE})
    operated.stack.aws.client("dynamodb").delete_item(
        TableName=operated.stack.outputs["tableName"], Key={"orderid": {"S": "gone"}}
    )
    put(operated, "k" * 300)  # no partition key of Kinesis
    place(operated, "small-1", "small-2")  # go through, whatever they are batched with
    settled(operated, before, bridged=3, dead=5)
    assert letters(operated) == 5
    assert operated.run("verify").code == 1

    result = operated.run("replay", "dlq", "--json")
    assert result.code == 0, result.told
    facts = {name: result.facts[name] for name in ("sent", "shortened", "compressed", "deleted")}
    assert facts == {"sent": 5, "shortened": 1, "compressed": 3, "deleted": 5}
    assert "1 too large for a record: sent without the old image" in result.told
    assert "3 too large for a record: sent compressed" in result.told
    assert compressed(operated) == 3
    assert letters(operated) == 0

    operated.until(lambda: operated.stack.hops().delivered == before.delivered + 8)
    verified = operated.run("verify", "--json")
    assert verified.code == 0, verified.told
    assert verified.facts["table_items"] == verified.facts["equal"] == 5
    events = operated.account().rows("SELECT orderid, event_type FROM projection")
    told = sorted((str(one["orderid"])[:8], one["event_type"]) for one in events)
    assert told == [
        ("bytes", "INSERT"),
        ("bytes", "MODIFY"),
        ("controls", "INSERT"),
        ("gone", "INSERT"),
        ("gone", "REMOVE"),
        ("kkkkkkkk", "INSERT"),
        ("small-1", "INSERT"),
        ("small-2", "INSERT"),
    ]
    assert operated.stack.hops().failed == before.failed


def test_a_large_order_that_the_stream_has_forgotten_is_repaired_from_the_table(
    operated: Operated,
) -> None:
    before = operated.stack.hops()
    put(operated, "forgotten", data={"S": "\x06" * SIZE})
    put(operated, "f" * 300, data={"S": "\x06" * SIZE})
    settled(operated, before, bridged=0, dead=2)
    operated.a_day_passes()
    result = operated.run("replay", "dlq", "--repair", "--settle", "0", "--json")
    assert result.code == 0, result.told
    assert (result.facts["repaired"], result.facts["compressed"]) == (2, 2)
    assert operated.run("verify", "--settle", "30").code == 0


def test_compressed_records_that_failed_are_explained_and_replayed(operated: Operated) -> None:
    """Three in one batch; their rows of 2.8 MB each do not fit into one response."""
    (firehose,) = operated.stack.firehoses
    object.__setattr__(firehose.definition, "lambda_buffer_bytes", 3.0 * 1024 * 1024)
    object.__setattr__(firehose.definition, "lambda_buffer_seconds", 3.0)
    before = operated.stack.hops()
    names = [f"crowd-{n}" for n in range(6)]
    for name in names:
        put(operated, name, data={"S": "\x07" * SIZE})
    settled(operated, before, bridged=0, dead=6)
    assert operated.run("replay", "dlq", "--json").facts["compressed"] == 6
    operated.settle(12, before.settled)
    failed = operated.stack.hops().failed - before.failed
    assert failed, "they came in one batch"
    listed = operated.run("replay", "failed", "--json")
    assert listed.facts["waiting"] == listed.facts["would_pass"] == failed
    assert [one["orders"] for one in listed.facts["reasons"]] == [failed]
    for _ in names:  # each time at least one finds room
        since = operated.stack.hops().settled
        sent = operated.run("replay", "failed", "--replay", "--json").facts["sent"]
        if not sent:
            break
        operated.settle(sent, since)
    assert operated.run("verify", "--settle", "30").code == 0
