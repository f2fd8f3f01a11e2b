"""Least privilege, a function a hop: ARNs in, the statements of an IAM policy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi

from components import layout

Arn = pulumi.Input[str]


class Statement(TypedDict, total=False):
    """One statement of an IAM policy document."""

    Sid: str
    Effect: str
    Principal: Mapping[str, Any] | str
    Action: Sequence[str] | str
    Resource: Sequence[Arn] | Arn
    Condition: Mapping[str, Any]


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """The JSON of a policy that holds ``statements``."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: Sequence[str], *resources: Arn) -> Statement:
    """Allow ``actions`` on ``resources``."""
    return Statement(Sid=sid, Effect="Allow", Action=list(actions), Resource=list(resources))


def under(arn: Arn, suffix: str) -> pulumi.Output[str]:
    """``arn`` with ``suffix`` appended: what lies within a resource."""
    return pulumi.Output.concat(arn, suffix)


def trust(service: str, account_id: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
    """The trust policy of a role that ``service`` assumes, on behalf of ``account_id`` only."""
    statement = Statement(Effect="Allow", Principal={"Service": service}, Action="sts:AssumeRole")
    if account_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account_id}}
    return document([statement])


def tls_only(actions: str, *resources: Arn) -> pulumi.Output[str]:
    """A resource policy that refuses every request that is not encrypted in transit."""
    return document(
        [
            Statement(
                Sid="TlsOnly",
                Effect="Deny",
                Principal="*",  # whoever asks
                Action=actions,  # whatever is asked
                Resource=list(resources),
                Condition={"Bool": {"aws:SecureTransport": "false"}},
            )
        ]
    )


def read_table_stream(stream: Arn) -> list[Statement]:
    """DynamoDB stream -> pipe."""
    return [
        allow(
            "ReadChanges",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            stream,
        ),
        # ListStreams knows no resource: AWS accepts "*" only.
        allow("FindStream", ["dynamodb:ListStreams"], "*"),
    ]


def put_records(stream: Arn, key: Arn | None = None) -> list[Statement]:
    """Pipe -> Kinesis; ``key`` is the stream's own KMS key, if it has one."""
    statements = [allow("PutRecords", ["kinesis:PutRecord", "kinesis:PutRecords"], stream)]
    return statements + ([allow("Encrypt", ["kms:GenerateDataKey"], key)] if key else [])


def dead_letters(queue: Arn) -> list[Statement]:
    """Pipe -> dead-letter queue."""
    return [allow("DeadLetters", ["sqs:SendMessage"], queue)]


def invoke(function: Arn) -> list[Statement]:
    """Whoever holds it -> a Lambda function; ":*" are its versions and aliases."""
    return [allow("Invoke", ["lambda:InvokeFunction"], function, under(function, ":*"))]


def write_logs(*log_groups: Arn) -> list[Statement]:
    """Anything -> its own log groups; ":*" are the streams in them."""
    streams = [under(group, ":*") for group in log_groups]
    return [allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], *streams)]


def read_records(stream: Arn, key: Arn | None = None) -> list[Statement]:
    """Kinesis -> Firehose; ``key`` is the stream's own KMS key, if it has one."""
    statements = [
        allow(
            "ReadRecords",
            [
                "kinesis:DescribeStream",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords",
                "kinesis:ListShards",
            ],
            stream,
        )
    ]
    return statements + ([allow("Decrypt", ["kms:Decrypt"], key)] if key else [])


def transform_records(function: Arn) -> list[Statement]:
    """Firehose -> its transform; ":*" because Firehose asks for the version ":$LATEST"."""
    return [
        allow(
            "Transform",
            ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
            function,
            under(function, ":*"),
        )
    ]


def deliver_objects(bucket: Arn) -> list[Statement]:
    """Firehose -> S3. Firehose looks at the bucket before it writes under its prefixes."""
    return [
        allow(
            "DeliverObjects",
            [
                "s3:AbortMultipartUpload",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:PutObject",
            ],
            bucket,
            under(bucket, "/*"),
        )
    ]


def deliver_logs(log_group: Arn) -> list[Statement]:
    """Firehose -> the log stream that was made for it."""
    return [allow("DeliverLogs", ["logs:PutLogEvents"], under(log_group, ":*"))]


def catalog_arn(database: Arn, resource: str) -> pulumi.Output[str]:
    """The ARN of another ``resource`` of the Glue catalog that ``database`` is in."""
    return pulumi.Output.from_input(database).apply(
        lambda arn: f"{arn.split(':database/')[0]}:{resource}"
    )


def tables_arn(database: Arn, tables: str = "*") -> pulumi.Output[str]:
    """The ARN of the tables of ``database`` whose names match ``tables``."""
    return pulumi.Output.from_input(database).apply(
        lambda arn: f"{arn.replace(':database/', ':table/')}/{tables}"
    )


def read_row_schema(database: Arn, table: str) -> list[Statement]:
    """Firehose -> the Glue table that holds the columns of the Parquet files."""
    return [
        allow(
            "ReadRowSchema",
            ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
            catalog_arn(database, "catalog"),
            database,
            tables_arn(database, table),
        )
    ]


_READ_CATALOG = (
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
)


def read_catalog(database: Arn) -> list[Statement]:
    """Crawler or Athena -> the database and what is in it."""
    return [
        allow(
            "ReadCatalog",
            _READ_CATALOG,
            catalog_arn(database, "catalog"),
            database,
            tables_arn(database),
        )
    ]


def crawl(
    database: Arn, bucket: Arn, prefixes: Sequence[str], table_prefix: str
) -> list[Statement]:
    """Crawler: read the objects, keep the tables whose names start with ``table_prefix``."""
    return [
        *read_catalog(database),
        allow(
            "KeepCrawledTables",
            [
                "glue:CreateTable",
                "glue:UpdateTable",
                "glue:CreatePartition",
                "glue:UpdatePartition",
                "glue:BatchCreatePartition",
                "glue:BatchUpdatePartition",
            ],
            catalog_arn(database, "catalog"),
            database,
            tables_arn(database, f"{table_prefix}*"),
        ),
        *read_objects(bucket, prefixes),
        # Glue writes every crawler's log to this one group of the account and makes it if need be.
        allow(
            "WriteLogs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            pulumi.Output.from_input(database).apply(
                lambda arn: (
                    arn.split(":database/")[0].replace(":glue:", ":logs:")
                    + ":log-group:/aws-glue/crawlers:*"
                )
            ),
        ),
    ]


def read_objects(bucket: Arn, prefixes: Sequence[str]) -> list[Statement]:
    """Anyone who reads the lake -> the objects under ``prefixes``."""
    return [
        allow("FindObjects", ["s3:GetBucketLocation", "s3:ListBucket"], bucket),
        allow("ReadObjects", ["s3:GetObject"], *[under(bucket, f"/{p}*") for p in prefixes]),
    ]


def merge_orders(
    bucket: Arn, database: Arn, *, table: str, views: Sequence[str]
) -> list[Statement]:
    """The batch job: read the log, keep one Iceberg table, and point ``views`` at it."""
    reads = [layout.PROJECTION_PREFIX, layout.JOBS_PREFIX, layout.EXPORTS_PREFIX]
    return [
        *read_objects(bucket, [*reads, layout.ORDERS_PREFIX]),
        # Before it lists a folder, Spark's file system looks for an object of its name.
        allow(
            "LookForFolders",
            ["s3:GetObject"],
            *(
                under(bucket, f"/{p.rstrip('/')}")
                for p in (layout.PROJECTION_PREFIX, layout.ORDERS_PREFIX)
            ),
        ),
        allow(
            "KeepTable",
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            under(bucket, f"/{layout.ORDERS_PREFIX}*"),
        ),
        allow(
            "KeepTemporary",
            ["s3:DeleteObject", "s3:PutObject"],
            under(bucket, f"/{layout.JOBS_PREFIX}temporary/*"),
        ),
        allow("ReadCatalog", ["glue:GetDatabase"], catalog_arn(database, "catalog"), database),
        allow(
            "KeepTables",
            ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
            catalog_arn(database, "catalog"),
            database,
            *(tables_arn(database, name) for name in (table, *views)),
        ),
    ]


def write_orders(table: Arn) -> list[Statement]:
    """The generator, or an application -> the table."""
    return [
        allow(
            "WriteOrders",
            [
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:DescribeTable",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
            table,
        )
    ]


def generate_orders(table: Arn) -> list[Statement]:
    """The generator as a function -> the table: it writes batches of whole orders, no more."""
    actions = ["dynamodb:BatchWriteItem", "dynamodb:DescribeTable"]
    return [allow("GenerateOrders", actions, table)]


def ask(
    workgroup: Arn, database: Arn, bucket: Arn, prefixes: Sequence[str], results_prefix: str
) -> list[Statement]:
    """Whoever asks questions -> Athena, in one workgroup, about one database."""
    return [
        allow(
            "Ask",
            [
                "athena:BatchGetNamedQuery",
                "athena:BatchGetQueryExecution",
                "athena:GetNamedQuery",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetQueryResultsStream",
                "athena:GetWorkGroup",
                "athena:ListNamedQueries",
                "athena:ListQueryExecutions",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            workgroup,
        ),
        allow(
            "ListCatalog",
            [
                "athena:GetDatabase",
                "athena:GetDataCatalog",
                "athena:GetTableMetadata",
                "athena:ListDatabases",
                "athena:ListTableMetadata",
            ],
            pulumi.Output.from_input(workgroup).apply(
                lambda arn: f"{arn.split(':workgroup/')[0]}:datacatalog/AwsDataCatalog"
            ),
        ),
        *read_catalog(database),
        # Athena looks whether the database "default" is there before it runs SHOW, DESCRIBE or DDL.
        allow(
            "FindDefault",
            ["glue:GetDatabase"],
            catalog_arn(database, "catalog"),
            catalog_arn(database, "database/default"),
        ),
        *read_objects(bucket, [*prefixes, results_prefix]),
        allow(
            "WriteResults",
            ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"],
            under(bucket, f"/{results_prefix}*"),
        ),
        allow("FindUploads", ["s3:ListBucketMultipartUploads"], bucket),
    ]


def replay_failed(bucket: Arn, stream: Arn, key: Arn | None = None) -> list[Statement]:
    """Operator: failed records -> Kinesis again, and the notes of what was replayed.

    Reading the stream settles what became of a replay that broke off.
    """
    prefixes = [layout.FAILED_PREFIX, layout.REPLAYED_PREFIX]
    statements = [
        allow("FindFailed", ["s3:ListBucket"], bucket),
        allow("ReadFailed", ["s3:GetObject"], *[under(bucket, f"/{p}*") for p in prefixes]),
        allow("NoteReplayed", ["s3:PutObject"], under(bucket, f"/{layout.REPLAYED_PREFIX}*")),
        allow(
            "Replay",
            [
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
                "kinesis:PutRecords",
            ],
            stream,
        ),
    ]
    keys = ["kms:Decrypt", "kms:GenerateDataKey"]
    return statements + ([allow("UseKey", keys, key)] if key else [])


def redrive(queue: Arn, table_stream: Arn, pipe: Arn) -> list[Statement]:
    """Operator: the changes that dead letters point to, as far as the pipe wants them."""
    return [
        allow(
            "WorkOffDeadLetters",
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
            queue,
        ),
        allow("ReadChanges", ["dynamodb:GetRecords", "dynamodb:GetShardIterator"], table_stream),
        allow("ReadFilter", ["pipes:DescribePipe"], pipe),
    ]


def scan_orders(table: Arn) -> list[Statement]:
    """Operator: the table, to compare it with the lake."""
    actions = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Scan"]
    return [allow("ScanOrders", actions, table)]


def tell(topic: Arn, account_id: pulumi.Input[str], rules: Sequence[Arn]) -> pulumi.Output[str]:
    """Resource policy: this account's alarms, and these rules -> the topic, and only over TLS."""

    def publish(sid: str, service: str, condition: Mapping[str, Any]) -> Statement:
        return Statement(
            Sid=sid,
            Effect="Allow",
            Principal={"Service": service},
            Action="sns:Publish",
            Resource=topic,
            Condition=condition,
        )

    by_alarms = {"StringEquals": {"aws:SourceAccount": account_id}}
    by_rules = {"ArnEquals": {"aws:SourceArn": list(rules)}}
    return document(
        [
            publish("Alarms", "cloudwatch.amazonaws.com", by_alarms),
            publish("Events", "events.amazonaws.com", by_rules),
            Statement(
                Sid="TlsOnly",
                Effect="Deny",
                Principal="*",  # whoever asks
                Action="sns:Publish",
                Resource=topic,
                Condition={"Bool": {"aws:SecureTransport": "false"}},
            ),
        ]
    )
