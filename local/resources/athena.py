"""Athena workgroups and saved queries."""

from __future__ import annotations

from local.resources.registry import (
    Context,
    Created,
    Inputs,
    auto_name,
    creates,
    parameters,
    without,
)


@creates("aws:athena/workgroup:Workgroup")
def workgroup(context: Context, name: str, inputs: Inputs) -> Created:
    """A workgroup."""
    client = context.aws.client("athena", direct=True)
    physical = auto_name(context, name, inputs)
    given = without(inputs, "forceDestroy", "region", "state", "tags", "tagsAll")
    wanted = parameters(client, "CreateWorkGroup", {**given, "name": physical})
    client.create_work_group(**wanted)
    arn = context.arn("athena", f"workgroup/{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:athena/namedQuery:NamedQuery")
def named_query(context: Context, name: str, inputs: Inputs) -> Created:
    """A saved query."""
    client = context.aws.client("athena", direct=True)
    physical = auto_name(context, name, inputs)
    given = {
        **without(inputs, "query", "region"),
        "name": physical,
        "queryString": inputs["query"],
    }
    answer = client.create_named_query(**parameters(client, "CreateNamedQuery", given))
    return answer["NamedQueryId"], {**inputs, "name": physical}
