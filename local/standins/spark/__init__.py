"""A local Spark with the same jars as Glue."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from local.errors import LocalError

POM = Path(__file__).with_name("pom.xml")
BUILD = Path(__file__).parents[3] / ".build"
_MAVEN = "{http://maven.apache.org/POM/4.0.0}"
JAVA = 17
"""The version in Glue 5.1, and the newest that Spark 3.5 supports."""
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For a Spark that lives for seconds: optimizing its code would cost more than it saves."""


def check() -> None:
    """Raise unless Spark can run here.

    Raises
    ------
    LocalError
        Says what to install.
    """
    if find_spec("pyspark") is None:
        raise LocalError("the batch needs PySpark: pip install -e '.[batch]'")
    home = os.environ.get("JAVA_HOME")  # Spark looks here first
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None and home:
        raise LocalError(f"the batch needs Java {JAVA}, but JAVA_HOME ({home}) has none")
    if java is None:
        raise LocalError(
            f"the batch needs Java {JAVA}, but there is none on the PATH: apt-get install "
            f"openjdk-{JAVA}-jre-headless, or brew install openjdk@{JAVA}"
        )
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = told.split('"')[1].split(".")[0] if '"' in told else "?"
    if version not in ("8", "11", str(JAVA)):
        raise LocalError(f"the batch needs Java {JAVA}, but {java} is Java {version}")


def coordinates() -> list[str]:
    """``group:artifact:version`` of every jar."""
    found = ET.parse(POM).getroot().iter(f"{_MAVEN}dependency")  # noqa: S314 - our own file
    names = ("groupId", "artifactId", "version")
    return [":".join(one.findtext(f"{_MAVEN}{name}", "") for name in names) for one in found]


@cache
def jars() -> tuple[Path, ...]:
    """The jars, downloaded to ``.build/`` by Maven (with the user's settings) on first use.

    Raises
    ------
    LocalError
        If Maven is missing or cannot download them.
    """
    folder = BUILD / f"spark-jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
    wanted = tuple(
        folder / f"{artifact}-{version}.jar"
        for _, artifact, version in (one.split(":") for one in coordinates())
    )
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "spark-jars.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(jar.is_file() for jar in wanted):
            _fetch(folder)
    if missing := [jar.name for jar in wanted if not jar.is_file()]:
        raise LocalError(f"Maven did not download {', '.join(missing)}")
    return wanted


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalError(
            "the batch needs Maven to download Iceberg's jars, but there is no mvn on the PATH: "
            f"apt-get install maven, or put the jars that {POM.name} lists into {folder}"
        )
    partial = folder.with_suffix(".partial")
    copy = [
        *(maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"),
        *("-DexcludeTransitive=true", f"-DoutputDirectory={partial}"),
    ]
    done = subprocess.run(copy, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise LocalError(f"Maven cannot download the jars of {POM.name}: {' '.join(lines[:2])}")
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
