"""Two stacks with settings of their own, so that figures by hand outlive a change of ours."""

from __future__ import annotations

import dataclasses

from analytics.capacity.chain import Chain

PROD = Chain(
    name="prod",
    billing_mode="on-demand",
    read_capacity=5,
    write_capacity=5,
    stream_mode="on-demand",
    shards=1,
    stream_retention_hours=48,
    batch_size=100,
    batch_window_seconds=1,
    maximum_record_age_seconds=43_200,
    parallelization_factor=1,
    delivery_format="parquet",
    buffer_size_mb=128,
    buffer_interval_seconds=300,
    transform_buffer_size_mb=1.0,
    transform_buffer_interval_seconds=60,
    transform_memory_mb=256,
    retention_days=365,
    scan_limit_mb=10_240,
    batch_schedule="cron(10 * * * ? *)",
    batch_worker_type="G.1X",
    batch_workers=2,
    batch_timeout_minutes=60,
)
DEV = dataclasses.replace(
    PROD,
    name="dev",
    stream_mode="provisioned",
    stream_retention_hours=24,
    delivery_format="json",
    buffer_size_mb=5,
    buffer_interval_seconds=60,
    retention_days=7,
    scan_limit_mb=1_024,
    batch_schedule="",
)
