"""What DuckDB cannot say: pieces of Trino's functions in Python and SQL.

A Python function gets no NULLs. It raises ``Wrong``, whose text begins with Trino's error name.
"""

# ruff: noqa: E501  (SQL)

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import duckdb

from local.athena.results import java_double
from local.athena.types import read_type


class Wrong(ValueError):  # noqa: N818  (its text is the error)
    """``NAME: message``."""


def _not_cast(value: object, kind: str) -> Wrong:
    return Wrong(f"INVALID_CAST_ARGUMENT: Cannot cast '{value}' to {kind}")


# -- casts -----------------------------------------------------------------------------------------


def double_text(value: float) -> str:
    """``CAST(x AS varchar)`` of a double: ``1.0E-1``."""
    if math.isnan(value) or math.isinf(value):
        return java_double(value)
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    if abs(value) >= 1e22:  # Java's formatter does not always give the shortest digits there
        raise Wrong("NOT_SUPPORTED: This local Athena does not support a double above 1e22 as text")
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) - 1 + exponent
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def cast_integer(value: str, kind: str) -> int:
    """``CAST(text AS integer)`` and its kin."""
    bits = {"TINYINT": 7, "SMALLINT": 15, "INT": 31, "BIGINT": 63}[kind]
    text = value.strip(" \t\n\r\f\v")
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**bits) <= int(text) < 2**bits:
        raise _not_cast(value, kind)
    return int(text)


def cast_double(value: str) -> str:
    """``CAST(text AS double)``; as text that DuckDB takes, for it takes no NaN from Python."""
    text = value.strip(" \t\n\r\f\v")
    if re.fullmatch(r"[+-]?(NaN|Infinity)", text):
        return text.replace("+", "")
    if "0x" in text.lower():
        raise Wrong("NOT_SUPPORTED: This local Athena does not support doubles in base 16")
    match = re.fullmatch(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[dDfF]?", text)
    if not match:
        raise _not_cast(value, "DOUBLE")
    return repr(float(match[1]))


def cast_decimal(value: str, precision: int, scale: int) -> str:
    """``CAST(text AS decimal)``; the digits as text."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        raise _not_cast(value, f"DECIMAL({precision}, {scale})")
    return round_decimal(value, precision, scale)


def round_decimal(value: str, precision: int, scale: int) -> str:
    """A number's text rounded half up to the scale; it must fit."""
    try:
        exact = Decimal(value)
        digits = int((exact.scaleb(scale, _WIDE)).to_integral_value(ROUND_HALF_UP, _WIDE))
    except (InvalidOperation, ValueError, OverflowError):
        raise _not_cast(value, f"DECIMAL({precision}, {scale})") from None
    if abs(digits) >= 10**precision:
        raise _not_cast(value, f"DECIMAL({precision}, {scale})")
    return f"{Decimal(digits).scaleb(-scale, _WIDE):f}"


_WIDE = __import__("decimal").Context(prec=400)


def divide(a: str, b: str, shift: int, scale: int) -> str:
    """``a * 10**shift / b`` of digits without a point, rounded half up, with the point put in."""
    dividend, divisor = int(a) * 10**shift, int(b)
    if not divisor:
        raise Wrong("DIVISION_BY_ZERO: Division by zero")
    sign = -1 if (dividend < 0) != (divisor < 0) else 1
    found = sign * ((2 * abs(dividend) + abs(divisor)) // (2 * abs(divisor)))
    if abs(found) >= 10**38:
        raise Wrong("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    return f"{Decimal(found).scaleb(-scale, _WIDE):f}"


def cast_boolean(value: str) -> bool:
    """``CAST(text AS boolean)``."""
    if value.lower() in ("true", "t", "1"):
        return True
    if value.lower() in ("false", "f", "0"):
        return False
    raise _not_cast(value, "BOOLEAN")


def cast_date(value: str) -> date:
    """``CAST(text AS date)``."""
    match = re.fullmatch(r"\s*([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})\s*", value)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    if re.fullmatch(r"\s*(-\d+|[+]?\d{5,})-\d{1,2}-\d{1,2}\s*", value):
        raise Wrong(
            "NOT_SUPPORTED: This local Athena does not support dates before 1 or after 9999"
        )
    raise Wrong(f"INVALID_CAST_ARGUMENT: Value cannot be cast to date: {value}")


_MOMENT = re.compile(
    r"([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})(?: ([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})"
    r"(?:\.([0-9]{1,12}))?)?)?(?:\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d\d)?|[A-Za-z_]+/[\w/+-]+))?"
)


def moment(value: str, digits: int) -> tuple[datetime, str | None]:
    """A timestamp rounded to so many digits of a second, and the zone that the text names."""
    match = _MOMENT.fullmatch(value.strip())
    if not match:
        raise Wrong(f"INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: {value}")
    *parts, fraction, zone = match.groups()
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        found = datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise Wrong(f"INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: {value}") from None
    if fraction:
        step = 10 ** (6 - digits)
        rounded = round_decimal(f"0.{fraction}", 38, digits)
        found += timedelta(microseconds=int(Decimal(rounded).scaleb(digits)) * step)
    return found, zone


def cast_timestamp(value: str, digits: int) -> datetime:
    """``CAST(text AS timestamp)``; a zone in the text is ignored, as Trino does."""
    return moment(value, digits)[0]


_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?)?"
    r"(Z|[+-]\d{2}:?\d{2})?)?"
)


def iso_timestamp(value: str) -> tuple[datetime, str]:
    """The local time and the zone of an ISO 8601 text."""
    match = _ISO.fullmatch(value)
    wrong = Wrong(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{value}"')
    if not match:
        raise wrong
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    millis = int((fraction or "")[:3].ljust(3, "0"))
    try:
        found = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0)
        )
        found += timedelta(seconds=int(second or 0), milliseconds=millis)
    except ValueError:
        raise wrong from None
    if zone in (None, "Z"):
        return found, "UTC"
    assert zone is not None
    return found, zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"


def iso_utc(value: str) -> datetime:
    """``from_iso8601_timestamp`` of a text in UTC; one in another zone would have to keep it."""
    found, zone = iso_timestamp(value)
    if zone not in ("UTC", "+00:00"):
        raise Wrong(
            "NOT_SUPPORTED: This local Athena does not support from_iso8601_timestamp of a column "
            f"with times that are not in UTC: {value}"
        )
    return found


def iso_date(value: str) -> date:
    """``from_iso8601_date``."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}-\d", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Wrong(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{value}"')


def parse_time(value: str, pattern: str) -> datetime:
    """``date_parse``, with a pattern of strptime."""
    try:
        return datetime.strptime(value, pattern).replace(
            **({} if re.search("%[Yy]", pattern) else {"year": 1970})  # type: ignore[arg-type]
        )
    except ValueError:
        raise Wrong(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{value}"') from None


# -- text ------------------------------------------------------------------------------------------


def upper(value: str) -> str:
    """Letter by letter, as Trino does: ``ß`` stays."""
    return "".join(one.upper() if len(one.upper()) == 1 else one for one in value)


def lower(value: str) -> str:
    """Letter by letter."""
    return "".join(one.lower()[0] for one in value)


def strpos(value: str, part: str, instance: int) -> int:
    """The place of the nth occurrence, from the end if n is negative."""
    if instance == 0:
        raise Wrong(
            "INVALID_FUNCTION_ARGUMENT: 'instance' must not be a positive or negative number."
        )
    if not part:
        return 1
    place = -1 if instance > 0 else len(value) + 1
    for _ in range(abs(instance)):
        if instance > 0:
            place = value.find(part, place + 1)
        else:
            place = value.rfind(part, 0, place + len(part) - 1) if place > 0 else -1
        if place < 0:
            return 0
    return place + 1


def split(value: str, separator: str, limit: int) -> list[str]:
    """``split``; a limit of 0 is none."""
    if not separator:
        raise Wrong("INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string")
    if limit < 0:
        raise Wrong("INVALID_FUNCTION_ARGUMENT: Limit must be positive")
    return value.split(separator, limit - 1 if limit else -1)


def split_part(value: str, separator: str, index: int) -> str | None:
    """``split_part``."""
    if index < 1:
        raise Wrong("INVALID_FUNCTION_ARGUMENT: Index must be greater than zero")
    parts = value.split(separator) if separator else list(value)
    return parts[index - 1] if index <= len(parts) else None


def pad(value: str, length: int, padding: str, left: bool) -> str:
    """``lpad`` and ``rpad``."""
    if length < 0 or not padding:
        what = "Padding string must not be empty" if length >= 0 else "Target length must be >= 0"
        raise Wrong(f"INVALID_FUNCTION_ARGUMENT: {what}")
    missing = length - len(value)
    if missing <= 0:
        return value[:length]
    filled = (padding * (missing // len(padding) + 1))[:missing]
    return filled + value if left else value + filled


def replace(value: str, old: str, new: str) -> str:
    """``replace``."""
    return value.replace(old, new)


def translate(value: str, old: str, new: str) -> str:
    """``translate``; the first of a repeated letter counts."""
    table: dict[int, str | None] = {}
    for i, letter in enumerate(old):
        table.setdefault(ord(letter), new[i] if i < len(new) else None)
    return value.translate(table)


def regexp(value: str, pattern: str) -> list[tuple[str | None, ...]]:
    """All matches of a pattern, the whole match first in each."""
    found = re.compile(pattern, re.ASCII).finditer(value)
    return [(match[0], *match.groups()) for match in found]


def regexp_extract(value: str, pattern: str, group: int) -> str | None:
    """``regexp_extract``."""
    match = re.compile(pattern, re.ASCII).search(value)
    return match[group] if match else None


def regexp_extract_all(value: str, pattern: str, group: int) -> list[str | None]:
    """``regexp_extract_all``."""
    return [one[group] for one in regexp(value, pattern)]


def regexp_replace(value: str, pattern: str, new: str) -> str:
    """``regexp_replace``, with Python's way to write groups."""
    return re.compile(pattern, re.ASCII).sub(new, value)


def regexp_split(value: str, pattern: str) -> list[str]:
    """``regexp_split``."""
    return re.split("(?a)" + pattern, value) if not re.search(r"\((?!\?)", pattern) else [value]


def regexp_count(value: str, pattern: str) -> int:
    """``regexp_count``."""
    return len(regexp(value, pattern))


def regexp_like(value: str, pattern: str) -> bool:
    """``regexp_like``."""
    return re.compile(pattern, re.ASCII).search(value) is not None


def url_encode(value: str) -> str:
    """``url_encode``."""
    return quote_plus(value, safe="*-._").replace("~", "%7E")


def url_decode(value: str) -> str:
    """``url_decode``."""
    return unquote_plus(value)


def from_hex(value: str) -> bytes:
    """``from_hex``."""
    try:
        return bytes.fromhex(value) if " " not in value else bytes.fromhex("x")
    except ValueError:
        raise Wrong("INVALID_FUNCTION_ARGUMENT: invalid input length or character") from None


def from_utf8(value: bytes) -> str:
    """``from_utf8``; what is no UTF-8 becomes the replacement character."""
    return value.decode("utf-8", "replace")


# -- JSON ------------------------------------------------------------------------------------------


class _Number(str):
    """A number as it is written; JSON's strings are plain ``str``."""

    __slots__ = ()


def _loads(value: str) -> Any:
    """The document, numbers as written; the first of repeated keys counts."""

    found, _ = _decoder_first.raw_decode(value.lstrip(" \t\n\r"))
    return found


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decoder_first = json.JSONDecoder(
    object_pairs_hook=_first, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
)
_decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_no_constant)


def _written(value: Any, *, ordered: bool = False) -> str:
    """JSON as Trino writes it: no spaces, numbers with a fraction as Java's doubles."""
    if isinstance(value, _Number):
        return value if re.fullmatch(r"-?\d+", value) else java_double(float(value))
    if isinstance(value, dict):
        items = sorted(value.items()) if ordered else value.items()
        return (
            "{" + ",".join(f"{_string(k)}:{_written(v, ordered=ordered)}" for k, v in items) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(_written(one, ordered=ordered) for one in value) + "]"
    return _string(value)


def _string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_STEP = re.compile(r'\.([\w$]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')


def json_path(path: str) -> list[str | int]:
    """The steps of a path of ``json_extract``: keys and indices.

    Raises
    ------
    ValueError
        It is none, or more than that.
    """
    if not path.startswith("$"):
        raise ValueError(path)
    steps: list[str | int] = []
    place = 1
    while place < len(path):
        match = _STEP.match(path, place)
        if not match or (match[1] and match[1].startswith("$")):
            raise ValueError(path)
        key = match[1] if match[1] is not None else match[2]
        steps.append(int(match[3]) if key is None else key)
        place = match.end()
    return steps


_NOTHING = object()


def _at(document: str, path: str) -> Any:
    try:
        value = _loads(document)
    except ValueError:
        if document.lstrip()[:1] in ("{", "["):  # Trino answers from what comes before the error
            raise Wrong("NOT_SUPPORTED: This local Athena does not support broken JSON") from None
        return _NOTHING
    for step in json_path(path):
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return _NOTHING
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def json_extract(document: str, path: str) -> str | None:
    """``json_extract``."""
    value = _at(document, path)
    return None if value is _NOTHING else _written(value)


def json_extract_scalar(document: str, path: str) -> str | None:
    """``json_extract_scalar``, with every digit of a number."""
    value = _at(document, path)
    if value is _NOTHING or value is None or isinstance(value, (dict, list)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_size(document: str, path: str) -> int | None:
    """``json_size``."""
    value = _at(document, path)
    if value is _NOTHING:
        return None
    return len(value) if isinstance(value, (dict, list)) else 0


def json_array_length(document: str) -> int | None:
    """``json_array_length``."""
    value = _at(document, "$")
    return len(value) if isinstance(value, list) else None


def json_parse(document: str) -> str:
    """``json_parse``: keys sorted, the last of repeated keys."""
    try:
        return _written(_whole(document), ordered=True)
    except ValueError:
        raise Wrong(
            f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{document}'"
        ) from None


def _whole(document: str) -> Any:
    text = document.strip(" \t\n\r")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError(document)
    return value


def cast_json(document: str, kind: str) -> str | None:
    """``CAST(json AS T)`` as text of JSON that DuckDB's reader takes for T; None is NULL."""
    made = _of_json(_whole(document), read_type(kind), document, kind)
    if made is None or isinstance(made, str):
        return made
    return json.dumps(made, ensure_ascii=False)


def _of_json(value: Any, kind: Any, document: str, whole: str) -> Any:
    def wrong() -> Wrong:
        return Wrong(f"INVALID_CAST_ARGUMENT: Cannot cast to {whole}. {document}")

    if kind.name == "json":
        return _written(value, ordered=True)
    if value is None:
        return None
    if kind.name == "array":
        if not isinstance(value, list):
            raise wrong()
        return [_of_json(one, kind.args[0], document, whole) for one in value]
    if kind.name == "map":
        if not isinstance(value, dict) or kind.args[0].name != "varchar":
            raise wrong()
        return [
            {"key": k, "value": _of_json(v, kind.args[1], document, whole)}
            for k, v in value.items()
        ]
    if kind.name == "row":
        if isinstance(value, list) and len(value) == len(kind.args):
            parts = value
        elif isinstance(value, dict):
            folded = {key.lower(): one for key, one in value.items()}
            parts = [folded.get(name.lower()) for name, _ in kind.fields]
        else:
            raise wrong()
        return {
            name: _of_json(one, of, document, whole)
            for (name, of), one in zip(kind.fields, parts, strict=True)
        }
    if isinstance(value, (dict, list)):
        raise wrong()
    return _scalar_of_json(value, kind, wrong)


def _scalar_of_json(value: Any, kind: Any, wrong: Callable[[], Wrong]) -> Any:  # noqa: PLR0911
    number = isinstance(value, _Number)
    whole = number and re.fullmatch(r"-?\d+", value)
    if kind.name == "varchar":
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if not number or whole else double_text(float(value))
    try:
        if kind.name in ("tinyint", "smallint", "integer", "bigint"):
            if isinstance(value, bool):
                return int(value)
            name = {"integer": "INT"}.get(kind.name, kind.name.upper())
            shown = value if whole or not number else round_decimal(str(float(value)), 38, 0)
            return cast_integer(shown, name)
        if kind.name in ("double", "real"):
            return float(value) if isinstance(value, bool) else float(cast_double(value))
        if kind.name == "decimal":
            return cast_decimal(str(int(value)) if isinstance(value, bool) else value, *kind.args)
        if kind.name == "boolean":
            if isinstance(value, bool):
                return value
            return float(value) != 0 if number else cast_boolean(value)
    except Wrong:
        raise wrong() from None
    raise wrong()


# -- SQL/JSON --------------------------------------------------------------------------------------

_SQL_STEP = re.compile(r'\.(\w+|"(?:[^"\\]|\\.)*")|\[(\d+|\*)\]')


def sql_json_path(path: str) -> tuple[bool, list[str | int]]:
    """Is it strict, and its steps; ``*`` is -1. ValueError: a path that is more than that."""
    match = re.fullmatch(r"\s*(lax|strict)\s+\$(.*?)\s*", path, re.DOTALL)
    if not match:
        raise ValueError(path)
    steps: list[str | int] = []
    place, rest = 0, match[2]
    while place < len(rest):
        step = _SQL_STEP.match(rest, place)
        if not step:
            raise ValueError(path)
        if step[1]:
            steps.append(json.loads(step[1]) if step[1][0] == '"' else step[1])
        else:
            steps.append(-1 if step[2] == "*" else int(step[2]))
        place = step.end()
    return match[1] == "strict", steps


def sql_json(document: str, path: str) -> str:  # noqa: PLR0912
    """What a path selects: ``ok`` and the items as a JSON array; or ``input`` or ``path`` error."""
    if not document.strip():
        return "[]"
    try:
        items = [_whole(document)]
    except ValueError:
        return "input"
    strict, steps = sql_json_path(path)
    for step in steps:
        found: list[Any] = []
        for one in items:
            many = isinstance(one, list)
            if isinstance(step, str):
                for inner in one if many and not strict else [one]:
                    if isinstance(inner, dict) and step in inner:
                        found.append(inner[step])
                    elif strict:
                        return "path"
            elif not many and strict:
                return "path"
            else:
                values = one if many else [one]
                if step < 0:
                    found += values
                elif step < len(values):
                    found.append(values[step])
                elif strict:
                    return "path"
        items = found
    return _written(items)


def sql_json_scalar(found: str) -> str | None:
    """The one scalar among the items: its text as ``json_value`` gives it; else None."""
    items = _whole(found)
    value = items[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, _Number) and not re.fullmatch(r"-?\d+", value):
        return double_text(float(value))
    return None if value is None else str(value)


def sql_json_kind(found: str) -> str:
    """``error``, ``empty``, ``null``, ``scalar``, ``one`` (array or object) or ``many``."""
    if found in ("input", "path"):
        return "error"
    items = _whole(found)
    if len(items) != 1:
        return "many" if items else "empty"
    if items[0] is None:
        return "null"
    return "one" if isinstance(items[0], (dict, list)) else "scalar"


def sql_json_query(found: str, wrapper: str) -> str | None:
    """The item as JSON, or all of them in an array."""
    items = _whole(found)
    if wrapper == "all" or (wrapper == "conditional" and len(items) != 1):
        return _written(items)
    if wrapper == "unquoted" and type(items[0]) is str:
        return items[0]
    return _written(items[0])


_SQL = """
CREATE MACRO trino_error(message) AS CAST(message AS INTEGER);
CREATE MACRO trino_date(d) AS CASE WHEN year(d) BETWEEN 1 AND 9999 OR d IS NULL THEN d
  ELSE d + trino_error('NOT_SUPPORTED: This local Athena does not support dates before 1 or after 9999') END;
CREATE MACRO trino_whole_months(a, b) AS (year(b) - year(a)) * 12 + month(b) - month(a)
  - CASE WHEN a + to_months(CAST((year(b) - year(a)) * 12 + month(b) - month(a) AS INTEGER)) > b THEN 1 ELSE 0 END;
CREATE MACRO trino_months(a, b) AS CAST(CASE WHEN b >= a THEN trino_whole_months(a, b)
  ELSE -trino_whole_months(b, a) END AS BIGINT);
CREATE MACRO trino_list_equal(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
  WHEN len(a) <> len(b) THEN false
  WHEN list_contains(list_transform(range(1, len(a) + 1), lambda i: a[i] <> b[i]), true) THEN false
  WHEN list_count(a) < len(a) OR list_count(b) < len(b) THEN NULL ELSE true END;
CREATE MACRO trino_timestamp_text(t, n) AS
  CASE WHEN n = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S')
  ELSE left(strftime(t, '%Y-%m-%d %H:%M:%S.%f'), 20 + n) END;
CREATE MACRO trino_round_ms(t, step) AS
  make_timestamp(CAST(floor((epoch_us(t) + step / 2) / step) AS BIGINT) * step);
CREATE MACRO trino_interval_text(ms) AS (CASE WHEN ms < 0 THEN '-' ELSE '' END) ||
  (abs(ms) // 86400000) || ' ' || lpad(CAST(abs(ms) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' ||
  lpad(CAST(abs(ms) // 60000 % 60 AS VARCHAR), 2, '0') || ':' ||
  lpad(CAST(abs(ms) // 1000 % 60 AS VARCHAR), 2, '0') || '.' ||
  lpad(CAST(abs(ms) % 1000 AS VARCHAR), 3, '0');
CREATE MACRO trino_months_text(m) AS (CASE WHEN m < 0 THEN '-' ELSE '' END) ||
  (abs(m) // 12) || '-' || (abs(m) % 12);
CREATE MACRO trino_subscript(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
  WHEN i < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
  WHEN i > len(a) THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than '
    || 'or equal to array length: ' || i || ' > ' || len(a))
  ELSE i END);
CREATE MACRO trino_element(a, i) AS list_extract(a, CASE
  WHEN i = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE i END);
CREATE MACRO trino_key(m, k) AS list_extract(map_values(m), CASE
  WHEN list_contains(map_keys(m), k) THEN list_position(map_keys(m), k)
  WHEN m IS NULL OR k IS NULL THEN NULL
  ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || CAST(k AS VARCHAR)) END);
CREATE MACRO trino_map_value(m, k) AS
  list_extract(map_values(m), list_position(map_keys(m), k));
CREATE MACRO trino_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
  WHEN list_contains(a, x) THEN true
  WHEN len(a) <> list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_map(k, v) AS CASE WHEN k IS NULL OR v IS NULL THEN NULL
  WHEN len(k) <> len(v)
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length')]))
  WHEN len(k) <> list_count(k)
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: map key cannot be null')]))
  WHEN len(k) <> len(list_distinct(k))
  THEN map(list_value(k[1]), list_value(v[trino_error('INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed')]))
  ELSE map(k, v) END;
CREATE MACRO trino_distinct(a) AS list_filter(a, lambda x, i:
  CASE WHEN x IS NULL THEN list_count(a[1:i - 1]) = i - 1 ELSE list_position(a, x) = i END);
CREATE MACRO trino_extreme_null(a, value) AS
  CASE WHEN len(a) <> list_count(a) THEN NULL ELSE value END;
CREATE MACRO trino_slice(a, s, n) AS CASE
  WHEN s = 0 THEN a[trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'):1]
  WHEN n < 0 THEN a[trino_error('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0'):1]
  WHEN s > 0 THEN a[s:s + n - 1]
  WHEN len(a) + s < 0 THEN a[1:0]
  ELSE a[len(a) + s + 1:len(a) + s + n] END;
CREATE MACRO trino_first_entries(k, v) AS map(
  list_transform(list_filter(range(1, len(k) + 1), lambda i: list_position(k, k[i]) = i), lambda i: k[i]),
  list_transform(list_filter(range(1, len(k) + 1), lambda i: list_position(k, k[i]) = i), lambda i: v[i]));
CREATE MACRO trino_width_bucket(x, lo, hi, n) AS CAST(CASE
  WHEN lo < hi THEN CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1
    ELSE floor(n * (x - lo) / (hi - lo)) + 1 END
  ELSE CASE WHEN x > lo THEN 0 WHEN x <= hi THEN n + 1
    ELSE floor(n * (lo - x) / (lo - hi)) + 1 END END AS BIGINT);
"""

_PYTHON: list[tuple[str, Callable[..., Any], list[str], str]] = [
    ("trino_double_text", double_text, ["DOUBLE"], "VARCHAR"),
    ("trino_java_double", java_double, ["DOUBLE"], "VARCHAR"),
    ("trino_cast_integer", cast_integer, ["VARCHAR", "VARCHAR"], "BIGINT"),
    ("trino_cast_double", cast_double, ["VARCHAR"], "VARCHAR"),
    ("trino_cast_decimal", cast_decimal, ["VARCHAR", "INTEGER", "INTEGER"], "VARCHAR"),
    ("trino_round_decimal", round_decimal, ["VARCHAR", "INTEGER", "INTEGER"], "VARCHAR"),
    ("trino_divide", divide, ["VARCHAR", "VARCHAR", "INTEGER", "INTEGER"], "VARCHAR"),
    ("trino_cast_boolean", cast_boolean, ["VARCHAR"], "BOOLEAN"),
    ("trino_cast_date", cast_date, ["VARCHAR"], "DATE"),
    ("trino_cast_timestamp", cast_timestamp, ["VARCHAR", "INTEGER"], "TIMESTAMP"),
    ("trino_iso_utc", iso_utc, ["VARCHAR"], "TIMESTAMP"),
    ("trino_iso_date", iso_date, ["VARCHAR"], "DATE"),
    ("trino_parse_time", parse_time, ["VARCHAR", "VARCHAR"], "TIMESTAMP"),
    ("trino_upper", upper, ["VARCHAR"], "VARCHAR"),
    ("trino_lower", lower, ["VARCHAR"], "VARCHAR"),
    ("trino_strpos", strpos, ["VARCHAR", "VARCHAR", "BIGINT"], "BIGINT"),
    ("trino_split", split, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR[]"),
    ("trino_split_part", split_part, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR"),
    ("trino_pad", pad, ["VARCHAR", "BIGINT", "VARCHAR", "BOOLEAN"], "VARCHAR"),
    ("trino_replace", replace, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_translate", translate, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_reverse", lambda value: value[::-1], ["VARCHAR"], "VARCHAR"),
    ("trino_regexp_extract", regexp_extract, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR"),
    ("trino_regexp_all", regexp_extract_all, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR[]"),
    ("trino_regexp_replace", regexp_replace, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_regexp_split", regexp_split, ["VARCHAR", "VARCHAR"], "VARCHAR[]"),
    ("trino_regexp_count", regexp_count, ["VARCHAR", "VARCHAR"], "BIGINT"),
    ("trino_regexp_like", regexp_like, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
    ("trino_url_encode", url_encode, ["VARCHAR"], "VARCHAR"),
    ("trino_url_decode", url_decode, ["VARCHAR"], "VARCHAR"),
    ("trino_from_hex", from_hex, ["VARCHAR"], "BLOB"),
    ("trino_from_utf8", from_utf8, ["BLOB"], "VARCHAR"),
    ("trino_json_extract", json_extract, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_json_extract_scalar", json_extract_scalar, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_json_size", json_size, ["VARCHAR", "VARCHAR"], "BIGINT"),
    ("trino_json_array_length", json_array_length, ["VARCHAR"], "BIGINT"),
    ("trino_json_parse", json_parse, ["VARCHAR"], "VARCHAR"),
    ("trino_cast_json", cast_json, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_json_string", _string, ["VARCHAR"], "VARCHAR"),
    ("trino_sql_json", sql_json, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    ("trino_sql_json_kind", sql_json_kind, ["VARCHAR"], "VARCHAR"),
    ("trino_sql_json_scalar", sql_json_scalar, ["VARCHAR"], "VARCHAR"),
    ("trino_sql_json_query", sql_json_query, ["VARCHAR", "VARCHAR"], "VARCHAR"),
]


def _null_in_null_out(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*given: Any) -> Any:
        return None if any(one is None for one in given) else function(*given)

    return wrapped


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)


def quoted_numbers(line: str) -> str:
    """JSON with strings for all numbers, which keeps their digits."""
    return _JSON_TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else f'"{m[0]}"', line)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the functions in this database."""
    for name, function, parameters, result in _PYTHON:
        connection.create_function(
            name, _null_in_null_out(function), parameters, result, null_handling="special"
        )  # type: ignore[call-overload]
    connection.create_function("quoted_numbers", quoted_numbers, ["VARCHAR"], "VARCHAR")
    connection.execute(_SQL)
