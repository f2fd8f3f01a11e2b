"""Operator: what whoever repairs the chain may do."""

from __future__ import annotations

from components.operator import Operator, OperatorArgs
from tests.components.component_support import Deploy, arn

TABLE = arn("dynamodb:{region}:{account}:table/orders")
CHANGES = f"{TABLE}/stream/1"
STREAM = arn("kinesis:{region}:{account}:stream/changes")
PIPE = arn("pipes:{region}:{account}:pipe/bridge")
QUEUE = arn("sqs:{region}:{account}:dlq")
BUCKET = "arn:aws:s3:::lake"
KEY = arn("kms:{region}:{account}:key/1234")


def args(**given: str) -> OperatorArgs:
    return OperatorArgs(
        table_arn=TABLE,
        stream_arn=CHANGES,
        kinesis_stream_arn=STREAM,
        pipe_arn=PIPE,
        dlq_arn=QUEUE,
        bucket_arn=BUCKET,
        **given,
    )


def test_an_operator_may_repair_and_no_more(deploy: Deploy) -> None:
    policy = deploy(lambda: Operator("operator", args())).find("Policy")
    assert policy.allows == {
        "dynamodb:DescribeTable": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "dynamodb:Scan": {TABLE},
        "dynamodb:GetRecords": {CHANGES},
        "dynamodb:GetShardIterator": {CHANGES},
        "kinesis:GetRecords": {STREAM},
        "kinesis:GetShardIterator": {STREAM},
        "kinesis:ListShards": {STREAM},
        "kinesis:PutRecords": {STREAM},
        "pipes:DescribePipe": {PIPE},
        "s3:GetObject": {f"{BUCKET}/failed/*", f"{BUCKET}/replayed/*"},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {f"{BUCKET}/replayed/*"},
        "sqs:ChangeMessageVisibility": {QUEUE},
        "sqs:DeleteMessage": {QUEUE},
        "sqs:ReceiveMessage": {QUEUE},
    }


def test_a_stream_with_a_key_of_its_own_can_be_read_and_written(deploy: Deploy) -> None:
    policy = deploy(lambda: Operator("operator", args(kms_key_arn=KEY))).find("Policy")
    assert policy.allows["kms:Decrypt"] == policy.allows["kms:GenerateDataKey"] == {KEY}
