"""An emulated account shared by the generator's tests, and its command line."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import boto3
import pytest

from generator import writer
from generator.target import dynamodb
from local.account.emulator import Emulator
from tests import warm_python
from tests.generator.generator_support import PROJECT, REGION, Account, Cli, Finished


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_BACKOFF_CAP", 0.002)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    directory = tmp_path_factory.mktemp("emulator")
    with Emulator(directory, region=REGION) as emulator:
        root = emulator.aws.root
        session = boto3.Session(root.access_key_id, root.secret_access_key, region_name=REGION)
        url = emulator.aws.emulator_url
        yield Account(emulator, dynamodb(endpoint_url=url, session=session))


@pytest.fixture
def cli(account: Account) -> Cli:
    """The real command line in a process of its own; None takes a variable away."""

    def run(*arguments: str, **environment: str | None) -> Finished:
        merged: dict[str, str | None] = {**account.environment, **environment}
        done = subprocess.run(
            warm_python.command("generator", *arguments),
            check=False,
            cwd=PROJECT,
            env={key: value for key, value in merged.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run
