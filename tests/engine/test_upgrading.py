"""docs/upgrading.md says what a changed setting does to what is deployed, and it is true."""

from __future__ import annotations

import runpy
from functools import cache
from typing import Any

import pytest
import yaml

from tests.components.component_support import EXISTING, Deployed, existing_table, record
from tests.engine import provider_facts
from tests.engine.stack import ROOT

DOCUMENT = ROOT / "docs" / "upgrading.md"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1a2b"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:enrich"
USER = "arn:aws:quicksight:eu-central-1:123456789012:user/default/admin"
PROVISIONED = {"billingMode": "provisioned"}
SHARDED = {"streamMode": "provisioned"}
DASHBOARD = {"dashboard": "true", "dashboardPrincipalArn": USER}
GENERATED = {"orderGenerator": "true"}
HASHED = {"schemaFile": "tests/engine/hashed.yaml"}
BATCHED = {"batchSchedule": "cron(0 4 * * ? *)"}
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "sourceTable": ("shop", {}),
    "schemaFile": ("tests/engine/parcels.yaml", {}),
    "tableName": ("shop", {}),
    "protect": ("false", {}),
    "pointInTimeRecovery": ("false", {}),
    "billingMode": ("provisioned", {}),
    "readCapacity": ("6", PROVISIONED),
    "writeCapacity": ("6", PROVISIONED),
    "streamViewType": ("NEW_IMAGE", {}),
    "sortKey": ("created_at", {}),
    "ttlAttribute": ("expires_at", {}),
    "unknownAttributes": ("drop", {}),
    "pseudonymKeyVersion": ("2", HASHED),
    "streamMode": ("provisioned", {}),
    "shards": ("2", SHARDED),
    "streamRetentionHours": ("48", {}),
    "kmsKeyArn": (KEY, {}),
    "partitionKeyPath": ("$.eventID", {}),
    "batchSize": ("200", {}),
    "batchWindowSeconds": ("2", {}),
    "maximumRecordAgeSeconds": ("-1", {}),
    "maximumRetryAttempts": ("5", {}),
    "parallelizationFactor": ("2", {}),
    "filterPatterns": ('[{"eventName": ["INSERT"]}]', {}),
    "enrichmentFunctionArn": (FUNCTION, {}),
    "pipeLogLevel": ("INFO", {}),
    "deliveryFormat": ("parquet", {}),
    "compression": ("none", {}),
    "bufferSizeMb": ("65", {}),
    "bufferIntervalSeconds": ("90", {}),
    "transformBufferSizeMb": ("2", {}),
    "transformBufferIntervalSeconds": ("30", {}),
    "transformMemoryMb": ("512", {}),
    "lambdaPlatform": ("host", {}),
    "retentionDays": ("60", {}),
    "failedRetentionDays": ("7", {}),
    "logRetentionDays": ("30", {}),
    "crawlerSchedule": ("cron(0 3 * * ? *)", {}),
    "scanLimitMb": ("2048", {}),
    "resultRetentionDays": ("14", {}),
    "monitoring": ("basic", {}),
    "alarmEmail": ("me@example.org", {}),
    "failedRecordPercent": ("2", {}),
    "batchSchedule": ("cron(0 4 * * ? *)", {}),
    "batchWorkerType": ("G.2X", {}),
    "batchWorkers": ("3", {}),
    "batchExecutionClass": ("flex", {}),
    "batchTimeoutMinutes": ("90", {}),
    "batchRetries": ("2", {}),
    "batchLookBackHours": ("48", {}),
    "batchCompactFiles": ("9", {}),
    "batchSnapshotDays": ("6", {}),
    "batchOrphanDays": ("4", {}),
    "batchBuckets": ("32", {}),
    "packSchedule": ("cron(10 * * * ? *)", {}),
    "orderGenerator": ("true", {}),
    "orderGeneratorSchedule": ("rate(10 minutes)", GENERATED),
    "orderGeneratorOrders": ("200", GENERATED),
    "dashboard": ("true", {"dashboardPrincipalArn": USER}),
    "dashboardPrincipalArn": (USER.replace("admin", "ops"), DASHBOARD),
}
"""For each setting another value than its default, and what else it takes to matter."""


@cache
def _deployed(config: frozenset[tuple[str, str]]) -> Deployed:
    seen = Deployed()
    EXISTING["shop"] = existing_table("shop")
    values = {f"sales-cdc:{key}": value for key, value in config}
    program = ROOT / "__main__.py"
    record(
        lambda: runpy.run_path(str(program), run_name="__main__"),
        seen,
        stack="test",
        config=values,
        preview=False,
    )
    return seen


def effect(setting: str) -> str:
    """What changes: ``replaces Table; updates Pipe``, the types of resources by what is done."""
    value, given = CHANGES[setting]
    before = {one.urn: one for one in _deployed(frozenset(given.items())).resources}
    after = {
        one.urn: one for one in _deployed(frozenset({**given, setting: value}.items())).resources
    }
    done: dict[str, set[str]] = {}
    for urn in before.keys() | after.keys():
        kind = urn.split("::")[2].split("$")[-1]
        if kind.startswith("aws:"):
            what = _step(kind, before.get(urn), after.get(urn))
            done.setdefault(what, set()).add(kind.split(":")[-1])
    order = ("replaces", "updates", "creates", "deletes")
    told = [f"{what} {', '.join(sorted(done[what]))}" for what in order if what in done]
    return "; ".join(told) or "nothing"


def _step(kind: str, old: Any, new: Any) -> str:
    if old is None or new is None:
        return "creates" if old is None else "deletes"
    changed = {
        key
        for key in old.inputs.keys() | new.inputs.keys()
        if _value(old.inputs.get(key)) != _value(new.inputs.get(key))
    } - new.ignore_changes
    if not changed:
        return ""
    forced = provider_facts.of(kind).replaced_by(changed) or changed & new.replace_on_changes
    return "replaces" if forced else "updates"


def _value(value: Any) -> Any:
    return getattr(value, "path", value)


def documented() -> dict[str, str]:
    """The second column of the table by the first."""
    rows = [line.split("|") for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): row[2].strip() for row in rows}


def test_every_setting_is_in_the_table() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert set(CHANGES) == set(documented()) == set(declared)


@pytest.mark.parametrize("setting", CHANGES)
def test_what_a_setting_does_is_what_the_table_says(setting: str) -> None:
    assert documented()[setting] == effect(setting)
