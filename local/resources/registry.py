"""Maps resource types to the functions that create them, and holds their shared helpers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.account.aws import Aws
from local.errors import LocalError

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]
"""A resource's physical id and its output properties."""


@dataclass
class Context:
    """The account to create resources in, and the definitions for `local.standins`.

    ``definitions`` holds, per service, the API parameters of what the emulator cannot run.
    """

    aws: Aws
    stack: str
    definitions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """An ARN of the local account."""
        where = self.aws.region if region else ""
        return f"arn:aws:{service}:{where}:{self.aws.account_id}:{resource}"

    def define(self, service: str, parameters: dict[str, Any]) -> None:
        """Store a definition for its stand-in."""
        self.definitions.setdefault(service, []).append(parameters)


Creator = Callable[[Context, str, Inputs], Created]
_CREATORS: dict[str, Creator] = {}


def creates(token: str) -> Callable[[Creator], Creator]:
    """Register the decorated function for a resource type (``aws:sqs/queue:Queue``)."""

    def register(creator: Creator) -> Creator:
        _CREATORS[token] = creator
        return creator

    return register


def create(context: Context, token: str, name: str, inputs: Inputs) -> Created:
    """Create one resource.

    Raises
    ------
    LocalError
        For an unsupported type; skipping it would let the local stack drift from AWS.
    """
    creator = _CREATORS.get(token)
    if creator is None:
        raise LocalError(
            f"the local stack cannot create {token} ({name}): add it to local/resources/"
        )
    return creator(context, name, inputs)


def auto_name(context: Context, name: str, inputs: Inputs, key: str = "name") -> str:
    """The given physical name, or the logical name with a suffix, as the provider does it."""
    given = inputs.get(key)
    if given:
        return str(given)
    return f"{name}-{hashlib.sha256(f'{context.stack}/{name}'.encode()).hexdigest()[:7]}"


def without(inputs: Inputs, *names: str) -> dict[str, Any]:
    """The inputs except ``names``."""
    return {name: value for name, value in inputs.items() if name not in names}


def parameters(client: Any, operation: str, inputs: Inputs) -> dict[str, Any]:
    """Convert ``inputs`` (camelCase, numbers as floats) to the parameters of an API operation.

    Raises
    ------
    LocalError
        For an input without a matching member of the operation.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    converted: dict[str, Any] = _convert(shape, inputs, operation)
    return converted


def _convert(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        members = {name.lower(): name for name in shape.members}
        result = {}
        for key, item in value.items():
            if item is None:
                continue
            member = _member(members, key)
            if member is None:
                raise LocalError(f"{path} has no member for the input {key!r}")
            result[member] = _convert(shape.members[member], item, f"{path}.{key}")
        return result
    if isinstance(shape, ListShape):
        return [_convert(shape.member, item, path) for item in value]
    if isinstance(shape, MapShape):
        return {key: _convert(shape.value, item, path) for key, item in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name == "string" and not isinstance(value, str):
        return _text(value)
    return value


def _member(members: Mapping[str, str], key: str) -> str | None:
    """The member for an input, whichever of singular or plural Pulumi uses."""
    lower = key.lower()
    spellings: Iterable[str] = (lower, f"{lower}s", lower.removesuffix("s"), f"{lower}es")
    return next((members[one] for one in spellings if one in members), None)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
