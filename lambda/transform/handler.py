"""Firehose's transformation Lambda: change records in, event rows out, one log line per batch.

Environment
-----------
LOG_LEVEL:
    ``DEBUG`` logs up to 100 failed records per reason, any other level 3. Default INFO.
METRICS:
    Which of ``metrics.METRICS`` become CloudWatch metrics, separated by commas. Default: all. The
    log line has every figure anyway.
METRICS_NAMESPACE:
    Namespace of the CloudWatch metrics. Default ``sales-cdc``.
PSEUDONYM_KEY:
    The ARN of the secret with the key of pseudonyms, if the schema has hashed columns.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

from metrics import DIMENSION, METRICS, NAMESPACE, spread
from records import Tally, transform
from rows import compile_schema, hashes, pseudonyms

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would slow the cold start
    from collections.abc import Callable
    from typing import Any

with open(os.path.join(os.path.dirname(__file__), "schema.json"), encoding="utf-8") as _file:  # noqa: PTH118, PTH120, PTH123 - pathlib would slow the cold start
    _SCHEMA = json.load(_file)


def _pseudonym() -> Callable[[str], str] | None:
    """What makes pseudonyms, with the key from Secrets Manager, if the schema needs one."""
    if not hashes(_SCHEMA):
        return None
    import boto3  # noqa: PLC0415 - Lambda's runtime has it; would slow the cold start

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["PSEUDONYM_KEY"])
    return pseudonyms(secret["SecretString"].encode())


TO_ROW = compile_schema(_SCHEMA, _pseudonym())
_METRICS = [
    name for name in METRICS if name in os.environ.get("METRICS", ",".join(METRICS)).split(",")
]
_NAMESPACE = os.environ.get("METRICS_NAMESPACE", NAMESPACE)
_EXAMPLES = 100 if os.environ.get("LOG_LEVEL", "INFO").upper() == "DEBUG" else 3


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Answer one invocation by Firehose. Request and response format:

    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
    """
    start = time.perf_counter()
    answers, tally = transform(event["records"], TO_ROW, max_examples=_EXAMPLES)
    print(_line(event, tally, (time.perf_counter() - start) * 1000))  # noqa: T201 - the log
    return {"records": answers}


def _line(event: dict[str, Any], tally: Tally, milliseconds: float) -> str:
    """One log line, with CloudWatch metrics in the embedded metric format:

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    now = int(time.time() * 1000)
    ages = _ages(tally, now)
    counted = [
        {"Name": name, "Unit": "Milliseconds" if name == "Age" else "Count"}
        for name in _METRICS
        if name != "Age" or ages
    ]
    directive = {
        "Timestamp": now,
        "CloudWatchMetrics": [
            {"Namespace": _NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": counted}
        ],
    }
    line = {
        **({"_aws": directive} if counted else {}),
        "level": "WARNING" if tally.failed else "INFO",
        "message": "batch transformed",
        "invocationId": event.get("invocationId"),
        DIMENSION: event.get("deliveryStreamArn", "").rpartition("/")[2] or "unknown",
        "Records": len(event["records"]),
        "Ok": sum(tally.rows.values()),
        "Failed": tally.failed,
        "Age": ages,
        "Insert": tally.rows["INSERT"],
        "Modify": tally.rows["MODIFY"],
        "Remove": tally.rows["REMOVE"],
        "Bytes": tally.row_bytes,
        "Duration": round(milliseconds, 3),
        "failures": tally.failures,
    }
    return json.dumps(line)


def _ages(tally: Tally, now: int) -> list[int]:
    """How long ago the changes were made, in milliseconds.

    Not below zero: clocks differ, and CloudWatch has no percentiles of negative values.
    """
    counts = []
    for text in sorted(tally.made, reverse=True):
        made = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        counts.append((max(0, now - round(made * 1000)), tally.made[text]))
    return spread(counts)
