"""Unmodified AWS clients on `python -m local up`, configured only by their environment."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests import warm_python

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.xdist_group("up")]


class Up:
    """A running stack and a shell beside it."""

    def __init__(self, home: Path, *command: str) -> None:
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.env["SALES_CDC_LOCAL_HOME"] = str(home)
        self.process = subprocess.Popen(
            command or warm_python.command("local", "up"),
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=(home / "stderr").open("w"),
            text=True,
        )
        assert self.process.stdout
        printed = []
        for line in self.process.stdout:
            printed.append(line)
            if line.startswith("export SALES_CDC_OUTPUTS"):
                break
        pairs = re.findall(r"^export (\w+)=(.*)$", "".join(printed), re.MULTILINE)
        assert pairs, (home / "stderr").read_text()
        self.env |= {name: value.strip("'") for name, value in pairs}
        self.outputs = json.loads(Path(self.env["SALES_CDC_OUTPUTS"]).read_text())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(*warm_python.command(*arguments))

    def aws(self, *arguments: str) -> Any:
        done = self.python("awscli", *arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def client(self, service: str) -> Any:
        variable = f"AWS_ENDPOINT_URL_{service.upper()}"
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.env.get(variable, self.env["AWS_ENDPOINT_URL"]),
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )

    def ask(self, sql: str) -> list[list[str | None]]:
        athena = self.client("athena")
        query = athena.start_query_execution(
            QueryString=sql,
            WorkGroup=self.outputs["workgroupName"],
            QueryExecutionContext={"Database": self.outputs["databaseName"]},
        )["QueryExecutionId"]
        until(lambda: self.state(athena, query) not in ("QUEUED", "RUNNING"))
        assert self.state(athena, query) == "SUCCEEDED"
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]

    @staticmethod
    def state(athena: Any, query: str) -> str:
        answer = athena.get_query_execution(QueryExecutionId=query)
        return str(answer["QueryExecution"]["Status"]["State"])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("home"))
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(timeout=30)


@pytest.fixture(scope="module")
def orders(up: Up) -> dict[str, Any]:
    """What the generator wrote, all of it in the lake."""
    done = up.python("generator", "--count", "60", "--seed", "11", "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    log = up.outputs["projectionTable"]
    written = report["inserted"] + report["updated"] + report["deleted"]
    until(lambda: int(up.ask(f"SELECT count(*) FROM {log}")[0][0] or 0) >= written)
    return report


def test_the_generator_takes_the_names_from_the_outputs_file(
    up: Up, orders: dict[str, Any]
) -> None:
    left = up.ask("SELECT count(*) FROM current_orders")
    assert left == [[str(orders["inserted"] - orders["deleted"])]]


def test_the_aws_cli_changes_an_order_and_finds_its_history(up: Up) -> None:
    table = up.outputs["tableName"]
    key = json.dumps({"orderid": {"S": "by-hand"}})
    item = {"orderid": {"S": "by-hand"}, "price": {"N": "12.5"}, "status": {"S": "placed"}}
    up.aws("dynamodb", "put-item", "--table-name", table, "--item", json.dumps(item))
    up.aws(
        *("dynamodb", "update-item", "--table-name", table, "--key", key),
        *("--update-expression", "SET #s = :s"),
        *("--expression-attribute-names", '{"#s": "status"}'),
        *("--expression-attribute-values", '{":s": {"S": "paid"}}'),
    )
    up.aws("dynamodb", "delete-item", "--table-name", table, "--key", key)
    sql = (
        "SELECT event_type, status, price FROM changes WHERE orderid = 'by-hand' "
        "ORDER BY sequence_number"
    )
    until(lambda: len(up.ask(sql)) == 3)
    assert up.ask(sql) == [
        ["INSERT", "placed", "12.50"],
        ["MODIFY", "paid", "12.50"],
        ["REMOVE", "paid", "12.50"],
    ]
    assert up.ask("SELECT count(*) FROM current_orders WHERE orderid = 'by-hand'") == [["0"]]


def test_the_aws_cli_runs_a_query_pages_it_and_finds_the_csv_in_s3(
    up: Up, orders: dict[str, Any]
) -> None:
    started = up.aws(
        *("athena", "start-query-execution", "--work-group", up.outputs["workgroupName"]),
        *("--query-execution-context", f"Database={up.outputs['databaseName']}"),
        *("--query-string", "SELECT orderid, price FROM changes ORDER BY orderid LIMIT 7"),
    )
    query = started["QueryExecutionId"]

    def execution() -> dict[str, Any]:
        answer = up.aws("athena", "get-query-execution", "--query-execution-id", query)
        done: dict[str, Any] = answer["QueryExecution"]
        return done

    until(lambda: execution()["Status"]["State"] == "SUCCEEDED")
    results = ("athena", "get-query-results", "--query-execution-id", query)
    pages = [up.aws(*results, "--max-items", "5")]
    pages.append(up.aws(*results, "--starting-token", pages[0]["NextToken"]))
    rows = [row for page in pages for row in page["ResultSet"]["Rows"]]
    assert len(rows) == 8, "a header and seven rows"
    where = execution()["ResultConfiguration"]["OutputLocation"]
    bucket, key = where.removeprefix("s3://").split("/", 1)
    body = up.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    expected = [[cell["VarCharValue"] for cell in row["Data"]] for row in rows]
    assert list(csv.reader(io.StringIO(body))) == expected


def test_a_query_that_fails_says_why_as_athena_does(up: Up) -> None:
    athena = up.client("athena")
    where = {
        "WorkGroup": up.outputs["workgroupName"],
        "QueryExecutionContext": {"Database": up.outputs["databaseName"]},
    }
    query = athena.start_query_execution(QueryString="SELECT nope FROM changes", **where)
    identity = query["QueryExecutionId"]
    until(lambda: up.state(athena, identity) == "FAILED")
    status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
    assert (
        "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"
        in (status["StateChangeReason"])
    )
    with pytest.raises(ClientError, match="mismatched input"):
        athena.start_query_execution(QueryString="SELEKT 1", **where)


def test_the_crawler_runs_from_the_aws_cli(up: Up, orders: dict[str, Any]) -> None:
    name = up.outputs["crawlerName"]
    up.aws("glue", "start-crawler", "--name", name)
    until(lambda: up.aws("glue", "get-crawler", "--name", name)["Crawler"]["State"] == "READY")
    last = up.aws("glue", "get-crawler", "--name", name)["Crawler"]["LastCrawl"]
    assert last["Status"] == "SUCCEEDED"
    tables = up.aws("glue", "get-tables", "--database-name", up.outputs["databaseName"])
    assert "crawled_projection" in [one["Name"] for one in tables["TableList"]]
    counted = up.ask("SELECT count(*) FROM crawled_projection")
    declared = up.ask(f"SELECT count(*) FROM {up.outputs['projectionTable']}")
    assert counted == declared


def _frame_program(body: str) -> str:
    return (
        "import json, os\n"
        "outputs = json.load(open(os.environ['SALES_CDC_OUTPUTS']))\n"
        "sql = 'SELECT orderid, price, quantity FROM current_orders ORDER BY orderid'\n"
        f"{body}\n"
        "print(json.dumps([len(frame), str(sum(frame['price'])), int(frame['quantity'].sum())]))\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "from pyathena import connect\n"
            "from pyathena.pandas.cursor import PandasCursor\n"
            "connection = connect(work_group=outputs['workgroupName'],"
            " schema_name=outputs['databaseName'], cursor_class=PandasCursor)\n"
            "frame = connection.cursor().execute(sql).as_pandas()",
            id="pyathena",
        ),
        pytest.param(
            "import awswrangler as wr\n"
            "frame = wr.athena.read_sql_query(sql, database=outputs['databaseName'],"
            " workgroup=outputs['workgroupName'], ctas_approach=False)",
            id="awswrangler",
        ),
    ],
)
def test_data_people_read_a_result_into_a_frame(up: Up, orders: dict[str, Any], body: str) -> None:
    done = up.run(sys.executable, "-c", _frame_program(body))
    assert done.returncode == 0, done.stderr
    count, price, quantity = json.loads(done.stdout)
    ((rows, prices, units),) = up.ask(
        "SELECT count(*), sum(price), sum(quantity) FROM current_orders"
    )
    assert (str(count), str(quantity)) == (rows, units)
    assert abs(Decimal(price) - Decimal(prices or "0")) < Decimal("0.01")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_local_query_is_a_thin_client(up: Up, orders: dict[str, Any], form: str) -> None:
    done = up.python("local", "query", "SELECT 1 AS one, 'a' AS letter", "--format", form)
    assert done.returncode == 0, done.stderr
    if form == "csv":
        assert list(csv.reader(io.StringIO(done.stdout))) == [["one", "letter"], ["1", "a"]]
    elif form == "json":
        assert json.loads(done.stdout) == [{"one": 1, "letter": "a"}]
    else:
        assert "one" in done.stdout
        assert "letter" in done.stdout


def test_local_query_says_what_is_wrong_with_the_sql(up: Up) -> None:
    done = up.python("local", "query", "SELECT nope FROM changes")
    assert done.returncode == 1
    assert "Column 'nope' cannot be resolved" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_one_in_the_same_folder_is_rejected(up: Up) -> None:
    done = up.python("local", "up")
    assert done.returncode == 1
    assert "runs already" in done.stderr


def test_without_a_running_stack_query_says_how_to_start_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "query", "SELECT 1"],
        cwd=ROOT,
        env=os.environ | {"SALES_CDC_LOCAL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "python -m local up" in done.stderr


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    running = Up(tmp_path, sys.executable, "-m", "local", "up")
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout
    mine = [
        line.split()[0]
        for line in listed.splitlines()
        if line.split()[1] == str(running.process.pid)
    ]
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=30) == 0
    told = (tmp_path / "stderr").read_text()
    assert "stopped; 0 changes captured" in told
    assert "Traceback" not in told
    assert mine
    assert not any(Path(f"/proc/{pid}").exists() for pid in mine)
    assert not (tmp_path / "up.json").exists()
