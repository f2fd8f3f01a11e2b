"""Build the Pulumi CLI where only Go modules are available: ``python scripts/pulumi_cli.py``.

If you can, install the CLI as Pulumi documents instead. This builds ``pulumi`` and its Python
language host once from their published Go modules into a cache, and prints the cache folder.
Progress goes to standard error. Needs only Go and Python, so it runs before ``make .venv``.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CLI = "github.com/pulumi/pulumi/pkg/v3"
SDK = "github.com/pulumi/pulumi/sdk/v3"
HOST = "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"
# Go ignores `replace` directives of dependencies, so the ones that matter are repeated here.
GO_MOD = """module pulumicli

replace github.com/atotto/clipboard => \
github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
"""


class BuildError(Exception):
    """The CLI cannot be built."""


def locked() -> str:
    """The SDK version in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().split()
    return next(line for line in lines if line.startswith("pulumi==")).removeprefix("pulumi==")


def cache() -> Path:
    """The cache folder for built CLIs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sales-cdc"


def built() -> Path | None:
    """The folder of a cached CLI: the oldest that is not older than the SDK."""
    found = (one.name.removeprefix("pulumi-") for one in cache().glob("pulumi-*/"))
    for version in _from_the_lock_up(found):
        folder = cache() / f"pulumi-{version}" / "bin"
        if (folder / "pulumi").exists():
            return folder
    return None


def _from_the_lock_up(versions: Iterable[str]) -> list[str]:
    """Versions with the SDK's major version that are not older than it, oldest first.

    Users run a CLI a little newer than the SDK; an older one may lack features that the SDK needs.
    """
    least = _parts(locked())
    numbers = {_parts(one) for one in versions if re.fullmatch(r"\d+\.\d+\.\d+", one)}
    known = sorted(one for one in numbers if one >= least and one[0] == least[0])
    return [".".join(map(str, one)) for one in known]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def build() -> Path:
    """Build the CLI unless it is there, and return its folder.

    Raises
    ------
    BuildError
        If Go is missing, or no version can be downloaded and built. A module proxy may have only
        some versions, so each version from the SDK's on is tried.
    """
    if shutil.which("go") is None:
        raise BuildError("Go is not on the PATH: install it, or the CLI as Pulumi documents")
    with _alone():
        there = built()  # by the process that held the lock
        if there:
            return there
        for abandoned in cache().glob("building-*"):  # by a killed process
            shutil.rmtree(abandoned, ignore_errors=True)
        tried = _from_the_lock_up([locked(), *_published()])
        for version in tried:
            try:
                return _build(version)
            except BuildError as error:
                _say(f"Pulumi {version} cannot be built: {error}")
    raise BuildError(f"none of Pulumi {', '.join(tried)} can be built: see above")


def _published() -> list[str]:
    """The versions that the proxy lists; if it cannot list them, the SDK's version is tried."""
    try:
        listed = _go(cache(), "list", "-m", "-f", '{{join .Versions " "}}', "-versions", CLI)
    except BuildError as error:
        _say(f"the versions of Pulumi cannot be listed: {error}")
        return []
    return [one.removeprefix("v") for one in listed.split()]


def _build(version: str) -> Path:
    """Build in a temporary folder, and rename it only when it is complete."""
    with tempfile.TemporaryDirectory(dir=cache(), prefix="building-") as scratch:
        module, made = Path(scratch) / "module", Path(scratch) / "made"
        module.mkdir()
        (module / "go.mod").write_text(GO_MOD)
        commit = _download(module, f"{CLI}@v{version}").get("Origin", {}).get("Hash")
        _compile(module, made / "bin", version, f"{CLI}@v{version}", f"{CLI}/cmd/pulumi")
        try:
            # The language host has no tags; it is published at the CLI's commit.
            if not commit:
                raise BuildError("the proxy does not name the CLI's commit")
            sdk = Path(_download(module, f"{SDK}@v{version}")["Dir"])
            _compile(module, made / "bin", version, f"{HOST}@{commit}", HOST)
            for helper in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
                copy = made / "bin" / Path(helper).name
                shutil.copyfile(sdk / "python" / helper, copy)
                copy.chmod(0o755)
        except BuildError as error:
            _say(f"without the Python language host of {version}: {error}")
        place = cache() / f"pulumi-{version}"
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return place / "bin"


def _compile(module: Path, to: Path, version: str, need: str, package: str) -> None:
    began = time.monotonic()
    _go(module, "get", need, f"{SDK}@v{version}")
    _say(f"building {package} {version}: the first build takes about 5 minutes on 2 cores")
    flags = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
    # One compiler per core needs more memory than small machines have.
    _go(module, "build", "-p=2", "-trimpath", f"-ldflags={flags}", f"-o={to}/", package)
    _say(f"built in {time.monotonic() - began:.0f} s")


def _download(module: Path, need: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_go(module, "mod", "download", "-json", need))
    return answer


def _go(module: Path, *arguments: str) -> str:
    # The user's Go settings may forbid writing go.mod, or download another Go version.
    settings = {"GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    answer = subprocess.run(  # noqa: S603
        ["go", *arguments],  # noqa: S607
        cwd=module,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        told = answer.stderr.strip()
        if answer.stdout.startswith("{"):  # `go mod download -json` reports errors there
            told = json.loads(answer.stdout).get("Error", told)
        raise BuildError(f"go {' '.join(arguments)}: {told[-2000:]}")
    return answer.stdout


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the build lock; the system frees the lock of a killed process."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "pulumi.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another process that builds the CLI")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print the folder; return 1 if the build failed."""
    try:
        folder = built() or build()
    except BuildError as error:
        _say(str(error))
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
