"""The generator as a Lambda function: each invocation places a number of orders.

The zip holds the project's `generator` and `schema` beside this file; the runtime brings boto3.

Environment: TABLE_NAME, ORDERS (to place), UPDATES and DELETES (shares of all changes), and
optionally RATE (orders per second).
"""

from __future__ import annotations

import os
import threading
from dataclasses import asdict
from typing import Any, Final

from generator import Plan, operations, write
from generator.target import dynamodb

MARGIN_SECONDS: Final = 4.0
"""Writing stops this long before the function times out; no single call takes longer."""

CLIENT: Final = dynamodb(timeout=MARGIN_SECONDS - 1)


def handler(_event: object, context: Any) -> dict[str, Any]:
    """Place the orders and return the counts.

    Raises
    ------
    generator.PlanError
        The environment variables are invalid.
    generator.WriteError
        The table cannot be written.
    RuntimeError
        Some changes could not be written; the error shows in the function's Errors metric.
    """
    plan = Plan(
        count=int(os.environ["ORDERS"]),
        updates=float(os.environ["UPDATES"]),
        deletes=float(os.environ["DELETES"]),
        rate=float(os.environ["RATE"]) if os.environ.get("RATE") else None,
    )
    stop = threading.Event()
    remaining = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    timer = threading.Timer(max(0.0, remaining), stop.set)
    timer.daemon = True
    timer.start()
    try:
        report = write(
            CLIENT, os.environ["TABLE_NAME"], operations(plan), rate=plan.rate, stop=stop
        )
    finally:
        timer.cancel()
    print(report.to_json())  # noqa: T201 - a Lambda's log is its output
    if report.failed:
        raise RuntimeError(f"{report.failed} changes could not be written: {report.to_json()}")
    return asdict(report) | {"interrupted": stop.is_set()}
