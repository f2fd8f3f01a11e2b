"""A table's schema: typed columns, and the event-row columns that CDC adds.

Standard library only, because the generator's function and the batch job include it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
_SIMPLE = frozenset({"string", "int", "bigint", "double", "boolean", "date", "timestamp"})


class SchemaError(ValueError):
    """An invalid schema; the message lists every problem."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Parameters
    ----------
    name:
        The attribute's name in DynamoDB, in lower case because Glue and Athena store it so.
    type:
        A Hive type: ``string``, ``int``, ``bigint``, ``double``, ``boolean``, ``date``,
        ``timestamp`` (UTC) or ``decimal(precision,scale)``.
    comment:
        The column's comment in the Glue table.
    required:
        Reject a record whose image lacks the column or holds NULL. Records with keys only, such as
        a REMOVE without an old image, are not checked.
    """

    name: str
    type: str
    comment: str = ""
    required: bool = False

    @property
    def decimal(self) -> tuple[int, int] | None:
        """``(precision, scale)`` of a decimal column, else None."""
        match = _DECIMAL.fullmatch(self.type)
        return (int(match[1]), int(match[2])) if match else None

    def problems(self) -> list[str]:
        """Problems of this column; empty if it is valid."""
        found = []
        if not _NAME.fullmatch(self.name):
            found.append(f"column {self.name!r}: a name is lower-case letters, digits and _")
        if self.decimal:
            precision, scale = self.decimal
            if not (1 <= precision <= 38 and scale <= precision):
                found.append(
                    f"column {self.name!r}: {self.type}: 1 <= precision <= 38, scale <= precision"
                )
        elif self.type not in _SIMPLE:
            known = ", ".join(sorted(_SIMPLE))
            found.append(
                f"column {self.name!r}: unknown type {self.type!r} (known: {known}, decimal(p,s))"
            )
        return found


EXTRAS = Column(
    name="extras",
    type="string",
    comment="attributes the schema does not know, as one JSON object",
)

EVENT_COLUMNS = (
    EXTRAS,
    Column(name="event_type", type="string", comment="INSERT, MODIFY or REMOVE"),
    Column(name="creation_time", type="timestamp", comment="when the change was made, UTC"),
    Column(name="event_id", type="string", comment="unique per change; drop duplicates by it"),
    Column(
        name="sequence_number",
        type="string",
        comment="order of changes to one key; zero-padded to 40, so text order is number order",
    ),
)
"""The columns that the transform adds to the table's."""
TABLE_COLUMNS = ("arrived", "previous_event_type")
"""The columns that the batch job adds in its table of current orders."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A DynamoDB table's columns, of which ``key`` (and ``sort_key``) identify an item.

    Raises
    ------
    SchemaError
        With every problem at once.
    """

    key: str
    columns: tuple[Column, ...]
    sort_key: str | None = None
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        problems = [problem for column in self.columns for problem in column.problems()]
        twice = sorted({name for name in names if names.count(name) > 1})
        problems += [f"column {name!r}: declared twice" for name in twice]
        reserved = {column.name for column in EVENT_COLUMNS} | {"day", "hour"}
        problems += [
            f"column {name!r}: the event row uses that name" for name in names if name in reserved
        ]
        problems += [
            f"column {name!r}: the table of current orders uses that name"
            for name in names
            if name in TABLE_COLUMNS
        ]
        problems += [f"key {key!r}: not among the columns" for key in self.keys if key not in names]
        if problems:
            raise SchemaError("; ".join(problems))
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})

    @property
    def keys(self) -> tuple[str, ...]:
        """Partition key, then the sort key if there is one."""
        return (self.key, self.sort_key) if self.sort_key else (self.key,)

    @property
    def event_row(self) -> tuple[Column, ...]:
        """The columns of an event row, in order: the table's, then `EVENT_COLUMNS`."""
        return self.columns + EVENT_COLUMNS

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def to_json(self) -> str:
        """Stable JSON, including the event columns, for code that cannot import this module."""
        document = {
            "key": self.key,
            "sort_key": self.sort_key,
            "columns": [asdict(column) for column in self.columns],
            "event_columns": [asdict(column) for column in EVENT_COLUMNS],
        }
        return json.dumps(document, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read the JSON of `to_json`."""
        document: dict[str, Any] = json.loads(text)
        columns = tuple(Column(**column) for column in document["columns"])
        return cls(key=document["key"], sort_key=document["sort_key"], columns=columns)
