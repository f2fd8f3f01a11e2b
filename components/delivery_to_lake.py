"""Delivery from Kinesis to S3, through Firehose and the transform."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import glue_tables, policies
from components.definitions.alarms import TRANSFORM_METRICS
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from components.pseudonym_key import PseudonymKey, PseudonymKeyArgs
from components.python_function import PythonFunction, PythonFunctionArgs
from components.service_role import ServiceRole, ServiceRoleArgs
from schema import ORDERS, Schema, layout

ROW_TABLE = "event_row"
"""The Glue table that tells Firehose the columns of the Parquet files."""
EXPORT_DAYS = 2
"""Days after which an export of the table, which is raw data, is deleted. A snapshot reads it for
at most 20 hours."""
TRANSFORM_TIMEOUT_SECONDS = 300
"""Firehose waits no longer for a Lambda function."""
# Firehose's own defaults. AWS drops a parameter that equals its default, and every preview would
# then show a change.
DEFAULT_TRANSFORM_BUFFER_MB = 1.0
DEFAULT_TRANSFORM_BUFFER_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class DeliveryToLakeArgs:
    """Arguments of `DeliveryToLake`.

    Parameters
    ----------
    kinesis_stream_arn:
        The Kinesis stream of change records.
    kms_key_arn:
        The key of that stream. Encrypts the bucket, Firehose's objects and the logs. Without it,
        AWS-managed keys are used.
    schema:
        The table's columns. The transform validates records against them, and hashes or drops what
        the lake may not hold.
    pseudonym_key_version:
        Another number makes another key of pseudonyms, if the schema hashes columns.
    delivery_format, compression:
        ``json`` or ``parquet``. ``compression`` applies to JSON only: Parquet always uses Snappy.
    buffer_size_mb, buffer_interval_seconds:
        Firehose writes an object when either is reached. Parquet needs 64 MB or more.
    transform_buffer_size_mb, transform_buffer_interval_seconds:
        Firehose invokes the transform when either is reached.
    monitoring_level:
        Which of the transform's metrics reach CloudWatch, where each costs $0.30 a month: all
        (``full``), the number of rejected records (``basic``) or none (``off``).
    platform:
        The platform the transform is built for.
    retention_days:
        Days after which event rows are deleted.
    failed_retention_days:
        Days after which failed records, which are raw data, are deleted, and the notes of replays.
    expire_days_by_prefix:
        Days after which objects under other prefixes of the bucket are deleted.
    protect:
        Keep old versions and prevent deletion of the bucket. When off, deleting the bucket
        deletes the objects in it.
    """

    kinesis_stream_arn: pulumi.Input[str]
    kms_key_arn: limits.KeyArn | None = None
    schema: Schema = ORDERS
    delivery_format: limits.DeliveryFormat = Settings.delivery_format
    compression: limits.Compression = Settings.compression
    buffer_size_mb: limits.BufferSizeMb = Settings.buffer_size_mb
    buffer_interval_seconds: limits.BufferIntervalSeconds = Settings.buffer_interval_seconds
    transform_buffer_size_mb: limits.TransformBufferSizeMb = Settings.transform_buffer_size_mb
    transform_buffer_interval_seconds: limits.TransformBufferIntervalSeconds = (
        Settings.transform_buffer_interval_seconds
    )
    # A full 3 MB batch peaks at 33 MB (`python -m benchmarks transform_memory_mb`), the worst one
    # at 45, plus the runtime. More memory only buys CPU at the same price for the same work: at
    # 256 MB such a batch takes about half a second, far less than the time it was buffered for.
    transform_memory_mb: limits.MemoryMb = Settings.transform_memory_mb
    monitoring_level: limits.MonitoringLevel = Settings.monitoring
    platform: Platform = field(default_factory=lambda: functions.AWS)
    pseudonym_key_version: limits.PseudonymKeyVersion = Settings.pseudonym_key_version
    retention_days: limits.RetentionDays = Settings.retention_days
    failed_retention_days: limits.RetentionDays = Settings.failed_retention_days
    expire_days_by_prefix: Mapping[str, int] = field(default_factory=dict)
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, limits.parquet_buffers_enough)


class DeliveryToLake(pulumi.ComponentResource):
    """A private bucket, a Firehose delivery stream into it, and the transform it invokes."""

    bucket_name: pulumi.Output[str]
    """The bucket's name."""
    bucket_arn: pulumi.Output[str]
    """The bucket's ARN."""
    delivery_stream_name: pulumi.Output[str]
    """The Firehose delivery stream's name."""
    delivery_stream_arn: pulumi.Output[str]
    """The Firehose delivery stream's ARN."""
    transform_function_name: pulumi.Output[str]
    """The name of the Lambda function that turns change records into event rows."""
    transform_function_arn: pulumi.Output[str]
    """The ARN of the transform function."""
    role_arn: pulumi.Output[str]
    """The ARN of the role Firehose acts as."""
    pseudonym_key_arn: pulumi.Output[str] | None
    """The ARN of the secret with the key of pseudonyms; only if the schema hashes columns."""

    def __init__(
        self, name: str, args: DeliveryToLakeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:DeliveryToLake", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = PrivateBucket(
            name,
            PrivateBucketArgs(
                expire_days_by_prefix={
                    **args.expire_days_by_prefix,
                    layout.PROJECTION_PREFIX: args.retention_days,
                    layout.FAILED_PREFIX: args.failed_retention_days,
                    layout.REPLAYED_PREFIX: args.failed_retention_days,
                    layout.EXPORTS_PREFIX: EXPORT_DAYS,
                    layout.PACKING_PREFIX: 1,
                },
                kms_key_arn=args.kms_key_arn,
                protect=args.protect,
            ),
            child,
        )
        pseudonym_key = _pseudonym_key(name, args, child)
        transform = PythonFunction(
            f"{name}-transform",
            PythonFunctionArgs(
                package=functions.transform(args.schema, args.platform),
                platform=args.platform,
                memory_mb=args.transform_memory_mb,
                timeout_seconds=TRANSFORM_TIMEOUT_SECONDS,
                environment=_metrics(args.monitoring_level) | _key_variables(pseudonym_key),
                statements=policies.read_pseudonym_key(pseudonym_key.secret_arn, args.kms_key_arn)
                if pseudonym_key
                else (),
                log_retention_days=args.log_retention_days,
                kms_key_arn=args.kms_key_arn,
            ),
            child,
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.kms_key_arn,
            opts=child,
        )
        log_stream = aws.cloudwatch.LogStream(
            f"{name}-log-stream", log_group_name=logs.name, opts=child
        )
        rows = _row_table(name, args, child) if args.delivery_format == "parquet" else None
        role = ServiceRole(
            f"{name}-firehose",
            ServiceRoleArgs(
                service="firehose.amazonaws.com",
                statements=[
                    *policies.read_records(args.kinesis_stream_arn, args.kms_key_arn),
                    *policies.transform_records(transform.arn),
                    *policies.deliver_objects(
                        bucket.arn,
                        [layout.PROJECTION_PREFIX, layout.FAILED_PREFIX],
                        args.kms_key_arn,
                    ),
                    *policies.deliver_logs(logs.arn),
                    *(policies.read_row_schema(rows[0].arn, ROW_TABLE) if rows else []),
                ],
            ),
            child,
        )
        gzip = args.delivery_format == "json" and args.compression == "gzip"
        delivery = aws.kinesis.FirehoseDeliveryStream(
            f"{name}-firehose",
            destination="extended_s3",
            kinesis_source_configuration=aws.kinesis.FirehoseDeliveryStreamKinesisSourceConfigurationArgs(
                kinesis_stream_arn=args.kinesis_stream_arn, role_arn=role.arn
            ),
            extended_s3_configuration=aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationArgs(
                bucket_arn=bucket.arn,
                role_arn=role.arn,
                prefix=layout.DELIVERY_PREFIX,
                error_output_prefix=layout.DELIVERY_ERROR_PREFIX,
                buffering_size=args.buffer_size_mb,
                buffering_interval=args.buffer_interval_seconds,
                # This encrypts the objects. The stream has its own encryption.
                kms_key_arn=args.kms_key_arn,
                compression_format="GZIP" if gzip else "UNCOMPRESSED",
                cloudwatch_logging_options=aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptionsArgs(
                    enabled=True, log_group_name=logs.name, log_stream_name=log_stream.name
                ),
                processing_configuration=_processing(args, transform.arn),
                data_format_conversion_configuration=_parquet(args, role.arn, *rows)
                if rows
                else None,
            ),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[role.policy])
            ),
        )
        self.bucket_name = bucket.name
        self.bucket_arn = bucket.arn
        self.delivery_stream_name = delivery.name
        self.delivery_stream_arn = delivery.arn
        self.transform_function_name = transform.name
        self.transform_function_arn = transform.arn
        self.role_arn = role.arn
        self.pseudonym_key_arn = pseudonym_key.secret_arn if pseudonym_key else None
        self.register_outputs(
            {
                "bucket_name": self.bucket_name,
                "bucket_arn": self.bucket_arn,
                "delivery_stream_name": self.delivery_stream_name,
                "delivery_stream_arn": self.delivery_stream_arn,
                "transform_function_name": self.transform_function_name,
                "transform_function_arn": self.transform_function_arn,
                "role_arn": self.role_arn,
                **({"pseudonym_key_arn": self.pseudonym_key_arn} if self.pseudonym_key_arn else {}),
            }
        )


def _pseudonym_key(
    name: str, args: DeliveryToLakeArgs, child: pulumi.ResourceOptions
) -> PseudonymKey | None:
    if not args.schema.hashed:
        return None
    return PseudonymKey(
        f"{name}-pseudonym-key",
        PseudonymKeyArgs(
            pseudonym_key_version=args.pseudonym_key_version,
            kms_key_arn=args.kms_key_arn,
            protect=args.protect,
        ),
        child,
    )


def _processing(
    args: DeliveryToLakeArgs, function_arn: pulumi.Output[str]
) -> aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationArgs:
    values: dict[str, pulumi.Input[str]] = {"LambdaArn": function_arn}
    if args.transform_buffer_size_mb != DEFAULT_TRANSFORM_BUFFER_MB:
        values["BufferSizeInMBs"] = f"{args.transform_buffer_size_mb:g}"
    if args.transform_buffer_interval_seconds != DEFAULT_TRANSFORM_BUFFER_SECONDS:
        values["BufferIntervalInSeconds"] = str(args.transform_buffer_interval_seconds)
    return aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationArgs(
        enabled=True,
        processors=[
            aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorArgs(
                type="Lambda",
                parameters=[
                    aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorParameterArgs(
                        parameter_name=name, parameter_value=value
                    )
                    for name, value in values.items()
                ],
            )
        ],
    )


def _key_variables(key: PseudonymKey | None) -> dict[str, pulumi.Input[str]]:
    """The transform's environment. The version reaches functions that already run."""
    if key is None:
        return {}
    return {"PSEUDONYM_KEY": key.secret_arn, "PSEUDONYM_KEY_VERSION": key.version_id}


def _metrics(level: limits.MonitoringLevel) -> dict[str, pulumi.Input[str]]:
    """The transform's environment: nothing for all metrics, as it was before there were levels."""
    metrics = TRANSFORM_METRICS.get(level)
    return {} if metrics is None else {"METRICS": ",".join(metrics) or "none"}


def _row_table(
    name: str, args: DeliveryToLakeArgs, child: pulumi.ResourceOptions
) -> tuple[aws.glue.CatalogDatabase, aws.glue.CatalogTable]:
    database = aws.glue.CatalogDatabase(
        f"{name}-rows",
        name=f"{name}_delivery".replace("-", "_").lower(),
        description="What Firehose needs to know to write Parquet",
        opts=child,
    )
    table = aws.glue.CatalogTable(
        f"{name}-row",
        database_name=database.name,
        name=ROW_TABLE,
        description="The columns of an event row; holds no data",
        storage_descriptor=aws.glue.CatalogTableStorageDescriptorArgs(
            columns=glue_tables.columns(args.schema.event_row)
        ),
        opts=child,
    )
    return database, table


def _parquet(
    args: DeliveryToLakeArgs,
    role_arn: pulumi.Output[str],
    database: aws.glue.CatalogDatabase,
    table: aws.glue.CatalogTable,
) -> aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationArgs:
    k = aws.kinesis
    return k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationArgs(
        input_format_configuration=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationInputFormatConfigurationArgs(
            deserializer=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationInputFormatConfigurationDeserializerArgs(
                open_x_json_ser_de=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationInputFormatConfigurationDeserializerOpenXJsonSerDeArgs(
                    case_insensitive=False if glue_tables.have_maps(args.schema.columns) else None
                )
            )
        ),
        output_format_configuration=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationOutputFormatConfigurationArgs(
            serializer=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationOutputFormatConfigurationSerializerArgs(
                parquet_ser_de=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationOutputFormatConfigurationSerializerParquetSerDeArgs(
                    compression="SNAPPY"
                )
            )
        ),
        schema_configuration=k.FirehoseDeliveryStreamExtendedS3ConfigurationDataFormatConversionConfigurationSchemaConfigurationArgs(
            role_arn=role_arn, database_name=database.name, table_name=table.name
        ),
    )
