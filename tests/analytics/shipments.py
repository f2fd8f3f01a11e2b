"""A lake of shipments: nested columns, two keys, names that SQL reserves, and a snapshot."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from analytics import load_views
from client.athena import Athena
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena as LocalEngine
from schema import BEFORE_ALL, Column, Schema
from tests.analytics.local_athena import BUCKET, FAILED, WORKGROUP, table
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


def _row(now: datetime, number: int, event: str, minutes: float, **columns: Any) -> dict[str, Any]:
    """An event row, made so many minutes ago; ``number`` is its place in the order of changes."""
    made = now - timedelta(minutes=minutes)
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


def _rows(now: datetime) -> list[dict[str, Any]]:
    return [
        _row(now, 0, "SNAPSHOT", 40, order={"ref": "old", "lines": None}, copy="1", weight=0.5),
        _row(now, 0, "SNAPSHOT", 30, order=BOX, copy='{"a":1}', newest=["x"], weight=1.25),
        _row(now, 1, "MODIFY", 9, order=BOX, copy='{"a":2}', newest=["x", "y"], weight=1.25),
        _row(now, 1, "MODIFY", 9, order=BOX, copy='{"a":2}', newest=["x", "y"], weight=1.25),
        _row(now, 2, "INSERT", 8, id=8, weight=3.0),
        _row(now, 3, "REMOVE", 7, deleted_by="ttl", order=BOX, copy='{"a":2}', weight=1.25),
        _row(now, 0, "SNAPSHOT", 30, id=9, event_id="snapshot:9/o'ut", order=BOX),
    ]


@dataclass(frozen=True)
class Shipments:
    """The lake, and what reaches it from another process."""

    athena: Athena
    outputs: dict[str, str]
    environment: dict[str, str]
    filled: datetime


@contextmanager
def running(directory: Path) -> Iterator[Shipments]:
    """The lake in the local account."""
    with Emulator(directory, region="us-east-1") as emulator:
        aws = emulator.aws
        gateway = Gateway(aws, LocalEngine(aws))
        gateway.start()
        try:
            outputs = {
                "workgroupName": WORKGROUP,
                "databaseName": DATABASE,
                "region": aws.region,
                "schema": SHIPMENTS.to_json(),
            }
            environment = {
                "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
                "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
                "AWS_ENDPOINT_URL": aws.emulator_url,
                "AWS_ENDPOINT_URL_ATHENA": aws.gateway_url or "",
            }
            now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
            _fill(aws, now)
            with mock.patch.dict(os.environ, environment):
                athena = Athena(outputs)
            for view in load_views(DATABASE, SHIPMENTS):
                athena.ask(f"CREATE VIEW {view.name} AS {view.sql}")
            yield Shipments(athena, outputs, environment, now)
        finally:
            gateway.stop()


def _fill(aws: Any, now: datetime) -> None:
    s3, glue = aws.client("s3"), aws.client("glue")
    s3.create_bucket(Bucket=BUCKET)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    columns = {column.name: column.hive for column in SHIPMENTS.event_row}
    days = f"{now - timedelta(days=2):%Y-%m-%d},{now + timedelta(days=2):%Y-%m-%d}"
    for name, of in (("projection", columns), ("projection_processing_failed", FAILED)):
        definition = table(name, of)
        definition["Parameters"]["projection.day.range"] = days
        glue.create_table(DatabaseName=DATABASE, TableInput=definition)
    aws.client("athena").create_work_group(
        Name=WORKGROUP,
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/athena-results/"},
        },
    )
    body = "".join(json.dumps(one) + "\n" for one in _rows(now)).encode()
    key = f"projection/day={now:%Y-%m-%d}/hour={now:%H}/rows"
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
