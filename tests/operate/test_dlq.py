"""`python -m operate replay dlq` on a running stack: changes that the pipe gave up arrive."""

from __future__ import annotations

from typing import Any

import pytest

from local.errors import AwsError
from local.standins.pipe import Pipe
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("replay-dlq")]


@pytest.fixture(autouse=True)
def impatient(operated: Operated) -> None:
    """The pipe gives up a poison record soon, and the queue is empty."""
    for pipe in operated.stack.pipes:
        object.__setattr__(pipe.definition, "max_retries", 1)
    operated.stack.aws.client("sqs").purge_queue(QueueUrl=operated.stack.outputs["dlqUrl"])


def poison(operated: Operated, monkeypatch: pytest.MonkeyPatch, orders: set[str]) -> None:
    """From now on Kinesis rejects every call with one of these orders."""
    put = Pipe._put

    def refusing(self: Pipe, events: Any) -> Any:
        if any(one["dynamodb"]["Keys"]["orderid"]["S"] in orders for one in events):
            raise AwsError("ValidationException", "one of these is poison")
        return put(self, events)

    monkeypatch.setattr(Pipe, "_put", refusing)


def place(operated: Operated, *orders: str, **attributes: str) -> None:
    for order in orders:
        operated.stack.aws.client("dynamodb").put_item(
            TableName=operated.stack.outputs["tableName"],
            Item={"orderid": {"S": order}, "quantity": {"N": "1"}}
            | {name: {"S": text} for name, text in attributes.items()},
        )


def letters(operated: Operated) -> int:
    attributes = operated.stack.aws.client("sqs").get_queue_attributes(
        QueueUrl=operated.stack.outputs["dlqUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(map(int, attributes.values()))


def verified(operated: Operated) -> bool:
    return operated.run("verify", "--settle", "20", "--json").code == 0


def test_what_was_given_up_is_sent_on_and_its_messages_deleted(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = operated.stack.hops()
    with monkeypatch.context() as patched:
        poison(operated, patched, {"poison-2", "poison-5"})
        place(operated, *(f"poison-{n}" for n in range(8)))
        operated.until(
            lambda: (
                operated.stack.hops().dead_lettered > before.dead_lettered
                and operated.stack.hops().settled >= before.settled + 8
            )
        )
    assert letters(operated) == operated.stack.hops().dead_lettered - before.dead_lettered
    assert operated.run("verify").code == 1
    planned = operated.run("replay", "dlq", "--dry-run", "--json")
    assert planned.code == 0, planned.told
    assert planned.facts["sent"] == 0
    assert planned.facts["changes"] >= 2
    result = operated.run("replay", "dlq", "--json")
    assert result.code == 0, result.told
    assert result.facts["sent"] == result.facts["changes"]
    assert result.facts["deleted"] == result.facts["messages"] and result.facts["kept"] == 0
    assert letters(operated) == 0
    assert verified(operated)
    assert "nothing to do" in operated.run("replay", "dlq").told


def test_what_the_stream_no_longer_has_is_named_and_repaired_from_the_table(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(operated, "aged", status="placed")
    place(operated, "deleted")
    operated.until(lambda: verified(operated))
    before = operated.stack.hops().dead_lettered
    with monkeypatch.context() as patched:
        poison(operated, patched, {"aged", "deleted", "newborn"})
        place(operated, "aged", status="paid", note="after ✓")
        place(operated, "newborn")
        operated.stack.aws.client("dynamodb").delete_item(
            TableName=operated.stack.outputs["tableName"], Key={"orderid": {"S": "deleted"}}
        )
        operated.until(lambda: operated.stack.hops().dead_lettered == before + 3)
    operated.a_day_passes()
    count = letters(operated)
    plain = operated.run("replay", "dlq", "--json")
    assert plain.code == 1
    assert plain.facts["kept"] == count and plain.facts["sent"] == 0
    assert "are gone from the table's stream" in plain.told
    assert "--repair re-reads from the table" in plain.told
    repaired = operated.run("replay", "dlq", "--repair", "--settle", "0", "--json")
    assert repaired.code == 0, repaired.told
    assert repaired.facts["repaired"] == 3
    assert repaired.facts["deleted"] == count and letters(operated) == 0
    assert verified(operated)
    # The next real change of a repaired order wins over the repair.
    place(operated, "aged", status="shipped")
    assert verified(operated)


def test_a_message_of_someone_else_is_left_and_named(operated: Operated) -> None:
    sqs, queue = operated.stack.aws.client("sqs"), operated.stack.outputs["dlqUrl"]
    for body in ("hello", "{}", '{"DDBStreamBatchInfo": {"shardId": 1}}', "[]"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    result = operated.run("replay", "dlq", "--json")
    assert result.code == 1
    assert (result.facts["messages"], result.facts["kept"]) == (4, 4)
    assert len(result.facts["problems"]) == 4
    assert letters(operated) == 4


def test_a_message_is_kept_until_everything_has_arrived(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = operated.stack.hops().dead_lettered
    with monkeypatch.context() as patched:
        poison(operated, patched, {"kept"})
        place(operated, "kept")
        operated.until(lambda: operated.stack.hops().dead_lettered == before + 1)
    with monkeypatch.context() as patched:
        patched.setattr("operate.sending._ATTEMPTS", 1)
        refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow"}
        patched.setattr(
            "botocore.client.BaseClient._make_api_call",
            _answering("PutRecords", {"Records": [refused]}),
        )
        result = operated.run("replay", "dlq")
    assert result.code == 1
    assert "Kinesis still rejects 1 records" in result.told
    assert letters(operated) == 1
    assert operated.run("replay", "dlq", "--json").facts["deleted"] == 1
    assert verified(operated)


def _answering(operation: str, answer: Any) -> Any:
    from botocore.client import BaseClient

    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, given: Any) -> Any:
        return answer if name == operation else real(self, name, given)

    return call


def test_without_permission_the_messages_stay(operated: Operated) -> None:
    operated.act_as("readerPolicyArn")
    operated.stack.aws.client("sqs").send_message(
        QueueUrl=operated.stack.outputs["dlqUrl"], MessageBody="{}"
    )
    result = operated.run("replay", "dlq")
    assert result.code == 1
    assert "no permission" in result.told
    assert letters(operated) == 1
