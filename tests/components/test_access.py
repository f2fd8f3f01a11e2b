"""Access: what writers, readers and operators may do."""

from __future__ import annotations

from components.access import Access, AccessArgs
from tests.components.component_support import Deploy, Deployed, arn, once

TABLE = arn("dynamodb:{region}:{account}:table/orders")
CHANGES = f"{TABLE}/stream/1"
STREAM = arn("kinesis:{region}:{account}:stream/changes")
PIPE = arn("pipes:{region}:{account}:pipe/bridge")
QUEUE = arn("sqs:{region}:{account}:dlq")
KEY = arn("kms:{region}:{account}:key/1234")
BUCKET = "arn:aws:s3:::lake"
WORKGROUP = arn("athena:{region}:{account}:workgroup/shop")
DATA_CATALOG = arn("athena:{region}:{account}:datacatalog/AwsDataCatalog")
GLUE = arn("glue:{region}:{account}:")


@once
def access(deploy: Deploy, **given: str) -> Deployed:
    args = AccessArgs(
        table_arn=TABLE,
        stream_arn=CHANGES,
        kinesis_stream_arn=STREAM,
        pipe_arn=PIPE,
        dlq_arn=QUEUE,
        bucket_arn=BUCKET,
        database_arn=f"{GLUE}database/shop",
        workgroup_arn=WORKGROUP,
        delivery_stream_name="lake",
        transform_function_name="rows",
        **given,
    )
    return deploy(lambda: Access("access", args))


def test_a_writer_may_write_the_table_and_no_more(deploy: Deploy) -> None:
    assert access(deploy).find("Policy", "access-writer").allows == {
        "dynamodb:BatchWriteItem": {TABLE},
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:DescribeTable": {TABLE},
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
    }


def test_a_reader_may_ask_the_workgroup_about_the_database_and_no_more(deploy: Deploy) -> None:
    catalog = {f"{GLUE}catalog", f"{GLUE}database/shop", f"{GLUE}table/shop/*"}
    results = {f"{BUCKET}/athena-results/*"}
    assert access(deploy).find("Policy", "access-reader").allows == {
        "athena:BatchGetNamedQuery": {WORKGROUP},
        "athena:BatchGetQueryExecution": {WORKGROUP},
        "athena:GetNamedQuery": {WORKGROUP},
        "athena:GetQueryExecution": {WORKGROUP},
        "athena:GetQueryResults": {WORKGROUP},
        "athena:GetQueryResultsStream": {WORKGROUP},
        "athena:GetWorkGroup": {WORKGROUP},
        "athena:ListNamedQueries": {WORKGROUP},
        "athena:ListQueryExecutions": {WORKGROUP},
        "athena:StartQueryExecution": {WORKGROUP},
        "athena:StopQueryExecution": {WORKGROUP},
        "athena:GetDatabase": {DATA_CATALOG},
        "athena:GetDataCatalog": {DATA_CATALOG},
        "athena:GetTableMetadata": {DATA_CATALOG},
        "athena:ListDatabases": {DATA_CATALOG},
        "athena:ListTableMetadata": {DATA_CATALOG},
        # Athena itself looks for the database "default".
        "glue:GetDatabase": {*catalog, f"{GLUE}database/default"},
        "glue:GetDatabases": catalog,
        "glue:GetTable": catalog,
        "glue:GetTables": catalog,
        "glue:GetTableVersion": catalog,
        "glue:GetTableVersions": catalog,
        "glue:GetPartition": catalog,
        "glue:GetPartitions": catalog,
        "glue:BatchGetPartition": catalog,
        "s3:GetBucketLocation": {BUCKET},
        "s3:ListBucket": {BUCKET},
        "s3:ListBucketMultipartUploads": {BUCKET},
        "s3:GetObject": {f"{BUCKET}/{p}/*" for p in ("projection", "orders")} | results,
        "s3:PutObject": results,
        "s3:AbortMultipartUpload": results,
        "s3:ListMultipartUploadParts": results,
    }


def test_an_operator_may_repair_and_no_more(deploy: Deploy) -> None:
    policy = access(deploy).find("Policy", "access-operator")
    verdict = f"{BUCKET}/operations/verify.json"
    delivery = arn("firehose:{region}:{account}:deliverystream/lake")
    function = arn("lambda:{region}:{account}:function:rows")
    looked_at = {TABLE, STREAM, QUEUE, BUCKET, delivery, function}
    exports = {f"{BUCKET}/exports/*"}
    assert policy.allows == {
        "cloudwatch:DescribeAlarms": {"*"},
        "cloudwatch:GetMetricData": {"*"},
        "dynamodb:DescribeContinuousBackups": looked_at,
        "dynamodb:DescribeExport": {f"{TABLE}/export/*"},
        "dynamodb:DescribeTable": {TABLE},
        "dynamodb:DescribeTimeToLive": looked_at,
        "dynamodb:ExportTableToPointInTime": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "dynamodb:Scan": {TABLE},
        "dynamodb:DescribeStream": {CHANGES},
        "dynamodb:GetRecords": {CHANGES},
        "dynamodb:GetShardIterator": {CHANGES},
        "firehose:DescribeDeliveryStream": looked_at,
        "kinesis:DescribeStreamSummary": looked_at,
        "kinesis:GetRecords": {STREAM},
        "kinesis:GetShardIterator": {STREAM},
        "kinesis:ListShards": {STREAM},
        "kinesis:PutRecords": {STREAM},
        "lambda:GetFunctionConfiguration": looked_at,
        "pipes:DescribePipe": {PIPE},
        "pipes:StartPipe": {PIPE},
        "pipes:StopPipe": {PIPE},
        "s3:AbortMultipartUpload": exports,
        "s3:GetBucketVersioning": looked_at,
        "s3:GetLifecycleConfiguration": looked_at,
        "s3:GetObject": exports
        | {f"{BUCKET}/{p}/*" for p in ("failed", "replayed", "snapshots")}
        | {verdict},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": exports
        | {f"{BUCKET}/{p}/*" for p in ("replayed", "snapshots")}
        | {f"{BUCKET}/{p}/*/snapshot-*" for p in ("projection", "failed/processing-failed")}
        | {verdict},
        "s3:PutObjectAcl": exports,
        "sqs:GetQueueAttributes": looked_at,
        "sqs:ChangeMessageVisibility": {QUEUE},
        "sqs:DeleteMessage": {QUEUE},
        "sqs:ReceiveMessage": {QUEUE},
    }


def test_an_eraser_may_read_all_and_rewrite_what_holds_items(deploy: Deploy) -> None:
    policy = access(deploy, batch_job_name="merge").find("Policy", "access-eraser")
    held = {
        f"{BUCKET}/{p}/*"
        for p in ("projection", "failed", "exports", "snapshots", "erasures", "orders")
    }
    copies = {TABLE, arn("glue:{region}:{account}:job/merge"), STREAM, QUEUE}
    orders = {f"{GLUE}catalog", f"{GLUE}database/shop", f"{GLUE}table/shop/orders"}
    assert policy.allows == {
        "dynamodb:DescribeContinuousBackups": copies,
        "dynamodb:DescribeTable": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "glue:GetJobRuns": copies,
        "glue:GetTable": orders,
        "glue:UpdateTable": orders,
        "kinesis:DescribeStreamSummary": copies,
        "s3:DeleteObjectVersion": held | {f"{BUCKET}/athena-results/*"},
        "s3:GetObject": {f"{BUCKET}/*"},
        "s3:GetObjectVersion": {f"{BUCKET}/*"},
        "s3:ListBucket": {BUCKET},
        "s3:ListBucketVersions": {BUCKET},
        "s3:PutObject": held | {f"{BUCKET}/replayed/*"},
        "sqs:GetQueueAttributes": copies,
    }
    keys = access(deploy, kms_key_arn=KEY).find("Policy", "access-eraser").allows
    assert keys["kms:Decrypt"] == keys["kms:GenerateDataKey"] == {KEY}


def test_an_operator_may_look_at_the_batch_jobs_runs(deploy: Deploy) -> None:
    policy = access(deploy, batch_job_name="merge").find("Policy", "access-operator")
    assert arn("glue:{region}:{account}:job/merge") in policy.allows["glue:GetJobRuns"]


def test_a_stream_with_a_key_of_its_own_can_be_read_and_written(deploy: Deploy) -> None:
    policy = access(deploy, kms_key_arn=KEY).find("Policy", "access-operator")
    assert policy.allows["kms:Decrypt"] == policy.allows["kms:GenerateDataKey"] == {KEY}
