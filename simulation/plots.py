"""A plot a scenario: lag and backlog over time, as SVG."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from simulation.batch import LOG
from simulation.chain import PLACES, Run
from simulation.scenarios import Scenario

_POINTS = 240
"""At most; every so many samples are one."""
_FAILED = "failed/"
_COLOURS = dict(
    zip(
        (*PLACES, _FAILED, LOG),
        ("#8c6bb1", "#2b6ca3", "#e08214", "#7f7f7f", "#b2182b", "#2b6ca3"),
        strict=True,
    )
)
_WIDTH = 560


def values(run: Run) -> list[dict[str, Any]]:
    """What is drawn: minutes, the lag in minutes, the backlog by place in changes."""
    step = 30 * max(1, math.ceil(len(run.samples) / 30 / _POINTS))
    return [
        {
            "minute": one.time / 60,
            "lag": round(one.lag / 60, 2),
            **{place: round(amount) for place, amount in one.waiting.items()},
            **({} if LOG in one.waiting else {_FAILED: round(one.failed)}),
        }
        for one in run.samples[step - 1 :: step]
    ]


def fingerprint(run: Run) -> str:
    """A comment that a plot ends with, by which a test knows whether it is current.

    The drawing itself depends on the fonts of the machine.
    """
    digest = hashlib.sha256(json.dumps(values(run)).encode()).hexdigest()
    return f"<!-- values {digest} -->"


def draw(scenario: Scenario, run: Run) -> str:
    """The plot as SVG."""
    import altair as alt  # noqa: PLC0415 - only the plots need it
    import vl_convert  # noqa: PLC0415

    points = values(run)
    places = [name for name in points[0] if name not in ("minute", "lag")]
    disturbance = run.disturbance
    ends = alt.Scale(domain=[0, points[-1]["minute"]], nice=False)
    time = alt.X("minute:Q", title="minutes", scale=ends)
    span = {"from": disturbance.begin / 60, "to": disturbance.end / 60}
    shade = (
        alt.Chart(alt.InlineData(values=[span]))
        .mark_rect(color="#d9d9d9", opacity=0.6)
        .encode(x=alt.X("from:Q", title="minutes", scale=ends), x2="to:Q")
    )
    lag = (
        alt.Chart(alt.InlineData(values=points))
        .mark_line(color="#b2182b", strokeWidth=1.5)
        .encode(x=time, y=alt.Y("lag:Q", title="lag, minutes"))
    )
    long = [
        {"minute": point["minute"], "place": place, "order": order, "changes": point[place]}
        for point in points
        for order, place in enumerate(places)
    ]
    waiting = (
        alt.Chart(alt.InlineData(values=long))
        .mark_area()
        .encode(
            x=time,
            y=alt.Y("changes:Q", title="changes that wait", axis=alt.Axis(format="~s")),
            color=alt.Color(
                "place:N",
                title="waiting in",
                scale=alt.Scale(domain=places, range=[_COLOURS[place] for place in places]),
                legend=alt.Legend(orient="bottom"),
            ),
            order="order:Q",
        )
    )
    chart = alt.vconcat(
        alt.layer(shade, lag).properties(width=_WIDTH, height=120),
        alt.layer(shade, waiting).properties(width=_WIDTH, height=180),
        title=scenario.title,
    ).configure(font="Arial, Helvetica, sans-serif")
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return f"{svg}\n{fingerprint(run)}\n"
