"""The page script, which Streamlit runs for every viewer; see `serve`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Streamlit runs files, not modules

from analytics import load_queries, schema_of
from analytics.dashboard import charts
from analytics.dashboard.figures import WINDOWS, Board, Figures, Window
from analytics.dashboard.serve import Page
from client.athena import Athena, AthenaError
from schema import about_orders

_PAGE = Page.from_environment()
_SCHEMA = schema_of(_PAGE.outputs)
_ORDERS = about_orders(_SCHEMA)
_TITLE = "Sales" if _ORDERS else _SCHEMA.name.replace("_", " ").capitalize()
_NOTHING = "-"
_DEFAULT = WINDOWS[1]

# A local icon: Streamlit loads named icons from an external server.
_ICON = str(Path(__file__).with_name("icon.svg"))
st.set_page_config(page_title=_TITLE, page_icon=_ICON, layout="wide")
st.html(
    """<style>
    .stMainBlockContainer { padding: 3.2rem clamp(1rem, 4vw, 4rem) 2rem; max-width: 1500px; }
    .st-key-headline {
        display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem;
    }
    .st-key-headline [data-testid="stMetricValue"] { font-size: clamp(1.3rem, 2.1vw, 2rem); }
    </style>"""
)


@st.cache_resource(show_spinner=False)
def _board() -> Board:
    """One board for all viewers, for the server's lifetime."""
    queries = load_queries(_SCHEMA)
    return Board(lambda: Athena(_PAGE.outputs), refresh=_PAGE.refresh, queries=queries)


def main() -> None:
    """Lay out the page."""
    top = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    )
    top.title(_TITLE, anchor=False, width="content")
    labels = [window.label for window in WINDOWS]
    chosen = top.segmented_control(
        "How far back",
        labels,
        default=_DEFAULT.label,
        required=True,
        label_visibility="collapsed",
    )
    _live(next((one for one in WINDOWS if one.label == chosen), _DEFAULT))


@st.fragment(run_every=_PAGE.refresh)
def _live(window: Window) -> None:
    """The part of the page that redraws itself whenever new figures are due."""
    try:
        with st.spinner("Querying Athena"):
            figures = _board().figures(window)
    except AthenaError as error:
        _broken(error)
        return
    if figures.problem:
        st.warning("These figures could not be updated:", icon=":material/cloud_off:")
        st.code(figures.problem, language=None, wrap_lines=True)
    if figures.empty:
        _nothing_yet()
    else:
        _show(figures)
    _footer(figures)


def _show(figures: Figures) -> None:
    if _ORDERS:
        _sales(figures)
    else:
        _counts(figures)
    with st.container(border=True):
        st.markdown("**Changes by minute, the last hour**")
        st.altair_chart(charts.changes(figures.rows["changes_by_minute"], datetime.now(UTC)))
    if not _ORDERS:
        with st.container(border=True):
            st.markdown("**Failed records**")
            _failed(figures)
    with st.container(border=True):
        st.markdown("**Recent changes**")
        _recent(figures)


def _sales(figures: Figures) -> None:
    """What only a table of orders has."""
    dark = st.context.theme.type == "dark"
    _headline(figures)
    left, right = st.columns(2)
    with left.container(border=True):
        st.markdown(f"**Revenue by {'hour, today' if figures.window.days == 1 else 'day'}**")
        st.altair_chart(charts.over_time(figures.rows["over_time"], figures.window, figures.at))
    with right.container(border=True):
        st.markdown("**Revenue by minute, the last hour**")
        st.altair_chart(charts.last_hour(figures.rows["revenue_by_minute"], datetime.now(UTC)))
    left, right = st.columns(2)
    with left.container(border=True):
        st.markdown("**Revenue by product**")
        st.altair_chart(charts.by_product(figures.rows["revenue_by_product"], dark=dark))
    with right.container(border=True):
        st.markdown("**From placed to delivered**")
        st.altair_chart(charts.funnel(figures.rows["order_funnel"], dark=dark))
    with right.container(border=True):
        st.markdown("**Failed records**")
        _failed(figures)


def _counts(figures: Figures) -> None:
    """The headline of any other table."""
    with st.container(horizontal=True, key="headline"):
        for kind, count in figures.changes.items():
            st.metric(
                kind.capitalize(),
                f"{count:,}",
                border=True,
                height="stretch",
                help="In the last hour.",
            )
        st.metric(
            "Failed records",
            _NOTHING if figures.failed is None else f"{figures.failed:,}",
            border=True,
            height="stretch",
            help="Arrived in the chosen time.",
        )
        _freshness(figures)


def _headline(figures: Figures) -> None:
    before: Figures | None = st.session_state.get("before")
    if before and before.window != figures.window:
        before = None
    new_orders = figures.orders - before.orders if before else 0
    new_revenue = figures.revenue - before.revenue if before else 0
    cancelled, share = figures.cancelled
    with st.container(horizontal=True, key="headline"):
        st.metric(
            "Revenue",
            f"${figures.revenue:,.2f}",
            delta=f"{new_revenue:,.2f}" if new_revenue else None,
            border=True,
            height="stretch",
            help="Quantity times price of the orders that are neither cancelled nor deleted.",
        )
        st.metric(
            "Orders",
            f"{figures.orders:,}",
            delta=f"{new_orders:,}" if new_orders else None,
            border=True,
            height="stretch",
            help="Placed in the window; neither cancelled nor deleted.",
        )
        st.metric(
            "Average order",
            _NOTHING if figures.average is None else f"${figures.average:,.2f}",
            border=True,
            height="stretch",
        )
        st.metric(
            "Cancelled",
            f"{share:.1%}",
            delta=f"{cancelled:,} orders",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Of the orders placed in the window.",
        )
        _freshness(figures)
    if not before or before.at != figures.at:
        st.session_state["before"] = figures


def _freshness(figures: Figures) -> None:
    fresh = figures.freshness
    delay = fresh["p50_delay_seconds"]
    st.metric(
        "Freshness",
        _NOTHING if delay is None else _seconds(delay),
        delta=None if delay is None else f"99 % in {_seconds(fresh['p99_delay_seconds'])}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="Median time from a change in DynamoDB until a query finds it in the lake, over "
        "the last 24 hours.",
    )


def _failed(figures: Figures) -> None:
    rows = figures.rows.get("failed_records")
    if rows is None:
        st.markdown("There are some. Only the operator policy may read them: they are raw data.")
        return
    if not rows:
        st.markdown(":green[:material/check_circle:] None: every change became a row.")
        return
    st.dataframe(
        [
            {
                "Records": row["records"],
                "Reason": row["errorcode"],
                "Last arrival (UTC)": row["last_arrival"],
                "Message": row["errormessage"],
            }
            for row in rows
        ],
        hide_index=True,
        alt=f"{figures.failed} failed records by reason",
    )
    st.caption("The transform's log group has the reason for each.")


def _recent(figures: Figures) -> None:
    rows = figures.rows["recent_changes"]
    if not rows:
        st.markdown("None in the last hour.")
        return
    st.dataframe(
        [_order(row) if _ORDERS else _item(row) for row in rows],
        hide_index=True,
        height="content",
        column_config={
            "Time (UTC)": st.column_config.DatetimeColumn(format="HH:mm:ss", width=90),
            **({"Price": st.column_config.NumberColumn(format="dollar")} if _ORDERS else {}),
        },
        alt="The newest changes",
    )


def _order(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_change(row),
        "Status": row["status"],
        "Product": row["product_name"],
        "Quantity": row["quantity"],
        "Price": None if row["price"] is None else float(row["price"]),
        "Customer": row["customer"],
        "Order": row["orderid"],
    }


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change of any table: the keys first, and values without a cell of their own as JSON."""
    others = [column.name for column in _SCHEMA.columns if column.name not in _SCHEMA.keys]
    names = [*_SCHEMA.keys, *others, *(["extras"] if row["extras"] else [])]
    return {**_change(row), **{name: _cell(row[name]) for name in names}}


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    what = "expired" if row["deleted_by"] == "ttl" else _WHAT.get(row["event_type"])
    return {"Time (UTC)": row["creation_time"], "Change": what or row["event_type"]}


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)  # with every digit
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str)
    return value


_WHAT = {"INSERT": "new", "MODIFY": "changed", "REMOVE": "deleted"}


def _footer(figures: Figures) -> None:
    cost, total = figures.cost, figures.total
    st.caption(
        f"As of {figures.at:%H:%M:%S} UTC, updated every {_seconds(_PAGE.refresh)} while the page "
        f"is open. This time: {cost.queries} queries, {_size(cost.bytes_scanned)} scanned, "
        f"{_dollars(cost.dollars)}. Since the start: {total.queries} queries, "
        f"{_size(total.bytes_scanned)}, {_dollars(total.dollars)}."
    )


def _nothing_yet() -> None:
    with st.container(border=True):
        st.subheader(":material/inbox: The lake is empty so far", anchor=False)
        st.markdown(
            f"{'No order has arrived in the chosen time, and no' if _ORDERS else 'No'} change in "
            "the last 24 hours. This page updates itself."
        )
        if _ORDERS:
            st.markdown("To place some orders, run in another shell:")
            st.code(_PAGE.generator_command, language="bash", wrap_lines=True)
        st.markdown(
            "A change needs up to Firehose's buffer intervals to arrive (dev: 13 s, prod: 70 s). "
            "If nothing comes after that, follow it hop by hop: is the pipe running, does the "
            "transform's log show errors, is there a message in the dead-letter queue?"
        )


def _broken(error: AthenaError) -> None:
    with st.container(border=True):
        st.subheader(":material/cloud_off: Athena queries fail", anchor=False)
        st.code(str(error), language=None, wrap_lines=True)
        st.markdown(
            f"Workgroup **`{_PAGE.outputs['workgroupName']}`**, "
            f"database **`{_PAGE.outputs['databaseName']}`**. This page retries "
            f"every {_seconds(_PAGE.refresh)}.\n\n"
            "- **Credentials**: does `aws sts get-caller-identity` work in the shell that "
            "started the dashboard?\n"
            "- **Permissions**: they need the stack's reader policy (output `readerPolicyArn`).\n"
            "- **Location**: are region and account those of the stack?\n"
            "- **Local stack**: is `python -m local up` still running? A new one has new "
            'endpoints: `eval "$(python -m local env)"` and start the dashboard again.'
        )


def _seconds(value: float) -> str:
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"


def _size(value: int) -> str:
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _dollars(value: float) -> str:
    return f"US\\${value:.5f}" if value < 1 else f"US\\${value:,.2f}"


main()
