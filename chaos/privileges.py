"""Why each permission is there: who uses it, and what of it the local chain cannot prove."""

from __future__ import annotations

WHY = {
    "ReadChanges": "reads the table's changes",
    "FindStream": "AWS's page on pipe permissions asks for it",
    "PutRecords": "puts changes into the Kinesis stream",
    "Encrypt": "the Kinesis stream has a key of its own",
    "DeadLetters": "leaves a pointer to changes that it gives up",
    "Invoke": "runs the function",
    "WriteLogs": "writes its own log",
    "ReadRecords": "reads the Kinesis stream",
    "Decrypt": "the Kinesis stream has a key of its own",
    "Transform": "runs the transform",
    "DeliverObjects": "writes event rows and failed records",
    "DeliverLogs": "writes its errors to its own log",
    "ReadRowSchema": "learns the columns of the Parquet files",
    "ReadCatalog": "reads tables and partitions of the one database",
    "KeepCrawledTables": "keeps the tables named crawled_*, and no other",
    "FindObjects": "lists the objects of the lake",
    "ReadObjects": "reads the objects of the lake",
    "WriteOrders": "places, changes and deletes orders",
    "Ask": "asks questions in the one workgroup",
    "ListCatalog": "BI tools list databases, tables and columns through Athena",
    "FindDefault": "Athena looks for the database default before SHOW, DESCRIBE and DDL",
    "WriteResults": "Athena writes answers as whoever asks",
    "FindUploads": "Athena finds answers that broke off",
    "FindFailed": "lists failed records, and what was replayed",
    "ReadFailed": "reads failed records, and what was replayed",
    "NoteReplayed": "notes what was replayed",
    "Replay": "puts failed records into the Kinesis stream, and looks there for those in doubt",
    "UseKey": "the Kinesis stream has a key of its own",
    "WorkOffDeadLetters": "reads dead letters, and deletes those that are done",
    "ReadFilter": "sends on only what the pipe's filter wants",
    "ScanOrders": "compares the table with the lake",
}
"""By the Sid of a statement."""

_ENCRYPTED = "the emulator encrypts nothing"
_LOGS = "the emulator writes functions' logs itself and asks nobody"
_MULTIPART = "large objects are uploaded in parts; the local ones are small"
_FIREHOSE_GUIDE = "the Firehose guide's page on access asks for it; the local stand-in does without"
_BI_TOOLS = "JDBC, ODBC and QuickSight call it; the tests use other clients"
_CRAWLER = "the crawler's guide asks for it; the local crawler writes tables without partitions"

STATED = {
    "dynamodb:ListStreams": "AWS's page on pipe permissions asks for it",
    "kms:Decrypt": _ENCRYPTED,
    "kms:GenerateDataKey": _ENCRYPTED,
    "logs:CreateLogGroup": _LOGS,
    "logs:CreateLogStream": _LOGS,
    "logs:PutLogEvents": _LOGS,
    "kinesis:PutRecord": "a pipe puts a batch of one with it",
    "kinesis:DescribeStream": _FIREHOSE_GUIDE,
    "lambda:GetFunctionConfiguration": _FIREHOSE_GUIDE,
}
"""Actions that the local run does not need, and the reason why they are there all the same."""
