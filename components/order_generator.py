"""A scheduled Lambda function that generates orders."""

from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import policies
from components.python_function import PythonFunction, PythonFunctionArgs, schedule


@dataclass(frozen=True, kw_only=True)
class OrderGeneratorArgs:
    """Arguments of `OrderGenerator`.

    Parameters
    ----------
    table_name, table_arn:
        The table to write to.
    order_generator_schedule:
        When the function runs: ``rate(...)`` or ``cron(...)``, UTC.
    order_generator_orders:
        Orders placed by one run.
    updates, deletes:
        Updates and deletes as shares of a run's changes. The rest are new orders.
    kms_key_arn:
        Encrypts the function's environment and log, and the schedule's input. Without it,
        AWS-managed keys are used.
    table_kms_key_arn:
        The table's KMS key, if it has one.
    platform:
        The platform the function is built for.
    """

    table_name: pulumi.Input[str]
    table_arn: pulumi.Input[str]
    order_generator_schedule: limits.Schedule = Settings.order_generator_schedule
    order_generator_orders: limits.Orders = Settings.order_generator_orders
    updates: limits.Share = 0.4
    deletes: limits.Share = 0.05
    platform: Platform = field(default_factory=lambda: functions.AWS)
    memory_mb: limits.MemoryMb = 512
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    kms_key_arn: limits.KeyArn | None = None
    table_kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self, _some_are_placed)


def _some_are_placed(args: Any, label: checks.Label) -> str | None:
    if args.updates + args.deletes < 1:
        return None
    return f"{label('updates')} and {label('deletes')}: together they must be below 1"


class OrderGenerator(pulumi.ComponentResource):
    """The order generator as a Lambda function, and an EventBridge Scheduler schedule for it."""

    function_name: pulumi.Output[str]
    """The function's name."""
    function_arn: pulumi.Output[str]
    """The function's ARN."""
    schedule_name: pulumi.Output[str]
    """The schedule's name."""

    def __init__(
        self, name: str, args: OrderGeneratorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:OrderGenerator", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        function = PythonFunction(
            name,
            PythonFunctionArgs(
                package=functions.order_generator(args.platform),
                platform=args.platform,
                memory_mb=args.memory_mb,
                timeout_seconds=300,
                environment={
                    "TABLE_NAME": args.table_name,
                    "ORDERS": str(args.order_generator_orders),
                    "UPDATES": f"{args.updates:g}",
                    "DELETES": f"{args.deletes:g}",
                },
                statements=policies.generate_orders(args.table_arn, args.table_kms_key_arn),
                log_retention_days=args.log_retention_days,
                kms_key_arn=args.kms_key_arn,
            ),
            child,
        )
        # A failed run has written some of its orders, and the next run comes soon.
        runs = schedule(
            name,
            args.order_generator_schedule,
            function,
            child,
            kms_key_arn=args.kms_key_arn,
            once=True,
            retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(maximum_retry_attempts=0),
        )
        self.function_name = function.name
        self.function_arn = function.arn
        self.schedule_name = runs.name
        self.register_outputs(
            {
                "function_name": self.function_name,
                "function_arn": self.function_arn,
                "schedule_name": self.schedule_name,
            }
        )
