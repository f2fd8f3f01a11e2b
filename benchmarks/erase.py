"""Erasing: MB a second against reading and writing the same objects unchanged, and requests.

The bucket is the emulator's, and so is everything else that the command talks to.
"""

from __future__ import annotations

import gzip
import io
import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow.parquet as pq

from benchmarks.result import Result, rates
from client.parquet import RowConverter
from local.account.emulator import Emulator
from operate.erasing import places
from operate.erasing.store import Store, Version
from operate.erasing.subject import Subject, Words
from schema import ORDERS

OBJECTS: Final = 8
ROWS: Final = 30_000  # an object: 12 MB of JSON
ROUNDS: Final = 3
KEYS: Final = 10
LAKE: Final = 200
THREADS: Final = 4


def gzipped() -> Result:
    """MB of JSON a second; the peer reads each object, unpacks it, packs it and writes it."""
    return _rate("erase_rate", _gzipped, lambda body: gzip.compress(gzip.decompress(body), 6))


def parquet() -> Result:
    """The same in Parquet; the peer reads all rows and writes them."""

    def unchanged(body: bytes) -> bytes:
        out = io.BytesIO()
        table = pq.read_table(io.BytesIO(body))
        pq.write_table(table, out, compression="snappy", use_deprecated_int96_timestamps=True)
        return out.getvalue()

    return _rate("erase_rate_parquet", _parquet, unchanged)


def plain() -> Result:
    """The same in JSON as it is; the peer copies bytes."""
    return _rate("erase_rate_plain", lambda lines: lines, lambda body: body)


def requests() -> Result:
    """Requests to S3 per key, for `KEYS` keys in each of `LAKE` objects of a versioned bucket.

    Two passes that list and read all, and for each object a read, a write and the old version's
    deletion.
    """
    with _store(versions=True) as (s3, store):
        for number in range(LAKE):
            store.write(f"projection/{number}", _lines(KEYS * 2))
        sent: list[None] = []
        s3.meta.events.register("before-send.s3", lambda **_: sent.append(None))
        examine = _examine(*range(KEYS))
        for _ in ("erase", "prove"):
            for version in list(store.versions()):
                content = store.read(version)
                if content and examine(content.body).rows:
                    _rewrite(store, version, examine)
    return Result(
        name="erase_requests",
        ours=len(sent) / KEYS,
        peer=None,
        ratio=None,
        goal=None,
        unit="requests/key",
    )


def _rate(name: str, pack: Callable[[bytes], bytes], unchanged: Callable[[bytes], bytes]) -> Result:
    lines = _lines(ROWS)
    body = pack(lines)
    numbers = itertools.count()  # another order each time: all objects have all of them
    with _store() as (_, store), ThreadPoolExecutor(THREADS) as pool:
        planted = [store.write(f"projection/{number}", body) for number in range(OBJECTS)]

        def ours() -> int:
            examine = _examine(next(numbers))
            assert all(pool.map(lambda one: _rewrite(store, one, examine), planted))
            return OBJECTS * len(lines)

        def copied(version: Version) -> bool:
            content = store.read(version)
            return bool(content and store.replace(version, content, unchanged(content.body)))

        def peer() -> int:
            assert all(pool.map(copied, planted))
            return OBJECTS * len(lines)

        us, them = (rate / 1e6 for rate in rates(ours, peer, rounds=ROUNDS))
    return Result(name=name, ours=us, peer=them, ratio=us / them, goal=0.5, unit="MB/s")


def _rewrite(store: Store, version: Version, examine: places.Examine) -> bool:
    """As `Erasure` does it."""
    content = store.read(version)
    body = examine(content.body).body if content else None
    return bool(content and body is not None and store.replace(version, content, body))


def _examine(*numbers: int) -> places.Examine:
    subject = Subject(ORDERS, frozenset((_order(number),) for number in numbers))
    (log,) = (one for one in places.places("orders") if one.name == "log")
    return places.examiner(log, subject, Words([]))


def _order(number: int) -> str:
    return str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def _lines(rows: int) -> bytes:
    """Event rows, two an order."""
    made = []
    for number in range(rows):
        row = {
            "orderid": _order(number // 2),
            "product_name": f"product {number % 97}",
            "quantity": number % 9 + 1,
            "price": number % 10_000 / 100,
            "customer": f"customer-{number % 5_000}",
            "status": ("placed", "paid", "shipped")[number % 3],
            "created_at": "2026-03-20 09:00:00.123",
            "extras": None,
            "event_type": "MODIFY",
            "creation_time": "2026-03-20 09:30:00.000",
            "event_id": f"{number:032x}",
            "sequence_number": f"{number:040}",
            "deleted_by": None,
        }
        made.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(made)


def _gzipped(lines: bytes) -> bytes:
    return gzip.compress(lines, 6, mtime=0)


def _parquet(lines: bytes) -> bytes:
    columns = [(column.name, column.hive) for column in ORDERS.event_row]
    return RowConverter(columns).parquet(lines.splitlines())


@contextmanager
def _store(*, versions: bool = False) -> Iterator[tuple[Any, Store]]:
    """A bucket of the emulator."""
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator(Path(directory), region="us-east-1")
        emulator.start()
        try:
            s3 = emulator.aws.client("s3")
            s3.create_bucket(Bucket="lake")
            if versions:
                status = {"Status": "Enabled"}
                s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration=status)
            yield s3, Store(s3, "lake")
        finally:
            emulator.stop()


BENCHMARKS = {
    "erase_rate": gzipped,
    "erase_rate_parquet": parquet,
    "erase_rate_plain": plain,
    "erase_requests": requests,
}
