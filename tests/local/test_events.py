"""Glue's events, and the topics that rules send them to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.account.aws import Aws
from local.standins.events import glue_event

CRAWLER = "Glue Crawler State Change"
Hear = Callable[[], list[str]]


class Watch:
    """A rule for a test's own crawler, its topic, and a queue subscribed to it."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name = aws, name
        sqs, sns, events = (aws.client(one) for one in ("sqs", "sns", "events"))
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        self.queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:{name}"
        publish = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": _policy(publish)})
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        pattern = {
            "source": ["aws.glue"],
            "detail-type": [CRAWLER],
            "detail": {"crawlerName": [name], "state": ["Failed"]},
        }
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        self.aim()

    def aim(self, **more: Any) -> None:
        target = {"Id": "topic", "Arn": self.topic, **more}
        self.aws.client("events").put_targets(Rule=self.name, Targets=[target])

    def allow(self, **more: Any) -> None:
        statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": self.topic, **more}
        self.aws.client("sns").set_topic_attributes(
            TopicArn=self.topic, AttributeName="Policy", AttributeValue=_policy(statement)
        )

    def tell(self, **detail: str) -> int:
        return glue_event(
            self.aws, CRAWLER, {"crawlerName": self.name, "state": "Failed", **detail}
        )

    def heard(self) -> list[str]:
        answer = self.aws.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [one["Body"] for one in answer.get("Messages", [])]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def watch(aws: Aws, request: pytest.FixtureRequest) -> Watch:
    return Watch(aws, f"events-{abs(hash(request.node.name)) % 10**8}")


EVENTS = {"Service": "events.amazonaws.com"}


def test_a_matching_rule_sends_the_event_to_its_topic(watch: Watch) -> None:
    watch.allow(Principal=EVENTS)
    assert watch.tell(errorMessage="denied") == 1
    (text,) = watch.heard()
    event = json.loads(text)
    assert (event["source"], event["detail-type"]) == ("aws.glue", CRAWLER)
    assert event["detail"] == {
        "crawlerName": watch.name,
        "state": "Failed",
        "errorMessage": "denied",
    }


def test_a_transformer_formats_the_message(watch: Watch) -> None:
    watch.allow(Principal=EVENTS)
    watch.aim(
        InputTransformer={
            "InputPathsMap": {"name": "$.detail.crawlerName", "why": "$.detail.errorMessage"},
            "InputTemplate": '"<name> failed: <why>."',
        }
    )
    watch.tell(errorMessage="denied")
    assert watch.heard() == [f'"{watch.name} failed: denied."']


@pytest.mark.parametrize(
    "detail", [{"state": "Succeeded"}, {"crawlerName": "another"}], ids=["state", "name"]
)
def test_a_rule_that_does_not_match_sends_nothing(watch: Watch, detail: dict[str, str]) -> None:
    watch.allow(Principal=EVENTS)
    assert watch.tell(**detail) == 0
    assert watch.heard() == []


def test_a_disabled_rule_sends_nothing(watch: Watch) -> None:
    watch.allow(Principal=EVENTS)
    watch.aws.client("events").disable_rule(Name=watch.name)
    assert watch.tell() == 0


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": EVENTS, "Condition": {"ArnEquals": {"aws:SourceArn": "arn:of:the:rule"}}},
        {"Principal": {"Service": "cloudwatch.amazonaws.com"}},
        {"Principal": EVENTS, "Action": "sns:Subscribe"},
        {"Principal": EVENTS, "Effect": "Deny"},
    ],
    ids=["condition", "another service", "another action", "deny"],
)
def test_a_topic_without_a_valid_policy_gets_nothing(
    watch: Watch, statement: dict[str, Any]
) -> None:
    watch.allow(**statement)
    assert watch.tell() == 0
    assert watch.heard() == []
