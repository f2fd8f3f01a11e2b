"""The package as the SDK's provider serves it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from package.provider import NAME, VERSION, Package, use_descriptions


@pytest.fixture(scope="session")
def package() -> Package:
    return Package()


@pytest.fixture(scope="session")
def provider(package: Package) -> ComponentProvider:
    use_descriptions()
    return ComponentProvider(package.components, NAME, version=VERSION)


@pytest.fixture(scope="session")
def schema(provider: ComponentProvider) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(provider.schema or "")
    return read
