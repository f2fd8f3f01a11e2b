"""Glue's events on EventBridge: delivers them to the SNS topics of the matching rules.

Done here because PutEvents rejects sources that begin with ``aws.``, in the emulator as on AWS. A
topic gets the event only if its policy lets EventBridge publish without a Condition: with one, AWS
delivers nothing (EventBridge User Guide, "Using resource-based policies", Amazon SNS).
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.account.aws import Aws

_SERVICE = "events.amazonaws.com"
_PLACE = re.compile(r"<([\w.-]+)>")


def glue_event(aws: Aws, kind: str, detail: Mapping[str, Any]) -> int:
    """Send an ``aws.glue`` event; returns how many topics accepted it.

    Parameters
    ----------
    kind:
        The ``detail-type``, such as ``Glue Crawler State Change``.
    """
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": "aws.glue",
        "account": aws.account_id,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": aws.region,
        "resources": [],
        "detail": dict(detail),
    }
    told = 0
    with contextlib.suppress(BotoCoreError, ClientError):  # the emulator may be shutting down
        for target in _targets(aws, event):
            topic = target["Arn"]
            if _may_publish(aws, topic):
                aws.client("sns").publish(TopicArn=topic, Message=_message(target, event))
                told += 1
    return told


def _targets(aws: Aws, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The targets of the rules on the default bus that match this event."""
    client = aws.client("events")
    text = json.dumps(event)
    for rule in client.list_rules()["Rules"]:
        pattern = rule.get("EventPattern")
        if not pattern or rule["State"] != "ENABLED":
            continue
        if client.test_event_pattern(EventPattern=pattern, Event=text)["Result"]:
            targets = client.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            yield from (one for one in targets if ":sns:" in one["Arn"])


def _may_publish(aws: Aws, topic: str) -> bool:
    """Whether the topic's policy lets EventBridge publish without a Condition."""
    attributes = aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    statements = json.loads(attributes.get("Policy") or "{}").get("Statement", [])
    return any(
        one["Effect"] == "Allow"
        and _SERVICE in _listed((one.get("Principal") or {}), "Service")
        and {"sns:Publish", "SNS:Publish", "sns:*", "*"} & {*_listed(one, "Action")}
        and not one.get("Condition")
        for one in statements
    )


def _listed(holder: Any, key: str) -> list[str]:
    value = holder.get(key, []) if isinstance(holder, Mapping) else []
    return [value] if isinstance(value, str) else list(value)


def _message(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """The event, after the target's input transformer if it has one."""
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {
        name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()
    }
    template: str = transformer["InputTemplate"]
    return _PLACE.sub(lambda place: str(values.get(place[1], "")), template)


def _at(event: Mapping[str, Any], path: str) -> Any:
    value: Any = event
    for step in path.removeprefix("$.").split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None else value
