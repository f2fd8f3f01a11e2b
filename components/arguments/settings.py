"""The stack's configuration as a typed object."""

import dataclasses
import difflib
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin

from components.arguments import checks, limits
from schema import ORDERS, Schema, SchemaError
from schema.model import UnknownAttributes

NAMESPACE = "sales-cdc"
"""The prefix of the keys in a stack file: ``sales-cdc:batchSize``."""
_PROJECT = Path(__file__).absolute().parents[2]  # not resolved: the engine tests link to the files


class SettingsError(ValueError):
    """Invalid settings.

    Attributes
    ----------
    problems:
        One line each, naming the key.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"the configuration has {len(problems)} problem(s):{lines}")


def key_of(name: str) -> str:
    """The configuration key of a setting: ``batch_size`` is ``batchSize``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default. The components' arguments use the same defaults.

    ``Pulumi.yaml`` describes the settings and repeats the defaults; a test compares them.
    """

    # The whole stack
    kms_key_arn: limits.KeyArn | None = None
    # The table
    source_table: limits.TableName | None = None
    schema_file: str | None = None
    table_name: limits.TableName | None = None
    protect: bool = True
    point_in_time_recovery: bool = True
    billing_mode: limits.BillingMode = "on-demand"
    read_capacity: limits.Capacity = 5
    write_capacity: limits.Capacity = 5
    stream_view_type: limits.StreamViewType = "NEW_AND_OLD_IMAGES"
    sort_key: str | None = None
    ttl_attribute: limits.AttributeName | None = None
    # Privacy
    unknown_attributes: UnknownAttributes = "keep"
    pseudonym_key_version: limits.PseudonymKeyVersion = 1
    # The Kinesis stream
    stream_mode: limits.StreamMode = "on-demand"
    shards: limits.Shards = 1
    stream_retention_hours: limits.StreamRetentionHours = 24
    # The pipe
    partition_key_path: limits.PartitionKeyPath | None = None
    batch_size: limits.BatchSize = 100
    batch_window_seconds: limits.BatchWindowSeconds = 1
    maximum_record_age_seconds: limits.RecordAgeSeconds = 43_200
    maximum_retry_attempts: limits.RetryAttempts = 100
    parallelization_factor: limits.Parallelization = 1
    filter_patterns: tuple[Mapping[str, Any], ...] = ()
    enrichment_function_arn: limits.FunctionArn | None = None
    pipe_log_level: limits.LogLevel = "ERROR"
    # Delivery
    delivery_format: limits.DeliveryFormat = "json"
    compression: limits.Compression = "gzip"
    buffer_size_mb: limits.BufferSizeMb = 64
    buffer_interval_seconds: limits.BufferIntervalSeconds = 60
    transform_buffer_size_mb: limits.TransformBufferSizeMb = 1.0
    transform_buffer_interval_seconds: limits.TransformBufferIntervalSeconds = 60
    transform_memory_mb: limits.MemoryMb = 256
    lambda_platform: Literal["aws", "host"] = "aws"
    retention_days: limits.RetentionDays = 30
    failed_retention_days: limits.RetentionDays = 14
    log_retention_days: limits.LogRetentionDays = 14
    # The catalog
    crawler_schedule: limits.Cron | None = None
    scan_limit_mb: limits.ScanLimitMb = 1_024
    result_retention_days: limits.RetentionDays = 7
    # Operations
    monitoring: limits.MonitoringLevel = "full"
    alarm_email: limits.EmailAddress | None = None
    failed_record_percent: limits.Percent = 1.0
    # The batch
    batch_schedule: limits.Cron | None = None
    batch_worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    batch_workers: limits.GlueWorkers = 2
    batch_execution_class: limits.ExecutionClass = "standard"
    batch_timeout_minutes: limits.GlueTimeoutMinutes = 60
    batch_retries: limits.GlueRetries = 1
    batch_look_back_hours: limits.LookBackHours = 24
    batch_compact_files: limits.CompactFiles = 8
    batch_snapshot_days: limits.RetentionDays = 5
    batch_orphan_days: limits.OrphanDays = 3
    batch_buckets: limits.Buckets = 4
    # Packing
    pack_schedule: limits.Cron | None = None
    # The order generator
    order_generator: bool = False
    order_generator_schedule: limits.Schedule = "rate(5 minutes)"
    order_generator_orders: limits.Orders = 100
    # The QuickSight dashboard
    dashboard: bool = False
    dashboard_principal_arn: limits.QuickSightPrincipalArn | None = None

    @cached_property
    def schema(self) -> Schema:
        """The schema of the schema file, or the orders with this stack's sort key; and what
        becomes of attributes that it does not know.

        Raises
        ------
        SchemaError
            With every problem of the file, one per line.
        """
        if self.schema_file is None:
            schema = dataclasses.replace(ORDERS, sort_key=self.sort_key)
        else:
            from schema import files  # noqa: PLC0415 - needs PyYAML, which only a schema file does

            schema = files.load(_PROJECT / self.schema_file)
        return dataclasses.replace(schema, unknown_attributes=self.unknown_attributes)

    @classmethod
    def load(cls, raw: Mapping[str, str]) -> Self:
        """Read settings from configuration values, keyed without the namespace.

        Parameters
        ----------
        raw:
            Text values as in Pulumi's configuration: ``"true"``, ``"5"``, JSON for a list. ``""``
            for an optional setting means it is not set.

        Raises
        ------
        SettingsError
            With every problem: unknown keys, values of the wrong type or out of range, and invalid
            combinations.
        """
        names = setting_keys()
        hints = checks.field_hints(cls)
        problems, values = [], {}
        for key, text in raw.items():
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                problems.append(f"{key}: there is no such setting{hint}")
                continue
            now = _EARLIER.get(key, {}).get(text, text)
            try:
                values[names[key]] = _parse(hints[names[key]], now)
            except ValueError as error:
                problems.append(f"{key}: {error}, not {text!r}")
        settings = cls(**values)
        problems += checks.problems(settings, *_RULES, label=key_of)
        problems += _schema_problems(settings)
        if problems:
            raise SettingsError(problems)
        return settings


_EARLIER: Mapping[str, Mapping[str, str]] = {"monitoring": {"true": "full", "false": "off"}}
"""Values that older stack files have, and what they mean now."""


def setting_keys() -> dict[str, str]:
    """The name of each setting, by its configuration key."""
    return {key_of(field.name): field.name for field in dataclasses.fields(Settings)}


def _parse(hint: Any, text: str) -> Any:
    """``text`` as the type in ``hint``; ValueError says what was expected."""
    if hasattr(hint, "__metadata__"):
        return _parse(hint.__origin__, text)
    if get_origin(hint) in (Union, types.UnionType):
        return _parse(get_args(hint)[0], text) if text else None
    if get_origin(hint) is tuple:
        return _parse_patterns(text)
    if get_origin(hint) is Literal:
        return text
    return _PARSERS[hint](text)


def _parse_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _parse_number(kind: Callable[[str], float], what: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"must be {what}") from None

    return parse


def _parse_patterns(text: str) -> tuple[Mapping[str, Any], ...]:
    """A JSON list of patterns, each an object or the JSON text of one."""
    wrong = ValueError('must be a list of event patterns, such as {"eventName": ["INSERT"]}')
    try:
        items = json.loads(text or "[]")
        patterns = [json.loads(item) if isinstance(item, str) else item for item in items]
    except (RecursionError, TypeError, ValueError):
        raise wrong from None
    if not isinstance(items, list) or not all(isinstance(p, dict) and p for p in patterns):
        raise wrong
    return tuple(patterns)


_PARSERS: Mapping[type, Callable[[str], Any]] = {
    bool: _parse_bool,
    int: _parse_number(int, "a whole number"),
    float: _parse_number(float, "a number"),
    str: str,
}


def _schema_problems(settings: Settings) -> list[str]:
    """What is wrong with the schema, or with settings that name its parts."""
    try:
        settings.schema  # noqa: B018 - reads the file
    except SchemaError as error:
        if settings.schema_file is None:
            return []  # the sort key's: see `_sort_key_is_a_column`
        lines = (line.removeprefix(f"{_PROJECT}/") for line in str(error).splitlines())
        return [f"{key_of('schema_file')}: {line}" for line in lines]
    return [problem for rule in _SCHEMA_RULES if (problem := rule(settings, key_of))]


def _table_has_one_name(settings: Settings, label: checks.Label) -> str | None:
    if not (settings.source_table and settings.table_name):
        return None
    return (
        f"{label('table_name')}: names a table that is created; clear it, because "
        f"{label('source_table')} names one that exists"
    )


def _orders_are_for_orders(name: str) -> checks.Rule[Settings]:
    def rule(settings: Settings, label: checks.Label) -> str | None:
        if not (getattr(settings, name) and settings.schema_file):
            return None
        return f"{label(name)}: is for orders only; clear it, because {label('schema_file')} is set"

    return rule


def _sort_key_is_a_column(settings: Settings, label: checks.Label) -> str | None:
    if settings.sort_key and settings.schema_file:
        return f"{label('sort_key')}: is for orders only; set sort_key in {settings.schema_file}"
    others = [column.name for column in ORDERS.columns if column.name != ORDERS.key]
    if settings.sort_key is None or settings.sort_key in others:
        return None
    known = ", ".join(others)
    return f"{label('sort_key')}: must be a column ({known}), not {settings.sort_key!r}"


def _ttl_is_no_key(settings: Settings, label: checks.Label) -> str | None:
    if settings.ttl_attribute not in settings.schema.key_attributes:
        return None
    return f"{label('ttl_attribute')}: {settings.ttl_attribute!r} is a key of the table"


def _partition_key_is_a_key(settings: Settings, label: checks.Label) -> str | None:
    path, schema = settings.partition_key_path, settings.schema
    if path is None or not path.startswith("$.dynamodb.Keys."):
        return None
    paths = [limits.key_path(schema[key]) for key in schema.keys]
    if path in paths:
        return None
    return f"{label('partition_key_path')}: must be {' or '.join(paths)}, not {path!r}"


def _dashboard_is_for_somebody(settings: Settings, label: checks.Label) -> str | None:
    if not settings.dashboard or settings.dashboard_principal_arn:
        return None
    principal = label("dashboard_principal_arn")
    return f"{principal}: must say who may see it when {label('dashboard')} is on"


def _look_back_covers_the_stream(settings: Settings, label: checks.Label) -> str | None:
    """Records held in the stream may still arrive, so batch and packing must wait that long."""
    hours, held = settings.batch_look_back_hours, settings.stream_retention_hours
    if not (settings.batch_schedule or settings.pack_schedule) or hours >= held:
        return None
    least = f"{label('stream_retention_hours')} ({held}) or more"
    return f"{label('batch_look_back_hours')}: must be {least}, not {hours}"


def _one_packs(settings: Settings, label: checks.Label) -> str | None:
    """The batch job packs by itself, and the packing function has no pyarrow."""
    if settings.pack_schedule is None:
        return None
    if settings.batch_schedule:
        why = f"{label('batch_schedule')} is set, and the batch job packs the log"
    elif settings.delivery_format == "parquet":
        why = f"{label('delivery_format')} is parquet, which only {label('batch_schedule')} packs"
    else:
        return None
    return f"{label('pack_schedule')}: clear it, because {why}"


_RULES: tuple[checks.Rule[Settings], ...] = (
    limits.window_below_age,
    limits.some_retries,
    limits.few_filters,
    limits.parquet_buffers_enough,
    _table_has_one_name,
    _sort_key_is_a_column,
    _orders_are_for_orders("order_generator"),
    _orders_are_for_orders("dashboard"),
    _look_back_covers_the_stream,
    _one_packs,
    _dashboard_is_for_somebody,
)
_SCHEMA_RULES: tuple[checks.Rule[Settings], ...] = (
    limits.some_path,
    _ttl_is_no_key,
    _partition_key_is_a_key,
)
"""Those of a valid schema."""
