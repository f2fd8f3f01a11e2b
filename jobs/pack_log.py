"""Pack the log's old hours: few objects instead of many small ones, for fast and cheap queries.

Only hours that the batch will not list again are packed, so a pack is never news to it. The new
object comes first; a later run removes what it holds, when no query can still be reading that.
Until then its rows are there twice, which readers of the log expect: they drop copies by event_id.

There is no other state than the objects. A pack's name has the number and a digest of its sources,
the first objects of the hour by key. Whenever a run is killed, the next one finds either these
sources, and goes on; or others, and packs all of them again, without copies.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

SMALL_BYTES = 16 * 1024 * 1024
"""Larger objects stay as they are."""
PACK_BYTES = 128 * 1024 * 1024
"""Of all sources of a pack."""
RUN_OBJECTS = 20_000
"""About as many objects are packed in one run."""
GRACE = timedelta(hours=1)
"""Sources stay for this long beside their pack. An Athena query runs for 30 minutes at most."""
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
    """What a run did: packs written, the objects in them, and objects removed."""

    packs: int = 0
    sources: int = 0
    removed: int = 0


def pack(s3: Any, log: str, before: str, now: datetime | None = None) -> Packed:
    """Pack the hours before the hour ``before`` (``YYYY-MM-DD-HH``), oldest first.

    Parameters
    ----------
    s3:
        A boto3 client.
    log:
        ``s3://BUCKET/PREFIX/``.
    """
    bucket, _, prefix = log.partition("://")[2].partition("/")
    done = Packed()
    for objects in _hours(s3, bucket, f"{prefix.rstrip('/')}/", before):
        by_format: dict[str, list[Stored]] = defaultdict(list)
        for one in objects:
            by_format[one.suffix].append(one)
        for small in by_format.values():
            _pack_or_remove(s3, bucket, small, now or datetime.now(UTC), done)
        if done.sources >= RUN_OBJECTS:
            break
    return done


def _hours(s3: Any, bucket: str, prefix: str, before: str) -> Iterator[list[Stored]]:
    """The small objects of each hour, by key."""
    end = f"{prefix}day={before[:10]}/hour={before[11:]}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}day=")
    listed = (one for page in pages for one in page.get("Contents", ()))
    for folder, hour in groupby(listed, key=lambda one: one["Key"].rpartition("/")[0]):
        if f"{folder}/" >= end:
            return
        yield [
            Stored(one["Key"], one["ETag"], one["Size"], one["LastModified"])
            for one in hour
            if _IN_LOG.search(one["Key"]) and 0 < one["Size"] < SMALL_BYTES
        ]


def _pack_or_remove(
    s3: Any, bucket: str, small: Sequence[Stored], now: datetime, done: Packed
) -> None:
    for one in small:
        if (sources := _sources(one, small)) is not None:
            if now - one.modified >= GRACE:
                _remove(s3, bucket, sources)
                done.removed += len(sources)
            return
    size, sources = 0, []
    for one in small:
        size += one.size
        if size > PACK_BYTES:
            break
        sources.append(one)
    if len(sources) < 2:
        return

    def body(of: Stored) -> bytes:
        # If-Match: the digest of the sources says what was read.
        answer = s3.get_object(Bucket=bucket, Key=of.key, IfMatch=of.etag)
        return answer["Body"].read()  # type: ignore[no-any-return]

    with ThreadPoolExecutor(_THREADS) as threads:
        bodies = list(threads.map(body, sources))
    suffix = sources[0].suffix
    unite = _united_parquet if suffix == ".parquet" else _united_lines
    # Only beside a pack can an object hold rows that another one holds too.
    packed = unite(bodies, suffix, distinct=any(one.is_pack for one in sources))
    if packed is None:
        return
    folder = sources[0].key.rpartition("/")[0]
    name = f"{folder}/packed-{len(sources)}-{_digest(sources)}{suffix}"
    s3.put_object(Bucket=bucket, Key=name, Body=packed)
    done.packs += 1
    done.sources += len(sources)


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


def _united_lines(bodies: Sequence[bytes], suffix: str, *, distinct: bool) -> bytes:
    texts = [gzip.decompress(one) if suffix == ".gz" else one for one in bodies]
    text = b"".join(one if one.endswith(b"\n") else one + b"\n" for one in texts)
    if distinct:
        text = b"".join(dict.fromkeys(text.splitlines(keepends=True)))
    return gzip.compress(text, mtime=0) if suffix == ".gz" else text


def _united_parquet(bodies: Sequence[bytes], _: str, *, distinct: bool) -> bytes | None:
    """One file, with NULL for a column that a row's file does not have.

    None if a column's type changed within the hour: these files stay as they are.
    """
    # Glue has pyarrow, but the job needs it only for this.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    files = [pq.ParquetFile(io.BytesIO(one)) for one in bodies]
    try:
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
