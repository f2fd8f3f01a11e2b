"""A stack of before the rooms were moved is upgraded in place: nothing is made anew."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.account.aws import Aws
from tests.engine.stack import ROOT, Project

BEFORE = "5335b7cc0d84cb2399ef96c676a40a349a342d3a"
"""The last commit in which StreamBridge made the Kinesis stream, and Operator was a component."""


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


def test_nothing_is_replaced_made_or_deleted(project: Project) -> None:
    stack = project.stack("dev")
    stack.up()
    there = {(one["type"], one["id"]) for one in stack.resources()}
    project.upgrade()
    plan = stack.preview()
    changes = {who: what for who, what in plan.changes.items() if who[0].startswith("aws:")}
    assert set(changes.values()) <= {"update"}, changes
    stack.up()
    assert {(one["type"], one["id"]) for one in stack.resources()} == there
    assert stack.preview().changes == {}
