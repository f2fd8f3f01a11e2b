"""Where to write: the table's name and region, and a client for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config


class TargetError(ValueError):
    """Where to write cannot be told; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """A table, and its region if that is known."""

    table: str
    region: str | None = None


def dynamodb(
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    concurrency: int = 8,
    timeout: float = 30,
    session: boto3.Session | None = None,
) -> Any:
    """A DynamoDB client by the standard AWS settings, fit for `generator.write`.

    ``timeout`` is how many seconds one call may take; a ``session`` brings other credentials.
    """
    # boto3 itself reads AWS_DEFAULT_REGION only; the other SDKs and the AWS CLI, AWS_REGION first.
    session = session or boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    return session.client(
        "dynamodb",
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            max_pool_connections=concurrency,
            connect_timeout=min(5, timeout),
            read_timeout=timeout,
            # The writer retries what was turned back, item by item, and counts it.
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Half of the time of a batch of 25; our items are made to fit.
            parameter_validation=False,
        ),
    )
