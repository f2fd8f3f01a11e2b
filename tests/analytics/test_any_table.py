"""The queries and views on a table that does not hold orders: nested, two keys, awkward names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from analytics import load_queries, load_views
from client.athena import Athena
from local.account.aws import Aws
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena as LocalEngine
from schema import BEFORE_ALL, Column, Schema
from tests.analytics.local_athena import BUCKET, WORKGROUP, table
from tests.analytics.sales_lake import DATABASE

SHIPMENTS = Schema(
    name="shipments",
    key="id",
    sort_key="leg",
    columns=(
        Column(name="id", attribute="shipmentId", type="bigint"),
        Column(name="leg", type="string"),
        Column(name="order", type="struct<ref:string,lines:array<struct<sku:string,n:int>>>"),
        Column(name="copy", type="json"),
        Column(name="newest", type="array<string>"),
        Column(name="weight", type="decimal(10,3)"),
    ),
)
NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def row(number: int, event: str, minutes: float, **columns: Any) -> dict[str, Any]:
    """An event row, made so many minutes ago; ``number`` is its place in the order of changes."""
    made = NOW - timedelta(minutes=minutes)
    first = event == "SNAPSHOT"
    values = dict.fromkeys(column.name for column in SHIPMENTS.event_row) | {
        "id": 7,
        "leg": "o'ut",
        "event_type": event,
        "creation_time": f"{made}.000",
        "event_id": "snapshot:7/o'ut" if first else f"event-{number}",
        "sequence_number": BEFORE_ALL if first else f"{number:040}",
    }
    return values | columns


BOX = {"ref": "A", "lines": [{"sku": "ring", "n": 2}]}
ROWS = [
    row(0, "SNAPSHOT", 40, order={"ref": "old", "lines": None}, copy="1", weight=0.5),
    row(0, "SNAPSHOT", 30, order=BOX, copy='{"a":1}', newest=["x"], weight=1.25),
    row(1, "MODIFY", 9, order=BOX, copy='{"a":2}', newest=["x", "y"], weight=1.25),
    row(1, "MODIFY", 9, order=BOX, copy='{"a":2}', newest=["x", "y"], weight=1.25),
    row(2, "INSERT", 8, id=8, weight=3.0),
    row(3, "REMOVE", 7, deleted_by="ttl", order=BOX, copy='{"a":2}', weight=1.25),
    row(0, "SNAPSHOT", 30, id=9, event_id="snapshot:9/o'ut", order=BOX),
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with Emulator(tmp_path_factory.mktemp("any"), region="us-east-1") as emulator:
        gateway = Gateway(emulator.aws, LocalEngine(emulator.aws))
        gateway.start()
        yield emulator.aws
        gateway.stop()


@pytest.fixture(scope="module")
def athena(aws: Aws) -> Athena:
    s3, glue = aws.client("s3"), aws.client("glue")
    s3.create_bucket(Bucket=BUCKET)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    columns = {column.name: column.hive for column in SHIPMENTS.event_row}
    definition = table("projection", columns)
    today = f"{NOW - timedelta(days=2):%Y-%m-%d},{NOW + timedelta(days=2):%Y-%m-%d}"
    definition["Parameters"]["projection.day.range"] = today
    glue.create_table(DatabaseName=DATABASE, TableInput=definition)
    aws.client("athena").create_work_group(
        Name=WORKGROUP,
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/athena-results/"},
        },
    )
    body = "".join(json.dumps(one) + "\n" for one in ROWS).encode()
    s3.put_object(Bucket=BUCKET, Key=f"projection/day={NOW:%Y-%m-%d}/hour={NOW:%H}/rows", Body=body)
    environment = {
        "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
        "AWS_ENDPOINT_URL": aws.emulator_url,
        "AWS_ENDPOINT_URL_ATHENA": aws.gateway_url or "",
    }
    with mock.patch.dict(os.environ, environment):
        athena = Athena(
            {"workgroupName": WORKGROUP, "databaseName": DATABASE, "region": aws.region}
        )
    for view in load_views(DATABASE, SHIPMENTS):
        athena.ask(f"CREATE VIEW {view.name} AS {view.sql}")
    return athena


def ask(athena: Athena, name: str, **values: str) -> list[dict[str, Any]]:
    [query] = [query for query in load_queries(SHIPMENTS) if query.name == name]
    answer = athena.ask(query.sql, query.bind(values))
    return [dict(zip([c.name for c in answer.columns], one, strict=True)) for one in answer.rows]


def test_history_begins_with_the_newest_snapshot_and_shows_nested_values_as_json(
    athena: Athena,
) -> None:
    rows = ask(athena, "history", id="7", leg="o'ut")
    told = [tuple(one.values())[1:] for one in rows]

    def plain(value: str | None) -> Any:
        return json.loads(value) if value and value[0] in "{[" else value

    assert [(event, name, plain(a), plain(b)) for event, name, a, b in told] == [
        ("SNAPSHOT", "copy", None, {"a": 1}),
        ("SNAPSHOT", "newest", None, ["x"]),
        ("SNAPSHOT", "order", None, BOX),
        ("SNAPSHOT", "weight", None, "1.250"),
        ("MODIFY", "copy", {"a": 1}, {"a": 2}),
        ("MODIFY", "newest", ["x"], ["x", "y"]),
        ("REMOVE", "copy", {"a": 2}, None),
        ("REMOVE", "newest", ["x", "y"], None),
        ("REMOVE", "order", BOX, None),
        ("REMOVE", "weight", "1.250", None),
    ]


def test_recent_changes_and_changed_items_have_every_column_but_no_snapshot(athena: Athena) -> None:
    recent = ask(athena, "recent_changes", hours="2")
    assert [(one["event_type"], one["id"], one["deleted_by"]) for one in recent] == [
        ("REMOVE", 7, "ttl"),
        ("INSERT", 8, None),
        ("MODIFY", 7, None),
    ]
    assert list(recent[0])[3:] == [*(c.name for c in SHIPMENTS.columns), "extras"]
    changed = ask(athena, "changed_items", minutes="15")
    assert [(one["event_type"], one["id"]) for one in changed] == [("REMOVE", 7), ("INSERT", 8)]


def test_changes_are_counted_by_minute_and_type_without_copies(athena: Athena) -> None:
    rows = ask(athena, "changes_by_minute", minutes="20")
    assert sum(one["changes"] for one in rows) == 3
    assert [(one["inserts"], one["updates"], one["deletes"]) for one in rows] == [
        (0, 1, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]
    minute = (NOW - timedelta(minutes=9)).replace(second=0)
    assert rows[0]["changed_at"] == minute


def test_freshness_and_duplicates_count_changes_alone(athena: Athena) -> None:
    [fresh] = ask(athena, "freshness")
    assert fresh["changes"] == 3
    [day] = ask(athena, "duplicates")
    assert (day["changes"], day["duplicates"]) == (3, 1)


def test_the_view_has_what_is_left_of_changes_and_snapshots(athena: Athena) -> None:
    answer = athena.ask("SELECT id, event_type FROM current_shipments ORDER BY id")
    assert answer.rows == [(8, "INSERT"), (9, "SNAPSHOT")]
    answer = athena.ask("SELECT count(*) FROM changes WHERE event_type = 'MODIFY'")
    assert answer.rows == [(1,)]
