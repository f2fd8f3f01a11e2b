"""Athena's API: starts, polls and stops query executions, and pages through results."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.account.aws import Aws, Credentials
from local.athena import results, statements
from local.athena import sql as trino
from local.athena.catalog import Catalog
from local.athena.engine import Engine, Outcome, Session
from local.athena.errors import (
    QueryCancelledError,
    QueryError,
    internal_error,
    invalid_request,
)
from local.athena.sql import SqlSyntaxError
from local.athena.storage import is_denied, split_location
from local.errors import AwsError

_CONCURRENT_QUERIES = 8
_KEPT_EXECUTIONS = 10_000
_KEPT_RESULTS = 8
_MAX_QUERY_BYTES = 262_144
_FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
_PAGE = 1000


@dataclass
class Execution:
    """One query execution and all that GetQueryExecution tells of it."""

    id: str
    sql: str
    caller: Credentials
    workgroup: str
    database: str
    catalog: str
    statement: statements.Statement
    configuration: dict[str, Any]
    parameters: list[str] | None
    cutoff: int | None
    enforced: bool
    state: str = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    output: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    session: Session | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def statistics(self) -> dict[str, Any]:
        """QueryExecutionStatistics; the scan is what was read, without the billing minimum."""
        end = self.completed or time.time()
        started = self.started or end
        scanned = self.session.scanned if self.session else 0
        found: dict[str, Any] = {
            "EngineExecutionTimeInMillis": round((end - started) * 1000),
            "DataScannedInBytes": scanned,
            "TotalExecutionTimeInMillis": round((end - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "QueryPlanningTimeInMillis": round(self.outcome.planned * 1000),
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        if self.outcome.manifest:
            found["DataManifestLocation"] = self.outcome.manifest
        return found

    def to_api(self) -> dict[str, Any]:
        """The QueryExecution structure."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed:
            status["CompletionDateTime"] = self.completed
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.error:
            status["AthenaError"] = self.error
        found: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement.form.type,
            "ResultConfiguration": {**self.configuration, "OutputLocation": self.output},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {"Database": self.database, "Catalog": self.catalog},
            "Status": status,
            "Statistics": self.statistics(),
            "WorkGroup": self.workgroup,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
            "SubstatementType": self.statement.form.substatement,
        }
        if self.parameters is not None:
            found["ExecutionParameters"] = self.parameters
        return found


class Athena:
    """Answers Athena's query actions; the gateway checks signature and permission first.

    Parameters
    ----------
    directory:
        Where objects that queries read are cached; by default a temporary one.
    """

    def __init__(self, aws: Aws, directory: Path | None = None) -> None:
        self._aws = aws
        self._engine = Engine(aws, directory)
        self._pool = ThreadPoolExecutor(_CONCURRENT_QUERIES, thread_name_prefix="athena")
        self._executions: OrderedDict[str, Execution] = OrderedDict()
        self._tokens: dict[str, tuple[str, str]] = {}
        self._results: OrderedDict[tuple[str, str], tuple[list[str], list[list[str | None]]]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()
        self.actions = {
            "StartQueryExecution": self.start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._batch_get,
            "GetQueryResults": self._get_results,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": self._list,
            "GetQueryRuntimeStatistics": self._runtime_statistics,
            "GetTableMetadata": self._table_metadata,
            "ListTableMetadata": self._list_table_metadata,
            "GetDatabase": self._database,
            "ListDatabases": self._databases,
        }

    def close(self) -> None:
        """Stop what runs and forget the cache."""
        for execution in list(self._executions.values()):
            self._cancel(execution)
        self._pool.shutdown(cancel_futures=True)
        self._engine.close()

    def resources(self, prefix: str, action: str, request: dict[str, Any]) -> list[str]:
        """The ARNs that AWS authorises this action on; ``prefix`` is ``arn:aws:athena:R:A``."""
        if "ResourceARN" in request:
            return [request["ResourceARN"]]
        if action in ("ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"):
            return ["*"]
        if "DataCatalog" in action or action in (
            "GetDatabase",
            "ListDatabases",
            "GetTableMetadata",
            "ListTableMetadata",
        ):
            name = request.get("CatalogName") or request.get("Name") or "AwsDataCatalog"
            return [f"{prefix}:datacatalog/{name}"]
        ids = request.get("QueryExecutionIds") or [request.get("QueryExecutionId")]
        groups = [self._executions[one].workgroup for one in ids if one in self._executions]
        if not groups:
            named = request.get("NamedQueryId") or (request.get("NamedQueryIds") or [None])[0]
            group = request.get("WorkGroup") or request.get("WorkGroupName")
            if "WorkGroup" in action and "Name" in request:
                group = request["Name"]
            if named and not group:
                group = self._named_query_group(named)
            groups = [group or "primary"]
        return [f"{prefix}:workgroup/{one}" for one in dict.fromkeys(groups)]

    def _named_query_group(self, query_id: str) -> str | None:
        try:
            answer = self._aws.client("athena", direct=True).get_named_query(NamedQueryId=query_id)
        except ClientError:
            return None
        return str(answer["NamedQuery"].get("WorkGroup", "primary"))

    # -- start -----------------------------------------------------------------------------------

    def start(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        """StartQueryExecution."""
        sql = request.get("QueryString")
        if not sql or not sql.strip():
            raise invalid_request("Query string can not be empty")
        if len(sql.encode()) > _MAX_QUERY_BYTES:
            raise invalid_request(f"Query string is longer than {_MAX_QUERY_BYTES} bytes")
        token = request.get("ClientRequestToken")
        with self._lock:
            if token and token in self._tokens:
                known, known_sql = self._tokens[token]
                if known_sql != sql:
                    raise invalid_request(
                        "Idempotent parameters do not match with the request's ClientRequestToken"
                    )
                return {"QueryExecutionId": known}
        execution = self._new(request, sql.strip(), caller)
        with self._lock:
            self._executions[execution.id] = execution
            if token:
                self._tokens[token] = (execution.id, sql)
            while len(self._executions) > _KEPT_EXECUTIONS:
                self._executions.popitem(last=False)
        self._pool.submit(self._run, execution)
        return {"QueryExecutionId": execution.id}

    def _new(self, request: dict[str, Any], sql: str, caller: Credentials) -> Execution:
        workgroup = request.get("WorkGroup") or "primary"
        group = self._workgroup(workgroup)
        if group.get("State") == "DISABLED":
            raise invalid_request(f"WorkGroup {workgroup} is disabled.")
        settings = group.get("Configuration") or {}
        configuration = dict(settings.get("ResultConfiguration") or {})
        enforced = bool(settings.get("EnforceWorkGroupConfiguration") and configuration)
        if not enforced:
            configuration |= request.get("ResultConfiguration") or {}
        location = configuration.pop("OutputLocation", None)
        if not location:
            raise invalid_request(
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/.*)?", location):
            raise invalid_request(f"outputLocation is not a valid S3 path: {location}")
        context = request.get("QueryExecutionContext") or {}
        parameters = request.get("ExecutionParameters")
        query_id = str(uuid.uuid4())
        try:
            statement = statements.read(self._expand(sql, workgroup), parameters or [])
        except SqlSyntaxError as error:
            raise invalid_request(str(error), "MALFORMED_QUERY") from None
        return Execution(
            id=query_id,
            sql=sql,
            caller=caller,
            workgroup=workgroup,
            database=(context.get("Database") or "default").lower(),
            catalog=(context.get("Catalog") or "awsdatacatalog").lower(),
            statement=statement,
            configuration=configuration,
            parameters=parameters,
            cutoff=settings.get("BytesScannedCutoffPerQuery"),
            enforced=enforced,
            output=f"{location.rstrip('/')}/{statement.output(query_id)}",
        )

    def _workgroup(self, name: str) -> dict[str, Any]:
        try:
            answer = self._aws.client("athena", direct=True).get_work_group(WorkGroup=name)
        except ClientError:
            raise invalid_request(f"WorkGroup {name} is not found.") from None
        group: dict[str, Any] = answer["WorkGroup"]
        return group

    def _expand(self, sql: str, workgroup: str) -> str:
        """The statement that ``EXECUTE name`` stands for."""
        match = re.match(r"\s*EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?\s*;?\s*$", sql, re.I | re.S)
        if not match:
            return sql
        try:
            prepared = self._aws.client("athena", direct=True).get_prepared_statement(
                StatementName=match[1], WorkGroup=workgroup
            )
        except ClientError:
            raise invalid_request(f"PreparedStatement {match[1]} was not found") from None
        text = str(prepared["PreparedStatement"]["QueryStatement"])
        return trino.fill(text, trino.split_values(match[2])) if match[2] else text

    # -- run -------------------------------------------------------------------------------------

    def _run(self, execution: Execution) -> None:
        with execution.lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
        state, reason, error = "SUCCEEDED", None, None
        try:
            execution.session = session = self._engine.session(
                execution.caller,
                execution.database,
                id=execution.id,
                output=execution.output,
                enforced=execution.enforced,
                cutoff=execution.cutoff,
                stopped=execution.stop,
            )
            execution.outcome = execution.statement.run(self._engine, session)
            session.check()
        except QueryCancelledError as stopped:
            state, reason = "CANCELLED", str(stopped)
        except QueryError as failed:
            state, reason, error = "FAILED", str(failed), failed.to_api()
        except Exception as failed:  # ours or the emulator's, not the user's
            state, reason = "FAILED", f"GENERIC_INTERNAL_ERROR: {type(failed).__name__}: {failed}"
            error = internal_error(reason)
        finally:
            with execution.lock:
                if execution.session:
                    execution.session.cursor.close()
                if execution.state != "CANCELLED":
                    execution.state, execution.reason, execution.error = state, reason, error
                    execution.completed = time.time()
                execution.done.set()

    def _cancel(self, execution: Execution) -> None:
        with execution.lock:
            if execution.state in _FINAL:
                return
            execution.stop.set()
            running = execution.state == "RUNNING"
            execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
            execution.completed = time.time()
            if not running:
                execution.done.set()
        if running:
            threading.Thread(target=_interrupt, args=(execution,), daemon=True).start()

    # -- watch -----------------------------------------------------------------------------------

    def _find(self, query_id: str | None) -> Execution:
        execution = self._executions.get(query_id or "")
        if execution is None:
            raise invalid_request(f"QueryExecution {query_id} was not found")
        return execution

    def _get(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del caller
        return {"QueryExecution": self._find(request.get("QueryExecutionId")).to_api()}

    def _batch_get(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del caller
        ids = request.get("QueryExecutionIds") or []
        return {
            "QueryExecutions": [
                self._executions[one].to_api() for one in ids if one in self._executions
            ],
            "UnprocessedQueryExecutionIds": [
                {
                    "QueryExecutionId": one,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {one} was not found",
                }
                for one in ids
                if one not in self._executions
            ],
        }

    def _list(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del caller
        group = request.get("WorkGroup") or "primary"
        self._workgroup(group)
        ids = [one.id for one in reversed(self._executions.values()) if one.workgroup == group]
        start = _start_of(request.get("NextToken"))
        size = min(int(request.get("MaxResults") or 50), 50)
        page: dict[str, Any] = {"QueryExecutionIds": ids[start : start + size]}
        if start + size < len(ids):
            page["NextToken"] = str(start + size)
        return page

    def _stop(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del caller
        self._cancel(self._find(request.get("QueryExecutionId")))
        return {}

    def _runtime_statistics(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del caller
        execution = self._find(request.get("QueryExecutionId"))
        told = execution.statistics()
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {
                    "QueryQueueTimeInMillis": told["QueryQueueTimeInMillis"],
                    "QueryPlanningTimeInMillis": told["QueryPlanningTimeInMillis"],
                    "EngineExecutionTimeInMillis": told["EngineExecutionTimeInMillis"],
                    "ServiceProcessingTimeInMillis": 0,
                    "TotalExecutionTimeInMillis": told["TotalExecutionTimeInMillis"],
                },
                "Rows": {
                    "OutputRows": execution.outcome.rows,
                },
            }
        }

    # -- results ---------------------------------------------------------------------------------

    def _get_results(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        execution = self._find(request.get("QueryExecutionId"))
        if execution.state in ("QUEUED", "RUNNING"):
            raise invalid_request(
                "Query has not yet finished. Current state: " + execution.state,
                "INVALID_QUERY_EXECUTION_STATE",
            )
        if execution.state != "SUCCEEDED":
            raise invalid_request(
                f"Query did not finish successfully. Final query state: {execution.state}",
                "INVALID_QUERY_EXECUTION_STATE",
            )
        size = int(request.get("MaxResults") or _PAGE)
        if not 1 <= size <= _PAGE:
            raise invalid_request(f"MaxResults is more than maximum allowed length {_PAGE}")
        start = _start_of(request.get("NextToken"))
        header, columns = self._result(execution, caller)
        total = (len(columns[0]) if columns else 0) + bool(header)
        rows = []
        for i in range(start, min(start + size, total)):
            if header and i == 0:
                values: list[str | None] = list(header)
            else:
                values = [column[i - bool(header)] for column in columns]
            rows.append({"Data": [{} if v is None else {"VarCharValue": v} for v in values]})
        answer: dict[str, Any] = {
            "UpdateCount": execution.outcome.update_count,
            "ResultSet": {
                "Rows": rows,
                "ResultSetMetadata": {"ColumnInfo": [*execution.outcome.columns]},
            },
        }
        if start + size < total:
            answer["NextToken"] = str(start + size)
        return answer

    def _result(
        self, execution: Execution, caller: Credentials
    ) -> tuple[list[str], list[list[str | None]]]:
        """Header and columns, read from S3 with the caller's permission, as Athena reads them."""
        asked = (execution.id, caller.access_key_id)
        with self._lock:
            if asked in self._results:
                self._results.move_to_end(asked)
                return self._results[asked]
        found: tuple[list[str], list[list[str | None]]] = ([], [])
        if execution.statement.shown:
            bucket, key = split_location(execution.output)
            try:
                answer = self._aws.client("s3", caller).get_object(Bucket=bucket, Key=key)
                data = answer["Body"].read()
            except ClientError as error:
                if is_denied(error):
                    raise AwsError(
                        "InvalidRequestException",
                        f"Access denied when reading the query results at {execution.output}. "
                        "Please ensure you are allowed to access the S3 bucket.",
                    ) from None
                raise invalid_request(
                    f"Could not find results at {execution.output}: {error}"
                ) from None
            if key.endswith(".csv"):
                found = results.read_csv(data)
            else:
                lines = data.decode().split("\n")
                found = ([], [list(lines[:-1] if lines[-1] == "" else lines)])
        with self._lock:
            self._results[asked] = found
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    # -- metadata --------------------------------------------------------------------------------

    def _glue(self, caller: Credentials, call: Any) -> Any:
        try:
            return call(Catalog(self._aws, caller))
        except QueryError as error:
            raise AwsError("MetadataException", str(error)) from None

    def _database(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        found = self._glue(caller, lambda c: c.database(request["DatabaseName"].lower()))
        return {"Database": _database(found)}

    def _databases(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        del request
        names = self._glue(caller, lambda c: c.databases())
        return {"DatabaseList": [{"Name": name} for name in names]}

    def _table_metadata(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        database, name = request["DatabaseName"].lower(), request["TableName"].lower()
        found = self._glue(caller, lambda c: c.find(database, name))
        if found is None:
            raise AwsError("MetadataException", f"Table {name} not found in database {database}")
        return {"TableMetadata": _metadata(found.glue)}

    def _list_table_metadata(self, request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        tables = self._glue(caller, lambda c: c.tables(request["DatabaseName"].lower()))
        wanted = re.compile(request.get("Expression") or ".*")
        tables = [one for one in tables if wanted.fullmatch(one.name)]
        start = _start_of(request.get("NextToken"))
        size = min(int(request.get("MaxResults") or 50), 50)
        page: dict[str, Any] = {
            "TableMetadataList": [_metadata(one.glue) for one in tables[start : start + size]]
        }
        if start + size < len(tables):
            page["NextToken"] = str(start + size)
        return page


def _interrupt(execution: Execution) -> None:
    """Interrupt until it ends: DuckDB forgets an interrupt that comes between two statements."""
    while not execution.done.is_set():
        with execution.lock:
            if execution.session and not execution.done.is_set():
                execution.session.cursor.interrupt()
        execution.done.wait(0.05)


def _start_of(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdigit():
        raise invalid_request("NextToken is invalid")
    return int(token)


def _database(glue: dict[str, Any]) -> dict[str, Any]:
    return {
        "Name": glue["Name"],
        "Description": glue.get("Description", ""),
        "Parameters": glue.get("Parameters") or {},
    }


def _metadata(glue: Any) -> dict[str, Any]:
    storage = glue.get("StorageDescriptor") or {}

    def columns(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: c[k] for k in ("Name", "Type", "Comment") if k in c} for c in found]

    created = glue.get("CreateTime")
    return {
        "Name": glue["Name"],
        "CreateTime": created.timestamp() if created else 0,
        "TableType": glue.get("TableType", ""),
        "Columns": columns(storage.get("Columns") or []),
        "PartitionKeys": columns(glue.get("PartitionKeys") or []),
        "Parameters": {
            **(glue.get("Parameters") or {}),
            "location": storage.get("Location", ""),
            "inputformat": storage.get("InputFormat", ""),
            "outputformat": storage.get("OutputFormat", ""),
            "serde.serialization.lib": (storage.get("SerdeInfo") or {}).get(
                "SerializationLibrary", ""
            ),
        },
    }
