"""The deployed job on the emulator: its role, Glue's catalog, S3 and Athena."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import generator
from local.account.aws import Credentials
from local.chain import LocalChain
from local.commands.batch import run_batch, start_and_await
from local.commands.demo import IN_TABLE, Asker
from local.commands.truth import differences, table_items
from local.commands.up import engineer, environment
from local.errors import LocalError
from local.standins import spark as spark_jars
from schema import ORDERS
from tests.batch.batch_support import lines, snapshot


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    try:
        spark_jars.check()
        spark_jars.jars()
    except LocalError as error:
        pytest.skip(str(error))
    schedules = {"batchSchedule": "cron(10 3 1 1 ? *)", "packSchedule": ""}
    overrides = schedules | {"batchBuckets": "2"}
    folder = tmp_path_factory.mktemp("stack")
    with LocalChain("dev", folder, overrides=overrides) as running:
        yield running


@pytest.fixture(scope="module")
def person(stack: LocalChain) -> Credentials:
    """The engineer, in another shell."""
    return engineer(stack)


def write(stack: LocalChain, seed: int) -> None:
    """Write orders and wait until their changes are in the lake."""
    plan = generator.Plan(count=60, updates=0.4, deletes=0.1, seed=seed)
    client = stack.aws.client("dynamodb")
    report = generator.write(client, stack.outputs["tableName"], generator.operations(plan))
    before = time.monotonic()
    wanted = stack.hops().delivered + report.written
    while stack.hops().delivered < wanted and time.monotonic() - before < 60:
        stack.check()
        time.sleep(0.1)


def test_current_orders_are_those_of_the_table_at_any_time(
    stack: LocalChain, person: Credentials
) -> None:
    reader = stack.user("batch-reader", stack.outputs["readerPolicyArn"])
    ask = Asker(stack, reader)

    def differing(sql: str) -> list[str]:
        items = table_items(stack.aws.client("dynamodb"), stack.outputs["tableName"])
        return differences(ORDERS, items, ask(sql))

    write(stack, 1)
    assert not differing("SELECT * FROM current_orders"), "before the first run: from the log"
    assert run_batch(stack)["inserted"] > 0
    assert not differing(IN_TABLE)
    write(stack, 2)
    assert not differing("SELECT * FROM current_orders"), "the table and the log's news"
    # Another shell, through Glue's API.
    settings = environment(stack, person, Path("unused"))
    figures = start_and_await(settings, stack.outputs)
    assert figures["inserted"] > 0
    assert not differing(IN_TABLE)
    assert not differing("SELECT * FROM current_orders")

    # An order from before the stream, as `operate snapshot` writes it.
    bucket = stack.outputs["bucketName"]
    now = datetime.now(UTC)
    row = snapshot("from-before", 7, read=f"{now:%F %T}.000")
    stack.aws.client("s3").put_object(
        Bucket=bucket, Key=f"projection/day={now:%F}/hour={now:%H}/snapshot.json", Body=lines([row])
    )
    assert start_and_await(settings, stack.outputs)["inserted"] == 1
    (found,) = ask("SELECT quantity, event_type FROM orders WHERE orderid = 'from-before'")
    assert found == {"quantity": "7", "event_type": "SNAPSHOT"}


def test_a_run_packs_old_hours_and_no_answer_changes(stack: LocalChain) -> None:
    """Each change also arrived three days ago: in an hour that no run lists again."""
    bucket, s3 = stack.outputs["bucketName"], stack.aws.client("s3")
    if not stack.hops().objects:
        write(stack, 3)
    delivered = s3.list_objects_v2(Bucket=bucket, Prefix="projection/day=")["Contents"]
    old = datetime.now(UTC) - timedelta(days=3)
    folder = f"projection/day={old:%F}/hour={old:%H}/"
    for number, one in enumerate(delivered * 2):
        source = {"Bucket": bucket, "Key": one["Key"]}
        suffix = "".join(Path(one["Key"]).suffixes)
        s3.copy_object(Bucket=bucket, Key=f"{folder}{number}{suffix}", CopySource=source)

    def answers() -> list[Any]:
        ask = Asker(stack, stack.aws.root)
        days = {"days": "10"}
        return [
            ask("SELECT count(DISTINCT event_id), count(DISTINCT orderid) FROM projection"),
            ask("SELECT day, event_id FROM changes ORDER BY 1, 2"),
            ask("SELECT * FROM current_orders ORDER BY orderid"),
            *(ask.saved(name, **days) for name in ("revenue_by_product", "order_funnel")),
        ]

    run_batch(stack)
    names = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]}
    packs = {name for name in names if "/packed-" in name}
    for name in packs:
        s3.delete_object(Bucket=bucket, Key=name)
    before = answers()
    figures = run_batch(stack)
    assert figures["packed_objects"] >= 2
    assert figures["rows_read"] == figures["partitions_read"] == 0, "a pack is not news"
    assert answers() == before, "beside what it holds"
    for name in names - packs:
        suffix = "".join(Path(name).suffixes)
        if any(one.endswith(suffix) for one in packs):
            s3.delete_object(Bucket=bucket, Key=name)
    assert answers() == before, "instead of what it holds"


def test_one_run_at_a_time_and_a_stopped_one_says_so(
    stack: LocalChain, person: Credentials
) -> None:
    glue, job = stack.aws.client("glue"), stack.outputs["batchJobName"]
    run = glue.start_job_run(JobName=job)["JobRunId"]
    try:
        with pytest.raises(LocalError, match="running already: wait for its end"):
            start_and_await(environment(stack, person, Path("unused")), stack.outputs)
    finally:
        glue.batch_stop_job_run(JobName=job, JobRunIds=[run])
    deadline = time.monotonic() + 20
    under_way = ("RUNNING", "STOPPING")
    while (told := glue.get_job_run(JobName=job, RunId=run)["JobRun"])["JobRunState"] in under_way:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (told["JobRunState"], told["ErrorMessage"]) == ("STOPPED", "it was stopped")


def test_a_missing_permission_stops_the_job_and_is_named(stack: LocalChain) -> None:
    iam = stack.aws.client("iam")
    role = stack.deployment.definitions["jobs"][0]["Role"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = {
        **policy,
        "Statement": [one for one in policy["Statement"] if one["Sid"] != "KeepTables"],
    }
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        with pytest.raises(LocalError, match=r"glue:(Get|Create)Table"):
            run_batch(stack)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def test_glue_rejects_what_it_does_not_know(stack: LocalChain) -> None:
    glue = stack.aws.client("glue")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.start_job_run(JobName="nothing")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_job_run(JobName=stack.outputs["batchJobName"], RunId="jr_0")
