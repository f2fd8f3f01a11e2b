"""Partition projection: partitions computed from a table's properties, not listed in Glue."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from local.athena.catalog import Table
from local.athena.errors import QueryError

_MAX_PARTITIONS = 1_000_000
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*([A-Z]+?)S?)?", re.IGNORECASE)
_JAVA = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_JAVA_PART = re.compile(r"'([^']*)'|yyyy|yy|MM|dd|HH|mm|ss|([A-Za-z]+)|([^A-Za-z']+)")
_UNITS = ["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"]
_FINEST = {"%S": "SECOND", "%M": "MINUTE", "%H": "HOUR", "%d": "DAY", "%m": "MONTH", "%Y": "YEAR"}


def enabled(table: Table) -> bool:
    """Does the table use partition projection?"""
    return bool(table.partition_keys) and (
        table.properties.get("projection.enabled", "").lower() == "true"
    )


def partitions(
    table: Table, injected: Callable[[str], list[str]], now: datetime | None = None
) -> Iterator[tuple[list[str], str]]:
    """Values and location of every partition that the properties allow.

    Parameters
    ----------
    injected:
        The values that the query's WHERE names for a column of type ``injected``.
    """
    now = now or datetime.now(UTC).replace(tzinfo=None)
    choices = []
    for column in table.partition_keys:
        prefix = f"projection.{column}."
        settings = {
            key.removeprefix(prefix): value
            for key, value in table.properties.items()
            if key.startswith(prefix)
        }
        choices.append(_values(table, column, settings, injected, now))
    total = 1
    for values in choices:
        total *= len(values)
    if total > _MAX_PARTITIONS:
        raise QueryError(
            "",
            f"The table '{table.name}' projects {total} partitions; the limit is {_MAX_PARTITIONS}",
        )
    template = table.properties.get("storage.location.template")
    if template is None:
        base = table.location.rstrip("/")
        template = base + "".join(f"/{name}=${{{name}}}" for name in table.partition_keys) + "/"
    for chosen in itertools.product(*choices):
        location = template
        for name, value in zip(table.partition_keys, chosen, strict=True):
            location = location.replace(f"${{{name}}}", value)
        yield list(chosen), location if location.endswith("/") else location + "/"


def _values(
    table: Table,
    column: str,
    settings: Mapping[str, str],
    injected: Callable[[str], list[str]],
    now: datetime,
) -> list[str]:
    def wrong(why: str) -> QueryError:
        return QueryError(
            "INVALID_TABLE_PROPERTY",
            f"Table {table.database}.{table.name} is configured for partition projection, but "
            f"the partition column '{column}' has {why}",
        )

    kind = settings.get("type", "").lower()
    try:
        if kind == "enum":
            return [value.strip() for value in settings["values"].split(",")]
        if kind == "injected":
            return injected(column)
        if kind == "integer":
            low, high = (int(part) for part in settings["range"].split(","))
            digits = int(settings.get("digits", 0))
            step = int(settings.get("interval", 1))
            return [str(value).zfill(digits) for value in range(low, high + 1, step)]
        if kind == "date":
            return _dates(settings, now)
    except (KeyError, ValueError) as error:
        raise wrong(f"bad settings: {error}") from None
    raise wrong(f"no projection.{column}.type that is enum, integer, date or injected: {kind!r}")


def java_to_strftime(pattern: str) -> str:
    """A Java date pattern as strftime's."""
    found = []
    for match in _JAVA_PART.finditer(pattern):
        whole, literal, unknown, other = match[0], match[1], match[2], match[3]
        if unknown:
            raise ValueError(f"unsupported date pattern {pattern!r} ({unknown!r})")
        found.append(_JAVA.get(whole, other if literal is None else literal))
    return "".join(found)


def _dates(settings: Mapping[str, str], now: datetime) -> list[str]:
    style = java_to_strftime(settings["format"])
    finest = next(unit for sign, unit in _FINEST.items() if sign in style)
    step = int(settings.get("interval", 1))
    unit = settings.get("interval.unit", finest).upper().removesuffix("S")
    if unit not in _UNITS:
        raise ValueError(f"interval.unit {unit!r}")
    low, high = (_moment(part, style, now) for part in settings["range"].split(","))
    # Both ends count, whole units of the format: NOW-1DAYS begins at that day's midnight.
    low, high = (datetime.strptime(moment.strftime(style), style) for moment in (low, high))
    values = []
    moment, i = low, 0
    while moment <= high and i <= _MAX_PARTITIONS:
        values.append(moment.strftime(style))
        i += 1
        moment = _shift(low, i * step, unit)
    return values


def _moment(text: str, style: str, now: datetime) -> datetime:
    relative = _NOW.fullmatch(text.strip())
    if not relative:
        return datetime.strptime(text.strip(), style)
    if not relative[1]:
        return now
    amount = int(relative[2]) * (1 if relative[1] == "+" else -1)
    unit = relative[3].upper()
    if unit not in _UNITS:
        raise ValueError(f"range {text!r}")
    return _shift(now, amount, unit)


def _shift(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in ("MONTH", "YEAR"):
        month = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "YEAR" else 1)
        year, month = month // 12, month % 12 + 1
        last = (datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        return moment.replace(year=year, month=month, day=min(moment.day, last))
    return moment + amount * timedelta(**{unit.lower() + "s": 1})
