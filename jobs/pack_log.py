"""Pack the log's old hours: few objects instead of many small ones, for fast and cheap queries.

The batch job does it, or a function if the job has no schedule. Only hours are packed in which no
more objects arrive. The new object comes first; a later run removes what it holds, when no query
can still be reading that. Until then its rows are there twice, which readers of the log expect:
they drop copies by event_id.

There is no other state than the objects. A pack's name has the number and a digest of its sources,
the first objects of the hour: packs after all others, and each by key. Whenever a run is killed, or
others change something meanwhile, the next one finds either these sources, and goes on; or others,
and packs all of them again, without copies.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from botocore.exceptions import ClientError

SMALL_BYTES = 16 * 1024 * 1024
"""Larger objects stay as they are."""
PACK_BYTES = 128 * 1024 * 1024
"""Of all sources of a pack, which are in memory at once. Twice `SMALL_BYTES` at least."""
PACK_OBJECTS = 5_000
"""Sources of a pack."""
RUN_OBJECTS = 20_000
"""About as many objects are packed in one run."""
GRACE = timedelta(hours=1)
"""Sources stay for this long beside their pack. An Athena query runs for 30 minutes at most."""
_CHANGED = (404, 412)
"""S3's answers when an object is not the one that was listed."""
_PACK = re.compile(r"/packed-(\d+)-([0-9a-f]{16})(?:\.[a-z]+)?$")
_IN_LOG = re.compile(r"day=(\d{4}-\d{2}-\d{2})/hour=(\d{2})/[^/._][^/]*$")
_THREADS = 8


class PackError(Exception):
    """The log could not be packed; the message says why."""


@dataclass(frozen=True)
class Stored:
    """An object of the log."""

    key: str
    etag: str
    size: int
    modified: datetime

    @property
    def suffix(self) -> str:
        """The format: ``.gz`` or empty for lines of JSON, ``.parquet``."""
        return re.search(r"(?:\.[a-z]+)?$", self.key)[0]  # type: ignore[index] - always matches

    @property
    def is_pack(self) -> bool:
        """Whether it was written here."""
        return bool(_PACK.search(self.key))


@dataclass
class Packed:
    """What a run did.

    Attributes
    ----------
    packs, sources, removed:
        Packs written, the objects in them, and objects removed.
    left:
        Objects that stay as they are: one of their hour is broken, the type of a column changed
        within the hour, or they are Parquet and pyarrow is not installed.
    finished:
        Whether it came to the end. If not, the next run goes on.
    """

    packs: int = 0
    sources: int = 0
    removed: int = 0
    left: int = 0
    finished: bool = True


def pack(
    s3: Any,
    log: str,
    before: str,
    now: datetime | None = None,
    *,
    pack_bytes: int = PACK_BYTES,
    is_time: Callable[[], bool] = lambda: True,
) -> Packed:
    """Pack the hours before the hour ``before`` (``YYYY-MM-DD-HH``), oldest first.

    Parameters
    ----------
    s3:
        A boto3 client.
    log:
        ``s3://BUCKET/PREFIX/``.
    pack_bytes:
        See `PACK_BYTES`.
    is_time:
        Whether there is time to work on another hour.
    """
    bucket, _, prefix = log.partition("://")[2].partition("/")
    done = Packed()
    for objects in _hours(s3, bucket, f"{prefix.rstrip('/')}/", before):
        by_format: dict[str, list[Stored]] = defaultdict(list)
        for one in objects:
            by_format[one.suffix].append(one)
        for small in by_format.values():
            if done.sources >= RUN_OBJECTS or not is_time():
                done.finished = False
                return done
            _pack_or_remove(s3, bucket, small, pack_bytes, now or datetime.now(UTC), done)
    return done


def _hours(s3: Any, bucket: str, prefix: str, before: str) -> Iterator[list[Stored]]:
    """The small objects and the packs of each hour: packs last, and each by key."""
    end = f"{prefix}day={before[:10]}/hour={before[11:]}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}day=")
    listed = (one for page in pages for one in page.get("Contents", ()))
    for folder, hour in groupby(listed, key=lambda one: one["Key"].rpartition("/")[0]):
        if f"{folder}/" >= end:
            return
        stored = [
            Stored(one["Key"], one["ETag"], one["Size"], one["LastModified"])
            for one in hour
            if _IN_LOG.search(one["Key"]) and one["Size"]
        ]
        small = [one for one in stored if one.size < SMALL_BYTES or one.is_pack]
        yield sorted(small, key=lambda one: (one.is_pack, one.key))


def _pack_or_remove(  # noqa: PLR0917 - private, and called once
    s3: Any,
    bucket: str,
    small: Sequence[Stored],
    pack_bytes: int,
    now: datetime,
    done: Packed,
) -> None:
    for one in small:
        if (sources := _sources(one, small)) is not None:
            if now - one.modified >= GRACE:
                _remove(s3, bucket, sources)
                done.removed += len(sources)
            return
    size, sources = 0, []
    for one in small[:PACK_OBJECTS]:
        size += one.size
        if size > pack_bytes:
            break
        sources.append(one)
    if len(sources) < 2:
        return
    suffix = sources[0].suffix
    if suffix == ".parquet" and not importlib.util.find_spec("pyarrow"):
        done.left += len(sources)
        return
    unite = _united_parquet if suffix == ".parquet" else _united_lines
    try:
        bodies = _bodies(s3, bucket, sources)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in _CHANGED:
            return
        raise
    # Only beside a pack can an object hold rows that another one holds too.
    packed = unite(bodies, suffix, distinct=any(one.is_pack for one in sources))
    if packed is None:
        done.left += len(sources)
        return
    folder = sources[0].key.rpartition("/")[0]
    name = f"{folder}/packed-{len(sources)}-{_digest(sources)}{suffix}"
    s3.put_object(Bucket=bucket, Key=name, Body=packed)
    done.packs += 1
    done.sources += len(sources)


def _bodies(s3: Any, bucket: str, sources: Sequence[Stored]) -> list[bytes]:
    def body(of: Stored) -> bytes:
        # If-Match: the digest of the sources says what was read.
        answer = s3.get_object(Bucket=bucket, Key=of.key, IfMatch=of.etag)
        return answer["Body"].read()  # type: ignore[no-any-return]

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(body, sources))


def _sources(of: Stored, small: Sequence[Stored]) -> Sequence[Stored] | None:
    """The objects that the pack ``of`` holds, if all of them are there; None if not, or no pack."""
    match = _PACK.search(of.key)
    if not match:
        return None
    sources = [one for one in small if one is not of][: int(match[1])]
    return sources if _digest(sources) == match[2] else None


def _digest(sources: Sequence[Stored]) -> str:
    names = json.dumps([(one.key, one.etag) for one in sources])
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _remove(s3: Any, bucket: str, objects: Sequence[Stored]) -> None:
    for first in range(0, len(objects), 1000):
        keys = [{"Key": one.key} for one in objects[first : first + 1000]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        if failed := answer.get("Errors"):
            raise PackError(f"{failed[0]['Key']} could not be removed: {failed[0]['Message']}")


def _united_lines(bodies: Sequence[bytes], suffix: str, *, distinct: bool) -> bytes | None:
    """One object, written line by line: unpacked, an hour may be larger than the memory.

    None if an object is broken.
    """
    out = io.BytesIO()
    packed: Any = gzip.GzipFile(fileobj=out, mode="wb", mtime=0) if suffix == ".gz" else out
    seen: set[bytes] = set()
    try:
        for line in _lines(bodies, suffix):
            if distinct:
                digest = hashlib.blake2b(line, digest_size=16).digest()
                if digest in seen:
                    continue
                seen.add(digest)
            packed.write(line)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return None
    if packed is not out:
        packed.close()
    return out.getvalue()


def _lines(bodies: Sequence[bytes], suffix: str) -> Iterator[bytes]:
    for body in bodies:
        file = io.BytesIO(body)
        for line in gzip.GzipFile(fileobj=file) if suffix == ".gz" else file:
            yield line if line.endswith(b"\n") else line + b"\n"


def _united_parquet(bodies: Sequence[bytes], _: str, *, distinct: bool) -> bytes | None:
    """One file, with NULL for a column that a row's file does not have.

    None if a file is broken, or a column's type changed within the hour.
    """
    # Glue has pyarrow (5.1: 22.0.0), a function does not.
    # https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        files = [pq.ParquetFile(io.BytesIO(one)) for one in bodies]
        table = pa.concat_tables([one.read() for one in files], promote_options="default")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    if distinct:
        seen: set[str] = set()
        mask = []
        for batch in table.to_batches(max_chunksize=10_000):
            rows = [repr(one) for one in batch.to_pylist()]
            for row in rows:
                mask.append(row not in seen)
                seen.add(row)
        table = table.filter(pa.array(mask, pa.bool_()))
    columns = range(len(files[0].schema))
    int96 = any(files[0].schema.column(n).physical_type == "INT96" for n in columns)
    out = io.BytesIO()
    pq.write_table(table, out, compression="snappy", use_deprecated_int96_timestamps=int96)
    return out.getvalue()
