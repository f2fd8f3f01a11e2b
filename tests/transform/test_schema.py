"""Invalid schemas are rejected, with all problems at once."""

from __future__ import annotations

import pytest

from schema import Column, Schema, SchemaError

KEY = Column(name="id", type="string")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("event_type", "the event row uses that name"),
        ("day", "the event row uses that name"),
        ("arrived", "the table of current orders uses that name"),
        ("previous_event_type", "the table of current orders uses that name"),
    ],
)
def test_a_name_that_is_taken_is_rejected(name: str, problem: str) -> None:
    with pytest.raises(SchemaError, match=f"column '{name}': {problem}"):
        Schema(key="id", columns=(KEY, Column(name=name, type="string")))


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(SchemaError) as refused:
        Schema(key="no", sort_key="none", columns=(KEY, KEY, Column(name="hour", type="int")))
    assert str(refused.value).split("; ") == [
        "column 'id': declared twice",
        "column 'hour': the event row uses that name",
        "key 'no': not among the columns",
        "key 'none': not among the columns",
    ]
