"""Reading a stack's outputs, and each way in which that fails."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from client import stack_outputs
from client.stack_outputs import StackOutputsError, load


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(stack_outputs.ENVIRONMENT_VARIABLE, raising=False)


def pulumi(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `pulumi` on the PATH that does what ``script`` says."""
    program = directory / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(directory), prepend=":")


def test_a_file_gives_its_texts(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text('{"tableName": "orders", "crawlerName": null, "n": 1}')
    assert load(None, file, keys=["tableName"]) == {"tableName": "orders"}


def test_the_environment_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outputs.json"
    file.write_text('{"region": "eu-west-1"}')
    monkeypatch.setenv(stack_outputs.ENVIRONMENT_VARIABLE, str(file))
    assert load() == {"region": "eu-west-1"}


def test_a_stack_is_asked_of_pulumi_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, 'printf \'{"asked": "%s"}\' "$*"', monkeypatch)
    assert load("-x; rm y") == {"asked": "stack output --json --non-interactive --stack=-x; rm y"}


def test_an_unknown_stack_is_reported_with_pulumis_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, "echo \"error: no stack named 'dev' found\" >&2; exit 255", monkeypatch)
    with pytest.raises(StackOutputsError, match=r"^pulumi: no stack named 'dev' found$"):
        load("dev")


def test_without_pulumi_the_other_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StackOutputsError, match=r"needs the Pulumi CLI.*--outputs FILE"):
        load("dev")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "expected one JSON object"),
        ("{}", r"no output tableName \(it has: none\)"),
        ('{"tableName": "", "region": "r"}', r"no output tableName \(it has: region, tableName\)"),
    ],
)
def test_a_file_that_holds_no_outputs_says_so(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(text)
    with pytest.raises(StackOutputsError, match=said) as error:
        load(None, file, keys=["tableName"])
    assert str(file) in str(error.value)


def test_no_file_no_source_and_two_sources_are_reported(tmp_path: Path) -> None:
    with pytest.raises(StackOutputsError, match="No such file"):
        load(None, tmp_path / "none.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(StackOutputsError, match="not UTF-8"):
        load(None, tmp_path / "binary")
    with pytest.raises(StackOutputsError, match="--stack NAME"):
        load()
    with pytest.raises(StackOutputsError, match="not both"):
        load("dev", tmp_path / "x.json")
