"""The whole chain on one machine: emulator, gateway, deployed program, pipe, Firehose, crawlers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from client import query
from local.account.aws import Aws, Credentials
from local.account.deploy import ROOT, Deployment, deploy, import_components, stack_config
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena
from local.errors import AwsError, LocalError
from local.standins.crawler import Crawlers
from local.standins.firehose import Delivered, Firehose, FirehoseDefinition
from local.standins.glue_jobs import Jobs
from local.standins.pipe import Pipe, PipeDefinition
from local.standins.worker import Worker

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Hops:
    """How many records each hop has seen."""

    captured: int = 0
    filtered: int = 0
    bridged: int = 0
    dead_lettered: int = 0
    delivered: int = 0
    failed: int = 0
    objects: int = 0

    @property
    def settled(self) -> int:
        """Records that are done: delivered, failed, filtered or dead-lettered."""
        return self.delivered + self.failed + self.filtered + self.dead_lettered


class LocalChain:
    """A running stack; use it as a context manager.

    Parameters
    ----------
    stack:
        Deploy with ``Pulumi.<stack>.yaml``.
    directory:
        Folder for logs and the emulator's files.
    port, gateway_port:
        Loopback ports; 0 picks a free one.
    overrides:
        Settings that override the stack file, by name without the namespace.
    say:
        Called with a short description of each step.
    on_delivered:
        See `local.standins.firehose.Firehose`.
    program:
        The folder of the Pulumi program.
    before_deploy:
        Called with the empty account, for example to create a table that the program looks up.
    deployed_buffers:
        Let Firehose buffer for as long as the program declares, instead of for a second.

    Raises
    ------
    LocalError
        If it cannot start; whatever was started is stopped again.
    """

    def __init__(
        self,
        stack: str,
        directory: Path,
        *,
        port: int = 0,
        gateway_port: int = 0,
        overrides: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        on_delivered: Delivered | None = None,
        program: Path = ROOT,
        before_deploy: Callable[[Aws], None] = lambda _: None,
        deployed_buffers: bool = False,
    ) -> None:
        self.stack = stack
        region = stack_config(stack, program).get("aws:region", DEFAULT_REGION)
        self.emulator = Emulator(directory, region=region, port=port)
        self.deployment: Deployment
        self.crawlers: Crawlers
        self.jobs: Jobs | None = None
        self.pipes: list[Pipe] = []
        self.firehoses: list[Firehose] = []
        self._overrides = overrides
        self._say = say
        self._on_delivered = on_delivered
        self._program = program
        self._before_deploy = before_deploy
        self._deployed_buffers = deployed_buffers
        self._gateway_port = gateway_port
        self._gateway: Gateway | None = None
        self._started = 0.0
        self._changed: dict[str, float] = {}

    @property
    def aws(self) -> Aws:
        """The local account."""
        return self.emulator.aws

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs."""
        return self.deployment.outputs

    @property
    def workers(self) -> list[Worker]:
        """The pipes and the Firehose streams."""
        return [*self.pipes, *self.firehoses]

    def start(self) -> LocalChain:
        """Start the emulator, deploy the program and start the hops."""
        try:
            self._say("starting the emulator")
            self.emulator.start(meanwhile=import_components)
            self._gateway = Gateway(self.aws, Athena(self.aws), self._gateway_port)
            self._gateway.start()
            self._before_deploy(self.aws)
            self._say(f"deploying __main__.py with Pulumi.{self.stack}.yaml")
            self.deployment = deploy(
                self.aws,
                self.stack,
                self._overrides,
                root=self._program,
                deployed_buffers=self._deployed_buffers,
            )
            definitions = self.deployment.definitions
            self.crawlers = Crawlers(self.aws, definitions.get("crawlers", []))
            self.jobs = Jobs(self.aws, definitions.get("jobs", []))
            for action, hook in {**self.crawlers.hooks(), **self.jobs.hooks()}.items():
                self._gateway.intercept("glue", action, hook)
            for action, hook in {
                "DescribePipe": self._describe_pipe,
                "StartPipe": self._start_pipe,
                "StopPipe": self._stop_pipe,
            }.items():
                self._gateway.intercept("pipes", action, hook)
            self._say("starting the pipe and Firehose")
            shorten = self._program != ROOT and not self._deployed_buffers
            if shorten:
                self._say("Firehose's buffers wait for a second, not for as long as declared")
            self._started = time.time()
            for one in definitions.get("firehose", []):
                firehose = FirehoseDefinition.from_api(one)
                if shorten:  # for our own program, `deploy` overrides the settings
                    firehose = replace(firehose, buffer_seconds=1, lambda_buffer_seconds=0)
                self.firehoses.append(Firehose(self.aws, firehose, on_delivered=self._on_delivered))
            self.pipes += [
                Pipe(self.aws, PipeDefinition.from_api(one)) for one in definitions.get("pipes", [])
            ]
            for worker in (*self.firehoses, *self.pipes):  # Firehose first: it reads from LATEST
                worker.start()
        except BaseException:
            self.stop()
            raise
        return self

    def _describe_pipe(self, request: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        """The full definition of a pipe and its real state; the emulator has neither."""
        pipe = self._pipe(request)
        (definition,) = (
            one
            for one in self.deployment.definitions["pipes"]
            if one["Name"] == pipe.definition.name
        )
        return {**definition, **self._pipe_state(pipe)}

    def _start_pipe(self, request: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        """Start a stopped pipe. As on AWS, one in another state is a conflict."""
        pipe = self._pipe(request)
        self._require(pipe, "STOPPED")
        pipe.resume()
        self._changed[pipe.definition.name] = time.time()
        return self._summary(pipe) | {"CurrentState": "STARTING"}

    def _stop_pipe(self, request: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        """Stop a running pipe. As on AWS, the answer does not wait for it."""
        pipe = self._pipe(request)
        self._require(pipe, "RUNNING")
        pipe.pause()
        self._changed[pipe.definition.name] = time.time()
        return self._summary(pipe) | {"CurrentState": "STOPPING"}

    def _pipe(self, request: Mapping[str, Any]) -> Pipe:
        for pipe in self.pipes:
            if pipe.definition.name == request["Name"]:
                return pipe
        raise AwsError("NotFoundException", f"Pipe {request['Name']} does not exist.", 404)

    def _require(self, pipe: Pipe, state: str) -> None:
        if (current := self._pipe_state(pipe)["CurrentState"]) != state:
            raise AwsError(
                "ConflictException", f"Pipe {pipe.definition.name} is {current}, not {state}.", 409
            )

    def _summary(self, pipe: Pipe) -> dict[str, Any]:
        return {"Name": pipe.definition.name, "Arn": pipe.definition.arn, **self._pipe_state(pipe)}

    def _pipe_state(self, pipe: Pipe) -> dict[str, Any]:
        current = "RUNNING"
        if pipe.paused:
            current = "STOPPING" if pipe.running else "STOPPED"
        elif pipe.error:
            current = "START_FAILED"
        return {
            "CurrentState": current,
            "DesiredState": "STOPPED" if pipe.paused else "RUNNING",
            **({"StateReason": str(pipe.error)} if pipe.error else {}),
            "CreationTime": self._started,
            "LastModifiedTime": self._changed.get(pipe.definition.name, self._started),
        }

    def stop(self) -> None:
        """Stop from source to lake, so that records in flight are delivered; safe to call twice."""
        for worker in self.workers:
            worker.stop()
        if self.jobs:
            self.jobs.stop()
        if self._gateway:
            self._gateway.stop()
            self._gateway = None
        self.emulator.stop()

    def check(self) -> None:
        """Raise if a hop or the emulator has died."""
        for worker in self.workers:
            if worker.error:
                raise worker.error
        if not self.emulator.alive():
            raise LocalError(f"the emulator died. Its last log lines:\n{self.emulator.log_tail()}")

    @property
    def longest_wait(self) -> float:
        """The seconds for which the hops may hold a change before they pass it on."""
        windows = [pipe.definition.window_seconds for pipe in self.pipes]
        buffers = [one.definition.longest_wait for one in self.firehoses]
        return max(windows, default=0) + max(buffers, default=0)

    def hops(self) -> Hops:
        """The current counts."""
        pipes = [pipe.counts for pipe in self.pipes]
        firehoses = [firehose.counts for firehose in self.firehoses]
        return Hops(
            captured=sum(one.captured for one in pipes),
            filtered=sum(one.filtered for one in pipes),
            bridged=sum(one.bridged for one in pipes),
            dead_lettered=sum(one.dead_lettered for one in pipes),
            delivered=sum(one.delivered for one in firehoses),
            failed=sum(one.failed for one in firehoses),
            objects=sum(one.objects for one in firehoses),
        )

    def user(
        self, name: str, *policy_arns: str, inline: Mapping[str, Any] | None = None
    ) -> Credentials:
        """An IAM user with these policies, and its access key."""
        iam = self.aws.client("iam")
        user = f"{name}-{self.stack}"
        arn = iam.create_user(UserName=user)["User"]["Arn"]
        for policy in policy_arns:
            iam.attach_user_policy(UserName=user, PolicyArn=policy)
        if inline:
            iam.put_user_policy(
                UserName=user, PolicyName="operate", PolicyDocument=json.dumps(inline)
            )
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return self.aws.book.add(
            Credentials(
                access_key_id=key["AccessKeyId"],
                secret_access_key=key["SecretAccessKey"],
                principal_arn=arn,
            )
        )

    def ask(
        self, sql: str, who: Credentials | None = None, parameters: Sequence[str] = ()
    ) -> list[query.Row]:
        """Run a query as ``who`` (default: root) in the stack's workgroup and database.

        Raises
        ------
        LocalError
            If the query fails, with Athena's reason.
        """
        where = {
            "workgroup": self.outputs["workgroupName"],
            "database": self.outputs["databaseName"],
        }
        try:
            return [
                *query.rows(self.aws.client("athena", who), sql, **where, parameters=parameters)
            ]
        except query.QueryFailedError as error:
            raise LocalError(str(error)) from None

    def __enter__(self) -> LocalChain:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
