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

SCHEDULED = ("sales-cdc:batchSchedule", "cron(10 3 1 1 ? *)")

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


ADDED = {
    "sales-cdc-dev-access-eraser",
    "sales-cdc-dev-monitoring-batch-not-started",
    "sales-cdc-dev-monitoring-changes-late",
    *(
        f"sales-cdc-dev-batch-{part}"
        for part in ("check-function", "check-logs", "check-policy", "check-role")
    ),
    *(f"sales-cdc-dev-batch-schedule{part}" for part in ("", "-policy", "-role")),
}
"""What later versions have besides."""
DROPPED = {("Trigger", "sales-cdc-dev-batch-schedule")}
"""What later versions do without: a schedule of another service starts the batch job."""


def kept(stack: Stack) -> set[tuple[str, str]]:
    """Type and ID of every resource that an upgrade may not replace."""
    return {
        (one["type"], one["id"])
        for one in stack.resources()
        if not renewed(one["type"]) and not one["type"].endswith(":Trigger")
    }


def renewed(kind: str) -> bool:
    return kind.endswith(RENEWED)


def lasting(stack: Stack) -> dict[tuple[str, str], str]:
    """What a preview does to resources that an upgrade may not replace, by type and name."""
    return {
        (kind.split(":")[-1], name): what
        for (kind, name), what in stack.preview().changes.items()
        if kind.startswith("aws:") and not renewed(kind)
    }


def test_nothing_is_replaced_or_deleted(project: Project) -> None:
    stack = project.stack("dev", config=dict([SCHEDULED]))
    stack.up()
    there = kept(stack)
    project.upgrade()
    stack.set(*SCHEDULED)
    stack.set("sales-cdc:packSchedule", "")  # the batch job packs, and dev's file has a function
    # Dev's file asks for fewer alarms than it had, and for nothing else to go.
    gone = {who for who, what in lasting(stack).items() if what == "delete"}
    assert {kind for kind, _ in gone - DROPPED} == {"Dashboard", "MetricAlarm"}
    stack.set("sales-cdc:monitoring", "true")  # as older files say it
    changes = lasting(stack)
    assert set(changes.values()) <= {"update", "create", "delete"}, changes
    assert {name for (_, name), what in changes.items() if what == "create"} == ADDED
    assert {who for who, what in changes.items() if what == "delete"} == DROPPED
    stack.up()
    assert there < kept(stack)
    assert stack.preview().changes == {}
