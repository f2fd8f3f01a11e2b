"""ministack with AWS's size limits and exports: `python -m local.account.strict_emulator FD`.

The checks run in the server, so they apply to every client. After each put it writes a byte to the
file descriptor FD, so that the process that started it need not poll.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, responses
from ministack.core.concurrency import esm_wake
from ministack.core.responses import error_response_json
from ministack.services import kinesis, lambda_svc

from local.account import expiry, limits, table_exports  # noqa: F401 - replace parts of ministack

Answer = tuple[int, dict[str, str], bytes]

_put_record, _put_records = kinesis._put_record, kinesis._put_records
_lambda = lambda_svc.handle_request
_service_model = responses._service_model


class ServiceModel:
    """Botocore's model of a service, as far as most requests need it.

    ministack's own starts a botocore session for each service, a third of the time of a deployment.
    """

    def __init__(self, service: str, metadata: Mapping[str, Any]) -> None:
        self.metadata = metadata
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(_service_model(self._service), name)


@functools.cache
def service_model(service: str) -> ServiceModel | None:
    """The model of a service by its name in ministack; None if there is none."""
    name = responses._BOTOCORE_NAME.get(service, service)
    model = iam_actions._load_botocore_model(name)
    return ServiceModel(service, model["metadata"]) if model else None


def _size(record: Mapping[str, Any]) -> int:
    data = record.get("Data") or ""  # base64
    return len(data) // 4 * 3 - data.count("=", -2) + len(record.get("PartitionKey", "").encode())


def _too_large(record: Mapping[str, Any]) -> Answer:
    return error_response_json(  # type: ignore[no-any-return]
        "InvalidArgumentException",
        f"The record has {_size(record)} bytes, data and partition key together; the stream takes "
        f"{limits.KINESIS_RECORD}.",
    )


def put_record(request: dict[str, Any]) -> Answer:
    """PutRecord; rejects a record that is too large."""
    if _size(request) > limits.KINESIS_RECORD:
        return _too_large(request)
    return _put_record(request)  # type: ignore[no-any-return]


def put_records(request: dict[str, Any]) -> Answer:
    """PutRecords; rejects the whole request if one record is too large."""
    for record in request.get("Records", ()):
        if _size(record) > limits.KINESIS_RECORD:
            return _too_large(record)
    return _put_records(request)  # type: ignore[no-any-return]


async def invoke(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Answer:
    """Lambda requests; rejects an invocation whose request or response payload is too large."""
    invocation = method == "POST" and path.rstrip("/").endswith("/invocations")
    if invocation and len(body) > limits.LAMBDA_REQUEST:
        return error_response_json(  # type: ignore[no-any-return]
            "RequestTooLargeException",
            f"Request must be smaller than {limits.LAMBDA_REQUEST} bytes for the InvokeFunction "
            "operation",
            413,
        )
    status, answered, answer = await _lambda(method, path, headers, body, query)
    if invocation and len(answer) > limits.LAMBDA_ANSWER:
        error = {
            "errorMessage": f"Response payload size ({len(answer)} bytes) exceeded maximum allowed "
            f"payload size ({limits.LAMBDA_ANSWER} bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
        answered = {**answered, "X-Amz-Function-Error": "Unhandled"}
        answer = json.dumps(error).encode()
    return status, answered, answer


def announce_arrivals(pipe: int) -> None:
    """Write a byte to ``pipe`` whenever ministack wakes its own pollers: after every put."""
    os.set_inheritable(pipe, False)
    os.set_blocking(pipe, False)
    wake = esm_wake.set

    def announce() -> None:
        wake()
        with contextlib.suppress(OSError):  # full: the reader wakes anyway; closed: nobody reads
            os.write(pipe, b".")

    esm_wake.set = announce


kinesis._put_record, kinesis._put_records = put_record, put_records
lambda_svc.handle_request = invoke
responses._service_model = service_model
# Each is read several times in a row, and needs tens of MB.
iam_actions._load_botocore_model = functools.lru_cache(1)(iam_actions._load_botocore_model)

if __name__ == "__main__":
    announce_arrivals(int(sys.argv.pop()))
    main()
