"""AWS's limits that bound the chain, each with its source, and the figures that AWS does not state.

Values are the defaults of us-east-1 for an account that has asked for nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.cost import MERGED_A_SECOND

CHECKED = "2026-11-25"
"""The date on which the sources were read."""

KIB, MIB = 1024, 1024 * 1024
_DOCS = "https://docs.aws.amazon.com"
_DYNAMODB = f"{_DOCS}/amazondynamodb/latest/developerguide"
_PIPES = f"{_DOCS}/eventbridge/latest/userguide"
_KINESIS = f"{_DOCS}/streams/latest/dev"
_FIREHOSE = f"{_DOCS}/firehose/latest/dev/limits.html"
_LAMBDA = f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html"


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes
    ----------
    source:
        The page that states it, as of `CHECKED`.
    adjustable:
        AWS raises it on request (Service Quotas).
    """

    value: float
    unit: str
    source: str
    adjustable: bool = False


@dataclass(frozen=True)
class Assumption:
    """A figure that AWS does not publish; measure it on your account before you rely on it."""

    value: float
    unit: str
    reason: str


ITEM_BYTES = Limit(400 * KIB, "bytes an item", f"{_DYNAMODB}/Constraints.html")
WRITE_UNIT_BYTES = Limit(KIB, "bytes a write unit", f"{_DYNAMODB}/Constraints.html")
TABLE_WRITES = Limit(
    40_000, "write units/s of a table", f"{_DYNAMODB}/ServiceQuotas.html", adjustable=True
)
NEW_TABLE_WRITES = Limit(
    4_000, "write units/s of a new on-demand table", f"{_DYNAMODB}/warm-throughput-scenarios.html"
)
TABLE_DOUBLES_SECONDS = Limit(
    1_800, "s until an on-demand table takes twice its peak", f"{_DYNAMODB}/warm-throughput.html"
)
PARTITION_WRITES = Limit(
    1_000, "write units/s of a partition", f"{_DYNAMODB}/bp-partition-key-design.html"
)
PARTITION_READS = Limit(
    3_000, "read units/s of a partition", f"{_DYNAMODB}/bp-partition-key-design.html"
)
TABLES = Limit(2_500, "tables", f"{_DYNAMODB}/ServiceQuotas.html", adjustable=True)

STREAM_SECONDS = Limit(
    86_400, "s that a table's stream keeps a change", f"{_DYNAMODB}/Streams.html"
)
STREAM_READERS = Limit(2, "readers of a table stream's shard", f"{_DYNAMODB}/Constraints.html")

PIPES = Limit(1_000, "pipes", f"{_PIPES}/eb-quota.html", adjustable=True)
PIPE_EXECUTIONS = Limit(
    3_000, "executions of all pipes at once", f"{_PIPES}/eb-quota.html", adjustable=True
)
PIPE_PARALLELIZATION = Limit(10, "batches of a shard at once", f"{_PIPES}/eb-pipes-dynamodb.html")
PIPE_BATCH = Limit(
    500, "records a batch to Kinesis", f"{_PIPES}/eb-pipes-batching-concurrency.html"
)

PUT_RECORDS_BYTES = Limit(
    10 * MIB,
    "bytes a PutRecords request",
    f"{_DOCS}/kinesis/latest/APIReference/API_PutRecords.html",
)
KINESIS_RECORD_BYTES = Limit(
    MIB, "bytes a record, unless the stream's maximum is raised", f"{_KINESIS}/large-records.html"
)
SHARD_RECORDS = Limit(1_000, "records/s into a shard", f"{_KINESIS}/service-sizes-and-limits.html")
SHARD_BYTES = Limit(MIB, "bytes/s into a shard", f"{_KINESIS}/service-sizes-and-limits.html")
SHARD_READ_BYTES = Limit(
    2 * MIB, "bytes/s out of a shard", f"{_KINESIS}/service-sizes-and-limits.html"
)
READ_RECORDS = Limit(
    10_000, "records a read of a shard", f"{_KINESIS}/service-sizes-and-limits.html"
)
SHARDS = Limit(
    20_000, "provisioned shards", f"{_KINESIS}/service-sizes-and-limits.html", adjustable=True
)
NEW_STREAM_SHARDS = Limit(
    4, "MB/s of a new on-demand stream", f"{_KINESIS}/how-do-i-size-a-stream.html"
)
ON_DEMAND_SHARDS = Limit(
    10_000, "MB/s of an on-demand stream", f"{_KINESIS}/service-sizes-and-limits.html"
)
STREAM_DOUBLES_SECONDS = Limit(
    900,
    "s until an on-demand stream takes twice its peak",
    f"{_KINESIS}/how-do-i-size-a-stream.html",
)
ON_DEMAND_STREAMS = Limit(
    50, "on-demand streams", f"{_KINESIS}/service-sizes-and-limits.html", adjustable=True
)

FIREHOSE_RECORD_BYTES = Limit(1_000 * KIB, "bytes a record", _FIREHOSE)
FIREHOSE_INVOCATIONS = Limit(5, "transform invocations of a shard at once", _FIREHOSE)
FIREHOSE_STREAMS = Limit(5_000, "delivery streams", _FIREHOSE, adjustable=True)
FIREHOSE_READS = Limit(
    1, "reads/s of a shard", f"{_DOCS}/firehose/latest/dev/writing-with-kinesis-streams.html"
)

LAMBDA_CONCURRENCY = Limit(1_000, "invocations of all functions at once", _LAMBDA, adjustable=True)
LAMBDA_BYTES = Limit(6 * MIB, "bytes a request or response", _LAMBDA)

PREFIX_PUTS = Limit(
    3_500, "PUT/s of a prefix", f"{_DOCS}/AmazonS3/latest/userguide/optimizing-performance.html"
)
SCANNED_PARTITIONS = Limit(
    1_000_000, "partitions a scan", f"{_DOCS}/athena/latest/ug/partitions.html"
)
SCAN_LIMIT_MB = Limit(
    7_000_000,
    "MB that a workgroup's scan limit allows at most",
    f"{_DOCS}/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html",
)
GLUE_DPUS = Limit(
    1_000, "DPUs of all jobs at once", f"{_DOCS}/general/latest/gr/glue.html", adjustable=True
)
GLUE_JOBS = Limit(1_000, "jobs", f"{_DOCS}/general/latest/gr/glue.html", adjustable=True)

PIPE_BATCH_SECONDS = Assumption(
    0.1, "s that a pipe takes for a batch", "AWS states no throughput for pipes"
)
TRANSFORM_RECORDS = Assumption(
    70_000,
    "records/s of the transform on one vCPU",
    "70 % of `python -m benchmarks transform_vs_limit`, for a slower processor",
)
TRANSFORM_CALL_SECONDS = Assumption(
    0.02, "s of an invocation besides its records", "Lambda's overhead and base64"
)
LAMBDA_MB_A_VCPU = Assumption(
    1_769, "MB of memory that bring one vCPU", "AWS states it for this size; linear below it"
)
PUT_SECONDS = Assumption(0.2, "s that Firehose takes to write an object", "not published")
COMPRESSED = Assumption(
    0.2, "compressed bytes in the lake a byte of row", "as in `python -m analytics cost`"
)
MERGED_CHANGES = Assumption(
    MERGED_A_SECOND / 4,
    "changes/s that the batch job merges on one core",
    "as in `python -m analytics cost`; `python -m benchmarks merge_rate` measures it",
)
JOB_START_SECONDS = Assumption(90, "s until the batch job merges", "Glue's and Spark's start")

GLUE_CORES: Mapping[str, int] = {"G.1X": 4, "G.2X": 8, "G.4X": 16, "G.8X": 32}
"""vCPUs of a worker (https://docs.aws.amazon.com/glue/latest/dg/add-job.html)."""
GLUE_WORKER_DPUS: Mapping[str, int] = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}


def limits() -> Mapping[str, Limit]:
    """Every limit, by the name it has here."""
    return {name: value for name, value in globals().items() if isinstance(value, Limit)}


def assumptions() -> Mapping[str, Assumption]:
    """Every assumption, by the name it has here."""
    return {name: value for name, value in globals().items() if isinstance(value, Assumption)}
