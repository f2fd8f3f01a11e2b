"""What AWS refuses for its size, and the emulator by itself would take: bytes.

The emulator refuses the rest of them itself, with AWS's errors: DynamoDB items over 400 KB, pages
of a table's stream over 1 MB, PutRecords of over 500 records (and from 5 MiB on, where AWS now
takes 10), partition keys over 256 characters.
"""

from __future__ import annotations

from typing import Final

KINESIS_RECORD: Final = 1024 * 1024
"""Data and partition key of a record: what a stream takes whose MaxRecordSizeInKiB was not raised.
One that is larger fails its whole request.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html,
https://docs.aws.amazon.com/streams/latest/dev/large-records.html"""

FIREHOSE_RECORD: Final = 1_000 * 1024
"""Data of a record.
https://docs.aws.amazon.com/firehose/latest/dev/limits.html"""

LAMBDA_REQUEST: Final = 6 * 1024 * 1024
"""Payload of a synchronous invocation.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

LAMBDA_ANSWER: Final = LAMBDA_REQUEST + 100
"""What the function returns, as the error that Lambda gives names it."""
