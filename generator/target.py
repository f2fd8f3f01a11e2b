"""Where to write: the table's name and region, a client for it, and its troubles in plain words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore import exceptions as boto
from botocore.config import Config

_SIGN_IN: Final = "sign in again, or renew AWS_SESSION_TOKEN"
_REFUSED: Final = frozenset(
    {
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class TargetError(ValueError):
    """Where to write cannot be told; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """A table, and its region if that is known."""

    table: str
    region: str | None = None


def dynamodb(
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    concurrency: int = 8,
    timeout: float = 30,
    session: boto3.Session | None = None,
) -> Any:
    """A DynamoDB client by the standard AWS settings, fit for `generator.write`.

    ``timeout`` is how many seconds one call may take; a ``session`` brings other credentials.
    """
    # boto3 itself reads AWS_DEFAULT_REGION only; the other SDKs and the AWS CLI, AWS_REGION first.
    session = session or boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    return session.client(
        "dynamodb",
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            max_pool_connections=concurrency,
            connect_timeout=min(5, timeout),
            read_timeout=timeout,
            # The writer retries what was turned back, item by item, and counts it.
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Half of the time of a batch of 25; our items are made to fit.
            parameter_validation=False,
        ),
    )


def explain(error: Exception, table: str, client: Any = None) -> str:
    """What an AWS error means for whoever typed the command, in one line."""
    where = f"in {client.meta.region_name} at {client.meta.endpoint_url}" if client else ""
    match error:
        case boto.ClientError():
            return _explain_code(error, table, where)
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return (
                f"no AWS credentials ({one_line(str(error))}): set AWS_PROFILE, or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in"
            )
        case boto.NoRegionError():
            return "no AWS region: use --region, or set AWS_REGION or the profile's region"
        case (
            boto.UnauthorizedSSOTokenError()
            | boto.SSOTokenLoadError()
            | boto.TokenRetrievalError()
            | boto.CredentialRetrievalError()
        ):
            return f"the AWS credentials cannot be renewed ({one_line(str(error))}): {_SIGN_IN}"
        case boto.ConnectionError() | boto.HTTPClientError():
            return f"cannot reach DynamoDB {where}: {one_line(str(error))}"
    return one_line(str(error)) or type(error).__name__


def _explain_code(error: boto.ClientError, table: str, where: str) -> str:
    code = error.response["Error"].get("Code", "")
    message = one_line(error.response["Error"].get("Message", ""))
    if code == "ResourceNotFoundException":
        return f"table {table!r} does not exist {where}"
    if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
        return f"the AWS credentials have expired: {_SIGN_IN}"
    if code in _REFUSED:
        return f"the AWS credentials were not accepted ({code}: {message})"
    if code in {"AccessDenied", "AccessDeniedException"}:
        return f"access denied: {message}; the stack's writerPolicyArn allows what is needed"
    return f"{error.operation_name} on table {table!r} failed: {code}: {message}"


def one_line(text: str) -> str:
    """``text`` with every run of white space as one space."""
    return " ".join(text.split())
