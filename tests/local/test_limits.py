"""Requests that are too large for AWS are rejected here too, from any client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.account import limits
from local.account.aws import Aws
from operate import changes
from tests.local import chain_parts as parts

KEY = "k" * 256
FULL = b"x" * (limits.KINESIS_RECORD - len(KEY))


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def records(*data: bytes, key: str = KEY) -> list[dict[str, Any]]:
    return [{"Data": one, "PartitionKey": key} for one in data]


def test_a_kinesis_record_has_1_mib_its_partition_key_included(aws: Aws) -> None:
    arn, kinesis = parts.stream(aws, "record-size"), aws.client("kinesis")
    kinesis.put_record(StreamARN=arn, Data=FULL, PartitionKey=KEY)
    with pytest.raises(ClientError, match="1048577 bytes") as caught:
        kinesis.put_record(StreamARN=arn, Data=FULL + b"x", PartitionKey=KEY)
    assert code(caught) == "InvalidArgumentException"
    with pytest.raises(ClientError):  # in bytes: each of these letters has two
        kinesis.put_record(StreamARN=arn, Data=FULL, PartitionKey="é" * 256)
    assert parts.records(aws, arn) == [FULL]


def test_one_record_too_large_fails_the_whole_request(aws: Aws) -> None:
    arn, kinesis = parts.stream(aws, "request-size"), aws.client("kinesis")
    with pytest.raises(ClientError) as caught:
        kinesis.put_records(StreamARN=arn, Records=records(b"small", FULL + b"x", b"small"))
    assert code(caught) == "InvalidArgumentException"
    assert parts.records(aws, arn) == []


@pytest.mark.parametrize(
    ("refused", "taken"),
    [
        (records(*[b"x"] * 501), records(*[b"x"] * 500)),
        (records(*[FULL] * 11), records(*[FULL] * 4)),
        (records(b"x", key=KEY + "k"), records(b"x")),
    ],
    ids=["501 records", "11 MiB", "257 characters"],
)
def test_a_request_to_kinesis_has_its_limits(aws: Aws, refused: Any, taken: Any) -> None:
    arn = parts.stream(aws, f"request-{len(refused)}-{len(taken)}")
    with pytest.raises(ClientError) as caught:
        aws.client("kinesis").put_records(StreamARN=arn, Records=refused)
    assert code(caught) in {"ValidationException", "InvalidArgumentException"}
    assert parts.records(aws, arn) == []
    aws.client("kinesis").put_records(StreamARN=arn, Records=taken)
    assert len(parts.records(aws, arn)) == len(taken)


def test_an_item_has_400_kb_and_a_page_of_its_stream_1_mb(aws: Aws) -> None:
    arn, dynamodb = parts.table(aws, "item-size"), aws.client("dynamodb")
    text = "x" * (400 * 1024 - len("orderid" + "a" + "text"))
    for order in "abc":
        item = {"orderid": {"S": order}, "text": {"S": text}}
        dynamodb.put_item(TableName="item-size", Item=item)
    with pytest.raises(ClientError, match="Item size has exceeded") as caught:
        dynamodb.put_item(
            TableName="item-size", Item={"orderid": {"S": "d"}, "text": {"S": text + "x"}}
        )
    assert code(caught) == "ValidationException"
    streams = aws.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    page = streams.get_records(ShardIterator=iterator)
    assert len(page["Records"]) == 2
    page = streams.get_records(ShardIterator=page["NextShardIterator"])
    assert [one["dynamodb"]["Keys"]["orderid"]["S"] for one in page["Records"]] == ["c"]


def test_an_invocation_has_6_mb_there_and_6_mb_back(aws: Aws) -> None:
    name = "payload-size"
    parts.function(aws, name, "def handler(event, _):\n    return 'x' * (event['size'] - 2)\n")
    function = aws.client("lambda", max_attempts=1)

    def invoke(size: int, request: int) -> Any:
        payload = json.dumps({"size": size, "pad": ""})
        payload = payload.replace('""', f'"{"x" * (request - len(payload))}"')
        return function.invoke(FunctionName=name, Payload=payload.encode())

    answer = invoke(limits.LAMBDA_ANSWER, limits.LAMBDA_REQUEST)
    assert len(answer["Payload"].read()) == limits.LAMBDA_ANSWER
    assert "FunctionError" not in answer
    with pytest.raises(ClientError, match="smaller than 6291456 bytes") as caught:
        invoke(10, limits.LAMBDA_REQUEST + 1)
    assert code(caught) == "RequestTooLargeException"
    answer = invoke(limits.LAMBDA_ANSWER + 1, 100)
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


def test_what_replay_sends_is_what_firehose_takes() -> None:
    assert changes.MOST_BYTES == limits.FIREHOSE_RECORD
