"""A QuickSight dashboard on current orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.definitions import policies
from components.definitions.documents import to_json
from components.definitions.quicksight import ORDERS as CURRENT_ORDERS
from components.definitions.quicksight import definition
from components.service_role import ServiceRole, ServiceRoleArgs, account_id
from schema import ORDERS, Column, Schema, layout

_USE_DATA_SOURCE = (
    "quicksight:DescribeDataSource",
    "quicksight:DescribeDataSourcePermissions",
    "quicksight:PassDataSource",
)
_USE_DATA_SET = (
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:PassDataSet",
    "quicksight:DescribeIngestion",
    "quicksight:ListIngestions",
)
_VIEW_DASHBOARD = (
    "quicksight:DescribeDashboard",
    "quicksight:ListDashboardVersions",
    "quicksight:QueryDashboard",
)
"""QuickSight accepts only the action sets that its console gives a user and a viewer."""

_TYPES = {
    "string": "STRING",
    "int": "INTEGER",
    "bigint": "INTEGER",
    "double": "DECIMAL",
    "boolean": "BOOLEAN",
    "date": "DATETIME",
    "timestamp": "DATETIME",
}


@dataclass(frozen=True, kw_only=True)
class QuickSightDashboardArgs:
    """Arguments of `QuickSightDashboard`.

    Parameters
    ----------
    workgroup_name, workgroup_arn, database_name, database_arn, bucket_arn:
        The Athena workgroup, the Glue database and the bucket that it queries.
    kms_key_arn:
        The key of the bucket, if it is encrypted with a customer-managed key.
    dashboard_principal_arn:
        The QuickSight user or group that may see the dashboard.
    days:
        Days that the dashboard covers.
    schema:
        The columns of an order.
    """

    workgroup_name: pulumi.Input[str]
    workgroup_arn: pulumi.Input[str]
    database_name: pulumi.Input[str]
    database_arn: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    dashboard_principal_arn: limits.QuickSightPrincipalArn
    kms_key_arn: limits.KeyArn | None = None
    days: int = 30
    schema: Schema = ORDERS

    def __post_init__(self) -> None:
        checks.require(self)


class QuickSightDashboard(pulumi.ComponentResource):
    """A QuickSight data source, dataset and dashboard, and the role that its queries run as.

    The account needs a QuickSight Enterprise subscription, which supports a role per data source.
    The dataset uses direct query: each view of the dashboard runs Athena queries.
    """

    dashboard_id: pulumi.Output[str]
    """The dashboard's ID."""
    dashboard_url: pulumi.Output[str]
    """The dashboard's URL."""
    role_arn: pulumi.Output[str]
    """The ARN of the role that its queries run as."""

    def __init__(
        self, name: str, args: QuickSightDashboardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="sales-cdc:index:Dashboard")])
        opts = pulumi.ResourceOptions.merge(opts, renamed)
        super().__init__("sales-cdc:index:QuickSightDashboard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = account_id(self)
        role = ServiceRole(
            f"{name}-queries",
            ServiceRoleArgs(
                service="quicksight.amazonaws.com",
                statements=policies.ask(
                    args.workgroup_arn,
                    args.database_arn,
                    args.bucket_arn,
                    [layout.PROJECTION_PREFIX, layout.ORDERS_PREFIX],
                    layout.RESULTS_PREFIX,
                    args.kms_key_arn,
                ),
            ),
            child,
        )
        source = aws.quicksight.DataSource(
            f"{name}-source",
            aws_account_id=account,
            data_source_id=f"{name}-source",
            name=f"{name}: Athena",
            type="ATHENA",
            parameters=aws.quicksight.DataSourceParametersArgs(
                athena=aws.quicksight.DataSourceParametersAthenaArgs(
                    work_group=args.workgroup_name, role_arn=role.arn
                )
            ),
            permissions=[
                aws.quicksight.DataSourcePermissionArgs(
                    actions=list(_USE_DATA_SOURCE), principal=args.dashboard_principal_arn
                )
            ],
            # QuickSight tests the connection at creation, so the role needs its policy by then. The
            # provider retries for two minutes until IAM has propagated the role.
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[role.policy])
            ),
        )
        data_set = aws.quicksight.DataSet(
            f"{name}-orders",
            aws_account_id=account,
            data_set_id=f"{name}-orders",
            name=f"{name}: current orders",
            import_mode="DIRECT_QUERY",
            physical_table_maps=[
                aws.quicksight.DataSetPhysicalTableMapArgs(
                    physical_table_map_id=CURRENT_ORDERS.replace("_", "-"),
                    relational_table=aws.quicksight.DataSetPhysicalTableMapRelationalTableArgs(
                        data_source_arn=source.arn,
                        catalog="AwsDataCatalog",
                        schema=args.database_name,
                        name=CURRENT_ORDERS,
                        input_columns=_input_columns(args.schema.event_row),
                    ),
                )
            ],
            permissions=[
                aws.quicksight.DataSetPermissionArgs(
                    actions=list(_USE_DATA_SET), principal=args.dashboard_principal_arn
                )
            ],
            opts=child,
        )
        # aws.quicksight.Dashboard takes only a template, no definition. CloudFormation takes one.
        stack = aws.cloudformation.Stack(
            f"{name}-stack",
            template_body=to_json(_template(name, account, data_set.arn, args)),
            opts=child,
        )
        region = aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        self.dashboard_id = stack.outputs.apply(lambda outputs: outputs["DashboardId"])
        self.dashboard_url = pulumi.Output.concat(
            "https://", region, ".quicksight.aws.amazon.com/sn/dashboards/", self.dashboard_id
        )
        self.role_arn = role.arn
        self.register_outputs(
            {
                "dashboard_id": self.dashboard_id,
                "dashboard_url": self.dashboard_url,
                "role_arn": self.role_arn,
            }
        )


def _input_columns(
    columns: Sequence[Column],
) -> "list[aws.quicksight.DataSetPhysicalTableMapRelationalTableInputColumnArgs]":
    # Quoted: evaluating it would load all of QuickSight in every program that imports this.
    return [
        aws.quicksight.DataSetPhysicalTableMapRelationalTableInputColumnArgs(
            name=column.name, type="DECIMAL" if column.decimal else _TYPES[column.type]
        )
        for column in columns
    ]


def _template(
    name: str,
    account: pulumi.Output[str],
    data_set_arn: pulumi.Output[str],
    args: QuickSightDashboardArgs,
) -> Mapping[str, Any]:
    viewers = {"Principal": args.dashboard_principal_arn, "Actions": list(_VIEW_DASHBOARD)}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Dashboard": {
                "Type": "AWS::QuickSight::Dashboard",
                "Properties": {
                    "AwsAccountId": account,
                    "DashboardId": name,
                    "Name": name,
                    "Definition": definition(data_set_arn, days=args.days),
                    "Permissions": [viewers],
                },
            }
        },
        "Outputs": {"DashboardId": {"Value": name}},
    }
