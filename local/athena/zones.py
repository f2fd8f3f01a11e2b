"""``AT TIME ZONE``: Trino's values carry their zone, DuckDB's are instants.

A call of `MARK` stands for such a value until its use is known.
"""

from __future__ import annotations

from sqlglot import exp

from local.athena.tree import call

MARK = "trino$zone"
_LOCAL_NODES = (
    exp.TimeToStr, exp.Cast, exp.Extract, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Hour,
    exp.Minute, exp.Second, exp.DayOfWeekIso, exp.DayOfYear, exp.DayOfMonth, exp.TimestampTrunc,
    exp.DateTrunc, exp.TsOrDsToDate, exp.Date,
)  # fmt: skip
_LOCAL_CALLS = {
    "strftime", "date_trunc", "trino_timestamp_text", "trino_zoned_text", "week",
    "trino_millisecond", "isodow", "hour", "minute", "second", "last_day", "dayofyear", "day",
}  # fmt: skip


def show_zones(tree: exp.Expr) -> None:
    """In the result, such a value is shown as that zone's time."""
    top = tree
    while isinstance(top, exp.Subquery):
        top = top.this
    for projection in top.selects if isinstance(top, exp.Select) else ():
        inner = projection.unalias()
        if isinstance(inner, exp.Anonymous) and inner.name == MARK:
            inner.replace(call("trino_zoned", *inner.expressions))


def settle_zones(tree: exp.Expr) -> exp.Expr:
    """Fields, truncation and text of such a value are local; all else is about the instant."""
    for node in list(tree.find_all(exp.Anonymous)):
        if node.name != MARK:
            continue
        moment, zone = node.expressions
        user = node.parent
        local = isinstance(user, _LOCAL_NODES) or (
            isinstance(user, exp.Anonymous) and user.name in _LOCAL_CALLS
        )
        if isinstance(user, exp.Cast) and user.is_type("timestamptz"):
            local = False
        node.replace(call("timezone", zone, moment) if local else exp.Paren(this=moment.copy()))
    return tree
