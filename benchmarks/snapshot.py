"""Snapshots of a table: items a second against the scan alone, and memory.

The table is a small server of its own process, which answers Scan with pages of 4,000 orders made
beforehand: the emulator sorts its whole table for every page. All else is real: boto3, the
transform's code, the encoding, and the emulator's S3.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from benchmarks.probe import peak_mb
from benchmarks.result import Result, rates
from generator import Plan, operations
from local.account.emulator import Emulator
from operate import scanning
from operate.account import Account
from operate.snapshot import Snapshot
from schema import ORDERS, Schema

ITEMS: Final = 80_000
ROUNDS: Final = 3
MOST_ITEMS: Final = 1_008_000  # a whole number of pages a segment
MOST_MB: Final = 512
PAGE: Final = 4_000
SEGMENTS: Final = 4
REGION: Final = "us-east-1"
STREAM: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/1"
UNLIMITED: Final = 1e9


def rate() -> Result:
    """Items a second, as gzipped JSON; the peer reads the same pages and drops them."""
    with _world(ITEMS) as (endpoint, s3):
        account = Measured(endpoint, s3, "json")

        def ours() -> int:
            return _take(account)

        def peer() -> int:
            return _scan(account.client("dynamodb"))

        us, them = rates(ours, peer, rounds=ROUNDS)
    return Result(
        name="snapshot_rate", ours=us, peer=them, ratio=us / them, goal=0.5, unit="items/s"
    )


def memory() -> Result:
    """Peak memory of a process that takes a snapshot of over 1,000,000 items into Parquet."""
    with _world(MOST_ITEMS) as (endpoint, s3):
        command = [sys.executable, "-m", "benchmarks.snapshot", endpoint, *s3, "parquet"]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(ran.stdout.splitlines()[-1])
    if figures["items"] != MOST_ITEMS:
        raise RuntimeError(f"{figures['items']} items of {MOST_ITEMS}")
    peak = figures["peak_mb"]
    return Result(
        name="snapshot_memory", ours=peak, peer=MOST_MB, ratio=MOST_MB / peak, goal=1, unit="MB"
    )


class Measured(Account):
    """A stack whose table is the server of pages, and whose bucket is the emulator's."""

    def __init__(self, endpoint: str, s3: tuple[str, str, str], form: str) -> None:
        super().__init__({"region": REGION} | dict.fromkeys(_OUTPUTS, "orders"))
        parquet = form == "parquet"
        table = {
            "Parameters": {
                "classification": form,
                "compressionType": "snappy" if parquet else "gzip",
            },
            "StorageDescriptor": {
                "Columns": [{"Name": one.name, "Type": one.hive} for one in ORDERS.event_row]
            },
        }
        pipe = {
            "Name": "orders",
            "CurrentState": "RUNNING",
            "Source": STREAM,
            "SourceParameters": {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "LastModifiedTime": datetime(2026, 1, 1, tzinfo=UTC),
        }
        url, key, secret = s3
        session = boto3.Session(key, secret, region_name=REGION)
        scan = session.client(
            "dynamodb", endpoint_url=endpoint, config=Config(max_pool_connections=SEGMENTS)
        )
        described = {
            "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
            "TableId": "1",
            "LatestStreamArn": STREAM,
            "StreamSpecification": {"StreamEnabled": True},
        }
        self._clients = {
            "dynamodb": _Answers(describe_table={"Table": described}, scan=scan.scan),
            "pipes": _Answers(describe_pipe=pipe),
            "glue": _Answers(get_table={"Table": table}),
            "s3": session.client(
                "s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"})
            ),
        }

    def schema(self) -> Schema:
        """That of orders."""
        return ORDERS


class _Answers:
    """A client with these answers, or methods, by name."""

    def __init__(self, **answers: Any) -> None:
        for name, answer in answers.items():
            call = answer if callable(answer) else lambda answer=answer, **_: answer
            setattr(self, name, call)


_OUTPUTS: Final = (
    "tableName",
    "pipeName",
    "bucketName",
    "databaseName",
    "projectionTable",
    "failedTable",
)


def _take(account: Account) -> int:
    outcome = Snapshot(account, method="scan", read_units=UNLIMITED, segments=SEGMENTS).take()
    if outcome.rows != outcome.items:
        raise RuntimeError(f"{outcome.failed} items do not fit")
    return outcome.items


def _scan(dynamodb: Any) -> int:
    pace, over = scanning.Pace(UNLIMITED), threading.Event()
    counts = [0] * SEGMENTS

    def read(segment: int) -> None:
        for page in scanning.pages(
            dynamodb, "orders", segment=segment, segments=SEGMENTS, pace=pace, stop=over
        ):
            counts[segment] += len(page.items)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(SEGMENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


@contextmanager
def _world(items: int) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """The table's endpoint, and the endpoint and key of an S3 with a bucket."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs, items), daemon=True)
    server.start()
    try:
        with (
            tempfile.TemporaryDirectory() as directory,
            Emulator(Path(directory), region=REGION) as emulator,
        ):
            emulator.aws.client("s3").create_bucket(Bucket="orders")
            root = emulator.aws.root
            s3 = (emulator.aws.emulator_url, root.access_key_id, root.secret_access_key)
            yield mine.recv(), s3
    finally:
        server.terminate()
        server.join()


def _serve(ready: Connection, items: int) -> None:
    """Answer Scan until killed: each segment has its share of the items, in pages."""
    plan = Plan(count=PAGE, updates=0, deletes=0, seed=1)
    orders = [one.item for one in operations(plan)]
    pages = items // PAGE // SEGMENTS
    page = {
        "Items": orders,
        "Count": PAGE,
        "ScannedCount": PAGE,
        "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 200.0},
    }
    last = json.dumps(page).encode()
    others = [
        json.dumps(page | {"LastEvaluatedKey": {"orderid": {"S": str(number)}}}).encode()
        for number in range(1, pages)
    ]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            after = json.loads(body).get("ExclusiveStartKey")
            number = int(after["orderid"]["S"]) if after else 0
            answer = others[number] if number < len(others) else last
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(f"http://127.0.0.1:{server.server_address[1]}")
    server.serve_forever()


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "snapshot_rate": rate,
    "snapshot_memory": memory,
}

if __name__ == "__main__":
    url, *s3_of, form_of = sys.argv[1:]
    begun = time.perf_counter()
    count = _take(Measured(url, (s3_of[0], s3_of[1], s3_of[2]), form_of))
    seconds = time.perf_counter() - begun
    print(json.dumps({"items": count, "seconds": seconds, "peak_mb": peak_mb()}))  # noqa: T201
