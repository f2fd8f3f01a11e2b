"""``python -m analytics`` as a user meets it: what it prints, where, and its exit code."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from tests import warm_python
from tests.analytics.fake_athena import FakeAthena, serve
from tests.analytics.shipments import SHIPMENTS

COMMAND = warm_python.command("analytics")
NAMES = {
    "workgroupName": "sales",
    "databaseName": "sales_cdc_dev",
    "region": "eu-west-1",
    "readerPolicyArn": "arn:aws:iam::123456789012:policy/reader",
}


@pytest.fixture
def fake() -> FakeAthena:
    return FakeAthena(
        columns=[
            ("product_name", "varchar", 2147483647, 0),
            ("orders", "bigint", 19, 0),
            ("revenue", "decimal", 38, 2),
            ("last_order_at", "timestamp", 3, 0),
        ],
        rows=[
            ["Élan [red]Ring[/red]", "2", "19999999999999999.90", "2026-11-21 02:18:00.123"],
            ['a "b", c\n\x1b[31m', "1", "0.10", None],
            ["", None, None, None],
        ],
        scanned=25_000_000,
    )


@pytest.fixture
def environment(fake: FakeAthena, tmp_path: Path) -> Iterator[dict[str, str]]:
    (tmp_path / "outputs.json").write_text(json.dumps(NAMES))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with serve(fake) as url:
        yield kept | {
            "AWS_ENDPOINT_URL_ATHENA": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "SALES_CDC_OUTPUTS": str(tmp_path / "outputs.json"),
        }


class Analytics:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


@pytest.fixture
def analytics(environment: dict[str, str]) -> Analytics:
    return Analytics(environment)


def test_list_shows_every_question_with_its_parameters(analytics: Analytics) -> None:
    done = analytics("list")
    assert done.returncode == 0
    assert "revenue_by_product" in done.stdout and "days=30" in done.stdout
    assert "orderid=?" in done.stdout


def test_show_prints_sql_for_the_console(analytics: Analytics) -> None:
    done = analytics("show", "history")
    assert done.returncode == 0
    assert done.stdout.startswith("-- The history of one item")
    assert "/*orderid*/ ?" in done.stdout and "/*since*/ DATE '2000-01-01'" in done.stdout


def test_a_stack_of_another_table_has_the_queries_of_any_table(
    environment: dict[str, str], analytics: Analytics, fake: FakeAthena
) -> None:
    outputs = Path(environment["SALES_CDC_OUTPUTS"])
    outputs.write_text(json.dumps(NAMES | {"schema": SHIPMENTS.to_json()}))
    listed = analytics("list")
    assert listed.returncode == 0
    assert "history" in listed.stdout and "id=? leg=?" in listed.stdout
    assert "revenue" not in listed.stdout
    shown = analytics("show", "history")
    assert 'log."id" = /*id*/ ?' in shown.stdout
    missing = analytics("run", "history", "-p", "id=x")
    assert missing.returncode == 2
    assert "id='x': expected a whole number" in missing.stderr and "leg is needed" in missing.stderr
    ran = analytics("run", "history", "-p", "id=7", "-p", "leg=o'ut")
    assert ran.returncode == 0
    (asked,) = fake.requests("StartQueryExecution")
    assert asked["ExecutionParameters"] == ["7", "'o''ut'", "DATE '2000-01-01'"]
    sales = analytics("run", "revenue_by_day")
    assert sales.returncode == 2 and "there is no query 'revenue_by_day'" in sales.stderr
    tableau = analytics("tableau")
    assert tableau.returncode == 2
    assert "this stack's table holds shipments" in tableau.stderr
    outputs.write_text(json.dumps(NAMES | {"schema": "{}"}))
    broken = analytics("list")
    assert broken.returncode == 2 and "the output schema cannot be read" in broken.stderr


def test_help_teaches_by_example(analytics: Analytics) -> None:
    done = analytics("--help")
    assert done.returncode == 0
    assert "python -m analytics run revenue_by_product --stack dev" in done.stdout


def test_run_sends_the_statement_and_its_values_apart(
    fake: FakeAthena, analytics: Analytics
) -> None:
    evil = "x'; DROP TABLE projection; -- \u2019 ?"
    done = analytics("run", "history", "-p", f"orderid={evil}", "-p", "since=2026-11-01")
    assert done.returncode == 0, done.stderr
    [request] = fake.requests("StartQueryExecution")
    assert request["ExecutionParameters"] == [
        "'x''; DROP TABLE projection; -- \u2019 ?'",
        "DATE '2026-11-01'",
    ]
    assert "DROP" not in request["QueryString"] and request["QueryString"].count("?") == 2
    assert request["WorkGroup"] == "sales"
    assert request["QueryExecutionContext"]["Database"] == "sales_cdc_dev"
    assert "ResultConfiguration" not in request


def test_what_it_took_goes_to_stderr_and_the_answer_alone_to_stdout(analytics: Analytics) -> None:
    done = analytics("run", "revenue_by_product", "--format", "csv")
    assert done.stderr == "3 rows; 25.0 MB scanned, $0.00013; 1.2 s\n"
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["product_name", "orders", "revenue", "last_order_at"],
        ["Élan [red]Ring[/red]", "2", "19999999999999999.90", "2026-11-21 02:18:00.123"],
        ['a "b", c\n\x1b[31m', "1", "0.10", ""],
        ["", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("scanned", "statement", "cost"),
    [
        (1, "DML", "1 B scanned, $0.00005"),
        (0, "DDL", "0 B scanned, $0.00000"),
        (2 * 10**12, "DML", "2.0 TB scanned, $10.00000"),
    ],
)
def test_the_cost_is_athenas_price_with_its_minimum(
    fake: FakeAthena, analytics: Analytics, scanned: int, statement: str, cost: str
) -> None:
    fake.scanned, fake.statement_type = scanned, statement
    assert cost in analytics("sql", "SELECT 1").stderr


def test_json_keeps_every_digit_and_null(analytics: Analytics) -> None:
    done = analytics("run", "revenue_by_product", "--format", "json")
    rows = json.loads(done.stdout, parse_float=Decimal)
    assert rows[0] == {
        "product_name": "Élan [red]Ring[/red]",
        "orders": 2,
        "revenue": Decimal("19999999999999999.90"),
        "last_order_at": "2026-11-21 02:18:00.123",
    }
    assert rows[2] == {"product_name": "", "orders": None, "revenue": None, "last_order_at": None}


def test_parquet_keeps_types(analytics: Analytics, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    done = analytics("run", "revenue_by_product", "--format", "parquet", "--output", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    table = parquet.read_table(file)
    assert [str(field.type) for field in table.schema] == [
        "string",
        "int64",
        "decimal128(38, 2)",
        "timestamp[us]",
    ]
    assert table.to_pylist()[0] == {
        "product_name": "Élan [red]Ring[/red]",
        "orders": 2,
        "revenue": Decimal("19999999999999999.90"),
        "last_order_at": datetime(2026, 11, 21, 2, 18, 0, 123000),
    }
    assert table.to_pylist()[2] == dict.fromkeys(table.column_names) | {"product_name": ""}


def test_a_table_shows_data_as_it_is_and_never_obeys_it(analytics: Analytics) -> None:
    done = analytics("run", "revenue_by_product")
    assert "Élan [red]Ring[/red]" in done.stdout
    assert "\\n\\x1b[31m" in done.stdout
    assert "\x1b" not in done.stdout
    assert "NULL" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 200


def test_an_answer_without_rows_is_still_an_answer(fake: FakeAthena, analytics: Analytics) -> None:
    fake.rows = []
    assert json.loads(analytics("sql", "SELECT 1", "--format", "json").stdout) == []
    done = analytics("sql", "SELECT 1")
    assert done.returncode == 0 and "product_name" in done.stdout
    assert done.stderr.startswith("0 rows;")


def test_sql_is_read_from_stdin(fake: FakeAthena, analytics: Analytics) -> None:
    done = analytics("sql", "-", stdin="SELECT 42")
    assert done.returncode == 0
    assert fake.requests("StartQueryExecution")[0]["QueryString"] == "SELECT 42"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "revenue"], "there is no query 'revenue'; there are: average_order_value, "),
        (["show", "revenue"], "there are: average_order_value"),
        (["run", "top_customers", "-p", "nr=3"], "'nr'. Its parameters: days (int), top (int)"),
        (["run", "top_customers", "-p", "top=many"], "top='many': expected a whole number"),
        (["run", "top_customers", "-p", "top"], "--param top: expected NAME=VALUE"),
        (["run", "top_customers", "-p", "top=1", "-p", "top=2"], "--param top is given twice"),
        (["run", "history"], "orderid is needed"),
        (["sql", " "], "there is no SQL"),
        (["sql", "SELECT 1", "--output", "/nowhere/x.csv"], "there is no directory /nowhere"),
        (["sql", "SELECT 1", "--outputs", "/nowhere.json"], "/nowhere.json: No such file"),
        (["sql", "SELECT 1", "--stack", "dev", "--outputs", "x.json"], "not both"),
        (["sql", "SELECT 1", "--format", "xml"], "'xml' is not one of 'table'"),
    ],
)  # fmt: skip
def test_wrong_usage_exits_2_before_anything_is_asked(
    fake: FakeAthena, analytics: Analytics, arguments: list[str], said: str
) -> None:
    done = analytics(*arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert fake.asked == []


def test_outputs_of_no_stack_say_what_is_missing(
    environment: dict[str, str], analytics: Analytics
) -> None:
    Path(environment["SALES_CDC_OUTPUTS"]).write_text('{"region": "eu-west-1"}')
    done = analytics("sql", "SELECT 1")
    assert done.returncode == 2
    assert "no output workgroupName, databaseName (it has: region)" in done.stderr


def test_an_sql_error_shows_athenas_message_and_the_line(
    fake: FakeAthena, analytics: Analytics
) -> None:
    fake.state = "FAILED"
    fake.reason = "COLUMN_NOT_FOUND: line 2:8: Column 'pric' cannot be resolved"
    done = analytics("sql", "SELECT\n  sum(pric)\nFROM projection")
    assert done.returncode == 1
    assert f"Error: {fake.reason}\n    sum(pric)\n         ^\n" in done.stderr


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            ("InvalidRequestException", "WorkGroup sales is not found."),
            "there is no workgroup sales in this account and region",
        ),
        (
            ("AccessDeniedException", "User: u is not authorized to perform: athena:X"),
            "no permission: StartQueryExecution: User: u is not authorized to perform: athena:X. "
            "Needed: the stack's reader policy (arn:aws:iam::123456789012:policy/reader)",
        ),
        (
            ("UnrecognizedClientException", "The security token is invalid."),
            "the AWS credentials were not accepted (UnrecognizedClientException: The",
        ),
        (("InvalidRequestException", "Queries of this type are not supported"), "not supported"),
    ],
)
def test_a_rejected_request_is_reported_plainly(
    fake: FakeAthena, analytics: Analytics, refusal: tuple[str, str], said: str
) -> None:
    fake.refusal = refusal
    done = analytics("sql", "SELECT 1")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (
            "CANCELLED",
            "Bytes scanned limit was exceeded",
            "the workgroup sales lets one query read",
        ),
        ("FAILED", "Insufficient permissions to execute the query.", "no permission: Insufficient"),
        ("FAILED", "DIVISION_BY_ZERO: Division by zero", "Error: DIVISION_BY_ZERO"),
    ],
)
def test_a_query_that_does_not_finish_says_why(
    fake: FakeAthena, analytics: Analytics, state: str, reason: str, said: str
) -> None:
    fake.state, fake.reason = state, reason
    done = analytics("run", "revenue_by_day")
    assert done.returncode == 1
    assert said in done.stderr
    billed = "$0.00013" if state == "CANCELLED" else "$0.00000"
    assert f"failed; 25.0 MB scanned, {billed}" in done.stderr


def test_no_credentials_is_said_plainly(environment: dict[str, str]) -> None:
    without = {k: v for k, v in environment.items() if "KEY" not in k}
    done = Analytics(without)("sql", "SELECT 1")
    assert done.returncode == 1
    assert "no AWS credentials" in done.stderr


def test_no_region_is_said_plainly(environment: dict[str, str]) -> None:
    names = {k: v for k, v in NAMES.items() if k != "region"}
    Path(environment["SALES_CDC_OUTPUTS"]).write_text(json.dumps(names))
    done = Analytics(environment)("sql", "SELECT 1")
    assert done.returncode == 1
    assert "no AWS region" in done.stderr


def test_an_unreachable_athena_is_said_plainly(environment: dict[str, str]) -> None:
    nobody = {"AWS_ENDPOINT_URL_ATHENA": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = Analytics(environment | nobody)("sql", "SELECT 1")
    assert done.returncode == 1
    assert "cannot reach AWS" in done.stderr


def test_ctrl_c_stops_the_query_in_athena_and_exits_130(
    fake: FakeAthena, environment: dict[str, str]
) -> None:
    fake.state = "RUNNING"
    process = subprocess.Popen(
        [*COMMAND, "sql", "SELECT 1"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert fake.running.wait(30)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert fake.requests("StopQueryExecution")
    assert "stopped" in stderr and "Traceback" not in stderr


def test_head_is_no_error(
    analytics: Analytics, environment: dict[str, str], fake: FakeAthena
) -> None:
    fake.rows *= 20_000
    done = subprocess.run(
        f"{sys.executable} -m analytics sql 'SELECT 1' --format csv | head -n 1",
        shell=True,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "product_name,orders,revenue,last_order_at\n"
    assert done.stderr == ""


def on_a_terminal(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code, and what the terminal got."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal's output with EIO
            while piece := os.read(master, 65536):
                seen += piece
    os.close(master)
    return process.returncode, seen.decode()


def test_a_terminal_gets_a_table_that_fits_it_and_no_colour_against_its_will(
    environment: dict[str, str],
) -> None:
    terminal = environment | {"TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": "1"}
    code, seen = on_a_terminal(terminal, "run", "revenue_by_product")
    assert code == 0 and "Ring" in seen
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", seen)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert max(map(len, plain.splitlines())) <= 80


def test_parquet_is_not_poured_into_a_terminal(
    fake: FakeAthena, environment: dict[str, str]
) -> None:
    code, seen = on_a_terminal(environment, "sql", "SELECT 1", "--format", "parquet")
    assert code == 2 and "add --output FILE" in seen
    assert fake.asked == []
