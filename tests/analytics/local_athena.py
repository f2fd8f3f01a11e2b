"""The same lake as objects in S3, queried through the Athena API of the local stack's gateway."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from analytics import Query, load_views
from client.athena import Athena
from local.account.aws import Aws
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena as LocalEngine
from schema import ORDERS, Column
from tests.analytics.sales_lake import DATABASE, Lake, Row

BUCKET, WORKGROUP = "lake", "analysts"
FAILED = {
    "attemptsmade": "int",
    "arrivaltimestamp": "bigint",
    "errorcode": "string",
    "errormessage": "string",
    "attemptendingtimestamp": "bigint",
    "rawdata": "string",
    "lambdaarn": "string",
}


class LocalAthena:
    """A Runner. It replaces the clock in the statement's text; the rest is unchanged."""

    def __init__(self, aws: Aws, lake: Lake, failed: list[dict[str, Any]]) -> None:
        self._now = lake.now
        self._s3 = aws.client("s3")
        self._s3.create_bucket(Bucket=BUCKET)
        glue = aws.client("glue")
        glue.create_database(DatabaseInput={"Name": DATABASE})
        columns = {column.name: column.type for column in ORDERS.event_row}
        glue.create_table(DatabaseName=DATABASE, TableInput=table("projection", columns))
        glue.create_table(
            DatabaseName=DATABASE, TableInput=table("projection_processing_failed", FAILED)
        )
        aws.client("athena").create_work_group(
            Name=WORKGROUP,
            Configuration={
                "EnforceWorkGroupConfiguration": True,
                "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/athena-results/"},
            },
        )
        self._put("projection", [(_where(row), _json(row)) for row in lake.rows])
        self._put("projection_processing_failed", [_record(record) for record in failed])
        environment = {
            "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
            "AWS_ENDPOINT_URL": aws.emulator_url,
            "AWS_ENDPOINT_URL_ATHENA": aws.gateway_url or "",
        }
        with mock.patch.dict(os.environ, environment):
            self._athena = Athena(
                {"workgroupName": WORKGROUP, "databaseName": DATABASE, "region": aws.region}
            )
        for view in load_views(DATABASE):
            self.sql(f"CREATE VIEW {view.name} AS {view.sql}")
        self._stored: dict[str, datetime] = {
            _folder(item["Key"]): item["LastModified"]
            for page in self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=BUCKET, Prefix="projection/"
            )
            for item in page["Contents"]
        }

    def ask(self, query: Query, **values: str) -> list[dict[str, Any]]:
        return self._rows(query.sql, query.bind(values))

    def sql(self, statement: str) -> list[dict[str, Any]]:
        return self._rows(statement, [])

    def stored(self, row: Row) -> datetime:
        """When S3 stored the row's object; a test cannot set that time."""
        return self._stored[_where(row)].astimezone(UTC).replace(tzinfo=None)

    def _rows(self, statement: str, literals: list[str]) -> list[dict[str, Any]]:
        stopped = re.sub(r"\bcurrent_date\b", f"DATE '{self._now:%Y-%m-%d}'", statement)
        stopped = re.sub(r"\blocaltimestamp\b", f"TIMESTAMP '{self._now}'", stopped)
        answer = self._athena.ask(stopped, literals)
        names = [column.name for column in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    def _put(self, table: str, rows: list[tuple[str, str]]) -> None:
        objects: dict[str, list[str]] = defaultdict(list)
        for where, text in rows:
            objects[where].append(text)
        for where, lines in objects.items():
            body = "".join(line + "\n" for line in lines).encode()
            self._s3.put_object(Bucket=BUCKET, Key=f"{table}/{where}/rows", Body=body)


@contextmanager
def running(directory: Path, lake: Lake, failed: list[dict[str, Any]]) -> Iterator[LocalAthena]:
    with Emulator(directory, region="us-east-1") as emulator:
        gateway = Gateway(emulator.aws, LocalEngine(emulator.aws))
        gateway.start()
        try:
            yield LocalAthena(emulator.aws, lake, failed)
        finally:
            gateway.stop()


def table(name: str, columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in ("day", "hour")],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "json",
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": "2026-10-01,2026-12-31",
            "projection.hour.type": "integer",
            "projection.hour.range": "0,23",
            "projection.hour.digits": "2",
            "storage.location.template": f"s3://{BUCKET}/{name}/day=${{day}}/hour=${{hour}}",
        },
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "Location": f"s3://{BUCKET}/{name}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
        },
    }


def _where(row: Row) -> str:
    return f"day={row.day}/hour={row.partition:%H}"


def _folder(key: str) -> str:
    return "/".join(key.split("/")[1:3])


def _json(row: Row) -> str:
    fields = zip(ORDERS.event_row, row.values, strict=False)
    return "{" + ", ".join(f'"{column.name}": {_value(column, v)}' for column, v in fields) + "}"


def _value(column: Column, value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        value = value.isoformat(sep=" ", timespec="milliseconds")
    return json.dumps(value)


def _record(record: dict[str, Any]) -> tuple[str, str]:
    names = {"attemptsmade": "attemptsMade", "rawdata": "rawData"}
    body = {names.get(k, k): v for k, v in record.items() if k not in ("day", "hour")}
    return f"day={record['day']}/hour={record['hour']}", json.dumps(body)
