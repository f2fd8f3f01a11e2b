"""Firehose's batch of records answered: every recordId once, and never more than Lambda may say."""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pybase64 import b64decode, b64encode_as_string  # SIMD: spares a quarter of the time
from rows import ENVELOPE, MAX_ANSWER, MAX_JSON, RecordError, parse, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:  # without the import of typing, for the cold start
    from typing import Any

    from rows import Row

MAX_UNPACKED = 4 * MAX_JSON
"""Bytes of JSON out of compressed records after which a batch takes no more of them: more rows
would have no room in its answer, and a batch of made-up records ends in time."""


class NotBase64(RecordError):  # noqa: N818 - logged by this name, as the reason
    """A record whose ``data`` is no base64 text."""


class AnswerTooLarge(RecordError):  # noqa: N818
    """A row for which the answer has no room beside the others of its batch."""


class BatchTooLarge(RecordError):  # noqa: N818
    """A compressed record in a batch that has unpacked enough of them."""


@dataclass
class Tally:
    """What became of a batch's records.

    Attributes
    ----------
    rows:
        Event rows by event type.
    row_bytes:
        What they take as JSON lines.
    failures:
        By reason: how many records failed for it, and where to find the first of them.
    max_examples:
        How many of them are named.
    """

    rows: dict[str, int] = field(default_factory=lambda: {"INSERT": 0, "MODIFY": 0, "REMOVE": 0})
    row_bytes: int = 0
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    max_examples: int = 3

    @property
    def failed(self) -> int:
        """Records answered ProcessingFailed."""
        return sum(failure["count"] for failure in self.failures.values())

    def fail(self, record: Mapping[str, Any], error: Exception) -> None:
        """Count a record that failed, and why."""
        known = isinstance(error, RecordError)  # others' texts might quote the order
        reason = f"{type(error).__name__}: {error if known else 'unforeseen'}"
        failure = self.failures.setdefault(reason, {"count": 0, "examples": []})
        failure["count"] += 1
        if len(failure["examples"]) < self.max_examples:
            source = record.get("kinesisRecordMetadata") or {}
            failure["examples"].append(
                {"recordId": record["recordId"], "sequenceNumber": source.get("sequenceNumber")}
            )


def transform(
    records: Sequence[Mapping[str, Any]],
    to_row: Callable[[Any], Row],
    *,
    max_examples: int = 3,
    max_answer: int = MAX_ANSWER,
) -> tuple[list[dict[str, str]], Tally]:
    """Answer a batch: Ok with an event row, or ProcessingFailed with the record's own data.

    Parameters
    ----------
    records:
        ``records`` of Firehose's event: recordId, data (base64 of a change record), ...
    to_row:
        Makes the event row of a parsed change record (`rows.compile_schema`).
    max_examples:
        How many records the tally names per reason of failure.
    max_answer:
        Bytes that the answers may take as JSON.
    """
    tally = Tally(max_examples=max_examples)
    answers: list[dict[str, str]] = []
    event_types = []
    row_bytes = echoed = unpacked = 0
    for record in records:
        try:
            try:
                row = to_row(orjson.loads(b64decode(record["data"], validate=True)))
            except orjson.JSONDecodeError:  # compressed, or no JSON
                if unpacked >= MAX_UNPACKED:
                    raise BatchTooLarge("enough compressed records in one batch") from None
                plain = unpack(b64decode(record["data"]))
                unpacked += len(plain)
                row = to_row(parse(plain))
            line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
            data = b64encode_as_string(line)
            answers.append({"recordId": record["recordId"], "result": "Ok", "data": data})
            event_types.append(row["event_type"])
            row_bytes += len(line)
        except Exception as error:  # whatever the record holds, the others of its batch go on
            failed = {"recordId": record["recordId"], "result": "ProcessingFailed"}
            original = record.get("data")
            if isinstance(original, str):
                failed["data"] = original
                echoed += len(json.dumps(original))
            answers.append(failed)
            tally.fail(record, _named(error, original))
    tally.rows.update(Counter(event_types))
    tally.row_bytes = row_bytes
    if row_bytes * 4 // 3 + echoed + ENVELOPE * len(answers) > max_answer:
        _shrink(records, answers, tally, max_answer)
    return answers, tally


def _named(error: Exception, data: object) -> Exception:
    """The reason for what decoding raises, without what it says of the content."""
    if isinstance(error, Base64Error) or not (isinstance(data, str) and data.isascii()):
        return NotBase64("data is no base64 text")
    return error


def _shrink(
    records: Sequence[Mapping[str, Any]],
    answers: list[dict[str, str]],
    tally: Tally,
    max_answer: int,
) -> None:
    """Take data out of answers until they fit: of failed records first, then the largest rows.

    Firehose writes its own copy of a failed record under the failed prefix, so the answer can do
    without it: the Lambda blueprints that AWS offers for Firehose leave it out too.
    """
    excess = len(json.dumps({"records": answers})) - max_answer  # as Lambda's runtime writes it

    def size(index: int) -> tuple[bool, int]:
        return answers[index]["result"] == "Ok", -len(answers[index].get("data", ""))

    for index in sorted(range(len(answers)), key=size):
        if excess <= 0:
            break
        answer = answers[index]
        excess -= len(json.dumps(answer))
        data = answer.pop("data", "")
        if answer["result"] == "Ok":
            answer["result"] = "ProcessingFailed"
            line = b64decode(data)
            tally.rows[orjson.loads(line)["event_type"]] -= 1
            tally.row_bytes -= len(line)
            tally.fail(records[index], AnswerTooLarge("no room in an answer of 6 MB"))
        excess += len(json.dumps(answer))
