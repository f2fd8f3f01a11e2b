"""The scheduled Glue job that maintains the table of current items."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.catalog import View, presto_type
from components.definitions import glue_security, policies
from components.python_function import PythonFunction, PythonFunctionArgs, schedule
from components.service_role import ServiceRole, ServiceRoleArgs
from schema import ORDERS, Schema, layout

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "jobs" / "merge_orders.py"
MODULES = (
    ROOT / "jobs" / "event_rows.py",
    ROOT / "jobs" / "orders_table.py",
    ROOT / "jobs" / "orders_view.py",
    ROOT / "jobs" / "pack_log.py",
)
GLUE_VERSION = "5.1"
"""Spark 3.5.6, Python 3.11, Iceberg 1.10.0. Keep ``local/standins/spark/pom.xml`` in step."""

_CHECK_MEMORY_MB, _CHECK_TIMEOUT_SECONDS = 128, 60
WorkerType = Literal["G.1X", "G.2X", "G.4X", "G.8X"]


@dataclass(frozen=True, kw_only=True)
class BatchProjectionArgs:
    """Arguments of `BatchProjection`.

    Parameters
    ----------
    bucket_name, bucket_arn:
        The bucket of the lake. It holds event rows, the table and the job's files.
    database_name, database_arn:
        The Glue database in which the job creates its table.
    schema:
        The table's name, under which also its files are, and its columns.
    view:
        A view over the table and the newer event rows. Each run of a scheduled job updates it. Its
        SQL contains ``${day}`` and ``${hour}``.
    batch_schedule:
        When a function checks the log (``cron(...)``, UTC) and starts the job if anything is new.
        None: the job runs only when started by hand. It then does not change the view, because the
        table may be out of date.
    batch_execution_class:
        ``flex`` runs on spare capacity, for a third less. AWS may start it late.
    batch_worker_type, batch_workers:
        Type and number of Glue workers. A G.1X has 4 vCPUs and 16 GB. One worker is Spark's driver.
    batch_timeout_minutes:
        A longer run is stopped. The next run continues its work.
    batch_retries:
        How often Glue retries a failed run.
    batch_look_back_hours:
        How late a change may arrive. Deletes are remembered for twice as long.
    batch_compact_files:
        Compact a partition when it has more data files than this.
    batch_snapshot_days, batch_orphan_days:
        Days after which old snapshots of the table, and files that no snapshot uses, are deleted.
    batch_buckets:
        Number of bucket partitions of a new table, by key.
    platform:
        The platform the check is built for.
    kms_key_arn:
        The key of the bucket. Encrypts the job's objects and logs. Without it, AWS-managed keys
        are used.
    """

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    database_name: pulumi.Input[str]
    database_arn: pulumi.Input[str]
    schema: Schema = ORDERS
    view: View | None = None
    batch_schedule: limits.Cron | None = None
    batch_worker_type: WorkerType = Settings.batch_worker_type
    batch_workers: limits.GlueWorkers = Settings.batch_workers
    batch_execution_class: limits.ExecutionClass = Settings.batch_execution_class
    batch_timeout_minutes: limits.GlueTimeoutMinutes = Settings.batch_timeout_minutes
    batch_retries: limits.GlueRetries = Settings.batch_retries
    batch_look_back_hours: limits.LookBackHours = Settings.batch_look_back_hours
    batch_compact_files: limits.CompactFiles = Settings.batch_compact_files
    batch_snapshot_days: limits.RetentionDays = Settings.batch_snapshot_days
    batch_orphan_days: limits.OrphanDays = Settings.batch_orphan_days
    batch_buckets: limits.Buckets = Settings.batch_buckets
    platform: Platform = field(default_factory=lambda: functions.AWS)
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class BatchProjection(pulumi.ComponentResource):
    """A Glue job that merges the log of changes into an Iceberg table of current items."""

    batch_job_name: pulumi.Output[str]
    """The Glue job; ``aws glue start-job-run --job-name`` runs it."""
    batch_job_arn: pulumi.Output[str]
    """The Glue job's ARN."""
    batch_log_group: pulumi.Output[str]
    """The log group with each run's figures, one line of JSON a run."""
    batch_check_function_name: pulumi.Output[str] | None
    """The function that a schedule asks to start the job; none without a schedule."""

    def __init__(
        self, name: str, args: BatchProjectionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:BatchProjection", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Glue takes a prefix and writes to two log groups under it.
        group = f"/aws-glue/{name}"
        logs = [
            aws.cloudwatch.LogGroup(
                f"{name}-{kind}",
                name=f"{group}/{kind}",
                retention_in_days=args.log_retention_days,
                kms_key_id=args.kms_key_arn,
                opts=child,
            )
            for kind in ("output", "error")
        ]
        files = _Files(name, args, child)
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                service="glue.amazonaws.com",
                statements=[
                    *policies.merge_orders(
                        args.bucket_arn,
                        args.database_arn,
                        table=args.schema.name,
                        views=[args.view.name] if args.view and args.batch_schedule else [],
                        key=args.kms_key_arn,
                    ),
                    *policies.write_logs(*(log.arn for log in logs)),
                ],
            ),
            child,
        )
        lake = pulumi.Output.concat("s3://", args.bucket_name, "/")
        key = args.kms_key_arn
        # The job's log groups already have the key. If the configuration encrypted logs too, Glue
        # would write to groups of other names.
        security = (
            aws.glue.SecurityConfiguration(
                f"{name}-encryption",
                encryption_configuration=glue_security.encryption(key, logs=False),
                opts=child,
            )
            if key
            else None
        )
        job = aws.glue.Job(
            f"{name}-job",
            description=f"Merges the log of changes into the table {args.schema.name}",
            role_arn=role.arn,
            security_configuration=security.name if security else None,
            glue_version=GLUE_VERSION,
            worker_type=args.batch_worker_type,
            number_of_workers=args.batch_workers,
            # Left out for the standard class: AWS does not need it said.
            execution_class="FLEX" if args.batch_execution_class == "flex" else None,
            timeout=args.batch_timeout_minutes,
            max_retries=args.batch_retries,
            # Concurrent runs are safe, but the second would only repeat the first.
            execution_property=aws.glue.JobExecutionPropertyArgs(max_concurrent_runs=1),
            command=aws.glue.JobCommandArgs(
                name="glueetl", python_version="3", script_location=files.script
            ),
            default_arguments={
                "--job-language": "python",
                "--datalake-formats": "iceberg",
                "--extra-py-files": files.modules,
                "--custom-logGroup-prefix": group,
                "--TempDir": pulumi.Output.concat(lake, layout.JOBS_PREFIX, "temporary/"),
                "--log": pulumi.Output.concat(lake, layout.PROJECTION_PREFIX),
                "--database": args.database_name,
                "--table": args.schema.name,
                "--location": pulumi.Output.concat(lake, f"{args.schema.name}/"),
                "--definition": files.definition,
                "--look-back-hours": str(args.batch_look_back_hours),
                "--compact-files": str(args.batch_compact_files),
                "--snapshot-days": str(args.batch_snapshot_days),
                "--orphan-days": str(args.batch_orphan_days),
                "--buckets": str(args.batch_buckets),
            },
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[role.policy, *logs])
            ),
        )
        self.batch_check_function_name = None
        if args.batch_schedule:
            check = _check(name, args, job, child)
            schedule(name, args.batch_schedule, check, child, kms_key_arn=args.kms_key_arn)
            self.batch_check_function_name = check.name
        self.batch_job_name = job.name
        self.batch_job_arn = job.arn
        self.batch_log_group = logs[0].name
        self.register_outputs(
            {
                "batch_job_name": self.batch_job_name,
                "batch_job_arn": self.batch_job_arn,
                "batch_log_group": self.batch_log_group,
                "batch_check_function_name": self.batch_check_function_name,
            }
        )


def _check(
    name: str, args: BatchProjectionArgs, job: aws.glue.Job, child: pulumi.ResourceOptions
) -> PythonFunction:
    """The function that starts the job if anything is new: a run in vain costs a hundred times."""
    return PythonFunction(
        f"{name}-check",
        PythonFunctionArgs(
            package=functions.batch_check(args.platform),
            platform=args.platform,
            memory_mb=_CHECK_MEMORY_MB,
            timeout_seconds=_CHECK_TIMEOUT_SECONDS,
            environment={
                "JOB_NAME": job.name,
                "BUCKET_NAME": args.bucket_name,
                "LOG_PREFIX": layout.PROJECTION_PREFIX,
                "LOOK_BACK_HOURS": str(args.batch_look_back_hours),
            },
            statements=policies.start_batch(job.arn, args.bucket_arn),
            log_retention_days=args.log_retention_days,
            kms_key_arn=args.kms_key_arn,
        ),
        child,
    )


class _Files:
    """The job's files in the bucket, under a hash of their content.

    A run therefore never mixes files of two deployments.
    """

    script: pulumi.Output[str]
    modules: pulumi.Output[str]
    definition: pulumi.Output[str]

    def __init__(self, name: str, args: BatchProjectionArgs, child: pulumi.ResourceOptions) -> None:
        contents = {path.name: path.read_text("utf-8") for path in (SCRIPT, *MODULES)}
        contents["definition.json"] = json.dumps(definition(args), indent=1, sort_keys=True)
        known = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:12]
        where = {
            file: pulumi.Output.concat("s3://", args.bucket_name, "/", stored.key)
            for file, content in contents.items()
            if (
                stored := aws.s3.BucketObjectv2(
                    f"{name}-{file}",
                    bucket=args.bucket_name,
                    key=f"{layout.JOBS_PREFIX}{known}/{file}",
                    content=content,
                    content_type="text/plain; charset=utf-8",
                    opts=child,
                )
            )
        }
        self.script = where[SCRIPT.name]
        self.modules = pulumi.Output.all(*(where[path.name] for path in MODULES)).apply(",".join)
        self.definition = where["definition.json"]


def definition(args: BatchProjectionArgs) -> Mapping[str, Any]:
    """The job's definition file: the schema, and the view to update."""
    view = args.view if args.batch_schedule else None
    return {
        "schema": json.loads(args.schema.to_json()),
        "view": view
        and {
            "name": view.name,
            "sql": view.sql,
            "columns": [{"name": key, "type": presto_type(kind)} for key, kind in view.columns],
        },
    }
