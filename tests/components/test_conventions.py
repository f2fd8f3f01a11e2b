"""Conventions that every component follows."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pulumi
import pytest

from components.access import Access, AccessArgs
from components.batch_projection import BatchProjection, BatchProjectionArgs
from components.catalog import Catalog, CatalogArgs, SavedQuery, View
from components.cdc_source import CdcSource, CdcSourceArgs
from components.change_stream import ChangeStream, ChangeStreamArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from components.log_packing import LogPacking, LogPackingArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.order_generator import OrderGenerator, OrderGeneratorArgs
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from components.python_function import PythonFunction
from components.quicksight_dashboard import QuickSightDashboard, QuickSightDashboardArgs
from components.service_role import ServiceRole
from components.stream_bridge import StreamBridge, StreamBridgeArgs
from tests.components.component_support import Deploy, Deployed, Recorded, arn

TABLE = arn("dynamodb:{region}:{account}:table/orders")
DATABASE = arn("glue:{region}:{account}:database/shop")
WORKGROUP = arn("athena:{region}:{account}:workgroup/shop")
STREAM = arn("kinesis:{region}:{account}:stream/changes")
BUCKET = "arn:aws:s3:::lake"
ON_EVERYTHING = (
    "dynamodb:ListStreams",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
)
"""Actions that AWS authorizes on no single resource."""
VIEW = View(name="latest", sql="SELECT 1 AS one", columns=(("one", "int"),))
QUERY = SavedQuery(name="revenue", description="Revenue", sql="SELECT 1")

MAKERS: dict[type, Callable[[str, pulumi.ResourceOptions | None], object]] = {
    Access: lambda name, opts: Access(
        name,
        AccessArgs(
            table_arn=TABLE,
            stream_arn=f"{TABLE}/stream/1",
            kinesis_stream_arn=STREAM,
            pipe_arn=arn("pipes:{region}:{account}:pipe/bridge"),
            dlq_arn=arn("sqs:{region}:{account}:dlq"),
            bucket_arn=BUCKET,
            database_arn=DATABASE,
            workgroup_arn=WORKGROUP,
            delivery_stream_name="lake",
            transform_function_name="rows",
        ),
        opts,
    ),
    BatchProjection: lambda name, opts: BatchProjection(
        name,
        BatchProjectionArgs(
            bucket_name="lake",
            bucket_arn=BUCKET,
            database_name="shop",
            database_arn=DATABASE,
            view=VIEW,
            batch_schedule="cron(10 * * * ? *)",
        ),
        opts,
    ),
    Catalog: lambda name, opts: Catalog(
        name,
        CatalogArgs(bucket_name="lake", bucket_arn=BUCKET, views=[VIEW], saved_queries=[QUERY]),
        opts,
    ),
    ChangeStream: lambda name, opts: ChangeStream(name, ChangeStreamArgs(), opts),
    CdcSource: lambda name, opts: CdcSource(name, CdcSourceArgs(), opts),
    QuickSightDashboard: lambda name, opts: QuickSightDashboard(
        name,
        QuickSightDashboardArgs(
            workgroup_name="sales",
            workgroup_arn=WORKGROUP,
            database_name="sales",
            database_arn=DATABASE,
            bucket_arn=BUCKET,
            dashboard_principal_arn=arn("quicksight:{region}:{account}:group/default/analysts"),
        ),
        opts,
    ),
    DeliveryToLake: lambda name, opts: DeliveryToLake(
        name, DeliveryToLakeArgs(kinesis_stream_arn=STREAM, delivery_format="parquet"), opts
    ),
    LogPacking: lambda name, opts: LogPacking(
        name,
        LogPackingArgs(bucket_name="lake", bucket_arn=BUCKET, pack_schedule="cron(10 * * * ? *)"),
        opts,
    ),
    Monitoring: lambda name, opts: Monitoring(
        name,
        MonitoringArgs(
            table_name="orders",
            stream_arn=f"{TABLE}/stream/1",
            pipe_name="bridge",
            dlq_arn=arn("sqs:{region}:{account}:dlq"),
            stream_name="changes",
            delivery_stream_name="delivery",
            transform_function_name="transform",
            crawler_name="crawler",
        ),
        opts,
    ),
    OrderGenerator: lambda name, opts: OrderGenerator(
        name, OrderGeneratorArgs(table_name="orders", table_arn=TABLE), opts
    ),
    PrivateBucket: lambda name, opts: PrivateBucket(
        name, PrivateBucketArgs(expire_days_by_prefix={"rows/": 1}), opts
    ),
    StreamBridge: lambda name, opts: StreamBridge(
        name,
        StreamBridgeArgs(source_stream_arn=f"{TABLE}/stream/1", target_stream_arn=STREAM),
        opts,
    ),
}
Pair = Callable[[type], Deployed]
every_component = pytest.mark.parametrize("kind", MAKERS, ids=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def pair(deploy: Deploy) -> Pair:
    """Two of a component, deployed once for all tests: one by itself, two within another."""

    @cache
    def run(kind: type) -> Deployed:
        def program() -> None:
            MAKERS[kind]("one", None)
            outer = pulumi.ComponentResource("test:index:Outer", "outer")
            MAKERS[kind]("two", pulumi.ResourceOptions(parent=outer))

        return deploy(program)

    return run


def made(deployed: Deployed) -> list[Recorded]:
    """What the two components are made of, and they themselves."""
    return [one for one in deployed.resources if one.name != "outer"]


@every_component
def test_two_of_a_kind_do_not_collide(pair: Pair, kind: type) -> None:
    resources = made(pair(kind))
    names = [resource.name for resource in resources]
    assert len([n for n in names if n.startswith("one")]) == len(names) / 2
    assert all(name.startswith(("one", "two")) for name in names)
    # Nor in AWS: a name that the program gives is another one in each of them.
    given = [
        (resource.type, resource.inputs.get("databaseName"), resource.inputs["name"])
        for resource in resources
        if "name" in resource.inputs and "NamedQuery" not in resource.type
    ]
    assert len(given) == len(set(given))


@every_component
def test_children_are_its_own(pair: Pair, kind: type) -> None:
    deployed = pair(kind)
    parents = {resource.urn: resource.parent for resource in deployed.resources}
    components = {n: deployed.find(f"sales-cdc:index:{kind.__name__}", n) for n in ("one", "two")}
    children = [one for one in made(deployed) if one not in components.values()]
    assert children
    for resource in children:
        ancestors = [resource.parent]
        while ancestors[-1] in parents:
            ancestors.append(parents[ancestors[-1]])
        assert components[resource.name[:3]].urn in ancestors, resource.name


@every_component
def test_it_can_be_a_child_itself(pair: Pair, kind: type) -> None:
    deployed = pair(kind)
    component = deployed.find(f"sales-cdc:index:{kind.__name__}", "two")
    assert component.parent == deployed.find("test:index:Outer").urn


def declared_outputs(kind: type) -> dict[str, str | None]:
    """The outputs that a component's class annotates, with their docstrings.

    An output that not every component has (``| None``) starts with ``?``.
    """
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str | None] = {}
    for node, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and "Output" in ast.unparse(node.annotation):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            optional = "?" if "None" in ast.unparse(node.annotation) else ""
            found[optional + ast.unparse(node.target)] = str(after.value.value) if is_text else None  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    "kind", [*MAKERS, PythonFunction, ServiceRole], ids=lambda kind: kind.__name__
)
def test_every_output_is_described_assigned_and_registered(pair: Pair, kind: type) -> None:
    declared = declared_outputs(kind)
    assert declared and all(declared.values())
    deployed = pair(kind if kind in MAKERS else OrderGenerator)
    found = deployed.all(f"sales-cdc:index:{kind.__name__}")
    assert found
    for component in found:
        registered: dict[str, Any] = deployed.outputs[component.urn]
        always = {name for name in declared if not name.startswith("?")}
        assert always <= set(registered) <= {name.removeprefix("?") for name in declared}
        assert "null" not in json.dumps(registered)


@every_component
def test_every_role_waits_for_no_wildcard_action(pair: Pair, kind: type) -> None:
    deployed = pair(kind)
    for policy in [*deployed.all("RolePolicy"), *deployed.all("Policy")]:
        for action, resources in policy.allows.items():
            assert "*" not in action, f"{policy.name}: {action}"
            if "*" in resources:
                assert action in ON_EVERYTHING, f"{policy.name}: {action} on everything"


@every_component
def test_every_log_group_forgets(pair: Pair, kind: type) -> None:
    for group in pair(kind).all("LogGroup"):
        assert group.inputs["retentionInDays"] == 14
