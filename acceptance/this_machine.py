"""The deployment on this machine; the same checks run against it as against AWS."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from acceptance.errors import NotReadyError
from acceptance.stack import BASE, BATCHED, SETTINGS, Clients, Say
from local.account.aws import Aws, Credentials
from local.chain import LocalChain
from local.errors import LocalError
from local.standins import spark
from local.standins.pipe import Pipe

_NO_ENGINE = "needs Pulumi's engine; see tests/engine"


class ThisMachine:
    """The program deployed to an emulator, with stand-ins for the pipe and Firehose.

    Parameters
    ----------
    batch:
        Also check the Spark job; needs Java.
    """

    patience = 90.0
    pause = 0.1

    def __init__(self, *, batch: bool = False) -> None:
        self.name = BASE
        self.outputs: Mapping[str, str] = {}
        cannot = {
            "no-change": _NO_ENGINE,
            "tags": "the AWS provider adds the tags and is not used here",
            "settings": _NO_ENGINE,
            "settings-kept": _NO_ENGINE,
        }
        if not batch:
            cannot["batch"] = "only with --batch: it needs Iceberg's jars, and takes longer"
        try:
            spark.check()
            if batch:
                spark.jars()
        except LocalError as error:
            if batch:
                raise NotReadyError(str(error)) from None
            cannot["job-failed"] = str(error)
        self.cannot: Mapping[str, str] = cannot
        self._folder = Path(tempfile.mkdtemp(prefix="sales-cdc-acceptance-"))
        self._overrides = {**SETTINGS, **(BATCHED if batch else {})}
        self._stack = LocalChain(BASE, self._folder, overrides=self._overrides)
        self._ports: list[int] = []

    @property
    def reachable(self) -> bool:
        """Whether the emulator runs."""
        return self._stack.emulator.alive()

    def up(self, say: Say) -> None:
        """Start the emulator, deploy, and start the workers."""
        self._stack = LocalChain(BASE, self._folder, overrides=self._overrides, say=say)
        self._stack.start()
        aws = self._stack.aws
        self._ports = [urlsplit(url).port or 0 for url in (aws.emulator_url, aws.gateway_url or "")]
        self.outputs = {k: v for k, v in self._stack.outputs.items() if isinstance(v, str)}

    def changes(self) -> list[str]:
        """See `cannot`."""
        raise NotImplementedError(_NO_ENGINE)

    def configure(self, settings: Mapping[str, str | None], say: Say) -> None:
        """See `cannot`."""
        raise NotImplementedError(_NO_ENGINE)

    def untagged(self) -> list[str]:
        """See `cannot`."""
        raise NotImplementedError(self.cannot["tags"])

    def client(self, service: str) -> Any:
        """A client of the account's root user; raises if a worker has died."""
        self._stack.check()
        return self._stack.aws.client(service)

    def session(self, keys: Mapping[str, Any], role_arn: str) -> Clients:
        """A session with a role's credentials, which are registered at the gateway."""
        aws = self._stack.aws
        who = Credentials(
            access_key_id=keys["AccessKeyId"],
            secret_access_key=keys["SecretAccessKey"],
            session_token=keys["SessionToken"],
            principal_arn=role_arn,
        )
        return _Acting(aws, aws.book.add(who))

    def stop_pipe(self) -> None:
        """Stop the pipe after it has delivered what it has read."""
        for pipe in self._stack.pipes:
            pipe.stop()

    def start_pipe(self) -> None:
        """Start a pipe that continues where the other stopped."""
        aws = self._stack.aws
        self._stack.pipes[:] = [
            Pipe(aws, one.definition, one.positions) for one in self._stack.pipes
        ]
        for pipe in self._stack.pipes:
            pipe.start()

    def destroy(self, say: Say) -> None:
        """Stop everything; nothing outlives the emulator."""
        say("stopping the emulator")
        self._stack.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def left(self) -> list[str]:
        """Open ports, running workers and remaining files."""
        found = [f"port {port}" for port in self._ports if _answers(port)]
        found += [one.name for one in self._stack.workers if one.running]
        return found + ([str(self._folder)] if self._folder.exists() else [])

    def remains(self) -> str:
        """The emulator's folder outlives this process."""
        return f"the emulator's files are left in {self._folder}"


class _Acting:
    """The part of boto3's session that is used, for one role."""

    def __init__(self, aws: Aws, who: Credentials) -> None:
        self._aws, self._who = aws, who

    def client(self, service_name: str, /, **_: Any) -> Any:
        """A client with the role's credentials."""
        return self._aws.client(service_name, self._who)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
