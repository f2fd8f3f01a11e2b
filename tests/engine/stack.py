"""A stack of the real program under the real engine, with a file backend, in the emulator."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.account.aws import Aws
from scripts import pulumi_cli
from tests import warm_python
from tests.engine.aws_provider import VERSION

ROOT = Path(__file__).resolve().parents[2]
REAL_PROVIDER = "PULUMI_REAL_AWS_PROVIDER"
"""When set, the AWS provider itself is used, which the CLI downloads: needs internet."""
AS_SHIPPED = {"PULUMI_DEBUG_PROVIDERS": "", "PULUMI_SKIP_CHECKPOINTS": "false"}
"""A command with these starts the plugin, in its environment, and writes the state at each step."""
_COMMAND = """#!/bin/sh
export PYTHONPATH='{root}'
exec '{python}' {program} "$@"
"""
_HOST = "pulumi-language-python"


def search_path() -> str:
    """The PATH, with the CLI that `scripts/pulumi_cli.py` built if there is no other on it."""
    path = os.environ.get("PATH", os.defpath)
    folder = None if shutil.which("pulumi") else pulumi_cli.built()
    return f"{folder}{os.pathsep}{path}" if folder else path


def has(program: str) -> bool:
    """Whether a part of the CLI can be run here."""
    return shutil.which(program, path=search_path()) is not None


class PulumiError(Exception):
    """A command that failed; the message is what it printed."""


@dataclass(frozen=True)
class Plan:
    """What `up`, `preview`, `refresh` or `destroy` did or would do.

    Parameters
    ----------
    steps:
        Per resource (type and name) what is done to it: create, update, replace, delete, same.
    text:
        What was printed.
    """

    steps: Mapping[tuple[str, str], str]
    text: str

    @property
    def changes(self) -> dict[tuple[str, str], str]:
        """Those of the steps that change something."""
        return {who: what for who, what in self.steps.items() if what not in ("same", "read")}

    def of(self, kind: str) -> dict[str, str]:
        """What is done to the resources of a type (its last part), by name."""
        return {
            name: what for (token, name), what in self.changes.items() if token.endswith(f":{kind}")
        }


class Project:
    """A Pulumi project in a folder of its own.

    Parameters
    ----------
    directory:
        Holds ``Pulumi.yaml``; the plugin, the backend and Pulumi's home go beside it.
    aws:
        The account to deploy to.
    """

    def __init__(self, directory: Path, aws: Aws) -> None:
        self.directory = directory
        self.aws = aws
        # What costs each command most, and only matters to whoever loses a state, is off.
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))},
            "AWS_ENDPOINT_URL": aws.emulator_url,
            "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
            "AWS_REGION": aws.region,
            "GOGC": "400",
            "PULUMI_BACKEND_URL": f"file://{directory / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "only a test",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PATH": search_path(),
        }
        (directory / "home").mkdir()
        (directory / "home" / "logs").touch()  # no folder: the CLI writes no log of all it does
        if not has(_HOST):
            (directory / "bin").mkdir()
            _warm(directory / "bin" / _HOST, "tests.engine.language_host")
            self.environment["PATH"] = f"{directory / 'bin'}{os.pathsep}{search_path()}"
        if not os.environ.get(REAL_PROVIDER):
            self.environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
            self._register_plugin()
            self.environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{self._start_plugin()}"
        else:
            self._point_provider_here()
        self._key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        (directory / "backend").mkdir()

    @classmethod
    def of_program(cls, directory: Path, aws: Aws, root: Path = ROOT) -> Project:
        """The repository's own program: everything linked, but for Pulumi's files, copied."""
        directory.mkdir()
        _link(directory, root)
        (directory / ".venv").symlink_to(sys.prefix)
        return cls(directory, aws)

    def upgrade(self) -> None:
        """Take the program as it is now in place of an older one."""
        for entry in self.directory.iterdir():
            if entry.is_symlink() and entry.name != ".venv":
                entry.unlink()
        _link(self.directory, ROOT)
        self._register_plugin()

    def stack(self, name: str, *, config: Mapping[str, str] | None = None) -> Stack:
        """A new stack; the settings that its file lacks come from ``config``."""
        # A passphrase would cost each command the quarter of a second that hashing it takes.
        key = f"awskms:///{self._key}?region={self.aws.region}&awssdk=v2"
        self.run("stack", "init", name, f"--secrets-provider={key}")
        stack = Stack(self, name)
        for key, value in (config or {}).items():
            stack.set(key, value)
        return stack

    def run(self, *arguments: str, **environment: str) -> str:
        """Run the CLI and return what it printed.

        Raises
        ------
        PulumiError
            When it fails.
        """
        answer = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if answer.returncode:
            raise PulumiError(f"pulumi {' '.join(arguments)}:\n{answer.stdout}{answer.stderr}")
        return answer.stdout

    def _point_provider_here(self) -> None:
        """Give every stack file what `Pulumi.local.yaml` says of the provider, with our port."""
        local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
        here = {key: value for key, value in local.items() if key.startswith("aws:")}
        (endpoints,) = here["aws:endpoints"]
        here["aws:endpoints"] = [dict.fromkeys(endpoints, self.aws.emulator_url)]
        here["aws:accessKey"] = self.aws.root.access_key_id
        here["aws:secretKey"] = self.aws.root.secret_access_key
        for file in self.directory.glob("Pulumi.*.yaml"):
            settings = yaml.safe_load(file.read_text())
            settings["config"] |= here
            file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def _register_plugin(self) -> None:
        # A package that depends on the provider looks for it where plugins are installed.
        installed = self.directory / "home" / "plugins" / f"resource-aws-v{VERSION}"
        for folder in (self.directory / "plugin", installed):
            folder.mkdir(parents=True, exist_ok=True)
            _warm(folder / "pulumi-resource-aws", "tests.engine.aws_provider")
        file = self.directory / "Pulumi.yaml"
        project = yaml.safe_load(file.read_text())
        providers = project.setdefault("plugins", {}).setdefault("providers", [])
        providers.append({"name": "aws", "path": "./plugin"})
        file.write_text(yaml.safe_dump(project, sort_keys=False))

    def _start_plugin(self) -> str:
        """Start the plugin once, for the engine of every command to attach to; its port."""
        process = subprocess.Popen(
            warm_python.command("tests.engine.aws_provider", "engine"),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        weakref.finalize(self, _end, process)
        assert process.stdout
        with process.stdout:
            return process.stdout.readline().strip()


def _link(directory: Path, root: Path) -> None:
    for entry in root.iterdir():
        if entry.name.startswith("Pulumi"):
            shutil.copy(entry, directory)
        elif not entry.name.startswith(".") and entry.name != "__pycache__":
            (directory / entry.name).symlink_to(entry)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def _warm(file: Path, module: str) -> None:
    """Write a command that runs a module without importing what it needs."""
    file.write_text(f'#!/bin/sh\nexec {shlex.join(warm_python.command(module))} "$@"\n')
    file.chmod(0o755)


def executable(file: Path, program: str) -> None:
    """Write a command that runs a module or file with this repository's Python."""
    file.write_text(_COMMAND.format(root=ROOT, python=sys.executable, program=program))
    file.chmod(0o755)


@dataclass(frozen=True)
class Stack:
    """One stack of a project."""

    project: Project
    name: str

    def set(self, key: str, value: str) -> None:
        """Change a setting, as ``pulumi config set``."""
        file = self.project.directory / f"Pulumi.{self.name}.yaml"
        settings = yaml.safe_load(file.read_text())
        settings.setdefault("config", {})[key] = value
        file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def outputs(self) -> dict[str, Any]:
        """What ``pulumi stack output --json`` prints."""
        (stack,) = (one for one in self._state() if one["type"] == "pulumi:pulumi:Stack")
        outputs: dict[str, Any] = stack["outputs"]
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """The AWS resources in the state."""
        return [one for one in self._state() if one["type"].startswith("aws:")]

    def _state(self) -> list[dict[str, Any]]:
        """The resources in the backend's file, as ``pulumi stack export`` has them."""
        stacks = self.project.directory / "backend" / ".pulumi" / "stacks"
        (file,) = stacks.glob(f"*/{self.name}.json")
        latest = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        return latest.get("resources") or []

    def preview(self, *options: str) -> Plan:
        """What `up` would do."""
        return self._plan("preview", "--json", *options)

    def up(self, *options: str, **environment: str) -> None:
        """Deploy."""
        self._run("up", "--yes", "--skip-preview", "--suppress-progress", *options, **environment)

    def refresh(self) -> None:
        """Take what is there into the state."""
        self._run("refresh", "--yes", "--skip-preview", "--suppress-progress")

    def destroy(self, *, preview: bool = False) -> None:
        """Delete everything."""
        skipped = () if preview else ("--skip-preview",)
        self._run("destroy", "--yes", "--suppress-progress", *skipped)

    def _run(self, command: str, *options: str, **environment: str) -> str:
        return self.project.run(command, f"--stack={self.name}", *options, **environment)

    def _plan(self, command: str, *options: str) -> Plan:
        text = self._run(command, *options)
        steps: dict[tuple[str, str], str] = {}
        for step in json.loads(text).get("steps", []):
            token, name = step["urn"].split("::")[2].split("$")[-1], step["urn"].split("::")[3]
            # A replacement is several steps; the one named so stands for them.
            if steps.get((token, name)) != "replace":
                steps[token, name] = step["op"]
        return Plan(steps, text)
