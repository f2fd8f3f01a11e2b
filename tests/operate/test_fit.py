"""Changes of any item can be sent, unchanged or made smaller."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from ministack.services.dynamodb import _attribute_value_size as size_of

from operate import changes
from operate.dlq import _payloads
from operate.failed import order_of, record
from operate.reasons import judge, parse
from schema import ORDERS
from tests.operate.test_replay_input import transformed

JUDGE = judge(ORDERS)
CHANCE = random.Random(1)
ITEM = 400 * 1024 - 100  # bytes as DynamoDB counts them, its other attributes apart


def chosen(letters: str) -> Callable[[], dict[str, Any]]:
    return lambda: {"S": CHANCE.choice(letters)}


def blob(size: int) -> str:
    return base64.b64encode(CHANCE.randbytes(size)).decode()


def text(letters: str) -> dict[str, Any]:
    size = len(letters.encode()) / len(letters)
    return {"S": "".join(CHANCE.choices(letters, k=int(ITEM / size * 0.999)))}


def filled(element: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A list of so many as an item has room for."""

    def elements() -> Iterator[dict[str, Any]]:
        room = ITEM
        while (room := room - size_of(one := element()) - 1) > 0:
            yield one

    return {"L": [*elements()]}


def nested() -> dict[str, Any]:
    value = chosen("ab")()
    for _ in range(29):
        value = {"L": [value]}
    return value


def number(digits: str, exponent: int) -> dict[str, Any]:
    """A number as DynamoDB writes it, without an exponent."""
    return {"N": digits + "0" * exponent if exponent >= 0 else "0." + digits.zfill(-exponent)}


CONTROLS = "".join(map(chr, range(32)))
TINY: list[dict[str, Any]] = [{"S": ""}, {"NULL": True}, {"BOOL": True}, {"N": "0"}]
FORMS: dict[str, Callable[[], dict[str, Any]]] = {
    "bytes": lambda: {"B": blob(ITEM)},
    "sets of 3 random bytes": lambda: {"BS": [blob(3) for _ in range(ITEM // 3)]},
    "sets of 4 random bytes": lambda: {"BS": [blob(4) for _ in range(ITEM // 4)]},
    "sets of 16 random bytes": lambda: {"BS": [blob(16) for _ in range(ITEM // 16)]},
    "single bytes": lambda: filled(lambda: {"B": blob(1)}),
    "numbers of 38 digits": lambda: filled(lambda: {"N": str(CHANCE.randrange(10**37, 10**38))}),
    "numbers of any exponent": lambda: filled(
        lambda: number(str(CHANCE.randrange(1, 100)), CHANCE.randrange(-129, 124))
    ),
    "the smallest number": lambda: filled(lambda: number("1", -130)),
    "letters": lambda: text("".join(map(chr, range(33, 127)))),
    "control characters": lambda: text(CONTROLS),
    "quotes": lambda: text('"\\'),
    "Cyrillic": lambda: text("".join(map(chr, range(0x400, 0x460)))),
    "Chinese": lambda: text("".join(map(chr, range(0x4E00, 0x9FFF)))),
    "emoji": lambda: text("".join(map(chr, range(0x1F300, 0x1F700)))),
    "empty strings": lambda: filled(lambda: {"S": ""}),
    "tiny values": lambda: filled(lambda: CHANCE.choice(TINY)),
    "single control characters": lambda: filled(chosen(CONTROLS)),
    "deep lists": lambda: filled(nested),
}
NO_ROOM = {"numbers of any exponent", "the smallest number"}
"""Their rows alone are more than Lambda may answer: they end as failed records, and are kept."""
LARGEST = 540_000
"""Bytes: see `changes.fit`."""


def change(name: str, **images: Any) -> dict[str, Any]:
    key = {"orderid": {"S": "ord-1"}}
    return {
        "eventID": "c9e9c616612e7696a6cecc1b78e51061",
        "eventName": name,
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795227480,
            "Keys": key,
            **{image: {**key, "value": value} for image, value in images.items()},
            "SequenceNumber": "111000000000000000000001",
        },
    }


@pytest.mark.parametrize("form", FORMS)
def test_any_change_of_an_item_of_400_kb_fits_and_gives_the_same_row(form: str) -> None:
    old, new = FORMS[form](), FORMS[form]()
    assert ITEM - 700 < size_of(new) <= ITEM + 3
    modify = change("MODIFY", NewImage=new, OldImage=old)
    for event in (modify, change("REMOVE", OldImage=old)):
        data = orjson.dumps(event)
        fitted = changes.fit(data)
        assert fitted is not None and len(fitted.data) <= changes.MOST_BYTES
        if fitted.form == "whole":
            assert fitted.data is data
        elif fitted.form == "compressed":
            assert len(fitted.data.rstrip(b"\0")) <= LARGEST
        sent = orjson.loads(
            gzip.decompress(fitted.data) if fitted.form == "compressed" else fitted.data
        )
        if form in NO_ROOM:
            assert (JUDGE(fitted.data) or "").startswith(("AnswerTooLarge: ", "ChangeTooLarge: "))
        else:
            assert parse(fitted.data) == sent
            assert order_of(fitted.data, ORDERS) == "ord-1"
            assert JUDGE(fitted.data) is None
            assert transformed(sent) == transformed(event)


def test_an_update_gives_up_its_old_image_before_it_is_compressed() -> None:
    fitted = changes.fit(orjson.dumps(change("MODIFY", NewImage=text("a"), OldImage=text('"'))))
    assert fitted is not None and fitted.form == "shortened"
    assert set(orjson.loads(fitted.data)["dynamodb"]) >= {"Keys", "NewImage", "SequenceNumber"}
    assert "OldImage" not in orjson.loads(fitted.data)["dynamodb"]


@pytest.mark.parametrize("event", [[1], "text", {"dynamodb": 5}, {"eventName": "MODIFY"}])
def test_what_an_enrichment_made_too_large_is_compressed_or_rejected(event: Any) -> None:
    large = {"of": event, "much": "x" * 2_000_000}
    fitted = changes.fit(orjson.dumps(large))
    assert fitted is not None and fitted.form == "compressed"
    assert json.loads(gzip.decompress(fitted.data)) == large
    assert changes.fit(orjson.dumps({"of": event, "much": blob(1_500_000)})) is None


def test_compressed_changes_fill_a_batch_by_the_room_that_their_rows_take() -> None:
    """The transform's buffer has 1 MB by default; a response holds 4.5 MB of rows."""
    for form in ("empty strings", "control characters", "single bytes", "tiny values"):
        data = orjson.dumps(change("INSERT", NewImage=FORMS[form]()))
        fitted = changes.fit(data)
        assert fitted is not None and fitted.form == "compressed"
        row = len(orjson.dumps(transformed(orjson.loads(data)), default=str))
        assert 1024 * 1024 // len(fitted.data) * row < 4_400_000


def test_a_change_has_one_compressed_form() -> None:
    """An interrupted run looks for the same bytes in the stream."""
    data = orjson.dumps(change("INSERT", NewImage=filled(lambda: {"S": ""})))
    assert changes.fit(data) == changes.fit(data)


def test_a_failed_record_that_is_compressed_is_read_like_any_other() -> None:
    good, bad = change("INSERT", NewImage={"S": "x"}), change("INSERT", NewImage={"S": "x"})
    bad["dynamodb"]["NewImage"]["price"] = {"N": "1.999"}
    for event, refused in ((good, None), (bad, "SchemaMismatch: column price: ")):
        data = gzip.compress(orjson.dumps(event))
        line = {
            "rawData": base64.b64encode(data).decode(),
            "errorCode": "Lambda.ProcessingFailedStatus",
            "arrivalTimestamp": 1_795_000_000_000,
        }
        found = record(0, json.dumps(line).encode(), JUDGE, ORDERS)
        assert found.data == data, "what is sent again is what was sent"
        assert found.order == found.partition_key == "ord-1"
        assert found.passes is (refused is None)
        assert found.reason.startswith(refused or "ProcessingFailed, and the transform of this")


def test_a_large_row_that_failed_its_conversion_becomes_a_record_that_fits() -> None:
    event = change("INSERT", NewImage=FORMS["control characters"]())
    row = {name: value and str(value) for name, value in transformed(event).items()}
    line = {
        "rawData": base64.b64encode(orjson.dumps(row)).decode(),
        "lastErrorCode": "DataFormatConversion.ParseError",
    }
    found = record(0, json.dumps(line).encode(), JUDGE, ORDERS)
    assert found.data and len(found.data) <= changes.MOST_BYTES
    assert found.passes and found.order == "ord-1"
    assert transformed(parse(found.data)) == transformed(event)


def test_an_enrichment_is_asked_in_requests_that_it_can_take() -> None:
    events = [{"n": n, "pad": "x" * 900_000} for n in range(8)]
    requests = [orjson.loads(one) for one in _payloads(events, 100)]
    assert [len(one) for one in requests] == [3, 3, 2]
    assert [event for one in requests for event in one] == events
    assert [len(orjson.loads(one)) for one in _payloads([{}] * 5, 2)] == [2, 2, 1]
    assert [*_payloads([], 2)] == []
    assert len([*_payloads([{"pad": "x" * 4_000_000}] * 2, 2)]) == 2
