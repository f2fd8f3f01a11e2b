"""A stack of before the rooms were moved is upgraded in place: nothing is made anew."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.account.aws import Aws
from tests.engine.stack import ROOT, Project, Stack

BEFORE = "5335b7cc0d84cb2399ef96c676a40a349a342d3a"
"""The last commit in which StreamBridge made the Kinesis stream, and Operator was a component."""

RENEWED = ("BucketObjectv2", "NamedQuery")
"""Types whose new content is a new resource: the batch job's files, and the saved queries."""


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The program of then."""
    known = ["git", "-C", str(ROOT), "cat-file", "-e", f"{BEFORE}^{{tree}}"]
    if subprocess.run(known, capture_output=True, check=False).returncode:
        pytest.skip(f"needs the repository's history: git fetch --unshallow (commit {BEFORE[:7]})")
    folder = tmp_path / "before"
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", BEFORE], stdout=subprocess.PIPE, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


@pytest.fixture
def project(before: Path, empty_account: Callable[[str], Aws], tmp_path: Path) -> Project:
    return Project.of_program(tmp_path / "project", empty_account("us-east-1"), before)


def made(stack: Stack) -> set[tuple[str, str]]:
    """Type and ID of every resource; the program's name instead of the ID for the renewed ones."""
    return {
        (one["type"], one["urn"].rpartition("::")[2] if renewed(one["type"]) else one["id"])
        for one in stack.resources()
    }


def renewed(kind: str) -> bool:
    return kind.endswith(RENEWED)


def test_nothing_is_replaced_made_or_deleted(project: Project) -> None:
    stack = project.stack("dev")
    stack.up()
    there = made(stack)
    project.upgrade()
    changes = stack.preview().changes
    aws = {who: what for who, what in changes.items() if who[0].startswith("aws:")}
    assert {what for (kind, _), what in aws.items() if not renewed(kind)} <= {"update"}, aws
    stack.up()
    assert made(stack) == there
    assert stack.preview().changes == {}
