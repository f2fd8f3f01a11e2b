"""What the program deploys with all that can be switched on."""

from __future__ import annotations

import pytest

from tests.components.component_support import ACCOUNT, REGION, Deployed, with_hashed_columns


@pytest.fixture(scope="session")
def everything() -> Deployed:
    """Prod with all that can be switched on, and packing, which the batch's schedule excludes."""
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
    seen = with_hashed_columns("prod", config)
    other = {"batchSchedule": "", "deliveryFormat": "json", "packSchedule": "cron(10 * * * ? *)"}
    packed = with_hashed_columns("prod", config | other).resources
    seen.resources += [one for one in packed if one.name.startswith("sales-cdc-prod-packing")]
    return seen
