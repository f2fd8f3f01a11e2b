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
    configuration = dict(given.get("configuration") or {})
    if results := configuration.get("resultConfiguration"):
        configuration["resultConfiguration"] = _results(results)
    asked = {**given, "configuration": configuration, "name": physical}
    wanted = parameters(client, "CreateWorkGroup", asked)
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


def _results(inputs: Inputs) -> Inputs:
    """The inputs, with the KMS key under the API's name."""
    encryption = dict(inputs.get("encryptionConfiguration") or {})
    if "kmsKeyArn" in encryption:
        encryption["kmsKey"] = encryption.pop("kmsKeyArn")
    return {**inputs, **({"encryptionConfiguration": encryption} if encryption else {})}
