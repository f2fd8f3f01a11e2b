"""`python -m analytics dashboard` and `tableau`, without a browser."""

from __future__ import annotations

import json
import socket
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analytics import __main__ as command
from analytics.dashboard import serve
from analytics.tableau import data_source
from local.account.deploy import OVERRIDES
from schema import ORDERS

OUTPUTS = {
    "region": "eu-west-1",
    "databaseName": "sales_cdc_dev",
    "workgroupName": "sales-cdc-dev",
}


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS))
    return file


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command.app, [*arguments])


def test_a_port_that_is_taken_is_said_to_be_so(outputs: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("dashboard", "--outputs", str(outputs), "--port", str(port))
    assert done.exit_code == 1
    assert f"port {port} is taken" in done.stderr


def test_without_streamlit_it_says_what_to_install(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "installed", lambda: False)
    done = run("dashboard", "--outputs", str(outputs), "--port", "0")
    assert done.exit_code == 1
    assert "sales-cdc[dashboard]" in done.stderr


def test_which_stack_is_a_matter_of_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALES_CDC_OUTPUTS", raising=False)
    done = run("dashboard")
    assert done.exit_code == 2
    assert "--stack NAME" in done.stderr


def test_the_server_listens_locally_and_sends_no_usage_data(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    monkeypatch.setenv("SALES_CDC_DASHBOARD", "")
    done = run("dashboard", "--outputs", str(outputs), "--port", "0", "--refresh", "120")
    assert done.exit_code == 0 and done.stdout.startswith("http://localhost:")
    (arguments,) = started
    assert "--server.address=127.0.0.1" in arguments
    assert "--browser.gatherUsageStats=false" in arguments
    page = serve.Page.from_environment()
    assert page.outputs == OUTPUTS
    assert page.refresh == 120
    assert page.generator_command == f"python -m generator --outputs {outputs} --count 100"


def test_tableau_writes_the_data_source_and_the_drivers_settings(
    outputs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sales.tds"
    done = run("tableau", "--outputs", str(outputs), "--output", str(file))
    assert done.exit_code == 0
    assert done.stdout.split() == [str(file), str(tmp_path / "athena.properties")]
    settings = (tmp_path / "athena.properties").read_text()
    assert settings == "Workgroup=sales-cdc-dev\nAwsRegion=eu-west-1\n"
    root = ET.parse(file).getroot()
    connection = root.find("connection/named-connections/named-connection/connection")
    assert connection is not None
    assert connection.attrib == {
        "class": "athena",
        "server": "athena.eu-west-1.amazonaws.com",
        "port": "443",
        "dbname": "AwsDataCatalog",
        "schema": "sales_cdc_dev",
    }


def test_a_directory_that_is_not_there_is_said_to_be_missing(outputs: Path) -> None:
    done = run("tableau", "--outputs", str(outputs), "--output", "/nowhere/sales.tds")
    assert done.exit_code == 1
    assert "/nowhere/sales.tds" in done.stderr


def test_tableau_needs_a_region(outputs: Path) -> None:
    outputs.write_text(json.dumps({k: v for k, v in OUTPUTS.items() if k != "region"}))
    done = run("tableau", "--outputs", str(outputs), "--output", "x.tds")
    assert done.exit_code == 2
    assert "no output region" in done.stderr


def test_the_data_source_has_every_column_and_each_measure_can_be_added_up() -> None:
    root = ET.fromstring(data_source(OUTPUTS))
    relation = root.find("connection/relation")
    named = root.find("connection/named-connections/named-connection")
    assert relation is not None and named is not None
    assert relation.attrib["connection"] == named.attrib["name"]
    assert relation.attrib["table"] == "[sales_cdc_dev].[current_orders]"
    fields = {column.attrib["name"].strip("[]"): column for column in root.findall("column")}
    names = [column.name for column in ORDERS.event_row]
    assert list(fields)[: len(names)] == names
    roles = {name: field.attrib["role"] for name, field in fields.items()}
    assert [n for n in names if roles[n] == "measure"] == ["quantity", "price"]
    assert fields["created_at"].attrib["datatype"] == "datetime"
    known = set(fields)
    for field in fields.values():
        if (calculation := field.find("calculation")) is not None:
            used = {part.split("]")[0] for part in calculation.attrib["formula"].split("[")[1:]}
            assert used <= known


def test_chinas_regions_have_their_own_domain() -> None:
    assert b'server="athena.cn-north-1.amazonaws.com.cn"' in data_source(
        OUTPUTS | {"region": "cn-north-1"}
    )


def test_a_local_stack_leaves_quicksight_out_and_says_so() -> None:
    value, reason = OVERRIDES["dashboard"]
    assert value == "false"
    assert "QuickSight is not emulated" in reason and "python -m local dashboard" in reason
