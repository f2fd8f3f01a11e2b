"""`requirements.txt`: what `pulumi install` installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_what_the_program_needs_at_the_locked_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    deploy = {re.split("[<>=]", one)[0] for one in project["optional-dependencies"]["deploy"]}
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert {line for line in lines if line[0] not in "#-"} == deploy
    assert "--constraint requirements.lock" in lines
