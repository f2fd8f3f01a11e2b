"""AWS's list prices, with their date, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REGION = "us-east-1"
DATED = "2026-11"
"""The date of the prices; check them before you rely on them."""

GB, KB = 1e9, 1024.0


@dataclass(frozen=True)
class Price:
    """A list price in USD, and the monthly free amount that does not expire."""

    usd: float
    per: str
    source: str
    always_free: float = 0.0


_AWS = "https://aws.amazon.com"
_DYNAMODB = f"{_AWS}/dynamodb/pricing/on-demand/"
_KINESIS = f"{_AWS}/kinesis/data-streams/pricing/"
_EVENTBRIDGE = f"{_AWS}/eventbridge/pricing/"
_GLUE = f"{_AWS}/glue/pricing/"
_CLOUDWATCH = f"{_AWS}/cloudwatch/pricing/"
_REDSHIFT = f"{_AWS}/redshift/pricing/"
PRICES: Mapping[str, Price] = {
    "table writes": Price(0.625e-6, "write of 1 KB", _DYNAMODB),
    "table reads": Price(0.125e-6, "read of 4 KB", _DYNAMODB),
    "table export": Price(0.10, "GB", _DYNAMODB),
    "table storage": Price(0.25, "GB-month", _DYNAMODB, 25),
    "table restore points": Price(0.20, "GB-month", _DYNAMODB),
    "table stream reads": Price(0.20e-6, "GetRecords call", _DYNAMODB, 2.5e6),
    "table to Kinesis": Price(0.10e-6, "change of 1 KB", _DYNAMODB),
    "pipe": Price(0.40e-6, "change of up to 64 KB", _EVENTBRIDGE),
    "schedule": Price(1e-6, "invocation", _EVENTBRIDGE, 14e6),
    "stream shards": Price(0.015, "shard-hour", _KINESIS),
    "stream puts": Price(0.014e-6, "put of 25 KB", _KINESIS),
    "stream on demand": Price(0.04, "stream-hour", _KINESIS),
    "stream data in": Price(0.08, "GB", _KINESIS),
    "stream data out": Price(0.04, "GB", _KINESIS),
    "stream retention": Price(0.10, "GB-month", _KINESIS),
    "shards retention": Price(0.020, "shard-hour", _KINESIS),
    "key requests": Price(0.03e-4, "KMS request", f"{_AWS}/kms/pricing/", 20_000),
    "firehose": Price(0.029, "GB, in steps of 5 KB a record", f"{_AWS}/firehose/pricing/"),
    "firehose to parquet": Price(0.018, "GB, in steps of 5 KB", f"{_AWS}/firehose/pricing/"),
    "function time": Price(1.33334e-5, "GB-s (arm64)", f"{_AWS}/lambda/pricing/", 400_000),
    "function calls": Price(0.20e-6, "call", f"{_AWS}/lambda/pricing/", 1e6),
    "lake storage": Price(0.023, "GB-month", f"{_AWS}/s3/pricing/"),
    "lake puts": Price(0.005e-3, "PUT or LIST", f"{_AWS}/s3/pricing/"),
    "lake gets": Price(0.0004e-3, "GET", f"{_AWS}/s3/pricing/"),
    "glue": Price(0.44, "DPU-hour", _GLUE),
    "glue flex": Price(0.29, "DPU-hour that may wait", _GLUE),
    "athena": Price(5.0, "TB read, 10 MB a query at least", f"{_AWS}/athena/pricing/"),
    "logs": Price(0.50, "GB", _CLOUDWATCH, 5),
    "metrics": Price(0.30, "metric", _CLOUDWATCH, 10),
    "alarms": Price(0.10, "metric of an alarm", _CLOUDWATCH, 10),
    "dashboards": Price(3.0, "dashboard", _CLOUDWATCH, 3),
    "notifications": Price(2e-5, "e-mail", f"{_AWS}/sns/pricing/", 1_000),
    "secrets": Price(0.40, "secret", f"{_AWS}/secrets-manager/pricing/"),
    "redshift": Price(0.375, "RPU-hour", _REDSHIFT),
    "redshift storage": Price(0.024, "GB-month", _REDSHIFT),
}
