"""SNS topics, their policies and subscriptions."""

from __future__ import annotations

from local.resources.policies import over_http
from local.resources.registry import Context, Created, Inputs, auto_name, creates


@creates("aws:sns/topic:Topic")
def topic(context: Context, name: str, inputs: Inputs) -> Created:
    """A topic; its id is its ARN."""
    physical = auto_name(context, name, inputs)
    key = inputs.get("kmsMasterKeyId")
    encryption = {"Attributes": {"KmsMasterKeyId": key}} if key else {}
    arn = context.aws.client("sns").create_topic(Name=physical, **encryption)["TopicArn"]
    return arn, {**inputs, "name": physical, "arn": arn}


@creates("aws:sns/topicPolicy:TopicPolicy")
def topic_policy(context: Context, name: str, inputs: Inputs) -> Created:
    """The topic's policy, without its TLS-only statements."""
    if policy := over_http(inputs["policy"]):
        context.aws.client("sns").set_topic_attributes(
            TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=policy
        )
    return inputs["arn"], dict(inputs)


@creates("aws:sns/topicSubscription:TopicSubscription")
def topic_subscription(context: Context, name: str, inputs: Inputs) -> Created:
    """A subscription; the emulator sends no email."""
    answer = context.aws.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return answer["SubscriptionArn"], {**inputs, "arn": answer["SubscriptionArn"]}
