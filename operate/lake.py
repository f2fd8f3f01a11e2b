"""Current orders as Athena finds them in the lake."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from client.account import Account, ReplayError

OUTPUTS = ("workgroupName", "databaseName")
Row = Mapping[str, str | None]
_POLL_SECONDS, _MOST_POLL_SECONDS = 0.05, 1.0


class Lake:
    """Asks Athena in the stack's workgroup and database."""

    def __init__(self, account: Account) -> None:
        self._athena = account.client("athena")
        self._where = {
            "WorkGroup": account["workgroupName"],
            "QueryExecutionContext": {"Database": account["databaseName"]},
        }

    def query(self, sql: str, parameters: Sequence[str] = ()) -> Iterator[Row]:
        """The rows as they come, a page in memory at a time; a Ctrl-C stops the query.

        Raises
        ------
        ReplayError
            Athena could not answer.
        """
        values = {"ExecutionParameters": list(parameters)} if parameters else {}
        started = self._athena.start_query_execution(QueryString=sql, **self._where, **values)
        query = started["QueryExecutionId"]
        try:
            self._wait(query)
        except KeyboardInterrupt:
            self._athena.stop_query_execution(QueryExecutionId=query)
            raise
        names: list[str] = []
        pages = self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        for page in pages:
            for row in page["ResultSet"]["Rows"]:
                cells = [cell.get("VarCharValue") for cell in row["Data"]]
                if names:
                    yield dict(zip(names, cells, strict=True))
                else:  # the first row of the first page holds the columns' names
                    names = [str(cell) for cell in cells]

    def _wait(self, query: str) -> None:
        pause = _POLL_SECONDS
        while True:
            answer: Any = self._athena.get_query_execution(QueryExecutionId=query)
            status = answer["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in ("FAILED", "CANCELLED"):
                why = status.get("StateChangeReason") or status["State"]
                raise ReplayError(f"Athena: {why}")
            time.sleep(pause)
            pause = min(_MOST_POLL_SECONDS, pause * 2)
