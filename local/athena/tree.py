"""Helpers that build sqlglot trees for DuckDB."""

from __future__ import annotations

from sqlglot import ErrorLevel, exp


def generate(tree: exp.Expr) -> str:
    """DuckDB's text of a tree."""
    return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE)


def call(name: str, *arguments: exp.Expr | None) -> exp.Anonymous:
    """A call of a DuckDB function or macro; absent arguments are left out."""
    return exp.Anonymous(
        this=name, expressions=[one.copy() for one in arguments if one is not None]
    )


def text(value: str) -> exp.Expr:
    """A string literal."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expr:
    """An integer literal."""
    return exp.Literal.number(value)


def column(name: str) -> exp.Expr:
    """A column without its table."""
    return exp.column(exp.to_identifier(name, quoted=True))
