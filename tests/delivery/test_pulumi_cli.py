"""`scripts/pulumi_cli.py`: the CLI, built once from Go modules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import pulumi_cli

LOCKED = pulumi_cli.locked()
OLDER, NEWER, NEWEST = "3.200.0", "3.999.9", "3.1000.0"
PUBLISHED = f"v{OLDER} v{NEWEST} v{NEWER} v4.0.0 v{LOCKED}-alpha.1 "
"""What the proxy lists; it may lack the locked one and still hold it."""
GO = """#!{python}
import json, os, sys, time
from pathlib import Path

here = Path(__file__).parent
told = " ".join(sys.argv[1:])
with (here / "calls").open("a") as calls:
    calls.write(told + "\\n")
if any(one in told for one in {refused!r}):
    sys.exit("403 Forbidden")
if "-versions" in told:
    print({published!r})
if "download" in told:
    print(json.dumps({{"Dir": str(here / "sdk"), "Origin": {{"Hash": "c0ffee"}}}}))
if sys.argv[1] == "build":
    time.sleep(0.2)
    folder = Path(next(one[3:] for one in sys.argv if one.startswith("-o=")))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sys.argv[-1].removesuffix("/v3").split("/")[-1]).write_text(told)
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """The script beside a `go` that builds nothing and refuses what a test says."""
    sdk = tmp_path / "sdk" / "python"
    for helper in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        (sdk / helper).parent.mkdir(parents=True)
        (sdk / helper).write_text("")

    def run(*refused: str, path: Path = tmp_path) -> subprocess.Popen[str]:
        (tmp_path / "go").write_text(
            GO.format(python=sys.executable, refused=refused, published=PUBLISHED)
        )
        (tmp_path / "go").chmod(0o755)
        return subprocess.Popen(
            [sys.executable, pulumi_cli.__file__],
            env={"PATH": str(path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def test_the_cli_and_its_language_host_are_of_the_sdks_version(
    start: Start, tmp_path: Path
) -> None:
    out, _ = start().communicate(timeout=60)
    folder = Path(out.strip())
    assert folder == tmp_path / "cache" / "sales-cdc" / f"pulumi-{LOCKED}" / "bin"
    assert {file.name for file in folder.iterdir()} == {
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    }
    assert f"Version=v{LOCKED}" in (folder / "pulumi").read_text()
    assert os.access(folder / "pulumi-language-python-exec", os.X_OK)
    assert any(
        call.endswith(f"{pulumi_cli.HOST}@c0ffee {pulumi_cli.SDK}@v{LOCKED}")
        for call in calls(tmp_path)
    )


def test_it_is_built_once(start: Start, tmp_path: Path) -> None:
    first, _ = start().communicate(timeout=60)
    before = calls(tmp_path)
    again, told = start().communicate(timeout=60)
    assert (again, told) == (first, "")
    assert calls(tmp_path) == before


def test_two_at_once_build_it_once(start: Start, tmp_path: Path) -> None:
    outs = [process.communicate(timeout=60)[0] for process in (start(), start())]
    assert outs[0] == outs[1] != ""
    assert len([call for call in calls(tmp_path) if call.startswith("build")]) == 2


def test_the_next_newer_one_is_built_where_the_locked_one_is_rejected(start: Start) -> None:
    out, told = start(f"@v{LOCKED}").communicate(timeout=60)
    assert f"pulumi-{NEWER}" in out
    assert f"Pulumi {LOCKED} cannot be built" in told
    assert "403 Forbidden" in told


def test_without_a_list_of_versions_the_sdks_is_built(start: Start) -> None:
    out, told = start("-versions").communicate(timeout=60)
    assert f"pulumi-{LOCKED}" in out
    assert "the versions of Pulumi cannot be listed" in told


def test_what_is_there_is_taken_unless_it_is_older_than_the_sdk(
    start: Start, tmp_path: Path
) -> None:
    for version in (OLDER, NEWEST, NEWER):
        folder = tmp_path / "cache" / "sales-cdc" / f"pulumi-{version}" / "bin"
        folder.mkdir(parents=True)
        (folder / "pulumi").write_text("")
    out, _ = start().communicate(timeout=60)
    assert f"pulumi-{NEWER}" in out
    assert not (tmp_path / "calls").exists()


def test_a_cli_without_its_language_host_is_better_than_none(start: Start) -> None:
    out, told = start(pulumi_cli.HOST).communicate(timeout=60)
    assert [file.name for file in Path(out.strip()).iterdir()] == ["pulumi"]
    assert f"without the Python language host of {LOCKED}" in told


def test_without_any_it_says_why_and_leaves_nothing(start: Start, tmp_path: Path) -> None:
    process = start("build")
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert f"none of Pulumi {LOCKED}, {NEWER}, {NEWEST} can be built" in told
    assert [file.name for file in (tmp_path / "cache" / "sales-cdc").iterdir()] == ["pulumi.lock"]


def test_without_go_it_says_what_to_install(start: Start, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    process = start(path=tmp_path / "empty")
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert told == "Go is not on the PATH: install it, or the CLI as Pulumi documents\n"


def test_what_a_killed_build_left_is_removed(start: Start, tmp_path: Path) -> None:
    left = tmp_path / "cache" / "sales-cdc" / "building-1" / "made" / "bin"
    left.mkdir(parents=True)
    (left / "pulumi").write_text("")
    start().communicate(timeout=60)
    assert not left.exists()
