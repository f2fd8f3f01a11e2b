"""Inputs held against what the provider and AWS say of them, so that no deployment has to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.schema_check import aws_requests, pulumi_types


def problems(token: str, name: str, inputs: Mapping[str, Any]) -> list[str]:
    """What is wrong with the inputs of a resource, in the provider's eyes and in AWS's."""
    wrong = pulumi_types.problems(token, inputs)
    return wrong or aws_requests.problems(token, name, inputs)
