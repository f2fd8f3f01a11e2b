"""EventBridge event patterns, as used in pipe filters.

Source: Amazon EventBridge User Guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()
_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether ``event`` matches the pattern."""
    if not isinstance(event, Mapping):
        event = {}
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
            continue
        found = event.get(key, _MISSING)
        if isinstance(wanted, Mapping):
            if not matches(wanted, found):
                return False
        elif not any(_matches_rule(rule, found) for rule in wanted):
            return False
    return True


def _matches_rule(rule: Any, found: Any) -> bool:
    if isinstance(found, list):
        return any(_matches_rule(rule, one) for one in found)
    if not isinstance(rule, Mapping):
        return found is not _MISSING and type(rule) is type(found) and rule == found
    ((name, value),) = rule.items()
    if name == "exists":
        return (found is not _MISSING) is value
    if found is _MISSING:
        return False
    return _OPERATORS[name](value, found)


def _anything_but(value: Any, found: Any) -> bool:
    rules = value if isinstance(value, list) else [value]
    return not any(_matches_rule(rule, found) for rule in rules)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def check(value: Any, found: Any) -> bool:
        if not isinstance(found, str):
            return False
        if isinstance(value, Mapping):  # {"prefix": {"equals-ignore-case": "x"}}
            return test(str(value["equals-ignore-case"]).lower(), found.lower())
        return test(str(value), found)

    return check


def _numeric(value: list[Any], found: Any) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return all(
        _NUMERIC[sign](found, limit) for sign, limit in zip(value[::2], value[1::2], strict=True)
    )


def _wildcard(value: str, found: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, value.split("*"))), found, re.DOTALL) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(lambda value, found: found.startswith(value)),
    "suffix": _text(lambda value, found: found.endswith(value)),
    "equals-ignore-case": _text(lambda value, found: found.lower() == value.lower()),
    "wildcard": _text(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
