"""`make least-privilege`: remove each permission in turn and check that the run fails without it.

If a run does not fail, `chaos.privileges` must state a reason for the permission.
"""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer
from botocore.exceptions import ClientError
from rich.console import Console

import analytics
import generator
from chaos.privileges import reason
from local.account.aws import Credentials
from local.chain import LocalChain
from local.commands.garbage import garbage, put
from local.commands.operator import LocalAccount
from local.errors import AwsError, LocalError
from local.standins.firehose import Firehose
from local.standins.pipe import Pipe
from local.standins.worker import Worker
from operate import erasing, pausing, privacy, verdicts
from operate.dlq import DeadLetters
from operate.erasing import Erasure
from operate.erasing.iceberg import Catalog
from operate.ledger import Ledgers
from operate.replaying import Choice, Replay
from operate.snapshot import Snapshot
from operate.snapshot.state import Method
from operate.status import Status
from operate.verify import Verifier
from schema.layout import PACKING_PREFIX

Policy = dict[str, Any]
Exercise = Callable[[], None]
"""Uses the permissions; raises if one is missing."""
_NUMBERS = itertools.count()
_NOTHING = "(nothing taken away)"
_ORDERS = "orders"
"""The batch's table and its prefix."""
_KEPT = ("Name", "TableType", "Parameters", "StorageDescriptor")
"""The parameters that mark a Glue table as Iceberg."""
_FORGET_SECONDS = 2.1  # just over the gateway's cache time for permissions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Bench:
    """An idle stack, and an exercise for each of its principals."""

    def __init__(self, stack: LocalChain) -> None:
        self.stack = stack
        self._iam = stack.aws.client("iam")
        self._pipe, self._firehose = stack.pipes[0].definition, stack.firehoses[0].definition
        self._pipe_positions, self._firehose_positions = {}, {}  # type: ignore[var-annotated]
        for worker in stack.workers:
            worker.stop()
        self._pipe_positions |= stack.pipes[0].positions
        self._firehose_positions |= stack.firehoses[0].positions

    # -- principals --------------------------------------------------------------------------

    def roles(self) -> Iterator[tuple[str, str, Policy]]:
        """Name, policy name and policy document of each role in the stack."""
        for page in self._iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                name = role["RoleName"]
                for policy in self._iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    answer = self._iam.get_role_policy(RoleName=name, PolicyName=policy)
                    yield name, policy, answer["PolicyDocument"]

    def managed(self, output: str) -> Policy:
        """The document of a managed policy."""
        arn = self.stack.outputs[output]
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)
        document: Policy = answer["PolicyVersion"]["Document"]
        return document

    @contextmanager
    def role_without(self, role: str, policy: str, document: Policy, action: str) -> Iterator[None]:
        """Remove one action from the role, inside the context."""
        put_policy = self._iam.put_role_policy
        less = json.dumps(without(document, action))
        put_policy(RoleName=role, PolicyName=policy, PolicyDocument=less)
        try:
            yield
        finally:
            whole = json.dumps(document)
            put_policy(RoleName=role, PolicyName=policy, PolicyDocument=whole)

    def user(self, document: Policy) -> Credentials:
        """A user with only this policy."""
        return self.stack.user(f"u{uuid.uuid4().hex[:10]}", inline=document)

    # -- exercises ---------------------------------------------------------------------------

    def pipe(self, _: str) -> None:
        """Deliver one change; give up on another."""
        self._place()
        pipe = Pipe(self.stack.aws, self._pipe, self._pipe_positions)
        self._run(pipe, lambda: pipe.counts.bridged)
        self._place()
        refusing = Pipe(
            self.stack.aws, dataclasses.replace(self._pipe, max_retries=0), self._pipe_positions
        )

        def refuse(_events: Any) -> Any:
            raise AwsError("ValidationException", "poison")

        refusing._put = refuse  # type: ignore[assignment, method-assign]
        self._run(refusing, lambda: refusing.counts.dead_lettered)

    def firehose(self, _: str) -> None:
        """Turn one record into a failed record and one change into a row."""
        time.sleep(_FORGET_SECONDS)
        firehose = Firehose(self.stack.aws, self._firehose, self._firehose_positions)
        stream = self.stack.outputs["kinesisStreamName"]
        kinesis = self.stack.aws.client("kinesis")
        bad = list(garbage(1, next(_NUMBERS)))

        def send() -> None:
            put(kinesis, stream, [*bad, _change(next(_NUMBERS))])

        self._run(firehose, lambda: firehose.counts.failed and firehose.counts.delivered, send)

    def crawler(self, _: str) -> None:
        """Crawl the tables and their partitions twice."""
        time.sleep(_FORGET_SECONDS)
        glue, database = self.stack.aws.client("glue"), self.stack.outputs["databaseName"]
        for table in glue.get_tables(DatabaseName=database)["TableList"]:
            if table["Name"].startswith("crawled_"):
                glue.delete_table(DatabaseName=database, Name=table["Name"])
        (crawler,) = self.stack.crawlers.by_name.values()
        for _again in range(2):
            crawler.start()
            crawler.wait()

    def batch(self, _: str) -> None:
        """Run the job: create the table and the view, merge, compact, expire old snapshots."""
        before = self._states()
        self._merge()
        if self._states() > before:  # Iceberg does not report files that it cannot delete
            raise LocalError("an expired metadata file still exists")

    def batch_anew(self, _: str) -> None:
        """The same without a table; restores the existing one afterwards."""
        glue, database = self.stack.aws.client("glue"), self.stack.outputs["databaseName"]
        table = glue.get_table(DatabaseName=database, Name=_ORDERS)["Table"]
        glue.delete_table(DatabaseName=database, Name=_ORDERS)
        try:
            self._merge()
        finally:
            with suppress(ClientError):
                glue.delete_table(DatabaseName=database, Name=_ORDERS)
            given = {name: table[name] for name in _KEPT if name in table}
            glue.create_table(DatabaseName=database, TableInput=given)

    def prepare_batch(self) -> None:
        """Make the table expire old metadata files."""
        self._merge()
        self._forget_soon()
        self._merge()

    def _merge(self) -> None:
        """Add a row to the log and run the job."""
        self.firehose("")
        assert self.stack.jobs is not None
        arguments = {"--maintenance": "always", "--buckets": "2"}
        self.stack.jobs.run(self.stack.outputs["batchJobName"], arguments)

    def _forget_soon(self) -> None:
        """Keep one old metadata file instead of 50, so that a run has one to expire."""
        glue, s3 = self.stack.aws.client("glue"), self.stack.aws.client("s3")
        database = self.stack.outputs["databaseName"]
        table = glue.get_table(DatabaseName=database, Name=_ORDERS)["Table"]
        bucket, _, key = table["Parameters"]["metadata_location"][len("s3://") :].partition("/")
        state = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        state["properties"]["write.metadata.previous-versions-max"] = "1"
        key = f"{key.rpartition('-')[0]}-{uuid.uuid4().hex[:12]}.metadata.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(state).encode())
        given = {name: table[name] for name in _KEPT if name in table}
        given["Parameters"] |= {"metadata_location": f"s3://{bucket}/{key}"}
        glue.update_table(DatabaseName=database, TableInput=given)

    def _states(self) -> int:
        """The number of metadata files of the table."""
        bucket, prefix = self.stack.outputs["bucketName"], f"{_ORDERS}/metadata/"
        pages = self.stack.aws.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket, Prefix=prefix)
        keys = [one["Key"] for page in found for one in page.get("Contents", ())]
        return sum(key.endswith(".metadata.json") for key in keys)

    def batch_check(self, _: str) -> None:
        """Let the check find a new object and start the job; stop the job again."""
        time.sleep(_FORGET_SECONDS)
        outputs, aws = self.stack.outputs, self.stack.aws
        key = f"projection/{time.strftime('day=%Y-%m-%d/hour=%H', time.gmtime())}/{uuid.uuid4()}"
        aws.client("s3").put_object(Bucket=outputs["bucketName"], Key=key, Body=b"{}")
        name = outputs["batchCheckFunctionName"]
        answer = aws.client("lambda", max_attempts=1).invoke(FunctionName=name)
        assert self.stack.jobs is not None
        self.stack.jobs.stop()
        told = json.loads(answer["Payload"].read())
        if answer.get("FunctionError") or not told["started"]:
            raise LocalError(told.get("errorMessage", "the check started nothing"))

    def packing(self, _: str) -> None:
        """Let the function pack two objects of an old hour."""
        time.sleep(_FORGET_SECONDS)
        outputs, aws = self.stack.outputs, self.stack.aws
        s3, bucket = aws.client("s3"), outputs["bucketName"]
        # A run that could not remove it: another one would not begin.
        for one in s3.list_objects_v2(Bucket=bucket, Prefix=PACKING_PREFIX).get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=one["Key"])
        day = f"2026-{1 + next(_NUMBERS) % 11:02}-{1 + next(_NUMBERS) % 28:02}"
        for _object in range(2):
            key = f"projection/day={day}/hour=10/{uuid.uuid4()}"
            s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
        name = outputs["packFunctionName"]
        answer = aws.client("lambda", max_attempts=1).invoke(FunctionName=name)
        told = json.loads(answer["Payload"].read())
        if answer.get("FunctionError") or not told["packs"]:
            raise LocalError(told.get("errorMessage", "nothing was packed"))

    def packing_schedule(self, role: str) -> None:
        """Invoke the packing function."""
        self._invoke(role, "packFunctionName")

    def batch_schedule(self, role: str) -> None:
        """Invoke the batch check."""
        self._invoke(role, "batchCheckFunctionName")

    def schedule(self, role: str) -> None:
        """Invoke the order generator."""
        self._invoke(role, "orderGeneratorFunctionName")

    def _invoke(self, role: str, output: str) -> None:
        who = self.stack.aws.assume(self._role_arn(role), "schedule")
        name = self.stack.outputs[output]
        self.stack.aws.client("lambda", who, max_attempts=1).invoke(
            FunctionName=name, InvocationType="DryRun"
        )

    def generator_role(self, role: str) -> None:
        """Do what the function does, as its role."""
        self._generate(self.stack.aws.assume(self._role_arn(role), "generator"))

    def write(self, who: Credentials) -> None:
        """Place, change and delete orders, as the generator and as an application."""
        self._generate(who)
        client = self.stack.aws.client("dynamodb", who, max_attempts=1)
        table, key = self.stack.outputs["tableName"], {"orderid": {"S": "one"}}
        client.put_item(TableName=table, Item=key)
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET quantity = :n",
            ExpressionAttributeValues={":n": {"N": "2"}},
        )
        client.delete_item(TableName=table, Key=key)

    def _generate(self, who: Credentials) -> None:
        client = self.stack.aws.client("dynamodb", who, max_attempts=1)
        table = self.stack.outputs["tableName"]
        plan = generator.Plan(count=20, updates=0.4, deletes=0.2, seed=next(_NUMBERS))
        report = generator.write(client, table, generator.operations(plan))
        if report.failed:
            raise LocalError(f"{report.failed} changes were not written")

    def read(self, who: Credentials) -> None:
        """Run every saved query, SHOW and DESCRIBE, and the lookups that clients make for them."""
        outputs, aws = self.stack.outputs, self.stack.aws
        athena, s3, glue = (aws.client(name, who) for name in ("athena", "s3", "glue"))
        group, database = outputs["workgroupName"], outputs["databaseName"]
        for query in analytics.load_queries():
            values = {p.name: "x" for p in query.parameters if not p.default}
            self.stack.ask(query.sql, who, query.bind(values) or ())
        for sql in ("SHOW TABLES", f"DESCRIBE {outputs['projectionTable']}"):
            self.stack.ask(sql, who)
        athena.get_work_group(WorkGroup=group)
        saved = athena.list_named_queries(WorkGroup=group)["NamedQueryIds"]
        athena.get_named_query(NamedQueryId=saved[0])
        athena.batch_get_named_query(NamedQueryIds=saved[:2])
        ran = athena.list_query_executions(WorkGroup=group)["QueryExecutionIds"]
        answer = athena.batch_get_query_execution(QueryExecutionIds=ran[:2])
        athena.stop_query_execution(QueryExecutionId=ran[0])
        location = answer["QueryExecutions"][0]["ResultConfiguration"]["OutputLocation"]
        bucket, _, key = location.removeprefix("s3://").partition("/")
        s3.get_object(Bucket=bucket, Key=key)
        s3.list_objects_v2(Bucket=bucket, Prefix="projection/", MaxKeys=1)
        catalog = {"CatalogName": "AwsDataCatalog"}
        athena.list_databases(**catalog)
        athena.get_database(**catalog, DatabaseName=database)
        athena.list_table_metadata(**catalog, DatabaseName=database)
        table = outputs["projectionTable"]
        athena.get_table_metadata(**catalog, DatabaseName=database, TableName=table)
        glue.get_database(Name=database)
        glue.get_tables(DatabaseName=database)
        glue.get_partitions(DatabaseName=database, TableName=table)

    def operate(self, who: Credentials) -> None:
        """Replay failed records, one with unknown outcome; process a dead letter; verify."""
        account = LocalAccount(self.stack, who)
        self._fail(_change(next(_NUMBERS)))
        Replay(account).run(Choice(), force=True)
        ledgers = Ledgers(self.stack.aws.client("s3"), account["bucketName"])
        key = self._fail(_change(next(_NUMBERS)))
        ledgers.begin(ledgers.get(key), [0], int(time.time()))
        Replay(account).run(Choice())
        self._letter("nonsense")  # is kept, and made visible again
        DeadLetters(account).run()
        self._letter(self._dead)
        DeadLetters(account).run()
        self.stack.aws.client("sqs").purge_queue(QueueUrl=account["dlqUrl"])
        self._iam.attach_user_policy(  # verify also needs the reader policy
            UserName=who.principal_arn.rpartition("/")[2],
            PolicyArn=self.stack.outputs["readerPolicyArn"],
        )
        verifier = Verifier(account)
        verifier.explain(verifier.compare().differences[:1])
        verifier.item(("nobody",))
        self._snapshot(account)
        self._look_and_pause(account)

    def _snapshot(self, account: LocalAccount) -> None:
        """Take snapshots by export and by scan, of an item that fits the schema and one that does
        not."""
        dynamodb, table = self.stack.aws.client("dynamodb"), account["tableName"]
        dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        for price in ({"N": "1.5"}, {"S": "odd"}):
            item = {"orderid": {"S": f"snapshot-{price}"}, "price": price}
            dynamodb.put_item(TableName=table, Item=item)
        methods: tuple[Method, ...] = ("export", "scan")
        for method in methods:
            Snapshot(account, method=method).take()

    def _look_and_pause(self, account: LocalAccount) -> None:
        """Keep a verdict, look at every part, stop the pipe and start it."""
        verdicts.save(account, {"matches": True, "table_items": 0, "lake_orders": 0})
        for line in Status(account).lines():
            if "no permission" in line.says:
                raise LocalError(f"{line.part}: {line.says}")
        privacy.look(account)
        stop = threading.Event()
        (pipe,) = self.stack.pipes
        try:
            pausing.pause(account, stop)
            if pausing.pause(account, stop).waiting.changes is None:
                raise LocalError("no permission to count what waits in the table's stream")
            pausing.resume(account, stop)
        finally:
            pipe.stop()
            pipe.paused = False

    def erase(self, who: Credentials) -> None:
        """Erase an order from every place, and name every copy that stays."""
        order = f"erased-{next(_NUMBERS)}"
        self._plant(order)
        choice = erasing.Choice(keys=[f"orderid={order}"])
        done = Erasure(LocalAccount(self.stack, who), choice).run(dry_run=False)
        if done.remaining:
            raise LocalError(f"still there: {done.remaining}")
        if missing := {"failed", "log", "table"} - done.found.keys():
            raise LocalError(f"not found in {missing}")
        for copy in done.later:
            if copy.until is None:
                raise LocalError(f"no permission to see how long this is kept: {copy.where}")

    def _plant(self, order: str) -> None:
        """A row of an order in the log, in a failed record and in an Iceberg table."""
        s3, glue = self.stack.aws.client("s3"), self.stack.aws.client("glue")
        bucket, database = self.stack.outputs["bucketName"], self.stack.outputs["databaseName"]
        row = json.dumps({"orderid": order}).encode()
        key = f"projection/day=2026-11-20/hour=10/{order}"
        s3.put_object(Bucket=bucket, Key=key, Body=row)
        self._fail(json.dumps({"dynamodb": {"Keys": {"orderid": {"S": order}}}}).encode())
        with suppress(ClientError):
            glue.delete_table(DatabaseName=database, Name=_ORDERS)
        rows = pa.table({"orderid": [order]})
        table = Catalog(glue, s3).create_table(
            (database, _ORDERS),
            rows.schema,
            location=f"s3://{bucket}/{_ORDERS}",
            properties={"format-version": "2"},
        )
        table.append(rows)

    # -- parts -------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create some rows, failed records, and a dead letter to copy."""
        self.pipe("")
        self.firehose("")
        sqs, url = self.stack.aws.client("sqs"), self.stack.outputs["dlqUrl"]
        (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
        self._dead = str(message["Body"])
        sqs.purge_queue(QueueUrl=url)

    def _letter(self, body: str) -> None:
        url = self.stack.outputs["dlqUrl"]
        self.stack.aws.client("sqs").purge_queue(QueueUrl=url)
        self.stack.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)

    def _fail(self, data: bytes) -> str:
        """Create a failed record; returns its object's key."""
        line = {
            "arrivalTimestamp": int(time.time() * 1000),
            "errorCode": "Lambda.FunctionError",
            "rawData": base64.b64encode(data).decode(),
        }
        stamp = time.strftime("day=%Y-%m-%d/hour=%H", time.gmtime())
        key = f"failed/processing-failed/{stamp}/{uuid.uuid4()}"
        self.stack.aws.client("s3").put_object(
            Bucket=self.stack.outputs["bucketName"], Key=key, Body=json.dumps(line).encode()
        )
        return key

    def _place(self) -> None:
        self.stack.aws.client("dynamodb").put_item(
            TableName=self.stack.outputs["tableName"],
            Item={"orderid": {"S": f"placed-{next(_NUMBERS)}"}},
        )

    def _role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.stack.aws.account_id}:role/{role}"

    @staticmethod
    def _run(worker: Worker, done: Callable[[], object], begin: Exercise = lambda: None) -> None:
        worker.start()
        begin()
        deadline = time.monotonic() + 15
        while not (worker.error or done()) and time.monotonic() < deadline:
            time.sleep(0.02)
        worker.stop()
        if worker.error:
            raise worker.error
        if not done():
            raise LocalError(f"{worker.name} did nothing within 15 s")


def without(document: Policy, action: str) -> Policy:
    """The policy without an action; gets a harmless action if it would be empty."""
    statements = [
        {**one, "Action": [a for a in _list(one["Action"]) if a != action]}
        for one in document["Statement"]
    ]
    left = [one for one in statements if one["Action"]]
    nothing = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    return {**document, "Statement": left or [nothing]}


def actions(document: Policy) -> list[str]:
    """Every action that a policy allows."""
    return sorted({a for one in document["Statement"] for a in _list(one["Action"])})


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _change(number: int) -> bytes:
    key = {"orderid": {"S": f"made-{number}"}}
    change = {
        "ApproximateCreationDateTime": int(time.time()),
        "Keys": key,
        "NewImage": key,
        "SequenceNumber": str(number + 1),
    }
    return json.dumps({"eventID": f"e{number}", "eventName": "INSERT", "dynamodb": change}).encode()


def fails(exercise: Exercise) -> str | None:
    """The error in one line; None if there is none."""
    try:
        exercise()
    except Exception as error:  # any error counts as a failed run
        return " ".join(str(error).split()) or type(error).__name__
    return None


@app.command()
def least_privilege(
    only: Annotated[str, typer.Option(help="Only those whose 'role action' contains this.")] = "",
) -> None:
    """Remove each permission in turn. Exits with 0 if each is needed or has a stated reason."""
    console = Console(highlight=False, soft_wrap=True)
    settings = {"orderGenerator": "true", "orderGeneratorSchedule": "rate(1 day)"}
    unneeded = [*_judge("prod", settings, _prods, only, console)]
    # The batch's schedule excludes a function that packs, so that one is of another stack.
    unneeded += _judge("dev", {}, _devs, only, console)
    console.print(f"{len(unneeded)} permissions are neither needed nor have a stated reason")
    raise typer.Exit(1 if unneeded else 0)


Job = tuple[str, str, Exercise]


def _judge(
    name: str,
    settings: Mapping[str, str],
    jobs_of: Callable[[Bench], Iterator[Job]],
    only: str,
    console: Console,
) -> Iterator[str]:
    """Do each job on a stack; yields what is not needed and has no reason."""
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalChain(name, Path(directory), overrides=settings) as stack,
    ):
        bench = Bench(stack)
        bench.prepare()
        jobs = [one for one in jobs_of(bench) if only in f"{one[0]} {one[1]}"]
        if any(who.startswith("batch-") for who, *_ in jobs):
            bench.prepare_batch()
        for who, action, exercise in jobs:
            why = fails(exercise)
            if action == _NOTHING:
                if why:
                    yield f"{who} {why}"
                    console.print(f"BROKEN   {who}: {why}", style="red")
            elif why:
                console.print(f"needed   {who:32} {action:36} {why[:110]}")
            elif stated := reason(who, action):
                console.print(f"stated   {who:32} {action:36} {stated}")
            else:
                yield f"{who} {action}"
                console.print(f"UNNEEDED {who:32} {action}", style="red")


def _prods(bench: Bench) -> Iterator[Job]:
    """For prod: all roles and policies."""
    yield from _of_roles(
        bench,
        {
            "bridge-pipe": bench.pipe,
            "lake-firehose": bench.firehose,
            "catalog-crawler": bench.crawler,
            "-batch-role": bench.batch,
            "-batch-check-role": bench.batch_check,
            "-batch-schedule-role": bench.batch_schedule,
            "generator-schedule": bench.schedule,
            "generator-role": bench.generator_role,
        },
    )
    for output, use in (
        ("writerPolicyArn", bench.write),
        ("readerPolicyArn", bench.read),
        ("operatorPolicyArn", bench.operate),
        ("eraserPolicyArn", bench.erase),
    ):
        document = bench.managed(output)
        for action in (_NOTHING, *actions(document)):
            exercise = _as_user(bench, without(document, action), use)
            yield output.removesuffix("PolicyArn"), action, exercise


def _devs(bench: Bench) -> Iterator[Job]:
    """For dev: the roles that prod does not have."""
    by_role = {
        "-packing-role": bench.packing,
        "-packing-schedule-role": bench.packing_schedule,
    }
    return (one for one in _of_roles(bench, by_role) if one[0].startswith("packing-"))


def _of_roles(bench: Bench, by_role: Mapping[str, Callable[[str], None]]) -> Iterator[Job]:
    for role, policy, document in bench.roles():
        part = next((one for one in by_role if one in role), None)
        name = role.removeprefix(f"sales-cdc-{bench.stack.stack}-")
        for action in (_NOTHING, *actions(document)):
            how = by_role.get(part or "")
            if how == bench.batch and action == "glue:CreateTable":
                how = bench.batch_anew
            yield name, action, _in_role(bench, role, policy, document, action, how)


def _in_role(  # noqa: PLR0917 - private, and called once
    bench: Bench,
    role: str,
    policy: str,
    document: Policy,
    action: str,
    use: Callable[[str], None] | None,
) -> Exercise:
    def exercise() -> None:
        if use:
            with bench.role_without(role, policy, document, action):
                use(role)

    return exercise


def _as_user(bench: Bench, less: Policy, use: Callable[[Credentials], None]) -> Exercise:
    return lambda: use(bench.user(less))


if __name__ == "__main__":
    app(prog_name="python -m chaos.least_privilege")
