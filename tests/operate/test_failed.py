"""`operate replay failed` on a running stack: each record once, in order, whatever happens."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from local.commands.garbage import garbage
from operate import replaying
from operate.replaying import Choice, Replay
from operate.sending import Sender
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("replay-failed")]


def change(order: str, number: int, **image: Any) -> bytes:
    """A change record as the pipe would put it."""
    keys = {"orderid": {"S": order}}
    record = {
        "eventID": f"{order}-{number}",
        "eventName": "INSERT" if number == 1 else "MODIFY",
        "dynamodb": {
            "ApproximateCreationDateTime": 1700000000,
            "Keys": keys,
            "NewImage": {**keys, "quantity": {"N": str(number)}, **image},
            "SequenceNumber": str(100 + number),
        },
    }
    return json.dumps(record).encode()


class Clean:
    """The bucket's failed and replayed records, emptied before each test."""

    def __init__(self, operated: Operated) -> None:
        self.s3 = operated.stack.aws.client("s3")
        self.bucket = operated.stack.outputs["bucketName"]
        for prefix in ("failed/", "replayed/"):
            for key in self.keys(prefix):
                self.s3.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def put(
        self,
        records: list[bytes],
        *,
        code: str = "Lambda.FunctionError",
        message: str = "Task timed out",
        arrived: int = 1_795_000_000_000,
        where: str = "processing-failed/day=2026-11-18/hour=11/s-1-2026-11-18-11-06-40-x",
    ) -> None:
        """Failed records as Firehose leaves them."""
        lines = [
            json.dumps(
                {
                    "attemptsMade": 4,
                    "arrivalTimestamp": arrived + n,
                    "errorCode": code,
                    "errorMessage": message,
                    "attemptEndingTimestamp": arrived + n + 1000,
                    "rawData": base64.b64encode(record).decode(),
                    "lambdaArn": "arn",
                }
            )
            for n, record in enumerate(records)
        ]
        body = ("\n".join(lines) + "\n").encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"failed/{where}", Body=body)


@pytest.fixture
def clean(operated: Operated) -> Iterator[Clean]:
    yield Clean(operated)
    operated.stack.check()


class Stream:
    """What the Kinesis stream got since this was made."""

    def __init__(self, operated: Operated) -> None:
        self._kinesis = operated.stack.aws.client("kinesis")
        name = operated.stack.outputs["kinesisStreamName"]
        self._iterators = [
            self._kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for shard in self._kinesis.list_shards(StreamName=name)["Shards"]
        ]
        self.records: list[dict[str, Any]] = []

    def read(self) -> list[bytes]:
        for n, iterator in enumerate(self._iterators):
            answer = self._kinesis.get_records(ShardIterator=iterator)
            self.records += answer["Records"]
            self._iterators[n] = answer["NextShardIterator"]
        return [record["Data"] for record in self.records]


def test_garbage_is_listed_by_the_transforms_reasons(operated: Operated, clean: Clean) -> None:
    before = operated.stack.hops().failed
    operated.garbage(16, seed=1)
    operated.until(lambda: operated.stack.hops().failed == before + 16)
    result = operated.run("replay", "failed", "--json")
    assert result.code == 0, result.told
    assert result.facts["records"] == result.facts["waiting"] == 16
    assert result.facts["would_pass"] == 0
    reasons = {group["reason"]: group["records"] for group in result.facts["reasons"]}
    misfit = "SchemaMismatch: column price: decimal(10,2) cannot hold this value exactly"
    assert reasons[misfit] == 4
    assert sum(count for reason, count in reasons.items() if reason.startswith("NotJson")) == 6
    assert all(group["first"] <= group["last"] for group in result.facts["reasons"])
    some = operated.run("replay", "failed", "--reason", "PRICE", "--json")
    assert some.facts["records"] == 4


def test_what_would_fail_again_stays(operated: Operated, clean: Clean) -> None:
    before = operated.stack.hops().failed
    operated.garbage(8, seed=2)
    operated.until(lambda: operated.stack.hops().failed == before + 8)
    stream = Stream(operated)
    result = operated.run("replay", "failed", "--replay", "--json")
    assert result.code == 0
    assert result.facts["would_fail"] == result.facts["chosen"] == 8
    assert stream.read() == []
    assert clean.keys("replayed/") == []
    forced = operated.run("replay", "failed", "--replay", "--force", "--json")
    assert forced.facts["sent"] == 8
    operated.until(lambda: operated.stack.hops().failed == before + 16)
    after = operated.run("replay", "failed", "--json").facts
    assert (after["records"], after["replayed"], after["waiting"]) == (16, 8, 8)


def test_once_the_cause_is_fixed_they_pass_once_and_in_order(
    operated: Operated, clean: Clean
) -> None:
    orders = [f"mended-{n}" for n in range(5)]
    sent = [change(order, number) for number in (1, 2, 3) for order in orders]
    clean.put(sent)
    stream = Stream(operated)
    planned = operated.run("replay", "failed", "--replay", "--dry-run", "--json")
    assert planned.facts["sent"] == 15
    assert planned.facts["dry_run"] is True
    assert stream.read() == [] and clean.keys("replayed/") == []
    before = operated.stack.hops().delivered
    result = operated.run("replay", "failed", "--replay", "--json")
    assert result.code == 0, result.told
    assert result.facts["sent"] == result.facts["chosen"] == 15
    got = stream.read()
    assert Counter(got) == Counter(sent)
    for order in orders:  # the order's key spreads them, and its changes stay in order
        mine = [r for r in stream.records if r["PartitionKey"] == order]
        assert [r["Data"] for r in mine] == [change(order, n) for n in (1, 2, 3)]
    operated.until(lambda: operated.stack.hops().delivered == before + 15)
    again = operated.run("replay", "failed", "--replay", "--json")
    assert (again.facts["sent"], again.facts["already"]) == (0, 15)
    assert len(stream.read()) == 15
    assert clean.keys("failed/"), "the records themselves are kept"


def test_a_time_window_chooses_records_not_objects(operated: Operated, clean: Clean) -> None:
    clean.put([change(f"window-{n}", 1) for n in range(10)])  # a millisecond apart
    first = "2026-11-18T11:06:40.003+00:00"
    until = "2026-11-18T13:06:40.005+02:00"
    result = operated.run("replay", "failed", "--since", first, "--until", until, "--json")
    assert result.facts["records"] == 2
    assert operated.run("replay", "failed", "--since", "2026-11-19", "--json").facts["records"] == 0
    assert operated.run("replay", "failed", "--until", "2026-11-18", "--json").facts["records"] == 0


def test_nothing_to_replay_is_said_and_done(operated: Operated, clean: Clean) -> None:
    result = operated.run("replay", "failed", "--replay")
    assert result.code == 0
    assert "nothing to replay" in result.told
    assert "no failed records" in operated.run("replay", "failed").told


def test_unreadable_lines_are_counted_and_left(operated: Operated, clean: Clean) -> None:
    clean.put([change("readable", 1)])
    clean.s3.put_object(
        Bucket=clean.bucket,
        Key="failed/processing-failed/day=2026-11-18/hour=12/odd",
        Body=b'no JSON\n{"rawData": 7}\n[]\n{"rawData": "%%%"}\n',
    )
    clean.s3.put_object(
        Bucket=clean.bucket,
        Key="failed/processing-failed/day=2026-11-18/hour=13/broken.gz",
        Body=b"\x1f\x8bbroken",
    )
    result = operated.run("replay", "failed", "--replay", "--json")
    assert result.code == 1, "an object that cannot be read is not whole"
    assert "broken.gz: broken gzip" in result.told
    assert (result.facts["sent"], result.facts["unreadable"]) == (1, 4)


@pytest.mark.parametrize("moment", ["before", "after", "between"])
def test_a_run_that_was_killed_is_finished_by_the_next_and_nothing_is_sent_twice(
    operated: Operated, clean: Clean, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Killed before a call, after the call but before its answer, or between two calls."""
    sent = [change(f"killed-{moment}-{n}", number) for number in (1, 2) for n in range(6)]
    sent[1::2] = map(gzip.compress, sent[1::2])  # as `dlq` sends what is too large
    clean.put(sent)
    stream = Stream(operated)
    put, calls = Sender.put, []

    class KilledError(BaseException):
        pass

    def killed(self: Sender, wave: Any) -> Any:
        calls.append(wave)
        if moment == "before" and len(calls) == 1:
            raise KilledError
        if moment == "between" and len(calls) == 2:
            raise KilledError
        answer = put(self, wave)
        if moment == "after":
            raise KilledError
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(Sender, "put", killed)
        # Killed: nothing is noted after the fact either.
        patched.setattr("operate.ledger.Ledgers.end", lambda *_, **__: None)
        with pytest.raises(KilledError):
            Replay(operated.account()).run(Choice())
    arrived = {"before": 0, "after": 6, "between": 6}[moment]
    assert len(stream.read()) == arrived
    result = operated.run("replay", "failed", "--replay", "--json")
    assert result.code == 0, result.told
    assert result.facts["arrived_before"] == arrived
    assert result.facts["sent"] == 12 - arrived
    assert Counter(stream.read()) == Counter(sent)
    assert operated.run("replay", "failed", "--replay", "--json").facts["already"] == 12


def test_a_stop_leaves_no_half_state(
    operated: Operated, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean.put([change("stopped", number) for number in range(1, 7)])
    stream = Stream(operated)
    work = Replay(operated.account())
    put = Sender.put

    def stopping(self: Sender, wave: Any) -> Any:
        answer = put(self, wave)
        if len(stream.read()) == 2:
            work._stop.set()
        return answer

    monkeypatch.setattr(Sender, "put", stopping)
    tally = work.run(Choice())
    assert (tally.sent, tally.left) == (2, 4)
    again = Replay(operated.account()).run(Choice())
    assert (again.already, again.sent) == (2, 4)
    assert stream.read() == [change("stopped", number) for number in range(1, 7)]


def test_what_kinesis_throttles_is_sent_again_and_what_it_took_is_not(
    operated: Operated, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [change(f"throttled-{n}", 1) for n in range(10)]
    clean.put(sent)
    stream = Stream(operated)
    work = Replay(operated.account())
    kinesis, calls = work._sender._kinesis, []
    real = kinesis.put_records

    def throttling(**given: Any) -> Any:
        calls.append(given)
        records = given["Records"]
        if len(calls) > 3:
            return real(**given)
        answer = real(**given | {"Records": records[1::2]})
        refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow"}
        took = iter(answer["Records"])
        answer["Records"] = [next(took) if n % 2 else refused for n in range(len(records))]
        return answer

    monkeypatch.setattr(kinesis, "put_records", throttling)
    monkeypatch.setattr(work._sender, "_sleep", lambda _: None)
    tally = work.run(Choice())
    assert tally.sent == 10
    assert Counter(stream.read()) == Counter(sent)


def test_two_runs_at_once_notice_each_other(
    operated: Operated, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean.put([change("both", 1)])
    put = Sender.put

    def meanwhile(self: Sender, wave: Any) -> Any:
        monkeypatch.setattr(Sender, "put", put)
        Replay(operated.account()).run(Choice())
        return put(self, wave)

    monkeypatch.setattr(Sender, "put", meanwhile)
    result = operated.run("replay", "failed", "--replay")
    assert result.code == 1
    assert "another replay, or an erasure, is at work" in result.told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "not an ISO 8601 time"),
        (["--since", "2026-11-19", "--until", "2026-11-18"], "--since must be before --until"),
        (["--force"], "go with --replay"),
        (["--stack", "a", "--outputs", "b"], "not both"),
    ],
)
def test_wrong_usage_is_one_line(operated: Operated, arguments: list[str], said: str) -> None:
    result = operated.run("replay", "failed", *arguments)
    assert result.code == 2
    assert said in result.told
    assert len(result.told.strip().splitlines()) == 1


def test_without_permission_nothing_is_sent_or_noted(operated: Operated, clean: Clean) -> None:
    clean.put([change("denied", 1)])
    operated.act_as("readerPolicyArn")
    result = operated.run("replay", "failed", "--replay")
    assert result.code == 1
    assert "no permission" in result.told and "operator" in result.told
    assert clean.keys("replayed/") == []


def test_the_outputs_that_it_needs_are_the_stacks(operated: Operated) -> None:
    assert set(replaying.OUTPUTS) <= set(operated.stack.outputs)
    assert list(garbage(3, 1)) != list(garbage(3, 2))
