"""Checks inputs against the provider's types and AWS's models, without a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.schema_check import aws_requests, pulumi_types


def problems(token: str, name: str, inputs: Mapping[str, Any]) -> list[str]:
    """Problems with a resource's inputs, according to the provider and AWS."""
    wrong = pulumi_types.problems(token, inputs)
    return wrong or aws_requests.problems(token, name, inputs)
