"""Unmodified clients, which get only the endpoint from the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.athena.lab import BUCKET, REGION, Lab

BIN = Path(sys.executable).parent


@pytest.fixture
def environment(lab: Lab, orders, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = {
        "AWS_ENDPOINT_URL": lab.aws.emulator_url,
        "AWS_ENDPOINT_URL_ATHENA": lab.gateway.url,
        "AWS_ENDPOINT_URL_GLUE": lab.gateway.url,
        "AWS_ACCESS_KEY_ID": lab.aws.root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.aws.root.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return values


def test_pyathena_reads_typed_rows(environment: dict[str, str]) -> None:
    from pyathena import connect

    with connect(work_group="team", schema_name="shop", region_name=REGION) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT orderid, price, quantity, created_at FROM orders ORDER BY orderid")
        assert [column[0] for column in cursor.description] == [
            "orderid",
            "price",
            "quantity",
            "created_at",
        ]
        first, *_, last = cursor.fetchall()
        assert first[:3] == ("o1", Decimal("19.99"), 2)
        assert first[3].isoformat() == "2026-11-20T10:00:00.123000"
        assert last == ("o3", None, None, None)
        cursor.execute("SELECT %(n)s + 1", {"n": 41})
        assert cursor.fetchone() == (42,)


def test_pyathena_raises_athenas_error(environment: dict[str, str]) -> None:
    from pyathena import OperationalError, connect

    cursor = connect(work_group="team", schema_name="shop", region_name=REGION).cursor()
    with pytest.raises(OperationalError, match="COLUMN_NOT_FOUND: line 1:8: Column 'nope'"):
        cursor.execute("SELECT nope FROM orders")


def test_pyathena_reads_a_data_frame(environment: dict[str, str]) -> None:
    from pyathena import connect
    from pyathena.pandas.cursor import PandasCursor

    cursor = connect(
        work_group="team", schema_name="shop", region_name=REGION, cursor_class=PandasCursor
    ).cursor()
    frame = cursor.execute("SELECT * FROM orders ORDER BY orderid").as_pandas()
    assert list(frame["orderid"]) == ["o1", "o2", "o3"]
    assert frame["price"][0] == Decimal("19.99")
    assert frame["created_at"][0].isoformat() == "2026-11-20T10:00:00.123000"
    assert frame["quantity"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("ctas", [True, False])
def test_awswrangler_reads_a_data_frame(lab: Lab, environment: dict[str, str], ctas: bool) -> None:
    import awswrangler as wr

    frame = wr.athena.read_sql_query(
        "SELECT * FROM orders ORDER BY orderid",
        database="shop",
        workgroup="team",
        ctas_approach=ctas,
    )
    rows = sorted(frame.to_dict("records"), key=lambda row: row["orderid"])
    assert [row["orderid"] for row in rows] == ["o1", "o2", "o3"]
    assert rows[0]["price"] == Decimal("19.99")
    assert rows[0]["created_at"].isoformat() == "2026-11-20T10:00:00.123000"
    left = lab.rows("SHOW TABLES 'temp_table*'")
    assert left == [], "awswrangler drops its temporary table"


def test_awswrangler_unloads(environment: dict[str, str]) -> None:
    import awswrangler as wr

    frame = wr.athena.read_sql_query(
        "SELECT orderid, price FROM orders",
        database="shop",
        workgroup="team",
        ctas_approach=False,
        unload_approach=True,
        s3_output=f"s3://{BUCKET}/wrangler-unload/",
    )
    assert sorted(frame["orderid"]) == ["o1", "o2", "o3"]


def test_awswrangler_lists_tables(environment: dict[str, str]) -> None:
    import awswrangler as wr

    assert "orders" in {table["Name"] for table in wr.catalog.get_tables(database="shop")}
    assert wr.catalog.get_table_types(database="shop", table="orders") == {
        "orderid": "string",
        "quantity": "int",
        "price": "decimal(10,2)",
        "created_at": "timestamp",
    }


def test_the_aws_command_line_asks(environment: dict[str, str]) -> None:
    def aws(*arguments: str) -> Any:
        done = subprocess.run(
            [str(BIN / "aws"), *arguments, "--output", "json"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    query = aws(
        "athena",
        "start-query-execution",
        "--query-string",
        "SELECT orderid, price FROM orders ORDER BY orderid LIMIT 1",
        "--query-execution-context",
        "Database=shop",
        "--work-group",
        "team",
    )["QueryExecutionId"]
    for _ in range(20):
        told = aws("athena", "get-query-execution", "--query-execution-id", query)
        if told["QueryExecution"]["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.2)
    rows = aws("athena", "get-query-results", "--query-execution-id", query)["ResultSet"]["Rows"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in rows] == [
        ["orderid", "price"],
        ["o1", "19.99"],
    ]
