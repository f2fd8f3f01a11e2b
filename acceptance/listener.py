"""A queue that receives the alarm topic's messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from acceptance.stack import PROJECT, PURPOSE, Deployment


class Listener:
    """The queue of a run, subscribed to the stack's alarm topic.

    Parameters
    ----------
    token:
        Identifies the run: the name of a deleted queue cannot be reused for a minute.
    """

    def __init__(self, deployment: Deployment, token: str) -> None:
        self._deployment = deployment
        self._name = f"{PROJECT}-{deployment.name}-acceptance-"
        self._token = token
        self._url = ""

    def open(self) -> None:
        """Create the queue and subscribe it, once."""
        if self._url:
            return
        sqs, sns = self._deployment.client("sqs"), self._deployment.client("sns")
        topic = self._deployment.outputs["alarmTopicArn"]
        tags = {"project": PROJECT, "stack": self._deployment.name, "purpose": PURPOSE}
        url = sqs.create_queue(QueueName=f"{self._name}{self._token}", tags=tags)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )
        self._url = url

    def messages(self) -> Iterator[str]:
        """New messages; waits a second for the first."""
        sqs = self._deployment.client("sqs")
        while True:
            answer = sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            if not answer.get("Messages"):
                return
            for message in answer["Messages"]:
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    def remove(self) -> None:
        """Delete the queue and its subscription, including those of a run that was killed."""
        sqs: Any = self._deployment.client("sqs")
        for url in sqs.list_queues(QueueNamePrefix=self._name).get("QueueUrls", []):
            self._unsubscribe(url.rpartition("/")[2])
            sqs.delete_queue(QueueUrl=url)
        self._url = ""

    def _unsubscribe(self, queue: str) -> None:
        topic = self._deployment.outputs.get("alarmTopicArn")
        if not topic:
            return  # without a topic there is no subscription
        sns = self._deployment.client("sns")
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for page in pages:
            for one in page["Subscriptions"]:
                if one["Endpoint"].endswith(f":{queue}"):
                    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
