"""Reject updates that AWS would reject halfway through: before they start, and in previews."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[str | None]]
"""Called with the deployed outputs and the new inputs, under their wire names. Returns the problem
and what to do, or None."""


class UpdateError(Exception):
    """An update that AWS would reject; the message says why and what to do."""


def before_update(name: str, check: Check) -> pulumi.ResourceOptions:
    """Options for a resource that is updated only if ``check`` returns None.

    Parameters
    ----------
    name:
        Unique among the hooks of a stack.
    """

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        problem = await check(args.old_outputs or {}, args.new_inputs or {})
        if problem:
            raise UpdateError(problem)

    hook = pulumi.ResourceHook(name, refuse, pulumi.ResourceHookOptions(on_dry_run=True))
    binding = pulumi.ResourceHookBinding(before_update=[hook])
    return pulumi.ResourceOptions(hooks=binding)
