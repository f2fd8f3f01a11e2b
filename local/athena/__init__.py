"""A local Athena: its API, its SQL (on DuckDB) and its result files."""

from local.athena.api import Athena

__all__ = ["Athena"]
