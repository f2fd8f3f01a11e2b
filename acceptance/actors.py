"""Roles that a run creates to act with only the stack's writer, reader or operator policy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError

from acceptance.errors import CheckFailedError
from acceptance.stack import PROJECT, PURPOSE, Deployment
from operate.account import Account

POLICIES: Mapping[str, tuple[str, ...]] = {
    "writer": ("writerPolicyArn",),
    "reader": ("readerPolicyArn",),
    "operator": ("operatorPolicyArn", "readerPolicyArn"),
}
"""The outputs that name each role's policies; the operator needs two."""
FRESH_SECONDS = 1800.0
"""Credentials are renewed after this time; they last an hour."""
_SETTLE_SECONDS = 60.0
"""Maximum time until a new role or policy has propagated in IAM."""
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


class Actors:
    """The roles of a run.

    Parameters
    ----------
    secret:
        External ID that is required to assume the roles.
    """

    def __init__(self, deployment: Deployment, secret: str) -> None:
        self._deployment = deployment
        self._secret = secret
        self._known: dict[str, tuple[float, Account]] = {}

    def get(self, who: str) -> Account:
        """The account, with the role of the ``writer``, ``reader`` or ``operator``."""
        since, account = self._known.get(who, (0.0, None))
        if account is None:
            self._create(who)
        if account is None or time.monotonic() - since > FRESH_SECONDS:
            account = self._assume(who)
            self._known[who] = (time.monotonic(), account)
        return account

    def remove(self) -> None:
        """Delete the roles, including those of a run that was killed."""
        iam = self._deployment.client("iam")
        for who in POLICIES:
            name = self._name(who)
            try:
                attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            except iam.exceptions.NoSuchEntityException:
                continue
            for policy in attached:
                iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            iam.delete_role(RoleName=name)
        self._known.clear()

    def _name(self, who: str) -> str:
        return f"{PROJECT}-{self._deployment.name}-acceptance-{who}"

    def _create(self, who: str) -> None:
        iam = self._deployment.client("iam")
        account = self._deployment.outputs["tableArn"].split(":")[4]
        partition = self._deployment.outputs["tableArn"].split(":")[1]
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": self._secret}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        tags = {"project": PROJECT, "stack": self._deployment.name, "purpose": PURPOSE}
        try:
            iam.create_role(
                RoleName=self._name(who),
                AssumeRolePolicyDocument=policy,
                Description="Temporary: created by python -m acceptance for one run",
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        except iam.exceptions.EntityAlreadyExistsException:  # left by a run that was killed
            iam.update_assume_role_policy(RoleName=self._name(who), PolicyDocument=policy)
        for output in POLICIES[who]:
            iam.attach_role_policy(
                RoleName=self._name(who), PolicyArn=self._deployment.outputs[output]
            )

    def _assume(self, who: str) -> Account:
        iam = self._deployment.client("iam")
        arn = iam.get_role(RoleName=self._name(who))["Role"]["Arn"]
        sts = self._deployment.client("sts")
        keys = once_allowed(
            lambda: sts.assume_role(
                RoleArn=arn, RoleSessionName="acceptance", ExternalId=self._secret
            )["Credentials"]
        )
        session = cast(boto3.Session, self._deployment.session(keys, arn))
        account = Account(self._deployment.outputs, session)
        if who != "reader":
            table = account["tableName"]
            once_allowed(lambda: account.client("dynamodb").describe_table(TableName=table))
        if who != "writer":
            group = account["workgroupName"]
            once_allowed(lambda: account.client("athena").get_work_group(WorkGroup=group))
        return account


def once_allowed(call: Callable[[], Any]) -> Any:
    """Repeat a call while it is denied because a new role has not propagated yet."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED or time.monotonic() > deadline:
                raise
        time.sleep(1)


def require_denied(who: str, call: Callable[[], Any]) -> None:
    """Raise unless IAM denies a call that the policy must not allow."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return
        raise
    raise CheckFailedError(f"the {who} was allowed a call that its policy must not allow")
