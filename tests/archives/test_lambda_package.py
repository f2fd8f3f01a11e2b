"""Lambda packages are complete, built for the platform, and reproducible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from components.archives import functions, lambda_zip
from components.archives.lambda_zip import LambdaPackageError, Platform, build
from schema import ORDERS

ROOT = Path(__file__).resolve().parents[2]
PINS = (ROOT / "lambda/transform/requirements.txt").read_text().split()
ELF_MACHINE = {"arm64": 183, "x86_64": 62}  # EM_AARCH64, EM_X86_64


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"cache")
    (folder / "__pycache__" / "handler.cpython-311.pyc.1403").write_bytes(b"being written")
    (folder / "part").mkdir()
    (folder / "handler.py").write_text("import part.one\n")
    (folder / "part" / "one.py").write_text("")
    (folder / "requirements.txt").write_text("orjson==3.13.0\n")
    (folder / ".hidden").write_text("")
    return folder


def built(sources: Path, tmp_path: Path, **changed: Any) -> Path:
    arguments: dict[str, Any] = {
        "name": "it",
        "sources": sources,
        "requirements": [],
        "platform": Platform.host(),
        "build_dir": tmp_path / "build",
    }
    return build(**arguments | changed)


def transform(architecture: Any, build_dir: Path) -> zipfile.ZipFile:
    path = build(
        name="transform",
        sources=ROOT / "lambda" / "transform",
        requirements=PINS,
        files={"schema.json": ORDERS.to_json()},
        platform=Platform(architecture, "3.13"),
        build_dir=build_dir,
    )
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_transform_carries_native_code_of_its_platform_and_nothing_it_does_not_need(
    architecture: str,
) -> None:
    with transform(architecture, ROOT / ".build") as package:
        names = package.namelist()
        native = [name for name in names if name.endswith(".so")]
        for name in native:
            header = package.read(name)[:20]
            assert header[:4] == b"\x7fELF"
            assert int.from_bytes(header[18:20], "little") == ELF_MACHINE[architecture]
            assert "cpython-313" in name
        assert package.read("schema.json").decode() == ORDERS.to_json()
    assert {name.split("/")[0] for name in names} == {
        "handler.py",
        "records.py",
        "metrics.py",
        "rows.py",
        "schema.json",
        "orjson",
        "orjson-3.13.0.dist-info",
        "pybase64",
        "pybase64-1.5.1.dist-info",
    }
    assert len(native) == 2
    assert [name for name in names if ".dist-info/" in name] == [
        "orjson-3.13.0.dist-info/METADATA",
        "pybase64-1.5.1.dist-info/METADATA",
    ]
    assert not [name for name in names if name.endswith((".pyi", ".pyc", ".typed", ".txt"))]


def test_the_deployed_package_is_for_graviton_and_python_3_13() -> None:
    assert Platform("arm64", "3.13") == functions.AWS
    with zipfile.ZipFile(functions.transform(ORDERS, functions.AWS)) as package:
        assert "orjson/orjson.cpython-313-aarch64-linux-gnu.so" in package.namelist()


def test_the_host_package_runs_here(tmp_path: Path) -> None:
    with zipfile.ZipFile(functions.transform(ORDERS, Platform.host())) as package:
        package.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import handler, orjson, pybase64; "
    code += "print(orjson.__file__, pybase64.__file__)"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count(str(tmp_path)) == 2


def test_two_builds_are_the_same_to_the_byte_whatever_the_clock_and_permissions_say(
    sources: Path, tmp_path: Path
) -> None:
    pins = ["orjson==3.13.0"]
    one = built(sources, tmp_path, requirements=pins)
    os.utime(sources / "handler.py", (time.time() + 86400,) * 2)
    (sources / "handler.py").chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "build" / "wheels", elsewhere / "wheels")
    other = built(sources, tmp_path, requirements=pins, build_dir=elsewhere)
    assert one.read_bytes() == other.read_bytes()
    assert one.name == other.name


def test_a_change_of_the_sources_changes_the_name(sources: Path, tmp_path: Path) -> None:
    one = built(sources, tmp_path)
    (sources / "handler.py").write_text("import part\n")
    assert built(sources, tmp_path).name != one.name


def test_the_zip_holds_sources_and_given_files_without_caches(
    sources: Path, tmp_path: Path
) -> None:
    path = built(sources, tmp_path, files={"schema.json": "{}", "part/two.py": "pass"})
    with zipfile.ZipFile(path) as package:
        assert package.namelist() == ["handler.py", "part/one.py", "part/two.py", "schema.json"]
        assert {entry.external_attr >> 16 for entry in package.infolist()} == {0o100644}
        assert package.read("part/two.py") == b"pass"


def test_builds_at_the_same_time_agree_and_wheels_are_fetched_once(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(2) as pool:
        paths = set(pool.map(lambda _: built(sources, tmp_path, requirements=PINS), range(2)))
    (path,) = paths
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
    wheels = [f for f in (tmp_path / "build" / "wheels").iterdir() if f.is_dir()]
    assert len(wheels) == 1  # no scratch folder stays behind
    assert list((tmp_path / "build").glob("tmp*")) == []
    monkeypatch.setattr(lambda_zip.subprocess, "run", None)
    with zipfile.ZipFile(built(sources, tmp_path, requirements=PINS, files={"a": ""})) as another:
        assert {*another.namelist()} == {*zipfile.ZipFile(path).namelist(), "a"}


def test_a_zip_that_is_there_is_not_built_again(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = built(sources, tmp_path)
    monkeypatch.setattr(lambda_zip, "_zip", None)
    assert built(sources, tmp_path) == one


def test_what_a_zip_is_made_of_changes_its_name(sources: Path, tmp_path: Path) -> None:
    other = Platform("arm64", "3.13")
    differing: list[dict[str, Any]] = [{}, {"platform": other}, {"files": {"a": ""}}]
    assert len({built(sources, tmp_path, **one).name for one in differing}) == 3


def test_a_wheel_that_does_not_exist_says_what_why_and_what_to_do(
    sources: Path, tmp_path: Path
) -> None:
    platform = Platform("arm64", "3.13")
    with pytest.raises(LambdaPackageError) as caught:
        built(sources, tmp_path, requirements=["orjson==0.0.1"], platform=platform)
    said = str(caught.value)
    assert "no wheels of orjson==0.0.1 for Python 3.13 on arm64" in said
    assert "pip says" in said
    assert "Check the pins" in said
    assert list((tmp_path / "build" / "wheels").iterdir()) == []


@pytest.mark.parametrize("line", ["orjson", "orjson>=3", "-r other.txt", "orjson==3.*"])
def test_a_requirement_must_be_pinned(sources: Path, tmp_path: Path, line: str) -> None:
    with pytest.raises(LambdaPackageError, match="pin it"):
        built(sources, tmp_path, requirements=[line])


def test_two_files_of_one_name_are_rejected(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(LambdaPackageError, match=r"package it: handler\.py comes twice"):
        built(sources, tmp_path, files={"handler.py": ""})


def test_missing_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(LambdaPackageError, match="nowhere: no such folder"):
        built(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(
    ("architecture", "python", "said"),
    [("amd64", "3.13", "arm64 and x86_64"), ("arm64", "python3.13", r"as in '3\.13'")],
)
def test_a_platform_that_lambda_lacks_is_rejected(
    architecture: Any, python: str, said: str
) -> None:
    with pytest.raises(LambdaPackageError, match=said):
        Platform(architecture, python)


@pytest.mark.parametrize(("python", "newest"), [("3.11", 26), ("3.12", 34), ("3.13", 34)])
def test_wheels_may_ask_for_no_newer_glibc_than_the_runtime_has(python: str, newest: int) -> None:
    options = Platform("arm64", python).pip_options()
    assert f"--platform=manylinux_2_{newest}_aarch64" in options
    assert f"--platform=manylinux_2_{newest + 1}_aarch64" not in options
    assert f"--python-version={python}" in options


def test_the_host_is_this_interpreter() -> None:
    host = Platform.host()
    assert host.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert host.pip_options() == []


@pytest.mark.parametrize(
    ("entry", "installed"),
    [
        ("pkg/__init__.py", "pkg/__init__.py"),
        ("pkg/data.json", "pkg/data.json"),
        ("pkg-1.0.data/purelib/pkg/more.py", "pkg/more.py"),
        ("pkg-1.0.data/scripts/tool", None),
        ("pkg-1.0.dist-info/RECORD", None),
        ("pkg-1.0.dist-info/licenses/LICENSE", None),
        ("pkg-1.0.dist-info/METADATA", "pkg-1.0.dist-info/METADATA"),
        ("pkg/tests/test_it.py", None),
        ("pkg/__init__.pyi", None),
        ("pkg/py.typed", None),
        ("../escape.py", None),
        ("/etc/passwd", None),
        ("pkg/", None),
    ],
)
def test_of_a_wheel_only_what_a_function_opens_is_installed(
    entry: str, installed: str | None
) -> None:
    assert lambda_zip._installed(entry) == installed
