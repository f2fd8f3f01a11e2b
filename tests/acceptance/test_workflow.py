"""The workflow for the sandbox account, and the tags that a run looks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[Any, Any] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "acceptance.yml").read_text()
)
(JOB,) = WORKFLOW["jobs"].values()


def command(part: str) -> dict[str, Any]:
    (step,) = (one for one in JOB["steps"] if part in one.get("run", ""))
    found: dict[str, Any] = step
    return found


def test_it_runs_by_hand_and_weekly_and_for_no_pull_request() -> None:
    assert set(WORKFLOW[True]) == {"workflow_dispatch", "schedule"}  # YAML takes `on` for true
    (when,) = WORKFLOW[True]["schedule"]
    assert when["cron"].split()[-1] in "0123456"


def test_a_fork_does_not_run_it() -> None:
    assert "!github.event.repository.fork" in JOB["if"]


def test_it_acts_as_the_sandboxs_role_one_run_at_a_time() -> None:
    assert JOB["environment"] == "sandbox"
    assert JOB["concurrency"]["cancel-in-progress"] is False
    assert {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"} <= JOB["env"].keys()
    assert JOB["env"]["PULUMI_BACKEND_URL"] == "${{ vars.PULUMI_BACKEND_URL }}"


def test_it_has_the_time_that_a_run_takes() -> None:
    assert JOB["timeout-minutes"] >= 120


def test_what_a_cancelled_run_left_is_removed_and_the_page_is_kept() -> None:
    assert "--yes" in command("--report")["run"]
    clean = command("--clean")
    assert clean["if"] == "always()"
    (upload,) = (one for one in JOB["steps"] if "upload-artifact" in one.get("uses", ""))
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == "acceptance/reports/"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_tags_what_it_makes(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert config["aws:defaultTags"] == {"tags": {"project": "sales-cdc", "stack": stack}}
