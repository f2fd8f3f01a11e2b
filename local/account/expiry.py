"""Expired items leave a change record, as in DynamoDB; ministack deletes them without one.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

from __future__ import annotations

import threading
from typing import Any

from ministack.services import dynamodb

REAPER = "dynamodb-ttl-reaper"
"""The thread in which ministack deletes expired items."""

_remove_item, _build_change_record = dynamodb._remove_item, dynamodb._build_change_record


def _expires() -> bool:
    return threading.current_thread().name == REAPER


def remove_item(table: dict[str, Any], partition: str, sort: str) -> Any:
    """Delete an item, and tell the stream if it expired."""
    item = _remove_item(table, partition, sort)
    if item is not None and _expires():
        dynamodb._emit_stream_event(table["TableName"], "REMOVE", item, None)
    return item


def build_change_record(*arguments: Any) -> dict[str, Any]:
    """A change record, with the service's identity if the item expired."""
    record: dict[str, Any] = _build_change_record(*arguments)
    if _expires():
        record["userIdentity"] = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    return record


dynamodb._remove_item, dynamodb._build_change_record = remove_item, build_change_record
