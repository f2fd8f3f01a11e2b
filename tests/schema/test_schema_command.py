"""`python -m schema` as a user types it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner, Result

from schema.commands import cli
from schema.files import load

ITEMS: list[dict[str, Any]] = [
    {
        "orderId": {"S": f"o-{number}"},
        "price": {"N": f"{number}.50"},
        "email": {"S": f"a{number}@example.com"},
        "lines": {"L": [{"M": {"sku": {"S": "x"}, "quantity": {"N": "2"}}}]},
    }
    for number in range(20)
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "AWSDynamoDB" / "0123-abc"
    (folder / "data").mkdir(parents=True)
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in ITEMS)
    (folder / "data" / "one.json.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """DynamoDB, which answers what a test lays down."""
    client = boto3.client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    monkeypatch.setattr(cli.boto3, "client", lambda _: client)
    with Stubber(client) as stubber:
        yield stubber


def described(**more: Any) -> dict[str, Any]:
    return {
        "Table": {
            "KeySchema": [{"AttributeName": "orderId", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "orderId", "AttributeType": "S"}],
        }
        | more
    }


def test_an_export_becomes_a_schema_file_that_its_items_fit(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "schema.yaml"
    done = run(
        "infer", "--from", str(export), "--key", "orderId", "--name", "orders", "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    schema = load(out)
    assert [(one.attribute, one.name, one.type) for one in schema.columns] == [
        ("orderId", "orderid", "string"),
        ("email", "email", "string"),
        ("lines", "lines", "array<struct<quantity:int,sku:string>>"),
        ("price", "price", "decimal(10,1)"),
    ]
    text = out.read_text()
    assert "# email looks personal: an e-mail address" in text
    assert "# hash or drop instead of keep: the lake does not get the values" in text
    assert "personal: true\n    privacy: keep\n" in text
    assert [one.name for one in schema.columns if one.personal] == ["email"]
    done = run("check", str(out), "--from", str(export), "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert (facts["items"], facts["rejected"], facts["problems"]) == (20, {}, [])


class Table:
    """DynamoDB with one table, whose items are spread over the segments of a scan."""

    def describe_table(self, TableName: str) -> dict[str, Any]:
        return described()

    def scan(self, *, Segment: int, TotalSegments: int, **_: Any) -> dict[str, Any]:
        items = ITEMS[Segment::TotalSegments]
        return {
            "Items": items,
            "ScannedCount": len(items),
            "ConsumedCapacity": {"CapacityUnits": 1.0},
            "ResponseMetadata": {"HTTPHeaders": {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}},
        }


@pytest.mark.parametrize(("most", "items"), [(10_000, 20), (7, 7)])
def test_a_table_is_sampled_in_all_its_segments(
    monkeypatch: pytest.MonkeyPatch, most: int, items: int
) -> None:
    monkeypatch.setattr(cli.boto3, "client", lambda _: Table())
    done = run("infer", "--table", "my-orders", "--json", "--sample", str(most))
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["items"] == items
    assert (facts["schema"]["name"], facts["schema"]["key"]) == ("my_orders", "orderid")
    assert facts["attributes"][1]["personal"] == [
        {"path": "email", "looks_like": "an e-mail address"}
    ]


def test_check_tells_every_item_that_would_fail_and_why(export: Path, tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text(
        "name: orders\nkey: orderid\ncolumns:\n"
        "  - {name: orderid, attribute: orderId, type: string}\n"
        "  - {name: price, type: int}\n"
        "  - {name: colour, type: string}\n"
    )
    done = run("check", str(file), "--from", str(export))
    assert done.exit_code == 1
    words = " ".join(done.stderr.split())
    assert "20 of 20 items would fail" in words
    assert "price" in words
    assert "lines: in 20 of 20 items; kept in extras" in words
    assert "colour: in none of the 20 items" in words


def test_keys_that_differ_are_told_with_both(table: Stubber, tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("name: orders\nkey: id\ncolumns:\n  - {name: id, type: string}\n")
    table.add_response("describe_table", described())
    done = run("check", str(file), "--table", "t")
    assert done.exit_code == 1
    assert "the table's keys are orderId; the schema's are id" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["infer"], "--table NAME or --from PATH"),
        (["infer", "--from", "nowhere", "--key", "a"], "no such file or folder"),
        (["infer", "--from", "."], "--from needs --key"),
        (["check", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
        (["infer", "--table", "t", "--key", "a"], "--key and --sort-key go with --from"),
        (["infer", "--table", "t", "--out", "README.md"], "README.md: exists"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.output


def test_garbage_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "items.json"
    for text, told in (
        ('{"id": {"S": "a"}}\nnot json\n', "items.json:2: not JSON"),
        ('{"id": "a"}\n', "items.json:1: not an item in DynamoDB JSON"),
        ("[" * 100_000, "items.json:1: not JSON"),
    ):
        file.write_text(text)
        done = run("infer", "--from", str(file), "--key", "id")
        assert (done.exit_code, told in done.stderr) == (2, True), done.stderr
    file.write_text('{"other": {"S": "a"}}')
    assert (
        "id: not in every item, as a key is"
        in run("infer", "--from", str(file), "--key", "id").stderr
    )


def test_a_missing_table_and_a_missing_permission_are_told_in_words(table: Stubber) -> None:
    table.add_client_error("describe_table", "ResourceNotFoundException", "Table: t not found")
    done = run("infer", "--table", "t")
    assert (done.exit_code, "t not found" in done.stderr) == (2, True)
    table.add_client_error(
        "describe_table", "AccessDeniedException", "is not authorized to perform"
    )
    done = run("check", "pyproject.toml", "--table", "t")
    assert done.exit_code == 1, "the file is checked before the table is looked at"
    done = run("infer", "--table", "t")
    assert (done.exit_code, "dynamodb:Scan" in done.stderr) == (2, True)
