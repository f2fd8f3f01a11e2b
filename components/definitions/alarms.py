"""Every alarm as plain data, in the order of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from components.arguments.limits import MonitoringLevel

MINUTE = 60
NameT = TypeVar("NameT")
RUNBOOK = "docs/operations.md"
"""The page with a section for each alarm, under the alarm's name."""
ITERATOR_AGE_MS = 10 * MINUTE * 1000
"""How far behind Firehose may read. The stream keeps records for a day or more."""
TRANSFORM_DURATION_SHARE = 0.8
"""Of the transform's timeout."""
BASIC = ("pipe-failed", "dead-letters", "transform-errors", "failed-records", "delivery-late")
"""The alarms of ``monitoring: basic``: one per way to lose or hold up changes. A metric each."""
TRANSFORM_METRICS: Mapping[MonitoringLevel, tuple[str, ...]] = {"basic": ("Failed",), "off": ()}
"""The transform's metrics that reach CloudWatch, where not all do."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric with the dimensions of our resource.

    A metric has data only under exactly the dimensions that the service's guide lists for it.
    ``dimensions`` map to fields of `MonitoringArgs`, ``fixed`` to values.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"
    fixed: Mapping[str, str] = field(default_factory=dict)

    def of(self, names: Mapping[str, NameT]) -> dict[str, NameT | str]:
        """The metric's dimensions for resources with these ``names``."""
        return {**{one: names[whose] for one, whose in self.dimensions.items()}, **self.fixed}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm.

    Parameters
    ----------
    name:
        The alarm's name, also the anchor of its section in the runbook.
    says:
        What the alarm means.
    first:
        What to do first.
    metrics:
        One metric, or several by the ID used in ``expression``.
    periods, of:
        The alarm fires when ``periods`` of the last ``of`` periods breach the threshold.
    """

    name: str
    says: str
    first: str
    metrics: Mapping[str, Metric]
    expression: str | None = None
    threshold: float = 1
    comparison: Literal["at least", "above", "below"] = "at least"
    period: int = MINUTE
    periods: int = 1
    of: int = 1

    @property
    def description(self) -> str:
        """The text for the person on call."""
        return f"{self.says} First: {self.first} Runbook: {RUNBOOK}#{self.name}"


def _pipe(metric: str) -> dict[str, Metric]:
    return {
        "pipe": Metric(
            namespace="AWS/EventBridge/Pipes", name=metric, dimensions={"PipeName": "pipe_name"}
        )
    }


def _firehose(metric: str, statistic: str = "Sum") -> dict[str, Metric]:
    dimensions = {"DeliveryStreamName": "delivery_stream_name"}
    return {
        "firehose": Metric(
            namespace="AWS/Firehose", name=metric, dimensions=dimensions, statistic=statistic
        )
    }


def _function(metric: str, whose: str, statistic: str = "Sum") -> dict[str, Metric]:
    return {
        "function": Metric(
            namespace="AWS/Lambda",
            name=metric,
            dimensions={"FunctionName": whose},
            statistic=statistic,
        )
    }


def _transform(metric: str, statistic: str = "Sum") -> dict[str, Metric]:
    return _function(metric, "transform_function_name", statistic)


def _kinesis(metric: str, statistic: str = "Sum") -> Metric:
    return Metric(
        namespace="AWS/Kinesis",
        name=metric,
        dimensions={"StreamName": "stream_name"},
        statistic=statistic,
    )


def _records(metric: str, statistic: str = "Sum") -> Metric:
    """A metric that the transform logs (embedded metric format)."""
    dimensions = {"DeliveryStream": "delivery_stream_name"}
    return Metric(namespace="sales-cdc", name=metric, dimensions=dimensions, statistic=statistic)


def _rejected(percent: float) -> Alarm:
    """At least this percentage of the records is rejected."""
    return Alarm(
        name="failed-records",
        says=f"The transform rejects {percent:g} % of the records or more.",
        first="python -m operate replay failed --stack STACK.",
        metrics={"failed": _records("Failed"), "records": _records("Records")},
        expression="IF(records > 0, 100 * failed / records, 0)",
        threshold=percent,
        period=5 * MINUTE,
    )


def _any_rejected() -> Alarm:
    """The same for any record, with one metric instead of two."""
    return Alarm(
        name="failed-records",
        says="The transform rejects records.",
        first="python -m operate replay failed --stack STACK.",
        metrics={"failed": _records("Failed")},
        period=5 * MINUTE,
    )


def alarms(
    *,
    level: MonitoringLevel = "full",
    freshness_seconds: int,
    age_seconds: int,
    transform_timeout_seconds: int,
    failed_record_percent: float,
    parquet: bool,
    filtered: bool,
    batch_check: bool = False,
    packing: bool = False,
) -> list[Alarm]:
    """Every alarm of a stack.

    Parameters
    ----------
    level:
        ``basic`` has the alarms in `BASIC` only, and rings for any rejected record.
    freshness_seconds:
        How old the oldest record that Firehose holds may be.
    age_seconds:
        How old 99 % of the changes may be when the transform gets them.
    failed_record_percent:
        The percentage of rejected records at which to alarm.
    parquet:
        Firehose converts to Parquet, so conversion can fail.
    filtered:
        The pipe has filters, so it may rightly send nothing: no ``chain-silent`` alarm.
    batch_check, packing:
        A function starts the batch job, or packs the log, so it can fail to.
    """
    written = Metric(
        namespace="AWS/DynamoDB",
        name="ConsumedWriteCapacityUnits",
        dimensions={"TableName": "table_name"},
    )
    # How often the pipe polled the table's stream. A write that changes nothing makes no change
    # record, so writes without records are no failure while the pipe polls.
    asked = Metric(
        namespace="AWS/DynamoDB",
        name="ReturnedRecordsCount",
        dimensions={"TableName": "table_name", "StreamLabel": "stream_label"},
        fixed={"Operation": "GetRecords"},
        statistic="SampleCount",
    )
    queued = Metric(
        namespace="AWS/SQS",
        name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": "dlq_name"},
        statistic="Maximum",
    )
    found = [
        Alarm(
            name="pipe-failed",
            says="The pipe cannot send changes to Kinesis.",
            first="read the last ERROR in the pipe's log group.",
            metrics=_pipe("ExecutionFailed"),
            periods=3,
            of=5,
        ),
        Alarm(
            name="pipe-timed-out",
            says="The pipe's executions take too long.",
            first="check whether its enrichment function is slow.",
            metrics=_pipe("ExecutionTimeout"),
            periods=3,
            of=5,
        ),
        Alarm(
            name="pipe-throttled",
            says="Pipe executions exceed the account's concurrency quota.",
            first="compare Concurrency in AWS/EventBridge/Pipes with the account's quota.",
            metrics=_pipe("ExecutionThrottled"),
            periods=5,
            of=5,
        ),
        Alarm(
            name="dead-letters",
            says="The pipe gave up on changes; the table's stream keeps them for 24 hours.",
            first="python -m operate replay dlq --stack STACK --dry-run.",
            metrics={"queue": queued},
        ),
        Alarm(
            name="writes-throttled",
            says="The Kinesis stream throttles the pipe's writes.",
            first="add shards, or set streamMode to on-demand.",
            metrics={"stream": _kinesis("WriteProvisionedThroughputExceeded")},
            periods=3,
            of=5,
        ),
        Alarm(
            name="reader-behind",
            says="Firehose reads the Kinesis stream more than 10 minutes late.",
            first="check whether transform-errors or delivery-failed fires too, and fix that.",
            metrics={"stream": _kinesis("GetRecords.IteratorAgeMilliseconds", "Maximum")},
            threshold=ITERATOR_AGE_MS,
            periods=3,
            of=5,
        ),
        Alarm(
            name="reads-throttled",
            says="Firehose's reads of the Kinesis stream are throttled.",
            first="find out what else reads the stream; add shards.",
            metrics=_firehose("ThrottledGetRecords"),
            periods=5,
            of=5,
        ),
        Alarm(
            name="transform-errors",
            says="The transform fails for whole batches, which become failed records.",
            first="read the last error in the transform's log group.",
            metrics=_transform("Errors"),
        ),
        Alarm(
            name="transform-throttled",
            says="The transform is throttled by the account's Lambda concurrency quota.",
            first="compare ConcurrentExecutions in AWS/Lambda with the account's quota.",
            metrics=_transform("Throttles"),
            periods=3,
            of=5,
        ),
        Alarm(
            name="transform-slow",
            says="The transform takes more than 80 % of its timeout.",
            first="raise transformMemoryMb, or lower transformBufferSizeMb.",
            metrics=_transform("Duration", "Maximum"),
            threshold=TRANSFORM_DURATION_SHARE * transform_timeout_seconds * 1000,
            periods=3,
            of=5,
        ),
        Alarm(
            name="changes-late",
            says=f"Changes reach the transform more than {age_seconds:,} seconds after they are "
            "made (p99).",
            first="check whether a pipe alarm, writes-throttled or reader-behind fires too.",
            metrics={"age": _records("Age", "p99")},
            threshold=age_seconds * 1000,
            comparison="above",
            period=5 * MINUTE,
            periods=2,
            of=3,
        ),
        _any_rejected() if level == "basic" else _rejected(failed_record_percent),
        Alarm(
            name="processing-failed",
            says="Firehose cannot use the transform's response.",
            first="read the last error in Firehose's log group.",
            metrics=_firehose("ExecuteProcessing.Success", "Average"),
            threshold=1,
            comparison="below",
            period=5 * MINUTE,
        ),
        Alarm(
            name="delivery-late",
            says=f"Records wait in Firehose for more than {freshness_seconds:,} seconds.",
            first="check whether delivery-failed or transform-errors fires too, and fix that.",
            metrics=_firehose("DeliveryToS3.DataFreshness", "Maximum"),
            threshold=freshness_seconds,
            comparison="above",
            periods=3,
            of=3,
        ),
        Alarm(
            name="delivery-failed",
            says="Firehose cannot write to the bucket.",
            first="read the last error in Firehose's log group; most often a policy or a KMS key.",
            metrics=_firehose("DeliveryToS3.Success", "Average"),
            threshold=1,
            comparison="below",
            period=5 * MINUTE,
            periods=2,
            of=3,
        ),
    ]
    if parquet:
        found.append(
            Alarm(
                name="conversion-failed",
                says="Firehose cannot convert some rows to Parquet; they become failed records.",
                first="compare the transform's schema with the table event_row.",
                metrics=_firehose("FailedConversion.Records"),
            )
        )
    if not filtered:
        found.append(
            Alarm(
                name="chain-silent",
                says="Orders are written, but the pipe has not read the table's stream for 15 min.",
                first="check whether the pipe is RUNNING; if not, read its state reason.",
                metrics={
                    "written": written,
                    "asked": asked,
                    "carried": _kinesis("IncomingRecords"),
                },
                expression=(
                    "IF(FILL(written, 0) > 0 AND FILL(asked, 0) == 0 AND FILL(carried, 0) == 0,"
                    " 1, 0)"
                ),
                period=5 * MINUTE,
                periods=3,
                of=3,
            )
        )
    if batch_check:
        found.append(
            Alarm(
                name="batch-not-started",
                says="The function that starts the batch job when there is something new fails.",
                first="read the last error in the function's log group.",
                metrics=_function("Errors", "batch_check_function_name"),
            )
        )
    if packing:
        found.append(
            Alarm(
                name="packing-failed",
                says="The function that packs the log's small objects fails.",
                first="read the last error in the function's log group.",
                metrics=_function("Errors", "pack_function_name"),
            )
        )
    return [one for one in found if level == "full" or one.name in BASIC]
