"""Build Pulumi's CLI where only Go modules can be had: ``python scripts/pulumi_cli.py``.

Who can, installs the CLI as Pulumi documents. This builds ``pulumi`` and its Python language host
from their published Go modules into a cache, once, and prints the folder that they are in. What is
said on the way goes to standard error. Needs Go and Python alone, so that it runs before
``make .venv``.
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
# A module's own `replace` counts only where it is the main one, so those that matter are here too.
GO_MOD = """module pulumicli

replace github.com/atotto/clipboard => \
github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
"""


class BuildError(Exception):
    """Why there is no CLI."""


def locked() -> str:
    """The version of the SDK in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().split()
    return next(line for line in lines if line.startswith("pulumi==")).removeprefix("pulumi==")


def cache() -> Path:
    """Where built CLIs are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sales-cdc"


def built() -> Path | None:
    """The folder of a CLI that was built before: the oldest that is not older than the SDK."""
    found = (one.name.removeprefix("pulumi-") for one in cache().glob("pulumi-*/"))
    for version in _from_the_lock_up(found):
        folder = cache() / f"pulumi-{version}" / "bin"
        if (folder / "pulumi").exists():
            return folder
    return None


def _from_the_lock_up(versions: Iterable[str]) -> list[str]:
    """Those of the SDK's major version that are as new as it or newer, the oldest first.

    Users have a CLI a little newer than the SDK; an older one would not know what the SDK asks for.
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
        When Go is missing, or no version can be had or built. A proxy may hold only a part of
        what is published, so each version from the SDK's on is tried.
    """
    if shutil.which("go") is None:
        raise BuildError("Go is not on the PATH: install it, or the CLI as Pulumi documents")
    with _alone():
        there = built()  # by whom this waited for
        if there:
            return there
        for abandoned in cache().glob("building-*"):  # by one that was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        tried = _from_the_lock_up([locked(), *_published()])
        for version in tried:
            try:
                return _build(version)
            except BuildError as error:
                _say(f"Pulumi {version} cannot be built: {error}")
    raise BuildError(f"none of Pulumi {', '.join(tried)} can be built: see above")


def _published() -> list[str]:
    """What the proxy lists; without a list there is still the SDK's version to try."""
    try:
        listed = _go(cache(), "list", "-m", "-f", '{{join .Versions " "}}', "-versions", CLI)
    except BuildError as error:
        _say(f"the versions of Pulumi cannot be listed: {error}")
        return []
    return [one.removeprefix("v") for one in listed.split()]


def _build(version: str) -> Path:
    """In a folder of its own, which gets its name only when everything is in it."""
    with tempfile.TemporaryDirectory(dir=cache(), prefix="building-") as scratch:
        module, made = Path(scratch) / "module", Path(scratch) / "made"
        module.mkdir()
        (module / "go.mod").write_text(GO_MOD)
        commit = _download(module, f"{CLI}@v{version}").get("Origin", {}).get("Hash")
        _compile(module, made / "bin", version, f"{CLI}@v{version}", f"{CLI}/cmd/pulumi")
        try:
            # It has no tags; it is published at the commit of the CLI's.
            if not commit:
                raise BuildError("the proxy does not say which commit the CLI is of")
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
    _say(f"building {package} {version}: some 5 minutes on 2 cores if it is the CLI's first time")
    flags = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
    # As many compilers at once as the machine has cores take more memory than small ones have.
    _go(module, "build", "-p=2", "-trimpath", f"-ldflags={flags}", f"-o={to}/", package)
    _say(f"built in {time.monotonic() - began:.0f} s")


def _download(module: Path, need: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_go(module, "mod", "download", "-json", need))
    return answer


def _go(module: Path, *arguments: str) -> str:
    # Its own settings may forbid what this needs: to write go.mod, and not to fetch another Go.
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
        if answer.stdout.startswith("{"):  # `go mod download -json` tells it there
            told = json.loads(answer.stdout).get("Error", told)
        raise BuildError(f"go {' '.join(arguments)}: {told[-2000:]}")
    return answer.stdout


@contextmanager
def _alone() -> Iterator[None]:
    """Not while another process builds; the system frees the lock of one that was killed."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "pulumi.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process builds it: waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print the folder; 1 if there is none."""
    try:
        folder = built() or build()
    except BuildError as error:
        _say(str(error))
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
