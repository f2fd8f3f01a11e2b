"""What the command lines share: exit codes, help, errors, and which stack is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from client import stack_outputs

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes beside 0: the work failed, what was typed cannot be, Ctrl-C."""

Stack = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Pulumi stack to ask, such as dev.")
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
    """An app of several commands: -h as well as --help, and no traceback for what a user typed."""
    return typer.Typer(no_args_is_help=True, **_LOOK)


def new_command() -> typer.Typer:
    """The same for an app that is one command, and runs without arguments."""
    return typer.Typer(**_LOOK)


def fail(message: str, code: int) -> NoReturn:
    """Say why on stderr, and exit."""
    Console(stderr=True, highlight=False).print(
        Text(f"Error: {message}", style="red"), soft_wrap=True
    )
    raise typer.Exit(code)
