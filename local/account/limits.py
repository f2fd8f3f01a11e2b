"""AWS size limits, in bytes, that the emulator does not enforce itself.

The emulator enforces the other limits with AWS's errors: DynamoDB items over 400 KB, table stream
pages over 1 MB, PutRecords with more than 500 records (and from 5 MiB, where AWS now accepts 10),
partition keys over 256 characters.
"""

from __future__ import annotations

from typing import Final

KINESIS_RECORD: Final = 1024 * 1024
"""Data plus partition key of a record, unless the stream's MaxRecordSizeInKiB was raised.
A larger record fails its whole request.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html,
https://docs.aws.amazon.com/streams/latest/dev/large-records.html"""

FIREHOSE_RECORD: Final = 1_000 * 1024
"""Data of one record.
https://docs.aws.amazon.com/firehose/latest/dev/limits.html"""

LAMBDA_REQUEST: Final = 6 * 1024 * 1024
"""Payload of a synchronous invocation.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

LAMBDA_ANSWER: Final = LAMBDA_REQUEST + 100
"""Payload of a synchronous response, as Lambda's error message states it."""
