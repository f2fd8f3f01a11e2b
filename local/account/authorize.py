"""Authorization: checks the caller with the emulator's IAM, on the resources that AWS checks."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from local.account.aws import Aws, Credentials
from local.errors import AwsError

_REMEMBER_SECONDS = 2.0  # IAM is eventually consistent too; a dashboard repeats its requests


class Authorizer:
    """Evaluates identity policies with ``iam:SimulatePrincipalPolicy``."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._iam = aws.client("iam")
        self._remembered: dict[tuple[str, str, tuple[str, ...]], tuple[float, AwsError | None]] = {}
        self._lock = threading.Lock()

    def check(self, caller: Credentials, action: str, resources: Sequence[str]) -> None:
        """Raise AccessDeniedException unless ``caller`` may do ``action`` on all ``resources``."""
        if caller.principal_arn.endswith(":root"):
            return
        asked = (caller.principal_arn, action, tuple(resources))
        now = time.monotonic()
        with self._lock:
            until, refusal = self._remembered.get(asked, (0.0, None))
        if until < now:
            refusal = self._ask(caller, action, resources)
            with self._lock:
                if len(self._remembered) > 10_000:
                    self._remembered.clear()
                self._remembered[asked] = (now + _REMEMBER_SECONDS, refusal)
        if refusal:
            raise refusal

    def _ask(self, caller: Credentials, action: str, resources: Sequence[str]) -> AwsError | None:
        for resource in resources:  # one by one: the emulator evaluates only the first of a list
            answer = self._iam.simulate_principal_policy(
                PolicySourceArn=caller.principal_arn,
                ActionNames=[action],
                ResourceArns=[resource],
            )
            (verdict,) = (one["EvalDecision"] for one in answer["EvaluationResults"])
            if verdict != "allowed":
                why = (
                    "with an explicit deny in an identity-based policy"
                    if verdict == "explicitDeny"
                    else f"because no identity-based policy allows the {action} action"
                )
                return AwsError(
                    "AccessDeniedException",
                    f"User: {self._name(caller)} is not authorized to perform: {action} "
                    f"on resource: {resource} {why}",
                )
        return None

    def _name(self, caller: Credentials) -> str:
        """The caller's ARN as AWS reports it: a role's session, not the role."""
        return str(self._aws.client("sts", caller).get_caller_identity()["Arn"])


def glue_resources(prefix: str, action: str, body: Mapping[str, Any]) -> list[str]:
    """The ARNs that AWS Glue checks for ``action``: catalog, database and tables.

    ``prefix`` is ``arn:aws:glue:REGION:ACCOUNT``. Listing databases needs the catalog only; listing
    tables needs ``table/DATABASE/*`` ("Specifying Glue resource ARNs", AWS Glue guide).
    """
    if "Crawler" in action:
        name = body.get("Name") or body.get("CrawlerName")
        return [f"{prefix}:crawler/{name}" if name else "*"]
    if "JobRun" in action or action == "GetJob":
        return [f"{prefix}:job/{body['JobName']}" if body.get("JobName") else "*"]
    if "Classifier" in action or "Job" in action or "Trigger" in action or "Tag" in action:
        return [str(body.get("ResourceArn", "*"))]
    database = body.get("DatabaseName")
    if "Database" in action:
        database = body.get("Name") or body.get("DatabaseInput", {}).get("Name") or database
    resources = [f"{prefix}:catalog"]
    if not database or action == "GetDatabases":
        return resources
    resources.append(f"{prefix}:database/{database}")
    tables = [
        body.get("TableName") or ("" if "Database" in action else body.get("Name")),
        body.get("TableInput", {}).get("Name"),
        *body.get("TablesToDelete", ()),
        "*" if action == "GetTables" else None,
    ]
    named = dict.fromkeys(table for table in tables if table)
    return resources + [f"{prefix}:table/{database}/{table}" for table in named]
