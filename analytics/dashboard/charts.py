"""The charts, readable in light and dark themes, on wide screens and phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import altair as alt

from analytics.dashboard.figures import Row, Window

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

ACCENT, SOFT, BAD = "#3b82f6", "#94a3b8", "#ef4444"
"""Medium lightness, visible on light and dark backgrounds."""
INK = {False: "#2f2d2b", True: "#edebe8"}
"""Streamlit's text colors on light and dark backgrounds, which it does not apply to marks."""
_KINDS = {"inserts": ACCENT, "updates": SOFT, "deletes": BAD}
_HEIGHT = 260
_PRODUCTS = 10
_DOLLARS = (
    "datum.value < 1000 ? '$' + format(datum.value, ',~r') "
    ": '$' + format(datum.value / 1000, ',~r') + 'k'"
)


def over_time(rows: Sequence[Row], window: Window, now: datetime) -> Chart:
    """Revenue by hour today, or by day of the window; times without orders are gaps."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    tomorrow = midnight + timedelta(days=1)
    if window.days == 1:
        return _timeline(rows, (midnight, tomorrow), timedelta(hours=1), "%H:%M")
    first = tomorrow - timedelta(days=window.days)
    return _timeline(rows, (first, tomorrow), timedelta(days=1), "%-d %b")


def last_hour(rows: Sequence[Row], now: datetime) -> Chart:
    """Revenue by minute of the last hour."""
    end = now.replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
    return _timeline(rows, (end - timedelta(hours=1), end), timedelta(minutes=1), "%H:%M")


def changes(rows: Sequence[Row], now: datetime) -> Chart:
    """Inserts, updates and deletes by minute of the last hour, one on the other."""
    end = now.replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
    bars = []
    for row in rows:
        bottom = 0
        for kind in _KINDS:
            if count := row[kind]:
                bars.append(
                    {
                        "from": row["changed_at"].isoformat(),
                        "to": (row["changed_at"] + timedelta(seconds=52)).isoformat(),
                        "kind": kind,
                        "count": count,
                        "bottom": bottom,
                        "top": bottom + count,
                    }
                )
                bottom += count
    drawn: alt.Chart = (
        alt.Chart(alt.InlineData(values=bars), height=_HEIGHT)
        .mark_rect(clip=True)
        .encode(
            x=_when((end - timedelta(hours=1), end), "%H:%M"),
            x2="to:T",
            y=alt.Y("bottom:Q", title=None, axis=alt.Axis(format="~s", tickCount=4, tickMinStep=1)),
            y2="top:Q",
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=[*_KINDS], range=[*_KINDS.values()]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=[
                alt.Tooltip("from:T", title="From (UTC)", format="%-d %b %H:%M"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("count:Q", title="Changes", format=",d"),
            ],
        )
    )
    return drawn


def by_product(rows: Sequence[Row], *, dark: bool) -> Chart:
    """Revenue of the top products, and of all others together."""
    best, others = rows[:_PRODUCTS], rows[_PRODUCTS:]
    bars = [
        {"name": row["product_name"] or "(no name)", "value": _number(row["revenue"])}
        for row in best
    ]
    if others:
        together = sum(_number(row["revenue"]) for row in others)
        bars.append({"name": f"{len(others)} others", "value": together, "colour": SOFT})
    return _labelled([{**bar, "label": f"${bar['value']:,.0f}"} for bar in bars], dark=dark)


def funnel(rows: Sequence[Row], *, dark: bool) -> Chart:
    """Orders that reached each stage, and their share of placed orders."""
    return _labelled(
        [
            {
                "name": row["stage"],
                "value": row["orders"],
                "label": f"{row['orders']:,} · {row['share_of_placed']:.0%}",
                "colour": BAD if row["stage"] == "cancelled" else ACCENT,
            }
            for row in rows
        ],
        dark=dark,
    )


def _timeline(
    rows: Sequence[Row], between: tuple[datetime, datetime], step: timedelta, form: str
) -> Chart:
    """Bars over time; the first column of ``rows`` is each bar's start. All times are UTC."""
    bars = []
    for row in rows:
        begins = next(iter(row.values()))
        if not isinstance(begins, datetime):
            begins = _midnight(begins)
        bars.append(
            {
                "from": begins.isoformat(),
                "to": (begins + step * 0.86).isoformat(),
                "revenue": _number(row["revenue"]),
                "orders": row["orders"],
            }
        )
    money = alt.Y("revenue:Q", title=None, axis=alt.Axis(labelExpr=_DOLLARS, tickCount=4))
    chart = alt.Chart(alt.InlineData(values=bars), height=_HEIGHT)
    drawn: alt.Chart = chart.mark_rect(color=ACCENT, clip=True, cornerRadius=2).encode(
        x=_when(between, form),
        x2="to:T",
        y=money,
        y2=alt.Y2Datum(0),
        tooltip=[
            alt.Tooltip("from:T", title="From (UTC)", format="%-d %b %H:%M"),
            alt.Tooltip("revenue:Q", title="Revenue", format="$,.2f"),
            alt.Tooltip("orders:Q", title="Orders", format=",d"),
        ],
    )
    return drawn


def _when(between: tuple[datetime, datetime], form: str) -> alt.X:
    return alt.X(
        "from:T",
        title=None,
        scale=alt.Scale(domain=[moment.isoformat() for moment in between]),
        axis=alt.Axis(format=form, grid=False, labelOverlap=True, tickCount=6),
    )


def _labelled(bars: Sequence[Mapping[str, Any]], *, dark: bool) -> Chart:
    """Horizontal bars below their names and figures, so that long names fit on a phone."""
    data = alt.InlineData(values=[{"colour": ACCENT, **bar} for bar in bars])
    base = alt.Chart(data, height=max(len(bars), 1) * 40)
    row = alt.Y(
        "name:N",
        sort=None,
        title=None,
        axis=None,
        scale=alt.Scale(paddingInner=0.7, paddingOuter=0.35, align=1),
    )
    text: dict[str, Any] = {"baseline": "bottom", "dy": -8, "fontSize": 13, "color": INK[dark]}
    marks = base.mark_bar(cornerRadiusEnd=3).encode(
        x=alt.X("value:Q", title=None, axis=None),
        y=row,
        color=alt.Color("colour:N", scale=None),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title="  ")],
    )
    names = base.mark_text(align="left", **text).encode(x=alt.value(0), y=row, text="name:N")
    labels = base.mark_text(align="right", fontWeight=600, **text).encode(
        x=alt.value("width"), y=row, text="label:N"
    )
    return alt.layer(marks, names, labels)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _number(value: Any) -> float:
    """As a float, precise enough for a bar. The figures next to it are exact."""
    return float(value or 0)
