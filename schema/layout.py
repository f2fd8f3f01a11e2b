"""The bucket's prefixes, for writers and readers."""

PROJECTION_PREFIX = "projection/"
"""Event rows."""
FAILED_PREFIX = "failed/"
"""Records that Firehose could not deliver, by error type."""
PROCESSING_FAILED_PREFIX = f"{FAILED_PREFIX}processing-failed/"
"""Records that the transform rejected."""
REPLAYED_PREFIX = "replayed/"
"""The ledger of replayed failed records, written by `python -m operate replay`."""
RESULTS_PREFIX = "athena-results/"
"""Query results of Athena."""
ORDERS_PREFIX = "orders/"
"""The Iceberg table of current orders."""
JOBS_PREFIX = "jobs/"
"""The batch job's code and definition."""
EXPORTS_PREFIX = "exports/"
"""Exports of the DynamoDB table that the batch job may load."""

_PARTITIONS = "day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
DELIVERY_PREFIX = PROJECTION_PREFIX + _PARTITIONS
"""Firehose's expression; the timestamp is the arrival of the object's oldest record, UTC."""
DELIVERY_ERROR_PREFIX = FAILED_PREFIX + "!{firehose:error-output-type}/" + _PARTITIONS
"""Firehose's expression; the error type of rejected records is processing-failed."""
