"""An emulator for the tests of what runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.account.aws import Aws
from local.account.emulator import Emulator


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An empty local account, shared: name what you create after your test."""
    directory: Path = tmp_path_factory.mktemp("emulator")
    with Emulator(directory, region="eu-west-1") as emulator:
        yield emulator.aws
