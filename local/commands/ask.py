"""Ask Athena a question through its API and wait for the rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from local.errors import LocalError

_FIRST_WAIT_SECONDS = 0.01
_MOST_WAIT_SECONDS = 0.25


class QueryFailedError(LocalError):
    """The query failed or was refused; the message is Athena's."""


Rows = list[dict[str, str | None]]


def ask(
    athena: Any, sql: str, *, workgroup: str, database: str, parameters: Sequence[str] = ()
) -> Rows:
    """The rows, every value as text, as GetQueryResults gives them.

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
    except athena.exceptions.InvalidRequestException as error:
        raise QueryFailedError(error.response["Error"]["Message"]) from None
    query = started["QueryExecutionId"]
    wait = _FIRST_WAIT_SECONDS
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in ("FAILED", "CANCELLED"):
            raise QueryFailedError(status.get("StateChangeReason", status["State"]))
        time.sleep(wait)
        wait = min(wait * 2, _MOST_WAIT_SECONDS)
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    rows = [
        [cell.get("VarCharValue") for cell in row["Data"]]
        for page in pages
        for row in page["ResultSet"]["Rows"]
    ]
    names, *values = rows or [[]]
    return [dict(zip(map(str, names), row, strict=True)) for row in values]
