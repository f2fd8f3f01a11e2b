"""Who may use a key of one's own, and for what: judged by the emulator's IAM, request by request.

The emulator's services ask KMS for nothing, so here the requests that AWS's services would make
are put to the policies as the program deploys them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import parliament
import pytest
from ministack.core import iam_evaluator as iam

from tests.components import test_encryption as encryption
from tests.components.component_support import ACCOUNT, REGION, arn

ROOT = Path(__file__).resolve().parents[2]

KEY, OTHER_KEY = encryption.KEY, arn("kms:{region}:{account}:key/9999")
DECRYPT, GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
TABLE = "sales-cdc-test-orders-table-1a2b3c4"
STREAM = arn("kinesis:{region}:{account}:stream/sales-cdc-test-bridge-stream-1a2b3c4")
BUCKET = "arn:aws:s3:::sales-cdc-test-lake-bucket-1a2b3c4"
PIPE = arn("pipes:{region}:{account}:pipe/sales-cdc-test-bridge-pipe-1a2b3c4")
SCHEDULE = arn(
    "scheduler:{region}:{account}:schedule/default/sales-cdc-test-generator-schedule-1a2b3c4"
)
DYNAMODB = ("dynamodb", {"aws:dynamodb:tableName": TABLE, "aws:dynamodb:subscriberId": ACCOUNT})
KINESIS = ("kinesis", {"aws:kinesis:arn": STREAM})
S3 = ("s3", {"aws:s3:arn": BUCKET})
S3_WITHOUT_BUCKET_KEY = ("s3", {"aws:s3:arn": f"{BUCKET}/projection/day=2026-11-21/one"})
SQS = ("sqs", {"aws:sqs:arn": arn("sqs:{region}:{account}:sales-cdc-test-bridge-dlq-1a2b3c4")})

Request = tuple[str, dict[str, str]]
NEEDED: list[tuple[str, str, Request]] = [
    ("access-reader", DECRYPT, S3),
    ("access-reader", GENERATE, S3),
    ("access-writer", DECRYPT, DYNAMODB),
    ("batch-policy", DECRYPT, S3_WITHOUT_BUCKET_KEY),
    ("batch-policy", GENERATE, S3),
    ("bridge-pipe-policy", DECRYPT, DYNAMODB),
    ("bridge-pipe-policy", GENERATE, KINESIS),
    ("bridge-pipe-policy", GENERATE, SQS),
    ("bridge-pipe-policy", DECRYPT, SQS),
    ("bridge-pipe-policy", "kms:DescribeKey", ("", {})),
    # AWS's page has both spellings.
    ("bridge-pipe-policy", GENERATE, ("", {"aws:pipe:arn": PIPE})),
    ("bridge-pipe-policy", DECRYPT, ("", {"aws:pipes:arn": PIPE})),
    ("catalog-crawler-policy", DECRYPT, S3),
    ("dashboard-queries-policy", DECRYPT, S3),
    ("generator-policy", DECRYPT, DYNAMODB),
    ("generator-schedule-policy", DECRYPT, ("", {"aws:scheduler:schedule:arn": SCHEDULE})),
    ("lake-firehose-policy", DECRYPT, KINESIS),
    ("lake-firehose-policy", DECRYPT, S3),
    ("lake-firehose-policy", GENERATE, S3_WITHOUT_BUCKET_KEY),
    ("packing-policy", DECRYPT, S3_WITHOUT_BUCKET_KEY),
    ("packing-policy", GENERATE, S3),
    ("access-operator", DECRYPT, DYNAMODB),
    ("access-operator", DECRYPT, KINESIS),
    ("access-operator", GENERATE, KINESIS),
    ("access-operator", DECRYPT, S3),
    ("access-operator", GENERATE, S3),
    ("access-operator", DECRYPT, SQS),
]
REFUSED: list[tuple[str, str, Request]] = [
    ("bridge-pipe-policy", DECRYPT, KINESIS),
    ("bridge-pipe-policy", GENERATE, DYNAMODB),
    ("bridge-pipe-policy", DECRYPT, ("", {"aws:pipe:arn": PIPE.replace("bridge", "other")})),
    (
        "bridge-pipe-policy",
        DECRYPT,
        ("", {"aws:pipe:arn": PIPE, "aws:pipes:arn": PIPE.replace("bridge", "other")}),
    ),
    ("bridge-pipe-policy", DECRYPT, S3),
    ("catalog-crawler-policy", GENERATE, S3),
    ("lake-firehose-policy", GENERATE, KINESIS),
    ("lake-transform-policy", DECRYPT, S3),
    ("generator-policy", DECRYPT, S3),
    ("access-writer", GENERATE, DYNAMODB),
    ("access-writer", DECRYPT, S3),
    ("access-reader", DECRYPT, DYNAMODB),
    (
        "generator-schedule-policy",
        DECRYPT,
        ("", {"aws:scheduler:schedule:arn": SCHEDULE.replace("generator", "other")}),
    ),
]


def may(policy: str, action: str, request: Request, key: str = KEY) -> bool:
    """Whether the policy allows a service's KMS request on behalf of its holder."""
    service, context = request
    keys: dict[str, Any] = {f"kms:encryptioncontext:{k}".lower(): v for k, v in context.items()}
    if context:
        keys["kms:encryptioncontextkeys"] = list(context)
    if service:
        keys["kms:viaservice"] = f"{service}.{REGION}.amazonaws.com"
    document = encryption.policies(encryption.deployed(KEY))[policy].document
    asked = iam.EvalContext(
        principal_arn=arn("iam::{account}:role/one"),
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=key,
        region=REGION,
        service_context=keys,
    )
    return iam.evaluate(asked, [iam.parse_policy_document(document)]).decision == "Allow"


def named(cases: list[tuple[str, str, Request]]) -> list[str]:
    return [f"{who} {what} {how[0] or 'itself'} {n}" for n, (who, what, how) in enumerate(cases)]


@pytest.mark.parametrize(("policy", "action", "request_"), NEEDED, ids=named(NEEDED))
def test_what_a_hop_needs_is_allowed(policy: str, action: str, request_: Request) -> None:
    assert may(policy, action, request_)


@pytest.mark.parametrize(("policy", "action", "request_"), REFUSED, ids=named(REFUSED))
def test_what_it_does_not_need_is_rejected(policy: str, action: str, request_: Request) -> None:
    assert not may(policy, action, request_)


@pytest.mark.parametrize(("policy", "action", "request_"), NEEDED, ids=named(NEEDED))
def test_it_is_rejected_for_another_key_or_for_something_else(
    policy: str, action: str, request_: Request
) -> None:
    service, context = request_
    assert not may(policy, action, request_, key=OTHER_KEY)
    if service:
        assert not may(policy, action, ("", context)), "without the service between"
        assert not may(policy, action, ("ec2", context)), "through another service"
    if context and service != "sqs":  # the queue's key is bound to SQS alone
        others = {name: f"another-{value}" for name, value in context.items()}
        assert not may(policy, action, (service, others)), "for something else"


def key_policy() -> Any:
    """The key policy in docs/security.md."""
    (text,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/security.md").read_text(), re.S)
    for name, value in (("ACCOUNT", ACCOUNT), ("REGION", REGION), ("STACK", "test")):
        text = text.replace(name, value)
    return json.loads(text)


def test_the_documented_key_policy_lets_every_log_group_in() -> None:
    (logs,) = (one for one in key_policy()["Statement"] if one["Sid"] == "LogGroupsOfTheStack")
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    (patterns,) = logs["Condition"]["StringLike"].values()
    groups = encryption.deployed(encryption.KEY).all("LogGroup")
    assert len(groups) >= 6
    for group in groups:
        name = group.inputs.get("name") or f"{group.name}-1a2b3c4"
        found = arn("logs:{region}:{account}:log-group:") + name
        assert any(iam.fnmatch_iam_cs(found, pattern) for pattern in patterns), found


def test_the_documented_key_policy_allows_the_publishers_of_the_topic() -> None:
    tell = {one["Principal"].get("Service") for one in key_policy()["Statement"]}
    topic = encryption.deployed(KEY).find("TopicPolicy").document["Statement"]
    publishers = {one["Principal"]["Service"] for one in topic if one["Effect"] == "Allow"}
    assert publishers == {"cloudwatch.amazonaws.com", "events.amazonaws.com"} <= tell


def test_the_documented_key_policy_passes_the_linter() -> None:
    assert not parliament.analyze_policy_string(
        json.dumps(
            {
                **key_policy(),
                # The linter knows policies of identities: without whom they are of.
                "Statement": [
                    {**{k: v for k, v in one.items() if k != "Principal"}, "Resource": KEY}
                    for one in key_policy()["Statement"]
                    if one["Action"] != "kms:*"
                ],
            }
        )
    ).findings
