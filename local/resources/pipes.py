"""EventBridge pipes: described by the emulator, run by `local.standins.pipe`."""

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


def _without_zeros(inputs: Inputs) -> Inputs:
    """The provider omits zeros when it creates a pipe, so zero retries become AWS's default."""
    source = inputs.get("sourceParameters") or {}
    stream = source.get("dynamodbStreamParameters") or {}
    sent = {key: value for key, value in stream.items() if value != 0}
    return {**inputs, "sourceParameters": {**source, "dynamodbStreamParameters": sent}}


@creates("aws:pipes/pipe:Pipe")
def pipe(context: Context, name: str, inputs: Inputs) -> Created:
    """A pipe, stopped in the emulator, whose own poller does not support Kinesis targets."""
    client = context.aws.client("pipes", direct=True)
    physical = auto_name(context, name, inputs)
    wanted = parameters(
        client,
        "CreatePipe",
        {**_without_zeros(without(inputs, "region", "tags", "tagsAll")), "name": physical},
    )
    client.create_pipe(**wanted | {"DesiredState": "STOPPED"})
    arn = context.arn("pipes", f"pipe/{physical}")
    context.define("pipes", wanted | {"Arn": arn})
    return physical, {**inputs, "name": physical, "arn": arn}
