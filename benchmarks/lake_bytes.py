"""What Athena bills: the bytes that each query scans, in a common layout and in ours.

One lake of 200,000 changes over the last 30 days, one object per hour, in three layouts:

usual
    Uncompressed JSON under Firehose's default prefix, without partitions; day and hour are computed
    from the rows so that the queries work.
dev
    JSON, GZIP, partition projection.
prod
    Parquet as Firehose writes it, partition projection.

Objects hold 278 rows, like Firehose's five-minute objects in a shop with 2.4 million changes in 30
days. The queries are those in ``analytics/queries``, unchanged, with their defaults. The local
Athena counts bytes as AWS does: JSON objects in full, for Parquet only the columns read.
``python -m benchmarks.lake_bytes`` shows every query in each layout.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from analytics import Query, load_queries, load_views
from benchmarks.result import Result
from client.parquet import RowConverter
from generator import Plan, operations
from local.account.aws import Aws
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena
from schema import ORDERS, Column

CHANGES: Final = 200_000
DAYS: Final = 30
LAYOUTS: Final = ("usual", "dev", "prod")
LAST_DAY: Final = "revenue_by_hour"
"""By default it covers the last 24 hours."""
_OTHER_TABLES: Final = frozenset({"failed_records"})
_WORKGROUP: Final = "benchmark"
_EVENTS: Final = {"insert": "INSERT", "update": "MODIFY", "delete": "REMOVE"}
_OPENX: Final = "org.openx.data.jsonserde.JsonSerDe"
_COLUMNS: Final = [(column.name, column.hive) for column in ORDERS.event_row]
_CONVERTER: Final = RowConverter(_COLUMNS)
SUFFIXES: Final = {"dev": ".gz", "prod": ".parquet"}
_PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def kpi_median() -> Result:
    """Median bytes scanned per query, in the prod layout and in the usual one."""
    found = measure().values()
    return _result(
        "bytes_kpi_median",
        {layout: median(of[layout] for of in found) for layout in LAYOUTS},
        goal=10,
    )


def last_day() -> Result:
    """Bytes scanned by a query over the last day."""
    return _result("bytes_last_day", measure()[LAST_DAY], goal=20)


def _result(name: str, of: Mapping[str, float], *, goal: float) -> Result:
    ours, peer = of["prod"], of["usual"]
    return Result(name=name, ours=ours, peer=peer, ratio=peer / ours, goal=goal, unit="bytes")


@cache
def measure() -> dict[str, dict[str, int]]:
    """The bytes that each query scans, by query name and layout."""
    now = datetime.now(UTC).replace(tzinfo=None)
    hours = lake(now)
    with local_athena() as aws:
        for layout in LAYOUTS:
            build(aws, layout, _objects(layout, hours), now)
        questions = [query for query in load_queries() if query.name not in _OTHER_TABLES]
        orderid = orjson.loads(next(iter(hours.values()))[0])["orderid"]
        return {
            query.name: {layout: _scanned(aws, layout, query, orderid) for layout in LAYOUTS}
            for query in questions
        }


def lake(now: datetime) -> dict[datetime, list[bytes]]:
    """Event rows as the transform writes them, by hour of arrival."""
    plan = Plan(count=round(CHANGES * 0.55), updates=0.4, deletes=0.05, seed=4)
    placed: dict[str, str] = {}
    hours: dict[datetime, list[bytes]] = defaultdict(list)
    for number, change in enumerate(operations(plan)):
        at = now - timedelta(days=DAYS) * (1 - (number + 1) / (CHANGES + 1))
        written = at.isoformat(sep=" ", timespec="milliseconds")
        item = {name: next(iter(value.values())) for name, value in change.item.items()}
        row: dict[str, Any] = {
            column.name: _typed(column, item.get(column.name)) for column in ORDERS.columns
        }
        row["created_at"] = placed.setdefault(change.orderid, written)
        row |= {
            "extras": None,
            "event_type": _EVENTS[change.kind],
            "creation_time": written[:-3] + "000",
            "event_id": hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
            "sequence_number": f"{10**20 + number * 7919:040}",
            "deleted_by": None,
        }
        hours[at.replace(minute=0, second=0, microsecond=0)].append(orjson.dumps(row) + b"\n")
    return hours


def _typed(column: Column, value: str | None) -> Any:
    """The value as in JSON; numbers keep their text."""
    is_number = value is not None and (column.decimal or column.type in ("int", "bigint"))
    return orjson.Fragment(value) if is_number and value is not None else value


@contextmanager
def local_athena() -> Iterator[Aws]:
    """An emulator with the local Athena."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(Path(directory), region="us-east-1") as emulator,
    ):
        gateway = Gateway(emulator.aws, Athena(emulator.aws))
        gateway.start()
        try:
            aws = emulator.aws
            aws.client("s3").create_bucket(Bucket="answers")
            aws.client("athena").create_work_group(
                Name=_WORKGROUP,
                Configuration={"ResultConfiguration": {"OutputLocation": "s3://answers/"}},
            )
            yield aws
        finally:
            gateway.stop()


def _objects(layout: str, hours: Mapping[datetime, list[bytes]]) -> Iterator[tuple[str, bytes]]:
    for hour, rows in hours.items():
        if layout == "usual":
            yield f"{hour:%Y/%m/%d/%H}/rows", b"".join(rows)
        else:
            yield f"{folder(hour)}/rows{SUFFIXES[layout]}", encode(layout, rows)


def folder(hour: datetime) -> str:
    """The partition of an hour."""
    return f"projection/day={hour:%Y-%m-%d}/hour={hour:%H}"


def encode(layout: str, rows: list[bytes]) -> bytes:
    """Rows as an object of the layout dev or prod."""
    return _CONVERTER.parquet(rows) if layout == "prod" else gzip.compress(b"".join(rows))


def build(aws: Aws, layout: str, objects: Iterable[tuple[str, bytes]], now: datetime) -> None:
    """Create a bucket with ``objects``, and a database with its tables and views."""
    s3, glue = aws.client("s3"), aws.client("glue")
    s3.create_bucket(Bucket=layout)
    for key, body in objects:
        s3.put_object(Bucket=layout, Key=key, Body=body)
    columns = _COLUMNS
    glue.create_database(DatabaseInput={"Name": layout})
    table = (
        _unpartitioned(layout, columns) if layout == "usual" else _partitioned(layout, columns, now)
    )
    glue.create_table(DatabaseName=layout, TableInput=table)
    if layout == "usual":
        ask(
            aws,
            layout,
            'CREATE VIEW projection AS SELECT *, "$file_modified_time" AS "$file_modified_time", '
            "date_format(creation_time, '%Y-%m-%d') AS day, "
            "date_format(creation_time, '%H') AS hour FROM event_log",
        )
    for view in load_views(layout):
        ask(aws, layout, f"CREATE VIEW {view.name} AS {view.sql}")


def _unpartitioned(layout: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "Name": "event_log",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE"},
        "StorageDescriptor": _storage(layout, "", columns),
    }


def _partitioned(layout: str, columns: list[tuple[str, str]], now: datetime) -> dict[str, Any]:
    first = now - timedelta(days=DAYS + 1)
    return {
        "Name": "projection",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in ("day", "hour")],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": f"{first:%Y-%m-%d},NOW",
            "projection.hour.type": "integer",
            "projection.hour.range": "0,23",
            "projection.hour.digits": "2",
            "storage.location.template": f"s3://{layout}/projection/day=${{day}}/hour=${{hour}}",
        },
        "StorageDescriptor": _storage(layout, "projection/", columns),
    }


def _storage(layout: str, prefix: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
    serde = _PARQUET if layout == "prod" else _OPENX
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "Location": f"s3://{layout}/{prefix}",
        "SerdeInfo": {"SerializationLibrary": serde},
    }


def _scanned(aws: Aws, layout: str, query: Query, orderid: str) -> int:
    needed = {p.name for p in query.parameters if p.default is None}
    return ask(aws, layout, query.sql, query.bind(dict.fromkeys(needed, orderid)))


def ask(aws: Aws, database: str, sql: str, literals: list[str] | None = None) -> int:
    """Run a statement; returns the bytes scanned."""
    athena = aws.client("athena")
    execution = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=_WORKGROUP,
        QueryExecutionContext={"Database": database},
        **({"ExecutionParameters": literals} if literals else {}),
    )["QueryExecutionId"]
    while True:
        found = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        time.sleep(0.02)
        match found["Status"]["State"]:
            case "SUCCEEDED":
                return int(found["Statistics"]["DataScannedInBytes"])
            case "FAILED" | "CANCELLED":
                raise RuntimeError(f"{database}: {found['Status'].get('StateChangeReason')}\n{sql}")


def _show() -> None:
    table = Table("query", title=f"Bytes scanned, {CHANGES:,} changes over {DAYS} days")
    for layout in LAYOUTS:
        table.add_column(layout, justify="right")
    table.add_column("usual / prod", justify="right")
    for name, of in measure().items():
        bytes_read = (f"{of[layout]:,}" for layout in LAYOUTS)
        table.add_row(name, *bytes_read, f"{of['usual'] / of['prod']:,.1f}")
    Console().print(table)


BENCHMARKS: Final = {"bytes_kpi_median": kpi_median, "bytes_last_day": last_day}

if __name__ == "__main__":
    _show()
