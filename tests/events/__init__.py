"""Event files, each a JSON document beside this module, behind one loader."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.json").read_text()


def load(name: str) -> Any:
    """The document of ``tests/events/NAME.json``, a fresh copy each time."""
    return json.loads(_text(name))


def firehose(*payloads: object) -> dict[str, Any]:
    """Firehose's event with one record a payload: text is its ``data``, all else its JSON."""
    event: dict[str, Any] = load("firehose")
    template = event["records"].pop()
    for number, payload in enumerate(payloads):
        record = template | {"recordId": f"{template['recordId'][:-6]}{number:06}"}
        record["data"] = payload if isinstance(payload, str) else encode(payload)
        event["records"].append(record)
    return event


def encode(payload: object) -> str:
    """What Firehose puts into ``data``: base64 of bytes, or of a document's JSON."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return base64.b64encode(raw).decode()


def decode(answer: dict[str, str]) -> bytes:
    """The bytes in the ``data`` of an answered record."""
    return base64.b64decode(answer["data"], validate=True)
