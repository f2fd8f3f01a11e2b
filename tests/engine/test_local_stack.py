"""`Pulumi.local.yaml`: the real provider, pointed at an emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi_aws
import pytest
import yaml
from pulumi import _types
from pulumi_aws._inputs import ProviderEndpointArgs

from tests.engine import lifecycle
from tests.engine.stack import ROOT

SERVICES = {"cloudwatch/event": "eventbridge", "cloudwatch/log": "cloudwatchlogs"}
"""Those of a resource type that the provider knows by another name."""


@pytest.fixture
def config() -> Mapping[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    return loaded


def test_every_service_of_the_program_has_an_endpoint(config: Mapping[str, Any]) -> None:
    (endpoints,) = config["aws:endpoints"]
    needed = {"sts"}  # to know the account
    for token in lifecycle.LIFECYCLES:
        kind = token.split(":")[1]
        other = next((name for start, name in SERVICES.items() if kind.startswith(start)), None)
        needed.add(other or kind.split("/")[0])
    needed |= {"firehose"}  # its resource is among Kinesis's
    assert needed == set(endpoints)


def test_the_provider_knows_every_key_and_service(config: Mapping[str, Any]) -> None:
    keys = {key.removeprefix("aws:") for key in config if key.startswith("aws:")}
    assert keys <= set(_types.input_type_types(pulumi_aws.provider.ProviderArgs))
    (endpoints,) = config["aws:endpoints"]
    assert set(endpoints) <= set(_types.input_type_types(ProviderEndpointArgs))


def test_every_endpoint_is_this_machine(config: Mapping[str, Any]) -> None:
    (endpoints,) = config["aws:endpoints"]
    assert set(endpoints.values()) == {"http://127.0.0.1:4566"}
