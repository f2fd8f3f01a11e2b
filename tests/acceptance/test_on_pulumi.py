"""The command with the real engine; the engine tests' plugin creates the resources."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import NAME, Command

pytestmark = pytest.mark.xdist_group("acceptance")
ASKED = ("no-change", "outputs", "alarms", "settings")


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def only(*names: str) -> list[str]:
    return [part for name in names for part in ("--only", name)]


def test_a_stack_goes_from_nothing_to_nothing(command: Command) -> None:
    done = command("--yes", "--json", "--report", *only(*ASKED))
    result = told(done)
    details = {one["name"]: one["detail"] for one in result["checks"]}
    assert result["passed"] is True, details
    assert done.returncode == 0
    assert list(details) == ["up", *ASKED, "destroy", "nothing-left"]
    assert details["no-change"] == "no change"
    assert details["settings"] == "TTL off, two shards, a longer buffer: updates only"
    assert 0 < result["cost_usd"] < 1
    assert result["latency_s"] is None
    assert f"the stack {NAME} in account 123456789012, us-east-1" in done.stderr
    assert "an estimate" in done.stderr
    assert command.left() == []
    assert NAME not in command.stacks()
    assert not (command.project.directory / f"Pulumi.{NAME}.yaml").exists()
    (page,) = (command.project.directory / "acceptance" / "reports").glob(f"{NAME}-*.md")
    text = page.read_text()
    page.unlink()
    assert text.startswith(f"# Acceptance of {NAME}: all 7 checks passed")
    assert "| settings | Settings are changed in place" in text
    assert "| batch | " in text


def test_a_stack_that_is_kept_is_taken_over_by_the_next_run(command: Command) -> None:
    done = command("--yes", "--json", "--keep", *only("tags"))
    result = told(done)
    assert done.returncode == 1
    assert result["passed"] is False
    failed = {one["name"]: one["detail"] for one in result["checks"] if not one["passed"]}
    # The plugin knows no default tags: nothing is found by them, and that is not passed over.
    assert list(failed) == ["tags"]
    assert "by the stack's tags" in failed["tags"]
    kept = [one["name"] for one in result["skipped"] if one["reason"] == "--keep"]
    assert kept == ["destroy", "nothing-left"]
    assert f"python -m acceptance --stack {NAME} --clean" in done.stderr
    settings = yaml.safe_load((command.project.directory / f"Pulumi.{NAME}.yaml").read_text())
    assert settings["config"]["aws:defaultTags"]["tags"] == {
        "project": "sales-cdc",
        "stack": NAME,
        "purpose": "acceptance",
    }
    (table,) = command.aws.client("dynamodb").list_tables()["TableNames"]
    again = command("--yes", "--json", *only("outputs"))
    assert told(again)["passed"] is True
    assert command.left() == []
    assert table.startswith(f"sales-cdc-{NAME}-")


def test_ctrl_c_removes_what_was_made(command: Command) -> None:
    done = command.interrupted("--yes", "--json", times=1)
    assert done.returncode == 130
    assert told(done)["passed"] is False
    assert "removing what was created" in done.stderr
    assert "Traceback" not in done.stderr
    assert [one["name"] for one in told(done)["checks"]] == ["destroy", "nothing-left"]
    assert all(one["passed"] for one in told(done)["checks"])
    assert command.left() == []
    assert NAME not in command.stacks()


def test_a_second_ctrl_c_leaves_it_and_says_how_to_remove_it(command: Command) -> None:
    done = command.interrupted("--yes", "--json", times=2)
    assert done.returncode == 130
    assert told(done)["passed"] is False
    assert "resources are left" in done.stderr
    assert f"to remove it: python -m acceptance --stack {NAME} --clean" in done.stderr
    assert "Traceback" not in done.stderr
    assert command.left() != []
    # What Pulumi was making when it was killed it does not know: the person is told.
    state = json.loads(command.project.run("stack", "export", f"--stack={NAME}"))["deployment"]
    pending = [
        one["resource"]["urn"].rpartition("::")[2] for one in state.get("pending_operations") or []
    ]
    assert all(name in done.stderr for name in pending)
    removed = command("--clean", "--yes", "--json")
    assert removed.returncode == 0, removed.stderr
    assert len(command.left()) <= len(pending)
    assert NAME not in command.stacks()
    assert command("--clean", "--yes").returncode == 0, "what is gone can be removed again"


def test_the_stack_of_another_is_left_alone(command: Command) -> None:
    theirs = "acceptance-theirs"
    command.project.run("stack", "init", theirs, "--no-select")
    exported = json.loads(command.project.run("stack", "export", f"--stack={theirs}"))
    exported["deployment"]["resources"] = [
        {
            "urn": f"urn:pulumi:{theirs}::sales-cdc::aws:sqs/queue:Queue::theirs",
            "custom": True,
            "id": "theirs",
            "type": "aws:sqs/queue:Queue",
        }
    ]
    state = command.project.directory / "theirs.json"
    state.write_text(json.dumps(exported))
    command.project.run("stack", "import", f"--stack={theirs}", "--file", str(state))
    for arguments in (["--yes"], ["--clean", "--yes"]):
        done = command(*arguments, stack=theirs)
        assert done.returncode == 2
        assert "1 resources that no run created" in done.stderr
    assert "theirs" in command.project.run("stack", "export", f"--stack={theirs}")
    command.project.run("stack", "rm", "--force", "--yes", f"--stack={theirs}")


def test_the_settings_of_another_stack_are_left_alone(command: Command) -> None:
    before = (command.project.directory / "Pulumi.dev.yaml").read_text()
    done = command("--yes", stack="dev")
    assert done.returncode == 2
    assert "Pulumi.dev.yaml exists" in done.stderr
    assert (command.project.directory / "Pulumi.dev.yaml").read_text() == before


def test_nothing_is_made_unless_somebody_agrees(command: Command) -> None:
    done = command(stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "costs about $0." in done.stderr
    assert "pass --yes" in done.stderr
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    asked = command(stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert asked.returncode == 2
    assert "Continue? [y/N]" in asked.stderr
    assert "nothing was changed" in asked.stderr
    assert NAME not in command.stacks()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PULUMI_BACKEND_URL": "file:///nowhere/at/all"}, "Run `pulumi login`"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "set AWS_PROFILE, or sign in"),
        ({"AWS_PROFILE": "nobody"}, "AWS credentials: "),
        ({"PULUMI_CONFIG_PASSPHRASE": None}, "Pulumi cannot create the stack: "),
        ({"PATH": "/nowhere"}, "install it (https://www.pulumi.com/docs/install/)"),
    ],
)
def test_a_missing_requirement_is_reported_in_one_line(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str | None],
    message: str,
) -> None:
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    changed = {**command.project.environment, **nobody, **environment}
    given = {key: value for key, value in changed.items() if value is not None}
    monkeypatch.setattr(command.project, "environment", given)
    done = command("--yes", "--json")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
