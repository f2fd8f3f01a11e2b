"""Compare a schema with the items that a table holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from operate.changes import plain
from operate.reasons import judge
from schema import Schema


@dataclass
class Comparison:
    """What became of a sample of items.

    Attributes
    ----------
    rejected:
        Items that the transform would reject, by reason.
    unknown:
        Items with an attribute that the schema does not know, by attribute; kept in ``extras``.
    unseen:
        Columns that no item had.
    """

    items: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def compare(schema: Schema, items: Iterable[Mapping[str, Mapping[str, Any]]]) -> Comparison:
    """Put items through the transform, as it would be deployed with this schema."""
    reason_of = judge(schema)
    names = {column.attribute: column.name for column in schema.columns}
    rejected: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    total = 0
    for item in items:
        total += 1
        seen.update(item.keys())
        change = {
            "eventID": "check",
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {key: item[key] for key in schema.key_attributes if key in item},
                "NewImage": item,
                "SequenceNumber": "0",
                "ApproximateCreationDateTime": 0,
            },
        }
        if reason := reason_of(orjson.dumps(plain(change))):
            rejected[reason] += 1
    return Comparison(
        items=total,
        rejected=dict(rejected.most_common()),
        unknown={one: count for one, count in seen.most_common() if one not in names},
        unseen=[name for attribute, name in names.items() if not seen[attribute]],
    )


def key_problems(schema: Schema, kinds: Mapping[str, str]) -> list[str]:
    """How the schema's keys differ from a table's, given with their DynamoDB types."""
    problems = []
    if list(schema.key_attributes) != list(kinds):
        problems.append(
            f"the table's keys are {', '.join(kinds)}; the schema's are "
            f"{', '.join(schema.key_attributes)}"
        )
    for name in schema.keys:
        column = schema[name]
        kind = kinds.get(column.attribute)
        if kind and kind not in column.key_types:
            problems.append(f"key {column.attribute}: {kind} in the table, {column.type} here")
    return problems
