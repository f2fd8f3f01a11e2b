"""Stacks under the real engine, each in an emulator of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.account.aws import Aws
from local.account.emulator import Emulator
from tests.engine.stack import Project, has

ENGINE = {"aws", "empty_account", "new_project"}


# xdist reads the groups in the same hook, and before this if the folder is named by the user.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One at a time: an engine, a language host, two plugins and an emulator fill two cores."""
    missing = not has("pulumi")
    reason = "needs the Pulumi CLI (pulumi): on the PATH, or built by `make pulumi-cli`"
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.path.parent != Path(__file__).parent or not ENGINE & {*fixtures}:
            continue
        item.add_marker(pytest.mark.xdist_group("engine"))
        if missing and {"project", "new_project", "package"} & {*fixtures}:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An empty account, for the tests of one module."""
    with Emulator(tmp_path_factory.mktemp("emulator"), region="us-east-1") as emulator:
        yield emulator.aws


@pytest.fixture(scope="module")
def project(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's program."""
    return Project.of_program(tmp_path_factory.mktemp("engine") / "project", aws)


@pytest.fixture
def new_project(empty_account: Callable[[str], Aws], tmp_path: Path) -> Callable[[str], Project]:
    """The program in an empty account of the region that a test asks for."""
    return lambda region: Project.of_program(tmp_path / "project", empty_account(region))


@pytest.fixture
def empty_account(tmp_path: Path) -> Iterator[Callable[[str], Aws]]:
    """An account of a test's own, in the region it asks for."""
    emulators: list[Emulator] = []

    def start(region: str) -> Aws:
        emulators.append(Emulator(tmp_path / f"emulator-{len(emulators)}", region=region))
        return emulators[-1].start().aws

    yield start
    for emulator in emulators:
        emulator.stop()
