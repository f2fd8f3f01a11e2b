"""Queries in Athena SQL about changes and sales, and the tools that run them.

A file under ``queries/`` is one query: a leading comment (its first line is the title) whose
``-- param NAME TYPE DEFAULT MEANING`` lines declare the parameters, then one statement. In it, a
parameter is a literal after its name in a comment, ``/*days*/ 30``. The file therefore runs as it
is in the Athena console, while our own tools send ``?`` and the value separately.
"""

from analytics.library import (
    Parameter,
    ParameterError,
    Query,
    View,
    load_batch_view,
    load_queries,
    load_views,
)
from client.stack_outputs import schema_of

__all__ = [
    "Parameter",
    "ParameterError",
    "Query",
    "View",
    "load_batch_view",
    "load_queries",
    "load_views",
    "schema_of",
]
