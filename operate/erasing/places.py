"""The places of the bucket: what the objects under a prefix hold, and how they are erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from operate.erasing import formats
from operate.erasing.formats import Edited
from operate.erasing.subject import Subject, Words
from schema.layout import (
    EXPORTS_PREFIX,
    FAILED_PREFIX,
    JOBS_PREFIX,
    PROJECTION_PREFIX,
    RESULTS_PREFIX,
    SNAPSHOTS_PREFIX,
)

Means = Literal["rewrite", "delete", "table", "none"]
"""How rows go: by a new object in place, with the object, with the Iceberg table's, or not."""


@dataclass(frozen=True)
class Place:
    """A part of the bucket.

    Parameters
    ----------
    name:
        As the command's output has it.
    order:
        What is erased first. Query results go first: the personal values to search them for are
        those of the rows in the other places. The Iceberg table is last: the batch job could bring
        rows back from the log.
    """

    name: str
    prefix: str
    means: Means
    order: int


def holds_data(key: str) -> bool:
    """Whether an object may hold data: all but the batch job's code, which may hold any word."""
    return not key.startswith(JOBS_PREFIX) or key.startswith(f"{JOBS_PREFIX}temporary/")


def places(table: str) -> tuple[Place, ...]:
    """All of them, the rest of the bucket last."""
    return (
        Place("results", RESULTS_PREFIX, "delete", 0),
        Place("snapshots", SNAPSHOTS_PREFIX, "rewrite", 1),
        Place("exports", EXPORTS_PREFIX, "rewrite", 1),
        Place("failed", FAILED_PREFIX, "rewrite", 2),
        Place("log", PROJECTION_PREFIX, "rewrite", 3),
        Place("table", f"{table}/", "table", 4),
        Place("other", "", "none", 5),
    )


Examine = Callable[[bytes], Edited]


def examiner(place: Place, subject: Subject, personal: Words) -> Examine:
    """What tells how many rows of the subject an object in this place holds.

    Parameters
    ----------
    personal:
        The personal values found so far.
    """

    def lines(edit: formats.LineEdit, *, searched: bool) -> Examine:
        needles = subject.needles if searched else None

        def examine(body: bytes) -> Edited:
            if formats.is_parquet(body):
                return formats.edit_parquet(body, subject)
            return formats.edit_lines(body, edit, needles)

        return examine

    match place.name:
        case "log":
            return lines(formats.edit_row(subject), searched=True)
        case "exports":
            return lines(formats.edit_item(subject), searched=True)
        case "failed":  # its raw data is base64: a key cannot be searched for
            return lines(formats.edit_failed(subject), searched=False)
        case "snapshots":
            return lambda body: formats.edit_state(body, subject)
        case "table":
            return lambda body: _of_table(body, subject)

    def search(body: bytes) -> Edited:
        content = formats.texts_of(body)
        hit = not subject.pseudonymise and subject.words.are_in(content)
        if place.name == "results":
            hit = hit or personal.are_in(content)
        return Edited(rows=int(hit))

    return search


def _of_table(body: bytes, subject: Subject) -> Edited:
    if formats.is_parquet(body):
        return formats.edit_parquet(body, subject)
    # A manifest's bounds. Pseudonymised rows keep their keys, and others may have the same values.
    hit = not subject.pseudonymise and subject.words.are_in(formats.avro_blocks(body))
    return Edited(rows=int(hit))
