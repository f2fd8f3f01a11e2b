"""DynamoDB's export to S3, in AWS's format, inside the emulator, whose own writes no data.

As on AWS it needs point-in-time recovery, and writes with the caller's permissions on S3. It
exports the present only.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
import uuid
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import error_response_json, get_region, json_response
from ministack.services import dynamodb, s3

Answer = tuple[int, dict[str, str], bytes]

_FILES = 3  # DynamoDB writes at least one for each of the table's partitions
_SECONDS = 1.0
_WRITES = ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl")
_TAKEN = {
    "TableArn",
    "S3Bucket",
    "S3Prefix",
    "ExportFormat",
    "ExportType",
    "ClientToken",
}
_exports: dict[str, dict[str, Any]] = {}
_requests: dict[str, tuple[dict[str, Any], str]] = {}  # by client token

_handle = dynamodb.handle_request
_arns = iam_actions.dynamodb_resource_arns


def resource_arns(body: bytes, region: str, account_id: str) -> list[str]:
    """The ARNs that a request names; the emulator does not know those of exports."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        request = {}
    if isinstance(request, dict):
        for name in ("ExportArn", "TableArn"):
            if isinstance(request.get(name), str):
                return [request[name]]
    return _arns(body, region, account_id)  # type: ignore[no-any-return]


async def handle(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Answer:
    """DynamoDB's requests; serves those of exports."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    match action:
        case "ExportTableToPointInTime":
            answer = _export(json.loads(body), headers)
        case "DescribeExport":
            answer = _describe(json.loads(body))
        case "ListExports":
            answer = error_response_json(
                "UnknownOperationException", "The local account does not list exports.", 400
            )
        case _:
            return await _handle(method, path, headers, body, query)  # type: ignore[no-any-return]
    answer[1]["x-amz-crc32"] = str(zlib.crc32(answer[2]) & 0xFFFFFFFF)
    return answer


def _export(request: dict[str, Any], headers: Mapping[str, str]) -> Answer:
    arn = str(request.get("TableArn"))
    name = arn.rpartition(":table/")[2]
    if problem := _problem(request, name):
        return _refuse(*problem)
    table = dynamodb._tables.get(name)
    token = str(request.get("ClientToken") or uuid.uuid4())
    if token in _requests:
        before, known = _requests[token]
        if before != request:
            return _refuse("ExportConflictException", f"Another request had the token {token}.")
        return _describe({"ExportArn": known})
    now = time.time()
    identity = f"{int(now * 1000):014}-{uuid.uuid4().hex[:8]}"
    export = {
        "ExportArn": f"{arn}/export/{identity}",
        "ExportStatus": "IN_PROGRESS",
        "StartTime": now,
        "ExportTime": now,
        "TableArn": arn,
        "TableId": table["TableId"],
        "ClientToken": token,
        "S3Bucket": request["S3Bucket"],
        "S3Prefix": request.get("S3Prefix", ""),
        "S3SseAlgorithm": "AES256",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }
    _exports[export["ExportArn"]] = export
    _requests[token] = (request, export["ExportArn"])
    prefix = f"{export['S3Prefix']}/" if export["S3Prefix"] else ""
    folder = f"{prefix}AWSDynamoDB/{identity}/"
    if denied := _denied(headers, f"arn:aws:s3:::{request['S3Bucket']}/{folder}_started"):
        export |= {"FailureCode": "S3AccessDenied", "FailureMessage": denied}
    else:
        _write(table, export, folder)
    return json_response({"ExportDescription": _public(export)})  # type: ignore[no-any-return]


def _problem(request: Mapping[str, Any], table: str) -> tuple[str, str] | None:
    """Why a request is refused: code and message."""
    if unknown := request.keys() - _TAKEN:
        return "ValidationException", f"The local export does not take {sorted(unknown)}."
    for name, only in (("ExportFormat", "DYNAMODB_JSON"), ("ExportType", "FULL_EXPORT")):
        if request.get(name, only) != only:
            return "ValidationException", f"The local export takes {name} {only} only."
    if table not in dynamodb._tables:
        return "TableNotFoundException", f"Table not found: {request.get('TableArn')}"
    if not dynamodb._pitr_settings.get(table, False):
        message = f"Point in time recovery is not enabled for table '{table}'"
        return "PointInTimeRecoveryUnavailableException", message
    return None


def _describe(request: Mapping[str, Any]) -> Answer:
    export = _exports.get(str(request.get("ExportArn")))
    if export is None:
        message = f"Export not found: {request.get('ExportArn')}"
        return _refuse("ExportNotFoundException", message)
    if export["ExportStatus"] == "IN_PROGRESS" and time.time() > export["StartTime"] + _SECONDS:
        export["ExportStatus"] = "FAILED" if "FailureCode" in export else "COMPLETED"
        export["EndTime"] = time.time()
    return json_response({"ExportDescription": _public(export)})  # type: ignore[no-any-return]


def _public(export: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of an export: its results only when it is over."""
    results = {"ItemCount", "BilledSizeBytes", "ExportManifest", "FailureCode", "FailureMessage"}
    over = export["ExportStatus"] != "IN_PROGRESS"
    return {name: value for name, value in export.items() if over or name not in results}


def _denied(headers: Mapping[str, str], arn: str) -> str | None:
    """Why the caller may not write there."""
    key = headers["authorization"].partition("Credential=")[2].partition("/")[0]
    for action in _WRITES:
        if iam_evaluator.enforce(key, action, "s3", get_region(), resource_arn=arn):
            return f"Access Denied: {action} on {arn}"
    return None


def _write(table: Mapping[str, Any], export: dict[str, Any], folder: str) -> None:
    bucket, files = export["S3Bucket"], [[] for _ in range(_FILES)]  # type: ignore[var-annotated]
    with dynamodb._lock:
        for key, items in table["items"].items():
            place = hashlib.sha256(str(key).encode()).digest()[0] % _FILES
            for item in items.values():
                files[place].append(json.dumps({"Item": item}).encode() + b"\n")
    size = sum(len(line) for lines in files for line in lines)
    count = sum(map(len, files))
    entries = []
    for number, lines in enumerate(files):
        body = gzip.compress(b"".join(lines), mtime=0)
        key = (
            f"{folder}data/{hashlib.sha256(f'{folder}{number}'.encode()).hexdigest()[:26]}.json.gz"
        )
        s3._put_object(bucket, key, body, {})
        entries.append(
            {
                "itemCount": len(lines),
                "md5Checksum": _md5(body),
                "etag": f"{hashlib.md5(body).hexdigest()}-1",  # noqa: S324 - S3's
                "dataFileS3Key": key,
            }
        )
    manifest = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    moment = datetime.fromtimestamp(export["ExportTime"], UTC)
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    summary = {
        "version": "2020-06-30",
        "exportArn": export["ExportArn"],
        "startTime": text,
        "endTime": text,
        "tableArn": export["TableArn"],
        "tableId": export["TableId"],
        "exportTime": text,
        "s3Bucket": bucket,
        "s3Prefix": export["S3Prefix"] or None,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{folder}manifest-files.json",
        "billedSizeBytes": size,
        "itemCount": count,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    for name, body in (
        ("manifest-files", manifest),
        ("manifest-summary", json.dumps(summary).encode()),
    ):
        s3._put_object(bucket, f"{folder}{name}.json", body, {})
        s3._put_object(bucket, f"{folder}{name}.checksum", _md5(body).encode(), {})
    s3._put_object(bucket, f"{folder}_started", b"", {})
    export |= {
        "ItemCount": count,
        "BilledSizeBytes": size,
        "ExportManifest": f"{folder}manifest-summary.json",
    }


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()  # noqa: S324 - AWS's format


def _refuse(code: str, message: str) -> Answer:
    return error_response_json(code, message, 400)  # type: ignore[no-any-return]


dynamodb.handle_request = handle
iam_actions.dynamodb_resource_arns = resource_arns
