"""Verifies a request's Signature Version 4 as an AWS endpoint does (header form only)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from local.account.aws import CredentialBook, Credentials
from local.errors import AwsError

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, *SignedHeaders=(?P<headers>[^,]+), *"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
_SKEW = timedelta(minutes=5)
_STAMP = "%Y%m%dT%H%M%SZ"


def verify(
    book: CredentialBook,
    *,
    service: str,
    region: str,
    headers: Mapping[str, str],
    body: bytes,
    method: str = "POST",
    path: str = "/",
) -> Credentials:
    """Return who signed this request (which must have no query string).

    Parameters
    ----------
    headers:
        Names in lower case.
    path:
        As sent, with its escapes.

    Raises
    ------
    AwsError
        As AWS does: no signature, unknown key or token, wrong or expired signature.
    """
    if "authorization" not in headers:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    match = _AUTHORIZATION.fullmatch(headers["authorization"])
    stamp = headers.get("x-amz-date", "")
    if not match or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise AwsError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature', "
            "and the request an 'X-Amz-Date'.",
            403,
        )
    caller = book.get(match["key"])
    if caller is None or (caller.session_token or None) != headers.get("x-amz-security-token"):
        raise AwsError(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        )
    scope = f"{match['day']}/{match['region']}/{match['service']}/aws4_request"
    if (match["day"], match["region"], match["service"]) != (stamp[:8], region, service):
        raise AwsError(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region and the correct service: got {scope}, "
            f"expected {stamp[:8]}/{region}/{service}/aws4_request.",
            403,
        )
    _check_clock(stamp)
    signed = match["headers"].split(";")
    canonical = "\n".join(
        [
            f"{method}\n{quote(path, safe='/-_.~')}\n",
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed),
            "",
            match["headers"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = ("AWS4" + caller.secret_access_key).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
    if "host" not in signed or not hmac.compare_digest(expected, match["signature"]):
        raise AwsError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.",
            403,
        )
    return caller


def _check_clock(stamp: str) -> None:
    then = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    now = datetime.now(UTC)
    if abs(now - then) > _SKEW:
        expired = then < now
        bound = (now - _SKEW if expired else now + _SKEW).strftime(_STAMP)
        raise AwsError(
            "InvalidSignatureException",
            f"Signature {'expired' if expired else 'not yet current'}: {stamp} is "
            f"{'now earlier' if expired else 'still later'} than {bound} "
            f"({now.strftime(_STAMP)} {'-' if expired else '+'} 5 min.)",
            403,
        )
