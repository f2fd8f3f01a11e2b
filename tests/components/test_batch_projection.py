"""BatchProjection: a Glue job, its files, its schedule and its role."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.arguments.checks import ArgumentError
from components.batch_projection import BatchProjection, BatchProjectionArgs
from components.catalog import View
from schema import ORDERS, Schema
from tests.components.component_support import Deploy, Deployed, arn, once

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "arn:aws:s3:::lake"
GLUE = "arn:aws:glue:eu-central-1:123456789012"
VIEW = View(name="current_orders", sql="SELECT '${day}' AS d", columns=(("d", "string"),))
REQUIRED: dict[str, Any] = {
    "bucket_name": "lake",
    "bucket_arn": BUCKET,
    "database_name": "shop",
    "database_arn": f"{GLUE}:database/shop",
}
HOURLY = "cron(10 * * * ? *)"


@once
def batch(deploy: Deploy, **args: Any) -> Deployed:
    return deploy(lambda: BatchProjection("batch", BatchProjectionArgs(**REQUIRED, **args)))


def test_the_job_runs_on_a_pinned_glue_with_iceberg(deploy: Deploy) -> None:
    job = batch(deploy).find("Job").inputs
    assert (job["glueVersion"], job["workerType"], job["numberOfWorkers"]) == ("5.1", "G.1X", 2)
    assert (job["timeout"], job["maxRetries"]) == (60, 1)
    assert job["executionProperty"] == {"maxConcurrentRuns": 1}
    assert job["command"]["name"] == "glueetl"
    assert job["defaultArguments"]["--datalake-formats"] == "iceberg"


def test_the_jobs_arguments_are_those_that_the_script_takes(deploy: Deploy) -> None:
    arguments = batch(deploy).find("Job").inputs["defaultArguments"]
    assert arguments["--log"] == "s3://lake/projection/"
    assert arguments["--location"] == "s3://lake/orders/"
    assert (arguments["--database"], arguments["--table"]) == ("shop", "orders")
    script = (ROOT / "jobs" / "merge_orders.py").read_text()
    ours = [
        name
        for name in arguments
        if name.strip("-").replace("-", "").islower() and name != "--conf"
    ]
    glues = {"--job-language", "--datalake-formats", "--extra-py-files"}
    for name in set(ours) - glues:
        assert re.search(rf'add_argument\(\s*"{name}"', script), name


def test_glue_does_not_publish_metrics_that_its_role_may_not_put(deploy: Deploy) -> None:
    deployed = batch(deploy)
    # Glue looks whether the argument is there, whatever its value.
    puts = "--enable-metrics" in deployed.find("Job").inputs["defaultArguments"]
    assert puts == ("cloudwatch:PutMetricData" in deployed.find("RolePolicy").allows)


def test_every_setting_reaches_the_job(deploy: Deploy) -> None:
    job = (
        batch(
            deploy,
            batch_worker_type="G.2X",
            batch_workers=10,
            batch_timeout_minutes=30,
            batch_retries=0,
            batch_look_back_hours=48,
            batch_compact_files=4,
            batch_snapshot_days=9,
            batch_orphan_days=7,
            batch_buckets=64,
        )
        .find("Job")
        .inputs
    )
    assert (job["workerType"], job["numberOfWorkers"]) == ("G.2X", 10)
    assert (job["timeout"], job["maxRetries"]) == (30, 0)
    arguments = job["defaultArguments"]
    assert {
        name: arguments[f"--{name}"]
        for name in ("look-back-hours", "compact-files", "snapshot-days", "orphan-days", "buckets")
    } == {
        "look-back-hours": "48",
        "compact-files": "4",
        "snapshot-days": "9",
        "orphan-days": "7",
        "buckets": "64",
    }


def test_without_a_schedule_it_runs_on_demand_and_leaves_the_view_alone(deploy: Deploy) -> None:
    deployed = batch(deploy, view=VIEW)
    assert not deployed.all("Schedule") and not deployed.all("Function")
    assert definition(deployed)["view"] is None
    assert f"{GLUE}:table/shop/current_orders" not in str(deployed.find("RolePolicy").allows)


def test_on_a_schedule_it_points_the_view(deploy: Deploy) -> None:
    deployed = batch(deploy, view=VIEW, batch_schedule=HOURLY)
    assert definition(deployed)["view"] == {
        "name": "current_orders",
        "sql": "SELECT '${day}' AS d",
        "columns": [{"name": "d", "type": "varchar"}],
    }
    assert (
        f"{GLUE}:table/shop/current_orders"
        in deployed.find("RolePolicy", "batch-policy").allows["glue:UpdateTable"]
    )


def test_a_schedule_asks_a_function_whether_there_is_anything_new(deploy: Deploy) -> None:
    deployed = batch(deploy, batch_schedule=HOURLY, batch_look_back_hours=48)
    check = arn("lambda:{region}:{account}:function:batch-check-function-1a2b3c4")
    schedule = deployed.find("Schedule")
    assert schedule.inputs["scheduleExpression"] == HOURLY
    assert schedule.inputs["target"] == {
        "arn": check,
        "roleArn": arn("iam::{account}:role/batch-schedule-role-1a2b3c4"),
    }
    assert "batch-schedule-policy" in schedule.depends_on
    assert deployed.find("RolePolicy", "batch-schedule-policy").allows == {
        "lambda:InvokeFunction": {check, f"{check}:*"}
    }
    assert deployed.find("Function").inputs["environment"]["variables"] == {
        "JOB_NAME": "batch-job-1a2b3c4",
        "BUCKET_NAME": "lake",
        "LOG_PREFIX": "projection/",
        "LOOK_BACK_HOURS": "48",
    }


def test_the_check_may_list_the_log_and_start_this_job_and_no_more(deploy: Deploy) -> None:
    policy = batch(deploy, batch_schedule=HOURLY).find("RolePolicy", "batch-check-policy")
    logs = {arn("logs:{region}:{account}:log-group:batch-check-logs-1a2b3c4:*")}
    job = {arn("glue:{region}:{account}:job/batch-job-1a2b3c4")}
    assert policy.allows == {
        "logs:CreateLogStream": logs,
        "logs:PutLogEvents": logs,
        "s3:ListBucket": {BUCKET},
        "glue:GetJob": job,
        "glue:GetJobRuns": job,
        "glue:StartJobRun": job,
    }
    condition = policy.statements["FindNewObjects"]["Condition"]
    assert condition == {"StringLike": {"s3:prefix": "projection/*"}}


def test_a_run_may_wait_for_spare_capacity(deploy: Deploy) -> None:
    assert "executionClass" not in batch(deploy).find("Job").inputs
    flex = batch(deploy, batch_execution_class="flex").find("Job").inputs
    assert flex["executionClass"] == "FLEX"


def test_it_may_read_the_log_keep_its_table_write_its_logs_and_no_more(deploy: Deploy) -> None:
    logs = {
        arn("logs:{region}:{account}:log-group:/aws-glue/batch/output:*"),
        arn("logs:{region}:{account}:log-group:/aws-glue/batch/error:*"),
    }
    catalog = {f"{GLUE}:catalog", f"{GLUE}:database/shop"}
    table = catalog | {f"{GLUE}:table/shop/orders"}
    kept, scratch = f"{BUCKET}/orders/*", f"{BUCKET}/jobs/temporary/*"
    packed = f"{BUCKET}/projection/*"
    assert batch(deploy, view=VIEW).find("RolePolicy").allows == {
        "s3:GetBucketLocation": {BUCKET},
        "s3:ListBucket": {BUCKET},
        "s3:GetObject": {f"{BUCKET}/{p}/*" for p in ("projection", "jobs", "orders")}
        | {f"{BUCKET}/projection", f"{BUCKET}/orders"},
        "s3:AbortMultipartUpload": {kept},
        "s3:PutObject": {kept, scratch, packed},
        "s3:DeleteObject": {kept, scratch, packed},
        "glue:CreateTable": table,
        "glue:GetTable": table,
        "glue:UpdateTable": table,
        "logs:CreateLogStream": logs,
        "logs:PutLogEvents": logs,
    }


def test_glue_alone_may_act_as_it(deploy: Deploy) -> None:
    trust = batch(deploy).find("Role").inputs["assumeRolePolicy"]
    (statement,) = json.loads(trust)["Statement"]
    assert statement["Principal"] == {"Service": "glue.amazonaws.com"}
    assert "Condition" not in statement  # its guide shows none


def test_its_logs_expire(deploy: Deploy) -> None:
    deployed = batch(deploy, log_retention_days=3)
    job = deployed.find("Job")
    prefix = job.inputs["defaultArguments"]["--custom-logGroup-prefix"]
    assert {one.inputs["name"] for one in deployed.all("LogGroup")} == {
        f"{prefix}/output",
        f"{prefix}/error",
    }
    assert {one.inputs["retentionInDays"] for one in deployed.all("LogGroup")} == {3}
    assert {"batch-policy", "batch-output", "batch-error"} <= job.depends_on


def test_the_jobs_files_are_in_the_bucket_by_their_content(deploy: Deploy) -> None:
    deployed = batch(deploy)
    stored = {one.inputs["key"]: one.inputs["content"] for one in deployed.all("BucketObjectv2")}
    arguments = deployed.find("Job").inputs
    script = arguments["command"]["scriptLocation"]
    modules = arguments["defaultArguments"]["--extra-py-files"].split(",")
    paths = {f"s3://lake/{key}" for key in stored}
    assert paths == {script, *modules, arguments["defaultArguments"]["--definition"]}
    folders = {key.rpartition("/")[0] for key in stored}
    assert len(folders) == 1
    source = (ROOT / "jobs" / "merge_orders.py").read_text()
    assert stored[script.removeprefix("s3://lake/")] == source

    other = batch(deploy, schema=Schema(key="orderid", columns=ORDERS.columns[:2]))
    assert not folders & {
        one.inputs["key"].rpartition("/")[0] for one in other.all("BucketObjectv2")
    }, "another definition is another folder: a run never sees files of two deployments"


def test_every_module_that_the_job_imports_is_uploaded(deploy: Deploy) -> None:
    stored = {one.inputs["key"].rpartition("/")[2] for one in batch(deploy).all("BucketObjectv2")}
    assert {path.name for path in (ROOT / "jobs").glob("*.py")} | {"definition.json"} == stored


def test_the_definition_holds_the_schema(deploy: Deploy) -> None:
    assert definition(batch(deploy))["schema"] == json.loads(ORDERS.to_json())


def test_the_table_and_its_files_have_the_name_of_the_schema(deploy: Deploy) -> None:
    shipments = Schema(name="shipments", key="orderid", columns=ORDERS.columns)
    deployed = batch(deploy, schema=shipments)
    arguments = deployed.find("Job").inputs["defaultArguments"]
    assert arguments["--table"] == "shipments"
    assert arguments["--location"] == "s3://lake/shipments/"
    allows = deployed.find("RolePolicy").allows
    assert f"{GLUE}:table/shop/shipments" in allows["glue:CreateTable"]
    assert f"{BUCKET}/shipments/*" in allows["s3:PutObject"]
    assert "orders" not in str(allows)


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "batch_schedule": "hourly",
        "batch_execution_class": "spot",
        "batch_worker_type": "Standard",
        "batch_workers": 1,
        "batch_timeout_minutes": 0,
        "batch_retries": 11,
        "batch_look_back_hours": 0,
        "batch_compact_files": 1,
        "batch_snapshot_days": 0,
        "batch_orphan_days": 1,
        "batch_buckets": 0,
    }
    with pytest.raises(ArgumentError) as raised:
        BatchProjectionArgs(**REQUIRED, **wrong)
    for name in wrong:
        assert name in str(raised.value)


def definition(deployed: Deployed) -> dict[str, Any]:
    (content,) = [
        one.inputs["content"]
        for one in deployed.all("BucketObjectv2")
        if one.inputs["key"].endswith("definition.json")
    ]
    found: dict[str, Any] = json.loads(content)
    return found
