"""Objects without a subject's rows: any log, any keys, in every format, nothing else touched."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.parquet import RowConverter
from operate import changes, reasons
from operate.account import UsageError
from operate.erasing import formats
from operate.erasing.subject import Subject, Words, parse_key
from schema import ORDERS, Column, Schema

PARTS = Schema(
    name="parts",
    key="number",
    sort_key="line",
    columns=(
        Column(name="number", type="decimal(38,9)"),
        Column(name="line", type="int"),
        Column(name="who", type="struct<name:string,tags:array<string>>", personal=True),
        Column(name="tags", type="map<string,string>", personal=True),
        Column(name="note", type="string"),
    ),
)
KEYS = ("a", "b", 'quo"te', "Grüße", "back\\slash", "o-1", "o-10", "\u2028", "a/b", "x y")
texts = st.sampled_from((None, "Ann", 'B"ob', "Zoë", "o-1", "gone", "\\"))
rows = st.fixed_dictionaries(
    {
        "orderid": st.sampled_from(KEYS),
        "customer": texts,
        "status": texts,
        "quantity": st.none() | st.integers(0, 9),
        "price": st.none() | st.decimals("0", "999.99", places=2).map(float),
        "extras": texts,
        "creation_time": st.just("2026-03-20 09:30:00.123"),
        "event_id": st.integers(0, 10**6).map(str),
    }
)
logs = st.lists(rows, max_size=12)
subjects = st.builds(
    lambda keys, blank: Subject(ORDERS, frozenset((key,) for key in keys), blank),
    st.sets(st.sampled_from(KEYS), min_size=1, max_size=3),
    st.booleans(),
)
COLUMNS = [(column.name, column.hive) for column in ORDERS.event_row]


def line(row: dict[str, Any], style: int) -> bytes:
    """The row as one writer or another writes it."""
    match style % 3:
        case 0:
            return orjson.dumps(row)
        case 1:
            return json.dumps(row).encode()
    return json.dumps(row, ensure_ascii=False, separators=(" , ", " : ")).encode()


def expected(log: Sequence[dict[str, Any]], subject: Subject) -> list[dict[str, Any]]:
    """The rows after an erasure, by the definition."""
    hit = {key for (key,) in subject.keys}
    if subject.pseudonymise:
        return [row | {"customer": None} if row["orderid"] in hit else row for row in log]
    return [row for row in log if row["orderid"] not in hit]


@given(
    log=logs, subject=subjects, packed=st.booleans(), ends=st.booleans(), style=st.integers(0, 2)
)
def test_lines_of_json(
    log: list[dict[str, Any]], subject: Subject, packed: bool, ends: bool, style: int
) -> None:
    lines = [line(row, style + n) for n, row in enumerate(log)]
    body = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    stored = gzip.compress(body, mtime=0) if packed else body
    edited = formats.edit_lines(stored, formats.edit_row(subject), subject.needles)
    wanted = expected(log, subject)
    changed = (
        sum(a is not b for a, b in zip(log, wanted, strict=False)) if subject.pseudonymise else 0
    )
    if wanted == log:
        assert edited.body is None and not edited.rows
        return
    assert edited.body is not None
    assert formats.unpacked(edited.body) == edited.plain
    assert (edited.body[:2] == b"\x1f\x8b") == packed
    left = [one for one in edited.plain.split(b"\n") if one]
    assert [json.loads(one) for one in left] == wanted
    untouched = [one for one, row in zip(lines, log, strict=True) if row in wanted]
    assert [one for one in left if one in lines] == untouched or changed
    if left and (ends or (left[-1] != lines[-1] and not subject.pseudonymise)):
        assert edited.plain.endswith(b"\n")
    again = formats.edit_lines(edited.body, formats.edit_row(subject), subject.needles)
    assert not again.rows, "it is gone"


@given(log=logs, subject=subjects, group=st.integers(1, 5))
def test_parquet(log: list[dict[str, Any]], subject: Subject, group: int) -> None:
    whole = RowConverter(COLUMNS).parquet([json.dumps(row).encode() for row in log])
    table = pq.read_table(io.BytesIO(whole))
    out = io.BytesIO()
    pq.write_table(
        table, out, compression="zstd", row_group_size=group, use_deprecated_int96_timestamps=True
    )
    body = out.getvalue()
    edited = formats.edit_parquet(body, subject)
    wanted = expected(log, subject)
    if wanted == log:
        assert edited.body is None and not edited.rows
        return
    assert edited.body is not None
    before, after = pq.ParquetFile(io.BytesIO(body)), pq.ParquetFile(io.BytesIO(edited.body))
    assert after.schema.equals(before.schema)
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    codecs = {
        after.metadata.row_group(g).column(c).compression
        for g in range(after.metadata.num_row_groups)
        for c in range(after.metadata.num_columns)
    }
    assert codecs <= {"ZSTD"}
    kept = {row["event_id"] for row in wanted}
    if subject.pseudonymise:
        hit = {key for (key,) in subject.keys}
        rows_ = [
            row | {"customer": None} if row["orderid"] in hit else row
            for row in before.read().to_pylist()
        ]
    else:
        hit = {key for (key,) in subject.keys}
        rows_ = [row for row in before.read().to_pylist() if row["orderid"] not in hit]
    assert after.read().to_pylist() == rows_
    assert {row["event_id"] for row in rows_} <= kept
    assert not formats.edit_parquet(edited.body, subject).rows


def record(order: str, customer: str | None, *, raw: bytes | None = None) -> bytes:
    """A failed record as Firehose writes it."""
    if raw is None:
        image = {"orderid": {"S": order}, **({"customer": {"S": customer}} if customer else {})}
        change = {"Keys": {"orderid": {"S": order}}, "NewImage": image, "SequenceNumber": "1"}
        raw = json.dumps({"eventID": "e", "eventName": "INSERT", "dynamodb": change}).encode()
    document = {"attemptsMade": 1, "errorCode": "x", "rawData": base64.b64encode(raw).decode()}
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("raw", "goes"),
    [
        (b'{"dynamodb": {"Keys": {"orderid": {"S": "gone"}}, "NewImage": {', True),  # cut off
        (b'not JSON "gone" at all', True),
        (b'not JSON "gone-too" at all', False),
        (b'{"orderid": "gone", "customer": "x"}', True),  # a row that was not converted
        (b'{"orderid": "stays", "customer": "gone"}', False),
        (b'{"dynamodb": {"OldImage": {"orderid": {"S": "gone"}}}}', True),
        (
            b'{"dynamodb": {"Keys": {"orderid": {"S": "stays"}}, "NewImage": {"a": "gone"}}}',
            False,
        ),
        (
            gzip.compress(b'{"dynamodb": {"Keys": {"orderid": {"S": "gone"}}}}', mtime=0).ljust(
                900, b"\0"
            ),
            True,
        ),
        (b"[1, 2]", False),
        (b"", False),
    ],
)
def test_raw_data_of_failed_records_is_decoded(raw: bytes, goes: bool) -> None:
    subject = Subject(ORDERS, frozenset({("gone",)}))
    lines = [record("stays", "Ann"), record("", None, raw=raw), record("stays", "Bob")]
    edited = formats.edit_lines(b"\n".join(lines) + b"\n", formats.edit_failed(subject))
    assert edited.rows == goes
    assert edited.removed == ([1] if goes else [])
    if goes:
        assert edited.plain == lines[0] + b"\n" + lines[2] + b"\n"


def test_a_failed_records_personal_data_goes_and_the_record_stays() -> None:
    subject = Subject(ORDERS, frozenset({("gone",)}), pseudonymise=True)
    lines = [record("stays", "Ann"), record("gone", "Zaphod"), record("gone", None)]
    row = b'{"orderid": "gone", "customer": "Zaphod", "price": 1.50}'
    lines.append(record("", None, raw=row))
    edited = formats.edit_lines(b"\n".join(lines), formats.edit_failed(subject))
    left = edited.plain.split(b"\n")
    assert (edited.rows, edited.removed, edited.texts) == (2, [], {"Zaphod"})
    assert left[0] == lines[0] and left[2] == lines[2]
    change = reasons.parse(base64.b64decode(json.loads(left[1])["rawData"]))
    assert change["dynamodb"]["NewImage"] == {"orderid": {"S": "gone"}}
    data = base64.b64decode(json.loads(left[3])["rawData"])
    assert data == row.replace(b'"Zaphod"', b"null"), "the price keeps its digits"


def test_a_compressed_change_stays_compressed() -> None:
    subject = Subject(ORDERS, frozenset({("gone",)}), pseudonymise=True)
    image = {"orderid": {"S": "gone"}, "customer": {"S": "Zaphod"}, "big": {"S": "x" * 1_100_000}}
    change = {"Keys": {"orderid": {"S": "gone"}}, "NewImage": image}
    fitted = changes.fit(json.dumps({"eventName": "INSERT", "dynamodb": change}).encode())
    assert fitted and fitted.form == "compressed"
    edited = formats.edit_lines(record("", None, raw=fitted.data), formats.edit_failed(subject))
    again = reasons.parse(base64.b64decode(json.loads(edited.plain)["rawData"]))
    assert "customer" not in again["dynamodb"]["NewImage"]


def test_an_exports_items() -> None:
    subject = Subject(ORDERS, frozenset({("gone",)}))
    lines = [
        json.dumps({"Item": {"orderid": {"S": order}, "customer": {"S": "Ann"}}}).encode()
        for order in ("a", "gone", "b")
    ]
    body = gzip.compress(b"\n".join(lines) + b"\n")
    edited = formats.edit_lines(body, formats.edit_item(subject), subject.needles)
    assert edited.plain == lines[0] + b"\n" + lines[2] + b"\n"
    assert edited.texts == {"Ann"}


def test_a_snapshots_state_forgets_where_its_segments_ended() -> None:
    parts = [{"name": "0", "after": {"orderid": {"S": key}}} for key in ("gone", "stays")]
    state = {"id": "x", "parts": [*parts, {"name": "2", "after": 17}, {"name": "3", "after": None}]}
    edited = formats.edit_state(json.dumps(state).encode(), Subject(ORDERS, frozenset({("gone",)})))
    assert edited.body is not None
    after = [part["after"] for part in json.loads(edited.body)["parts"]]
    assert after == [None, {"orderid": {"S": "stays"}}, 17, None]


@pytest.mark.parametrize("number", ["1.5", "1.50", "15e-1"])
@pytest.mark.parametrize("keys", [{("1.5",)}, {("1.5", "2")}])
def test_numbers_and_two_keys(number: str, keys: set[tuple[str, ...]]) -> None:
    subject = Subject(PARTS, frozenset(keys))
    lines = [f'{{"number": {number}, "line": {n}, "note": "x"}}'.encode() for n in (1, 2)]
    edited = formats.edit_lines(b"\n".join(lines), formats.edit_row(subject), subject.needles)
    assert edited.plain == (b"" if ("1.5",) in keys else lines[0] + b"\n")
    items = [{"number": {"N": number}, "line": {"N": str(n)}} for n in (1, 2)]
    raw = [json.dumps({"dynamodb": {"Keys": item}}).encode() for item in items]
    failed = b"\n".join(record("", None, raw=one) for one in raw)
    assert formats.edit_lines(failed, formats.edit_failed(subject)).rows == len(edited.removed)
    table = pa.table(
        {"number": pa.array([Decimal(number)] * 2, pa.decimal128(38, 9)), "line": [1, 2]}
    )
    out = io.BytesIO()
    pq.write_table(table, out, store_decimal_as_integer=True)
    assert formats.edit_parquet(out.getvalue(), subject).rows == len(edited.removed)


def test_nested_personal_columns_become_null() -> None:
    subject = Subject(PARTS, frozenset({("1",)}), pseudonymise=True)
    columns = [(column.name, column.hive) for column in PARTS.columns]
    given_ = [
        {"number": n, "line": 1, "who": {"name": "Zaphod", "tags": ["red"]}, "tags": {"K": "v"}}
        for n in (1, 2)
    ]
    body = RowConverter(columns).parquet([json.dumps(row).encode() for row in given_])
    edited = formats.edit_parquet(body, subject)
    assert edited.body is not None and edited.texts == {"Zaphod", "red"}
    first, second = pq.read_table(io.BytesIO(edited.body)).to_pylist()
    assert (first["who"], first["tags"], first["line"]) == (None, None, 1)
    assert second == pq.read_table(io.BytesIO(body)).to_pylist()[1]


def test_decimals_stay_integers_where_they_were() -> None:
    table = pa.table({"orderid": ["a", "b"], "price": pa.array([Decimal("1.50")] * 2)})
    out = io.BytesIO()
    pq.write_table(table, out, store_decimal_as_integer=True, store_schema=False)
    edited = formats.edit_parquet(out.getvalue(), Subject(ORDERS, frozenset({("a",)})))
    assert edited.body is not None
    files = [pq.ParquetFile(io.BytesIO(one)) for one in (out.getvalue(), edited.body)]
    assert files[1].schema.equals(files[0].schema)
    assert files[1].metadata.metadata == files[0].metadata.metadata


@pytest.mark.parametrize("body", [b"\x1f\x8bnothing", b"PAR1nothing"])
def test_a_broken_object_is_named_and_not_changed(body: bytes) -> None:
    subject = Subject(ORDERS, frozenset({("a",)}))
    with pytest.raises(formats.BrokenError):
        if formats.is_parquet(body):
            formats.edit_parquet(body, subject)
        else:
            formats.edit_lines(body, formats.edit_row(subject))


def test_words() -> None:
    words = Words([["o-1"], ["two", "parts"], ["Zoë"]])
    assert words.are_in(b"x,o-1,y") and words.are_in(b'"Zo\\u00eb"')
    assert words.are_in(b"parts of two") and words.are_in("Zoë".encode())
    assert not words.are_in(b"o-10, o-1a, two")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("o-1", "give the column's name and the value"),
        ("customer=Ann", "'customer' is not the partition key"),
        ("orderid=", "the value is empty"),
    ],
)
def test_a_wrong_key_is_explained(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_key(ORDERS, text)


def test_keys_are_typed() -> None:
    assert parse_key(ORDERS, "orderid=a=b") == ("a=b",)
    assert parse_key(PARTS, "number=1.50,line=2") == ("1.5", "2")
    assert parse_key(PARTS, "number=1.50") == ("1.5",)
    with pytest.raises(UsageError, match="'x' is not of type decimal"):
        parse_key(PARTS, "number=x")
