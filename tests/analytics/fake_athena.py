"""A fake Athena over HTTP with scripted responses, for errors that a healthy one does not give."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Refusal = tuple[str, str]


@dataclass
class FakeAthena:
    """The responses to give, and the requests received."""

    columns: list[tuple[str, str, int, int]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    state: str = "SUCCEEDED"
    reason: str = ""
    scanned: int = 0
    statement_type: str = "DML"
    refusal: Refusal | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    running: threading.Event = field(default_factory=threading.Event)

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | Refusal:
        self.asked.append((operation, request))
        if self.refusal:
            return self.refusal
        match operation:
            case "StartQueryExecution":
                return {"QueryExecutionId": "11111111-2222-3333-4444-555555555555"}
            case "GetQueryExecution":
                self.running.set()
                return {"QueryExecution": self._execution(request["QueryExecutionId"])}
            case "StopQueryExecution":
                self.state = "CANCELLED"
                return {}
            case "GetQueryResults":
                return self._results()
        return ("InvalidRequestException", f"unexpected {operation}")

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.asked if name == operation]

    def _execution(self, query_id: str) -> dict[str, Any]:
        return {
            "QueryExecutionId": query_id,
            "Query": self.requests("StartQueryExecution")[-1]["QueryString"],
            "StatementType": self.statement_type,
            "ResultConfiguration": {"OutputLocation": "s3://bucket/results/1.csv"},
            "Status": {"State": self.state, "StateChangeReason": self.reason},
            "Statistics": {
                "DataScannedInBytes": self.scanned,
                "TotalExecutionTimeInMillis": 1234,
            },
        }

    def _results(self) -> dict[str, Any]:
        header = [[name for name, *_ in self.columns]]
        info = [
            {"Name": n, "Type": t, "Precision": p, "Scale": s, "Nullable": "UNKNOWN"}
            for n, t, p, s in self.columns
        ]
        rows = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in header + self.rows
        ]
        return {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}}


@contextmanager
def serve(fake: FakeAthena) -> Iterator[str]:
    """The URL of ``fake``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].split(".")[1]
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = fake.answer(operation, request)
            refused = isinstance(answer, tuple)
            body = {"__type": answer[0], "Message": answer[1]} if refused else answer
            text = json.dumps(body).encode()
            self.send_response(400 if refused else 200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
