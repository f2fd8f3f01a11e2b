"""Each check fails when what it checks is broken, and names the problem."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping

import pytest

from acceptance import there
from acceptance.actors import Actors, require_denied
from acceptance.checks import chain, deployed, watched
from acceptance.errors import AcceptanceError, CheckFailedError
from acceptance.run import DENIAL, Run
from acceptance.stack import documented_effect
from acceptance.this_machine import ThisMachine

pytestmark = [pytest.mark.xdist_group("acceptance-checks")]


@pytest.fixture
def output(run: Run) -> Iterator[dict[str, str]]:
    """The outputs, to spoil; right again afterwards."""
    before = run.deployment.outputs
    spoilt = dict(before)
    run.deployment.outputs = spoilt
    yield spoilt
    run.deployment.outputs = before


def policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    "name",
    [*deployed.KINDS, "projectionTable", "failedTable", "dlqUrl", "tableArn", "streamArn"],
)
def test_an_output_that_names_nothing_is_found(run: Run, output: dict[str, str], name: str) -> None:
    if name in {"orderGeneratorFunctionName", "batchCheckFunctionName"}:
        output[name] = output["transformFunctionName"]
    good = output[name]
    assert deployed._exists(run, name)
    output[name] = f"{good}-gone" if name != "tableName" else "gone"
    with pytest.raises(CheckFailedError, match=f"{name} .*gone"):
        deployed.outputs(run)


def test_an_output_without_a_check_is_reported(run: Run, output: dict[str, str]) -> None:
    output["newThing"] = "x"
    with pytest.raises(AcceptanceError, match="newThing has no check"):
        deployed.outputs(run)


def test_changes_that_do_not_arrive_are_noticed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.deployment.stop_pipe()
    try:
        with monkeypatch.context() as hurry:
            hurry.setattr(run.deployment, "patience", 3.0)
            with pytest.raises(CheckFailedError, match="waiting for every change"):
                chain.orders(run)
            with pytest.raises(CheckFailedError, match=r"orders differ .* only in the table"):
                chain.verify(run)
    finally:
        run.deployment.start_pipe()
    assert "equal in every value" in chain.verify(run)


def test_a_writer_or_reader_that_may_do_more_is_noticed(run: Run) -> None:
    iam = run.client("iam")
    for who, check in (("writer", chain.orders), ("reader", chain.queries)):
        run.acting_as(who)
        role = f"sales-cdc-dev-acceptance-{who}"
        more = policy({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
        iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=more)
        with pytest.raises(CheckFailedError, match=f"the {who} was allowed a call"):
            check(run)
        iam.delete_role_policy(RoleName=role, PolicyName="more")
    require_denied("writer", run.acting_as("writer").client("dynamodb").list_tables)


def test_a_role_of_the_run_cannot_be_assumed_without_its_secret(run: Run) -> None:
    run.acting_as("writer")
    with pytest.raises(Exception, match="AccessDenied"):
        run.client("sts").assume_role(
            RoleArn="arn:aws:iam::123456789012:role/sales-cdc-dev-acceptance-writer",
            RoleSessionName="somebody",
        )


def test_an_undeclared_column_is_found_by_the_crawler(run: Run) -> None:
    run.place(10)
    run.verify()
    key = "projection/day=2026-01-01/hour=00/odd.gz"
    s3 = run.client("s3")
    s3.put_object(Bucket=run["bucketName"], Key=key, Body=gzip.compress(b'{"odd_one": 1}\n'))
    try:
        with pytest.raises(CheckFailedError, match="odd_one"):
            watched.crawler(run)
    finally:
        s3.delete_object(Bucket=run["bucketName"], Key=key)
    run.client("glue").delete_table(DatabaseName=run["databaseName"], Name=watched.CRAWLED)
    assert watched.CRAWLED in watched.crawler(run)


def test_an_alarm_that_does_not_notify_is_noticed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "TOLD_SECONDS", 3.0)
    cloudwatch = run.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    (mute,) = (one["AlarmName"] for one in alarms if "dead-letters" in one["AlarmName"])
    cloudwatch.disable_alarm_actions(AlarmNames=[mute])
    try:
        with pytest.raises(CheckFailedError, match=f"^no notification from: {mute}$"):
            watched.alarms(run)
    finally:
        cloudwatch.enable_alarm_actions(AlarmNames=[mute])
    assert watched.alarms(run) == f"all {len(alarms)} notified"


def test_a_failure_without_a_notification_is_noticed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "TOLD_SECONDS", 2.0)
    sns, topic = run.client("sns"), run["alarmTopicArn"]
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    events = {**publish, "Principal": {"Service": "events.amazonaws.com"}}
    # What this project once had: AWS delivers nothing with it.
    conditional = {**events, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}
    for statement, told in ((conditional, False), (events, True)):
        sns.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=policy(statement)
        )
        if told:
            assert watched.crawler_failed(run) == "notified"
        else:
            with pytest.raises(CheckFailedError, match="no notification of the crawler's failure"):
                watched.crawler_failed(run)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=before)
    role = run.client("glue").get_crawler(Name=run["crawlerName"])["Crawler"]["Role"]
    name = role.rpartition("/")[2]
    assert DENIAL not in run.client("iam").list_role_policies(RoleName=name)["PolicyNames"]


def test_a_query_that_is_not_in_the_workgroup_is_noticed(run: Run) -> None:
    athena = run.client("athena")
    identities = athena.list_named_queries(WorkGroup=run["workgroupName"])["NamedQueryIds"]
    queries = [athena.get_named_query(NamedQueryId=one)["NamedQuery"] for one in identities]
    (gone,) = (one for one in queries if one["Name"] == "top_customers")
    athena.delete_named_query(NamedQueryId=gone["NamedQueryId"])
    with pytest.raises(CheckFailedError, match="not saved in the workgroup: top_customers"):
        chain.queries(run)
    kept = ("Name", "Database", "QueryString", "WorkGroup")
    athena.create_named_query(**{key: gone[key] for key in kept})
    assert "succeed" in chain.queries(run)


def test_tidying_up_removes_what_a_killed_run_left(run: Run) -> None:
    iam = run.client("iam")
    run.told.open()
    Actors(run.deployment, "another run's").get("operator")
    run.acting_as("writer")
    role = run.client("glue").get_crawler(Name=run["crawlerName"])["Crawler"]["Role"]
    name = role.rpartition("/")[2]
    deny = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName=DENIAL, PolicyDocument=deny)
    Run(run.deployment).tidy()
    left = {one["RoleName"] for one in iam.list_roles()["Roles"]}
    assert not [one for one in left if "-acceptance-" in one]
    assert DENIAL not in iam.list_role_policies(RoleName=name)["PolicyNames"]
    queues = run.client("sqs").list_queues(QueueNamePrefix="sales-cdc-dev-acceptance-")
    assert not queues.get("QueueUrls")
    topic = run["alarmTopicArn"]
    assert run.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_roles_and_policies_with_the_stacks_tags_are_found(run: Run) -> None:
    iam = run.client("iam")
    tags = {"project": "sales-cdc", "stack": "mine"}
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    trust = policy({"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"})
    allow = policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    # One of this stack, one that only begins like it.
    for name, stack in (("sales-cdc-mine-a", "mine"), ("sales-cdc-mine-too-a", "mine-too")):
        given[1]["Value"] = stack
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=given)
        iam.create_policy(PolicyName=name, PolicyDocument=allow, Tags=given)
    found = there.identities(run.client, tags)
    assert found == {"role sales-cdc-mine-a", "policy sales-cdc-mine-a"}


@pytest.mark.parametrize(
    ("output", "arn"),
    [
        ("tableName", "arn:aws:dynamodb:us-east-1:123456789012:table/{}"),
        ("kinesisStreamName", "arn:aws:kinesis:us-east-1:123456789012:stream/{}"),
        ("pipeName", "arn:aws:pipes:us-east-1:123456789012:pipe/{}"),
        ("transformFunctionName", "arn:aws:lambda:us-east-1:123456789012:function:{}"),
        ("bucketName", "arn:aws:s3:::{}"),
        ("databaseName", "arn:aws:glue:us-east-1:123456789012:database/{}"),
        ("workgroupName", "arn:aws:athena:us-east-1:123456789012:workgroup/{}"),
        ("deliveryStreamName", "arn:aws:firehose:us-east-1:123456789012:deliverystream/{}"),
        ("operationsDashboardName", "arn:aws:cloudwatch::123456789012:dashboard/{}"),
        ("alarmTopicArn", "{}"),
        ("readerPolicyArn", "{}"),
    ],
)
def test_an_arn_is_asked_for_at_its_service(run: Run, output: str, arn: str) -> None:
    assert there.arn(run.client, arn.format(run[output]))
    assert not there.arn(run.client, arn.format(f"{run[output]}-gone"))


def test_log_groups_alarms_rules_and_queues_are_asked_for_too(run: Run) -> None:
    account = "us-east-1:123456789012"
    group = run.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"]
    alarm = run.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"]
    rule = run.client("events").list_rules()["Rules"][0]["Name"]
    queue = run["dlqUrl"].rpartition("/")[2]
    for arn in (
        f"arn:aws:logs:{account}:log-group:{group}",
        f"arn:aws:cloudwatch:{account}:alarm:{alarm}",
        f"arn:aws:events:{account}:rule/{rule}",
        f"arn:aws:sqs:{account}:{queue}",
        f"arn:aws:glue:{account}:job/{run['batchJobName']}",
        f"arn:aws:glue:{account}:crawler/{run['crawlerName']}",
    ):
        assert there.arn(run.client, arn), arn
        assert not there.arn(run.client, f"{arn}-gone"), arn


def test_a_resource_of_an_unknown_type_counts_as_existing(run: Run) -> None:
    assert there.arn(run.client, "arn:aws:batch:us-east-1:123456789012:job-queue/x")


def test_a_machine_that_was_not_stopped_is_noticed() -> None:
    machine = ThisMachine()
    machine.up(lambda _: None)
    try:
        with pytest.raises(CheckFailedError, match=r"still there: port \d+, port \d+, pipe .*"):
            deployed.nothing_left(Run(machine))
    finally:
        machine.destroy(lambda _: None)
    assert deployed.nothing_left(Run(machine)) == "nothing"


def test_what_the_guide_says_of_a_setting_is_read() -> None:
    guide = (
        "| `shards` | updates Stream | kept |\n"
        "| `bufferIntervalSeconds` | updates FirehoseDeliveryStream, MetricAlarm | kept |\n"
        "| `sortKey` | replaces Table; creates Trigger | **lost** |\n"
    )
    assert documented_effect(["shards", "bufferIntervalSeconds"], guide) == {
        "update Stream",
        "update FirehoseDeliveryStream",
        "update MetricAlarm",
    }
    assert documented_effect(["sortKey"], guide) == {"replace Table", "create Trigger"}
