"""A scheduled Lambda function that packs the log's small objects."""

from dataclasses import dataclass, field

import pulumi

from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import policies
from components.python_function import PythonFunction, PythonFunctionArgs, schedule
from schema import layout

_MEMORY_MB, _TIMEOUT_SECONDS = 512, 900


@dataclass(frozen=True, kw_only=True)
class LogPackingArgs:
    """Arguments of `LogPacking`.

    Parameters
    ----------
    bucket_name, bucket_arn:
        The bucket of the lake. Its event rows are lines of JSON: a function has no pyarrow, which
        Parquet would need.
    pack_schedule:
        When the function runs (``cron(...)``, UTC).
    batch_look_back_hours:
        How late a change may arrive. Hours are packed when this and another hour have passed.
    platform:
        The platform the function is built for.
    kms_key_arn:
        The key of the bucket. Encrypts the function's objects, environment and log. Without it,
        AWS-managed keys are used.
    """

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    pack_schedule: limits.Cron
    batch_look_back_hours: limits.LookBackHours = Settings.batch_look_back_hours
    platform: Platform = field(default_factory=lambda: functions.AWS)
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class LogPacking(pulumi.ComponentResource):
    """A function that packs the log's closed hours, and an EventBridge Scheduler schedule for it.

    For a log of JSON. The batch job packs by itself, if it has a schedule.
    """

    pack_function_name: pulumi.Output[str]
    """The function that packs the log."""

    def __init__(
        self, name: str, args: LogPackingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:LogPacking", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        function = PythonFunction(
            name,
            PythonFunctionArgs(
                package=functions.pack_log(args.platform),
                platform=args.platform,
                memory_mb=_MEMORY_MB,
                timeout_seconds=_TIMEOUT_SECONDS,
                environment={
                    "BUCKET_NAME": args.bucket_name,
                    "LOG_PREFIX": layout.PROJECTION_PREFIX,
                    "RUNS_PREFIX": layout.PACKING_PREFIX,
                    "LOOK_BACK_HOURS": str(args.batch_look_back_hours),
                },
                statements=policies.pack_log(args.bucket_arn, args.kms_key_arn),
                log_retention_days=args.log_retention_days,
                kms_key_arn=args.kms_key_arn,
            ),
            child,
        )
        # The next run goes on where a failed one stopped.
        schedule(name, args.pack_schedule, function, child, kms_key_arn=args.kms_key_arn, once=True)
        self.pack_function_name = function.name
        self.register_outputs({"pack_function_name": self.pack_function_name})
