"""A loopback endpoint for Glue, Athena, DynamoDB Streams and pipes, authorized as on AWS.

For these services the emulator authorizes the wrong resources, lacks Trino SQL and crawlers, and
drops most of a pipe's definition. The gateway checks each request's signature, authorizes it on the
resource ARNs that AWS uses, and then serves it from this package or forwards it to the emulator as
root.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey
from botocore.exceptions import BotoCoreError, ClientError

from local.account import sigv4
from local.account.authorize import Authorizer, glue_resources
from local.account.aws import Aws, Credentials
from local.errors import AwsError

if TYPE_CHECKING:
    from local.athena import Athena

Hook = Callable[[dict[str, Any], Credentials], dict[str, Any]]
"""Serves one action: ``hook(request body, caller) -> response body``, or raises AwsError."""

_STREAMS = "DynamoDBStreams_20120810"
_SERVICES = {"AmazonAthena": "athena", "AWSGlue": "glue", _STREAMS: "dynamodb"}
_PIPE = re.compile("/v1/pipes/([^/]+)(/start|/stop)?")
_PIPE_ACTIONS = {
    ("GET", None): "DescribePipe",
    ("POST", "/start"): "StartPipe",
    ("POST", "/stop"): "StopPipe",
}
_ITERATORS_MOST = 10_000
_LOG = logging.getLogger(__name__)
_JSON = "application/x-amz-json-1.1"


class Gateway:
    """The server. ``start()`` also makes ``aws`` send `GATEWAY_SERVICES` here.

    Parameters
    ----------
    port:
        0 picks a free one.

    Examples
    --------
    >>> gateway = Gateway(aws, Athena(aws))                         # doctest: +SKIP
    >>> gateway.intercept("glue", "StartCrawler", crawler.start)    # doctest: +SKIP
    >>> gateway.start()                                             # doctest: +SKIP
    """

    def __init__(self, aws: Aws, athena: Athena, port: int = 0) -> None:
        self._aws = aws
        self._athena = athena
        self._authorizer = Authorizer(aws)
        self._hooks: dict[tuple[str, str], Hook] = {
            ("athena", action): hook for action, hook in athena.actions.items()
        }
        # The stream of each issued shard iterator: GetRecords does not name it.
        self._iterators: dict[str, str] = {}
        self._http = urllib3.PoolManager(maxsize=16, retries=False)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.gateway = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.25}, name="gateway"
        )

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve in the background until `stop`."""
        self._thread.start()
        self._aws.gateway_url = self.url

    def stop(self) -> None:
        """Stop serving and cancel every running query."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._athena.close()
        self._http.clear()
        self._aws.gateway_url = None

    def intercept(self, service: str, action: str, hook: Hook) -> None:
        """Serve ``action`` with ``hook``, after checking signature and permission."""
        self._hooks[service, action] = hook

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Status and JSON body for one request; header names are in lower case."""
        try:
            service, action, request = _operation(method, path, headers, body)
            caller = sigv4.verify(
                self._aws.book,
                service=service,
                region=self._aws.region,
                headers=headers,
                body=body,
                method=method,
                path=path,
            )
            self._authorizer.check(
                caller, f"{service}:{action}", self._resources(service, action, request)
            )
            hook = self._hooks.get((service, action))
            if hook is None:
                status, answer = self._forward(service, headers["x-amz-target"], body)
                if service == "dynamodb":
                    self._remember_iterator(request, answer)
                if service == "glue" and status == 200:
                    answer = _as_glue_says(answer)
                return status, answer
            return 200, json.dumps(hook(request, caller), default=str).encode()
        except AwsError as error:
            return error.status, _refusal(error)
        except ClientError as error:  # an error response from the emulator
            told = error.response["Error"]
            return 400, _refusal(AwsError(told["Code"], told["Message"]))
        except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
            return 503, _refusal(AwsError("ServiceUnavailableException", str(error), 503))
        except Exception as error:
            _LOG.exception("the gateway failed on %s", headers.get("x-amz-target"))
            return 500, _refusal(AwsError("InternalServerException", repr(error), 500))

    def _resources(self, service: str, action: str, request: dict[str, Any]) -> list[str]:
        prefix = f"arn:aws:{service}:{self._aws.region}:{self._aws.account_id}"
        if service == "glue":
            return glue_resources(prefix, action, request)
        if service == "pipes":
            return [f"{prefix}:pipe/{request['Name']}"]
        if service == "dynamodb":
            iterator = str(request.get("ShardIterator"))
            return [request.get("StreamArn") or self._iterators.get(iterator, "*")]
        return self._athena.resources(prefix, action, request)

    def _remember_iterator(self, request: dict[str, Any], body: bytes) -> None:
        answer = json.loads(body)
        iterator = answer.get("ShardIterator") or answer.get("NextShardIterator")
        known = self._iterators.get(str(request.get("ShardIterator")), "*")
        if iterator:
            self._iterators[iterator] = request.get("StreamArn") or known
        while len(self._iterators) > _ITERATORS_MOST:
            del self._iterators[next(iter(self._iterators))]

    def _forward(self, service: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Forward to the emulator as root and return its response unchanged."""
        request = AWSRequest(
            method="POST",
            url=self._aws.emulator_url + "/",
            data=body,
            headers={"X-Amz-Target": target, "Content-Type": _JSON},
        )
        root = self._aws.root
        key = SigningKey(root.access_key_id, root.secret_access_key, root.session_token)
        SigV4Auth(key, service, self._aws.region).add_auth(request)
        answer = self._http.request(
            "POST", self._aws.emulator_url + "/", body=body, headers=dict(request.headers)
        )
        return answer.status, answer.data


def _operation(
    method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[str, str, dict[str, Any]]:
    """Service, action and parsed request of a call."""
    target, _, action = headers.get("x-amz-target", "").rpartition(".")
    if method == "POST" and target in _SERVICES:
        return _SERVICES[target], action, _parse(body)
    pipe = _PIPE.fullmatch(path)
    if pipe and (called := _PIPE_ACTIONS.get((method, pipe[2]))):
        return "pipes", called, {"Name": unquote(pipe[1])}
    raise AwsError(
        "UnknownOperationException",
        "This endpoint serves Athena, Glue and DynamoDB Streams (X-Amz-Target AmazonAthena.*, "
        f"AWSGlue.*, {_STREAMS}.*), DescribePipe, StartPipe and StopPipe, not "
        f"{target or f'{method} {path}'}: "
        "send it to AWS_ENDPOINT_URL.",
        404,
    )


def _as_glue_says(body: bytes) -> bytes:
    """Glue leaves out a description that nobody gave, and a view has an owner; Trino wants both."""
    answer = json.loads(body)
    databases = [*answer.get("DatabaseList", ()), answer.get("Database")]
    tables = [*answer.get("TableList", ()), answer.get("Table")]
    for one in filter(None, [*databases, *tables]):
        if not one.get("Description", True):
            del one["Description"]
        if one.get("TableType") == "VIRTUAL_VIEW":
            one.setdefault("Owner", "hadoop")
    return json.dumps(answer).encode()


def _parse(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "The request body is not a JSON object.")
    return request


def _refusal(error: AwsError) -> bytes:
    # Athena's and Glue's models spell the member Message; botocore accepts either spelling.
    return json.dumps(
        {"__type": error.code, "message": error.message, "Message": error.message, **error.extra}
    ).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    gateway: Gateway

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._serving: dict[threading.Thread, socket.socket] = {}

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and track it while it is open."""
        self._serving[threading.current_thread()] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._serving[threading.current_thread()]

    def server_close(self) -> None:
        """Close kept-alive connections and wait for their threads to end."""
        super().server_close()
        for thread, connection in list(self._serving.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120  # seconds, for an idle kept-alive connection
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(*self.server.gateway.answer(self.command, self.path, headers, body))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _JSON)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: clients log their own requests."""
