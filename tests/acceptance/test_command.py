"""The command line, without a deployment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from acceptance import __main__ as command
from acceptance.checks import ALL, CHECKS
from tests import warm_python

ROOT = Path(__file__).parents[2]


def acceptance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        warm_python.command("acceptance", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_check_has_a_unique_name_and_a_description() -> None:
    names = [check.name for check in ALL]
    assert len(names) == len(set(names))
    listed = acceptance("--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == names
    assert all(len(line.split()) > 4 for line in listed)
    assert not [check.name for check in ALL if check.says.endswith(".")]


def test_the_guide_has_a_row_per_check() -> None:
    guide = (ROOT / "docs" / "acceptance.md").read_text()
    table = guide.partition("## The checks")[2].partition("##")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [check.name for check in ALL]


def test_the_settings_are_changed_last() -> None:
    """DynamoDB allows a second change of the TTL only an hour after the first."""
    assert [check.name for check in CHECKS][-2:] == ["settings", "settings-kept"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "everything"], "no check everything; the checks are: no-change, outputs"),
        (["--local", "--stack", "mine"], "cannot be combined with --local"),
        (["--local", "--keep"], "cannot be combined with --local"),
        (["--local", "--clean"], "cannot be combined with --local"),
        (["--keep", "--clean"], "--keep and --clean cannot be combined"),
        (["--stack", "Mine"], "--stack 'Mine': use up to 20 lower-case letters"),
        (["--stack", "acceptance-of-somebody"], "use up to 20"),
        (["--stack", "-x"], "--stack '-x'"),
        (["--nonsense"], "No such option"),
    ],
)
def test_invalid_options_are_rejected_with_a_message(arguments: list[str], message: str) -> None:
    done = acceptance(*arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("user", "stack"),
    [
        ("bob", "acceptance-bob"),
        ("Ann.Marie O'Neill", "acceptance-ann-marie"),
        ("DOMAIN\\bob_2", "acceptance-domain-bo"),
        ("世界", "acceptance-user"),
    ],
)
def test_the_default_name_is_made_of_the_users(
    user: str, stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: user)
    assert command._default_name() == stack
    assert command._NAME.fullmatch(stack)
