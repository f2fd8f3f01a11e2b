"""Refuse a change that AWS would refuse half way through: before it begins, in a preview too."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[str | None]]
"""Called with the outputs of what is deployed and the new inputs, under their names on the wire;
what is wrong and what to do, or None."""


class UpdateError(Exception):
    """An update that AWS would not carry out; the message says why and what to do."""


def before_update(name: str, check: Check) -> pulumi.ResourceOptions:
    """Options of a resource that is updated only if ``check`` has no objection.

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
