"""The project as an ordinary Python package, installed beside another Pulumi program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "shipments"
pytestmark = pytest.mark.xdist_group("wheel")  # which is built once


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of a copy: a build leaves traces."""
    source = tmp_path_factory.mktemp("source") / "project"
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in tracked.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    uv = Path(sys.executable).with_name("uv")
    answer = subprocess.run(
        [uv, "build", "--wheel", "--quiet", "--out-dir", source / "dist", source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    (built,) = (source / "dist").glob("*.whl")
    return built


def test_it_holds_what_the_components_pack_and_nothing_that_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "lambda").rglob("*"):
        if path.suffix in (".py", ".txt") and "__pycache__" not in path.parts:
            assert f"components/functions/{path.relative_to(ROOT / 'lambda')}" in names
    assert "components/change_data_capture.py" in names
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"tests", "scripts", "benchmarks", "examples", "lambda", "docs", "chaos"}


def test_a_program_for_another_table_runs_with_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Its own keys and columns: what was written becomes rows; what breaks the schema fails."""
    installed = tmp_path / "site"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--target", installed, wheel], check=True
    )
    program = tmp_path / "shipments"
    shutil.copytree(EXAMPLE, program)
    script = tmp_path / "chain.py"
    shutil.copy(Path(__file__).with_name("chain_of_example.py"), script)
    answer = subprocess.run(
        [sys.executable, script, program, tmp_path / "emulator"],
        cwd=program,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told["from"].startswith(str(installed))
    # Its number is beyond what a binary float holds, and its weight keeps its digits.
    lines = [one["line"] for one in told["rows"] if one["key"] == "projection"]
    assert len(lines) == 2
    assert all('"shipment_no":9007199254740993,' in line for line in lines)
    assert {json.loads(line)["leg"] for line in lines} == {1, 2}
    assert any('"weight_kg":119.875,' in line for line in lines)
    (failed,) = [one["line"] for one in told["rows"] if one["key"] == "failed"]
    assert json.loads(failed)["errorCode"]
    # The zip of the function is the other project's, in its own folder.
    assert list((program / ".build").glob("transform-*.zip"))
