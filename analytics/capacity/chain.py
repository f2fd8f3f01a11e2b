"""The settings of a stack that decide what its chain can carry, read from the stack files."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analytics.capacity import limits

ROOT = Path(__file__).resolve().parents[2]
_CRON = re.compile(r"cron\((\S+) (\S+) \S+ \S+ \S+ \S+\)")


class ChainError(ValueError):
    """The stack's settings cannot be read; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A stack's settings: each field is the setting of that name in Pulumi.yaml, except two.

    Attributes
    ----------
    name:
        The stack's name.
    quotas:
        What AWS has granted beyond its default quotas.
    """

    name: str
    billing_mode: str
    read_capacity: int
    write_capacity: int
    stream_mode: str
    shards: int
    stream_retention_hours: int
    batch_size: int
    batch_window_seconds: int
    maximum_record_age_seconds: int
    parallelization_factor: int
    delivery_format: str
    buffer_size_mb: int
    buffer_interval_seconds: int
    transform_buffer_size_mb: float
    transform_buffer_interval_seconds: int
    transform_memory_mb: int
    retention_days: int
    scan_limit_mb: int
    batch_schedule: str
    batch_worker_type: str
    batch_workers: int
    batch_timeout_minutes: int
    quotas: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_stack(cls, stack: str, root: Path = ROOT) -> Chain:
        """Read ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``.

        Raises
        ------
        ChainError
            There is no such stack file, or it cannot be read.
        """
        import yaml  # noqa: PLC0415 - only this command needs it

        file = root / f"Pulumi.{stack}.yaml"
        if not file.is_file():
            known = sorted(one.name.split(".")[1] for one in root.glob("Pulumi.*.yaml"))
            raise ChainError(
                f"there is no file Pulumi.{stack}.yaml in {root}; the stacks there are: "
                f"{', '.join(known)}"
            )
        try:
            project = yaml.safe_load((root / "Pulumi.yaml").read_text())
            given = yaml.safe_load(file.read_text())["config"]
        except (KeyError, TypeError, OSError, yaml.YAMLError) as error:
            raise ChainError(f"cannot read the settings in {file}: {error}") from None
        values: dict[str, Any] = {"name": stack}
        for name, kind in cls.settings().items():
            key = key_of(name)
            default = project["config"][key]["default"]
            value = given.get(f"{project['name']}:{key}", default)
            try:  # `pulumi config set` writes numbers as text
                values[name] = _KINDS[kind](value)
            except (TypeError, ValueError):
                raise ChainError(f"{file}: {key} is {value!r}, not a number") from None
        return cls(**values)

    @classmethod
    def settings(cls) -> Mapping[str, Any]:
        """The names of the settings, with their types."""
        return {
            one.name: one.type
            for one in dataclasses.fields(cls)
            if one.name not in ("name", "quotas")
        }

    @property
    def on_demand_table(self) -> bool:
        """Whether the table scales by itself."""
        return self.billing_mode == "on-demand"

    @property
    def on_demand_stream(self) -> bool:
        """Whether the Kinesis stream scales by itself."""
        return self.stream_mode == "on-demand"

    @property
    def batch_period_seconds(self) -> float | None:
        """Seconds between the starts of two batch runs; None without a schedule."""
        return 86_400 / runs_a_day(self.batch_schedule) if self.batch_schedule else None

    @property
    def batch_cores(self) -> int:
        """Cores that merge: those of all workers but the driver's."""
        return max(1, self.batch_workers - 1) * limits.GLUE_CORES[self.batch_worker_type]


_KINDS: Mapping[Any, Any] = {"int": int, "float": float, "str": str}


def key_of(name: str) -> str:
    """The key of a setting: ``batch_size`` is ``batchSize``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def runs_a_day(schedule: str) -> int:
    """Runs a day of a cron expression whose minutes and hours say it all.

    Raises
    ------
    ChainError
        The expression is of another kind.
    """
    match = _CRON.fullmatch(schedule)
    if match is None:
        raise ChainError(f"batchSchedule {schedule!r} is not cron( ) with six fields")
    minutes, hours = (
        _times(field, most) for field, most in zip(match.groups(), (60, 24), strict=True)
    )
    return minutes * hours


def _times(field: str, most: int) -> int:
    """How many values of 0 to ``most`` - 1 a field of a cron expression names."""
    total = 0
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?", part)
        if match is None:
            raise ChainError(f"the field {field!r} of batchSchedule is not understood")
        first, last, step = match.groups()
        begin = 0 if first == "*" else int(first)
        end = int(last) if last else most - 1 if first == "*" or step else begin
        total += len(range(begin, end + 1, int(step or 1)))
    return total
