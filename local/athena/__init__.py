"""Athena on one machine: its API, its SQL (over DuckDB) and its result files."""

from local.athena.api import Athena

__all__ = ["Athena"]
