"""Convert a change record to an event row: pure, driven by the schema, exact.

`compile_schema` reads the schema once and returns the function that makes rows. A number keeps
the digits that DynamoDB wrote (`orjson.Fragment`); it never becomes a binary float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import orjson
from orjson import Fragment

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would slow the cold start
    from typing import Any, TypeAlias

    Row: TypeAlias = dict[str, Any]  # an event row: column to a value that orjson.dumps writes
    _Read: TypeAlias = Callable[[Any], Any]  # converts a DynamoDB value to a row's value
    _Type: TypeAlias = str | Mapping[str, Any]  # as in the schema's JSON: a name, or a tree

_IMAGES = {
    "INSERT": "NewImage",
    "MODIFY": "NewImage",
    "REMOVE": "OldImage",
    "SNAPSHOT": "NewImage",  # built by `python -m operate snapshot`
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GZIP = b"\x1f\x8b"
_MAX_DEPTH = 32  # DynamoDB's limit on nesting
_DIGITS = 38  # DynamoDB's limit on significant digits
PSEUDONYM = "PSEUDONYM"
"""The type tag of a value that is a pseudonym already, in a change record that was rebuilt from its
row (`operate.changes.from_row`). DynamoDB has no such type, so no item can hold it."""
_LONGEST = len("-0.") + 130 + _DIGITS

MAX_ANSWER = 6_000_000
"""Bytes. A synchronous Lambda response over 6 MB fails, and with it Firehose's whole batch:
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html"""
ENVELOPE = 200
"""Upper bound of the bytes around a record's data in the response."""

MAX_JSON = 4 * 2**20
"""Limit on the JSON in a compressed record, in bytes: a change with one image. An item has at most
400 KB, and its JSON at most 9 bytes for each (a list of empty strings). Numbers near 1E-130 take
more, but their rows would not fit into a response anyway."""
MAX_BRACKETS = 405 * 1024
"""Limit on ``[`` and ``{`` in such a record, which bounds the memory of a malicious one. DynamoDB
counts at least a byte for each value and each character; the keys appear twice."""

# _PLAIN: nearly all numbers as DynamoDB writes them; _NUMBER: every form that an item may hold.
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_HEAD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[.\[]")  # of a path
_BELOW_MICROSECONDS = re.compile(r"[.,][0-9]{6}[0-9]*[1-9]")


class RecordError(ValueError):
    """Why a record cannot become a row. The message names columns and types, never order data."""


class NotAChangeRecord(RecordError):  # noqa: N818 - logged by this name, as the reason
    """JSON, but not a DynamoDB Streams record."""


class SchemaMismatch(RecordError):  # noqa: N818
    """The schema's columns cannot hold the item exactly."""


class NotJson(RecordError):  # noqa: N818
    """Not exactly one JSON document in UTF-8, plain or compressed."""


class ChangeTooLarge(RecordError):  # noqa: N818
    """A compressed record larger than any change can be."""


def unpack(data: bytes) -> bytes:
    """Decompress a gzip record; return any other record unchanged."""
    if data[:2] != _GZIP:
        return data
    import zlib  # noqa: PLC0415 - rarely needed; would slow the cold start

    gzip = zlib.decompressobj(wbits=31)
    try:
        plain = gzip.decompress(data, MAX_JSON + 1)
    except zlib.error:
        raise NotJson("broken gzip") from None
    if len(plain) > MAX_JSON or plain.count(b"[") + plain.count(b"{") > MAX_BRACKETS:
        raise ChangeTooLarge("compressed, and larger than the JSON of any item's image")
    if not gzip.eof or gzip.unused_data.strip(b"\0"):  # zeros may follow
        raise NotJson("broken gzip")
    return plain


def parse(plain: bytes) -> Any:
    """Parse an uncompressed record."""
    try:
        return orjson.loads(plain)
    except orjson.JSONDecodeError:  # its message would quote order data
        raise NotJson("not one JSON document in UTF-8") from None


def hashes(document: Mapping[str, Any]) -> bool:
    """Whether a schema has columns of which rows hold pseudonyms, so that a key is needed."""
    return any(column["privacy"] == "hash" for column in document["columns"])


def pseudonyms(key: bytes) -> Callable[[str], str]:
    """Make the function that gives a text's pseudonym: its HMAC-SHA-256, in hexadecimal."""
    import hmac  # noqa: PLC0415 - only for hashed columns; would slow the cold start

    keyed = hmac.new(key, digestmod="sha256")

    def pseudonym(text: str) -> str:
        digest = keyed.copy()  # half the time of a new one
        digest.update(text.encode())
        return digest.hexdigest()

    return pseudonym


def compile_schema(
    document: Mapping[str, Any], pseudonym: Callable[[str], str] | None = None
) -> Callable[[Any], Row]:
    """Make the function that converts change records to rows.

    Parameters
    ----------
    document:
        Output of ``Schema.to_json``: ``key``, ``sort_key``, ``unknown_attributes``, ``columns``
        (name, attribute, type, hive, required, privacy, and the tree of a nested type).
    pseudonym:
        From `pseudonyms`, for a schema with hashed columns.

    Returns
    -------
    ``to_row(change)``, which returns one parsed change record's event row or raises `RecordError`.

    Examples
    --------
    >>> to_row = compile_schema({"key": "id", "sort_key": None, "unknown_attributes": "keep",
    ...     "columns": [{"name": "id", "attribute": "Id", "type": "string", "hive": "string",
    ...     "required": True, "privacy": "keep"}]})
    >>> to_row({"eventID": "e1", "eventName": "REMOVE", "dynamodb": {"Keys": {"Id": {"S": "a"}},
    ...     "SequenceNumber": "7", "ApproximateCreationDateTime": 1.5}})["creation_time"]
    '1970-01-01 00:00:01.500'
    """
    keys = [name for name in (document["key"], document["sort_key"]) if name]
    columns = [_Column(one, one["name"] in keys, pseudonym) for one in document["columns"]]
    keep_unknown = document["unknown_attributes"] == "keep"
    usual_row = _usual_row(columns, keep_unknown)
    any_row = _any_row(columns, keys, keep_unknown)

    def to_row(change: Any) -> Row:
        try:
            return usual_row(change)
        except (AttributeError, KeyError, TypeError, ValueError):
            return any_row(change)

    return to_row


class _Column:
    """A column of the schema, with the readers of its type."""

    def __init__(
        self, declared: Mapping[str, Any], is_key: bool, pseudonym: Callable[[str], str] | None
    ) -> None:
        self.name: str = declared["name"]
        self.attribute: str = declared["attribute"]
        self.required: bool = declared["required"]
        self.is_key = is_key
        self.dropped = declared["privacy"] == "drop"
        kind = declared["type"].strip()
        kind = declared["hive"] if kind.startswith("decimal") else kind  # without its spaces
        self.type: _Type = declared.get("tree", kind)
        # Only a number's, a text's and the like: the others are read by converters.
        self.readers = {} if type(self.type) is dict or kind == "json" else _readers(kind, is_key)
        if declared["privacy"] == "hash":
            if pseudonym is None:
                raise ValueError(f"column {self.name}: hashed, but there is no key")
            self.readers = {"S": pseudonym, PSEUDONYM: _text}


def _usual_row(columns: Sequence[_Column], keep_unknown: bool) -> Callable[[Any], Row]:
    """Generate the fast path, for a record whose image has every column in its usual type.

    For any other record the generated function raises. What it returns, `_any_row` would return
    too, in twice the time: the fast path has no loops and few calls and look-ups. Like
    `dataclasses`, this generates source text from the columns, once.
    """
    scope: dict[str, Any] = {"IMAGES": _IMAGES, "creation_time": _creation_time}
    scope |= {"sequence_number": _sequence_number, "deleted_by": _deleted_by}
    reads, texts, items, typed = [], ["event_id"], [], []
    for index, column in enumerate(columns):
        if column.dropped:
            items.append(f"{column.name!r}: None")
            continue
        source = "keys" if column.is_key else "image"
        value = f"{source}[{column.attribute!r}]"
        if not column.readers:
            scope[f"read{index}"] = _converter(column.type, strict=keep_unknown)
            items.append(f"{column.name!r}: read{index}({value})")
            continue
        tag, read = next(iter(column.readers.items()))
        reads.append(f"v{index} = {value}; c{index} = v{index}[{tag!r}]")
        typed.append(f"v{index}")
        if read is _text:
            texts.append(f"c{index}")
            items.append(f"{column.name!r}: c{index}")
        else:
            scope[f"read{index}"] = read
            items.append(f"{column.name!r}: read{index}(c{index})")
    keys = [column.attribute for column in columns if column.is_key]
    counted, total, tests = ["keys", *typed], len(keys) + len(typed), []
    if keep_unknown:  # then the image must hold the columns' attributes and no others
        counted, total = ["image", *counted], len(columns) + total
        unread = [*keys, *(column.attribute for column in columns if column.dropped)]
        tests = [f"{attribute!r} not in image" for attribute in unread]
    # Each dict holds at least what was read from it, so a matching total means none holds more.
    sizes = " + ".join(f"len({one})" for one in counted)
    tests += [f"not ({' is '.join(f'type({text})' for text in texts)} is str)", "not event_id"]
    code = f"""
def usual_row(change):
    event_type = change["eventName"]
    event_id = change["eventID"]
    stream = change["dynamodb"]
    keys = stream["Keys"]
    image = stream[IMAGES[event_type]]
    {"; ".join(reads)}
    if {sizes} != {total} or {" or ".join(tests)}:
        raise ValueError
    return {{
        {", ".join(items)},
        "extras": None,
        "event_type": event_type,
        "creation_time": creation_time(stream["ApproximateCreationDateTime"]),
        "event_id": event_id,
        "sequence_number": sequence_number(stream["SequenceNumber"]),
        "deleted_by": deleted_by(change) if event_type == "REMOVE" else None,
    }}
"""
    exec(code, scope)  # noqa: S102 - contains only the schema's names, as literals
    return scope["usual_row"]  # type: ignore[no-any-return]


def _any_row(
    columns: Sequence[_Column], keys: Sequence[str], keep_unknown: bool
) -> Callable[[Any], Row]:
    """Make the function that handles any change record and names what is wrong with a bad one."""
    known = {c.attribute: (c, _converter(c.type, c.readers)) for c in columns if not c.dropped}
    dropped = {c.attribute for c in columns if c.dropped}
    key_attributes = [c.attribute for name in keys for c in columns if c.name == name]
    required = [c.name for c in columns if c.required and not c.is_key]
    nested = {c.attribute: c.type for c in columns if type(c.type) is dict}
    blank: Row = dict.fromkeys([*(c.name for c in columns), "extras"])  # copied: order and nulls

    def any_row(change: Any) -> Row:
        try:
            stream = change["dynamodb"]
            event_type = change["eventName"]
            item_keys = stream["Keys"]
            image = stream.get(_IMAGES[event_type])
            row = blank.copy()
            unknown = {}
            # No image: a REMOVE of a NEW_IMAGE stream, and every record of a KEYS_ONLY stream.
            for attribute, value in (item_keys if image is None else image).items():
                if attribute not in known:
                    if keep_unknown and attribute not in dropped:
                        unknown[_top_name(attribute, nested)] = value
                elif not known[attribute][0].is_key:
                    _fill(row, *known[attribute], value)
                    if keep_unknown and attribute in nested:
                        _find_unknown(
                            nested[attribute], value, _step(attribute, first=True), unknown
                        )
            for attribute in key_attributes:
                column, _ = known[attribute]
                _fill(row, *known[attribute], item_keys[attribute])
                if row[column.name] is None:
                    raise SchemaMismatch(f"column {column.name}: a key cannot be NULL")
            if unknown:
                row["extras"] = _extras(unknown)
            row["event_type"] = event_type
            row["creation_time"] = _creation_time(stream["ApproximateCreationDateTime"])
            row["event_id"] = _event_id(change["eventID"])
            row["sequence_number"] = _sequence_number(stream["SequenceNumber"])
            row["deleted_by"] = _deleted_by(change) if event_type == "REMOVE" else None
        except (AttributeError, KeyError, TypeError) as error:
            raise NotAChangeRecord("not in the format of DynamoDB Streams") from error
        if image is not None:
            for name in required:
                if row[name] is None:
                    raise SchemaMismatch(f"column {name}: required, but missing or NULL")
        return row

    return any_row


def _fill(row: Row, column: _Column, convert: _Read, value: Any) -> None:
    try:
        row[column.name] = convert(value)
    except _MisfitError as misfit:
        path = column.name + "".join(reversed(misfit.steps))
        raise SchemaMismatch(f"column {path}: {misfit}") from misfit


def _event_id(text: Any) -> str:
    if type(text) is str and text:
        return text
    raise NotAChangeRecord("eventID is not a non-empty string")


def _sequence_number(text: Any) -> str:
    if len(text) <= 40 and text.isdigit() and text.isascii():
        return text.zfill(40)  # type: ignore[no-any-return]
    raise NotAChangeRecord("SequenceNumber is not a string of up to 40 digits")


def _deleted_by(change: Mapping[str, Any]) -> str | None:
    """``ttl`` if DynamoDB itself deleted the item:

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    """
    identity = change.get("userIdentity")
    if type(identity) is not dict:
        return None
    kind = identity.get("type", identity.get("Type"))
    who = identity.get("principalId", identity.get("PrincipalId"))
    return "ttl" if kind == "Service" and who == "dynamodb.amazonaws.com" else None


@lru_cache(maxsize=1024, typed=True)  # DynamoDB Streams rounds to the second: few values per batch
def _creation_time(seconds: Any) -> str:
    if type(seconds) is not int and type(seconds) is not float:
        raise NotAChangeRecord("ApproximateCreationDateTime is not a number")
    try:
        return _utc_text(_EPOCH + timedelta(milliseconds=round(seconds * 1000)))
    except OverflowError as error:
        raise NotAChangeRecord("ApproximateCreationDateTime is outside years 1-9999") from error


# --- Converters: from DynamoDB's typed value, {"N": "19.99"}, to a row's value ---


class _MisfitError(ValueError):
    """A value that its type cannot hold. ``steps`` is the path to it, innermost first."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.steps: list[str] = []


def _converter(
    type_: _Type, readers: Mapping[str, _Read] | None = None, *, strict: bool = False
) -> _Read:
    """Make the converter of a type's values; it raises `_MisfitError`.

    Parameters
    ----------
    readers:
        Those of a scalar type, if they exist already.
    strict:
        Raise ValueError for a struct's unknown members, instead of leaving them out.
    """
    if type_ == "json":
        return _json
    readers = readers or (
        _readers(type_, False) if isinstance(type_, str) else _nested_readers(type_, strict)
    )
    usual, read_usual = next(iter(readers.items()))
    name = type_ if isinstance(type_, str) else next(iter(type_))

    def convert(value: Any) -> Any:
        content = value.get(usual)
        try:
            if content is not None and len(value) == 1:
                return read_usual(content)
            ((tag, content),) = value.items()
            if tag == "NULL" and content is True:
                return None
            if tag in readers:
                return readers[tag](content)
        except _MisfitError:
            raise
        except ValueError as error:  # the content does not fit, or the value is not one type
            raise _MisfitError(f"{name} cannot hold this value exactly") from error
        raise _MisfitError(f"{name} is read only from {' or '.join(readers)}")

    return convert


def _nested_readers(type_: Mapping[str, Any], strict: bool) -> dict[str, _Read]:
    """Return a reader for each DynamoDB type that the nested type accepts."""
    ((kind, of),) = type_.items()
    if kind == "struct":
        return {"M": _struct([(name, _converter(t, strict=strict)) for name, t in of], strict)}
    inner = _converter(of, strict=strict)
    if kind == "map":
        return {"M": _map(inner)}
    read = _array(inner)
    return {
        "L": read,
        "SS": lambda content: read([{"S": text} for text in sorted(map(_text, _list(content)))]),
        "NS": lambda content: read([{"N": text} for text in sorted(_list(content), key=Decimal)]),
        "BS": lambda content: read([{"B": text} for text in sorted(map(_text, _list(content)))]),
    }


def _struct(fields: Sequence[tuple[str, _Read]], strict: bool) -> _Read:
    members = [(member, member.lower(), convert) for member, convert in fields]

    def read(content: Any) -> Row:
        if type(content) is not dict:
            raise TypeError
        row = {}
        found = 0
        try:
            for member, name, convert in members:
                if member in content:
                    row[name] = convert(content[member])
                    found += 1
                else:
                    row[name] = None
        except _MisfitError as misfit:
            misfit.steps.append(_step(member))
            raise
        if strict and found != len(content):
            raise ValueError
        return row

    return read


def _array(convert: _Read) -> _Read:
    def read(content: Any) -> list[Any]:
        values: list[Any] = []
        try:
            for value in _list(content):
                values.append(convert(value))
        except _MisfitError as misfit:
            misfit.steps.append(f"[{len(values)}]")  # no comprehension: this is the index
            raise
        return values

    return read


def _map(convert: _Read) -> _Read:
    def read(content: Any) -> Row:
        try:
            return {name: convert(value) for name, value in content.items()}
        except _MisfitError as misfit:
            misfit.steps.append(".*")  # the keys are data
            raise

    return read


def _json(value: Any) -> str | None:
    """Any value as JSON text, in the form of `extras`."""
    if "NULL" in value and len(value) == 1:
        return _null(value["NULL"])
    try:
        return _json_text(_untyped(value, 1))
    except (ArithmeticError, ValueError) as error:
        raise _MisfitError("not a valid DynamoDB value") from error


def _readers(type_: str, is_key: bool) -> dict[str, _Read]:
    """Return a reader for each DynamoDB type that the scalar type accepts, the usual one first.

    A reader raises ValueError for a value that the column cannot hold exactly, and TypeError for
    content that DynamoDB would not write.
    """
    if type_.startswith("decimal("):
        precision, scale = map(int, type_[len("decimal(") : -1].split(","))
        return {"N": _number(precision - scale, scale)}
    if type_ == "string" and is_key:
        return {"S": _text, "N": _any_number}
    by_type: dict[str, dict[str, _Read]] = {
        "string": {"S": _text},
        "int": {"N": _number(9, 0, limit=2**31)},
        "bigint": {"N": _number(18, 0, limit=2**63)},
        "double": {"N": _any_fragment},
        "boolean": {"BOOL": _bool},
        "date": {"S": _date},
        "timestamp": {"S": _instant, "N": _epoch},
        "binary": {"B": _text},
    }
    return by_type[type_]


def _text(text: Any) -> str:
    if type(text) is str:
        return text
    raise TypeError


def _bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise TypeError


def _date(text: str) -> str:
    if date.fromisoformat(text).isoformat() == text:
        return text
    raise ValueError


def _instant(text: str) -> str:
    """ISO 8601 as a UTC timestamp; without an offset it is taken as UTC."""
    moment = datetime.fromisoformat(text)
    # 2026-11-21T02:18:00.123Z, as most applications write it: no other valid text passes.
    if (
        len(text) == 24
        and text[10] == "T"
        and text[19] == "."
        and text[23] == "Z"
        and text[5] != "W"
    ):
        return text[:23].replace("T", " ")
    if len(text) <= len("2026-11-21") or _BELOW_MICROSECONDS.search(text):
        raise ValueError  # a date is not an instant; fromisoformat truncates a seventh digit
    try:
        return _utc_text(moment.astimezone(UTC) if moment.tzinfo else moment)
    except OverflowError as error:
        raise ValueError from error


def _epoch(text: str) -> str:
    """Epoch seconds as a UTC timestamp."""
    plain, _, scale = _plain(text)
    if scale > 6:
        raise ValueError
    try:
        return _utc_text(_EPOCH + timedelta(microseconds=int(Decimal(plain).scaleb(6))))
    except OverflowError as error:
        raise ValueError from error


def _utc_text(moment: datetime) -> str:
    """``YYYY-MM-DD HH:MM:SS.mmm``, with six digits where three would lose precision."""
    digits = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(" ", digits)


# --- Numbers: usual text matches a pattern and stays unchanged; anything else is normalized ---


def _number(whole: int, scale: int, limit: int | None = None) -> Callable[[str], Fragment]:
    """Make a reader of numbers with at most ``whole`` and ``scale`` digits, or within ``limit``."""
    usual = re.compile(
        (f"-?(?:0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "-?0")
        + (rf"(?:\.[0-9]{{1,{scale}}})?" if scale else "")
    ).fullmatch

    # Prices and quantities repeat, and a Fragment is immutable: rows share it.
    @lru_cache(maxsize=4096)
    def read(text: str) -> Fragment:
        if usual(text):
            return Fragment(text)
        plain, whole_digits, scale_digits = _plain(text)
        fits = whole_digits <= whole if limit is None else -limit <= Decimal(plain) < limit
        if scale_digits > scale or not fits:
            raise ValueError
        return Fragment(plain)

    return read


def _any_number(text: str) -> str:
    return text if len(text) <= _DIGITS and _PLAIN.fullmatch(text) else _plain(text)[0]


def _any_fragment(text: str) -> Fragment:
    return Fragment(_any_number(text))


def _plain(text: str) -> tuple[str, int, int]:
    """A number without exponent or padding zeros, and its digits before and after the point.

    Raises
    ------
    ValueError
        Not a number, over 38 significant digits, or beyond 1E-130 to 9.99E+125: DynamoDB's limits,
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise ValueError
    number = Decimal(text)
    if not number:
        return "0", 0, 0
    if not -130 <= number.adjusted() <= 125:
        raise ValueError
    whole, _, fraction = f"{number:f}".partition(".")
    fraction = fraction.rstrip("0")
    if len((whole.removeprefix("-") + fraction).strip("0")) > _DIGITS:
        raise ValueError
    return f"{whole}.{fraction}" if fraction else whole, len(whole.lstrip("-0")), len(fraction)


# --- Attributes that are not in the schema ---


def _find_unknown(type_: _Type, value: Any, path: str, unknown: dict[str, Any]) -> None:
    """Add the members that the structs in a converted value do not declare, by their paths."""
    if isinstance(type_, str):
        return
    ((kind, of),) = type_.items()
    if kind == "array":
        for index, inner in enumerate(value.get("L", ())):
            _find_unknown(of, inner, f"{path}[{index}]", unknown)
    elif kind == "map":
        for name, inner in value.get("M", {}).items():
            _find_unknown(of, inner, path + _step(name), unknown)
    else:
        fields = dict(of)
        for name, inner in value.get("M", {}).items():
            if name in fields:
                _find_unknown(fields[name], inner, path + _step(name), unknown)
            else:
                unknown[path + _step(name)] = inner


def _step(name: str, *, first: bool = False) -> str:
    """A name in a path: ``.color``, or ``["a b"]`` if it is not letters, digits and ``_``."""
    if name.isascii() and name.isidentifier():
        return name if first else f".{name}"
    return f"[{orjson.dumps(name).decode()}]"


def _top_name(attribute: str, nested: Container[str]) -> str:
    """An attribute's name in extras; as a path if it could be taken for one into a column."""
    head = _HEAD.match(attribute)
    if nested and (attribute.startswith("[") or (head and head[1] in nested)):
        return f"[{orjson.dumps(attribute).decode()}]"
    return attribute


def _extras(attributes: Mapping[str, Any]) -> str:
    try:
        return _json_text({name: _untyped(value, 1) for name, value in attributes.items()})
    except (ArithmeticError, ValueError) as error:
        raise SchemaMismatch("an attribute is not a valid DynamoDB value") from error


def _json_text(plain: Any) -> str:
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()


def _untyped(value: Any, depth: int) -> Any:
    """Any DynamoDB value as JSON: text for S and B, digits of N unchanged, sets sorted."""
    ((tag, content),) = value.items()
    if depth <= _MAX_DEPTH and tag == "M":
        return {name: _untyped(inner, depth + 1) for name, inner in content.items()}
    if depth <= _MAX_DEPTH and tag == "L":
        return [_untyped(inner, depth + 1) for inner in _list(content)]
    return _SCALARS[tag](content)


def _list(content: Any) -> list[Any]:
    if type(content) is list:
        return content
    raise TypeError


def _null(content: Any) -> None:
    if content is not True:
        raise TypeError


_SCALARS: dict[str, _Read] = {
    "S": _text,
    "N": _any_fragment,
    "B": _text,
    "BOOL": _bool,
    "NULL": _null,
    "SS": lambda texts: sorted(map(_text, _list(texts))),
    "BS": lambda texts: sorted(map(_text, _list(texts))),
    "NS": lambda texts: [_any_fragment(text) for text in sorted(_list(texts), key=Decimal)],
}
