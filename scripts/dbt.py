"""`make dbt`: dbt in examples/dbt, on the stack that `python -m local up` runs, or a deployed one.

.venv/bin/python -m scripts.dbt build
.venv/bin/python -m scripts.dbt --stack dev run --select daily_sales
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from client import stack_outputs
from local.commands.up import Running, home
from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "examples" / "dbt"
DBT = ROOT / ".venv-dbt" / "bin" / "dbt"
COMMANDS = (("source", "freshness"), ("build",), ("docs", "generate"))
"""What runs when no command is given."""


def environment(stack: str | None) -> dict[str, str]:
    """The environment for dbt: the caller's, and what profiles.yml takes from the stack's outputs.

    Raises
    ------
    stack_outputs.StackOutputsError
        The stack has no such outputs.
    LocalError
        No stack is named, and no local one runs.
    """
    found = dict(os.environ)
    if not stack and stack_outputs.ENVIRONMENT_VARIABLE not in found:
        found |= Running(home()).environment()
        found.pop("AWS_PROFILE", None)
        found.pop("AWS_SESSION_TOKEN", None)
    file = None if stack else Path(found[stack_outputs.ENVIRONMENT_VARIABLE])
    outputs = stack_outputs.load(stack, file, keys=("bucketName", "databaseName"))
    return found | names(outputs)


def names(outputs: Mapping[str, str]) -> dict[str, str]:
    """The variables of profiles.yml."""
    return {
        "SALES_CDC_REGION": outputs["region"],
        "SALES_CDC_BUCKET": outputs["bucketName"],
        "SALES_CDC_DATABASE": outputs["databaseName"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run dbt; its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.dbt",
        description="Run dbt in examples/dbt; without a command: source freshness, build, docs.",
    )
    parser.add_argument("--stack", help="a Pulumi stack; default: the running local stack")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="dbt's command and options")
    given = parser.parse_args(arguments)
    dbt = Path(os.environ.get("SALES_CDC_DBT") or DBT)
    if not dbt.exists():
        parser.error(f"dbt is not installed in {dbt.parent.parent}: run `make .venv-dbt`")
    try:
        env = environment(given.stack)
    except (LocalError, stack_outputs.StackOutputsError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for command in [given.command] if given.command else COMMANDS:
        done = subprocess.run(  # noqa: S603
            [dbt, *command], cwd=PROJECT, env=env | {"DBT_PROFILES_DIR": "."}, check=False
        )
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
