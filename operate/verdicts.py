"""The result of the last `verify`, kept in the bucket for `status`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operate.account import Account
from schema.layout import LAST_VERIFY_KEY

_KEPT = (
    "matches",
    "table_items",
    "lake_orders",
    "different",
    "only_in_table",
    "only_in_lake",
)
"""Counts only: no key and no value of an item."""


def save(account: Account, verdict: Mapping[str, Any]) -> None:
    """Keep the counts of a result, in place of those before.

    Raises
    ------
    ClientError
        It cannot be written.
    """
    kept = {name: verdict[name] for name in _KEPT if name in verdict}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    account.client("s3").put_object(
        Bucket=account["bucketName"],
        Key=LAST_VERIFY_KEY,
        Body=json.dumps({"at": at, **kept}).encode(),
        ContentType="application/json",
    )


def load(account: Account) -> dict[str, Any] | None:
    """The counts of the last result and when it was (``at``); None if there is none."""
    try:
        answer = account.client("s3").get_object(Bucket=account["bucketName"], Key=LAST_VERIFY_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    kept: dict[str, Any] = json.loads(answer["Body"].read())
    return kept
