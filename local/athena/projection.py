"""Partition projection: partitions computed from a table's properties, not listed in Glue."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from local.athena.catalog import Table
from local.athena.errors import QueryError, refuse

_MAX_PARTITIONS = 1_000_000
_NOW = re.compile(r"NOW\s*(?:([+-]\s*\d+)\s*([A-Z]+))?", re.IGNORECASE)
_FORMAT = {
    "yyyy": ("%Y", "years"), "MM": ("%m", "months"), "dd": ("%d", "days"), "HH": ("%H", "hours"),
    "mm": ("%M", "minutes"), "ss": ("%S", "seconds"),
}  # fmt: skip
"""Parts of Java's date patterns: strftime's, and the unit; from coarse to fine."""
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_PART = re.compile(r"(yyyy|MM|dd|HH|mm|ss)|'([^']+)'|([^A-Za-z'])")


def enabled(table: Table) -> bool:
    """Does the table use partition projection?"""
    return bool(table.partition_keys) and (
        table.properties.get("projection.enabled", "").lower() == "true"
    )


def partitions(table: Table, now: datetime | None = None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Values and location of every partition that the properties allow."""
    now = now or datetime.now(UTC).replace(tzinfo=None)
    choices = [_values(table, column, now) for column in table.partition_keys]
    total = math.prod(map(len, choices))
    if total > _MAX_PARTITIONS:
        raise QueryError(
            "",
            f"The table '{table.name}' projects {total} partitions; the limit is {_MAX_PARTITIONS}",
        )
    folders = "".join(f"/{name}=${{{name}}}" for name in table.partition_keys)
    default = table.location.rstrip("/") + folders
    for chosen in itertools.product(*choices):
        location = table.properties.get("storage.location.template", default)
        for name, value in zip(table.partition_keys, chosen, strict=True):
            location = location.replace(f"${{{name}}}", value)
        yield chosen, location


def _values(table: Table, column: str, now: datetime) -> list[str]:
    prefix = f"projection.{column}."
    settings = {
        key.removeprefix(prefix): value
        for key, value in table.properties.items()
        if key.startswith(prefix)
    }
    kind = settings.get("type", "").lower()
    try:
        if kind == "enum":
            return [value.strip() for value in settings["values"].split(",")]
        if kind == "integer":
            low, high = (int(part) for part in settings["range"].split(","))
            digits, step = int(settings.get("digits", 0)), int(settings.get("interval", 1))
            return [str(value).zfill(digits) for value in range(low, high + 1, step)]
        if kind == "date":
            return _dates(settings, now)
    except (KeyError, ValueError, TypeError) as error:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            f"Table {table.database}.{table.name} is configured for partition projection, but "
            f"the partition column '{column}' has bad settings: {error}",
        ) from None
    raise refuse(f"partition projection of the type {kind!r} ({table.name}.{column})")


def _dates(settings: Mapping[str, str], now: datetime) -> list[str]:
    pattern = settings["format"]
    if unknown := _PART.sub("", pattern):
        raise refuse(f"the date pattern {pattern!r} of a partition ({unknown!r})")
    style = _PART.sub(lambda part: _FORMAT[part[1]][0] if part[1] else part[2] or part[3], pattern)
    finest = next(unit for sign, unit in reversed(_FORMAT.values()) if sign in style)

    def later(moment: datetime, amount: int, unit: str) -> datetime:
        unit = unit.lower().removesuffix("s") + "s"
        if unit not in _UNITS:
            raise refuse(f"steps of {unit} in partition projection")
        return moment + timedelta(**{unit: amount})

    def end(text: str) -> datetime:
        """Both ends count, whole units of the format: NOW-1DAYS begins at that day's midnight."""
        found = _NOW.fullmatch(text.strip())
        if found is None:
            return datetime.strptime(text.strip(), style)
        moment = later(now, int(found[1].replace(" ", "")), found[2]) if found[1] else now
        return datetime.strptime(moment.strftime(style), style)

    low, high = map(end, settings["range"].split(","))
    step, unit = int(settings.get("interval", 1)), settings.get("interval.unit", finest)
    moments = (later(low, i * step, unit) for i in range(_MAX_PARTITIONS + 1))
    return [one.strftime(style) for one in itertools.takewhile(lambda one: one <= high, moments)]
