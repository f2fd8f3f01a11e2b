"""Trino's casts of texts, and its functions of texts and times, in Python; none gets a NULL.

A ValueError, or another of Python's own errors, becomes INVALID_FUNCTION_ARGUMENT.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from local.athena.errors import QueryError, refuse
from local.athena.results import java_double

_WIDE = Context(prec=400)


def _not_cast(value: object, kind: str) -> QueryError:
    return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{value}' to {kind}")


# -- numbers ---------------------------------------------------------------------------------------


def double_text(value: float) -> str:
    """``CAST(x AS varchar)`` of a double: ``1.0E-1``."""
    if not math.isfinite(value):
        return java_double(value)
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    if abs(value) >= 1e22:  # Java's formatter does not always give the shortest digits there
        raise refuse("a double above 1e22 as text")
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0")
    power = len(digits) - 1 + int(exponent)
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def cast_integer(value: str, kind: str) -> int:
    """``CAST(text AS integer)`` and its kin."""
    bits = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}[kind]
    text = value.strip(" \t\n\r\f\v")
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**bits) <= int(text) < 2**bits:
        raise _not_cast(value, "INT" if kind == "integer" else kind.upper())
    return int(text)


def cast_double(value: str) -> str:
    """``CAST(text AS double)``; as text that DuckDB takes, for it takes no NaN from Python."""
    text = value.strip(" \t\n\r\f\v")
    if re.fullmatch(r"[+-]?(NaN|Infinity)", text):
        return text.replace("+", "")
    if "0x" in text.lower():
        raise refuse("doubles in base 16")
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
        exact = Decimal(value).scaleb(scale, _WIDE)
        digits = int(exact.to_integral_value(ROUND_HALF_UP, _WIDE))
    except (InvalidOperation, ValueError, OverflowError):
        raise _not_cast(value, f"DECIMAL({precision}, {scale})") from None
    if abs(digits) >= 10**precision:
        raise _not_cast(value, f"DECIMAL({precision}, {scale})")
    return f"{Decimal(digits).scaleb(-scale, _WIDE):f}"


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


# -- times -----------------------------------------------------------------------------------------


def cast_date(value: str) -> date:
    """``CAST(text AS date)``."""
    match = re.fullmatch(r"\s*([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})\s*", value)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    if re.fullmatch(r"\s*(-\d+|[+]?\d{5,})-\d{1,2}-\d{1,2}\s*", value):
        raise refuse("dates before 1 or after 9999")
    raise QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to date: {value}")


_MOMENT = re.compile(
    r"\s*([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})(?: ([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})"
    r"(?:\.([0-9]{1,12}))?)?)?(?:\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d\d)?|[A-Za-z_]+/[\w/+-]+))?\s*"
)
_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?)?"
    r"(Z|[+-]\d{2}:?\d{2})?)?"
)


def _read_time(value: str, style: re.Pattern[str]) -> tuple[datetime, str, str | None]:
    """A time to the second, the digits of its fraction, and the zone that the text names."""
    match = style.fullmatch(value)
    if not match:
        raise ValueError(value)
    *parts, fraction, zone = match.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    found = datetime(year, month or 1, day or 1, hour, minute, second)
    return found, fraction or "", zone


def moment(value: str, digits: int) -> tuple[datetime, str | None]:
    """A timestamp rounded to so many digits of a second, and the zone that the text names."""
    try:
        found, fraction, zone = _read_time(value, _MOMENT)
    except ValueError:
        message = f"Value cannot be cast to timestamp: {value}"
        raise QueryError("INVALID_CAST_ARGUMENT", message) from None
    rounded = Decimal(round_decimal(f"0.{fraction}0", 38, digits))
    return found + timedelta(microseconds=int(rounded * 10**6)), zone


def cast_timestamp(value: str, digits: int) -> datetime:
    """``CAST(text AS timestamp)``; a zone in the text is ignored, as Trino does."""
    return moment(value, digits)[0]


def iso_timestamp(value: str) -> tuple[datetime, str]:
    """The local time and the zone of an ISO 8601 text."""
    try:
        found, fraction, zone = _read_time(value, _ISO)
    except ValueError:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{value}"') from None
    return found + timedelta(milliseconds=int(f"{fraction}000"[:3])), zone or "UTC"


def iso_utc(value: str) -> datetime:
    """``from_iso8601_timestamp`` of a text in UTC; one in another zone would have to keep it."""
    found, zone = iso_timestamp(value)
    if zone not in ("UTC", "Z", "+00:00"):
        raise refuse(f"from_iso8601_timestamp of a column with times that are not in UTC: {value}")
    return found


def parse_time(value: str, pattern: str) -> datetime:
    """``date_parse``, with a pattern of strptime."""
    try:
        found = datetime.strptime(value, pattern)
    except ValueError:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{value}"') from None
    return found if re.search("%[Yy]", pattern) else found.replace(year=1970)


# -- text ------------------------------------------------------------------------------------------


def upper(value: str) -> str:
    """Letter by letter, as Trino does: ``ß`` stays."""
    return "".join(one.upper() if len(one.upper()) == 1 else one for one in value)


def split_part(value: str, separator: str, index: int) -> str | None:
    """``split_part``."""
    if index < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Index must be greater than zero")
    if not separator:
        raise refuse("split_part without a separator")
    parts = value.split(separator)
    return parts[index - 1] if index <= len(parts) else None


def pad(value: str, length: int, padding: str, left: bool) -> str:
    """``lpad`` and ``rpad``."""
    if length < 0 or not padding:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Target length or padding must not be empty")
    filled = (padding * length)[: max(length - len(value), 0)]
    return filled + value[:length] if left else value[:length] + filled


def regexp_extract(value: str, pattern: str, group: int) -> str | None:
    """``regexp_extract``."""
    if group > re.compile(pattern).groups:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Cannot access group {group}")
    match = re.search(pattern, value, re.ASCII)
    return match[group] if match else None
