"""Resource policies for services, compared with AWS's guides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.components.component_support import ACCOUNT, REGION, Deployed
from tests.operations.test_key_use import key_policy

# Who, into what: the condition that limits it to the account (or to TLS), as the guides have it.
# None: the guide has none, or says that there must be none. A condition on a key that the service
# does not send is never met, so that nothing is delivered.
ACCOUNT_ONLY = {"aws:SourceAccount": ACCOUNT}
TLS = {"aws:SecureTransport": "false"}
LOG_GROUPS = "kms:EncryptionContext:aws:logs:arn"
RULES: dict[tuple[str, str], dict[str, Any] | None] = {
    # SNS guide, "Example cases for Amazon SNS access control"
    ("cloudwatch", "topic"): ACCOUNT_ONLY,
    # EventBridge guide, "Using resource-based policies": no Condition in an SNS topic's policy
    ("events", "topic"): None,
    # The guides of SNS, SQS and S3 on security best practices: refuse what is not over TLS
    ("*", "topic"): TLS,
    ("*", "queue"): TLS,
    ("*", "bucket"): TLS,
    # EventBridge guide, "Cross-service confused deputy prevention", for both
    ("pipes", "role"): ACCOUNT_ONLY,
    ("scheduler", "role"): ACCOUNT_ONLY,
    # Firehose guide, "Controlling access": the account as external id
    ("firehose", "role"): {"sts:ExternalId": ACCOUNT},
    # The guides of Glue, Lambda and QuickSight on roles
    ("glue", "role"): None,
    ("lambda", "role"): None,
    ("quicksight", "role"): None,
    # CloudWatch Logs guide, "Encrypt log data"
    (f"logs.{REGION}", "key"): {LOG_GROUPS: ...},
    # SNS guide, "Key management": no such condition for EventBridge and an encrypted topic
    ("cloudwatch", "key"): ACCOUNT_ONLY,
    ("events", "key"): None,
}
KINDS = {"TopicPolicy": "topic", "QueuePolicy": "queue", "BucketPolicy": "bucket", "Role": "role"}
IDENTITIES = {"aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"}
"""Whose policies say what someone may do, not who may come in."""
BY_RESOURCE_POLICY = {"lambda", "logs", "sns", "sqs"}
"""What EventBridge enters by the target's own policy: a role on the target may break delivery."""


def statements(deployed: Deployed) -> Iterator[tuple[str, Any]]:
    for resource in deployed.resources:
        kind = KINDS.get(resource.type.split(":")[-1])
        text = resource.inputs.get("assumeRolePolicy" if kind == "role" else "policy")
        if text and resource.type not in IDENTITIES:
            assert kind, f"{resource.type}: say in RULES whom its policy may let in, and how"
            yield from ((kind, one) for one in json.loads(text)["Statement"])
    yield from (("key", one) for one in key_policy()["Statement"] if "Service" in one["Principal"])


def who(statement: Any) -> str:
    principal = statement["Principal"]
    return str(principal if principal == "*" else principal["Service"]).removesuffix(
        ".amazonaws.com"
    )


def conditions(statement: Any) -> dict[str, Any] | None:
    found = {k: v for one in statement.get("Condition", {}).values() for k, v in one.items()}
    return {k: ... if k == LOG_GROUPS else v for k, v in found.items()} or None


def test_each_service_is_let_in_as_its_guide_has_it(everything: Deployed) -> None:
    found = [(who(one), kind, one) for kind, one in statements(everything)]
    for service, kind, one in found:
        assert conditions(one) == RULES[service, kind], f"{service}, {kind}: {one}"
        assert (one["Effect"] == "Deny") == (service == "*"), "nobody lets everyone in"
    assert {(service, kind) for service, kind, _ in found} == set(RULES), "no rule is left over"


def test_a_target_with_its_own_policy_has_no_role(everything: Deployed) -> None:
    targets = everything.all("EventTarget")
    assert len(targets) == 2
    for target in targets:
        assert target.inputs["arn"].split(":")[2] in BY_RESOURCE_POLICY
        assert "roleArn" not in target.inputs


@pytest.mark.parametrize(
    "policy",
    [
        {"Principal": {"Service": "events.amazonaws.com"}, "Condition": {"ArnEquals": {"k": "v"}}},
        {"Principal": {"Service": "cloudwatch.amazonaws.com"}},
    ],
    ids=["a condition too many", "a condition too few"],
)
def test_the_rules_would_see(policy: dict[str, Any]) -> None:
    assert conditions(policy) != RULES[who(policy), "topic"]
