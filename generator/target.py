"""The table to write to: its name and region, and a client for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config


class TargetError(ValueError):
    """The table to write to cannot be determined; the message says why and what to do."""


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
    """A DynamoDB client with the standard AWS settings, configured for `generator.write`.

    ``timeout`` is the maximum time of one call in seconds; a ``session`` gives other credentials.
    """
    # boto3 reads AWS_DEFAULT_REGION only; other SDKs and the AWS CLI read AWS_REGION first.
    session = session or boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    return session.client(
        "dynamodb",
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            max_pool_connections=concurrency,
            connect_timeout=min(5, timeout),
            read_timeout=timeout,
            # The writer retries and counts throttled items itself.
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Validation takes half of the time of a batch of 25; our items are valid.
            parameter_validation=False,
        ),
    )
