"""The deployment packages of the project's Lambda functions, built from ``lambda/``."""

from __future__ import annotations

from pathlib import Path

from components.archives import lambda_zip
from components.archives.lambda_zip import Platform
from schema import Schema

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "lambda"
"""The folder of the functions' sources."""
_BUILD = ROOT / ".build"
AWS = Platform(architecture="arm64", python="3.13")
"""The platform on AWS. Graviton costs less for the same work."""


def platform(name: str) -> Platform:
    """The platform to build for: ``aws``, or ``host`` for this machine."""
    return Platform.host() if name == "host" else AWS


def transform(schema: Schema, platform: Platform) -> Path:
    """The transform, which validates records against ``schema``."""
    return _build("transform", {"schema.json": schema.to_json()}, platform)


def order_generator(platform: Platform) -> Path:
    """The order generator: its handler and the packages it imports."""
    files = {
        str(path.relative_to(ROOT)): path.read_text()
        for package in ("generator", "schema")
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    return _build("order_generator", files, platform)


def batch_check(platform: Platform) -> Path:
    """The function that starts the batch job when there is something new."""
    return _build("batch_check", {}, platform)


def pack_log(platform: Platform) -> Path:
    """The function that packs the log: its handler and the batch job's module."""
    files = {"pack_log.py": (ROOT / "jobs" / "pack_log.py").read_text()}
    return _build("pack_log", files, platform)


def _build(name: str, files: dict[str, str], platform: Platform) -> Path:
    sources = FUNCTIONS / name
    lines = (sources / "requirements.txt").read_text().splitlines()
    return lambda_zip.build(
        name=name.replace("_", "-"),
        sources=sources,
        requirements=[line.strip() for line in lines if line.strip() and line.strip()[0] != "#"],
        files=files,
        platform=platform,
        build_dir=_BUILD,
    )
