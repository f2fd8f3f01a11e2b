"""Every permission of the stack is linted and listed in docs/security.md."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parliament

from chaos.privileges import NOT_RUN, STATED, WHY, reason
from tests.components.component_support import ACCOUNT, REGION, Deployed

ROOT = Path(__file__).resolve().parents[2]

DOCUMENT = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- made by tests/operations/test_policies.py -->\n", "<!-- end -->\n"
LABEL = "2026-11-21T00:00:00.000"
HEADER = "| who | may | on | for |\n|---|---|---|---|\n"


def policies(deployed: Deployed) -> Iterator[tuple[str, Any]]:
    """Every identity policy: its name without the stack's prefix, and its document."""
    for kind in ("RolePolicy", "aws:iam/policy:Policy"):
        for policy in deployed.all(kind):
            yield policy.name.removeprefix("sales-cdc-prod-"), policy.document


def short(resource: str) -> str:
    """An ARN in short form."""
    text = re.sub(
        rf"^arn:aws:([a-z0-9-]+):(?:{REGION})?:(?:{ACCOUNT})?:", r"\1 ", resource
    ).replace(LABEL, "LABEL")
    return (
        text.replace("sales-cdc-prod-", "").replace("sales_cdc_prod", "DB").replace("-1a2b3c4", "")
    )


def table(deployed: Deployed) -> str:
    lines = []
    for name, document in sorted(policies(deployed), key=lambda one: one[0]):
        who = name.removesuffix("-policy").replace("access-", "")
        for statement in document["Statement"]:
            actions = ", ".join(
                f"{action}\\*" if reason(who, action) else action
                for action in sorted(statement["Action"])
            )
            where = "<br>".join(f"`{short(one)}`" for one in sorted(statement["Resource"]))
            lines.append(f"| {who} | {actions} | {where} | {WHY[statement['Sid']]} |\n")
    reasons: dict[str, list[str]] = defaultdict(list)
    for what, why in sorted(
        (STATED | {f"{who} (all)": why for who, why in NOT_RUN.items()}).items()
    ):
        reasons[why].append(f"`{what}`")
    stated = "".join(f"- {why}: {', '.join(found)}\n" for why, found in reasons.items())
    note = "\n\\* Not needed by the local chain's run; granted for these reasons:\n\n"
    return HEADER + "".join(lines) + note + stated


def test_the_documents_table_is_what_the_program_deploys(everything: Deployed) -> None:
    """UPDATE_DOCS=1 rewrites it."""
    made = f"{BEGIN}{table(everything)}{END}"
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    if os.environ.get("UPDATE_DOCS"):
        DOCUMENT.write_text(before + made + after)
    assert DOCUMENT.read_text() == before + made + after


def test_each_reason_is_of_a_permission_that_there_is(everything: Deployed) -> None:
    statements = [s for _, document in policies(everything) for s in document["Statement"]]
    assert set(WHY) == {statement["Sid"] for statement in statements}
    allowed = {
        (name, action)
        for name, document in policies(everything)
        for statement in document["Statement"]
        for action in statement["Action"]
    }
    for stated in STATED:
        who, _, what = stated.rpartition(" ")
        assert any(action == what and who in name for name, action in allowed), stated


def test_every_policy_passes_the_linter(everything: Deployed) -> None:
    # The linter takes the colons of a stream's label for those of an ARN.
    found = [
        (name, finding.issue, finding.detail)
        for name, document in policies(everything)
        for finding in parliament.analyze_policy_string(
            json.dumps(document).replace(LABEL, "label")
        ).findings
    ]
    # CloudWatch authorizes a list of alarms on all of them, whatever prefix it asks for.
    listed = ("RESOURCE_STAR", ["cloudwatch:DescribeAlarms"])
    assert [one for one in found if one[1:] != listed] == []


def test_every_managed_policy_fits_into_aws_limit(everything: Deployed) -> None:
    """6,144 characters, without white space: IAM's quotas."""
    for policy in everything.all("aws:iam/policy:Policy"):
        size = len(re.sub(r"\s", "", json.dumps(policy.document)))
        assert size <= 6144, (policy.name, size)


def test_the_linter_would_see_a_misspelt_action() -> None:
    statement = {"Effect": "Allow", "Action": ["kinesis:PutRecordz"], "Resource": ["*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert parliament.analyze_policy_string(document).findings


def test_nothing_secret_is_exported(everything: Deployed) -> None:
    for name, value in everything.exports.items():
        assert not re.search(r"secret|password|token|accesskey", name, re.I)
        assert not re.search(r"AKIA|ASIA", str(value))
