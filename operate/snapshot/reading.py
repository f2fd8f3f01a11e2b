"""The items of a table: from a scan of it, or from an export."""

from __future__ import annotations

import base64
import gzip
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson

from operate import changes, scanning
from operate.snapshot.state import Part, SpentError
from schema.layout import EXPORTS_PREFIX

_LINES = 2_000


@dataclass(frozen=True)
class Batch:
    """Items and when the table held them; ``after`` and ``done`` as in `Part`."""

    items: Sequence[Mapping[str, Any]]
    moment: datetime
    after: Any
    done: bool


class Source(Protocol):
    """What the parts of a snapshot are read from."""

    def batches(self, part: Part, stop: threading.Event) -> Iterator[Batch]:
        """The rest of a part, until ``stop``."""


class Scan:
    """A parallel scan."""

    def __init__(self, dynamodb: Any, table: str, *, segments: int, pace: scanning.Pace) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._segments = segments
        self._pace = pace

    def batches(self, part: Part, stop: threading.Event) -> Iterator[Batch]:
        """The pages of a segment."""
        pages = scanning.pages(
            self._dynamodb,
            self._table,
            segment=int(part.name),
            segments=self._segments,
            pace=self._pace,
            stop=stop,
            after=part.after and _key(part.after),
        )
        for page in pages:
            after = page.last and changes.plain(page.last)
            yield Batch(page.items, page.read_at, after, done=not after)


class Export:
    """A completed export to S3.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """

    def __init__(self, s3: Any, bucket: str, arn: str, moment: datetime) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = f"{EXPORTS_PREFIX}AWSDynamoDB/{arn.rpartition('/')[2]}/"
        self._moment = moment
        self._counts: dict[str, int] = {}

    def files(self) -> dict[str, int]:
        """Its data files and their counts of items.

        Raises
        ------
        SpentError
            It is not in AWS's format.
        """
        key = f"{self._folder}manifest-files.json"
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        try:
            lines = [orjson.loads(line) for line in body.splitlines() if line.strip()]
            # AWS's guide shows these keys without the prefix that was asked for.
            self._counts = {
                f"{self._folder}data/{line['dataFileS3Key'].rpartition('/')[2]}": line["itemCount"]
                for line in lines
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SpentError(
                f"s3://{self._bucket}/{key}: not an export's manifest ({type(error).__name__}): "
                "run this again for a new export"
            ) from None
        return self._counts

    def batches(self, part: Part, stop: threading.Event) -> Iterator[Batch]:
        """The lines of a data file.

        Raises
        ------
        SpentError
            The file is broken.
        """
        body = self._s3.get_object(Bucket=self._bucket, Key=part.name)["Body"]
        number = 0
        items: list[Mapping[str, Any]] = []
        with gzip.GzipFile(fileobj=body) as lines:
            try:
                for line in lines:
                    number += 1
                    if number <= (part.after or 0):
                        continue
                    items.append(orjson.loads(line)["Item"])
                    if len(items) >= _LINES:
                        if stop.is_set():
                            return
                        yield Batch(items, self._moment, number, done=False)
                        items = []
            except (OSError, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
                raise SpentError(
                    f"s3://{self._bucket}/{part.name} cannot be read near line {number:,} "
                    f"({type(error).__name__}): run this again for a new export"
                ) from None
        if number != self._counts[part.name]:
            raise SpentError(
                f"s3://{self._bucket}/{part.name} has {number:,} items, its manifest says "
                f"{self._counts[part.name]:,}: run this again for a new export"
            )
        yield Batch(items, self._moment, number, done=True)


def _key(wire: Mapping[str, Any]) -> dict[str, Any]:
    """A key from JSON: bytes from base64."""
    return {
        name: {
            kind: base64.b64decode(content) if kind == "B" else content
            for kind, content in value.items()
        }
        for name, value in wire.items()
    }
