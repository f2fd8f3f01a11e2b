"""The AWS provider's place in the engine tests: the emulator's resources, over Pulumi's protocol.

Run as a plugin (``pulumi-resource-aws``) it serves check, diff, create, read, update and delete of
every type that `local.resources` creates. It reaches the emulator by the same environment variables
as any client: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pulumi
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.server import ProviderServicer, main
from pulumi.runtime import rpc

from local.account.aws import Aws, Credentials
from local.account.deploy import EmulatorMocks
from local.account.emulator import ACCOUNT_ID
from local.errors import LocalError
from local.resources import Context, create
from tests.engine import lifecycle, provider_facts

VERSION = importlib.metadata.version("pulumi-aws")
FAIL = "ENGINE_TEST_FAIL"
"""Names a resource type that cannot be created, so that a deployment stops half way."""
SLOW = "ENGINE_TEST_SLOW"
"""Names a resource type that takes three seconds to create, so that one can interrupt that."""
UNKNOWN = object()
"""A value that is known only once what it comes from is there."""
_CONTENT = {"assets", "path", "uri"}
_OUTPUTS = {"arn", "streamArn"}
_SECRET = {"secretString"}
_GET_STREAM = "aws:kinesis/getStream:getStream"
_STORED = "__stored"
"""What AWS has of the inputs, with which the next ones are compared: Terraform's state."""
_DEFAULTS = "__defaults"
"""The bridge's list of the inputs that it made up itself."""


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
        """Name what has no name, and hold the name to AWS's rule."""
        inputs = dict(request.new_inputs)
        try:
            lifecycle.of(_type(request))
        except LocalError as error:
            return protocol.CheckResponse(inputs, [protocol.CheckFailure("", str(error))])
        name = provider_facts.of(_type(request)).name
        inputs[_DEFAULTS] = PropertyValue([])
        if name and name.automatic and name.key not in inputs:
            # ComputeAutoNameDefault: a name that is there stays, whoever gave it, also an imported
            # one. A replacement is checked without the old inputs and gets another.
            made_up = PropertyValue(_suffixed(request.name, name))
            inputs[name.key] = request.old_inputs.get(name.key, made_up)
            inputs[_DEFAULTS] = PropertyValue([PropertyValue(name.key)])
        plain_inputs = plain_map(inputs)
        failures = []
        if name and (problem := name.problem(plain_inputs.get(name.key))):
            failures = [protocol.CheckFailure(name.key, problem)]
        for one in plain_inputs.values():
            if isinstance(one, pulumi.Archive):  # whose content only `check` and `create` are given
                inputs["sourceCodeHash"] = PropertyValue(lifecycle.fingerprint(one))
        return protocol.CheckResponse(inputs, failures)

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        """Compare the inputs with what AWS has of the last ones."""
        facts = provider_facts.of(_type(request))
        old, new = _stored(request.old_state), comparable(plain_map(request.new_inputs))
        changed = facts.changed(old, new) - set(request.ignore_changes)
        replaces = facts.replaced_by(changed)
        key = facts.name.key if facts.name else ""
        made_up = plain_map(request.new_inputs).get(_DEFAULTS, [])
        return protocol.DiffResponse(
            changes=bool(changed),
            replaces=replaces,
            # Two of one name cannot be there at once (nameRequiresDeleteBeforeReplace).
            delete_before_replace=bool(replaces)
            and key in new
            and key not in made_up
            and old.get(key) == new[key],
            diffs=sorted(changed),
            detailed_diff={key: _kind(key, old, new, key in replaces) for key in changed},
        )

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        """Create; a preview knows only what it was given."""
        inputs = _given(request.properties)
        if request.preview:
            return protocol.CreateResponse(properties=dict(request.properties))
        if os.environ.get(FAIL) == _type(request):
            raise LocalError(f"{FAIL} says that {_type(request)} cannot be created")
        identity, state = await asyncio.to_thread(
            create, self._context, _type(request), request.name, inputs
        )
        if os.environ.get(SLOW) == _type(request):
            await asyncio.sleep(3)
        stored = provider_facts.of(_type(request)).created(comparable(inputs))
        return protocol.CreateResponse(identity, _state(state, inputs, stored))

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        """Change in place; a preview keeps the outputs."""
        if request.preview:
            return protocol.UpdateResponse({**request.olds, **request.news})
        facts, given = provider_facts.of(_type(request)), _given(request.news)
        stored, new = _stored(request.olds), comparable(given)
        changed = facts.changed(stored, new)
        planned = facts.planned(stored, new)
        # What shows no change is sent as it is: Terraform plans its state for it.
        sent = {key: one for key, one in given.items() if key not in new}  # archives
        sent |= {key: one for key, one in planned.items() if key in changed}
        sent |= {key: one for key, one in stored.items() if key not in changed}
        state = await asyncio.to_thread(
            lifecycle.update,
            self._context,
            _type(request),
            request.name,
            request.resource_id,
            {**_outputs(request.olds), **stored},
            sent,
        )
        return protocol.UpdateResponse(
            _state(state, {**stored, **sent}, facts.updated(stored, new))
        )

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
        state, stored = _outputs(request.properties), _stored(request.properties)
        seen = await asyncio.to_thread(
            lifecycle.read,
            self._context,
            _type(request),
            request.resource_id,
            {**state, **stored},
        )
        if seen is None:
            return protocol.ReadResponse(resource_id="")
        observed = {key: value for key, value in seen.items() if key not in _OUTPUTS}
        stored = provider_facts.of(_type(request)).read_back(stored | observed)
        if request.properties:
            known = plain_map(request.inputs)
            inputs = {key: stored.get(key, value) for key, value in known.items()}
        else:  # an import, whose names the bridge takes for given ones (extractSchemaInputsObject)
            inputs = {**stored, _DEFAULTS: []}
        return protocol.ReadResponse(
            request.resource_id, _state({**state, **seen}, observed, stored), wrap_map(inputs)
        )

    async def invoke(self, request: protocol.InvokeRequest) -> protocol.InvokeResponse:
        """Answer who and where one is, and what a stream or a table is like."""
        if request.tok == _GET_STREAM:
            name = plain(request.args["name"])
            return protocol.InvokeResponse(wrap_map(lifecycle.stream(self._context, name)))
        args = plain_map(request.args)
        asked = pulumi.runtime.MockCallArgs(token=request.tok, args=args, provider="")
        answer, failures = EmulatorMocks(self._context).call(asked)
        for _, reason in failures or ():
            raise LocalError(reason)
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
    """The inputs without archives, for which ``sourceCodeHash`` stands, and without secrets.

    What is compared is also in the state, where only what the program calls a secret is encrypted.
    """
    return {
        key: hashlib.sha256(value.encode()).hexdigest() if key in _SECRET else value
        for key, value in inputs.items()
        if value is not None and key != _DEFAULTS and not isinstance(value, pulumi.Archive)
    }


def _given(inputs: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """The inputs without what the bridge notes among them."""
    return {key: value for key, value in plain_map(inputs).items() if key != _DEFAULTS}


def _stored(state: Mapping[str, PropertyValue]) -> dict[str, Any]:
    stored: dict[str, Any] = plain(state.get(_STORED, PropertyValue({})))
    return stored


def _outputs(state: Mapping[str, PropertyValue]) -> dict[str, Any]:
    return {key: value for key, value in plain_map(state).items() if key != _STORED}


def _state(
    state: Mapping[str, Any], inputs: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, PropertyValue]:
    """The outputs: what AWS has of the inputs, and what it adds."""
    added = {key: value for key, value in comparable(state).items() if key not in inputs}
    return wrap_map({**added, **stored, _STORED: stored})


def _suffixed(logical: str, name: provider_facts.Name) -> str:
    """A name made up as Pulumi does; those of buckets are in lower case."""
    made_up = f"{logical}-{secrets.token_hex(4)[:7]}"
    return made_up.lower() if name.key == "bucket" else made_up


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
    return Context(_account(os.environ.get("AWS_REGION", region)), "engine")


@cache
def _account(region: str) -> Aws:
    key = os.environ["AWS_ACCESS_KEY_ID"]
    root = Credentials(
        access_key_id=key,
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:root",
    )
    return Aws(
        emulator_url=os.environ["AWS_ENDPOINT_URL"],
        region=region,
        account_id=ACCOUNT_ID,
        root=root,
    )


async def _attach(*_: Any) -> empty_pb2.Empty:
    """A plugin that runs already is told of its engine, whom it has nothing to say."""
    return empty_pb2.Empty()


_unmarshal = PropertyValue.unmarshal


def _unmarshal_archives_without_content(value: Any) -> PropertyValue:
    """An old archive comes as its hash alone, which the SDK (3.272) takes for an error."""
    fields = value.struct_value.fields if value.HasField("struct_value") else {}
    key = rpc._special_sig_key
    signature = fields[key].string_value if key in fields else ""
    if signature == rpc._special_archive_sig and not fields.keys() & _CONTENT:
        return PropertyValue(None)
    return _unmarshal(value)


def _end_with_the_engine() -> None:
    """An engine that was killed ends none of its plugins."""
    engine = os.getppid()
    while os.getppid() == engine:
        time.sleep(5)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    PropertyValue.unmarshal = staticmethod(_unmarshal_archives_without_content)  # type: ignore[method-assign]
    ProviderServicer.Attach = _attach  # type: ignore[method-assign,assignment]
    main(sys.argv[1:], VERSION, EmulatorProvider(from_environment))
