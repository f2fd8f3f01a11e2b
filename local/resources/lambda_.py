"""Lambda functions and their invoke permissions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pulumi

from local.account.aws import Credentials
from local.errors import LocalError
from local.resources.registry import (
    Context,
    Created,
    Inputs,
    auto_name,
    creates,
    parameters,
    without,
)

_SAME_IN_API = (
    "architectures",
    "description",
    "environment",
    "handler",
    "kmsKeyArn",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "timeout",
)
_IGNORED = frozenset({"code", "name", "region", "reservedConcurrentExecutions", "sourceCodeHash"})


@creates("aws:lambda/function:Function")
def function(context: Context, name: str, inputs: Inputs) -> Created:
    """A function from a zip file; the emulator runs it in a separate Python process."""
    client = context.aws.client("lambda")
    physical = auto_name(context, name, inputs)
    code = inputs["code"]
    if not isinstance(code, pulumi.FileArchive):
        raise LocalError(f"{name}: code must be a FileArchive of a zip file")
    if unknown := inputs.keys() - _IGNORED - set(_SAME_IN_API):
        raise LocalError(f"{name}: the local stack does not support {', '.join(sorted(unknown))}")
    wanted = {key: inputs[key] for key in _SAME_IN_API if inputs.get(key) is not None}
    if (variables := inputs.get("environment", {}).get("variables")) and context.aws.gateway_url:
        # The emulator's Glue runs no jobs.
        given = {**variables, "AWS_ENDPOINT_URL_GLUE": context.aws.gateway_url}
        wanted["environment"] = {"variables": given}
    arguments = parameters(client, "CreateFunction", {"functionName": physical, **wanted})
    client.create_function(Code={"ZipFile": Path(code.path).read_bytes()}, **arguments)
    if "reservedConcurrentExecutions" in inputs:
        client.put_function_concurrency(
            FunctionName=physical,
            ReservedConcurrentExecutions=int(inputs["reservedConcurrentExecutions"]),
        )
    arn = context.arn("lambda", f"function:{physical}")
    context.aws.book.add(_session(arn, inputs["role"]))
    return physical, {**inputs, "name": physical, "arn": arn, "version": "$LATEST"}


def _session(function: str, role: str) -> Credentials:
    """The credentials that the emulator gives the function, so that the gateway knows them."""
    digest = hashlib.sha256(f"{function}:{role}".encode()).hexdigest()
    return Credentials(
        access_key_id=f"ASIA{digest[:16].upper()}",
        secret_access_key=hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        session_token=hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
        principal_arn=role,
    )


@creates("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
def event_invoke_config(context: Context, name: str, inputs: Inputs) -> Created:
    """Retries of asynchronous invocations; the provider's default is two."""
    client = context.aws.client("lambda")
    given = {"maximumRetryAttempts": 2, **without(inputs, "region")}
    wanted = parameters(client, "PutFunctionEventInvokeConfig", given)
    client.put_function_event_invoke_config(**wanted)
    return inputs["functionName"], dict(inputs)


@creates("aws:lambda/permission:Permission")
def permission(context: Context, name: str, inputs: Inputs) -> Created:
    """A service's permission to invoke a function."""
    statement = inputs.get("statementId") or name
    given = {"sourceArn": "SourceArn", "sourceAccount": "SourceAccount"}
    context.aws.client("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=statement,
        Action=inputs["action"],
        Principal=inputs["principal"],
        **{api: inputs[key] for key, api in given.items() if inputs.get(key)},
    )
    return statement, {**inputs, "statementId": statement}
