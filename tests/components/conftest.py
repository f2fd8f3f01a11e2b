"""The fixture that the components' tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.components.component_support import Deploy, Deployed, check, record


# xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share what it deploys."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def deploy() -> Deploy:
    """Run a program as a preview and as a deployment, and give back what the latter registered.

    ``deploy(program, stack="dev", batchSize="5")``. Besides running it, this checks what holds for
    all: no resource appears or goes only because outputs are known, no URN is registered twice,
    and every policy is whole.
    """

    def run(program: Callable[[], object], *, stack: str = "test", **config: str) -> Deployed:
        values = {f"sales-cdc:{key}": value for key, value in config.items()}
        planned, deployed = Deployed(), Deployed()
        record(program, planned, stack=stack, config=values, preview=True)
        record(program, deployed, stack=stack, config=values, preview=False)
        assert planned.shape == deployed.shape
        check(deployed)
        return deployed

    return run
