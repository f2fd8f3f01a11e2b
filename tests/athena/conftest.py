from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.athena.lab import Lab, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("emulator")) as lab:
        yield lab


@pytest.fixture(scope="session")
def orders(lab: Lab) -> Callable[..., Any]:
    """The tables that most tests ask."""
    rows = [
        {"orderid": "o1", "quantity": 2, "price": 19.99, "created_at": "2026-11-20 10:00:00.123"},
        {"orderid": "o2", "quantity": 1, "price": 0.10, "created_at": "2026-11-20 23:59:59.999"},
        {"orderid": "o3", "quantity": None, "price": None, "created_at": None},
    ]
    columns = {
        "orderid": "string",
        "quantity": "int",
        "price": "decimal(10,2)",
        "created_at": "timestamp",
    }
    lab.put("orders/a.json.gz", rows, zipped=True)
    lab.table("orders", columns)
    return lab.rows
