"""Resource policies for an emulator that uses plain HTTP."""

from __future__ import annotations

import json
from typing import Any


def over_http(policy: str) -> str | None:
    """The policy without its TLS-only statements, which would deny every local call.

    None if no statement is left.
    """
    document: dict[str, Any] = json.loads(policy)
    document["Statement"] = [one for one in document["Statement"] if not _tls_only(one)]
    return json.dumps(document) if document["Statement"] else None


def _tls_only(statement: dict[str, Any]) -> bool:
    conditions = statement.get("Condition", {}).get("Bool", {})
    return bool(statement["Effect"] == "Deny" and conditions == {"aws:SecureTransport": "false"})
