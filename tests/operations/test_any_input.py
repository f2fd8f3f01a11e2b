"""Whatever stands in a stack's configuration, an event, or a function's answer: no crash.

What `operate` and the analytics read is in tests/operate/test_replay_input.py, what the transform
reads in tests/transform/test_transform_properties.py; `make fuzz` runs all three.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from client import stack_outputs
from client.event_pattern import matches
from components.arguments.settings import Settings, SettingsError, setting_keys
from local.standins.firehose import _read_answer

ROOT = Path(__file__).resolve().parents[2]
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
DEEP = "[" * 100_000
"""Deeper than Python's own parser goes."""

texts = st.text() | any_json.map(json.dumps) | st.integers().map(str) | st.floats().map(str)
settings_ = st.dictionaries(st.sampled_from(sorted(setting_keys())) | st.text(), texts)


@given(settings_)
@example({"filterPatterns": DEEP})
@example({"shards": "9" * 5_000})
@example({"transformBufferSizeMb": "nan"})
def test_any_configuration_is_read_or_rejected_key_by_key(raw: dict[str, str]) -> None:
    try:
        Settings.load(raw)
    except SettingsError as error:
        assert error.problems
        assert all(": " in problem for problem in error.problems)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
numbers = st.integers() | st.floats(allow_nan=False)
words = st.text(max_size=4)
rules = (
    scalars
    | st.fixed_dictionaries({"exists": st.booleans()})
    | st.fixed_dictionaries({"prefix": words})
    | st.fixed_dictionaries({"suffix": st.fixed_dictionaries({"equals-ignore-case": words})})
    | st.fixed_dictionaries({"wildcard": words.map(lambda one: f"{one}*")})
    | st.fixed_dictionaries({"equals-ignore-case": words})
    | st.fixed_dictionaries({"anything-but": scalars | st.lists(words, min_size=1, max_size=3)})
    | st.fixed_dictionaries(
        {"numeric": st.tuples(st.just("<"), numbers, st.just(">="), numbers).map(list)}
    )
)
names = st.sampled_from(["eventName", "dynamodb", "Keys", "price"])
filters = st.recursive(
    st.lists(rules, min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda one: isinstance(one, dict))
events = st.recursive(
    any_json, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6
)


@given(filters, events)
def test_any_event_passes_a_filter_or_does_not(pattern: dict[str, Any], event: Any) -> None:
    assert matches(pattern, event) in (True, False)
    assert matches({"$or": [pattern, {"eventName": [{"exists": False}]}]}, {}) is True


answers = st.fixed_dictionaries(
    {},
    optional={
        "recordId": st.sampled_from(["a", "b", "c"]) | any_json,
        "result": st.sampled_from(["Ok", "Dropped", "ProcessingFailed"]) | any_json,
        "data": st.binary().map(lambda one: base64.b64encode(one).decode()) | any_json,
    },
)
bodies = (
    st.binary()
    | any_json.map(lambda one: json.dumps(one).encode())
    | st.lists(answers | any_json).map(lambda one: json.dumps({"records": one}).encode())
)


@given(bodies)
@example(DEEP.encode())
def test_any_transform_response_has_one_result_per_record_or_is_rejected(body: bytes) -> None:
    wrong, found = _read_answer(body, ["a", "b"])
    assert len(found) == 2
    if wrong is None:
        assert [one["recordId"] for one in found] == ["a", "b"]
    else:
        assert wrong[0].startswith("Lambda.")


def test_an_outputs_file_that_is_nested_too_deep_is_rejected(tmp_path: Any) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(DEEP)
    with pytest.raises(stack_outputs.StackOutputsError, match="not JSON"):
        stack_outputs.load(None, file)


def test_the_document_says_how_many_are_fuzzed() -> None:
    recipe = (ROOT / "Makefile").read_text()
    (command,) = re.findall(r".*--hypothesis-profile=long.*", recipe)
    files = [ROOT / word for word in command.split() if word.endswith(".py")]
    count = sum(file.read_text().count("\n@given(") for file in files)
    text = (ROOT / "docs" / "operations.md").read_text()
    assert f"`make fuzz` gives 2,000 inputs to each of {count} tests" in text
