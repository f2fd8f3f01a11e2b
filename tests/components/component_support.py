"""Run a program against a recording mock of the Pulumi engine and inspect what it registered."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import pulumi
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.stack import run_in_stack

from schema import ORDERS
from tests import schema_check

ROOT = Path(__file__).resolve().parents[2]

ACCOUNT = "123456789012"
REGION = "eu-central-1"

# What AWS adds to what the program says. Every output that our components read must be here: a
# missing one would turn into null within a policy without a word.
_ARNS: Mapping[str, str] = {
    "aws:athena/workgroup:Workgroup": "athena:{region}:{account}:workgroup/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws:dynamodb/table:Table": "dynamodb:{region}:{account}:table/{name}",
    "aws:glue/catalogDatabase:CatalogDatabase": "glue:{region}:{account}:database/{name}",
    "aws:glue/catalogTable:CatalogTable": "glue:{region}:{account}:table/db/{name}",
    "aws:glue/job:Job": "glue:{region}:{account}:job/{name}",
    "aws:glue/crawler:Crawler": "glue:{region}:{account}:crawler/{name}",
    "aws:iam/policy:Policy": "iam::{account}:policy/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": (
        "firehose:{region}:{account}:deliverystream/{name}"
    ),
    "aws:kinesis/stream:Stream": "kinesis:{region}:{account}:stream/{name}",
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:pipes/pipe:Pipe": "pipes:{region}:{account}:pipe/{name}",
    "aws:quicksight/dataSet:DataSet": "quicksight:{region}:{account}:dataset/{name}",
    "aws:quicksight/dataSource:DataSource": "quicksight:{region}:{account}:datasource/{name}",
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:scheduler/schedule:Schedule": "scheduler:{region}:{account}:schedule/default/{name}",
    "aws:secretsmanager/secret:Secret": "secretsmanager:{region}:{account}:secret:{name}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
}


def physical(name: str) -> str:
    """The name that the provider gives to what the program calls ``name``."""
    return f"{name}-1a2b3c4"


def arn(service_and_rest: str) -> str:
    """An ARN in the account and region of the tests: ``arn("sqs", "queue")``."""
    return f"arn:aws:{service_and_rest.format(region=REGION, account=ACCOUNT)}"


@dataclass(frozen=True)
class Recorded:
    """A resource as the program registered it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    urn: str
    parent: str
    protect: bool
    depends_on: frozenset[str]
    replace_on_changes: frozenset[str]
    ignore_changes: frozenset[str]

    @property
    def document(self) -> Any:
        """Its policy, parsed."""
        return json.loads(self.inputs["policy"])

    @property
    def statements(self) -> dict[str, dict[str, Any]]:
        """The statements of its policy, by Sid."""
        return {statement["Sid"]: statement for statement in self.document["Statement"]}

    @property
    def allows(self) -> dict[str, set[str]]:
        """The resources of each action that its policy allows."""
        allowed: dict[str, set[str]] = {}
        for statement in self.document["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in statement["Action"]:
                allowed.setdefault(action, set()).update(statement["Resource"])
        return allowed


@dataclass
class Deployed:
    """What a program registered and exported."""

    resources: list[Recorded] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all(self, kind: str) -> list[Recorded]:
        """The resources of a type, named in full or by its last part (``Bucket``)."""
        return [r for r in self.resources if kind in (r.type, r.type.split(":")[-1])]

    def find(self, kind: str, name: str | None = None) -> Recorded:
        """The one resource of this type (and name)."""
        found = [r for r in self.all(kind) if name in (None, r.name)]
        assert len(found) == 1, f"{kind} {name or ''}: {[r.name for r in self.all(kind)]}"
        return found[0]

    @property
    def exports(self) -> dict[str, Any]:
        """The stack's outputs."""
        return next(out for urn, out in self.outputs.items() if "pulumi:pulumi:Stack" in urn)

    @property
    def shape(self) -> set[str]:
        """The URNs of all resources."""
        return {resource.urn for resource in self.resources}


EXISTING: dict[str, dict[str, Any] | str] = {}
"""Tables that exist before a program runs, as the provider finds them, or its error."""


def existing_table(name: str, **unlike: Any) -> dict[str, Any]:
    """A table of orders with a stream, as the provider finds it, but for what is ``unlike``."""
    table = arn(f"dynamodb:{{region}}:{{account}}:table/{name}")
    found = {
        "id": name,
        "name": name,
        "arn": table,
        "region": REGION,
        "hashKey": "orderid",
        "rangeKey": "",
        "attributes": [{"name": "orderid", "type": "S"}],
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "streamArn": f"{table}/stream/2025-01-01T00:00:00.000",
    }
    return found | unlike


class _Account(pulumi.runtime.Mocks):
    """Responds as AWS would. In a preview, values that AWS assigns are unknown."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = dict(args.inputs)
        if self._preview or not args.custom:
            return "", state
        name = state.get("name") or state.get("bucket") or physical(args.name)
        state |= {"name": name} if "bucket" not in args.typ.lower() else {"bucket": name}
        if args.typ in _ARNS:
            state["arn"] = "arn:aws:" + _ARNS[args.typ].format(
                region=REGION, account=ACCOUNT, name=name
            )
        if args.typ == "aws:dynamodb/table:Table":
            state["streamArn"] = f"{state['arn']}/stream/2026-11-21T00:00:00.000"
        if args.typ == "aws:cloudformation/stack:Stack":
            declared = json.loads(state["templateBody"])["Outputs"]
            state["outputs"] = {name: output["Value"] for name, output in declared.items()}
        if args.typ == "aws:secretsmanager/secretVersion:SecretVersion":
            state["versionId"] = f"version-of-{args.name}"
        if args.typ == "aws:sqs/queue:Queue":
            state["url"] = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
        return f"{name}-id", state

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        if args.token == "aws:dynamodb/getTable:getTable":
            found = EXISTING.get(args.args["name"])
            if isinstance(found, str):
                return {}, [("name", found)]
            return found or ({}, [("name", "couldn't find resource")])
        return {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION},
        }[args.token]


class _Recorder(mocks.MockMonitor):
    """The engine's side of a program: records what the mocks do not receive."""

    def __init__(self, *, preview: bool) -> None:
        super().__init__(_Account(preview=preview))
        self.seen = Deployed()

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            recorded = Recorded(
                type=request.type,
                name=request.name,
                inputs=rpc.deserialize_properties(request.object),
                urn=answer.urn,
                parent=request.parent,
                protect=request.protect,
                depends_on=frozenset(urn.split("::")[-1] for urn in request.dependencies),
                replace_on_changes=frozenset(request.replaceOnChanges),
                ignore_changes=frozenset(request.ignoreChanges),
            )
            self.seen.resources.append(recorded)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.seen.outputs[request.urn] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)


class Deploy(Protocol):
    """Run a program; see `deploy`."""

    def __call__(
        self, program: Callable[[], object], *, stack: str = "test", **config: str
    ) -> Deployed: ...


def once(deployed: Callable[..., Deployed]) -> Callable[..., Deployed]:
    """Deploy only once for all calls with the same arguments: equal ones look equal."""
    known: dict[str, Deployed] = {}

    @wraps(deployed)
    def call(deploy: Deploy, **given: Any) -> Deployed:
        asked = repr(sorted(given.items()))
        if asked not in known:
            known[asked] = deployed(deploy, **given)
        return known[asked]

    return call


def record(
    program: Callable[[], object],
    seen: Deployed,
    *,
    stack: str,
    config: Mapping[str, str],
    preview: bool,
) -> None:
    """Run a program and put what it registers into ``seen``, also when it fails."""
    recorder = _Recorder(preview=preview)
    recorder.seen = seen
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    settings.set_root_resource(None)  # type: ignore[arg-type]
    mocks.set_mocks(
        recorder.mocks, project="sales-cdc", stack=stack, preview=preview, monitor=recorder
    )
    pulumi.runtime.set_all_config(dict(config))
    settings.set_root_resource(None)  # type: ignore[arg-type]

    def run() -> None:
        program()

    try:
        # Where in the program a resource is made is only for Pulumi's own messages, and slow.
        with mock.patch("pulumi.runtime.resource._get_stack_trace", source_pb2.StackTrace):
            loop.run_until_complete(run_in_stack(run))
    finally:
        loop.close()
        # The SDK registers from several threads.
        seen.resources.sort(key=lambda resource: resource.urn)


def _strings(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield value


def check(deployed: Deployed) -> None:
    """Checks that apply to every program."""
    urns = [resource.urn for resource in deployed.resources]
    twice = {urn for urn in urns if urns.count(urn) > 1}
    assert not twice, f"registered twice: {twice}"
    for resource in deployed.resources:
        if resource.inputs.get("tableType") == "VIRTUAL_VIEW":
            # An empty block is none to the provider, and without one Athena refuses the view.
            serde = resource.inputs["storageDescriptor"].get("serDeInfo") or {}
            assert serde.get("name") and serde.get("serializationLibrary"), resource.name
        if resource.type.startswith("aws:"):
            plain = {key: rpc.unwrap_rpc_secret(value) for key, value in resource.inputs.items()}
            wrong = schema_check.problems(resource.type, resource.name, plain)
            assert not wrong, f"{resource.type} {resource.name}: {'; '.join(wrong)}"
        for key in ("policy", "assumeRolePolicy"):
            if key in resource.inputs:
                for text in _strings(json.loads(resource.inputs[key])):
                    assert isinstance(text, str), f"{resource.name}: {text!r} in its policy"
                    assert not re.search(r"None|null|Output<", text), f"{resource.name}: {text}"


def with_hashed_columns(stack: str, config: Mapping[str, str]) -> Deployed:
    """What the whole program makes if its orders' personal columns are hashed."""
    seen = Deployed()
    hashed = (replace(one, privacy="hash") if one.personal else one for one in ORDERS.columns)
    orders = replace(ORDERS, columns=tuple(hashed))  # as an edit of schema/orders.py
    with mock.patch("components.arguments.settings.ORDERS", orders):
        record(
            lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
            seen,
            stack=stack,
            config={f"sales-cdc:{key}": value for key, value in config.items()},
            preview=False,
        )
    return seen
