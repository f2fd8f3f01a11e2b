"""The scheduled Spark job that keeps the table of current orders."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from components.archives import functions
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.catalog import View, presto_type
from components.definitions import glue_security, policies
from components.service_role import ServiceRole, ServiceRoleArgs
from schema import ORDERS, Schema, layout

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "jobs" / "merge_orders.py"
MODULES = (
    ROOT / "jobs" / "event_rows.py",
    ROOT / "jobs" / "orders_table.py",
    ROOT / "jobs" / "orders_view.py",
    # A backfill makes rows of items as the transform does.
    functions.FUNCTIONS / "transform" / "rows.py",
)
TABLE = "orders"
GLUE_VERSION = "5.1"
"""Spark 3.5.6, Python 3.11, Iceberg 1.10.0; ``local/standins/spark/pom.xml`` has the same."""

WorkerType = Literal["G.1X", "G.2X", "G.4X", "G.8X"]


@dataclass(frozen=True, kw_only=True)
class BatchProjectionArgs:
    """What a `BatchProjection` is made of.

    Parameters
    ----------
    bucket_name, bucket_arn:
        The lake: event rows in it, and the table, the job's files and exports to load.
    database_name, database_arn:
        The Glue database that gets the table ``orders``.
    schema:
        What an item holds.
    view:
        The view that, on a schedule, each run points at the table and at what the log has beyond
        it; its SQL has ``${day}`` and ``${hour}``.
    batch_schedule:
        When the job runs (``cron(...)``, UTC); None: when it is started by hand. Then it leaves the
        view alone: a table that is brought up to date now and then is nothing to rely on.
    batch_worker_type, batch_workers:
        What it runs on; a G.1X has 4 cores and 16 GB, and one of the workers is Spark's driver.
    batch_timeout_minutes:
        A run that takes longer is stopped; the next one does its work.
    batch_retries:
        How often a failed run is tried again at once.
    batch_look_back_hours:
        How late a change may arrive, and how long deletes are remembered twice over.
    batch_compact_files:
        Data files in a partition of the table that queries have to put up with.
    batch_snapshot_days, batch_orphan_days:
        How long the table's past states, and files that belong to none, are kept.
    batch_buckets:
        Partitions of a new table, by the key.
    kms_key_arn:
        The key of the bucket. Encrypts what the job writes there, and its logs; without it, keys of
        AWS's own do.
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
    batch_timeout_minutes: limits.GlueTimeoutMinutes = Settings.batch_timeout_minutes
    batch_retries: limits.GlueRetries = Settings.batch_retries
    batch_look_back_hours: limits.LookBackHours = Settings.batch_look_back_hours
    batch_compact_files: limits.CompactFiles = Settings.batch_compact_files
    batch_snapshot_days: limits.RetentionDays = Settings.batch_snapshot_days
    batch_orphan_days: limits.OrphanDays = Settings.batch_orphan_days
    batch_buckets: limits.Buckets = Settings.batch_buckets
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class BatchProjection(pulumi.ComponentResource):
    """A Glue job that merges the log of changes into an Iceberg table of current orders."""

    batch_job_name: pulumi.Output[str]
    """The Glue job; ``aws glue start-job-run --job-name`` runs it."""
    batch_job_arn: pulumi.Output[str]
    """The Glue job's ARN."""
    batch_log_group: pulumi.Output[str]
    """Where each run's figures are, as one line of JSON."""

    def __init__(
        self, name: str, args: BatchProjectionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:BatchProjection", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Glue takes a prefix and writes to these two groups below it.
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
                        table=TABLE,
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
        # The job's log groups are its own and have the key already; were it in the configuration
        # too, Glue would write to groups of other names.
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
            description="Merges the log of changes into the table of current orders",
            role_arn=role.arn,
            security_configuration=security.name if security else None,
            glue_version=GLUE_VERSION,
            worker_type=args.batch_worker_type,
            number_of_workers=args.batch_workers,
            timeout=args.batch_timeout_minutes,
            max_retries=args.batch_retries,
            # Two at once do no harm, but the second only repeats the first.
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
                "--table": TABLE,
                "--location": pulumi.Output.concat(lake, layout.ORDERS_PREFIX),
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
        if args.batch_schedule:
            aws.glue.Trigger(
                f"{name}-schedule",
                type="SCHEDULED",
                schedule=args.batch_schedule,
                actions=[aws.glue.TriggerActionArgs(job_name=job.name)],
                opts=child,
            )
        self.batch_job_name = job.name
        self.batch_job_arn = job.arn
        self.batch_log_group = logs[0].name
        self.register_outputs(
            {
                "batch_job_name": self.batch_job_name,
                "batch_job_arn": self.batch_job_arn,
                "batch_log_group": self.batch_log_group,
            }
        )


class _Files:
    """The job's files in the bucket, under a name that tells their content.

    So a run sees the files of one deployment, never some of the next one.
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
    """What the job is told in a file: the schema, and the view to point."""
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
