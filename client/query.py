"""Run Athena queries through its API: values as text, one page in memory at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

Row = Mapping[str, str | None]
_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.01, 0.5


class QueryFailedError(Exception):
    """The query failed or was rejected; the message is Athena's."""


def rows(
    athena: Any, sql: str, *, workgroup: str, database: str, parameters: Sequence[str] = ()
) -> Iterator[Row]:
    """Yield rows as they arrive; Ctrl-C while the query runs stops it in Athena.

    Parameters
    ----------
    athena:
        A boto3 client.
    parameters:
        An SQL literal for each ``?``.

    Raises
    ------
    QueryFailedError
        With Athena's reason.
    """
    try:
        started = athena.start_query_execution(
            QueryString=sql,
            WorkGroup=workgroup,
            QueryExecutionContext={"Database": database},
            **({"ExecutionParameters": list(parameters)} if parameters else {}),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRequestException":
            raise
        raise QueryFailedError(error.response["Error"]["Message"]) from None
    query = started["QueryExecutionId"]
    try:
        _wait(athena, query)
    except KeyboardInterrupt:
        athena.stop_query_execution(QueryExecutionId=query)
        raise
    names: list[str] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query):
        for row in page["ResultSet"]["Rows"]:
            cells = [cell.get("VarCharValue") for cell in row["Data"]]
            if names:
                yield dict(zip(names, cells, strict=True))
            else:  # the first row of the first page holds the columns' names
                names = [str(cell) for cell in cells]


def _wait(athena: Any, query: str) -> None:
    pause = _FIRST_WAIT_SECONDS
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            raise QueryFailedError(status.get("StateChangeReason") or status["State"])
        time.sleep(pause)
        pause = min(_MOST_WAIT_SECONDS, pause * 2)
