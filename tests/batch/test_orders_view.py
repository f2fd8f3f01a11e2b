"""The view that the job updates, in an emulator's catalog."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.account.aws import Aws
from local.account.emulator import Emulator

VIEW = {
    "name": "current_orders",
    "sql": "SELECT '${day}' AS day, '${hour}' AS hour",
    "columns": [{"name": "day", "type": "varchar"}, {"name": "hour", "type": "varchar"}],
}
STORAGE = {
    "Columns": [{"Name": "day", "Type": "string"}, {"Name": "hour", "Type": "string"}],
    "SerdeInfo": {"Name": "-", "SerializationLibrary": "-"},
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with Emulator(tmp_path_factory.mktemp("emulator"), region="eu-west-1") as emulator:
        yield emulator.aws


@pytest.fixture
def updates(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of each UpdateTable that the job's own client sends."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.emulator_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.root.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.root.secret_access_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws.region)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
    sent: list[Any] = []
    boto3.DEFAULT_SESSION.events.register(
        "before-parameter-build.glue.UpdateTable", lambda params, **_: sent.append(dict(params))
    )
    return sent


def test_the_view_is_pointed_once_an_hour_and_keeps_what_it_is(
    aws: Aws, updates: list[Any]
) -> None:
    from orders_view import point_view

    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "shop"})
    made = {
        "Name": VIEW["name"],
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": STORAGE,
        "ViewOriginalText": "/* Presto View: e30= */",
        "ViewExpandedText": "/* Presto View */",
    }
    glue.create_table(DatabaseName="shop", TableInput=made)
    for settled in ("2026-11-21-09", "2026-11-21-09", "2026-11-21-10"):
        point_view("shop", VIEW, settled)

    table = glue.get_table(DatabaseName="shop", Name=VIEW["name"])["Table"]
    text = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    assert json.loads(base64.b64decode(text)) == {
        "originalSql": "SELECT '2026-11-21' AS day, '10' AS hour",
        "catalog": "awsdatacatalog",
        "schema": "shop",
        "columns": VIEW["columns"],
    }
    assert {key: table["StorageDescriptor"][key] for key in STORAGE} == STORAGE
    assert (table["TableType"], table["ViewExpandedText"]) == ("VIRTUAL_VIEW", "/* Presto View */")
    # Not when nothing is new, and never with a version of the table for the archive.
    assert [one["SkipArchive"] for one in updates] == [True, True]
