"""The transform against a common implementation, and against a handler's minimum work."""

from __future__ import annotations

import base64
import itertools
import json
import random
import subprocess
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from benchmarks.result import Result, one_core, rates
from components.archives import functions
from components.archives.lambda_zip import Platform
from schema import ORDERS

ROOT: Final = Path(__file__).resolve().parent.parent
ROUNDS: Final = 41
STARTS: Final = 7
BATCHES: Final = 8  # alternating, so that caches from the previous batch do not help ours
MB: Final = 2**20

_GADGETS: Final = (
    "Mechanical Keyboard",
    "4K Webcam",
    "Wireless Earbuds",
    "USB-C Docking Station",
    "Smartwatch",
    "Portable SSD 2 TB",
    "E-Reader",
)
_CUSTOMERS: Final = ("Anna Müller", "Stacy Duncan", "José García", "Zoë Clark", "Li Wei")
_STATUSES: Final = ("placed", "paid", "shipped", "delivered")


def event(size: int, seed: int = 1, customers: Iterator[str] | None = None) -> dict[str, Any]:
    """A Firehose event with ``size`` bytes of change records: updates with both images.

    An order has seven columns; its record, as an EventBridge pipe writes it, has about 850 bytes.

    Parameters
    ----------
    customers:
        Who placed the orders. Default: a few, by chance.
    """
    chance = random.Random(seed)
    records: list[dict[str, Any]] = []
    while size > 0:
        change = _change(chance, len(records))
        if customers:
            buyer = {"customer": {"S": next(customers)}}
            change["dynamodb"]["NewImage"] |= buyer
            change["dynamodb"]["OldImage"] |= buyer
        data = json.dumps(change, separators=(",", ":"), ensure_ascii=False).encode()
        size -= len(data)
        records.append(
            {
                "recordId": f"{chance.randrange(10**56):056}000000",
                "approximateArrivalTimestamp": 1795227480123 + len(records),
                "data": base64.b64encode(data).decode(),
                "kinesisRecordMetadata": {
                    "sequenceNumber": f"{chance.randrange(10**56):056}",
                    "subsequenceNumber": 0,
                    "partitionKey": change["dynamodb"]["Keys"]["orderid"]["S"],
                    "shardId": "shardId-000000000000",
                    "approximateArrivalTimestamp": 1795227480123 + len(records),
                },
            }
        )
    return {
        "invocationId": str(uuid.UUID(int=chance.getrandbits(128))),
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/lake",
        "sourceKinesisStreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/changes",
        "region": "us-east-1",
        "records": records,
    }


def _change(chance: random.Random, number: int) -> dict[str, Any]:
    placed = datetime(2026, 11, 21, tzinfo=UTC) - timedelta(milliseconds=chance.randrange(10**9))
    status = chance.randrange(1, len(_STATUSES))
    old = {
        "orderid": {"S": f"{chance.getrandbits(64):016x}"},
        "product_name": {"S": chance.choice(_GADGETS)},
        "quantity": {"N": str(chance.randint(1, 5))},
        "price": {"N": f"{chance.randint(900, 250_000) / 100:.2f}".rstrip("0").rstrip(".")},
        "customer": {"S": chance.choice(_CUSTOMERS)},
        "status": {"S": _STATUSES[status - 1]},
        "created_at": {"S": placed.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
    }
    return {
        "eventID": f"{chance.getrandbits(128):032x}",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795227480 + number // 500,
            "Keys": {"orderid": old["orderid"]},
            "NewImage": {**old, "status": {"S": _STATUSES[status]}},
            "OldImage": old,
            "SequenceNumber": str(10**23 + number),
            "SizeBytes": 391,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026",
    }


def limit(records: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The minimum work of a Python handler: decode, parse, serialize and encode each record."""
    answers = []
    for record in records:
        document = orjson.loads(base64.b64decode(record["data"]))
        data = base64.b64encode(orjson.dumps(document)).decode()
        answers.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return answers


@contextmanager
def _package() -> Iterator[Path]:
    """The deployed package, built for this machine and unpacked."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(functions.transform(ORDERS, Platform.host())) as package,
    ):
        package.extractall(folder)
        yield Path(folder)


@contextmanager
def _ours() -> Iterator[Callable[[list[dict[str, Any]]], int]]:
    """Our transform; processes a batch and returns its number of records."""
    with _package() as folder:
        sys.path.insert(0, str(folder))
        try:
            handler = import_module("handler")
            transform, to_row = import_module("records").transform, handler.TO_ROW
        finally:
            sys.path.remove(str(folder))
    yield lambda records: len(transform(records, to_row)[0])


def vs_limit() -> Result:
    """Records per second on one core, against the loop that only decodes and encodes."""
    return _compare("transform_vs_limit", limit, goal=0.9, rounds=ROUNDS)


def hashed() -> Result:
    """Records per second on one core with one hashed column, against the same without.

    Each customer occurs once, so that no cache could help.
    """
    columns = (replace(one, privacy="hash") if one.personal else one for one in ORDERS.columns)
    schema = replace(ORDERS, columns=tuple(columns))
    batches = [event(MB, seed, customers=_names())["records"] for seed in range(BATCHES)]
    for_us, for_peer = itertools.cycle(batches), itertools.cycle(batches)
    with _ours() as plain, one_core():
        rows, records = import_module("rows"), import_module("records")
        to_row = rows.compile_schema(json.loads(schema.to_json()), rows.pseudonyms(b"5f" * 32))

        def private() -> int:
            answers, tally = records.transform(next(for_us), to_row)
            assert not tally.failed
            return len(answers)

        us, them = rates(private, lambda: plain(next(for_peer)), rounds=ROUNDS)
    return Result(
        name="transform_hashed", ours=us, peer=them, ratio=us / them, goal=0.6, unit="records/s"
    )


def _names() -> Iterator[str]:
    return (f"Anna Müller {number}" for number in itertools.count(10**6))


def vs_powertools() -> Result:
    """Records per second on one core, against the common implementation."""
    usual = import_module("benchmarks.usual_transform").handler

    def peer(records: list[dict[str, Any]]) -> list[dict[str, str]]:
        return usual({"records": records}, None)["records"]  # type: ignore[no-any-return]

    return _compare("transform_vs_powertools", peer, goal=3, rounds=ROUNDS // 2)


def _compare(
    name: str, peer: Callable[[list[dict[str, Any]]], list[Any]], *, goal: float, rounds: int
) -> Result:
    batches = [event(MB, seed)["records"] for seed in range(BATCHES)]
    for_us, for_peer = itertools.cycle(batches), itertools.cycle(batches)
    with _ours() as ours, one_core():
        us, them = rates(
            lambda: ours(next(for_us)), lambda: len(peer(next(for_peer))), rounds=rounds
        )
    return Result(name=name, ours=us, peer=them, ratio=us / them, goal=goal, unit="records/s")


def memory() -> Result:
    """Peak memory of a process that handles one batch of 3 MB, Firehose's maximum."""
    us, them = _starts("peak_mb", size=3 * MB)
    return Result(
        name="transform_memory_mb", ours=us, peer=them, ratio=them / us, goal=None, unit="MB"
    )


def cold_start() -> Result:
    """Import time of the packaged handler in a new process."""
    us, them = _starts("import_ms", size=1)
    return Result(
        name="transform_import_ms", ours=us, peer=them, ratio=them / us, goal=None, unit="ms"
    )


def _starts(figure: str, size: int) -> tuple[float, float]:
    """One of the probe's figures for ours and the peer: medians over new processes."""
    with _package() as folder, tempfile.NamedTemporaryFile("w", suffix=".json") as batch:
        json.dump(event(size), batch)
        batch.flush()

        def probe(place: Path, module: str) -> float:
            command = [sys.executable, "-B", str(ROOT / "benchmarks" / "probe.py")]
            command += [str(place), module, batch.name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return float(json.loads(done.stdout.splitlines()[-1])[figure])

        pairs = [
            (probe(folder, "handler"), probe(ROOT / "benchmarks", "usual_transform"))
            for _ in range(STARTS)
        ]
    us, them = (median(figures) for figures in zip(*pairs, strict=True))
    return us, them


BENCHMARKS: Final[dict[str, Callable[[], Result]]] = {
    "transform_vs_powertools": vs_powertools,
    "transform_vs_limit": vs_limit,
    "transform_hashed": hashed,
    "transform_memory_mb": memory,
    "transform_import_ms": cold_start,
}
