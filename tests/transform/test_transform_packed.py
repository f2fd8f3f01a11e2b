"""Compressed records give the same rows, and cannot crash the function."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import orjson
import pytest
import rows
from records import MAX_UNPACKED, transform

from tests.events import decode, firehose, load


def packed(change: object) -> bytes:
    return gzip.compress(orjson.dumps(change))  # without blanks, as on the wire


def large(orderid: str, elements: int) -> dict[str, Any]:
    """An insert whose JSON is nine times the size of its item: a list of empty strings."""
    change: dict[str, Any] = load("insert")
    change["dynamodb"]["Keys"]["orderid"]["S"] = orderid
    change["dynamodb"]["NewImage"] |= {
        "orderid": {"S": orderid},
        "list": {"L": [{"S": ""}] * elements},
    }
    return change


@pytest.mark.parametrize("event", ["insert", "modify", "remove", "every_type"])
def test_a_compressed_record_gives_the_row_of_what_is_in_it(to_row: Any, event: str) -> None:
    padded = packed(load(event)) + bytes(9)
    records = firehose(load(event), packed(load(event)), padded)["records"]
    (plain, *unpacked), tally = transform(records, to_row)
    assert plain["result"] == "Ok"
    assert [decode(one) for one in unpacked] == [decode(plain)] * 2
    assert tally.failed == 0


WHOLE = packed(load("insert"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (WHOLE[:2], "NotJson: broken gzip"),
        (WHOLE[:-5], "NotJson: broken gzip"),
        (WHOLE[:20] + b"\x00" + WHOLE[21:], "NotJson: broken gzip"),
        (WHOLE + b"more", "NotJson: broken gzip"),
        (WHOLE + WHOLE, "NotJson: broken gzip"),
        (gzip.compress(WHOLE, mtime=0), "NotJson: not one JSON document in UTF-8"),
        (gzip.compress(b"\xff{}", mtime=0), "NotJson: not one JSON document in UTF-8"),
        (packed([]), "NotAChangeRecord: not in the format of DynamoDB Streams"),
    ],
    # Not by its bytes, which hold the time: pytest's workers must collect the same names.
    ids=["cut", "shorter", "damaged", "longer", "twice", "within itself", "no text", "no change"],
)
def test_a_broken_one_fails_alone_with_its_own_data(to_row: Any, data: bytes, reason: str) -> None:
    records = firehose(load("insert"), data, load("remove"))["records"]
    answers, tally = transform(records, to_row)
    assert [one["result"] for one in answers] == ["Ok", "ProcessingFailed", "Ok"]
    assert decode(answers[1]) == data
    assert list(tally.failures) == [reason]


@pytest.mark.parametrize(
    ("unit", "count"),
    [(b"0", 100_000_000), (b"[],", rows.MAX_BRACKETS), (b'{"a":{}},', rows.MAX_BRACKETS // 2)],
)
def test_a_gzip_bomb_fails_alone_and_costs_little_memory(
    to_row: Any, unit: bytes, count: int
) -> None:
    bomb = gzip.compress(b"[" + unit * count + b"0]")
    records = firehose(load("insert"), bomb, load("remove"))["records"]
    tracemalloc.start()
    try:
        answers, tally = transform(records, to_row)
        assert tracemalloc.get_traced_memory()[1] < 5 * rows.MAX_JSON
    finally:
        tracemalloc.stop()
    assert [one["result"] for one in answers] == ["Ok", "ProcessingFailed", "Ok"]
    (reason,) = tally.failures
    assert reason.startswith("ChangeTooLarge: ")


def test_the_change_with_the_longest_json_passes(to_row: Any) -> None:
    change = large("o", 400 * 1024)  # one byte each, as DynamoDB counts
    data = packed(change)
    assert len(data) < 10_000 and len(orjson.dumps(change)) > 3_600_000
    (answer,), _ = transform(firehose(data)["records"], to_row)
    assert json.loads(json.loads(decode(answer))["extras"])["list"] == [""] * (400 * 1024)


def test_large_rows_that_pass_6_mb_together_are_given_up_one_by_one(to_row: Any) -> None:
    records = firehose(*(packed(large(str(n), 350_000)) for n in range(5)))["records"]
    answers, tally = transform(records, to_row)
    assert len(json.dumps({"records": answers})) <= rows.MAX_ANSWER
    assert sorted(one["result"] for one in answers) == ["Ok"] * 2 + ["ProcessingFailed"] * 3
    assert {reason.partition(":")[0]: one["count"] for reason, one in tally.failures.items()} == {
        "AnswerTooLarge": 3
    }


def test_a_batch_takes_no_more_compressed_records_than_it_can_answer(to_row: Any) -> None:
    """Each has 3 kB and 2.9 MB of JSON: Firehose's 3 MB would hold a thousand of them."""
    change = packed(large("o", 320_000))
    count = 40
    records = firehose(load("insert"), *[change] * count, load("remove"))["records"]
    answers, tally = transform(records, to_row)
    assert [answers[0]["result"], answers[-1]["result"]] == ["Ok", "Ok"]
    reasons = {reason.partition(":")[0]: one["count"] for reason, one in tally.failures.items()}
    unpacked = MAX_UNPACKED // len(gzip.decompress(change)) + 1
    assert reasons["BatchTooLarge"] == count - unpacked
    assert sum(reasons.values()) < count, "some pass, so that replaying them comes to an end"
    assert len(json.dumps({"records": answers})) <= rows.MAX_ANSWER
