"""The formats of the lake's objects: find the rows of a subject, and write an object without them.

Whatever else an object holds stays as it is: lines byte for byte, Parquet's schema, compression
and metadata.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from operate import changes, reasons
from operate.erasing.subject import Key, Subject, texts_in

_GZIP, _PARQUET, _AVRO = b"\x1f\x8b", b"PAR1", b"Obj\x01"
_GZIP_LEVEL = 6
"""zlib's default."""
_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


class BrokenError(ValueError):
    """An object that cannot be read; the message says why."""


@dataclass
class Edited:
    """What an object holds of a subject.

    Attributes
    ----------
    rows:
        Rows that are to go, or to be changed.
    body:
        The object without them; None if it stays as it is.
    plain:
        The same, uncompressed.
    removed:
        The numbers of removed lines, from 0, if every line was looked at.
    keys:
        The keys of these rows, as far as they are known.
    texts:
        The personal values in these rows.
    """

    rows: int = 0
    body: bytes | None = None
    plain: bytes = b""
    removed: list[int] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


LineEdit: TypeAlias = Callable[[bytes, Edited], bytes | None]
"""Returns the same line, another one, or None to remove it; notes keys and texts."""


def unpacked(body: bytes) -> bytes:
    """The content of an object that may be compressed.

    Raises
    ------
    BrokenError
        It is broken.
    """
    if not body.startswith(_GZIP):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenError(f"broken gzip: {error}") from None


def edit_lines(body: bytes, edit: LineEdit, needles: Sequence[bytes] | None = None) -> Edited:
    """Edit an object of lines, compressed or not.

    Parameters
    ----------
    needles:
        Only a line that holds one of them can change. None: any line can.
    """
    found = Edited()
    lines = unpacked(body)
    parts: list[bytes] = []
    done = 0
    spans = _all(lines) if needles is None else _with_needles(lines, needles)
    for number, (start, end) in enumerate(spans):
        line = lines[start:end]
        new = edit(line, found) if line else line
        if new is line:
            continue
        found.rows += 1
        parts.append(lines[done:start])
        if new is None:
            found.removed.append(number)
            done = end + 1  # with its newline
        else:
            parts.append(new)
            done = end
    if found.rows:
        found.plain = b"".join([*parts, lines[done:]])
        packed = body.startswith(_GZIP)
        found.body = gzip.compress(found.plain, _GZIP_LEVEL, mtime=0) if packed else found.plain
    return found


def _all(lines: bytes) -> Iterator[tuple[int, int]]:
    """Where each line starts and ends."""
    start = 0
    while (end := lines.find(b"\n", start)) >= 0:
        yield start, end
        start = end + 1
    yield start, len(lines)


def _with_needles(lines: bytes, needles: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where each line with a needle starts and ends; much faster than looking at each line."""
    found = set()
    for needle in needles:
        at = lines.find(needle)
        while at >= 0:
            end = lines.find(b"\n", at)
            end = len(lines) if end < 0 else end
            found.add((lines.rfind(b"\n", 0, at) + 1, end))
            at = lines.find(needle, end)
    return sorted(found)


# -- lines -----------------------------------------------------------------------------------------


def edit_row(subject: Subject) -> LineEdit:
    """For event rows, as JSON."""

    def edit(line: bytes, found: Edited) -> bytes | None:
        row = _object(line)
        if row is None:  # nothing can read it, but someone could
            return None if subject.quoted.are_in(line) else line
        key = subject.of_row(row)
        if key is None or not subject.has(key):
            return line
        found.keys.add(key)
        found.texts.update(subject.personal_texts(row))
        return _without_personal(subject, line, row) if subject.pseudonymise else None

    return edit


def edit_item(subject: Subject) -> LineEdit:
    """For the items of an export: ``{"Item": {...}}``."""

    def edit(line: bytes, found: Edited) -> bytes | None:
        document = _object(line)
        image = document.get("Item") if document else None
        key = subject.of_image(image)
        if key is None:
            return None if subject.quoted.are_in(line) else line
        if not subject.has(key):
            return line
        found.keys.add(key)
        found.texts.update(subject.personal_texts_of_image(image))
        if not subject.pseudonymise:
            return None
        return orjson.dumps(document) if _strip(subject, image) else line

    return edit


def edit_failed(subject: Subject) -> LineEdit:
    """For failed records, whose raw data is base64: a change record, a row, or anything else."""

    def edit(line: bytes, found: Edited) -> bytes | None:
        document = _object(line)
        try:
            data = base64.b64decode((document or {})["rawData"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            return None if subject.quoted.are_in(line) else line
        new = _edit_raw(subject, data, found)
        if new is data:
            return line
        if new is None:
            return None
        return _replaced(line, {"rawData": json.dumps(base64.b64encode(new).decode())})

    return edit


def _edit_raw(subject: Subject, data: bytes, found: Edited) -> bytes | None:
    """The data of a failed record: the same, without personal data, or None to remove it."""
    try:
        record = reasons.parse(data)
    except ValueError:
        record = None
    change = record.get("dynamodb") if isinstance(record, dict) else None
    images = []
    if isinstance(change, dict):
        images = [change.get(name) for name in ("Keys", "NewImage", "OldImage")]
        keys = {key for image in images if (key := subject.of_image(image))}
    else:
        keys = {key} if isinstance(record, dict) and (key := subject.of_row(record)) else set()
    ours = {key for key in keys if subject.has(key)}
    if not (ours or (not keys and subject.quoted.are_in(data))):
        return data
    found.keys |= ours
    for image in images:
        found.texts.update(subject.personal_texts_of_image(image))
    if ours and not images:
        found.texts.update(subject.personal_texts(record))
    return _strip_raw(subject, data, record, images) if ours and subject.pseudonymise else None


def _strip_raw(subject: Subject, data: bytes, record: Any, images: Sequence[Any]) -> bytes | None:
    """The data without personal values; None if it does not fit into a record any more."""
    if not images:
        return _without_personal(subject, unpacked(data), record)
    stripped = [_strip(subject, image) for image in images]
    if not any(stripped):
        return data
    fitted = changes.fit(orjson.dumps(record))
    return fitted.data if fitted else None


def _object(line: bytes) -> dict[str, Any] | None:
    """A line's JSON object, its numbers as text; None if it is none."""
    try:
        document = json.loads(line, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _strip(subject: Subject, image: Any) -> bool:
    """Remove the personal attributes of an item; whether there were any."""
    if not isinstance(image, dict):
        return False
    gone = [image.pop(column.attribute, None) for column in subject.personal]
    return any(one is not None for one in gone)


def _without_personal(subject: Subject, line: bytes, row: Mapping[str, Any]) -> bytes:
    """A row with NULL in its personal columns; the same object if it had nothing there."""
    names = [column.name for column in subject.personal if row.get(column.name) is not None]
    return _replaced(line, dict.fromkeys(names, "null")) if names else line


def _replaced(line: bytes, given: Mapping[str, str]) -> bytes:
    """A line of JSON with other values, as JSON, for some members; the rest byte for byte."""
    text = line.decode()
    parts, done = [], 0
    for name, start, end in _members(text):
        if name in given:
            parts += [text[done:start], given[name]]
            done = end
    return "".join([*parts, text[done:]]).encode()


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """The members of a JSON object, each with the span of its value."""

    def skip(at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at

    at = skip(text.index("{") + 1)
    while text[at] != "}":
        name, at = _decode(text, at)
        start = skip(skip(at) + 1)
        _, end = _decode(text, start)
        yield name, start, end
        at = skip(end)
        at = skip(at + 1) if text[at] == "," else at


# -- the state of a snapshot -----------------------------------------------------------------------


def edit_state(body: bytes, subject: Subject) -> Edited:
    """The state of a finished snapshot, which may hold keys at which its segments ended."""
    found = Edited()
    try:
        document = orjson.loads(body)
        parts = document["parts"]
        for part in parts:
            if subject.has(key := subject.of_image(part["after"])):
                part["after"] = None
                found.rows += 1
                found.keys |= {key} if key else set()
    except (KeyError, TypeError, ValueError):
        return found
    if found.rows:
        found.body = found.plain = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    return found


# -- Parquet ---------------------------------------------------------------------------------------


def is_parquet(body: bytes) -> bool:
    """Whether an object is a Parquet file."""
    return body.startswith(_PARQUET)


def edit_parquet(body: bytes, subject: Subject, *, dropped: Sequence[int] = ()) -> Edited:
    """Edit a Parquet file that has the key's columns.

    Parameters
    ----------
    dropped:
        The numbers of rows that are to go as well, if the file is written.

    Raises
    ------
    BrokenError
        It cannot be read.
    """
    found = Edited()
    try:
        # INT96 has nanoseconds since -4713: as microseconds no date is out of range.
        file = pq.ParquetFile(io.BytesIO(body), coerce_int96_timestamp_unit="us")
        names = file.schema_arrow.names
        if not all(name in names for name in subject.schema.keys):
            return found
        hit = _hits(file.read(columns=list(subject.schema.keys)), subject)
        known = [column.name for column in subject.personal if column.name in names]
        if pc.any(hit).as_py():
            rows = file.read(columns=[*subject.schema.keys, *known]).filter(hit).to_pylist()
            found.keys |= {key for row in rows if (key := subject.of_row(row))}
            for row in rows:
                found.texts.update(subject.personal_texts(row))
            found.rows = (
                sum(any(row[name] is not None for name in known) for row in rows)
                if subject.pseudonymise
                else len(rows)
            )
        if found.rows:
            gone = pa.array([False] * len(hit)) if subject.pseudonymise else hit
            if dropped:
                gone = pc.or_(gone, _at(dropped, len(hit)))
            blank = known if subject.pseudonymise else []
            found.body = found.plain = _written(file, gone, hit, blank)
    except (pa.ArrowException, OSError) as error:
        raise BrokenError(f"no readable Parquet file: {error}") from None
    return found


def _hits(keys: pa.Table, subject: Subject) -> pa.Array:
    """Which rows are the subject's."""
    column = subject.schema[subject.schema.key]
    text = column.hive == "string" and pa.types.is_string(keys.schema.field(0).type)
    if text and keys.num_columns == 1:
        wanted = pa.array(sorted(key[0] for key in subject.keys), pa.string())
        return pc.is_in(keys.column(0).combine_chunks(), wanted)
    return pa.array([subject.has(subject.of_row(row)) for row in keys.to_pylist()], type=pa.bool_())


def _at(places: Sequence[int], length: int) -> pa.Array:
    mask = [False] * length
    for place in places:
        mask[place] = True
    return pa.array(mask)


def _written(file: pq.ParquetFile, gone: pa.Array, hit: pa.Array, blank: Sequence[str]) -> bytes:
    """The file without the rows that are ``gone``, and NULL in ``blank`` columns of those hit."""
    out = io.BytesIO()
    start = kept = 0
    with pq.ParquetWriter(out, file.schema_arrow, **_settings(file)) as writer:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            here = hit.slice(start, len(rows))
            for name in blank:
                place = rows.schema.get_field_index(name)
                # A NULL index takes NULL, whatever the column's type.
                index = pc.if_else(here, None, pa.array(range(len(rows)), pa.int64()))
                rows = rows.set_column(
                    place, rows.schema.field(place), rows.column(place).take(index)
                )
            rows = rows.filter(pc.invert(gone.slice(start, len(rows))))
            start += len(here)
            if len(rows):
                writer.write_table(rows, row_group_size=len(rows))
                kept += len(rows)
    written = out.getvalue()
    expected = len(gone) - pc.sum(gone).as_py()
    if pq.read_metadata(io.BytesIO(written)).num_rows != expected or kept != expected:
        raise BrokenError("it was not written as it was read")
    return written


def _settings(file: pq.ParquetFile) -> dict[str, Any]:
    """How the file was written."""
    metadata = file.metadata
    types = [file.schema.column(n) for n in range(len(file.schema))]
    settings: dict[str, Any] = {
        "version": metadata.format_version,
        "use_deprecated_int96_timestamps": any(c.physical_type == "INT96" for c in types),
        "store_decimal_as_integer": any(
            c.logical_type.type == "DECIMAL" and c.physical_type in ("INT32", "INT64")
            for c in types
        ),
        "store_schema": b"ARROW:schema" in (metadata.metadata or {}),
        "use_compliant_nested_type": False,  # the names of list elements as they are
        "compression": "snappy",
    }
    if metadata.num_row_groups:
        group = metadata.row_group(0)
        chunks = [group.column(n) for n in range(group.num_columns)]
        codecs = {chunk.path_in_schema: _codec(chunk.compression) for chunk in chunks}
        same = set(codecs.values())
        settings["compression"] = codecs if len(same) > 1 else same.pop()
    return settings


def _codec(name: str) -> str:
    return "none" if name == "UNCOMPRESSED" else name.lower()


def avro_blocks(body: bytes) -> bytes:
    """The data of an Avro file, uncompressed; other files as they are.

    https://avro.apache.org/docs/1.12.0/specification/#object-container-files
    """
    if not body.startswith(_AVRO):
        return body
    source = io.BytesIO(body)
    source.seek(len(_AVRO))
    codec = b""
    while count := _long(source):
        if count < 0:
            _long(source)
        for _ in range(abs(count)):
            name, value = (source.read(_long(source)) for _ in range(2))
            codec = value if name == b"avro.codec" else codec
    sync, blocks = source.read(16), []
    while source.tell() < len(body):
        _long(source)
        data = source.read(_long(source))
        if source.read(16) != sync or codec not in (b"", b"null", b"deflate"):
            raise BrokenError(f"no readable Avro file (codec {codec.decode()})")
        blocks.append(zlib.decompress(data, -15) if codec == b"deflate" else data)
    return b"".join(blocks)


def _long(source: io.BytesIO) -> int:
    """Avro's variable-length integer."""
    number = shift = 0
    while byte := source.read(1):
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    return (number >> 1) ^ -(number & 1)


def texts_of(body: bytes) -> bytes:
    """All that a file of any format holds, as bytes in which to search for texts."""
    if not is_parquet(body):
        return unpacked(body)
    try:
        rows = pq.read_table(io.BytesIO(body)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BrokenError(f"no readable Parquet file: {error}") from None
    return "\n".join(text for row in rows for text in texts_in(row)).encode()
