"""How far a snapshot has come: one JSON object in the bucket, written after every chunk.

Writes are conditional: of two runs, the one that began later goes on, and the other one stops.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from botocore.exceptions import ClientError

from operate.account import ReplayError
from operate.scanning import aws_time
from schema.layout import SNAPSHOTS_PREFIX

Method = Literal["scan", "export"]
_NAME = "%Y%m%dT%H%M%SZ"


class SpentError(ReplayError):
    """A snapshot cannot be continued; the message says why. The next run begins a new one."""


@dataclass
class Part:
    """A segment of the scan, or a data file of the export.

    Attributes
    ----------
    name:
        The segment's number, or the file's key.
    after:
        How far it has been written: the last key in DynamoDB JSON, or the number of lines.
    chunk:
        The number of the next chunk.
    since:
        A moment before the next chunk's items are read. It decides the chunk's partition.
    """

    name: str
    since: datetime
    after: Any = None
    chunk: int = 0
    done: bool = False
    items: int = 0
    rows: int = 0
    failed: int = 0


@dataclass
class State:
    """A snapshot.

    Attributes
    ----------
    id:
        When it began, and some random digits: ``20261125T110405Z-5f2c``.
    table_id, stream:
        Of the table when it began. With others, its rest would be of another table, or with a gap.
    parts:
        Empty for an export that has not completed.
    run:
        The ID of the run that wrote it last.
    """

    id: str
    method: Method
    table_id: str
    stream: str
    parts: list[Part] = field(default_factory=list)
    export_arn: str | None = None
    export_time: datetime | None = None
    finished: bool = False
    run: str = ""
    saved: datetime | None = field(default=None, compare=False)
    etag: str | None = field(default=None, compare=False)

    @property
    def began(self) -> datetime:
        """When it began, by AWS's clock."""
        return datetime.strptime(self.id.partition("-")[0], _NAME).replace(tzinfo=UTC)

    def total(self, count: Literal["items", "rows", "failed"]) -> int:
        """A count of all parts."""
        return sum(getattr(part, count) for part in self.parts)

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"{SNAPSHOTS_PREFIX}{self.id}.json"

    def to_json(self) -> bytes:
        """The document."""
        document = asdict(self)
        del document["etag"], document["saved"]
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)

    @classmethod
    def parse(cls, key: str, body: bytes) -> State:
        """Read the JSON of `to_json`.

        Raises
        ------
        ReplayError
            It is no such document.
        """
        try:
            document = orjson.loads(body)
            document["parts"] = [
                Part(**part | {"since": datetime.fromisoformat(part["since"])})
                for part in document["parts"]
            ]
            if document["export_time"]:
                document["export_time"] = datetime.fromisoformat(document["export_time"])
            state = cls(**document)
            _ = state.began
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ReplayError(
                f"{key}: not the state of a snapshot ({type(error).__name__}); move it away to "
                "begin a new one"
            ) from None
        return state


class States:
    """The snapshots of a bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._run = uuid.uuid4().hex
        self.now = datetime.now(UTC)  # until AWS has told its own

    def latest(self) -> State | None:
        """The snapshot that began last, finished or not."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=SNAPSHOTS_PREFIX
        )
        keys = []
        for page in pages:
            self.now = aws_time(page)
            keys += [one["Key"] for one in page.get("Contents", [])]
        if not keys:
            return None
        key = max(keys)
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        state = State.parse(key, answer["Body"].read())
        state.etag, state.saved = answer["ETag"], answer["LastModified"]
        return state

    def begin(self, method: Method, *, table_id: str, stream: str, segments: int) -> State:
        """A new snapshot, saved."""
        identity = f"{self.now.strftime(_NAME)}-{self._run[:4]}"
        state = State(identity, method, table_id, stream)
        if method == "scan":
            state.parts = [Part(str(number), self.now) for number in range(segments)]
        self.save(state)
        return state

    def save(self, state: State) -> None:
        """Write it unless another run has written it since.

        Raises
        ------
        ReplayError
            Another run has.
        """
        state.run = self._run
        body = state.to_json()
        unchanged = {"IfMatch": state.etag} if state.etag else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=state.key,
                Body=body,
                ContentType="application/json",
                **unchanged,
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
                raise
            # If the response to our own write was lost, the repeated one finds it there.
            answer = self._s3.get_object(Bucket=self._bucket, Key=state.key)
            if answer["Body"].read() != body:
                raise ReplayError(
                    f"another run goes on with snapshot {state.id}; this one has stopped. Nothing "
                    "is lost"
                ) from None
        state.etag = answer["ETag"]
        self.now = aws_time(answer)
