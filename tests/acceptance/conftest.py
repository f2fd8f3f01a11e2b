"""A stack on this machine to break, and the command against the real engine."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from acceptance.run import Run
from acceptance.this_machine import ThisMachine
from local.account.aws import Aws
from local.account.emulator import Emulator
from tests import warm_python
from tests.engine.aws_provider import SLOW
from tests.engine.stack import AS_SHIPPED, Project, has

NAME = "acceptance-test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"command", "project"} & {*getattr(item, "fixturenames", ())} and not has("pulumi"):
            reason = "needs the Pulumi CLI: on the PATH, or built by `make pulumi-cli`"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """A run on this machine, deployed."""
    machine = ThisMachine()
    try:
        machine.up(lambda _: None)
        yield Run(machine, orders=10)
    finally:
        machine.destroy(lambda _: None)


@dataclass(frozen=True)
class Command:
    """`python -m acceptance` for a stack, in a project of its own."""

    project: Project

    @property
    def aws(self) -> Aws:
        return self.project.aws

    def start(
        self, *arguments: str, environment: Mapping[str, str] = {}, **options: object
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            warm_python.command("tests.acceptance.without_waits", *arguments),
            cwd=self.project.directory,
            env={
                **self.project.environment,
                **environment,
                "PYTHONPATH": str(self.project.directory),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )

    def __call__(
        self, *arguments: str, stack: str = NAME, **options: object
    ) -> subprocess.CompletedProcess[str]:
        process = self.start("--stack", stack, *arguments, **options)
        out, err = process.communicate(timeout=500)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def interrupted(self, *arguments: str, times: int) -> subprocess.CompletedProcess[str]:
        """Ctrl-C as soon as the table is there, while Pulumi still waits for it."""
        slow = {**AS_SHIPPED, SLOW: "aws:dynamodb/table:Table"}
        process = self.start("--stack", NAME, *arguments, environment=slow)
        deadline = time.monotonic() + 120
        while not self.aws.client("dynamodb").list_tables()["TableNames"]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.4)
        out, err = process.communicate(timeout=200)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def stacks(self) -> str:
        return self.project.run("stack", "ls")

    def left(self) -> list[str]:
        """What the account still has."""
        client = self.aws.client
        return [
            *client("dynamodb").list_tables()["TableNames"],
            *client("kinesis").list_streams()["StreamNames"],
            *(one["RoleName"] for one in client("iam").list_roles()["Roles"]),
            *(one["Name"] for one in client("s3").list_buckets()["Buckets"]),
            *client("sqs").list_queues().get("QueueUrls", []),
            *(one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]),
        ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The program, and an account that is empty at first."""
    folder: Path = tmp_path_factory.mktemp("acceptance")
    with Emulator(folder / "emulator", region="us-east-1") as emulator:
        yield Project.of_program(folder / "project", emulator.aws)


@pytest.fixture
def command(project: Project) -> Command:
    return Command(project)
