"""The transform's modules, taken from lambda/transform; what they import, from the package."""

from __future__ import annotations

import atexit
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.archives import functions
from components.archives.lambda_zip import Platform
from schema import ORDERS

# Built here, for the test modules import it as they are collected. Last on the path, so that it
# adds the dependencies only.
_FOLDER = tempfile.TemporaryDirectory(prefix="transform-package-")
atexit.register(_FOLDER.cleanup)
with zipfile.ZipFile(functions.transform(ORDERS, Platform.host())) as _package:
    _package.extractall(_FOLDER.name)
sys.path.append(_FOLDER.name)


@pytest.fixture(scope="session")
def package_folder() -> Path:
    """The function as it is deployed, built for this machine and unpacked."""
    return Path(_FOLDER.name)


@pytest.fixture(scope="session")
def to_row() -> Callable[[Any], dict[str, Any]]:
    from rows import compile_schema

    compiled: Callable[[Any], dict[str, Any]] = compile_schema(json.loads(ORDERS.to_json()))
    return compiled
