"""What becomes of a resource once it is there: how it is read, changed, replaced and deleted.

`local.resources` creates; the local stack never does more, because its emulator is thrown away. An
engine does, so this adds the rest, for every type that `local.resources` creates.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.errors import LocalError
from local.resources import Context, create
from local.resources.dynamodb import encryption
from local.resources.glue import table_input
from local.resources.iam import _assumable
from local.resources.registry import Inputs, parameters, without
from tests.engine import provider_facts

State = Mapping[str, Any]
"""A resource's inputs and outputs."""
Do = Callable[[Context, str, State], Any]
"""Called with the physical id and the state."""
Update = Callable[[Context, str, State, Inputs], Mapping[str, Any]]
"""Called with the physical id, the old state and the new inputs; returns what outputs change."""

_GONE = ("NotFound", "NoSuch", "NonExistent", "404", "does not exist", "not found")


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """A resource type.

    Parameters
    ----------
    exists:
        Asks AWS for it; an error that says it is not there means that it is gone.
    delete:
        Deletes it; an error that says it is not there is as good.
    update:
        None: it is created once more under the same name, which for a setting is an update.
    observe:
        Inputs as they are in AWS, to show a drift and to import, and the outputs that an imported
        resource must have; from the answer of ``exists``.
    """

    exists: Do
    delete: Do
    update: Update | None = None
    observe: Callable[[Any], dict[str, Any]] = lambda _: {}


def call(service: str, operation: str, **arguments: str) -> Do:
    """An API call whose arguments are parts of the state, or its id (``id``)."""

    def run(context: Context, identity: str, state: State) -> Any:
        given = {k: identity if v == "id" else state[v] for k, v in arguments.items()}
        return getattr(context.aws.client(service, direct=True), operation)(**given)

    return run


def refused(operation: str, why: str) -> ClientError:
    """What AWS answers where the emulator is kinder."""
    return ClientError({"Error": {"Code": "ValidationException", "Message": why}}, operation)


def gone(error: ClientError) -> bool:
    """Whether the error says that the resource is not there."""
    told = f"{error.response['Error']['Code']} {error.response['Error'].get('Message', '')}"
    return any(one in told for one in _GONE)


def read(context: Context, token: str, identity: str, state: State) -> dict[str, Any] | None:
    """The inputs that can be observed, or None if the resource is gone."""
    one, name = of(token), provider_facts.of(token).name
    # To import is to know the id alone.
    known = {**({name.key: identity} if name else {}), **state}
    try:
        return one.observe(one.exists(context, identity, known))
    except ClientError as error:
        if gone(error):
            return None
        raise


def delete(context: Context, token: str, identity: str, state: State) -> None:
    """Delete a resource that may be gone already."""
    try:
        of(token).delete(context, identity, state)
    except ClientError as error:
        if not gone(error):
            raise


def update(  # noqa: PLR0917 - as the protocol has it
    context: Context, token: str, name: str, identity: str, old: State, new: Inputs
) -> dict[str, Any]:
    """Change a resource in place and return its outputs."""
    one = of(token)
    if one.update is None:
        return create(context, token, name, new)[1]
    return {**old, **new, **one.update(context, identity, old, new)}


def of(token: str) -> Lifecycle:
    """The lifecycle of a type."""
    if token not in LIFECYCLES:
        raise LocalError(f"no lifecycle of {token}: add it to tests/engine/lifecycle.py")
    return LIFECYCLES[token]


def fingerprint(archive: Any) -> str:
    """What tells one archive from another: its content."""
    return hashlib.sha256(Path(archive.path).read_bytes()).hexdigest()


def _differs(old: State, new: Inputs, *names: str) -> bool:
    return any(old.get(name) != new.get(name) for name in names)


def _secret(context: Context, identity: str, _: State, new: Inputs) -> dict[str, Any]:
    given = {"description": "Description", "kmsKeyId": "KmsKeyId"}
    context.aws.client("secretsmanager").update_secret(
        SecretId=identity, **{api: new[key] for key, api in given.items() if new.get(key)}
    )
    return {}


def _delete_secret(context: Context, identity: str, state: State) -> None:
    days = int(state.get("recoveryWindowInDays", 30))
    how: dict[str, Any] = {"RecoveryWindowInDays": days}
    if not days:
        how = {"ForceDeleteWithoutRecovery": True}
    context.aws.client("secretsmanager").delete_secret(SecretId=identity, **how)


def _table(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    """One change a call: DynamoDB takes no two of them at once."""
    client = context.aws.client("dynamodb")
    described: dict[str, Any] = {}
    if _differs(old, new, "streamViewType", "streamEnabled"):
        if old.get("streamEnabled"):
            client.update_table(TableName=identity, StreamSpecification={"StreamEnabled": False})
        stream = {"StreamEnabled": True, "StreamViewType": new["streamViewType"]}
        described = client.update_table(TableName=identity, StreamSpecification=stream)
    if _differs(old, new, "billingMode", "readCapacity", "writeCapacity"):
        billing = {"BillingMode": new["billingMode"]}
        units = {"ReadCapacityUnits": "readCapacity", "WriteCapacityUnits": "writeCapacity"}
        throughput = {api: int(new[key]) for api, key in units.items() if new.get(key)}
        given = {"ProvisionedThroughput": throughput} if throughput else {}
        client.update_table(TableName=identity, **billing, **given)
    if _differs(old, new, "deletionProtectionEnabled"):
        protect = bool(new.get("deletionProtectionEnabled"))
        client.update_table(TableName=identity, DeletionProtectionEnabled=protect)
    if _differs(old, new, "serverSideEncryption"):
        client.update_table(TableName=identity, SSESpecification=encryption(new))
    if _differs(old, new, "pointInTimeRecovery"):
        enabled = bool((new.get("pointInTimeRecovery") or {}).get("enabled"))
        recovery = {"PointInTimeRecoveryEnabled": enabled}
        client.update_continuous_backups(
            TableName=identity, PointInTimeRecoverySpecification=recovery
        )
    if _differs(old, new, "ttl"):
        _time_to_live(client, identity, new["ttl"])
    table = described.get("TableDescription") or {}
    return {"streamArn": table["LatestStreamArn"]} if "LatestStreamArn" in table else {}


def _time_to_live(client: Any, name: str, ttl: Inputs) -> None:
    """Switch TTL, as DynamoDB does: the emulator takes another attribute than the present one."""
    now = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    wanted = {"Enabled": ttl["enabled"], "AttributeName": ttl.get("attributeName", "")}
    current = now.get("AttributeName")
    if now["TimeToLiveStatus"] == "ENABLED" and current != wanted["AttributeName"]:
        raise refused(
            "UpdateTimeToLive",
            "TimeToLive is active on a different AttributeName: "
            f"current AttributeName is {current}",
        )
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)


def _describe_table(context: Context, identity: str, state: State) -> Any:
    client = context.aws.client("dynamodb")
    described = client.describe_table(TableName=identity)["Table"]
    ttl = client.describe_time_to_live(TableName=identity)["TimeToLiveDescription"]
    backups = client.describe_continuous_backups(TableName=identity)
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return described | ttl | recovery


def _observe_table(table: Any) -> dict[str, Any]:
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    stream = table.get("StreamSpecification") or {}
    seen = {
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn"),
        "name": table["TableName"],
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE"),
        "attributes": [
            {"name": one["AttributeName"], "type": one["AttributeType"]}
            for one in table["AttributeDefinitions"]
        ],
        "billingMode": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
        "streamEnabled": bool(stream.get("StreamEnabled")),
        "streamViewType": stream.get("StreamViewType"),
        "deletionProtectionEnabled": bool(table.get("DeletionProtectionEnabled")),
        "pointInTimeRecovery": {"enabled": table["PointInTimeRecoveryStatus"] == "ENABLED"},
        "serverSideEncryption": _observe_encryption(table.get("SSEDescription") or {}),
        "ttl": {"enabled": table["TimeToLiveStatus"] == "ENABLED"}
        | ({"attributeName": table["AttributeName"]} if table.get("AttributeName") else {}),
    }
    return {key: value for key, value in seen.items() if value is not None}


def _observe_encryption(description: Any) -> dict[str, Any]:
    """Without the key if it is AWS's own (clearSSEDefaultKey)."""
    key = description.get("KMSMasterKeyArn", "")
    own = {} if not key or key.endswith(":alias/aws/dynamodb") else {"kmsKeyArn": key}
    return {"enabled": description.get("Status") == "ENABLED"} | own


def _stream(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("kinesis")
    name = old["name"]
    # The emulator has no UpdateStreamMode: a stream's mode is then in the state alone.
    if new.get("shardCount") and _differs(old, new, "shardCount"):
        _reshard(client, name, int(new["shardCount"]))
    before, after = (int(one.get("retentionPeriod") or 24) for one in (old, new))
    if before != after:
        way = "increase" if after > before else "decrease"
        change = getattr(client, f"{way}_stream_retention_period")
        change(StreamName=name, RetentionPeriodHours=after)
    if _differs(old, new, "kmsKeyId"):
        key = {"EncryptionType": new["encryptionType"], "KeyId": new["kmsKeyId"]}
        client.start_stream_encryption(StreamName=name, **key)
    return {}


def _reshard(client: Any, name: str, target: int) -> None:
    """Change the number of shards within Kinesis's limits, which the emulator does not know."""
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    current = summary["OpenShardCount"]
    if not current <= 2 * target <= 4 * current:
        raise refused(
            "UpdateShardCount",
            f"UpdateShardCount cannot scale from {current} open shards to {target}: no less than "
            "half, no more than double",
        )
    client.update_shard_count(
        StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING"
    )


def stream(context: Context, name: str) -> dict[str, Any]:
    """What the data source of a stream answers, as far as the program asks for it."""
    client = context.aws.client("kinesis")
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    shards = client.list_shards(StreamName=name)["Shards"]
    ids = [one["ShardId"] for one in shards]
    return {"id": summary["StreamARN"], "name": name, "openShards": ids}


def _observe_stream(answer: Any) -> dict[str, Any]:
    summary = answer["StreamDescriptionSummary"]
    mode = summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    shards = {"shardCount": float(summary["OpenShardCount"])} if mode == "PROVISIONED" else {}
    return {
        "name": summary["StreamName"],
        "retentionPeriod": float(summary["RetentionPeriodHours"]),
        **shards,
    }


def _delivery_stream(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("firehose")
    name = old["name"]
    now = client.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    s3 = new["extendedS3Configuration"]
    wanted = without(s3, "bufferingSize", "bufferingInterval") | {
        "bufferingHints": {
            "SizeInMBs": s3["bufferingSize"],
            "IntervalInSeconds": s3["bufferingInterval"],
        }
    }
    given = parameters(client, "UpdateDestination", {"extendedS3DestinationUpdate": wanted})
    client.update_destination(
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId=now["VersionId"],
        DestinationId=now["Destinations"][0]["DestinationId"],
        **given,
    )
    return {}


def _pipe(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("pipes", direct=True)
    given = without(new, "source", "region", "tags", "tagsAll")
    source = json.loads(json.dumps(given["sourceParameters"]))
    source["dynamodbStreamParameters"].pop("startingPosition")  # fixed when it is created
    source.setdefault("filterCriteria", {})  # expandUpdatePipeSourceParameters clears it
    client.update_pipe(**parameters(client, "UpdatePipe", given | {"sourceParameters": source}))
    return {}


def _function(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("lambda")
    unlike = ("name", "region", "architectures", "reservedConcurrentExecutions", "sourceCodeHash")
    given = without(new, "code", *unlike)
    wanted = {"functionName": identity, **given}
    client.update_function_configuration(
        **parameters(client, "UpdateFunctionConfiguration", wanted)
    )
    package = Path(new["code"].path).read_bytes()
    there = client.get_function(FunctionName=identity)["Configuration"]["CodeSha256"]
    if there != base64.b64encode(hashlib.sha256(package).digest()).decode():
        client.update_function_code(FunctionName=identity, ZipFile=package)
    return {}


def _workgroup(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("athena", direct=True)
    updates = dict(new.get("configuration") or {})
    if "resultConfiguration" in updates:
        updates["resultConfigurationUpdates"] = updates.pop("resultConfiguration")
    given = {"workGroup": identity, "configurationUpdates": updates}
    client.update_work_group(**parameters(client, "UpdateWorkGroup", given))
    return {}


def _glue_table(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("glue", direct=True)
    wanted = {"databaseName": new["databaseName"], "tableInput": table_input(new)}
    client.update_table(**parameters(client, "UpdateTable", wanted))
    return {}


def _database(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("glue", direct=True)
    wanted = {"name": new["name"], "databaseInput": without(new, "region", "tags", "tagsAll")}
    client.update_database(**parameters(client, "UpdateDatabase", wanted))
    return {}


def _crawler(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("glue", direct=True)
    given = without(new, "s3Targets", "region", "tags", "tagsAll")
    wanted = given | {"targets": {"s3Targets": new["s3Targets"]}}
    client.update_crawler(**parameters(client, "UpdateCrawler", wanted))
    return {}


def _job(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("glue", direct=True)
    given = without(new, "name", "region", "roleArn", "tags", "tagsAll") | {"role": new["roleArn"]}
    wanted = {"jobName": identity, "jobUpdate": given}
    client.update_job(**parameters(client, "UpdateJob", wanted))
    return {}


def _trigger(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("glue", direct=True)
    given = without(new, "name", "region", "type", "startOnCreation", "tags", "tagsAll")
    wanted = {"name": identity, "triggerUpdate": given}
    client.update_trigger(**parameters(client, "UpdateTrigger", wanted))
    return {}


def _classifier(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    """The emulator has no UpdateClassifier."""
    delete(context, "aws:glue/classifier:Classifier", identity, old)
    return create(context, "aws:glue/classifier:Classifier", identity, new)[1]


def _role(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    trust = json.dumps(_assumable(json.loads(new["assumeRolePolicy"])))
    client = context.aws.client("iam")
    client.update_assume_role_policy(RoleName=identity, PolicyDocument=trust)
    return {}


def _policy(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("iam")
    _forget_versions(context, identity, old)  # there may be five at most
    client.create_policy_version(
        PolicyArn=identity, PolicyDocument=new["policy"], SetAsDefault=True
    )
    return {}


def _forget_versions(context: Context, identity: str, state: State) -> None:
    client = context.aws.client("iam")
    for version in client.list_policy_versions(PolicyArn=identity)["Versions"]:
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=identity, VersionId=version["VersionId"])


def _delete_policy(context: Context, identity: str, state: State) -> None:
    _forget_versions(context, identity, state)
    context.aws.client("iam").delete_policy(PolicyArn=identity)


def _queue(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    attributes = {"MessageRetentionPeriod": str(int(new["messageRetentionSeconds"]))}
    client = context.aws.client("sqs")
    client.set_queue_attributes(QueueUrl=identity, Attributes=attributes)
    return {}


def _log_group(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    days = int(new["retentionInDays"])
    client = context.aws.client("logs")
    client.put_retention_policy(logGroupName=identity, retentionInDays=days)
    return {}


def _describe_log_group(context: Context, identity: str, state: State) -> Any:
    """The group; unlike the others, CloudWatch Logs answers with an empty list."""
    client = context.aws.client("logs")
    groups = client.describe_log_groups(logGroupNamePrefix=identity)["logGroups"]
    return _one(groups, "logGroupName", identity)


def _describe_log_stream(context: Context, identity: str, state: State) -> Any:
    client = context.aws.client("logs")
    group = state["logGroupName"]
    streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=identity)
    return _one(streams["logStreams"], "logStreamName", identity)


def _one(found: list[dict[str, Any]], key: str, name: str) -> Any:
    for one in found:
        if one[key] == name:
            return one
    raise ClientError({"Error": {"Code": "NotFound", "Message": name}}, "Describe")


def _schedule(context: Context, identity: str, old: State, new: Inputs) -> dict[str, Any]:
    client = context.aws.client("scheduler")
    client.update_schedule(**parameters(client, "UpdateSchedule", without(new, "region")))
    return {}


def _delete_bucket(context: Context, identity: str, state: State) -> None:
    client = context.aws.client("s3")
    if state.get("forceDestroy"):
        versions = client.list_object_versions(Bucket=identity)
        for one in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=identity, Key=one["Key"], VersionId=one["VersionId"])
        for one in client.list_objects_v2(Bucket=identity).get("Contents", []):
            client.delete_object(Bucket=identity, Key=one["Key"])
    client.delete_bucket(Bucket=identity)


def _delete_workgroup(context: Context, identity: str, state: State) -> None:
    client = context.aws.client("athena", direct=True)
    force = bool(state.get("forceDestroy"))
    client.delete_work_group(WorkGroup=identity, RecursiveDeleteOption=force)


def _nothing(context: Context, identity: str, state: State) -> None:
    """It goes with what it belongs to."""


def _of_bucket(get: str, delete_it: Do) -> Lifecycle:
    return Lifecycle(
        exists=call("s3", get, Bucket="id"),
        delete=delete_it,
    )


def _bucket_exists(context: Context, identity: str, state: State) -> Any:
    context.aws.client("s3").head_bucket(Bucket=identity)
    return identity


def _alarm(context: Context, identity: str, state: State) -> Any:
    client = context.aws.client("cloudwatch")
    found = client.describe_alarms(AlarmNames=[identity])["MetricAlarms"]
    return _one(found, "AlarmName", identity)


def _forget_alarm(context: Context, identity: str, state: State) -> None:
    context.aws.client("cloudwatch").delete_alarms(AlarmNames=[identity])


def _forget_dashboard(context: Context, identity: str, state: State) -> None:
    context.aws.client("cloudwatch").delete_dashboards(DashboardNames=[identity])


def _target(context: Context, identity: str, state: State) -> Any:
    found = context.aws.client("events").list_targets_by_rule(Rule=state["rule"])["Targets"]
    return _one(found, "Id", state["targetId"])


def _remove_target(context: Context, identity: str, state: State) -> None:
    client = context.aws.client("events")
    client.remove_targets(Rule=state["rule"], Ids=[state["targetId"]])


def _unpermit(context: Context, identity: str, state: State) -> None:
    client = context.aws.client("lambda")
    client.remove_permission(FunctionName=state["function"], StatementId=identity)


def _attached(context: Context, identity: str, state: State) -> Any:
    answer = context.aws.client("iam").list_attached_role_policies(RoleName=state["role"])
    return _one(answer["AttachedPolicies"], "PolicyArn", state["policyArn"])


def _permitted(context: Context, identity: str, state: State) -> Any:
    policy = context.aws.client("lambda").get_policy(FunctionName=state["function"])["Policy"]
    return _one(json.loads(policy)["Statement"], "Sid", identity)


LIFECYCLES: Mapping[str, Lifecycle] = {
    "aws:athena/namedQuery:NamedQuery": Lifecycle(
        exists=call("athena", "get_named_query", NamedQueryId="id"),
        delete=call("athena", "delete_named_query", NamedQueryId="id"),
    ),
    "aws:athena/workgroup:Workgroup": Lifecycle(
        exists=call("athena", "get_work_group", WorkGroup="id"),
        delete=_delete_workgroup,
        update=_workgroup,
    ),
    "aws:cloudwatch/dashboard:Dashboard": Lifecycle(
        exists=call("cloudwatch", "get_dashboard", DashboardName="id"),
        delete=_forget_dashboard,
    ),
    "aws:cloudwatch/eventRule:EventRule": Lifecycle(
        exists=call("events", "describe_rule", Name="id"),
        delete=call("events", "delete_rule", Name="id"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Lifecycle(
        exists=_target,
        delete=_remove_target,
    ),
    "aws:cloudwatch/logGroup:LogGroup": Lifecycle(
        exists=_describe_log_group,
        delete=call("logs", "delete_log_group", logGroupName="id"),
        update=_log_group,
        observe=lambda group: {
            "name": group["logGroupName"],
            "retentionInDays": float(group.get("retentionInDays", 0)),
        },
    ),
    "aws:cloudwatch/logStream:LogStream": Lifecycle(
        exists=_describe_log_stream,
        delete=call("logs", "delete_log_stream", logGroupName="logGroupName", logStreamName="id"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Lifecycle(exists=_alarm, delete=_forget_alarm),
    "aws:dynamodb/table:Table": Lifecycle(
        exists=_describe_table,
        delete=call("dynamodb", "delete_table", TableName="id"),
        update=_table,
        observe=_observe_table,
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": Lifecycle(
        exists=call("glue", "get_database", Name="name"),
        delete=call("glue", "delete_database", Name="name"),
        update=_database,
    ),
    "aws:glue/catalogTable:CatalogTable": Lifecycle(
        exists=call("glue", "get_table", DatabaseName="databaseName", Name="name"),
        delete=call("glue", "delete_table", DatabaseName="databaseName", Name="name"),
        update=_glue_table,
    ),
    "aws:glue/securityConfiguration:SecurityConfiguration": Lifecycle(
        exists=call("glue", "get_security_configuration", Name="id"),
        delete=call("glue", "delete_security_configuration", Name="id"),
    ),
    "aws:glue/classifier:Classifier": Lifecycle(
        exists=call("glue", "get_classifier", Name="id"),
        delete=call("glue", "delete_classifier", Name="id"),
        update=_classifier,
    ),
    "aws:glue/crawler:Crawler": Lifecycle(
        exists=call("glue", "get_crawler", Name="id"),
        delete=call("glue", "delete_crawler", Name="id"),
        update=_crawler,
    ),
    "aws:glue/job:Job": Lifecycle(
        exists=call("glue", "get_job", JobName="id"),
        delete=call("glue", "delete_job", JobName="id"),
        update=_job,
    ),
    "aws:glue/trigger:Trigger": Lifecycle(
        exists=call("glue", "get_trigger", Name="id"),
        delete=call("glue", "delete_trigger", Name="id"),
        update=_trigger,
    ),
    "aws:iam/policy:Policy": Lifecycle(
        exists=call("iam", "get_policy", PolicyArn="id"),
        delete=_delete_policy,
        update=_policy,
    ),
    "aws:iam/role:Role": Lifecycle(
        exists=call("iam", "get_role", RoleName="id"),
        delete=call("iam", "delete_role", RoleName="id"),
        update=_role,
    ),
    "aws:iam/rolePolicy:RolePolicy": Lifecycle(
        exists=call("iam", "get_role_policy", RoleName="role", PolicyName="name"),
        delete=call("iam", "delete_role_policy", RoleName="role", PolicyName="name"),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Lifecycle(
        exists=_attached,
        delete=call("iam", "detach_role_policy", RoleName="role", PolicyArn="policyArn"),
    ),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": Lifecycle(
        exists=call("firehose", "describe_delivery_stream", DeliveryStreamName="name"),
        delete=call("firehose", "delete_delivery_stream", DeliveryStreamName="name"),
        update=_delivery_stream,
    ),
    "aws:kinesis/stream:Stream": Lifecycle(
        exists=call("kinesis", "describe_stream_summary", StreamName="name"),
        delete=call("kinesis", "delete_stream", StreamName="name"),
        update=_stream,
        observe=_observe_stream,
    ),
    "aws:lambda/function:Function": Lifecycle(
        exists=call("lambda", "get_function", FunctionName="id"),
        delete=call("lambda", "delete_function", FunctionName="id"),
        update=_function,
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Lifecycle(
        exists=call("lambda", "get_function_event_invoke_config", FunctionName="id"),
        delete=call("lambda", "delete_function_event_invoke_config", FunctionName="id"),
    ),
    "aws:lambda/permission:Permission": Lifecycle(exists=_permitted, delete=_unpermit),
    "aws:pipes/pipe:Pipe": Lifecycle(
        exists=call("pipes", "describe_pipe", Name="id"),
        delete=call("pipes", "delete_pipe", Name="id"),
        update=_pipe,
    ),
    "aws:s3/bucket:Bucket": Lifecycle(
        exists=_bucket_exists,
        delete=_delete_bucket,
        update=lambda *_: {},  # what we set of it, `forceDestroy`, is the provider's own
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(
        "get_bucket_lifecycle_configuration", call("s3", "delete_bucket_lifecycle", Bucket="id")
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Lifecycle(
        exists=call("s3", "head_object", Bucket="bucket", Key="key"),
        delete=call("s3", "delete_object", Bucket="bucket", Key="key"),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(
        "get_bucket_ownership_controls",
        call("s3", "delete_bucket_ownership_controls", Bucket="id"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Lifecycle(
        # The emulator speaks HTTP, so a policy of TLS alone is not there: see `over_http`.
        exists=_bucket_exists,
        delete=call("s3", "delete_bucket_policy", Bucket="id"),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(
        "get_public_access_block", call("s3", "delete_public_access_block", Bucket="id")
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        _of_bucket("get_bucket_encryption", call("s3", "delete_bucket_encryption", Bucket="id"))
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket("get_bucket_versioning", _nothing),
    "aws:scheduler/schedule:Schedule": Lifecycle(
        exists=call("scheduler", "get_schedule", Name="name"),
        delete=call("scheduler", "delete_schedule", Name="name"),
        update=_schedule,
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Lifecycle(
        exists=call("scheduler", "get_schedule_group", Name="id"),
        delete=call("scheduler", "delete_schedule_group", Name="id"),
    ),
    "aws:secretsmanager/secret:Secret": Lifecycle(
        exists=call("secretsmanager", "describe_secret", SecretId="id"),
        delete=_delete_secret,
        update=_secret,
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Lifecycle(
        exists=call("secretsmanager", "get_secret_value", SecretId="arn", VersionId="versionId"),
        delete=_nothing,  # its labels have moved to another version, or go with the secret
    ),
    "aws:sns/topic:Topic": Lifecycle(
        exists=call("sns", "get_topic_attributes", TopicArn="id"),
        delete=call("sns", "delete_topic", TopicArn="id"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Lifecycle(
        exists=call("sns", "get_topic_attributes", TopicArn="arn"),
        delete=_nothing,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Lifecycle(
        exists=call("sns", "get_subscription_attributes", SubscriptionArn="id"),
        delete=call("sns", "unsubscribe", SubscriptionArn="id"),
    ),
    "aws:sqs/queue:Queue": Lifecycle(
        exists=call("sqs", "get_queue_attributes", QueueUrl="id"),
        delete=call("sqs", "delete_queue", QueueUrl="id"),
        update=_queue,
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Lifecycle(
        exists=call("sqs", "get_queue_attributes", QueueUrl="id"),
        delete=_nothing,
    ),
}
"""Of every type that `local.resources` creates."""
