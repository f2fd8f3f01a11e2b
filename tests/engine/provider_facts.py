"""Where the AWS provider does otherwise than "what you give is what you get", type by type.

From the source of the provider that pulumi-aws wraps (hashicorp/terraform-provider-aws, v6); the
comment beside each type names the file under ``internal/service``. Names are Pulumi's.
`test_provider_facts.py` compares the attributes of the first level with pulumi-aws itself.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[str, Any]

EVERYTHING = frozenset({"*"})
"""Any change replaces the resource."""


@dataclass(frozen=True)
class Name:
    """What AWS takes as a name, and whether Pulumi makes one up.

    Parameters
    ----------
    form:
        The whole name matches it.
    key:
        The input that holds the name.
    automatic:
        Left out, it is the resource's name with a suffix.
    """

    form: str
    key: str = "name"
    automatic: bool = True

    def problem(self, value: Any) -> str | None:
        """What is wrong with a name, or None."""
        if not isinstance(value, str) or re.fullmatch(self.form, value):
            return None
        return f"{value!r} ({len(value)} characters) does not match {self.form}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is peculiar to a type. A dot leads into a nested block.

    Parameters
    ----------
    name:
        How it is named; None if it has no name of its own.
    replaces:
        The inputs whose change makes a new resource (ForceNew).
    computed:
        Optional and Computed, or of a suppressed removal: left out, they stay as they are in AWS
        and no change is shown.
    switches:
        Blocks, by the key that switches them on. Switched off, AWS stores none of the block, and
        the provider compares it as none.
    vanishing:
        Blocks that AWS does not store when they are empty: the next comparison shows a change.
    unread:
        Parameters, by name, that the provider does not read back when they have this value.
    unsent_zeros:
        Numbers that are not sent at creation when they are 0, and what AWS has then.
    never_cleared:
        Left out, an update does not send them, and AWS keeps what it has: a change for ever.
    json_text:
        Compared as JSON.
    """

    name: Name | None = None
    replaces: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    switches: Mapping[str, str] = field(default_factory=dict)
    vanishing: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)
    unsent_zeros: Mapping[str, int] = field(default_factory=dict)
    never_cleared: frozenset[str] = frozenset()
    json_text: frozenset[str] = frozenset()

    def replaced_by(self, changed: set[str]) -> list[str]:
        """Those of the changed inputs that make a new resource."""
        return sorted(changed if self.replaces == EVERYTHING else changed & self.replaces)

    def planned(self, stored: Values, given: Values) -> dict[str, Any]:
        """What the provider sends: the inputs, and what it keeps of what is in AWS."""
        plan = _copy(given)
        for path in sorted(self.computed, key=len):  # a block before what is in it
            block, _, key = path.rpartition(".")
            switch = self.switches.get(block)
            into = _at(plan, block)
            if into is None or into.get(key) is not None or (switch and not into.get(switch)):
                continue
            kept = (_at(stored, block) or {}).get(key)
            if kept is not None:
                into[key] = copy.deepcopy(kept)
        return plan

    def created(self, given: Values) -> dict[str, Any]:
        """What AWS has of the inputs once the resource is created with them."""
        have = self.read_back(given)
        for path, value in self.unsent_zeros.items():
            block, _, key = path.rpartition(".")
            into = _at(have, block)
            if into is not None and into.get(key) == 0:
                into[key] = value
        return have

    def updated(self, stored: Values, given: Values) -> dict[str, Any]:
        """What AWS has of the inputs once the resource is updated with them."""
        kept = {key: stored[key] for key in self.never_cleared & stored.keys() - given.keys()}
        return self.read_back(self.planned(stored, given)) | kept

    def read_back(self, sent: Values) -> dict[str, Any]:
        """What AWS has of what was sent."""
        have = self._without_what_is_off(sent)
        for path in self.vanishing:
            block, _, key = path.rpartition(".")
            into = _at(have, block)
            if into is not None and into.get(key) == {}:
                del into[key]
        for parameters in _parameters(have):
            parameters[:] = [
                one
                for one in parameters
                if self.unread.get(one["parameterName"]) != one["parameterValue"]
            ]
        return have

    def changed(self, stored: Values, given: Values) -> set[str]:
        """The inputs that differ from what is in AWS, as a preview shows them."""
        wanted = self._without_what_is_off(self.planned(stored, given))
        return {
            key
            for key in stored.keys() | wanted.keys()
            if self._comparable(key, stored.get(key)) != self._comparable(key, wanted.get(key))
        }

    def _without_what_is_off(self, values: Values) -> dict[str, Any]:
        off = {
            block
            for block, switch in self.switches.items()
            if isinstance(values.get(block), Mapping) and not values[block].get(switch)
        }
        return {key: value for key, value in _copy(values).items() if key not in off}

    def _comparable(self, key: str, value: Any) -> Any:
        if key not in self.json_text or not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:  # not known yet: the engine's own text stands for it
            return value


def of(token: str) -> Facts:
    """What is peculiar to a type."""
    return FACTS[token]


def _copy(values: Values) -> dict[str, Any]:
    return {key: _copied(value) for key, value in values.items() if value is not None}


def _copied(value: Any) -> Any:
    """A copy of the blocks and lists; what is unknown, or an archive, stays the same object."""
    if isinstance(value, Mapping):
        return _copy(value)
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _at(values: Any, path: str) -> Any:
    """The block at a path, or None."""
    for key in filter(None, path.split(".")):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, Mapping) else None


def _parameters(value: Any) -> Iterator[list[dict[str, Any]]]:
    """Lists of parameters, wherever they are."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        if "parameterName" in value[0]:
            yield value
        for one in value:
            yield from _parameters(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _parameters(one)


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_GLUE_NAME = Name(r"[^A-Z]{1,255}")
_PIPE_SOURCE = "sourceParameters.dynamodbStreamParameters"

FACTS: Mapping[str, Facts] = {
    # athena/named_query.go
    "aws:athena/namedQuery:NamedQuery": Facts(name=Name(r".{1,128}"), replaces=EVERYTHING),
    # athena/workgroup.go
    "aws:athena/workgroup:Workgroup": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,128}"), replaces=_set("name")
    ),
    # cloudformation/stack.go
    "aws:cloudformation/stack:Stack": Facts(
        name=Name(r"[A-Za-z][A-Za-z0-9-]{0,127}"),
        replaces=_set("name onFailure disableRollback timeoutInMinutes"),
        computed=_set("parameters policyBody templateBody"),
        json_text=_set("templateBody"),
    ),
    # cloudwatch/dashboard.go
    "aws:cloudwatch/dashboard:Dashboard": Facts(
        name=Name(r"[A-Za-z0-9_-]{1,255}", "dashboardName", automatic=False),
        replaces=_set("dashboardName"),
        json_text=_set("dashboardBody"),
    ),
    # events/rule.go
    "aws:cloudwatch/eventRule:EventRule": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}"),
        replaces=_set("name namePrefix eventBusName"),
        computed=_set("namePrefix"),
        json_text=_set("eventPattern"),
    ),
    # events/target.go
    "aws:cloudwatch/eventTarget:EventTarget": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}", "targetId"),
        replaces=_set("rule targetId eventBusName"),
    ),
    # logs/group.go
    "aws:cloudwatch/logGroup:LogGroup": Facts(
        name=Name(r"[A-Za-z0-9_./#-]{1,512}"),
        replaces=_set("name namePrefix logGroupClass"),
        computed=_set("deletionProtectionEnabled logGroupClass namePrefix"),
    ),
    # logs/stream.go
    "aws:cloudwatch/logStream:LogStream": Facts(name=Name(r"[^:*]{1,512}"), replaces=EVERYTHING),
    # cloudwatch/metric_alarm.go
    "aws:cloudwatch/metricAlarm:MetricAlarm": Facts(
        name=Name(r".{1,255}"),
        replaces=_set("name"),
        computed=_set("evaluateLowSampleCountPercentiles"),
    ),
    # dynamodb/table.go; `ttl` and `server_side_encryption` are compared by CustomizeDiff and
    # DiffSuppressFunc, and expandEncryptAtRestOptions sends no key with a block that is off
    "aws:dynamodb/table:Table": Facts(
        name=Name(r"[A-Za-z0-9_.-]{3,255}"),
        replaces=_set(
            "name hashKey rangeKey localSecondaryIndexes restoreDateTime restoreToLatestTime"
        ),
        computed=_set(
            "attributes globalSecondaryIndexes globalTableWitness hashKey pointInTimeRecovery "
            "pointInTimeRecovery.recoveryPeriodInDays readCapacity serverSideEncryption "
            "serverSideEncryption.kmsKeyArn streamViewType ttl warmThroughput writeCapacity"
        ),
        switches=dict.fromkeys(_set("pointInTimeRecovery serverSideEncryption ttl"), "enabled"),
    ),
    # glue/catalog_database.go
    "aws:glue/catalogDatabase:CatalogDatabase": Facts(
        name=_GLUE_NAME,
        replaces=_set("name catalogId"),
        computed=_set("catalogId createTableDefaultPermissions locationUri"),
    ),
    # glue/catalog_table.go: expandSerDeInfo and flattenSerDeInfo
    "aws:glue/catalogTable:CatalogTable": Facts(
        name=_GLUE_NAME,
        replaces=_set("name databaseName catalogId partitionIndices targetTable"),
        computed=_set(
            "catalogId parameters partitionIndices storageDescriptor storageDescriptor.columns "
            "tableType viewDefinition"
        ),
        vanishing=_set("storageDescriptor.serDeInfo"),
    ),
    # glue/classifier.go
    "aws:glue/classifier:Classifier": Facts(name=Name(r".{1,255}"), replaces=_set("name")),
    # glue/crawler.go: updateCrawlerInput sends these only when they are given
    "aws:glue/crawler:Crawler": Facts(
        name=Name(r".{1,255}"),
        replaces=_set("name"),
        never_cleared=_set(
            "classifiers description lakeFormationConfiguration lineageConfiguration "
            "recrawlPolicy securityConfiguration"
        ),
        json_text=_set("configuration"),
    ),
    # glue/job.go
    "aws:glue/job:Job": Facts(
        name=Name(r".{1,255}"),
        replaces=_set("name"),
        computed=_set(
            "executionProperty glueVersion jobMode maxCapacity notificationProperty "
            "numberOfWorkers timeout workerType"
        ),
    ),
    # glue/security_configuration.go
    "aws:glue/securityConfiguration:SecurityConfiguration": Facts(
        name=Name(r".{1,255}"), replaces=EVERYTHING
    ),
    # glue/trigger.go
    "aws:glue/trigger:Trigger": Facts(name=Name(r".{1,255}"), replaces=_set("name type")),
    # iam/policy.go
    "aws:iam/policy:Policy": Facts(
        name=Name(r"[\w+=,.@-]{1,128}"),
        replaces=_set("name namePrefix description path"),
        computed=_set("namePrefix"),
        json_text=_set("policy"),
    ),
    # iam/role.go
    "aws:iam/role:Role": Facts(
        name=Name(r"[\w+=,.@-]{1,64}"),
        replaces=_set("name namePrefix path"),
        computed=_set("inlinePolicies managedPolicyArns namePrefix"),
        json_text=_set("assumeRolePolicy"),
    ),
    # iam/role_policy.go
    "aws:iam/rolePolicy:RolePolicy": Facts(
        name=Name(r"[\w+=,.@-]{1,128}"),
        replaces=_set("name namePrefix role"),
        computed=_set("namePrefix"),
        json_text=_set("policy"),
    ),
    # iam/role_policy_attachment.go
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Facts(replaces=EVERYTHING),
    # firehose/delivery_stream.go: defaultProcessorParameters are not read back
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}"),
        replaces=_set("name destination kinesisSourceConfiguration mskSourceConfiguration"),
        computed=_set(
            "arn destinationId versionId extendedS3Configuration.cloudwatchLoggingOptions "
            "extendedS3Configuration.processingConfiguration"
        ),
        unread={"BufferIntervalInSeconds": "60", "BufferSizeInMBs": "1", "NumberOfRetries": "3"},
    ),
    # kinesis/stream.go; without `max_record_size_in_kib` AWS has 1024
    "aws:kinesis/stream:Stream": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,128}"),
        replaces=_set("name"),
        computed=_set("arn maxRecordSizeInKib streamModeDetails"),
    ),
    # lambda/function.go
    "aws:lambda/function:Function": Facts(
        name=Name(r"[A-Za-z0-9_-]{1,64}"),
        replaces=_set("name packageType"),
        computed=_set(
            "architectures codeSha256 ephemeralStorage loggingConfig sourceCodeHash tracingConfig"
        ),
    ),
    # lambda/function_event_invoke_config.go
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Facts(
        replaces=_set("functionName qualifier")
    ),
    # lambda/permission.go
    "aws:lambda/permission:Permission": Facts(
        name=Name(r"[A-Za-z0-9_-]{1,100}", "statementId", automatic=False),
        replaces=EVERYTHING,
        computed=_set("statementId statementIdPrefix"),
    ),
    # pipes/pipe.go, pipes/source_parameters.go: expandPipeSourceDynamoDBStreamParameters sends no
    # zeros, its counterpart for updates does
    "aws:pipes/pipe:Pipe": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}"),
        replaces=_set("name namePrefix source"),
        computed=frozenset(
            {
                "namePrefix",
                "sourceParameters",
                _PIPE_SOURCE,
                f"{_PIPE_SOURCE}.batchSize",
                f"{_PIPE_SOURCE}.maximumBatchingWindowInSeconds",
                f"{_PIPE_SOURCE}.maximumRecordAgeInSeconds",
                f"{_PIPE_SOURCE}.parallelizationFactor",
            }
        ),
        unsent_zeros={f"{_PIPE_SOURCE}.maximumRetryAttempts": -1},
    ),
    # quicksight/data_set.go
    "aws:quicksight/dataSet:DataSet": Facts(
        name=Name(r".{1,128}"),
        replaces=_set("awsAccountId dataSetId"),
        computed=_set("awsAccountId dataSetUsageConfiguration logicalTableMaps"),
    ),
    # quicksight/data_source.go
    "aws:quicksight/dataSource:DataSource": Facts(
        name=Name(r".{1,128}"),
        replaces=_set("awsAccountId dataSourceId type"),
        computed=_set("awsAccountId sslProperties"),
    ),
    # s3/bucket.go; what has a resource of its own is read back here too
    "aws:s3/bucket:Bucket": Facts(
        name=Name(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "bucket"),
        replaces=_set("bucket bucketNamespace bucketPrefix objectLockEnabled"),
        computed=_set(
            "accelerationStatus acl bucketNamespace bucketPrefix corsRules grants lifecycleRules "
            "logging objectLockConfiguration objectLockEnabled policy replicationConfiguration "
            "requestPayer serverSideEncryptionConfiguration versioning website"
        ),
    ),
    # s3/bucket_lifecycle_configuration.go
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Facts(
        replaces=_set("bucket expectedBucketOwner"),
        computed=_set("expectedBucketOwner transitionDefaultMinimumObjectSize"),
    ),
    # s3/object.go
    "aws:s3/bucketObjectv2:BucketObjectv2": Facts(
        replaces=_set("bucket key"),
        computed=_set(
            "acl bucketKeyEnabled contentType etag kmsKeyId serverSideEncryption storageClass"
        ),
    ),
    # s3/bucket_ownership_controls.go
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Facts(replaces=_set("bucket")),
    # s3/bucket_policy.go
    "aws:s3/bucketPolicy:BucketPolicy": Facts(replaces=_set("bucket"), json_text=_set("policy")),
    # s3/bucket_public_access_block.go
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Facts(replaces=_set("bucket")),
    # s3/bucket_server_side_encryption_configuration.go
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        Facts(replaces=_set("bucket expectedBucketOwner"))
    ),
    # s3/bucket_versioning.go
    "aws:s3/bucketVersioning:BucketVersioning": Facts(replaces=_set("bucket expectedBucketOwner")),
    # scheduler/schedule.go
    "aws:scheduler/schedule:Schedule": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}"),
        replaces=_set("name namePrefix groupName"),
        computed=_set("actionAfterCompletion groupName namePrefix"),
    ),
    # scheduler/schedule_group.go
    "aws:scheduler/scheduleGroup:ScheduleGroup": Facts(
        name=Name(r"[A-Za-z0-9_.-]{1,64}"),
        replaces=_set("name namePrefix"),
        computed=_set("namePrefix"),
    ),
    # secretsmanager/secret.go: without a KMS key, an update sends none, and the old one stays
    "aws:secretsmanager/secret:Secret": Facts(
        name=Name(r"[A-Za-z0-9/_+=.@-]{1,512}"),
        replaces=_set("name namePrefix"),
        computed=_set("namePrefix policy"),
        never_cleared=_set("kmsKeyId"),
        json_text=_set("policy"),
    ),
    # secretsmanager/secret_version.go
    "aws:secretsmanager/secretVersion:SecretVersion": Facts(
        replaces=_set("secretId secretBinary secretString secretStringWoVersion"),
        computed=_set("versionStages"),
    ),
    # sns/topic.go
    "aws:sns/topic:Topic": Facts(
        name=Name(r"[A-Za-z0-9_-]{1,256}"),
        replaces=_set("name namePrefix fifoTopic"),
        computed=_set(
            "fifoThroughputScope maximumMessageSize namePrefix policy signatureVersion "
            "tracingConfig"
        ),
    ),
    # sns/topic_policy.go
    "aws:sns/topicPolicy:TopicPolicy": Facts(replaces=_set("arn"), json_text=_set("policy")),
    # sns/topic_subscription.go
    "aws:sns/topicSubscription:TopicSubscription": Facts(
        replaces=_set("topic protocol endpoint"), computed=_set("filterPolicyScope")
    ),
    # sqs/queue.go
    "aws:sqs/queue:Queue": Facts(
        name=Name(r"[A-Za-z0-9_-]{1,80}"),
        replaces=_set("name namePrefix fifoQueue"),
        computed=_set(
            "deduplicationScope fifoThroughputLimit kmsDataKeyReusePeriodSeconds namePrefix "
            "policy redriveAllowPolicy redrivePolicy sqsManagedSseEnabled"
        ),
    ),
    # sqs/queue_policy.go
    "aws:sqs/queuePolicy:QueuePolicy": Facts(replaces=_set("queueUrl"), json_text=_set("policy")),
}
"""Of every type that the program registers."""
