"""A table that was there before the stack, with nested items: the demo of it, and the example."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.account.aws import Aws
from local.account.deploy import ROOT
from local.chain import LocalChain
from local.commands import demo, source_table
from local.commands.operator import LocalAccount
from local.commands.own_table import OwnTableDemo, OwnTablePlan
from local.commands.up import engineer
from local.errors import UsageError
from local.standins.pipe import Pipe
from operate import snapshot
from operate.snapshot.reading import Export
from operate.verify import Verifier
from schema.commands.sources import read
from tests.e2e.test_demo import children, local
from tests.local.chain_parts import until

EXAMPLE = ROOT / "examples" / "own_table"
TABLE, ITEMS = EXAMPLE / "table.json", EXAMPLE / "items.jsonl"
of_the_example = pytest.mark.xdist_group("own table")  # one stack for these tests


@pytest.mark.parametrize(
    "stack", [pytest.param("dev", id="json"), pytest.param("prod", id="parquet")]
)
def test_every_item_and_every_change_of_an_existing_table_reaches_the_lake(stack: str) -> None:
    done = local("demo", "--own-table", "--orders", "300", "--stack", stack, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert {k: facts[k] for k in ("lost", "matches_table", "snapshot", "failed", "method")} == {
        "lost": 0,
        "matches_table": True,
        "snapshot": 300,
        "failed": 0,
        "method": "export",
    }
    changes = facts["changes"]
    assert min(changes.values()) > 0, "every kind of change was made"
    assert facts["captured"] == facts["delivered"] == sum(changes.values())
    assert facts["table_items"] == 300 + changes["insert"] - changes["delete"]
    assert facts["changes_during_snapshot"] > 0
    assert facts["extras"] > 0, "some changes add a member that the schema does not know"
    assert facts["columns"]["externalref"] == "json", "it is text in some items, else a number"
    assert facts["columns"]["lines"].startswith("array<struct<price:decimal(10,2)")
    assert "problems" not in facts
    for shown in ("customer.email: an e-mail address?", "sourceTable=shop-orders", "History of"):
        assert shown in done.stderr
    assert re.search(r"SNAPSHOT +(address|lines|status|tags)", done.stderr)
    assert done.stderr.rstrip().endswith("value by value."), "nothing else comes after the verdict"


def test_what_does_not_arrive_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "STALL_SECONDS", 1.0)
    monkeypatch.setattr("local.commands.own_table._SECONDS", 0.0)
    whole, carry, dropped = Export.batches, Pipe._put, 0

    def nothing(*arguments: Any) -> Iterator[Any]:
        return (replace(one, items=[]) for one in whole(*arguments))

    def all_but_one(self: Pipe, events: Sequence[Any]) -> Any:
        nonlocal dropped
        dropped += 1
        return carry(self, events[1:]) if events[1:] else []

    monkeypatch.setattr(Export, "batches", nothing)
    no_items = OwnTableDemo(OwnTablePlan(stack="dev", orders=600)).run()
    assert no_items.snapshot == 0
    assert no_items.delivered == sum(no_items.changes.values())
    assert 0 < no_items.lost < 600, "an item that was changed has a row"
    assert not no_items.matches_table
    assert not no_items.good
    monkeypatch.setattr(Export, "batches", whole)
    monkeypatch.setattr(Pipe, "_put", all_but_one)
    no_changes = OwnTableDemo(OwnTablePlan(stack="dev", orders=60)).run()
    assert no_changes.snapshot == 60
    assert no_changes.lost == dropped > 0
    assert not no_changes.good


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--orders", "9"], "orders 9: must be at least 10"),
        (["--garbage", "3", "--batch"], "--garbage, --batch: not with --own-table"),
        (["--stack", "nope"], "no stack 'nope'"),
    ],
)
def test_invalid_options_are_rejected_with_a_message(arguments: list[str], message: str) -> None:
    done = local("demo", "--own-table", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_leaves_no_process_and_says_so() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "demo", "--own-table", "--orders", "300"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "taking a snapshot" in line:
            break
    (emulator,) = (line for line in children(process.pid) if "strict_emulator" in line)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert not Path(f"/proc/{emulator.split()[0]}").exists()


# -- examples/own_table, by the steps of its README ------------------------------------------------


def make_table(aws: Aws) -> None:
    described = source_table.described_in(TABLE)
    source_table.from_files(aws.client("dynamodb"), described, ITEMS)


def query_of_the_readme() -> str:
    text = (EXAMPLE / "README.md").read_text()
    (sql,) = re.findall(r'analytics sql "(SELECT .*?)"', text, re.DOTALL)
    return " ".join(sql.split())


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    folder = tmp_path_factory.mktemp("own")
    with LocalChain("dev", folder, program=EXAMPLE, before_deploy=make_table) as running:
        yield running


@of_the_example
def test_the_example_has_its_history_and_answers_the_query_of_its_readme(
    example: LocalChain,
) -> None:
    user = engineer(example)
    account = LocalAccount(example, user)
    items = list(read(ITEMS, most=100))
    assert example.hops().captured == 0, "the table's stream is younger than its items"
    outcome = snapshot.Snapshot(account, method="scan").take()
    assert (outcome.rows, outcome.failed) == (len(items), 0)
    example.aws.client("dynamodb", user).update_item(
        TableName="shop-orders",
        Key={"orderId": {"S": "o-000001"}},
        UpdateExpression="SET #lines[0].quantity = :three",
        ExpressionAttributeNames={"#lines": "lines"},
        ExpressionAttributeValues={":three": {"N": "3"}},
    )
    until(lambda: example.hops().delivered == 1)
    example.check()
    verdict = Verifier(account).compare()
    assert verdict.matches
    assert verdict.table_items == len(items)
    revenue = {
        (row["city"], row["sku"]): row["revenue"]
        for row in example.ask(query_of_the_readme(), user)
    }
    wanted: dict[tuple[str, str], float] = {}
    for item in items:
        for line in item["lines"]["L"]:
            place = (item["address"]["M"]["city"]["S"], line["M"]["sku"]["S"])
            quantity = 3 if item["orderId"]["S"] == "o-000001" else int(line["M"]["quantity"]["N"])
            wanted[place] = wanted.get(place, 0) + quantity * float(line["M"]["price"]["N"])
    assert {place: float(one or 0) for place, one in revenue.items()} == pytest.approx(wanted)
    rows = example.ask("SELECT extras FROM current_shop_orders WHERE extras IS NOT NULL", user)
    assert [[*json.loads(row["extras"] or "{}")] for row in rows] == [["legacyImport"]]


@of_the_example
def test_its_saved_query_is_that_of_its_readme(example: LocalChain) -> None:
    athena, outputs = example.aws.client("athena"), example.outputs
    names = athena.list_named_queries(WorkGroup=outputs["workgroupName"])["NamedQueryIds"]
    saved = [athena.get_named_query(NamedQueryId=one)["NamedQuery"] for one in names]
    assert query_of_the_readme() in [one["QueryString"] for one in saved]


@of_the_example
def test_a_table_that_was_described_is_made_again(example: LocalChain, tmp_path: Path) -> None:
    answer = example.aws.client("dynamodb").describe_table(TableName="shop-orders")
    index = {"AttributeName": "status", "AttributeType": "S"}
    answer["Table"]["AttributeDefinitions"].append(index)  # of an index, which is left out
    (tmp_path / "table.json").write_text(json.dumps(answer, default=str))
    assert source_table.described_in(tmp_path / "table.json") == source_table.described_in(TABLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "table shop-orders: there is none of that name"),
        (
            {"StreamSpecification": None},
            "it has no stream. Switch it on: aws dynamodb update-table",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"}},
            "its stream has view type OLD_IMAGE",
        ),
        (
            {
                "KeySchema": [{"AttributeName": "no", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "no", "AttributeType": "N"}],
            },
            "its keys are no (N), and the schema's are orderId (S)",
        ),
    ],
    ids=["no table", "no stream", "no new images", "other keys"],
)
def test_a_table_that_cannot_be_captured_is_rejected(
    change: dict[str, Any] | None, message: str, tmp_path: Path
) -> None:
    def make(aws: Aws) -> None:
        if change is not None:
            described = {**source_table.described_in(TABLE), **change}
            source_table.make(aws.client("dynamodb"), described, ())

    chain = LocalChain("dev", tmp_path, program=EXAMPLE, before_deploy=make)
    with pytest.raises(UsageError, match=re.escape(message)):
        chain.start()


def test_a_schema_file_that_is_wrong_is_rejected_with_every_problem(tmp_path: Path) -> None:
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_text(file.read_text())
    schema = (tmp_path / "schema.yaml").read_text()
    wrong = schema.replace("type: json", "type: jason").replace("name: version", "name: status")
    (tmp_path / "schema.yaml").write_text(wrong)
    done = local("up", "--program", str(tmp_path), "--table", str(TABLE), env=_home(tmp_path))
    assert done.returncode == 2
    assert "schema.yaml:32: column 'externalref': unknown type 'jason'" in done.stderr
    assert "column 'status': declared twice" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("table", "items", "message"),
    [
        (None, "[]", "--items goes with --table"),
        ("[1", None, "table.json: not JSON"),
        ("[]", None, "not a table, as `aws dynamodb create-table --cli-input-json` takes it"),
        ('{"Table": null}', None, "there is no TableName"),
        ('{"TableName": "no keys"}', None, "table no keys: "),
        (TABLE.read_text(), '{"orderId": "a"}', "items.json:1: not an item in DynamoDB JSON"),
        (TABLE.read_text(), '{"no": {"S": "a"}}', "table shop-orders: "),
    ],
    ids=[
        "items alone",
        "no JSON",
        "no object",
        "no description",
        "no keys",
        "no item",
        "an item without key",
    ],
)
def test_files_that_make_no_table_are_rejected(
    table: str | None, items: str | None, message: str, tmp_path: Path
) -> None:
    arguments = ["up", "--program", str(EXAMPLE)]
    for option, text in (("table", table), ("items", items)):
        if text is not None:
            (tmp_path / f"{option}.json").write_text(text)
            arguments += [f"--{option}", str(tmp_path / f"{option}.json")]
    done = local(*arguments, env=_home(tmp_path))
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def _home(folder: Path) -> dict[str, str]:
    return os.environ | {"SALES_CDC_LOCAL_HOME": str(folder / "home")}
