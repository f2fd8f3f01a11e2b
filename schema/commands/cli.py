"""The command line: `python -m schema`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from client import errors
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, fail, new_app
from schema import Schema, SchemaError
from schema.commands.check import compare, key_problems
from schema.commands.infer import Proposal, infer
from schema.commands.sources import Item, SourceError, keys_of, read, sample
from schema.files import dump, load

app = new_app()

FromTable = Annotated[
    str | None, typer.Option("--table", metavar="NAME", help="Read a sample of this table.")
]
FromPath = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="PATH",
        help="Read a file of items in DynamoDB JSON, or the folder of a DynamoDB export, instead.",
    ),
]
Sample = Annotated[
    int, typer.Option("--sample", min=1, metavar="N", help="Items to look at, at most.")
]
ReadUnits = Annotated[
    float,
    typer.Option(
        "--read-units", min=1, metavar="N", help="Read capacity units a second to use at most."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

_EXAMPLES = """[bold]Examples[/bold]

python -m schema infer --table orders --out schema.yaml    [dim]a proposal from 10,000 items[/dim]

python -m schema infer --from AWSDynamoDB/01234-abc --key orderid    [dim]from an export[/dim]

python -m schema check schema.yaml    [dim]is the file a schema?[/dim]

python -m schema check schema.yaml --table orders    [dim]does it hold what the table has?[/dim]

[bold]Exit codes[/bold]: 0 done, 1 the schema is not valid or rejects items, 2 wrong usage, or the
table, region or credentials do not work, 130 stopped by Ctrl-C.
"""


@app.callback(epilog=_EXAMPLES)
def schema() -> None:
    """Propose a schema for a DynamoDB table, and check one.

    A schema file is what the setting schemaFile names. Reading a table needs dynamodb:DescribeTable
    and dynamodb:Scan on it; nothing is written.
    """


@app.command("infer")
def infer_(  # noqa: PLR0917 - the command line's
    table: FromTable = None,
    source: FromPath = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="ATTRIBUTE", help="With --from: the partition key."),
    ] = None,
    sort_key: Annotated[
        str | None,
        typer.Option("--sort-key", metavar="ATTRIBUTE", help="With --from: the sort key."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What the items are, such as orders: the view is current_NAME. Default: from the "
            "table's name.",
        ),
    ] = None,
    items: Sample = 10_000,
    read_units: ReadUnits = 200,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the schema here, not to the output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a schema: types as narrow as the items allow, and what to look at.

    Values of conflicting types become json. A decimal has room for ten digits or those seen. Look
    through the proposal before you deploy it: a later value that does not fit fails its record.
    """
    with _in_words():
        if out and out.exists():
            raise SourceError(f"{out}: exists; remove it, or write to another file")
        if table:
            if key or sort_key:
                raise SourceError("--key and --sort-key go with --from; a table's are looked up")
            dynamodb = boto3.client("dynamodb")
            (key, sort_key), _ = keys_of(dynamodb, table)
        elif source and not key:
            raise SourceError("--from needs --key: the attribute that is the partition key")
        found = list(_items(table, source, items, read_units))
        if not found:
            raise SourceError(f"{table or source}: no items to infer a schema from")
        missing = [one for one in (key, sort_key) if one and any(one not in i for i in found)]
        if missing:
            raise SourceError(f"{', '.join(missing)}: not in every item, as a key is")
        title = name or _name(table or "items")
        proposed, proposals = infer(found, name=title, key=str(key), sort_key=sort_key)
    text = dump(proposed, {one.column.name: one.notes for one in proposals})
    Console(stderr=True).print(columns_table(proposals, len(found)))
    if out:
        out.write_text(text, encoding="utf-8")
        _say(f"Written to {out}. Look through it, then set schemaFile to it.")
    if as_json:
        typer.echo(json.dumps(_facts(proposed, proposals, len(found))))
    elif not out:
        typer.echo(text, nl=False)


@app.command()
def check(  # noqa: PLR0917 - the command line's
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A schema file, YAML or JSON.")],
    table: FromTable = None,
    source: FromPath = None,
    items: Sample = 10_000,
    read_units: ReadUnits = 200,
    as_json: AsJson = False,
) -> None:
    """Check a schema file, and compare it with what a table holds.

    Each item of the sample goes through the transform as it would be deployed with this schema.
    """
    with _in_words():
        if not file.is_file():
            raise SourceError(f"{file}: there is no such file")
        if table and source:
            raise SourceError("--table or --from, not both")
        try:
            declared = load(file)
        except SchemaError as error:
            if as_json:
                typer.echo(json.dumps({"valid": False, "problems": str(error).splitlines()}))
            fail(f"not a valid schema\n{error}", FAILED)
        facts: dict[str, Any] = {"valid": True, "problems": []}
        _say(f"{file}: valid: {declared.name}, {len(declared.columns)} columns")
        if table:
            _, kinds = keys_of(boto3.client("dynamodb"), table)
            facts["problems"] = key_problems(declared, kinds)
        if (table or source) and not facts["problems"]:
            compared = compare(declared, _items(table, source, items, read_units))
            facts |= compared.to_json()
            facts["problems"] = [
                f"{count:,} of {compared.items:,} items would fail: {reason}"
                for reason, count in compared.rejected.items()
            ]
            for attribute, count in compared.unknown.items():
                _say(f"{attribute}: in {count:,} of {compared.items:,} items; kept in extras")
            for column in compared.unseen:
                _say(f"{column}: in none of the {compared.items:,} items")
            if not compared.rejected:
                _say(f"All {compared.items:,} items fit.")
    if as_json:
        typer.echo(json.dumps(facts))
    if facts["problems"]:
        fail("\n".join(facts["problems"]), FAILED)


def _items(table: str | None, source: Path | None, most: int, read_units: float) -> Iterator[Item]:
    if bool(table) == bool(source):
        raise SourceError("name what to read: --table NAME or --from PATH")
    if table:
        found = sample(boto3.client("dynamodb"), table, most=most, read_units=read_units)
    else:
        assert source
        if not source.exists():
            raise SourceError(f"{source}: there is no such file or folder")
        found = read(source, most=most)
    with Console(stderr=True).status("reading items") as status:
        for number, item in enumerate(found, 1):
            if number % 1_000 == 0:
                status.update(f"reading items: {number:,}")
            yield item


def _name(table: str) -> str:
    """A name for the items, made of a table's."""
    plain = "".join(one if one.isascii() and one.isalnum() else "_" for one in table.lower())
    return plain.strip("_0123456789")[:64] or "items"


def _facts(schema: Schema, proposals: list[Proposal], items: int) -> dict[str, Any]:
    return {
        "items": items,
        "schema": json.loads(schema.to_json()),
        "attributes": [
            {
                "attribute": one.column.attribute,
                "column": one.column.name,
                "type": one.column.type,
                "share": round(one.share, 4),
                "dynamodb_types": dict(one.dynamodb_types),
                "conflicts": list(one.conflicts),
                "personal": [{"path": path, "looks_like": what} for path, what in one.personal],
            }
            for one in proposals
        ],
    }


def columns_table(proposals: Sequence[Proposal], items: int) -> Table:
    """The proposed columns, and what they were proposed from."""
    table = Table(box=box.SIMPLE, title=f"{items:,} items", title_justify="left")
    for heading in ("attribute", "column type", "in", "DynamoDB types", "look at"):
        table.add_column(heading, justify="right" if heading == "in" else "left", overflow="fold")
    for one in proposals:
        look = [f"{path} is of several types" for path in one.conflicts]
        look += [f"{path}: {what}?" for path, what in one.personal]
        kinds = ", ".join(f"{tag} {count:,}" for tag, count in one.dynamodb_types.items())
        cells = (one.column.attribute, one.column.type, f"{one.share:.1%}", kinds, "\n".join(look))
        table.add_row(*map(escape, cells))
    return table


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(escape(text), soft_wrap=True)


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Say what keeps the command from its work in one line, without a traceback."""
    try:
        yield
    except SourceError as error:
        fail(str(error), WRONG_USAGE)
    except SchemaError as error:
        fail(str(error), FAILED)
    except (BotoCoreError, ClientError) as error:
        needs = "dynamodb:DescribeTable and dynamodb:Scan on the table"
        fail(errors.explain(error, needs=needs), WRONG_USAGE)
    except KeyboardInterrupt:
        fail("stopped; nothing was written", INTERRUPTED)
