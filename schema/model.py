"""A table's schema: typed columns, and the event-row columns that CDC adds.

Standard library only, because the generator's function and the batch job include it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from schema import types

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RESERVED_NAMES = re.compile(
    "projection.*|changes|crawled_.*|current_.*|failed|replayed|jobs|exports|operations|snapshots|erasures"
)
"""Names that the lake's tables, views and prefixes use."""
_NO_KEYS = (types.Scalar("boolean"), types.Scalar("json"))
"""Scalars that DynamoDB cannot have as a key."""

Privacy: TypeAlias = Literal["keep", "hash", "drop"]
"""What becomes of a column's values in the lake: see `Column`."""
UnknownAttributes: TypeAlias = Literal["keep", "drop"]
"""What becomes of attributes that the schema does not know: see `Schema`."""

SNAPSHOT = "SNAPSHOT"
"""The ``event_type`` of an item that was in the table before the log began."""
BEFORE_ALL = "0" * 40
"""The ``sequence_number`` of a snapshot's rows: every change comes after it."""


class SchemaError(ValueError):
    """An invalid schema; the message lists every problem."""


class Problem(NamedTuple):
    """What is wrong with a schema.

    Attributes
    ----------
    place:
        Where, as in a schema file: ``("key",)`` or ``("columns", 3, "type")``.
    """

    place: tuple[str | int, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Parameters
    ----------
    name:
        The column's name in Glue and Athena: lower-case letters, digits and ``_``.
    type:
        ``string``, ``int``, ``bigint``, ``double``, ``boolean``, ``date``, ``timestamp`` (UTC),
        ``decimal(precision,scale)``, ``binary`` (base64 text), ``json`` (any value as JSON text),
        ``array<...>``, ``map<string,...>`` or ``struct<name:type,...>``.
    comment:
        The column's comment in the Glue table.
    required:
        Reject a record whose image lacks the column or holds NULL. Records with keys only, such as
        a REMOVE without an old image, are not checked.
    attribute:
        The attribute's name in DynamoDB. Default: the column's name.
    personal:
        The column holds personal data.
    privacy:
        What the lake holds: ``keep`` the value, ``hash`` a keyed pseudonym of it (of a ``string``
        column), or ``drop`` NULL. A key is always kept.
    """

    name: str
    type: str
    comment: str = ""
    required: bool = False
    attribute: str = ""
    personal: bool = False
    privacy: Privacy = "keep"

    def __post_init__(self) -> None:
        if not self.attribute:
            object.__setattr__(self, "attribute", self.name)

    @property
    def parsed(self) -> types.Type:
        """The type as a tree."""
        return types.parse(self.type)

    @property
    def hive(self) -> str:
        """The type as Glue stores it."""
        return types.hive(self.parsed)

    @property
    def decimal(self) -> tuple[int, int] | None:
        """``(precision, scale)`` of a decimal column, else None."""
        match self.parsed:
            case types.Decimal(precision, scale):
                return precision, scale
        return None

    @property
    def key_types(self) -> tuple[str, ...]:
        """DynamoDB's types of a key that the transform reads as this column, the usual first."""
        match self.type:
            case "binary":
                return ("B",)
            case "date":
                return ("S",)
            case "string" | "timestamp":
                return ("S", "N")
        return ("N",)

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong with this column: the parameter, and why. Empty if it is valid."""
        found = []
        if not _NAME.fullmatch(self.name):
            found.append(
                ("name", f"column {self.name!r}: a name is lower-case letters, digits and _")
            )
        try:
            types.parse(self.type)
        except types.TypeTextError as error:
            found.append(("type", f"column {self.name!r}: {error}"))
        if self.privacy not in get_args(Privacy):
            known = ", ".join(get_args(Privacy))
            found.append(
                ("privacy", f"column {self.name!r}: privacy is {known}, not {self.privacy!r}")
            )
        elif self.privacy == "hash" and self.type.strip() != "string":
            found.append(
                (
                    "privacy",
                    f"column {self.name!r}: only a string can be hashed, not {self.type}; drop it, "
                    "or keep it",
                )
            )
        elif self.privacy == "drop" and self.required:
            found.append(
                ("privacy", f"column {self.name!r}: dropped, so it cannot be required as well")
            )
        return found

    def document(self) -> dict[str, Any]:
        """For JSON: its parameters, its Hive type, and the tree of a nested type."""
        nested = {"tree": types.tree(self.parsed)} if types.is_nested(self.parsed) else {}
        return asdict(self) | {"hive": self.hive} | nested


EXTRAS = Column(
    name="extras",
    type="string",
    comment="attributes the schema does not know, as one JSON object",
)

EVENT_COLUMNS = (
    EXTRAS,
    Column(name="event_type", type="string", comment="INSERT, MODIFY, REMOVE or SNAPSHOT"),
    Column(name="creation_time", type="timestamp", comment="when the change was made, UTC"),
    Column(name="event_id", type="string", comment="unique per change; drop duplicates by it"),
    Column(
        name="sequence_number",
        type="string",
        comment="order of changes to one key; zero-padded to 40, so text order is number order",
    ),
    Column(name="deleted_by", type="string", comment="ttl for an item that expired, else NULL"),
)
"""The columns that the transform adds to the table's."""
TABLE_COLUMNS = (
    *("arrived", "previous_event_type"),
    *("key_hash_1", "key_hash_2", "version_1", "version_2", "version_3"),
)
"""The columns that the batch job adds in its table of current orders."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A DynamoDB table's columns, of which ``key`` (and ``sort_key``) identify an item.

    Parameters
    ----------
    name:
        What the items are, in the plural: the view of their latest state is ``current_<name>``,
        and the batch job's table is ``<name>``.
    key, sort_key:
        Names of columns.
    unknown_attributes:
        ``keep`` attributes that no column reads, as JSON in ``extras``, or ``drop`` them.

    Raises
    ------
    SchemaError
        With every problem at once.
    """

    key: str
    columns: tuple[Column, ...]
    sort_key: str | None = None
    name: str = "items"
    unknown_attributes: UnknownAttributes = "keep"
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})
        problems = find_problems(
            name=self.name, key=self.key, sort_key=self.sort_key, columns=self.columns
        )
        if problems:
            raise SchemaError("; ".join(problem.text for problem in problems))

    @property
    def keys(self) -> tuple[str, ...]:
        """Partition key, then the sort key if there is one: names of columns."""
        return (self.key, self.sort_key) if self.sort_key else (self.key,)

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The same as DynamoDB names them."""
        return tuple(self[key].attribute for key in self.keys)

    @property
    def current_view(self) -> str:
        """The view of the items' latest state."""
        return f"current_{self.name}"

    @property
    def event_row(self) -> tuple[Column, ...]:
        """The columns of an event row, in order: the table's, then `EVENT_COLUMNS`."""
        return self.columns + EVENT_COLUMNS

    @property
    def hashed(self) -> tuple[Column, ...]:
        """The columns of which the lake holds pseudonyms."""
        return tuple(column for column in self.columns if column.privacy == "hash")

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def to_json(self) -> str:
        """Stable JSON, including the event columns, for code that cannot import this module."""
        document = {
            "name": self.name,
            "key": self.key,
            "sort_key": self.sort_key,
            "columns": [column.document() for column in self.columns],
            "event_columns": [column.document() for column in EVENT_COLUMNS],
            "unknown_attributes": self.unknown_attributes,
        }
        return json.dumps(document, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read the JSON of `to_json`, of this version or one before."""
        document: dict[str, Any] = json.loads(text)
        given = ("name", "type", "comment", "required", "attribute")
        columns = tuple(
            Column(
                **{key: column[key] for key in given},
                personal=column.get("personal", False),
                privacy=column.get("privacy", "keep"),
            )
            for column in document["columns"]
        )
        return cls(
            name=document["name"],
            key=document["key"],
            sort_key=document["sort_key"],
            columns=columns,
            unknown_attributes=document.get("unknown_attributes", "keep"),
        )


def find_problems(
    *, name: str, key: str, sort_key: str | None, columns: Sequence[Column]
) -> list[Problem]:
    """Every problem of a schema of these parts, each with its place; empty if it is valid."""
    found: list[Problem] = []
    if not _TABLE.fullmatch(name) or _RESERVED_NAMES.fullmatch(name):
        found.append(
            Problem(
                ("name",),
                f"name {name!r}: must be lower-case letters, digits and _ (at most 64), and no "
                "name that the lake uses",
            )
        )
    event_row = {column.name for column in EVENT_COLUMNS} | {"day", "hour"}
    by_name: dict[str, Column] = {}
    attributes: set[str] = set()
    for index, column in enumerate(columns):
        texts = column.problems()
        if column.name in by_name:
            texts.append(("name", f"column {column.name!r}: declared twice"))
        elif column.attribute in attributes:
            texts.append(("attribute", f"attribute {column.attribute!r}: read by two columns"))
        if column.name in event_row:
            texts.append(("name", f"column {column.name!r}: the event row uses that name"))
        if column.name in TABLE_COLUMNS:
            texts.append(
                ("name", f"column {column.name!r}: the table of current orders uses that name")
            )
        by_name[column.name] = column
        attributes.add(column.attribute)
        found += [Problem(("columns", index, place), text) for place, text in texts]
    for place, one in (("key", key), ("sort_key", sort_key)):
        if one is None:
            continue
        if one not in by_name:
            found.append(Problem((place,), f"key {one!r}: not among the columns"))
        elif not _can_be_key(by_name[one]):
            kind = by_name[one].type
            found.append(Problem((place,), f"key {one!r}: DynamoDB has no key of type {kind}"))
        elif by_name[one].privacy != "keep":
            index = next(i for i, column in enumerate(columns) if column.name == one)
            found.append(
                Problem(
                    ("columns", index, "privacy"),
                    f"column {one!r}: a key identifies the item in the lake, so it must be kept",
                )
            )
    if sort_key is not None and sort_key == key:
        found.append(Problem(("sort_key",), f"key {key!r}: partition key and sort key at once"))
    return found


def _can_be_key(column: Column) -> bool:
    try:
        parsed = column.parsed
    except types.TypeTextError:
        return True  # a problem of the column
    return not types.is_nested(parsed) and parsed not in _NO_KEYS
