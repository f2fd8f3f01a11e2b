"""A hop with nothing to do asks for records seldom, and notices an arrival at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from local.account.aws import Aws
from local.standins.pipe import Pipe
from local.standins.worker import Worker
from tests.local.chain_parts import pipe_definition, records, role, stream, table, until


class Counting(Pipe):
    """A pipe that counts its steps."""

    steps = 0

    def step(self) -> bool:
        self.steps += 1
        return super().step()


@pytest.fixture
def pipe(aws: Aws) -> Iterator[Counting]:
    name = f"idle-{uuid.uuid4().hex[:8]}"
    source, target = table(aws, name), stream(aws, name)
    allowed = role(aws, name, (["dynamodb:*", "kinesis:*"], "*"))
    pipe = Counting(aws, pipe_definition(name, allowed, source, target))
    pipe.start()
    yield pipe
    pipe.stop()


def put(aws: Aws, pipe: Pipe) -> None:
    aws.client("dynamodb").put_item(
        TableName=pipe.definition.name, Item={"orderid": {"S": uuid.uuid4().hex}}
    )


def test_an_idle_pipe_reads_about_once_a_second(pipe: Counting) -> None:
    time.sleep(0.5)
    before = pipe.steps
    time.sleep(3)
    assert 1 <= pipe.steps - before <= 4


def test_a_change_after_an_idle_time_wakes_the_pipe(
    aws: Aws, pipe: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "idle_seconds", 60.0)
    time.sleep(1.5)  # its last wait is now the long one
    began = time.monotonic()
    put(aws, pipe)
    until(lambda: pipe.counts.bridged == 1, 5)
    assert time.monotonic() - began < 5
    assert len(records(aws, pipe.definition.target_arn)) == 1


def test_a_lost_wake_up_is_covered_by_the_next_read(
    aws: Aws, pipe: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "wake", lambda: None)
    time.sleep(0.5)
    put(aws, pipe)
    until(lambda: pipe.counts.bridged == 1, 5)


def test_an_idle_pipe_stops_within_a_second(
    pipe: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "idle_seconds", 60.0)
    time.sleep(1.5)
    began = time.monotonic()
    pipe.stop()
    assert time.monotonic() - began < 1
