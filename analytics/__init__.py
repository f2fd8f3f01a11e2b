"""Questions about sales, in Athena's SQL, and the tools that ask them.

A file under ``queries/`` is one question: a leading comment (its first line is the title) whose
``-- param NAME TYPE DEFAULT MEANING`` lines declare the parameters, then one statement. In it a
parameter is a literal behind its name in a comment, ``/*days*/ 30``; so the file runs as it is when
pasted into the Athena console, and our own tools send ``?`` and the value apart from each other.
"""

from analytics.library import (
    Parameter,
    ParameterError,
    Query,
    View,
    load_batch_view,
    load_queries,
    load_views,
    schema_of,
)

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
