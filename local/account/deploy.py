"""Run a Pulumi program, with the settings of a stack file, against the emulator.

Pulumi's SDK can run a program without the engine: each registered resource goes to
`EmulatorMocks`, which creates it through boto3 and returns its real outputs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import pkgutil
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import rpc
from pulumi.runtime import settings as pulumi_settings

import components
from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments.settings import NAMESPACE, Settings, SettingsError
from local.account.aws import Aws
from local.errors import LocalError, UsageError
from local.resources import Context, create
from local.resources.dynamodb import look_up
from schema import SchemaError

ROOT = Path(__file__).resolve().parents[2]
OVERRIDES: Mapping[str, tuple[str, str]] = {
    "lambdaPlatform": ("host", "functions are packaged for this machine, not for AWS's arm64"),
    "dashboard": ("false", "QuickSight is not emulated; use `python -m local dashboard`"),
}
"""Settings that differ from AWS in every stack of a program that has them: value and reason."""
SHORT_BUFFERS: Mapping[str, tuple[str, str]] = {
    "bufferIntervalSeconds": ("1", "a second in all"),
    "transformBufferIntervalSeconds": ("0", "a second in all"),
}
"""Settings that also differ, unless the buffers are to be as deployed."""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack.

    Parameters
    ----------
    outputs:
        As in ``pulumi stack output --json``.
    definitions:
        See `local.resources.Context`.
    overrides:
        Settings that differ from the stack file: name -> (value here, value there, reason).
    """

    outputs: Mapping[str, Any]
    definitions: Mapping[str, list[dict[str, Any]]]
    overrides: Mapping[str, tuple[str, str, str]]


class EmulatorMocks(pulumi.runtime.Mocks):
    """Creates the resources that the program registers."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        """Create one resource; for components and providers there is nothing to create."""
        if not args.custom or args.typ.startswith("pulumi:"):
            return args.name, dict(args.inputs)
        try:
            inputs = {key: rpc.unwrap_rpc_secret(one) for key, one in args.inputs.items()}
            return create(self._context, args.typ, args.name, inputs)
        except (BotoCoreError, ClientError) as error:
            raise LocalError(f"{args.typ} {args.name}: {error}") from error

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Serve the program's provider function calls (invokes)."""
        aws = self._context.aws
        match args.token:
            case "aws:dynamodb/getTable:getTable":
                return self._table(args.args["name"])
            case "aws:index/getCallerIdentity:getCallerIdentity":
                who = {"arn": aws.root.principal_arn, "userId": aws.account_id}
                return {"accountId": aws.account_id, "id": aws.account_id, **who}, []
            case "aws:index/getPartition:getPartition":
                return {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"}, []
            case "aws:index/getRegion:getRegion":
                return {"name": aws.region, "region": aws.region, "id": aws.region}, []
        raise LocalError(
            f"the local stack does not support {args.token}: add it to local/account/deploy.py"
        )

    def _table(self, name: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        try:
            return look_up(self._context, name), []
        except ClientError as error:
            missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
            why = "couldn't find resource" if missing else str(error)
            return {}, [("name", f"reading Dynamodb Table ({name}): {why}")]


def stack_config(stack: str, root: Path = ROOT) -> dict[str, str]:
    """The configuration of a stack as the CLI would pass it to the program.

    Raises
    ------
    UsageError
        If there is no such Python program or stack, or its settings are invalid.
    """
    if missing := [name for name in ("Pulumi.yaml", "__main__.py") if not (root / name).is_file()]:
        raise UsageError(f"no Pulumi program in Python in {root}: there is no {missing[0]}")
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
        raise UsageError(
            f"no stack {stack!r}: there is no {file.name} (stacks: {', '.join(known)})"
        )
    project = _yaml(root / "Pulumi.yaml")
    values: dict[str, Any] = {}
    for key, declared in (project.get("config") or {}).items():
        default = (
            declared.get("default", declared.get("value")) if _declares(declared) else declared
        )
        if default is not None:
            values[key if ":" in key else f"{project['name']}:{key}"] = default
    values |= _yaml(file).get("config") or {}
    texts = {key: _config_text(value) for key, value in values.items()}
    start = f"{NAMESPACE}:"
    own = {key.removeprefix(start): text for key, text in texts.items() if key.startswith(start)}
    try:
        Settings.load(own)  # fails before the emulator starts, not after
    except SettingsError as error:
        raise UsageError(f"{file.name}: {error}") from None
    return texts


def import_components() -> None:
    """Import what programs use; this takes about as long as the emulator's start."""
    for module in pkgutil.iter_modules(components.__path__, "components."):
        if not module.ispkg:
            import_module(module.name)


def deploy(
    aws: Aws,
    stack: str,
    overrides: Mapping[str, str] | None = None,
    *,
    root: Path = ROOT,
    deployed_buffers: bool = False,
) -> Deployment:
    """Deploy the program with a stack's settings.

    Parameters
    ----------
    overrides:
        Further settings that override the stack file, by name without the namespace.
    deployed_buffers:
        Leave out `SHORT_BUFFERS`.

    Raises
    ------
    LocalError
        If the program or a resource fails. Nothing is rolled back: the emulator is discarded.
    """
    config = stack_config(stack, root)
    described = _yaml(root / "Pulumi.yaml")
    project, settings = described["name"], described.get("config") or {}
    given = {name: (value, "given") for name, value in (overrides or {}).items()}
    differing: dict[str, tuple[str, str, str]] = {}
    always = OVERRIDES if deployed_buffers else {**OVERRIDES, **SHORT_BUFFERS}
    ours = {name: override for name, override in always.items() if name in settings}
    for name, (value, reason) in {**ours, **given}.items():
        key = f"{project}:{name}"
        if config.get(key) != value:
            differing[name] = (value, config.get(key, "its default"), reason)
        config[key] = value
    if theirs := config.get(f"{project}:kmsKeyArn"):
        ours = aws.client("kms").create_key(Description=stack)["KeyMetadata"]["Arn"]
        differing["kmsKeyArn"] = (ours, theirs, "a key of this account; it encrypts nothing here")
        config[f"{project}:kmsKeyArn"] = ours
    config["aws:region"] = aws.region
    context = Context(aws, stack)
    return Deployment(_run(context, project, stack, config, root), context.definitions, differing)


def _run(
    context: Context, project: str, stack: str, config: Mapping[str, str], root: Path
) -> dict[str, Any]:
    # A new event loop: an earlier program in this process may have closed the previous one.
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    pulumi_settings.set_root_resource(None)  # type: ignore[arg-type]
    pulumi.runtime.set_mocks(EmulatorMocks(context), project=project, stack=stack, preview=False)
    pulumi.runtime.set_all_config(dict(config))
    outputs: dict[str, Any] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        with _as_the_cli_runs(root):
            runpy.run_path(str(root / "__main__.py"), run_name="__main__")
        exported = pulumi.runtime.get_root_resource().outputs  # type: ignore[union-attr]
        return pulumi.Output.all(**exported).apply(outputs.update)

    # The SDK logs a traceback for each failed registration; the error itself is raised below.
    asyncio_log = logging.getLogger("asyncio")
    level, asyncio_log.level = asyncio_log.level, logging.CRITICAL
    try:
        program()
    except BaseException as error:
        gc.collect()  # the SDK logs when failed tasks are garbage-collected
        if isinstance(error, (pulumi.RunError, SchemaError)):
            raise UsageError(str(error)) from error
        raise
    finally:
        loop.close()
        asyncio_log.level = level
    return outputs


@contextmanager
def _as_the_cli_runs(root: Path) -> Iterator[None]:
    """In the program's folder, with its modules, and with functions for this machine."""
    platform = mock.patch.object(functions, "AWS", Platform.host())
    with chdir(root), platform, mock.patch.object(sys, "path", [str(root), *sys.path]):
        yield


def _yaml(file: Path) -> dict[str, Any]:
    # libyaml's loader is ten times as fast; PyYAML may have been built without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(file.read_text(), loader) or {}  # noqa: S506 - both are safe


def _declares(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.keys() & {"type", "default", "value"})


def _config_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)
