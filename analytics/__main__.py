"""``python -m analytics``: list and run the queries, or run your own SQL."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from analytics import ParameterError, Query, load_queries, schema_of
from analytics.alternatives import beside, ways
from analytics.capacity.chain import Chain, ChainError
from analytics.capacity.hops import Load as Flow
from analytics.capacity.limits import ITEM_BYTES
from analytics.capacity.report import Report
from analytics.cost import DAY_SECONDS, NOT_COUNTED, Estimate, Load
from analytics.dashboard import serve
from analytics.output import Format, write
from analytics.tableau import DRIVER_SETTINGS, data_source, driver_settings
from client import stack_outputs
from client.athena import Athena, AthenaError, Usage
from client.command_line import FAILED, INTERRUPTED, WRONG_USAGE, Outputs, Stack, fail, new_app
from client.prices import DATED, REGION
from schema import ORDERS, Schema, about_orders

app = new_app()

Form = Annotated[Format, typer.Option("--format", help="Format of the result.")]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the result to this file.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A query that `list` shows.")]

_EXAMPLES = """[bold]Examples[/bold]

python -m analytics list

python -m analytics run revenue_by_product --stack dev

python -m analytics run revenue_by_day --stack dev --param days=7 --format csv

python -m analytics run history --outputs outputs.json --param orderid=4f0c...

python -m analytics sql "SELECT * FROM current_orders LIMIT 5" --stack dev

python -m analytics dashboard --stack dev

python -m analytics cost --orders-per-day 100000

python -m analytics capacity --changes-per-second 10000 --stack prod

[bold]Exit codes[/bold]: 0 done, 1 the query failed, 2 wrong usage, 130 stopped by Ctrl-C.
"""


@app.callback(epilog=_EXAMPLES)
def analytics() -> None:
    """Query changes and sales in Athena, with the stack's queries or your own SQL.

    The result goes to stdout; bytes scanned, cost and time go to stderr. Credentials, region and
    endpoints are those of the AWS CLI: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and so on.
    """


@app.command("list")
def list_queries(stack: Stack = None, outputs: Outputs = None) -> None:
    """List the queries, with their parameters and defaults: for a stack's table, or for orders."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "answers", "parameters"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "name")
    for query in load_queries(_schema(stack, outputs)):
        takes = (f"{p.name}={p.default}" if p.default else f"{p.name}=?" for p in query.parameters)
        table.add_row(query.name, query.title, " ".join(takes))
    _stdout().print(table)


@app.command()
def show(name: Name, stack: Stack = None, outputs: Outputs = None) -> None:
    """Print a query's description and SQL, ready for the Athena console."""
    text, console = _find(name, _schema(stack, outputs)).saved_sql, _stdout()
    if console.is_terminal:
        console.print(Syntax(text, "sql", background_color="default"))
    else:
        typer.echo(text)


@app.command()
def run(  # noqa: PLR0917 - the command line's
    name: Name,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated."
        ),
    ] = None,
    form: Form = Format.TABLE,
    output: Output = None,
    stack: Stack = None,
    outputs: Outputs = None,
) -> None:
    """Run one of the queries.

    Example: python -m analytics run top_customers --stack dev -p days=7 -p top=5 --format json
    """
    names = _names(stack, outputs)
    query = _find(name, _schema_of(names))
    try:
        literals = query.bind(_pairs(param or []))
    except ParameterError as error:
        fail(str(error), WRONG_USAGE)
    _answer(query.sql, literals, names, form=form, output=output)


@app.command()
def sql(
    statement: Annotated[
        str,
        typer.Argument(metavar="SQL", help="One statement in Athena's SQL; - reads it from stdin."),
    ],
    form: Form = Format.TABLE,
    output: Output = None,
    stack: Stack = None,
    outputs: Outputs = None,
) -> None:
    """Run your own Athena SQL in the stack's database.

    Example: python -m analytics sql "SELECT count(*) FROM current_orders" --stack dev
    """
    statement = sys.stdin.read() if statement == "-" else statement
    if not statement.strip():
        fail("there is no SQL to run", WRONG_USAGE)
    _answer(statement, (), _names(stack, outputs), form=form, output=output)


@app.command()
def dashboard(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Local port to listen on; 0 for any.")
    ] = serve.DEFAULT_PORT,
    refresh: Annotated[
        float, typer.Option(min=1, help="Seconds between updates.")
    ] = serve.DEFAULT_REFRESH,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = False,
    stack: Stack = None,
    outputs: Outputs = None,
) -> None:
    """Show changes and figures on a web page that updates as changes arrive; Ctrl-C stops it.

    Example: python -m analytics dashboard --stack dev --refresh 120
    """
    names = _names(stack, outputs)
    _schema_of(names)
    if not serve.installed():
        fail("the dashboard needs Streamlit: pip install 'sales-cdc[dashboard]'", FAILED)
    port = port or serve.any_port()
    if not serve.free(port):
        fail(f"port {port} is taken: choose another with --port, or 0 for any", FAILED)
    page = serve.Page(outputs=names, refresh=refresh, source=serve.source(stack, outputs))
    typer.echo(f"http://localhost:{port}  (Ctrl-C stops it)")
    sys.stdout.flush()
    os.environ.update(page.environment())
    command = serve.command(port=port, browser=browser)
    os.execv(command[0], command)  # noqa: S606 - no shell; Ctrl-C is Streamlit's from here on


@app.command()
def cost(  # noqa: PLR0917 - the command line's
    orders_per_day: Annotated[
        float | None, typer.Option(min=0, help="Orders placed a day. Default 10,000.")
    ] = None,
    changes_per_second: Annotated[
        float | None, typer.Option(min=0, help="Changes a second, instead of orders a day.")
    ] = None,
    order_bytes: Annotated[
        int, typer.Option("--bytes", min=1, max=400_000, help="Size of an order in the table.")
    ] = 250,
    changes: Annotated[
        float, typer.Option(min=1, help="Changes per order, including its creation.")
    ] = 2.0,
    queries: Annotated[int, typer.Option(min=0, help="Queries a day.")] = 20,
    query_gb: Annotated[float, typer.Option(min=0, help="GB scanned by a query.")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Estimate the pipeline's cost a month, dev and prod side by side; makes no AWS calls.

    Shows also what AWS's own integrations cost at the same load, at least. A provisioned stream
    gets the shards that the load needs.

    Examples: python -m analytics cost --orders-per-day 100000 --bytes 400

    python -m analytics cost --changes-per-second 50 --json
    """
    if orders_per_day is not None and changes_per_second is not None:
        fail("give --orders-per-day or --changes-per-second, not both", WRONG_USAGE)
    if changes_per_second is not None:
        orders_per_day = changes_per_second * DAY_SECONDS / changes
    load = Load(
        orders=10_000 if orders_per_day is None else orders_per_day,
        order_bytes=order_bytes,
        changes=changes,
        queries=queries,
        query_gb=query_gb,
    )
    estimate = Estimate.of(load)
    if as_json:
        facts = {**estimate.facts(), "beside": [asdict(one) for one in ways(load)]}
        typer.echo(json.dumps(facts, indent=2))
        return
    console = _stdout()
    console.print(estimate.table())
    console.print(beside(load))
    typer.echo(f"List prices of {REGION} as of {DATED}. Not counted: {NOT_COUNTED}.")


@app.command()
def capacity(
    changes_per_second: Annotated[
        float, typer.Option(min=0.001, max=1e9, help="Changes of the table a second.")
    ],
    item_bytes: Annotated[
        int,
        typer.Option("--bytes", min=1, max=int(ITEM_BYTES.value), help="Size of an item."),
    ] = 250,
    stack: Annotated[
        str,
        typer.Option("--stack", metavar="NAME", help="Stack whose Pulumi.NAME.yaml is read."),
    ] = "prod",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what each hop needs at a rate, which limit it meets first, and what to change.

    For each hop: what is needed of what AWS or a setting allows, the setting to change so that
    there is room for twice the rate, and how long a backlog of 30 minutes takes to drain. Reads
    the settings of the stack file; makes no AWS calls. See docs/scaling.md.

    Example: python -m analytics capacity --changes-per-second 10000 --bytes 400 --stack dev
    """
    try:
        chain = Chain.of_stack(stack)
        report = Report.of(
            Flow(changes_per_second=changes_per_second, item_bytes=item_bytes), chain
        )
    except ChainError as error:
        fail(str(error), WRONG_USAGE)
    if as_json:
        typer.echo(report.to_json())
        return
    _stdout().print(report.table())
    typer.echo("\n".join(report.lines()))


@app.command()
def tableau(
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The data source file to write.")
    ] = Path("sales-cdc.tds"),
    stack: Stack = None,
    outputs: Outputs = None,
) -> None:
    """Write a data source file for Tableau, and the Athena driver's settings next to it.

    Example: python -m analytics tableau --stack prod, then see docs/tableau.md
    """
    names = _names(stack, outputs, "region")
    schema = _schema_of(names)
    if not about_orders(schema):
        fail(
            f"the data source is about orders, and this stack's table holds {schema.name}: connect "
            f"Tableau to the view {schema.current_view} by hand (docs/tableau.md, step 4)",
            WRONG_USAGE,
        )
    settings = output.with_name(DRIVER_SETTINGS)
    try:
        output.write_bytes(data_source(names, schema))
        settings.write_text(driver_settings(names), encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {error.filename}: {error.strerror}", FAILED)
    typer.echo(f"{output}\n{settings}")


def _names(stack: str | None, outputs: Path | None, *others: str) -> dict[str, str]:
    """The outputs of the stack to query."""
    keys = ("workgroupName", "databaseName", *others)
    try:
        return stack_outputs.load(stack, outputs, keys=keys)
    except stack_outputs.StackOutputsError as error:
        fail(str(error), WRONG_USAGE)


def _schema(stack: str | None, outputs: Path | None) -> Schema:
    """The schema of the stack, or of orders if none is given."""
    if not (stack or outputs or os.environ.get(stack_outputs.ENVIRONMENT_VARIABLE)):
        return ORDERS
    try:
        return _schema_of(stack_outputs.load(stack, outputs))
    except stack_outputs.StackOutputsError as error:
        fail(str(error), WRONG_USAGE)


def _schema_of(names: dict[str, str]) -> Schema:
    try:
        return schema_of(names)
    except stack_outputs.StackOutputsError as error:
        fail(str(error), WRONG_USAGE)


def _answer(
    statement: str,
    literals: Sequence[str],
    names: dict[str, str],
    *,
    form: Format,
    output: Path | None,
) -> None:
    """Run a statement and write its result. Errors are reported before the query, if possible."""
    if output and not output.parent.is_dir():
        fail(f"--output {output}: there is no directory {output.parent}", WRONG_USAGE)
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        fail("Parquet is no text for a terminal: add --output FILE", WRONG_USAGE)
    athena = None
    try:
        athena = Athena(names)
        answer = athena.ask(statement, literals)
        if output:
            with output.open("wb") as file:
                write(answer, form, file)
        else:
            console = _stdout()
            write(answer, form, sys.stdout.buffer, console=console if console.is_terminal else None)
        _report(f"{len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}", athena.usage)
    except AthenaError as error:
        if athena and athena.usage.bytes_scanned:
            _report("failed", athena.usage)
        fail(str(error), FAILED)
    except BrokenPipeError:
        raise  # the reader, such as `| head`, has closed the pipe: no error
    except OSError as error:
        fail(f"cannot write the answer: {error}", FAILED)
    except KeyboardInterrupt:
        fail("stopped, and the query with it", INTERRUPTED)


def _find(name: str, schema: Schema) -> Query:
    queries = {query.name: query for query in load_queries(schema)}
    if name not in queries:
        fail(f"there is no query {name!r}; there are: {', '.join(queries)}", WRONG_USAGE)
    return queries[name]


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ParameterError(f"--param {text}: expected NAME=VALUE")
        if name in values:
            raise ParameterError(f"--param {name} is given twice")
        values[name] = value
    return values


def _report(outcome: str, usage: Usage) -> None:
    size, unit = float(usage.bytes_scanned), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    read = f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
    typer.echo(
        f"{outcome}; {read} scanned, ${usage.dollars:.5f}; {usage.milliseconds / 1000:.1f} s",
        err=True,
    )


def _stdout() -> Console:
    """A console that does not wrap lines without a terminal."""
    return Console() if sys.stdout.isatty() else Console(width=100_000)


if __name__ == "__main__":
    app(prog_name="python -m analytics")
