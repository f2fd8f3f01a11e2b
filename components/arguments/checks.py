"""Checking of arguments: every problem is collected before any resource is registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

Label = Callable[[str], str]
"""Turns a field's name into the name that the user knows it by."""

T = TypeVar("T")
Rule = Callable[[T, Label], str | None]
"""A check across fields: what is wrong, naming the fields through the label, or None."""


class ArgumentError(ValueError):
    """Arguments that cannot be used; the message lists every problem."""


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
    """One of a list of numbers, as AWS has them for some settings."""

    values: tuple[int, ...]

    def problem(self, value: int) -> str | None:
        """What is wrong with ``value``, or None."""
        allowed = ", ".join(map(str, self.values))
        return None if value in self.values else f"must be one of {allowed}"


@dataclass(frozen=True)
class Pattern:
    """A string of a form: the whole of it matches ``regex``, which ``form`` says in words."""

    regex: str
    form: str

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value``, or None."""
        return None if re.fullmatch(self.regex, value) else f"must be {self.form}"


def field_hints(owner: type) -> dict[str, Any]:
    """The annotations of a dataclass's fields, with what `Annotated` adds to them.

    They must be there as objects: `typing.get_type_hints` cannot read ``pulumi.Input`` back from
    text, so a module of arguments does without ``from __future__ import annotations``.
    """
    hints = {field.name: field.type for field in fields(owner)}
    if texts := [name for name, hint in hints.items() if isinstance(hint, str)]:
        raise TypeError(f"{owner.__name__}: annotations are text: {', '.join(texts)}")
    return hints


def limits(hint: Any) -> Iterator[Any]:
    """The limits that an annotation carries, also within ``X | None``."""
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
    """Every problem of a dataclass's plain values, ``rules`` across fields last.

    A field is checked by what its annotation says (a limit in `Annotated`, or a `Literal`).
    Outputs of other resources are not known yet and are not checked.
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
    """Raise `ArgumentError` with all of the `problems` of ``instance``, if it has any."""
    if found := problems(instance, *rules):
        raise ArgumentError(f"{type(instance).__name__}: {'; '.join(found)}")
