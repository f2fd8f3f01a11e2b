"""Every recordId of a batch gets one result, failures keep their data, within Lambda's limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from records import MAX_ANSWER, MAX_REASONS, transform
from rows import SchemaMismatch

from tests.events import decode, encode, firehose, load

GARBAGE = load("garbage")


def answered(records: list[dict[str, Any]], to_row: Any, **limits: int) -> Any:
    """The answers and the tally, after checks that apply to every answer."""
    answers, tally = transform(records, to_row, **limits)
    assert [a["recordId"] for a in answers] == [record["recordId"] for record in records]
    results = [answer["result"] for answer in answers]
    assert set(results) <= {"Ok", "ProcessingFailed"}
    assert results.count("Ok") == sum(tally.rows.values())
    assert results.count("ProcessingFailed") == tally.failed
    ok = [decode(answer) for answer in answers if answer["result"] == "Ok"]
    assert sum(map(len, ok)) == tally.row_bytes
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in ok)
    return answers, tally


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_fails_alone_with_a_reason_and_its_own_data(to_row: Any, kind: str) -> None:
    reason, data = GARBAGE[kind]
    records = firehose(load("insert"), data, load("remove"))["records"]
    answers, tally = answered(records, to_row)
    assert [answer["result"] for answer in answers] == ["Ok", "ProcessingFailed", "Ok"]
    assert answers[1]["data"] == data
    ((found, failure),) = tally.failures.items()
    assert found.startswith(f"{reason}: ")
    source = records[1]["kinesisRecordMetadata"]["sequenceNumber"]
    assert failure == {
        "count": 1,
        "examples": [{"recordId": records[1]["recordId"], "sequenceNumber": source}],
    }


@pytest.mark.parametrize("data", [None, 5, [], {}])
def test_data_that_is_no_text_fails_alone(to_row: Any, data: object) -> None:
    records = firehose("", load("insert"))["records"]
    records[0]["data"] = data
    answers, tally = answered(records, to_row)
    assert answers[0] == {"recordId": records[0]["recordId"], "result": "ProcessingFailed"}
    assert list(tally.failures) == ["NotBase64: data is not base64 text"]


def test_a_record_without_data_fails_alone(to_row: Any) -> None:
    records = firehose("", load("insert"))["records"]
    del records[0]["data"]
    assert answered(records, to_row)[1].failed == 1


def test_an_empty_batch_has_an_empty_answer(to_row: Any) -> None:
    assert answered([], to_row)[0] == []


def test_failures_are_gathered_by_reason_and_a_few_are_named(to_row: Any) -> None:
    records = firehose(*["%"] * 5, *[b"x"] * 2)["records"]
    tally = answered(records, to_row, max_examples=3)[1]
    counts = {reason.partition(":")[0]: f["count"] for reason, f in tally.failures.items()}
    assert counts == {"NotBase64": 5, "NotJson": 2}
    assert [len(failure["examples"]) for failure in tally.failures.values()] == [3, 2]


def test_the_log_tells_a_hundred_reasons_apart_at_most() -> None:
    """Paths hold indexes: a batch could have thousands of reasons, and a log event is limited."""

    def to_row(change: Any) -> Any:
        raise SchemaMismatch(f"column items[{change['n']}]: int is read only from N")

    tally = answered(firehose(*[{"n": n} for n in range(250)])["records"], to_row)[1]
    assert len(tally.failures) == MAX_REASONS + 1
    assert tally.failures["further reasons"]["count"] == 250 - MAX_REASONS
    assert tally.failed == 250


def test_an_unexpected_error_fails_its_record_and_does_not_quote_it() -> None:
    def to_row(change: Any) -> Any:
        raise RuntimeError(change["secret"])

    tally = answered(firehose({"secret": "Zoë"})["records"], to_row)[1]
    assert list(tally.failures) == ["RuntimeError: unexpected error"]


def test_of_two_keys_of_one_name_the_last_counts(to_row: Any) -> None:
    text = json.dumps(load("insert")).replace('{"N": "2"}', '{"N": "2", "N": "3"}')
    answers, _ = answered(firehose(text.encode())["records"], to_row)
    assert json.loads(decode(answers[0]))["quantity"] == 3


def growing(size: int) -> dict[str, Any]:
    """A change whose row outgrows it: each quote in extras is escaped twice."""
    change: dict[str, Any] = load("insert")
    change["dynamodb"]["NewImage"]["note"] = {"S": '"' * size}
    return change


def test_an_answer_that_would_pass_6_mb_gives_up_its_largest_rows(to_row: Any) -> None:
    small = [load("insert")] * 50
    records = firehose(*small, *[growing(185_000)] * 8, *small)["records"]
    assert sum(len(record["data"]) for record in records) < 4 * 2**20  # Firehose's 3 MB, encoded
    answers, tally = answered(records, to_row)
    size = len(json.dumps({"records": answers}))
    assert MAX_ANSWER - 1_100_000 < size <= MAX_ANSWER  # no more given up than needed
    lost = [answer for answer in answers if answer["result"] != "Ok"]
    assert 0 < len(lost) < 8
    assert all("data" not in answer for answer in lost)  # Firehose keeps its own copy
    assert {reason: f["count"] for reason, f in tally.failures.items()} == {
        "AnswerTooLarge: does not fit into a response of 6 MB": len(lost)
    }


def test_a_failed_record_gives_up_its_data_before_any_row_does(to_row: Any) -> None:
    records = firehose(encode(b"x" * 3000), load("insert"), encode(b"y" * 30))["records"]
    answers, tally = answered(records, to_row, max_answer=2000)
    assert [answer["result"] for answer in answers] == [
        "ProcessingFailed",
        "Ok",
        "ProcessingFailed",
    ]
    assert ["data" in answer for answer in answers] == [False, True, True]
    assert len(json.dumps({"records": answers})) <= 2000
    assert tally.failed == 2
