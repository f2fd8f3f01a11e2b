"""Alarms, the SNS topic they notify, and a CloudWatch dashboard."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import operations_dashboard, policies
from components.definitions.alarms import RUNBOOK, Alarm, Metric, alarms
from components.definitions.documents import to_json
from components.service_role import account_id

_COMPARISONS = {
    "at least": "GreaterThanOrEqualToThreshold",
    "above": "GreaterThanThreshold",
    "below": "LessThanThreshold",
}
_NAMES = (
    "table_name",
    "pipe_name",
    "stream_name",
    "transform_function_name",
    "delivery_stream_name",
)
_FUNCTIONS = ("batch_check_function_name", "pack_function_name")
"""Which not every stack has."""


@dataclass(frozen=True, kw_only=True)
class GlueFailure:
    """A failed Glue run. Glue reports it only as an EventBridge event, on a best-effort basis."""

    name: str
    """The rule's name, also the anchor of its section in the runbook."""
    event: str
    key: str
    states: Sequence[str]
    why: str
    watched: Sequence[pulumi.Input[str]] = ()

    def watching(self, names: Sequence[pulumi.Input[str]]) -> "GlueFailure":
        """A copy for these crawlers or jobs."""
        return replace(self, watched=names)


CRAWLER = GlueFailure(
    name="crawler-failed",
    event="Glue Crawler State Change",
    key="crawlerName",
    states=["Failed"],
    why="errorMessage",
)
JOB = GlueFailure(
    name="job-failed",
    event="Glue Job State Change",
    key="jobName",
    states=["FAILED", "TIMEOUT", "ERROR"],
    why="message",
)


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Arguments of `Monitoring`. Names and ARNs come from the other components' outputs.

    Parameters
    ----------
    monitoring_level:
        ``full``: every alarm and the dashboard. ``basic``: five alarms, of one metric each, and no
        dashboard; any rejected record then rings. Each metric of an alarm costs $0.10 a month, the
        dashboard $3.
    table_name:
        The name of the table.
    stream_arn:
        The ARN of the table's stream.
    stream_name:
        The name of the Kinesis stream.
    crawler_name, job_names:
        The crawler and the Glue jobs whose failed runs are reported.
    batch_check_function_name:
        The function that starts the batch job, if there is one.
    pack_function_name:
        The function that packs the log, if there is one.
    alarm_email:
        The address to notify. AWS asks it to confirm. Without it, subscribe to the topic yourself.
    batch_window_seconds:
        How long the pipe collects changes.
    buffer_interval_seconds, transform_buffer_interval_seconds:
        How long Firehose buffers records.
    transform_timeout_seconds:
        The transform's timeout.
    failed_record_percent:
        Alarm when this percentage of records is rejected. For ``full`` only.
    delivery_format:
        ``parquet`` adds an alarm for failed conversions.
    kms_key_arn:
        Encrypts the topic. The key policy must let CloudWatch and EventBridge use the key, or no
        notification is sent: see docs/security.md.
    filter_patterns:
        The pipe's filters. With filters there is no alarm for missing changes.
    """

    table_name: pulumi.Input[str]
    stream_arn: pulumi.Input[str]
    pipe_name: pulumi.Input[str]
    dlq_arn: pulumi.Input[str]
    stream_name: pulumi.Input[str]
    delivery_stream_name: pulumi.Input[str]
    transform_function_name: pulumi.Input[str]
    crawler_name: pulumi.Input[str]
    job_names: Sequence[pulumi.Input[str]] = ()
    batch_check_function_name: pulumi.Input[str] | None = None
    pack_function_name: pulumi.Input[str] | None = None
    monitoring_level: limits.MonitoringLevel = Settings.monitoring
    alarm_email: limits.EmailAddress | None = None
    batch_window_seconds: limits.BatchWindowSeconds = Settings.batch_window_seconds
    buffer_interval_seconds: limits.BufferIntervalSeconds = Settings.buffer_interval_seconds
    transform_buffer_interval_seconds: limits.TransformBufferIntervalSeconds = (
        Settings.transform_buffer_interval_seconds
    )
    transform_timeout_seconds: limits.TimeoutSeconds = 300
    failed_record_percent: limits.Percent = Settings.failed_record_percent
    delivery_format: limits.DeliveryFormat = Settings.delivery_format
    kms_key_arn: limits.KeyArn | None = None
    filter_patterns: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        checks.require(self, _something_to_monitor)

    @property
    def freshness_seconds(self) -> int:
        """The age at which records in Firehose are late: twice its buffer intervals plus 5 min."""
        held = self.buffer_interval_seconds + self.transform_buffer_interval_seconds
        return 2 * held + 300

    @property
    def age_seconds(self) -> int:
        """The age at which changes reach the transform late: twice the pipe's window and the
        transform's buffer interval, plus 5 min.
        """
        return 2 * (self.batch_window_seconds + self.transform_buffer_interval_seconds) + 300


def _something_to_monitor(args: MonitoringArgs, label: checks.Label) -> str | None:
    if args.monitoring_level != "off":
        return None
    return f"{label('monitoring_level')}: must be full or basic; leave the component out for off"


class Monitoring(pulumi.ComponentResource):
    """CloudWatch alarms for the pipeline, an SNS topic they notify, and a dashboard."""

    alarm_topic_arn: pulumi.Output[str]
    """The ARN of the SNS topic. Subscribe to it to be notified."""
    operations_dashboard_name: pulumi.Output[str] | None
    """The name of the CloudWatch dashboard; none with ``basic``."""

    def __init__(
        self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Not encrypted without a customer-managed key: CloudWatch cannot use the AWS-managed key
        # for SNS. Notifications hold resource names and figures, no orders.
        topic = aws.sns.Topic(f"{name}-alarms", kms_master_key_id=args.kms_key_arn, opts=child)
        failures = [CRAWLER.watching([args.crawler_name])]
        if args.job_names:
            failures.append(JOB.watching(args.job_names))
        rules = [_rule(name, failure, child) for failure in failures]
        aws.sns.TopicPolicy(
            f"{name}-alarms-policy",
            arn=topic.arn,
            policy=policies.tell(topic.arn, account_id(self)),
            opts=child,
        )
        for failure, rule in zip(failures, rules, strict=True):
            _tell(name, failure, rule, topic, child)
        if args.alarm_email:
            aws.sns.TopicSubscription(
                f"{name}-email",
                topic=topic.arn,
                protocol="email",
                endpoint=args.alarm_email,
                opts=child,
            )
        names: dict[str, pulumi.Input[str]] = {one: getattr(args, one) for one in _NAMES}
        for one in _FUNCTIONS:
            if (function := getattr(args, one)) is not None:
                names[one] = function
        names["dlq_name"] = _after(":", args.dlq_arn)
        names["stream_label"] = _after("/", args.stream_arn)
        watched = alarms(
            level=args.monitoring_level,
            freshness_seconds=args.freshness_seconds,
            age_seconds=args.age_seconds,
            transform_timeout_seconds=args.transform_timeout_seconds,
            failed_record_percent=args.failed_record_percent,
            parquet=args.delivery_format == "parquet",
            filtered=bool(args.filter_patterns),
            batch_check=args.batch_check_function_name is not None,
            packing=args.pack_function_name is not None,
        )
        ring = [_alarm(name, alarm, names, topic, child) for alarm in watched]
        self.alarm_topic_arn = topic.arn
        self.operations_dashboard_name = None
        if args.monitoring_level == "full":
            region = aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
            dashboard = aws.cloudwatch.Dashboard(
                f"{name}-dashboard",
                dashboard_name=name,
                dashboard_body=operations_dashboard.body(
                    name, region, names, [one.arn for one in ring]
                ),
                opts=child,
            )
            self.operations_dashboard_name = dashboard.dashboard_name
        self.register_outputs(
            {
                "alarm_topic_arn": self.alarm_topic_arn,
                "operations_dashboard_name": self.operations_dashboard_name,
            }
        )


def _after(mark: str, arn: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(arn).apply(lambda known: known.rpartition(mark)[2])


def _alarm(
    name: str,
    alarm: Alarm,
    names: Mapping[str, pulumi.Input[str]],
    topic: aws.sns.Topic,
    child: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    asked: dict[str, Any]
    if alarm.expression:
        result = aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="result", expression=alarm.expression, label=alarm.name, return_data=True
        )
        asked = {
            "metric_queries": [
                result,
                *(_query(key, m, alarm, names) for key, m in alarm.metrics.items()),
            ]
        }
    else:
        (metric,) = alarm.metrics.values()
        asked = {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": metric.of(names),
            "extended_statistic" if metric.statistic.startswith("p") else "statistic": (
                metric.statistic
            ),
            "period": alarm.period,
        }
    return aws.cloudwatch.MetricAlarm(
        f"{name}-{alarm.name}",
        alarm_description=alarm.description,
        comparison_operator=_COMPARISONS[alarm.comparison],
        threshold=alarm.threshold,
        evaluation_periods=alarm.of,
        datapoints_to_alarm=alarm.periods,
        # No traffic is no failure.
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        ok_actions=[topic.arn],
        opts=child,
        **asked,
    )


def _query(
    key: str, metric: Metric, alarm: Alarm, names: Mapping[str, pulumi.Input[str]]
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=key,
        return_data=False,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.of(names),
            stat=metric.statistic,
            period=alarm.period,
        ),
    )


def _rule(
    name: str, failure: GlueFailure, child: pulumi.ResourceOptions
) -> aws.cloudwatch.EventRule:
    return aws.cloudwatch.EventRule(
        f"{name}-{failure.name}",
        description=f"Runbook: {RUNBOOK}#{failure.name}",
        event_pattern=to_json(
            {
                "source": ["aws.glue"],
                "detail-type": [failure.event],
                "detail": {failure.key: list(failure.watched), "state": list(failure.states)},
            }
        ),
        opts=child,
    )


def _tell(
    name: str,
    failure: GlueFailure,
    rule: aws.cloudwatch.EventRule,
    topic: aws.sns.Topic,
    child: pulumi.ResourceOptions,
) -> None:
    said = f"Glue: <name> is <state>: <why>. Runbook: {RUNBOOK}#{failure.name}"
    aws.cloudwatch.EventTarget(
        f"{name}-{failure.name}-tell",
        rule=rule.name,
        arn=topic.arn,
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths={
                "name": f"$.detail.{failure.key}",
                "state": "$.detail.state",
                "why": f"$.detail.{failure.why}",
            },
            input_template=json.dumps(said),
        ),
        opts=child,
    )
