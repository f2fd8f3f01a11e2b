"""CloudWatch metrics of the last day, read in one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from operate.account import Account

PERIOD = timedelta(minutes=5)
_LOOK_BACK = timedelta(hours=24)


@dataclass(frozen=True)
class Metric:
    """A metric; ``dimensions`` maps a dimension to the stack's output with its value."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum", "p99"]


METRICS: Mapping[str, Metric] = {
    "executions": Metric("AWS/EventBridge/Pipes", "Invocations", {"PipeName": "pipeName"}, "Sum"),
    "behind": Metric(
        "AWS/Kinesis",
        "GetRecords.IteratorAgeMilliseconds",
        {"StreamName": "kinesisStreamName"},
        "Maximum",
    ),
    "freshness": Metric(
        "AWS/Firehose",
        "DeliveryToS3.DataFreshness",
        {"DeliveryStreamName": "deliveryStreamName"},
        "Maximum",
    ),
    # The transform's own, in milliseconds: from the change to the transform.
    "age": Metric("sales-cdc", "Age", {"DeliveryStream": "deliveryStreamName"}, "p99"),
    "errors": Metric("AWS/Lambda", "Errors", {"FunctionName": "transformFunctionName"}, "Sum"),
}


@dataclass(frozen=True)
class Series:
    """A metric's values by the start of their period, newest first."""

    points: tuple[tuple[datetime, float], ...] = ()

    def latest(self, since: datetime) -> float | None:
        """The newest value since then; None if there is none."""
        return next((value for at, value in self.points if at >= since), None)

    def total(self, since: datetime) -> float | None:
        """The sum since then; None if the metric has no value at all."""
        return sum(value for at, value in self.points if at >= since) if self.points else None

    def last_above_zero(self) -> datetime | None:
        """The end of the newest period with a value above zero."""
        return next((at + PERIOD for at, value in self.points if value > 0), None)


def read(account: Account, now: datetime) -> dict[str, Series]:
    """The series of each of `METRICS` over the last 24 hours."""
    pages = (
        account.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            StartTime=now - _LOOK_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
            MetricDataQueries=[_query(account, key, metric) for key, metric in METRICS.items()],
        )
    )
    points: dict[str, list[tuple[datetime, float]]] = {key: [] for key in METRICS}
    for page in pages:
        for result in page["MetricDataResults"]:
            points[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
    return {key: Series(tuple(sorted(found, reverse=True))) for key, found in points.items()}


def _query(account: Account, key: str, metric: Metric) -> dict[str, Any]:
    return {
        "Id": key,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [
                    {"Name": name, "Value": account[output]}
                    for name, output in metric.dimensions.items()
                ],
            },
            "Period": int(PERIOD.total_seconds()),
            "Stat": metric.statistic,
        },
    }
