"""Where the transform puts attributes that the schema does not know: the names in ``extras``.

An unknown attribute of the item is under its name. An unknown member of a struct is under its path
in the item, with the names that DynamoDB has: ``address.geo``, ``Items[3].color``,
``prices["a.b"].color``. A name that is not letters, digits and ``_`` is in quotes, and so is an
attribute's name that could be taken for a path into a nested column.
"""

from __future__ import annotations

import json
import re

from schema import Schema, types

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]', re.DOTALL)


def step(name: str, *, first: bool = False) -> str:
    """A name as a step of a path."""
    if _NAME.fullmatch(name):
        return name if first else f".{name}"
    return f"[{json.dumps(name, ensure_ascii=False)}]"


def top_name(attribute: str, schema: Schema) -> str:
    """The name in extras of an attribute of the item."""
    if _is_path(attribute, schema):
        return f"[{json.dumps(attribute, ensure_ascii=False)}]"
    return attribute


def steps(name: str, schema: Schema) -> list[str | int]:
    """The steps of a name in extras: members' names and indexes.

    Raises
    ------
    ValueError
        It is not a path.
    """
    if not _is_path(name, schema):
        return [name]
    found: list[str | int] = []
    at = 0
    while at < len(name):
        match = _STEP.match(name, at)
        if not match:
            raise ValueError(name)
        plain, index, quoted = match.groups()
        found.append(plain or (int(index) if index else json.loads(quoted)))
        at = match.end()
    return found


def _is_path(name: str, schema: Schema) -> bool:
    nested = [c.attribute for c in schema.columns if types.is_nested(c.parsed)]
    return bool(nested) and (
        name.startswith("[") or any(name.startswith((f"{one}.", f"{one}[")) for one in nested)
    )
