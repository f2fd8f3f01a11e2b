"""Statements over Glue."""

from __future__ import annotations


class Command: ...


def read(text, parameters):
    return None
