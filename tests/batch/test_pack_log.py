"""Packing the log: whenever it is killed, each row is there, and in the end once."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pack_log
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from pack_log import GRACE, Packed, pack

from local.account.aws import Aws

LOG = "s3://lake/projection/"
BEFORE = "2026-03-02-00"
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


class KilledError(Exception):
    """The run ended here."""


class Bucket:
    """S3 as far as the job uses it, consistent as S3 is, with a clock and a way to kill."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.now = FIRST + timedelta(days=3)
        self.calls = 0
        self.kill_at: int | None = None
        self.meanwhile: Any = None

    def step(self) -> None:
        """Called in each request, once before its effect."""
        self.calls += 1
        if self.meanwhile:
            self.meanwhile()
        if self.calls == self.kill_at:
            raise KilledError

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        self.step()
        assert Bucket == "lake"
        listed = [
            {"Key": key, "ETag": etag(body), "Size": len(body), "LastModified": at}
            for key, (body, at) in sorted(self.objects.items())
            if key.startswith(Prefix)
        ]
        for first in range(0, len(listed), 3):  # pages cut hours
            yield {"Contents": listed[first : first + 3]}
        yield {}

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:
        self.step()
        assert Bucket == "lake"
        if Key not in self.objects:
            raise refusal(404, "NoSuchKey")
        body, _ = self.objects[Key]
        if etag(body) != IfMatch:
            raise refusal(412, "PreconditionFailed")
        return {"Body": io.BytesIO(body)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.step()
        assert Bucket == "lake"
        self.objects[Key] = (Body, self.now)

    def delete_objects(self, *, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:
        assert Bucket == "lake"
        for one in Delete["Objects"]:  # S3 may stop in between
            self.step()
            self.objects.pop(one["Key"], None)
        return {}

    def add(self, hour: int, name: str, *rows: str) -> None:
        """An object of Firehose."""
        body = gzip.compress("".join(f"{row}\n" for row in rows).encode())
        self.objects[f"{self.folder(hour)}{name}.gz"] = body, self.now

    def rows(self) -> Counter[str]:
        return Counter(
            line
            for body, _ in self.objects.values()
            for line in gzip.decompress(body).decode().splitlines()
        )

    @staticmethod
    def folder(hour: int) -> str:
        return f"projection/day=2026-03-01/hour={hour:02}/"

    def names(self, hour: int) -> list[str]:
        start = self.folder(hour)
        return [key.removeprefix(start) for key in sorted(self.objects) if key.startswith(start)]


def etag(body: bytes) -> str:
    return f'"{hash(body)}"'


def refusal(status: int, code: str) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # type: ignore[arg-type]


def run(bucket: Bucket) -> Packed:
    return pack(bucket, LOG, BEFORE, bucket.now)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a seed gives the same order of requests."""
    monkeypatch.setattr(pack_log, "_THREADS", 1)


def test_small_objects_become_one_and_go_an_hour_later() -> None:
    bucket = Bucket()
    for number in range(5):
        bucket.add(7, f"lake-{number}", f"row {number}")
    rows = bucket.rows()
    assert run(bucket) == Packed(packs=1, sources=5)
    assert len(bucket.names(7)) == 6, "a query that has listed the objects can still read them"
    bucket.now += GRACE - timedelta(seconds=1)
    assert run(bucket) == Packed()
    bucket.now += timedelta(seconds=1)
    assert run(bucket) == Packed(removed=5)
    (name,) = bucket.names(7)
    assert name.startswith("packed-5-")
    assert bucket.rows() == rows, "each row as often as before"
    assert run(bucket) == Packed(), "nothing is left to do"


def test_only_hours_before_the_given_one_are_packed() -> None:
    bucket = Bucket()
    for hour in (22, 23):
        bucket.add(hour, "a", "1")
        bucket.add(hour, "b", "2")
    assert pack(bucket, LOG, "2026-03-01-23", bucket.now).packs == 1
    assert (len(bucket.names(22)), len(bucket.names(23))) == (3, 2)


def test_large_and_hidden_and_empty_objects_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_log, "SMALL_BYTES", 100)
    bucket = Bucket()
    bucket.add(1, "large", *map(str, random.Random(1).sample(range(10**9), 50)))
    bucket.add(1, "small", "1")
    bucket.add(1, "_hidden", "2")
    bucket.objects["projection/day=2026-03-01/hour=01/empty.gz"] = b"", bucket.now
    bucket.objects["projection/day=2026-03-01/notes.gz"] = b"x", bucket.now
    before = dict(bucket.objects)
    assert run(bucket) == Packed()
    assert bucket.objects == before


def test_an_hour_too_large_for_one_pack_is_packed_in_turns() -> None:
    bucket = Bucket()
    for number in range(9):
        bucket.add(1, f"lake-{number}", f"row {number}")
    size = len(bucket.objects["projection/day=2026-03-01/hour=01/lake-0.gz"][0])
    rows = bucket.rows()
    for _ in range(12):
        pack(bucket, LOG, BEFORE, bucket.now, pack_bytes=4 * size)
        bucket.now += GRACE
        assert bucket.rows().keys() == rows.keys()
    assert bucket.rows() == rows
    assert len(bucket.names(1)) < 4


def test_a_pack_that_is_large_replaces_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_log, "SMALL_BYTES", 40)
    bucket = Bucket()
    for number in range(9):
        bucket.add(1, f"lake-{number}", f"row {number * 7919}")
    rows = bucket.rows()
    assert run(bucket) == Packed(packs=1, sources=9)
    assert len(bucket.objects[bucket.folder(1) + bucket.names(1)[-1]][0]) > 40
    bucket.now += GRACE
    assert run(bucket) == Packed(removed=9)
    assert bucket.rows() == rows
    assert run(bucket) == Packed()


def test_an_hour_of_very_many_objects_is_packed_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_log, "PACK_OBJECTS", 4)
    bucket = Bucket()
    for number in range(9):
        bucket.add(1, f"lake-{number}", f"row {number}")
    rows = bucket.rows()
    for _ in range(12):
        run(bucket)
        bucket.now += GRACE
    assert bucket.rows() == rows
    assert len(bucket.names(1)) == 1


def test_a_run_without_time_says_so_and_the_next_one_goes_on() -> None:
    bucket = Bucket()
    for hour in range(3):
        bucket.add(hour, "a", "1")
        bucket.add(hour, "b", "2")
    left = iter([True, True, False])
    done = pack(bucket, LOG, BEFORE, bucket.now, is_time=lambda: next(left))
    assert done == Packed(packs=2, sources=4, finished=False)
    assert run(bucket) == Packed(packs=1, sources=2)


def test_a_broken_object_keeps_its_hour_as_it_is_and_no_other() -> None:
    bucket = Bucket()
    for hour in (1, 2):
        bucket.add(hour, "a", "1")
        bucket.add(hour, "b", "2")
    for broken in (b"\x1f\x8b\x08 cut", b"no gzip", gzip.compress(b"cut off")[:-9]):
        bucket.objects[bucket.folder(1) + "b.gz"] = broken, bucket.now
        assert run(bucket).left == 2
    assert (len(bucket.names(1)), len(bucket.names(2))) == (2, 3)


def test_parquet_stays_as_it_is_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stack that wrote Parquet before: a function has no pyarrow."""
    monkeypatch.setattr(pack_log.importlib.util, "find_spec", lambda _: None)
    bucket = Bucket()
    for name in "ab":
        bucket.add(1, name, name)
        bucket.objects[f"{bucket.folder(1)}{name}.parquet"] = b"PAR1", bucket.now
    assert run(bucket) == Packed(packs=1, sources=2, left=2)


def test_memory_does_not_grow_with_what_an_hour_unpacks_to() -> None:
    """100 MB of lines in 0.4 MB: five times, and again with a pack among them."""
    bucket = Bucket()
    body = gzip.compress(b"".join(b"%d %s\n" % (n, b"x" * 10_000) for n in range(2_000)))
    for number in range(5):
        bucket.objects[f"{bucket.folder(1)}lake-{number}.gz"] = body, bucket.now
    tracemalloc.start()
    try:
        assert run(bucket).packs == 1
        bucket.add(1, "a-late-one", "late")  # before the others, so nothing is as it was
        assert run(bucket).packs == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_formats_are_packed_apart() -> None:
    bucket = Bucket()
    for name in "ab":
        bucket.add(1, name, name)
        plain = f"projection/day=2026-03-01/hour=01/{name}-plain"
        bucket.objects[plain] = f"plain {name}".encode(), bucket.now  # no newline at its end
    run(bucket)
    made = {key: body for key, (body, _) in bucket.objects.items() if "packed-" in key}
    (zipped,) = (body for key, body in made.items() if key.endswith(".gz"))
    (plain_text,) = (body for key, body in made.items() if not key.endswith(".gz"))
    assert gzip.decompress(zipped) == b"a\nb\n"
    assert plain_text == b"plain a\nplain b\n"


@pytest.mark.parametrize("seed", range(300))
def test_no_row_is_missed_and_none_is_left_twice(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that are killed anywhere, run within each other, and miss objects that come late."""
    chance = random.Random(seed)
    bucket, written = Bucket(), Counter[str]()
    if seed % 2:  # packs are large
        monkeypatch.setattr(pack_log, "SMALL_BYTES", 60)

    def arrive() -> None:
        hour, count = chance.randrange(2), chance.randint(1, 3)
        rows = [f"row {seed} {len(written) + n}" for n in range(count)]
        written.update(rows)
        bucket.add(hour, f"lake-{chance.random()}", *rows)

    def check() -> None:
        assert bucket.rows().keys() == written.keys()

    def late() -> None:
        check()
        if chance.random() < 0.03:
            arrive()
        if chance.random() < 0.1:  # another run, whole or killed, between two requests of this one
            meanwhile, kill_at, bucket.meanwhile = bucket.meanwhile, bucket.kill_at, None
            bucket.kill_at = bucket.calls + chance.randint(1, 40)
            with contextlib.suppress(KilledError):
                run(bucket)
            bucket.meanwhile, bucket.kill_at = meanwhile, kill_at

    for _ in range(chance.randint(2, 12)):
        arrive()
    for _ in range(chance.randint(1, 8)):
        bucket.meanwhile = late
        bucket.kill_at = bucket.calls + chance.randint(1, 25) if chance.random() < 0.7 else None
        with contextlib.suppress(KilledError):
            run(bucket)
        check()
        bucket.now += timedelta(minutes=chance.choice((0, 20, 59, 61, 600)))
    bucket.meanwhile = bucket.kill_at = None
    for _ in range(20):
        run(bucket)
        bucket.now += GRACE
    assert bucket.rows() == written
    assert all(len(bucket.names(hour)) <= 1 for hour in (0, 1))
    assert run(bucket) == Packed()


def test_two_runs_at_once_write_the_same_pack() -> None:
    bucket = Bucket()
    bucket.add(1, "a", "1")
    bucket.add(1, "b", "2")
    done = []

    def other() -> None:
        if bucket.calls == 3 and not done:  # after its first run has listed and read
            done.append(True)
            run(bucket)

    bucket.meanwhile = other
    run(bucket)
    assert len(bucket.names(1)) == 3
    bucket.now += GRACE
    run(bucket)
    assert len(bucket.names(1)) == 1


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, **options)
    return out.getvalue()


PRICED = {"price": Decimal("1.10"), "at": datetime(2026, 3, 1, 12), "tags": ["a"], "of": {"x": 1}}


def packed_parquet(*bodies: bytes) -> pq.ParquetFile | None:
    bucket = Bucket()
    for number, body in enumerate(bodies):
        key = f"projection/day=2026-03-01/hour=01/lake-{number}.parquet"
        bucket.objects[key] = body, bucket.now
    run(bucket)
    made = [body for key, (body, _) in bucket.objects.items() if "packed-" in key]
    return pq.ParquetFile(io.BytesIO(made[0])) if made else None


def test_parquet_keeps_values_types_and_firehoses_timestamps() -> None:
    first, second = {**PRICED, "id": "a"}, {**PRICED, "id": "b", "tags": None}
    file = packed_parquet(
        *(parquet([row], use_deprecated_int96_timestamps=True) for row in (first, second))
    )
    assert file
    assert file.read().to_pylist() == [first, second]
    kinds = {file.schema.column(n).name: file.schema.column(n).physical_type for n in range(5)}
    assert kinds["at"] == "INT96", "as Firehose writes it"


def test_a_column_that_is_new_in_the_hour_is_null_before() -> None:
    file = packed_parquet(parquet([{"id": "a"}]), parquet([{"id": "b", "size": 3}]))
    assert file
    assert file.read().to_pylist() == [{"id": "a", "size": None}, {"id": "b", "size": 3}]


def test_files_whose_types_differ_stay_as_they_are() -> None:
    assert packed_parquet(parquet([{"id": "a"}]), parquet([{"id": 3}])) is None


def test_s3_itself_takes_these_requests(tmp_path: Any) -> None:
    """With the emulator, under a policy as the job's role has."""
    from local.account.emulator import Emulator

    with Emulator(tmp_path, region="eu-west-1") as emulator:
        aws: Aws = emulator.aws
        s3 = aws.client("s3")
        s3.create_bucket(
            Bucket="lake", CreateBucketConfiguration={"LocationConstraint": aws.region}
        )
        for number in range(3):
            key = f"projection/day=2026-03-01/hour=01/lake-{number}.gz"
            s3.put_object(Bucket="lake", Key=key, Body=gzip.compress(json.dumps(number).encode()))
        assert pack(s3, LOG, BEFORE) == Packed(packs=1, sources=3)
        assert pack(s3, LOG, BEFORE, datetime.now(UTC) + GRACE) == Packed(removed=3)
        (left,) = s3.list_objects_v2(Bucket="lake")["Contents"]
        body = s3.get_object(Bucket="lake", Key=left["Key"])["Body"].read()
        assert gzip.decompress(body) == b"0\n1\n2\n"
