"""The generator as a Lambda function."""

from __future__ import annotations

import subprocess
import sys
import time
from types import ModuleType

import pytest

from generator import PlanError
from tests import handlers
from tests.generator.generator_support import PROJECT, Account, FakeTable

SOURCE = PROJECT / "lambda" / "order_generator" / "handler.py"


class Context:
    """The time that Lambda leaves the function."""

    def __init__(self, milliseconds: int) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


@pytest.fixture
def function(account: Account, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    for name, value in {"ORDERS": "50", "UPDATES": "0.3", "DELETES": "0.1"}.items():
        monkeypatch.setenv(name, value)
    return handlers.load("order_generator")


def test_an_invocation_places_the_configured_number_of_orders(
    function: ModuleType, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = account.table()
    monkeypatch.setenv("TABLE_NAME", table)
    answer = function.handler({}, Context(30_000))
    assert (answer["inserted"], answer["updated"], answer["deleted"]) == (50, 25, 8)
    assert answer["interrupted"] is False
    assert len(account.items(table)) == 42


def test_every_invocation_places_other_orders(
    function: ModuleType, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = account.table()
    monkeypatch.setenv("TABLE_NAME", table)
    for _ in range(2):
        function.handler({}, Context(30_000))
    assert len(account.items(table)) == 84


def test_it_stops_before_its_time_is_up(
    function: ModuleType, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = account.table()
    monkeypatch.setenv("TABLE_NAME", table)
    monkeypatch.setenv("RATE", "20")
    context = Context(int(function.MARGIN_SECONDS * 1000) + 1_000)
    answer = function.handler({}, context)
    assert context.get_remaining_time_in_millis() > 2_000
    assert answer["interrupted"] is True
    assert answer["inserted"] < 50
    assert len(account.items(table)) == answer["inserted"] - answer["deleted"]


@pytest.mark.usefixtures("quick_retries")
def test_what_could_not_be_written_is_an_error_of_the_function(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE_NAME", "orders")
    monkeypatch.setattr(function, "CLIENT", FakeTable(throttle=1))
    with pytest.raises(RuntimeError, match="changes could not be written"):
        function.handler({}, Context(30_000))


def test_a_bad_mix_is_rejected(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPDATES", "1.5")
    with pytest.raises(PlanError, match=r"updates 1\.5"):
        function.handler({}, Context(30_000))


def test_it_needs_nothing_but_faker_and_the_runtime(function: ModuleType) -> None:
    requirements = (SOURCE.parent / "requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in requirements] == ["faker"]
    script = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print([m for m in ('typer', 'rich', 'click', 'pulumi', 'local') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(SOURCE)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
