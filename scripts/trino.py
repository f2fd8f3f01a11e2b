"""Record what Trino answers to the golden statements: ``python -m scripts.trino [AREA ...]``.

Athena's engine 3 is Trino's. This downloads a Trino server from Maven Central once (450 MB), runs
it on loopback over a small catalog on the local stack's Glue and S3, and writes its answers to
``tests/athena/golden/AREA.jsonl``. The tests compare the local Athena with them, without Java.
Needs Java 24 or later: ``JAVA_HOME``, or one in /usr/lib/jvm.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.pulumi_cli import cache
from tests.athena import golden
from tests.athena.lab import DATABASE, Lab, free_port, running_lab

VERSION = "476"
MAVEN = "https://repo.maven.apache.org/maven2/io/trino"
_JAVA = 24
_START_SECONDS = 180
_NOT_THE_STATEMENTS = {"NO_NODES_AVAILABLE", "SERVER_STARTING_UP", "CLUSTER_OUT_OF_MEMORY"}
"""Errors that say nothing about the statement."""


class TrinoError(Exception):
    """Trino cannot be had or does not run; the message says what to do."""


# -- the server ------------------------------------------------------------------------------------


def java() -> Path:
    """The Java to run Trino with.

    Raises
    ------
    TrinoError
        There is none that is new enough.
    """
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    homes += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    for home in homes:
        program = home / "bin" / "java"
        if program.exists() and _release(home) >= _JAVA:
            return program
    raise TrinoError(
        f"Trino {VERSION} needs Java {_JAVA} or later: set JAVA_HOME to one (looked at JAVA_HOME "
        "and in /usr/lib/jvm)"
    )


def _release(home: Path) -> int:
    try:
        found = re.search(r'JAVA_VERSION="(\d+)', (home / "release").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def server() -> Path:
    """The folder of the Trino server, downloaded if need be."""
    folder = cache() / f"trino-{VERSION}"
    if folder.exists():
        return folder
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="trino-") as scratch:
        core = _download(f"trino-server-core/{VERSION}/trino-server-core-{VERSION}.tar.gz", scratch)
        hive = _download(f"trino-hive/{VERSION}/trino-hive-{VERSION}.zip", scratch)
        with tarfile.open(core) as archive:
            archive.extractall(scratch, filter="data")
        made = Path(scratch) / f"trino-server-core-{VERSION}"
        shutil.rmtree(made / "plugin", ignore_errors=True)
        with zipfile.ZipFile(hive) as archive:
            archive.extractall(scratch)  # noqa: S202  (its checksum is Maven Central's)
        (made / "plugin").mkdir()
        (Path(scratch) / f"trino-hive-{VERSION}").rename(made / "plugin" / "hive")
        made.rename(folder)
    return folder


def _download(path: str, to: str) -> Path:
    url, file = f"{MAVEN}/{path}", Path(to) / path.rpartition("/")[2]
    _say(f"downloading {url}")
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, file.open("wb") as out:  # noqa: S310
            while chunk := answer.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
        with urllib.request.urlopen(f"{url}.sha1", timeout=60) as answer:  # noqa: S310
            wanted = answer.read().decode().split()[0]
    except OSError as error:
        raise TrinoError(f"{url} cannot be downloaded: {error}") from None
    if digest.hexdigest() != wanted:
        raise TrinoError(f"{url} has not the checksum that Maven Central gives; try again")
    return file


def _configure(home: Path, port: int, lab: Lab) -> None:
    root = lab.aws.root
    files = {
        "etc/config.properties": f"""
            coordinator=true
            node-scheduler.include-coordinator=true
            http-server.http.port={port}
            discovery.uri=http://127.0.0.1:{port}
            catalog.config-dir={home}/etc/catalog
            plugin.dir={server()}/plugin
            query.max-memory=300MB
            query.max-memory-per-node=300MB
            memory.heap-headroom-per-node=200MB
            """,
        "etc/node.properties": f"""
            node.environment=golden
            node.internal-address=127.0.0.1
            node.bind-ip=127.0.0.1
            node.data-dir={home}/data
            """,
        "etc/catalog/awsdatacatalog.properties": f"""
            connector.name=hive
            hive.metastore=glue
            hive.metastore.glue.region={lab.aws.region}
            hive.metastore.glue.endpoint-url={lab.gateway.url}
            hive.metastore.glue.aws-access-key={root.access_key_id}
            hive.metastore.glue.aws-secret-key={root.secret_access_key}
            hive.hive-views.enabled=true
            hive.hive-views.run-as-invoker=true
            hive.partition-projection-enabled=true
            fs.native-s3.enabled=true
            s3.endpoint={lab.aws.emulator_url}
            s3.region={lab.aws.region}
            s3.path-style-access=true
            s3.aws-access-key={root.access_key_id}
            s3.aws-secret-key={root.secret_access_key}
            """,
    }
    for name, text in files.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(line.strip() + "\n" for line in text.strip().splitlines()))


@contextmanager
def running(lab: Lab, directory: Path) -> Iterator[Trino]:
    """A Trino server over the lab's catalog."""
    port, home, program = free_port(), directory / "trino", java()
    _configure(home, port, lab)
    command = [
        str(program), "-Xmx1200M", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8",
        "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow", "-Djdk.attach.allowAttachSelf=true",
        f"-Dnode.config={home}/etc/node.properties", f"-Dconfig={home}/etc/config.properties",
        "-cp", f"{server()}/lib/*", "io.trino.server.TrinoServer",
    ]  # fmt: skip
    for line in (home / "etc" / "node.properties").read_text().split():
        command.insert(1, f"-D{line}")
    log = (home / "log").open("wb")
    process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)  # noqa: S603
    try:
        trino = Trino(port)
        trino.wait(process, home / "log")
        yield trino
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


class Trino:
    """A client of Trino's HTTP protocol."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Return as soon as it answers queries."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if process.poll() is not None:
                raise TrinoError(f"Trino ended: {log.read_text()[-1500:]}")
            try:
                starting = self._get("GET", f"{self._url}/v1/info")["starting"]
                if not starting and "rows" in self.ask("SELECT count(*) FROM sales"):
                    return
            except OSError:
                pass
            time.sleep(0.5)
        raise TrinoError(f"Trino does not answer after {_START_SECONDS} s: {log}")

    def ask(self, sql: str) -> dict[str, Any]:
        """``types`` and ``rows``, or ``error`` and ``message``."""
        answer = self._get("POST", f"{self._url}/v1/statement", sql.encode())
        types: list[str] = []
        rows: list[list[Any]] = []
        while True:
            if "error" in answer:
                error = answer["error"]
                return {"error": error["errorName"], "message": error["message"]}
            types = [one["type"] for one in answer.get("columns", ())] or types
            rows += answer.get("data", ())
            if "nextUri" not in answer:
                return {"types": types, "rows": rows}
            answer = self._get("GET", answer["nextUri"])

    def _get(self, method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {
            "X-Trino-User": "golden",
            "X-Trino-Catalog": "awsdatacatalog",
            "X-Trino-Schema": DATABASE,
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
        return found


# -- recording -------------------------------------------------------------------------------------


def record(trino: Trino, area: str) -> int:
    """Write the answers of one area; how many there are."""
    lines = []
    for statement in golden.statements(area):
        answer = trino.ask(statement.sql)
        message = answer.pop("message", None)
        if answer.get("error") in _NOT_THE_STATEMENTS:
            raise TrinoError(f"Trino cannot run {statement.sql}: {message}; try again")
        if "rows" in answer and not golden.is_ordered(statement.sql):
            answer["rows"].sort(key=json.dumps)
        lines.append(json.dumps({"sql": statement.sql, **answer}, ensure_ascii=False))
    text = "".join(line + "\n" for line in sorted(set(lines)))
    (golden.FOLDER / f"{area}.jsonl").write_text(text, encoding="utf-8")
    return len(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Record; 1 if Trino is not to be had, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.trino",
        description=(__doc__ or "").partition("\n")[0],
        epilog="examples:\n  python -m scripts.trino\n  python -m scripts.trino strings dates\n"
        "  python -m scripts.trino --ask \"SELECT date '2026-01-31' + interval '1' month\"",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("areas", nargs="*", metavar="AREA", help="all, if none is named")
    parser.add_argument("--ask", metavar="SQL", action="append", help="only show Trino's answer")
    options = parser.parse_args(arguments)
    unknown = set(options.areas) - set(golden.areas())
    if unknown:
        parser.error(f"no such area: {', '.join(sorted(unknown))} (of {', '.join(golden.areas())})")
    try:
        java()
        server()
        with (
            tempfile.TemporaryDirectory(prefix="sales-cdc-trino-") as scratch,
            running_lab(Path(scratch)) as lab,
        ):
            golden.make_tables(lab)
            _say(f"starting Trino {VERSION}")
            with running(lab, Path(scratch)) as trino:
                _run(trino, options.areas or golden.areas(), options.ask)
    except TrinoError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(trino: Trino, areas: Sequence[str], asked: Sequence[str] | None) -> None:
    for sql in asked or ():
        sys.stdout.write(json.dumps(trino.ask(sql), ensure_ascii=False) + "\n")
    for area in () if asked else areas:
        _say(f"{area}: {record(trino, area)} statements")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
