"""Checks of the deployment: creation, completeness, changes in place, removal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acceptance import there
from acceptance.errors import AcceptanceError, CheckFailedError
from acceptance.run import Run
from acceptance.stack import CHANGED, ROOT, PulumiError, documented_effect
from schema import Schema

KINDS: Mapping[str, str] = {
    "tableName": "dynamodb:table",
    "kinesisStreamName": "kinesis:stream",
    "pipeName": "pipes:pipe",
    "deliveryStreamName": "firehose:deliverystream",
    "transformFunctionName": "lambda:function",
    "orderGeneratorFunctionName": "lambda:function",
    "bucketName": "s3:bucket",
    "databaseName": "glue:database",
    "crawlerName": "glue:crawler",
    "workgroupName": "athena:workgroup",
    "writerPolicyArn": "iam:policy",
    "readerPolicyArn": "iam:policy",
    "operatorPolicyArn": "iam:policy",
    "eraserPolicyArn": "iam:policy",
    "batchJobName": "glue:job",
    "batchCheckFunctionName": "lambda:function",
    "packFunctionName": "lambda:function",
    "alarmTopicArn": "sns:topic",
    "operationsDashboardName": "cloudwatch:dashboard",
}
"""The resource type that each output names; `_exists` handles the other outputs."""


def up(run: Run) -> str:
    """`pulumi up` creates the stack from nothing."""
    try:
        run.deployment.up(run.say)
    except PulumiError as error:
        # If a second attempt succeeds, the other checks can still run.
        run.say("failed; trying once more")
        run.deployment.up(run.say)
        raise CheckFailedError(f"succeeded only at the second attempt; first: {error}") from None
    return f"{len(run.deployment.outputs)} outputs"


def no_change(run: Run) -> str:
    """A preview right after shows no change."""
    if changes := run.deployment.changes():
        raise CheckFailedError(f"it would {'; '.join(changes[:5])} ({len(changes)} in all)")
    return "no change"


def outputs(run: Run) -> str:
    """Every output names something that exists."""
    missing = [name for name in run.deployment.outputs if not _exists(run, name)]
    if missing:
        told = ", ".join(f"{name} ({run[name]})" for name in missing)
        raise CheckFailedError(f"does not exist: {told}")
    return f"all {len(run.deployment.outputs)} exist"


def tags(run: Run) -> str:
    """Every resource that supports tags has the stack's, and AWS finds it by them."""
    if names := run.deployment.untagged():
        raise CheckFailedError(f"not tagged: {', '.join(names[:5])} ({len(names)} in all)")
    return "AWS finds the stack by its tags"


def settings(run: Run) -> str:
    """Settings are changed in place as docs/upgrading.md says."""
    stack = run.deployment
    stack.configure(CHANGED, run.say)
    guide = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
    documented = documented_effect(list(CHANGED), guide)
    planned = set()
    for change in stack.changes():
        step, kind, _ = change.split(" ", 2)
        planned.add(f"{step} {kind.rpartition(':')[2]}")
    if planned != documented:
        raise CheckFailedError(
            f"docs/upgrading.md says {', '.join(sorted(documented))}; "
            f"the preview shows {', '.join(sorted(planned)) or 'nothing'}"
        )
    stack.up(run.say)
    if changes := stack.changes():
        raise CheckFailedError(f"the next preview would {'; '.join(changes)}")
    if wrong := [told for told, good in _changed(run).items() if not good]:
        raise CheckFailedError(f"not in effect on AWS: {', '.join(wrong)}")
    return "TTL off, two shards, a longer buffer: updates only"


def settings_kept(run: Run) -> str:
    """After the change of settings, orders arrive as before and nothing is lost."""
    report = run.place(max(10, run.orders // 10))
    verdict = run.verify()
    return f"{report.written:,} more changes; {verdict.equal:,} orders equal"


def destroy(run: Run) -> str:
    """`pulumi destroy` deletes everything."""
    try:
        if run.deployment.reachable:
            run.tidy()
    finally:
        run.deployment.destroy(run.say)
    return "done"


def nothing_left(run: Run) -> str:
    """No resource with the stack's tags remains."""
    run.say("looking for remaining resources")
    if left := run.deployment.left():
        raise CheckFailedError(f"still there: {', '.join(left[:10])} ({len(left)} in all)")
    return "nothing"


def _exists(run: Run, output: str) -> bool:
    if kind := KINDS.get(output):
        return there.named_so(run.client, kind, run[output])
    if output in ("projectionTable", "failedTable"):
        tables = run.client("glue").get_tables(DatabaseName=run["databaseName"])["TableList"]
        return run[output] in [one["Name"] for one in tables]
    if output == "dlqUrl":
        return there.named_so(run.client, "sqs:queue", run[output].rpartition("/")[2])
    if not there.named_so(run.client, KINDS["tableName"], run["tableName"]):
        return False
    table: dict[str, Any] = run.client("dynamodb").describe_table(TableName=run["tableName"])
    if output == "schema":
        keys = tuple(key["AttributeName"] for key in table["Table"]["KeySchema"])
        return Schema.from_json(run["schema"]).key_attributes == keys
    facts = {
        "tableArn": table["Table"]["TableArn"],
        "streamArn": table["Table"]["LatestStreamArn"],
        "region": table["Table"]["TableArn"].split(":")[3],
    }
    if output not in facts:
        raise AcceptanceError(
            f"the output {output} has no check: add one to acceptance/checks/deployed.py"
        )
    return bool(facts[output] == run[output])


def _changed(run: Run) -> dict[str, bool]:
    """Whether each changed setting is in effect on AWS."""
    dynamodb, firehose = run.client("dynamodb"), run.client("firehose")
    ttl = dynamodb.describe_time_to_live(TableName=run["tableName"])["TimeToLiveDescription"]
    stream = run.client("kinesis").describe_stream_summary(StreamName=run["kinesisStreamName"])
    described = firehose.describe_delivery_stream(DeliveryStreamName=run["deliveryStreamName"])
    (destination,) = described["DeliveryStreamDescription"]["Destinations"]
    hints = destination["ExtendedS3DestinationDescription"]["BufferingHints"]
    shards, interval = CHANGED["shards"], CHANGED["bufferIntervalSeconds"]
    return {
        "TTL off": ttl["TimeToLiveStatus"] in ("DISABLING", "DISABLED"),
        f"{shards} shards": str(stream["StreamDescriptionSummary"]["OpenShardCount"]) == shards,
        f"a buffer of {interval} s": str(hints["IntervalInSeconds"]) == interval,
    }
