"""The whole local chain: throughput, latency, scaling, and the emulator's share of the time."""

from __future__ import annotations

import base64
import gzip
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import orjson
import urllib3

from benchmarks.probe import peak_mb
from benchmarks.result import Result
from generator import Plan, operations, write
from local.chain import LocalChain
from local.commands.demo import Watch, quantile

BASE_ORDERS: Final = 2_000
LOW_RATE, LOW_SECONDS = 20, 15
SEGMENT: Final = 1_000  # records per GetRecords call, as in the pipe
BATCH, TRANSFORM_BYTES = 100, 1_000_000  # of the pipe and of Firehose, as in Pulumi.dev.yaml


@dataclass(frozen=True)
class Run:
    """One load through a fresh stack."""

    changes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Changes per second, from the first write to the last row in the lake."""
        return self.changes / self.seconds


@cache
def carried(times: int) -> Run:
    """Deliver ``times`` the base load."""
    with _stack(batchWindowSeconds="0") as stack:
        plan = _plan(BASE_ORDERS * times)
        client = stack.aws.client("dynamodb")
        began = time.perf_counter()
        report = write(client, stack.outputs["tableName"], operations(plan), concurrency=4)
        while stack.hops().settled < report.written:
            stack.check()
            time.sleep(0.01)
        return Run(report.written, time.perf_counter() - began)


def throughput() -> Result:
    """Changes per second, against the emulator alone making the same calls one after the other.

    The goal is half of that rate: our own share of the time is then under half.
    """
    ours = carried(9)
    with _stack() as stack:
        for worker in stack.workers:
            worker.stop()
        peer = _emulator_alone(stack, BASE_ORDERS * 3)
    return Result(
        name="chain_throughput",
        ours=ours.rate,
        peer=peer.rate,
        ratio=ours.rate / peer.rate,
        goal=0.5,
        unit="changes/s",
    )


def latency() -> Result:
    """Latency from write to queryable at a low rate (p99), against the longest wait in buffers."""
    watch = Watch()
    with _stack(on_delivered=watch.delivered) as stack:
        plan = _plan(LOW_RATE * LOW_SECONDS)
        client = stack.aws.client("dynamodb")
        report = write(
            client,
            stack.outputs["tableName"],
            operations(plan),
            rate=LOW_RATE,
            journal=watch.written,
        )
        while stack.hops().settled < report.written:
            stack.check()
            time.sleep(0.01)
        buffers = 1000 * stack.longest_wait
    ours = quantile(watch.latencies_ms(), 0.99)
    return Result(
        name="chain_latency_p99_ms",
        ours=ours,
        peer=buffers,
        ratio=buffers / ours,
        goal=0.8,
        unit="ms",
    )


def scaling() -> Result:
    """Time per change at nine times the load, relative to the base load (3x is run in between)."""
    one, three, nine = (carried(times) for times in (1, 3, 9))
    growth = max(run.rate for run in (one, three)) / nine.rate
    return Result(
        name="chain_scaling",
        ours=nine.seconds,
        peer=one.seconds,
        ratio=growth,
        goal=1.25,
        unit="s",
    )


def _peak_mb() -> float:
    carried(9)
    return peak_mb()


def memory() -> Result:
    """Peak memory of a process that only runs the chain, without the emulator."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        peak = apart.submit(_peak_mb).result()
    return Result(name="chain_memory_mb", ours=peak, peer=None, ratio=None, goal=None, unit="MB")


BENCHMARKS = {
    "chain_throughput": throughput,
    "chain_latency_p99_ms": latency,
    "chain_scaling": scaling,
    "chain_memory_mb": memory,
}


@contextmanager
def _stack(on_delivered: Any = None, **overrides: str) -> Iterator[LocalChain]:
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalChain("dev", Path(directory), overrides=overrides, on_delivered=on_delivered) as stack,
    ):
        yield stack


def _plan(orders: int) -> Plan:
    return Plan(count=orders, updates=0.4, deletes=0.1, seed=1)


class _Bare:
    """HTTP calls with minimal client overhead; counts only the time until the response.

    The key ``test`` is root in the emulator, which does not check its signature.
    """

    def __init__(self, stack: LocalChain) -> None:
        self.seconds = 0.0
        self._url = stack.aws.emulator_url
        self._region = stack.aws.region
        self._pool = urllib3.PoolManager(maxsize=1)

    def call(self, service: str, target: str, body: Any) -> Any:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return orjson.loads(self.send("POST", "/", service, orjson.dumps(body), headers))

    def send(
        self, method: str, path: str, service: str, body: bytes, headers: dict[str, str]
    ) -> bytes:
        scope = f"test/20260101/{self._region}/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        began = time.perf_counter()
        answer = self._pool.request(
            method, self._url + path, body=body, headers={"Authorization": signed, **headers}
        )
        self.seconds += time.perf_counter() - began
        if answer.status >= 300:
            raise RuntimeError(f"{service} {path}: {answer.data[:300]!r}")
        return answer.data


def _emulator_alone(stack: LocalChain, orders: int) -> Run:
    """Make every call that the chain must make for ``orders`` orders and their changes."""
    bare = _Bare(stack)
    outputs = stack.outputs
    table, stream = outputs["tableName"], outputs["kinesisStreamName"]
    changes = _write_bare(bare, table, orders)
    records = _read_stream(bare, outputs["streamArn"])
    for batch in _batches(records, BATCH):
        entries = [
            {"Data": base64.b64encode(orjson.dumps(one)).decode(), "PartitionKey": one["eventID"]}
            for one in batch
        ]
        put = {"StreamName": stream, "Records": entries}
        bare.call("kinesis", "Kinesis_20131202.PutRecords", put)
    data = _read_kinesis(bare, stream)
    rows = [row for batch in _by_size(data) for row in _invoke(bare, outputs, batch)]
    body = gzip.compress(b"".join(base64.b64decode(row) for row in rows))
    bare.send("PUT", f"/{outputs['bucketName']}/projection/bare.gz", "s3", body, {})
    if len(rows) != changes:
        raise RuntimeError(f"{changes} changes were written, {len(rows)} rows came out")
    return Run(changes, bare.seconds)


def _write_bare(bare: _Bare, table: str, orders: int) -> int:
    """Write batches of 25 distinct orders, as the generator does."""
    target = "DynamoDB_20120810.BatchWriteItem"
    changes = 0
    batch: dict[str, Any] = {}
    for operation in operations(_plan(orders)):
        if operation.orderid in batch or len(batch) == 25:
            bare.call("dynamodb", target, {"RequestItems": {table: list(batch.values())}})
            batch = {}
        key = {"orderid": {"S": operation.orderid}}
        batch[operation.orderid] = (
            {"DeleteRequest": {"Key": key}}
            if operation.kind == "delete"
            else {"PutRequest": {"Item": operation.item}}
        )
        changes += 1
    bare.call("dynamodb", target, {"RequestItems": {table: list(batch.values())}})
    return changes


def _read_stream(bare: _Bare, arn: str) -> list[Any]:
    target = "DynamoDBStreams_20120810"
    described = bare.call("dynamodb", f"{target}.DescribeStream", {"StreamArn": arn})
    found = []
    for shard in described["StreamDescription"]["Shards"]:
        start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = bare.call("dynamodb", f"{target}.GetShardIterator", start)["ShardIterator"]
        while True:
            body = {"ShardIterator": iterator, "Limit": SEGMENT}
            answer = bare.call("dynamodb", f"{target}.GetRecords", body)
            if not answer["Records"]:
                break
            found += answer["Records"]
            iterator = answer["NextShardIterator"]
    return found


def _read_kinesis(bare: _Bare, stream: str) -> list[str]:
    target = "Kinesis_20131202"
    shards = bare.call("kinesis", f"{target}.ListShards", {"StreamName": stream})["Shards"]
    found: list[str] = []
    for shard in shards:
        start = {
            "StreamName": stream,
            "ShardId": shard["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        }
        iterator = bare.call("kinesis", f"{target}.GetShardIterator", start)["ShardIterator"]
        while True:
            body = {"ShardIterator": iterator, "Limit": 10_000}
            answer = bare.call("kinesis", f"{target}.GetRecords", body)
            if not answer["Records"]:
                break
            found += [record["Data"] for record in answer["Records"]]
            iterator = answer["NextShardIterator"]
    return found


def _invoke(bare: _Bare, outputs: Any, batch: Sequence[str]) -> list[str]:
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": "bare",
        "region": outputs["region"],
        "records": [
            {"recordId": str(number), "approximateArrivalTimestamp": 0, "data": data}
            for number, data in enumerate(batch)
        ],
    }
    path = f"/2015-03-31/functions/{outputs['transformFunctionName']}/invocations"
    answer = orjson.loads(bare.send("POST", path, "lambda", orjson.dumps(event), {}))
    return [record["data"] for record in answer["records"] if record["result"] == "Ok"]


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


def _by_size(data: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for one in data:
        batch.append(one)
        size += len(one) * 3 // 4
        if size >= TRANSFORM_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
