"""Look in the Kinesis stream for records that an interrupted run may have sent."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from operate.sending import Receipt

_READS_A_SECOND = 5.0  # a shard's limit, shared by all its readers: leave Firehose its share
_MARGIN_SECONDS = 1  # clock skew between S3 and Kinesis


def find_sent(
    kinesis: Any,
    stream_arn: str,
    wanted: Mapping[int, bytes],
    since: int,
    *,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[int, Receipt]:
    """Those of ``wanted`` (ID -> data) that arrived in the stream since the epoch second ``since``.

    Records with identical bytes count as the same record; of identical ones, as many are found as
    arrived.
    """
    ids: dict[bytes, list[int]] = defaultdict(list)
    for identity, data in sorted(wanted.items(), reverse=True):
        ids[data].append(identity)
    found: dict[int, Receipt] = {}
    start = datetime.fromtimestamp(since - _MARGIN_SECONDS, UTC)
    for page in kinesis.get_paginator("list_shards").paginate(StreamARN=stream_arn):
        for shard in page["Shards"]:
            iterator = kinesis.get_shard_iterator(
                StreamARN=stream_arn,
                ShardId=shard["ShardId"],
                ShardIteratorType="AT_TIMESTAMP",
                Timestamp=start,
            )["ShardIterator"]
            while iterator and len(found) < len(wanted):
                answer = kinesis.get_records(StreamARN=stream_arn, ShardIterator=iterator)
                for record in answer["Records"]:
                    if ids.get(record["Data"]):
                        identity = ids[record["Data"]].pop()
                        found[identity] = Receipt(shard["ShardId"], record["SequenceNumber"])
                if not answer.get("MillisBehindLatest"):
                    break
                iterator = answer.get("NextShardIterator")
                sleep(1 / _READS_A_SECOND)
    return found
