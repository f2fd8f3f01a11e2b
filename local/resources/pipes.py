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


@creates("aws:pipes/pipe:Pipe")
def pipe(context: Context, name: str, inputs: Inputs) -> Created:
    """A pipe, stopped in the emulator: its own poller knows no Kinesis target."""
    client = context.aws.client("pipes")
    physical = auto_name(context, name, inputs)
    wanted = parameters(
        client,
        "CreatePipe",
        {**without(inputs, "region", "tags", "tagsAll"), "name": physical},
    )
    client.create_pipe(**wanted | {"DesiredState": "STOPPED"})
    arn = context.arn("pipes", f"pipe/{physical}")
    context.define("pipes", wanted | {"Arn": arn})
    return physical, {**inputs, "name": physical, "arn": arn}
