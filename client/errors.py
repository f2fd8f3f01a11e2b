"""One-line explanations of AWS errors that say what to do."""

from __future__ import annotations

import re
from typing import Final

from botocore import exceptions as boto

_SIGN_IN: Final = "sign in again, or renew AWS_SESSION_TOKEN"
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
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
_DENIED: Final = re.compile(
    r"access ?denied|permission[_ ]denied|not authorized|insufficient permissions", re.I
)


def explain(error: BaseException, *, needs: str = "") -> str:
    """Explain an AWS error to the user of the command.

    Parameters
    ----------
    needs:
        The policy that allows the call; named when permission is missing.
    """
    match error:
        case boto.ClientError():
            return _refusal(error, needs)
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return (
                f"no AWS credentials ({one_line(error)}): set AWS_PROFILE, or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in"
            )
        case boto.NoRegionError():
            return "no AWS region: set AWS_REGION or the profile's region, or use a stack's outputs"
        case (
            boto.UnauthorizedSSOTokenError()
            | boto.SSOTokenLoadError()
            | boto.TokenRetrievalError()
            | boto.CredentialRetrievalError()
        ):
            return f"the AWS credentials cannot be renewed ({one_line(error)}): {_SIGN_IN}"
        case boto.ConnectionError() | boto.HTTPClientError():
            return f"cannot reach AWS: {one_line(error)}"
    return one_line(error) or type(error).__name__


def _refusal(error: boto.ClientError, needs: str) -> str:
    code = error.response["Error"].get("Code", "")
    message = one_line(error.response["Error"].get("Message", ""))
    if code in _EXPIRED:
        return f"the AWS credentials have expired: {_SIGN_IN}"
    if code in _REFUSED:
        return f"the AWS credentials were not accepted ({code}: {message}): {_SIGN_IN}"
    if is_denied(f"{code} {message}"):
        return denied(f"{error.operation_name}: {message}", needs)
    return f"{error.operation_name} failed: {code}: {message}"


def is_denied(text: str) -> bool:
    """Whether an error's code or message says that permission is missing."""
    return _DENIED.search(text) is not None


def denied(message: str, needs: str) -> str:
    """The message for a missing permission."""
    return f"no permission: {message}" + (f". Needed: {needs}" if needs else "")


def one_line(error: object) -> str:
    """A text, or an error's text, with every run of white space as one space."""
    return " ".join(str(error).split())
