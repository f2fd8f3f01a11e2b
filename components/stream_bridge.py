"""The EventBridge pipe from the table's stream to Kinesis."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import policies
from components.service_role import ServiceRole, ServiceRoleArgs
from schema import ORDERS, Schema

DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 3600
"""SQS's maximum. The change that a message points to is in the table's stream for 24 hours."""
DATA_KEY_SECONDS = 300
"""How long SQS caches a data key. A revoked KMS key still works for that long."""


@dataclass(frozen=True, kw_only=True)
class StreamBridgeArgs:
    """Arguments of `StreamBridge`.

    Parameters
    ----------
    source_stream_arn:
        The ARN of a DynamoDB table's stream.
    target_stream_arn:
        The ARN of a Kinesis stream.
    schema:
        The table's columns.
    partition_key_path:
        The JSON path of the Kinesis partition key. A key of the table keeps the changes of one
        item in order. ``$.eventID`` spreads records evenly but does not keep their order. Default:
        the schema's partition key.
    kms_key_arn:
        The key of the Kinesis stream. Encrypts the dead letters, the log and the pipe's filter.
        Without it, AWS-managed keys are used.
    table_kms_key_arn:
        The table's KMS key, if it has one.
    batch_size, batch_window_seconds:
        The pipe sends a batch when either is reached.
    maximum_record_age_seconds, maximum_retry_attempts:
        When either is reached, the pipe gives up on a batch and sends a pointer to it to the
        dead-letter queue. -1 means no limit: a bad record then blocks its shard until it expires
        from the table's stream, after 24 hours. 0 retries is not possible.
    parallelization_factor:
        Batches of one shard that are processed at once. Order within one key is kept.
    filter_patterns:
        EventBridge event patterns. Only changes that match at least one are captured. Without
        patterns, all changes are captured.
    enrichment_function_arn:
        A Lambda function that receives each batch and returns the records to send instead.
    """

    source_stream_arn: pulumi.Input[str]
    target_stream_arn: pulumi.Input[str]
    schema: Schema = ORDERS
    partition_key_path: limits.PartitionKeyPath | None = None
    kms_key_arn: limits.KeyArn | None = None
    table_kms_key_arn: limits.KeyArn | None = None
    batch_size: limits.BatchSize = Settings.batch_size
    batch_window_seconds: limits.BatchWindowSeconds = Settings.batch_window_seconds
    maximum_record_age_seconds: limits.RecordAgeSeconds = Settings.maximum_record_age_seconds
    maximum_retry_attempts: limits.RetryAttempts = Settings.maximum_retry_attempts
    parallelization_factor: limits.Parallelization = Settings.parallelization_factor
    filter_patterns: Sequence[Mapping[str, Any]] = ()
    enrichment_function_arn: pulumi.Input[str] | None = None
    pipe_log_level: limits.LogLevel = Settings.pipe_log_level
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days

    def __post_init__(self) -> None:
        checks.require(
            self,
            limits.window_below_age,
            limits.some_retries,
            limits.few_filters,
            limits.some_path,
        )


class StreamBridge(pulumi.ComponentResource):
    """An EventBridge pipe that copies every change of a table into a Kinesis stream.

    Make it depend on the stream's reader (``opts.depends_on``): Firehose starts at the end of the
    stream and never delivers records that arrived before.
    """

    pipe_name: pulumi.Output[str]
    """The pipe's name."""
    pipe_arn: pulumi.Output[str]
    """The pipe's ARN."""
    dlq_url: pulumi.Output[str]
    """The URL of the dead-letter queue. Its messages point to changes the pipe gave up on."""
    dlq_arn: pulumi.Output[str]
    """The ARN of the dead-letter queue."""
    role_arn: pulumi.Output[str]
    """The ARN of the role the pipe acts as."""

    def __init__(
        self, name: str, args: StreamBridgeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:StreamBridge", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        dlq = aws.sqs.Queue(
            f"{name}-dlq",
            message_retention_seconds=DEAD_LETTER_RETENTION_SECONDS,
            sqs_managed_sse_enabled=None if args.kms_key_arn else True,
            kms_master_key_id=args.kms_key_arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_SECONDS if args.kms_key_arn else None,
            opts=child,
        )
        aws.sqs.QueuePolicy(
            f"{name}-dlq-policy",
            queue_url=dlq.url,
            policy=policies.tls_only("sqs:*", dlq.arn),
            opts=child,
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.kms_key_arn,
            opts=child,
        )
        role = ServiceRole(
            f"{name}-pipe",
            ServiceRoleArgs(
                service="pipes.amazonaws.com",
                statements=[
                    *policies.read_table_stream(args.source_stream_arn, args.table_kms_key_arn),
                    *policies.put_records(args.target_stream_arn, args.kms_key_arn),
                    *policies.dead_letters(dlq.arn, args.kms_key_arn),
                    *policies.keep_pipe_encrypted(
                        args.source_stream_arn, f"{name}-pipe", args.kms_key_arn
                    ),
                    *policies.write_logs(logs.arn),
                    *(
                        policies.invoke(args.enrichment_function_arn)
                        if args.enrichment_function_arn
                        else []
                    ),
                ],
            ),
            child,
        )
        pipe = aws.pipes.Pipe(
            f"{name}-pipe",
            role_arn=role.arn,
            source=args.source_stream_arn,
            source_parameters=_source_parameters(args, dlq.arn),
            enrichment=args.enrichment_function_arn,
            kms_key_identifier=args.kms_key_arn,
            target=args.target_stream_arn,
            target_parameters=aws.pipes.PipeTargetParametersArgs(
                kinesis_stream_parameters=aws.pipes.PipeTargetParametersKinesisStreamParametersArgs(
                    partition_key=args.partition_key_path or limits.partition_key_path(args.schema)
                )
            ),
            # Declared even when OFF: AWS returns it, and the next preview would show a diff.
            # No execution data: it would copy the orders themselves into the log.
            log_configuration=aws.pipes.PipeLogConfigurationArgs(
                level=args.pipe_log_level,
                cloudwatch_logs_log_destination=aws.pipes.PipeLogConfigurationCloudwatchLogsLogDestinationArgs(
                    log_group_arn=logs.arn
                ),
            ),
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    # Without its policy in place the pipe fails with "Cannot access stream".
                    depends_on=[role.policy, *_given(opts)]
                ),
            ),
        )
        self.pipe_name = pipe.name
        self.pipe_arn = pipe.arn
        self.dlq_url = dlq.url
        self.dlq_arn = dlq.arn
        self.role_arn = role.arn
        self.register_outputs(
            {
                "pipe_name": self.pipe_name,
                "pipe_arn": self.pipe_arn,
                "dlq_url": self.dlq_url,
                "dlq_arn": self.dlq_arn,
                "role_arn": self.role_arn,
            }
        )


def _given(opts: pulumi.ResourceOptions | None) -> Sequence[pulumi.Resource]:
    """The component's ``depends_on``; children do not inherit it."""
    given: Any = opts.depends_on if opts else None
    return [given] if isinstance(given, pulumi.Resource) else [*(given or ())]


def _source_parameters(
    args: StreamBridgeArgs, dlq_arn: pulumi.Output[str]
) -> aws.pipes.PipeSourceParametersArgs:
    filters = [
        aws.pipes.PipeSourceParametersFilterCriteriaFilterArgs(pattern=json.dumps(pattern))
        for pattern in args.filter_patterns
    ]
    return aws.pipes.PipeSourceParametersArgs(
        dynamodb_stream_parameters=aws.pipes.PipeSourceParametersDynamodbStreamParametersArgs(
            # LATEST would lose the changes made before the pipe runs.
            starting_position="TRIM_HORIZON",
            batch_size=args.batch_size,
            # Both always declared: an update that leaves them out is invalid.
            maximum_batching_window_in_seconds=args.batch_window_seconds,
            maximum_record_age_in_seconds=args.maximum_record_age_seconds,
            maximum_retry_attempts=args.maximum_retry_attempts,
            parallelization_factor=args.parallelization_factor,
            on_partial_batch_item_failure="AUTOMATIC_BISECT",
            # From the start: when one is added later, AWS tries it at once, maybe before the role's
            # new permission counts.
            dead_letter_config=aws.pipes.PipeSourceParametersDynamodbStreamParametersDeadLetterConfigArgs(
                arn=dlq_arn
            ),
        ),
        filter_criteria=aws.pipes.PipeSourceParametersFilterCriteriaArgs(filters=filters)
        if filters
        else None,
    )
