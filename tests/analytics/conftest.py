from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.analytics.local_athena import running
from tests.analytics.sales_lake import DuckDb, Lake, Runner


@pytest.fixture(scope="session")
def lake() -> Lake:
    return Lake(datetime(2026, 11, 21, 10, 37, 12))


@pytest.fixture(scope="session")
def failed(lake: Lake) -> list[dict[str, Any]]:
    """Failed records as Firehose writes them: two reasons, twelve days."""
    records = []
    for i in range(24):
        at = lake.now - timedelta(hours=12 * i)
        code = "Lambda.FunctionError" if i % 3 == 0 else "Lambda.ProcessingFailedStatus"
        milliseconds = int((at - datetime(1970, 1, 1)).total_seconds() * 1000)
        records.append(
            {
                "attemptsmade": 4 if i % 3 == 0 else 1,
                "arrivaltimestamp": milliseconds,
                "errorcode": code,
                "errormessage": f"{code} happened",
                "attemptendingtimestamp": milliseconds + 60_000,
                "rawdata": f"eyJib2d1cyI6{i:04}",
                "lambdaarn": "arn:aws:lambda:us-east-1:123456789012:function:transform:$LATEST",
                "day": f"{at:%Y-%m-%d}",
                "hour": f"{at:%H}",
            }
        )
    return records


@pytest.fixture(scope="session")
def duck(lake: Lake, failed: list[dict[str, Any]]) -> DuckDb:
    return DuckDb(lake, failed)


@pytest.fixture(
    scope="session",
    params=["duckdb", pytest.param("athena", marks=pytest.mark.xdist_group("local-athena"))],
)
def athena(
    request: pytest.FixtureRequest,
    lake: Lake,
    failed: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runner]:
    """Who answers: DuckDB by translation alone, and the local stack's Athena through its API."""
    if request.param == "duckdb":
        yield request.getfixturevalue("duck")
        return
    with running(tmp_path_factory.mktemp("athena"), lake, failed) as local:
        yield local
