"""A raw client of AWS's JSON protocol: values pass from one service to the next unchanged.

boto3 would decode base64 and timestamps, only for the next hop to encode them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from botocore.exceptions import BotoCoreError, ClientError

from local.account.aws import Aws, Credentials
from local.errors import AwsError

_TARGETS = {
    "dynamodb": "DynamoDBStreams_20120810",
    "kinesis": "Kinesis_20131202",
}
_VERSIONS = {"dynamodb": "1.0", "kinesis": "1.1"}


@contextmanager
def boto_errors() -> Iterator[None]:
    """Convert boto3's exceptions to `AwsError`."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        code, message = answer["Error"].get("Code", "UnknownError"), answer["Error"].get("Message")
        raise AwsError(code, message or "", status) from error
    except BotoCoreError as error:
        raise AwsError("ServiceUnavailable", str(error), 503) from error


class JsonClient:
    """Calls one service's JSON API as ``credentials``; thread-safe.

    Parameters
    ----------
    service:
        ``kinesis``, or ``dynamodb`` for DynamoDB Streams.
    """

    def __init__(self, aws: Aws, service: str, credentials: Credentials) -> None:
        self._url = aws.emulator_url + "/"
        self._service = service
        self._signer = SigV4Auth(
            SigningCredentials(
                credentials.access_key_id,
                credentials.secret_access_key,
                credentials.session_token,
            ),
            service,
            aws.region,
        )
        self._pool = urllib3.PoolManager(maxsize=8, timeout=urllib3.Timeout(connect=5, read=60))

    def call(self, action: str, body: dict[str, Any]) -> Any:
        """Call ``action`` and return the parsed response.

        Raises
        ------
        AwsError
            For every error response, and if no response comes (status 503).
        """
        request = AWSRequest(
            method="POST",
            url=self._url,
            data=orjson.dumps(body),
            headers={
                "Content-Type": f"application/x-amz-json-{_VERSIONS[self._service]}",
                "X-Amz-Target": f"{_TARGETS[self._service]}.{action}",
            },
        )
        self._signer.add_auth(request)
        try:
            response = self._pool.request(
                "POST", self._url, body=request.body, headers=dict(request.headers), retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise AwsError("ServiceUnavailable", str(error), 503) from error
        if response.status == 200:
            return orjson.loads(response.data)
        raise _error(response.data, response.status)


def _error(body: bytes, status: int) -> AwsError:
    try:
        document = json.loads(body)
        code = str(document.get("__type", "UnknownError")).rpartition("#")[2]
        message = document.get("message") or document.get("Message") or ""
    except (ValueError, AttributeError):
        code, message = "UnknownError", body[:200].decode(errors="replace")
    return AwsError(code, message, status)
