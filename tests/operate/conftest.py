"""One stack for the tests of replay, and its command line as the operator runs it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

import generator
from local.account.aws import Credentials
from local.chain import LocalChain
from local.commands.garbage import garbage, put
from local.commands.up import environment
from operate.account import Account
from operate.cli import app


@dataclass
class Result:
    """What a command said."""

    code: int
    facts: dict[str, Any]
    told: str


class Operated:
    """A running stack and its operator."""

    def __init__(self, stack: LocalChain, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self.outputs = directory / "outputs.json"
        self.outputs.write_text(json.dumps(dict(stack.outputs)))
        self._environment = monkeypatch
        self.act_as("operatorPolicyArn", "readerPolicyArn")

    def act_as(self, *policies: str) -> Credentials:
        """From now on commands run with these of the stack's policies."""
        arns = [self.stack.outputs[name] for name in policies]
        who = self.stack.user(f"person-{uuid.uuid4().hex[:8]}", *arns)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            self._environment.delenv(name, raising=False)
        for name, value in environment(self.stack, who, self.outputs).items():
            self._environment.setenv(name, value)
        return who

    def account(self) -> Account:
        return Account(dict(self.stack.outputs), boto3.Session())

    def run(self, *arguments: str) -> Result:
        ran = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
        last = ran.stdout.strip().splitlines()[-1:] if "--json" in arguments else []
        facts = json.loads(last[0]) if last and last[0].startswith("{") else {}
        return Result(ran.exit_code, facts, ran.stderr + ran.stdout)

    def write(self, count: int, *, seed: int, **plan: Any) -> int:
        """Place orders and let them change; how many changes were made."""
        report = generator.write(
            self.stack.aws.client("dynamodb"),
            self.stack.outputs["tableName"],
            generator.operations(generator.Plan(count=count, seed=seed, **plan)),
        )
        return report.written

    def write_before_the_stream(self, items: Sequence[dict[str, Any]]) -> None:
        """Put items whose changes the stream does not have, as if made before it was on."""
        (pipe,) = self.stack.pipes
        pipe.stop()
        dynamodb, table = self.stack.aws.client("dynamodb"), self.stack.outputs["tableName"]
        for start in range(0, len(items), 25):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={table: puts})
        streams, arn = self.stack.aws.client("dynamodbstreams"), pipe.definition.source_arn
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                answer = streams.get_records(ShardIterator=iterator)
                if not answer["Records"]:
                    break
                last = answer["Records"][-1]["dynamodb"]["SequenceNumber"]
                pipe.positions[shard["ShardId"]] = last
                iterator = answer.get("NextShardIterator")
        pipe._shards.clear()
        pipe.stopping.clear()
        pipe.start()

    def send(self, records: Sequence[bytes]) -> None:
        """Put records into the Kinesis stream, past the pipe."""
        put(self.stack.aws.client("kinesis"), self.stack.outputs["kinesisStreamName"], [*records])

    def garbage(self, count: int, seed: int) -> None:
        self.send(list(garbage(count, seed)))

    def a_day_passes(self) -> None:
        """The dead letters now point to where the table's stream has nothing."""
        sqs, queue = self.stack.aws.client("sqs"), self.stack.outputs["dlqUrl"]
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]:
            body = json.loads(message["Body"])
            body["DDBStreamBatchInfo"] |= {
                "startSequenceNumber": "1".zfill(21),
                "endSequenceNumber": "2".zfill(21),
            }
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def settle(self, more: int, since: int, seconds: float = 30) -> None:
        """Wait until so many more records have settled."""
        self.until(lambda: self.stack.hops().settled >= since + more, seconds)

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.stack.check()
            assert time.monotonic() < deadline, f"it never happened: {self.stack.hops()}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    with LocalChain("dev", tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def operated(stack: LocalChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    return Operated(stack, tmp_path, monkeypatch)
