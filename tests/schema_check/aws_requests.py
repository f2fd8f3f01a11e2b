"""What AWS's own service models say of the requests that a resource turns into.

The requests are made by `local.resources`, as for the emulator; here nobody answers them, but every
parameter is held against the model that botocore has of the service: known, required, one of an
enumeration, of a length, range and form. boto3 itself checks the first two, and minima, alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local.account.aws import Aws, Credentials
from local.account.emulator import ACCOUNT_ID
from local.errors import LocalError
from local.resources import Context, create
from local.resources.registry import _CREATORS

_ROOT = Credentials(
    access_key_id="none",
    secret_access_key="none",
    principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:root",
)
_JAVA = {r"\p{Alnum}": "a-zA-Z0-9", r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
"""What a pattern may hold that Python has another name for."""


def problems(token: str, name: str, inputs: Mapping[str, Any]) -> list[str]:
    """Problems with the requests that create this resource; none for types without a request."""
    if token not in _CREATORS:
        return []
    account = _Listening()
    try:
        create(Context(account, "schema-check"), token, name, dict(inputs))
    except LocalError as error:
        return [*account.found, str(error)]
    return account.found


class _Listening(Aws):
    """An account whose clients send nothing: they hold the parameters against the model."""

    def __init__(self) -> None:
        super().__init__(
            emulator_url="http://127.0.0.1:9",
            region="eu-central-1",
            account_id=ACCOUNT_ID,
            root=_ROOT,
        )
        self.found: list[str] = []

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        return _Client(_client(service, self.region), self.found)


@cache
def _client(service: str, region: str) -> Any:
    session: Any = boto3.Session()
    return session.client(
        service, region_name=region, aws_access_key_id="none", aws_secret_access_key="none"
    )


class _Client:
    """A client whose operations return the least that the model allows."""

    def __init__(self, client: Any, found: list[str]) -> None:
        self.meta = client.meta
        self._found = found
        self._operations = client.meta.method_to_api_mapping

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=lambda **_: None)

    def __getattr__(self, method: str) -> Any:
        model = self.meta.service_model.operation_model(self._operations[method])

        def call(**parameters: Any) -> Any:
            self._found.extend(_check(model.input_shape, parameters, model.name))
            return _least(model.output_shape) if model.output_shape else {}

        return call


def _check(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for key, item in value.items():
            if key not in shape.members:
                yield f"{path}.{key}: there is no such parameter"
            else:
                yield from _check(shape.members[key], item, f"{path}.{key}")
        for key in shape.required_members:
            if value.get(key) is None:
                yield f"{path}.{key}: is required"
    elif isinstance(shape, ListShape):
        yield from _size(shape, len(value), path, "items")
        for index, item in enumerate(value):
            yield from _check(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _size(shape, len(value), path, "entries")
        for key, item in value.items():
            yield from _check(shape.key, key, f"{path} key")
            yield from _check(shape.value, item, f"{path}[{key!r}]")
    elif isinstance(shape, StringShape):
        yield from _text(shape, value, path)
    elif shape.type_name in ("integer", "long", "double", "float"):
        yield from _size(shape, value, path, "")


def _text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path, "characters")
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
    pattern = _pattern(shape.metadata.get("pattern"))
    if pattern and not pattern.fullmatch(value):
        yield f"{path}: {value!r} is not of the form {pattern.pattern}"


def _size(shape: Shape, size: float, path: str, unit: str) -> Iterator[str]:
    least, most = (shape.metadata.get(bound) for bound in ("min", "max"))
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{path}: {size} {unit} is not from {least} to {most}".replace("  ", " ")


@cache
def _pattern(java: str | None) -> re.Pattern[str] | None:
    """A pattern of the models, which are Java's; None for those that Python cannot read."""
    if not java:
        return None
    for theirs, ours in _JAVA.items():
        java = java.replace(theirs, ours)
    try:
        return re.compile(java)
    except re.error:
        return None


def _least(shape: Shape, seen: tuple[str, ...] = ()) -> Any:
    """An answer of the right form."""
    if isinstance(shape, StructureShape):
        members = {} if shape.name in seen else shape.members
        return {key: _least(one, (*seen, shape.name)) for key, one in members.items()}
    if isinstance(shape, ListShape):
        return []
    if isinstance(shape, MapShape):
        return {}
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "x"
    return {"boolean": False, "timestamp": None, "blob": b""}.get(shape.type_name, 0)
