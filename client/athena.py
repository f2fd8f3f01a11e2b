"""Run Athena queries one at a time, with clear errors."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyathena import connect
from pyathena.error import Error
from pyathena.model import AthenaQueryExecution

from client import errors
from schema.layout import FAILED_PREFIX

# Errors reach the caller as exceptions; PyAthena would also print a traceback.
logging.getLogger("pyathena").addHandler(logging.NullHandler())
logging.getLogger("pyathena").propagate = False

DOLLARS_PER_TERABYTE = 5
LEAST_BILLED = 10_000_000
"""The least that a query is billed for (Athena's pricing page, us-east-1)."""

_RAW = "the stack's operator policy as well, because failed records are raw data"
_SCAN_LIMIT = re.compile(r"bytes scanned limit|data scanned limit", re.I)
_LINE = re.compile(r"\bline (\d+):(\d+)")


class AthenaError(Exception):
    """A query failed; the message says why and, where it helps, what to do."""


class DeniedError(AthenaError):
    """The caller may not do what the query needs."""


@dataclass(frozen=True)
class Column:
    """A column of a result, with Athena's name for its type (``varchar``, ``decimal``, ...)."""

    name: str
    type: str
    precision: int
    scale: int


@dataclass(frozen=True)
class Usage:
    """A query's usage: bytes read, milliseconds, and whether reading is billed."""

    bytes_scanned: int = 0
    milliseconds: int = 0
    billed: bool = False

    @property
    def dollars(self) -> float:
        """The query's price: by the byte, with a minimum; DDL and SHOW are free."""
        if not self.billed:
            return 0.0
        return max(self.bytes_scanned, LEAST_BILLED) * DOLLARS_PER_TERABYTE / 1e12


@dataclass(frozen=True)
class Answer:
    """Columns and rows, with values as Python types."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]


class Athena:
    """The Athena of a stack: its workgroup, database and region.

    Parameters
    ----------
    outputs:
        The stack's outputs; ``workgroupName``, ``databaseName`` and ``region`` are used. Without
        ``region``, the environment's applies. Credentials and endpoints are boto3's defaults.

    Raises
    ------
    AthenaError
        No region, or unreadable credentials.
    """

    def __init__(self, outputs: Mapping[str, str]) -> None:
        self._workgroup = outputs["workgroupName"]
        arn = outputs.get("readerPolicyArn")
        self._needs = "the stack's reader policy" + (f" ({arn})" if arn else "")
        self._execution: AthenaQueryExecution | None = None
        try:
            self._connection = connect(
                work_group=self._workgroup,
                schema_name=outputs["databaseName"],
                # boto3 reads AWS_DEFAULT_REGION only; other SDKs read AWS_REGION first.
                region_name=outputs.get("region") or os.environ.get("AWS_REGION"),
                s3_staging_dir="",  # the workgroup's location, whatever the environment says
                poll_interval=0.25,
                on_poll=self._polled,
            )
        except (BotoCoreError, Error) as error:
            raise self._plainly(error) from error

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        """Run one statement, with a literal for each ``?``, and wait for its rows.

        A KeyboardInterrupt stops the query in Athena and is raised again.

        Raises
        ------
        AthenaError
            The query failed or could not be started.
        """
        self._execution = None
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, list(parameters) or None, paramstyle="qmark")
                columns = tuple(
                    Column(name, type_, precision, scale)
                    for name, type_, _, _, precision, scale, _ in cursor.description or ()
                )
                return Answer(columns, cursor.fetchall() if columns else [])
        except (BotoCoreError, ClientError, Error) as error:
            raise self._plainly(error, sql) from error

    @property
    def usage(self) -> Usage:
        """The usage of the last query, also if it failed."""
        done = self._execution
        if done is None:
            return Usage()
        return Usage(
            bytes_scanned=done.data_scanned_in_bytes or 0,
            milliseconds=done.total_execution_time_in_millis or 0,
            billed=done.statement_type == "DML" and done.state != AthenaQueryExecution.STATE_FAILED,
        )

    def _polled(self, execution: Any) -> None:
        self._execution = execution

    def _plainly(self, error: Exception, sql: str = "") -> AthenaError:
        cause = error.__cause__ or error
        if not isinstance(cause, BotoCoreError | ClientError):
            return self._failed(str(cause), sql)
        if re.search(r"workgroup\b.*\bnot found", str(cause), re.I):
            return AthenaError(
                f"there is no workgroup {self._workgroup} in this account and region. "
                "Is the stack deployed, and are these its credentials?"
            )
        return AthenaError(errors.explain(cause, needs=self._needs))

    def _failed(self, reason: str, sql: str) -> AthenaError:
        """The error of a query that Athena started but did not finish."""
        if _SCAN_LIMIT.search(reason):
            return AthenaError(
                f"stopped: it read more than the workgroup {self._workgroup} lets one query "
                f"read: {reason} Query fewer days or hours, or raise the stack's scanLimitMb."
            )
        if errors.is_denied(reason):
            failed = f"/{FAILED_PREFIX}" in reason
            return DeniedError(errors.denied(reason, _RAW if failed else self._needs))
        if (at := _LINE.search(reason)) and 0 < int(at[1]) <= len(lines := sql.splitlines()):
            line, column = lines[int(at[1]) - 1], int(at[2]) - 1
            return AthenaError(f"{reason}\n  {line}\n  {' ' * column}^")
        return AthenaError(reason)
