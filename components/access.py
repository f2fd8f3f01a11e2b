"""IAM policies for writers, readers, operators and erasers."""

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits
from components.definitions import policies
from schema import ORDERS, Schema, layout


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """Arguments of `Access`, from the other components' outputs.

    Parameters
    ----------
    schema:
        The table's columns. Readers read the batch job's table, whose objects are under its name.
    stream_arn:
        The ARN of the table's stream.
    kinesis_stream_arn:
        The ARN of the Kinesis stream.
    delivery_stream_name, transform_function_name, batch_job_name:
        The Firehose stream, the transform and the batch job, if any, for ``status``.
    pseudonym_key_arn:
        The secret with the key of pseudonyms, if there is one. Operators read it, to compare table
        and lake.
    enrichment_function_arn:
        The pipe's enrichment function, if any. Replays of dead letters invoke it too.
    kms_key_arn:
        The KMS key that encrypts these resources, if any.
    table_kms_key_arn:
        The table's KMS key, if it has one.
    """

    table_arn: pulumi.Input[str]
    stream_arn: pulumi.Input[str]
    kinesis_stream_arn: pulumi.Input[str]
    pipe_arn: pulumi.Input[str]
    dlq_arn: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    database_arn: pulumi.Input[str]
    workgroup_arn: pulumi.Input[str]
    schema: Schema = ORDERS
    delivery_stream_name: pulumi.Input[str]
    transform_function_name: pulumi.Input[str]
    batch_job_name: pulumi.Input[str] | None = None
    pseudonym_key_arn: pulumi.Input[str] | None = None
    enrichment_function_arn: pulumi.Input[str] | None = None
    kms_key_arn: limits.KeyArn | None = None
    table_kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class Access(pulumi.ComponentResource):
    """Four customer-managed IAM policies to attach to your users, groups or roles."""

    writer_policy_arn: pulumi.Output[str]
    """The ARN of the policy that allows writing orders to the table."""
    reader_policy_arn: pulumi.Output[str]
    """The ARN of the policy that allows Athena queries and reading the objects behind them, except
    failed records, which are raw data."""
    operator_policy_arn: pulumi.Output[str]
    """The ARN of the policy that allows replaying failed records and dead letters, and
    scanning the table and taking snapshots of it. ``verify`` and ``snapshot`` need the reader
    policy as well."""
    eraser_policy_arn: pulumi.Output[str]
    """The ARN of the policy that allows reading every version of every object, and erasing
    items. ``erase --where`` needs the reader policy as well."""

    def __init__(
        self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sales-cdc:index:Access", name, None, opts)
        # AWS cannot change a description: another one would be another policy, attached to nobody.
        child = pulumi.ResourceOptions(parent=self, ignore_changes=["description"])
        writer = aws.iam.Policy(
            f"{name}-writer",
            description="Write items to the table",
            policy=policies.document(policies.write_orders(args.table_arn, args.table_kms_key_arn)),
            opts=child,
        )
        reader = aws.iam.Policy(
            f"{name}-reader",
            description="Ask questions about the changes in Athena",
            policy=policies.document(
                policies.ask(
                    args.workgroup_arn,
                    args.database_arn,
                    args.bucket_arn,
                    [layout.PROJECTION_PREFIX, f"{args.schema.name}/"],
                    layout.RESULTS_PREFIX,
                    args.kms_key_arn,
                )
            ),
            opts=child,
        )
        enrichment, pseudonyms = args.enrichment_function_arn, args.pseudonym_key_arn
        was = re.sub("access$", "operator", name)  # an Operator of its own
        operator = aws.iam.Policy(
            f"{name}-operator",
            description="Repair the delivery of changes",
            policy=policies.document(
                [
                    *policies.replay_failed(
                        args.bucket_arn, args.kinesis_stream_arn, args.kms_key_arn
                    ),
                    *policies.redrive(
                        args.dlq_arn, args.stream_arn, args.pipe_arn, args.kms_key_arn
                    ),
                    *(policies.invoke(enrichment) if enrichment else []),
                    *policies.scan_orders(args.table_arn, args.table_kms_key_arn),
                    *policies.snapshot(args.bucket_arn, args.table_arn),
                    *(
                        policies.read_pseudonym_key(pseudonyms, args.kms_key_arn)
                        if pseudonyms
                        else []
                    ),
                    *_look(args),
                ]
            ),
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    aliases=[
                        pulumi.Alias(
                            name=f"{was}-policy",
                            parent=pulumi.create_urn(was, "sales-cdc:index:Operator"),
                        )
                    ]
                ),
            ),
        )
        eraser = aws.iam.Policy(
            f"{name}-eraser",
            description="Erase items from the lake",
            policy=policies.document(
                policies.erase(
                    args.bucket_arn,
                    args.database_arn,
                    args.table_arn,
                    args.kinesis_stream_arn,
                    args.dlq_arn,
                    args.schema.name,
                    sort_key=bool(args.schema.sort_key),
                    job=_job(args),
                    key=args.kms_key_arn,
                    table_key=args.table_kms_key_arn,
                )
            ),
            opts=child,
        )
        self.writer_policy_arn = writer.arn
        self.reader_policy_arn = reader.arn
        self.operator_policy_arn = operator.arn
        self.eraser_policy_arn = eraser.arn
        self.register_outputs(
            {
                "writer_policy_arn": self.writer_policy_arn,
                "reader_policy_arn": self.reader_policy_arn,
                "operator_policy_arn": self.operator_policy_arn,
                "eraser_policy_arn": self.eraser_policy_arn,
            }
        )


def _arn(args: AccessArgs, service: str, kind: str, name: pulumi.Input[str]) -> pulumi.Output[str]:
    resource = pulumi.Output.concat(kind, name)
    return resource.apply(lambda known: policies.sibling_arn(args.table_arn, service, known))


def _job(args: AccessArgs) -> pulumi.Output[str] | None:
    return _arn(args, "glue", "job/", args.batch_job_name) if args.batch_job_name else None


def _look(args: AccessArgs) -> list[policies.Statement]:
    return policies.look(
        args.table_arn,
        args.kinesis_stream_arn,
        args.dlq_arn,
        args.bucket_arn,
        delivery_stream=_arn(args, "firehose", "deliverystream/", args.delivery_stream_name),
        transform=_arn(args, "lambda", "function:", args.transform_function_name),
        job=_job(args),
    )
