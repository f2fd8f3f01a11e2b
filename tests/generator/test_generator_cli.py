"""The real command line, in its own process."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema import Column, Schema
from tests.generator.generator_support import PROJECT, REGION, Account, Cli, Finished


def refused(done: Finished, *words: str) -> None:
    """One clear line, exit 2."""
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err


def test_a_stack_of_another_table_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    columns = (Column(name="id", type="string"),)
    schema = Schema(name="shipments", key="id", columns=columns)
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"tableName": "t", "schema": schema.to_json()}))
    done = cli("--outputs", str(outputs), "--count", "1")
    refused(done, "the table t of this stack holds shipments, and the generator writes orders")


def test_json_says_what_the_table_and_the_journal_hold(
    account: Account, cli: Cli, tmp_path: Path
) -> None:
    table, journal = account.table(), tmp_path / "written.jsonl"
    arguments = ["--count", "200", "--seed", "7", "--journal", str(journal), "--json"]
    done = cli("--table", table, *arguments)
    assert done.code == 0, done.err
    assert done.err == "", "no progress bar where there is no terminal"
    facts = json.loads(done.out)
    assert facts["inserted"] == 200
    assert (facts["failed"], facts["interrupted"]) == (0, False)
    assert (facts["table"], facts["region"], facts["seed"]) == (table, REGION, 7)

    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(lines) == facts["inserted"] + facts["updated"] + facts["deleted"]
    latest = {line["orderid"]: line["item"] for line in lines}
    assert account.items(table) == {order: item for order, item in latest.items() if item}


def test_the_same_seed_writes_the_same_orders_at_any_concurrency(
    account: Account, cli: Cli
) -> None:
    tables = {"1": account.table(), "12": account.table()}
    for concurrency, table in tables.items():
        at = ("--start", "2026-01-01", "--concurrency", concurrency)
        assert cli("--table", table, "--seed", "5", *at).code == 0
    one, twelve = (account.items(table) for table in tables.values())
    assert one == twelve
    assert one


def test_a_hundred_orders_unless_told_otherwise(account: Account, cli: Cli) -> None:
    done = cli("--table", account.table())
    assert done.code == 0
    assert "100 inserts, 50 updates, 17 deletes" in done.out


def test_outputs_name_the_table_and_the_region(account: Account, cli: Cli, tmp_path: Path) -> None:
    table, outputs = account.table(), tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"tableName": table, "region": REGION, "bucketName": "b"}))
    done = cli("--outputs", str(outputs), "--count", "5", "--json", AWS_REGION=None)
    assert done.code == 0, done.err
    assert json.loads(done.out)["region"] == REGION


def test_the_endpoint_may_be_given(account: Account, cli: Cli) -> None:
    url = account.environment["AWS_ENDPOINT_URL"]
    done = cli("--table", account.table(), "--endpoint-url", url, AWS_ENDPOINT_URL=None)
    assert done.code == 0, done.err


def fake_pulumi(directory: Path, script: str) -> str:
    program = directory / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def test_a_stack_is_asked_for_its_outputs(account: Account, cli: Cli, tmp_path: Path) -> None:
    table = account.table()
    path = fake_pulumi(
        tmp_path,
        '[ "$*" = "stack output --json --non-interactive --stack=dev" ] || exit 9\n'
        "[ -f generator/cli.py ] || exit 9\n"
        f"""echo '{{"tableName": "{table}", "region": "{REGION}"}}'""",
    )
    done = cli("--stack", "dev", PATH=path)
    assert done.code == 0, done.err


def test_a_missing_stack_is_said_in_pulumis_words(cli: Cli, tmp_path: Path) -> None:
    path = fake_pulumi(tmp_path, "echo \"Error: no stack named 'nix' found\" >&2; exit 255")
    refused(cli("--stack", "nix", PATH=path), "no stack named 'nix' found")


def test_a_missing_pulumi_is_said(cli: Cli, tmp_path: Path) -> None:
    refused(cli("--stack", "dev", PATH=str(tmp_path)), "Pulumi CLI", "--outputs FILE")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["which stack?", "--stack NAME", "--outputs FILE", "SALES_CDC_OUTPUTS"]),
        (["--table", "t", "--stack", "dev"], ["--table NAME or a stack", "not both"]),
        (["--stack", "dev", "--outputs", "o.json"], ["a stack or an outputs file, not both"]),
        (["--table", ""], ["--table: the name is empty"]),
        (["--table", "t", "--updates", "0.7", "--deletes", "0.4"], ["= 1.1: must be below 1"]),
        (["--table", "t", "--rate", "-1"], ["rate -1: must be above 0"]),
        (["--table", "t", "--count", "-5"], ["count -5"]),
        (["--table", "t", "--start", "soon"], ["start 'soon'", "ISO 8601"]),
        (["--table", "t", "--endpoint-url", "nowhere"], ["Invalid endpoint: nowhere"]),
        (["--table", "no-such-table"], ["table 'no-such-table' does not exist", REGION]),
        (["--outputs", "/no/such.json"], ["/no/such.json", "No such file"]),
        (["--outputs", "/"], ["outputs file /", "directory"]),
    ],
)
def test_wrong_usage_is_one_clear_line(cli: Cli, arguments: list[str], words: list[str]) -> None:
    refused(cli(*arguments), *words)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "not JSON"),
        ("[1]", "one JSON object"),
        ("{}", "no output tableName"),
        ('{"tableName": 3}', "tableName is not text"),
        ('{"tableName": "orders", "region": 3}', "region is not text"),
    ],
)
def test_a_bad_outputs_file_is_one_clear_line(
    cli: Cli, tmp_path: Path, text: str, word: str
) -> None:
    (tmp_path / "o.json").write_text(text)
    refused(cli("--outputs", str(tmp_path / "o.json")), "o.json", word)


def test_missing_settings_are_one_clear_line(cli: Cli, tmp_path: Path) -> None:
    refused(cli("--table", "t", AWS_REGION=None), "no AWS region")
    refused(cli("--table", "t", AWS_ACCESS_KEY_ID=None), "no AWS credentials")
    refused(cli("--table", "t", AWS_PROFILE="nix"), "profile (nix) could not be found")
    refused(cli("--table", "t", AWS_ENDPOINT_URL="http://127.0.0.1:9"), "cannot reach AWS")
    refused(cli("--table", "t", "--journal", f"{tmp_path}/no/such"), "cannot write the journal")


@contextlib.contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """An endpoint that answers everything with one error."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"__type": code, "message": "as you see"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("ExpiredTokenException", "credentials have expired: sign in again"),
        ("UnrecognizedClientException", "credentials were not accepted"),
        ("AccessDeniedException", "no permission: DescribeTable: as you see. Needed: the stack"),
        ("SomethingElse", "DescribeTable failed: SomethingElse: as you see (table 'orders' in"),
    ],
)
def test_an_aws_error_becomes_a_plain_message(cli: Cli, code: str, word: str) -> None:
    with answering(400, code) as url:
        refused(cli("--table", "orders", "--endpoint-url", url), word)


def start(account: Account, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "generator", *arguments],
        cwd=PROJECT,
        env=account.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **streams,
    )


def until_written(account: Account, table: str) -> None:
    deadline = time.monotonic() + 30
    while not account.items(table):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_and_says_what_was_written(
    account: Account, number: signal.Signals
) -> None:
    table = account.table()
    process = start(account, "--table", table, "--rate", "50", "--json", stderr=subprocess.PIPE)
    until_written(account, table)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    facts = json.loads(out)
    assert facts["interrupted"] is True
    assert facts["inserted"] - facts["deleted"] == len(account.items(table))


def test_changes_that_cannot_be_written_make_exit_code_1(account: Account, cli: Cli) -> None:
    """The table goes away while it is written."""
    table = account.table()
    arguments = ["--table", table, "--rate", "50", "--duration", "30", "--json"]
    process = start(account, *arguments, stderr=subprocess.PIPE)
    until_written(account, table)
    account.client.delete_table(TableName=table)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert json.loads(out)["inserted"] > 0
    assert err == f"Error: stopped early: table {table!r} does not exist in {REGION} at " + (
        account.environment["AWS_ENDPOINT_URL"] + "\n"
    )


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_sees_progress(account: Account, colour: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm-256color"} | ({} if colour else {"NO_COLOR": "1"})
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "--table", account.table(), "--rate", "80"],
        cwd=PROJECT,
        env={k: v for k, v in account.environment.items() if k != "NO_COLOR"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    readable = select.poll()  # select() takes no descriptor past 1023
    readable.register(ours, select.POLLIN)
    seen = b""
    with contextlib.suppress(OSError):  # Linux: the terminal's other end is closed
        while readable.poll(20_000) and (piece := os.read(ours, 4096)):
            seen += piece
    os.close(ours)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"writing" in seen
    assert b"orders" in seen
    assert (b"\x1b[38;" in seen or b"\x1b[32m" in seen or b"\x1b[33m" in seen) == colour
    assert b"100 inserts" in out


def test_help_teaches_by_example(cli: Cli) -> None:
    done = cli("--help")
    assert done.code == 0
    for text in ("python -m generator --stack dev", "--rate 200 --duration 60", "Exit codes"):
        assert text in done.out


def user_with(account: Account, table: str, *actions: str) -> dict[str, str]:
    """Keys of a new IAM user who may do these actions on the table, and nothing else."""
    iam = account.emulator.aws.client("iam")
    arn = account.client.describe_table(TableName=table)["Table"]["TableArn"]
    allowed = [f"dynamodb:{action}" for action in actions]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = f"writer-of-{table}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="write", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def test_it_needs_no_more_than_to_describe_the_table_and_write_batches(
    account: Account, cli: Cli
) -> None:
    table = account.table()
    done = cli("--table", table, **user_with(account, table, "DescribeTable", "BatchWriteItem"))
    assert done.code == 0, done.err


def test_without_write_permission_the_missing_action_is_reported(
    account: Account, cli: Cli
) -> None:
    table = account.table()
    done = cli("--table", table, **user_with(account, table, "DescribeTable"))
    refused(done, "no permission", "dynamodb:BatchWriteItem", "writerPolicyArn")
