"""Event patterns, as the EventBridge User Guide describes them."""

from __future__ import annotations

from typing import Any

import pytest

from client.event_pattern import matches

EVENT = {
    "eventName": "MODIFY",
    "dynamodb": {
        "NewImage": {"status": {"S": "Paid"}, "tags": {"SS": ["a", "b"]}},
        "SizeBytes": 26,
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": ["Paid"]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"equals-ignore-case": "paid"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"prefix": "Pa"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"suffix": "Pa"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"wildcard": "P*d"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"anything-but": ["Paid"]}]}}}}, False),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"anything-but": "x"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"tags": {"SS": ["b"]}}}}, True),
        ({"dynamodb": {"OldImage": [{"exists": False}]}}, True),
        ({"dynamodb": {"OldImage": {"status": {"S": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"status": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 20, "<=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["<", 26]}]}}, False),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [26]}}]}, True),
        ({"$or": [{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}]}, False),
        ({"nothing": {"here": ["x"]}}, False),
    ],
)
def test_a_pattern_matches_what_the_guide_says(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, EVENT) is expected
