"""Athena's API: starts, polls and stops query executions, and pages through results."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.account.aws import Aws, Credentials
from local.athena import results, statements
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
_CATALOG_ACTIONS = ("GetDatabase", "ListDatabases", "GetTableMetadata", "ListTableMetadata")

_Request = dict[str, Any]
_Rows = list[tuple[str | None, ...]]


@dataclass
class Execution:
    """One query execution and all that GetQueryExecution tells of it."""

    sql: str
    workgroup: str
    catalog: str
    statement: statements.Statement
    session: Session
    configuration: dict[str, Any]
    parameters: list[str] | None
    state: str = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    outcome: Outcome = field(default_factory=Outcome)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def to_api(self) -> dict[str, Any]:
        """The QueryExecution structure; the scan is what was read, without the billing minimum."""
        end = self.completed or time.time()
        started = self.started or end
        status = {
            "State": self.state,
            "SubmissionDateTime": self.submitted,
            "CompletionDateTime": self.completed,
            "StateChangeReason": self.reason,
            "AthenaError": self.error,
        }
        statistics = {
            "EngineExecutionTimeInMillis": round((end - started) * 1000),
            "DataScannedInBytes": self.session.scanned,
            "TotalExecutionTimeInMillis": round((end - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "QueryPlanningTimeInMillis": round(self.outcome.planned * 1000),
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
            "DataManifestLocation": self.outcome.manifest,
        }
        return _given({
            "QueryExecutionId": self.session.id,
            "Query": self.sql,
            "StatementType": self.statement.form.type,
            "SubstatementType": self.statement.form.substatement,
            "ResultConfiguration": {**self.configuration, "OutputLocation": self.session.output},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {"Database": self.session.database, "Catalog": self.catalog},
            "Status": _given(status),
            "Statistics": _given(statistics),
            "WorkGroup": self.workgroup,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
            "ExecutionParameters": self.parameters,
        })  # fmt: skip


class Athena:
    """Answers Athena's query actions; the gateway checks signature and permission first."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._engine = Engine(aws)
        self._pool = ThreadPoolExecutor(_CONCURRENT_QUERIES, thread_name_prefix="athena")
        self._executions: OrderedDict[str, Execution] = OrderedDict()
        self._tokens: dict[str, tuple[str, str]] = {}
        self._results: OrderedDict[tuple[str, str], _Rows] = OrderedDict()
        self._lock = threading.Lock()
        self.actions = {
            "StartQueryExecution": self.start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._batch_get,
            "GetQueryResults": self._get_results,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": self._list,
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

    def resources(self, prefix: str, action: str, request: _Request) -> list[str]:
        """The ARNs that AWS authorises this action on; ``prefix`` is ``arn:aws:athena:R:A``."""
        if "ResourceARN" in request:
            return [request["ResourceARN"]]
        if action in ("ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"):
            return ["*"]
        if "DataCatalog" in action or action in _CATALOG_ACTIONS:
            name = request.get("CatalogName") or request.get("Name") or "AwsDataCatalog"
            return [f"{prefix}:datacatalog/{name}"]
        ids = request.get("QueryExecutionIds") or [request.get("QueryExecutionId")]
        groups = [self._executions[one].workgroup for one in ids if one in self._executions]
        if not groups:
            group = request.get("WorkGroup") or request.get("WorkGroupName")
            if "WorkGroup" in action:
                group = request.get("Name") or group
            named = request.get("NamedQueryId") or (request.get("NamedQueryIds") or [None])[0]
            groups = [group or (named and self._named_query_group(named)) or "primary"]
        return [f"{prefix}:workgroup/{one}" for one in dict.fromkeys(groups)]

    def _named_query_group(self, query_id: str) -> str | None:
        try:
            answer = self._aws.client("athena", direct=True).get_named_query(NamedQueryId=query_id)
        except ClientError:
            return None
        return str(answer["NamedQuery"].get("WorkGroup", "primary"))

    # -- start -----------------------------------------------------------------------------------

    def start(self, request: _Request, caller: Credentials) -> dict[str, Any]:
        """StartQueryExecution."""
        sql = request.get("QueryString")
        if not sql or not sql.strip():
            raise invalid_request("Query string can not be empty")
        if len(sql.encode()) > _MAX_QUERY_BYTES:
            raise invalid_request(f"Query string is longer than {_MAX_QUERY_BYTES} bytes")
        token = request.get("ClientRequestToken")
        with self._lock:
            known, known_sql = self._tokens.get(token or "", ("", sql))
        if known_sql != sql:
            raise invalid_request(
                "Idempotent parameters do not match with the request's ClientRequestToken"
            )
        if known:
            return {"QueryExecutionId": known}
        execution = self._new(request, sql.strip(), caller)
        query_id = execution.session.id
        with self._lock:
            self._executions[query_id] = execution
            if token:
                self._tokens[token] = (query_id, sql)
            while len(self._executions) > _KEPT_EXECUTIONS:
                self._executions.popitem(last=False)
        self._pool.submit(self._run, execution)
        return {"QueryExecutionId": query_id}

    def _new(self, request: _Request, sql: str, caller: Credentials) -> Execution:
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
        try:
            statement = statements.read(sql, parameters or [])
        except SqlSyntaxError as error:
            raise invalid_request(str(error), "MALFORMED_QUERY") from None
        query_id = str(uuid.uuid4())
        session = self._engine.session(
            caller,
            (context.get("Database") or "default").lower(),
            id=query_id,
            output=f"{location.rstrip('/')}/{statement.output(query_id)}",
            enforced=enforced,
            cutoff=settings.get("BytesScannedCutoffPerQuery"),
        )
        catalog = (context.get("Catalog") or "awsdatacatalog").lower()
        return Execution(sql, workgroup, catalog, statement, session, configuration, parameters)

    def _workgroup(self, name: str) -> dict[str, Any]:
        try:
            answer = self._aws.client("athena", direct=True).get_work_group(WorkGroup=name)
        except ClientError:
            raise invalid_request(f"WorkGroup {name} is not found.") from None
        group: dict[str, Any] = answer["WorkGroup"]
        return group

    # -- run -------------------------------------------------------------------------------------

    def _run(self, execution: Execution) -> None:
        with execution.lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
        state, reason, error = "SUCCEEDED", None, None
        try:
            execution.outcome = execution.statement.run(self._engine, execution.session)
        except QueryCancelledError as stopped:
            state, reason = "CANCELLED", str(stopped)
        except QueryError as failed:
            state, reason, error = "FAILED", str(failed), failed.to_api()
        except Exception as failed:  # ours or the emulator's, not the user's
            state, reason = "FAILED", f"GENERIC_INTERNAL_ERROR: {type(failed).__name__}: {failed}"
            error = internal_error(reason)
        finally:
            with execution.lock:
                execution.session.cursor.close()
                if execution.state != "CANCELLED":
                    execution.state, execution.reason, execution.error = state, reason, error
                    execution.completed = time.time()
                execution.done.set()

    def _cancel(self, execution: Execution) -> None:
        with execution.lock:
            if execution.state in _FINAL:
                return
            execution.session.stopped.set()
            running = execution.state == "RUNNING"
            execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
            execution.completed = time.time()
        if running:
            threading.Thread(target=_interrupt, args=(execution,), daemon=True).start()
        else:
            execution.session.cursor.close()
            execution.done.set()

    # -- watch -----------------------------------------------------------------------------------

    def _find(self, request: _Request) -> Execution:
        query_id = request.get("QueryExecutionId") or ""
        if query_id not in self._executions:
            raise invalid_request(f"QueryExecution {query_id} was not found")
        return self._executions[query_id]

    def _get(self, request: _Request, _: Credentials) -> dict[str, Any]:
        return {"QueryExecution": self._find(request).to_api()}

    def _batch_get(self, request: _Request, _: Credentials) -> dict[str, Any]:
        ids = request.get("QueryExecutionIds") or []
        unknown = [one for one in ids if one not in self._executions]
        return {
            "QueryExecutions": [self._executions[x].to_api() for x in ids if x not in unknown],
            "UnprocessedQueryExecutionIds": [
                {
                    "QueryExecutionId": one,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {one} was not found",
                }
                for one in unknown
            ],
        }

    def _list(self, request: _Request, _: Credentials) -> dict[str, Any]:
        group = request.get("WorkGroup") or "primary"
        self._workgroup(group)
        newest = reversed(self._executions.items())
        ids = [query_id for query_id, one in newest if one.workgroup == group]
        return _page(request, "QueryExecutionIds", ids)

    def _stop(self, request: _Request, _: Credentials) -> dict[str, Any]:
        self._cancel(self._find(request))
        return {}

    # -- results ---------------------------------------------------------------------------------

    def _get_results(self, request: _Request, caller: Credentials) -> dict[str, Any]:
        execution = self._find(request)
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
        if not 1 <= int(request.get("MaxResults") or _PAGE) <= _PAGE:
            raise invalid_request(f"MaxResults is more than maximum allowed length {_PAGE}")
        page = _page(request, "Rows", self._result(execution, caller), _PAGE)
        rows = [
            {"Data": [{} if one is None else {"VarCharValue": one} for one in row]}
            for row in page.pop("Rows")
        ]
        columns = [*execution.outcome.columns]
        return page | {
            "UpdateCount": execution.outcome.update_count,
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}},
        }

    def _result(self, execution: Execution, caller: Credentials) -> _Rows:
        """Header and rows, read from S3 with the caller's permission, as Athena reads them."""
        if not execution.statement.shown:
            return []
        output = execution.session.output
        asked = (output, caller.access_key_id)
        with self._lock:
            if asked in self._results:
                self._results.move_to_end(asked)
                return self._results[asked]
        bucket, key = split_location(output)
        try:
            answer = self._aws.client("s3", caller).get_object(Bucket=bucket, Key=key)
            data = answer["Body"].read()
        except ClientError as error:
            if is_denied(error):
                raise AwsError(
                    "InvalidRequestException",
                    f"Access denied when reading the query results at {output}. "
                    "Please ensure you are allowed to access the S3 bucket.",
                ) from None
            raise invalid_request(f"Could not find results at {output}: {error}") from None
        if key.endswith(".csv"):
            found = results.read_csv(data)
        else:
            found = [(line,) for line in data.decode().split("\n")[:-1]]
        with self._lock:
            self._results[asked] = found
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    # -- metadata --------------------------------------------------------------------------------

    def _glue(self, caller: Credentials, operation: str, *arguments: str) -> Any:
        try:
            return getattr(Catalog(self._aws, caller), operation)(*map(str.lower, arguments))
        except QueryError as error:
            raise AwsError("MetadataException", str(error)) from None

    def _database(self, request: _Request, caller: Credentials) -> dict[str, Any]:
        found = self._glue(caller, "database", request["DatabaseName"])
        told = {"Description": "", "Parameters": {}} | found
        return {"Database": {key: told[key] for key in ("Name", "Description", "Parameters")}}

    def _databases(self, _: _Request, caller: Credentials) -> dict[str, Any]:
        return {"DatabaseList": [{"Name": name} for name in self._glue(caller, "databases")]}

    def _table_metadata(self, request: _Request, caller: Credentials) -> dict[str, Any]:
        database, name = request["DatabaseName"], request["TableName"]
        found = self._glue(caller, "find", database, name)
        if found is None:
            raise AwsError("MetadataException", f"Table {name} not found in database {database}")
        return {"TableMetadata": _metadata(found.glue)}

    def _list_table_metadata(self, request: _Request, caller: Credentials) -> dict[str, Any]:
        tables = self._glue(caller, "tables", request["DatabaseName"])
        wanted = re.compile(request.get("Expression") or ".*")
        found = [_metadata(one.glue) for one in tables if wanted.fullmatch(one.name)]
        return _page(request, "TableMetadataList", found)


def _interrupt(execution: Execution) -> None:
    """Interrupt until it ends: DuckDB forgets an interrupt that comes between two statements."""
    while not execution.done.is_set():
        with execution.lock:
            if not execution.done.is_set():
                execution.session.cursor.interrupt()
        execution.done.wait(0.05)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """Without those that are not set."""
    return {name: value for name, value in members.items() if value is not None}


def _page(request: _Request, name: str, items: Sequence[Any], most: int = 50) -> dict[str, Any]:
    """The page that the request asks for, and the token of the next one."""
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid_request("NextToken is invalid")
    start, size = int(token), min(int(request.get("MaxResults") or most), most)
    following = str(start + size) if start + size < len(items) else None
    return _given({name: items[start : start + size], "NextToken": following})


def _metadata(glue: Any) -> dict[str, Any]:
    storage = glue.get("StorageDescriptor") or {}

    def columns(found: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        return [{k: c[k] for k in ("Name", "Type", "Comment") if k in c} for c in found or ()]

    created, serde = glue.get("CreateTime"), storage.get("SerdeInfo") or {}
    return {
        "Name": glue["Name"],
        "CreateTime": created.timestamp() if created else 0,
        "TableType": glue.get("TableType", ""),
        "Columns": columns(storage.get("Columns")),
        "PartitionKeys": columns(glue.get("PartitionKeys")),
        "Parameters": {
            **(glue.get("Parameters") or {}),
            "location": storage.get("Location", ""),
            "inputformat": storage.get("InputFormat", ""),
            "outputformat": storage.get("OutputFormat", ""),
            "serde.serialization.lib": serde.get("SerializationLibrary", ""),
        },
    }
