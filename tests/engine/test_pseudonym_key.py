"""The key of pseudonyms under the real engine: made once, in no plain text, replaced on demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.account.aws import Aws
from tests.engine.stack import Project, Stack

HASHED = {"sales-cdc:schemaFile": "tests/engine/hashed.yaml"}


@pytest.fixture(scope="module")
def dev(project: Project) -> Stack:
    stack = project.stack("dev", config=HASHED)
    stack.up()
    return stack


def key_of(aws: Aws, stack: Stack) -> str:
    secret = stack.outputs()["pseudonymKeyArn"]
    answer = aws.client("secretsmanager").get_secret_value(SecretId=secret)
    return str(answer["SecretString"])


def plain(folder: Path) -> bytes:
    """Everything that the engine keeps of its stacks."""
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    return b"".join(one.read_bytes() for one in files)


def test_the_key_is_nowhere_in_plain_text(dev: Stack, aws: Aws) -> None:
    key = key_of(aws, dev).encode()
    assert len(key) == 64
    assert b"secretsmanager/secretVersion:SecretVersion" in plain(dev.project.directory / "backend")
    assert key not in plain(dev.project.directory / "backend")
    assert key not in dev.project.run("stack", "export", "--stack=dev").encode()
    assert key not in dev.project.run("stack", "output", "--json", "--stack=dev").encode()
    assert key in dev.project.run("stack", "export", "--show-secrets", "--stack=dev").encode()


def test_another_up_keeps_it(dev: Stack, aws: Aws) -> None:
    before = key_of(aws, dev)
    dev.up("--expect-no-changes")
    dev.set("sales-cdc:logRetentionDays", "5")
    assert not dev.preview().of("SecretVersion")
    dev.up()
    assert key_of(aws, dev) == before


def test_another_version_is_another_key_and_new_functions(dev: Stack, aws: Aws) -> None:
    before = key_of(aws, dev)
    dev.set("sales-cdc:pseudonymKeyVersion", "2")
    plan = dev.preview()
    names = {f"sales-cdc-dev-lake-pseudonym-key-version-{one}" for one in (1, 2)}
    assert set(plan.of("SecretVersion")) == names
    assert set(plan.of("Function").values()) == {"update"}
    assert set(plan.changes.values()) == {"create", "update", "delete"}
    dev.up()
    assert key_of(aws, dev) != before
    assert dev.preview().changes == {}


def test_destroy_leaves_no_key(dev: Stack, aws: Aws) -> None:
    dev.destroy()
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []
