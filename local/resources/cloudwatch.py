"""Alarms, dashboards and event rules."""

from __future__ import annotations

from typing import Any

from local.resources.registry import (
    Context,
    Created,
    Inputs,
    auto_name,
    creates,
    parameters,
    without,
)


@creates("aws:cloudwatch/metricAlarm:MetricAlarm")
def metric_alarm(context: Context, name: str, inputs: Inputs) -> Created:
    """An alarm on a metric or a metric math expression."""
    client = context.aws.client("cloudwatch")
    physical = auto_name(context, name, inputs)
    given = without(inputs, "region", "name", "dimensions", "metricQueries", "tags", "tagsAll")
    arguments = parameters(client, "PutMetricAlarm", {"alarmName": physical, **given})
    if "dimensions" in inputs:
        arguments["Dimensions"] = _dimensions(inputs)
    if "metricQueries" in inputs:
        arguments["Metrics"] = [_query(one) for one in inputs["metricQueries"]]
    client.put_metric_alarm(**arguments)
    arn = context.arn("cloudwatch", f"alarm:{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:cloudwatch/dashboard:Dashboard")
def dashboard(context: Context, name: str, inputs: Inputs) -> Created:
    """A dashboard."""
    physical = inputs["dashboardName"]
    context.aws.client("cloudwatch").put_dashboard(
        DashboardName=physical, DashboardBody=inputs["dashboardBody"]
    )
    arn = context.arn("cloudwatch", f"dashboard/{physical}", region=False)
    return physical, {**inputs, "dashboardArn": arn}


@creates("aws:cloudwatch/eventRule:EventRule")
def event_rule(context: Context, name: str, inputs: Inputs) -> Created:
    """A rule on the default bus."""
    client = context.aws.client("events")
    physical = auto_name(context, name, inputs)
    given = {**without(inputs, "region", "tags", "tagsAll"), "name": physical}
    answer = client.put_rule(**parameters(client, "PutRule", given))
    return physical, {**inputs, "name": physical, "arn": answer["RuleArn"]}


@creates("aws:cloudwatch/eventTarget:EventTarget")
def event_target(context: Context, name: str, inputs: Inputs) -> Created:
    """A target of a rule."""
    identity = inputs.get("targetId") or auto_name(context, name, {})
    target: dict[str, Any] = {"Id": identity, "Arn": inputs["arn"]}
    if transformer := inputs.get("inputTransformer"):
        target["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths") or {},
            "InputTemplate": transformer["inputTemplate"],
        }
    context.aws.client("events").put_targets(Rule=inputs["rule"], Targets=[target])
    return f"{inputs['rule']}-{identity}", {**inputs, "targetId": identity}


def _dimensions(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in inputs["dimensions"].items()]


def _query(query: Inputs) -> dict[str, Any]:
    asked: dict[str, Any] = {"Id": query["id"], "ReturnData": bool(query.get("returnData"))}
    asked |= {k.capitalize(): query[k] for k in ("expression", "label") if query.get(k)}
    if metric := query.get("metric"):
        asked["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric),
            },
            "Period": int(metric["period"]),
            "Stat": metric["stat"],
        }
    return asked
