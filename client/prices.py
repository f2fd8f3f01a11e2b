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
PRICES: Mapping[str, Price] = {
    "table writes": Price(0.625e-6, "write of 1 KB", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "table reads": Price(0.125e-6, "read of 4 KB", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "table export": Price(0.10, "GB", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "table storage": Price(0.25, "GB-month", f"{_AWS}/dynamodb/pricing/on-demand/", 25),
    "table restore points": Price(0.20, "GB-month", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "pipe": Price(0.40e-6, "change of up to 64 KB", f"{_AWS}/eventbridge/pricing/"),
    "stream shards": Price(0.015, "shard-hour", f"{_AWS}/kinesis/data-streams/pricing/"),
    "stream puts": Price(0.014e-6, "put of 25 KB", f"{_AWS}/kinesis/data-streams/pricing/"),
    "stream on demand": Price(0.04, "stream-hour", f"{_AWS}/kinesis/data-streams/pricing/"),
    "stream data in": Price(0.08, "GB", f"{_AWS}/kinesis/data-streams/pricing/"),
    "stream data out": Price(0.04, "GB", f"{_AWS}/kinesis/data-streams/pricing/"),
    "stream retention": Price(0.10, "GB-month", f"{_AWS}/kinesis/data-streams/pricing/"),
    "firehose": Price(0.029, "GB, in steps of 5 KB a record", f"{_AWS}/firehose/pricing/"),
    "firehose to parquet": Price(0.018, "GB, in steps of 5 KB", f"{_AWS}/firehose/pricing/"),
    "transform time": Price(1.33334e-5, "GB-s (arm64)", f"{_AWS}/lambda/pricing/", 400_000),
    "transform calls": Price(0.20e-6, "call", f"{_AWS}/lambda/pricing/", 1e6),
    "lake storage": Price(0.023, "GB-month", f"{_AWS}/s3/pricing/"),
    "lake puts": Price(0.005e-3, "object written", f"{_AWS}/s3/pricing/"),
    "glue": Price(0.44, "DPU-hour", f"{_AWS}/glue/pricing/"),
    "athena": Price(5.0, "TB read, 10 MB a query at least", f"{_AWS}/athena/pricing/"),
    "logs": Price(0.50, "GB", f"{_AWS}/cloudwatch/pricing/", 5),
    "metrics": Price(0.30, "metric", f"{_AWS}/cloudwatch/pricing/", 10),
    "alarms": Price(0.10, "metric of an alarm", f"{_AWS}/cloudwatch/pricing/", 10),
    "dashboards": Price(3.0, "dashboard", f"{_AWS}/cloudwatch/pricing/", 3),
}
