"""Argument checks. All problems are collected before any resource is registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

Label = Callable[[str], str]
"""Turns a field's name into the name that the user set."""

T = TypeVar("T")
Rule = Callable[[T, Label], str | None]
"""A check across fields. Returns the problem, with fields named through the label, or None."""


class ArgumentError(ValueError):
    """Invalid arguments; the message lists every problem."""


@dataclass(frozen=True)
class Range:
    """A number from ``minimum`` to ``maximum``, or exactly one of ``others``."""

    minimum: float
    maximum: float
    others: tuple[int, ...] = ()

    def problem(self, value: float) -> str | None:
        """What is wrong with ``value``, or None."""
        if self.minimum <= value <= self.maximum or value in self.others:
            return None
        others = "".join(f", or {other}" for other in self.others)
        return f"must be from {self.minimum:,} to {self.maximum:,}{others}"


@dataclass(frozen=True)
class OneOf:
    """One of a list of numbers."""

    values: tuple[int, ...]

    def problem(self, value: int) -> str | None:
        """What is wrong with ``value``, or None."""
        allowed = ", ".join(map(str, self.values))
        return None if value in self.values else f"must be one of {allowed}"


@dataclass(frozen=True)
class Pattern:
    """A string that fully matches ``regex``; ``form`` describes it."""

    regex: str
    form: str

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value``, or None."""
        return None if re.fullmatch(self.regex, value) else f"must be {self.form}"


def field_hints(owner: type) -> dict[str, Any]:
    """The annotations of a dataclass's fields, with their `Annotated` metadata.

    They must be objects: `typing.get_type_hints` cannot resolve ``pulumi.Input`` from text, so
    modules of arguments do not use ``from __future__ import annotations``.
    """
    hints = {field.name: field.type for field in fields(owner)}
    if texts := [name for name, hint in hints.items() if isinstance(hint, str)]:
        raise TypeError(f"{owner.__name__}: annotations are text: {', '.join(texts)}")
    return hints


def limits(hint: Any) -> Iterator[Any]:
    """The limits in an annotation, also within ``X | None``."""
    if get_origin(hint) is Annotated:
        yield from (extra for extra in hint.__metadata__ if hasattr(extra, "problem"))
    elif get_origin(hint) is Literal:
        yield Pattern(
            "|".join(map(re.escape, get_args(hint))), f"one of {', '.join(get_args(hint))}"
        )
    else:
        for part in get_args(hint):
            yield from limits(part)


def problems(instance: T, *rules: Rule[T], label: Label = str) -> list[str]:
    """Every problem of a dataclass's plain values, those of the ``rules`` last.

    A field is checked against its annotation (a limit in `Annotated`, or a `Literal`). Outputs of
    other resources are not known yet and are not checked.
    """
    found = []
    for name, hint in field_hints(type(instance)).items():
        value = getattr(instance, name)
        if not isinstance(value, str | int | float):
            continue
        for limit in limits(hint):
            if problem := limit.problem(value):
                found.append(f"{label(name)}: {problem}, not {value!r}")
    return found + [problem for rule in rules if (problem := rule(instance, label))]


def require(instance: T, *rules: Rule[T]) -> None:
    """Raise `ArgumentError` with all `problems` of ``instance``, if there are any."""
    if found := problems(instance, *rules):
        raise ArgumentError(f"{type(instance).__name__}: {'; '.join(found)}")
