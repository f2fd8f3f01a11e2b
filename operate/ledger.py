"""The ledger of replayed records: one small JSON object in S3 for each object of failed records.

Before a batch is sent, its lines are recorded as pending; afterwards, with their places in Kinesis.
If a run dies in between, the next run looks in the stream for the pending lines (`operate.doubt`).
Writes are conditional, so concurrent runs detect each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from botocore.exceptions import ClientError

from operate.account import ReplayError
from operate.sending import Receipt
from schema.layout import REPLAYED_PREFIX


def digest(body: bytes) -> str:
    """Identifies the content of an object of failed records, uncompressed."""
    return hashlib.sha256(body).hexdigest()


def ledger_key(failed_key: str) -> str:
    """The key of the ledger of an object of failed records."""
    return f"{REPLAYED_PREFIX}{failed_key}.json"


@dataclass
class Ledger:
    """The replayed lines of one object.

    Attributes
    ----------
    replayed:
        Line to its place in Kinesis.
    pending:
        Lines that were about to be sent when this was written.
    since:
        The epoch second, by AWS's clock, before which no pending line was sent.
    erased:
        Lines that `erase` removed, by the digest of the content that lacks them. Lines keep their
        numbers: those of the object as Firehose wrote it.
    """

    failed_key: str
    replayed: dict[int, Receipt] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    since: int = 0
    erased: dict[str, list[int]] = field(default_factory=dict)
    etag: str | None = None

    def erased_from(self, body: bytes) -> Sequence[int]:
        """The numbers of the lines that this content lacks."""
        return self.erased.get(digest(body), ()) if self.erased else ()

    @classmethod
    def parse(cls, failed_key: str, body: bytes, etag: str) -> Ledger:
        """Read the JSON of `to_json`.

        Raises
        ------
        ReplayError
            It is not a ledger.
        """
        try:
            document = orjson.loads(body)
            ledger = cls(
                failed_key,
                {int(n): Receipt(str(s), str(q)) for n, (s, q) in document["replayed"].items()},
                [int(line) for line in document["pending"]],
                int(document["since"]),
                {
                    str(of): [int(line) for line in lines]
                    for of, lines in document.get("erased", {}).items()
                },
                etag,
            )
            erased = (line for lines in ledger.erased.values() for line in lines)
            numbers = (ledger.since, *ledger.pending, *erased)
            if not all(0 <= number < 2**32 for number in numbers):
                raise ValueError
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ReplayError(
                f"{ledger_key(failed_key)}: not a valid replay ledger "
                f"({type(error).__name__}); move it away to replay that object again"
            ) from None
        return ledger

    def to_json(self) -> bytes:
        """Stable JSON."""
        return orjson.dumps(
            {
                "object": self.failed_key,
                "replayed": {str(line): list(r) for line, r in sorted(self.replayed.items())},
                "pending": self.pending,
                "since": self.since,
                **({"erased": self.erased} if self.erased else {}),
            }
        )


class Ledgers:
    """All ledgers of a bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._known: frozenset[str] | None = None

    def get(self, failed_key: str) -> Ledger:
        """The ledger of an object; empty if none of its records was replayed."""
        if self._known is None:  # one listing saves a GET for each object never replayed
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=REPLAYED_PREFIX
            )
            self._known = frozenset(o["Key"] for page in pages for o in page.get("Contents", []))
        key = ledger_key(failed_key)
        if key not in self._known:
            return Ledger(failed_key)
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        return Ledger.parse(failed_key, answer["Body"].read(), answer["ETag"])

    def save(self, ledger: Ledger) -> Mapping[str, Any]:
        """Write it unless it changed since it was read; return the response's headers.

        Raises
        ------
        ReplayError
            Another run has changed it.
        """
        unchanged = {"IfMatch": ledger.etag} if ledger.etag else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=ledger_key(ledger.failed_key),
                Body=ledger.to_json(),
                ContentType="application/json",
                **unchanged,
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                raise
            raise ReplayError(
                f"another replay, or an erasure, is at work on {ledger.failed_key}: wait until it "
                "is done"
            ) from None
        ledger.etag = answer["ETag"]
        headers: Mapping[str, Any] = answer["ResponseMetadata"]["HTTPHeaders"]
        return headers

    def begin(self, ledger: Ledger, lines: Sequence[int], since: int) -> None:
        """Record that these lines are about to be sent."""
        ledger.pending, ledger.since = list(lines), since
        self.save(ledger)

    def end(self, ledger: Ledger, receipts: Mapping[int, Receipt], *, in_doubt: bool) -> None:
        """Record which of them arrived; lines in doubt stay pending."""
        ledger.replayed |= receipts
        left = [line for line in ledger.pending if line not in ledger.replayed]
        ledger.pending = left if in_doubt else []
        self.save(ledger)
