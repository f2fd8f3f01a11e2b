"""Reproducible deployment packages for Lambda functions, built without Docker.

Pulumi compares archives by content, so an unchanged function must give an unchanged zip.
"""

from __future__ import annotations

import hashlib
import io
import platform as machine
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

Architecture = Literal["arm64", "x86_64"]

_LINUX_NAME = {"arm64": "aarch64", "x86_64": "x86_64"}
# glibc of the runtimes: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 from 3.12.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_GLIBC_AL2, _GLIBC_AL2023 = 26, 34
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold


class LambdaPackageError(Exception):
    """A package cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Platform:
    """The platform that the function's native code runs on.

    Parameters
    ----------
    architecture:
        Lambda's name for it.
    python:
        ``"3.13"``.
    native:
        This machine (see `host`) instead of Lambda's Linux.
    """

    architecture: Architecture
    python: str
    native: bool = False

    def __post_init__(self) -> None:
        if self.architecture not in get_args(Architecture):
            known = " and ".join(get_args(Architecture))
            raise LambdaPackageError(f"architecture {self.architecture!r}: Lambda has {known}")
        if not re.fullmatch(r"3\.\d+", self.python):
            raise LambdaPackageError(f"python {self.python!r}: write it as in '3.13'")

    @classmethod
    def host(cls) -> Platform:
        """This machine and interpreter, for a function that runs locally."""
        architecture: Architecture = (
            "arm64" if machine.machine().lower() in {"arm64", "aarch64"} else "x86_64"
        )
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(architecture, version, native=True)

    def pip_options(self) -> list[str]:
        """Options of ``pip download`` for this platform's wheels."""
        if self.native:
            return []
        linux = _LINUX_NAME[self.architecture]
        newest = _GLIBC_AL2023 if int(self.python.partition(".")[2]) >= 12 else _GLIBC_AL2
        tags = [f"manylinux_2_{minor}_{linux}" for minor in range(newest, 4, -1)]
        tags += [f"manylinux2014_{linux}", f"linux_{linux}"]
        version = self.python.replace(".", "")
        return [
            *(f"--platform={tag}" for tag in tags),
            "--implementation=cp",
            f"--python-version={self.python}",
            *(f"--abi={abi}" for abi in (f"cp{version}", "abi3", "none")),
        ]


def build(
    *,
    name: str,
    sources: Path,
    requirements: Sequence[str],
    files: Mapping[str, str] = {},
    platform: Platform,
    build_dir: Path = Path(".build"),
) -> Path:
    """Build the zip of a function.

    Parameters
    ----------
    name:
        The function's name; the file's name starts with it.
    sources:
        Folder whose files go into the zip's root, without ``requirements.txt`` and caches.
    requirements:
        Every package the function needs beyond its runtime, pinned (``orjson==3.13.0``), as lines
        of a requirements file. Dependencies are not resolved: list them too.
    files:
        Further files: path in the zip to text.
    platform:
        The platform whose wheels to use.
    build_dir:
        Where zips and wheels are kept. Concurrent builds are safe.

    Returns
    -------
    The zip, built unless it is there already. The same inputs give the same bytes at the same path,
    on any machine.

    Raises
    ------
    LambdaPackageError
        No sources, an unpinned requirement, a wheel that cannot be downloaded, two files of one
        name.
    """
    wanted = sorted(line.strip() for line in requirements if line.strip() and line[0] != "#")
    own = {path: text.encode() for path, text in files.items()}
    contents = _merged(name, _source_files(sources), own)
    # Named by all that it is made of and by: concurrent builds of the same write the same file.
    made_of = repr((platform, wanted, sorted(contents.items()))).encode()
    digest = hashlib.sha256(Path(__file__).read_bytes() + made_of).hexdigest()
    target = build_dir / f"{name}-{digest[:16]}.zip"
    if not target.exists():
        data = _zip(_merged(name, contents, _wheel_files(wanted, platform, build_dir)))
        build_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=build_dir, delete=False) as unfinished:
            unfinished.write(data)
        Path(unfinished.name).chmod(0o644)
        Path(unfinished.name).replace(target)
    return target


def _merged(name: str, some: Mapping[str, bytes], others: Mapping[str, bytes]) -> dict[str, bytes]:
    if twice := some.keys() & others.keys():
        raise LambdaPackageError(f"package {name}: {', '.join(sorted(twice))} comes twice")
    return {**some, **others}


def _source_files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise LambdaPackageError(f"{folder}: no such folder of Lambda sources")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts  # files there come and go
        and path != folder / "requirements.txt"
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def _wheel_files(
    requirements: Sequence[str], platform: Platform, build_dir: Path
) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    wheels = _wheels(requirements, platform, build_dir).glob("*.whl") if requirements else ()
    for wheel in sorted(wheels):
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if path := _installed(entry):
                    contents[path] = archive.read(entry)
    return contents


def _installed(entry: str) -> str | None:
    """A wheel file's path in the zip, or None for a file that a function never opens.

    METADATA stays: importlib.metadata and Amazon Inspector's scan read the version there.
    """
    path = PurePosixPath(entry)
    top, *rest = path.parts
    if top.endswith(".data"):
        if rest[0] not in {"purelib", "platlib"}:
            return None
        path = PurePosixPath(*rest[1:])
    if top.endswith(".dist-info") and rest != ["METADATA"]:
        return None
    if entry.endswith("/") or path.suffix in {".pyi", ".pyc"} or path.name == "py.typed":
        return None
    if "tests" in path.parts[:-1] or ".." in path.parts or path.is_absolute():
        return None
    return path.as_posix()


def _wheels(requirements: Sequence[str], platform: Platform, build_dir: Path) -> Path:
    """The folder with the wheels; pip fills it once."""
    for line in requirements:
        if not re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==[^\s;*]+(\s|;|$)", line):
            raise LambdaPackageError(f"requirement {line!r}: pin it, as in 'orjson==3.13.0'")
    key = hashlib.sha256("\n".join([repr(platform), *requirements]).encode()).hexdigest()[:16]
    folder = build_dir / "wheels" / key
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text("\n".join(requirements) + "\n")
        fetched = Path(scratch, "wheels")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", *platform.pip_options()]
        command += [f"--dest={fetched}", f"--requirement={listed}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            why = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
            raise LambdaPackageError(
                f"no wheels of {', '.join(requirements)} for Python {platform.python} on "
                f"{platform.architecture}; pip says:\n  {why}\n"
                "Check the pins and that pip reaches its package index (pip config list); a wheel "
                "for that platform must exist, because nothing is compiled here."
            )
        try:
            fetched.rename(folder)
        except OSError:
            if not folder.is_dir():  # else a concurrent build was first, with the same wheels
                raise
    return folder


def _zip(contents: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: deflate's output differs between builds of zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(contents):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = 3  # Unix, whatever builds it: Lambda reads the permissions
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, contents[path])
    return buffer.getvalue()
