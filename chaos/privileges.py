"""The reason for each permission, and why the local chain does not need some of them."""

from __future__ import annotations

WHY = {
    "ReadChanges": "reads the table's changes",
    "FindStream": "required by AWS's page on pipe permissions",
    "PutRecords": "puts changes into the Kinesis stream",
    "UseTableKey": "uses your KMS key for the table and its stream, through DynamoDB only",
    "UseStreamKey": "uses your KMS key for the Kinesis stream, through Kinesis only",
    "UseObjectKey": "uses your KMS key for the lake, through S3 only",
    "UseQueueKey": "uses your KMS key for the dead-letter queue, through SQS only",
    "FindPipeKey": "checks that the pipe can use its KMS key",
    "UsePipeKey": "uses your KMS key for the pipe's filter, for pipes of this name only",
    "ReadPseudonymKey": "reads the key of pseudonyms; only if the schema hashes columns",
    "UseSecretKey": "uses your KMS key for the key of pseudonyms, through Secrets Manager only",
    "ReadSchedule": "uses your KMS key for the schedule, for schedules of this name only",
    "DeadLetters": "sends a pointer to changes that it gave up on to the dead-letter queue",
    "Invoke": "runs the function",
    "WriteLogs": "writes its own log",
    "ReadRecords": "reads the Kinesis stream",
    "Transform": "runs the transform",
    "DeliverObjects": "writes event rows and failed records",
    "DeliverLogs": "writes its errors to its own log",
    "ReadRowSchema": "reads the columns of the Parquet files",
    "ReadCatalog": "reads tables and partitions of this database only",
    "KeepCrawledTables": "creates and updates only tables named crawled_*",
    "FindObjects": "lists the objects in the lake",
    "ReadObjects": "reads the objects in the lake",
    "WriteOrders": "places, changes and deletes orders",
    "GenerateOrders": "writes batches of orders",
    "Ask": "runs queries in this workgroup only",
    "ListCatalog": "BI tools list databases, tables and columns through Athena",
    "FindDefault": "Athena looks up the database named default before SHOW, DESCRIBE and DDL",
    "WriteResults": "Athena writes query results with the caller's permissions",
    "FindUploads": "looks up the bucket and incomplete multipart uploads",
    "FindFailed": "lists failed records and the replay ledger",
    "ReadFailed": "reads failed records and the replay ledger",
    "NoteReplayed": "writes the replay ledger",
    "Replay": "puts failed records into the Kinesis stream and looks for unconfirmed ones",
    "WorkOffDeadLetters": "reads dead letters and deletes processed ones",
    "ReadFilter": "applies the pipe's filter to replayed changes",
    "ScanOrders": "compares the table with the lake",
    "PausePipe": "stops and starts the pipe",
    "Look": "shows the state of each part and how long it keeps data, and counts dead letters",
    "ReadMetrics": "reads metrics, and which alarms ring; CloudWatch lists them on all only",
    "Export": "exports the table for a snapshot",
    "FollowExport": "waits for the export",
    "WriteExport": "DynamoDB writes an export with the caller's permissions",
    "ReadSnapshot": "reads the export, and how far a snapshot has come",
    "WriteSnapshot": "writes a snapshot's rows, failed records and how far it has come",
    "KeepVerify": "keeps and reads the result of the last verify",
    "FindVersions": "lists every version of every object",
    "ReadVersions": "reads all that the bucket holds, to find items and prove that they are gone",
    "WriteErased": "writes objects without the erased rows, the replay ledger and the record",
    "EraseVersions": "deletes old versions, and query results that hold erased values",
    "FindItems": "checks that the items are no longer in the table",
    "FindCopies": "tells how long AWS keeps other copies, and waits for runs of the batch job",
    "EraseRows": "commits to the current orders table",
    "LookForFolders": "Spark looks for an object before it lists a folder",
    "KeepTable": "writes the files of the current orders table and deletes old ones",
    "PackLog": "packs the log's old objects into fewer",
    "KeepTemporary": "writes and deletes Spark's temporary files",
    "FindNewObjects": "looks for new event rows",
    "StartBatch": "looks when the batch job last succeeded, and starts it",
    "KeepTables": "creates and updates the current orders table and its view",
}
"""By statement Sid."""

_ENCRYPTED = "the emulator encrypts nothing"
_LOGS = "the emulator writes logs without a permission check"
_HASHED = "the run hashes no column; tests/operate/test_private_columns.py does"
_FIREHOSE = "listed in the Firehose guide's page on access; the local Firehose does not use it"
_CRAWLER = "in AWS's managed policy for crawlers; the local crawler does not use it"
_ATHENA = "listed in the Athena guide's pages on access; the local Athena does not use it"

STATED = {
    "kms:Decrypt": _ENCRYPTED,
    "kms:DescribeKey": _ENCRYPTED,
    "kms:GenerateDataKey": _ENCRYPTED,
    "logs:AssociateKmsKey": _LOGS,
    "logs:CreateLogGroup": _LOGS,
    "logs:CreateLogStream": _LOGS,
    "logs:PutLogEvents": _LOGS,
    "secretsmanager:GetSecretValue": _HASHED,
    "pipe dynamodb:ListStreams": "listed in the EventBridge guide's page on pipe permissions",
    "pipe kinesis:PutRecord": "a pipe may use it for a batch of one",
    "firehose kinesis:DescribeStream": _FIREHOSE,
    "firehose lambda:GetFunctionConfiguration": _FIREHOSE,
    "firehose glue:GetTableVersion": _FIREHOSE,
    "firehose glue:GetTableVersions": _FIREHOSE,
    "firehose s3:AbortMultipartUpload": _FIREHOSE,
    "firehose s3:GetBucketLocation": _FIREHOSE,
    "firehose s3:GetObject": _FIREHOSE,
    "firehose s3:ListBucket": _FIREHOSE,
    "firehose s3:ListBucketMultipartUploads": _FIREHOSE,
    "batch s3:AbortMultipartUpload": "aborts incomplete uploads; the local run has none",
    "batch s3:GetBucketLocation": "Glue looks up the bucket's region; locally it is configured",
    "crawler glue:BatchGetPartition": _CRAWLER,
    "crawler glue:BatchUpdatePartition": _CRAWLER,
    "crawler glue:CreatePartition": _CRAWLER,
    "crawler glue:GetDatabases": _CRAWLER,
    "crawler glue:GetPartition": _CRAWLER,
    "crawler glue:GetTables": _CRAWLER,
    "crawler glue:GetTableVersion": _CRAWLER,
    "crawler glue:GetTableVersions": _CRAWLER,
    "crawler glue:UpdatePartition": _CRAWLER,
    "crawler s3:GetBucketLocation": _CRAWLER,
    "reader athena:GetDataCatalog": "JDBC, ODBC and QuickSight need it",
    "reader athena:GetQueryResultsStream": "JDBC and ODBC read large results with it",
    "reader glue:BatchGetPartition": _ATHENA,
    "reader glue:GetPartition": _ATHENA,
    "reader glue:GetTableVersion": _ATHENA,
    "reader glue:GetTableVersions": _ATHENA,
    "reader s3:AbortMultipartUpload": _ATHENA,
    "reader s3:GetBucketLocation": _ATHENA,
    "reader s3:ListBucketMultipartUploads": _ATHENA,
    "reader s3:ListMultipartUploadParts": _ATHENA,
}
"""Actions that the local run does not need, with the reason; a role name before it limits it."""

NOT_RUN = {"dashboard": "QuickSight is not emulated; the reader runs the same queries"}
"""Roles that the local run does not use at all."""


def reason(who: str, action: str) -> str | None:
    """Why ``who`` has a permission that the local run does not need; None if it needs it."""
    for key, why in (*STATED.items(), *((f"{one} {action}", why) for one, why in NOT_RUN.items())):
        whose, _, what = key.rpartition(" ")
        if what == action and whose in who:
            return why
    return None
