"""Shared code of the command lines: exit codes, help, errors, and stack options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from client import stack_outputs

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes besides 0: the command failed, wrong usage, Ctrl-C."""

Stack = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Pulumi stack, such as dev.")
]
Outputs = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        metavar="FILE",
        help="The stack's outputs as JSON, instead of --stack. "
        f"With neither, the file that {stack_outputs.ENVIRONMENT_VARIABLE} names.",
    ),
]


_LOOK: Final[dict[str, Any]] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "rich",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def new_app() -> typer.Typer:
    """An app of several commands, with -h besides --help and no tracebacks for wrong usage."""
    return typer.Typer(no_args_is_help=True, **_LOOK)


def new_command() -> typer.Typer:
    """The same for an app with a single command that runs without arguments."""
    return typer.Typer(**_LOOK)


def fail(message: str, code: int) -> NoReturn:
    """Print the reason to stderr and exit."""
    Console(stderr=True, highlight=False).print(
        Text(f"Error: {message}", style="red"), soft_wrap=True
    )
    raise typer.Exit(code)
