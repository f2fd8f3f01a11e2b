"""The body of the CloudWatch dashboard, laid out from source to lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.definitions.alarms import RUNBOOK, Metric
from components.definitions.documents import to_json

_COLUMNS = 24
_HEIGHT = 5
_PERIOD = 60

# Namespace, dimension, and the field of `MonitoringArgs`.
_TABLE = ("AWS/DynamoDB", "TableName", "table_name")
_PIPE = ("AWS/EventBridge/Pipes", "PipeName", "pipe_name")
_STREAM = ("AWS/Kinesis", "StreamName", "stream_name")
_TRANSFORM = ("AWS/Lambda", "FunctionName", "transform_function_name")
_ROWS = ("sales-cdc", "DeliveryStream", "delivery_stream_name")
_FIREHOSE = ("AWS/Firehose", "DeliveryStreamName", "delivery_stream_name")
_DLQ = ("AWS/SQS", "QueueName", "dlq_name")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")


def _line(whose: tuple[str, str, str], name: str, statistic: str = "Sum", **fixed: str) -> Metric:
    namespace, dimension, field = whose
    return Metric(
        namespace=namespace,
        name=name,
        dimensions={dimension: field},
        statistic=statistic,
        fixed=fixed,
    )


# Row by row: title and metrics. In the first rows a column is a hop.
GRID: Sequence[tuple[str, Sequence[tuple[str, Sequence[Metric]]]]] = (
    (
        "How much",
        (
            ("1 Table: writes", [_line(_TABLE, "ConsumedWriteCapacityUnits")]),
            ("2 Pipe: changes", [_line(_PIPE, "EventCount")]),
            ("3 Kinesis: records", [_line(_STREAM, "IncomingRecords")]),
            ("4 Transform: records", [_line(_ROWS, "Records")]),
            ("5 Firehose: delivered", [_line(_FIREHOSE, "DeliveryToS3.Records")]),
            ("6 Lake: bytes", [_line(_FIREHOSE, "DeliveryToS3.Bytes")]),
        ),
    ),
    (
        "How late",
        (
            (
                "1 Table: latency",
                [
                    _line(_TABLE, "SuccessfulRequestLatency", "Average", Operation=write)
                    for write in _WRITES
                ],
            ),
            ("2 Pipe: duration", [_line(_PIPE, "Duration", "Maximum")]),
            (
                "3 Kinesis: iterator age",
                [_line(_STREAM, "GetRecords.IteratorAgeMilliseconds", "Maximum")],
            ),
            ("4 Transform: duration", [_line(_TRANSFORM, "Duration", "Maximum")]),
            ("5 Firehose: behind", [_line(_FIREHOSE, "KinesisMillisBehindLatest", "Maximum")]),
            ("6 Lake: freshness", [_line(_FIREHOSE, "DeliveryToS3.DataFreshness", "Maximum")]),
        ),
    ),
    (
        "What fails",
        (
            (
                "1 Table: throttled",
                [_line(_TABLE, "WriteThrottleEvents"), _line(_TABLE, "ReadThrottleEvents")],
            ),
            (
                "2 Pipe: failed, dead letters",
                [
                    _line(_PIPE, "ExecutionFailed"),
                    _line(_PIPE, "ExecutionThrottled"),
                    _line(_DLQ, "ApproximateNumberOfMessagesVisible", "Maximum"),
                ],
            ),
            ("3 Kinesis: throttled", [_line(_STREAM, "WriteProvisionedThroughputExceeded")]),
            (
                "4 Transform: errors, rejected",
                [
                    _line(_TRANSFORM, "Errors"),
                    _line(_TRANSFORM, "Throttles"),
                    _line(_ROWS, "Failed"),
                ],
            ),
            (
                "5 Firehose: throttled, unconverted",
                [
                    _line(_FIREHOSE, "ThrottledGetRecords"),
                    _line(_FIREHOSE, "FailedConversion.Records"),
                ],
            ),
            ("6 Lake: success", [_line(_FIREHOSE, "DeliveryToS3.Success", "Average")]),
        ),
    ),
    (
        "How old",
        (
            (
                "From the change to the transform: p50, p99, maximum",
                [_line(_ROWS, "Age", statistic) for statistic in ("p50", "p99", "Maximum")],
            ),
        ),
    ),
)


def body(
    title: str,
    region: pulumi.Input[str],
    names: Mapping[str, pulumi.Input[str]],
    alarm_arns: Sequence[pulumi.Input[str]],
) -> pulumi.Output[str]:
    """The dashboard as JSON.

    Parameters
    ----------
    names:
        The resources' names, by field of `MonitoringArgs`.
    """
    heading = f"# {title}\nFrom source to lake, left to right. What to do: `{RUNBOOK}`"
    widgets: list[dict[str, Any]] = [
        _widget("text", 0, 0, _COLUMNS, 2, {"markdown": heading}),
        _widget("alarm", 0, 2, _COLUMNS, 3, {"title": "Alarms", "alarms": list(alarm_arns)}),
    ]
    top = 5
    for row, cells in GRID:
        widgets.append(_widget("text", 0, top, _COLUMNS, 1, {"markdown": f"## {row}"}))
        for column, (cell, lines) in enumerate(cells):
            properties = {
                "title": cell,
                "region": region,
                "view": "timeSeries",
                "period": _PERIOD,
                "metrics": [
                    [
                        metric.namespace,
                        metric.name,
                        *(part for pair in metric.of(names).items() for part in pair),
                        {"stat": metric.statistic},
                    ]
                    for metric in lines
                ],
            }
            width = _COLUMNS // len(cells)
            place = (column * width, top + 1, width, _HEIGHT)
            widgets.append(_widget("metric", *place, properties))
        top += 1 + _HEIGHT
    return to_json({"widgets": widgets})


def _widget(  # noqa: PLR0917 - the order that CloudWatch's own documentation has
    kind: str, x: int, y: int, width: int, height: int, properties: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "type": kind,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "properties": dict(properties),
    }
