"""What the program deploys with all that can be switched on."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from schema import ORDERS
from tests.components.component_support import ACCOUNT, REGION, Deployed, record

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def everything() -> Deployed:
    """Prod with all that can be switched on."""
    config = {
        "orderGenerator": "true",
        "batchSchedule": "cron(0 4 * * ? *)",
        "deliveryFormat": "parquet",
        "bufferSizeMb": "64",
        "kmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-yours",
        "enrichmentFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:enrich",
        "dashboard": "true",
        "dashboardPrincipalArn": f"arn:aws:quicksight:{REGION}:{ACCOUNT}:group/default/analysts",
    }
    seen = Deployed()
    hashed = (replace(one, privacy="hash") if one.personal else one for one in ORDERS.columns)
    orders = replace(ORDERS, columns=tuple(hashed))  # as an edit of schema/orders.py
    with mock.patch("components.arguments.settings.ORDERS", orders):
        record(
            lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
            seen,
            stack="prod",
            config={f"sales-cdc:{key}": value for key, value in config.items()},
            preview=False,
        )
    return seen
