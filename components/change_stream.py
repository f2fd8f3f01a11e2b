"""The Kinesis stream that carries changes from the pipe to Firehose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.arguments import checks, limits, update_checks
from components.arguments.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ChangeStreamArgs:
    """Arguments of `ChangeStream`. All are optional.

    Parameters
    ----------
    stream_mode, shards:
        The capacity mode; ``shards`` applies to ``provisioned`` only. One update can at most
        halve or double the number of open shards; a larger step is rejected in the preview.
    stream_retention_hours:
        Hours for which the stream keeps a record. While Firehose cannot deliver, changes wait here.
    kms_key_arn:
        Encrypts the stream. Without it, the AWS-managed key for Kinesis is used.
    """

    stream_mode: limits.StreamMode = Settings.stream_mode
    shards: limits.Shards = Settings.shards
    stream_retention_hours: limits.StreamRetentionHours = Settings.stream_retention_hours
    kms_key_arn: limits.KeyArn | None = None

    def __post_init__(self) -> None:
        checks.require(self)


class ChangeStream(pulumi.ComponentResource):
    """An encrypted Kinesis data stream of changes."""

    stream_name: pulumi.Output[str]
    """The Kinesis stream's name."""
    stream_arn: pulumi.Output[str]
    """The Kinesis stream's ARN."""

    def __init__(
        self,
        name: str,
        args: ChangeStreamArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sales-cdc:index:ChangeStream", name, None, opts)
        args = args or ChangeStreamArgs()

        async def reshards_within_limits(
            old: Mapping[str, Any], new: Mapping[str, Any]
        ) -> str | None:
            target = new.get("shardCount")
            if target is None or target == old.get("shardCount"):
                return None
            found = aws.kinesis.get_stream_output(
                name=old["name"], opts=pulumi.InvokeOutputOptions(parent=self)
            )
            return limits.resharding(len(await found.open_shards.future() or ()), int(target))

        on_demand = args.stream_mode == "on-demand"
        # The stream used to be a child of the StreamBridge of the same name.
        bridge = pulumi.create_urn(
            name, "sales-cdc:index:StreamBridge", parent=opts.parent if opts else None
        )
        stream = aws.kinesis.Stream(
            f"{name}-stream",
            stream_mode_details=aws.kinesis.StreamStreamModeDetailsArgs(
                stream_mode="ON_DEMAND" if on_demand else "PROVISIONED"
            ),
            shard_count=None if on_demand else args.shards,
            retention_period=args.stream_retention_hours,
            encryption_type="KMS",
            kms_key_id=args.kms_key_arn or "alias/aws/kinesis",
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(parent=bridge)]),
                update_checks.before_update(f"{name}-stream-update", reshards_within_limits),
            ),
        )
        self.stream_name = stream.name
        self.stream_arn = stream.arn
        self.register_outputs({"stream_name": self.stream_name, "stream_arn": self.stream_arn})
