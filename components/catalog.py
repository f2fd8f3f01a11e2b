"""The Glue database, tables and Athena workgroup for queries over the lake."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import glue_security, glue_tables, policies
from components.service_role import ServiceRole, ServiceRoleArgs
from schema import ORDERS, Column, Schema, layout, types

PROJECTION_TABLE = "projection"
FAILED_TABLE = "projection_processing_failed"
CRAWLED_PREFIX = "crawled_"
"""The prefix of the names of crawled tables."""

FAILED_COLUMNS = (
    Column(name="attemptsmade", type="int", comment="how often Firehose tried"),
    Column(name="arrivaltimestamp", type="bigint", comment="when it came, milliseconds UTC"),
    Column(name="errorcode", type="string", comment="Firehose's error code"),
    Column(name="errormessage", type="string", comment="the error message"),
    Column(name="attemptendingtimestamp", type="bigint", comment="last attempt, UTC milliseconds"),
    Column(name="rawdata", type="string", comment="the original record, base64"),
    Column(name="lambdaarn", type="string", comment="the transform that rejected it"),
)
"""The fields of a failed record. Firehose writes camel case; Hive needs lower case."""

_PARTITION_KEYS = ("day", "hour")
_CRAWLER_LOGS = "/aws-glue/crawlers-role"
_TABLE_LEVEL = 2
"""Each top-level folder is a table. The bucket itself is level 1."""

_NO_SERDE = "-"


@dataclass(frozen=True, kw_only=True)
class View:
    """A view: its SQL, and its columns as (name, Hive type)."""

    name: str
    sql: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """A saved query in the workgroup."""

    name: str
    description: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class CatalogArgs:
    """Arguments of `Catalog`.

    Parameters
    ----------
    bucket_name, bucket_arn:
        The bucket of the lake.
    database_name:
        The Glue database to create. Default: the component's name with ``_`` for ``-``.
    schema, delivery_format, compression:
        The columns and format of the objects, as in `DeliveryToLakeArgs`.
    retention_days, failed_retention_days:
        Days for which queries look for partitions of event rows, and of failed records.
    crawler_schedule:
        When the crawler runs (``cron(...)``, UTC). None: only when started by hand. AWS bills at
        least ten minutes for a run.
    scan_limit_mb:
        Athena cancels a query that scans more than this.
    views, saved_queries:
        Views in the database and saved queries in the workgroup.
    kms_key_arn:
        The key of the bucket. Encrypts query results and the crawler's log. Without it,
        AWS-managed keys are used.
    log_retention_days:
        Days for which the crawler's log is kept. Applies with ``kms_key_arn`` only: without it, the
        crawler writes to the log group that all crawlers of the account share.
    batch_schedule:
        When set, the batch job updates the view of current items from its first run on.
    protect:
        Keep the workgroup and its history when it is not empty.
    """

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    database_name: limits.DatabaseName | None = None
    schema: Schema = ORDERS
    delivery_format: limits.DeliveryFormat = Settings.delivery_format
    compression: limits.Compression = Settings.compression
    retention_days: limits.RetentionDays = Settings.retention_days
    failed_retention_days: limits.RetentionDays = Settings.failed_retention_days
    crawler_schedule: limits.Cron | None = None
    scan_limit_mb: limits.ScanLimitMb = Settings.scan_limit_mb
    views: Sequence[View] = ()
    saved_queries: Sequence[SavedQuery] = ()
    kms_key_arn: limits.KeyArn | None = None
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    batch_schedule: limits.Cron | None = None
    protect: bool = Settings.protect

    def __post_init__(self) -> None:
        checks.require(self, _names_differ)


def _names_differ(args: CatalogArgs, label: checks.Label) -> str | None:
    tables = [PROJECTION_TABLE, FAILED_TABLE, *(view.name for view in args.views)]
    queries = [query.name for query in args.saved_queries]
    twice = sorted({n for names in (tables, queries) for n in names if names.count(n) > 1})
    return (
        f"{label('views')}, {label('saved_queries')}: twice: {', '.join(twice)}" if twice else None
    )


class Catalog(pulumi.ComponentResource):
    """A Glue database over the lake, a crawler that shows drift, and an Athena workgroup."""

    database_name: pulumi.Output[str]
    """The Glue database."""
    database_arn: pulumi.Output[str]
    """The Glue database's ARN."""
    projection_table: pulumi.Output[str]
    """The table of event rows."""
    failed_table: pulumi.Output[str]
    """The table of records that the transform rejected."""
    view_names: list[pulumi.Output[str]]
    """The views."""
    classifier_name: pulumi.Output[str]
    """The crawler's JSON classifier."""
    crawler_name: pulumi.Output[str]
    """The crawler."""
    workgroup_name: pulumi.Output[str]
    """The Athena workgroup."""
    workgroup_arn: pulumi.Output[str]
    """The Athena workgroup's ARN."""
    saved_query_ids: dict[str, pulumi.Output[str]]
    """The IDs of the saved queries by name."""

    def __init__(
        self, name: str, args: CatalogArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:Catalog", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        database_name = args.database_name or default_database_name(name)
        database = aws.glue.CatalogDatabase(
            f"{name}-database",
            name=database_name,
            description=f"Changes of {args.schema.name}",
            opts=child,
        )
        parquet = args.delivery_format == "parquet"
        projection = _table(
            f"{name}-projection",
            database,
            args,
            columns=args.schema.event_row,
            prefix=layout.PROJECTION_PREFIX,
            data_format=args.delivery_format,
            compression="snappy" if parquet else args.compression,
            days=args.retention_days,
            table_name=PROJECTION_TABLE,
            description="Event rows: every change",
            opts=child,
        )
        failed = _table(
            f"{name}-failed",
            database,
            args,
            columns=FAILED_COLUMNS,
            prefix=layout.PROCESSING_FAILED_PREFIX,
            # Firehose writes failed records as JSON, whatever the delivery format.
            data_format="json",
            compression="none" if parquet else args.compression,
            days=args.failed_retention_days,
            table_name=FAILED_TABLE,
            description="Records that the transform could not turn into event rows",
            opts=child,
        )
        views = [
            _view(name, view, database, database_name=database_name, args=args, child=child)
            for view in args.views
        ]
        classifier, crawler = _crawler(name, args, database, child)
        workgroup = _workgroup(name, args, child)
        queries = {
            query.name: aws.athena.NamedQuery(
                f"{name}-query-{query.name}",
                name=query.name,
                description=query.description,
                query=query.sql,
                database=database.name,
                workgroup=workgroup.name,
                opts=child,
            )
            for query in args.saved_queries
        }
        self.database_name = database.name
        self.database_arn = database.arn
        self.projection_table = projection.name
        self.failed_table = failed.name
        self.view_names = [view.name for view in views]
        self.classifier_name = classifier.name
        self.crawler_name = crawler.name
        self.workgroup_name = workgroup.name
        self.workgroup_arn = workgroup.arn
        self.saved_query_ids = {key: query.id for key, query in queries.items()}
        self.register_outputs(
            {
                "database_name": self.database_name,
                "database_arn": self.database_arn,
                "projection_table": self.projection_table,
                "failed_table": self.failed_table,
                "view_names": self.view_names,
                "classifier_name": self.classifier_name,
                "crawler_name": self.crawler_name,
                "workgroup_name": self.workgroup_name,
                "workgroup_arn": self.workgroup_arn,
                "saved_query_ids": self.saved_query_ids,
            }
        )


def default_database_name(name: str) -> str:
    """The database of the catalog called ``name``, unless it is given."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())


def _location(args: CatalogArgs, prefix: str) -> pulumi.Output[str]:
    return pulumi.Output.concat("s3://", args.bucket_name, "/", prefix)


def _table(
    resource_name: str,
    database: aws.glue.CatalogDatabase,
    args: CatalogArgs,
    *,
    columns: Sequence[Column],
    prefix: str,
    data_format: limits.DeliveryFormat,
    compression: str,
    days: int,
    table_name: str,
    description: str,
    opts: pulumi.ResourceOptions,
) -> aws.glue.CatalogTable:
    """A table over ``prefix`` with partition projection: no partitions in the catalog."""
    location = _location(args, prefix)
    return aws.glue.CatalogTable(
        resource_name,
        database_name=database.name,
        name=table_name,
        description=description,
        table_type="EXTERNAL_TABLE",
        parameters={
            "EXTERNAL": "TRUE",
            # Without these two a crawler may deprecate the table.
            "classification": data_format,
            "compressionType": compression,
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": f"NOW-{days}DAYS,NOW",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "projection.hour.type": "integer",
            "projection.hour.range": "0,23",
            "projection.hour.digits": "2",
            "storage.location.template": location.apply(
                lambda root: root + "".join(f"{key}=${{{key}}}/" for key in _PARTITION_KEYS)
            ),
        },
        partition_keys=[
            aws.glue.CatalogTablePartitionKeyArgs(name=key, type="string", comment="arrival, UTC")
            for key in _PARTITION_KEYS
        ],
        storage_descriptor=glue_tables.storage(columns, location, data_format),
        opts=opts,
    )


def presto_type(hive: str) -> str:
    """A Hive type's name in Athena's SQL; types that a schema does not have are named alike."""
    try:
        return types.trino(types.parse(hive))
    except types.TypeTextError:
        return hive


def _view(
    name: str,
    view: View,
    database: aws.glue.CatalogDatabase,
    *,
    database_name: str,
    args: CatalogArgs,
    child: pulumi.ResourceOptions,
) -> aws.glue.CatalogTable:
    batch_updates_it = args.batch_schedule and view.name == args.schema.current_view
    ignored = ["viewOriginalText"] if batch_updates_it else []
    definition = {
        "originalSql": view.sql,
        "catalog": "awsdatacatalog",
        "schema": database_name,
        "columns": [{"name": key, "type": presto_type(kind)} for key, kind in view.columns],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    return aws.glue.CatalogTable(
        f"{name}-view-{view.name}",
        database_name=database.name,
        name=view.name,
        table_type="VIRTUAL_VIEW",
        parameters={"presto_view": "true", "comment": "Presto View"},
        view_original_text=f"/* Presto View: {encoded} */",
        view_expanded_text="/* Presto View */",
        storage_descriptor=aws.glue.CatalogTableStorageDescriptorArgs(
            columns=[
                aws.glue.CatalogTableStorageDescriptorColumnArgs(name=key, type=kind)
                for key, kind in view.columns
            ],
            # Athena requires SerDe info for a view but does not use it, and itself writes an empty
            # block. The provider drops an empty block, hence these names.
            ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                name=_NO_SERDE, serialization_library=_NO_SERDE
            ),
        ),
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=ignored)),
    )


def _crawler(
    name: str, args: CatalogArgs, database: aws.glue.CatalogDatabase, child: pulumi.ResourceOptions
) -> tuple[aws.glue.Classifier, aws.glue.Crawler]:
    classifier = aws.glue.Classifier(
        f"{name}-json",
        # Each line is one row.
        json_classifier=aws.glue.ClassifierJsonClassifierArgs(json_path="$"),
        opts=child,
    )
    prefixes = [layout.PROJECTION_PREFIX, layout.FAILED_PREFIX]
    key, given = args.kms_key_arn, {}
    if key:
        # Without a security configuration, Glue writes the crawler's log to the account's shared
        # group, whose key is not ours. With one, the group is named after role and configuration.
        given["log_group"] = f"{_CRAWLER_LOGS}/{name}-crawler-*"
    role = ServiceRole(
        f"{name}-crawler",
        ServiceRoleArgs(
            service="glue.amazonaws.com",
            statements=policies.crawl(
                database.arn, args.bucket_arn, prefixes, CRAWLED_PREFIX, key, **given
            ),
        ),
        child,
    )
    security = None
    if key:
        security = aws.glue.SecurityConfiguration(
            f"{name}-crawler-encryption",
            encryption_configuration=glue_security.encryption(key, logs=True),
            opts=child,
        )
        aws.cloudwatch.LogGroup(
            f"{name}-crawler-logs",
            name=pulumi.Output.concat(f"{_CRAWLER_LOGS}/", role.name, "-", security.name),
            retention_in_days=args.log_retention_days,
            kms_key_id=key,
            opts=child,
        )
    crawler = aws.glue.Crawler(
        f"{name}-crawler",
        description="Shows drift between the bucket and the declared tables",
        role=role.arn,
        database_name=database.name,
        table_prefix=CRAWLED_PREFIX,
        classifiers=[classifier.name],
        s3_targets=[
            aws.glue.CrawlerS3TargetArgs(path=_location(args, prefix)) for prefix in prefixes
        ],
        schedule=args.crawler_schedule,
        security_configuration=security.name if security else None,
        # Deleted objects stay in the catalog and are logged, so that drift is visible.
        schema_change_policy=aws.glue.CrawlerSchemaChangePolicyArgs(
            update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
        ),
        recrawl_policy=aws.glue.CrawlerRecrawlPolicyArgs(recrawl_behavior="CRAWL_EVERYTHING"),
        configuration=json.dumps(
            {
                "Version": 1.0,
                "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
                "Grouping": {
                    "TableGroupingPolicy": "CombineCompatibleSchemas",
                    "TableLevelConfiguration": _TABLE_LEVEL,
                },
                "CreatePartitionIndex": False,
            }
        ),
        opts=pulumi.ResourceOptions.merge(
            child,
            pulumi.ResourceOptions(
                depends_on=[role.policy],
                # The provider cannot remove it in an update: the crawler would keep the name of a
                # deleted configuration.
                replace_on_changes=["securityConfiguration"],
            ),
        ),
    )
    return classifier, crawler


def _workgroup(name: str, args: CatalogArgs, child: pulumi.ResourceOptions) -> aws.athena.Workgroup:
    return aws.athena.Workgroup(
        f"{name}-workgroup",
        description=f"Queries on {args.schema.name}",
        configuration=aws.athena.WorkgroupConfigurationArgs(
            enforce_workgroup_configuration=True,
            publish_cloudwatch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=args.scan_limit_mb * 1024 * 1024,
            engine_version=aws.athena.WorkgroupConfigurationEngineVersionArgs(
                selected_engine_version="Athena engine version 3"
            ),
            result_configuration=aws.athena.WorkgroupConfigurationResultConfigurationArgs(
                output_location=_location(args, layout.RESULTS_PREFIX),
                encryption_configuration=aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                    encryption_option="SSE_KMS" if args.kms_key_arn else "SSE_S3",
                    kms_key_arn=args.kms_key_arn,
                ),
            ),
        ),
        force_destroy=not args.protect,
        opts=child,
    )
