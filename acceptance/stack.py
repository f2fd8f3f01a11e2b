"""The deployment under test: its interface, and its implementation with Pulumi on AWS."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from acceptance import there
from acceptance.errors import AbortedError, AcceptanceError, CheckFailedError, NotReadyError

ROOT = Path(__file__).parent.parent
PROJECT = "sales-cdc"
BASE = "dev"
"""The stack whose settings a run starts from."""
PURPOSE = "acceptance"
"""The tag ``purpose`` of everything that a run creates, by which a later run recognizes it."""
SETTINGS: Mapping[str, str] = {
    # The check `settings` turns it off.
    "ttlAttribute": "expires_at",
    # Few retries, so that the pipe gives up a rejected change within the check's time.
    "maximumRetryAttempts": "5",
    # The run checks every alarm.
    "monitoring": "full",
    # A run that fails on purpose fails once.
    "batchRetries": "0",
}
"""Differences from the settings of `BASE`."""
BATCHED: Mapping[str, str] = {"batchSchedule": "cron(10 3 1 1 ? *)", "packSchedule": ""}
"""With a schedule, current_orders reads the batch job's table; this one is never due in a run."""
CHANGED: Mapping[str, str | None] = {
    "ttlAttribute": None,
    "shards": "2",
    "bufferIntervalSeconds": "90",
}
"""Settings that are changed in place; None removes a setting."""
TTL_SECONDS = 3600.0
"""DynamoDB rejects a second change of a table's TTL within this time."""
TAG_SECONDS = 120.0
"""Maximum time until AWS lists the tags of new resources."""
GONE_SECONDS = 300.0
"""Maximum time for which AWS lists the tags of deleted resources."""
_QUIET = ("same", "read")

Say = Callable[[str], None]


class Clients(Protocol):
    """boto3's session, or a stand-in for it."""

    def client(self, service_name: str, /, **options: Any) -> Any:
        """A client of a service."""


class Deployment(Protocol):
    """A stack, from creation to removal.

    Attributes
    ----------
    name:
        The stack's name; its resources are named ``sales-cdc-NAME-...``.
    cannot:
        Checks that cannot run on this kind of deployment, with the reason.
    patience:
        Seconds within which a change has to arrive in the lake.
    pause:
        Seconds between two polls.
    outputs:
        The output of ``pulumi stack output --json``; empty before the deployment.
    """

    name: str
    cannot: Mapping[str, str]
    patience: float
    pause: float
    outputs: Mapping[str, str]

    @property
    def reachable(self) -> bool:
        """Whether the account can be reached."""

    def up(self, say: Say) -> None:
        """Deploy."""

    def changes(self) -> list[str]:
        """The steps of a preview, one line per resource: ``update aws:...:Table NAME``."""

    def configure(self, settings: Mapping[str, str | None], say: Say) -> None:
        """Change settings, without deploying them."""

    def client(self, service: str) -> Any:
        """A client with the caller's credentials."""

    def session(self, keys: Mapping[str, Any], role_arn: str) -> Clients:
        """A session with a role's credentials from STS."""

    def untagged(self) -> list[str]:
        """Resources without the stack's tags.

        Raises
        ------
        CheckFailedError
            AWS does not find the stack by its tags.
        """

    def stop_pipe(self) -> None:
        """Stop the pipe, and wait until it is stopped."""

    def start_pipe(self) -> None:
        """Start the pipe, and wait until it runs."""

    def destroy(self, say: Say) -> None:
        """Delete everything, and the stack itself."""

    def left(self) -> list[str]:
        """What still exists."""

    def remains(self) -> str:
        """A message for the user when the stack was not removed."""


class PulumiError(AcceptanceError):
    """A Pulumi command failed; the message is its output."""


class PulumiStack:
    """A stack on AWS, driven by Pulumi's CLI.

    Parameters
    ----------
    region:
        None for the region of the AWS CLI, or else that of `BASE`.
    batch:
        Also check the Spark job.
    project:
        The program's folder.
    """

    reachable = True
    patience = 600.0
    pause = 3.0

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        batch: bool = False,
        project: Path = ROOT,
    ) -> None:
        self.name = name
        self.cannot: Mapping[str, str] = (
            {} if batch else {"batch": "only with --batch: it costs extra"}
        )
        self.outputs: Mapping[str, str] = {}
        self._project = project
        self._base: dict[str, Any] = yaml.safe_load((project / f"Pulumi.{BASE}.yaml").read_text())
        self._extra = {**SETTINGS, **(BATCHED if batch else {})}
        try:
            self._session: Any = boto3.Session()
        except BotoCoreError as error:
            raise NotReadyError(f"AWS credentials: {error}") from None
        here = os.environ.get("AWS_REGION") or self._session.region_name
        self.region: str = region or here or self._base["config"]["aws:region"]
        self.account = ""
        self._up_at = 0.0

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource."""
        return {"project": PROJECT, "stack": self.name, "purpose": PURPOSE}

    @property
    def _file(self) -> Path:
        return self._project / f"Pulumi.{self.name}.yaml"

    # -- before it begins ---------------------------------------------------------------------

    def require(self) -> None:
        """Check the requirements of a run, without changing anything.

        Raises
        ------
        NotReadyError
            No CLI, no login, no credentials, or a stack of that name that no run created.
        """
        if shutil.which("pulumi") is None:
            raise NotReadyError(
                "the Pulumi CLI is not on the PATH: install it "
                "(https://www.pulumi.com/docs/install/), or run `make pulumi-cli`"
            )
        try:
            self._pulumi("whoami")
        except PulumiError as error:
            raise NotReadyError(
                f"Pulumi: {error}. Run `pulumi login`, or `pulumi login --local`"
            ) from None
        try:
            self.account = self.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise NotReadyError(
                f"no working AWS credentials ({error}): set AWS_PROFILE, or sign in"
            ) from None
        self._require_own()

    def claim(self) -> None:
        """Create the stack, or reuse what an earlier run left of it.

        Raises
        ------
        NotReadyError
            Pulumi cannot create it, most often for lack of a secrets passphrase.
        """
        try:
            if self._state() is None:
                self._pulumi("stack", "init", "--no-select")
        except PulumiError as error:
            raise NotReadyError(f"Pulumi cannot create the stack: {error}") from None
        known = yaml.safe_load(self._file.read_text()) if self._file.exists() else {}
        config = {k: v for k, v in self._base["config"].items() if k != "aws:defaultTags"}
        config |= {f"{PROJECT}:{key}": value for key, value in self._extra.items()}
        config |= {"aws:region": self.region, "aws:defaultTags": {"tags": self.tags}}
        self._file.write_text(yaml.safe_dump({**(known or {}), "config": config}, sort_keys=False))

    def take_over(self) -> None:
        """Read the outputs of an earlier run's stack, and remove the lock of a killed run."""
        if self._state() is not None:
            with contextlib.suppress(PulumiError):
                self._pulumi("cancel", "--yes")
            self._read_outputs()

    def _require_own(self) -> None:
        """Reject a stack or a settings file that no run created."""
        other = f"pass another name with --stack (or none, for {PURPOSE}-USER)"
        if self._settings() and _purpose(self._settings().get("aws:defaultTags")) != PURPOSE:
            raise NotReadyError(f"{self._file.name} exists, and a run would overwrite it: {other}")
        state = self._state()
        if not state:
            return
        for one in state:
            tags = (one.get("inputs") or {}).get("defaultTags")
            if one["type"] == "pulumi:providers:aws" and _purpose(tags) == PURPOSE:
                return
        raise NotReadyError(
            f"the stack {self.name} exists, with {len(state)} resources that no run created: "
            f"{other}"
        )

    def _settings(self) -> dict[str, Any]:
        """The settings in the stack's file."""
        if not self._file.exists():
            return {}
        return (yaml.safe_load(self._file.read_text()) or {}).get("config") or {}

    # -- Pulumi -------------------------------------------------------------------------------

    def up(self, say: Say) -> None:
        """Deploy, and read the outputs."""
        self._pulumi("up", "--yes", "--skip-preview", "--suppress-progress", say=say)
        self._up_at = self._up_at or time.monotonic()
        self._read_outputs()

    def _read_outputs(self) -> None:
        text = self._pulumi("stack", "output", "--json")
        self.outputs = {k: v for k, v in json.loads(text).items() if isinstance(v, str)}

    def changes(self) -> list[str]:
        """The steps of a preview."""
        steps = json.loads(self._pulumi("preview", "--json")).get("steps") or []
        found = {}
        for step in steps:
            *_, types, name = step["urn"].split("::")
            if step["op"] not in _QUIET:
                found[step["urn"]] = f"{step['op']} {types.rpartition('$')[2]} {name}"
        return sorted(found.values())

    def configure(self, settings: Mapping[str, str | None], say: Say) -> None:
        """``pulumi config set`` and ``rm``; waits until DynamoDB accepts a change of the TTL."""
        wait = self._up_at + TTL_SECONDS - time.monotonic()
        if "ttlAttribute" in settings and wait > 0:
            until = time.strftime("%H:%M", time.localtime(time.time() + wait))
            say(f"waiting until {until}: DynamoDB allows one change of a table's TTL per hour")
            time.sleep(wait)
        for key, value in settings.items():
            if value is None:
                self._pulumi("config", "rm", f"{PROJECT}:{key}")
            else:
                self._pulumi("config", "set", f"{PROJECT}:{key}", value)

    def destroy(self, say: Say) -> None:
        """Delete everything, the stack and its settings."""
        if self._state() is not None:
            options = ("--yes", "--skip-preview", "--suppress-progress")
            self._pulumi("destroy", *options, say=say)
            self._pulumi("stack", "rm", "--yes")
        self._file.unlink(missing_ok=True)

    def remains(self) -> str:
        """The number of resources in the state, and the command that removes them."""
        try:
            deployment = self._deployment() or {}
            found = [one for one in deployment.get("resources") or [] if one.get("custom")]
            told = f"{len(found)} resources are left"
            # Pulumi was killed while it created these, and cannot tell whether they exist.
            if pending := deployment.get("pending_operations"):
                names = (one["resource"]["urn"].rpartition("::")[2] for one in pending)
                told += f"; look for these manually: {', '.join(names)}"
        except AcceptanceError as error:
            told = f"cannot tell what is left ({error})"
        return f"{told}; to remove it: python -m acceptance --stack {self.name} --clean"

    def _state(self) -> list[dict[str, Any]] | None:
        """The stack's resources; None if the stack does not exist."""
        deployment = self._deployment()
        if deployment is None:
            return None
        resources = deployment.get("resources") or []
        return [one for one in resources if one["type"] != "pulumi:pulumi:Stack"]

    def _deployment(self) -> dict[str, Any] | None:
        """The stack's exported state; None if the stack does not exist."""
        try:
            text = self._pulumi("stack", "export")
        except PulumiError as error:
            if "no stack named" in str(error):
                return None
            raise
        deployment: dict[str, Any] = json.loads(text)["deployment"]
        return deployment

    def _pulumi(self, *arguments: str, say: Say | None = None) -> str:
        """Run a command for this stack and return its stdout; ``say`` receives each line.

        A Ctrl-C is passed on to Pulumi, which finishes its current operations, and then raised.
        """
        asked = [] if arguments[0] == "whoami" else [f"--stack={self.name}"]
        process = subprocess.Popen(  # noqa: S603 - an argument list: no shell reads the name
            ["pulumi", *arguments, *asked, "--non-interactive", "--color=never"],  # noqa: S607
            cwd=self._project,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "AWS_REGION": self.region},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # only this process gets the terminal's Ctrl-C
        )
        output = _Output(process, say)
        try:
            output.wait()
        except KeyboardInterrupt:
            if say:
                say("Pulumi finishes its current operations (Ctrl-C again stops it at once)")
            _interrupt(process, output)
            raise
        if process.returncode:
            raise PulumiError(_why(output.stderr + output.stdout, process.returncode))
        return output.stdout

    # -- AWS ----------------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        """A client with the caller's credentials."""
        return self._session.client(service, region_name=self.region)

    def session(self, keys: Mapping[str, Any], role_arn: str) -> Clients:  # noqa: ARG002
        """A session of a role."""
        session = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.region,
        )
        return cast(Clients, session)

    def untagged(self) -> list[str]:
        """Resources that support tags, but do not have the stack's."""
        taggable = {
            one["urn"].rpartition("::")[2]: one["outputs"]["tagsAll"]
            for one in self._state() or []
            if (one.get("outputs") or {}).get("tagsAll") is not None
        }
        wanted_names = {self.outputs[key] for key in ("tableName", "bucketName")}
        deadline = time.monotonic() + TAG_SECONDS
        while True:
            found = {arn.rpartition(":")[2].rpartition("/")[2] for arn in self._tagged()}
            if wanted_names <= found and taggable:
                break
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(wanted_names - found)) or "anything"
                raise CheckFailedError(f"AWS does not find {missing} by the stack's tags")
            time.sleep(self.pause)
        wanted = self.tags.items()
        return sorted(name for name, tags in taggable.items() if not wanted <= tags.items())

    def stop_pipe(self) -> None:
        """Stop the pipe, and wait."""
        self._pipe("stop_pipe", "STOPPED")

    def start_pipe(self) -> None:
        """Start the pipe, and wait."""
        self._pipe("start_pipe", "RUNNING")

    def left(self) -> list[str]:
        """Existing resources with the stack's tags.

        AWS lists the tags of deleted resources for a while, so each resource is checked.
        """
        deadline = time.monotonic() + GONE_SECONDS
        while True:
            found = {arn for arn in self._tagged() if there.arn(self.client, arn)}
            found |= there.identities(self.client, self.tags)
            if not found or time.monotonic() > deadline:
                return sorted(found)
            time.sleep(self.pause)

    def _tagged(self) -> set[str]:
        pages = (
            self.client("resourcegroupstaggingapi")
            .get_paginator("get_resources")
            .paginate(
                TagFilters=[{"Key": key, "Values": [value]} for key, value in self.tags.items()]
            )
        )
        return {one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]}

    def _pipe(self, action: str, state: str) -> None:
        name = self.outputs["pipeName"]
        pipes = self.client("pipes")
        getattr(pipes, action)(Name=name)
        deadline = time.monotonic() + self.patience
        while True:
            pipe = pipes.describe_pipe(Name=name)
            if pipe["CurrentState"] == state:
                return
            if pipe["CurrentState"].endswith("_FAILED") or time.monotonic() > deadline:
                why = pipe.get("StateReason", "no reason given")
                raise CheckFailedError(f"the pipe is {pipe['CurrentState']}, not {state}: {why}")
            time.sleep(self.pause)


class _Output:
    """The output of a process, read while it runs."""

    def __init__(self, process: subprocess.Popen[str], say: Say | None) -> None:
        self._process = process
        self._say = say
        self._lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._threads = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._lines
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for its end."""
        self._process.wait(seconds)
        for thread in self._threads:
            thread.join()

    @property
    def stdout(self) -> str:
        return "".join(self._lines["stdout"])

    @property
    def stderr(self) -> str:
        return "".join(self._lines["stderr"])

    def _read(self, name: str) -> None:
        for line in getattr(self._process, name):
            self._lines[name].append(line)
            if self._say and name == "stdout" and line.strip():
                self._say(" ".join(line.split()))


def _interrupt(process: subprocess.Popen[str], output: _Output) -> None:
    """Let the process finish its current operations; a Ctrl-C meanwhile kills it."""
    process.send_signal(signal.SIGINT)
    try:
        output.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise AbortedError from None


def _why(text: str, code: int) -> str:
    """The errors in a Pulumi command's output."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = list(dict.fromkeys(one for one in lines if one.startswith("error:")))
    return " ".join(one.removeprefix("error: ") for one in errors[:5]) or (
        lines[-1] if lines else f"exit code {code}"
    )


def _purpose(tags: Any) -> str | None:
    """The tag ``purpose`` in a provider's default tags, which the state holds as JSON."""
    if isinstance(tags, str):
        try:
            tags = json.loads(tags)
        except ValueError:
            return None
    found = ((tags or {}).get("tags") or {}).get("purpose") if isinstance(tags, Mapping) else None
    return found if isinstance(found, str) else None


def documented_effect(settings: Sequence[str], text: str) -> set[str]:
    """The effects of these settings according to docs/upgrading.md: ``update Table``, ..."""
    effects: set[str] = set()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and cells[1].strip("`") in settings:
            for part in cells[2].split("; "):
                verb, _, kinds = part.partition(" ")
                effects |= {f"{verb.removesuffix('s')} {kind}" for kind in kinds.split(", ")}
    return effects
