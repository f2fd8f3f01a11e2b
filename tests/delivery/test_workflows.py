"""GitHub's workflows: mistakes that a review would miss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {
    file.stem: yaml.safe_load(file.read_text())
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
LOCK = dict(
    line.split("==") for line in (ROOT / "requirements.lock").read_text().split() if "==" in line
)


def steps(workflow: str) -> Iterator[dict[str, Any]]:
    for job in WORKFLOWS[workflow]["jobs"].values():
        yield from job.get("steps", [])


def triggers(workflow: str) -> dict[str, Any]:
    on: dict[str, Any] = WORKFLOWS[workflow][True]  # YAML takes `on` for true
    return on


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_cli_is_of_the_sdks_version(workflow: str) -> None:
    versions = {
        step["with"]["pulumi-version"]
        for step in steps(workflow)
        if step.get("uses", "").startswith("pulumi/actions@")
    }
    assert versions <= {LOCK["pulumi"]}


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_each_says_what_it_may_do_and_no_long_lived_key_is_used(workflow: str) -> None:
    permissions = WORKFLOWS[workflow]["permissions"]
    assert permissions["contents"] == "read"
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()
    assert "AWS_SECRET_ACCESS_KEY" not in text
    uses_aws = any("configure-aws-credentials" in step.get("uses", "") for step in steps(workflow))
    assert not uses_aws or permissions["id-token"] == "write"


def test_what_checks_a_pull_request_has_no_aws_role() -> None:
    assert "id-token" not in WORKFLOWS["ci"]["permissions"]
    assert {"pull_request", "push"} <= triggers("ci").keys()
    assert any(step.get("run") == "make pr" for step in steps("ci"))


def test_a_forks_pull_request_is_not_previewed() -> None:
    (job,) = WORKFLOWS["preview"]["jobs"].values()
    assert "head.repo.full_name == github.repository" in job["if"]
    assert job["strategy"]["matrix"]["stack"] == ["dev", "prod"]
    assert job["environment"].endswith("-preview")
    assert "pull_request_target" not in triggers("preview")


def test_prod_is_deployed_from_main_after_dev_in_its_own_environment() -> None:
    assert triggers("deploy")["push"]["branches"] == ["main"]
    assert "pull_request" not in triggers("deploy")
    jobs = WORKFLOWS["deploy"]["jobs"]
    assert jobs["prod"]["needs"] == "dev"
    assert {name: job["with"]["stack"] for name, job in jobs.items()} == {
        "dev": "dev",
        "prod": "prod",
    }
    (job,) = WORKFLOWS["deploy-stack"]["jobs"].values()
    assert job["environment"] == "${{ inputs.stack }}"
    assert job["concurrency"]["cancel-in-progress"] is False


def test_a_deployment_ends_by_asking_whether_anything_would_change() -> None:
    *_, last = steps("deploy-stack")
    assert last["with"]["command"] == "preview"
    assert last["with"]["expect-no-changes"] is True


@pytest.mark.parametrize("workflow", ["preview", "deploy-stack"])
def test_the_state_backend_gets_its_credentials(workflow: str) -> None:
    """Pulumi Cloud wants a token; a bucket wants a passphrase, unless KMS keeps the secrets."""
    (job,) = WORKFLOWS[workflow]["jobs"].values()
    pulumi = [step for step in job["steps"] if step.get("uses", "").startswith("pulumi/actions@")]
    assert pulumi
    for step in pulumi:
        given = job.get("env", {}) | step.get("env", {})
        assert {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"} <= given.keys()
        assert step["with"]["cloud-url"] == "${{ vars.PULUMI_BACKEND_URL }}"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit(workflow: str) -> None:
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()
    for used in re.findall(r"uses: (.+)", text):
        assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", used), used
