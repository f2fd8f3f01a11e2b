"""A policy to attach to whoever repairs the chain with `python -m operate replay`."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.definitions import policies


@dataclass(frozen=True, kw_only=True)
class OperatorArgs:
    """What an `Operator` works on, as the other components' outputs say.

    Parameters
    ----------
    stream_arn:
        The stream of the table.
    kinesis_stream_arn:
        The Kinesis stream.
    enrichment_function_arn:
        The function that the pipe puts changes through, if any: dead letters go through it too.
    kms_key_arn:
        The key of all of these, if they have one of yours.
    """

    table_arn: pulumi.Input[str]
    stream_arn: pulumi.Input[str]
    kinesis_stream_arn: pulumi.Input[str]
    pipe_arn: pulumi.Input[str]
    dlq_arn: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    enrichment_function_arn: pulumi.Input[str] | None = None
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class Operator(pulumi.ComponentResource):
    """A customer-managed policy; whoever holds it needs the reader policy as well, to verify."""

    operator_policy_arn: pulumi.Output[str]
    """May replay failed records, work off the dead-letter queue, and scan the table."""

    def __init__(
        self, name: str, args: OperatorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:Operator", name, None, opts)
        policy = aws.iam.Policy(
            f"{name}-policy",
            description="Repair the delivery of sales orders",
            policy=policies.document(
                [
                    *policies.replay_failed(
                        args.bucket_arn, args.kinesis_stream_arn, args.kms_key_arn
                    ),
                    *policies.redrive(
                        args.dlq_arn, args.stream_arn, args.pipe_arn, args.kms_key_arn
                    ),
                    *(
                        policies.invoke(args.enrichment_function_arn)
                        if args.enrichment_function_arn
                        else []
                    ),
                    *policies.scan_orders(args.table_arn, args.kms_key_arn),
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.operator_policy_arn = policy.arn
        self.register_outputs({"operator_policy_arn": self.operator_policy_arn})
