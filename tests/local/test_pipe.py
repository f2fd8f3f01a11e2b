"""The pipe between the emulator's DynamoDB stream and Kinesis stream."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from local.account.aws import Aws
from local.errors import AwsError, WorkerDiedError
from local.standins.pipe import Pipe
from tests.local import chain_parts as parts

READ = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]


class Bridge:
    """A table, a stream, and a role for the pipe between them."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name = aws, name
        self.source = parts.table(aws, name)
        self.target = parts.stream(aws, name)
        queue = aws.client("sqs").create_queue(QueueName=name)
        self.queue_url = queue["QueueUrl"]
        self.queue_arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:{name}"
        self.role = parts.role(
            aws,
            name,
            (READ, self.source),
            (["kinesis:PutRecords"], self.target),
            (["sqs:SendMessage"], self.queue_arn),
        )

    def put(self, *orders: str, **attributes: Any) -> None:
        for order in orders:
            self.aws.client("dynamodb").put_item(
                TableName=self.name, Item={"orderid": {"S": order}, **attributes}
            )

    def pipe(self, positions: dict[str, str] | None = None, **given: Any) -> Pipe:
        given = {"dead_letter_arn": self.queue_arn} | given
        definition = parts.pipe_definition(self.name, self.role, self.source, self.target, **given)
        return Pipe(self.aws, definition, positions)

    def arrived(self) -> list[dict[str, Any]]:
        return [json.loads(one) for one in parts.records(self.aws, self.target)]

    def orders(self) -> list[str]:
        return [one["dynamodb"]["Keys"]["orderid"]["S"] for one in self.arrived()]

    def dead_letters(self) -> list[dict[str, Any]]:
        answer = self.aws.client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        )
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


@pytest.fixture
def bridge(aws: Aws, request: pytest.FixtureRequest) -> Bridge:
    return Bridge(aws, request.node.name.replace("test_", "")[:60].replace("_", "-"))


def run(pipe: Pipe, condition: Any) -> None:
    pipe.start()
    try:
        parts.until(lambda: pipe.error or condition())
    finally:
        pipe.stop()
    if pipe.error:
        raise pipe.error


def test_changes_made_before_the_pipe_arrive_bare_and_in_order(bridge: Bridge) -> None:
    orders = [f"order-{n:03}" for n in range(25)]
    bridge.put(*orders)
    pipe = bridge.pipe()
    run(pipe, lambda: pipe.counts.bridged == 25)
    assert bridge.orders() == orders
    first = bridge.arrived()[0]
    assert first["eventName"] == "INSERT"
    assert first["eventSourceARN"] == bridge.source
    assert first["dynamodb"]["NewImage"] == {"orderid": {"S": "order-000"}}


def test_a_pipe_goes_on_where_the_one_before_stopped(bridge: Bridge) -> None:
    positions: dict[str, str] = {}
    bridge.put("a", "b")
    first = bridge.pipe(positions)
    run(first, lambda: first.counts.bridged == 2)
    bridge.put("c")
    second = bridge.pipe(positions)
    run(second, lambda: second.counts.bridged == 1)
    assert bridge.orders() == ["a", "b", "c"]


def test_only_what_the_patterns_want_is_carried(bridge: Bridge) -> None:
    bridge.put("no", status={"S": "placed"})
    bridge.put("yes", status={"S": "paid"})
    wanted = {"dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}}
    pipe = bridge.pipe(patterns=(wanted,))
    run(pipe, lambda: pipe.counts.filtered + pipe.counts.bridged == 2)
    assert bridge.orders() == ["yes"]


def test_a_poison_record_is_bisected_out_and_the_rest_goes_on(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.put(*"abcdefgh")
    pipe = bridge.pipe()
    put = Pipe._put

    def refusing(self: Pipe, events: Any) -> Any:
        if any(one["dynamodb"]["Keys"]["orderid"]["S"] == "e" for one in events):
            raise AwsError("ValidationException", "one of these is poison")
        return put(self, events)

    monkeypatch.setattr(Pipe, "_put", refusing)
    run(pipe, lambda: pipe.counts.bridged + pipe.counts.dead_lettered == 8)
    assert bridge.orders() == list("abcdfgh")
    (letter,) = bridge.dead_letters()
    batch = letter["DDBStreamBatchInfo"]
    assert batch["batchSize"] == 1
    assert batch["streamArn"] == bridge.source
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
    assert "NewImage" not in json.dumps(letter), "the message is a pointer, not data"


def test_a_second_poison_record_has_its_own_tries(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.put(*"abcdefgh")
    pipe = bridge.pipe(max_retries=1)
    put = Pipe._put

    def refusing(self: Pipe, events: Any) -> Any:
        if any(one["dynamodb"]["Keys"]["orderid"]["S"] in "bf" for one in events):
            raise AwsError("ValidationException", "one of these is poison")
        return put(self, events)

    monkeypatch.setattr(Pipe, "_put", refusing)
    run(pipe, lambda: pipe.counts.bridged + pipe.counts.dead_lettered == 8)
    assert bridge.orders() == list("acdegh")
    assert [one["DDBStreamBatchInfo"]["batchSize"] for one in bridge.dead_letters()] == [1, 1]


def test_a_change_too_large_for_kinesis_is_bisected_out_and_given_up(bridge: Bridge) -> None:
    """Both images as JSON, 390 KB of bytes each: 1.04 MB. One image of it goes through."""
    data = {"data": {"B": os.urandom(390 * 1024)}}
    bridge.put("a", "large", **data)
    bridge.put("b", "large", "c", **data | {"note": {"S": "changed"}})
    pipe = bridge.pipe(max_retries=1)
    run(pipe, lambda: pipe.counts.bridged + pipe.counts.dead_lettered == 5)
    assert bridge.orders() == ["a", "large", "b", "c"]
    (letter,) = bridge.dead_letters()
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 1
    # Text of the same size is not too large: twice 400 KB is less than 1 MiB.
    text = {"data": {"S": "x" * 390 * 1024}}
    bridge.put("text", **text)
    bridge.put("text", **text, note={"S": "changed"})
    again = bridge.pipe(pipe.positions)
    run(again, lambda: again.counts.bridged == 2)
    assert again.counts.dead_lettered == 0


def test_a_batch_too_large_for_the_enrichment_is_bisected(
    bridge: Bridge, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = f"arn:aws:lambda:{aws.region}:{aws.account_id}:function:{bridge.name}"
    parts.allow(
        aws,
        bridge.name,
        (READ, bridge.source),
        (["kinesis:PutRecords"], bridge.target),
        (["lambda:InvokeFunction"], arn),
    )
    parts.function(
        aws,
        bridge.name,
        "def handler(events, _):\n"
        "    for event in events:\n"
        "        del event['dynamodb']['NewImage']\n"
        "    return events\n",
    )
    orders = [f"order-{n:02}" for n in range(20)]
    bridge.put(*orders, data={"S": "x" * 390 * 1024})  # 7.8 MB
    enrich, asked = Pipe._enrich, []

    def counting(self: Pipe, records: Any) -> Any:
        asked.append(len(records))
        return enrich(self, records)

    monkeypatch.setattr(Pipe, "_enrich", counting)
    pipe = bridge.pipe(enrichment_arn=arn, batch_size=20, window_seconds=2)
    run(pipe, lambda: pipe.counts.bridged == 20)
    assert bridge.orders() == orders
    assert asked == [20, 10, 10]


def test_only_the_records_that_failed_are_put_again(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.put(*"abcd")
    pipe = bridge.pipe()
    pipe.open()
    call = pipe._kinesis.call
    refused: list[Any] = []

    def throttling(action: str, body: Any) -> Any:
        entries = body["Records"]
        if len(entries) == 4 and not refused:
            refused.append(entries[2])
            answer = call(action, body | {"Records": entries[:2] + entries[3:]})
            failed = {"ErrorCode": "ProvisionedThroughputExceededException"}
            answer["Records"].insert(2, failed)
            return answer
        return call(action, body)

    monkeypatch.setattr(pipe._kinesis, "call", throttling)
    monkeypatch.setattr(pipe, "open", lambda: None)
    run(pipe, lambda: pipe.counts.bridged == 4)
    assert bridge.orders() == ["a", "b", "d", "c"]


def test_an_enrichment_function_replaces_the_events(bridge: Bridge, aws: Aws) -> None:
    arn = f"arn:aws:lambda:{aws.region}:{aws.account_id}:function:{bridge.name}"
    code = "def handler(events, _):\n    return [{**e, 'enriched': True} for e in events][:1]\n"
    parts.allow(
        aws,
        bridge.name,
        (READ, bridge.source),
        (["kinesis:PutRecords"], bridge.target),
        (["lambda:InvokeFunction"], arn),
    )
    parts.function(aws, bridge.name, code)
    bridge.put("a", "b")
    pipe = bridge.pipe(enrichment_arn=arn)
    run(pipe, lambda: pipe.counts.bridged == 1)
    assert [one["enriched"] for one in bridge.arrived()] == [True]


@pytest.mark.parametrize("missing", [*READ, "kinesis:PutRecords"])
def test_a_missing_permission_stops_the_pipe_naming_role_and_action(aws: Aws, missing: str) -> None:
    bridge = Bridge(aws, f"denied-{missing.replace(':', '-')}")
    left = [one for one in READ if one != missing]
    puts = ["kinesis:PutRecords"] if missing != "kinesis:PutRecords" else ["kinesis:PutRecord"]
    parts.allow(aws, bridge.name, (left, bridge.source), (puts, bridge.target))
    bridge.put("a")
    pipe = bridge.pipe()
    with pytest.raises(WorkerDiedError) as caught:
        run(pipe, lambda: pipe.counts.bridged)
    assert missing in str(caught.value)
    assert bridge.role in str(caught.value)


def test_a_stop_hands_over_what_the_window_holds(bridge: Bridge) -> None:
    pipe = bridge.pipe(window_seconds=300)
    pipe.start()
    bridge.put("a", "b")
    parts.until(lambda: pipe.counts.captured == 2)
    bridge.put("c")
    pipe.stop()
    assert pipe.error is None
    assert bridge.orders() == ["a", "b", "c"]
