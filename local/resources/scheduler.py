"""EventBridge Scheduler: the emulator runs the schedules itself."""

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


@creates("aws:scheduler/scheduleGroup:ScheduleGroup")
def schedule_group(context: Context, name: str, inputs: Inputs) -> Created:
    """A group of schedules."""
    physical = auto_name(context, name, inputs)
    arn = context.aws.client("scheduler").create_schedule_group(Name=physical)["ScheduleGroupArn"]
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:scheduler/schedule:Schedule")
def schedule(context: Context, name: str, inputs: Inputs) -> Created:
    """A schedule."""
    client = context.aws.client("scheduler")
    physical = auto_name(context, name, inputs)
    wanted = {**without(inputs, "region"), "name": physical}
    answer = client.create_schedule(**parameters(client, "CreateSchedule", wanted))
    return physical, {**inputs, "name": physical, "arn": answer["ScheduleArn"]}
