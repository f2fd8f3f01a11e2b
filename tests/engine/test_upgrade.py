"""A stack of before the rooms were moved is upgraded in place: nothing is replaced or deleted."""

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


ADDED = {"sales-cdc-dev-monitoring-changes-late"}
"""What later versions have besides."""


def kept(stack: Stack) -> set[tuple[str, str]]:
    """Type and ID of every resource that an upgrade may not replace."""
    return {(one["type"], one["id"]) for one in stack.resources() if not renewed(one["type"])}


def renewed(kind: str) -> bool:
    return kind.endswith(RENEWED)


def test_nothing_is_replaced_or_deleted(project: Project) -> None:
    stack = project.stack("dev")
    stack.up()
    there = kept(stack)
    project.upgrade()
    # Dev's file asks for fewer alarms than it had, and for nothing else to go.
    gone = {
        kind
        for (kind, _), what in stack.preview().changes.items()
        if what == "delete" and kind.startswith("aws:") and not renewed(kind)
    }
    assert {kind.split(":")[-1] for kind in gone} == {"Dashboard", "MetricAlarm"}
    stack.set("sales-cdc:monitoring", "true")  # as older files say it
    changes = stack.preview().changes
    lasting = {
        name: what
        for (kind, name), what in changes.items()
        if kind.startswith("aws:") and not renewed(kind)
    }
    assert set(lasting.values()) <= {"update", "create"}, lasting
    assert {name for name, what in lasting.items() if what == "create"} == ADDED
    stack.up()
    assert there < kept(stack)
    assert stack.preview().changes == {}
