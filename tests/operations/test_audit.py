"""`make audit` does not pass if the advisory database does not respond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import audit

ROOT = Path(__file__).resolve().parents[2]
SOUND = {"name": "boto3", "version": "1.0", "vulns": []}
UNSEEN = {"name": "zstandard", "skip_reason": "Dependency not found on PyPI"}
HOLE = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.2"]}
HOLED = {"name": "pyarrow", "version": "1.1", "vulns": [HOLE]}


def judge(*packages: dict[str, Any], known: dict[str, str] | None = None) -> audit.Verdict:
    return audit.judge({"dependencies": list(packages), "fixes": []}, known or {})


def test_packages_without_a_hole_pass() -> None:
    verdict = judge(SOUND)
    assert (verdict.code, verdict.lines) == (0, ("1 packages, no new vulnerabilities",))


def test_a_vulnerability_fails_and_the_fixed_version_is_reported() -> None:
    verdict = judge(SOUND, HOLED, UNSEEN)
    assert verdict.code == 1
    assert verdict.lines[0] == "pyarrow 1.1: PYSEC-2026-1: fixed in 1.2"


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "CVE-2026-1"])
def test_a_known_vulnerability_is_reported_with_its_reason_and_passes(name: str) -> None:
    verdict = judge(HOLED, known={name: "we never call it"})
    assert verdict.code == 0
    assert verdict.lines[0] == "pyarrow 1.1: PYSEC-2026-1: known: we never call it"


@pytest.mark.parametrize("packages", [(SOUND, UNSEEN), ()], ids=["one missing", "none"])
def test_what_could_not_be_looked_up_is_no_pass(packages: tuple[dict[str, Any], ...]) -> None:
    verdict = judge(*packages)
    assert verdict.code == 2
    assert "unreachable" in verdict.lines[-1]


def test_ci_audits_by_itself_and_each_week() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    runs = [step.get("run") for step in workflow["jobs"]["audit"]["steps"]]
    assert "make audit" in runs
    assert workflow[True]["schedule"]  # YAML parses `on` as true
    recipe = (ROOT / "Makefile").read_text()
    pr = next(line for line in recipe.splitlines() if line.startswith("pr:"))
    assert "audit" not in pr  # `make pr` works without a network
