"""A deployed stack's outputs, from Pulumi or from a file with the same JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from schema import ORDERS, Schema

ENVIRONMENT_VARIABLE = "SALES_CDC_OUTPUTS"
"""The environment variable with the outputs file, used when no stack and no file is given."""

_PROJECT = Path(__file__).parent.parent


class StackOutputsError(Exception):
    """The outputs cannot be read; the message says why and what to do."""


def load(
    stack: str | None = None, file: Path | None = None, *, keys: Sequence[str] = ()
) -> dict[str, str]:
    """Return the stack's outputs, e.g. ``{"tableName": "...", "region": "..."}``.

    Parameters
    ----------
    stack:
        A Pulumi stack's name; its outputs come from ``pulumi stack output --json``.
    file:
        The saved JSON of that command. With neither, the file that `ENVIRONMENT_VARIABLE` names.
    keys:
        Required outputs.

    Raises
    ------
    StackOutputsError
        No source or two, no Pulumi CLI, no such stack, no such file, no JSON object, a missing key.
    """
    if stack and file:
        raise StackOutputsError("give a stack or an outputs file, not both")
    if stack:
        source, text = f"stack {stack}", _from_pulumi(stack)
    elif path := file or os.environ.get(ENVIRONMENT_VARIABLE):
        source, text = str(path), _from_file(Path(path))
    else:
        raise StackOutputsError(
            "which stack? Give --stack NAME (a Pulumi stack) or --outputs FILE "
            f"(saved by `pulumi stack output --json`), or set {ENVIRONMENT_VARIABLE}=FILE"
        )
    try:
        document: Any = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise StackOutputsError(f"{source}: not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise StackOutputsError(f"{source}: expected one JSON object of outputs")
    if wrong := [k for k in (*keys, "region") if not isinstance(document.get(k, ""), str)]:
        raise StackOutputsError(f"{source}: {', '.join(wrong)} is not text")
    outputs = {key: value for key, value in document.items() if isinstance(value, str)}
    if missing := [key for key in keys if not outputs.get(key)]:
        has = ", ".join(sorted(outputs)) or "none"
        raise StackOutputsError(
            f"{source}: no output {', '.join(missing)} (it has: {has}); is the stack deployed?"
        )
    return outputs


def schema_of(outputs: Mapping[str, str]) -> Schema:
    """The schema that the stack with these outputs is deployed with.

    A stack of a version before 0.2 has no output ``schema``: it holds orders, and ``sortKey`` if
    the table has one.

    Raises
    ------
    StackOutputsError
        The output is not a schema that this version reads.
    """
    text = outputs.get("schema")
    if text is None:
        return replace(ORDERS, sort_key=outputs.get("sortKey"))
    try:
        return Schema.from_json(text)
    except (KeyError, TypeError, ValueError) as error:
        raise StackOutputsError(
            f"the output schema cannot be read ({type(error).__name__}: {error}): "
            "run `pulumi up` with this version"
        ) from None


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise StackOutputsError(f"cannot read the outputs file {path}: {reason}") from None


def _from_pulumi(stack: str) -> str:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise StackOutputsError(
            f"--stack {stack} needs the Pulumi CLI, which is not on the PATH: install it, "
            "or give the outputs as a file with --outputs FILE"
        )
    answer = subprocess.run(  # noqa: S603 - an argument list: no shell reads the stack's name
        [pulumi, "stack", "output", "--json", "--non-interactive", f"--stack={stack}"],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
    if answer.returncode:
        said = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
        raise StackOutputsError(f"pulumi: {said[0].removeprefix('error: ')}")
    return answer.stdout
