"""Where what lies in the bucket, for those who write it and those who read it."""

PROJECTION_PREFIX = "projection/"
"""Event rows."""
FAILED_PREFIX = "failed/"
"""What Firehose could not process, by the type of the error."""
PROCESSING_FAILED_PREFIX = f"{FAILED_PREFIX}processing-failed/"
"""Records that the transform could not turn into rows."""
REPLAYED_PREFIX = "replayed/"
"""Which failed records were sent through the chain again, noted by `python -m operate replay`."""
RESULTS_PREFIX = "athena-results/"
"""The answers of Athena's queries."""
ORDERS_PREFIX = "orders/"
"""The Iceberg table of current orders that the batch keeps."""
JOBS_PREFIX = "jobs/"
"""The batch job's own files."""
EXPORTS_PREFIX = "exports/"
"""Exports of the table that the batch may load."""

_PARTITIONS = "day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
DELIVERY_PREFIX = PROJECTION_PREFIX + _PARTITIONS
"""Firehose's expression; the timestamp is the arrival of the object's oldest record, UTC."""
DELIVERY_ERROR_PREFIX = FAILED_PREFIX + "!{firehose:error-output-type}/" + _PARTITIONS
"""Firehose's expression; the error type of what the transform refused is processing-failed."""
