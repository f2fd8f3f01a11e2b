"""Why each permission is there: who uses it, and what of it the local chain cannot prove."""

from __future__ import annotations

WHY = {
    "ReadChanges": "reads the table's changes",
    "FindStream": "AWS's page on pipe permissions asks for it",
    "PutRecords": "puts changes into the Kinesis stream",
    "UseTableKey": "the table and its stream have a key of yours; through DynamoDB alone",
    "UseStreamKey": "the Kinesis stream has a key of yours; through Kinesis alone",
    "UseObjectKey": "the lake has a key of yours; through S3 alone",
    "UseQueueKey": "the dead letters have a key of yours; through SQS alone",
    "FindPipeKey": "looks whether the pipe's key is one that it can use",
    "UsePipeKey": "the pipe's filter has a key of yours; for pipes of this name alone",
    "ReadSchedule": "the schedule has a key of yours; for schedules of this name alone",
    "DeadLetters": "leaves a pointer to changes that it gives up",
    "Invoke": "runs the function",
    "WriteLogs": "writes its own log",
    "ReadRecords": "reads the Kinesis stream",
    "Transform": "runs the transform",
    "DeliverObjects": "writes event rows and failed records",
    "DeliverLogs": "writes its errors to its own log",
    "ReadRowSchema": "learns the columns of the Parquet files",
    "ReadCatalog": "reads tables and partitions of the one database",
    "KeepCrawledTables": "keeps the tables named crawled_*, and no other",
    "FindObjects": "lists the objects of the lake",
    "ReadObjects": "reads the objects of the lake",
    "WriteOrders": "places, changes and deletes orders",
    "GenerateOrders": "writes batches of orders",
    "Ask": "asks questions in the one workgroup",
    "ListCatalog": "BI tools list databases, tables and columns through Athena",
    "FindDefault": "Athena looks for the database default before SHOW, DESCRIBE and DDL",
    "WriteResults": "Athena writes answers as whoever asks",
    "FindUploads": "finds the bucket, and uploads that broke off",
    "FindFailed": "lists failed records, and what was replayed",
    "ReadFailed": "reads failed records, and what was replayed",
    "NoteReplayed": "notes what was replayed",
    "Replay": "puts failed records into the Kinesis stream, and looks there for those in doubt",
    "WorkOffDeadLetters": "reads dead letters, and deletes those that are done",
    "ReadFilter": "sends on only what the pipe's filter wants",
    "ScanOrders": "compares the table with the lake",
    "LookForFolders": "Spark looks for an object before it lists a folder",
    "KeepTable": "writes the files of the table of current orders, and removes old ones",
    "KeepTemporary": "keeps what Spark sets aside while it runs",
    "KeepTables": "keeps the table of current orders, and the view of it",
}
"""By the Sid of a statement."""

_ENCRYPTED = "the emulator encrypts nothing"
_LOGS = "the emulator writes logs itself and asks nobody"
_FIREHOSE = "on the list of the Firehose guide's page on access; the local firehose does without"
_CRAWLER = "in Glue's own policy for crawlers; the local crawler does without"
_ATHENA = "on the list of the Athena guide's pages on access; the local Athena does without"

STATED = {
    "kms:Decrypt": _ENCRYPTED,
    "kms:DescribeKey": _ENCRYPTED,
    "kms:GenerateDataKey": _ENCRYPTED,
    "logs:AssociateKmsKey": _LOGS,
    "logs:CreateLogGroup": _LOGS,
    "logs:CreateLogStream": _LOGS,
    "logs:PutLogEvents": _LOGS,
    "pipe dynamodb:ListStreams": "on the list of the EventBridge guide's page on pipe permissions",
    "pipe kinesis:PutRecord": "a pipe may put a batch of one with it",
    "firehose kinesis:DescribeStream": _FIREHOSE,
    "firehose lambda:GetFunctionConfiguration": _FIREHOSE,
    "firehose glue:GetTableVersion": _FIREHOSE,
    "firehose glue:GetTableVersions": _FIREHOSE,
    "firehose s3:AbortMultipartUpload": _FIREHOSE,
    "firehose s3:GetBucketLocation": _FIREHOSE,
    "firehose s3:GetObject": _FIREHOSE,
    "firehose s3:ListBucket": _FIREHOSE,
    "firehose s3:ListBucketMultipartUploads": _FIREHOSE,
    "batch s3:AbortMultipartUpload": "clears away an upload that broke off; here none does",
    "batch s3:GetBucketLocation": "Glue's file system asks where the bucket is; here it is told",
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
    "reader athena:GetDataCatalog": "JDBC, ODBC and QuickSight ask for it",
    "reader athena:GetQueryResultsStream": "JDBC and ODBC read large answers with it",
    "reader glue:BatchGetPartition": _ATHENA,
    "reader glue:GetPartition": _ATHENA,
    "reader glue:GetTableVersion": _ATHENA,
    "reader glue:GetTableVersions": _ATHENA,
    "reader s3:AbortMultipartUpload": _ATHENA,
    "reader s3:GetBucketLocation": _ATHENA,
    "reader s3:ListBucketMultipartUploads": _ATHENA,
    "reader s3:ListMultipartUploadParts": _ATHENA,
}
"""Actions, of anyone or of who is named before, that the local run does not need: and why."""

NOT_RUN = {"dashboard": "there is no QuickSight here; the reader asks the same questions"}
"""Whose permissions the local run does not use at all."""


def reason(who: str, action: str) -> str | None:
    """Why ``who`` has a permission that the local run does not need; None if it does need it."""
    for key, why in (*STATED.items(), *((f"{one} {action}", why) for one, why in NOT_RUN.items())):
        whose, _, what = key.rpartition(" ")
        if what == action and whose in who:
            return why
    return None
