"""The QuickSight dashboard: its permissions, its viewers, and that its definition is valid."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from components.arguments.checks import ArgumentError
from components.definitions.quicksight import definition
from components.quicksight_dashboard import QuickSightDashboard, QuickSightDashboardArgs
from schema import ORDERS
from tests.components.component_support import ACCOUNT, REGION, Deploy, Deployed, arn

ANALYSTS = arn("quicksight:{region}:{account}:group/default/analysts")
BUCKET = "arn:aws:s3:::lake"
WORKGROUP = arn("athena:{region}:{account}:workgroup/sales")
DATABASE = arn("glue:{region}:{account}:database/sales_cdc")


def make(name: str = "one", **given: Any) -> QuickSightDashboard:
    values: dict[str, Any] = {
        "workgroup_name": "sales",
        "workgroup_arn": WORKGROUP,
        "database_name": "sales_cdc",
        "database_arn": DATABASE,
        "bucket_arn": BUCKET,
        "dashboard_principal_arn": ANALYSTS,
    }
    return QuickSightDashboard(name, QuickSightDashboardArgs(**values | given))


@pytest.fixture(scope="module")
def deployed(deploy: Deploy) -> Deployed:
    return deploy(make)


def test_the_data_source_asks_the_workgroup_as_a_role_of_its_own(deployed: Deployed) -> None:
    source = deployed.find("DataSource").inputs
    role = deployed.find("aws:iam/role:Role")
    assert source["type"] == "ATHENA"
    assert source["awsAccountId"] == ACCOUNT
    assert source["dataSourceId"] == "one-source"
    assert source["parameters"] == {
        "athena": {
            "workGroup": "sales",
            "roleArn": arn("iam::{account}:role/" + f"{role.name}-1a2b3c4"),
        }
    }


def test_the_data_source_waits_until_the_role_may_ask(deployed: Deployed) -> None:
    assert deployed.find("RolePolicy").name in deployed.find("DataSource").depends_on


def test_only_quicksight_assumes_the_role(deployed: Deployed) -> None:
    trust = json.loads(deployed.find("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "quicksight.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_the_role_reads_the_rows_and_nothing_else(deployed: Deployed) -> None:
    allows = deployed.find("RolePolicy").allows
    assert allows["athena:StartQueryExecution"] == {WORKGROUP}
    assert allows["s3:GetObject"] == {
        f"{BUCKET}/{prefix}/*" for prefix in ("projection", "orders", "athena-results")
    }
    assert allows["s3:PutObject"] == {f"{BUCKET}/athena-results/*"}
    assert allows["s3:ListBucket"] == {BUCKET}
    assert DATABASE in allows["glue:GetTable"]
    writing = re.compile(r":(Put|Delete|Create|Update|BatchCreate|BatchDelete)")
    assert [action for action in allows if writing.search(action)] == ["s3:PutObject"]
    assert {action.split(":")[0] for action in allows} == {"athena", "glue", "s3"}


def test_the_dataset_is_current_orders_asked_directly(deployed: Deployed) -> None:
    data_set = deployed.find("DataSet").inputs
    assert data_set["importMode"] == "DIRECT_QUERY"
    (mapped,) = data_set["physicalTableMaps"]
    table = mapped["relationalTable"]
    assert table["dataSourceArn"] == arn("quicksight:{region}:{account}:datasource/one: Athena")
    assert (table["catalog"], table["schema"], table["name"]) == (
        "AwsDataCatalog",
        "sales_cdc",
        "current_orders",
    )
    types = {column["name"]: column["type"] for column in table["inputColumns"]}
    assert list(types) == [column.name for column in ORDERS.event_row]
    assert types["orderid"] == "STRING"
    assert types["quantity"] == "INTEGER"
    assert types["price"] == "DECIMAL"
    assert types["created_at"] == "DATETIME"


def test_the_principal_may_use_and_see_but_not_change(deployed: Deployed) -> None:
    def actions(permissions: list[dict[str, Any]]) -> set[str]:
        (permission,) = permissions
        assert permission["principal"] == ANALYSTS
        return {action.removeprefix("quicksight:") for action in permission["actions"]}

    assert actions(deployed.find("DataSource").inputs["permissions"]) == {
        "DescribeDataSource",
        "DescribeDataSourcePermissions",
        "PassDataSource",
    }
    assert actions(deployed.find("DataSet").inputs["permissions"]) == {
        "DescribeDataSet",
        "DescribeDataSetPermissions",
        "PassDataSet",
        "DescribeIngestion",
        "ListIngestions",
    }
    (viewers,) = dashboard(deployed)["Permissions"]
    assert viewers == {
        "Principal": ANALYSTS,
        "Actions": [
            "quicksight:DescribeDashboard",
            "quicksight:ListDashboardVersions",
            "quicksight:QueryDashboard",
        ],
    }


def dashboard(deployed: Deployed) -> dict[str, Any]:
    template = json.loads(deployed.find("aws:cloudformation/stack:Stack").inputs["templateBody"])
    (resource,) = template["Resources"].values()
    assert resource["Type"] == "AWS::QuickSight::Dashboard"
    properties: dict[str, Any] = resource["Properties"]
    return properties


def test_quicksights_own_model_accepts_the_dashboard(deployed: Deployed) -> None:
    """CloudFormation's members are those of the API."""
    properties = dashboard(deployed)
    model = botocore.session.get_session().get_service_model("quicksight")
    shape = model.operation_model("CreateDashboard").input_shape
    report = ParamValidator().validate(properties, shape)
    assert not report.has_errors(), report.generate_report()


def test_every_visual_has_its_place_and_uses_columns_that_there_are(deployed: Deployed) -> None:
    shown = dashboard(deployed)["Definition"]
    (declared,) = shown["DataSetIdentifierDeclarations"]
    assert declared["DataSetArn"] == arn(
        "quicksight:{region}:{account}:dataset/one: current orders"
    )
    (sheet,) = shown["Sheets"]
    visuals = [body for visual in sheet["Visuals"] for body in visual.values()]
    ids = [visual["VisualId"] for visual in visuals]
    elements = sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
    assert [element["ElementId"] for element in elements] == ids
    assert all(e["ColumnIndex"] + e["ColumnSpan"] <= 36 for e in elements)
    calculated = {field["Name"] for field in shown["CalculatedFields"]}
    known = calculated | {column.name for column in ORDERS.event_row}
    text = json.dumps(shown)
    assert set(re.findall(r'"ColumnName": "(\w+)"', text)) <= known
    assert set(re.findall(r"\{(\w+)\}", text)) <= known
    fields = re.findall(r'"FieldId": "([\w-]+)"', text)
    sorted_by = re.findall(r'"FieldSort": \{"FieldId": "([\w-]+)"', text)
    assert len(fields) - len(sorted_by) == len(set(fields)), "a field id is used once"


def test_the_titles_are_the_figures_of_the_other_dashboard() -> None:
    (sheet,) = definition("arn", days=7)["Sheets"]
    titles = [
        v["Title"]["FormatText"]["PlainText"] for one in sheet["Visuals"] for v in one.values()
    ]
    assert titles == [
        "Revenue",
        "Orders",
        "Average order",
        "Cancelled",
        "Newest change (UTC)",
        "Revenue by day",
        "Revenue by product",
        "Orders by status",
    ]
    assert sheet["Name"] == "Sales, the last 7 days"


def test_it_says_where_to_look(deploy: Deploy) -> None:
    deployed = deploy(lambda: make("sales-cdc-dev-dashboard"))
    outputs = deployed.outputs[deployed.find("sales-cdc:index:QuickSightDashboard").urn]
    url = f"https://{REGION}.quicksight.aws.amazon.com/sn/dashboards/sales-cdc-dev-dashboard"
    assert outputs["dashboard_url"] == url
    assert outputs["dashboard_id"] == "sales-cdc-dev-dashboard"


def test_a_principal_of_iam_is_rejected() -> None:
    with pytest.raises(ArgumentError, match="the ARN of a QuickSight user or group"):
        make(dashboard_principal_arn="arn:aws:iam::123456789012:user/me")
