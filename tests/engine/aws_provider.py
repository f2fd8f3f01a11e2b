"""The AWS provider's place in the engine tests: the emulator's resources, over Pulumi's protocol.

Run as a plugin (``pulumi-resource-aws``) it serves check, diff, create, read, update and delete of
every type that `local.resources` creates. It reaches the emulator by the same environment variables
as any client: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.server import main
from pulumi.runtime import rpc

from local.account.aws import Aws, Credentials
from local.account.deploy import EmulatorMocks
from local.account.emulator import ACCOUNT_ID
from local.errors import LocalError
from local.resources import Context, create
from tests.engine import lifecycle

VERSION = importlib.metadata.version("pulumi-aws")
FAIL = "ENGINE_TEST_FAIL"
"""Names a resource type that cannot be created, so that a deployment stops half way."""
UNKNOWN = object()
"""A value that is known only once what it comes from is there."""
_CONTENT = {"assets", "path", "uri"}
_OUTPUTS = {"arn", "streamArn"}
_INPUTS = "__inputs"
"""The state's copy of the inputs, against which the next ones are compared."""


class EmulatorProvider(protocol.Provider):
    """Creates, changes and deletes in the emulator.

    Parameters
    ----------
    context:
        Makes it from the region that the stack configures.
    """

    def __init__(self, context: Callable[[str], Context]) -> None:
        self._connect = context
        self._context = context("us-east-1")

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        """Take the stack's region."""
        region = request.variables.get("aws:config:region")
        if region:
            self._context = self._connect(region)
        return protocol.ConfigureResponse(supports_preview=True)

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        """Name what has no name, the same as before unless it is made anew."""
        inputs = dict(request.new_inputs)
        try:
            key = lifecycle.of(_type(request)).name
        except LocalError as error:
            return protocol.CheckResponse(inputs, [protocol.CheckFailure("", str(error))])
        if key and key not in inputs:
            made_up = PropertyValue(f"{request.name}-{secrets.token_hex(4)[:7]}")
            inputs[key] = request.old_inputs.get(key, made_up)
        for one in plain_map(inputs).values():
            if isinstance(one, pulumi.Archive):  # whose content only `check` and `create` are given
                inputs["sourceCodeHash"] = PropertyValue(lifecycle.fingerprint(one))
        return protocol.CheckResponse(inputs)

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        """Compare the inputs with those of the last time."""
        old = plain(request.old_state.get(_INPUTS, PropertyValue({})))
        new = comparable(plain_map(request.new_inputs))
        changed = {
            key
            for key in old.keys() | new.keys()
            if key not in request.ignore_changes and old.get(key) != new.get(key)
        }
        replaces = lifecycle.of(_type(request)).replaces(changed)
        return protocol.DiffResponse(
            changes=bool(changed),
            replaces=replaces,
            diffs=sorted(changed),
            detailed_diff={key: _kind(key, old, new, key in replaces) for key in changed},
        )

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        """Create; a preview knows only what it was given."""
        inputs = plain_map(request.properties)
        if request.preview:
            return protocol.CreateResponse(properties=dict(request.properties))
        if os.environ.get(FAIL) == _type(request):
            raise LocalError(f"{FAIL} says that {_type(request)} cannot be created")
        identity, state = await asyncio.to_thread(
            create, self._context, _type(request), request.name, inputs
        )
        return protocol.CreateResponse(identity, _state(state, inputs))

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        """Change in place; a preview keeps the outputs."""
        old, new = plain_map(request.olds), plain_map(request.news)
        if request.preview:
            return protocol.UpdateResponse({**request.olds, **request.news})
        state = await asyncio.to_thread(
            lifecycle.update,
            self._context,
            _type(request),
            request.name,
            request.resource_id,
            old,
            new,
        )
        return protocol.UpdateResponse(_state(state, new))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        """Delete, also what is gone."""
        await asyncio.to_thread(
            lifecycle.delete,
            self._context,
            _type(request),
            request.resource_id,
            plain_map(request.properties),
        )

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        """What is there now; an empty id says that nothing is."""
        state = plain_map(request.properties)
        seen = await asyncio.to_thread(
            lifecycle.read, self._context, _type(request), request.resource_id, state
        )
        if seen is None:
            return protocol.ReadResponse(resource_id="")
        imported = {key: value for key, value in seen.items() if key not in _OUTPUTS}
        known = comparable(plain_map(request.inputs)) or imported
        inputs = {key: seen.get(key, value) for key, value in known.items()}
        return protocol.ReadResponse(
            request.resource_id, _state({**state, **seen}, inputs), wrap_map(inputs)
        )

    async def invoke(self, request: protocol.InvokeRequest) -> protocol.InvokeResponse:
        """Answer who and where one is."""
        asked = pulumi.runtime.MockCallArgs(token=request.tok, args={}, provider="")
        answer, _ = EmulatorMocks(self._context).call(asked)
        return protocol.InvokeResponse(wrap_map(answer))


def plain(value: PropertyValue) -> Any:
    """A property as Python has it; archives stay archives."""
    inner = value.value
    if isinstance(inner, Computed):
        return UNKNOWN
    if isinstance(inner, Mapping):
        return plain_map(inner)
    if isinstance(inner, tuple):
        return [plain(one) for one in inner]
    return inner


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """Properties as Python has them."""
    return {key: plain(value) for key, value in values.items()}


def wrap(value: Any) -> PropertyValue:
    """A Python value as a property: its numbers are floats."""
    if isinstance(value, Mapping):
        return PropertyValue(wrap_map(value))
    if isinstance(value, list | tuple):
        return PropertyValue([wrap(one) for one in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def wrap_map(values: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """Python values as properties."""
    return {key: wrap(value) for key, value in values.items()}


def comparable(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without archives: ``sourceCodeHash`` stands for them."""
    return {
        key: value
        for key, value in inputs.items()
        if value is not None and not isinstance(value, pulumi.Archive)
    }


def _state(state: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, PropertyValue]:
    return wrap_map({**comparable(state), _INPUTS: comparable(inputs)})


def _type(request: Any) -> str:
    """The resource's own type; the SDK's has those of its parents before it."""
    return str(request.type).rsplit("$", 1)[-1]


def _kind(
    key: str, old: Mapping[str, Any], new: Mapping[str, Any], replace: bool
) -> protocol.PropertyDiff:
    kinds = protocol.PropertyDiffKind
    if key not in old:
        kind = kinds.ADD_REPLACE if replace else kinds.ADD
    elif key not in new:
        kind = kinds.DELETE_REPLACE if replace else kinds.DELETE
    else:
        kind = kinds.UPDATE_REPLACE if replace else kinds.UPDATE
    return protocol.PropertyDiff(kind, input_diff=True)


def from_environment(region: str) -> Context:
    """The account that the standard environment variables point at."""
    key = os.environ["AWS_ACCESS_KEY_ID"]
    root = Credentials(
        access_key_id=key,
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:root",
    )
    aws = Aws(
        emulator_url=os.environ["AWS_ENDPOINT_URL"],
        region=os.environ.get("AWS_REGION", region),
        account_id=ACCOUNT_ID,
        root=root,
    )
    return Context(aws, "engine")


_unmarshal = PropertyValue.unmarshal


def _unmarshal_archives_without_content(value: Any) -> PropertyValue:
    """An old archive comes as its hash alone, which the SDK (3.272) takes for an error."""
    fields = value.struct_value.fields if value.HasField("struct_value") else {}
    key = rpc._special_sig_key
    signature = fields[key].string_value if key in fields else ""
    if signature == rpc._special_archive_sig and not fields.keys() & _CONTENT:
        return PropertyValue(None)
    return _unmarshal(value)


if __name__ == "__main__":
    PropertyValue.unmarshal = staticmethod(_unmarshal_archives_without_content)  # type: ignore[method-assign]
    main(sys.argv[1:], VERSION, EmulatorProvider(from_environment))
