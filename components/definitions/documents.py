"""Documents that AWS takes as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


def to_json(document: Mapping[str, Any]) -> pulumi.Output[str]:
    """``document`` as JSON once the outputs in it are known.

    `pulumi.Output.json_dumps` makes an output of each string of a document: two of five outputs of
    a preview were made by it.
    """
    outputs: list[Any] = []
    json.dumps(document, default=outputs.append)

    def dump(values: Sequence[Any]) -> str:
        known = iter(values)
        return json.dumps(document, default=lambda _: next(known))

    return pulumi.Output.all(*outputs).apply(dump)
