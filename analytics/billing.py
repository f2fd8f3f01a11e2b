"""Where the calculator counts each type of resource that the program makes, or why it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BILLED: Mapping[str, Sequence[str]] = {
    "aws:athena/workgroup:Workgroup": ["athena"],
    "aws:cloudwatch/dashboard:Dashboard": ["dashboards"],
    "aws:cloudwatch/logGroup:LogGroup": ["logs"],
    "aws:cloudwatch/metricAlarm:MetricAlarm": ["alarms"],
    "aws:dynamodb/table:Table": ["table writes", "table storage"],
    "aws:glue/crawler:Crawler": ["glue"],
    "aws:glue/job:Job": ["glue", "glue flex"],
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": ["firehose"],
    "aws:kinesis/stream:Stream": ["stream shards", "stream on demand", "key requests"],
    "aws:lambda/function:Function": ["function time", "function calls", "metrics"],
    "aws:pipes/pipe:Pipe": ["pipe"],
    "aws:s3/bucket:Bucket": ["lake storage", "lake puts", "lake gets"],
    "aws:scheduler/schedule:Schedule": ["schedule"],
    "aws:secretsmanager/secret:Secret": ["secrets"],
    "aws:sns/topic:Topic": ["notifications"],
}
"""The lines in which a type's cost may be; one of them at least is in its stack's estimate."""

_CONFIGURATION = "configures another resource, which is billed"
_CATALOG = "an object of the Glue catalog: the first million is free, and a stack has about 20"
_IAM = "IAM is free"
UNBILLED: Mapping[str, str] = {
    "aws:athena/namedQuery:NamedQuery": "saved queries are free; running one is the workgroup's",
    "aws:cloudformation/stack:Stack": "AWS's own types are free in CloudFormation",
    "aws:cloudwatch/eventRule:EventRule": "its events are of an AWS service, which are free",
    "aws:cloudwatch/eventTarget:EventTarget": "events to a target in the same account are free",
    "aws:cloudwatch/logStream:LogStream": "the group is billed by what is written",
    "aws:glue/catalogDatabase:CatalogDatabase": _CATALOG,
    "aws:glue/catalogTable:CatalogTable": _CATALOG,
    "aws:glue/classifier:Classifier": "used by the crawler, which is billed",
    "aws:glue/securityConfiguration:SecurityConfiguration": _CONFIGURATION,
    "aws:iam/policy:Policy": _IAM,
    "aws:iam/role:Role": _IAM,
    "aws:iam/rolePolicy:RolePolicy": _IAM,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _CONFIGURATION,
    "aws:quicksight/dataSet:DataSet": "QuickSight bills its users, who are not the stack's",
    "aws:quicksight/dataSource:DataSource": "QuickSight bills its users, who are not the stack's",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "expiry is free",
    "aws:s3/bucketObjectv2:BucketObjectv2": "five files of the batch job, 150 KB: under $0.00001",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _CONFIGURATION,
    "aws:s3/bucketPolicy:BucketPolicy": _CONFIGURATION,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _CONFIGURATION,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "SSE-S3 is free; a key of yours is billed for its requests, with a bucket key few"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "old versions expire; the log is written once",
    "aws:secretsmanager/secretVersion:SecretVersion": "its secret is billed",
    "aws:sns/topicPolicy:TopicPolicy": _CONFIGURATION,
    "aws:sns/topicSubscription:TopicSubscription": "its messages are the topic's",
    "aws:sqs/queue:Queue": "billed by request: none while the pipe gives up nothing",
    "aws:sqs/queuePolicy:QueuePolicy": _CONFIGURATION,
}
"""Types whose resources have no cost of their own, with the reason."""
