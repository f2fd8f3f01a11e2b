"""Trino's casts of texts, and its functions of texts and times, in Python; none gets a NULL."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from urllib.parse import quote_plus, unquote_plus

from local.athena.errors import QueryError
from local.athena.results import java_double


def _not_cast(value: object, kind: str) -> QueryError:
    return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{value}' to {kind}")


# -- casts -----------------------------------------------------------------------------------------


def double_text(value: float) -> str:
    """``CAST(x AS varchar)`` of a double: ``1.0E-1``."""
    if math.isnan(value) or math.isinf(value):
        return java_double(value)
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    if abs(value) >= 1e22:  # Java's formatter does not always give the shortest digits there
        raise QueryError(
            "NOT_SUPPORTED", "This local Athena does not support a double above 1e22 as text"
        )
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
        raise QueryError("NOT_SUPPORTED", "This local Athena does not support doubles in base 16")
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


_WIDE = Context(prec=400)


def divide(a: str, b: str, shift: int, scale: int) -> str:
    """``a * 10**shift / b`` of digits without a point, rounded half up, with the point put in."""
    dividend, divisor = int(a) * 10**shift, int(b)
    if not divisor:
        raise QueryError("DIVISION_BY_ZERO", "Division by zero")
    sign = -1 if (dividend < 0) != (divisor < 0) else 1
    found = sign * ((2 * abs(dividend) + abs(divisor)) // (2 * abs(divisor)))
    if abs(found) >= 10**38:
        raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow")
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
        raise QueryError(
            "NOT_SUPPORTED", "This local Athena does not support dates before 1 or after 9999"
        )
    raise QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to date: {value}")


_MOMENT = re.compile(
    r"([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})(?: ([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})"
    r"(?:\.([0-9]{1,12}))?)?)?(?:\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d\d)?|[A-Za-z_]+/[\w/+-]+))?"
)


def moment(value: str, digits: int) -> tuple[datetime, str | None]:
    """A timestamp rounded to so many digits of a second, and the zone that the text names."""
    match = _MOMENT.fullmatch(value.strip())
    if not match:
        raise QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to timestamp: {value}")
    *parts, fraction, zone = match.groups()
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        found = datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise QueryError(
            "INVALID_CAST_ARGUMENT", f"Value cannot be cast to timestamp: {value}"
        ) from None
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
    wrong = QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{value}"')
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
        raise QueryError(
            "NOT_SUPPORTED",
            "This local Athena does not support from_iso8601_timestamp of a column "
            f"with times that are not in UTC: {value}",
        )
    return found


def iso_date(value: str) -> date:
    """``from_iso8601_date``."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}-\d", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{value}"')


def parse_time(value: str, pattern: str) -> datetime:
    """``date_parse``, with a pattern of strptime."""
    try:
        return datetime.strptime(value, pattern).replace(
            **({} if re.search("%[Yy]", pattern) else {"year": 1970})  # type: ignore[arg-type]
        )
    except ValueError:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{value}"') from None


# -- text ------------------------------------------------------------------------------------------


def upper(value: str) -> str:
    """Letter by letter, as Trino does: ``ß`` stays."""
    return "".join(one.upper() if len(one.upper()) == 1 else one for one in value)


def lower(value: str) -> str:
    """Letter by letter."""
    return "".join(one.lower()[0] for one in value)


def split(value: str, separator: str, limit: int) -> list[str]:
    """``split``; a limit of 0 is none."""
    if not separator:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "The delimiter may not be the empty string")
    if limit < 0:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Limit must be positive")
    return value.split(separator, limit - 1 if limit else -1)


def split_part(value: str, separator: str, index: int) -> str | None:
    """``split_part``."""
    if index < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Index must be greater than zero")
    parts = value.split(separator) if separator else list(value)
    return parts[index - 1] if index <= len(parts) else None


def pad(value: str, length: int, padding: str, left: bool) -> str:
    """``lpad`` and ``rpad``."""
    if length < 0 or not padding:
        what = "Padding string must not be empty" if length >= 0 else "Target length must be >= 0"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{what}")
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


def regexp_like(value: str, pattern: str) -> bool:
    """``regexp_like``."""
    return re.search(pattern, value, re.ASCII) is not None


def regexp_count(value: str, pattern: str) -> int:
    """``regexp_count``."""
    return sum(1 for _ in re.finditer(pattern, value, re.ASCII))


def regexp_split(value: str, pattern: str) -> list[str]:
    """``regexp_split``."""
    parts, start = [], 0
    for match in re.finditer(pattern, value, re.ASCII):
        parts.append(value[start : match.start()])
        start = match.end()
    return [*parts, value[start:]]


def regexp_extract(value: str, pattern: str, group: int) -> str | None:
    """``regexp_extract``."""
    return next(iter(regexp_extract_all(value, pattern, group)), None)


def regexp_extract_all(value: str, pattern: str, group: int) -> list[str | None]:
    """``regexp_extract_all``."""
    groups = re.compile(pattern, re.ASCII).groups
    if not 0 <= group <= groups:
        message = f"Pattern has {groups} groups. Cannot access group {group}"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
    return [match[group] for match in re.finditer(pattern, value, re.ASCII)]


def regexp_replace(value: str, pattern: str, new: str) -> str:
    """``regexp_replace``, with Python's way to write groups."""
    try:
        return re.sub(pattern, new, value, flags=re.ASCII)
    except (re.error, IndexError):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Illegal replacement sequence") from None


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
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "invalid input length or character") from None


def from_utf8(value: bytes) -> str:
    """``from_utf8``; what is no UTF-8 becomes the replacement character."""
    return value.decode("utf-8", "replace")


def reverse(value: str) -> str:
    """``reverse``."""
    return value[::-1]
