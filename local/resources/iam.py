"""Roles and policies, without the conditions that the emulator has no context for."""

from __future__ import annotations

import json
from typing import Any

from local.resources.registry import Context, Created, Inputs, auto_name, creates

_CALLER_KEYS = ("aws:SourceAccount", "sts:ExternalId")


@creates("aws:iam/role:Role")
def role(context: Context, name: str, inputs: Inputs) -> Created:
    """A role; its trust policy loses the caller conditions, see `_assumable`."""
    physical = auto_name(context, name, inputs)
    context.aws.client("iam").create_role(
        RoleName=physical,
        AssumeRolePolicyDocument=json.dumps(_assumable(json.loads(inputs["assumeRolePolicy"]))),
        Description=inputs.get("description", ""),
    )
    arn = context.arn("iam", f"role/{physical}", region=False)
    return physical, {**inputs, "name": physical, "arn": arn, "uniqueId": physical}


@creates("aws:iam/rolePolicy:RolePolicy")
def role_policy(context: Context, name: str, inputs: Inputs) -> Created:
    """An inline policy, unchanged."""
    physical = auto_name(context, name, inputs)
    context.aws.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=physical, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{physical}", {**inputs, "name": physical}


@creates("aws:iam/policy:Policy")
def policy(context: Context, name: str, inputs: Inputs) -> Created:
    """A customer-managed policy, unchanged."""
    physical = auto_name(context, name, inputs)
    context.aws.client("iam").create_policy(
        PolicyName=physical,
        PolicyDocument=inputs["policy"],
        Description=inputs.get("description", ""),
    )
    arn = context.arn("iam", f"policy/{physical}", region=False)
    return arn, {**inputs, "name": physical, "arn": arn}


@creates("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
def role_policy_attachment(context: Context, name: str, inputs: Inputs) -> Created:
    """A managed policy on a role."""
    context.aws.client("iam").attach_role_policy(
        RoleName=inputs["role"], PolicyArn=inputs["policyArn"]
    )
    return f"{inputs['role']}-{name}", dict(inputs)


def _assumable(trust: dict[str, Any]) -> dict[str, Any]:
    """The trust policy without its conditions on the calling account or resource.

    An AWS service passes that context when it assumes a role. Here `local` assumes the role in the
    service's place without that context, so the emulator would deny it.
    """
    for statement in trust["Statement"]:
        conditions = statement.get("Condition", {})
        for operator in list(conditions):
            for key in _CALLER_KEYS:
                conditions[operator].pop(key, None)
            if not conditions[operator]:
                del conditions[operator]
        if not conditions:
            statement.pop("Condition", None)
    return trust
