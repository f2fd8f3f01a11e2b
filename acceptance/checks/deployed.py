"""What is deployed: made, complete, changed in place, and gone without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acceptance import there
from acceptance.errors import AcceptanceError, CheckFailedError
from acceptance.run import Run
from acceptance.stack import CHANGED, ROOT, PulumiError, documented_effect

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
    "batchJobName": "glue:job",
    "alarmTopicArn": "sns:topic",
    "operationsDashboardName": "cloudwatch:dashboard",
}
"""What an output names; the others are looked at one by one."""


def up(run: Run) -> str:
    """`pulumi up` makes the stack from nothing."""
    try:
        run.deployment.up(run.say)
    except PulumiError as error:
        # What comes after can be seen all the same, if a second try mends it.
        run.say("once more, for it stopped half way")
        run.deployment.up(run.say)
        raise CheckFailedError(f"only at the second try; the first said: {error}") from None
    return f"{len(run.deployment.outputs)} outputs"


def no_change(run: Run) -> str:
    """A preview right after shows no change."""
    if changes := run.deployment.changes():
        raise CheckFailedError(f"it would {'; '.join(changes[:5])} ({len(changes)} in all)")
    return "nothing to do"


def outputs(run: Run) -> str:
    """Every output names something that is there."""
    missing = [name for name in run.deployment.outputs if not _is_there(run, name)]
    if missing:
        told = ", ".join(f"{name} ({run[name]})" for name in missing)
        raise CheckFailedError(f"there is no such thing: {told}")
    return f"all {len(run.deployment.outputs)} are there"


def tags(run: Run) -> str:
    """Every resource that can carry tags carries the project's and the stack's."""
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
            f"docs/upgrading.md has {', '.join(sorted(documented))}; "
            f"the preview {', '.join(sorted(planned)) or 'nothing'}"
        )
    stack.up(run.say)
    if changes := stack.changes():
        raise CheckFailedError(f"the preview after it would {'; '.join(changes)}")
    if wrong := [told for told, good in _changed(run).items() if not good]:
        raise CheckFailedError(f"AWS does not show it: {', '.join(wrong)}")
    return "TTL off, two shards, a longer buffer: updates only"


def settings_kept(run: Run) -> str:
    """After that nothing is lost, and orders arrive as before."""
    report = run.place(max(10, run.orders // 10))
    verdict = run.verify()
    return f"{report.written:,} changes more; {verdict.equal:,} orders equal"


def destroy(run: Run) -> str:
    """`pulumi destroy` deletes everything."""
    try:
        if run.deployment.reachable:
            run.tidy()
    finally:
        run.deployment.destroy(run.say)
    return "done"


def nothing_left(run: Run) -> str:
    """Nothing with the stack's tags is left."""
    run.say("asking what is left")
    if left := run.deployment.left():
        raise CheckFailedError(f"still there: {', '.join(left[:10])} ({len(left)} in all)")
    return "nothing"


def _is_there(run: Run, output: str) -> bool:
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
    facts = {
        "tableArn": table["Table"]["TableArn"],
        "streamArn": table["Table"]["LatestStreamArn"],
        "region": table["Table"]["TableArn"].split(":")[3],
        "sortKey": table["Table"]["KeySchema"][-1]["AttributeName"],
    }
    if output not in facts:
        raise AcceptanceError(
            f"nobody knows what the output {output} names: say it in acceptance/checks/deployed.py"
        )
    return bool(facts[output] == run[output])


def _changed(run: Run) -> dict[str, bool]:
    """What AWS says of the settings that were changed."""
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
