"""Answer a batch of Firehose's: every recordId once, within Lambda's response size limit."""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pybase64 import b64decode, b64encode_as_string  # SIMD: saves a quarter of the time
from rows import ENVELOPE, MAX_ANSWER, MAX_JSON, RecordError, parse, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would slow the cold start
    from typing import Any

    from rows import Row

MAX_UNPACKED = 4 * MAX_JSON
"""Once a batch has unpacked this many bytes, its other compressed records fail: their rows would
not fit into the response, and a malicious batch must not run into the timeout."""


MAX_REASONS = 100
"""A batch's reasons that the log tells apart: paths hold indexes, and a log event is limited."""


class NotBase64(RecordError):  # noqa: N818 - logged by this name, as the reason
    """The record's ``data`` is not base64 text."""


class AnswerTooLarge(RecordError):  # noqa: N818
    """The row does not fit into the response beside the others of its batch."""


class BatchTooLarge(RecordError):  # noqa: N818
    """The batch has already unpacked `MAX_UNPACKED` bytes of compressed records."""


@dataclass
class Tally:
    """Counts of a batch's outcomes.

    Attributes
    ----------
    rows:
        Event rows by event type.
    made:
        Event rows by creation time.
    row_bytes:
        Their size as JSON lines.
    failures:
        Count and first examples of failed records, by reason.
    max_examples:
        Number of examples per reason.
    """

    rows: dict[str, int] = field(default_factory=lambda: {"INSERT": 0, "MODIFY": 0, "REMOVE": 0})
    made: Counter[str] = field(default_factory=Counter)
    row_bytes: int = 0
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    max_examples: int = 3

    @property
    def failed(self) -> int:
        """Records answered ProcessingFailed."""
        return sum(failure["count"] for failure in self.failures.values())

    def fail(self, record: Mapping[str, Any], error: Exception) -> None:
        """Count a failed record under its reason."""
        known = isinstance(error, RecordError)  # other errors might quote order data
        reason = f"{type(error).__name__}: {error if known else 'unexpected error'}"
        if reason not in self.failures and len(self.failures) >= MAX_REASONS:
            reason = "further reasons"
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
    """Answer each record: Ok with an event row, or ProcessingFailed with its original data.

    Parameters
    ----------
    records:
        ``records`` of Firehose's event: recordId, data (base64 of a change record), ...
    to_row:
        Converts a parsed change record to an event row (`rows.compile_schema`).
    max_examples:
        Failed records that the tally lists per reason.
    max_answer:
        Maximum size of the response as JSON, in bytes.
    """
    tally = Tally(max_examples=max_examples)
    answers: list[dict[str, str]] = []
    event_types = []
    times = []
    row_bytes = echoed = unpacked = 0
    for record in records:
        try:
            try:
                row = to_row(orjson.loads(b64decode(record["data"], validate=True)))
            except orjson.JSONDecodeError:  # compressed, or not JSON
                if unpacked >= MAX_UNPACKED:
                    raise BatchTooLarge("too many compressed records in one batch") from None
                plain = unpack(b64decode(record["data"]))
                unpacked += len(plain)
                row = to_row(parse(plain))
            line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
            data = b64encode_as_string(line)
            answers.append({"recordId": record["recordId"], "result": "Ok", "data": data})
            event_types.append(row["event_type"])
            times.append(row["creation_time"])
            row_bytes += len(line)
        except Exception as error:  # a bad record must not fail the rest of its batch
            failed = {"recordId": record["recordId"], "result": "ProcessingFailed"}
            original = record.get("data")
            if isinstance(original, str):
                failed["data"] = original
                echoed += len(json.dumps(original))
            answers.append(failed)
            tally.fail(record, _named(error, original))
    tally.rows.update(Counter(event_types))
    tally.made = Counter(times)
    tally.row_bytes = row_bytes
    if row_bytes * 4 // 3 + echoed + ENVELOPE * len(answers) > max_answer:
        _shrink(records, answers, tally, max_answer)
    return answers, tally


def _named(error: Exception, data: object) -> Exception:
    """Replace a decoding error, whose text may quote the content."""
    if isinstance(error, Base64Error) or not (isinstance(data, str) and data.isascii()):
        return NotBase64("data is not base64 text")
    return error


def _shrink(
    records: Sequence[Mapping[str, Any]],
    answers: list[dict[str, str]],
    tally: Tally,
    max_answer: int,
) -> None:
    """Drop data until the response fits: first that of failed records, then the largest rows.

    Firehose writes its own copy of a failed record under the failed prefix, so the response does
    not need it; AWS's Lambda blueprints for Firehose leave it out too.
    """
    excess = len(json.dumps({"records": answers})) - max_answer  # as Lambda's runtime encodes it

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
            tally.fail(records[index], AnswerTooLarge("does not fit into a response of 6 MB"))
        excess += len(json.dumps(answer))
