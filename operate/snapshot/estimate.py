"""What a snapshot would take: items, bytes, minutes, dollars."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from client.prices import DATED, GB, KB, PRICES, REGION
from operate.snapshot.capture import Capture
from operate.snapshot.state import Method

_ROW_BYTES, _ROW_SHARE = 250, 1.3
"""An event row as JSON: its own columns, and the item's bytes as JSON."""


@dataclass(frozen=True)
class Estimate:
    """The estimate of a snapshot, from the table's count and size, which are up to 6 hours old.

    Attributes
    ----------
    read_units:
        What a scan of the table uses.
    minutes:
        At the given rate. None for an export: AWS does not say how long one takes.
    dollars, verify_dollars:
        At list prices, for the snapshot and for the comparison after it. Provisioned read capacity
        costs nothing extra.
    """

    method: Method
    items: int
    bytes: int
    read_units: int
    minutes: float | None
    objects: int
    dollars: float
    verify_dollars: float

    @classmethod
    def of(
        cls, captured: Capture, method: Method, *, read_units: float, chunk_bytes: int
    ) -> Estimate:
        """The estimate for a table."""
        units = math.ceil(captured.size / (4 * KB))
        scan = units * PRICES["table reads"].usd if captured.on_demand else 0.0
        rows = captured.items * _ROW_BYTES + captured.size * _ROW_SHARE
        objects = math.ceil(rows / chunk_bytes)
        puts = 2 * objects * PRICES["lake puts"].usd  # rows, and how far it has come
        read = captured.size / GB * PRICES["table export"].usd if method == "export" else scan
        return cls(
            method=method,
            items=captured.items,
            bytes=captured.size,
            read_units=0 if method == "export" else units,
            minutes=None if method == "export" else units / read_units / 60,
            objects=objects,
            dollars=read + puts,
            verify_dollars=scan,
        )

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"region": REGION, "prices": DATED}

    def __str__(self) -> str:
        how = (
            "by export, without read capacity"
            if self.method == "export"
            else f"by scan, {self.read_units:,} read units, {self.minutes:.1f} minutes at this rate"
        )
        return (
            f"about {self.items:,} items, {self.bytes:,} bytes (DynamoDB's figures, up to 6 hours "
            f"old): {how}; about {self.objects:,} objects; ${self.dollars:,.2f}, and "
            f"${self.verify_dollars:,.2f} for verify ({REGION}, prices of {DATED})"
        )
