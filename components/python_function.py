"""A Lambda function in Python, with its log group and its own role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.archives.lambda_zip import Platform
from components.arguments import checks, limits
from components.arguments.settings import Settings
from components.definitions import policies
from components.service_role import ServiceRole, ServiceRoleArgs


@dataclass(frozen=True, kw_only=True)
class PythonFunctionArgs:
    """Arguments of `PythonFunction`.

    Parameters
    ----------
    package:
        The zip, as `components.archives.lambda_zip.build` makes it, with ``handler.handler`` in it.
    platform:
        The architecture and Python version the package was built for.
    environment:
        Environment variables.
    statements:
        IAM statements of its role, besides writing to its own log group.
    kms_key_arn:
        Encrypts the log and the environment. Without it, AWS-managed keys are used. The role needs
        no permission for it: Lambda creates a grant with the deployer's permissions, and CloudWatch
        Logs uses the key policy.
    """

    package: Path
    platform: Platform
    memory_mb: limits.MemoryMb
    timeout_seconds: limits.TimeoutSeconds
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    statements: Sequence[policies.Statement] = ()
    log_retention_days: limits.LogRetentionDays = Settings.log_retention_days
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class PythonFunction(pulumi.ComponentResource):
    """A Lambda function with its own role and its own log group with finite retention."""

    name: pulumi.Output[str]
    """The function's name."""
    arn: pulumi.Output[str]
    """The function's ARN, without a version."""
    role_arn: pulumi.Output[str]
    """The ARN of the role it runs as."""
    log_group_name: pulumi.Output[str]
    """The function's log group."""

    def __init__(
        self, name: str, args: PythonFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:PythonFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.kms_key_arn,
            opts=child,
        )
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                service="lambda.amazonaws.com",
                statements=[*policies.write_logs(logs.arn), *args.statements],
            ),
            child,
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            role=role.arn,
            handler="handler.handler",
            runtime=f"python{args.platform.python}",
            architectures=[args.platform.architecture],
            code=pulumi.FileArchive(str(args.package)),
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=args.environment)
            if args.environment
            else None,
            # Without an environment Lambda drops the key, and the next preview would show a diff.
            kms_key_arn=args.kms_key_arn if args.environment else None,
            # Text: the handlers log JSON, which the JSON format would wrap again.
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=logs.name
            ),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[role.policy])
            ),
        )
        self.name = function.name
        self.arn = function.arn
        self.role_arn = role.arn
        self.log_group_name = logs.name
        self.register_outputs(
            {
                "name": self.name,
                "arn": self.arn,
                "role_arn": self.role_arn,
                "log_group_name": self.log_group_name,
            }
        )


def schedule(
    name: str,
    when: str,
    function: PythonFunction,
    opts: pulumi.ResourceOptions,
    *,
    kms_key_arn: str | None,
    once: bool = False,
    retry_policy: aws.scheduler.ScheduleTargetRetryPolicyArgs | None = None,
) -> aws.scheduler.Schedule:
    """Call a function by an EventBridge Scheduler schedule, with a role of its own.

    Parameters
    ----------
    once:
        A failed run is not repeated. Scheduler invokes asynchronously, so Lambda would repeat it
        (twice by default).
    """
    settled: list[pulumi.Resource] = []
    if once:
        settled.append(
            aws.lambda_.FunctionEventInvokeConfig(
                f"{name}-once", function_name=function.name, maximum_retry_attempts=0, opts=opts
            )
        )
    role = ServiceRole(
        f"{name}-schedule",
        ServiceRoleArgs(
            service="scheduler.amazonaws.com",
            statements=[
                *policies.invoke(function.arn),
                *policies.read_schedule(function.arn, f"{name}-schedule", kms_key_arn),
            ],
        ),
        opts,
    )
    return aws.scheduler.Schedule(
        f"{name}-schedule",
        schedule_expression=when,
        kms_key_arn=kms_key_arn,
        flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
        target=aws.scheduler.ScheduleTargetArgs(
            arn=function.arn, role_arn=role.arn, retry_policy=retry_policy
        ),
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[role.policy, *settled])
        ),
    )
