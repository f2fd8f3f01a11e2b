"""Least-privilege IAM statements: one function for each hop, from ARNs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi

from components.definitions.documents import to_json
from schema import layout

Arn = pulumi.Input[str]
DECRYPT, GENERATE_DATA_KEY = "kms:Decrypt", "kms:GenerateDataKey"


class Statement(TypedDict, total=False):
    """One statement of an IAM policy document."""

    Sid: str
    Effect: str
    Principal: Mapping[str, Any] | str
    Action: Sequence[str] | str
    Resource: Sequence[Arn] | Arn
    Condition: Mapping[str, Any]


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """A policy document with ``statements``, as JSON."""
    return to_json({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: Sequence[str], *resources: Arn) -> Statement:
    """Allow ``actions`` on ``resources``."""
    return Statement(Sid=sid, Effect="Allow", Action=list(actions), Resource=list(resources))


def under(arn: Arn, suffix: str) -> pulumi.Output[str]:
    """``arn`` with ``suffix`` appended."""
    return pulumi.Output.from_input(arn).apply(lambda known: known + suffix)


ACCOUNT_KEYS: Mapping[str, str] = {
    "firehose.amazonaws.com": "sts:ExternalId",
    "pipes.amazonaws.com": "aws:SourceAccount",
    "scheduler.amazonaws.com": "aws:SourceAccount",
}
"""The condition key in which a service sends the account, from the trust policies in its guide.

The guides of Glue, Lambda and QuickSight show none. A condition on a key that is not sent is never
met, and the service could not assume the role. These services use only roles of their own account,
because ``iam:PassRole`` does not cross accounts.
"""


def trust(service: str, account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """The trust policy of a role that ``service`` assumes; see `ACCOUNT_KEYS`."""
    statement = Statement(Effect="Allow", Principal={"Service": service}, Action="sts:AssumeRole")
    if key := ACCOUNT_KEYS.get(service):
        statement["Condition"] = {"StringEquals": {key: account_id}}
    return document([statement])


def tls_only(actions: str, *resources: Arn) -> pulumi.Output[str]:
    """A resource policy that denies requests without TLS."""
    return document([_tls_only(actions, *resources)])


def _tls_only(actions: str, *resources: Arn) -> Statement:
    return Statement(
        Sid="TlsOnly",
        Effect="Deny",
        Principal="*",  # any caller
        Action=actions,  # any action
        Resource=list(resources),
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )


def _use_key(
    sid: str,
    key: str | None,
    service: str,
    actions: Sequence[str],
    context: Mapping[str, Any] | None = None,
) -> list[Statement]:
    """``key``, if there is one, through ``service`` only, for this encryption ``context``.

    The principal cannot call KMS directly: the service calls it on the principal's behalf.
    """
    if key is None:
        return []
    region = key.split(":")[3]
    conditions = {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}}
    if context:
        conditions["StringLike"] = {f"kms:EncryptionContext:{k}": v for k, v in context.items()}
    return [{**allow(sid, actions, key), "Condition": conditions}]


def use_table_key(table: Arn, key: str | None) -> list[Statement]:
    """Anyone who reads or writes a table, or reads its stream -> the table's key.

    DynamoDB decrypts the table's key on behalf of the caller, for writes as well as for reads.
    """
    name = pulumi.Output.from_input(table).apply(lambda arn: arn.split("/")[1])
    context = {"aws:dynamodb:tableName": name}
    return _use_key("UseTableKey", key, "dynamodb", [DECRYPT], context)


def _use_stream_key(stream: Arn, key: str | None, *actions: str) -> list[Statement]:
    context = {"aws:kinesis:arn": stream}
    return _use_key("UseStreamKey", key, "kinesis", actions, context)


def _use_object_key(bucket: Arn, key: str | None, *actions: str) -> list[Statement]:
    # The context is the bucket's ARN with a bucket key, and the object's ARN without.
    context = {"aws:s3:arn": [bucket, under(bucket, "/*")]}
    return _use_key("UseObjectKey", key, "s3", actions, context)


def _use_queue_key(key: str | None, *actions: str) -> list[Statement]:
    return _use_key("UseQueueKey", key, "sqs", actions)


def keep_pipe_encrypted(stream: Arn, pipe_name: str, key: str | None) -> list[Statement]:
    """Pipe -> its own encrypted filter and settings.

    The role is created before the pipe's name is known, hence a name prefix.
    """
    if key is None:
        return []
    pipes = sibling_arn(stream, "pipes", f"pipe/{pipe_name}-*")
    # AWS's page spells the context key in two ways. At least one must be present and name our pipe.
    spellings = ["aws:pipe:arn", "aws:pipes:arn"]
    condition = {
        "StringLikeIfExists": {f"kms:EncryptionContext:{one}": pipes for one in spellings},
        "ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": spellings},
    }
    use = allow("UsePipeKey", [DECRYPT, GENERATE_DATA_KEY], key)
    return [allow("FindPipeKey", ["kms:DescribeKey"], key), {**use, "Condition": condition}]


def read_schedule(function: Arn, schedule_name: str, key: str | None) -> list[Statement]:
    """Schedule -> its own target's encrypted input.

    Scheduler calls KMS as the role itself, so there is no ``kms:ViaService``.
    """
    if key is None:
        return []
    schedules = sibling_arn(function, "scheduler", f"schedule/default/{schedule_name}-*")
    context = {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}
    use = allow("ReadSchedule", [DECRYPT], key)
    return [{**use, "Condition": {"StringLike": context}}]


def sibling_arn(arn: Arn, service: str, resource: str) -> pulumi.Output[str]:
    """The ARN of a ``resource`` of another service, in the account and region of ``arn``."""

    def name(known: str) -> str:
        _, partition, _, region, account, *_ = known.split(":")
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    return pulumi.Output.from_input(arn).apply(name)


def read_table_stream(stream: Arn, key: str | None = None) -> list[Statement]:
    """DynamoDB stream -> pipe; ``key`` is the table's."""
    return [
        allow(
            "ReadChanges",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            stream,
        ),
        # ListStreams has no resource type: AWS accepts "*" only.
        allow("FindStream", ["dynamodb:ListStreams"], "*"),
        *use_table_key(stream, key),
    ]


def put_records(stream: Arn, key: str | None = None) -> list[Statement]:
    """Pipe -> Kinesis; ``key`` is the stream's own KMS key, if it has one."""
    return [
        allow("PutRecords", ["kinesis:PutRecord", "kinesis:PutRecords"], stream),
        *_use_stream_key(stream, key, GENERATE_DATA_KEY),
    ]


def dead_letters(queue: Arn, key: str | None = None) -> list[Statement]:
    """Pipe -> dead-letter queue; SQS requires kms:Decrypt of senders, too."""
    return [
        allow("DeadLetters", ["sqs:SendMessage"], queue),
        *_use_queue_key(key, DECRYPT, GENERATE_DATA_KEY),
    ]


def invoke(function: Arn) -> list[Statement]:
    """Caller -> a Lambda function; ":*" are its versions and aliases."""
    return [allow("Invoke", ["lambda:InvokeFunction"], function, under(function, ":*"))]


def write_logs(*log_groups: Arn) -> list[Statement]:
    """Anything -> its own log groups; ":*" are the streams in them."""
    streams = [under(group, ":*") for group in log_groups]
    return [allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], *streams)]


def read_records(stream: Arn, key: str | None = None) -> list[Statement]:
    """Kinesis -> Firehose; ``key`` is the stream's own KMS key, if it has one."""
    return [
        allow(
            "ReadRecords",
            [
                "kinesis:DescribeStream",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords",
                "kinesis:ListShards",
            ],
            stream,
        ),
        *_use_stream_key(stream, key, DECRYPT),
    ]


def transform_records(function: Arn) -> list[Statement]:
    """Firehose -> its transform; ":*" because Firehose invokes ":$LATEST"."""
    return [
        allow(
            "Transform",
            ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
            function,
            under(function, ":*"),
        )
    ]


def read_pseudonym_key(secret: Arn, key: str | None = None) -> list[Statement]:
    """Transform or operator -> the key of pseudonyms; ``key`` is the secret's own KMS key."""
    context = {"SecretARN": secret}
    return [
        allow("ReadPseudonymKey", ["secretsmanager:GetSecretValue"], secret),
        *_use_key("UseSecretKey", key, "secretsmanager", [DECRYPT], context),
    ]


def deliver_objects(
    bucket: Arn, prefixes: Sequence[str], key: str | None = None
) -> list[Statement]:
    """Firehose -> S3: read the bucket's properties, and write under ``prefixes``.

    Nowhere else in the bucket, because it also holds the batch job's code. A multipart upload needs
    kms:Decrypt, too.
    """
    return [
        allow(
            "FindUploads",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            bucket,
        ),
        allow(
            "DeliverObjects",
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            *[under(bucket, f"/{prefix}*") for prefix in prefixes],
        ),
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
    ]


def deliver_logs(log_group: Arn) -> list[Statement]:
    """Firehose -> its log stream."""
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
    database: Arn,
    bucket: Arn,
    prefixes: Sequence[str],
    table_prefix: str,
    key: str | None = None,
    *,
    log_group: str = "/aws-glue/crawlers",
) -> list[Statement]:
    """Crawler: read the objects, maintain tables whose names start with ``table_prefix``.

    Glue creates the log group if necessary and associates the key with it. Without a key, it is the
    group that all crawlers of the account share.
    """
    logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
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
        *_use_object_key(bucket, key, DECRYPT),
        allow(
            "WriteLogs",
            [*logs, *(["logs:AssociateKmsKey"] if key else [])],
            sibling_arn(database, "logs", f"log-group:{log_group}:*"),
        ),
    ]


def read_objects(bucket: Arn, prefixes: Sequence[str]) -> list[Statement]:
    """Anyone who reads the lake -> the objects under ``prefixes``."""
    return [
        allow("FindObjects", ["s3:GetBucketLocation", "s3:ListBucket"], bucket),
        allow("ReadObjects", ["s3:GetObject"], *[under(bucket, f"/{p}*") for p in prefixes]),
    ]


def merge_orders(
    bucket: Arn, database: Arn, *, table: str, views: Sequence[str], key: str | None = None
) -> list[Statement]:
    """Batch job: read and pack the event rows, maintain one Iceberg table, update ``views``."""
    kept = f"{table}/"
    return [
        *read_objects(bucket, [layout.PROJECTION_PREFIX, layout.JOBS_PREFIX, kept]),
        # Before it lists a folder, Spark's file system looks for an object of that name.
        allow(
            "LookForFolders",
            ["s3:GetObject"],
            *(under(bucket, f"/{p.rstrip('/')}") for p in (layout.PROJECTION_PREFIX, kept)),
        ),
        allow(
            "KeepTable",
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            under(bucket, f"/{kept}*"),
        ),
        allow(
            "PackLog",
            ["s3:DeleteObject", "s3:PutObject"],
            under(bucket, f"/{layout.PROJECTION_PREFIX}*"),
        ),
        allow(
            "KeepTemporary",
            ["s3:DeleteObject", "s3:PutObject"],
            under(bucket, f"/{layout.JOBS_PREFIX}temporary/*"),
        ),
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
        allow(
            "KeepTables",
            ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
            catalog_arn(database, "catalog"),
            database,
            *(tables_arn(database, name) for name in (table, *views)),
        ),
    ]


def pack_log(bucket: Arn, key: str | None = None) -> list[Statement]:
    """Packing function -> the event rows, and the objects of its runs."""
    log, runs = (under(bucket, f"/{p}*") for p in (layout.PROJECTION_PREFIX, layout.PACKING_PREFIX))
    prefixes = [f"{layout.PROJECTION_PREFIX}*", f"{layout.PACKING_PREFIX}*"]
    find = allow("FindObjects", ["s3:ListBucket"], bucket)
    return [
        {**find, "Condition": {"StringLike": {"s3:prefix": prefixes}}},
        allow("ReadObjects", ["s3:GetObject"], log),
        allow("PackLog", ["s3:DeleteObject", "s3:PutObject"], log, runs),
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
    ]


def start_batch(job: Arn, bucket: Arn) -> list[Statement]:
    """Batch check -> the log's objects and the batch job."""
    find = allow("FindNewObjects", ["s3:ListBucket"], bucket)
    under_log = {"StringLike": {"s3:prefix": f"{layout.PROJECTION_PREFIX}*"}}
    return [
        {**find, "Condition": under_log},
        allow("StartBatch", ["glue:GetJob", "glue:GetJobRuns", "glue:StartJobRun"], job),
    ]


def write_orders(table: Arn, key: str | None = None) -> list[Statement]:
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
        ),
        *use_table_key(table, key),
    ]


def generate_orders(table: Arn, key: str | None = None) -> list[Statement]:
    """The generator function -> the table: batch writes only."""
    actions = ["dynamodb:BatchWriteItem", "dynamodb:DescribeTable"]
    return [allow("GenerateOrders", actions, table), *use_table_key(table, key)]


def ask(  # noqa: PLR0917 - the key comes last in all of these functions
    workgroup: Arn,
    database: Arn,
    bucket: Arn,
    prefixes: Sequence[str],
    results_prefix: str,
    key: str | None = None,
) -> list[Statement]:
    """Reader -> Athena, in one workgroup, on one database."""
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
        # Athena looks up the database "default" before it runs SHOW, DESCRIBE or DDL.
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
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
    ]


def replay_failed(bucket: Arn, stream: Arn, key: str | None = None) -> list[Statement]:
    """Operator: failed records -> Kinesis again, and the ledger of replayed records.

    Reading the stream shows which records an interrupted replay sent.
    """
    prefixes = [layout.FAILED_PREFIX, layout.REPLAYED_PREFIX]
    return [
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
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
        *_use_stream_key(stream, key, DECRYPT, GENERATE_DATA_KEY),
    ]


def redrive(queue: Arn, table_stream: Arn, pipe: Arn, key: str | None = None) -> list[Statement]:
    """Operator: the changes that dead letters point to and the pipe's filter passes.

    The stream is encrypted with the table's key: see `scan_orders`.
    """
    return [
        allow(
            "WorkOffDeadLetters",
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
            queue,
        ),
        allow(
            "ReadChanges",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            table_stream,
        ),
        allow("ReadFilter", ["pipes:DescribePipe"], pipe),
        allow("PausePipe", ["pipes:StartPipe", "pipes:StopPipe"], pipe),
        *_use_queue_key(key, DECRYPT),
    ]


def scan_orders(table: Arn, key: str | None = None) -> list[Statement]:
    """Operator: the table, to compare it with the lake."""
    actions = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Scan"]
    return [allow("ScanOrders", actions, table), *use_table_key(table, key)]


def snapshot(bucket: Arn, table: Arn) -> list[Statement]:
    """Operator: the table's items -> the log, by scan (`scan_orders`) or by export.

    DynamoDB writes an export with its caller's permissions: the three on S3 that its guide lists.
    The states of table and pipe come with `scan_orders`, `look` and `redrive`, S3's key and listing
    with `replay_failed`.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
    """
    # Not over Firehose's objects in the same partitions.
    written = [
        f"{layout.PROJECTION_PREFIX}*/{layout.SNAPSHOT_OBJECTS}*",
        f"{layout.PROCESSING_FAILED_PREFIX}*/{layout.SNAPSHOT_OBJECTS}*",
        f"{layout.SNAPSHOTS_PREFIX}*",
    ]
    read = [layout.SNAPSHOTS_PREFIX, layout.EXPORTS_PREFIX]
    return [
        allow("Export", ["dynamodb:ExportTableToPointInTime"], table),
        # The names of exports are DynamoDB's.
        allow("FollowExport", ["dynamodb:DescribeExport"], under(table, "/export/*")),
        allow(
            "WriteExport",
            ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
            under(bucket, f"/{layout.EXPORTS_PREFIX}*"),
        ),
        allow("ReadSnapshot", ["s3:GetObject"], *[under(bucket, f"/{p}*") for p in read]),
        allow("WriteSnapshot", ["s3:PutObject"], *[under(bucket, f"/{p}") for p in written]),
    ]


def erase(  # noqa: PLR0917 - the key comes last in all of these functions
    bucket: Arn,
    database: Arn,
    table: Arn,
    stream: Arn,
    queue: Arn,
    orders: str,
    *,
    sort_key: bool = False,
    job: Arn | None = None,
    key: str | None = None,
    table_key: str | None = None,
) -> list[Statement]:
    """Eraser: every version of every object, and the batch job's table, whose name is ``orders``.

    It rewrites and deletes under the prefixes that hold items, and nowhere else. With a sort key,
    it looks in the table for any item under a partition key.
    """
    look = ["dynamodb:DescribeTable", "dynamodb:GetItem"] + ["dynamodb:Query"] * sort_key
    rewritten = [
        layout.PROJECTION_PREFIX,
        layout.FAILED_PREFIX,
        layout.EXPORTS_PREFIX,
        layout.SNAPSHOTS_PREFIX,
        layout.ERASURES_PREFIX,
        f"{orders}/",
    ]
    written, deleted = [*rewritten, layout.REPLAYED_PREFIX], [*rewritten, layout.RESULTS_PREFIX]
    return [
        allow("FindVersions", ["s3:ListBucket", "s3:ListBucketVersions"], bucket),
        # The proof reads all that the bucket holds.
        allow("ReadVersions", ["s3:GetObject", "s3:GetObjectVersion"], under(bucket, "/*")),
        allow("WriteErased", ["s3:PutObject"], *[under(bucket, f"/{p}*") for p in written]),
        allow(
            "EraseVersions", ["s3:DeleteObjectVersion"], *[under(bucket, f"/{p}*") for p in deleted]
        ),
        *_use_object_key(bucket, key, DECRYPT, GENERATE_DATA_KEY),
        allow("FindItems", look, table),
        *use_table_key(table, table_key),
        allow(
            "FindCopies",
            [
                "dynamodb:DescribeContinuousBackups",
                *(["glue:GetJobRuns"] if job else []),
                "kinesis:DescribeStreamSummary",
                "sqs:GetQueueAttributes",
            ],
            *(table, *([job] if job else []), stream, queue),
        ),
        allow(
            "EraseRows",
            ["glue:GetTable", "glue:UpdateTable"],
            catalog_arn(database, "catalog"),
            database,
            tables_arn(database, orders),
        ),
    ]


def look(
    table: Arn,
    stream: Arn,
    queue: Arn,
    bucket: Arn,
    *,
    delivery_stream: Arn,
    transform: Arn,
    job: Arn | None = None,
) -> list[Statement]:
    """Operator: the state of each part, and the result of the last verify.

    The states of table and pipe come with `scan_orders` and `redrive`.
    """
    return [
        # One statement, because a managed policy has at most 6,144 characters. Each action applies
        # to one kind of resource.
        allow(
            "Look",
            [
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTimeToLive",
                "firehose:DescribeDeliveryStream",
                *(["glue:GetJob", "glue:GetJobRuns"] if job else []),
                "kinesis:DescribeStreamSummary",
                "lambda:GetFunctionConfiguration",
                "s3:GetBucketVersioning",
                "s3:GetLifecycleConfiguration",
                "sqs:GetQueueAttributes",
            ],
            *(table, delivery_stream, *([job] if job else []), stream, transform, bucket, queue),
        ),
        # A list of alarms is authorized on all of them, and metrics have no ARNs.
        allow("ReadMetrics", ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], "*"),
        allow(
            "KeepVerify",
            ["s3:GetObject", "s3:PutObject"],
            under(bucket, f"/{layout.LAST_VERIFY_KEY}"),
        ),
    ]


def tell(topic: Arn, account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Resource policy: this account's alarms, and EventBridge's rules -> the topic, over TLS only.

    EventBridge does not support conditions in a topic's policy: with one, nothing is delivered. A
    rule of another account that knows the topic's ARN could therefore publish to it. The topic
    triggers nothing, and its readers check the crawler or the job itself.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    publish = Statement(Effect="Allow", Action="sns:Publish", Resource=topic)
    alarms, events = ({"Service": f"{one}.amazonaws.com"} for one in ("cloudwatch", "events"))
    account = {"StringEquals": {"aws:SourceAccount": account_id}}
    return document(
        [
            {**publish, "Sid": "Alarms", "Principal": alarms, "Condition": account},
            {**publish, "Sid": "Events", "Principal": events},
            _tls_only("sns:Publish", topic),
        ]
    )
