"""`python -m operate replay dlq` where the pipe enriches its changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.account.emulator import ACCOUNT_ID
from local.chain import LocalChain
from tests.local import chain_parts as parts
from tests.operate.conftest import Operated
from tests.operate.test_dlq import impatient, letters, place, poison

__all__ = ["impatient"]
pytestmark = [pytest.mark.xdist_group("replay-dlq-enriched")]

FUNCTION = "enrich-orders"
ENRICH = """
import os

def handler(events, _):
    for event in events:
        if event["dynamodb"]["Keys"]["orderid"]["S"].startswith("broken"):
            raise ValueError("no such customer")
        image = event["dynamodb"].get("NewImage")
        if image is not None:
            image["segment"] = {"S": "gold"}
    return events
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:{FUNCTION}"
    overrides = {"enrichmentFunctionArn": arn}
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=overrides) as running:
        assert parts.function(running.aws, FUNCTION, ENRICH) == arn
        yield running


def given_up(operated: Operated, monkeypatch: pytest.MonkeyPatch, *orders: str) -> None:
    before = operated.stack.hops().dead_lettered
    with monkeypatch.context() as patched:
        poison(operated, patched, set(orders))
        place(operated, *orders)
        operated.until(lambda: operated.stack.hops().dead_lettered >= before + len(orders))


def test_what_was_given_up_is_enriched_on_its_way(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up(operated, monkeypatch, "one", "two")
    result = operated.run("replay", "dlq", "--json")
    assert result.code == 0, result.told
    assert result.facts["sent"] == 2, result.told
    assert letters(operated) == 0
    operated.until(lambda: len(segments(operated)) == 2)
    assert segments(operated) == {"one": "gold", "two": "gold"}


def segments(operated: Operated) -> dict[str, str]:
    rows = operated.account().rows("SELECT orderid, extras FROM projection")
    return {str(row["orderid"]): json.loads(row["extras"] or "{}").get("segment") for row in rows}


def test_a_function_that_fails_is_named_and_the_messages_stay(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up(operated, monkeypatch, "broken-1")
    result = operated.run("replay", "dlq")
    assert result.code == 1
    assert "no such customer" in result.told
    assert letters(operated) == 1
